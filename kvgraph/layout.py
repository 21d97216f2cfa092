"""Where the things of a network stand when it is drawn: the same every time, and what stands does not move when something is added.

It knows numbers only. The first stage is laid out by springs: what hangs on one thing only stands in rings around it, the rest pull and push each
other with that much room around them. Everything in a later stage is placed round the thing it was opened from, the earlier ones stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SEED = 20221202  # of the sample in large networks; the date of the Recommendation
ROUNDS = 90
EXACT = 700  # up to so many, everything pushes everything; above, each is pushed by a sample
SAMPLE = 250
TURN = np.pi * (3 - np.sqrt(5))  # the golden angle: no two on one ray


def spacing(count: int) -> float:
    """How far apart neighbours in a ring stand: far enough for names in a small network, for marks in a large one."""
    return 92.0 if count <= 40 else 64.0 if count <= 200 else 42.0


@dataclass(frozen=True)
class Stage:
    """Nodes that come together; ``opened`` is the node they belong to, None for the first stage."""

    nodes: Sequence[int]
    opened: int | None = None


def arrange(count: int, stages: Sequence[Stage], ties: np.ndarray) -> np.ndarray:
    """An array of ``count`` positions. ``ties`` has two columns, numbers of nodes.

    >>> places = arrange(3, [Stage([0, 1]), Stage([2], opened=1)], np.array([[0, 1], [1, 2]]))
    >>> bool((places[:2] == arrange(2, [Stage([0, 1])], np.array([[0, 1]]))).all())
    True
    """
    places = np.zeros((count, 2))
    ties = np.asarray(ties, int).reshape(-1, 2)
    placed = np.zeros(count, bool)
    for stage in stages:
        nodes = np.asarray(stage.nodes, int)
        if stage.opened is None:
            places[nodes] = _first(count, nodes, ties)
        elif nodes.size:
            places[nodes] = _beside(places[placed], places[stage.opened], nodes.size)
        placed[nodes] = True
    return np.round(places, 1)


# ── The first stage ──────────────────────────────────────────────────────────────────────────────────────────────────


def _first(count: int, nodes: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Springs for what has several ties, rings for what hangs on one thing; part by part, the largest first."""
    number = np.full(count, -1)
    number[nodes] = np.arange(nodes.size)
    ties = number[ties]
    ties = np.unique(np.sort(ties[(ties >= 0).all(axis=1)], axis=1), axis=0)
    degree = np.bincount(ties.ravel(), minlength=nodes.size)
    hangs = np.full(nodes.size, -1)  # on what a node with one tie hangs
    for a, b in ties.tolist():
        for leaf, other in ((a, b), (b, a)):
            if degree[leaf] == 1 and (degree[other] > 1 or leaf > other):
                hangs[leaf] = other
    leaves = np.bincount(hangs[hangs >= 0], minlength=nodes.size)
    step = spacing(nodes.size)
    room = np.array([_rings(n, step)[-1][0] + step / 2 if n else 0.0 for n in leaves.tolist()])
    core = np.flatnonzero((hangs < 0) & (degree > 0))
    inner = ties[(hangs[ties] < 0).all(axis=1)]
    places = np.zeros((nodes.size, 2))
    places[core] = _springs(core, inner, room, step)
    for node in core[leaves[core] > 0].tolist():
        mine = np.flatnonzero(hangs == node)
        around = places[np.setdiff1d(inner[(inner == node).any(axis=1)].ravel(), [node])]
        away = _angle(places[node] - around.mean(axis=0)) if len(around) else -np.pi / 2
        places[mine] = places[node] + _ring(mine.size, step, away)
    parts = _parts(nodes.size, ties)
    return _packed(places, parts, step)


def _rings(count: int, step: float) -> list[tuple[float, int]]:
    """Radius and number of nodes of each ring that so many need."""
    rings, radius, left = [], step * 1.15, count
    while left > 0:
        holds = min(left, max(6, int(2 * np.pi * radius / step)))
        rings.append((radius, holds))
        left, radius = left - holds, radius + step * 0.85
    return rings or [(0.0, 0)]


def _ring(count: int, step: float, away: float) -> np.ndarray:
    """Places round a centre; few stand on the side that ``away`` points to, many all round. Neighbours in order are neighbours on the ring."""
    rings = _rings(count, step)
    width = min(2 * np.pi * (1 - 1 / max(count, 2)), step * count / rings[0][0])
    turn = np.arange(count) - (count - 1) / 2
    angle = away + turn * (width / max(count - 1, 1))
    radius = np.array([rings[i % len(rings)][0] for i in range(count)])
    return np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))


def _angle(vector: np.ndarray) -> float:
    return float(np.arctan2(vector[1], vector[0]))


