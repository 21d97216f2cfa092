"""Where the regions and countries of a release are in the picture of the map, and what lies in what."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..namespaces import COUNTRY
from ..results import to_python
from . import context
from .projection import Box, picture, point_of

LEVELS = (0, 1, 2, 3)  # countries, and the three levels of NUTS
SMALLEST = 24  # units: the least that a picture of one region shows, 120 km


@dataclass(frozen=True)
class Place:
    """A region, or a country. ``x`` and ``y`` are where it is in the picture; None if nothing says that."""

    iri: str
    level: int
    parent: str | None = None
    country: str | None = None  # the IRI of the country
    x: float | None = None
    y: float | None = None

    @property
    def placed(self) -> bool:
        """Whether it can be shown: it has a point, and the picture goes that far."""
        return self.x is not None and picture().frame.holds(self.x, self.y)

    @property
    def outline(self) -> str | None:
        """The id of the outline of its country."""
        code = (self.country or "").removeprefix(COUNTRY)
        return code if code in picture().countries else None


class Places:
    """The places of one release. Countries take the place of the regions of level 0, which are the same once more."""

    def __init__(self, rows: Iterable[tuple]):
        self._places: dict[str, Place] = {}
        self._inside: dict[str, list[str]] = defaultdict(list)
        self._national: dict[str, str] = {}  # region of level 0 → country
        found = [tuple(map(to_python, row)) for row in rows]
        for region, level, _, country, point in found:
            if level == 0 and country:
                self._national[region] = country
                self._add(Place(country, 0, None, country, *self._xy(point)))
        for code, country in picture().countries.items():
            if COUNTRY + code not in self._places:  # the United Kingdom has no regions in NUTS 2024
                self._add(Place(COUNTRY + code, 0, None, COUNTRY + code, *picture().project(*country.point)))
        for region, level, broader, country, point in found:
            if level in LEVELS[1:]:
                self._add(Place(region, level, self._national.get(broader, broader), country, *self._xy(point)))

    def _xy(self, wkt: object) -> tuple[float | None, float | None]:
        point = point_of(wkt) if isinstance(wkt, str) else None
        return picture().project(*point) if point else (None, None)

    def _add(self, place: Place) -> None:
        if place.iri not in self._places:  # a second row is a second value of something that has one
            self._places[place.iri] = place
            if place.parent:
                self._inside[place.parent].append(place.iri)

    def get(self, iri: str) -> Place | None:
        """The place of that IRI; a region of level 0 is its country."""
        return self._places.get(self._national.get(iri, iri))

    def of_level(self, level: int) -> list[Place]:
        return [place for place in self._places.values() if place.level == level]

    def inside(self, iri: str) -> Iterator[Place]:
        """Everything that lies in a place, at all levels."""
        waiting, seen = list(self._inside.get(iri, ())), {iri}
        while waiting:
            inner = waiting.pop()
            if inner not in seen:
                seen.add(inner)
                yield self._places[inner]
                waiting += self._inside.get(inner, ())

    def above(self, iri: str) -> list[Place]:
        """The place itself and what it lies in, the country first."""
        chain: list[Place] = []
        place = self.get(iri)
        while place and place not in chain:
            chain.append(place)
            place = self.get(place.parent) if place.parent else None
        return chain[::-1]

    def box(self, place: Place) -> Box:
        """The part of the picture that shows a place: the outline of a country, the points inside a region."""
        inset = picture().inset_of(place.x, place.y) if place.placed else None
        if inset:
            return inset.box
        if place.level == 0 and place.outline:
            return picture().countries[place.outline].box
        points = [(p.x, p.y) for p in (place, *self.inside(place.iri)) if p.placed and not picture().inset_of(p.x, p.y)]
        if not points:
            return picture().frame
        xs, ys = zip(*points)
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)).around(SMALLEST / 2)


def places() -> Places:
    """The places of the release that this request is answered from; read once per release."""
    return _places(context.graph().release.id)


@lru_cache(maxsize=4)
def _places(release: str) -> Places:
    return Places(context.graph().run("pages/places").terms)
