"""Who takes up a principle: the policies, practices and learning examples that answer to it, and the finer points under it."""

from dataclasses import dataclass

from ..graph import Graph
from .display import Shown, href_of
from .facets import Selection
from .searching import Line, line_of

KINDS = ("policy", "practice", "learning-example")
FEW = 12  # things of a kind that are listed; the search has all of them
MOST_COUNTRIES = 40


@dataclass(frozen=True)
class Listing:
    """The first things of a kind, how many there are, and in which countries how many of them are."""

    kind: str
    total: int
    selection: Selection
    lines: list[Line]
    countries: list[tuple[Shown, int, str]]  # with the address of those


@dataclass(frozen=True)
class Point:
    """A finer point with its numbers, one for each of ``KINDS``, and where each leads."""

    shown: Shown
    code: str
    numbers: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Uptake:
    listings: list[Listing]
    points: list[Point]

    @property
    def total(self) -> int:
        return sum(listing.total for listing in self.listings)


def uptake(graph: Graph, iri: str, language: str) -> Uptake:
    """Who takes up a principle or something under it, counted as a search counts: through policies and lessons too."""
    facets, listings, counts = graph.facets, [], []

    def shown(value: str) -> Shown:
        text, lang = facets.label(value, language)
        return Shown(text, href_of(value), lang or None, value)

    for kind in KINDS:
        selection = Selection(where={"type": (kind,), "principle": (iri,)})
        result = selection.search(graph, limit=FEW, count=("principle", "country"), snippets=False)
        countries = sorted(result.counts["country"].items(), key=lambda item: (-item[1], facets.label(item[0], language)[0]))[:MOST_COUNTRIES]
        places = [(shown(country), count, selection.address("/search", region=[country])) for country, count in countries]
        listings.append(Listing(kind, result.total, selection, [line_of(hit, facets, language) for hit in result.hits], places))
        counts.append(result.counts["principle"])
    points = [
        Point(shown(point), facets.code(point), tuple((some.get(point, 0), _address(kind, point)) for kind, some in zip(KINDS, counts)))
        for point in facets.members("principle")
        if facets.parent(point) == iri
    ]
    return Uptake(listings, points)


def _address(kind: str, principle: str) -> str:
    return Selection(where={"type": (kind,), "principle": (principle,)}).address("/search")
