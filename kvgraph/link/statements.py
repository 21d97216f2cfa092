"""Mappings as RDF: the links themselves, and beside each of them why it holds, in the terms of SSSOM."""

import hashlib
from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from ..namespaces import DCTERMS, GRAPH, ID, KV, OWL, PROV, RDF, RDFS, SSSOM, XSD
from .mappings import CURATION, Mapping, full

LINKS = GRAPH + "links"  # how links came about
SOURCE = ID + "source/links"
CURATORS = ID + "actor/kvgraph-curators"
PAGE = "https://w3id.org/kvgraph/docs/linking"


def mapping_iri(mapping: Mapping) -> str:
    """The address of a mapping: the same for the same two things."""
    return f"{LINKS}/{hashlib.sha256(' '.join(mapping.pair).encode()).hexdigest()[:16]}"


def quads(mappings: Iterable[Mapping], date: str) -> Iterator[ox.Quad]:
    """Links in graphs by basis (found by a program: derived; decided by a person: classified), mappings and the description of both.

    ``date`` (ISO 8601) is when they were found or decided.
    """
    counts = {"derived": 0, "classified": 0}
    for mapping in mappings:
        basis = "classified" if mapping.mapping_justification == CURATION else "derived"
        if not mapping.predicate_modifier:
            counts[basis] += 1
            yield _quad(mapping.subject_id, full(mapping.predicate_id), mapping.object_id, f"{LINKS}/{basis}")
        yield from _mapping(mapping)
    yield from _description(counts, date)


def _mapping(mapping: Mapping) -> Iterator[ox.Quad]:
    iri = mapping_iri(mapping)
    values = {
        RDF + "type": SSSOM + "Mapping",
        OWL + "annotatedSource": mapping.subject_id,
        OWL + "annotatedProperty": full(mapping.predicate_id),
        OWL + "annotatedTarget": mapping.object_id,
        SSSOM + "mapping_justification": full(mapping.mapping_justification),
    }
    for property_, value in values.items():
        yield _quad(iri, property_, value, LINKS)
    texts = ("subject_label", "object_label", "object_source", "predicate_modifier", "mapping_tool", "comment", "other")
    for slot in texts:
        if value := getattr(mapping, slot):
            yield ox.Quad(ox.NamedNode(iri), ox.NamedNode(SSSOM + slot), ox.Literal(value), ox.NamedNode(LINKS))
    if mapping.confidence is not None:
        confidence = ox.Literal(f"{mapping.confidence:.4f}", datatype=ox.NamedNode(XSD + "decimal"))
        yield ox.Quad(ox.NamedNode(iri), ox.NamedNode(SSSOM + "confidence"), confidence, ox.NamedNode(LINKS))
    if mapping.mapping_date:
        day = ox.Literal(mapping.mapping_date, datatype=ox.NamedNode(XSD + "date"))
        yield ox.Quad(ox.NamedNode(iri), ox.NamedNode(SSSOM + "mapping_date"), day, ox.NamedNode(LINKS))


def _description(counts: dict[str, int], date: str) -> Iterator[ox.Quad]:
    """The graphs that hold links, as every graph of statements is described; their source is in data/sources.ttl."""
    day = ox.Literal(date, datatype=ox.NamedNode(XSD + "date"))
    said: list[tuple] = []
    comments = {"derived": "Found by comparing; how sure each is stands in the mappings.", "classified": "Decided by a curator."}
    for basis, count in counts.items():
        if count:
            graph = f"{LINKS}/{basis}"
            said += [
                (graph, RDF + "type", PROV + "Entity"), (graph, KV + "basis", f"{ID}basis/{basis}"), (graph, DCTERMS + "source", PAGE),
                (graph, KV + "seenOn", day), (graph, KV + "sourceKind", ID + "source-kind/official"), (graph, PROV + "wasAttributedTo", CURATORS),
                (graph, DCTERMS + "isPartOf", SOURCE), (graph, RDFS + "comment", ox.Literal(comments[basis], language="en")),
            ]  # fmt: skip
    for subject, property_, value in said:
        value = ox.NamedNode(value) if isinstance(value, str) else value
        yield ox.Quad(ox.NamedNode(subject), ox.NamedNode(property_), value, ox.NamedNode(f"{LINKS}/about"))


def _quad(subject: str, property_: str, value: str, graph: str) -> ox.Quad:
    return ox.Quad(ox.NamedNode(subject), ox.NamedNode(property_), ox.NamedNode(value), ox.NamedNode(graph))
