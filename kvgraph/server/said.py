"""What is said about one thing, in a reader's order, and who says so."""

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property

import pyoxigraph as ox

from ..graph import Rows, best_label
from ..model import LABEL_PROPERTIES, EntityType
from ..namespaces import DCTERMS, ELI, KV, LOCN, ORG, OWL, PROV, RDF, SKOS
from .display import Shown, host, sentence, show
from .language import N_, gettext
from .reading_order import HIDDEN, LEAD, REST, SECTIONS, UNSAID, WORDS

IDENTIFIERS = (DCTERMS + "identifier", SKOS + "notation", ELI + "id_local", SKOS + "exactMatch")
REGISTERS = {
    "https://ror.org/": "ROR", "http://www.wikidata.org/entity/": "Wikidata", "https://isni.org/isni/": "ISNI",
    "https://doi.org/10.13039/": "Funder Registry",
}  # fmt: skip

# The same thing elsewhere: what is certain first.
ELSEWHERE = (SKOS + "exactMatch", OWL + "sameAs", SKOS + "closeMatch")
SITES = {
    "ror.org": "ROR", "wikidata.org": "Wikidata", "eurovoc.europa.eu": "EuroVoc", "linkedopendata.eu": "Kohesio", "cordis.europa.eu": "CORDIS",
    "ec.europa.eu": N_("EU participants (PIC)"), "publications.europa.eu": N_("EU authority tables"), "data.europa.eu": "data.europa.eu", "isni.org": "ISNI", "grid.ac": "GRID", "doi.org": "DOI",
}  # fmt: skip

BASES = {"stated": N_("stated"), "classified": N_("classified"), "derived": N_("derived")}


@dataclass
class Source:
    """Where statements come from: a named graph, described. ``says``: what it says, and where on the page that stands (``""`` for nowhere)."""

    number: int
    graph: str
    basis: str  # stated, classified, derived; "" where the metadata do not say
    pages: list[Shown] = field(default_factory=list)
    notes: list[Shown] = field(default_factory=list)
    kinds: list[Shown] = field(default_factory=list)
    parts: list[Shown] = field(default_factory=list)  # of which data set
    people: list[Shown] = field(default_factory=list)
    seen: str = ""
    says: list[tuple[str, str]] = field(default_factory=list)

    @cached_property
    def title(self) -> str:
        """What a mark beside a value says: on what basis, and the page."""
        basis = gettext(BASES[self.basis]) if self.basis in BASES else gettext("source")
        return sentence(basis) + (f": {host(self.pages[0].iri or self.pages[0].text)}" if self.pages else "")


@dataclass(frozen=True)
class Value:
    shown: Shown
    sources: list[Source]


@dataclass(frozen=True)
class Fact:
    """One property with its values. ``prose``: sentences rather than names. ``anchor``: its id on the page."""

    iri: str
    label: str
    values: list[Value]
    prose: bool
    anchor: str


@dataclass(frozen=True)
class Elsewhere:
    """The identifiers that a thing has elsewhere by one property: each with the data set it belongs to, and who says so. ``anchor``: its id on the page."""

    relation: str
    anchor: str
    identifiers: list[tuple[str, Value]]


class Labels:
    """Labels by IRI in the reader's language: ``rows`` of ``pages/labels``."""

    def __init__(self, rows: Rows, language: str):
        self.language = language
        self._of = {thing.value: label for thing, label in reversed(rows.terms)}  # of several in one language the first
        self._shown: dict[str, Shown] = {}

    def shown(self, iri: str) -> Shown:
        found = self._shown.get(iri)
        if found is None:
            found = self._shown[iri] = show(ox.NamedNode(iri), self._of.get(iri))
        return found

    def term(self, term) -> Shown:
        return self.shown(term.value) if isinstance(term, ox.NamedNode) else show(term)

    def property(self, iri: str) -> str:
        """A property in the words of the interface, else as the ontology calls it."""
        return gettext(WORDS[iri]) if iri in WORDS else self.shown(iri).text


