"""Whose turn it is at the query pool, and what those are told whose turn does not come."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kvgraph.formats import JSON
from kvgraph.store import PoolBusy, PoolClient, QueryTimeout
from kvgraph.store.board import Lane
from kvgraph.store.turns import Job, Turns

from .pools import ENDLESS, LIGHT, SOON, busy, graph_file, hang, idle, start, until  # noqa: F401


@pytest.fixture
def threads():
    with ThreadPoolExecutor(12) as executor:
        yield executor


def ask(client, who, timeout, order):
    """Ask as a stranger, and note when it is over."""
    with pytest.raises(QueryTimeout):
        client.answer_file(ENDLESS, JSON, client=who, timeout=timeout)
    order.append(who)


def test_a_full_queue_says_when_to_come_back(start, threads):
    client = start(workers=1, queue=2, timeout=15)
    first = hang(client)
    waiting = [threads.submit(lambda: len(list(client.select(LIGHT)))) for _ in range(2)]
    until(lambda: client.status()["waiting"] == 2)
    with pytest.raises(PoolBusy, match="Try again in") as caught:
        client.select(LIGHT)
    assert 1 <= caught.value.retry_after <= 15
    first.close()
    assert [found.result(SOON) for found in waiting] == [5, 5] and client.status()["waiting"] == 0


def test_who_fills_the_queue_makes_place_for_others(start, threads):
    """The last of the longest line has to go, and is told when to come back."""
    client = start(workers=1, queue=4, timeout=15)
    first = hang(client)

    def wait(who, waiting):
        asked = threads.submit(lambda: client.answer_file(LIGHT, JSON, client=who)[1].close())
        until(lambda: client.status()["waiting"] == waiting)
        return asked

    greedy = [wait("greedy", n) for n in (1, 2, 3, 4)]
    modest = [wait("modest", 4), wait("modest", 4)]
    until(lambda: greedy[2].done() and greedy[3].done())
    assert all(isinstance(one.exception(), PoolBusy) for one in greedy[2:])
    with pytest.raises(PoolBusy):
        client.answer_file(LIGHT, JSON, client="greedy")
    first.close()
    for found in (*greedy[:2], *modest):
        found.result(SOON)


def test_nobody_waits_for_ever(start):
    client = start(workers=1, wait=0.3)
    first = hang(client)
    began = time.monotonic()
    with pytest.raises(PoolBusy):
        client.select(LIGHT)
    assert 0.25 < time.monotonic() - began < 5 and client.status()["waiting"] == 0
    first.close()


def test_a_process_that_hangs_up_waits_no_more(start):
    client = start(workers=1)
    other = hang(client)
    other.board.wait(other.number, 3)
    assert client.status()["waiting"] == 3
    other.close()
    until(lambda: client.status()["waiting"] == 0)
    assert len(list(client.select(LIGHT))) == 5


def test_strangers_leave_a_worker_free_for_the_server(start, threads):
    client, order = start(workers=2), []
    first = hang(client, who="10.0.0.9")
    asked = [threads.submit(ask, client, f"10.0.0.{i}", 0.1, order) for i in range(2)]
    until(lambda: client.status()["waiting"] == 2)
    assert len(busy(client)) == 1
    assert len(list(client.select(LIGHT))) == 5 and not order
    first.close()
    for found in asked:
        found.result(SOON)


def test_strangers_take_turns(start, threads):
    client, order = start(workers=1), []
    first, asked = hang(client), []
    for name in ("greedy", "greedy", "greedy", "modest"):
        asked.append(threads.submit(ask, client, name, 0.2, order))
        until(lambda: client.status()["waiting"] == len(asked))
    first.close()
    for found in asked:
        found.result(SOON)
    assert order == ["greedy", "modest", "greedy", "greedy"]


def test_processes_take_turns(start, threads):
    """Two desks that both have more to ask than workers are answered side by side."""
    client = start(workers=1)
    clients, order = [client, PoolClient(client.socket_path)], []

    def ask_often(one):
        for _ in range(100):
            list(one.select(LIGHT))
            order.append(one)

    for found in [threads.submit(ask_often, one) for one in clients for _ in range(4)]:
        found.result(SOON)
    clients[1].close()
    half = order[: len(order) // 2]
    assert len(order) == 800 and min(half.count(one) for one in clients) > 40


def test_whose_queries_were_slow_leave_a_worker_to_others(start, threads):
    client, order = start(workers=3), []
    for found in [threads.submit(ask, client, name, 1.1, order) for name in ("heavy", "heavier")]:
        found.result(SOON)
    idle(client, 3)
    heavy = hang(client, who="heavy")
    asked = threads.submit(ask, client, "heavier", 0.1, order)
    until(lambda: client.status()["waiting"] == 1)
    assert len(busy(client)) == 1, "one of the two that strangers may have"
    client.answer_file(LIGHT, JSON, client="modest")[1].close()
    assert client.status()["waiting"] == len(busy(client)) == 1, "and both are still there"
    heavy.close()
    asked.result(SOON)


def test_what_waits_is_counted_whatever_happens():
    chance, turns, waiting = random.Random(3), Turns(capacity=6), []
    for step in range(4000):
        do = chance.random()
        if do < 0.5:
            job = Job(chance.choice(("", "a", "b", "c")), float(step))
            displaced = turns.add(job)
            waiting = [j for j in [*waiting, job] if j is not displaced]
        elif do < 0.8 and (job := turns.next(chance.choice(list(Lane)), float(step))):
            waiting.remove(job)
        elif waiting:
            turns.remove(waiting.pop(chance.randrange(len(waiting))))
        if chance.random() < 0.02:
            turns.ended(chance.choice("abc"), took=2.0, now=float(step))
        assert len(turns) == len(waiting) == len(list(turns)) and bool(turns) == bool(waiting)
        assert turns.wanted(float(step)) == {lane for job in waiting for lane in turns.lanes(job.who, float(step))}
    assert len(waiting) <= 12
