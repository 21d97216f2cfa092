"""``/coverage``: what the graph knows of two properties at once, and where it knows nothing."""

import csv
import io
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from .. import spreadsheet
from ..graph import Graph
from ..model import TYPES
from ..namespaces import NUTS
from ..search_facets import FACETS, Facets, UnknownValue
from . import context, headers
from .display import Shown, href_of, question_query
from .facets import Selection
from .language import N_

blueprint = Blueprint("coverage", __name__)

KINDS = ("practice", "policy", "learning-example", "actor")  # what can be counted
MOST_ROWS = 150  # above that rows without anything are left out, unless one country is looked at
SHADES = 5


@dataclass(frozen=True)
class Dimension:
    """A property that rows or columns can be; ``one`` of its values in words. ``param`` is what the query behind calls it."""

    name: str
    label: str
    one: str
    facet: str
    param: str
    level: int | None = None  # of regions

    def values(self, facets: Facets, inside: str) -> list[str]:
        """Every value there is, used or not; of places only those in the one looked at, if one is."""
        found = facets.members("country" if self.name == "country" else self.facet)
        if self.level is not None:
            found = [v for v in found if v.startswith(NUTS) and len(v) == len(NUTS) + 2 + self.level and (not inside or inside in _lineage(v, facets))]
        elif self.name == "country":
            found = [v for v in found if not inside or v == inside or v in _lineage(inside, facets)]
        elif self.name == "principle":
            found = [v for v in found if not facets.parent(v)]
        return found


def _lineage(place: str, facets: Facets) -> list[str]:
    found = [place]
    while (above := facets.parent(found[-1])) and above not in found:
        found.append(above)
    return found


DIMENSIONS = {
    d.name: d
    for d in (
        Dimension("country", N_("Countries"), N_("country"), "region", "place"),
        Dimension("region-1", N_("Regions, NUTS level 1"), N_("region (NUTS 1)"), "region", "place", 1),
        Dimension("region-2", N_("Regions, NUTS level 2"), N_("region (NUTS 2)"), "region", "place", 2),
        Dimension("region-3", N_("Regions, NUTS level 3"), N_("region (NUTS 3)"), "region", "place", 3),
        Dimension("channel", N_("Channels"), N_("channel"), "channel", "channel"),
        Dimension("principle", N_("Principles"), N_("principle"), "principle", "principle"),
        Dimension("actor-kind", N_("Kinds of organisation"), N_("kind of organisation"), "actor-kind", "organisation"),
        Dimension("challenge", N_("Challenges"), N_("challenge"), "challenge", "challenge"),
        Dimension("tool-kind", N_("Kinds of tool"), N_("kind of tool"), "tool-kind", "tool"),
    )
}
# Places are many: they are rows unless somebody wants it otherwise.
PRESETS = (("country", "channel", "practice"), ("country", "principle", "policy"), ("region-2", "channel", "practice"), ("actor-kind", "channel", "practice"))


@dataclass(frozen=True)
class Cell:
    """``count`` things; ``href`` lists them; ``shade`` from 0 for none to 5 for the most of the matrix."""

    count: int
    href: str
    shade: int = 0


@dataclass(frozen=True)
class Line:
    """A row or a column: the value, its code where it has one, and all things that have it."""

    shown: Shown
    code: str
    total: Cell


@dataclass(frozen=True)
class Matrix:
    """``left_out`` rows have nothing in any column. ``total`` things are counted at all, ``with_row`` and ``with_column`` of them have
    any value of the rows' and columns' property, ``with_both`` of both: the denominators."""

    columns: list[Line]
    rows: list[tuple[Line, list[Cell]]]
    left_out: int
    total: Cell
    with_row: int
    with_column: int
    with_both: int
    query: str

    @property
    def cells(self) -> int:
        return len(self.rows) * len(self.columns)

    @property
    def empty(self) -> int:
        return sum(not cell.count for _, cells in self.rows for cell in cells)


