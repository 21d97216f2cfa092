"""Where the things of a network stand: the same each time, apart from each other, and unmoved by what is added."""

import random

import numpy as np
import pytest

from kvgraph.layout import EXACT, Stage, arrange


def some_network(count: int, seed: int = 3) -> np.ndarray:
    """A tree with a few more ties: hubs, leaves, circles."""
    choose = random.Random(seed)
    tree = [(choose.randrange(max(1, int(i**0.7))), i) for i in range(1, count)]
    return np.array(tree + [tuple(choose.sample(range(count), 2)) for _ in range(count // 4)])


def nearest(places: np.ndarray) -> float:
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    return float(apart.min())


@pytest.mark.parametrize("count", [1, 2, 3, 40, 300])
def test_things_stand_apart_and_always_in_the_same_places(count):
    ties = some_network(count) if count > 1 else np.empty((0, 2), int)
    places = arrange(count, [Stage(range(count))], ties)
    assert np.isfinite(places).all() and (places == arrange(count, [Stage(range(count))], ties)).all()
    assert count == 1 or nearest(places) > 9


def test_a_large_network_is_drawn_too():
    count = EXACT * 4
    places = arrange(count, [Stage(range(count))], some_network(count))
    assert np.isfinite(places).all() and len(np.unique(places, axis=0)) > 0.99 * count


@pytest.mark.parametrize("opened", [0, 7, 39])
def test_what_stands_does_not_move_when_something_is_opened(opened):
    ties = some_network(40)
    before = arrange(40, [Stage(range(40))], ties)
    more = np.concatenate((ties, [(opened, n) for n in range(40, 60)]))
    after = arrange(60, [Stage(range(40)), Stage(range(40, 60), opened)], more)
    assert (after[:40] == before).all()
    assert nearest(after) > 9
    third = arrange(62, [Stage(range(40)), Stage(range(40, 60), opened), Stage([60, 61], 45)], np.concatenate((more, [(45, 60), (45, 61)])))
    assert (third[:60] == after).all()


def test_ties_are_shorter_than_what_is_not_tied():
    ties = some_network(120)
    places = arrange(120, [Stage(range(120))], ties)
    tied = np.sqrt(((places[ties[:, 0]] - places[ties[:, 1]]) ** 2).sum(axis=1)).mean()
    shuffled = np.random.default_rng(1).permutation(120)
    others = np.sqrt(((places - places[shuffled]) ** 2).sum(axis=1)).mean()
    assert tied < 0.7 * others


def test_parts_that_nothing_ties_stand_beside_each_other():
    ties = np.array([(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
    places = arrange(7, [Stage(range(7))], ties)
    boxes = [(places[nodes].min(axis=0), places[nodes].max(axis=0)) for nodes in ([0, 1, 2], [3, 4, 5], [6])]
    for i, (low, high) in enumerate(boxes):
        for low_, high_ in boxes[i + 1 :]:
            assert (low > high_).any() or (low_ > high).any()
