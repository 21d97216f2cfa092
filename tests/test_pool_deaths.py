"""What ends a worker of the query pool, and what is said of it; it is always replaced."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kvgraph.store import EngineCrashed, PoolClient, QueryTooLarge, wire
from kvgraph.store.desk import Desk
from kvgraph.store.turns import OWN

from .pools import ENDLESS, LIGHT, SOON, busy, gone, graph_file, hang, start, until  # noqa: F401

LONG_BEFORE = 10.0  # seconds: half of what the query itself may take


@pytest.mark.parametrize(
    "signum, error, message",
    [
        (signal.SIGKILL, EngineCrashed, "SIGKILL"),
        (signal.SIGSEGV, QueryTooLarge, "nested"),
        (signal.SIGABRT, QueryTooLarge, "MB of memory"),
        (signal.SIGTERM, EngineCrashed, "SIGTERM"),
    ],
)
def test_a_worker_that_dies_is_explained_and_replaced(start, signum, error, message):
    client = start()
    before = {w["pid"] for w in client.status()["workers"]}
    with ThreadPoolExecutor(1) as executor:
        asked = executor.submit(PoolClient(client.socket_path).select, ENDLESS)
        [victim] = until(lambda: [worker for worker in busy(client) if worker["busy"] > 0.2])
        os.kill(victim["pid"], signum)
        with pytest.raises(error, match=message):
            asked.result(SOON)
    status = until(lambda: (s := client.status()) and len(s["workers"]) == 2 and all(w["ready"] for w in s["workers"]) and s)
    assert status["restarts"] == 1 and victim["pid"] not in {w["pid"] for w in status["workers"]}
    assert len(before & {w["pid"] for w in status["workers"]}) == 1
    assert gone(victim["pid"])
    assert len(list(client.select(LIGHT))) == 5


def test_idle_workers_that_die_are_replaced_and_no_query_notices(start):
    """Also if all die at once, and the query is given to each of them before the pool hears of it."""
    client = start(workers=4)
    for round in range(1, 6):
        status = until(lambda: (s := client.status()) and len(s["workers"]) == 4 and all(w["ready"] for w in s["workers"]) and s)
        for worker in status["workers"]:
            os.kill(worker["pid"], signal.SIGKILL)
        assert len(list(client.select(LIGHT))) == 5
        assert until(lambda: client.status()["restarts"] == 4 * round)


def test_hanging_up_frees_the_worker(start):
    client = start()
    other = hang(client)
    [worker] = until(lambda: busy(client))
    other.close()
    until(lambda: not busy(client), LONG_BEFORE)
    until(lambda: gone(worker["pid"]))


def test_a_process_that_is_killed_frees_its_worker(start):
    client = start()
    script = "import sys; from kvgraph.store import PoolClient; PoolClient(sys.argv[1]).select(sys.argv[2])"
    with subprocess.Popen([sys.executable, "-c", script, str(client.socket_path), ENDLESS]) as asking:
        until(lambda: busy(client))
        asking.kill()
    until(lambda: not busy(client), LONG_BEFORE)


def test_a_worker_that_a_process_took_and_lost_is_replaced(start):
    """Its number is neither on the board nor does it have a query: whoever took it ended in between."""
    client = start(workers=1)
    lost = Desk(client.socket_path)
    lost.lend(OWN)
    assert len(list(client.select(LIGHT))) == 5
    assert client.status()["restarts"] == 1
    lost.close()


def test_a_worker_that_goes_from_hand_to_hand_is_not_taken_for_lost(start):
    """Between two queries it is neither busy nor free, whenever one looks."""
    client = start(workers=1)
    desk = Desk(client.socket_path)
    lent = desk.lend(OWN)
    for _ in range(50):
        desk.board.begin(lent.number, desk.number, 60)
        desk.board.end(lent.number)
        time.sleep(0.05)
    desk.board.put(lent.number, lent.lane)
    assert len(list(client.select(LIGHT))) == 5
    assert client.status()["restarts"] == 0
    desk.close()


def test_the_answer_to_another_question_is_not_taken_for_ours(start):
    client = start(workers=1)
    other = Desk(client.socket_path)
    lent = other.lend(OWN)
    lent.socket.sendall(wire.pack({"format": "json"}, b"ASK {}", 0xFFFFFFFF))
    other.board.put(lent.number, lent.lane)  # without having read the answer
    assert len(list(client.select(LIGHT))) == 5
    assert client.status()["restarts"] == 1
    other.close()


def test_a_worker_that_grew_is_replaced(start):
    client = start(recycle=2**20)
    list(client.select("SELECT (COUNT(DISTINCT ?x) AS ?n) { ?a ?b ?c . ?d <http://example.org/p1> ?f BIND(CONCAT(?c, ?f) AS ?x) } LIMIT 1"))
    until(lambda: client.status()["restarts"] == 1)
    assert len(list(client.select(LIGHT))) == 5
