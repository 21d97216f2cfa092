"""``/changes``: the event stream (Linked Data Event Streams 1.0, TREE), and the same as a page for people.

The root lists the pages, with the times between which their members lie; it changes with each release. The pages never change.
"""

from collections.abc import Iterator

import pyoxigraph as ox
from flask import Blueprint, Response, render_template

from .. import event_stream
from ..event_stream import CREATE, DELETE, STREAM, UPDATE, Event, Log
from ..formats import HTML, JSONLD, NQUADS, TRIG, TURTLE, Format
from ..graph import UnknownThing
from ..namespaces import BASE, DCTERMS, PREFIXES, PROV, RDF, XSD
from . import addresses, context, headers
from .pinned import FOREVER

blueprint = Blueprint("event_stream", __name__)

LDES, TREE = "https://w3id.org/ldes#", "https://w3id.org/tree#"
STREAM_PREFIXES = {**PREFIXES, "ldes": LDES, "tree": TREE, "as": event_stream.ACTIVITY}
OF_ROOT = (HTML, TRIG, TURTLE, NQUADS, JSONLD)
OF_PAGE = (TRIG, NQUADS, JSONLD)  # what can hold each member in a graph of its own
SHOWN = 50  # events on the page for people
POLLING = 60  # seconds: how often a follower may look


@blueprint.get("/changes")
def root() -> Response:
    """The stream: what it holds, where its pages are, when to look again; for people what changed when."""
    log, format = event_stream.read_log(_home()), context.wanted_format(OF_ROOT)
    if format is HTML:
        html = render_template("event_stream.html", events=log.events[::-1][:SHOWN], total=len(log.events), pages=len(log.pages), polling=POLLING)
        return _tagged(Response(html, mimetype="text/html"), "no-cache")
    return _written(_root(log), format, f"public, max-age={POLLING}")


@blueprint.get("/changes/<int:page>")
def page(page: int) -> Response:
    """A page of the stream: members in the order of their time."""
    event = event_stream.read_log(_home()).pages.get(page)
    if event is None:
        raise UnknownThing(f"The event stream has no page {page}.", hint="Its pages are listed at /changes.")
    return _written(_page(page, event), context.wanted_format(OF_PAGE), FOREVER)


def _home():
    return context.graph().release.home


def _written(quads: Iterator[ox.Quad], format: Format, freshness: str) -> Response:
    here = _here(quads, addresses.root())
    content = here if format is not TURTLE else (quad.triple for quad in here)
    prefixes = None if format is NQUADS else STREAM_PREFIXES
    response = Response(ox.serialize(content, format=format.engine, prefixes=prefixes), content_type=format.content_type)
    return _tagged(response, freshness)


def _here(quads: Iterator[ox.Quad], root: str) -> Iterator[ox.Quad]:
    """The stream, its pages and members under the address of this instance; what the members say stays as the release says it."""
    names: dict = {}  # of the graphs: each is that of many statements
    for quad in quads:
        graph = quad.graph_name
        if isinstance(graph, ox.DefaultGraph):
            yield from addresses.here([quad], root)
        else:
            if graph not in names:
                names[graph] = addresses.here_of(graph, root)
            yield ox.Quad(*quad.triple, names[graph])


def _tagged(response: Response, freshness: str) -> Response:
    """Under a tag that follows from what it says: a release that changed nothing here makes nobody read it again."""
    response.add_etag()
    tagged = headers.under("-".join(filter(None, (response.get_etag()[0], headers.coding()))), lambda: response)
    tagged.headers["Cache-Control"] = freshness
    return tagged


def _quad(subject: str, property_: str, value: str | ox.Literal) -> ox.Quad:
    return ox.Quad(ox.NamedNode(subject), ox.NamedNode(property_), ox.NamedNode(value) if isinstance(value, str) else value)


def _time(at: str) -> ox.Literal:
    return ox.Literal(at, datatype=ox.NamedNode(XSD + "dateTime"))


def _root(log: Log) -> Iterator[ox.Quad]:
    about = (
        (RDF + "type", LDES + "EventStream"),
        (DCTERMS + "title", ox.Literal("Event stream of kvgraph", language="en")),
        (DCTERMS + "description", ox.Literal("Every version of every thing of kvgraph. The last version of each together are the current release.", language="en")),
        (DCTERMS + "license", "https://creativecommons.org/licenses/by/4.0/"),
        (LDES + "timestampPath", PROV + "generatedAtTime"),
        (LDES + "versionOfPath", DCTERMS + "isVersionOf"),
        *((f"{LDES}version{kind}Path", RDF + "type") for kind in ("Create", "Update", "Delete")),
        (LDES + "versionCreateObject", CREATE),
        (LDES + "versionUpdateObject", UPDATE),
        (LDES + "versionDeleteObject", DELETE),
        (LDES + "pollingInterval", ox.Literal(POLLING)),
        (TREE + "view", STREAM),
    )
    yield from (_quad(STREAM, *said) for said in about)
    yield _quad(STREAM, RDF + "type", TREE + "Node")
    yield from _retention(log)
    for number, event in log.pages.items():
        page = f"{STREAM}/{number}"
        # All members of a page have one time.
        for sign in ("GreaterThanOrEqualTo", "LessThanOrEqualTo"):
            relation = f"{STREAM}#page-{number}-{sign}"
            yield _quad(STREAM, TREE + "relation", relation)
            yield _quad(relation, RDF + "type", f"{TREE}{sign}Relation")
            yield _quad(relation, TREE + "node", page)
            yield _quad(relation, TREE + "path", PROV + "generatedAtTime")
            yield _quad(relation, TREE + "value", _time(event.at))


def _retention(log: Log) -> Iterator[ox.Quad]:
    """Everything since the first event is kept."""
    if log.events:
        policy = STREAM + "#retention"
        yield _quad(STREAM, LDES + "retentionPolicy", policy)
        yield _quad(policy, RDF + "type", LDES + "RetentionPolicy")
        yield _quad(policy, LDES + "startingFrom", _time(log.events[0].at))


def _page(number: int, event: Event) -> Iterator[ox.Quad]:
    page = f"{STREAM}/{number}"
    yield _quad(page, RDF + "type", TREE + "Node")
    yield _quad(STREAM, TREE + "view", STREAM)
    yield _quad(page, PROV + "wasDerivedFrom", f"{BASE}release/{event.release}")
    yield from event_stream.read_page(_home(), number)
