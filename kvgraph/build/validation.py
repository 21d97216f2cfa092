"""Validation as a step of build and as a command: which file says what breaks which shape."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox

from ..namespaces import DCTERMS, PREFIXES
from .read import Sources, read, source_files

UNKNOWN = "unknown file"
_STEPS = 3
_COMPARED = {DCTERMS + "identifier"}  # nothing else may have the same


def check(home: Path, files: tuple[Path, ...] = (), data: Path | None = None) -> list[dict]:
    """Validate all sources, or only what ``files`` say, beside everything else that is known.

    Returns one dictionary per result: ``severity``, ``file``, ``subject``, ``path``, ``message``, ``value``, ``shape`` …
    Raises :class:`~kvgraph.build.read.MalformedSource` for files that do not parse.
    """
    known = source_files(home, data)
    by_path = {path.resolve(): name for name, path in known.items()}
    wanted = {by_path.get(path.resolve(), str(path)): path for path in files}
    sources = read({**known, **wanted})
    merge = sources.store.quads_for_pattern(None, None, None, ox.DefaultGraph())
    results = located(sources, results_of(ntriples(_around(merge, sources, set(wanted)) if wanted else merge)))
    return [r for r in results if not wanted or set(r["file"].split(", ")) & set(wanted)]


def changed(files: Callable[[], Iterable[Path]], pause: float = 0.5) -> Iterator[tuple[Path, ...]]:
    """Waits, and gives the files that were written or added since it looked last; the first time those there are.

    ``files`` says each time anew which there are.
    """
    seen: dict[Path, int] = {}
    while True:
        now = {}
        for path in files():
            try:
                now[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # an editor that writes beside and renames
                continue
        if news := tuple(path for path, when in now.items() if seen.get(path) != when):
            yield news
        seen = now
        time.sleep(pause)


def beside(store: ox.Store, large: set[str]) -> list[ox.Triple]:
    """The merge of a store without its ``large`` graphs, and what these say about things that the rest speaks of."""
    names = [name for name in store.named_graphs() if name.value not in large]
    merge = {quad.triple for name in names for quad in store.quads_for_pattern(None, None, None, name)}
    if large:
        things = {triple.subject for triple in merge} | {triple.object for triple in merge if isinstance(triple.object, ox.NamedNode)}
        graphs = [ox.NamedNode(graph) for graph in large]
        merge |= {quad.triple for thing in things for graph in graphs for quad in store.quads_for_pattern(thing, None, None, graph)}
    return list(merge)


def ntriples(statements: Iterable[ox.Triple | ox.Quad]) -> bytes:
    """Statements without their graphs, as a file of N-Triples."""
    return ox.serialize((s.triple if isinstance(s, ox.Quad) else s for s in statements), format=ox.RdfFormat.N_TRIPLES)


def results_of(merge: bytes) -> list[dict]:
    """Validate N-Triples with the fast engine: a dictionary per result, as :class:`kvgraph.validate.Result` has them."""
    from ..validate import fast  # takes half a second to import, and most builds find the answer in the cache

    with tempfile.TemporaryDirectory(prefix="kvgraph-") as folder:
        data = Path(folder) / "merge.nt"
        data.write_bytes(merge)
        return fast(data).as_dicts()


def _around(merge: Iterable[ox.Quad], sources: Sources, files: set[str]) -> list[ox.Quad]:
    """What shapes may look at to judge what some files say: the things in them, what points to those, what they point to, and so on three times.

    Some shapes compare with every other record: the statements these need are kept as well. A whole validation takes ten times as long.
    """
    statements = list(merge)
    things = {subject for (subject, _), where in sources.files_of.items() if files & set(where)}
    near = things | {q.subject.value for q in statements if isinstance(q.object, ox.NamedNode) and q.object.value in things}
    for _ in range(_STEPS):
        near |= {q.object.value for q in statements if q.subject.value in near and isinstance(q.object, ox.NamedNode)}
    return [q for q in statements if q.subject.value in near or q.predicate.value in _COMPARED]


def located(sources: Sources, results: list[dict]) -> list[dict]:
    """Results of a validation, each with its ``subject`` and the ``file`` that says it."""
    anywhere: dict[str, dict[str, None]] = {}
    for (subject, _), files in sources.files_of.items():
        anywhere.setdefault(subject, {}).update(files)
    found = []
    for result in results:
        subject = result["focus"]
        files = sources.files_of.get((subject, _property(result["path"] or ""))) or anywhere.get(subject, {})
        found.append({**result, "subject": subject, "file": ", ".join(sorted(files)) or UNKNOWN})
    return found


def _property(path: str) -> str:
    """The IRI of a property path of one step, as SPARQL writes it."""
    prefix, _, local = path.partition(":")
    return path.strip("<>") if path.startswith("<") else PREFIXES.get(prefix, "") + local