class Said:
    """The statements about one thing. ``sources`` by named graph; ``values``: property → value → its sources by graph."""

    def __init__(self, iri: str, rows: Rows, labels: Labels):
        self.labels = labels
        self.sources: dict[str, Source] = {}
        self.values: dict[str, dict] = defaultdict(dict)
        columns, described = rows.columns, set()
        for terms in rows.terms:
            row, about = dict(zip(columns, terms)), terms[2:]  # what is said of a graph is in the row of each of its statements
            source = self.sources[row["graph"].value] if about in described else self.source(row)
            described.add(about)
            self.values[row["property"].value].setdefault(row["value"], {})[source.graph] = source
        self.types = {v.value for p in (RDF + "type", SKOS + "inScheme") for v in self.values.get(p, ())}
        self.title = labels.shown(iri).text
        self.anchors = _anchors(sorted(self.values))
        self._say()

    def source(self, row: dict, says: str = "", place: str = "") -> Source:
        """The source that a row of an answer describes, as far as it does, and what it says there."""
        graph = row["graph"].value
        if graph not in self.sources:
            basis = row["basis"].value.rpartition("/")[2] if row["basis"] else ""
            self.sources[graph] = Source(len(self.sources) + 1, graph, basis)
        source = self.sources[graph]
        for name, into in (
            ("page", source.pages), ("note", source.notes), ("sourceKind", source.kinds),
            ("source", source.parts), ("attributedTo", source.people),
        ):  # fmt: skip
            if row.get(name) is not None and (shown := self.labels.term(row[name])) not in into:
                into.append(shown)
        if row["seen"] is not None:
            source.seen = max(source.seen, row["seen"].value)
        if says and (says, place) not in source.says:
            source.says.append((says, place))
        return source

    def _say(self) -> None:
        """Tell each source what it says, so that every statement can be found under its source, those above the title too."""
        order = {p: n for n, p in enumerate((*LABEL_PROPERTIES, *LEAD, *(p for section in SECTIONS for p in section.properties)))}
        for property_ in sorted(self.values, key=lambda p: (order.get(p, len(order)), p)):
            name = gettext(UNSAID[property_]) if property_ in UNSAID else self.labels.property(property_)
            place = self._place(property_)
            for source in {id(s): s for found in self.values[property_].values() for s in found.values()}.values():
                if (name, place) not in source.says:
                    source.says.append((name, place))

    def _place(self, property_: str) -> str:
        """Where on the page a property stands: the id of its row, ``""`` for what is said above the title."""
        if PROV + "qualifiedAssociation" in self.values and property_ in (PROV + "qualifiedAssociation", KV + "lead"):
            return "people"
        title_only = property_ in LABEL_PROPERTIES and all(value.value == self.title for value in self.values[property_])
        return "" if property_ in HIDDEN or title_only else self.anchors[property_]

    def kinds(self, type_: EntityType | None) -> list[Shown]:
        """What it is, most telling first: its type, then what refines it."""
        first = [Shown(gettext(type_.label))] if type_ else []
        if not first:
            first = [self.labels.term(v) for p in (SKOS + "inScheme", RDF + "type") for v in self.values.get(p, ())][:1]
        refined = (ORG + "classification", KV + "policyType", KV + "toolKind")
        return first + [self.labels.term(v) for p in refined for v in self.values.get(p, ())]

    def fact(self, iri: str) -> Fact:
        values = sorted(self.values[iri].items(), key=lambda item: _order(item[0], self.labels))
        if iri in LABEL_PROPERTIES:  # what the title says already is no news
            values = [(v, s) for v, s in values if v.value != self.title]
        shown = [Value(_point(v.value) if iri == LOCN + "geometry" else self.labels.term(v), list(s.values())) for v, s in values]
        return Fact(iri, self.labels.property(iri), shown, any(len(v.shown.text) > 80 and not v.shown.href for v in shown), self.anchors[iri])

    def lead(self) -> Fact | None:
        found = next((p for p in LEAD if p in self.values), None)
        return self.fact(found) if found else None

    def sections(self, type_name: str, has_parts: bool) -> list[tuple[str, list[Fact]]]:
        """(heading, facts) of each section that has any."""
        lead = self.lead()
        done = set(HIDDEN) | set(ELSEWHERE) | ({lead.iri} if lead else set())
        if has_parts:
            done.add(KV + "lead")
        found = []
        for section in SECTIONS:
            properties = [p for p in section.properties if p in self.values and p not in done and section.takes(p, type_name)]
            found.append((gettext(section.heading), [self.fact(p) for p in properties]))
            done.update(properties)
        found.append((gettext(REST), [self.fact(p) for p in sorted(self.values) if p not in done]))
        found = [(heading, [fact for fact in facts if fact.values]) for heading, facts in found]
        return [(heading, facts) for heading, facts in found if facts]

    def elsewhere(self) -> list[Elsewhere]:
        """What it is in the data of others, the certain ones first."""
        found = []
        for property_ in ELSEWHERE:
            values = [Value(self.labels.term(v), list(s.values())) for v, s in self.values.get(property_, {}).items()]
            named = [(gettext(SITES[site]) if (site := host(v.shown.iri or "")) in SITES else site, v) for v in values]
            if named:
                found.append(Elsewhere(self.labels.property(property_), self.anchors[property_], sorted(named, key=lambda n: (n[0].casefold(), n[1].shown.text))))
        return found

    def terms(self, iri: str) -> list[Shown]:
        """The values of a property, by their names."""
        return [self.labels.term(v) for v in sorted(self.values.get(iri, ()), key=lambda v: _order(v, self.labels))]

    def places(self) -> list[Shown]:
        """Where it is: its regions, else its countries."""
        return self.terms(DCTERMS + "spatial") or self.terms(KV + "country")

    def counts(self) -> dict[str, int]:
        """Statements by basis: each counts once for every basis on which it is said."""
        found: dict[str, int] = defaultdict(int)
        for values in self.values.values():
            for sources in values.values():
                for basis in {s.basis for s in sources.values()}:
                    found[basis] += 1
        return dict(found)

    def name(self) -> str:
        """The title in English, else as it is."""
        label = best_label([(p, value) for p in LABEL_PROPERTIES for value in self.values.get(p, ())])
        return label.value if label else self.title

    def identifiers(self) -> list[Shown]:
        """What others know it by: our own and legal numbers, then registers by their names."""
        found = [self.labels.term(v) for p in IDENTIFIERS for v in self.values.get(p, ())]
        registers = {shown.iri: name for shown in found if shown.iri for start, name in REGISTERS.items() if shown.iri.startswith(start)}
        named = [replace(shown, text=registers.get(shown.iri, shown.text)) for shown in found]
        order = list(REGISTERS.values())
        named.sort(key=lambda shown: order.index(shown.text) if shown.text in order else -1)
        return list({shown.text: shown for shown in named}.values())  # a number may be there as text and as a typed value


def _anchors(properties: list[str]) -> dict[str, str]:
    """An id for each property: its own name where no other has it.

    >>> _anchors(["http://purl.org/dc/terms/title", "https://w3id.org/kvgraph/def/kv#channel", "https://example.org/channel"])
    {'http://purl.org/dc/terms/title': 'says-title', 'https://w3id.org/kvgraph/def/kv#channel': 'says-channel', 'https://example.org/channel': 'says-channel-2'}
    """
    found, taken = {}, defaultdict(int)
    for property_ in properties:
        name = re.sub(r"[^A-Za-z0-9]+", "-", re.split(r"[#/]", property_)[-1])[:40].strip("-")
        taken[name] += 1
        found[property_] = f"says-{name}" + (f"-{taken[name]}" if taken[name] > 1 else "")
    return found


def _order(term, labels: Labels) -> tuple:
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
