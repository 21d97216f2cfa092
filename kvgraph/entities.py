"""Which things of a store have a page of their own, and what they are called.

The search index and the connection index both begin here, so they agree on what an entity is and on its label.
"""

from collections.abc import Iterator

from pyoxigraph import Literal, NamedNode, Quad, Store

from .model import ENTITY_TYPES, LABEL_PROPERTIES
from .namespaces import DCTERMS, ID, RDF, SKOS

_IMPORTED = ID + "source/import-"


def quads(store: Store, predicate: str, value: str | None = None) -> Iterator[Quad]:
    """Every quad with this predicate (and object), in all graphs. One triple comes once per graph that holds it."""
    return store.quads_for_pattern(None, NamedNode(predicate), value and NamedNode(value), None)


def of_graphs(store: Store, predicate: str) -> Iterator[Quad]:
    """What is said with a predicate about graphs that a curator wrote from pages: those of imports, which hold whole data sets, are left out."""
    whole = {q.subject for q in quads(store, DCTERMS + "isPartOf") if isinstance(q.object, NamedNode) and q.object.value.startswith(_IMPORTED)}
    return (quad for quad in quads(store, predicate) if quad.subject not in whole)


def entity_types(store: Store) -> dict[str, str]:
    """The kind (``"practice"``, ``"actor"`` …) of every entity by its IRI.

    >>> entity_types(Store())
    {}
    """
    types = {}
    # Backwards: where a thing has several types the first of ENTITY_TYPES wins.
    for kind in reversed(ENTITY_TYPES):
        for predicate in (RDF + "type", SKOS + "inScheme"):
            for quad in quads(store, predicate, kind.iri):
                if isinstance(quad.subject, NamedNode):
                    types[quad.subject.value] = kind.name
    return types


def labels(store: Store) -> dict[str, tuple[str, str]]:
    """The label and its language tag (``""`` where there is none) of everything that has a label.

    English comes first, then text without a language, then the other languages in the order of their tags.

    >>> labels(Store())
    {}
    """
    best: dict[str, tuple] = {}
    for rank, predicate in enumerate(LABEL_PROPERTIES):
        for quad in quads(store, predicate):
            if isinstance(quad.object, Literal) and isinstance(quad.subject, NamedNode):
                language = quad.object.language or ""
                order = (rank, {"en": 0, "": 1}.get(language, 2), language, quad.object.value)
                iri = quad.subject.value
                if iri not in best or order < best[iri]:
                    best[iri] = order
    return {iri: (text, language) for iri, (_, _, language, text) in best.items()}
