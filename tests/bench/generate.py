"""A release with about a million triples of invented practices beside the bundled data, the same at every run.

    python -m tests.bench generate --triples 1000000 --home var/bench/generated

The invented records imitate ours: a practice has a graph of what a page states, one of what a curator classified and one that describes the
two; a few organisations are in very many practices, most in one or two. Nothing is validated: that would take hours, and measures nothing here.
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pyoxigraph as ox

from kvgraph import releases
from kvgraph.build.descriptions import add_descriptions
from kvgraph.build.read import inputs_digest, read, source_files
from kvgraph.build.write import nquads, sync, write
from kvgraph.namespaces import DCTERMS, FOAF, GRAPH, ID, KV, NUTS_SCHEME, ORG, PROV, RDF, RDFS, SCHEMA, SKOS, XSD

Statement = tuple[str, object]
SEED = 20261122
PRACTICES_PER_ACTOR = 0.6
TRIPLES_PER_PRACTICE = 58  # with its part of the actors and the metadata; what comes out is in the manifest
_LISTS = {"kv:toolKind": "tool-kind", "kv:challenge": "challenge", "kv:benefit": "benefit", "kv:asset": "asset", "kv:capacity": "capacity"}
_WORDS = (
    "regional open shared applied joint mobile green digital circular urban rural coastal medical industrial cultural public social robust early "
    "transfer licence prototype network platform voucher academy laboratory incubator pilot standard clinic museum harvest battery sensor data fund"
).split()


@dataclass(frozen=True)
class Vocabulary:
    """What the invented records refer to: the concepts, regions and their countries that the bundled data have."""

    concepts: dict[str, list[ox.NamedNode]]
    places: list[tuple[ox.NamedNode, ox.NamedNode]]

    @classmethod
    def of(cls, store: ox.Store) -> "Vocabulary":
        merge, in_scheme, country = ox.DefaultGraph(), ox.NamedNode(SKOS + "inScheme"), ox.NamedNode(KV + "country")
        concepts: dict[str, list[ox.NamedNode]] = {}
        for quad in store.quads_for_pattern(None, in_scheme, None, merge):
            concepts.setdefault(quad.object.value.rpartition("/")[2], []).append(quad.subject)
        regions = store.quads_for_pattern(None, in_scheme, ox.NamedNode(NUTS_SCHEME), merge)
        places = [(r.subject, c.object) for r in regions for c in store.quads_for_pattern(r.subject, country, None, merge)]
        return cls({name: sorted(found, key=str) for name, found in concepts.items()}, sorted(places, key=str))


def generate(home: Path, triples: int, step: Callable[[str], None] = lambda name: None) -> releases.Release:
    """A release of about so many triples under ``home``, made current. One that is there already, of the same inputs, is used again."""
    files = source_files(home)
    inputs = hashlib.sha256(f"{inputs_digest(files)} {triples}".encode() + Path(__file__).read_bytes()).hexdigest()
    for known in releases.list_releases(home):
        if known.manifest["inputs"] == inputs:
            return releases.switch(home, known.id)
    step("read sources")
    store = read(files).store
    step("invent practices")
    missing = triples - sum(1 for _ in store.quads_for_pattern(None, None, None, ox.DefaultGraph()))
    _extend(store, invented(Vocabulary.of(store), max(0, missing // TRIPLES_PER_PRACTICE)))
    step("describe")
    add_descriptions(store)
    return _written(home, store, inputs, step)


def _extend(store: ox.Store, quads: Iterator[ox.Quad]) -> None:
    """Named graphs and their merge."""
    found = list(quads)
    store.bulk_extend(found)
    store.bulk_extend(ox.Quad(q.subject, q.predicate, q.object) for q in found)


def _written(home: Path, store: ox.Store, inputs: str, step: Callable[[str], None]) -> releases.Release:
    """The rest of a build, without validation."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    release_id = f"{now[:10]}-bench-{inputs[:8]}"
    draft = home / "releases" / f".{release_id}.draft"
    draft.mkdir(parents=True)
    written = write(store, nquads(store), {"conforms": True, "results": []}, release_id, now, draft, step)
    versions = {"pyoxigraph": version("pyoxigraph")}
    manifest = {"id": release_id, "built": now, "format": releases.FORMAT, "inputs": inputs, "digest": inputs, **written, "sources": 0, "versions": versions}
    (draft / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    sync(draft)
    draft.rename(home / "releases" / release_id)
    return releases.switch(home, release_id)


# ── The records ──────────────────────────────────────────────────────────────────────────────────────────────────────


def invented(known: Vocabulary, practices: int) -> Iterator[ox.Quad]:
    """The quads of so many practices and of the actors in them, in their named graphs.

    >>> list(invented(Vocabulary({}, []), 0))
    []
    """
    chance = random.Random(SEED)
    actors = [f"bench-actor-{number}" for number in range(int(practices * PRACTICES_PER_ACTOR))]
    for slug in actors:
        yield from _actor(slug, known, chance)
    for number in range(practices):
        # The popularity of an actor falls with its rank.
        who = {actors[int(len(actors) * chance.random() ** 2.5)] for _ in range(chance.choice((1, 2, 2, 3, 3, 4, 6)))}
        yield from _practice(number, sorted(who), known, chance)


def _actor(slug: str, known: Vocabulary, chance: random.Random) -> Iterator[ox.Quad]:
    region, country = chance.choice(known.places)
    actor, name = _thing("actor", slug), _text(chance, 3)
    stated = [("skos:prefLabel", _english(name)), ("foaf:homepage", ox.NamedNode(f"https://{slug}.example.org/"))]
    classified = [("rdf:type", ox.NamedNode(KV + "Actor")), ("org:classification", chance.choice(known.concepts["actor-kind"])),
                  ("kv:country", country), ("dcterms:spatial", region), ("schema:addressLocality", ox.Literal(chance.choice(_WORDS).title()))]  # fmt: skip
    yield from _graphs("actor", slug, {"stated-1": [(actor, stated)], "classified": [(actor, classified)]})


def _practice(number: int, actors: list[str], known: Vocabulary, chance: random.Random) -> Iterator[ox.Quad]:
    slug = f"bench-practice-{number}"
    practice, (region, country) = _thing("practice", slug), chance.choice(known.places)
    lists = {name: chance.sample(known.concepts[of], chance.choice((1, 1, 2))) for name, of in _LISTS.items()}
    classified = [("rdf:type", ox.NamedNode(KV + "Practice")), ("dcterms:identifier", ox.Literal(f"BENCH{number:06}")), ("dcterms:spatial", region),
                  ("kv:level", chance.choice(known.concepts["level"])), *((n, concept) for n, found in lists.items() for concept in found),
                  *(("kv:channel", channel) for channel in chance.sample(known.concepts["channel"], chance.choice((1, 2, 2, 3))))]  # fmt: skip
    stated = [("dcterms:title", _english(_text(chance, 4))), ("dcterms:description", _english(_text(chance, 25))), ("kv:country", country),
              ("kv:outcome", _english(_text(chance, 15))), ("kv:targetGroup", _english(_text(chance, 2))), ("kv:lead", _thing("actor", actors[0])),
              ("schema:startDate", ox.Literal(str(chance.randint(1990, 2026)), datatype=ox.NamedNode(XSD + "gYear")))]  # fmt: skip
    parts = []
    for actor in actors:
        role = "lead" if actor is actors[0] else chance.choice(("partner", "partner", "funder", "host", "beneficiary"))
        part = _thing("participation", f"{slug}--{actor}--{role}")
        stated.append(("prov:qualifiedAssociation", part))
        parts.append((part, [("rdf:type", ox.NamedNode(KV + "Participation")), ("prov:agent", _thing("actor", actor)), ("prov:hadRole", _thing("role", role))]))
    yield from _graphs("practice", slug, {"stated-1": [(practice, stated), *parts], "classified": [(practice, classified)]})


def _graphs(kind: str, slug: str, said: dict[str, list[tuple[ox.NamedNode, list[Statement]]]]) -> Iterator[ox.Quad]:
    """The graphs of a record, and the graph that describes them."""
    base = f"{GRAPH}{kind}/{slug}/"
    for name, subjects in said.items():
        graph, basis = ox.NamedNode(base + name), name.partition("-")[0]
        about = [("rdf:type", ox.NamedNode(PROV + "Entity")), ("kv:basis", _thing("basis", basis)), ("kv:sourceKind", _thing("source-kind", "official")),
                 ("dcterms:source", ox.NamedNode(f"https://{slug}.example.org/about")), ("prov:wasAttributedTo", _thing("actor", "kvgraph-curators")),
                 ("dcterms:isPartOf", _thing("source", f"{kind}s")), ("rdfs:comment", _english("Invented for a benchmark."))]  # fmt: skip
        for subject, statements, where in [*((s, ps, graph) for s, ps in subjects), (graph, about, ox.NamedNode(base + "about"))]:
            for name_, value in statements:
                yield ox.Quad(subject, _property(name_), value, where)


_NAMESPACES = {"dcterms": DCTERMS, "foaf": FOAF, "kv": KV, "org": ORG, "prov": PROV, "rdf": RDF, "rdfs": RDFS, "schema": SCHEMA, "skos": SKOS}


def _property(name: str) -> ox.NamedNode:
    prefix, _, local = name.partition(":")
    return ox.NamedNode(_NAMESPACES[prefix] + local)


def _thing(kind: str, slug: str) -> ox.NamedNode:
    return ox.NamedNode(f"{ID}{kind}/{slug}")


def _english(text: str) -> ox.Literal:
    return ox.Literal(text, language="en")


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words)).capitalize()