def _springs(core: np.ndarray, ties: np.ndarray, room: np.ndarray, step: float) -> np.ndarray:
    """Fruchterman and Reingold's springs, each node as large as the rings around it."""
    n = core.size
    if n < 2:
        return np.zeros((n, 2))
    number = np.zeros(int(core.max()) + 1, int)
    number[core] = np.arange(n)
    a, b = number[ties[:, 0]], number[ties[:, 1]]
    size = room[core] + step * 0.45
    far = np.sqrt(np.cumsum(size**2))[:, None]
    turn = np.arange(n) * TURN
    places = far * np.column_stack((np.cos(turn), np.sin(turn)))
    length = size[a] + size[b]
    random = np.random.default_rng(SEED)
    heat = float(far[-1, 0]) * 0.4
    both = (size[:, None] + size[None]) ** 2 if n <= EXACT else None
    for round_ in range(ROUNDS):
        others = slice(None) if both is not None else random.choice(n, SAMPLE, replace=False)
        wide = both if both is not None else (size[:, None] + size[None, others]) ** 2
        push = wide / np.maximum(_squares(places, places[others]), 1.0) * (n / wide.shape[1])
        move = places * push.sum(axis=1, keepdims=True) - push @ places[others]
        along = places[b] - places[a]
        pull = along * (np.sqrt((along**2).sum(axis=1)) / length)[:, None]
        for axis in (0, 1):
            move[:, axis] += np.bincount(a, pull[:, axis], n) - np.bincount(b, pull[:, axis], n)
        move -= places * 0.05
        long = np.sqrt((move**2).sum(axis=1, keepdims=True)) + 1e-9
        places = places + move / long * np.minimum(long, heat * (1 - round_ / ROUNDS) ** 1.5 + 0.5)
    return _untangled(places, size) if n <= EXACT else places * (step * 2 / np.sqrt(np.ptp(places, axis=0).prod() / n))


def _squares(places: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The square of the distance of each place from each other place."""
    return (places**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None] - 2 * places @ others.T


def _untangled(places: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Nothing on top of anything else."""
    least = size[:, None] + size[None]
    np.fill_diagonal(least, 0.0)
    for _ in range(25):
        distance = np.sqrt(np.maximum(_squares(places, places), 1e-6))
        share = np.maximum(least - distance, 0.0) * 0.35 / distance
        if not share.any():
            break
        places = places + places * share.sum(axis=1, keepdims=True) - share @ places
    return places


def _parts(count: int, ties: np.ndarray) -> list[np.ndarray]:
    """The nodes of each connected part, the largest first."""
    part = np.arange(count)
    while True:
        least = part.copy()
        np.minimum.at(least, ties[:, 0], part[ties[:, 1]])
        np.minimum.at(least, ties[:, 1], part[ties[:, 0]])
        if (least == part).all():
            break
        part = least
    order = np.argsort(part, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(part[order])) + 1) if count else []
    return sorted(parts, key=lambda nodes: (-nodes.size, int(nodes[0])))


def _packed(places: np.ndarray, parts: list[np.ndarray], step: float) -> np.ndarray:
    """The parts beside each other in rows; the first alone in the first row, its middle at the origin."""
    if not parts:
        return places
    low, high = places[parts[0]].min(axis=0), places[parts[0]].max(axis=0)
    places[parts[0]] -= (low + high) / 2
    if len(parts) == 1:
        return places
    gap = step * 1.1
    width = max(float(high[0] - low[0]), np.sqrt(len(parts)) * gap * 1.6)
    x, y, tall = 0.0, float(high[1] - low[1]) / 2 + gap, 0.0
    for nodes in parts[1:]:
        low, high = places[nodes].min(axis=0), places[nodes].max(axis=0)
        wide, height = high - low
        if x and x + wide > width:
            x, y, tall = 0.0, y + tall + gap, 0.0
        places[nodes] += np.array([x - width / 2, y]) - low
        x, tall = x + float(wide) + gap, max(tall, float(height))
    return places


# ── Later stages ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _beside(standing: np.ndarray, centre: np.ndarray, count: int) -> np.ndarray:
    """Places round a node that was opened, on its outer side, and not on top of what stands there."""
    step = spacing(len(standing) + count)
    outward = centre - standing.mean(axis=0)
    places = centre + _ring(count, step, _angle(outward) if np.abs(outward).sum() > 1 else -np.pi / 2)
    least = step * 0.55
    near = standing[np.abs(standing - centre).max(axis=1) < np.abs(places - centre).max() + 4 * step]
    for _ in range(40):
        everything = np.concatenate((near, places))
        apart = places[:, None] - everything[None]
        distance = np.sqrt((apart**2).sum(axis=2)) + 1e-6
        lack = np.maximum(least - distance, 0.0)
        lack[np.arange(count), len(near) + np.arange(count)] = 0.0
        if not lack.any():
            break
        places = places + (apart / distance[:, :, None] * lack[:, :, None]).sum(axis=1) * 0.5
    return places
