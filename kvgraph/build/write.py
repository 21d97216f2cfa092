"""Write a release directory: dumps, indexes, report, manifest."""

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox

from ..connection_index import build_connections
from ..model import ENTITY_TYPES
from ..namespaces import PREFIXES, RDF, SKOS
from ..search_index import build_index


def write(store: ox.Store, lines: list[str], report: dict, folder: Path, step: Callable[[str], None]) -> dict:
    """Write everything but the manifest into ``folder``; returns the manifest's ``counts`` and ``files``.

    ``lines`` are the sorted N-Quads of ``store``, default graph included.
    """
    step("dumps")
    _gzip(folder / "kvgraph.nq.gz", "".join(lines).encode())
    turtle = ox.serialize(
        store.quads_for_pattern(None, None, None, ox.DefaultGraph()), format=ox.RdfFormat.TURTLE, prefixes=PREFIXES
    )
    _gzip(folder / "kvgraph.ttl.gz", turtle)
    step("search index")
    build_index(store, folder / "search")
    step("connection index")
    build_connections(store, folder / "connections")
    (folder / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    return {"counts": counts(store), "files": checksums(folder)}


def nquads(store: ox.Store) -> list[str]:
    """The statements of a store as N-Quads lines, sorted, so that the same content is the same bytes."""
    text = ox.serialize(store, format=ox.RdfFormat.N_QUADS).decode()
    return sorted(text.splitlines(keepends=True))


def counts(store: ox.Store) -> dict[str, int]:
    """How much of what: entities per type, triples of the merge, quads and named graphs."""
    merge = ox.DefaultGraph()
    found = {}
    for kind in ENTITY_TYPES:
        node = ox.NamedNode(kind.iri)
        subjects = {q.subject for p in ("type", "inScheme") for q in store.quads_for_pattern(None, _P[p], node, merge)}
        found[kind.name] = len(subjects)
    triples = sum(1 for _ in store.quads_for_pattern(None, None, None, merge))
    return {**found, "triples": triples, "quads": len(store) - triples, "graphs": sum(1 for _ in store.named_graphs())}


_P = {"type": ox.NamedNode(RDF + "type"), "inScheme": ox.NamedNode(SKOS + "inScheme")}


def checksums(folder: Path) -> dict[str, dict]:
    """SHA-256 and size of every file of a release."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        found[path.relative_to(folder).as_posix()] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
        }
    return found


def sync(folder: Path) -> None:
    """Have everything below ``folder`` on the disk before anybody may be pointed to it."""
    for path in (*(p for p in folder.rglob("*")), folder, folder.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _gzip(path: Path, content: bytes) -> None:
    # No file name and no time in the header: the same content is the same file.
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
        file.write(content)
