"""``/map``: how many of the things chosen there are in each country or region, as circles over Europe and as a table.

Without a script every step is a link: levels, zooming in and out, moving into a region. ``map.js`` moves the same picture
smoothly and asks this page again for what belongs to the new one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple
from urllib.parse import quote_plus

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict

from .. import spreadsheet
from ..formats import CSV, HTML, JSON, Format
from ..graph import Graph, Rows
from ..model import TYPES
from ..namespaces import XSD
from ..search import FACETS as ALL_FACETS
from ..search import Facets, SearchResult, UnknownValue
from . import context, headers
from .display import Shown, href_of, question_query
from .facets import SHOWN, Selection, panel
from .maps import BubbleMap, bubble_map, fitted
from .places import LEVELS, Place, places
from .projection import Box, picture

blueprint = Blueprint("map", __name__)

KINDS = ("practice", "actor", "learning-example", "policy")  # what stands somewhere
FACETS = tuple(name for name in SHOWN if name != "type")
REGION = ALL_FACETS["region"]
FINER = (1.7, 3.4, 7.5)  # so many times closer than all of Europe a finer level follows
CLOSEST = 24.0
LISTED = 250  # places of the table, those with most; a link leads to all
SCREEN = (280.0, 960.0)  # widths that a script may say the picture has
FORMATS = (HTML, CSV, spreadsheet.XLSX, JSON)


@dataclass(frozen=True)
class MapSelection(Selection):
    """A selection of things of one ``kind``, and the part of Europe that is looked at.

    That is a place (``at``), or a centre and how close (``view``); ``nuts`` fixes the level of the regions.
    """

    kind: str = KINDS[0]
    nuts: str = ""
    at: str = ""
    view: str = ""

    @classmethod
    def of(cls, args: MultiDict, facets: Facets | None = None) -> "MapSelection":
        found = Selection.of(args, facets)
        where = dict(found.where)
        kind = next((name for name in where.pop("type", ()) if name in KINDS), KINDS[0])
        nuts = args.get("nuts", "")
        nuts = nuts if nuts in tuple(map(str, LEVELS)) else ""
        return cls(found.text, where, found.order, 1, found.unknown, kind, nuts, args.get("at", "").strip()[:200], args.get("view", "")[:60])

    def pairs(self, **changes: object) -> list[tuple[str, str]]:
        return super().pairs(**({"type": self.kind, "nuts": self.nuts, "at": self.at, "view": self.view} | changes))

    def search(self, graph: Graph, **options) -> SearchResult:
        where = {**options.pop("where", self.where), "type": (self.kind,)}
        return super().search(graph, where=where, limit=1, snippets=False, **options)

    def query_at(self, level: int) -> str | None:
        """The address of the query behind the numbers of a level; None with words, which SPARQL does not know."""
        if self.text:
            return None
        values = {name.replace("-", "_"): list(chosen) for name, chosen in self.where.items()}
        return question_query("pages/map", type=[TYPES[self.kind].iri], nuts=level, **values)


@blueprint.get("/map")
def map_() -> Response:
    """Practices, organisations, learning examples or policies by place."""
    format = context.wanted_format(FORMATS)
    if format is HTML:
        return headers.page(lambda: render_template("map.html", **_page()))
    return headers.tagged(format.name, lambda: _download(format), context.language())


@dataclass(frozen=True)
class Looked:
    """The part of the picture that is looked at, at which level, and the place it was chosen by."""

    box: Box
    level: int
    place: Place | None = None
    lost: bool = False  # the address names a place that there is none of

    @property
    def closeness(self) -> float:
        return picture().frame.width / self.box.width

    def moved(self, closer: float = 1.0, x: float = 0.0, y: float = 0.0) -> str:
        """The ``view`` of an address after zooming or moving by parts of what is seen; empty for all of Europe."""
        close = min(max(self.closeness * closer, 1.0), CLOSEST)
        centre = self.box.centre
        return "" if close == 1.0 else f"{centre[0] + x * self.box.width:.1f},{centre[1] + y * self.box.height:.1f},{close:.2f}"


def _looked(selection: MapSelection) -> Looked:
    known, frame = places(), picture().frame
    shape = frame.width / frame.height
    at = _place(selection.at) if selection.at else None
    box = _viewed(selection.view)
    if box is None and at:
        box = known.box(at)
    elif box is None and selection.where.get("region") and not selection.at:
        boxes = [known.box(place) for value in selection.where["region"] if (place := known.get(value))]
        box = _around(boxes) if boxes else None
    box = fitted(box.around(0.06 * box.width), shape, frame.width / CLOSEST) if box else frame
    close = frame.width / box.width
    level = int(selection.nuts) if selection.nuts else sum(close >= step for step in FINER)
    if at and not selection.nuts:
        level = min(max(level, at.level + 1), LEVELS[-1])  # what is inside of it
    return Looked(box, level, at, bool(selection.at) and at is None)


def _place(text: str) -> Place | None:
    facets = context.graph().facets
    try:
        return places().get(facets.find("region", text))
    except UnknownValue:
        return None


def _viewed(text: str) -> Box | None:
    """The box that ``x,y,closeness`` means, None if it means nothing."""
    try:
        x, y, close = (float(part) for part in text.split(","))
    except ValueError:
        return None
    frame = picture().frame
    if not (0 <= x <= frame.width and 0 <= y <= frame.height and 1 <= close <= CLOSEST * 1.2):
        return None
    # A little less than asked for: it is given a margin like every other box.
    width, height = frame.width / close / 1.12, frame.height / close / 1.12
    return Box(x - width / 2, y - height / 2, width, height)


def _around(boxes: list[Box]) -> Box:
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    return Box(left, top, max(b.x + b.width for b in boxes) - left, max(b.y + b.height for b in boxes) - top)


class Row(NamedTuple):
    """A line of the table: a place, its number, the list of what was counted there, and the picture of what lies inside."""

    shown: Shown
    place: Place
    count: int
    href: str
    inside: str


def _rows(selection: MapSelection, level: int, counts: Mapping[str, int]) -> list[Row]:
    """Places of a level with something in them, most first; only those inside of what the selection names."""
    known, release, language = places(), context.graph().release.id, context.language()
    wanted = set(selection.where.get("region", ())) | set(selection.where.get("country", ()))
    rows = []
    # Both have a query already, for they name the kind: one field more each is cheaper than a thousand whole addresses.
    search, map_ = selection.address("/search", region=[], nuts="", at="", view=""), selection.address("/map", at="", view="", nuts="")
    for place, shown, named in _named_places(release, level, language):
        count = counts.get(place.iri, 0)
        if count and (not wanted or wanted & {above.iri for above in known.above(place.iri)}):
            rows.append(Row(shown, place, count, f"{search}&region={named}", f"{map_}&at={named}" if level < LEVELS[-1] else ""))
    return sorted(rows, key=lambda row: -row.count)


@lru_cache(maxsize=64)
def _named_places(release: str, level: int, language: str) -> list[tuple[Place, Shown, str]]:
    """The places of a level by the names that a reader sees, in their order, each with what stands for it in an address: the same for every map of a release."""
    facets = context.graph().facets
    found = []
    for place in places().of_level(level):
        name, lang = facets.label(place.iri, language)
        found.append((place, Shown(name, href_of(place.iri), lang or None, place.iri), quote_plus(REGION.short(place.iri))))
    return sorted(found, key=lambda each: (each[1].text.casefold(), each[0].iri))


def _page() -> dict:
    selection = MapSelection.of(request.args)
    looked = _looked(selection)
    graph = context.graph()
    result = selection.search(graph, count=(*FACETS, "type"))
    rows = _rows(selection, looked.level, result.counts["region"])
    screen = request.args.get("screen", default=SCREEN[1], type=float)
    drawn = _drawn(rows, looked, min(max(screen, SCREEN[0]), SCREEN[1]) if screen == screen else SCREEN[1])
    seen = {bubble.place.iri for bubble in drawn.bubbles}
    listed = [row for row in rows if row.place.iri in seen]
    first = len(listed) if request.args.get("rows") == "all" else LISTED
    total, inside = result.total, rows
    if looked.place:  # then what is said is about this place
        total = result.counts["region"].get(looked.place.iri, 0)
        inside = [row for row in rows if looked.place in places().above(row.place.iri)]
    placed = selection.search(graph, where={**selection.where, "region": [row.place.iri for row in inside]}).total if inside else 0
    return {
        "selection": selection, "groups": panel(selection, {name: result.counts[name] for name in FACETS}, "/map"), "kind": TYPES[selection.kind], "total": total, "drawn": drawn,
        "kinds": [(TYPES[name], result.counts["type"].get(name, 0), selection.address("/map", type=[name])) for name in KINDS],
        "looked": looked, "rows": listed[:first], "more": len(listed[first:]), "elsewhere": len(rows) - len(seen),
        "unplaced": total - placed, "trail": _trail(selection, looked), "relaxed": result.relaxed,
        "query": selection.query_at(looked.level), "levels": LEVELS, "wider": _wider(selection, looked),
    }  # fmt: skip


def _drawn(rows: list[Row], looked: Looked, screen: float) -> BubbleMap:
    return bubble_map([(row.place, row.shown, row.count, row.href) for row in rows], looked.box, screen)


def _trail(selection: MapSelection, looked: Looked) -> list[tuple[str, Shown]]:
    """The places around the one looked at, each with the address of its own picture."""
    facets, language = context.graph().facets, context.language()
    above = places().above(looked.place.iri) if looked.place else []
    return [(selection.address("/map", at=p.iri, view="", nuts=""), Shown(*_named(facets.label(p.iri, language)), iri=p.iri)) for p in above]


def _named(label: tuple[str, str]) -> tuple[str, None, str | None]:
    return label[0], None, label[1] or None


def _wider(selection: MapSelection, looked: Looked) -> dict[str, str]:
    """The addresses of the picture after one step of zooming or moving."""
    steps = {"in": (2.0, 0, 0), "out": (0.5, 0, 0), "west": (1.0, -0.4, 0), "east": (1.0, 0.4, 0), "north": (1.0, 0, -0.4), "south": (1.0, 0, 0.4)}
    return {name: selection.address("/map", view=looked.moved(*step), at="") for name, step in steps.items()}


def _download(format: Format) -> Response:
    """Every place of the level, those outside of the picture too."""
    selection = MapSelection.of(request.args)
    level = _looked(selection).level
    rows = _rows(selection, level, selection.search(context.graph(), count=("region",)).counts["region"])
    answer = _answer(rows)
    if format is spreadsheet.XLSX:
        file = BytesIO()
        spreadsheet.write(ox.parse_query_results(answer, format=ox.QueryResultsFormat.JSON), file)
        body: str | bytes = file.getvalue()
    else:
        body = Rows(answer).csv() if format is CSV else answer
    response = Response(body, content_type=format.content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="map-{selection.kind}-{level}{format.suffix}"'
    return response


def _answer(rows: list[Row]) -> bytes:
    """The table as SPARQL 1.1 Query Results JSON, from which every other format is written."""
    integer = XSD + "integer"
    bindings = [
        {
            "place": {"type": "uri", "value": row.place.iri},
            "name": {"type": "literal", "value": row.shown.text} | ({"xml:lang": row.shown.lang} if row.shown.lang else {}),
            "level": {"type": "literal", "datatype": integer, "value": str(row.place.level)},
            "things": {"type": "literal", "datatype": integer, "value": str(row.count)},
        }
        for row in rows
    ]
    return json.dumps({"head": {"vars": ["place", "name", "level", "things"]}, "results": {"bindings": bindings}}, ensure_ascii=False).encode()
