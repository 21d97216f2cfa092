"""Charts as geometry: where bars and columns begin and end. Templates draw them (``charts.html``), always with their table.

A chart is made from the rows of an answer, or from pairs of a name and a number.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .display import Shown
from .tables import Table

MOST_BARS = 25  # the rest is in the table
LONG = 42  # characters of a name beside its bar
BAR, STEP, NAMES, WIDTH, VALUES = 18, 28, 282, 700, 58  # of bars, in units of the picture
NARROW, NARROW_BAR, NARROW_STEP, NARROW_LONG = 330, 12, 44, 44  # of bars on a phone, where a name stands above its bar
COLUMNS_HEIGHT, COLUMN, GUTTER, LEFT, TOP, RIGHT, FOOT = 230, 34, 8, 44, 10, 18, 30  # of columns; what is left at the top, at the right and below is for letters


@dataclass(frozen=True)
class Bar:
    """A bar or a column: the thing it is for, its number, and its rectangle."""

    shown: Shown
    name: str  # short enough for its place
    value: float
    x: float
    y: float
    width: float
    height: float

    @property
    def number(self) -> str:
        """The number as people read it.

        >>> Bar(Shown("a"), "a", 1234.0, 0, 0, 0, 0).number
        '1,234'
        """
        return f"{self.value:,.10g}"


@dataclass(frozen=True)
class Tick:
    """A line of the scale."""

    at: float
    number: str


@dataclass(frozen=True)
class Chart:
    """``more`` rows of the answer have no bar: they are beyond the first, or hold no number."""

    kind: str  # bars or columns
    label: str  # what the numbers are
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    width: float
    height: float
    more: int = 0

    @property
    def most(self) -> Bar:
        return max(self.bars, key=lambda bar: bar.value)

    @property
    def narrow(self) -> "Chart":
        """The same bars for a narrow screen, each under its name."""
        part = (NARROW - VALUES) / (WIDTH - NAMES - VALUES)
        drawn = tuple(
            replace(bar, name=_cut(bar.shown.text, NARROW_LONG), x=0, y=i * NARROW_STEP + NARROW_STEP - NARROW_BAR - 8, width=round(bar.width * part, 1), height=NARROW_BAR)
            for i, bar in enumerate(self.bars)
        )
        return replace(self, bars=drawn, width=NARROW, height=NARROW_STEP * len(drawn))

    @property
    def total(self) -> float:
        return sum(bar.value for bar in self.bars)


def bars(pairs: Iterable[tuple[Shown, float]], label: str) -> Chart | None:
    """Horizontal bars in the order given, from zero; None if there is nothing to draw.

    >>> [round(bar.width) for bar in bars([(Shown("a"), 2), (Shown("b"), 1)], "practices").bars]
    [360, 180]
    """
    given = _numbers(pairs)
    first = given[:MOST_BARS]
    if not first:
        return None
    room = WIDTH - NAMES - VALUES
    top = max(value for _, value in first) or 1
    drawn = tuple(
        Bar(shown, _cut(shown.text, LONG), value, NAMES, i * STEP + (STEP - BAR) / 2, round(room * value / top, 1), BAR)
        for i, (shown, value) in enumerate(first)
    )
    return Chart("bars", label, drawn, (), WIDTH, STEP * len(first), len(given) - len(first))


def columns(pairs: Iterable[tuple[Shown, float]], label: str) -> Chart | None:
    """Columns from left to right; where the names are years, years without a number keep their place. None if there is nothing to draw.

    >>> [bar.name for bar in columns([(Shown("2019"), 2), (Shown("2021"), 1)], "practices").bars]
    ['2019', '2020', '2021']
    """
    given = _numbers(pairs)
    if not given:
        return None
    filled, more = _years(given)
    scale = _scale(max(value for _, value in filled))
    step = min(COLUMN, max(6.0, (WIDTH - LEFT - RIGHT) / len(filled)))
    gap = min(GUTTER, step / 4)
    foot = COLUMNS_HEIGHT - FOOT
    tall = foot - TOP

    def column(i: int, shown: Shown, value: float) -> Bar:
        height = round(tall * value / scale[-1], 2)
        return Bar(shown, shown.text, value, round(LEFT + i * step + gap / 2, 2), foot - height, round(step - gap, 2), height)

    drawn = tuple(column(i, *pair) for i, pair in enumerate(filled))
    ticks = tuple(Tick(round(foot - tall * value / scale[-1], 2), f"{value:,.10g}") for value in scale)
    return Chart("columns", label, drawn, ticks, max(WIDTH, LEFT + RIGHT + step * len(filled)), COLUMNS_HEIGHT, more)


def of_answer(kind: str, table: Table) -> Chart | None:
    """The chart that suits an answer: its first column of names against its last column of numbers.

    ``kind`` is ``bar`` or ``line`` (columns over time), as ``chart`` in the header of a question. None where the answer has no such columns.
    """
    number = next((i for i in reversed(range(len(table.columns))) if table.columns[i].numeric), None)
    name = next((i for i in range(len(table.columns)) if i != number), None)
    if number is None or name is None:
        return None
    pairs = [(row[name], float(row[number].text)) for row in table.rows if row[number].text]
    return (columns if kind == "line" else bars)(pairs, table.columns[number].heading)


def _numbers(pairs: Iterable[tuple[Shown, float]]) -> list[tuple[Shown, float]]:
    """Those that can be drawn from zero upwards."""
    return [(shown, value) for shown, value in pairs if math.isfinite(value) and value >= 0]


def _years(given: list[tuple[Shown, float]]) -> tuple[list[tuple[Shown, float]], int]:
    """Names that are years as a row without gaps, at most the last ``120``; other names as they are."""
    names = [shown.text for shown, _ in given]
    if not all(len(name) == 4 and name.isascii() and name.isdigit() for name in names):
        return given[:120], max(0, len(given) - 120)
    known = {int(shown.text): (shown, value) for shown, value in given}
    last = max(known)
    first = max(min(known), last - 119)
    row = [known.get(year, (Shown(str(year)), 0.0)) for year in range(first, last + 1)]
    return row, sum(year < first for year in known)


def _scale(most: float) -> list[float]:
    """Round numbers from zero to at least the largest value, three to six of them."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 4
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * n for n in (1, 2, 2.5, 5, 10) if size * n >= rough)
    if most < 4:
        step = 1.0 if most == int(most) else step
    return [step * i for i in range(math.ceil(most / step - 1e-9) + 1)]


def _cut(text: str, most: int) -> str:
    """A name that fits, cut between words where it can be."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > most // 2 else cut).rstrip(" ,;:–-(") + "…"
