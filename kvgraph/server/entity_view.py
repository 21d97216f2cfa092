"""What the page about a thing shows: statements in a reader's order, each with its sources, and what leads here."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pyoxigraph as ox

from ..graph import Graph, Rows, UnknownThing, best_label
from ..model import ENTITY_TYPES, LABEL_PROPERTIES, EntityType
from ..namespaces import DCTERMS, ID, KV, LOCN, ORG, PROV, RDF, SKOS
from .display import Shown, sentence, show
from .reading_order import HIDDEN, INCOMING, INCOMING_HIDDEN, LEAD, REST, SECTIONS, WORDS

FEW = 12  # things of a group that are listed at once; the others unfold


@dataclass
class Source:
    """Where statements come from: a named graph, described."""

    number: int
    graph: str
    basis: str  # stated, classified, derived; "" where the metadata do not say
    pages: list[Shown] = field(default_factory=list)
    notes: list[Shown] = field(default_factory=list)
    kinds: list[Shown] = field(default_factory=list)
    parts: list[Shown] = field(default_factory=list)  # of which data set
    people: list[Shown] = field(default_factory=list)
    seen: str = ""


@dataclass(frozen=True)
class Value:
    shown: Shown
    sources: list[Source]


@dataclass(frozen=True)
class Fact:
    """One property with its values. ``prose``: sentences rather than names."""

    iri: str
    label: str
    values: list[Value]
    prose: bool


@dataclass(frozen=True)
class Group:
    """Things that lead here in one way. ``total`` of them there are; ``first`` are shown at once, ``others`` unfold."""

    heading: str
    things: list[Shown]
    total: int

    @property
    def first(self) -> list[Shown]:
        return self.things[:FEW]

    @property
    def others(self) -> list[Shown]:
        return self.things[FEW:]


@dataclass(frozen=True)
class Part:
    """Somebody's part in a practice, or a practice in which this actor had a part."""

    role: str
    things: list[Value]


@dataclass(frozen=True)
class EntityView:
    iri: str
    type: EntityType | None
    title: Shown
    kinds: list[Shown]  # what it is called above its title
    lead: Fact | None
    sections: list[tuple[str, list[Fact]]]
    parts: list[Part]
    partners: Group | None
    groups: list[Group]  # what leads here; of a region first the practices inside it
    ancestors: list[Shown]
    sources: list[Source]

    @property
    def gathers(self) -> bool:
        """Whether it matters for what it gathers (a place, a term of a list) more than for what is said of it."""
        return self.type is None or self.type.name in ("region", "country", "channel", "source")


def view(graph: Graph, iri: str, language: str, incoming_limit: int) -> EntityView:
    """Everything the page about a thing shows, in at most eight queries.

    Raises :class:`~kvgraph.graph.UnknownThing`.
    """
    rows = graph.run("pages/statements", iri=iri)
    incoming_counts = graph.run("pages/incoming-counts", iri=iri)
    if not len(rows) and not len(incoming_counts):
        raise UnknownThing(f"Nothing is known here about <{iri}>.", hint="Search for its name.")
    labels = _Labels(graph.run("pages/labels", iri=iri), language)
    reader = _Reader(iri, rows, labels)
    type_ = next((t for t in ENTITY_TYPES if t.iri in reader.types), None)
    name = type_.name if type_ else ""
    taking_part = name in ("practice", "learning-example", "actor")
    participations = graph.run("pages/participations", iri=iri) if taking_part else None
    inside = _inside(graph, iri) if name == "region" else None
    without = frozenset({(DCTERMS + "spatial", KV + "Practice")} if inside else ())
    total = sum(row["count"] for row in incoming_counts)
    incoming = graph.run("pages/incoming", iri=iri, limit=incoming_limit) if total else None
    return EntityView(
        iri, type_,
        title=labels.shown(iri),
        kinds=reader.kinds(type_),
        lead=reader.lead(),
        sections=reader.sections(name, bool(participations)),
        parts=_parts(participations, iri, reader, labels) if participations else [],
        partners=_partners(graph, iri) if name == "actor" else None,
        groups=([inside] if inside else []) + (_groups(incoming, incoming_counts, labels, without) if incoming else []),
        ancestors=_ancestors(graph, iri) if name in ("region", "principle") else [],
        sources=list(reader.sources.values()),
    )  # fmt: skip


