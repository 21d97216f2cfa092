"""How two entities are connected, best explanation first, every step with the page that says so.

What ranks first? A connection is a chain of steps, and each step has a price: 1 for a direct tie such as taking part
in a practice, up to 4 for something merely shared such as a country (the prices stand in :data:`kvgraph.model.EDGE_KINDS`).
Whatever lies in the middle of the chain has a price too, and it grows with the number of things it is connected to:
half a point each time that number doubles. A practice tied to eight things adds 1.5 points; a country with 500
entries adds 4.5. So "both took part in the same practice" (about 3 points) ranks far above "both use the same channel"
(8 to 9) and "both are in the same country" (11 to 13): what few share says more than what everybody shares.
The two ends themselves cost nothing. The cheapest chain comes first; none visits the same thing twice.

Several facts between the same two things are one step: the cheapest explains it, the others are listed beside it.
Nodes are the entities of :data:`kvgraph.model.ENTITY_TYPES`; someone's part in a practice is one step, not two.

On disk a connection index is a folder of numpy arrays and tables of strings, mapped into memory when it is opened:
opening takes milliseconds, several processes share the pages, and nothing is ever written there.
"""

from collections.abc import Iterable
from pathlib import Path as Folder
from time import perf_counter

import numpy as np

from .connection_index import BASES, UNIT, Arrays, NoConnections, build_connections
from .connection_parts import ConnectionResult, Hop, Neighbours, Node, Passed, Path, UnknownEntity, UnknownKind
from .model import EDGES
from .shortest_paths import FAR, Network, k_shortest

__all__ = [
    "ConnectionResult", "Connections", "Hop", "Neighbours", "NoConnections", "Node", "Passed", "Path",
    "UnknownEntity", "UnknownKind", "build_connections",
]  # fmt: skip


