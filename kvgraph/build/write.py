"""Write a release directory: dumps, catalogue, indexes, report, manifest."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import pyoxigraph as ox

from ..connection_index import build_connections
from ..entities import entity_types
from ..model import ENTITY_TYPES, path_of
from ..namespaces import DCTERMS, RDF, SKOS
from ..reconciliation import build_names
from ..region_index import build_regions
from ..releases import Release
from ..search_index import build_index
from ..search_values import values_of
from ..similarity import build_similarity
from ..sources.imported import Import
from ..store import Embedded
from .answers import answer_home, write_answers, write_answers_on_disk
from .apart import apart, program
from .catalogue import CATALOGUE_PREFIXES, catalogue
from .dumps import write_dumps


def write(
    store: ox.Store, lines: list[bytes], report: Callable[[], dict], release_id: str, built: str, folder: Path, step: Callable[[str], None],
    large: Sequence[Import] = (), on_disk: Path | None = None, before: Release | None = None, indexed: Callable[[], None] | None = None,
) -> dict:  # fmt: skip
    """Write everything but the manifest into ``folder``; returns the manifest's ``counts``, ``replaced``, ``dumps`` and ``files``.

    ``report`` is asked for the validation report when the dumps are written, and may refuse it.
    ``lines`` are the sorted N-Quads of ``store`` without its ``large`` imports, default graph included; ``built`` is the time of the release in ISO
    8601. Where the store is kept ``on_disk`` the whole is dumped in N-Quads only. Dumps that say what they said in the release ``before`` are taken from it.
    ``indexed`` waits for indexes that are being written already; without it they are written here.
    """
    with nullcontext() if on_disk else apart(lambda: write_answers(Embedded(store).divided(), folder / "answers")) as answered:
        step("dumps")
        dumps = write_dumps(lines, folder / "dumps", large, on_disk is None, before)
        (folder / "report.json").write_text(json.dumps(report(), ensure_ascii=False, indent=1), encoding="utf-8")
        triples = catalogue(store, dumps, release_id, built)
        (folder / "catalogue.ttl").write_bytes(ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=CATALOGUE_PREFIXES))
        documents = sorted(filter(None, map(path_of, entity_types(store))))
        (folder / "documents.txt").write_text("\n".join(documents), encoding="utf-8")
        known = {"counts": counts(store, large), "replaced": replaced(store), "dumps": dumps}
        step("indexes")
        indexed() if indexed else write_indexes(store, folder)
        step("answers")
        if answered:
            answered()
        else:
            with program(write_answers_on_disk, on_disk, folder / "answers") as done:
                done()
        answer_home(Embedded(store), folder)
    return {**known, "files": checksums(folder)}


def write_indexes(store: ox.Store, folder: Path) -> None:
    """Write everything that finds things. What build says about the release itself (:mod:`kvgraph.build.descriptions`) speaks of none of them, and may be
    in the store or not."""
    facets = values_of(store)
    build_index(store, folder / "search", facets)
    build_names(store, folder / "names", facets)
    build_connections(store, folder / "connections")
    build_similarity(store, folder / "similarity")
    build_regions(store, folder / "regions")


def write_indexes_on_disk(store: str, folder: str) -> None:
    """The same of a store on the disk; to be called by a program of its own."""
    write_indexes(ox.Store.read_only(store), Path(folder))


def nquads(store: ox.Store) -> list[bytes]:
    """The statements of a store as N-Quads lines, sorted, so that the same content is the same bytes."""
    return sorted(ox.serialize(store, format=ox.RdfFormat.N_QUADS).splitlines(keepends=True))


def replaced(store: ox.Store) -> dict[str, str]:
    """IRIs that were given up, each with the one to use now (``dcterms:isReplacedBy``)."""
    pairs = store.quads_for_pattern(None, ox.NamedNode(DCTERMS + "isReplacedBy"), None, ox.DefaultGraph())
    return {q.subject.value: q.object.value for q in sorted(pairs, key=str) if isinstance(q.object, ox.NamedNode)}


def counts(store: ox.Store, large: Sequence[Import] = ()) -> dict[str, int]:
    """How much of what: entities per type, triples of the merge, quads and named graphs."""
    merge = ox.DefaultGraph()
    found = {}
    for kind in ENTITY_TYPES:
        node = ox.NamedNode(kind.iri)
        subjects = {q.subject for p in ("type", "inScheme") for q in store.quads_for_pattern(None, _P[p], node, merge)}
        found[kind.name] = len(subjects)
    known = {item.report["graph"]: item.report["triples"] for item in large}
    graphs = list(store.named_graphs())
    quads = sum(known.get(name.value) or sum(1 for _ in store.quads_for_pattern(None, None, None, name)) for name in graphs)
    return {**found, "triples": len(store) - quads, "quads": quads, "graphs": len(graphs)}


_P = {"type": ox.NamedNode(RDF + "type"), "inScheme": ox.NamedNode(SKOS + "inScheme")}


def checksums(folder: Path) -> dict[str, dict]:
    """SHA-256 and size of every file of a release."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found[path.relative_to(folder).as_posix()] = {"sha256": digest, "bytes": path.stat().st_size}
    return found


def sync(folder: Path) -> None:
    """Have everything below ``folder`` on the disk before anybody may be pointed to it."""
    for path in (*(p for p in folder.rglob("*")), folder, folder.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
