"""Things and the documents about them: ``/id/<type>/<slug>`` names, ``/doc/<type>/<slug>`` describes."""

from urllib.parse import quote

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for

from .. import queries
from ..formats import HTML, JSONLD, NTRIPLES, RDFXML, TURTLE, Format
from ..graph import UnknownThing
from ..model import iri_of, path_of
from ..params import BadParameter
from . import context, headers, schema_org
from .display import sentence
from .entity_view import view
from .pinned import PINNED

blueprint = Blueprint("entities", __name__)

OFFERED = (HTML, TURTLE, JSONLD, NTRIPLES, RDFXML)
SUFFIXES = {f.suffix: f for f in OFFERED[1:]}


@blueprint.get("/id/<path:path>")
def thing(path: str) -> Response:
    """A thing is not a document: see other."""
    response = redirect(url_for(".document", path=path, **request.args), 303)
    response.headers.add("Link", f'<{quote(url_for(".document", path=path), safe="/%")}>; rel="describedby"')
    return response


@blueprint.get("/doc/<path:path>")
def document(path: str) -> Response:
    """What is known of a thing, as a page or as RDF."""
    name, format = _split(path)
    iri = iri_of(quote(name, safe="/"))
    if format is None:
        format = context.wanted_format(OFFERED)
    response = _page(iri) if format is HTML else headers.tagged(format.name, lambda: _rdf(iri, format), keep=True)
    for other in OFFERED[1:]:
        address = quote(path_of(iri) + other.suffix, safe="/%")
        response.headers.add("Link", f'<{address}>; rel="alternate"; type="{other.media_type}"')
    response.headers.add("Link", f'<{quote(path_of(iri) + TURTLE.suffix, safe="/%")}>; rel="describedby"; type="{TURTLE.media_type}"')
    response.headers.add("Link", f'<{quote(iri, safe=":/#?%")}>; rel="describes"')
    if PINNED not in request.environ:  # which have their own
        response.headers.add("Link", f'<{_canonical(iri)}>; rel="canonical"')
    return response


def _canonical(iri: str) -> str:
    """The one address of the document about a thing, whatever way led to it (RFC 6596)."""
    return request.host_url.rstrip("/") + quote(path_of(iri), safe="/%")


def _split(path: str) -> tuple[str, Format | None]:
    for suffix, format in SUFFIXES.items():
        if path.endswith(suffix) and len(path) > len(suffix):
            return path[: -len(suffix)], format
    return path, None


def _page(iri: str) -> Response:
    def make() -> str:
        thing = _view(iri)
        trail = [(f"/search?type={thing.type.name}", sentence(thing.type.plural))] if thing.type else []
        trail += [(above.href, above.text) for above in thing.ancestors]
        canonical = _canonical(iri)
        return render_template("entity.html", thing=thing, trail=trail, canonical=canonical, schema_org=schema_org.about(thing, canonical))

    return headers.page(make)


def _view(iri: str):
    try:
        return view(context.graph(), iri, context.language(), current_app.config["INCOMING_ROWS"])
    except BadParameter:
        raise _unknown(iri) from None


def _rdf(iri: str, format: Format) -> Response:
    graph = context.graph()
    try:
        known = graph.run("pages/exists", iri=iri)
    except BadParameter:
        known = False
    if not known:
        raise _unknown(iri)
    # Through Triples and not as the engine's own bytes: sorted, with prefixes, the same bytes each time.
    triples = graph.query(queries.load("pages/describe").bind(iri=iri))
    return Response(triples.serialize(format.name), content_type=format.content_type)


def _unknown(iri: str) -> UnknownThing:
    return UnknownThing(f"Nothing is known here about <{iri}>.", hint="Search for its name.")
