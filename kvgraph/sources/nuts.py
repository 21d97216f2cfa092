"""NUTS from GISCO: ``NUTS_AT_<year>.csv`` (codes, names, typologies) and ``NUTS_LB_<year>_4326.geojson`` (a point for each region).

Regions that the curated data describe already get the name in their own language as another name, and nothing twice; regions of other editions are
described in full.
"""

import re
from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from ..namespaces import GEO, KV, LOCN, NUTS, NUTS_SCHEME, SKOS
from . import places
from .json_stream import objects
from .raw import Raw
from .record import BadRow, Once, SetAside, Statements, Taken, literal, needed, node, text
from .tables import rows


_CODE = re.compile(r"[A-Z]{2}[0-9A-Z]{0,3}")


def read(files: Iterable[Raw], encoding: str | None = None) -> Iterator[Taken | SetAside]:
    """Every region of the files; one that several have (table and points) is read from each, once."""
    for raw in files:
        seen = Once("region")
        found = _features(raw) if raw.kind in (".json", ".geojson") else rows(raw, ("NUTS_ID", "CNTR_CODE"), encoding)
        for row in found:
            if isinstance(row, SetAside):
                yield row
                continue
            line, get, point = row if isinstance(row, tuple) else (row.line, row.__getitem__, None)
            try:
                yield Taken(_region(get, point, line, seen).triples, None, raw.name, line)
            except BadRow as problem:
                yield SetAside(raw.name, line, str(problem))


def _features(raw: Raw) -> Iterator[tuple | SetAside]:
    for found in objects(raw, "features"):
        if isinstance(found, SetAside):
            yield found
            continue
        number, feature = found
        said, geometry = feature.get("properties") or {}, feature.get("geometry") or {}
        if not isinstance(said, dict) or not isinstance(geometry, dict):
            yield SetAside(raw.name, number, f"record {number} is no feature of GeoJSON")
            continue
        point = geometry.get("coordinates") if geometry.get("type") == "Point" else None
        yield number, lambda name, said=said: str(said.get(name) if said.get(name) is not None else "").strip(), point


def _region(get, point: list | None, line: int, seen: Once) -> Statements:
    code = needed(get("NUTS_ID"), "NUTS_ID").upper()
    if not _CODE.fullmatch(code):
        raise BadRow(f"{code[:20]!r} is no NUTS code")
    if code[:2] != get("CNTR_CODE").upper():
        raise BadRow(f"region {code} is said to be of country {get('CNTR_CODE')[:20]!r}")
    if (level := get("LEVL_CODE")) and level != str(len(code) - 2):
        raise BadRow(f"region {code} is said to be of level {level[:10]}")
    latin, own = text(get("NAME_LATN"), "NAME_LATN"), text(get("NUTS_NAME"), "NUTS_NAME")
    seen.add(code, line)
    said = Statements(NUTS + code)
    said.a(SKOS + "Concept")
    if places.region_iri(code):
        if own and own != latin:
            said.say(SKOS + "altLabel", own)
        return said
    said.triples.append(ox.Triple(node(NUTS + code), node(SKOS + "prefLabel"), literal(needed(latin or own, "name"), "en")))
    if own and own != latin:
        said.say(SKOS + "altLabel", own)
    said.say(SKOS + "notation", code)
    said.to(SKOS + "inScheme", NUTS_SCHEME)
    said.to(SKOS + "broader", NUTS + code[:-1] if len(code) > 2 else "")
    said.to(KV + "country", places.country_iri(places.country(code[:2])))
    said.say(KV + "nutsLevel", str(len(code) - 2), datatype="integer")
    if point:
        try:
            longitude, latitude = (float(number) for number in point[:2])
        except (TypeError, ValueError):
            raise BadRow(f"region {code} has no point that can be read") from None
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise BadRow(f"region {code} has a point outside the world: take the file in EPSG:4326")
        wkt = ox.Literal(f"POINT({longitude:g} {latitude:g})", datatype=node(GEO + "wktLiteral"))
        said.triples.append(ox.Triple(node(said.subject), node(LOCN + "geometry"), wkt))
    return said
