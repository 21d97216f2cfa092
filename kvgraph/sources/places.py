"""Countries and regions as the rest of the graph names them: EU authority codes and NUTS 2024."""

import re
from functools import cache

import pyoxigraph as ox
from babel.core import get_global

from .. import resources
from ..namespaces import COUNTRY, NUTS

# Codes that Unicode keeps for states that are gone or for none (AA, ZZ), or writes in another way than the EU; X and QM to QZ are private.
_GONE = {"AAA", "ZZZ", "BUR", "ZAR", "DDR", "FXX", "TMP", "YMD", "XKK"}
_EU = {"EL": "GRC", "UK": "GBR", "XK": "XKX"}


@cache
def _alpha3() -> dict[str, str]:
    pairs = ((new[0], old) for old, new in get_global("territory_aliases").items() if len(old) == 3 and old.isalpha() and len(new) == 1)
    return {**{two: three for two, three in pairs if three not in _GONE and not re.match("X|Q[M-Z]", three)}, **_EU}


def country(code: str) -> str:
    """The code of the EU authority table of countries for a code of two letters, EU (EL, UK) or ISO 3166; empty for none.

    >>> country("EL"), country("de"), country("XK"), country("ZZ")
    ('GRC', 'DEU', 'XKX', '')
    """
    code = code.strip().upper()
    return _alpha3().get(code, "") if len(code) == 2 else code if code in _alpha3().values() else ""


def country_iri(code: str) -> str:
    """The IRI of a country that the graph describes, by its code of three letters; empty for others."""
    iri = COUNTRY + code
    return iri if iri in _described() else ""


def region_iri(code: str) -> str:
    """The IRI of a region of NUTS 2024, by its code; empty for codes of other editions.

    >>> region_iri("ES51"), region_iri("XX9")
    ('http://data.europa.eu/nuts/code/ES51', '')
    """
    iri = NUTS + code.strip().upper()
    return iri if iri in _described() else ""


@cache
def _described() -> frozenset[str]:
    data = resources.folder("data")
    files = [data / "countries.trig", *sorted((data / "regions").glob("*.trig"))]
    subjects = (quad.subject for file in files for quad in ox.parse(path=file))
    return frozenset(subject.value for subject in subjects if isinstance(subject, ox.NamedNode))


def described(iri: str) -> bool:
    """Whether the curated data describe this country or region."""
    return iri in _described()
