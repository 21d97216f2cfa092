"""Dumps with large imports in them: made from sorted files, without holding their statements in memory."""

import gzip
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyoxigraph as ox

from ..event_stream import in_default_graph
from ..formats import NQUADS, TRIG, TURTLE, Format
from ..namespaces import PREFIXES
from ..sources.imported import Import
from .imports import merge_sorted, ungraphed

_LEVEL = 4  # of compression: twice as fast as the usual one, for a tenth more bytes


def large_dumps(
    stem: Path, source: str | None, lines: Sequence[bytes], large: Sequence[Import], every_format: bool, scratch: Path
) -> list[Callable[[], dict]]:  # fmt: skip
    """What writes the files of one dump, one call for each, as :func:`kvgraph.build.dumps.write_dumps` needs them.

    ``lines``, sorted N-Quads, are what is not in the ``large`` imports.
    """
    whole, merge = _sorted_files(scratch / stem.name, lines, large)
    named = [quad for quad in ox.parse(b"".join(lines), format=ox.RdfFormat.N_QUADS) if isinstance(quad.graph_name, ox.NamedNode)]
    facts = {"triples": _count(merge), "quads": len(named) + sum(found.report["triples"] for found in large), "languages": []}

    def streamed(format: Format) -> Iterator[ox.Quad]:
        yield from ox.parse(path=merge, format=ox.RdfFormat.N_TRIPLES)
        if format is TRIG:
            yield from sorted(named, key=lambda quad: quad.graph_name.value)
            for found in large:
                yield from ox.parse(path=found.data, format=ox.RdfFormat.N_QUADS)

    def write(format: Format) -> dict:
        path = stem.with_name(f"{stem.name}{format.suffix}.gz")
        # No time in the header: the same content is the same file.
        with open(path, "wb") as file, gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
            if format is NQUADS:
                with open(whole, "rb") as lines:
                    shutil.copyfileobj(lines, packed, 1 << 20)
            else:
                statements = streamed(format)
                ox.serialize((q.triple for q in statements) if format is TURTLE else statements, output=packed, format=format.engine, prefixes=PREFIXES)
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"file": path.name, "source": source, "format": format.name, **facts, "bytes": path.stat().st_size, "sha256": digest}

    return [lambda format=format: write(format) for format in ((NQUADS, TRIG, TURTLE) if every_format else (NQUADS,))]


def _sorted_files(stem: Path, lines: Sequence[bytes], large: Sequence[Import]) -> tuple[Path, Path]:
    """Everything, and its default graph alone, as sorted files."""
    rest, rest_merge = stem.with_suffix(".rest"), stem.with_suffix(".default")
    rest.write_bytes(b"".join(lines))
    rest_merge.write_bytes(b"".join(filter(in_default_graph, lines)))
    merges = [ungraphed(found, stem.parent) for found in large]
    whole, default = stem.with_suffix(".nq"), stem.with_suffix(".nt")
    merge_sorted([rest, *(found.data for found in large), *merges], whole)
    merge_sorted([rest_merge, *merges], default)
    return whole, default


def _count(lines: Path) -> int:
    with open(lines, "rb", buffering=0) as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
