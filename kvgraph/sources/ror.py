"""Research Organization Registry: the dump in JSON, schema 2.x (https://ror.readme.io/docs/data-structure).

Each active record becomes an ``org:Organization`` with its ROR address; withdrawn ones are set aside.
"""

import re
from collections.abc import Iterable, Iterator

from ..namespaces import DCTERMS, FOAF, KV, ORG, OWL, SCHEMA, SKOS
from . import places
from .json_stream import objects
from .raw import Raw
from .record import BadRow, Name, Once, Organisation, SetAside, Statements, Taken, day, names_of, needed, text

_ID = re.compile(r"https://ror\.org/0[a-z0-9]{6}[0-9]{2}")
_KINDS = {"label": "label", "alias": "alias", "acronym": "acronym"}
# How an identifier of each system is written as an IRI.
_IDENTIFIERS = {
    "wikidata": "http://www.wikidata.org/entity/{}",
    "grid": "https://www.grid.ac/institutes/{}",
    "isni": "https://isni.org/isni/{}",
    "fundref": "https://doi.org/10.13039/{}",
}


def read(files: Iterable[Raw], encoding: str | None = None) -> Iterator[Taken | SetAside]:
    """Every record of the dump."""
    seen = Once("the record")
    for raw in files:
        if raw.kind not in (".json", ".jsonl"):
            continue  # the archive holds the same once more as CSV
        if raw.name.endswith("-ror-data.json") and _first_schema(raw):
            continue  # and until 2025 once more in schema 1
        for found in objects(raw):
            if isinstance(found, SetAside):
                yield found
                continue
            number, record = found
            try:
                yield _record(record, number, raw.name, seen)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as problem:
                reason = str(problem) if isinstance(problem, BadRow) else f"is not as schema 2 says ({problem!r})"
                yield SetAside(raw.name, number, f"{str(record.get('id'))[:60]}: {reason}")


def _first_schema(raw: Raw) -> bool:
    """Whether a dump is in schema 1, whose records have a name, not names."""
    first = next(objects(raw), None)
    return isinstance(first, tuple) and "name" in first[1] and "names" not in first[1]


def _record(record: dict, number: int, file: str, seen: Once) -> Taken:
    iri = str(record["id"])
    if not _ID.fullmatch(iri):
        raise BadRow(f"{iri[:60]!r} is no ROR identifier")
    if record.get("status", "active") != "active":
        raise BadRow(f"is {record['status']}, not active")
    seen.check(iri)
    said = Statements(iri)
    names = names_of(_names(record["names"], said))
    said.a(ORG + "Organization")
    shown = _first(names)
    said.say(SKOS + "prefLabel", shown.value, shown.lang)
    for name in names:
        if name != shown:
            said.say(SKOS + "altLabel", name.value, name.lang)
    place = record["locations"][0].get("geonames_details") or {} if record.get("locations") else {}
    code = places.country(place.get("country_code") or "")
    town = said.text(place.get("name"), "place", 100)
    said.to(KV + "country", places.country_iri(code))
    said.say(SCHEMA + "addressLocality", town)
    homepage = next((link["value"] for link in record.get("links") or () if link.get("type") == "website"), "")
    homepage = said.link(FOAF + "homepage", homepage)
    same = tuple(_identifiers(record.get("external_ids") or ()))
    said.to(OWL + "sameAs", *(i for i in same if i.startswith("http://www.wikidata.org/")))
    said.say(DCTERMS + "identifier", iri.rpartition("/")[2])
    for other in same:
        if not other.startswith("http://www.wikidata.org/"):
            said.to(SKOS + "exactMatch", other)
    near = [(r.get("type"), r["id"]) for r in record.get("relationships") or () if _ID.fullmatch(str(r.get("id")))]
    parents = tuple(other for kind, other in near if kind == "parent")
    said.to(ORG + "subOrganizationOf", *parents)
    said.to(SKOS + "related", *(other for kind, other in near if kind == "related"))
    kinds = record.get("types") or []
    for kind in kinds:
        said.say(DCTERMS + "type", said.text(kind, "type", 40))
    if established := record.get("established"):
        if re.fullmatch(r"[0-9]{1,4}", str(established)):
            said.say(SCHEMA + "foundingDate", f"{int(established):04d}", datatype="gYear")
        else:
            said.notes.append(f"established is no year: {str(established)[:40]!r}")
    changed = day(((record.get("admin") or {}).get("last_modified") or {}).get("date", ""))
    seen.add(iri, number)
    organisation = Organisation(iri, names, code, town, "", homepage, ", ".join(kinds), (iri, *same), parents)
    return Taken(said.triples, organisation, file, number, tuple(said.notes), changed)


def _names(given: list[dict], said: Statements) -> Iterator[Name]:
    """The name that ROR shows first, then the others, of which bad ones are left out."""
    for number, name in enumerate(sorted(given, key=lambda n: "ror_display" not in n["types"])):
        kind = next((_KINDS[t] for t in name["types"] if t in _KINDS), "label")
        value = said.text(name["value"], "name") if number else needed(text(name["value"], "name"), "name")
        yield Name(value, name.get("lang") or "", kind)


def _first(names: tuple[Name, ...]) -> Name:
    if not names:
        raise BadRow("has no name")
    return names[0]


def _identifiers(given: list[dict]) -> Iterator[str]:
    for external in given:
        pattern = _IDENTIFIERS.get(external["type"])
        values = [external["preferred"]] if external.get("preferred") else (external["all"] or ())[:1]
        for value in values:
            value = str(value).replace(" ", "")
            if pattern and re.fullmatch(r"[A-Za-z0-9.]+", value):
                yield pattern.format(value)


def newest(listing: dict) -> str:
    """The address of the newest dump in the listing of Zenodo, where ROR publishes it. Raises :class:`BadRow`."""
    try:
        files = listing["hits"]["hits"][0]["files"]
        return next(file["links"]["self"] for file in files if file["key"].endswith(".zip"))
    except (KeyError, IndexError, TypeError, StopIteration):
        raise BadRow("is no listing of Zenodo") from None
