"""The shapes read as a form: which fields a record of a kind has, in which order and groups, what each must be, and how it is asked for."""

from dataclasses import dataclass, replace
from functools import lru_cache

import pyoxigraph as ox

from ..namespaces import DCTERMS, KV, PROV, RDF, RDFS, SH, SHAPES, SKOS
from ..resources import folder

CLASSES = {"practice": "Practice", "learning-example": "LearningExample", "actor": "Actor"}  # the kinds of record that can be contributed
GIVEN = {DCTERMS + "identifier", SKOS + "closeMatch"}  # by curators, or found by comparing
PARTS = PROV + "qualifiedAssociation"
ROLES = ("partner", "funder", "host", "beneficiary")  # the lead has a field of its own
PROSE = 400  # characters above which a text has room for sentences
_THINGS = {KV + "Actor": "actor", KV + "Policy": "policy", KV + "Practice": "practice", KV + "Principle": "principle", KV + "LearningExample": "learning-example"}
_NEEDS = {"Violation": "must", "Warning": "should", "Info": "could"}


@dataclass(frozen=True)
class Field:
    """A property as it is asked for. ``kind``: text, prose, choice, thing, date, link or part; ``need``: must, should, could or nothing.

    ``options`` are the IRIs to choose from, ``types`` the kinds of thing that can be looked up (names as in :mod:`kvgraph.model`, or country). ``classified``:
    it is concluded rather than read.
    """

    name: str
    path: str
    label: str
    help: str
    order: int
    group: str
    kind: str
    need: str = ""
    many: bool = True
    tongue: bool = False  # whether a text has a language
    options: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    longest: int = 2000
    message: str = ""

    @property
    def classified(self) -> bool:
        return self.kind == "choice" or self.kind == "thing" and self.types[0] not in ("actor", "country") or self.path.startswith(SKOS) and self.kind == "link"


@dataclass(frozen=True)
class Section:
    """Fields under a heading."""

    name: str
    heading: str
    fields: tuple[Field, ...]


@lru_cache(maxsize=8)
def form(type_: str) -> tuple[Section, ...]:
    """The sections of the form for a kind of record.

    >>> [section.heading for section in form("actor")]
    ['What it is', 'Where', 'Links to other records']
    >>> title = form("practice")[0].fields[0]
    >>> title.name, title.kind, title.need, title.many
    ('title', 'text', 'must', True)
    """
    shapes = _shapes()
    found: dict[str, Field] = {}
    for shape in shapes.objects(SHAPES + CLASSES[type_], SH + "property"):
        if (field := _field(shapes, shape)) and field.path not in GIVEN:
            found[field.path] = _joined(found[field.path], field) if field.path in found else field
    for path, need in _rules(shapes, KV + CLASSES[type_]).items():
        if path in found:
            found[path] = _joined(found[path], replace(found[path], need=need))
    return _sections(shapes, found.values())


@lru_cache(maxsize=1)
def origin() -> tuple[Field, ...]:
    """What is asked of the page that a contribution rests on."""
    shapes = _shapes()
    wanted = ("StatementGraph-source", "StatementGraph-seenOn", "StatementGraph-sourceKind", "StatementGraph-hasSourceKind", "StatementGraph-comment")
    found: dict[str, Field] = {}
    for name in wanted:
        field = _field(shapes, SHAPES + name)
        found[field.path] = _joined(found[field.path], field) if field.path in found else field
    return tuple(replace(field, many=False) for field in found.values())


@lru_cache(maxsize=8)
def by_path(type_: str) -> dict[str, Field]:
    return {field.path: field for section in form(type_) for field in section.fields}


def _field(shapes: "_Graph", shape: str) -> Field | None:
    path = shapes.value(shape, SH + "path")
    if not isinstance(path, ox.NamedNode):  # a rule about a path of several steps is no field
        return None
    one = lambda name: shapes.text(shape, SH + name)  # noqa: E731
    kind, extra = _kind(shapes, shape, path.value)
    severity = (one("severity") or SH + "Violation").removeprefix(SH)
    return Field(
        name=path.value.rpartition("#")[2].rpartition("/")[2], path=path.value, label=one("name"), help=one("description"), order=int(one("order") or 99),
        group=one("group"), kind=kind, need=_NEEDS[severity] if one("minCount") not in ("", "0") else "", many=one("maxCount") != "1", message=one("message"), **extra,
    )  # fmt: skip


