"""What a worker of the query pool cannot do, whatever its query is: reach the network, files or other programs."""

import select
import socket
import subprocess
import sys
import threading
import time

import pyoxigraph as ox
import pytest

from kvgraph.store import EngineCrashed, PoolClient, QueryTooLarge, pool
from kvgraph.store.worker import Limits

from .pools import LIGHT, graph_file  # noqa: F401


@pytest.fixture
def listener():
    """A server that remembers who called."""
    heard = []
    sock = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def listen():
        while not stop.is_set():
            if select.select([sock], [], [], 0.05)[0]:
                connection, peer = sock.accept()
                heard.append(peer)
                connection.close()

    thread = threading.Thread(target=listen)
    thread.start()
    yield f"http://127.0.0.1:{sock.getsockname()[1]}/", heard
    stop.set()
    thread.join()
    sock.close()


UNGUARDED = "from kvgraph.store import guard; guard.check = lambda *_: None; from kvgraph.store import pool; raise SystemExit(pool.main())"


@pytest.fixture
def unguarded(graph_file, tmp_path):
    """A pool whose guard lets everything through: what the engine and the sandbox do on their own."""
    path = tmp_path / "open" / "pool.sock"
    command = [sys.executable, "-c", UNGUARDED, "--graph", str(graph_file), "--socket", str(path), "--timeout", "10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        client = PoolClient(path)
        yield client
        client.close()
        process.terminate()


def test_without_the_guard_there_is_still_no_network(unguarded, listener):
    url, heard = listener
    assert unguarded.status()["isolation"]["no_network"], "neither unshare nor seccomp is allowed on this machine"
    with pytest.raises(EngineCrashed):
        unguarded.select(f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")
    assert list(unguarded.select(f"SELECT * {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}"))
    time.sleep(0.2)
    assert heard == []


def test_without_the_guard_a_stack_overflow_costs_one_worker(unguarded):
    depth = 30_000  # 60 kB
    with pytest.raises(QueryTooLarge, match="nested"):
        unguarded.select("SELECT * " + "{" * depth + "}" * depth)
    assert len(list(unguarded.select(LIGHT))) == 5
    assert unguarded.status()["restarts"] == 1


def test_the_sandbox_does_what_it_reports(listener):
    url, heard = listener
    port = url.rstrip("/").rpartition(":")[2]
    script = """
import os, socket, sys
from kvgraph.store import sandbox
done = sandbox.isolate()
def works(action):
    try: action()
    except OSError: return False
    return True
assert works(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)) is not done["no_network"]
assert works(lambda: open("/etc/passwd")) is not done["no_files"]
assert works(lambda: os.execv("/bin/true", ["true"])) is not done["no_files"]
print(sorted(done.items()))
"""
    shown = subprocess.run([sys.executable, "-c", script, port], check=True, capture_output=True, text=True, timeout=120).stdout
    assert ("('no_network', True)" in shown) == (heard == [])


def test_beside_a_store_on_the_disk_only_its_files_can_be_read(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "000012.sst").write_text("quads")
    script = """
import ctypes, os, sys
from pathlib import Path
from kvgraph.store import sandbox
store = Path(sys.argv[1])
version = ctypes.CDLL(None).syscall(444, None, 0, 1)  # of Landlock; -1 where there is none
done = sandbox.isolate(store)
def works(action):
    try: action()
    except OSError: return False
    return True
assert works(lambda: open(store / "000012.sst"))
assert works(lambda: open("/etc/passwd")) is not done["no_files"]
assert works(lambda: open(store / "000012.sst", "a")) is not done["no_files"]
assert works(lambda: open(store / "new", "w")) is not done["no_files"]
assert works(lambda: os.truncate(store / "000012.sst", 5)) is not (version >= 3)
assert works(lambda: os.execv("/bin/true", ["true"])) is not done["call_filter"]
assert done["no_files"] is (version >= 1)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "store")], check=True, timeout=120)


def test_a_store_of_very_many_files_is_read_wherever_a_query_leads(tmp_path):
    """The engine opens a few of them at once and the others when it needs them; a release of fifteen million statements has a hundred."""
    folder = tmp_path / "store"
    store = ox.Store(str(folder))
    for n in range(40):
        store.bulk_load(f"<http://example.org/{n}> <http://example.org/is> {n} .".encode(), format=ox.RdfFormat.TURTLE)
    store.flush()
    del store
    assert len(list(folder.glob("*.sst"))) > 80
    process = pool.start(folder, tmp_path / "private" / "pool.sock", 1, Limits(timeout=20))
    client = PoolClient(tmp_path / "private" / "pool.sock")
    try:
        answers = [next(iter(client.select(f"SELECT ?n {{ <http://example.org/{n}> ?is ?n }}")))["n"].value for n in range(40)]
        assert answers == [str(n) for n in range(40)]
    finally:
        client.close()
        process.terminate()
        process.wait(10)
