"""Mappings: that one thing is another, how sure that is and why, in SSSOM (Simple Standard for Sharing Ontological Mappings 1.0).

The table is the standard's TSV: comments in front hold the metadata as YAML, then one line for each mapping. Evidence is in the column ``other``,
as ``feature=finding (bits)`` between bars.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ..errors import KvgraphError
from ..namespaces import PREFIXES
from ..params import expand
from .decide import Evidence

EXACT, CLOSE = "skos:exactMatch", "skos:closeMatch"
# How a mapping came about: terms of the Semantic Mapping Vocabulary (https://mapping-commons.github.io/semantic-mapping-vocabulary/).
IDENTIFIER, LOGICAL, MODEL, LEXICAL, CURATION = (
    "semapv:" + name for name in ("DatabaseCrossReference", "LogicalReasoning", "CompositeMatching", "LexicalMatching", "ManualMappingCuration")
)  # fmt: skip
SEMAPV = "https://w3id.org/semapv/vocab/"
_PREFIXES = {**PREFIXES, "semapv": SEMAPV}
_EVIDENCE = re.compile(r"\s*(?P<feature>[^=|]+)=(?P<finding>[^|]*?) \((?P<bits>[+-]?[0-9.]+)\)\s*")
_LONGEST = 2000  # characters of a cell


@dataclass(frozen=True)
class Mapping:
    """One mapping, by the names of SSSOM's slots. ``subject_id`` is ours; ``object_source`` is the import it is of. ``predicate_modifier`` is "Not"
    where it was decided that the two are not one."""

    subject_id: str
    subject_label: str
    predicate_id: str
    object_id: str
    object_label: str
    mapping_justification: str
    confidence: float | None = None
    predicate_modifier: str = ""
    object_source: str = ""
    mapping_tool: str = ""
    mapping_date: str = ""
    author_id: str = ""
    comment: str = ""
    other: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        return self.subject_id, self.object_id

    @property
    def accepted(self) -> bool:
        return self.predicate_id == EXACT and not self.predicate_modifier

    @property
    def evidence(self) -> list[Evidence]:
        """What speaks for it, read from ``other``.

        >>> Mapping("a", "A", EXACT, "b", "B", MODEL, other=evidence_text([Evidence("place", "same place", 4.83)])).evidence
        [Evidence(feature='place', finding='same place', bits=4.83)]
        """
        found = (_EVIDENCE.fullmatch(part) for part in self.other.split("|"))
        return [Evidence(match["feature"], match["finding"], float(match["bits"])) for match in found if match]


COLUMNS = tuple(field.name for field in fields(Mapping))
_NEEDED = ("subject_id", "predicate_id", "object_id", "mapping_justification")
_IRIS = ("subject_id", "predicate_id", "object_id", "mapping_justification", "author_id")


def evidence_text(evidence: Iterable[Evidence]) -> str:
    """Evidence as the column ``other`` has it."""
    return "|".join(f"{line.feature}={line.finding.replace('|', '/')} ({line.bits:+.2f})" for line in evidence)


def curie(iri: str) -> str:
    """An IRI in short, where there is a prefix and what is left is a plain name.

    >>> curie("http://www.w3.org/2004/02/skos/core#exactMatch"), curie("https://ror.org/020hwjq30")
    ('skos:exactMatch', 'https://ror.org/020hwjq30')
    """
    for prefix, namespace in _PREFIXES.items():
        if iri.startswith(namespace) and re.fullmatch(r"[A-Za-z0-9_.-]+", iri[len(namespace) :]):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def full(text: str) -> str:
    """The IRI behind a short form.

    >>> full("semapv:LexicalMatching")
    'https://w3id.org/semapv/vocab/LexicalMatching'
    """
    prefix, colon, rest = text.partition(":")
    if colon and prefix in _PREFIXES:
        return _PREFIXES[prefix] + rest
    return expand(text)


def table(mappings: Iterable[Mapping], title: str, date: str) -> str:
    """Mappings as SSSOM/TSV."""
    into = io.StringIO()
    into.write(f"#mapping_set_id: https://w3id.org/kvgraph/graph/links\n#mapping_set_title: {title}\n#mapping_date: {date}\n")
    into.write("#license: https://creativecommons.org/licenses/by/4.0/\n#curie_map:\n")
    into.writelines(f"#  {prefix}: {namespace}\n" for prefix, namespace in _PREFIXES.items())
    writer = csv.writer(into, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for mapping in mappings:
        cells = (getattr(mapping, column) for column in COLUMNS)
        writer.writerow("" if cell is None else f"{cell:.4f}" if isinstance(cell, float) else _cell(str(cell)) for cell in cells)
    return into.getvalue()


def _cell(text: str) -> str:
    return " ".join(curie(text).split())


def read_table(path: Path) -> Iterator[Mapping]:
    """The mappings of an SSSOM table, with short forms as IRIs but for those of SKOS and SEMAPV. Raises :class:`KvgraphError` with file and line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KvgraphError(f"{path.name} cannot be read.", hint=f"It must be a table in UTF-8 ({type(error).__name__}).") from None
    body = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not body:
        return
    header = body[0][1].split("\t")
    if missing := [column for column in _NEEDED if column not in header]:
        raise KvgraphError(f"{path.name}:{body[0][0]}: column {missing[0]} is missing.", hint="The columns are those of SSSOM, with tabs between them.")
    for (number, _), cells in zip(body[1:], csv.reader((line for _, line in body[1:]), delimiter="\t")):
        yield _mapping(path.name, number, dict(zip(header, cells)))


def _mapping(file: str, number: int, row: dict[str, str]) -> Mapping:
    values = {column: row.get(column, "").strip()[:_LONGEST] for column in COLUMNS}
    try:
        confidence = float(values["confidence"]) if values["confidence"] else None
        if confidence is not None and not 0 <= confidence <= 1:
            raise ValueError("confidence is not between 0 and 1")
        if values["predicate_id"] not in (EXACT, CLOSE):
            raise ValueError(f"predicate_id is {values['predicate_id']!r}, not {EXACT} or {CLOSE}")
        if values["predicate_modifier"] not in ("", "Not"):
            raise ValueError("predicate_modifier is neither empty nor Not")
        for column in ("subject_id", "object_id"):
            values[column] = full(values[column])
            if not re.fullmatch(r"https?://[^\s<>\"{}|^`\\]+", values[column]):
                raise ValueError(f"{column} is no address: {values[column][:80]!r}")
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", values["mapping_date"]):
            raise ValueError(f"mapping_date is no day (2026-11-28): {values['mapping_date'][:20]!r}")
    except ValueError as problem:
        raise KvgraphError(f"{file}:{number}: {problem}.", hint="Mend the line; nothing was linked.") from None
    return Mapping(**{**values, "confidence": confidence})


def reviewed(folder: Path) -> dict[tuple[str, str], Mapping]:
    """Decisions that people have taken: every table in a folder, by subject and object. They win over whatever is found."""
    found = {}
    for path in sorted(folder.glob("*.tsv")):
        for mapping in read_table(path):
            found[mapping.pair] = mapping if mapping.mapping_justification else replace(mapping, mapping_justification=CURATION)
    return found
