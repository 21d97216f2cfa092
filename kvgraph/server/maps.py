"""Maps as geometry: the small map of a page, and circles that do not cover each other.

Where lines and circles go is computed here; templates draw them (``maps.html``), the style sheet colours them, and the
outlines themselves are a file that browsers keep (``web/bundles/outlines.mjs``).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .display import Shown
from .places import Place, places
from .projection import Box, Inset, picture
from .tables import Table

SHAPE = 4 / 3  # width to height of a small map
NARROWEST = 300  # units: a small map shows at least so much around its country, 1,500 km
DOT = {0: 0.04, 1: 0.07, 2: 0.045, 3: 0.022}  # radius for each level, of the width of the picture: a larger region is a larger circle
SPECK = 0.05  # a country smaller than this, of the width of the picture, gets a circle or it would not be seen


@dataclass(frozen=True)
class Dot:
    """A circle of a small map: ``exact`` where it stands for one town or county, else for a larger region."""

    x: float
    y: float
    r: float
    exact: bool


@dataclass(frozen=True)
class SmallMap:
    """A map that only says where: ``box`` is the part of the picture, ``outlines`` the ids of countries to fill, ``names`` what is shown."""

    box: Box
    outlines: tuple[str, ...]
    dots: tuple[Dot, ...]
    insets: tuple[Inset, ...]
    names: tuple[str, ...]


def small_map(shown: Iterable[Shown]) -> SmallMap | None:
    """A small map of regions and countries, given as they are shown on a page (``iri`` and ``text``); None if none of them can be placed.

        small_map([Shown("Barcelona", iri="http://data.europa.eu/nuts/code/ES511")])

    A country alone is filled and gets no circle: nobody knows where in it.
    """
    known = places()
    found: dict[str, tuple[Place, str]] = {}
    for term in shown:
        place = known.get(term.iri) if term.iri else None
        if place and (place.placed or place.outline):
            found.setdefault(place.iri, (place, term.text))
    if not found:
        return None
    shown_places = [place for place, _ in found.values()]
    countries = {place.outline for place in shown_places if place.outline}
    regions = [place for place in shown_places if place.level > 0 and place.placed]
    insets = tuple({i.name: i for place in regions if (i := picture().inset_of(place.x, place.y))}.values())
    boxes = [picture().countries[code].box for code in countries] + [Box(p.x, p.y, 0, 0) for p in shown_places if p.placed]
    box = picture().frame if insets else _view(boxes)
    specks = [p for p in shown_places if p.level == 0 and p.placed and p.outline and _widest(picture().countries[p.outline].box) < SPECK * box.width]
    dots = sorted((_dot(place, box.width) for place in (*regions, *specks)), key=lambda dot: -dot.r)  # what is small lies on top
    return SmallMap(box, tuple(sorted(countries)), tuple(dots), insets, tuple(name for _, name in found.values()))


def _dot(place: Place, width: float) -> Dot:
    exact = place.level == 3 or picture().inset_of(place.x, place.y) is not None
    return Dot(round(place.x, 1), round(place.y, 1), round(DOT[3 if exact else place.level] * width, 1), exact)


def _widest(box: Box) -> float:
    return max(box.width, box.height)


def _view(boxes: Sequence[Box]) -> Box:
    """The part of the picture that shows all of these with something around them, in the shape of a small map."""
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.x + b.width for b in boxes), max(b.y + b.height for b in boxes)
    return fitted(Box(left, top, right - left, bottom - top).around(30), SHAPE, NARROWEST)


def fitted(box: Box, shape: float, narrowest: float) -> Box:
    """The smallest part of the picture of that shape (width to height) that holds a box, never narrower than ``narrowest``.

    It stays inside the frame: a map of Malta shows no sea south of the picture. What is too large for that shape is the whole picture.
    """
    frame = picture().frame
    width = max(box.width, box.height * shape, narrowest)
    if width > frame.width or width / shape > frame.height:
        return frame
    height = width / shape
    x, y = box.centre[0] - width / 2, box.centre[1] - height / 2
    x, y = min(max(x, 0), frame.width - width), min(max(y, 0), frame.height - height)
    return Box(round(x, 1), round(y, 1), round(width, 1), round(height, 1))


# ── Circles ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ONE = 8.0  # radius of the circle for one thing, where there is room
LARGEST = 46.0
SMALLEST = 3.5  # what could not be seen is drawn larger than it should be; the legend says so
CROWDED = 0.16  # of the picture that circles may cover: where there are more things, each counts for less
ROUNDS, LEAST_ROUNDS = 40, 16
PUSHES = 400_000  # of pairs in all rounds together, about a tenth of a second: crowded maps get fewer rounds
APART = 1.0  # between two circles


def radii(counts: Sequence[int], screen: float = 960) -> list[float]:
    """Radii of circles whose area is as the counts, for a picture so wide on the screen.

    >>> radii([1, 4])
    [8.0, 16.0]
    """
    one = _one(counts, screen)
    return [_radius(one, count) for count in counts]


def _one(counts: Sequence[int], screen: float) -> float:
    """The radius of the circle for one thing, where these are to be shown together."""
    crowd = math.sqrt(CROWDED * 960 * 960 / (math.pi * (sum(counts) or 1)))
    return math.sqrt(screen / 960) * min(ONE, LARGEST / math.sqrt(max(counts, default=1) or 1), crowd)


def _radius(one: float, count: int) -> float:
    return max(SMALLEST, one * math.sqrt(count))


def spread(points: Sequence[tuple[float, float]], sizes: Sequence[float], gap: float = APART) -> list[tuple[float, float]]:
    """Circles moved so that they cover each other as little as may be, each still near its place.

    Two that overlap push each other away, the smaller one farther; what has been pushed leans back. Equal input gives equal output.

    >>> a, b = spread([(0, 0), (1, 0)], [8, 8])
    >>> b[0] - a[0] > 14
    True
    """
    return list(_spread(tuple(points), tuple(sizes), gap))


@lru_cache(maxsize=32)  # the same picture in another language, order or address
def _spread(points: tuple[tuple[float, float], ...], sizes: tuple[float, ...], gap: float) -> list[tuple[float, float]]:
    if len(points) < 2:
        return list(points)
    home, r = np.array(points, dtype=float), np.array(sizes, dtype=float)
    first, second = _near(home, r, gap)
    if not len(first):
        return list(points)
    # Circles in the very same place have no direction to go: each gets one of its own, a golden angle from the last.
    angle = np.arange(len(home)) * 2.399963
    home_x, home_y = home[:, 0], home[:, 1]
    x, y = home_x + np.cos(angle) * 0.01, home_y + np.sin(angle) * 0.01
    share = r[second] ** 2 / (r[first] ** 2 + r[second] ** 2)
    least = r[first] + r[second] + gap
    rounds = max(LEAST_ROUNDS, min(ROUNDS, PUSHES // len(first)))
    for turn in range(rounds):
        across, down = x[second] - x[first], y[second] - y[first]
        square = across**2 + down**2
        touch = np.flatnonzero(square < least**2)  # of all pairs that could, few do
        distance = np.maximum(np.sqrt(square[touch]), 1e-6)
        push = (least[touch] - distance) / distance * 0.7
        back, forth = push * share[touch], push * (1 - share[touch])
        a, b = first[touch], second[touch]
        for at, step in ((x, across[touch]), (y, down[touch])):
            at += np.bincount(b, step * forth, len(at)) - np.bincount(a, step * back, len(at))
        if turn < rounds - 8:  # towards the end they only make room
            x += (home_x - x) * 0.06
            y += (home_y - y) * 0.06
    return list(zip(x.round(2).tolist(), y.round(2).tolist()))


def _near(home: np.ndarray, r: np.ndarray, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of circles that could ever touch: those that do now, and a little farther."""
    # From west to east each has only those to look at that follow within the farthest reach: all pairs of a thousand would be many.
    order = np.argsort(home[:, 0], kind="stable")
    x, y, r = home[order, 0], home[order, 1], r[order]
    more = gap + 3 * float(np.median(r))
    ends = np.searchsorted(x, x + r + float(r.max()) + more, side="right")
    follow = ends - np.arange(len(x)) - 1
    first = np.repeat(np.arange(len(x)), follow)
    second = np.arange(len(first)) - np.repeat(np.cumsum(follow) - follow, follow) + first + 1
    near = (x[second] - x[first]) ** 2 + (y[second] - y[first]) ** 2 < (r[first] + r[second] + more) ** 2
    return order[first[near]], order[second[near]]


