"""The index of names and identifiers in a release: memory-mapped arrays, so that all processes share one copy.

Names are compared by the parts of three letters they have in common (:mod:`kvgraph.link.names`), each weighed by how rare it is, so that "Ljubljana" tells
more than "university". A part is a number (37 letters, three places), and ``parts`` holds for each the names that have it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import numpy as np
from pyoxigraph import Literal, NamedNode, Store

from ..entities import entity_types, quads
from ..errors import KvgraphError
from ..identifiers import key, site
from ..link.names import Name, parse
from ..model import LABEL_PROPERTIES, LISTS
from ..namespaces import DCAT, DCTERMS, DEF, ELI, EURIO, FOAF, KV, ORG, OWL, RDF, SCHEMA, SKOS
from ..search_facets import FACETS
from ..search_values import Values, links, values_of
from .types import NUMBER, ORGANISATION

_LETTERS = {letter: number for number, letter in enumerate(" abcdefghijklmnopqrstuvwxyz0123456789")}
PARTS = len(_LETTERS) ** 3
_OTHER_NAMES = (SKOS + "altLabel", DCTERMS + "alternative", ORG + "alternateName", SKOS + "hiddenLabel")
_ELSEWHERE = (SKOS + "exactMatch", SKOS + "closeMatch", OWL + "sameAs", SKOS + "broadMatch", SKOS + "narrowMatch")
_CODES = (DCTERMS + "identifier", SKOS + "notation", ELI + "id_local", ORG + "identifier", EURIO + "identifier")
_HOMEPAGES = (FOAF + "homepage", DCAT + "landingPage")
_TEXTS = (DCTERMS + "description", SKOS + "definition", KV + "lesson")
_SHORT, _OTHER, _INITIALS = 1, 2, 4  # marks of a name: it looks like an acronym; it is not the label; we made it of the first letters of the label
_ABBREVIATED = ("actor", "organisation", "practice", "policy")  # whose first letters people use
LONGEST_TEXT = 300  # characters of a description that are kept
COMMON = 30_000  # names that are looked at for one query: the rarest parts first
BEST = 80  # names that are compared whole


class NoNameIndex(KvgraphError):
    """The release was built before there was an index of names."""

    def __init__(self):
        super().__init__("This release has no index of names and identifiers.", hint="Build it again: kvgraph build --force")


@dataclass(frozen=True)
class Thing:
    """A thing that can be found. ``labels`` are by language tag, ``values`` by facet; ``keys`` of :mod:`kvgraph.identifiers`, the others name their relation."""

    number: int
    iri: str
    type: str
    labels: dict[str, str]
    values: dict[str, list[str]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    elsewhere: dict[str, list[str]] = field(default_factory=dict)
    town: str = ""
    text: str = ""

    def label(self, language: str = "en") -> tuple[str, str]:
        """Its name and the language tag of that: the reader's language, else English, else the first there is."""
        tag = next((tag for tag in (language, "en", "", *self.labels) if tag in self.labels))
        return self.labels[tag], tag


def code(part: str) -> int:
    """The number of a part of three letters.

    >>> code("  a"), code("999") == PARTS - 1
    (1, True)
    """
    first, second, third = part
    return (_LETTERS[first] * 37 + _LETTERS[second]) * 37 + _LETTERS[third]


def codes(name: Name) -> np.ndarray:
    """The numbers of the parts of a name, each once."""
    return np.fromiter((code(part) for part in name.grams if len(part) == 3), np.int32)


