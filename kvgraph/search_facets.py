"""Facets: what a search can be narrowed by, and what the values of each facet are called.

A facet is a property of things, or a chain of them, whose values can be counted: ``channel``, ``country``, ``year`` … The
same chains are written in SPARQL in ``queries/pages/selection.rq``, and a test holds the two together.

Which values a thing has is found out when the index is built (:mod:`kvgraph.search_values`); :class:`Facets` is for whoever
shows or checks values.
"""

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from .errors import KvgraphError
from .model import TYPES
from .namespaces import COUNTRY, COUNTRY_SCHEME, DEF, ID, KV, NUTS, NUTS_SCHEME
from .params import expand

FILE = "facets.json"  # in the folder of the search index
YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_OF_COUNTRY = re.compile(r" \([A-Z]{2}\)$")


@dataclass(frozen=True)
class Facet:
    """Something to narrow a search by. ``base`` is what its values begin with, where they are IRIs."""

    name: str
    label: str  # of the heading above its values
    base: str = ""
    scheme: str = ""  # whose members its values are, used or not

    def value(self, text: str) -> str:
        """The value that somebody means by an IRI, a prefixed name, a short id or only its last part.

        >>> FACETS["channel"].value("spin-offs"), FACETS["region"].value("country/ESP")
        ('https://w3id.org/kvgraph/id/channel/spin-offs', 'http://publications.europa.eu/resource/authority/country/ESP')
        """
        text = text.strip()
        full = expand(text) if self.base else text
        return full if "://" in full or not self.base else self.base + text

    def short(self, value: str) -> str:
        """What stands for a value in an address; :meth:`value` understands it.

        >>> FACETS["region"].short("http://data.europa.eu/nuts/code/ES51"), FACETS["region"].short(COUNTRY + "ESP")
        ('ES51', 'country/ESP')
        """
        if self.base and value.startswith(self.base):
            return value[len(self.base) :]
        return "country/" + value[len(COUNTRY) :] if value.startswith(COUNTRY) else value


def _listed(name: str, label: str) -> Facet:
    return Facet(name, label, f"{ID}{name}/", DEF + name)


# In the order in which a page shows them. A thing can have several values of a facet.
FACETS = {
    facet.name: facet
    for facet in (
        Facet("type", "Kind"),
        Facet("country", "Country", COUNTRY, COUNTRY_SCHEME),
        # Every NUTS region that a thing lies in, of all levels, and its countries: the values of a tree.
        Facet("region", "Place", NUTS, NUTS_SCHEME),
        _listed("channel", "Channel"),
        _listed("challenge", "Challenge"),
        _listed("tool-kind", "Kind of tool"),
        _listed("actor-kind", "Kind of organisation"),  # its own, or of those who lead, issue or take part
        _listed("policy-type", "Kind of policy"),
        Facet("principle", "Principle", ID + "principle/", KV + "Principle"),  # taken up directly, through a policy or a lesson; and the broader ones
        _listed("level", "Level"),
        Facet("year", "Year"),  # in which it began or was issued
        _listed("source-kind", "Kind of source"),
    )
}


class UnknownFacet(KvgraphError):
    """There is nothing of this name to narrow a search by."""

    def __init__(self, name: str):
        super().__init__(f"A search cannot be narrowed by {str(name)[:80]!r}.", hint="Facets are: " + ", ".join(FACETS) + ".")


class UnknownValue(KvgraphError):
    """The facet has no such value."""


def facet(name: str) -> Facet:
    """The facet of that name. Raises :class:`UnknownFacet`."""
    if name not in FACETS:
        raise UnknownFacet(name)
    return FACETS[name]


