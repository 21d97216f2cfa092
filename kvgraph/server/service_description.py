"""What this endpoint can do, in the SPARQL 1.1 Service Description vocabulary."""

import pyoxigraph as ox

from ..formats import GRAPHS, RESULTS, Format
from ..namespaces import PREFIXES, RDF

SD = "http://www.w3.org/ns/sparql-service-description#"
FORMATS = "http://www.w3.org/ns/formats/"
_FORMAT_IRI = {
    "json": "SPARQL_Results_JSON", "xml": "SPARQL_Results_XML", "csv": "SPARQL_Results_CSV", "tsv": "SPARQL_Results_TSV",
    "turtle": "Turtle", "ntriples": "N-Triples", "jsonld": "JSON-LD", "rdfxml": "RDF_XML", "nquads": "N-Quads", "trig": "TriG",
}  # fmt: skip


def describe(endpoint: str, format: Format) -> bytes:
    """The description of the endpoint at that address, in an RDF format."""
    return ox.serialize(_triples(endpoint), format=format.engine, prefixes={**PREFIXES, "sd": SD})


def _triples(endpoint: str) -> list[ox.Triple]:
    service, dataset, default = (ox.NamedNode(endpoint + part) for part in ("#service", "#dataset", "#default-graph"))
    rdf_type = ox.NamedNode(RDF + "type")

    def sd(name: str) -> ox.NamedNode:
        return ox.NamedNode(SD + name)

    return [
        ox.Triple(service, rdf_type, sd("Service")),
        ox.Triple(service, sd("endpoint"), ox.NamedNode(endpoint)),
        ox.Triple(service, sd("supportedLanguage"), sd("SPARQL11Query")),
        *(ox.Triple(service, sd("resultFormat"), ox.NamedNode(FORMATS + _FORMAT_IRI[f.name])) for f in (*RESULTS, *GRAPHS)),
        ox.Triple(service, sd("defaultDataset"), dataset),
        ox.Triple(dataset, rdf_type, sd("Dataset")),
        ox.Triple(dataset, sd("defaultGraph"), default),
        ox.Triple(default, rdf_type, sd("Graph")),
    ]
