"""What is in the graph already, as far as a submission asks: the things somebody names, what they are called, what a record says now, what may be the same."""

from dataclasses import dataclass
from difflib import SequenceMatcher

import pyoxigraph as ox

from ..graph import Graph
from ..model import TYPES
from ..namespaces import COUNTRY, ID, NUTS, RDF
from ..params import BadParameter, expand
from ..search_facets import UnknownValue
from .fields import PARTS
from .record import LEAD, Values, graphs_of, is_ours, value_of

ALIKE = 0.72  # of two titles, from which somebody is asked whether they mean the same
CANDIDATES = 6
_PLACES = ("region", "country")


@dataclass(frozen=True)
class Known:
    """A thing of the graph under the name a reader knows."""

    iri: str
    label: str
    about: str = ""


def exists(graph: Graph, iri: str) -> bool:
    try:
        return bool(graph.run("pages/exists", iri=iri))
    except BadParameter:
        return False


def label(graph: Graph, iri: str, language: str = "en") -> str:
    """What a thing is called, else the end of its address."""
    if iri in graph.facets:
        return graph.facets.label(iri, language)[0]
    try:
        named = {tag: rows[0][1].value for tag in dict.fromkeys((language, "en")) if (rows := graph.run("pages/names", things=[iri], lang=tag).terms)}
    except BadParameter:
        named = {}
    return named.get(language) or named.get("en") or iri.rpartition("/")[2]


def of_type(graph: Graph, iri: str, types: tuple[str, ...]) -> bool:
    """Whether a thing is of one of these kinds."""
    if iri.startswith((COUNTRY, NUTS)):
        kind = "country" if iri.startswith(COUNTRY) else "region"
        return kind in types and exists(graph, iri)
    return iri.startswith(("http://", "https://")) and any(
        t.predicate.value == RDF + "type" and t.object.value in {TYPES[name].iri for name in types} for t in context(graph, [iri])
    )


def meant(graph: Graph, text: str, types: tuple[str, ...], language: str = "en") -> tuple[str, list[Known]]:
    """The thing that somebody means by an IRI, a short id or a name; where that is not certain an empty text, and what they may mean.

    The name must be its whole name: what only begins so is a candidate.
    """
    text = text.strip()
    given = expand(text)
    if "://" in given:
        return (given, []) if of_type(graph, given, types) else ("", [])
    for place in _PLACES:
        if place in types:
            try:
                return graph.facets.find(place, text), []
            except UnknownValue:
                pass
    hits = graph.suggest(text, types=types, limit=CANDIDATES)
    found = [Known(h.iri, h.label, TYPES[h.type].label) for h in hits]
    same = [k.iri for k in found if k.label.casefold() == text.casefold()]
    return (same[0], []) if len(same) == 1 else ("", found)


def as_it_is(graph: Graph, thing: str) -> tuple[Values, bool]:
    """What the graph says of a thing, as values by property, and whether it stands in a file of its own, which can be corrected."""
    values: Values = {}
    own = is_ours(thing)
    for property_, value, agent, role, where in graph.run("pages/record", iri=thing).terms:
        path = property_.value
        if path == RDF + "type" or isinstance(value, ox.BlankNode):
            continue
        one = {"agent": agent.value, "role": role.value} if path == PARTS and agent and role else value_of(value)
        if one not in values.setdefault(path, []):
            values[path].append(one)
        own = own and where.value.startswith(graphs_of(thing))
    leads = [v["iri"] for v in values.get(LEAD, ())]
    parts = [v for v in values.pop(PARTS, []) if "agent" in v and not (v["role"] == ID + "role/lead" and v["agent"] in leads)]
    return {**values, **({PARTS: parts} if parts else {})}, own


def type_of(graph: Graph, thing: str) -> str:
    """The kind of a thing, as in :mod:`kvgraph.model`; empty if it is none that has a page."""
    classes = {t.object.value for t in context(graph, [thing]) if t.subject.value == thing and t.predicate.value == RDF + "type"}
    return next((name for name, kind in TYPES.items() if kind.iri in classes), "")


def alike(graph: Graph, type_: str, title: str, homepage: str = "") -> list[Known]:
    """Things that may be the one that a title means: "is it this one?"."""
    if not title.strip():
        return []
    hits = graph.search(title[:200], types=[type_], limit=CANDIDATES).hits
    return [Known(h.iri, h.label, h.snippet.text[:200]) for h in hits if similarity(title, h.label) >= ALIKE]


def similarity(a: str, b: str) -> float:
    """How alike two names are, from 0 to 1: letter by letter, or with their words in another order.

    >>> similarity("Living lab of the harbour", "The Harbour Living Lab") > ALIKE > similarity("Living lab", "Patent fund")
    True
    """
    a, b = a[:400].casefold(), b[:400].casefold()
    in_order = lambda text: " ".join(sorted(w for w in text.replace("-", " ").split() if len(w) > 3 or w.isdigit()))  # noqa: E731
    return max(SequenceMatcher(None, a, b).ratio(), SequenceMatcher(None, in_order(a), in_order(b)).ratio())


def context(graph: Graph, things: list[str]) -> list[ox.Triple]:
    """What must be known of things to judge a record that points to them."""
    try:
        return list(graph.run("pages/context", things=sorted(set(things)))) if things else []
    except BadParameter:
        return []
