"""Where a place is in the picture of the map: the projection, and the boxes for regions overseas.

The outlines were drawn by ``web/bundles/outlines.mjs`` with the same formula and the same numbers, which it leaves in
``outlines.json``: Lambert's azimuthal equal-area projection around 10° east, 52° north, on which a square kilometre is
as large in Malta as in Lapland. EPSG:3035 is the same on an ellipsoid; the difference is a fraction of a pixel.
"""

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache

from ..resources import folder

_POINT = re.compile(r"POINT\s*\(\s*(-?[\d.]+)\s+(-?[\d.]+)\s*\)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture, in its units of 5 km."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, x: float, y: float) -> bool:
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height

    def around(self, margin: float) -> "Box":
        """The rectangle with a margin on every side."""
        return Box(self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin)


@dataclass(frozen=True)
class Inset:
    """A box in the picture with a map of its own, for a region far away."""

    name: str
    centre: tuple[float, float]
    reach: float  # kilometres from the centre to the left and right edge
    box: Box


@dataclass(frozen=True)
class Country:
    """Where a country is in the picture, and a point inside it (longitude, latitude)."""

    code: str  # ISO 3166-1 alpha-3, the id of its outline
    box: Box
    point: tuple[float, float]


@dataclass(frozen=True)
class Picture:
    """The picture that the outlines were drawn for."""

    frame: Box
    origin: tuple[float, float]  # where the centre of the projection is, in units
    centre: tuple[float, float]
    radius: float  # of the Earth, in units
    insets: tuple[Inset, ...]
    countries: dict[str, Country]

    def project(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Where a point of the Earth is: in the inset that is for it, else in the picture of Europe, or outside of it.

        >>> tuple(round(n) for n in picture().project(10, 52))
        (360, 456)
        """
        for inset in self.insets:
            if _distance(inset.centre, (longitude, latitude)) < inset.reach * 1.4:
                x, y = _laea(longitude, latitude, inset.centre)
                scale = inset.box.width / (2 * inset.reach) * EARTH
                return inset.box.centre[0] + x * scale, inset.box.centre[1] + y * scale
        x, y = _laea(longitude, latitude, self.centre)
        return self.origin[0] + x * self.radius, self.origin[1] + y * self.radius

    def inset_of(self, x: float, y: float) -> Inset | None:
        """The inset that a place of the picture is in."""
        return next((inset for inset in self.insets if inset.box.holds(x, y)), None)


EARTH = 6371.0088  # km


def _laea(longitude: float, latitude: float, centre: tuple[float, float]) -> tuple[float, float]:
    """Lambert azimuthal equal-area on the unit sphere, y downwards (Snyder, Map Projections, 1987, equations 24-2 to 24-4)."""
    turn, height, middle = math.radians(longitude - centre[0]), math.radians(latitude), math.radians(centre[1])
    towards = 1 + math.sin(middle) * math.sin(height) + math.cos(middle) * math.cos(height) * math.cos(turn)
    scale = math.sqrt(2 / max(towards, 1e-9))  # the point on the other side of the Earth is infinitely far
    return scale * math.cos(height) * math.sin(turn), -scale * (math.cos(middle) * math.sin(height) - math.sin(middle) * math.cos(height) * math.cos(turn))


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Kilometres between two points of the Earth."""
    (lon_a, lat_a), (lon_b, lat_b) = (tuple(map(math.radians, point)) for point in (a, b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))


def point_of(wkt: str | None) -> tuple[float, float] | None:
    """Longitude and latitude of a point in Well-Known Text, None for what is no point on the Earth.

    >>> point_of("POINT(2.1 41.4)"), point_of("POINT(400 1)"), point_of("POLYGON((0 0))")
    ((2.1, 41.4), None, None)
    """
    found = _POINT.fullmatch(wkt.strip()) if wkt else None
    try:
        longitude, latitude = float(found[1]), float(found[2])
    except (TypeError, ValueError):
        return None
    return (longitude, latitude) if abs(longitude) <= 180 and abs(latitude) <= 90 else None


@lru_cache(maxsize=1)
def picture() -> Picture:
    """The picture of the bundled outlines."""
    described = json.loads((folder("web") / "static" / "bundles" / "outlines.json").read_text(encoding="utf-8"))
    p = described["projection"]
    insets = tuple(Inset(i["name"], tuple(i["centre"]), i["reach"], Box(i["x"], i["y"], i["width"], i["height"])) for i in described["insets"])
    countries = {
        code: Country(code, Box(c["box"][0], c["box"][1], c["box"][2] - c["box"][0], c["box"][3] - c["box"][1]), tuple(c["point"]))
        for code, c in described["countries"].items()
    }
    origin = (-p["west"] / p["unit"], -p["north"] / p["unit"])
    return Picture(Box(0, 0, p["width"], p["height"]), origin, tuple(p["centre"]), p["earth"] / p["unit"], insets, countries)
