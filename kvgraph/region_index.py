"""The region index on disk: what :mod:`kvgraph.regions` compares regions by, counted once when a release is built.

Regions are numbered in the order of their IRIs. What a region has is counted with everything inside it (NUTS hierarchy): its
practices, their channels and the policies they put into practice, and the share of its small regions of each type.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pyoxigraph import NamedNode, Store

from .entities import entity_types, labels, quads
from .errors import KvgraphError
from .namespaces import DCTERMS, GEO, ID, KV, LOCN, SKOS

# The typologies of small regions: property, code list, codes.
TYPOLOGIES = (
    (KV + "urbanRuralType", "urban-rural-type", ("predominantly-urban", "intermediate", "predominantly-rural")),
    (KV + "coastType", "coast-type", ("coastal", "non-coastal")),
    (KV + "mountainType", "mountain-type", ("mountain", "non-mountain")),
)
TYPES = tuple(f"{ID}{name}/{code}" for _, name, codes in TYPOLOGIES for code in codes)

ARRAYS = "regions.npz"
TEXTS = "regions.json"
_POINT = re.compile(r"POINT ?\((-?\d{1,3}(?:\.\d+)?) (-?\d{1,3}(?:\.\d+)?)\)")


class NoRegionIndex(KvgraphError):
    """The folder holds no region index: a release of an older kvgraph."""

    def __init__(self, folder: Path):
        super().__init__(f"There is no region index in {folder}.", hint="Make one with: kvgraph build --force")


def build_regions(store: Store, folder: str | Path) -> None:
    """Write the region index of a store into a folder, which is made if need be."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    types, names = entity_types(store), labels(store)
    iris = sorted(iri for iri, kind in types.items() if kind == "region" and iri in names)
    number = {iri: i for i, iri in enumerate(iris)}
    above = {a: b for a, b in _links(store, SKOS + "broader", number, number)}
    parents = _parents(above, len(iris))
    within = [_upwards(i, parents) for i in range(len(iris))]

    named = [iri for iri, kind in types.items() if kind == "practice" and iri in names]
    told = {iri: sum(1 for _ in store.quads_for_pattern(NamedNode(iri), None, None, None)) for iri in named}
    practices = sorted(told, key=lambda iri: (-told[iri], names[iri][0].casefold(), iri))
    place_of = list(_links(store, DCTERMS + "spatial", {iri: i for i, iri in enumerate(practices)}, number))
    inside = sorted({(region, practice) for practice, place in place_of for region in within[place]})
    channels = sorted(iri for iri, kind in types.items() if kind == "channel")
    policies = sorted(iri for iri, kind in types.items() if kind == "policy")
    start, members = _listed(inside, len(iris))
    touch_start, touch = _listed(sorted(set(_links(store, GEO + "sfTouches", number, number))), len(iris))
    shares, parts = _shares(store, number, within)
    np.savez_compressed(
        folder / ARRAYS, level=_levels(store, number), parent=parents, point=_points(store, number), shares=shares, parts=parts,
        inside_start=start, inside=members, touch_start=touch_start, touch=touch,
        channels=_of_members(store, KV + "channel", practices, channels, inside, len(iris)),
        policies=_of_members(store, KV + "implements", practices, policies, inside, len(iris)),
    )  # fmt: skip
    texts = {"region": iris, "practice": practices, "channel": channels, "policy": policies, "type": TYPES}
    texts = {kind: [[iri, *names.get(iri, (iri, ""))] for iri in found] for kind, found in texts.items()}
    (folder / TEXTS).write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")


def _links(store: Store, predicate: str, subjects: dict[str, int], objects: dict[str, int]) -> Iterable[tuple[int, int]]:
    for quad in quads(store, predicate):
        if isinstance(quad.object, NamedNode) and quad.subject.value in subjects and quad.object.value in objects:
            yield subjects[quad.subject.value], objects[quad.object.value]


def _parents(above: dict[int, int], count: int) -> np.ndarray:
    parents = np.full(count, -1, np.int32)
    for child, parent in above.items():
        parents[child] = parent
    return parents


def _upwards(region: int, parents: np.ndarray) -> list[int]:
    """A region and everything it lies in; data that go round in a circle end there."""
    found = []
    while region >= 0 and region not in found:
        found.append(region)
        region = int(parents[region])
    return found


def _listed(pairs: list[tuple[int, int]], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted pairs as one array of seconds, and where those of each first begin."""
    firsts = np.array([a for a, _ in pairs], np.int32)
    return np.searchsorted(firsts, np.arange(count + 1)).astype(np.int32), np.array([b for _, b in pairs], np.int32)


def _levels(store: Store, number: dict[str, int]) -> np.ndarray:
    levels = np.full(len(number), -1, np.int8)
    for quad in quads(store, KV + "nutsLevel"):
        if quad.subject.value in number and quad.object.value in ("0", "1", "2", "3"):
            levels[number[quad.subject.value]] = int(quad.object.value)
    return levels


def _points(store: Store, number: dict[str, int]) -> np.ndarray:
    points = np.full((len(number), 2), np.nan, np.float32)
    for quad in quads(store, LOCN + "geometry"):
        if quad.subject.value in number and (found := _POINT.fullmatch(quad.object.value)):
            points[number[quad.subject.value]] = float(found[1]), float(found[2])
    return points


def _shares(store: Store, number: dict[str, int], within: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """For each region the share of its small regions of each type, and how many of them are classed, by typology."""
    typology = [t for t, (_, _, codes) in enumerate(TYPOLOGIES) for _ in codes]
    counts = np.zeros((len(number), len(TYPES)), np.float32)
    column = {iri: i for i, iri in enumerate(TYPES)}
    for predicate, _, _ in TYPOLOGIES:
        for part, kind in sorted(set(_links(store, predicate, number, column))):
            counts[within[part], kind] += 1
    parts = np.stack([counts[:, [i for i, t in enumerate(typology) if t == n]].sum(axis=1) for n in range(len(TYPOLOGIES))], axis=1)
    return counts / np.maximum(parts[:, typology], 1), parts.astype(np.int32)


def _of_members(store: Store, predicate: str, practices: list[str], values: list[str], inside: list[tuple[int, int]], count: int) -> np.ndarray:
    """Which regions have a practice with which value."""
    found = defaultdict(set)
    for practice, value in _links(store, predicate, {iri: i for i, iri in enumerate(practices)}, {iri: i for i, iri in enumerate(values)}):
        found[practice].add(value)
    table = np.zeros((count, len(values)), bool)
    for region, practice in inside:
        table[region, list(found[practice])] = True
    return table
