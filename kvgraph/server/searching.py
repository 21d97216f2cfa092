"""Search: words and facets together, as a page, as files, and suggestions while typing."""

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request

from ..graph import Graph
from ..model import TYPES
from ..search import FACETS, Hit, SearchResult
from ..search_facets import Facets, is_level_0
from ..search_index import fold
from . import context, headers
from .display import Shown, href_of
from .facets import SHOWN, SORTS, Selection, panel

blueprint = Blueprint("searching", __name__)

PATH = "/search"
SUGGESTIONS = 8
LONGEST_PREFIX = 100  # characters of what somebody is typing
NAMED_PLACES = 3  # of a line; of the others it says how many they are
PLACES = {"region", "country"}
MAPPED = {"practice", "actor", "learning-example", "policy"}  # what /map shows
OFFERS = 6  # ways out of an empty result


@dataclass(frozen=True)
class Line:
    """A thing in the list: its name, and what tells it from the others. ``more`` are places that are not named."""

    shown: Shown
    type: str
    kind: str
    places: tuple[Shown, ...]
    more: int
    by: tuple[Shown, ...]
    works: int
    year: str
    snippet: list[tuple[str, bool]]


def line_of(hit: Hit, facets: Facets, language: str) -> Line:
    """A hit ready for a page, names in the reader's language."""
    text, lang = facets.label(hit.iri, language) if hit.iri in facets else (hit.label, hit.lang)
    places = [place for place in hit.regions if not is_level_0(place)]
    named = [Shown(*_label(facets, iri, language)) for iri in [*places[:NAMED_PLACES], *hit.countries[:NAMED_PLACES]]]
    if hit.town and hit.town not in (place.text for place in named):
        named.insert(0, Shown(hit.town))
    kind = facets.label(hit.kinds[0], language)[0] if hit.kinds else TYPES[hit.type].label
    return Line(
        Shown(text, href_of(hit.iri), lang or None, hit.iri), hit.type, kind, tuple(named), sum(max(0, len(some) - NAMED_PLACES) for some in (places, hit.countries)),
        tuple(Shown(name, href_of(iri), tag or None, iri) for iri, name, tag in hit.by), hit.works, hit.year, hit.snippet.parts,
    )  # fmt: skip


def _label(facets: Facets, iri: str, language: str) -> tuple[str, None, str | None]:
    text, lang = facets.label(iri, language)
    return text, None, lang or None


@blueprint.get("/search")
def search() -> Response:
    """Things by their words and their properties; with ``go`` the page of the one place that is called so."""
    if "go" in request.args and (href := href_of(context.graph().facets.place(request.args.get("q", "")))):
        return redirect(href, 303)

    def make() -> str:
        graph, size = context.graph(), current_app.config["SEARCH_ROWS"]
        selection = Selection.of(request.args)
        result = selection.search(graph, limit=size, offset=(selection.page - 1) * size, count=SHOWN)
        facets, language = graph.facets, context.language()
        return render_template(
            "search.html", selection=selection, result=result, lines=[line_of(hit, facets, language) for hit in result.hits],
            mapped=set(selection.where.get("type", MAPPED)) & MAPPED, groups=panel(selection, result.counts, PATH),
            heading=_only_type(selection), sorts=[sort for sort in SORTS if sort != "newest" or result.counts.get("year")], path=PATH,
            pages=-(-result.total // size), first=(selection.page - 1) * size + 1, places=_only_places(selection),
            guessed=_only_places(selection) and _guessed(selection.text, result, facets), offers=[] if result.total else _offers(selection, graph),
        )  # fmt: skip

    return headers.page(make)


def _only_type(selection: Selection):
    """The kind of thing, where the list is all there are of it."""
    types = selection.where.get("type", ())
    return TYPES[types[0]] if len(types) == 1 and len(selection.where) == 1 and not selection.text else None


def _only_places(selection: Selection) -> bool:
    return bool(selection.text) and bool(selection.where.get("type")) and PLACES.issuperset(selection.where["type"])


def _guessed(text: str, result: SearchResult, facets: Facets) -> bool:
    """Whether no place found has any of the words in any language: then another spelling was looked for."""
    words = fold(text).split()
    return bool(result.hits) and not any(word in fold(name) for hit in result.hits for name in (hit.label, *facets.names(hit.iri)) for word in words)


@dataclass(frozen=True)
class Offer:
    """A way out of an empty result: what to leave out, where that leads, and how much is there."""

    facet: str
    text: str
    lang: str
    href: str
    count: int


def _offers(selection: Selection, graph: Graph) -> list[Offer]:
    """Which single facet to drop so that there is something."""
    language, found = context.language(), []
    for name, values in list(selection.where.items())[:OFFERS]:
        others = {other: chosen for other, chosen in selection.where.items() if other != name}
        count = graph.search(selection.text, where=others, limit=1, snippets=False).total
        if count:
            text, lang = graph.facets.label(values[0], language)
            more = f" + {len(values) - 1}" if len(values) > 1 else ""
            found.append(Offer(FACETS[name].label, text + more, lang, selection.address(PATH, **{name: []}), count))
    return found


@blueprint.get("/suggest")
def suggest() -> Response:
    """Things whose names begin with what somebody is typing, as JSON."""
    types = [name for part in request.args.getlist("type") for name in part.split(",") if name in TYPES]

    def make() -> Response:
        graph, language = context.graph(), context.language()
        text = request.args.get("q", "").strip()[:LONGEST_PREFIX]
        hits = graph.suggest(text, types=types or None, limit=SUGGESTIONS) if text else []
        return jsonify([_suggestion(line_of(hit, graph.facets, language)) for hit in hits])

    return headers.tagged("json", make, context.language(), keep=True)


def _suggestion(line: Line) -> dict[str, str]:
    place = ", ".join(place.text for place in line.places)
    shown = line.shown
    return {
        "iri": shown.iri or "", "label": shown.text, "lang": shown.lang or "", "type": line.type, "kind": line.kind, "place": place, "href": shown.href or "",
    }  # fmt: skip
