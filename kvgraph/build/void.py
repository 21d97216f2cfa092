"""VoID: what is in the merge, counted, so that a query editor can complete and a federation engine can plan.

"Describing Linked Datasets with the VoID Vocabulary" (W3C Interest Group Note, 3 March 2011): general metadata (section 2), access
(section 3), structure (section 4: vocabularies, partitions, statistics) and links (section 5). The classes and datatypes of the
values of each property of a class follow the void-ext vocabulary, which the SIB editor reads.

The description is part of the merge that it describes, and counts itself: :func:`void` repeats until its numbers hold.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

import pyoxigraph as ox

from ..entities import entity_types
from ..identifiers import EUROSCIVOC, EUROVOC, KOHESIO
from ..model import ENTITY_TYPES, PIC
from ..namespaces import (
    BASE, COUNTRY, DCTERMS, ELI, ELI_RESOURCE, FOAF, GRAPH, ID, NUTS, PREFIXES, RDF, SH, SKOS, VOID, VOID_EXT,
)  # fmt: skip
from .rdf import describe, english

GRAPH_OF_VOID = GRAPH + "void"
DATASET = ID + "dataset/kvgraph"
PUBLISHER = ID + "actor/kvgraph-curators"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
TITLE = "kvgraph: knowledge valorisation in Europe"
SUMMARY = (
    "How research results become solutions for society, all over Europe: practices, lessons learned, the organisations behind them, "
    "their regions, and the policies and principles they answer to. Facts from public pages, each with its source."
)
FORMATS = "http://www.w3.org/ns/formats/"
_FEATURES = [FORMATS + name for name in ("Turtle", "N-Triples", "JSON-LD", "RDF_XML", "N-Quads", "TriG")]

# Data sets of others that ours links to: the beginning of their IRIs, name and page.
TARGETS = {
    "ror": ("https://ror.org/0", "Research Organization Registry", "https://ror.org/"),
    "wikidata": ("http://www.wikidata.org/entity/", "Wikidata", "https://www.wikidata.org/"),
    "cordis": (PIC, "CORDIS, by the participant's code (PIC)", "https://cordis.europa.eu/"),
    "kohesio": (KOHESIO, "Kohesio", "https://kohesio.ec.europa.eu/"),
    "eurovoc": (EUROVOC, "EuroVoc", "https://op.europa.eu/en/web/eu-vocabularies/eurovoc"),
    "euroscivoc": (EUROSCIVOC, "EuroSciVoc", "https://op.europa.eu/en/web/eu-vocabularies/euroscivoc"),
    "nuts": (NUTS, "NUTS 2024", "https://ec.europa.eu/eurostat/web/nuts"),
    "countries": (COUNTRY, "EU authority table of countries", "https://op.europa.eu/en/web/eu-vocabularies/authority-tables"),
    "eli": (ELI_RESOURCE, "EU law by European Legislation Identifier", "https://eur-lex.europa.eu/eli-register/about.html"),
}
_TYPE = RDF + "type"
_SPACES = (BASE, NUTS, COUNTRY, ELI_RESOURCE)  # where the IRIs of nearly everything described begin
_NO_LINKS = (_TYPE, SKOS + "inScheme", VOID)
_ROUNDS = 8  # four are enough in practice

Term = ox.NamedNode | ox.Literal


@dataclass
class Part:
    """The triples of one property, in the whole or within a class."""

    triples: int = 0
    subjects: set[str] = field(default_factory=set)
    objects: set[Term] = field(default_factory=set)
    ranges: Counter[tuple[str, str]] = field(default_factory=Counter)  # ("class" or "datatype", its IRI)

    def __add__(self, other: Part) -> Part:
        return Part(
            self.triples + other.triples, self.subjects | other.subjects, self.objects | other.objects, self.ranges + other.ranges
        )  # fmt: skip


@dataclass
class Tally:
    """Counted triples. ``parts`` is by class (None for the whole) and property, ``links`` by target and property."""

    types: Mapping[str, list[str]]
    parts: dict[tuple[str | None, str], Part]
    links: Counter[tuple[str, str]]
    # Of large imports: triples of each property and things of each class. What is distinct among them is not counted, and stays unsaid.
    more: Counter[str] = field(default_factory=Counter)
    members: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, triples: list[ox.Triple], known: Mapping[str, list[str]] | None = None) -> Tally:
        """Count ``triples`` in one pass; ``known`` has the classes of things that others describe."""
        types: dict[str, list[str]] = defaultdict(list)
        for triple in triples:
            if triple.predicate.value == _TYPE:
                types[triple.subject.value].append(triple.object.value)
        tally = cls(types, defaultdict(Part), Counter())
        for triple in triples:
            tally._count(triple.subject.value, triple.predicate.value, triple.object, known or {})
        return tally

    def _count(self, subject: str, property_: str, value: Term, known: Mapping[str, list[str]]) -> None:
        if isinstance(value, ox.Literal):
            ranges = [("datatype", value.datatype.value)]
        else:
            classes = self.types.get(value.value) or known.get(value.value, ())
            ranges = [("class", c) for c in classes]
            if not property_.startswith(_NO_LINKS) and (target := _target(value.value)) and target != _target(subject):
                self.links[target, property_] += 1
        for extent in (None, *self.types.get(subject, ())):
            part = self.parts[extent, property_]
            part.triples += 1
            part.subjects.add(subject)
            part.objects.add(value)
            for range_ in ranges:
                part.ranges[range_] += 1

    def __add__(self, other: Tally) -> Tally:
        parts = dict(self.parts)
        for key, part in other.parts.items():
            parts[key] = parts[key] + part if key in parts else part
        return Tally({**self.types, **other.types}, parts, self.links + other.links, self.more + other.more, self.members + other.members)


@lru_cache(maxsize=2**16)
def _target(iri: str) -> str | None:
    if iri.startswith(ELI):  # the vocabulary of ELI, not a law
        return None
    return next((name for name, (space, _, _) in TARGETS.items() if iri.startswith(space)), None)


def void(store: ox.Store, triples: list[ox.Triple], large: Iterable[Mapping[str, Mapping[str, int]]] = ()) -> list[ox.Triple]:
    """The description of ``triples`` and of itself; ``store`` knows which things are entities.

    ``large`` has the counts of imports that are not among them: ``properties`` and ``classes`` (see :func:`kvgraph.sources.importing.run`).

    >>> void(ox.Store(), [])[0].subject.value
    'https://w3id.org/kvgraph/id/dataset/kvgraph'
    """
    entities = entity_types(store)
    data, description = Tally.of(triples), []
    for counts in large:
        data.more.update(counts["properties"])
        data.members.update(counts["classes"])
    # Once in a while no number of distinct values is true once it is stated and so one of them; then it stays unsaid.
    for all_said in (True, False):
        for _ in range(_ROUNDS):
            counted = data + Tally.of(description, data.types)
            before, description = description, list(dict.fromkeys(_describe(counted, entities, all_said)))
            if set(before) == set(description):
                return description
    return description


def _describe(tally: Tally, entities: Mapping[str, str], all_said: bool) -> Iterator[ox.Triple]:
    properties: dict[str | None, list[str]] = defaultdict(list)
    whole = {(None, property_) for property_ in tally.more}
    for extent, property_ in sorted({*tally.parts, *whole}, key=lambda key: (key[0] or "", key[1])):
        properties[extent].append(property_)
    for key in whole - tally.parts.keys():
        tally.parts[key] = Part()
    yield from _general(entities)
    yield from _statistics(tally, properties, entities, all_said)
    for property_ in properties.get(None, ()):
        yield from _partition(DATASET, GRAPH_OF_VOID + "#", property_, tally.parts[None, property_], more=tally.more[property_])
    members = tally.members + Counter(c for classes in tally.types.values() for c in classes)
    for class_ in sorted(members):
        node = f"{GRAPH_OF_VOID}#{_short(class_)}"
        yield from describe(DATASET, (VOID + "classPartition", node))
        yield from describe(
            node, (_TYPE, VOID + "Dataset"), (VOID + "class", class_), (VOID + "entities", members[class_]),
            (VOID + "triples", None if class_ in tally.members else sum(tally.parts[class_, p].triples for p in properties[class_])),
            (VOID + "properties", None if class_ in tally.members else len(properties[class_])),
        )  # fmt: skip
        for property_ in properties[class_] if class_ not in tally.members else ():
            yield from _partition(node, node + "/", property_, tally.parts[class_, property_], ranges=True)
    yield from _linksets(tally.links)


def _general(entities: Mapping[str, str]) -> Iterator[ox.Triple]:
    """Sections 2 and 3: who, under which licence, and how to get at it."""
    practices = sorted(iri for iri, kind in entities.items() if kind == "practice")
    return describe(
        DATASET,
        (_TYPE, VOID + "Dataset"),
        (DCTERMS + "title", english(TITLE)),
        (DCTERMS + "description", english(SUMMARY)),
        (DCTERMS + "publisher", PUBLISHER),
        (DCTERMS + "license", LICENCE),
        (FOAF + "homepage", BASE),
        (VOID + "sparqlEndpoint", BASE + "sparql"),
        (VOID + "dataDump", [f"{BASE}dumps/latest/kvgraph.{suffix}.gz" for suffix in ("nq", "trig", "ttl")]),
        (VOID + "feature", _FEATURES),
        (VOID + "exampleResource", practices[:3]),
    )


def _statistics(
    tally: Tally, properties: Mapping[str | None, list[str]], entities: Mapping[str, str], all_said: bool
) -> Iterator[ox.Triple]:  # fmt: skip
    """Sections 4.2, 4.3 and 4.6: beginnings of IRIs, vocabularies, and numbers of the whole."""
    whole = [tally.parts[None, p] for p in properties.get(None, ())]
    classes = {c for of in tally.types.values() for c in of} | tally.members.keys()
    known = len(entities) + sum(tally.members[kind.iri] for kind in ENTITY_TYPES)
    subjects = set().union(*(part.subjects for part in whole))
    spaces = sorted({next((space for space in _SPACES if iri.startswith(space)), _namespace(iri)) for iri in subjects})
    return describe(
        DATASET,
        (VOID + "triples", sum(part.triples for part in whole) + tally.more.total()),
        (VOID + "entities", known),
        (VOID + "classes", len(classes)),
        (VOID + "properties", len(whole)),
        (VOID + "distinctSubjects", None if tally.more else len(subjects)),
        (VOID + "distinctObjects", len(set().union(*(part.objects for part in whole))) if all_said and not tally.more else None),
        (VOID + "uriSpace", [ox.Literal(space) for space in spaces]),
        # Comunica knows one space only and concludes from it that there is no answer; of a pattern it takes all.
        (VOID + "uriRegexPattern", ox.Literal(f"^({'|'.join(map(_pattern, spaces))})")),
        (VOID + "vocabulary", sorted({_namespace(iri) for iri in (*properties.get(None, ()), *classes)})),
    )


def _partition(of: str, prefix: str, property_: str, part: Part, ranges: bool = False, more: int = 0) -> Iterator[ox.Triple]:
    """Section 4.4: the triples of one property, and what its values are."""
    node = prefix + _short(property_)
    yield from describe(of, (VOID + "propertyPartition", node))
    yield from describe(
        node, (_TYPE, VOID + "Dataset"), (VOID + "property", property_), (VOID + "triples", part.triples + more),
        (VOID + "distinctSubjects", None if more else len(part.subjects)),
        # How many different numbers the description states is a number it cannot state: stating it may change it.
        (VOID + "distinctObjects", None if more or property_.startswith(VOID) else len(part.objects)),
    )  # fmt: skip
    for (kind, iri), triples in sorted(part.ranges.items()) if ranges else ():
        below = f"{node}/{_short(iri)}"
        partition, names = (VOID + "classPartition", VOID + "class") if kind == "class" else (VOID_EXT + "datatypePartition", VOID_EXT + "datatype")
        yield from describe(node, (partition, below))
        yield from describe(below, (_TYPE, VOID + "Dataset"), (names, iri), (VOID + "triples", triples))


def _linksets(links: Mapping[tuple[str, str], int]) -> Iterator[ox.Triple]:
    """Section 5: links to other data sets, one linkset for each of these and property."""
    for target, property_ in sorted(links):
        space, title, page = TARGETS[target]
        node, other = f"{GRAPH_OF_VOID}#links/{target}/{_short(property_)}", f"{GRAPH_OF_VOID}#{target}"
        yield from describe(DATASET, (VOID + "subset", node))
        yield from describe(
            node, (_TYPE, VOID + "Linkset"), (VOID + "subjectsTarget", DATASET), (VOID + "objectsTarget", other),
            (VOID + "linkPredicate", property_), (VOID + "triples", links[target, property_]),
        )  # fmt: skip
        yield from describe(
            other, (_TYPE, VOID + "Dataset"), (DCTERMS + "title", english(title)), (FOAF + "homepage", page), (VOID + "uriSpace", ox.Literal(space))
        )  # fmt: skip


def _pattern(text: str) -> str:
    """The text as a pattern, escaped as both XPath and JavaScript allow; re.escape escapes more."""
    return re.sub(r"([.?*+^$()\[\]{}|\\])", r"\\\1", text)


_SHORT = {**PREFIXES, "void": VOID, "void-ext": VOID_EXT, "sh": SH}


def _namespace(iri: str) -> str:
    return iri[: max(map(iri.rfind, "#/:")) + 1]


def _short(iri: str) -> str:
    """A name that fits in a fragment: the prefixed name where there is a prefix."""
    prefix = next((p for p, namespace in _SHORT.items() if namespace == _namespace(iri)), None)
    return quote(f"{prefix}:{iri[len(_SHORT[prefix]):]}" if prefix else iri, safe=":")


def merged(store: ox.Store) -> Iterable[ox.Triple]:
    """The triples of the default graph."""
    return (quad.triple for quad in store.quads_for_pattern(None, None, None, ox.DefaultGraph()))
