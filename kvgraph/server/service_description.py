"""What this endpoint can do: SPARQL 1.1 Service Description (W3C Recommendation, 21 March 2013).

Of the features of section 3.2.3 none is claimed: the default graph is not a union of the named ones but a graph of its own, and ``SERVICE`` is
refused. The service has the IRI of its endpoint, because clients look for statements about the address they asked.
"""

from collections.abc import Iterator

import pyoxigraph as ox

from ..build import rdf
from ..build.void import DATASET, GRAPH_OF_VOID, LICENCE, PUBLISHER, TITLE
from ..formats import GRAPHS, RESULTS, Format
from ..graph import Graph
from ..namespaces import BASE, DCAT, DCTERMS, PREFIXES, RDF, RDFS, VOID
from . import context
from .addresses import here, root

SD = "http://www.w3.org/ns/sparql-service-description#"
ENTAILMENT = "http://www.w3.org/ns/entailment/"
FORMATS = "http://www.w3.org/ns/formats/"
NAMED = 100  # graphs that are listed; there are thousands of a dozen statements each
_FORMAT_IRI = {
    "json": "SPARQL_Results_JSON", "xml": "SPARQL_Results_XML", "csv": "SPARQL_Results_CSV", "tsv": "SPARQL_Results_TSV",
    "turtle": "Turtle", "ntriples": "N-Triples", "jsonld": "JSON-LD", "rdfxml": "RDF_XML", "nquads": "N-Quads", "trig": "TriG",
}  # fmt: skip
_PARTITIONS = (VOID + "propertyPartition", VOID + "classPartition")


def describe(endpoint: str, format: Format) -> bytes:
    """The description of the endpoint at that address, in an RDF format."""
    graph = context.graph()
    triples = [*_service(endpoint), *_dataset(endpoint, graph), *_numbers(graph)]
    return ox.serialize(here(dict.fromkeys(triples), root()), format=format.engine, prefixes={**PREFIXES, "sd": SD, "void": VOID})


def _service(endpoint: str) -> Iterator[ox.Triple]:
    """Section 3.1: the service."""
    yield from rdf.describe(
        endpoint,
        (RDF + "type", SD + "Service"),
        (SD + "endpoint", endpoint),
        (SD + "supportedLanguage", SD + "SPARQL11Query"),
        (SD + "resultFormat", [FORMATS + _FORMAT_IRI[f.name] for f in (*RESULTS, *GRAPHS)]),
        (SD + "defaultEntailmentRegime", ENTAILMENT + "Simple"),
        (SD + "defaultDataset", endpoint + "#dataset"),
    )
    # As the catalogue names it.
    yield from rdf.describe(endpoint + "#service", (RDF + "type", DCAT + "DataService"), (DCAT + "endpointURL", endpoint), (RDFS + "isDefinedBy", BASE + "catalog"))


def _dataset(endpoint: str, graph: Graph) -> Iterator[ox.Triple]:
    """Sections 3.2.7 to 3.2.11: the graphs that a query without a dataset of its own is asked of."""
    rows = list(graph.run("pages/graphs", limit=NAMED))
    yield from rdf.describe(
        endpoint + "#dataset",
        (RDF + "type", SD + "Dataset"),
        (DCTERMS + "title", rdf.english(f"{TITLE}, release {graph.release.id}")),
        (DCTERMS + "publisher", PUBLISHER),
        (DCTERMS + "license", LICENCE),
        (DCTERMS + "modified", rdf.typed(graph.release.manifest["built"], "dateTime")),
        (SD + "defaultGraph", DATASET),
        (SD + "namedGraph", [f"{endpoint}#graph-{number}" for number in range(1, len(rows) + 1)]),
        (RDFS + "comment", rdf.english(f"At most the {NAMED} largest named graphs are listed. The default graph is the merge of all, each triple once.")),
    )
    for number, row in enumerate(rows, 1):
        node = f"{endpoint}#graph-{number}"
        yield from rdf.describe(node, (RDF + "type", SD + "NamedGraph"), (SD + "name", row["graph"]), (SD + "graph", node + "-content"))
        yield from rdf.describe(node + "-content", (RDF + "type", SD + "Graph"), (VOID + "triples", row["triples"]))


def _numbers(graph: Graph) -> Iterator[ox.Triple]:
    """Of the VoID description what plans of federated queries are made from: the whole, its properties, its classes."""
    described = list(graph.run("pages/graph", graph=GRAPH_OF_VOID))
    parts = {t.object.value for t in described if t.subject.value == DATASET and t.predicate.value in _PARTITIONS}
    yield from rdf.describe(DATASET, (RDF + "type", SD + "Graph"), (RDFS + "seeAlso", BASE + ".well-known/void"))
    for triple in described:
        if triple.subject.value == DATASET or (triple.subject.value in parts and triple.predicate.value not in _PARTITIONS):
            yield triple
