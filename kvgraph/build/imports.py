"""Imports in a build: taken in without a loop over their statements, and checked by themselves where they are large.

An import is one file of N-Quads in one graph, sorted. The same lines without the graph are its part of the merge.
"""

import io
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import pyoxigraph as ox

from ..errors import KvgraphError
from ..namespaces import RDFS
from ..sources.imported import Import, sort

LARGE = 50_000  # triples of an import from which on it is checked by itself, and not gathered with what the other sources say
IN_MEMORY = 4_000_000  # quads of imports, their part of the merge included, from which on a release is kept on the disk: 2 GB for each worker


def large(found: Import) -> bool:
    return found.report["triples"] > LARGE


def fits_in_memory(imports: Iterable[Import]) -> bool:
    """Whether a release with these imports is to be held in memory; ``$KVGRAPH_MEMORY_QUADS`` says where that ends."""
    try:
        most = int(os.environ.get("KVGRAPH_MEMORY_QUADS") or IN_MEMORY)
    except ValueError:
        raise KvgraphError("KVGRAPH_MEMORY_QUADS is no number.", hint=f"Leave it out for {IN_MEMORY:,}.") from None
    return 2 * sum(found.report["triples"] for found in imports) <= most


class Ungraphed(io.RawIOBase):
    """The lines of a file of N-Quads as N-Triples: their one graph taken off."""

    def __init__(self, file: BinaryIO, graph: str):
        self._file, self._end, self._rest, self._ended = file, f" <{graph}> .\n".encode(), b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self._rest and not self._ended:
            data = self._file.read(len(buffer))
            self._ended = not data
            # To the end of a line: a graph may be cut in two.
            self._rest = (data + self._file.readline()).replace(self._end, b" .\n")
        data, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def load(store: ox.Store, found: Import) -> None:
    """Add an import to a store: its graph, and its statements to the merge."""
    store.bulk_load(path=found.data, format=ox.RdfFormat.N_QUADS)
    with open(found.data, "rb") as file:
        store.bulk_load(io.BufferedReader(Ungraphed(file, found.report["graph"]), 1 << 20), format=ox.RdfFormat.N_TRIPLES)


def load_on_disk(lines: Iterable[bytes], large: Iterable[Import], folder: Path) -> ox.Store:
    """A store in ``folder`` with these sorted N-Quads and large imports, opened read-only."""
    store = ox.Store(os.fspath(folder))
    store.bulk_load(b"".join(lines), format=ox.RdfFormat.N_QUADS)
    for found in large:
        load(store, found)
    store.optimize()
    store.flush()
    del store
    return ox.Store.read_only(os.fspath(folder))


def ungraphed(found: Import, folder: Path) -> Path:
    """The part of an import in the merge as a sorted file of N-Triples, made in ``folder`` if it is not there."""
    merged = folder / f"{found.name}.merge"
    if merged.exists():
        return merged
    with open(found.data, "rb") as file, open(merged, "wb", buffering=1 << 20) as into:
        reader = io.BufferedReader(Ungraphed(file, found.report["graph"]), 1 << 20)
        while chunk := reader.read(1 << 20):
            into.write(chunk)
    return merged


def merge_sorted(files: Iterable[Path], into: Path) -> None:
    """Merge sorted files of lines, each line once."""
    sort(["--merge"], files, into)


def check(found: Import, context: Iterable[ox.Triple]) -> list[dict]:
    """Validate an import beside ``context``, what the graph says apart from imports, with the fast engine. Only results about things of the import."""
    from ..validate import fast, shapes_about

    context = list(context)
    known = {triple.subject.value for triple in context}
    shapes = shapes_about(_with_wider(set(found.report["classes"]), context), set(found.report["properties"]))
    with tempfile.TemporaryDirectory(prefix="kvgraph-") as folder:
        beside = Path(folder) / "merge.nq"
        beside.write_bytes(ox.serialize(context, format=ox.RdfFormat.N_TRIPLES))
        with open(beside, "ab") as into, open(found.data, "rb") as data:
            while chunk := data.read(1 << 22):
                into.write(chunk)
        return [asdict(result) for result in fast(beside, shapes).results if result.focus not in known]


def _with_wider(classes: set[str], context: Iterable[ox.Triple]) -> set[str]:
    """Classes with those that they are subclasses of: shapes of the latter are about things of the former too (SHACL, section 2.1.3.2)."""
    wider = defaultdict(set)
    for triple in context:
        if triple.predicate.value == RDFS + "subClassOf":
            wider[triple.subject.value].add(triple.object.value)
    found, new = set(), classes
    while new:
        found |= new
        new = set().union(*(wider[class_] for class_ in new)) - found
    return found
