"""A search to take away: as a table, as RDF, and as a feed that tells of what is new in it."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request

from .. import spreadsheet
from ..errors import KvgraphError
from ..formats import CSV, GRAPHS, Format
from ..graph import Graph, Triples
from ..model import TYPES, path_of
from ..search import FACETS, Hit
from . import addresses, context, headers
from .facets import Selection
from .searching import PATH, line_of

blueprint = Blueprint("feeds", __name__)

ATOM = "application/atom+xml"
ENTRIES = 50  # of a feed
MOST_ROWS = 200_000  # of a table
MOST_THINGS = 5000  # of an export as RDF, a dozen statements each; the dumps have no limit
AT_ONCE = 200  # things described by one query
COLUMNS = ("thing", "title", "kind", "regions", "countries", "by", "year", "description", "page")
# What XML 1.0 cannot hold, however it is written.
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NotThere(KvgraphError):
    """The address asks for a value that the release does not have: a list without it would be another list."""


class TooMany(KvgraphError):
    """More things than an export of this kind holds."""


def _selection() -> Selection:
    """What is asked for; unlike a page, data is not about something else than was asked. Raises :class:`NotThere`."""
    selection = Selection.of(request.args)
    if selection.unknown:
        unknown = selection.unknown[0]
        raise NotThere(f"{FACETS[unknown.facet].label}: there is no “{unknown.text}” in this release.", unknown.hint)
    return selection


def _named(response: Response, suffix: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="kvgraph-search{suffix}"'
    return response


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/search.csv")
def table() -> Response:
    """Everything found, as CSV."""
    return headers.tagged("csv", _csv, context.language())


def _csv() -> Response:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(_selection()))
    return _named(Response(out.getvalue(), content_type=CSV.content_type), CSV.suffix)


@blueprint.get("/search.xlsx")
def sheet() -> Response:
    """Everything found, as a spreadsheet."""
    return headers.tagged("xlsx", _xlsx, context.language())


def _xlsx() -> Response:
    file = io.BytesIO()
    spreadsheet.write_rows(COLUMNS, _rows(_selection()), file)
    return _named(Response(file.getvalue(), content_type=spreadsheet.XLSX.content_type), spreadsheet.XLSX.suffix)


def _rows(selection: Selection) -> Iterator[list[str | int]]:
    graph, language, root = context.graph(), context.language(), addresses.root().rstrip("/")
    result = selection.search(graph, limit=MOST_ROWS)
    if result.total > MOST_ROWS:
        raise TooMany(f"A table of a search holds {MOST_ROWS:,} things, and this finds {result.total:,}.", "Narrow it down, or take the dumps.")
    for hit in result.hits:
        line = line_of(hit, graph.facets, language)
        regions = [graph.facets.label(place, language)[0] for place in hit.regions]
        countries = [graph.facets.label(place, language)[0] for place in hit.countries]
        page = path_of(hit.iri)
        yield [
            hit.iri, line.shown.text, TYPES[hit.type].label, "; ".join(regions), "; ".join(countries), "; ".join(name for _, name, _ in hit.by),
            int(hit.year) if hit.year else "", hit.snippet.text, root + page if page else "",
        ]  # fmt: skip


# ── RDF ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rdf(format: Format) -> Response:
    graph = context.graph()
    result = _selection().search(graph, limit=MOST_THINGS, snippets=False)
    if result.total > MOST_THINGS:
        raise TooMany(
            f"This finds {result.total:,} things; the description of {MOST_THINGS:,} is the most that is given as RDF at once.",
            "Narrow it down, or take everything from /dumps/.",
        )
    triples = Triples(_described(graph, [hit.iri for hit in result.hits]))
    return _named(Response(triples.serialize(format.name), content_type=format.content_type), format.suffix)


def _described(graph: Graph, things: list[str]) -> Iterator:
    for start in range(0, len(things), AT_ONCE):
        yield from graph.run("pages/descriptions", things=things[start : start + AT_ONCE])


def _register_rdf(format: Format) -> None:
    view = lambda: headers.tagged(format.name, lambda: _rdf(format))  # noqa: E731
    blueprint.add_url_rule(f"/search{format.suffix}", format.name, view)


for _format in GRAPHS[:4]:
    _register_rdf(_format)


# ── Feed ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Entry:
    """A thing of the feed: ``authors`` are named for its description, ``by`` lead it; ``updated`` is when its page was last seen (RFC 3339)."""

    iri: str
    href: str
    title: str
    lang: str
    kind: str
    authors: list[str]
    by: list[str]
    summary: str
    updated: str


@blueprint.get("/search.atom")
def feed() -> Response:
    """What was recorded last among the things found (RFC 4287)."""
    return headers.tagged("atom", _atom, context.language(), keep=True)


def _atom() -> Response:
    graph, language, root = context.graph(), context.language(), addresses.root()
    selection = _selection()
    result = selection.search(graph, limit=ENTRIES, order="recorded")
    built = graph.release.manifest["built"]
    authors: dict[str, list[str]] = {}
    for row in graph.run("pages/credits", things=[hit.iri for hit in result.hits]) if result.hits else ():
        authors.setdefault(row["thing"], []).append(row["credit"])
    entries = [_entry(hit, line_of(hit, graph.facets, language), root, built, authors.get(hit.iri, [])) for hit in result.hits]
    named = [(FACETS[name].label, [graph.facets.label(value, language)[0] for value in values]) for name, values in selection.where.items()]
    text = render_template(
        "search.atom.xml", selection=selection, named=named, entries=entries, root=root.rstrip("/"), path=PATH,
        updated=max((entry.updated for entry in entries), default=built),
    )  # fmt: skip
    return Response(_NO_XML.sub("\ufffd", text), content_type=f"{ATOM}; charset=utf-8")


def _entry(hit: Hit, line, root: str, built: str, authors: list[str]) -> Entry:
    # A month is all that is recorded. The day of the release would make every entry new with every release.
    updated = f"{hit.seen}-01T00:00:00Z" if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", hit.seen) else built
    page = root.rstrip("/") + line.shown.href if line.shown.href and not line.shown.external else hit.iri
    return Entry(hit.iri, page, line.shown.text, line.shown.lang or "", line.kind, authors, [by.text for by in line.by], hit.snippet.text, updated)
