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
from dataclasses import dataclass
from pathlib import Path as Folder
from string import Formatter
from time import perf_counter

import numpy as np

from .connection_index import BASES, UNIT, Arrays, NoConnections, build_connections
from .errors import KvgraphError
from .model import EDGES
from .shortest_paths import FAR, Network, k_shortest

__all__ = [
    "ConnectionResult", "Connections", "Hop", "Neighbours", "NoConnections", "Node", "Path",
    "UnknownEntity", "UnknownKind", "build_connections",
]  # fmt: skip


class UnknownEntity(KvgraphError):
    """No entity has this IRI."""

    def __init__(self, iri: str):
        super().__init__(f"Nothing here is called <{iri}>.", hint="Search for its name to find its IRI.")
        self.iri = iri


class UnknownKind(KvgraphError):
    """No kind of connection has this name."""

    def __init__(self, name: str):
        super().__init__(f"There is no kind of connection “{name}”.", hint="The kinds are: " + ", ".join(EDGES) + ".")


@dataclass(frozen=True)
class Node:
    """An entity: ``type`` as in ``model.TYPES``, ``language`` the tag of its label or ``""``."""

    iri: str
    label: str
    language: str
    type: str


@dataclass(frozen=True)
class Hop:
    """One step. ``forward``: the fact reads from source to target; otherwise it reads from target to source.

    ``graph`` is the named graph that holds the fact, ``page`` what it draws on, ``basis`` stated, classified or
    derived, ``by`` the IRI of whoever is answerable, ``note`` their remark, ``more`` how many further graphs
    say the same. ``others`` are further facts between the same two entities.
    """

    source: Node
    target: Node
    kind: str
    forward: bool
    role: str
    graph: str
    basis: str
    page: str
    by: str
    note: str
    more: int
    others: tuple["Hop", ...] = ()

    @property
    def parts(self) -> tuple[str | Node, ...]:
        """The sentence in pieces, so that a page can turn the two entities into links."""
        subject, object_ = (self.source, self.target) if self.forward else (self.target, self.source)
        fill = {"s": subject, "o": object_, "role": self.role}
        pieces = []
        for text, name, _, _ in Formatter().parse(EDGES[self.kind].sentence):
            pieces += [text] * bool(text) + ([fill[name]] if name else [])
        return tuple(pieces)

    @property
    def sentence(self) -> str:
        """The fact in plain words."""
        return "".join(p.label if isinstance(p, Node) else p for p in self.parts)


@dataclass(frozen=True)
class Path:
    """A chain of hops and its price in points, lower is better."""

    cost: float
    hops: tuple[Hop, ...]


@dataclass(frozen=True)
class ConnectionResult:
    """``complete``: it is proven that these are the best and, if fewer than asked for, all there are."""

    paths: list[Path]
    complete: bool
    reason: str  # why there is nothing, or why not complete; "" otherwise
    seconds: float


@dataclass(frozen=True)
class Neighbours:
    """``total`` neighbours there are, and the hops to the first of them, the most telling first."""

    total: int
    hops: list[Hop]


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
        self._network = Network(*(index[name] for name in ("offsets", "target", "kind", "penalty")))
        self._index, self._text = index, index.text
        self._kinds = [EDGES[name] for name in index.text["kinds"]]
        self._types = list(index.text["types"])

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
        start, goal, costs = self._find(a), self._find(b), self._costs(kinds, exclude)
        if start == goal:
            reason = "These are one and the same thing: choose two different ones."
            return ConnectionResult([], True, reason, perf_counter() - began)
        found = k_shortest(self._network, start, goal, k, max_hops, costs)
        paths = [Path(cost / UNIT, self._hops(nodes, costs)) for cost, nodes in found.paths]
        reason = ""
        if not found.complete:
            reason = "The search was stopped: these ends have too much around them. There may be better connections."
        elif not found.connected:
            reason = "Nothing in the graph connects these two by the chosen kinds of connection."
        elif not paths:
            reason = f"There is no connection within {max_hops} {'step' if max_hops == 1 else 'steps'}."
        return ConnectionResult(paths, found.complete, reason, perf_counter() - began)

    def neighbours(self, iri: str, limit: int = 50) -> Neighbours:
        """What an entity is directly connected to; first what is closest and shared with the fewest others.

        Raises :class:`UnknownEntity`.
        """
        node, network, costs = self._find(iri), self._network, self._costs(None, ())
        arcs = slice(int(network.offsets[node]), int(network.offsets[node + 1]))
        target = network.target[arcs]
        order = np.lexsort((target, costs[network.kind[arcs]] + network.penalty[target]))
        nearest = list(dict.fromkeys(target[order].tolist()))
        return Neighbours(len(nearest), [self._hop(node, n, costs) for n in nearest[:limit]])

    def _find(self, iri: str) -> int:
        node = self._text["iri"].find(iri)
        if node is None:
            raise UnknownEntity(iri)
        return node

    def _costs(self, kinds: Iterable[str] | None, exclude: Iterable[str]) -> np.ndarray:
        allowed, exclude = set(EDGES if kinds is None else kinds), set(exclude)
        for name in sorted((allowed | exclude) - set(EDGES)):
            raise UnknownKind(name)
        allowed -= exclude
        return np.array([round(e.cost * UNIT) if e.name in allowed else FAR for e in self._kinds], np.int32)

    def _hops(self, nodes: tuple[int, ...], costs: np.ndarray) -> tuple[Hop, ...]:
        return tuple(self._hop(s, t, costs) for s, t in zip(nodes, nodes[1:]))

    def _hop(self, source: int, target: int, costs: np.ndarray) -> Hop:
        network, first = self._network, int(self._network.offsets[source])
        targets = network.target[first : int(network.offsets[source + 1])]
        low, high = first + np.searchsorted(targets, [target, target + 1])
        ends = self._node(source), self._node(target)
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
            kind=self._kinds[self._network.kind[arc]].name,
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

    def _node(self, i: int) -> Node:
        text = self._text
        return Node(text["iri"][i], text["label"][i], text["language"][i], self._types[self._index["type"][i]])
