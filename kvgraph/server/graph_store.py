"""``/data``: the reading half of the SPARQL 1.1 Graph Store HTTP Protocol (W3C Recommendation, 21 March 2013).

Graphs are identified indirectly (section 4.2): ``?graph=<IRI>`` or ``?default``; the name of one of ours leads there (4.1). What changes a graph is
refused with 405 (section 5.1): data change with the next release only.
"""

import re
from urllib.parse import parse_qsl

import pyoxigraph as ox
from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.exceptions import BadRequest, MethodNotAllowed

from .. import queries
from ..formats import JSONLD, NTRIPLES, RDFXML, TURTLE, Format
from ..graph import UnknownThing
from ..namespaces import GRAPH
from . import answers, context, headers

blueprint = Blueprint("graph_store", __name__)

OFFERED = (TURTLE, NTRIPLES, JSONLD, RDFXML)
READING = ("GET", "HEAD", "OPTIONS")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WHICH = "Say which graph: ?graph=IRI for a named graph, or ?default for the merge of all of them."


# The automatic answer to OPTIONS would offer every method that is routed here, those that are refused among them.
@blueprint.route("/data", methods=[*READING, "PUT", "POST", "DELETE", "PATCH"], provide_automatic_options=False)
def graph_store() -> Response:
    """A graph of the release (sections 5.2 and 5.6), or why not."""
    if request.method == "OPTIONS":
        response = Response(status=204)
        response.allow.update(READING)
        return response
    if request.method not in READING:
        raise MethodNotAllowed(READING, "This graph store is read only: its data change with each release.")
    graph = _identified()
    format = context.wanted_format(OFFERED)
    return headers.tagged(format.name, lambda: _content(graph, format))


@blueprint.get("/graph/<path:name>")
def by_name(name: str) -> Response:
    """The name of a named graph, as provenance and VoID give it; redirects to what is in it."""
    return redirect(url_for(".graph_store", graph=GRAPH + name), 303)


def _identified() -> ox.NamedNode | None:
    """The graph that a request names, None for the default graph.

    Raises ``BadRequest`` for none, for two, and for an IRI that is not absolute (section 4.2).
    """
    try:
        fields = parse_qsl(request.query_string.decode(), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise BadRequest("What the address holds is not UTF-8, or has too many fields.") from None
    graphs = [value for name, value in fields if name == "graph"]
    default = any(name == "default" for name, _ in fields)
    if len(graphs) + default != 1:
        raise BadRequest(_WHICH if not graphs else f"More than one graph is named. {_WHICH}")
    if default:
        return None
    try:
        if not _ABSOLUTE.match(graphs[0]):
            raise ValueError
        return ox.NamedNode(graphs[0])
    except ValueError:
        raise BadRequest("The graph must be named by an absolute IRI, percent-encoded where the address needs it.") from None


def _content(graph: ox.NamedNode | None, format: Format) -> Response:
    if graph is not None and not context.graph().run("pages/graph-exists", graph=graph):
        raise UnknownThing(f"This release has no graph {graph}.", hint="The largest are listed by the service description at /sparql; a query with GRAPH ?g finds all.")
    return answers.answer(queries.load("pages/graph").bind(graph=graph), format, request.remote_addr)