class _Labels:
    """Labels by IRI in the reader's language."""

    def __init__(self, rows: Rows, language: str):
        self.language = language
        found = defaultdict(list)
        for thing, label, _ in rows.terms:
            found[thing.value].append((LABEL_PROPERTIES[0], label))
        self._of = {iri: best_label(pairs, language) for iri, pairs in found.items()}

    def __getitem__(self, iri: str) -> ox.Literal | None:
        return self._of.get(iri)

    def shown(self, iri: str) -> Shown:
        return show(ox.NamedNode(iri), self[iri])

    def term(self, term) -> Shown:
        return self.shown(term.value) if isinstance(term, ox.NamedNode) else show(term)

    def property(self, iri: str) -> str:
        label = best_label([(LABEL_PROPERTIES[0], self[iri])], "en") if self[iri] is not None else None
        return WORDS.get(iri) or (label.value if label else show(ox.NamedNode(iri)).text)


class _Reader:
    """Puts the statements about one thing into a reader's order."""

    def __init__(self, iri: str, rows: Rows, labels: _Labels):
        self.labels = labels
        self.sources: dict[str, Source] = {}
        self.values: dict[str, dict] = defaultdict(dict)  # property → value → sources by graph
        columns = rows.columns
        for terms in rows.terms:
            row = dict(zip(columns, terms))
            source = self._source(row)
            self.values[row["property"].value].setdefault(row["value"], {})[source.graph] = source
        self.types = {v.value for p in (RDF + "type", SKOS + "inScheme") for v in self.values.get(p, ())}
        self.title = labels.shown(iri).text

    def _source(self, row: dict) -> Source:
        graph = row["graph"].value
        if graph not in self.sources:
            basis = row["basis"].value.rpartition("/")[2] if row["basis"] else ""
            self.sources[graph] = Source(len(self.sources) + 1, graph, basis)
        source = self.sources[graph]
        for name, into in (
            ("page", source.pages), ("note", source.notes), ("sourceKind", source.kinds),
            ("source", source.parts), ("attributedTo", source.people),
        ):  # fmt: skip
            if row[name] is not None and (shown := self.labels.term(row[name])) not in into:
                into.append(shown)
        if row["seen"] is not None:
            source.seen = max(source.seen, row["seen"].value)
        return source

    def kinds(self, type_: EntityType | None) -> list[Shown]:
        """What it is, most telling first: its type, then what refines it."""
        first = [Shown(type_.label)] if type_ else []
        if not first:
            first = [self.labels.term(v) for p in (SKOS + "inScheme", RDF + "type") for v in self.values.get(p, ())][:1]
        refined = (ORG + "classification", KV + "policyType", KV + "toolKind")
        return first + [self.labels.term(v) for p in refined for v in self.values.get(p, ())]

    def fact(self, iri: str) -> Fact:
        values = sorted(self.values[iri].items(), key=lambda item: _order(item[0], self.labels))
        if iri in LABEL_PROPERTIES:  # what the title says already is no news
            values = [(v, s) for v, s in values if v.value != self.title]
        shown = [Value(_point(v.value) if iri == LOCN + "geometry" else self.labels.term(v), list(s.values())) for v, s in values]
        return Fact(iri, self.labels.property(iri), shown, any(len(v.shown.text) > 80 and not v.shown.href for v in shown))

    def lead(self) -> Fact | None:
        found = next((p for p in LEAD if p in self.values), None)
        return self.fact(found) if found else None

    def sections(self, type_name: str, has_parts: bool) -> list[tuple[str, list[Fact]]]:
        """(heading, facts) of each section that has any."""
        done = set(HIDDEN) | {p for p in LEAD if p in self.values and p == self.lead().iri}
        if has_parts:
            done.add(KV + "lead")
        found = []
        for section in SECTIONS:
            properties = [p for p in section.properties if p in self.values and p not in done and section.takes(p, type_name)]
            found.append((section.heading, [self.fact(p) for p in properties]))
            done.update(properties)
        found.append((REST, [self.fact(p) for p in sorted(self.values) if p not in done]))
        found = [(heading, [fact for fact in facts if fact.values]) for heading, facts in found]
        return [(heading, facts) for heading, facts in found if facts]


