"""Whether a record can be accepted: what the form wants, and then the shapes, by the code that also judges a release."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import pyoxigraph as ox

from ..build.validation import ntriples, results_of
from ..graph import Graph
from ..namespaces import KV, PREFIXES
from . import known
from .fields import PARTS, by_path, origin, rule_path
from .record import RELATIONS, Record, Value, participation, term, triples

MOST_VALUES = 200  # of one record
MOST_LETTERS = 60_000
SEVERITIES = ("Violation", "Warning", "Info")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_SEEN = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?")
_LINK = re.compile(r"https?://[^/\s]+[^\s]*")


@dataclass(frozen=True)
class Finding:
    """Something to mend or to better: ``field`` is the name of the field it is about, empty if that is none in particular."""

    severity: str
    field: str
    message: str
    value: str = ""


def check(record: Record, graph: Graph, terms: bool = True) -> list[Finding]:
    """What is wrong with a record, worst first. ``terms``: whether page, licence and credit are wanted, as they are for what is submitted."""
    found = too_much(record) + _unclear(record) + (_origin(record) if terms else [])
    bad, rest = _bad_terms(record)
    told = {f.field for f in bad}
    found += bad + [f for f in _shapes(rest, graph) if not f.field or f.field not in told]
    return sorted(dict.fromkeys(found), key=lambda f: SEVERITIES.index(f.severity))


def violations(found: list[Finding]) -> list[Finding]:
    return [f for f in found if f.severity == "Violation"]


def too_much(record: Record) -> list[Finding]:
    """How far a record is larger than any may be, drafts too: its page would take seconds to make."""
    values = [v for several in record.values.values() for v in several] + [{"text": text} for several in record.unclear.values() for text in several]
    found = []
    if len(values) > MOST_VALUES:
        found.append(Finding("Violation", "", f"A record has at most {MOST_VALUES} values; this one has {len(values):,}."))
    rest = (record.page, record.seen, record.source_kind, record.note, record.credit)
    if sum(len(text) for v in values for text in v.values()) + sum(map(len, rest)) > MOST_LETTERS:
        found.append(Finding("Violation", "", f"All texts of a record together have at most {MOST_LETTERS:,} characters."))
    return found


def _unclear(record: Record) -> list[Finding]:
    labels = {f.name: f.label[:1].upper() + f.label[1:] for f in by_path(record.type).values()}
    return [
        Finding("Violation", name, f"{labels.get(name, name)}: which one do you mean? Choose it from what was found, write its name as it is here, or contribute it first.", text)
        for name, texts in record.unclear.items() for text in texts
    ]  # fmt: skip


def _origin(record: Record) -> list[Finding]:
    source, seen, kind, note = origin()
    found = []
    if not _LINK.fullmatch(record.page) or not _is_iri(record.page):
        found.append(Finding("Violation", "page", source.message))
    if not _SEEN.fullmatch(record.seen):
        found.append(Finding("Violation", "seen", "Say when the page was read: a month (2026-11) or a day (2026-11-22)."))
    if record.source_kind and record.source_kind not in kind.options:
        found.append(Finding("Violation", "source_kind", kind.message))
    if "<" in record.note or len(record.note) > note.longest:
        found.append(Finding("Violation", "note", note.message))
    if record.relation not in RELATIONS:
        found.append(Finding("Violation", "relation", "Say how you are related to what you describe."))
    if not record.licence:
        found.append(Finding("Violation", "licence", "Only what may be published under CC BY 4.0 can be taken."))
    if not record.credit_actor and not 2 <= len(record.credit.strip()) <= 80 or re.search(r"[<>\x00-\x1f]", record.credit):
        found.append(Finding("Violation", "credit", "Say who is to be named for this: an organisation, a role, or a name you choose, of 2 to 80 characters."))
    return found


def _is_iri(text: str) -> bool:
    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return len(text) <= 1000


def _is_part(record: Record, value: Value) -> bool:
    """Whether a part can be given an IRI, which is made of those of the actor and the role."""
    return all(map(_is_iri, value.values())) and _is_iri(participation(record.thing, value["agent"], value["role"]))


def _bad_terms(record: Record) -> tuple[list[Finding], Record]:
    """What no RDF can be made of, and the record without it."""
    found, names, fit = [], by_path(record.type), {}
    for path, values in record.values.items():
        name = names[path].name if path in names else ""
        fit[path] = []
        for value in values:
            try:
                fine = _is_part(record, value) if path == PARTS else (not value.get("lang") or _LANGUAGE.fullmatch(value["lang"])) and bool(str(term(value)))
            except (ValueError, KeyError):
                fine = False
            if fine:
                fit[path].append(value)
            else:
                found.append(Finding("Violation", name, names[path].message if name else "This value is not well-formed.", value.get("iri") or value.get("text", "")))
    return found, replace(record, values=fit) if found else record


def _shapes(record: Record, graph: Graph) -> list[Finding]:
    said = triples(record)
    around = known.context(graph, [record.thing, *(t.object.value for t in said if isinstance(t.object, ox.NamedNode) and not t.object.value.startswith(KV))])
    own = {record.thing, *(t.subject.value for t in said)}
    around = [t for t in around if t.subject.value not in own]  # a correction is judged by what it says, not by what was said
    found = []
    for result in _validated(tuple(said), tuple(around)):
        if result.focus in own:
            found.append(Finding(result.severity, _field(record, result), result.message, "" if record.thing in (result.value or "") else _plain(result.value)))
    return found


@lru_cache(maxsize=64)
def _validated(said: tuple, around: tuple) -> tuple:
    """By the fast engine: the reference takes a hundred times as long, and readers of the same web process wait for it."""
    from ..validate import Result  # takes half a second to import, and most processes never check a record

    return tuple(Result(**result) for result in results_of(ntriples([*said, *around])))


def _field(record: Record, result) -> str:
    if result.focus != record.thing:
        return "qualifiedAssociation"
    path = _iri(result.path) if result.path else rule_path(result.shape)
    names = by_path(record.type)
    return names[path].name if path in names else ""


def _iri(path: str) -> str:
    prefix, _, local = path.partition(":")
    return path.strip("<>") if path.startswith("<") else PREFIXES.get(prefix, "") + local


def _plain(value: str | None) -> str:
    """A value of the report as a person would write it."""
    if not value:
        return ""
    try:
        node = next(iter(ox.parse(f"<s:s> <p:p> {value} .", format=ox.RdfFormat.TURTLE))).object
    except SyntaxError:
        return value.strip("<>")[:200]
    return node.value[:200]
