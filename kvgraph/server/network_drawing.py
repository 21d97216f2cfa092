"""A network as an SVG draws it: what is seen of it, how large its marks are, which names have room."""

from collections import defaultdict
from dataclasses import dataclass
from math import floor

from ..connection_network import NetworkOf, Spot
from ..model import ENTITY_TYPES, EntityType
from . import marks

PAGE = (800, 620)  # pixels that a drawing has on a wide screen
FEW = 12  # up to so many things asked for are drawn large
LETTERS = 22  # of a line of a name


def shown_ties(found: NetworkOf) -> list[int]:
    """How many ties each thing has within the network."""
    degree = [0] * len(found.spots)
    for tie in found.ties:
        degree[tie.source] += 1
        degree[tie.target] += 1
    return degree


@dataclass(frozen=True)
class Drawing:
    """A network as SVG draws it: ``box`` is x, y, width and height of what is seen, ``named`` the things that have room for a name.

    ``unit`` is how large what should look like one pixel is drawn, where the whole is as wide as a page.
    """

    network: NetworkOf
    box: tuple[int, int, int, int]
    unit: float
    named: frozenset[int]
    large: frozenset[int]

    @classmethod
    def of(cls, found: NetworkOf) -> "Drawing":
        xs, ys, degree = [s.x for s in found.spots], [s.y for s in found.spots], shown_ties(found)
        unit = max(0.7, (max(xs) - min(xs)) / (PAGE[0] - 150), (max(ys) - min(ys)) / (PAGE[1] - 90))
        box = (min(xs) - 75 * unit, min(ys) - 25 * unit, max(xs) - min(xs) + 150 * unit, max(ys) - min(ys) + 70 * unit)
        asked = [i for i, spot in enumerate(found.spots) if spot.part == "asked"]
        large = frozenset(i for i, spot in enumerate(found.spots) if spot.part == "opened" or (spot.part and len(asked) <= FEW))
        order = sorted(range(len(degree)), key=lambda i: (i not in large, -degree[i], i))
        return cls(found, tuple(round(x) for x in box), round(unit, 3), _with_room(found.spots, order, large, unit), large)

    @property
    def types(self) -> list[EntityType]:
        return [t for t in ENTITY_TYPES if any(spot.node.type == t.name for spot in self.network.spots)]


def _with_room(spots: list[Spot], order: list[int], large: frozenset[int], unit: float) -> frozenset[int]:
    """Of the things in this order those whose names do not run into the name, or the mark, of another; large ones always have theirs."""
    width, height = 80 * unit, 40 * unit  # of a cell: what could meet stands in the same one
    taken: dict[tuple[int, int], list[tuple[float, ...]]] = defaultdict(list)
    named = set()

    def cells(box: tuple[float, ...]) -> list[tuple[int, int]]:
        columns, rows = range(floor(box[0] / width), floor(box[2] / width) + 1), range(floor(box[1] / height), floor(box[3] / height) + 1)
        return [(column, row) for column in columns for row in rows]

    def take(box: tuple[float, ...]) -> None:
        for cell in cells(box):
            taken[cell].append(box)

    for s in spots:
        take((s.x - 7 * unit, s.y - 7 * unit, s.x + 7 * unit, s.y + 7 * unit))
    for i in order:
        text, s = marks.lines(spots[i].node.label, LETTERS), spots[i]
        half = (max(map(len, text), default=0) * 3.3 + 3) * unit
        box = (s.x - half, s.y + 8 * unit, s.x + half, s.y + (10 + 14 * len(text)) * unit)
        if i in large or not any(box[0] < c and a < box[2] and box[1] < d and b < box[3] for cell in cells(box) for a, b, c, d in taken[cell]):
            take(box)
            named.add(i)
    return frozenset(named)
