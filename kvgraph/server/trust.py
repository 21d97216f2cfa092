"""How far a record can be trusted, in facts: does it meet its shapes, on how many pages does it rest, who says what."""

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..model import EntityType
from ..namespaces import ID, PROV
from ..releases import Release
from .display import Shown, question_query
from .said import Said

BASES = ("stated", "classified", "derived")


@dataclass(frozen=True)
class Count:
    """``number`` of statements of one basis, and the query that lists them."""

    basis: str
    number: int
    query: str


@dataclass(frozen=True)
class Trust:
    """``violations``, ``warnings`` and ``infos`` are the messages of the validation report about the record and the parts people had in it;
    None where no report was kept. ``pages`` were read for it, the last of them ``seen`` in that month."""

    violations: list[str] | None
    warnings: list[str] | None
    infos: list[str] | None
    counts: list[Count]
    pages: int
    pages_query: str
    seen: str
    identifiers: list[Shown]

    @property
    def checked(self) -> bool:
        return self.violations is not None

    @property
    def remarks(self) -> list[str]:
        return [*(self.violations or []), *(self.warnings or []), *(self.infos or [])]


def trust(release: Release, iri: str, type_: EntityType | None, said: Said) -> Trust | None:
    """What is known about the record of a thing; None for what is no record of ours, such as a term of a list nobody has a page for."""
    if type_ is None or not said.values:
        return None
    parts = {value.value for value in said.values.get(PROV + "qualifiedAssociation", ())}
    found = _messages(release, {iri, *parts})
    of_basis = said.counts()
    counts = [Count(b, n, question_query("pages/statements-of-basis", iri=iri, basis=f"{ID}basis/{b}")) for b in BASES if (n := of_basis.get(b, 0))]
    pages = {page.iri or page.text for source in said.sources.values() for page in source.pages}
    seen = max((source.seen for source in said.sources.values()), default="")
    return Trust(
        *(found[severity] if found else None for severity in ("Violation", "Warning", "Info")),
        counts, len(pages), question_query("pages/pages-read", iri=iri), seen, said.identifiers(),
    )  # fmt: skip


def _messages(release: Release, things: set[str]) -> dict[str, list[str]] | None:
    try:
        by_focus = _report(release.path / "report.json")
    except OSError:
        return None
    found: dict[str, list[str]] = {"Violation": [], "Warning": [], "Info": []}
    for thing in sorted(things & by_focus.keys()):
        for severity, message in by_focus[thing]:
            found[severity].append(message)
    return found


@lru_cache(maxsize=4)
def _report(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Severity and message of every result by what it is about. A release never changes, so it is read once."""
    found = defaultdict(list)
    for result in json.loads(path.read_text(encoding="utf-8"))["results"]:
        found[result["focus"]].append((result["severity"], result["message"]))
    return dict(found)
