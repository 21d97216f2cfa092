"""The k cheapest simple paths between two nodes of a large network, exactly, on flat arrays.

It knows nodes, arcs, costs and penalties as numbers, nothing of what they mean; :mod:`kvgraph.connections` does.

A path costs the sum of its arcs' costs and of the penalties of the nodes *between* its ends. Costs are whole
numbers: sums are exact and ties are ties. Three steps:

1. Two balls grow round the two ends, in bands as wide as the cheapest arc. Within a band no node can shorten the way
   to another, so a whole band is settled by a few numpy calls. Where the balls meet is a first path; ``limit`` is
   its cost and some slack.
2. From the goal backwards, one hop at a time: what is left to pay from each node, with h hops to go. The first ball
   says what has been paid at least, and what would exceed the limit is dropped, so this touches a small part of the network.
3. Best first, partial paths grow from the start. What is paid plus what is left is the exact price of the best
   completion (a loop apart), so nearly every step leads to an answer. If there are fewer than k, the limit rises.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

FAR = 1 << 29  # more than any path costs; two of them still fit into 32 bits
FIRST_SLACK = 1500
MOST_ARCS = 20_000_000  # read per question: about two seconds
MOST_STEPS = 60_000  # partial paths per question: about a quarter of a second
MOST_NODES = 5_000  # nodes whose ways on are worked out: likewise
MANY = 32  # ways on from a node, above which turning straight back is ruled out beforehand


@dataclass(frozen=True)
class Network:
    """Arcs of node n at ``offsets[n]:offsets[n + 1]``, sorted by target. Every edge is there in both directions."""

    offsets: np.ndarray  # int64
    target: np.ndarray  # int32
    kind: np.ndarray  # uint8
    penalty: np.ndarray  # int32, per node

    def arcs(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The source and the number of every arc that leaves these nodes."""
        start = self.offsets[nodes]
        count = self.offsets[nodes + 1] - start
        ends = np.cumsum(count)
        if not nodes.size or not ends[-1]:
            return np.empty(0, nodes.dtype), np.empty(0, np.int64)
        return np.repeat(nodes, count), np.arange(ends[-1]) + np.repeat(start - ends + count, count)


@dataclass
class Found:
    """``paths``: (cost, nodes), cheapest first. ``complete``: proven that none is cheaper and none is missing."""

    paths: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    complete: bool = True
    connected: bool = True


class _Ball:
    """The cheapest way from a centre to the nodes around it, their own penalty included."""

    def __init__(self, network: Network, costs: np.ndarray, centre: int):
        self.network, self.costs, self.band = network, costs, int(costs.min())
        self.cost = np.full(len(network.offsets) - 1, FAR, np.int32)
        self.cost[centre] = 0
        self.pending = np.array([centre], np.int32)
        self.radius = 0  # nodes that cost less are settled
        self.read = 0

    def grow(self) -> np.ndarray:
        """Settle one band; the nodes whose cost has changed."""
        near = self.cost[self.pending]
        inside = near < near.min() + self.band
        source, arcs = self.network.arcs(self.pending[inside])
        self.read += arcs.size
        target = self.network.target[arcs]
        cost = self.cost[source] + self.costs[self.network.kind[arcs]] + self.network.penalty[target]
        before = self.cost[target]
        cheaper = cost < before
        target, cost, before = target[cheaper], cost[cheaper], before[cheaper]
        np.minimum.at(self.cost, target, cost)
        self.pending = np.concatenate((self.pending[~inside], np.unique(target[before == FAR])))
        self.radius = int(self.cost[self.pending].min()) if self.pending.size else FAR
        return target


class _Bounds:
    """What is left to pay from a node to the goal with at most h hops, as far as it matters within the limit."""

    def __init__(self, ball: _Ball, goal: int, max_hops: int, limit: int):
        network = ball.network
        self.read, self.whole = 0, True
        left = np.full(len(network.offsets) - 1, FAR, np.int32)
        left[goal] = 0
        front = np.array([goal], np.int32)
        layers = [(front, left[front])]
        for _ in range(max_hops):
            source, arcs = network.arcs(front)
            self.read += arcs.size
            target = network.target[arcs]
            cost = left[source] + np.where(source == goal, 0, network.penalty[source]) + ball.costs[network.kind[arcs]]
            useful = (cost < left[target]) & (cost + np.minimum(ball.cost[target], ball.radius) <= limit)
            target, cost = target[useful], cost[useful]
            np.minimum.at(left, target, cost)
            front = np.unique(target)
            layers.append((front, left[front]))
            if self.read + ball.read > MOST_ARCS:
                self.whole = False
                break
        self.nodes = np.unique(np.concatenate([nodes for nodes, _ in layers]))
        # One more column for "none of these nodes".
        self.table = np.full((max_hops + 1, self.nodes.size + 1), FAR, np.int32)
        for hops in range(max_hops + 1):
            self.table[hops] = self.table[hops - 1] if hops else FAR
            if hops < len(layers):
                nodes, values = layers[hops]
                self.table[hops, np.searchsorted(self.nodes, nodes)] = values

    def of(self, nodes: np.ndarray, hops: int) -> np.ndarray:
        place = np.searchsorted(self.nodes, nodes)
        known = self.nodes[np.minimum(place, self.nodes.size - 1)] == nodes
        return self.table[hops, np.where(known, place, self.nodes.size)]


