"""Things and the documents about them: ``/id/<type>/<slug>`` names, ``/doc/<type>/<slug>`` describes."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext

from .. import event_stream, queries
from ..formats import HTML, JSONLD, NTRIPLES, RDFXML, TURTLE, Format
from ..graph import UnknownThing
from ..model import iri_of, path_of
from ..params import BadParameter
from ..releases import is_kept
from . import context, headers, regions, schema_org, uptake
from .citation import Citation
from .display import sentence
from .entity_view import EntityView, view
from .pinned import PINNED

blueprint = Blueprint("entities", __name__)


class Gone(UnknownThing):
    """An earlier release says something about this IRI. ``instead``: links to where it stands."""

    status = 410

    def __init__(self, iri: str, release: str, instead: list[dict]):
        self.instead = instead
        super().__init__(f"<{iri}> was here until release {release}.", hint=None if instead else "That release is not kept any more.")


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
    if now := context.graph().release.manifest.get("replaced", {}).get(iri):  # renamed or merged: old links go on to work
        return redirect(_local(now) + (format.suffix if format else ""), 301)
    if format is None:
        format = context.wanted_format(OFFERED)
    try:
        response = _page(iri) if format is HTML else headers.tagged(format.name, lambda: _rdf(iri, format), keep=True)
    except UnknownThing:
        if path_of(iri, imported=False) or not path_of(iri):
            _require_never_there(iri)
            raise
        return redirect(quote(iri, safe=":/#?%"), 303)  # not imported into this release: the thing itself is elsewhere
    for other in OFFERED[1:]:
        address = quote(path_of(iri) + other.suffix, safe="/%")
        response.headers.add("Link", f'<{address}>; rel="alternate"; type="{other.media_type}"')
    response.headers.add("Link", f'<{quote(path_of(iri) + TURTLE.suffix, safe="/%")}>; rel="describedby"; type="{TURTLE.media_type}"')
    response.headers.add("Link", f'<{quote(iri, safe=":/#?%")}>; rel="describes"')
    if PINNED not in request.environ:  # which have their own
        response.headers.add("Link", f'<{_canonical(iri)}>; rel="canonical"')
    return response


def _local(iri: str) -> str:
    """The path of the document about a thing of ours. Raises :class:`~kvgraph.graph.UnknownThing` for what has none."""
    path = path_of(iri)
    if path is None:
        raise _unknown(iri)
    return quote(path, safe="/%")


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
        thing, template, more = _view(iri)
        trail = [(f"/search?type={thing.type.name}", sentence(gettext(thing.type.plural)))] if thing.type else []
        trail += [(above.href, above.text) for above in thing.ancestors]
        canonical = _canonical(iri)
        kind = thing.type.label if thing.type else ""
        return render_template(
            template, **more, thing=thing, imported=_import_of(iri), trail=trail, canonical=canonical, schema_org=schema_org.about(thing, canonical),
            citation=Citation.of(context.graph().release, request.host_url, iri, thing.name, kind),
            cite=quote(path_of(iri, under="cite"), safe="/%"), table="/questions/sources-of-statements?" + urlencode({"thing": iri}),
        )  # fmt: skip

    return headers.page(make)


def _import_of(iri: str) -> dict | None:
    """What came in with a source that was imported, and what was set aside; None for other things."""
    return next((found for found in context.graph().release.manifest.get("imports", {}).values() if found["iri"] == iri), None)


def _view(iri: str) -> tuple[EntityView, str, dict[str, Any]]:
    """What the page shows, its template, and what only that template needs."""
    graph, language = context.graph(), context.language()
    try:
        if regions.is_place(iri) and (place := regions.of_place(graph, view(graph, iri, language, around=False), language)):
            return place[0], "region.html", {"place": place[1]}
        thing = view(graph, iri, language)
    except BadParameter:
        raise _unknown(iri) from None
    if thing.type and thing.type.name == "principle":
        return replace(thing, groups=[]), "principle.html", {"uptake": uptake.uptake(graph, iri, language)}  # which says what leads to it
    return thing, "entity.html", {}


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


def _require_never_there(iri: str) -> None:
    """Raises :class:`Gone` for what the current release leaves out and one before it had: links to it were not mistaken."""
    release = context.graph().release
    if PINNED in request.environ or not (last := event_stream.deleted(release.home).get(iri)):
        return
    there = [{"href": f"/release/{last}{_local(iri)}", "title": gettext("As release %(id)s has it", id=last)}]
    raise Gone(iri, last, there if is_kept(release.home, last) else [])


def _unknown(iri: str) -> UnknownThing:
    return UnknownThing(f"Nothing is known here about <{iri}>.", hint="Search for its name.")
