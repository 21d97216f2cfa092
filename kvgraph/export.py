"""Export: the whole release in an RDF format."""

import gzip
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox

from .formats import by_name
from .namespaces import PREFIXES
from .releases import Release

DATASETS = ("nquads", "trig")  # these keep who says what; other formats hold one graph


def export(release: Release, format: str = "nquads", output: Path | None = None) -> None:
    """Write a release to a file, or to standard output.

    ``nquads`` and ``trig`` hold the named graphs (who says what), ``turtle``, ``ntriples``, ``jsonld`` and ``rdfxml`` their
    merge. A file appears whole or not at all. Raises :class:`~kvgraph.formats.UnknownFormat`.
    """
    engine = by_name(format).engine
    content = _named(release) if format in DATASETS else _merge(release)
    prefixes = PREFIXES if format in ("trig", "turtle", "rdfxml") else None
    if output is None:
        ox.serialize(content, sys.stdout.buffer, format=engine, prefixes=prefixes)
        return
    if output.exists() and not output.is_file():  # a pipe or a device cannot be replaced
        with open(output, "wb") as file:
            ox.serialize(content, file, format=engine, prefixes=prefixes)
        return
    draft = output.with_name(f".{output.name}.part")
    try:
        with open(draft, "wb") as file:
            ox.serialize(content, file, format=engine, prefixes=prefixes)
        os.replace(draft, output)
    finally:
        draft.unlink(missing_ok=True)


def _quads(release: Release) -> Iterator[ox.Quad]:
    with gzip.open(release.nquads) as file:
        yield from ox.parse(file, format=ox.RdfFormat.N_QUADS)


def _named(release: Release) -> Iterator[ox.Quad]:
    return (q for q in _quads(release) if isinstance(q.graph_name, ox.NamedNode))


def _merge(release: Release) -> Iterator[ox.Triple]:
    return (q.triple for q in _quads(release) if isinstance(q.graph_name, ox.DefaultGraph))
