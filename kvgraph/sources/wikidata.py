"""Wikidata: organisations from the answer of its SPARQL service (JSON or CSV), or from entity JSON (``Special:EntityData``, dumps).

An answer has a row for each organisation and value, with the variables ``item`` and ``itemLabel``, and as many as there are of ``alias``,
``acronym``, ``country`` (a code of two letters), ``place``, ``homepage``, ``nuts``, ``kind``, ``parent``, ``ror``, ``grid``, ``isni`` and ``pic``. Rows about one
item follow one another. Only organisations are asked for; an entity that is a human being is set aside.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator

from ..model import PIC
from ..namespaces import DCTERMS, FOAF, KV, ORG, SCHEMA, SKOS
from . import places
from .json_stream import LONGEST, objects
from .raw import Raw, UnreadableFile
from .record import BadRow, Name, Once, Organisation, SetAside, Statements, Taken, names_of, text
from .tables import rows

ENTITY = "http://www.wikidata.org/entity/"
_ITEM = re.compile(r"(?:https?://www\.wikidata\.org/(?:entity|wiki)/)?(Q[1-9][0-9]*)")
_HUMAN = "Q5"
# Property of Wikidata, what it is here.
_CLAIMS = {
    "P1813": "acronym", "P856": "homepage", "P605": "nuts", "P749": "parent", "P6782": "ror", "P2427": "grid", "P213": "isni", "P5785": "pic",
}  # fmt: skip
# Identifiers, and the pattern of their IRIs.
_IDENTIFIERS = {
    "ror": (r"0[a-z0-9]{6}[0-9]{2}", "https://ror.org/{}"), "grid": (r"grid\.[0-9a-f.]+", "https://www.grid.ac/institutes/{}"),
    "isni": (r"[0-9]{15}[0-9X]", "https://isni.org/isni/{}"), "pic": (r"[0-9]{9}", PIC + "{}"),
}  # fmt: skip
# The countries that the rest of the graph has, by their item.
_COUNTRIES = dict(pair.split(":") for pair in (
    "Q40:AT Q31:BE Q219:BG Q224:HR Q229:CY Q213:CZ Q35:DK Q756617:DK Q191:EE Q33:FI Q142:FR Q183:DE Q41:GR Q28:HU Q27:IE Q38:IT Q211:LV Q37:LT Q32:LU "
    "Q233:MT Q55:NL Q29999:NL Q36:PL Q45:PT Q218:RO Q214:SK Q215:SI Q29:ES Q34:SE Q20:NO Q189:IS Q39:CH Q347:LI Q145:GB Q43:TR Q403:RS Q222:AL Q236:ME "
    "Q221:MK Q225:BA Q212:UA Q217:MD Q230:GE Q801:IL Q1246:XK"
).split())  # fmt: skip

Said = dict[str, list[str]]


def read(files: Iterable[Raw], encoding: str | None = None) -> Iterator[Taken | SetAside]:
    """Every organisation of the files."""
    seen = Once("item")
    for raw in files:
        found = _entities(raw) if raw.kind in (".json", ".jsonl") and not _is_answer(raw) else _items(_bindings(raw, encoding))
        for row in found:
            if isinstance(row, SetAside):
                yield row
                continue
            line, item, names, said = row
            try:
                about, organisation = _organisation(line, item, names, said, seen)
                yield Taken(about.triples, organisation, raw.name, line, tuple(about.notes))
            except BadRow as problem:
                yield SetAside(raw.name, line, f"{item[:60]}: {problem}")


def _is_answer(raw: Raw) -> bool:
    with raw.open() as stream:
        return b'"bindings"' in stream.read(1 << 16)


def _bindings(raw: Raw, encoding: str | None) -> Iterator[tuple[int, dict[str, str]] | SetAside]:
    if raw.kind in (".json", ".jsonl"):
        for found in objects(raw, "bindings"):
            if isinstance(found, SetAside):
                yield found
            else:
                number, binding = found
                yield number, {name: str(term.get("value", "")) for name, term in binding.items() if isinstance(term, dict)}
        return
    for row in rows(raw, ("item", "itemLabel"), encoding):
        yield row if isinstance(row, SetAside) else (row.line, {**row.cells, "itemLabel": row["itemLabel"]})


def _items(found: Iterator[tuple[int, dict[str, str]] | SetAside]) -> Iterator[tuple | SetAside]:
    """Rows about one item taken together."""
    current: tuple | None = None
    for row in found:
        if isinstance(row, SetAside):
            yield row
            continue
        line, cells = row
        item = cells.get("item", "")
        if current is None or current[1] != item:
            if current:
                yield current
            current = (line, item, [Name(cells.get("itemLabel", ""), "en")], {})
        _, _, names, said = current
        for name, value in cells.items():
            if name in ("alias", "acronym") and value:
                names.append(Name(value, kind=name))
            elif value and value not in said.setdefault(name, []):
                said[name].append(value)
    if current:
        yield current


def _entities(raw: Raw) -> Iterator[tuple | SetAside]:
    for found in _documents(raw):
        if isinstance(found, SetAside):
            yield found
            continue
        number, entity = found
        item = str(entity.get("id", ""))
        try:
            yield _entity(number, item, entity)
        except BadRow as problem:
            yield SetAside(raw.name, number, f"{item[:60]}: {problem}")
        except (AttributeError, TypeError, KeyError) as problem:
            yield SetAside(raw.name, number, f"{item[:60]}: is not as Wikidata writes entities ({problem!r})")


def _entity(number: int, item: str, entity: dict) -> tuple:
    claims = entity.get("claims") or {}
    if _HUMAN in _values(claims, "P31"):
        raise BadRow("is a person; people are not in the data")
    labels = [Name(v.get("value", ""), tag) for tag, v in sorted((entity.get("labels") or {}).items(), key=lambda i: (i[0] != "en", i[0]))]
    aliases = [Name(v.get("value", ""), tag, "alias") for tag, listed in sorted((entity.get("aliases") or {}).items()) for v in listed]
    said: Said = {name: _values(claims, property_) for property_, name in _CLAIMS.items()}
    said["country"] = [_COUNTRIES[q] for q in _values(claims, "P17") if q in _COUNTRIES]
    said["itemLabel"] = [label.value for label in labels[:1]]
    short = [Name(value, kind="acronym") for value in said.pop("acronym")]
    if not all(isinstance(name.value, str) for name in (*labels, *aliases)):
        raise BadRow("has a name that is no text")
    return number, item, [*labels, *aliases, *short], said


def _documents(raw: Raw) -> Iterator[tuple[int, dict] | SetAside]:
    """Entities of a dump (an array, or one in each line), or of one document ``{"entities": {"Q1": {…}}}``."""
    with raw.open() as stream:
        start = stream.read(64)
        whole = re.match(rb'(\xef\xbb\xbf)?\s*\{\s*"entities"', start)
        text_ = (start + stream.read(LONGEST + 1 - len(start))).removeprefix(codecs.BOM_UTF8) if whole else b""
    if not whole:
        yield from objects(raw)
        return
    if len(text_) > LONGEST:
        raise UnreadableFile(f"{raw.name} is too long for one document.", hint="Use a dump with one entity per line.")
    try:
        document = json.loads(text_)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"{raw.name} is no JSON: {str(error)[:200]}.", hint="It may be cut off: fetch it again.") from None
    if not isinstance(document.get("entities"), dict):
        raise UnreadableFile(f"{raw.name} has neither entities nor the answer of a query.", hint="Take the answer of the query service as JSON, or Special:EntityData.")
    for number, (item, entity) in enumerate(document["entities"].items(), 1):
        yield (number, entity) if isinstance(entity, dict) else SetAside(raw.name, number, f"{item[:60]}: is no entity")


def _values(claims: dict, property_: str) -> list[str]:
    """The values that Wikidata's own query service gives: the preferred ones, if there are none those of normal rank."""
    found, stated = [], list(claims.get(property_) or ()) if claims else []
    preferred = [claim for claim in stated if claim.get("rank") == "preferred"]
    for claim in preferred or stated:
        value = ((claim.get("mainsnak") or {}).get("datavalue") or {}).get("value")
        if claim.get("rank") == "deprecated" or value is None:
            continue
        found.append(value if isinstance(value, str) else str(value.get("id") or value.get("text") or ""))
    return [value for value in found if value]


