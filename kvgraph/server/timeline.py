"""The timeline of policies as geometry: where marks and arrows go. ``policies.html`` draws them.

Everything at once is a mark for each policy, piled up by year; the policies of one country have a line each, with their name.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .policies import Link, Policy

WIDTH, LEFT, RIGHT, TOP = 1100, 60, 24, 30
STEP, MARK = 15, 5.5  # of piled marks
LINE = 30  # of a line with a name
LANE_HEAD, LANE_FOOT = 26, 14
NAMES = 400  # to the right of the last year, where lines have names
LETTERS = 62  # of a name beside its mark
NARROW = 8.0  # years at least, so that two policies of one year do not fill the picture


@dataclass(frozen=True)
class Mark:
    """A policy: its place, and its name where it has room for one. ``until`` is where its period ends."""

    policy: "Policy"
    x: float
    y: float
    name: str = ""
    until: float | None = None


@dataclass(frozen=True)
class Arrow:
    path: str
    kind: str
    title: str


@dataclass(frozen=True)
class Lane:
    label: str
    y: float
    height: float


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    lanes: list[Lane]
    ticks: list[tuple[float, int]]
    marks: list[Mark]
    arrows: list[Arrow]


def drawing(policies: Mapping[str, "Policy"], links: Sequence["Link"], lanes: Sequence[tuple[str, str]], rows: bool) -> Drawing | None:
    """Where everything that has a date goes; None if nothing has one. ``lanes`` are names and labels from top to bottom."""
    dated = {iri: policy for iri, policy in policies.items() if policy.year is not None}
    if not dated:
        return None
    first = float(int(min(policy.year for policy in dated.values())))
    last = max(max(policy.year, policy.until or 0) if rows else policy.year for policy in dated.values())
    last = max(float(int(last) + 1), first + NARROW)
    scale = (WIDTH - LEFT - (NAMES if rows else RIGHT)) / (last - first)

    def x_of(year: float) -> float:
        return round(LEFT + (year - first) * scale, 1)

    y, drawn, marks = float(TOP), [], {}
    related = {end for link in links for end in (link.source, link.target)}
    for name, label in lanes:
        some = {iri: policy for iri, policy in dated.items() if policy.lane == name}
        if not some:
            continue
        place = _lines if rows else _piles
        found, height = place(some, y + LANE_HEAD, x_of, related)
        marks |= found
        drawn.append(Lane(label, y, LANE_HEAD + height + LANE_FOOT))
        y += LANE_HEAD + height + LANE_FOOT
    every = next(n for n in (1, 2, 5, 10, 20, 50) if scale * n >= 42)
    ticks = [(x_of(year), year) for year in range(int(first), int(last) + 1) if year % every == 0]
    arrows = [
        Arrow(_curve(marks[link.source], marks[link.target], rows), link.kind, f"{policies[link.source].shown.text} {link.words} {policies[link.target].shown.text}")
        for link in links
        if link.source in marks and link.target in marks
    ]
    return Drawing(WIDTH, round(y, 1), drawn, ticks, list(marks.values()), arrows)


def _piles(some: Mapping[str, "Policy"], top: float, x_of, related: set[str]) -> tuple[dict[str, Mark], float]:
    """Marks piled up over their year, those that arrows lead to or from on top."""
    years = defaultdict(list)
    for iri, policy in some.items():
        years[int(policy.year)].append(iri)
    most = max(map(len, years.values()))
    found = {}
    for year, pile in years.items():
        for n, iri in enumerate(sorted(pile, key=lambda i: i in related)):
            found[iri] = Mark(some[iri], x_of(year + 0.5), round(top + (most - n - 0.5) * STEP, 1))
    return found, most * STEP


def _lines(some: Mapping[str, "Policy"], top: float, x_of, related: set[str]) -> tuple[dict[str, Mark], float]:
    """A line each, the earliest on top, with its name."""
    found = {}
    for n, (iri, policy) in enumerate(sorted(some.items(), key=lambda item: item[1].year)):
        text = policy.shown.text
        name = text if len(text) <= LETTERS else text[: LETTERS - 1].rstrip() + "…"
        until = x_of(policy.until) if policy.until and policy.until > policy.year else None
        found[iri] = Mark(policy, x_of(policy.year), round(top + (n + 0.5) * LINE, 1), name, until)
    return found, len(some) * LINE


def _curve(a: Mark, b: Mark, rows: bool) -> str:
    """From one mark to just before the other."""
    if rows:
        away = min(a.x, b.x) - 14 - min(60.0, abs(a.y - b.y) * 0.12)
        away = max(away, 2.0)
        return f"M{a.x - 7:g} {a.y:g}C{away:g} {a.y:g} {away:g} {b.y:g} {b.x - 9:g} {b.y:g}"
    if a.x == b.x:
        away = a.x + 16 + abs(a.y - b.y) * 0.15
        return f"M{a.x + 6:g} {a.y:g}C{away:g} {a.y:g} {away:g} {b.y:g} {b.x + 9:g} {b.y:g}"
    if abs(a.y - b.y) < 40:
        rise = min(a.y, b.y) - 12 - abs(a.x - b.x) * 0.08
        return f"M{a.x:g} {a.y - 6:g}C{a.x:g} {rise:g} {b.x:g} {rise:g} {b.x:g} {b.y - 9:g}"
    down = 1 if b.y > a.y else -1
    middle = (a.y + b.y) / 2
    return f"M{a.x:g} {a.y + 6 * down:g}C{a.x:g} {middle:g} {b.x:g} {middle:g} {b.x:g} {b.y - 9 * down:g}"