class Bubble(NamedTuple):
    """A circle with a number. ``x`` and ``y`` are where there was room for it, ``home`` where the place is; ``href`` leads to what was counted.

    ``roomy``: the number fits into it.
    """

    shown: Shown
    place: Place
    count: int
    x: float
    y: float
    r: float
    href: str = ""
    roomy: bool = False

    @property
    def number(self) -> str:
        return f"{self.count:,}"

    @property
    def home(self) -> tuple[float, float]:
        return round(self.place.x, 1), round(self.place.y, 1)

    @property
    def moved(self) -> bool:
        """Whether it had to leave its place so far that a line should lead back."""
        return math.hypot(self.x - self.place.x, self.y - self.place.y) > self.r


@dataclass(frozen=True)
class BubbleMap:
    """Numbers at places. ``unit`` is how much of the picture is one unit of the screen: what circles and letters are measured in."""

    box: Box
    unit: float
    bubbles: tuple[Bubble, ...]
    legend: tuple[tuple[int, float], ...]  # numbers and the radii of their circles, in units of the screen

    @property
    def near(self) -> bool:
        """Whether the finer outlines are needed."""
        return self.box.width < 0.6 * picture().frame.width

    @property
    def insets(self) -> tuple[Inset, ...]:
        return picture().insets


