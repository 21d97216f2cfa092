"""Where an instance is: RDF of a release names its endpoint ``https://w3id.org/kvgraph/sparql``, whoever serves it has a host.

Names stay as they are everywhere (``id/``, ``def/``, ``graph/``, the shapes); every other IRI below ``https://w3id.org/kvgraph/`` is the
address of something that an instance offers. A release is written once, so the host is put in when its RDF is served. What is asked
below ``/release/<id>/`` (:mod:`kvgraph.server.pinned`) names addresses there, so that a reader stays in that release.
"""

import re
from collections.abc import Iterable, Iterator

import pyoxigraph as ox
from flask import request

from ..namespaces import BASE, DEF, GRAPH, ID

_NAMES = (ID, DEF, GRAPH, BASE + "shapes")
_PINNED = re.compile(r"release/[^/]+/$")


def root() -> str:
    """The address of this instance, as the client of this request knows it; it ends in a slash."""
    return request.url_root


def here(statements: Iterable[ox.Triple | ox.Quad], root: str) -> Iterator[ox.Triple | ox.Quad]:
    """The statements with what this instance offers at its own address, which begins with ``root``.

    >>> sparql = ox.NamedNode("https://w3id.org/kvgraph/sparql")
    >>> [str(t.object) for t in here([ox.Triple(sparql, sparql, sparql)], "http://localhost/")]
    ['<http://localhost/sparql>']
    """
    for statement in statements:
        yield type(statement)(*(here_of(term, root) for term in statement))


def here_of(term, root: str):
    """The term, or the address that stands for it on this instance."""
    if isinstance(term, ox.NamedNode) and term.value.startswith(BASE) and not term.value.startswith(_NAMES):
        path = term.value[len(BASE) :]
        return ox.NamedNode((_PINNED.sub("", root) if path.startswith("release/") else root) + path)
    return term
