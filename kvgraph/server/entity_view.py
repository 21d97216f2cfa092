"""What the page about a thing shows: what is said about it, what leads to it, what is like it, and how far to trust it."""

from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlencode

from .. import gathering
from ..graph import Graph, Rows, UnknownThing
from ..model import ENTITY_TYPES, EntityType
from ..namespaces import DCTERMS, FOAF, ID, KV, ORG, OWL, SCHEMA
from . import maps, network
from .display import Shown, question_query, sentence, short, show, when
from .language import gettext
from .likeness import Likeness, alike
from .linked import LinksElsewhere, links_elsewhere
from .reading_order import INCOMING, INCOMING_HIDDEN
from .said import Elsewhere, Fact, Labels, Said, Source, Value
from .trust import Trust, trust

# What things share that lead here → the facet of the search that narrows them.
FACETS = {
    KV + "channel": "channel", KV + "challenge": "challenge", KV + "toolKind": "tool-kind", KV + "level": "level", KV + "takesUp": "principle",
    ORG + "classification": "actor-kind", DCTERMS + "spatial": "region", KV + "country": "country",
}  # fmt: skip
FEW = 12  # things of a group that are listed at once; the others unfold


@dataclass(frozen=True)
class Group:
    """Things that lead here in one way. ``total`` of them there are, which ``query`` lists; ``first`` are shown at once, ``others`` unfold.

    ``search`` is the address where a reader can narrow them, if there is a facet for what they share.
    """

    heading: str
    things: list[Shown]
    total: int
    query: str = ""
    search: str = ""

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
    name: str  # its title in English, if it has one: what it is cited by
    kinds: list[Shown]  # what it is called above its title
    lead: Fact | None
    glance: list[tuple[str, list[Shown]]]  # who, where and since when, in a line
    sections: list[tuple[str, list[Fact]]]
    elsewhere: list[Elsewhere]
    parts: list[Part]
    partners: Group | None
    groups: list[Group]  # what leads here; of a region first the practices inside it
    ancestors: list[Shown]
    sources: list[Source]
    similar: list[Likeness]
    trust: Trust | None
    links: LinksElsewhere | None
    map: maps.SmallMap | None
    network: network.Small | None
    deprecated: bool = False  # by a curator

    @property
    def gathers(self) -> bool:
        """Whether it matters for what it gathers (a place, a term of a list) more than for what is said of it."""
        return self.type is None or self.type.name in ("region", "country", "channel", "source")


def view(graph: Graph, iri: str, language: str, around: bool = True) -> EntityView:
    """Everything the page about a thing shows, in at most nine queries. Without ``around`` only what is said of the thing itself: pages of
    places gather what is there in their own way.

    Raises :class:`~kvgraph.graph.UnknownThing`.
    """
    rows = graph.run("pages/statements", iri=iri)
    incoming_counts = gathering.counts(graph.run, iri) if around or not len(rows) else ()
    if not len(rows) and not len(incoming_counts):
        raise UnknownThing(f"Nothing is known here about <{iri}>.", hint="Search for its name.")
    unnamed = [p for p in dict.fromkeys(row["property"] for row in incoming_counts) if p not in INCOMING and p not in INCOMING_HIDDEN]
    labels = Labels(graph.run("pages/labels", iri=iri, others=unnamed or None, lang=language), language)
    said = Said(iri, rows, labels)
    type_ = next((t for t in ENTITY_TYPES if t.iri in said.types), None)
    name = type_.name if type_ else ""
    taking_part = name in ("practice", "learning-example", "actor")
    participations = graph.run("pages/participations", iri=iri) if taking_part else None
    inside = _inside(graph, iri) if name == "region" and around else _of_source(graph, iri) if name == "source" else None
    without = frozenset({(DCTERMS + "spatial", KV + "Practice")} if name == "region" and inside else ())
    incoming = gathering.links(graph.run, iri, incoming_counts, language) if around else []
    trusted = trust(graph.release, iri, type_, said)  # before the pages join in on which somebody's part in a practice rests
    parts = _parts(participations, iri, said, labels) if participations else []
    return EntityView(
        iri, type_,
        title=labels.shown(iri),
        name=said.name(),
        kinds=said.kinds(type_),
        lead=said.lead(),
        glance=_glance(said, parts) if name in ("practice", "learning-example", "policy") else _seat(said) if name == "actor" else [],
        sections=said.sections(name, bool(participations)),
        elsewhere=said.elsewhere(),
        parts=parts,
        partners=_partners(graph, iri) if name == "actor" else None,
        groups=([inside] if inside else []) + (_groups(iri, incoming, incoming_counts, labels, without) if around else []),
        ancestors=_ancestors(graph, iri) if name in ("region", "principle") and around else [],
        sources=list(said.sources.values()),
        similar=alike(graph, iri, language) if around else [],
        trust=trusted,
        links=links_elsewhere(graph, iri, said),
        map=maps.small_map(said.places()) if around else None,
        network=network.small(graph, iri, language) if around else None,
        deprecated=OWL + "deprecated" in said.values,
    )  # fmt: skip


