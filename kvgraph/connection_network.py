"""Things and the ties between them, chosen to be drawn: the neighbours of a thing, or what ties the results of a search together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .connections import Connections, Node, UnknownEntity
from .layout import Stage, arrange
from .shortest_paths import FAR

OPENED = 40  # neighbours that opening a thing adds at most


@dataclass(frozen=True)
class Tie:
    """What ties two things (numbers of nodes): the cheapest kind of fact, and how many facts there are. ``source`` is the fact's subject."""

    source: int
    target: int
    kind: str
    facts: int


@dataclass(frozen=True)
class Spot:
    """A thing in a network: where it stands, how many things it is tied to in all, and why it is here.

    ``part`` is ``asked`` (the network is of it), ``opened`` (its neighbours were asked for) or ``""``.
    """

    node: Node
    x: float
    y: float
    ties: int
    part: str


@dataclass(frozen=True)
class NetworkOf:
    """``left_out``: neighbours there are beyond the most that were asked for. ``hidden``: things that the chosen kinds and types leave out."""

    spots: list[Spot]
    ties: list[Tie]
    left_out: int
    hidden: int


@dataclass(frozen=True)
class Choice:
    """What a network is of. One thing is shown with its neighbours; several with their ties, and with ``shared`` also with what at least two of them share.

    ``opened`` are things whose neighbours are shown too, in this order; ``without`` kinds of tie and ``hide`` types of thing that are left out.
    What is left out keeps its place, so that nothing moves when it is shown again. There are ``most`` things at first; each opening may add some.
    """

    of: tuple[str, ...]
    opened: tuple[str, ...] = ()
    shared: bool = False
    without: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    most: int = 150


def network(connections: Connections, choice: Choice) -> NetworkOf:
    """The network of a choice. Things that the index does not know are not in it.

    Raises :class:`~kvgraph.connections.UnknownEntity` if it knows none of ``of``, and :class:`~kvgraph.connections.UnknownKind`.
    """
    drawn = _Drawn(connections, choice)
    allowed = connections.costs(exclude=choice.without)
    pairs, kinds, forward, facts = drawn.ties(allowed)
    shown = drawn.kept(pairs, choice.hide)
    number = np.cumsum(shown) - 1
    places = drawn.places()
    here = np.flatnonzero(shown).tolist()
    degree = connections.degrees(drawn.nodes)
    parts = drawn.parts()
    spots = [
        Spot(connections.node(int(drawn.nodes[i])), float(places[i, 0]), float(places[i, 1]), int(degree[i]), parts[i]) for i in here
    ]  # fmt: skip
    both = shown[pairs].all(axis=1) if len(pairs) else np.zeros(0, bool)
    rows = zip(number[pairs[both]].tolist(), kinds[both].tolist(), forward[both].tolist(), facts[both].tolist())
    ties = [Tie(*(ends if ahead else ends[::-1]), connections.kind_names[kind], n) for ends, kind, ahead, n in rows]
    return NetworkOf(spots, ties, drawn.left_out, int((~shown).sum()))


