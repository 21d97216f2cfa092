"""A drawing of paths from one thing to another: columns from left to right, as few crossings as a few sweeps can make.

Numbers only: which nodes there are and which paths lead through them. ``web/templates/connections.html`` draws what comes out.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

COLUMN, ROW, MARGIN, THIN = 104.0, 56.0, 54.0, 18.0  # THIN: the room of a line that passes a column
SWEEPS = 8


@dataclass(frozen=True)
class Spot:
    """A node in the drawing, and which of the paths lead through it."""

    key: Hashable
    column: int
    x: float
    y: float
    paths: tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """A tie in the drawing: its two ends, which of the paths use it, and its course as SVG writes it."""

    ends: tuple[Hashable, Hashable]
    paths: tuple[int, ...]
    course: str


@dataclass(frozen=True)
class Layered:
    spots: list[Spot]
    lines: list[Line]
    width: float
    height: float
    columns: int


def layered(paths: Sequence[Sequence[Hashable]]) -> Layered:
    """The drawing of paths that all begin at one node and end at one other; each has two nodes at least.

    >>> drawing = layered([["A", "x", "B"], ["A", "y", "B"]])
    >>> [(spot.key, spot.column) for spot in drawing.spots], len(drawing.lines)
    ([('A', 0), ('x', 1), ('y', 1), ('B', 2)], 4)
    """
    columns = _columns(paths)
    through = {key: tuple(n for n, path in enumerate(paths) if key in path) for key in columns}
    last = max(columns.values())
    users: dict[tuple, list[int]] = {}
    for number, path in enumerate(paths):
        for step in pairwise(path):
            step = step if columns[step[0]] <= columns[step[1]] else step[::-1]
            users.setdefault(step, []).append(number)
    chains = {step: _chain(step, columns) for step in users}
    rows = _rows(columns, chains, last)
    height = {key: ROW if key in columns else THIN for row in rows for key in row}
    y = _heights(rows, chains, height)
    spots = [Spot(key, column, MARGIN + column * COLUMN, y[key], through[key]) for row in rows for key in row if (column := columns.get(key)) is not None]
    x = {key: MARGIN + number * COLUMN for number, row in enumerate(rows) for key in row}
    lines = [Line(step, tuple(dict.fromkeys(users[step])), _course([(x[key], y[key]) for key in chain])) for step, chain in chains.items()]
    return Layered(spots, lines, 2 * MARGIN + last * COLUMN, max(spot.y for spot in spots) + ROW * 0.75, last + 1)


def _columns(paths: Sequence[Sequence[Hashable]]) -> dict[Hashable, int]:
    """The column of each node: how far along its paths it is on average."""
    last = max(len(path) for path in paths) - 1
    places: dict[Hashable, list[float]] = {}
    for path in paths:
        for i, key in enumerate(path):
            places.setdefault(key, []).append(i * last / (len(path) - 1))
    ends = {paths[0][0]: 0, paths[0][-1]: last}
    return {key: ends.get(key, min(max(round(sum(found) / len(found)), 1), last - 1)) for key, found in places.items()}


def _chain(step: tuple, columns: dict[Hashable, int]) -> list[Hashable]:
    """The two ends of a tie, and a place of its own in every column it passes."""
    low, high = columns[step[0]], columns[step[1]]
    return [step[0], *((step, column) for column in range(low + 1, high)), step[1]]


def _rows(columns: dict, chains: dict, last: int) -> list[list]:
    """What stands in each column, from top to bottom: sweeps to the right and to the left put everything near what it is tied to."""
    rows: list[list] = [[] for _ in range(last + 1)]
    for key, column in columns.items():
        rows[column].append(key)
    for step, chain in chains.items():
        for number, key in enumerate(chain[1:-1], columns[step[0]] + 1):
            rows[number].append(key)
    before, after = _ties(chains)
    for sweep in range(SWEEPS):
        place = {key: i / max(len(row) - 1, 1) for row in rows for i, key in enumerate(row)}
        near = before if sweep % 2 == 0 else after
        for row in rows if sweep % 2 == 0 else reversed(rows):
            row.sort(key=lambda key: sum(place[n] for n in near[key]) / len(near[key]) if near.get(key) else place[key])
            place.update((key, i / max(len(row) - 1, 1)) for i, key in enumerate(row))
    return rows


def _ties(chains: dict) -> tuple[dict, dict]:
    before: dict[Hashable, list] = {}
    after: dict[Hashable, list] = {}
    for chain in chains.values():
        for a, b in pairwise(chain):
            before.setdefault(b, []).append(a)
            after.setdefault(a, []).append(b)
    return before, after


def _heights(rows: list[list], chains: dict, height: dict) -> dict[Hashable, float]:
    """How far down everything is: near what it is tied to, and not on top of its neighbours in the column."""
    before, after = _ties(chains)
    y: dict[Hashable, float] = {}
    tallest = max(sum(height[key] for key in row) for row in rows)
    for row in rows:
        top = (tallest - sum(height[key] for key in row)) / 2
        for key in row:
            y[key] = top + height[key] / 2
            top += height[key]
    for sweep in range(SWEEPS):
        near = before if sweep % 2 == 0 else after
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [sum(y[n] for n in near[key]) / len(near[key]) if near.get(key) else y[key] for key in row]
            for key, place in zip(row, _apart(wanted, [height[key] for key in row])):
                y[key] = place
    top = min(y[key] - height[key] / 2 for key in y)
    return {key: value - top for key, value in y.items()}


def _apart(wanted: list[float], height: list[float]) -> list[float]:
    """Places as wanted, as far as everything has its height: half way between pushing down and pushing up what is too near."""
    down, bottom = [], float("-inf")
    for place, size in zip(wanted, height):
        down.append(max(place, bottom + size / 2))
        bottom = down[-1] + size / 2
    up, top = [], float("inf")
    for place, size in zip(reversed(wanted), reversed(height)):
        up.append(min(place, top - size / 2))
        top = up[-1] - size / 2
    return [(a + b) / 2 for a, b in zip(down, reversed(up))]


def _course(points: list[tuple[float, float]]) -> str:
    (x, y), *rest = points
    course = f"M{x:.0f} {y:.0f}"
    for a, b in rest:
        if a == x:  # in one column: a bow, or it would hide behind what stands between
            course += f"C{x + 46:.0f} {y:.0f} {a + 46:.0f} {b:.0f} {a:.0f} {b:.0f}"
        else:
            course += f"C{(x + a) / 2:.0f} {y:.0f} {(x + a) / 2:.0f} {b:.0f} {a:.0f} {b:.0f}"
        x, y = a, b
    return course
