"""What is like a thing, and why: the things of its kind with which it shares most, and what they share.

Two things are alike by what is said of both: the same channel, challenge, actor, principle, policy, place, kind. What
is shared counts as many points as the trait weighs (:data:`TRAITS`), times the number of times its kind of thing would have to be
halved to leave as many as share it: a channel that half of all practices use counts its weight once, an actor who took part in 4 of
400 practices more than six times. So what few share says more than what everybody shares. A region counts instead of what it lies
in, never beside it.

On disk it is a folder of numpy arrays and tables of strings, like the connection index: written once with a release,
mapped into memory when it is opened. A trait of a thing is a number; ``offsets`` and ``traits`` list those of each thing,
``holders_of`` and ``holders`` the things that have each, ``points`` what sharing it is worth.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from pathlib import Path as Folder

import numpy as np
from pyoxigraph import DefaultGraph, Literal, NamedNode, Store

from .connection_index import Strings, load
from .connections import Node
from .entities import entity_types, labels
from .errors import KvgraphError
from .model import TYPES
from .namespaces import COUNTRY, DCTERMS, ELI, KV, NUTS, ORG, PROV, SKOS


@dataclass(frozen=True)
class Trait:
    """Something that things can share: what a path of properties leads to from things of these kinds.

    ``^`` before a property reads it backwards. ``weight``: how much it says about a thing.
    """

    name: str
    types: tuple[str, ...]
    path: tuple[str, ...]
    weight: float


_RECORDS = ("practice", "learning-example")
_TOOK_PART = ("^" + PROV + "agent", "^" + PROV + "qualifiedAssociation")
TRAITS = (
    Trait("actor", _RECORDS, (PROV + "qualifiedAssociation", PROV + "agent"), 2.0),
    Trait("practice", ("learning-example",), (KV + "drawsOn",), 2.0),
    Trait("programme", ("learning-example",), (KV + "programme",), 1.5),
    Trait("whole", ("practice", "policy"), (DCTERMS + "isPartOf",), 2.0),
    Trait("whole", ("actor",), (ORG + "subOrganizationOf",), 2.0),
    Trait("policy", ("practice", "policy", "learning-example"), (KV + "implements",), 1.5),
    Trait("policy", ("policy",), (ELI + "based_on",), 1.5),
    Trait("policy", ("policy",), (ELI + "cites",), 1.5),
    Trait("policy", ("principle",), ("^" + KV + "takesUp",), 1.0),
    Trait("issuer", ("policy",), (DCTERMS + "creator",), 1.0),
    Trait("principle", ("practice", "policy", "learning-example"), (KV + "takesUp",), 1.5),
    Trait("challenge", ("practice", "policy", "learning-example"), (KV + "challenge",), 1.5),
    Trait("challenge", ("actor",), (*_TOOK_PART, KV + "challenge"), 0.75),
    Trait("channel", ("practice", "policy", "learning-example"), (KV + "channel",), 1.5),
    Trait("channel", ("actor",), (*_TOOK_PART, KV + "channel"), 0.75),
    Trait("record", ("channel",), ("^" + KV + "channel",), 0.2),
    Trait("tool-kind", ("practice",), (KV + "toolKind",), 1.0),
    Trait("policy-type", ("policy",), (KV + "policyType",), 1.0),
    Trait("actor-kind", ("actor",), (ORG + "classification",), 1.5),
    Trait("asset", _RECORDS, (KV + "asset",), 1.0),
    Trait("capacity", _RECORDS, (KV + "capacity",), 1.0),
    Trait("benefit", _RECORDS, (KV + "benefit",), 0.5),
    Trait("funding", ("practice",), (KV + "fundingProgramme",), 1.0),
    Trait("level", ("practice", "policy"), (KV + "level",), 0.5),
    Trait("country", ("practice", "policy", "actor", "learning-example"), (KV + "country",), 0.75),
    Trait("region", ("practice", "policy", "actor", "learning-example"), (DCTERMS + "spatial",), 0.75),
)  # fmt: skip
NAMES = tuple(dict.fromkeys(t.name for t in TRAITS))
_ARRAYS = ("type", "offsets", "traits", "holders_of", "holders", "points", "name")
_TABLES = ("iri", "label", "language", "value_iri", "value_label", "value_language")
NAMED = 100  # things two share that are named; channels may share thousands
WORTH = 3.0  # points below which nothing is called alike


class NoSimilarity(KvgraphError):
    """The folder holds no index of what things share."""

    def __init__(self, folder: Folder):
        super().__init__(f"There is no index of similar things in {folder}.", hint="Make one with: kvgraph build --force")


@dataclass(frozen=True)
class Reason:
    """Something two things share. ``trait`` is a name of :data:`TRAITS`; ``iri`` is ``""`` where what is shared is a text."""

    trait: str
    iri: str
    label: str
    language: str
    points: float


@dataclass(frozen=True)
class Alike:
    """A thing that is like another, and what they share, the most telling first; ``unsaid`` more they share than are named."""

    node: Node
    points: float
    reasons: tuple[Reason, ...]
    unsaid: int = 0


class Similarity:
    """An index of what things share, opened read-only. Raises :class:`NoSimilarity` if the folder holds none."""

    def __init__(self, folder: str | Folder):
        try:
            self._arrays = {name: load(Folder(folder), name) for name in _ARRAYS}
            self._text = {name: Strings(Folder(folder), name) for name in _TABLES}
        except FileNotFoundError:
            raise NoSimilarity(Folder(folder)) from None
        self._types = list(TYPES)

    def like(self, iri: str, limit: int = 6) -> list[Alike]:
        """The things most like one, the best first; none where it shares little with others, or is unknown.

        >>> import pyoxigraph, tempfile
        >>> KV, DCTERMS = "https://w3id.org/kvgraph/def/kv#", "http://purl.org/dc/terms/"
        >>> store = pyoxigraph.Store()
        >>> for n in range(64):  # all are national, two of them answer the same challenge
        ...     thing = pyoxigraph.NamedNode(f"https://example.org/{n:02}")
        ...     for p, o in (("type", KV + "Practice"), (KV + "level", "https://example.org/national"), (KV + "challenge", f"https://example.org/challenge-{max(n, 1)}")):
        ...         p = p if p != "type" else "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
        ...         _ = store.add(pyoxigraph.Quad(thing, pyoxigraph.NamedNode(p), pyoxigraph.NamedNode(o)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     build_similarity(store, folder)
        ...     alike = Similarity(folder).like("https://example.org/00")
        >>> [(a.node.iri, a.points, [(r.trait, r.label) for r in a.reasons]) for a in alike]
        [('https://example.org/01', 7.5, [('challenge', 'https://example.org/challenge-1')])]
        """
        here = self._text["iri"].find(iri)
        if here is None:
            return []
        scores = self._scores(here)
        scores[here] = 0
        best = np.flatnonzero(scores >= WORTH)
        # Things are numbered by their IRIs, so equal scores come in a fixed order.
        best = best[np.lexsort((best, -scores[best]))][:limit]
        return [Alike(self._node(other), round(float(scores[other]), 2), *self._reasons(here, other)) for other in best.tolist()]

    def _scores(self, here: int) -> np.ndarray:
        """How many points each thing shares with this one."""
        mine, start, holders = self._of(here), self._arrays["holders_of"], self._arrays["holders"]
        lists = [holders[start[t] : start[t + 1]] for t in mine]
        points = np.repeat(self._arrays["points"][mine], [len(found) for found in lists])
        return np.bincount(np.concatenate(lists) if lists else np.zeros(0, np.int32), points, minlength=len(self._arrays["type"]))

    def _of(self, thing: int) -> np.ndarray:
        start = self._arrays["offsets"]
        return self._arrays["traits"][start[thing] : start[thing + 1]]

    def _reasons(self, here: int, other: int) -> tuple[tuple[Reason, ...], int]:
        """What two things share, as far as it is named, and how much is not."""
        shared = np.intersect1d(self._of(here), self._of(other), assume_unique=True)
        shared = shared[self._arrays["points"][shared] > 0]
        shared, unsaid = shared[np.argsort(-self._arrays["points"][shared], kind="stable")[:NAMED]], max(0, len(shared) - NAMED)
        found = [self._reason(t) for t in shared.tolist()]
        places = [r for r in found if r.trait == "region"]
        if places:
            # What a region lies in is shared as well: the smallest one stands for all of them, and for the country.
            narrowest = max(places, key=lambda r: (len(r.iri), r.iri))
            above = [r for r in found if r.trait == "country" or (r.trait == "region" and narrowest.iri.startswith(r.iri))]
            whole = Reason(narrowest.trait, narrowest.iri, narrowest.label, narrowest.language, sum(r.points for r in above))
            found = [r for r in found if r not in above] + [whole]
        return tuple(sorted(found, key=lambda r: (-r.points, r.trait, r.label, r.iri))), unsaid

    def _reason(self, trait: int) -> Reason:
        iri, label, language = (self._text["value_" + part][trait] for part in ("iri", "label", "language"))
        return Reason(NAMES[self._arrays["name"][trait]], iri, label, language, round(float(self._arrays["points"][trait]), 3))

    def _node(self, i: int) -> Node:
        text = self._text
        return Node(text["iri"][i], text["label"][i], text["language"][i], self._types[self._arrays["type"][i]])


def build_similarity(store: Store, folder: str | Folder) -> None:
    """Write the index of a store into a folder, which is made if need be. What counts is the default graph."""
    folder = Folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {name for trait in TRAITS for name in trait.types}
    types = {iri: type_ for iri, type_ in entity_types(store).items() if type_ in kinds}
    iris = sorted(types)
    held = _held(store, types, {iri: i for i, iri in enumerate(iris)})
    keys = sorted(held, key=lambda key: (key[0], key[1].name, key[1].path, str(key[2])))
    things = [sorted(held[key]) for key in keys]
    order = np.lexsort((trait := np.repeat(np.arange(len(keys)), [len(t) for t in things]), thing := np.concatenate([np.zeros(0, np.int64), *things])))
    arrays = {
        "type": np.array([list(TYPES).index(types[iri]) for iri in iris], np.uint8),
        "offsets": np.searchsorted(thing[order], np.arange(len(iris) + 1)).astype(np.int64),
        "traits": trait[order].astype(np.int32),
        "holders_of": np.cumsum([0, *map(len, things)], dtype=np.int64),
        "holders": thing.astype(np.int32),
        "points": np.array(_points(store, keys, held, types), np.float64),
        "name": np.array([NAMES.index(key[1].name) for key in keys], np.uint8),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    known = labels(store)
    _strings(folder, "", [NamedNode(iri) for iri in iris], known)
    _strings(folder, "value_", [key[2] for key in keys], known)


def _strings(folder: Folder, prefix: str, terms: list[NamedNode | Literal], known: dict[str, tuple[str, str]]) -> None:
    named = [isinstance(term, NamedNode) for term in terms]
    shown = [known.get(t.value, (t.value, "")) if is_thing else (t.value, t.language or "") for t, is_thing in zip(terms, named)]
    Strings.write(folder, prefix + "iri", [t.value if is_thing else "" for t, is_thing in zip(terms, named)])
    Strings.write(folder, prefix + "label", [label for label, _ in shown])
    Strings.write(folder, prefix + "language", [language for _, language in shown])


def _held(store: Store, types: dict[str, str], number: dict[str, int]) -> dict[tuple, set[int]]:
    """(kind of thing, trait, value) → the numbers of the things that have it, where they are more than one."""
    held = defaultdict(set)
    wider = {s.value: o.value for s, o in _steps(store, SKOS + "broader") if s.value.startswith(NUTS)}
    for trait in TRAITS:
        for thing, value in _pairs(store, trait.path):
            type_ = types.get(thing.value)
            if type_ in trait.types:
                for each in _lies_in(value, wider) if trait.name == "region" else [value]:
                    held[type_, trait, each].add(number[thing.value])
    return {key: things for key, things in held.items() if len(things) > 1}


def _points(store: Store, keys: list[tuple], held: dict[tuple, set[int]], types: dict[str, str]) -> list[float]:
    """What sharing each trait is worth: of a region only what it says beyond the place it lies in, so that together they are worth the smallest."""
    size = Counter(types.values())
    wider = {s.value: o for s, o in _steps(store, SKOS + "broader") if s.value.startswith(NUTS) and _is_region(o)}
    wider |= {s.value: o for s, o in _steps(store, KV + "country") if s.value.startswith(NUTS) and s.value not in wider}
    named = {(type_, trait.name): trait for trait in TRAITS for type_ in trait.types}

    def worth(type_: str, trait: Trait, value: NamedNode | Literal) -> float:
        return trait.weight * log2(size[type_] / len(held[type_, trait, value])) if (type_, trait, value) in held else 0.0

    found = []
    for type_, trait, value in keys:
        points = worth(type_, trait, value)
        if trait.name == "region" and (above := wider.get(value.value)):
            points -= worth(type_, trait if _is_region(above) else named[type_, "country"], above)
        found.append(max(0.0, points))
    return found


def _lies_in(place: NamedNode | Literal, wider: dict[str, str]) -> Iterator[NamedNode]:
    """A region and every region it lies in; what is a whole country is left to ``kv:country``."""
    seen = set()
    while _is_region(place) and place.value not in seen:
        seen.add(place.value)
        yield place
        place = NamedNode(wider.get(place.value, COUNTRY))


def _is_region(place: NamedNode | Literal) -> bool:
    return place.value.startswith(NUTS) and len(place.value) > len(NUTS) + 2


def _pairs(store: Store, path: tuple[str, ...]) -> set[tuple]:
    """Where a path of properties leads, from everything it begins at."""
    first, *rest = path
    found = _steps(store, first)
    for step in rest:
        onward = defaultdict(set)
        for middle, end in _steps(store, step):
            onward[middle].add(end)
        found = {(start, end) for start, middle in found for end in onward.get(middle, ())}
    return found


def _steps(store: Store, step: str) -> set[tuple]:
    quads = store.quads_for_pattern(None, NamedNode(step.removeprefix("^")), None, DefaultGraph())
    found = {(q.subject, q.object) for q in quads if isinstance(q.subject, NamedNode) and isinstance(q.object, (NamedNode, Literal))}
    return {(end, start) for start, end in found} if step.startswith("^") else found