def bubble_map(counted: Iterable[tuple[Place, Shown, int, str]], box: Box | None = None, screen: float = 960) -> BubbleMap:
    """Circles for counted places (place, its name, how many, where the circle leads), largest first, for a picture ``screen`` units wide.

    Places that have no point, or lie outside the picture, get none: whoever calls says how many those are.
    """
    box = box or picture().frame
    unit = box.width / screen
    shown = sorted((c for c in counted if c[2] > 0 and c[0].placed and box.holds(c[0].x, c[0].y)), key=lambda c: (-c[2], c[0].iri))
    numbers = [count for _, _, count, _ in shown]
    sizes = [round(r * unit, 2) for r in radii(numbers, screen)]
    at = np.array(spread([(place.x, place.y) for place, *_ in shown], sizes, APART * unit)).reshape(-1, 2)
    xs, ys = _within(at[:, 0], sizes, box.x, box.width), _within(at[:, 1], sizes, box.y, box.height)
    bubbles = tuple(
        Bubble(name, place, count, x, y, r, href, 2 * r / unit > 4 + 7.3 * len(f"{count:,}"))
        for (place, name, count, href), x, y, r in zip(shown, xs, ys, sizes)
    )
    return BubbleMap(box, unit, bubbles, _legend(numbers, screen))


def _within(at: np.ndarray, sizes: Sequence[float], start: float, length: float) -> list[float]:
    """Middles of circles along one side of the picture, moved so that none leaves it."""
    r = np.array(sizes)
    return np.maximum(np.minimum(at, start + length - r), start + r).round(2).tolist()


def of_answer(table: Table) -> BubbleMap | None:
    """The map of an answer: its first column of places against its last column of numbers; None if it has not both."""
    number = next((i for i in reversed(range(len(table.columns))) if table.columns[i].numeric), None)
    name = next((i for i in range(len(table.columns)) if i != number), None)
    if number is None or name is None:
        return None
    known = places()
    counted = []
    for row in table.rows:
        place = known.get(row[name].iri) if row[name].iri else None
        if place and row[number].text.isdigit():
            counted.append((place, row[name], int(row[number].text), ""))
    return bubble_map(counted) if any(place.placed for place, *_ in counted) else None


def _legend(numbers: Sequence[int], screen: float) -> tuple[tuple[int, float], ...]:
    """One, the largest number rounded, and something between."""
    most = max(numbers, default=0)
    if not most:
        return ()
    size = 10 ** (len(str(most)) - 1)
    steps = sorted({1, most // size * size, max(1, most // size * size // 4)})
    one = _one(numbers, screen)
    return tuple((number, round(_radius(one, number), 1)) for number in steps)
