"""The authority tables of the EU that the catalogue speaks in, and the little it has to say about their entries.

DCAT-AP 3.0.1 (section on controlled vocabularies) names the tables; its shapes want the class of everything referred to, so
:func:`described` adds class and name of each entry that a catalogue uses.
"""

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from ..namespaces import DCTERMS, RDF, SKOS
from .rdf import describe, english

_TABLES = "http://publications.europa.eu/resource/authority/"
_IANA = "https://www.iana.org/assignments/media-types/"

THEMES = _TABLES + "data-theme"
PUBLIC = _TABLES + "access-right/PUBLIC"
IRREGULAR = _TABLES + "frequency/IRREG"
EUROPE = _TABLES + "continent/EUROPE"
STABLE = _TABLES + "planned-availability/STABLE"
GZIP = _IANA + "application/gzip"

# Per format of a dump: its name, media type (IANA) and file type.
FILE_TYPES = {
    "nquads": ("N-Quads", _IANA + "application/n-quads", _TABLES + "file-type/RDF_N_QUADS"),
    "trig": ("TriG", _IANA + "application/trig", _TABLES + "file-type/RDF_TRIG"),
    "turtle": ("Turtle", _IANA + "text/turtle", _TABLES + "file-type/RDF_TURTLE"),
}
_THEME_NAMES = {
    "ECON": "Economy and finance",
    "EDUC": "Education, culture and sport",
    "GOVE": "Government and public sector",
    "REGI": "Regions and cities",
    "TECH": "Science and technology",
}
_LANGUAGES = {
    "bg": "BUL", "ca": "CAT", "cs": "CES", "da": "DAN", "de": "DEU", "el": "ELL", "en": "ENG", "es": "SPA", "et": "EST", "eu": "EUS", "fi": "FIN",
    "fr": "FRA", "ga": "GLE", "gl": "GLG", "hr": "HRV", "hu": "HUN", "is": "ISL", "it": "ITA", "lb": "LTZ", "lt": "LIT", "lv": "LAV", "mk": "MKD",
    "mt": "MLT", "nb": "NOB", "nl": "NLD", "nn": "NNO", "no": "NOR", "pl": "POL", "pt": "POR", "ro": "RON", "sk": "SLK", "sl": "SLV", "sq": "SQI",
    "sr": "SRP", "sv": "SWE", "tr": "TUR", "uk": "UKR",
}  # fmt: skip
# Licences that the EU has an entry for.
_LICENCES = {
    "https://creativecommons.org/licenses/by/4.0/": ("CC BY 4.0", "CC_BY_4_0"),
    "https://creativecommons.org/publicdomain/zero/1.0/": ("CC0 1.0", "CC0"),
}


def language(tag: str) -> str | None:
    """The entry of a language, None where this table has none.

    >>> language("mt")
    'http://publications.europa.eu/resource/authority/language/MLT'
    """
    code = _LANGUAGES.get(tag.partition("-")[0].lower())
    return code and f"{_TABLES}language/{code}"


def theme(code: str) -> str:
    """The entry of a theme."""
    return f"{THEMES}/{code}"


def described(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """Class and name of every entry that the objects of ``triples`` refer to."""
    used = {t.object.value for t in triples if isinstance(t.object, ox.NamedNode)}
    licences = {t.object.value for t in triples if t.predicate.value == DCTERMS + "license"}
    for iri in sorted(used):
        if iri.startswith(_TABLES + "language/"):
            yield from describe(iri, (_TYPE, DCTERMS + "LinguisticSystem"))
        elif iri.startswith(_IANA):
            # The profile asks for both classes, of different properties; the one is a kind of the other.
            yield from describe(iri, (_TYPE, [DCTERMS + "MediaType", DCTERMS + "MediaTypeOrExtent"]))
        elif iri.startswith(_TABLES + "file-type/"):
            yield from describe(iri, (_TYPE, DCTERMS + "MediaTypeOrExtent"))
        elif iri.startswith(THEMES + "/"):
            name = _THEME_NAMES[iri.rpartition("/")[2]]
            yield from describe(iri, (_TYPE, SKOS + "Concept"), (SKOS + "prefLabel", english(name)), (SKOS + "inScheme", THEMES))
        elif iri in _ENTRIES:
            class_, property_, name = _ENTRIES[iri]
            yield from describe(iri, (_TYPE, class_), (property_, english(name)))
    for iri in sorted(licences):
        name, code = _LICENCES.get(iri, (None, None))
        yield from describe(
            iri, (_TYPE, DCTERMS + "LicenseDocument"), (DCTERMS + "title", name and english(name)),
            (SKOS + "exactMatch", code and f"{_TABLES}licence/{code}"),
        )  # fmt: skip


_TYPE = RDF + "type"
_ENTRIES = {
    THEMES: (SKOS + "ConceptScheme", DCTERMS + "title", "Data theme"),
    PUBLIC: (DCTERMS + "RightsStatement", SKOS + "prefLabel", "public"),
    IRREGULAR: (DCTERMS + "Frequency", SKOS + "prefLabel", "irregular"),
    EUROPE: (DCTERMS + "Location", SKOS + "prefLabel", "Europe"),
    STABLE: (SKOS + "Concept", SKOS + "prefLabel", "stable"),
}
