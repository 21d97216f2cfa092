"""What build adds to the sources: example queries, measurements of quality and the VoID description, each in a graph of its own and in the merge."""

from collections.abc import Iterable

import pyoxigraph as ox

from .examples import EXAMPLES, examples
from .quality import GRAPH_OF_QUALITY, quality
from .void import GRAPH_OF_VOID, merged, void


def add_descriptions(store: ox.Store, large: Iterable[dict] = ()) -> None:
    """Describe a merged store inside itself, so that whoever asks the endpoint finds the examples, how complete the records are, and the numbers.

    ``large`` has the reports of imports that are not in the store yet.
    """
    _add(store, EXAMPLES, list(examples()))
    _add(store, GRAPH_OF_QUALITY, list(dict.fromkeys(quality(store))))
    _add(store, GRAPH_OF_VOID, void(store, list(merged(store)), large))


def _add(store: ox.Store, graph: str, triples: list[ox.Triple]) -> None:
    name = ox.NamedNode(graph)
    store.extend([*(ox.Quad(*t, name) for t in triples), *(ox.Quad(*t) for t in triples)])
