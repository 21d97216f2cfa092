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


def here(triples: Iterable[ox.Triple], root: str) -> Iterator[ox.Triple]:
    """The triples with what this instance offers at its own address, which begins with ``root``.

    >>> sparql = ox.NamedNode("https://w3id.org/kvgraph/sparql")
    >>> [str(t.object) for t in here([ox.Triple(sparql, sparql, sparql)], "http://localhost/")]
    ['<http://localhost/sparql>']
    """
    for triple in triples:
        yield ox.Triple(_here(triple.subject, root), _here(triple.predicate, root), _here(triple.object, root))


def _here(term, root: str):
    if isinstance(term, ox.NamedNode) and term.value.startswith(BASE) and not term.value.startswith(_NAMES):
        path = term.value[len(BASE) :]
        return ox.NamedNode((_PINNED.sub("", root) if path.startswith("release/") else root) + path)
    return term
