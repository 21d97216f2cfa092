"""``/.well-known/void`` and ``/.well-known/sparql-examples``: what is in the graph, where clients look for it.

The first address is registered with IANA (VoID, section 7.2), the second is a convention of the SIB. Both answer with a named graph of the
release, as this instance offers it: its endpoint, its dumps, its date.
"""

import pyoxigraph as ox
from flask import Blueprint, Response

from ..build.examples import EXAMPLES
from ..build.rdf import describe, english, typed
from ..build.void import DATASET, GRAPH_OF_VOID
from ..formats import JSONLD, NTRIPLES, RDFXML, TURTLE, Format
from ..namespaces import BASE, DCTERMS, FOAF, PREFIXES, RDF, SH, VOID, VOID_EXT
from . import context, headers
from .addresses import here, root

blueprint = Blueprint("well_known", __name__)

OFFERED = (TURTLE, JSONLD, NTRIPLES, RDFXML)
VOID_PREFIXES = {**PREFIXES, "void": VOID, "void-ext": VOID_EXT, "sh": SH}


@blueprint.get("/.well-known/void")
def void() -> Response:
    """The VoID description of the release."""
    return _graph(GRAPH_OF_VOID, _about)


@blueprint.get("/.well-known/sparql-examples")
def examples() -> Response:
    """The questions as SHACL SPARQL executables."""
    return _graph(EXAMPLES, list)


def _graph(name: str, more) -> Response:
    format = context.wanted_format(OFFERED)
    return headers.tagged(format.name, lambda: _rdf([*context.graph().run("pages/graph", graph=name), *more()], format))


def _about() -> list[ox.Triple]:
    """What changes with each release and is therefore not part of it, so that equal content stays equal."""
    release = context.graph().release
    built = release.manifest["built"]
    description = BASE + ".well-known/void"
    return [
        *describe(
            description, (RDF + "type", VOID + "DatasetDescription"), (FOAF + "primaryTopic", DATASET),
            (DCTERMS + "title", english(f"What is in kvgraph, release {release.id}")), (DCTERMS + "modified", typed(built, "dateTime")),
        ),
        *describe(DATASET, (DCTERMS + "modified", typed(built[:10], "date")), (VOID + "inDataset", description)),
    ]  # fmt: skip


def _rdf(triples: list[ox.Triple], format: Format) -> Response:
    data = ox.serialize(here(triples, root()), format=format.engine, prefixes=VOID_PREFIXES)
    return Response(data, content_type=format.content_type)