def _hash(identifier: str) -> int:
    return int.from_bytes(blake2b(identifier.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def build_names(store: Store, folder: str | Path, facets: Values | None = None) -> None:
    """Write the index of everything in ``store`` that has a type and a name into a folder, which is made if need be.

    ``facets`` are the values of the store (:func:`~kvgraph.search_values.values_of`), where they are known already.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names, lines, hashes = [], [], []
    for number, (thing, called) in enumerate(_things(store, facets or values_of(store))):
        names += [(number, NUMBER[thing["type"]], text, mark) for text, mark in called]
        hashes += [(_hash(identifier), number) for identifier in thing["keys"]]
        lines.append(json.dumps({k: v for k, v in thing.items() if v}, ensure_ascii=False).encode())
    _write_names(names, folder)
    _write_texts(folder, "things", lines)
    hashes.sort()
    np.save(folder / "keys.npy", np.array([h for h, _ in hashes], np.uint64))
    np.save(folder / "key-things.npy", np.array([n for _, n in hashes], np.int32))


def _write_names(names: list[tuple[int, int, str, int]], folder: Path) -> None:
    parsed = [codes(parse(text)) for _, _, text, _ in names]
    sizes = np.fromiter((len(c) for c in parsed), np.int64, len(parsed))
    flat = np.concatenate(parsed) if parsed else np.empty(0, np.int32)
    owner = np.repeat(np.arange(len(parsed), dtype=np.int32), sizes)
    counts = np.bincount(flat, minlength=PARTS)
    weights = np.log1p(len(names) / np.maximum(counts, 1)).astype(np.float32)  # a part that no name has is the rarest
    arrays = {
        "parts": owner[np.argsort(flat, kind="stable")], "part-offsets": _offsets(counts), "weights": weights,
        "name-parts": flat, "name-offsets": _offsets(sizes),
        "name-weights": np.bincount(owner, weights[flat], len(names)).astype(np.float32),
        "name-things": np.array([n[0] for n in names], np.int32), "name-types": np.array([n[1] for n in names], np.int8),
        "name-marks": np.array([n[3] for n in names], np.int8),
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    _write_texts(folder, "names", [text.encode() for _, _, text, _ in names])


def _offsets(counts: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _write_texts(folder: Path, name: str, texts: list[bytes]) -> None:
    np.save(folder / f"{name}-text-offsets.npy", _offsets(np.fromiter(map(len, texts), np.int64, len(texts))))
    (folder / f"{name}.bin").write_bytes(b"".join(texts) or b"\n")  # an empty file cannot be mapped


def types_in(store: Store) -> dict[str, str]:
    """The type of everything that has one, by IRI, in the order of the IRIs."""
    found = entity_types(store)
    for quad in quads(store, RDF + "type", ORG + "Organization"):
        if isinstance(quad.subject, NamedNode):
            found.setdefault(quad.subject.value, ORGANISATION)
    for name in LISTS:
        for quad in quads(store, SKOS + "inScheme", DEF + name):
            if isinstance(quad.subject, NamedNode):
                found.setdefault(quad.subject.value, name)
    return dict(sorted(found.items()))


def _things(store: Store, values: Values) -> Iterator[tuple[dict, list[tuple[str, int]]]]:
    """What the index keeps of each thing, and its names with their marks."""
    called, other, codes_, towns, texts = (_literals(store, p) for p in (LABEL_PROPERTIES, _OTHER_NAMES, _CODES, (SCHEMA + "addressLocality",), _TEXTS))
    homes = links(store, *_HOMEPAGES)
    identified = links(store, DCTERMS + "identifier", ORG + "identifier")
    elsewhere = {predicate: links(store, predicate) for predicate in _ELSEWHERE}
    for iri, type_ in types_in(store).items():
        if iri not in called:
            continue
        labels: dict[str, str] = {}
        for text, tag in called[iri]:
            labels.setdefault(tag, text)
        outside = {predicate: found[iri] for predicate, found in elsewhere.items() if iri in found}
        addresses = [iri, *identified.get(iri, ()), *(a for found in outside.values() for a in found)]
        keys = [*map(key, addresses), *(key(text) for text, _ in codes_.get(iri, ())), *map(site, homes.get(iri, ()))]
        thing = {
            "iri": iri, "type": type_, "labels": labels,
            "values": {name: found for name in FACETS if name != "type" and (found := values[name].get(iri))},
            "keys": list(dict.fromkeys(keys)), "elsewhere": outside,
            "town": towns[iri][0][0] if iri in towns else "", "text": _english(texts.get(iri, ()))[:LONGEST_TEXT],
        }  # fmt: skip
        yield thing, list(_names(called[iri], other.get(iri, ()), type_ in _ABBREVIATED))


def _literals(store: Store, predicates: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """(text, language) of each subject by the first predicates first, then by language, each once."""
    found: dict[str, dict] = defaultdict(dict)
    for rank, predicate in enumerate(predicates):
        for quad in quads(store, predicate):
            if isinstance(quad.object, Literal) and isinstance(quad.subject, NamedNode):
                tag = quad.object.language or ""
                found[quad.subject.value].setdefault((quad.object.value, tag), (rank, tag, quad.object.value))
    return {iri: sorted(texts, key=texts.__getitem__) for iri, texts in found.items()}


def _english(texts: Iterable[tuple[str, str]]) -> str:
    return min(texts, key=lambda t: (t[1] not in ("en", ""), t[1]), default=("", ""))[0]


def _names(labels: list[tuple[str, str]], others: Iterable[tuple[str, str]], abbreviated: bool) -> Iterator[tuple[str, int]]:
    """Each name once, in the form in which it is compared; at last the first letters of the labels."""
    seen = set()
    initials = [(letters.upper(), "") for text, _ in labels for letters in sorted(parse(text).initials) if len(letters) > 2] if abbreviated else []
    for texts, mark in ((labels, 0), (others, _OTHER), (initials, _OTHER | _INITIALS)):
        for text, _ in texts:
            name = parse(text)
            if name.key and (name.key, name.short) not in seen:
                seen.add((name.key, name.short))
                yield text, mark | (_SHORT if name.short else 0)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Found:
    """A name that is like the one asked for: ``likeness`` from 0 to 1.

    ``short`` where it looks like an acronym, ``other`` where it is not the label, ``made`` where it is only the first letters of the label.
    """

    thing: int
    likeness: float
    name: str
    short: bool = False
    other: bool = False
    made: bool = False


class NameIndex:
    """An index in a folder, opened for reading. Raises :class:`NoNameIndex`."""

    def __init__(self, folder: str | Path):
        self._folder = Path(folder)
        if not (self._folder / "keys.npy").is_file():
            raise NoNameIndex
        self._parts, self._offsets, self._weights = map(self._array, ("parts", "part-offsets", "weights"))
        self._name_parts, self._name_offsets, self._name_weights = map(self._array, ("name-parts", "name-offsets", "name-weights"))
        self._name_things, self._types, self._marks = map(self._array, ("name-things", "name-types", "name-marks"))
        self._keys, self._key_things = map(self._array, ("keys", "key-things"))
        self._texts = {name: (self._array(f"{name}-text-offsets"), np.memmap(self._folder / f"{name}.bin", np.uint8, "r").view(np.ndarray)) for name in ("names", "things")}
        self.thing = lru_cache(maxsize=20_000)(self._thing)

    def __len__(self) -> int:
        """How many things there are."""
        return len(self._texts["things"][0]) - 1

    def _array(self, name: str) -> np.ndarray:
        return np.load(self._folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)  # what a memmap adds to an array costs more than the search

    def _text(self, kind: str, number: int) -> str:
        offsets, data = self._texts[kind]
        return data[offsets[number] : offsets[number + 1]].tobytes().decode()

    def _thing(self, number: int) -> Thing:
        return Thing(number, **json.loads(self._text("things", number)))

    def identified(self, keys: Iterable[str]) -> dict[int, str]:
        """The numbers of the things that have one of the keys, each with the first that it has."""
        found: dict[int, str] = {}
        for each in keys:
            value = np.uint64(_hash(each))
            start, end = np.searchsorted(self._keys, value), np.searchsorted(self._keys, value, "right")
            for number in self._key_things[start:end].tolist():
                if each in self.thing(number).keys:
                    found.setdefault(number, each)
        return found

    def like(self, name: Name, types: Iterable[str] | None = None, least: float = 0.0) -> list[Found]:
        """The names most like one, the likest first; only those of things of certain ``types``, and at ``least`` so much alike."""
        asked = codes(name)
        if not len(asked) or not len(self._name_things):
            return []
        weights = self._weights[asked]
        near = self._near(asked, weights, None if types is None else [NUMBER[t] for t in types])
        return [
            Found(int(self._name_things[n]), likeness, self._text("names", n), *(bool(self._marks[n] & mark) for mark in (_SHORT, _OTHER, _INITIALS)))
            for n, likeness in self._compared(near, asked, float(weights.sum())) if likeness >= least
        ]

    def _near(self, asked: np.ndarray, weights: np.ndarray, types: list[int] | None) -> np.ndarray:
        """The names that share the most of the rare parts."""
        order = np.argsort(-weights, kind="stable")
        starts, ends = self._offsets[asked[order]], self._offsets[asked[order] + 1]
        few = max(1, int(np.searchsorted(np.cumsum(ends - starts), COMMON)))
        holders = np.concatenate([self._parts[a:b] for a, b in zip(starts[:few].tolist(), ends[:few].tolist())])
        sums = np.bincount(holders, np.repeat(weights[order][:few], (ends - starts)[:few]), len(self._name_things))
        names = np.flatnonzero(sums)
        shared = sums[names]
        if types is not None:
            fitting = np.isin(np.arange(len(NUMBER)), types)[self._types[names]]
            names, shared = names[fitting], shared[fitting]
        bound = shared / (weights.sum() + self._name_weights[names])
        return names[np.argpartition(-bound, BEST)[:BEST]] if len(names) > BEST else names

    def _compared(self, names: np.ndarray, asked: np.ndarray, weight: float) -> list[tuple[int, float]]:
        """Each name with the weight of the parts that it shares, as a share of all parts of both (Dice)."""
        if not len(names):
            return []
        starts, ends = self._name_offsets[names], self._name_offsets[names + 1]
        flat = np.concatenate([self._name_parts[a:b] for a, b in zip(starts.tolist(), ends.tolist())])
        weights = np.zeros(PARTS, np.float32)  # of the parts asked for; the others weigh nothing
        weights[asked] = self._weights[asked]
        shared = np.add.reduceat(weights[flat], np.concatenate(([0], np.cumsum(ends - starts)[:-1])), dtype=np.float64)
        likeness = 2 * shared / (weight + self._name_weights[names])
        order = np.lexsort((names, -likeness))
        return [(int(names[i]), min(1.0, round(float(likeness[i]), 6))) for i in order]