@dataclass(frozen=True)
class Asked:
    """What the address asks for; ``notes`` say what of it makes no sense."""

    rows: Dimension
    columns: Dimension
    kind: str
    inside: str
    notes: tuple[str, ...]

    @classmethod
    def of_request(cls, facets: Facets) -> "Asked":
        notes: list[str] = []
        rows = _choice("rows", DIMENSIONS, "country", notes)
        columns = _choice("columns", DIMENSIONS, "channel", notes)
        if DIMENSIONS[rows].facet == DIMENSIONS[columns].facet:
            columns = "country" if rows == "channel" else "channel"
            if "columns" in request.args:
                notes.append(gettext("Rows and columns must be different properties, so other columns were taken."))
        kind = _choice("count", KINDS, "practice", notes)
        inside, typed = "", request.args.get("in", "").strip()
        if typed:
            try:
                inside = facets.find("country", typed)
            except UnknownValue as error:
                notes.append(f"{error.message} {error.hint or ''}".strip())
        return cls(DIMENSIONS[rows], DIMENSIONS[columns], kind, inside, tuple(notes))

    def address(self, path: str = "/coverage", **changes: str) -> str:
        """This matrix at another path, something changed; all of it, so that it can be kept."""
        pairs = {"rows": self.rows.name, "columns": self.columns.name, "count": self.kind, "in": self.inside.rpartition("/")[2]} | changes
        return path + "?" + urlencode({name: value for name, value in pairs.items() if value})


def _choice(name: str, known, default: str, notes: list[str]) -> str:
    value = request.args.get(name, "").strip()
    if value and value not in known:
        notes.append(gettext("“%(value)s” is nothing to choose for “%(name)s”; there are: %(known)s.", value=value[:80], name=name, known=", ".join(known)))
    return value if value in known else default


@blueprint.get("/coverage")
def coverage() -> Response:
    """The matrix as a page."""

    def make() -> str:
        asked = Asked.of_request(context.graph().facets)
        made = matrix(context.graph(), asked, context.language())
        facets, language = context.graph().facets, context.language()
        countries = sorted(((facets.label(c, language)[0], c.rpartition("/")[2]) for c in facets.members("country")), key=lambda c: c[0].casefold())
        return render_template(
            "coverage.html", asked=asked, matrix=made, dimensions=DIMENSIONS.values(), kinds=[TYPES[k] for k in KINDS], kind=TYPES[asked.kind],
            inside=_shown(asked.inside, facets, language) if asked.inside else None, countries=countries,
            presets=[(DIMENSIONS[r], DIMENSIONS[c], TYPES[k]) for r, c, k in PRESETS],
        )  # fmt: skip

    return headers.page(make)


@blueprint.get("/coverage.csv")
def as_csv() -> Response:
    """The matrix as a table: one line a row, one column a column."""

    def make(head: list[str], rows: list[list]) -> bytes:
        into = io.StringIO()
        csv.writer(into).writerows([head, *rows])
        return into.getvalue().encode()

    return _download("csv", "text/csv; charset=utf-8", make)


@blueprint.get("/coverage.xlsx")
def as_spreadsheet() -> Response:
    """The matrix as a spreadsheet."""

    def make(head: list[str], rows: list[list]) -> bytes:
        into = io.BytesIO()
        spreadsheet.write_table(head, rows, into, sheet="Coverage")
        return into.getvalue()

    return _download("xlsx", spreadsheet.XLSX.media_type, make)


def _download(name: str, media_type: str, make: Callable[[list[str], list[list]], bytes]) -> Response:
    def made() -> Response:
        asked = Asked.of_request(context.graph().facets)
        found = matrix(context.graph(), asked, context.language())
        head = [gettext(asked.rows.label), "IRI", gettext("All"), *(column.shown.text for column in found.columns)]
        rows = [[line.shown.text, line.shown.iri, line.total.count, *(cell.count for cell in cells)] for line, cells in found.rows]
        rows.append([gettext("All"), "", found.total.count, *(column.total.count for column in found.columns)])
        response = Response(make(head, rows), content_type=media_type)
        response.headers["Content-Disposition"] = f'attachment; filename="coverage-{asked.rows.name}-{asked.columns.name}.{name}"'
        return response

    return headers.tagged(name, made, context.language())