class Connections:
    '''A connection index, opened read-only.

    Raises :class:`NoConnections` if the folder holds none.

    >>> import pyoxigraph, tempfile
    >>> store = pyoxigraph.Store()
    >>> store.load(b"""
    ...   PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
    ...   PREFIX dcterms: <http://purl.org/dc/terms/>
    ...   <https://example.org/page> {
    ...     <https://example.org/scheme> a kv:Practice ; dcterms:title "Scheme"@en .
    ...     <https://example.org/lab> a kv:Practice ; dcterms:title "Lab"@en ; dcterms:isPartOf <https://example.org/scheme> .
    ...     <https://example.org/law> a kv:Policy ; dcterms:title "Law"@en .
    ...     <https://example.org/scheme> kv:implements <https://example.org/law> . }""", format=pyoxigraph.RdfFormat.TRIG)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     build_connections(store, folder)
    ...     found = Connections(folder).paths("https://example.org/lab", "https://example.org/law")
    >>> [(path.cost, [hop.sentence for hop in path.hops]) for path in found.paths]
    [(2.7, ['Lab is part of Scheme', 'Scheme puts Law into practice'])]
    '''

    def __init__(self, folder: str | Folder):
        index = Arrays(Folder(folder))
        self.network = Network(*(index[name] for name in ("offsets", "target", "kind", "penalty")))
        self._index, self._text = index, index.text
        self._kinds = [EDGES[name] for name in index.text["kinds"]]
        self.kind_names = [kind.name for kind in self._kinds]
        self.type_names = list(index.text["types"])
        self.types = index["type"]

    def __len__(self) -> int:
        """How many entities there are."""
        return len(self._text["iri"])

    @property
    def edges(self) -> int:
        """How many facts connect them."""
        return len(self._index["edge_graph"])

    def paths(
        self,
        a: str,
        b: str,
        k: int = 10,
        max_hops: int = 6,
        kinds: Iterable[str] | None = None,
        exclude: Iterable[str] = (),
    ) -> ConnectionResult:
        """The k best connections between two entities.

        ``kinds`` allows only these kinds of connection, ``exclude`` all but these (names of ``EDGE_KINDS``).
        Raises :class:`UnknownEntity`, :class:`UnknownKind`, and ``ValueError`` for a k or max_hops below 1.
        """
        if k < 1 or max_hops < 1:
            raise ValueError("k and max_hops begin at 1")
        began = perf_counter()
        start, goal, costs = self._find(a), self._find(b), self.costs(kinds, exclude)
        if start == goal:
            reason = "These are one and the same thing: choose two different ones."
            return ConnectionResult([], True, reason, perf_counter() - began)
        found = k_shortest(self.network, start, goal, k, max_hops, costs)
        passed = self._passed([nodes for _, nodes in found.paths])
        paths = [Path(cost / UNIT, self._hops(nodes, costs), tuple(passed[n] for n in nodes[1:-1])) for cost, nodes in found.paths]
        reason = ""
        if not found.complete:
            reason = "The search was stopped: these ends have too much around them. There may be better connections."
        elif not found.connected:
            reason = "Nothing in the graph connects these two by the chosen kinds of connection."
        elif not paths:
            reason = f"There is no connection within {max_hops} {'step' if max_hops == 1 else 'steps'}."
        return ConnectionResult(paths, found.complete, reason, perf_counter() - began)

    def neighbours(self, iri: str, limit: int = 50, of_each: int | None = None, exclude: Iterable[str] = ()) -> Neighbours:
        """What an entity is directly connected to; first what is closest and shared with the fewest others.

        With ``of_each``, so many of every type come before the rest; ``exclude`` as in :meth:`paths`.
        Raises :class:`UnknownEntity` and :class:`UnknownKind`.
        """
        node, costs = self._find(iri), self.costs(None, exclude)
        nearest = self.nearest(node, costs, of_each)
        return Neighbours(len(nearest), [self._hop(node, n, costs) for n in nearest[:limit]])

    def tie(self, a: str, b: str, exclude: Iterable[str] = ()) -> Hop | None:
        """What connects two entities directly, None if nothing does. Raises :class:`UnknownEntity` and :class:`UnknownKind`."""
        source, target, costs = self._find(a), self._find(b), self.costs(None, exclude)
        return self._hop(source, target, costs) if target in self.nearest(source, costs) else None

    # What :mod:`kvgraph.connection_network` needs: nodes as numbers.

    def find(self, iri: str) -> int | None:
        """The number of the entity with this IRI."""
        return self._text["iri"].find(iri)

    def nearest(self, node: int, costs: np.ndarray, of_each: int | None = None) -> list[int]:
        """The numbers of a node's neighbours in the order of :meth:`neighbours`."""
        network = self.network
        arcs = slice(int(network.offsets[node]), int(network.offsets[node + 1]))
        target, step = network.target[arcs], costs[network.kind[arcs]]
        order = np.lexsort((target, step + network.penalty[target]))
        found = list(dict.fromkeys(target[order][step[order] < FAR].tolist()))
        return _varied(found, self.types[found].tolist(), of_each) if of_each and found else found

    def degrees(self, nodes: np.ndarray) -> np.ndarray:
        """How many things each of these nodes is tied to."""
        count = self.network.offsets[nodes + 1] - self.network.offsets[nodes]
        place = np.repeat(np.arange(len(nodes)), count)
        target = self.network.target[self.network.arcs(nodes)[1]]
        new = np.ones(len(target), bool)  # arcs of a node are sorted by target
        new[1:] = (np.diff(target) != 0) | (np.diff(place) != 0)
        return np.bincount(place[new], minlength=len(nodes))

    def forward(self, arcs: np.ndarray) -> np.ndarray:
        """Whether each of these arcs runs from the subject of its fact to the object."""
        return self._index["edge"][arcs] & 1 == 0

    def costs(self, kinds: Iterable[str] | None = None, exclude: Iterable[str] = ()) -> np.ndarray:
        """The cost of each kind of connection, ``FAR`` for those that are shut out. Raises :class:`UnknownKind`."""
        allowed, exclude = set(EDGES if kinds is None else kinds), set(exclude)
        for name in sorted((allowed | exclude) - set(EDGES)):
            raise UnknownKind(name)
        allowed -= exclude
        return np.array([round(e.cost * UNIT) if e.name in allowed else FAR for e in self._kinds], np.int32)

    def node(self, i: int) -> Node:
        """The entity of a number."""
        text = self._text
        return Node(text["iri"][i], text["label"][i], text["language"][i], self.type_names[self.types[i]])

    def _find(self, iri: str) -> int:
        node = self._text["iri"].find(iri)
        if node is None:
            raise UnknownEntity(iri)
        return node

    def _hops(self, nodes: tuple[int, ...], costs: np.ndarray) -> tuple[Hop, ...]:
        return tuple(self._hop(s, t, costs) for s, t in zip(nodes, nodes[1:]))

    def _passed(self, paths: list[tuple[int, ...]]) -> dict[int, Passed]:
        """What stands in the middle of these paths, by number."""
        middle = list(dict.fromkeys(node for nodes in paths for node in nodes[1:-1]))
        ties = self.degrees(np.array(middle, np.int64)).tolist()
        return {n: Passed(self.node(n), t, int(self.network.penalty[n]) / UNIT) for n, t in zip(middle, ties)}

    def _hop(self, source: int, target: int, costs: np.ndarray) -> Hop:
        network, first = self.network, int(self.network.offsets[source])
        targets = network.target[first : int(network.offsets[source + 1])]
        low, high = first + np.searchsorted(targets, [target, target + 1])
        ends = self.node(source), self.node(target)
        edge, graph, basis = (self._index[name] for name in ("edge", "edge_graph", "graph_basis"))
        # Stable: of equal cost the better basis, then the order of the index.
        arcs = [arc for arc in range(low, high) if costs[network.kind[arc]] < FAR]
        arcs.sort(key=lambda arc: (costs[network.kind[arc]], basis[graph[edge[arc] >> 1]]))
        best, *others = arcs
        return self._fact(best, *ends, tuple(self._fact(arc, *ends, ()) for arc in others))

    def _fact(self, arc: int, source: Node, target: Node, others: tuple[Hop, ...]) -> Hop:
        index, text = self._index, self._text
        edge, against = int(index["edge"][arc]) >> 1, int(index["edge"][arc]) & 1
        graph = index["edge_graph"][edge]
        return Hop(
            source=source,
            target=target,
            kind=self._kinds[self.network.kind[arc]].name,
            forward=not against,
            role=text["role"][index["edge_role"][edge]],
            graph=text["graph"][graph],
            basis=BASES[index["graph_basis"][graph]],
            page=text["page"][graph],
            by=text["by"][graph],
            note=text["note"][graph],
            more=int(index["edge_more"][edge]),
            others=others,
        )


def _varied(nodes: list[int], types: list[int], of_each: int) -> list[int]:
    """The first few of every type, and then the rest in their order."""
    seen = dict.fromkeys(types, 0)
    first, rest = [], []
    for node, type_ in zip(nodes, types):
        seen[type_] += 1
        (first if seen[type_] <= of_each else rest).append(node)
    return first + rest
