"""A query pool for tests: started on a small graph, and asked in all the ways that it must stand."""

import time
from pathlib import Path

import pytest

from kvgraph.store import PoolClient, pool, wire
from kvgraph.store.desk import Desk
from kvgraph.store.turns import OWN
from kvgraph.store.worker import Limits

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
SOON = 60.0  # seconds: what is waited for comes at once, but not on a machine that does much else
LIGHT = "SELECT ?o { <http://example.org/s1> ?p ?o }"


@pytest.fixture(scope="module")
def graph_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "graph.nq"
    path.write_text("".join(f'<http://example.org/s{i % 400}> <http://example.org/p{i % 5}> "value {i}" .\n' for i in range(2000)))
    return path


@pytest.fixture
def start(graph_file, tmp_path):
    """Starts a pool and gives a client; everything is gone afterwards."""
    started = []

    def start(workers=2, **limits):
        socket_path = tmp_path / f"private{len(started)}" / "pool.sock"
        process = pool.start(graph_file, socket_path, workers, Limits(**{"timeout": 20, **limits}))
        client = PoolClient(socket_path)
        started.append((process, client))
        return client

    yield start
    for process, client in started:
        client.close()
        process.terminate()
        assert process.wait(SOON) is not None


def until(condition, seconds=SOON):
    """Waits until something holds and returns it."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.01)
    return result


def busy(client):
    return [worker for worker in client.status()["workers"] if worker["busy"] is not None]


def idle(client, workers=2):
    """The status of the pool once so many workers are there and wait for a query."""
    return until(lambda: (s := client.status()) and [(w["ready"], w["busy"]) for w in s["workers"]] == [(True, None)] * workers and s)


def gone(pid):
    """A process that ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def hang(client, query=ENDLESS, who=OWN):
    """Another process, as the pool sees it, that has given a query to a worker and does not read the answer; closing it is hanging up."""
    desk = Desk(client.socket_path)
    lent = desk.lend(who)
    desk.board.begin(lent.number, desk.number, desk.limits.timeout)
    lent.socket.sendall(wire.pack({"format": "json"}, query.encode(), 1))
    return desk
