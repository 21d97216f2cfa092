"""Research Organization Registry: the dump in JSON, schema 2.x (https://ror.readme.io/docs/data-structure).

Each active record becomes an ``org:Organization`` with its ROR address; withdrawn ones are set aside.
"""

import re
from collections.abc import Iterable, Iterator

from ..namespaces import DCTERMS, FOAF, KV, ORG, OWL, SCHEMA, SKOS
from . import places
from .json_stream import objects
from .raw import Raw, UnreadableFile
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
    dumps = [raw for raw in files if raw.kind in (".json", ".jsonl")]  # the archive holds the same once more as CSV
    second = [raw for raw in dumps if not _first_schema(raw)]  # and until 2025 once more in schema 1
    if dumps and not second:
        raise UnreadableFile(f"{dumps[0].name} is in schema 1, which ROR gave up.", hint="Take the file of the same dump whose name has “schema_v2” in it, or a newer dump.")
    for raw in second:
        for found in objects(raw):
            if isinstance(found, SetAside):
                yield found
                continue
            number, record = found
            try:
                yield _record(record, number, raw.name, seen)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as problem:
                reason = str(problem) if isinstance(problem, BadRow) else "is not as schema 2 says"
                yield SetAside(raw.name, number, f"{str(record.get('id'))[:60]}: {reason}")


def _first_schema(raw: Raw) -> bool:
    """Whether a dump is in schema 1, whose records have a name, not names."""
    first = next(objects(raw), None)
    return isinstance(first, tuple) and "name" in first[1] and "names" not in first[1]


def _record(record: dict, number: int, file: str, seen: Once) -> Taken:
    iri = _text(record, "id")
    if not _ID.fullmatch(iri):
        raise BadRow(f"{iri[:60]!r} is no ROR identifier")
    if record.get("status", "active") != "active":
        raise BadRow(f"is {record['status']}, not active")
    seen.check(iri)
    said = Statements(iri)
    names = names_of(_names(record, said))
    said.a(ORG + "Organization")
    shown = _first(names)
    said.say(SKOS + "prefLabel", shown.value, shown.lang)
    for name in names:
        if name != shown:
            said.say(SKOS + "altLabel", name.value, name.lang)
    place = next((found for location in _listed(record, "locations", said) if isinstance(found := location.get("geonames_details"), dict)), {})
    code = places.country(_text(place, "country_code"))
    town = said.text(_text(place, "name"), "place", 100)
    said.to(KV + "country", places.country_iri(code))
    said.say(SCHEMA + "addressLocality", town)
    homepage = next((_text(link, "value") for link in _listed(record, "links", said) if link.get("type") == "website"), "")
    homepage = said.link(FOAF + "homepage", homepage)
    same = tuple(_identifiers(_listed(record, "external_ids", said)))
    said.to(OWL + "sameAs", *(i for i in same if i.startswith("http://www.wikidata.org/")))
    said.say(DCTERMS + "identifier", iri.rpartition("/")[2])
    for other in same:
        if not other.startswith("http://www.wikidata.org/"):
            said.to(SKOS + "exactMatch", other)
    near = [(r.get("type"), r["id"]) for r in _listed(record, "relationships", said) if _ID.fullmatch(str(r.get("id")))]
    parents = tuple(other for kind, other in near if kind == "parent")
    said.to(ORG + "subOrganizationOf", *parents)
    said.to(SKOS + "related", *(other for kind, other in near if kind == "related"))
    kinds = [kind for kind in given if isinstance(kind, str)] if isinstance(given := record.get("types"), list) else []
    for kind in kinds:
        said.say(DCTERMS + "type", said.text(kind, "type", 40))
    if established := record.get("established"):
        if re.fullmatch(r"[0-9]{1,4}", str(established)):
            said.say(SCHEMA + "foundingDate", f"{int(established):04d}", datatype="gYear")
        else:
            said.notes.append(f"established is no year: {str(established)[:40]!r}")
    changed = _changed(record, said)
    seen.add(iri, number)
    organisation = Organisation(iri, names, code, town, "", homepage, ", ".join(kinds), (iri, *same), parents)
    return Taken(said.triples, organisation, file, number, tuple(said.notes), changed)


def _listed(record: dict, member: str, said: Statements) -> list[dict]:
    """The objects in a list that a record can do without; what is none is noted and left out."""
    given = record.get(member) or []
    objects_ = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    if not isinstance(given, list) or len(objects_) < len(given):
        said.notes.append(f"{member} has what is not as schema 2 says: {str(given)[:60]!r}")
    return objects_


def _text(of: dict, member: str) -> str:
    value = of.get(member)
    return value if isinstance(value, str) else ""


def _changed(record: dict, said: Statements) -> str:
    """The day on which ROR changed the record last, empty where it does not say."""
    admin = record.get("admin")
    modified = admin.get("last_modified") if isinstance(admin, dict) else None
    try:
        return day(_text(modified, "date")) if isinstance(modified, dict) else ""
    except BadRow as problem:
        said.notes.append(f"last_modified {problem}")
        return ""


def _names(record: dict, said: Statements) -> Iterator[Name]:
    """The name that ROR shows first, then the others, of which bad ones are left out."""
    given = [(name, [t for t in types if isinstance(t, str)]) for name in _listed(record, "names", said) if isinstance(types := name.get("types") or [], list)]
    for number, (name, types) in enumerate(sorted(given, key=lambda pair: "ror_display" not in pair[1])):
        kind = next((_KINDS[t] for t in types if t in _KINDS), "label")
        value = said.text(_text(name, "value"), "name") if number else needed(text(_text(name, "value"), "name"), "name")
        yield Name(value, _text(name, "lang"), kind)


def _first(names: tuple[Name, ...]) -> Name:
    if not names:
        raise BadRow("has no name")
    return names[0]


def _identifiers(given: list[dict]) -> Iterator[str]:
    for external in given:
        pattern = _IDENTIFIERS.get(_text(external, "type"))
        every = external.get("all")
        value = _text(external, "preferred") or (every if isinstance(every, str) else str(every[0]) if isinstance(every, list) and every else "")
        value = value.replace(" ", "")
        if pattern and re.fullmatch(r"[A-Za-z0-9.]+", value):
            yield pattern.format(value)


def newest(listing: dict) -> str:
    """The address of the newest dump in the listing of Zenodo, where ROR publishes it. Raises :class:`BadRow`."""
    try:
        files = listing["hits"]["hits"][0]["files"]
        return next(file["links"]["self"] for file in files if file["key"].endswith(".zip"))
    except (KeyError, IndexError, TypeError, StopIteration):
        raise BadRow("is no listing of Zenodo") from None