def _glance(said: Said, parts: list[Part]) -> list[tuple[str, list[Shown]]]:
    """What somebody wants to know before reading on: who leads or issued it, where it is, when it began; no more than three names of each."""
    leading = [value.shown for part in parts if part.role == "lead" for value in part.things] or said.terms(KV + "lead") or said.terms(DCTERMS + "creator")
    places = said.terms(DCTERMS + "spatial")
    countries = [country for country in said.terms(KV + "country") if country.text not in {place.text for place in places}]
    began, ended = (said.terms(SCHEMA + name) for name in ("startDate", "endDate"))
    years = [Shown(f"{when(began[0].text)}–{when(ended[0].text) if ended else ''}")] if began else [Shown(when(day.text)) for day in said.terms(DCTERMS + "issued")]
    issued = not began and bool(years)
    told = (
        (gettext("By") if issued else gettext("Led by"), leading), (gettext("In"), [*places, *countries]),
        (gettext("Issued") if issued else gettext("Since") if began and not ended else gettext("From"), [Shown(when(began[0].text))] if began and not ended else years),
    )  # fmt: skip
    return [(word, shown[:3] + ([Shown("…")] if len(shown) > 3 else [])) for word, shown in told if shown]


def _seat(said: Said) -> list[tuple[str, list[Shown]]]:
    """Where an organisation is and where to write to it, for who looks for a partner."""
    places = dict.fromkeys(place.text for place in said.terms(SCHEMA + "addressLocality"))
    where = [Shown(town) for town in places] + [place for place in (*said.terms(DCTERMS + "spatial"), *said.terms(KV + "country")) if place.text not in places]
    return [(word, shown[:3]) for word, shown in ((gettext("In"), where), (gettext("Website"), said.terms(FOAF + "homepage")[:1])) if shown]


_ROLES = ("lead", "partner", "funder", "host", "beneficiary")


def _parts(rows: Rows, iri: str, said: Said, labels: Labels) -> list[Part]:
    """By role, the leading one first: actors on the page of a practice, practices on that of an actor; each with who says so."""
    found: dict[str, dict[str, Value]] = defaultdict(dict)
    for terms in rows.terms:
        row = dict(zip(rows.columns, terms))
        role = row["role"].value
        other = row["actor"] if row["practice"].value == iri else row["practice"]
        value = found[role].setdefault(other.value, Value(labels.term(other), []))
        source = said.source(row, gettext("who took part"), "people")
        if source not in value.sources:
            value.sources.append(source)
    order = {ID + "role/" + r: i for i, r in enumerate(_ROLES)}
    roles = sorted(found, key=lambda role: (order.get(role, len(order)), role))
    return [Part(labels.shown(role).text, sorted(found[role].values(), key=lambda value: value.shown.text.casefold())) for role in roles]


def _partners(graph: Graph, iri: str) -> Group | None:
    rows = graph.run("partners-of-actor", actor=iri)
    things = [show(partner, name) for partner, name, _ in rows.terms]
    return Group(gettext("Worked with"), things, len(things), question_query("partners-of-actor", actor=iri)) if things else None


def _inside(graph: Graph, iri: str) -> Group | None:
    rows = graph.run("practices-by-region", region=iri)
    titles = {row[0].value: show(row[0], row[1]) for row in rows.terms}
    return Group(gettext("Practices here and inside"), list(titles.values()), len(titles), question_query("practices-by-region", region=iri)) if titles else None


def _of_source(graph: Graph, iri: str) -> Group | None:
    total, rows = gathering.of_source(graph.run, iri)
    return Group(gettext("Records of this source"), [show(*row) for row in rows], total, question_query("pages/things-of-source", source=iri)) if rows else None


def _ancestors(graph: Graph, iri: str) -> list[Shown]:
    return [show(above, label) for above, label, _ in graph.run("pages/hierarchy", iri=iri).terms]


def _groups(iri: str, links: list[gathering.Link], counts: Rows, labels: Labels, without: frozenset = frozenset()) -> list[Group]:
    """What leads here, by meaning: one group for each property and type of subject, but for those said elsewhere."""
    by_iri = {t.iri: t for t in ENTITY_TYPES}
    rank = {t.iri: i for i, t in enumerate(ENTITY_TYPES)}
    found: dict[tuple, dict] = defaultdict(dict)
    for subject, property_, label, type_ in links:
        found[property_.value, type_.value if type_ else ""].setdefault(subject.value, show(subject, label))
    totals = {(row["property"], row["type"] or ""): row["count"] for row in counts}
    groups = []
    for property_, type_ in sorted(totals, key=lambda key: (rank.get(key[1], len(rank)), key)):
        if property_ in INCOMING_HIDDEN or (property_, type_) in without:
            continue
        query = question_query("pages/linking", iri=iri, property=property_, of=type_) if type_ else ""
        facet = {"type": by_iri[type_].name, FACETS[property_]: short(iri)} if type_ in by_iri and property_ in FACETS else None
        search = "/search?" + urlencode(facet) if facet else ""
        groups.append(Group(_heading(property_, by_iri.get(type_), labels), list(found[property_, type_].values()), totals[property_, type_], query, search))
    return groups


def _heading(property_: str, type_: EntityType | None, labels: Labels) -> str:
    things = gettext(type_.plural) if type_ else gettext("things")
    words = INCOMING.get(property_)
    heading = gettext(words, things=things) if words else f"{things}: {labels.property(property_)}"
    return sentence(heading)
