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
from ..event_stream import in_default_graph
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


def write_dumps(lines: list[bytes], folder: Path, large: Sequence[Import] = (), every_format: bool = True, before: Release | None = None) -> list[dict]:
    """Write every dump of a release, and ``SHA256SUMS``, into a new ``folder``.

    ``lines`` are the sorted N-Quads of the release without its ``large`` imports, default graph included; these are merged in file by file.
    What they are in is N-Quads only, unless ``every_format``. Returns one dictionary for each file: ``file``, ``source`` (an IRI, None for the whole),
    ``format`` (its name), ``triples`` (of the merge), ``quads`` (in named graphs), ``languages`` (tags), ``bytes``, ``sha256``; of a source without large
    imports also ``content``, a digest of all that its files follow from. Where a release ``before`` has a file of the same content it is taken from there.
    """
    folder.mkdir()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as scratch:
        sources = by_source(lines)
        names = dict(zip(sorted(sources), _names(sorted(sources))))
        jobs = large_dumps(folder / WHOLE, None, lines, large, every_format, Path(scratch)) if large else _jobs(folder / WHOLE, None, lambda: lines)
        for source, part in sorted(sources.items()):
            own = [found for found in large if found.report["iri"] == source]
            if own:
                jobs += large_dumps(folder / names[source], source, _with_merge(part), own, every_format, Path(scratch))
            else:
                jobs += _taken_over(folder / names[source], source, part, before)
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # compression works outside the interpreter's lock
            dumps = list(threads.map(lambda job: job(), jobs))
    (folder / SUMS).write_text("".join(f"{d['sha256']}  {d['file']}\n" for d in dumps), encoding="ascii")
    return dumps


def by_source(lines: Iterable[bytes]) -> dict[str, list[bytes]]:
    """The lines of each source, of N-Quads as Oxigraph writes them: the graphs that are part of it, and what is said about these graphs and about the
    source itself. The default graph, a copy, is left out.

    >>> by_source([])
    {}
    """
    named = [(*line.split(b" ", 2), graph, line) for line in lines if (graph := graph_of(line))]
    owners = {subject: {subject} for subject, predicate, rest, *_ in named if predicate == _TYPE and rest.startswith(_DATASET)}
    sources = set(owners)
    for subject, predicate, rest, *_ in named:
        if predicate == _IS_PART_OF and (whole := rest.partition(b" ")[0]) in sources:
            owners.setdefault(subject, set()).add(whole)
    found: dict[bytes, list[bytes]] = {}
    for subject, _, _, graph, line in named:
        for source in owners.get(graph) or owners.get(subject) or ():
            found.setdefault(source, []).append(line)
    return {source[1:-1].decode(): part for source, part in found.items()}


_TYPE, _DATASET, _IS_PART_OF = f"<{RDF}type>".encode(), f"<{DCAT}Dataset> ".encode(), f"<{DCTERMS}isPartOf>".encode()


def graph_of(line: bytes) -> bytes:
    """The graph that a line of N-Quads names, in angle brackets; nothing in the default graph.

    >>> graph_of(b"<a:s> <a:p> <a:o> <a:g> .\\n"), graph_of(b"<a:s> <a:p> <a:o> .\\n")
    (b'<a:g>', b'')
    """
    return b"" if in_default_graph(line) else line[line.rindex(b" <") + 1 : line.rindex(b" ")]


def _with_merge(named: list[bytes]) -> list[bytes]:
    """Lines of named graphs and of their de-duplicated merge, sorted."""
    return sorted({*(line[: line.rindex(b" <")] + b" .\n" for line in named), *named})


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


def _jobs(stem: Path, source: str | None, lines: Callable[[], list[bytes]]) -> list[Callable[[], dict]]:
    """What writes the files of one dump, one call for each."""
    @lru_cache(maxsize=1)
    def merge() -> list[bytes]:
        return [line for line in lines() if in_default_graph(line)]

    @lru_cache(maxsize=1)
    def facts() -> dict:
        tags = {line[line.rindex(b'"') + 1 : line.rindex(b" ")] for line in merge() if b'"' in line}
        languages = sorted(tag[1:].decode() for tag in tags if tag.startswith(b"@"))
        return {"triples": len(merge()), "quads": len(lines()) - len(merge()), "languages": languages}

    # In the order of the statements, graph after graph.
    contents = {
        NQUADS: lambda: b"".join(lines()),
        TRIG: lambda: _serialised(sorted(lines(), key=graph_of), TRIG),
        TURTLE: lambda: _serialised(merge(), TURTLE),
    }

    def write(format: Format) -> dict:
        path = stem.with_name(f"{stem.name}{format.suffix}.gz")
        compressed = _gzip(contents[format]())
        path.write_bytes(compressed)
        digest = hashlib.sha256(compressed).hexdigest()
        return {"file": path.name, "source": source, "format": format.name, **facts(), "bytes": len(compressed), "sha256": digest}

    return [lambda format=format: write(format) for format in FORMATS]


def _taken_over(stem: Path, source: str, named: list[bytes], before: Release | None) -> list[Callable[[], dict]]:
    """As :func:`_jobs`, but what a release before has already is linked to, or copied where a file system has no links."""
    salt = repr((_LEVEL, version("pyoxigraph"), sorted(PREFIXES.items()), __version__)).encode()
    content = hashlib.sha256(salt + b"".join(named)).hexdigest()
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

    lines = lru_cache(maxsize=1)(lambda: _with_merge(named))
    return [lambda format=format, anew=anew: write(format, anew) for format, anew in zip(FORMATS, _jobs(stem, source, lines))]


def _serialised(lines: Iterable[bytes], format: Format) -> bytes:
    quads = ox.parse(b"".join(lines), format=ox.RdfFormat.N_QUADS)
    return ox.serialize((q.triple for q in quads) if format is TURTLE else quads, format=format.engine, prefixes=PREFIXES)


def _gzip(content: bytes) -> bytes:
    # No time in the header (RFC 1952, section 2.3.1): the same content is the same file.
    return gzip.compress(content, compresslevel=_LEVEL, mtime=0)
