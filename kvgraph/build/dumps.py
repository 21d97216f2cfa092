"""The dumps of a release: all of it and each source, to take away.

Every dump exists as N-Quads and TriG, which keep who says what: the named graphs, and their merge as the default graph, as the SPARQL
endpoint has it; and as Turtle, which holds the merge alone. The same content is the same bytes.
"""

import gzip
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import pyoxigraph as ox

from .. import __version__
from ..formats import NQUADS, TRIG, TURTLE, Format
from ..namespaces import DCAT, DCTERMS, ID, PREFIXES, RDF
from ..releases import Release
from ..sources.imported import Import
from .large_dumps import large_dumps

FORMATS = (NQUADS, TRIG, TURTLE)
WHOLE = "kvgraph"
_LEVEL = 6  # of compression
SUMS = "SHA256SUMS"
SOURCE = ID + "source/"


def write_dumps(lines: list[str], folder: Path, large: Sequence[Import] = (), every_format: bool = True, before: Release | None = None) -> list[dict]:
    """Write every dump of a release, and ``SHA256SUMS``, into a new ``folder``.

    ``lines`` are the sorted N-Quads of the release without its ``large`` imports, default graph included; these are merged in file by file.
    What they are in is N-Quads only, unless ``every_format``. Returns one dictionary for each file: ``file``, ``source`` (an IRI, None for the whole),
    ``format`` (its name), ``triples`` (of the merge), ``quads`` (in named graphs), ``languages`` (tags), ``bytes``, ``sha256``; of a source without large
    imports also ``content``, a digest of all that its files follow from. Where a release ``before`` has a file of the same content it is taken from there.
    """
    folder.mkdir()
    content = "".join(lines).encode()
    quads = list(ox.parse(content, format=ox.RdfFormat.N_QUADS))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as scratch:
        sources = by_source(quads)
        names = dict(zip(sorted(sources), _names(sorted(sources))))
        jobs = [] if large else _jobs(folder / WHOLE, None, quads, lambda: content)
        if large:
            jobs += large_dumps(folder / WHOLE, None, quads, content, large, every_format, Path(scratch))
        for source, part in sorted(sources.items()):
            dataset = _with_merge(part)
            own = [found for found in large if found.report["iri"] == source]
            if own:
                jobs += large_dumps(folder / names[source], source, dataset, _sorted_lines(dataset), own, every_format, Path(scratch))
            else:
                jobs += _taken_over(folder / names[source], source, dataset, before)
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # compression works outside the interpreter's lock
            dumps = list(threads.map(lambda job: job(), jobs))
    (folder / SUMS).write_text("".join(f"{d['sha256']}  {d['file']}\n" for d in dumps), encoding="ascii")
    return dumps


def by_source(quads: Iterable[ox.Quad]) -> dict[str, list[ox.Quad]]:
    """The quads of each source: the graphs that are part of it, and what is said about these graphs and about the source itself.

    >>> by_source([])
    {}
    """
    named = [q for q in quads if isinstance(q.graph_name, ox.NamedNode)]
    owners = {q.subject.value: {q.subject.value} for q in named if q.predicate.value == RDF + "type" and q.object == _DATASET}
    sources = set(owners)
    for quad in named:
        if quad.predicate.value == DCTERMS + "isPartOf" and _value(quad.object) in sources:
            owners.setdefault(quad.subject.value, set()).add(quad.object.value)
    found: dict[str, list[ox.Quad]] = {}
    for quad in named:
        for source in owners.get(quad.graph_name.value) or owners.get(quad.subject.value) or ():
            found.setdefault(source, []).append(quad)
    return found


_DATASET = ox.NamedNode(DCAT + "Dataset")


def _value(term: ox.NamedNode | ox.Literal) -> str | None:
    return term.value if isinstance(term, ox.NamedNode) else None


def _with_merge(named: list[ox.Quad]) -> list[ox.Quad]:
    """Named graphs and their de-duplicated merge."""
    return [*(ox.Quad(*triple) for triple in dict.fromkeys(q.triple for q in named)), *named]


def _names(sources: Iterable[str]) -> Iterator[str]:
    """A file name for each source: what stands behind ``id/source/``, in letters that are safe anywhere, no two alike."""
    taken = {WHOLE}
    for source in sources:
        name = slug = re.sub(r"[^A-Za-z0-9_-]+", "-", source.removeprefix(SOURCE)).strip("-")
        number = 1
        while name in taken:
            number += 1
            name = f"{slug}-{number}"
        taken.add(name)
        yield name


def _jobs(stem: Path, source: str | None, quads: list[ox.Quad], nquads: Callable[[], bytes]) -> list[Callable[[], dict]]:
    """What writes the files of one dump, one call for each."""
    @lru_cache(maxsize=1)
    def merge() -> list[ox.Triple]:
        return [q.triple for q in quads if isinstance(q.graph_name, ox.DefaultGraph)]

    @lru_cache(maxsize=1)
    def facts() -> dict:
        languages = {t.object.language for t in merge() if isinstance(t.object, ox.Literal)} - {None}
        return {"triples": len(merge()), "quads": len(quads) - len(merge()), "languages": sorted(languages)}

    # In the order of the statements, graph after graph.
    contents = {
        NQUADS: nquads,
        TRIG: lambda: _serialised(sorted(quads, key=lambda q: _value(q.graph_name) or ""), TRIG),
        TURTLE: lambda: _serialised(merge(), TURTLE),
    }

    def write(format: Format) -> dict:
        path = stem.with_name(f"{stem.name}{format.suffix}.gz")
        compressed = _gzip(contents[format]())
        path.write_bytes(compressed)
        digest = hashlib.sha256(compressed).hexdigest()
        return {"file": path.name, "source": source, "format": format.name, **facts(), "bytes": len(compressed), "sha256": digest}

    return [lambda format=format: write(format) for format in FORMATS]


def _taken_over(stem: Path, source: str, quads: list[ox.Quad], before: Release | None) -> list[Callable[[], dict]]:
    """As :func:`_jobs`, but what a release before has already is linked to, or copied where a file system has no links."""
    nquads = _sorted_lines(quads)
    content = hashlib.sha256(repr((_LEVEL, version("pyoxigraph"), sorted(PREFIXES.items()), __version__)).encode() + nquads).hexdigest()
    known = {d["format"]: d for d in before.manifest["dumps"] if d["source"] == source and d.get("content") == content} if before else {}

    def take(dump: dict, path: Path) -> dict:
        there = before.dumps / dump["file"]
        try:
            os.link(there, path)
        except OSError:
            shutil.copyfile(there, path)
        return {**dump, "file": path.name}

    def write(format: Format, anew: Callable[[], dict]) -> dict:
        path = stem.with_name(f"{stem.name}{format.suffix}.gz")
        if (dump := known.get(format.name)) and (before.dumps / dump["file"]).is_file():
            return take(dump, path)
        return {**anew(), "content": content}

    return [lambda format=format, anew=anew: write(format, anew) for format, anew in zip(FORMATS, _jobs(stem, source, quads, lambda: nquads))]


def _sorted_lines(quads: list[ox.Quad]) -> bytes:
    return b"".join(sorted(_serialised(quads, NQUADS).splitlines(keepends=True)))


def _serialised(statements: Iterable[ox.Quad] | Iterator[ox.Triple], format: Format) -> bytes:
    return ox.serialize(statements, format=format.engine, prefixes=None if format is NQUADS else PREFIXES)


def _gzip(content: bytes) -> bytes:
    # No time in the header (RFC 1952, section 2.3.1): the same content is the same file.
    return gzip.compress(content, compresslevel=_LEVEL, mtime=0)
