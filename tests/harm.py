"""A query pool that is to be harmed, with an honest client at work all the while.

Each hostile query gets a clear error within its limit, a listener hears nothing, the honest client is served, and after each module of such tests
every worker is alive and the pool's memory is what it was.
"""

import select
import socket
import statistics
import threading
import time

import pytest

from kvgraph.formats import JSON
from kvgraph.store import PoolClient, QuerySyntaxError, pool
from kvgraph.store.worker import Limits

LIMITS = Limits(timeout=2.0, memory=256 * 2**20, max_bytes=2 * 2**20, recycle=16 * 2**20)
TRIPLES = 4000
CROSS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
HONEST = "SELECT ?o { <http://example.org/s7> ?p ?o }"


class Honest(threading.Thread):
    """Asks a light question over and over, and remembers how long each answer took and what went wrong."""

    def __init__(self, socket_path):
        super().__init__()
        self.client, self.took, self.wrong, self.stop = PoolClient(socket_path), [], [], threading.Event()

    def run(self):
        while not self.stop.wait(0.02):
            began = time.monotonic()
            try:
                if len(list(self.client.select(HONEST))) != 5:
                    self.wrong.append("another number of rows")
            except Exception as error:
                self.wrong.append(repr(error))
            self.took.append(time.monotonic() - began)
        self.client.close()


class Listener(threading.Thread):
    """Counts who calls."""

    def __init__(self):
        super().__init__()
        self.calls, self.stop = 0, threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"

    def run(self):
        while not self.stop.is_set():
            if select.select([self.socket], [], [], 0.05)[0]:
                self.socket.accept()[0].close()
                self.calls += 1
        self.socket.close()


@pytest.fixture(scope="module")
def listener():
    thread = Listener()
    thread.start()
    yield thread
    thread.stop.set()
    thread.join()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A pool with an honest client at work. What must hold after all hostile queries is asserted at the end."""
    folder = tmp_path_factory.mktemp("hostile")
    graph = folder / "graph.nq"
    lines = (f'<http://example.org/s{i % (TRIPLES // 5)}> <http://example.org/p{i % 3}> "value {i} {"a" * 30}!" .\n' for i in range(TRIPLES))
    graph.write_text("".join(lines))
    process = pool.start(graph, folder / "private" / "pool.sock", workers=2, limits=LIMITS)
    honest = Honest(folder / "private" / "pool.sock")
    honest.start()
    wait_for(lambda: len(honest.took) > 20)
    honest.baseline = memory(honest.client.status())
    yield honest
    try:
        as_before(honest)
    finally:
        honest.stop.set()
        honest.join()
        process.terminate()
        assert process.wait(60) == 0


def as_before(served):
    """After all the hostile queries of a module everything is as it was."""
    client = PoolClient(served.client.socket_path)
    wait_for(lambda: client_status(client)["waiting"] == 0)
    status = client_status(client)
    assert len(status["workers"]) == 2 and all(w["ready"] for w in status["workers"])
    # Per worker, what one may keep before it is replaced; queries took up to 256 MB.
    assert memory(status) < served.baseline + 2 * LIMITS.recycle
    assert served.wrong == [] and len(served.took) > 20
    assert statistics.median(served.took) < 0.05


@pytest.fixture
def stranger(served, listener):
    """A client of ill will; whatever it does, the honest one is served meanwhile and nobody is called."""
    answers, wrong, calls = len(served.took), len(served.wrong), listener.calls
    client = PoolClient(served.client.socket_path, client="stranger")
    yield client
    wait_for(lambda: len(served.took) > answers + 2)
    assert served.wrong[wrong:] == []
    assert max(served.took[answers:]) < LIMITS.timeout, "as long as it takes when one must wait for the end of a hostile query"
    assert listener.calls == calls
    wait_for(lambda: all(w["ready"] and w["busy"] is None for w in client_status(client)["workers"]))


def client_status(client):
    try:
        return client.status()
    finally:
        client.close()


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.02)
    return found


def memory(status):
    """What parent and workers take together, shared pages counted once (PSS), in bytes."""
    total = 0
    for pid in (status["pid"], *(worker["pid"] for worker in status["workers"])):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total * 1024


def refused(client, query, error, within=LIMITS.timeout / 2, **options):
    """The error a query gets, in time."""
    began = time.monotonic()
    with pytest.raises(error) as caught:
        client.answer_file(query, JSON, **options)[1].close()
    assert time.monotonic() - began < within
    assert caught.value.hint or isinstance(caught.value, QuerySyntaxError)
    return caught.value