def _order(term, labels: _Labels) -> tuple:
    """English text first, then the other languages by tag; names by the alphabet."""
    if isinstance(term, ox.Literal):
        return (0 if term.language in (labels.language, "en", None) else 1, term.language or "", term.value)
    return (0, "", labels.term(term).text.casefold())


def _point(wkt: str) -> Shown:
    """A point in the words of a map; any other geometry as it is.

    >>> _point("POINT(1.52 41.8)").text
    '41.80° N, 1.52° E'
    """
    try:
        lon, lat = map(float, wkt.strip().removeprefix("POINT").strip(" ()").split())
    except ValueError:
        return Shown(wkt)
    return Shown(f"{abs(lat):.2f}° {'N' if lat >= 0 else 'S'}, {abs(lon):.2f}° {'E' if lon >= 0 else 'W'}")


_ROLES = ("lead", "partner", "funder", "host", "beneficiary")


def _parts(rows: Rows, iri: str, reader: _Reader, labels: _Labels) -> list[Part]:
    """By role, the leading one first: actors on the page of a practice, practices on that of an actor."""
    sources = reader.values.get(PROV + "qualifiedAssociation", {})
    found: dict[str, list] = defaultdict(list)
    names = {}
    for terms in rows.terms:
        row = dict(zip(rows.columns, terms))
        role = row["role"].value
        names[role] = row["roleLabel"].value if row["roleLabel"] else labels.shown(role).text
        other, label = (row["actor"], row["name"]) if row["practice"].value == iri else (row["practice"], row["title"])
        value = Value(show(other, label), list(sources.get(row["participation"], {}).values()))
        if value.shown not in [v.shown for v in found[role]]:
            found[role].append(value)
    order = {ID + "role/" + r: i for i, r in enumerate(_ROLES)}
    return [Part(names[r], found[r]) for r in sorted(found, key=lambda r: (order.get(r, len(order)), r))]


def _partners(graph: Graph, iri: str) -> Group | None:
    rows = graph.run("partners-of-actor", actor=iri)
    things = [show(partner, name) for partner, name, _ in rows.terms]
    return Group("Worked with", things, len(things)) if things else None


def _inside(graph: Graph, iri: str) -> Group | None:
    rows = graph.run("practices-by-region", region=iri)
    titles = {row[0].value: show(row[0], row[1]) for row in rows.terms}
    return Group("Practices here and inside", list(titles.values()), len(titles)) if titles else None


def _ancestors(graph: Graph, iri: str) -> list[Shown]:
    return [show(above, label) for above, label, _ in graph.run("pages/hierarchy", iri=iri).terms]


def _groups(rows: Rows, counts: Rows, labels: _Labels, without: frozenset = frozenset()) -> list[Group]:
    """What leads here, by meaning: one group for each property and type of subject, but for those said elsewhere."""
    by_iri = {t.iri: t for t in ENTITY_TYPES}
    rank = {t.iri: i for i, t in enumerate(ENTITY_TYPES)}
    found: dict[tuple, dict] = defaultdict(dict)
    for subject, property_, label, type_ in rows.terms:
        key = (rank.get(type_.value, len(rank)) if type_ else len(rank), property_.value, type_.value if type_ else "")
        if property_.value not in INCOMING_HIDDEN and key[1:] not in without:
            found[key].setdefault(subject.value, show(subject, label))
    per_property = Counter(key[1] for key in found)
    totals = {row["property"]: row["count"] for row in counts}
    groups = []
    for key in sorted(found):
        _, property_, type_ = key
        things = list(found[key].values())
        # A property whose subjects are all of one type has its whole count; several types share what was fetched.
        total = max(len(things), totals[property_]) if per_property[property_] == 1 else len(things)
        groups.append(Group(_heading(property_, by_iri.get(type_), labels), things, total))
    return groups


def _heading(property_: str, type_: EntityType | None, labels: _Labels) -> str:
    things = type_.plural if type_ else "things"
    words = INCOMING.get(property_)
    heading = words.format(things=things) if words else f"{things}: {labels.property(property_)}"
    return sentence(heading)