def _organisation(line: int, item: str, names: list[Name], said: Said, seen: Once) -> tuple[Statements, Organisation]:
    if not (found := _ITEM.fullmatch(item)):
        raise BadRow("is no item of Wikidata")
    about = Statements(ENTITY + found[1])
    names = list(names_of(Name((about.text if number else text)(n.value, "name"), n.lang, n.kind) for number, n in enumerate(names)))
    if not names or re.fullmatch(r"Q[0-9]+", names[0].value):  # what the label service writes where there is none
        raise BadRow("has no label")
    iri = about.subject
    seen.add(iri, line)
    about.a(ORG + "Organization")
    for number, name in enumerate(names):
        first = number == 0
        about.say(SKOS + ("prefLabel" if first else "altLabel"), name.value, name.lang)
    first = {name: values[0] for name, values in said.items() if values}
    code = places.country(first.get("country", ""))
    about.to(KV + "country", places.country_iri(code))
    town = about.text(first.get("place"), "place", 100)
    about.say(SCHEMA + "addressLocality", town)
    about.to(DCTERMS + "spatial", places.region_iri(first.get("nuts", "")))
    homepage = about.link(FOAF + "homepage", first.get("homepage", ""))
    about.say(DCTERMS + "identifier", found[1])
    same = tuple(_identifiers(said, about.notes))
    about.to(SKOS + "exactMatch", *same)
    parents = tuple(ENTITY + p[1] for value in said.get("parent", ()) if (p := _ITEM.fullmatch(value)))
    about.to(ORG + "subOrganizationOf", *parents)
    kind = about.text(first.get("kind"), "kind", 100)
    about.say(DCTERMS + "type", kind)
    return about, Organisation(iri, tuple(names), code, town, first.get("nuts", ""), homepage, kind, (iri, *same), parents)


def _identifiers(said: Said, notes: list[str]) -> Iterator[str]:
    for name, (pattern, address) in _IDENTIFIERS.items():
        for value in said.get(name, ()):
            value = value.rpartition("/")[2].replace(" ", "")
            if re.fullmatch(pattern, value):
                yield address.format(value)
            else:
                notes.append(f"{name} is no identifier: {value[:40]!r}")
