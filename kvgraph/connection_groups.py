"""Connections that differ in one thing in the middle only, folded into one: "and seven more like this".

Between two organisations that are far apart the best ten paths may be one path ten times, each time through another project of the same two
partners. Folding leaves nothing out and changes no order within a group: every path is in exactly one group, the best first.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .connections import Path


@dataclass(frozen=True)
class Group:
    """Paths that differ in their node number ``place`` only, the cheapest first; a path of its own has no ``place``."""

    paths: tuple[Path, ...]
    place: int | None = None

    @property
    def best(self) -> Path:
        return self.paths[0]

    @property
    def others(self) -> tuple[Path, ...]:
        return self.paths[1:]


def fold(paths: Sequence[Path]) -> list[Group]:
    """Groups of paths, in the order of their best ones.

    Two paths are alike if all but one thing in the middle are the same, this one thing is of the same type in both, and the same kinds of facts
    tie it to the things before and after. Where a path is like several others in different places, the place with most is taken.
    """
    alike = defaultdict(list)
    for number, path in enumerate(paths):
        for place in range(1, len(path.hops)):
            alike[_pattern(path, place)].append(number)
    groups, done = [], set()
    for number, path in enumerate(paths):
        if number in done:
            continue
        left = {place: [n for n in alike[_pattern(path, place)] if n not in done] for place in range(1, len(path.hops))}
        place = max(left, key=lambda p: (len(left[p]), -p), default=None)
        members = left[place] if place is not None else [number]
        done.update(members)
        groups.append(Group(tuple(paths[n] for n in members), place if len(members) > 1 else None))
    return groups


def _pattern(path: Path, place: int) -> tuple:
    """What a path has in common with those that differ at this place only."""
    nodes = [node.iri for node in path.nodes]
    nodes[place] = path.nodes[place].type
    return place, tuple(nodes), tuple((hop.kind, hop.forward) for hop in path.hops)