def matrix(graph: Graph, asked: Asked, language: str) -> Matrix:
    """Count every cell, as a search would."""
    facets = graph.facets
    rows, columns = asked.rows.values(facets, asked.inside), asked.columns.values(facets, asked.inside)
    base = {"type": (asked.kind,), **({"region": (asked.inside,)} if asked.inside else {})}

    # A region of the country looked at takes its place, here and in addresses: it is the narrower of the two.
    def counts(count: Dimension, **where) -> dict[str, int]:
        return graph.search("", where=base | where, count=(count.facet,), limit=1, snippets=False).counts[count.facet]

    def with_any(*sides: tuple[Dimension, list[str]]) -> int:
        return graph.search("", where=base | {side.facet: values for side, values in sides}, limit=1, snippets=False).total

    of_rows, of_columns = counts(asked.rows), counts(asked.columns)
    left_out = 0
    if len(rows) > MOST_ROWS and not asked.inside:
        left_out = sum(not of_rows.get(value) for value in rows)
        rows = [value for value in rows if of_rows.get(value)]
    found = graph.cross(asked.rows.facet, asked.columns.facet, base)
    rows, columns = _ordered(asked.rows, rows, of_rows, facets, language), _ordered(asked.columns, columns, of_columns, facets, language)
    most = max((found.get((r, c), 0) for r in rows for c in columns), default=0)

    whole, anywhere = (Selection(where=where).address("/search") for where in (base, {"type": (asked.kind,)}))

    def cell(n: int, *chosen: str, shade: int = 0) -> Cell:
        start = anywhere if any(choice.startswith("region=") for choice in chosen) else whole
        return Cell(n, "&".join((start, *chosen)) if n else "", shade)

    def line(side: Dimension, value: str, totals: dict[str, int]) -> Line:
        code = value.removeprefix(NUTS) if side.level is not None else facets.code(value) if side.name == "principle" else ""
        return Line(_shown(value, facets, language), code, cell(totals.get(value, 0), _chosen(side, value)))

    def cells(row: str) -> list[Cell]:
        numbers = [found.get((row, column), 0) for column in columns]
        return [cell(n, _chosen(asked.rows, row), choice, shade=_shade(n, most)) for n, choice in zip(numbers, choices)]

    choices = [_chosen(asked.columns, column) for column in columns]
    return Matrix(
        [line(asked.columns, c, of_columns) for c in columns],
        [(line(asked.rows, r, of_rows), cells(r)) for r in rows],
        left_out, cell(with_any()),
        with_any((asked.rows, rows)), with_any((asked.columns, columns)), with_any((asked.rows, rows), (asked.columns, columns)),
        _query(asked, rows, columns),
    )  # fmt: skip


def _chosen(side: Dimension, value: str) -> str:
    """One value as a part of the address of a search."""
    return urlencode({side.facet: FACETS[side.facet].short(value)})


def _shade(n: int, most: int) -> int:
    """By the root, so that few differ too."""
    return math.ceil(SHADES * math.sqrt(n / most)) if most else 0


def _ordered(side: Dimension, values: list[str], totals: dict[str, int], facets: Facets, language: str) -> list[str]:
    """Regions by their codes; principles by their numbers, those of the act with most uptake first; everything else by name."""
    if side.level is not None:
        return values
    if side.name != "principle":
        return sorted(values, key=lambda v: facets.label(v, language)[0].casefold())
    of_act: Counter[str] = Counter()
    for value in values:
        of_act[_act(facets.code(value))] += totals.get(value, 0)
    return sorted(values, key=lambda v: (-of_act[_act(facets.code(v))], _act(facets.code(v)), facets.code(v), v))


def _act(code: str) -> str:
    """The letters that principles of one act begin with.

    >>> _act("GP1"), _act("AM-P2")
    ('GP', 'AM-P')
    """
    return code.rstrip("0123456789.")


def _shown(iri: str, facets: Facets, language: str) -> Shown:
    text, lang = facets.label(iri, language)
    return Shown(text, href_of(iri), lang or None, iri)


def _query(asked: Asked, rows: list[str], columns: list[str]) -> str:
    params = {"type": TYPES[asked.kind].iri, asked.rows.param: rows, f"by{asked.columns.param}": columns}
    return question_query("pages/coverage", **params, **({"inside": [asked.inside]} if asked.inside else {})) if rows and columns else ""