class _Drawn:
    """The nodes of a network in the stages in which they came, all kinds and types in it."""

    def __init__(self, connections: Connections, choice: Choice):
        self.connections, self.left_out = connections, 0
        self.everything = connections.costs()
        asked = self._known(choice.of)
        if not asked:
            raise UnknownEntity(choice.of[0] if choice.of else "")
        self.asked = asked[: choice.most * 2 // 3 if choice.shared else choice.most]  # which leaves room for what they share
        self.opened = self._known(choice.opened)
        self.left_out += len(asked) - len(self.asked)
        self.numbers: dict[int, int] = {}
        self.stages: list[Stage] = []
        room = choice.most - len(self.asked)
        first = self._around(self.asked[0], room) if len(self.asked) == 1 else self._shared(room) if choice.shared else []
        self._add([*self.asked, *first], None)
        for node in self.opened:
            if node in self.numbers:  # what is opened is there already, or the address is nonsense
                self._add(self._around(node, OPENED), self.numbers[node])
        self.nodes = np.fromiter(self.numbers, np.int64, len(self.numbers))

    def _known(self, iris: Iterable[str]) -> list[int]:
        found = (self.connections.find(iri) for iri in dict.fromkeys(iris))
        return [node for node in found if node is not None]

    def _add(self, nodes: Sequence[int], opened: int | None) -> None:
        new = [node for node in nodes if node not in self.numbers]
        for node in new:
            self.numbers[node] = len(self.numbers)
        self.stages.append(Stage([self.numbers[node] for node in new], opened))

    def _around(self, node: int, room: int) -> list[int]:
        """The neighbours of a node, as many as there is room for: the most telling of every type, and side by side what is of one type."""
        found = self.connections.nearest(node, self.everything, of_each=max(3, room // 6))
        fresh = [n for n in found if n not in self.numbers]
        self.left_out += max(len(fresh) - room, 0)
        types = self.connections.types
        return sorted(fresh[:room], key=lambda n: types[n])

    def _shared(self, room: int) -> list[int]:
        """What at least two of the things asked for are tied to: first what ties most of them and few others."""
        network = self.connections.network
        source, arcs = network.arcs(np.array(self.asked))
        ends = np.unique(np.column_stack((network.target[arcs], source)), axis=0)
        shared, times = np.unique(ends[~np.isin(ends[:, 0], self.asked), 0], return_counts=True)
        shared, times = shared[times > 1], times[times > 1]
        order = np.lexsort((shared, -times / np.sqrt(self.connections.degrees(shared))))
        self.left_out += max(len(shared) - room, 0)
        return shared[order][:room].tolist()

    def ties(self, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of node numbers, the kind of the cheapest allowed fact of each, whether it reads forward, and how many there are."""
        source, target, arc = self._arcs(allowed)
        cost = allowed[self.connections.network.kind[arc]]
        order = np.lexsort((arc, cost, target, source))
        source, target, arc = source[order], target[order], arc[order]
        first = np.ones(len(source), bool)
        first[1:] = (np.diff(source) != 0) | (np.diff(target) != 0)
        at = np.flatnonzero(first)
        facts = np.diff(at, append=len(source))
        return np.column_stack((source[at], target[at])), self.connections.network.kind[arc[at]], self.connections.forward(arc[at]), facts

    def _arcs(self, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every arc of an allowed kind between two of the nodes, each edge once; ends as node numbers."""
        network = self.connections.network
        source, arc = network.arcs(self.nodes)
        rank = np.argsort(self.nodes)
        ordered = self.nodes[rank]

        def number(nodes: np.ndarray) -> np.ndarray:
            place = np.minimum(np.searchsorted(ordered, nodes), len(ordered) - 1)
            return np.where(ordered[place] == nodes, rank[place], -1)

        ends = number(source), number(network.target[arc])
        kept = (ends[1] > ends[0]) & (allowed[network.kind[arc]] < FAR)
        return ends[0][kept], ends[1][kept], arc[kept]

    def kept(self, pairs: np.ndarray, hide: Sequence[str]) -> np.ndarray:
        """Which nodes are shown: what was asked for, and what is tied to it, through others that are shown too."""
        hidden = [name in hide for name in self.connections.type_names]
        shown = np.isin(self.nodes, [*self.asked, *self.opened])
        wanted = ~np.array(hidden)[self.connections.types[self.nodes]] | shown
        pairs = pairs[wanted[pairs].all(axis=1)]
        while True:
            touched = pairs[shown[pairs].any(axis=1)]
            if shown[touched].all():
                return shown
            shown[touched] = True

    def places(self) -> np.ndarray:
        pairs, *_ = self.ties(self.everything)
        return arrange(len(self.nodes), self.stages, pairs)

    def parts(self) -> list[str]:
        asked, opened = set(self.asked), set(self.opened)
        return ["asked" if n in asked else "opened" if n in opened else "" for n in self.numbers]