class _Enumeration:
    """Simple paths from start to goal within the limit, cheapest first."""

    def __init__(self, ball: _Ball, start: int, goal: int, max_hops: int, limit: int, bounds: _Bounds):
        self.ball, self.start, self.goal, self.max_hops = ball, start, goal, max_hops
        self.limit, self.bounds = limit, bounds
        self.children: dict[tuple[int, int], list] = {}
        self.heap: list = []

    def next_nodes(self, node: int, hops: int) -> list[tuple[int, int, int]]:
        """(price from here to the goal through it, next node, price of the step), cheapest first, once per node."""
        if (node, hops) not in self.children:
            network = self.ball.network
            arcs = slice(int(network.offsets[node]), int(network.offsets[node + 1]))
            target = network.target[arcs]
            step = self.ball.costs[network.kind[arcs]] + np.where(target == self.goal, 0, network.penalty[target])
            price = step + self.bounds.of(target, hops - 1)
            paid = min(int(self.ball.cost[node]), self.ball.radius)
            useful = price + paid <= self.limit
            target, step, price = target[useful], step[useful], price[useful]
            if target.size > MANY:
                price = step + self.without_return(node, target, hops - 1)
                useful = price + paid <= self.limit
                target, step, price = target[useful], step[useful], price[useful]
            order = np.lexsort((target, price))
            once = {}
            for entry in zip(price[order].tolist(), target[order].tolist(), step[order].tolist()):
                once.setdefault(entry[1], entry)
            self.children[node, hops] = list(once.values())
        return self.children[node, hops]

    def without_return(self, node: int, nodes: np.ndarray, hops: int) -> np.ndarray:
        """What is left to pay from neighbours of a node, if one may not turn straight back to it.

        The bounds alone would lead from a hub into each of its thousands of dead ends.
        """
        network = self.ball.network
        _, arcs = network.arcs(nodes)
        target = network.target[arcs]
        price = self.ball.costs[network.kind[arcs]] + np.where(target == self.goal, 0, network.penalty[target])
        price += self.bounds.of(target, max(hops - 1, 0))
        price[target == node] = FAR
        ends = np.cumsum(network.offsets[nodes + 1] - network.offsets[nodes])
        return np.where(nodes == self.goal, 0, np.minimum.reduceat(price, np.append(0, ends[:-1])))

    def push(self, path: tuple[int, ...], paid: int, first: int) -> None:
        """Queue the best way on from a partial path, among its next nodes from the ``first`` on."""
        nodes = self.next_nodes(path[-1], self.max_hops - len(path) + 1)
        for i in range(first, len(nodes)):
            price, node, _ = nodes[i]
            if node not in path:
                if paid + price <= self.limit:
                    heappush(self.heap, (paid + price, len(path), (*path, node), paid, i))
                return

    def run(self, k: int) -> tuple[list[tuple[int, tuple[int, ...]]], bool]:
        """At most k paths, and whether the end of the list is proven."""
        paths = []
        self.push((self.start,), 0, 0)
        for _ in range(MOST_STEPS):
            if not self.heap or len(paths) == k:
                return paths, True
            if len(self.children) > MOST_NODES:
                break
            total, _, path, paid, i = heappop(self.heap)
            before = path[:-1]
            self.push(before, paid, i + 1)
            if path[-1] == self.goal:
                paths.append((total, path))
            elif len(path) <= self.max_hops:
                self.push(path, paid + self.next_nodes(before[-1], self.max_hops - len(before) + 1)[i][2], 0)
        return paths, False


def k_shortest(network: Network, start: int, goal: int, k: int, max_hops: int, costs: np.ndarray) -> Found:
    """The k cheapest simple paths of at most ``max_hops`` hops. ``costs``: per kind of arc, int32; ``FAR`` shuts a kind out.

    >>> line = Network(*map(np.int32, ([0, 1, 3, 4], [1, 0, 2, 1], [0] * 4, [0, 500, 0])))
    >>> k_shortest(line, 0, 2, k=3, max_hops=6, costs=np.int32([1000])).paths
    [(2500, (0, 1, 2))]
    """
    balls = _Ball(network, costs, start), _Ball(network, costs, goal)
    best, slack = FAR, FIRST_SLACK
    dearest = max_hops * int(costs[costs < FAR].max(initial=0)) + (max_hops - 1) * int(network.penalty.max(initial=0))
    while True:
        limit = min(best + slack, dearest)
        while balls[0].radius + balls[1].radius <= limit and balls[0].read + balls[1].read <= MOST_ARCS:
            here, there = balls if balls[0].pending.size <= balls[1].pending.size else balls[::-1]
            changed = here.grow()
            meeting = here.cost[changed] + there.cost[changed] - network.penalty[changed]
            best = min(best, int(meeting.min(initial=FAR)))
            limit = min(best + slack, dearest)
        if best == FAR and FAR in (balls[0].radius, balls[1].radius):
            return Found(connected=False)
        bounds = _Bounds(balls[0], goal, max_hops, limit)
        paths, proven = _Enumeration(balls[0], start, goal, max_hops, limit, bounds).run(k)
        spent = balls[0].read + balls[1].read + bounds.read > MOST_ARCS
        if len(paths) == k or limit == dearest or spent or not proven:
            return Found(paths, bounds.whole and proven and (len(paths) == k or limit == dearest))
        slack *= 2
