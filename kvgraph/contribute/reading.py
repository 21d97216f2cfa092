"""Records from files: TriG, Turtle and JSON-LD, tables (CSV, XLSX), and plain JSON of a program.

Whatever comes in is a stranger's: nothing is fetched, XML is not read at all but inside a spreadsheet whose size was looked at first, and how much there may be of
everything is bounded. A file speaks of new records only; about what others have described, corrections are made one by one.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyoxigraph as ox

from .. import spreadsheet
from ..graph import Graph
from ..namespaces import DCTERMS, ID, KV, PROV, RDF, RDFS
from ..params import expand
from . import known
from .checks import MOST_VALUES, too_much
from .fields import CLASSES, GIVEN, PARTS, Field, by_path
from .parsing import MOST_RECORDS, RDF_FORMATS, Unreadable, children, loaded, quads
from .record import LEAD, Record, Value, date_value, is_ours, value_of
from .tables import csv_rows, xlsx_rows

MOST_NAMES = 500  # to be looked up for a file
COLUMNS = ("page", "seen", "source_kind")  # of a table, besides the fields
FORMATS = {
    "application/trig": "trig", "text/turtle": "turtle", "application/ld+json": "jsonld", "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx", "application/json": "json",
}  # fmt: skip
SUFFIXES = {".trig": "trig", ".ttl": "turtle", ".jsonld": "jsonld", ".csv": "csv", ".xlsx": "xlsx", ".json": "json"}


def format_of(name: str, media_type: str = "") -> str:
    """The format of a file, by the end of its name, else by its media type. Raises :class:`Unreadable`.

    >>> format_of("ours.TriG"), format_of("", "application/ld+json; charset=utf-8")
    ('trig', 'jsonld')
    """
    for suffix, format_ in SUFFIXES.items():
        if name.lower().endswith(suffix):
            return format_
    if found := FORMATS.get(media_type.partition(";")[0].strip().lower()):
        return found
    raise Unreadable("Files of this kind are not taken.", hint="TriG (.trig), Turtle (.ttl), JSON-LD (.jsonld), CSV (.csv) and XLSX (.xlsx) are; RDF/XML is not.")


def read(content: bytes, format_: str, graph: Graph, type_: str = "") -> list[Record]:
    """The records of a file. ``type_`` is the kind of record in the rows of a table. Raises :class:`Unreadable`."""
    if format_ in RDF_FORMATS:
        found = _of_rdf(quads(content, format_), graph)
    elif format_ == "json":
        found = _of_json(content, Names(graph))
    else:
        found = _of_table(content, format_, type_, Names(graph))
    if not found:
        raise Unreadable("There is no record in this.", hint="A record of RDF has the type kv:Practice, kv:LearningExample or kv:Actor; one of a table is a row.")
    records = [Record.of(record.content()) for record in found]
    for finding in (f for record in records for f in too_much(record)):
        raise Unreadable(finding.message, hint="Leave out what matters least.")
    return records


def _require_few(number: int) -> None:
    if number > MOST_RECORDS:
        raise Unreadable(f"{number:,} records are more than can be reviewed: at most {MOST_RECORDS} are taken at once.", hint="Choose the best, or ask the operators to import the whole as a source.")


# ── RDF ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_rdf(quads: list[ox.Quad], graph: Graph) -> list[Record]:
    if any(isinstance(q.object, ox.Triple) for q in quads):
        raise Unreadable("There are statements about statements in this.", hint="Leave out what stands in << >>.")
    classes = {KV + class_: name for name, class_ in CLASSES.items()}
    types = {q.subject: classes[q.object.value] for q in quads if q.predicate.value == RDF + "type" and q.object.value in classes}
    _require_few(len(types))
    said: dict = {}
    for subject, predicate, value in dict.fromkeys((q.subject, q.predicate.value, q.object) for q in quads):
        said.setdefault(subject, {}).setdefault(predicate, []).append(value)
    parts = {s for s, p in said.items() if PROV + "agent" in p}
    graphs = {s for s, p in said.items() if KV + "basis" in p}
    of_graph = {subject: {q.graph_name for q in quads if q.subject == subject} for subject in types}
    _require_own(said, types, parts, graphs)
    return [_record(s, types[s], said, {g: said[g] for g in graphs if g in of_graph[s]} or {g: said[g] for g in graphs}, graph) for s in types]


def _require_own(said: dict, types: dict, parts: set, graphs: set) -> None:
    """Nothing is said about anything but the records of the file, the parts in them and the graphs they stand in."""
    about = [s for s in said if s not in types and s not in parts and s not in graphs and not s.value.startswith((ID + "contributor/", ID + "submission/"))]
    if about:
        names = ", ".join(f"<{s.value}>"[:120] for s in about[:3]) + (" …" if len(about) > 3 else "")
        raise Unreadable(f"This says something about what is none of its records: {names}.", hint="Leave that out. What others have described is corrected on its own page.")
    for subject in types:
        if isinstance(subject, ox.NamedNode) and not is_ours(subject.value):
            raise Unreadable(f"The address <{subject.value[:200]}> is none of ours.", hint=f"Write {ID}practice/ and a name in small letters and hyphens, or leave the address out.")
    for part in parts:
        if not any(part in values for s in types for values in said[s].values()):
            raise Unreadable(f"This says who took part in something that is none of its records: <{part.value[:120]}>.", hint="Leave that out.")


def _record(subject, type_: str, said: dict, graphs: dict, graph: Graph) -> Record:
    record, names = Record(type_, thing=subject.value if isinstance(subject, ox.NamedNode) else ""), by_path(type_)
    if record.thing and (not record.thing.startswith(f"{ID}{type_}/")):
        raise Unreadable(f"<{record.thing[:200]}> is the address of another kind of thing.", hint=f"Write {ID}{type_}/ and a name.")
    if record.thing and known.exists(graph, record.thing):
        raise Unreadable(f"<{record.thing}> is described here already.", hint="What others have described is corrected on its own page: “Correct this record”.")
    for path, objects in said[subject].items():
        if path == RDF + "type":
            continue
        if path in GIVEN:
            raise Unreadable(f"{path.rpartition('/')[2].rpartition('#')[2]} is given by the curators.", hint="Leave it out.")
        if path not in names:
            raise Unreadable(f"A {type_} has no property <{path[:120]}>.", hint="Leave it out. Properties are: " + ", ".join(f.name for f in names.values()) + ".")
        if path == PARTS:
            record.values[PARTS] = [_part(said.get(o, {})) for o in objects]
        elif any(isinstance(o, ox.BlankNode) for o in objects):
            raise Unreadable(f"A value of <{path[:120]}> is a blank node.", hint="Give it an address, or leave it out.")
        else:
            record.values[path] = [value_of(o) for o in objects]
    _tidy(record)
    for about in graphs.values():
        _origin(record, {path: objects[0].value for path, objects in about.items()})
    return record


def _part(said: dict) -> Value:
    agent, role = (said.get(PROV + name) for name in ("agent", "hadRole"))
    if not agent or not role:
        raise Unreadable("Somebody's part in a record has no prov:agent or no prov:hadRole.", hint="Write both.")
    return {"agent": agent[0].value, "role": role[0].value}


def _tidy(record: Record) -> None:
    """The part of a lead follows from the lead."""
    leads = {v.get("iri") for v in record.values.get(LEAD, ())}
    left = [v for v in record.values.pop(PARTS, []) if not (v["role"] == ID + "role/lead" and v["agent"] in leads)]
    if left:
        record.values[PARTS] = left


def _origin(record: Record, about: dict[str, str]) -> None:
    record.page = record.page or about.get(DCTERMS + "source", "")
    record.seen = record.seen or about.get(KV + "seenOn", "")
    record.source_kind = record.source_kind or about.get(KV + "sourceKind", "")
    record.note = record.note or about.get(RDFS + "comment", "")


class Names:
    """The names in a file, looked up in the graph once each, and not without end."""

    def __init__(self, graph: Graph):
        self.graph, self._found = graph, {}

    def meant(self, text: str, types: tuple[str, ...]) -> str:
        """The thing of that name, or an empty text. Raises :class:`Unreadable` if the file has too many names."""
        if (text, types) not in self._found:
            if len(self._found) == MOST_NAMES:
                raise Unreadable(f"There are more than {MOST_NAMES:,} names of organisations, places and other things in this.", hint="Send it in several files.")
            self._found[text, types] = known.meant(self.graph, text, types)[0]
        return self._found[text, types]


# ── Plain JSON ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_json(content: bytes, names: Names) -> list[Record]:
    given = loaded(content)
    several = given if isinstance(given, list) else [given]
    _require_few(len(several))
    return [_plain(one, names) for one in several]


def _plain(given: Any, names: Names) -> Record:
    """``{"type": "practice", "values": {"title": {"en": "…"}, "country": "country:ESP"}, "page": "https://…", "licence": true …}``."""
    if not isinstance(given, dict) or given.get("type") not in tuple(CLASSES) or not isinstance(given.get("values"), dict):
        raise Unreadable(f"A record is an object with a type ({', '.join(CLASSES)}) and values.", hint='For example: {"type": "practice", "values": {"title": {"en": "Living lab"}}}')
    record, fields = Record(given["type"]), {f.name: f for f in by_path(given["type"]).values()}
    _require_values(sum(map(_number, given["values"].values())))
    for name, value in given["values"].items():
        if name not in fields:
            raise Unreadable(f"A {given['type']} has no field {str(name)[:60]!r}.", hint="Fields are: " + ", ".join(fields) + ".")
        record.values[fields[name].path] = list(_values(fields[name], value, record, names))
    for name in ("page", "seen", "note", "relation", "credit"):
        setattr(record, name, str(given.get(name) or "")[:2001])
    record.source_kind = _code("source-kind", str(given.get("source_kind") or ""))
    record.licence = given.get("licence") is True
    return record


def _number(given: Any) -> int:
    return sum(map(_number, children(given))) if isinstance(given, (list, dict)) else 1


def _require_values(number: int) -> None:
    """Before each is looked up."""
    if number > MOST_VALUES * 2:  # of a part there are two
        raise Unreadable(f"A record has at most {MOST_VALUES} values; one of these has {number:,}.", hint="Leave out what matters least.")


def _values(field: Field, given: Any, record: Record, names: Names) -> Iterable[Value]:
    """What a field is given, in one of the ways of writing it: a text, a list of them, texts by language, or of a part an actor and a role."""
    for one in given if isinstance(given, list) else [given]:
        if one is None:
            continue
        if field.kind == "part":
            if not isinstance(one, dict) or not {"agent", "role"} <= one.keys():
                raise Unreadable(f"The field {field.name} takes objects with an agent and a role.")
            yield from _thing(field, _text(one["agent"], field), record, names, _code("role", _text(one["role"], field)))
        elif isinstance(one, dict) and field.tongue:
            for tag, texts in one.items():
                for text in texts if isinstance(texts, list) else [texts]:
                    yield from _written(field, _text(text, field), record, names, tag)
        else:
            yield from _written(field, _text(one, field), record, names)


def _text(given: Any, field: Field) -> str:
    """What JSON gives as a text; ``null`` is none."""
    if given is None:
        return ""
    if not isinstance(given, (str, int)) or isinstance(given, bool):
        raise Unreadable(f"The field {field.name} takes texts.")
    return str(given)


def _written(field: Field, text: str, record: Record, names: Names, lang: str = "en") -> Iterable[Value]:
    text = text.strip()
    if not text:
        return
    if field.kind == "choice":
        yield {"iri": _code(field.options[0][len(ID) :].partition("/")[0], text)}
    elif field.kind == "thing":
        yield from _thing(field, text, record, names)
    elif field.kind == "date":
        yield date_value(text)
    elif field.kind == "link":
        yield {"iri": text}
    else:
        yield {"text": text, "lang": lang} if field.tongue else {"text": text}


def _thing(field: Field, text: str, record: Record, names: Names, role: str = "") -> Iterable[Value]:
    found = names.meant(text, field.types)
    if found:
        yield {"agent": found, "role": role} if role else {"iri": found}
    else:
        record.unclear.setdefault(field.name, []).append(text[:300])


def _code(list_: str, text: str) -> str:
    """A term of a code list, by its IRI, its short id or its last part."""
    text = text.strip()
    return expand(text) if "/" in text or ":" in text else f"{ID}{list_}/{text}" if text else ""


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_table(content: bytes, format_: str, type_: str, names: Names) -> list[Record]:
    if type_ not in CLASSES:
        raise Unreadable("Say what the rows of the table are.", hint=f"Kinds of record are: {', '.join(CLASSES)}.")
    rows = csv_rows(content) if format_ == "csv" else xlsx_rows(content)
    if not rows:
        return []
    header, rows = [cell.strip() for cell in rows[0]], [row for row in rows[1:] if any(cell.strip() for cell in row)]
    _require_few(len(rows))
    fields = _columns(header, type_)
    return [_row(type_, header, fields, row, names) for row in rows]


def _columns(header: list[str], type_: str) -> dict[str, Field]:
    names = {f.name: f for f in by_path(type_).values()}
    unknown = [c for c in header if c and c.partition("@")[0] not in names and c not in COLUMNS]
    if unknown or (twice := [c for c, n in Counter(filter(None, header)).items() if n > 1]):
        wrong = f"There is no column {unknown[0][:60]!r}" if unknown else f"The column {twice[0][:60]!r} is there twice"
        raise Unreadable(f"{wrong}.", hint="Columns are: " + ", ".join((*names, *COLUMNS)) + "; texts in other languages as title@fr.")
    return names


def _row(type_: str, header: list[str], fields: dict[str, Field], row: list[str], names: Names) -> Record:
    record = Record(type_)
    _require_values(sum(cell.count(";") + 1 for cell in row if len(cell) > MOST_VALUES))
    for column, cell in zip(header, row):
        name, _, lang = column.partition("@")
        if name in fields:
            field = fields[name]
            several = [cell] if field.kind in ("text", "prose") else cell.split(";")
            for text in several:
                if field.kind == "part":
                    agent, _, role = text.rpartition(" | ") if " | " in text else (text, "", "partner")
                    found = list(_thing(field, agent, record, names, _code("role", role))) if agent.strip() else []
                else:
                    found = list(_written(field, text, record, names, lang or "en"))
                record.values.setdefault(field.path, []).extend(found)
        elif name in COLUMNS:
            setattr(record, name, _code("source-kind", cell) if name == "source_kind" else cell.strip()[:1001])
    record.values = {path: values for path, values in record.values.items() if values}
    return record


def template(type_: str, suffix: str) -> tuple[bytes, str]:
    """An empty table for a kind of record, and its media type."""
    header = [f.name + ("@en" if f.tongue else "") for f in by_path(type_).values()] + list(COLUMNS)
    if suffix == "csv":
        out = io.StringIO(newline="")
        csv.writer(out).writerow(header)
        return out.getvalue().encode("utf-8-sig"), "text/csv"
    file = io.BytesIO()
    spreadsheet.write_rows(header, [], file)
    return file.getvalue(), spreadsheet.XLSX.media_type
