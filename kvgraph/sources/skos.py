"""Concept schemes in SKOS as the Publications Office publishes them: EU authority tables, EuroVoc, EuroSciVoc, in RDF/XML, Turtle or N-Triples.

Labels may be plain or SKOS-XL. Of each concept its types, labels, codes, definitions, place in the hierarchy and matches come in;
one without a label is set aside. A document with a DOCTYPE is refused: entities may expand without end.
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import BinaryIO
from xml.parsers import expat

import pyoxigraph as ox

from ..namespaces import BASE, DCTERMS, ID, OWL, RDF, SKOS
from . import places
from .raw import Raw, UnreadableFile
from .record import BadRow, SetAside, Taken, literal, node, text

_FORMATS = {".rdf": ox.RdfFormat.RDF_XML, ".xml": ox.RdfFormat.RDF_XML, ".ttl": ox.RdfFormat.TURTLE, ".nt": ox.RdfFormat.N_TRIPLES}
_XL = "http://www.w3.org/2008/05/skos-xl#"
_DC = "http://purl.org/dc/elements/1.1/identifier"
_LABELS = {SKOS + name for name in ("prefLabel", "altLabel")}
_TEXTS = {SKOS + name for name in ("definition", "scopeNote")}
_CODES = {SKOS + "notation": SKOS + "notation", DCTERMS + "identifier": DCTERMS + "identifier", _DC: DCTERMS + "identifier"}
_LINKS = {SKOS + name for name in ("inScheme", "broader", "related", "exactMatch", "closeMatch", "broadMatch", "narrowMatch")} | {DCTERMS + "isReplacedBy"}
_DEPRECATED = OWL + "deprecated"
_DEEPEST = 100  # elements in one another; the files as published have a dozen
_EUROSCIVOC = "http://data.europa.eu/8mn/euroscivoc/"


def read(files: Iterable[Raw], encoding: str | None = None) -> Iterator[Taken | SetAside]:
    """Every concept of the files, in the order of their IRIs."""
    for raw in files:
        if raw.kind in _FORMATS:
            yield from _concepts(raw)


def _concepts(raw: Raw) -> Iterator[Taken | SetAside]:
    said: dict[str, list[tuple[str, ox.NamedNode | ox.Literal]]] = defaultdict(list)
    concepts: set[str] = set()
    forms: dict = {}  # of SKOS-XL labels
    for triple in parse(raw):
        subject, property_, value = triple.subject, triple.predicate.value, triple.object
        if property_ == _XL + "literalForm":
            forms[subject] = value
        elif isinstance(subject, ox.NamedNode):
            if property_ == RDF + "type" and value in (_CONCEPT, _SCHEME):
                concepts.add(subject.value)
            said[subject.value].append((property_, value))
    for iri in sorted(concepts):
        try:
            triples, notes = _concept(iri, said[iri], forms)
            yield Taken(triples, None, raw.name, None, tuple(notes))
        except BadRow as problem:
            yield SetAside(raw.name, None, f"{iri}: {problem}")


_CONCEPT, _SCHEME = ox.NamedNode(SKOS + "Concept"), ox.NamedNode(SKOS + "ConceptScheme")


def _concept(iri: str, said: list[tuple], forms: dict) -> tuple[list[ox.Triple], list[str]]:
    if iri.startswith(BASE) or not re.match("https?://", iri):  # what is ours, an import says nothing of
        raise BadRow("is no address that a concept of others has")
    subject, triples, notes = node(iri), {}, []
    described = places.described(iri)
    labels = 0
    for property_, value in said:
        if property_.startswith(_XL):
            property_, value = SKOS + property_.removeprefix(_XL), forms.get(value, value)
        preferred = property_ == SKOS + "prefLabel" and isinstance(value, ox.Literal)
        if described and property_ in _LABELS:  # countries and regions have their labels already, in all languages
            labels += preferred
        elif (kept := _kept(property_, value, notes)) is not None:
            labels += preferred
            triples[ox.Triple(subject, *kept)] = None
    if not labels:
        raise BadRow("has no label" + (f" that can be taken: {notes[0]}" if notes else ""))
    if any(property_ == _DEPRECATED and value.value in ("true", "1") for property_, value in said):
        raise BadRow("is deprecated")
    if iri.startswith(_EUROSCIVOC):
        for triple in [t for t in triples if t.predicate.value == SKOS + "notation" and t.object.value.isdigit()]:
            # CORDIS names fields of science by number only; so its projects find the concept.
            triples[ox.Triple(node(f"{ID}euroscivoc/{triple.object.value}"), node(SKOS + "exactMatch"), subject)] = None
    return list(triples), notes


def _kept(property_: str, value, notes: list[str]) -> tuple | None:
    """Property and value as they come in, None for what does not."""
    if property_ == RDF + "type" and value in (_CONCEPT, _SCHEME):
        return node(property_), value
    try:
        if property_ in _LINKS and isinstance(value, ox.NamedNode):
            return node(property_), node(value.value)
        if not isinstance(value, ox.Literal):
            return None
        if value.language and literal("", value.language).language is None:
            raise BadRow(f"{value.value[:80]!r} is in no language that there is: {value.language[:20]!r}")
        if property_ in _CODES:
            return node(_CODES[property_]), literal(text(value.value, "code"))
        if property_ in _LABELS:
            return node(property_), literal(text(value.value, "label", 1_000), value.language or "")
        if property_ in _TEXTS:
            return node(property_), literal(text(value.value, "definition", 20_000), value.language or "")
    except BadRow as problem:
        notes.append(str(problem))
    return None


def parse(raw: Raw) -> Iterator[ox.Triple]:
    """The statements of a file. Raises :class:`UnreadableFile` where it is malformed or has a DOCTYPE."""
    format = _FORMATS[raw.kind]
    with raw.open() as stream:
        guarded = io.BufferedReader(_NoEntities(stream, raw.name), 1 << 20) if format is ox.RdfFormat.RDF_XML else stream
        try:
            yield from (quad.triple for quad in ox.parse(guarded, format=format, base_iri="http://example.org/", lenient=format is ox.RdfFormat.RDF_XML))
        except SyntaxError as error:
            where = f":{error.lineno}" if error.lineno else ""
            raise UnreadableFile(f"{raw.name}{where}: {str(error.msg)[:300]}", hint="It may be cut off: fetch it again.") from None


class _NoEntities(io.RawIOBase):
    """XML that is well-formed to its end, without a document type: one that declares entities may grow from a kilobyte to gigabytes."""

    def __init__(self, stream: BinaryIO, name: str):
        self._stream, self._name, self._depth, self._ended = stream, name, 0, False
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._begin, self._end

    def _doctype(self, *_) -> None:
        raise UnreadableFile(f"{self._name} has a DOCTYPE, which may declare entities that expand without end.", hint="The files as published have none. Use Turtle instead.")

    def _begin(self, *_) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnreadableFile(f"{self._name}:{self._parser.CurrentLineNumber}: elements are nested more than {_DEEPEST} deep.")

    def _end(self, _) -> None:
        self._depth -= 1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._stream.read(len(buffer))
        if b"\0" in data:
            raise UnreadableFile(f"{self._name} is not in UTF-8.", hint="RDF/XML in other encodings is not taken.")
        if self._ended:
            return 0
        self._ended = not data
        try:
            self._parser.Parse(data, self._ended)
        except expat.ExpatError as error:  # the parser of RDF takes a file that is cut off for one that is whole
            raise UnreadableFile(f"{self._name}:{error.lineno}: {expat.errors.messages[error.code]}.", hint="It may be cut off: fetch it again.") from None
        except (LookupError, ValueError) as error:  # what Python's codecs say of the encoding that the declaration names
            raise UnreadableFile(f"{self._name} is in an encoding that is not taken: {error}.", hint="Save it in UTF-8.") from None
        buffer[: len(data)] = data
        return len(data)