def _kind(shapes: "_Graph", shape: str, path: str) -> tuple[str, dict]:
    """How a property is asked for, as far as this shape tells."""
    datatype, class_, pattern = (shapes.text(shape, SH + name) for name in ("datatype", "class", "pattern"))
    longest = int(shapes.text(shape, SH + "maxLength") or 0) or 2000
    alternatives = shapes.list(shapes.value(shape, SH + "or"))
    if options := shapes.list(shapes.value(shape, SH + "in")):
        return "choice", {"options": tuple(o.value for o in options)}
    if path == PARTS:
        return "part", {"types": ("actor",)}
    if class_ == SKOS + "Concept":
        return "thing", {"types": ("region", "country") if "nuts" in pattern else ("country",)}
    classes = [class_] if class_ else [found for a in alternatives if (found := shapes.text(a.value, SH + "class"))]
    if classes:
        return "thing", {"types": tuple(_THINGS[c] for c in classes)}
    if alternatives:
        return "date", {"longest": 10}
    if datatype == RDF + "langString" or shapes.text(shape, SH + "nodeKind") == SH + "Literal":
        return "prose" if longest > PROSE else "text", {"longest": longest, "tongue": datatype == RDF + "langString"}
    return ("link", {"longest": 1000}) if shapes.text(shape, SH + "nodeKind") == SH + "IRI" else ("", {})


def _joined(a: Field, b: Field) -> Field:
    """What two shapes say about one property: the one says what it has to be, the other that it should be there."""
    main, other = (a, b) if a.kind else (b, a)
    need = min((n for n in (a.need, b.need) if n), key=("must", "should", "could").index, default="")
    return replace(main, need=need, many=a.many and b.many, message=main.message if main.need or not other.need else main.message)


def _rules(shapes: "_Graph", class_: str) -> dict[str, str]:
    """What rules across properties want first: "a country, or a level that needs none"."""
    found = {}
    for shape in shapes.subjects(SH + "targetClass", class_):
        for first in shapes.list(shapes.value(shape, SH + "or"))[:1]:
            path, least = shapes.value(first.value, SH + "path"), shapes.text(first.value, SH + "minCount")
            if isinstance(path, ox.NamedNode) and least:
                found[path.value] = _NEEDS[shapes.text(shape, SH + "severity").removeprefix(SH)]
    return found


def _sections(shapes: "_Graph", fields) -> tuple[Section, ...]:
    groups: dict[str, list[Field]] = {}
    for field in sorted(fields, key=lambda f: f.order):
        groups.setdefault(field.group, []).append(field)
    ordered = sorted(groups, key=lambda g: int(shapes.text(g, SH + "order") or 99))
    return tuple(Section(g.removeprefix(SHAPES), shapes.text(g, RDFS + "label"), tuple(groups[g])) for g in ordered)


class _Graph:
    """The shapes, for looking things up."""

    def __init__(self, store: ox.Store):
        self.store = store

    def objects(self, subject: str, predicate: str) -> list[str]:
        return sorted(q.object.value for q in self.store.quads_for_pattern(_node(subject), ox.NamedNode(predicate), None))

    def subjects(self, predicate: str, object_: str) -> list[str]:
        return sorted(q.subject.value for q in self.store.quads_for_pattern(None, ox.NamedNode(predicate), ox.NamedNode(object_)))

    def value(self, subject: str, predicate: str):
        return next((q.object for q in self.store.quads_for_pattern(_node(subject), ox.NamedNode(predicate), None)), None)

    def text(self, subject: str, predicate: str) -> str:
        found = self.value(subject, predicate)
        return found.value if found is not None else ""

    def list(self, head) -> list:
        found = []
        while head is not None and head.value != RDF + "nil":
            found.append(self.value(head.value, RDF + "first"))
            head = self.value(head.value, RDF + "rest")
        return found


def _node(name: str) -> ox.NamedNode | ox.BlankNode:
    return ox.NamedNode(name) if ":" in name else ox.BlankNode(name)


@lru_cache(maxsize=1)
def _shapes() -> _Graph:
    store = ox.Store()
    for path in sorted(folder("shapes").glob("*.ttl")):
        store.extend(ox.Quad(*t.triple) if hasattr(t, "triple") else ox.Quad(*t) for t in ox.parse(path=str(path)))
    return _Graph(store)


def rule_path(shape: str) -> str:
    """Which property a rule across properties asks for, or is about; empty if that is no rule of ours.

    >>> rule_path(SHAPES + "PlacedRecord") == KV + "country", rule_path(SHAPES + "EndedRecord-endAfterStart").rpartition("/")[2]
    (True, 'endDate')
    """
    shapes = _shapes()
    for first in shapes.list(shapes.value(shape, SH + "or"))[:1]:
        path = shapes.value(first.value, SH + "path")
        return path.value if isinstance(path, ox.NamedNode) else ""
    for owner in shapes.subjects(SH + "sparql", shape):
        return shapes.text(owner, SH + "targetSubjectsOf")
    return ""
