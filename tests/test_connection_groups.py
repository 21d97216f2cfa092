"""Folding: paths that differ in one thing in the middle; every path stays, each once."""

from kvgraph.connection_groups import fold
from kvgraph.connections import Hop, Node, Path


def path(cost: float, *names: str, kinds: str = "") -> Path:
    """A path through things called so; capitals are actors, the others practices. ``kinds``: a letter for each hop, p or c."""
    nodes = [Node(name, name, "", "actor" if name.isupper() else "practice") for name in names]
    hops = [
        Hop(a, b, {"p": "participation", "c": "country"}[kind], True, "", "g", "stated", "", "", "", 0)
        for a, b, kind in zip(nodes, nodes[1:], kinds or "p" * (len(nodes) - 1))
    ]
    return Path(cost, tuple(hops))


def shape(groups):
    return [("".join(node.iri for node in group.best.nodes), group.place, len(group.paths)) for group in groups]


def test_paths_that_differ_in_one_middle_are_one_group():
    paths = [path(1, "A", "x", "B"), path(2, "A", "y", "C", "B"), path(3, "A", "z", "B"), path(4, "A", "w", "C", "B")]
    assert shape(fold(paths)) == [("AxB", 1, 2), ("AyCB", 1, 2)]


def test_every_path_is_in_exactly_one_group_the_best_first():
    paths = [path(n, "A", x, "M", y, "B") for n, (x, y) in enumerate([("x", "p"), ("x", "q"), ("y", "p"), ("y", "q"), ("x", "r")])]
    groups = fold(paths)
    assert sorted(p.cost for group in groups for p in group.paths) == [0, 1, 2, 3, 4]
    assert all(group.paths == tuple(sorted(group.paths, key=lambda p: p.cost)) for group in groups)
    assert shape(groups)[0] == ("AxMpB", 3, 3), "the place with most is taken"


def test_another_type_or_another_kind_of_tie_is_not_alike():
    assert len(fold([path(1, "A", "x", "B"), path(2, "A", "X", "B")])) == 2
    assert len(fold([path(1, "A", "x", "B"), path(2, "A", "y", "B", kinds="cc")])) == 2
    assert len(fold([path(1, "A", "B"), path(2, "A", "x", "y", "B"), path(3, "A", "v", "w", "B")])) == 3
    assert fold([]) == []
