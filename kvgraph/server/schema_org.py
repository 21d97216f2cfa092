"""A thing, or the catalogue, in the words of schema.org, for search engines: a block of JSON-LD in its page.

It says less than our own RDF, to which the page links; terms of schema.org are used only where they mean the same.
"""

import json

from markupsafe import Markup

from ..formats import by_name
from ..namespaces import DCTERMS, ELI, FOAF, KV, ORG, SCHEMA, SKOS
from .display import Shown
from .entity_view import EntityView

_TYPES = {
    "practice": "Project", "learning-example": "Article", "actor": "Organization", "policy": "CreativeWork", "principle": "DefinedTerm",
    "region": "AdministrativeArea", "country": "Country", "channel": "DefinedTerm", "source": "Dataset",
}  # fmt: skip
# Our property → theirs, and the type of what it leads to (None for text).
_ANYWHERE = {
    FOAF + "homepage": ("url", None), SKOS + "altLabel": ("alternateName", None), DCTERMS + "alternative": ("alternateName", None),
    DCTERMS + "identifier": ("identifier", None), SKOS + "notation": ("identifier", None), ELI + "id_local": ("identifier", None),
    SKOS + "exactMatch": ("sameAs", None),
}  # fmt: skip
_PLACE, _ORGANISATION = "AdministrativeArea", "Organization"
_OF_TYPE = {
    "Project": {
        SCHEMA + "startDate": ("foundingDate", None), SCHEMA + "endDate": ("dissolutionDate", None), DCTERMS + "spatial": ("location", _PLACE),
        KV + "lead": ("parentOrganization", _ORGANISATION),
    },
    "Article": {DCTERMS + "spatial": ("contentLocation", _PLACE), KV + "lead": ("sourceOrganization", _ORGANISATION)},
    "Organization": {
        SCHEMA + "addressLocality": ("address", None), DCTERMS + "spatial": ("location", _PLACE), ORG + "subOrganizationOf": ("parentOrganization", _ORGANISATION),
    },
    "CreativeWork": {
        DCTERMS + "issued": ("datePublished", None), DCTERMS + "creator": ("creator", _ORGANISATION), DCTERMS + "spatial": ("spatialCoverage", _PLACE),
        DCTERMS + "isPartOf": ("isPartOf", "CreativeWork"),
    },
    "Dataset": {
        DCTERMS + "issued": ("datePublished", None), DCTERMS + "license": ("license", None), DCTERMS + "publisher": ("publisher", _ORGANISATION),
    },
}  # fmt: skip


def about(thing: EntityView, page: str) -> Markup:
    """The content of a ``script`` element of type ``application/ld+json`` in the page at that address."""
    type_ = _TYPES.get(thing.type.name if thing.type else "", "DefinedTerm")
    said: dict = {"@context": "https://schema.org", "@type": type_, "@id": thing.iri, "name": _text(thing.title), "mainEntityOfPage": page}
    if thing.lead:
        said["description"] = _text(thing.lead.values[0].shown)
    known = {**_ANYWHERE, **_OF_TYPE.get(type_, {})}
    for _, facts in thing.sections:
        for fact in facts:
            if fact.iri in known:
                name, kind = known[fact.iri]
                values = [_thing(value.shown, kind) for value in fact.values]
                said[name] = [*said.get(name, []), *values]
    return script({name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in said.items()})


def catalogue(entries: list, root: str, version: str) -> Markup:
    """The same of the data sets of a catalogue (:class:`kvgraph.server.catalogue.Entry`), the whole first; ``root`` is the address of this instance."""
    page = f"{root}catalog"
    sets = [_dataset(entry, root) for entry in entries]
    sets[0] |= {"version": version, "url": page}
    return script({"@context": "https://schema.org", "@type": "DataCatalog", "@id": page, "name": sets[0]["name"], "url": page, "dataset": sets})


def _dataset(entry, root: str) -> dict:
    said = {
        "@type": "Dataset", "@id": entry.iri, "name": entry.title, "description": entry.description, "datePublished": entry.issued,
        "license": entry.licence and entry.licence.iri, "creator": entry.publisher and {"@type": "Organization", "name": entry.publisher},
        "distribution": [
            {"@type": "DataDownload", "contentUrl": f"{root}dumps/latest/{file['file']}", "encodingFormat": by_name(file["format"]).media_type}
            for file in entry.files
        ],
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def script(data: dict) -> Markup:
    """JSON that may stand inside a ``script`` element, whatever it says: nothing in it can end the element or begin a comment.

    >>> script({"name": "</script><!-- & "})
    Markup('{"name": "\\\\u003c/script\\\\u003e\\\\u003c!-- \\\\u0026 "}')
    """
    text = json.dumps(data, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _thing(shown: Shown, kind: str | None) -> str | dict:
    if kind and shown.iri:
        return {"@type": kind, "@id": shown.iri, "name": shown.text}
    return shown.iri or _text(shown)


def _text(shown: Shown) -> str | dict:
    """English is what the block is written in; any other language is said."""
    return {"@value": shown.text, "@language": shown.lang} if shown.lang and shown.lang != "en" else shown.text
