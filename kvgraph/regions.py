"""Which regions are like a region, and why: from stated facts only.

Two regions of one NUTS level are compared. Up to 100 points come from six reasons (:data:`WEIGHTS`):

- *urban or rural*, *coast*, *mountains*: how far the two agree in the types of their small regions (NUTS level 3). For each type the
  smaller of the two shares counts, so that regions of one type each agree wholly or not at all;
- *border*: they share a land border, across a state border too;
- *channels*, *policies*: of the channels their practices use, and of the policies their practices put into practice, those that both have among those
  that either has.

A comparison is the same from either side. Equal scores are ordered by distance, the nearest first.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .region_index import ARRAYS, TEXTS, TYPOLOGIES, NoRegionIndex

WEIGHTS = {"urban-rural": 30, "coast": 15, "mountains": 15, "border": 10, "channels": 20, "policies": 10}
"""The most points that each reason gives; together 100."""

_EARTH = 6371.0  # kilometres
_DEEPEST = 8  # regions inside each other: NUTS has four levels


@dataclass(frozen=True)
class Named:
    """A thing under its English label, else the first by language tag."""

    iri: str
    name: str
    lang: str


@dataclass(frozen=True)
class Region(Named):
    """A region. ``practices`` is how many practices are in it and in everything inside it."""

    level: int
    practices: int

    @property
    def code(self) -> str:
        return self.iri.rpartition("/")[2]


@dataclass(frozen=True)
class Share:
    """How many of the small regions of a region are of a type. ``small`` of them are classed."""

    type: Named
    share: float
    small: int

    @property
    def count(self) -> int:
        return round(self.share * self.small)


@dataclass(frozen=True)
class Reason:
    """Why two regions are alike: ``points`` of ``most``, and what they share: types, channels or policies."""

    kind: str
    points: float
    shared: tuple[Named, ...] = ()

    @property
    def most(self) -> int:
        return WEIGHTS[self.kind]


@dataclass(frozen=True)
class Similar:
    """A region that is like another one: ``score`` of 100, the reasons that make it up, ``distance`` in kilometres if known."""

    region: Region
    score: float
    reasons: tuple[Reason, ...]
    distance: float | None


class Regions:
    '''A region index, opened read-only. Raises :class:`~kvgraph.region_index.NoRegionIndex` if the folder holds none.

    >>> import pyoxigraph, tempfile
    >>> from kvgraph.region_index import build_regions
    >>> store = pyoxigraph.Store()
    >>> store.load(b"""
    ...   PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
    ...   PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
    ...   PREFIX type: <https://w3id.org/kvgraph/id/coast-type/>
    ...   PREFIX nuts: <http://data.europa.eu/nuts/code/>
    ...   <https://example.org/page> {
    ...     nuts:ES511 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Barcelona"@en ; kv:nutsLevel 3 ; kv:coastType type:coastal .
    ...     nuts:FRJ15 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Roussillon"@en ; kv:nutsLevel 3 ; kv:coastType type:coastal .
    ...     <https://example.org/lab> a kv:Practice ; skos:prefLabel "Lab"@en ; <http://purl.org/dc/terms/spatial> nuts:FRJ15 . }""",
    ...   format=pyoxigraph.RdfFormat.TRIG)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     build_regions(store, folder)
    ...     (found,) = Regions(folder).similar("http://data.europa.eu/nuts/code/ES511")
    >>> found.region.name, found.score, [reason.kind for reason in found.reasons]
    ('Roussillon', 15.0, ['coast'])
    '''

    def __init__(self, folder: str | Path):
        folder = Path(folder)
        try:
            with np.load(folder / ARRAYS) as arrays:
                self._arrays = {name: arrays[name] for name in arrays.files}
            texts = json.loads((folder / TEXTS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NoRegionIndex(folder) from None
        self._text = {kind: [Named(*row) for row in rows] for kind, rows in texts.items()}
        self._number = {named.iri: i for i, named in enumerate(self._text["region"])}
        self._count = np.diff(self._arrays["inside_start"])

    def __contains__(self, iri: object) -> bool:
        return iri in self._number

    def region(self, iri: str) -> Region:
        """The region of that IRI. Raises ``KeyError``."""
        return self._region(self._number[iri])

    def countries(self) -> list[Region]:
        """The regions of level 0."""
        return [self._region(i) for i in np.flatnonzero(self._arrays["level"] == 0)]

    def above(self, iri: str) -> list[Region]:
        """What it lies in, the largest first."""
        return [self._region(i) for i in self._above(self._number[iri])][::-1]

    def inside(self, iri: str) -> list[Region]:
        """The regions of the next level that it consists of."""
        return [self._region(i) for i in np.flatnonzero(self._arrays["parent"] == self._number[iri])]

    def beside(self, iri: str) -> list[Region]:
        """The other regions of the one it lies in."""
        here = self._number[iri]
        parent = self._arrays["parent"][here]
        return [self._region(i) for i in np.flatnonzero(self._arrays["parent"] == parent) if i != here] if parent >= 0 else []

    def borders(self, iri: str) -> list[Region]:
        """The regions of its level with which it shares a land border."""
        return [self._region(i) for i in self._neighbours(self._number[iri])]

    def practices(self, iri: str) -> list[Named]:
        """The practices here and in everything inside, those first of which most is said."""
        here, start = self._number[iri], self._arrays["inside_start"]
        return [self._text["practice"][i] for i in self._arrays["inside"][start[here] : start[here + 1]]]

    def types(self, iri: str) -> list[list[Share]]:
        """For each typology that its small regions are classed in, the types they have."""
        here, found = self._number[iri], []
        for typology, columns in _columns():
            small = int(self._arrays["parts"][here, typology])
            found.append([Share(self._text["type"][c], float(self._arrays["shares"][here, c]), small) for c in columns if self._arrays["shares"][here, c] > 0])
        return [shares for shares in found if shares]

    def similar(self, iri: str, limit: int = 6) -> list[Similar]:
        """The regions of its level most like it that have a practice, best first. Raises ``KeyError``.

        Never itself, what it lies in or what lies in it, nor a region with which it shares nothing.
        """
        here = self._number[iri]
        others = np.flatnonzero((self._arrays["level"] == self._arrays["level"][here]) & (self._count > 0))
        others = others[~np.isin(others, [here, *self._above(here)]) & ~self._within(here, others)]
        points = self._points(here, others)
        total = sum(points.values(), np.zeros(len(others)))
        far = self._distances(here, others)
        best = [i for i in np.lexsort((others, np.nan_to_num(far, nan=np.inf), -np.round(total, 6))) if total[i] > 0][:limit]
        return [
            Similar(
                self._region(others[i]), round(float(total[i]), 1),
                tuple(Reason(kind, round(float(of[i]), 1), self._shared(kind, here, others[i])) for kind, of in points.items() if of[i] > 0),
                None if np.isnan(far[i]) else float(far[i]),
            )
            for i in best
        ]  # fmt: skip

    def _within(self, here: int, others: np.ndarray) -> np.ndarray:
        """Which of the others lie in a region, by data that may go round in a circle."""
        parent, at, found = self._arrays["parent"], others, np.zeros(len(others), bool)
        for _ in range(_DEEPEST):
            at = np.where(at >= 0, parent[at], -1)
            found |= at == here
        return found

    def _points(self, here: int, others: np.ndarray) -> dict[str, np.ndarray]:
        shares = np.minimum(self._arrays["shares"][here], self._arrays["shares"][others])
        found = {kind: WEIGHTS[kind] * shares[:, columns].sum(axis=1) for kind, (_, columns) in zip(WEIGHTS, _columns())}
        found["border"] = WEIGHTS["border"] * np.isin(others, self._neighbours(here)).astype(float)
        for kind in ("channels", "policies"):
            mine, theirs = self._arrays[kind][here], self._arrays[kind][others]
            either = (mine | theirs).sum(axis=1)
            found[kind] = WEIGHTS[kind] * (mine & theirs).sum(axis=1) / np.maximum(either, 1)
        return found

    def _shared(self, kind: str, a: int, b: int) -> tuple[Named, ...]:
        if kind in ("channels", "policies"):
            names = self._text["channel" if kind == "channels" else "policy"]
            return tuple(names[i] for i in np.flatnonzero(self._arrays[kind][a] & self._arrays[kind][b]))
        if kind == "border":
            return ()
        columns = _columns()[list(WEIGHTS).index(kind)][1]
        least = np.minimum(self._arrays["shares"][a], self._arrays["shares"][b])
        return tuple(self._text["type"][i] for i in sorted(columns, key=lambda c: -least[c]) if least[i] > 0)

    def _distances(self, here: int, others: np.ndarray) -> np.ndarray:
        """Great circles in kilometres between a point in each region; NaN where one has none."""
        lon, lat = np.radians(self._arrays["point"].astype(float).T)
        half = np.sin((lat[others] - lat[here]) / 2) ** 2 + np.cos(lat[here]) * np.cos(lat[others]) * np.sin((lon[others] - lon[here]) / 2) ** 2
        return 2 * _EARTH * np.arcsin(np.sqrt(half))

    def _region(self, i: int) -> Region:
        named = self._text["region"][i]
        return Region(named.iri, named.name, named.lang, int(self._arrays["level"][i]), int(self._count[i]))

    def _neighbours(self, i: int) -> np.ndarray:
        return self._arrays["touch"][self._arrays["touch_start"][i] : self._arrays["touch_start"][i + 1]]

    def _above(self, i: int) -> list[int]:
        found: list[int] = []
        while (i := int(self._arrays["parent"][i])) >= 0 and i not in found:
            found.append(i)
        return found


def _columns() -> list[tuple[int, list[int]]]:
    """The number of each typology and the columns of its types."""
    return list(_numbered())


def _numbered() -> Iterator[tuple[int, list[int]]]:
    first = 0
    for number, (_, _, codes) in enumerate(TYPOLOGIES):
        yield number, list(range(first, first + len(codes)))
        first += len(codes)
