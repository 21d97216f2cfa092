"""Importers: data sets of others, brought home. One module per source, each a function from opened files to rows.

:data:`SOURCES` has what can be imported by name, :func:`kvgraph.sources.importing.run` imports it, :func:`kvgraph.sources.imported.imports` says what
was imported.
"""

from ..errors import KvgraphError
from . import ror
from .source import CC0, Source

_ALL = (
    Source(
        "ror", "Research Organization Registry, imported",
        "Research organisations of the world with names, kinds, places, web pages, parents and identifiers elsewhere, as published in the dump of ROR.",
        "research-organization-registry", CC0, "https://ror.org/",
        "the dump of ROR, schema 2: v1.60-2025-01-01-ror-data.zip, or its JSON file", ror.read,
        ("https://zenodo.org/api/communities/ror-data/records?q=&sort=newest&size=1",),
    ),
)  # fmt: skip
SOURCES = {source.name: source for source in _ALL}


class UnknownSource(KvgraphError):
    """No source of that name can be imported."""


def source(name: str) -> Source:
    """The source of that name. Raises :class:`UnknownSource`, naming those there are.

    >>> source("ror").title
    'Research Organization Registry, imported'
    """
    if name not in SOURCES:
        raise UnknownSource(f"There is no source {name!r}.", hint=f"Sources: {', '.join(SOURCES)}.")
    return SOURCES[name]