class Facets:
    """The values of the facets of a release: what they are called in every language, and what they are part of.

    >>> channels = Facets({"https://w3id.org/kvgraph/id/channel/spin-offs": {"facet": "channel", "labels": {"en": "Spin-offs"}, "parent": "", "code": ""}})
    >>> channels.label("https://w3id.org/kvgraph/id/channel/spin-offs", "fr")
    ('Spin-offs', 'en')
    """

    def __init__(self, table: dict[str, dict]):
        self._table = table
        self._above: dict[str, tuple[str, ...]] = {}
        self._named: dict[tuple[str, str], str] = {}
        for value, entry in table.items():
            for text in (*entry["labels"].values(), entry["code"]):
                self._named.setdefault((entry["facet"], text.casefold()), value)

    @classmethod
    def load(cls, folder: Path) -> "Facets":
        """Those in the folder of a search index."""
        return cls(json.loads((folder / FILE).read_text(encoding="utf-8")))

    def __contains__(self, value: str) -> bool:
        return value in self._table

    def label(self, value: str, language: str = "en") -> tuple[str, str]:
        """What a value is called, and the language tag of that: the reader's language, else English, else any; else the value itself."""
        if value in TYPES:
            return TYPES[value].plural, "en"
        labels = self._table[value]["labels"] if value in self._table else {}
        for tag in (language, "en", "", *labels):
            if tag in labels:
                return labels[tag], tag
        return value.rpartition("/")[2], ""

    def names(self, value: str) -> list[str]:
        """What a value is called, in every language."""
        return list(self._table[value]["labels"].values()) if value in self._table else []

    def place(self, text: str) -> str:
        """The one place that is called so in any language, or has that code; empty if none is, or several are.

        What is called like the place that it lies in, as a region that is a whole country, is no other place; and the letters of
        a country after a name, "Limburg (NL)", tell it from others but are no part of it.
        """
        wanted, called = text.strip().casefold(), set()
        for value, entry in self._table.items():
            names = (*self.names(value), entry["code"])
            if entry["facet"] in _places("region") and any(wanted in (name.casefold(), _OF_COUNTRY.sub("", name).casefold()) for name in names if name):
                called.add(self.country(value) or value)
        outer = [value for value in called if not called.intersection(self.above(value))]
        return outer[0] if len(outer) == 1 else ""

    def code(self, value: str) -> str:
        """The notation of a value, such as GP1.2 or ES51; empty if it has none."""
        return self._table[value]["code"] if value in self._table else ""

    def members(self, facet_name: str) -> list[str]:
        """The values of a facet, used or not, in the order of their codes and IRIs."""
        return sorted((v for v, entry in self._table.items() if entry["facet"] == facet_name), key=lambda v: (self.code(v), v))

    def parent(self, value: str) -> str:
        """What a place or principle is part of, of a NUTS region of level 1 its country; empty if nothing."""
        entry = self._table.get(value)
        above = entry["parent"] if entry else ""
        # The NUTS region of level 0 is the country once more.
        return self.country(above) if is_level_0(above) else above

    def country(self, region: str) -> str:
        """The country that a NUTS region of level 0 is; empty if it is none."""
        return self._table[region]["parent"] if is_level_0(region) and region in self._table else ""

    def above(self, value: str) -> tuple[str, ...]:
        """Everything a place or principle is part of, the nearest first."""
        if value not in self._above:
            found: dict[str, None] = {}
            at = self.parent(value)
            while at and at not in found:
                found[at] = None
                at = self.parent(at)
            self._above[value] = tuple(found)
        return self._above[value]

    def find(self, facet_name: str, text: str) -> str:
        """The value that somebody means: by IRI, short id, last part of the IRI, code, or name in any language.

        Raises :class:`UnknownFacet` or :class:`UnknownValue`, naming the nearest.
        """
        value = self.known(facet_name, text)
        if value is None:
            raise UnknownValue(f"There is no {facet(facet_name).label.lower()} called “{text.strip()[:80]}” here.", hint=self._nearest(facet_name, _places(facet_name), text.strip()))
        return value

    def known(self, facet_name: str, text: str) -> str | None:
        """The same, None where there is no such value. Raises :class:`UnknownFacet`."""
        text = text.strip()
        value = facet(facet_name).value(text)
        if facet_name == "type" and value in TYPES or facet_name == "year" and YEAR.fullmatch(value):
            return value
        places = _places(facet_name)
        for iri in (value, text):  # an address may hold what is no IRI of ours
            if iri in self._table and self._table[iri]["facet"] in places:
                return iri
        return next((self._named[place, text.casefold()] for place in places if (place, text.casefold()) in self._named), None)

    def _nearest(self, name: str, places: tuple[str, ...], text: str) -> str:
        if name == "type":
            return "The kinds are: " + ", ".join(TYPES) + "."
        if name == "year":
            return "A year has four digits."
        known = {word: value for (facet_name, word), value in self._named.items() if facet_name in places and word}
        near = dict.fromkeys(known[word] for word in get_close_matches(text[:80].casefold(), known, n=4, cutoff=0.6))
        found = ", ".join(f"{FACETS[name].short(value)} ({self.label(value)[0]})" for value in near)
        return f"Did you mean: {found}?" if found else "Try its English name, or choose from those that the search page lists."


def _places(facet_name: str) -> tuple[str, ...]:
    """The facets whose values are values of this one."""
    return ("country", "region") if facet_name == "region" else (facet_name,)


def is_level_0(value: str) -> bool:
    """Whether a value is a NUTS region of level 0, which is a whole country.

    >>> is_level_0(NUTS + "ES"), is_level_0(NUTS + "ES5")
    (True, False)
    """
    return value.startswith(NUTS) and len(value) == len(NUTS) + 2
