"""Mappings: that one thing is another, how sure that is and why, in SSSOM (Simple Standard for Sharing Ontological Mappings 1.0).

The table is the standard's TSV: comments in front hold the metadata as YAML, then one line for each mapping. Evidence is in the column ``other``,
as ``feature=finding (bits)`` between bars.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Prefixes
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

from ..errors import KvgraphError
from ..model import PIC
from ..namespaces import ELI_RESOURCE, GRAPH, ID, PREFIXES
from ..params import expand
from ..tables import safe
from .decide import Evidence

EXACT, CLOSE = "skos:exactMatch", "skos:closeMatch"
# How a mapping came about: terms of the Semantic Mapping Vocabulary (https://mapping-commons.github.io/semantic-mapping-vocabulary/).
# LEXICAL: an identifier, a homepage or a label in common; INVERSION: the other side says so; CHAIN: what a link leads to says so.
LEXICAL, INVERSION, CHAIN, MODEL, CURATION = (
    "semapv:" + name for name in ("LexicalMatching", "MappingInversion", "MappingChaining", "CompositeMatching", "ManualMappingCuration")
)  # fmt: skip
# What SSSOM 1.0 takes as a justification.
_JUSTIFICATIONS = {"semapv:" + name for name in (
    "BackgroundKnowledgeBasedMatching CompositeMatching InstanceBasedMatching LexicalMatching LexicalSimilarityThresholdMatching LogicalReasoning ManualMappingCuration "
    "MappingChaining MappingInversion MappingReview SemanticSimilarityThresholdMatching StructuralMatching UnspecifiedMatching"
).split()}  # fmt: skip
SEMAPV = "https://w3id.org/semapv/vocab/"
LINKS, OWN = GRAPH + "links", GRAPH + "links/table"  # sets of mappings: ours, and those of a table of somebody's own
# The standard has all identifiers in short, so that each data set that is linked to needs a prefix.
_PREFIXES = {
    **PREFIXES, "semapv": SEMAPV, "source": ID + "source/import-", "id": ID, "act": ELI_RESOURCE, "line": OWN + "#line-", "ror": "https://ror.org/", "pic": PIC,
    "wikidata": "http://www.wikidata.org/entity/", "kohesio": "https://linkedopendata.eu/entity/", "eurovoc": "http://eurovoc.europa.eu/",
    "euroscivoc": "http://data.europa.eu/8mn/euroscivoc/",
}  # fmt: skip
_LOCAL = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_EVIDENCE = re.compile(r"\s*(?P<feature>[^=|]+)=(?P<finding>[^|]*?) \((?P<bits>[+-]?[0-9.]+)\)\s*")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
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
    """An IRI in short, where there is a prefix and what is left is plain names.

    >>> curie("http://www.w3.org/2004/02/skos/core#exactMatch"), curie("https://ror.org/020hwjq30"), curie("https://example.org/a")
    ('skos:exactMatch', 'ror:020hwjq30', 'https://example.org/a')
    """
    for prefix, namespace in _PREFIXES.items():
        if iri.startswith(namespace) and _LOCAL.fullmatch(iri[len(namespace) :]):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def full(text: str, prefixes: Prefixes = {}) -> str:
    """The IRI behind a short form; ``prefixes`` are those of a table, before ours.

    >>> full("semapv:LexicalMatching"), full("x:1", {"x": "https://example.org/"})
    ('https://w3id.org/semapv/vocab/LexicalMatching', 'https://example.org/1')
    """
    prefix, colon, rest = text.partition(":")
    if colon and not rest.startswith("//") and (namespace := prefixes.get(prefix) or _PREFIXES.get(prefix)):
        return namespace + rest
    return expand(text)


def table(mappings: Iterable[Mapping], title: str, day: str, *, own: bool = False) -> str:
    """Mappings as SSSOM/TSV. ``own`` says that they are of a table of somebody's own, whose licence is not ours to give."""
    into = io.StringIO()
    of, licence = (OWN, "https://w3id.org/sssom/license/unspecified") if own else (LINKS, "https://creativecommons.org/licenses/by/4.0/")
    into.write(f"#mapping_set_id: {of}\n#mapping_set_title: {json.dumps(title, ensure_ascii=False)}\n#mapping_date: {day}\n#license: {licence}\n#curie_map:\n")
    into.writelines(f"#  {prefix}: {namespace}\n" for prefix, namespace in _PREFIXES.items())
    writer = csv.writer(into, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for mapping in mappings:
        writer.writerow(_cell(column, getattr(mapping, column)) for column in COLUMNS)
    return into.getvalue()


def _cell(column: str, value: str | float | None) -> str:
    if value is None or isinstance(value, float):
        return "" if value is None else f"{value:.4f}"
    if column in _IRIS and re.match("https?:|semapv:|skos:", value):
        return curie(value)
    text = " ".join(_CONTROL.sub(" ", value).split())
    return f"source:{text}" if text and column == "object_source" else f"{safe(text)}"  # people look at it in spreadsheets


def read_table(path: Path) -> Iterator[Mapping]:
    """The mappings of an SSSOM table, with short forms as IRIs but for those of SKOS and SEMAPV. Raises :class:`KvgraphError` with file and line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KvgraphError(f"{path.name} cannot be read.", hint=f"It must be a table in UTF-8 ({type(error).__name__}).") from None
    body = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not body:
        return
    header = body[0][1].split("\t")
    if missing := [column for column in _NEEDED if column not in header]:
        raise KvgraphError(f"{path.name}:{body[0][0]}: column {missing[0]} is missing.", hint="The columns are those of SSSOM, with tabs between them.")
    prefixes = _declared(lines)
    for number, line in body[1:]:
        cells = next(csv.reader([line], delimiter="\t"))  # by itself: a quotation mark without its pair takes no other line along
        if len(cells) > len(header):
            raise KvgraphError(f"{path.name}:{number}: has {len(cells)} cells, and the heading has {len(header)}.", hint="Mend the line; nothing was linked.")
        yield _mapping(path.name, number, dict(zip(header, cells)), prefixes)


def _declared(lines: Iterable[str]) -> Prefixes:
    """The prefixes that a table declares in its ``curie_map``."""
    found, within = {}, False
    for line in lines:
        if not line.startswith("#"):
            break
        if match := re.fullmatch(r"#\s+[\"']?([A-Za-z0-9_.-]+)[\"']?:\s*[\"']?(\S+?)[\"']?\s*", line) if within else None:
            found[match[1]] = match[2]
        else:
            within = re.fullmatch(r"#\s*curie_map:\s*", line) is not None
    return found


def _mapping(file: str, number: int, row: dict[str, str], prefixes: Prefixes) -> Mapping:
    values = {column: row.get(column, "").strip()[:_LONGEST] for column in COLUMNS}
    try:
        confidence = float(values["confidence"]) if values["confidence"] else None
        if confidence is not None and not 0 <= confidence <= 1:
            raise ValueError("confidence is not between 0 and 1")
        if values["predicate_id"] not in (EXACT, CLOSE):
            raise ValueError(f"predicate_id is {values['predicate_id']!r}, not {EXACT} or {CLOSE}")
        if values["predicate_modifier"] not in ("", "Not"):
            raise ValueError("predicate_modifier is neither empty nor Not")
        values["mapping_justification"] = values["mapping_justification"] or CURATION
        if values["mapping_justification"] not in _JUSTIFICATIONS:
            raise ValueError(f"mapping_justification is {values['mapping_justification'][:60]!r}, and a decision is {CURATION}")
        for column in ("subject_id", "object_id"):
            values[column] = full(values[column], prefixes)
            if not re.fullmatch(r"https?://[^\s<>\"{}|^`\\]+", values[column]):
                raise ValueError(f"{column} is no address: {values[column][:80]!r}")
        values["author_id"] = full(values["author_id"], prefixes)
        values["object_source"] = values["object_source"].removeprefix("source:")
        _day(values["mapping_date"])
    except ValueError as problem:
        raise KvgraphError(f"{file}:{number}: {problem}.", hint="Mend the line; nothing was linked.") from None
    return Mapping(**{**values, "confidence": confidence})


def _day(text: str) -> None:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return
    except ValueError:
        pass
    raise ValueError(f"mapping_date is no day (2026-11-28): {text[:20]!r}")


def reviewed(tables: Iterable[Path]) -> dict[tuple[str, str], Mapping]:
    """Decisions that people have taken, in tables of SSSOM, by subject and object. They win over whatever is found.

    Raises :class:`KvgraphError` where a line cannot be read, or a pair is decided twice.
    """
    found: dict[tuple[str, str], Mapping] = {}
    for path in tables:
        for mapping in read_table(path):
            if mapping.pair in found:
                raise KvgraphError(f"{path.name}: what {mapping.subject_id} has to do with {mapping.object_id} is decided twice.", hint="Take one of the two lines out.")
            found[mapping.pair] = mapping
    return found
