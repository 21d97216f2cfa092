"""Linking from end to end: read both sides, compare, decide, settle conflicts, write."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pyoxigraph as ox

from .. import __version__
from ..errors import KvgraphError
from ..namespaces import compact
from ..sources.imported import imports, only_importer, put
from . import identifiers, reading
from .conflicts import Conflict, conflicts, settled
from .decide import ACCEPT, Evidence, decide
from .engines import Engine, score
from .mappings import CLOSE, CURATION, EXACT, LEXICAL, MODEL, evidence_text, table
from .mappings import Mapping as Link
from .model import Model, fitted
from .names import is_short
from .organisations import Organisation
from .rows import sides
from .statements import quads

TOOL = f"kvgraph {__version__}"
TITLE = "Links of kvgraph to other data sets"
# Addresses that we link to through what another source says of its own entries.
FOLLOWED = {"http://www.wikidata.org/entity/Q": "wikidata", "https://ror.org/0": "ror"}
_CERTAIN = {"identifier": 0.99, "homepage": 0.97}


@dataclass
class Linked:
    """What was found: every link, those that contradict each other, and numbers by source."""

    links: list[Link]
    conflicts: list[Conflict] = field(default_factory=list)

    def counts(self) -> list[dict]:
        """For each source how many links were accepted and how many are for a person to review."""
        found: dict[str, dict] = {}
        for link in self.links:
            row = found.setdefault(link.object_source or "other", {"source": link.object_source or "other", "accepted": 0, "review": 0, "rejected": 0, "conflicts": 0})
            row["rejected" if link.predicate_modifier else "accepted" if link.accepted else "review"] += 1
        for conflict in self.conflicts:
            found[conflict.link.object_source or "other"]["conflicts"] += 1
        return [found[source] for source in sorted(found)]


def today() -> str:
    """The day in ISO 8601."""
    return f"{date.today()}"


def of_rows(rows: Iterable[Mapping[str, str]]) -> list[Organisation]:
    """Our actors, from rows of the question ``pages/actors-to-link``: ``actor``, ``property``, ``value``."""
    said: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        said.setdefault(row["actor"], {}).setdefault(compact(row["property"]), []).append(row["value"])
    found = []
    for iri, values in said.items():
        names = [*values.get("skos:prefLabel", ()), *values.get("skos:altLabel", ())]
        first = {name: values.get(name, [""])[0] for name in ("kv:country", "schema:addressLocality", "foaf:homepage", "org:classification")}
        found.append(Organisation(
            iri, tuple(dict.fromkeys(n for n in names if not is_short(n))), tuple(dict.fromkeys(n for n in names if is_short(n))),
            first["kv:country"].rpartition("/")[2], first["schema:addressLocality"], first["foaf:homepage"],
            reading.kind(first["org:classification"]), tuple(values.get("skos:exactMatch", ())),
        ))  # fmt: skip
    return found


def sources(home: Path, names: Iterable[str] = ()) -> dict[str, Path]:
    """Tables of organisations of the imports asked for, by default of all. Raises :class:`KvgraphError` for one that was not imported."""
    there = {name: found.organisations for name, found in imports(home).items() if found.organisations.is_file()}
    for name in names:
        if name not in there:
            had = f"There are: {', '.join(there)}." if there else "Nothing with organisations was imported yet."
            raise KvgraphError(f"No organisations of {name!r} are here.", hint=f"{had} Run: kvgraph import {name}")
    return {name: path for name, path in there.items() if not names or name in names}


def match(ours: Sequence[Organisation], theirs: Sequence[Organisation], source: str, engine: Engine, model: Model | None = None, day: str = "") -> list[Link]:
    """Links of one body of organisations to another: by identifier, by homepage, then by the model."""
    model = model or fitted()
    day = day or today()
    links: dict[tuple[int, int], Link] = {}
    identified = list(identifiers.by_identifier(ours, theirs))
    for pairs in (identified, identifiers.by_homepage(ours, theirs)):
        for a, b, evidence in pairs:
            links.setdefault((a, b), _link(ours[a], theirs[b], EXACT, LEXICAL, _CERTAIN[evidence.feature], [evidence], source, day))
    sure = {a: b for a, b in reversed(links)}
    taken = {b: ours[a].iri for a, b, _ in reversed(identified)}
    left, right = sides(ours, theirs)
    for decision in decide(score(engine, left, right, model), model):
        a, b = decision.asked, decision.known
        if (a, b) in links:
            known = links[a, b]
            links[a, b] = replace(known, other=evidence_text([*known.evidence, *decision.evidence]))
        elif decision.verdict and a not in sure:
            predicate = EXACT if decision.verdict == ACCEPT and b not in taken else CLOSE  # a name does not contest an identifier
            found = _link(ours[a], theirs[b], predicate, MODEL, decision.confidence, decision.evidence, source, day)
            links[a, b] = replace(found, comment=f"Another thing of ours has the identifier of this entry: {taken[b]}." if b in taken else "")
    return list(links.values())


def _link(ours: Organisation, theirs: Organisation, predicate: str, justification: str, confidence: float, evidence: Iterable[Evidence], source: str, day: str) -> Link:
    labels = [next(iter((*o.names, *o.short)), "") for o in (ours, theirs)]
    return Link(ours.iri, labels[0], predicate, theirs.iri, labels[1], justification, round(confidence, 4), object_source=source,
                mapping_tool=TOOL, mapping_date=day, other=evidence_text(evidence))  # fmt: skip


def link(
    ours: Sequence[Organisation], tables: Mapping[str, Path], engine: Engine, concepts: Iterable[Mapping[str, str]] = (),
    reviewed: Mapping[tuple[str, str], Link] | None = None, step: Callable[[str], None] = lambda name: None,
) -> Linked:  # fmt: skip
    """Link our organisations to those of every table, and take in what a query said of regions, policies and topics (``concepts``)."""
    day = today()
    found: list[Link] = []
    decisions = reviewed or {}
    linked: dict[str, Organisation] = {organisation.iri: organisation for organisation in ours}
    for source, path in tables.items():
        step(f"link to {source}")
        theirs = list(reading.of_import(path))
        links = match(ours, theirs, source, engine, day=day)
        targets = {link.object_id for link in (*links, *decisions.values())}
        linked |= {organisation.iri: organisation for organisation in theirs if organisation.iri in targets}
        found += links
    standing = decided(found, decisions)  # nothing follows from what a person has refused
    found += identifiers.following(standing, {iri: o.identifiers for iri, o in linked.items()}, FOLLOWED)
    found += identifiers.by_statement(concepts, TOOL, day)
    links = decided(found, decisions)
    step("look for conflicts")
    wrong = list(conflicts(links, linked.values()))
    return Linked(settled(links, wrong), wrong)


def decided(found: Iterable[Link], reviewed: Mapping[tuple[str, str], Link]) -> list[Link]:
    """Each pair once, the surest first; what a person decided wins, also over other targets in the same source."""
    best: dict[tuple[str, str], Link] = {}
    for link in sorted(found, key=lambda link: (not link.accepted, -(link.confidence or 0))):
        best.setdefault(link.pair, link)
    settled_for = {(link.subject_id, link.object_source) for link in reviewed.values() if link.accepted}
    kept = {pair: link for pair, link in best.items() if pair not in reviewed and (link.subject_id, link.object_source) not in settled_for}
    for pair, link in reviewed.items():
        evidence = best[pair].other if pair in best else ""
        kept[pair] = replace(link, mapping_justification=CURATION, other=link.other or evidence, object_label=link.object_label or (best[pair].object_label if pair in best else ""))
    return [kept[pair] for pair in sorted(kept)]


def write(home: Path, linked: Linked) -> Path:
    """Put links where the next build takes them in, as SSSOM and as RDF; both at once or neither. Returns the folder.

    The table has all links; the RDF those that were found, for what was decided the build reads in ``data/links``.
    """
    folder, day = home / "sources" / "links", today()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with only_importer(home), tempfile.TemporaryDirectory(prefix=".links-", dir=folder.parent, ignore_cleanup_errors=True) as scratch:
        draft = Path(scratch) / folder.name
        draft.mkdir()
        (draft / "links.sssom.tsv").write_text(table(linked.links, TITLE, day), encoding="utf-8")
        found = [link for link in linked.links if link.mapping_justification != CURATION]
        (draft / "links.trig").write_bytes(ox.serialize(sorted(quads(found, day), key=str), format=ox.RdfFormat.TRIG))
        put(draft, folder)
    return folder
