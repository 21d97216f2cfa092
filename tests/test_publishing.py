"""When what was accepted is built while serving."""

from types import SimpleNamespace

import pytest

from kvgraph.serve import publishing
from kvgraph.serve.publishing import LONGEST_REST, REST, Publisher


@pytest.fixture
def day(tmp_path, monkeypatch):
    """A publisher whose clock we set, and who says when it began to build and what it is asked for."""
    day = SimpleNamespace(now=100.0, begun=[], wanted=True, builder=SimpleNamespace(stderr=SimpleNamespace(read=lambda: b"", close=lambda: None)))
    monkeypatch.setattr(publishing.time, "monotonic", lambda: day.now)
    monkeypatch.setattr(publishing, "_start", lambda home, data: day.begun.append(day.now) or day.builder)
    monkeypatch.setattr(Publisher, "_wanted", lambda self: day.wanted)
    publisher = Publisher(tmp_path)

    def until(when, status=None):
        day.builder.poll = lambda: status
        day.now = when
        publisher.tend()

    day.until = until
    return day


@pytest.mark.parametrize("took, rest", [(2.0, 2.0 * REST), (600.0, LONGEST_REST)])
def test_a_build_that_follows_another_is_followed_by_a_rest(day, took, rest):
    day.until(100.0)
    assert day.begun == [100.0], "the first at once"
    day.until(100.0 + took, 0)
    day.until(100.0 + took)
    assert len(day.begun) == 2, "what was accepted meanwhile, too"
    end = 100.0 + 2 * took
    day.until(end, 0)
    day.until(end + rest - 0.1)
    assert len(day.begun) == 2
    day.until(end + rest + 0.1)
    assert len(day.begun) == 3


def test_after_a_moment_in_which_nothing_was_wanted_the_next_is_built_at_once(day):
    for when in (100.0, 110.0, 120.0):
        day.wanted = True
        day.until(when)
        assert day.begun[-1] == when
        day.until(when + 5, 0)
        day.wanted = False
        day.until(when + 6)
    assert len(day.begun) == 3
