"""The values of the facets of every thing of a store, and what those values are called: what the search index is built from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from pyoxigraph import Literal, NamedNode, Store

from .entities import of_graphs, quads
from .model import ENTITY_TYPES, LABEL_PROPERTIES
from .namespaces import DCTERMS, KV, ORG, PROV, RDF, SCHEMA, SKOS
from .search_facets import FACETS, YEAR

Links = Mapping[str, Iterable[str]]
Values = dict[str, dict[str, list[str]]]


def links(store: Store, *predicates: str) -> dict[str, list[str]]:
    """What each subject points to, in the order of the predicates, each once."""
    found: dict[str, dict] = defaultdict(dict)
    for rank, predicate in enumerate(predicates):
        for quad in quads(store, predicate):
            if isinstance(quad.object, NamedNode) and isinstance(quad.subject, NamedNode):
                found[quad.subject.value].setdefault(quad.object.value, (rank, quad.object.value))
    return {iri: sorted(objects, key=objects.__getitem__) for iri, objects in found.items()}


def reached(start: Iterable[str], onward: Links) -> list[str]:
    """Things and everything they lead to, each once, the nearest first."""
    found: dict[str, None] = {}
    queue = list(start)
    for thing in queue:
        if thing not in found:
            found[thing] = None
            queue += onward.get(thing, ())
    return list(found)


def values_of(store: Store) -> Values:
    """The values of every facet: facet, then thing, then values, the nearest or earliest first."""
    broader, countries, spatial = links(store, SKOS + "broader"), links(store, KV + "country"), links(store, DCTERMS + "spatial")
    upward = _joined(broader, countries)
    near = _joined(spatial, countries, broader)
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind in ENTITY_TYPES:
        for predicate in (RDF + "type", SKOS + "inScheme"):
            for quad in quads(store, predicate, kind.iri):
                if isinstance(quad.subject, NamedNode) and kind.name not in kinds[quad.subject.value]:
                    kinds[quad.subject.value].append(kind.name)
    is_country = {iri for iri, names in kinds.items() if "country" in names}
    is_place = is_country | {iri for iri, names in kinds.items() if "region" in names}
    places = {iri: reached(start, upward) for iri, start in near.items()}
    found = {
        "type": dict(kinds),
        "country": {iri: [p for p in around if p in is_country] for iri, around in places.items()},
        "region": {iri: [p for p in around if p in is_place] for iri, around in places.items()},
        "actor-kind": _actor_kinds(store),
        "principle": {iri: reached(taken, broader) for iri, taken in _principles(store).items()},
        "year": _years(store),
        "source-kind": _source_kinds(store),
    }
    for name, predicate in (("channel", "channel"), ("challenge", "challenge"), ("tool-kind", "toolKind"), ("policy-type", "policyType"), ("level", "level")):
        found[name] = links(store, KV + predicate)
    return found


def _years(store: Store) -> dict[str, list[str]]:
    """The years in which things began or were issued, the earliest first."""
    found: dict[str, set[str]] = defaultdict(set)
    for predicate in (SCHEMA + "startDate", DCTERMS + "issued"):
        for quad in quads(store, predicate):
            if isinstance(quad.object, Literal) and isinstance(quad.subject, NamedNode) and YEAR.match(quad.object.value):
                found[quad.subject.value].add(quad.object.value[:4])
    return {iri: sorted(years) for iri, years in found.items()}


def _joined(*maps: Links) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for links_ in maps:
        for iri, objects in links_.items():
            found[iri].update(dict.fromkeys(objects))
    return {iri: list(objects) for iri, objects in found.items()}


def _actor_kinds(store: Store) -> dict[str, list[str]]:
    kinds = links(store, ORG + "classification")
    parts, agents = links(store, PROV + "qualifiedAssociation"), links(store, PROV + "agent")
    people = _joined(links(store, KV + "lead", DCTERMS + "creator"), {iri: [a for p in ps for a in agents.get(p, ())] for iri, ps in parts.items()})
    return _joined(kinds, {iri: [k for actor in actors for k in kinds.get(actor, ())] for iri, actors in people.items()})


def _principles(store: Store) -> dict[str, list[str]]:
    """What things take up themselves, through a policy that they put into practice, or through a lesson learned from them."""
    taken, lessons = links(store, KV + "takesUp"), defaultdict(list)
    for lesson, practices in links(store, KV + "drawsOn").items():
        for practice in practices:
            lessons[practice] += taken.get(lesson, ())
    return _joined(taken, {iri: [p for policy in ps for p in taken.get(policy, ())] for iri, ps in links(store, KV + "implements").items()}, lessons)


def _source_kinds(store: Store) -> dict[str, list[str]]:
    """The kinds of the pages that say something about a thing."""
    found: dict[str, set[str]] = defaultdict(set)
    for kind in of_graphs(store, KV + "sourceKind"):
        if isinstance(kind.subject, NamedNode) and isinstance(kind.object, NamedNode):
            for quad in store.quads_for_pattern(None, None, None, kind.subject):
                if isinstance(quad.subject, NamedNode):
                    found[quad.subject.value].add(kind.object.value)
    return {iri: sorted(kinds) for iri, kinds in found.items()}


def vocabulary(store: Store, used: Mapping[str, Links]) -> dict[str, dict]:
    """What every value of every facet is called, and what it is part of: value, then ``facet``, ``labels``, ``parent``, ``code``.

    These are the members of the schemes, and what is ``used`` (:func:`values_of`) without being one.
    """
    members = {v: name for name, things in used.items() if FACETS[name].base for values in things.values() for v in values}
    for facet in FACETS.values():
        for predicate in (SKOS + "inScheme", RDF + "type"):
            for quad in quads(store, predicate, facet.scheme) if facet.scheme else ():
                if isinstance(quad.subject, NamedNode):
                    members[quad.subject.value] = facet.name
    names: dict[str, dict[str, tuple[int, str]]] = defaultdict(dict)
    for rank, predicate in enumerate(LABEL_PROPERTIES):
        for quad in quads(store, predicate):
            if quad.subject.value in members and isinstance(quad.object, Literal):
                known, new = names[quad.subject.value], (rank, quad.object.value)
                tag = quad.object.language or ""
                known[tag] = min(known.get(tag, new), new)
    codes = {q.subject.value: q.object.value for q in quads(store, SKOS + "notation") if q.subject.value in members}
    broader, countries = links(store, SKOS + "broader"), links(store, KV + "country")
    table = {}
    for iri, name in sorted(members.items()):
        above = [p for p in (*broader.get(iri, ()), *(countries.get(iri, ()) if name == "region" else ())) if p in members]
        labels = {tag: text for tag, (_, text) in sorted(names[iri].items())}
        table[iri] = {"facet": name, "labels": labels, "parent": above[0] if above else "", "code": codes.get(iri, "")}
    return table
