"""The query pool: turns, deaths, hang-ups, isolation and its own beginning and end."""

import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kvgraph.formats import CSV, JSON
from kvgraph.store import EngineCrashed, PoolBusy, PoolClient, PoolUnavailable, QueryError, QueryTimeout, QueryTooLarge, pool, wire
from kvgraph.store.errors import from_wire, to_wire
from kvgraph.store.guard import Bounds
from kvgraph.store.worker import Limits

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
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
        assert process.wait(10) is not None


def until(condition, seconds=5.0):
    """Waits until something holds and returns it."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.01)
    return result


def busy(client):
    return [worker for worker in client.status()["workers"] if worker["busy"] is not None]


def gone(pid):
    """A process that ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def hang(pool_client, query=ENDLESS, **header):
    """A client that has asked and not yet read."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(30)
    sock.connect(str(pool_client.socket_path))
    sock.sendall(wire.pack({"op": "query", "format": "json", **header}, query.encode()))
    return sock


def reply(sock):
    header, _, fd = wire.receive(sock, 0)
    if fd is not None:
        os.close(fd)
    return header


def test_status_of_a_quiet_pool(start):
    client = start(workers=3)
    client.ping()
    status = client.status()
    assert len(status["workers"]) == 3 and all(w["ready"] and w["busy"] is None for w in status["workers"])
    assert (status["restarts"], status["waiting"]) == (0, 0)
    assert set(status["isolation"]) == {"network_namespace", "call_filter", "no_network", "no_files"}
    assert status["limits"]["timeout"] == 20
    assert len(os.listdir(f"/proc/{status['pid']}/task")) == 1  # forking from a threaded process is not safe


def test_the_socket_is_private(start):
    client = start()
    assert stat.S_IMODE(client.socket_path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(client.socket_path.stat().st_mode) == 0o600


def test_answer_file_is_the_whole_answer_at_its_beginning(start):
    outcome, file = start().answer_file(LIGHT, CSV)
    with file:
        data = file.read()
    assert outcome.complete and outcome.bytes == len(data) and data.startswith(b"o\r\n")
    assert data.count(b"\r\n") == 6


def test_short_answers_come_with_the_reply_and_long_ones_as_a_file(start):
    """From just below what a reply may hold to far above, each is whole; and nothing of them stays open."""
    client = start(workers=1)
    status = client.status()
    pids = status["pid"], status["workers"][0]["pid"]
    before = [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]
    expected = b"x\r\n"
    for length in (wire.INLINE - len(expected) - 2, wire.INLINE - len(expected) - 1, 40 * wire.INLINE):
        outcome, file = client.answer_file(_of_length(length), CSV)
        with file:
            data = file.read()
        assert outcome.bytes == len(data) == len(expected) + length + 2 and data == expected + b"v" * length + b"\r\n"
    with pytest.raises(QueryTooLarge, match="bytes"):
        client.answer_file(_of_length(4 * wire.INLINE), CSV, max_bytes=2 * wire.INLINE)
    client.ping()
    assert [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids] == before and client.status()["restarts"] == 0


def _of_length(length):
    """A query with one value of so many characters, made of parts that are short enough to be written down."""
    whole, rest = divmod(length, 1000)
    parts = ["?k"] * whole + [f'"{"v" * rest}"']
    return f'SELECT ?x {{ BIND("{"v" * 1000}" AS ?k) BIND(CONCAT({", ".join(parts)}) AS ?x) }}'


def test_datasets_pass_through(start):
    client = start()
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    outcome, file = client.answer_file(count, CSV, default_graphs=["http://example.org/none"])
    with file:
        assert file.read().split() == [b"n", b"0"]
    with pytest.raises(QueryError, match="not an IRI"):
        client.answer_file(count, CSV, named_graphs=["no iri"])


def test_a_client_may_ask_for_less_but_not_for_more(start):
    client = start(timeout=1, max_bytes=10_000)
    for asked, limit in ((0.2, 0.2), (100, 1)):
        with pytest.raises(QueryTimeout) as caught:
            client.answer_file(ENDLESS, JSON, timeout=asked)
        assert caught.value.limit == limit
    client.answer_file(LIGHT, JSON, max_bytes=1000)[1].close()
    for asked, said in ((100, "100 bytes"), (10**9, "10,000 bytes")):
        with pytest.raises(QueryTooLarge, match=said) as caught:
            client.answer_file("SELECT * { ?s ?p ?o }", JSON, max_bytes=asked)
        assert caught.value.limit == "bytes"
    assert client.status()["restarts"] == 2  # only the timeouts cost a worker


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
            asked.result(5)
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
    sock = hang(client)
    [worker] = until(lambda: busy(client))
    sock.close()
    until(lambda: not busy(client), 2)
    until(lambda: gone(worker["pid"]))


def test_hanging_up_frees_the_place_in_the_queue(start):
    client = start(workers=1)
    running = hang(client)
    until(lambda: busy(client))
    waiting = hang(client, LIGHT)
    until(lambda: client.status()["waiting"] == 1)
    waiting.close()
    until(lambda: client.status()["waiting"] == 0)
    running.close()
    assert len(list(client.select(LIGHT))) == 5


def test_a_full_queue_says_when_to_come_back(start):
    client = start(workers=1, queue=2, timeout=15)
    held = [hang(client) for _ in range(3)]
    until(lambda: client.status()["waiting"] == 2)
    with pytest.raises(PoolBusy, match="Try again in") as caught:
        client.select(LIGHT)
    assert 1 <= caught.value.retry_after <= 15
    for sock in held:
        sock.close()
    until(lambda: client.status()["waiting"] == 0)
    assert len(list(client.select(LIGHT))) == 5


def test_nobody_waits_for_ever(start):
    client = start(workers=1, wait=0.3)
    sock = hang(client)
    until(lambda: busy(client))
    began = time.monotonic()
    with pytest.raises(PoolBusy):
        client.select(LIGHT)
    assert 0.25 < time.monotonic() - began < 2
    sock.close()


def test_strangers_leave_a_worker_free_for_the_server(start):
    client = start(workers=2)
    held = [hang(client, client=f"10.0.0.{i}") for i in range(4)]
    until(lambda: client.status()["waiting"] == 3)
    assert len(busy(client)) == 1
    assert len(list(client.select(LIGHT))) == 5
    for sock in held:
        sock.close()


def test_strangers_take_turns(start):
    client = start(workers=1)
    first = hang(client)
    until(lambda: busy(client))
    waiting = {}
    for name in ("greedy", "greedy", "greedy", "modest"):
        waiting[hang(client, client=name, timeout=0.2)] = name
        until(lambda: client.status()["waiting"] == len(waiting))
    first.close()
    order = []
    while waiting:
        for sock in select.select(list(waiting), [], [], 10)[0]:
            assert reply(sock)["error"]["code"] == "timeout"
            order.append(waiting.pop(sock))
            sock.close()
    assert order == ["greedy", "modest", "greedy", "greedy"]


def test_whose_queries_were_slow_leave_a_worker_to_others(start):
    client = start(workers=3)
    for name in ("heavy", "heavier"):
        sock = hang(client, client=name, timeout=1.1)
        assert reply(sock)["error"]["code"] == "timeout"
        sock.close()
    held = [hang(client, client=name) for name in ("heavy", "heavier", "heavy", "heavier")]
    until(lambda: client.status()["waiting"] == 3)
    assert len(busy(client)) == 1, "one of the two that strangers may have"
    began = time.monotonic()
    quick = hang(client, LIGHT, client="modest")
    assert "ok" in wire.receive(quick, 100_000)[0] and time.monotonic() - began < 1
    quick.close()
    for sock in held:
        sock.close()


def test_a_worker_that_grew_is_replaced(start):
    client = start(recycle=2**20)
    list(client.select("SELECT (COUNT(DISTINCT ?x) AS ?n) { ?a ?b ?c . ?d <http://example.org/p1> ?f BIND(CONCAT(?c, ?f) AS ?x) } LIMIT 1"))
    until(lambda: client.status()["restarts"] == 1)
    assert len(list(client.select(LIGHT))) == 5


@pytest.mark.parametrize(
    "sent, message",
    [
        (wire.pack({"op": "dance"}), "no operation 'dance'"),
        (wire.pack([1]), "no frame"),
        (b"\0\0\0\2\0\0\0\0{]", "no frame"),
        (b"\xff\xff\xff\xff\0\0\0\0", "longer than"),
        (wire.pack({"op": "query", "format": "nonsense"}, b"ASK {}"), "No format is called 'nonsense'"),
        (wire.pack({"op": "query"}, b"ASK {}"), "engine failed"),
        (wire.pack({"op": "query", "format": "json", "timeout": "x", "client": {"a": 1}, "default_graphs": 7}, b"ASK {}"), "engine failed"),
        (wire.pack({"op": "query", "format": "json"}, b"ASK { ?s ?p '\xff' }"), "byte 14 of the query is not UTF-8"),
        (wire.pack({"op": "query", "format": "json"}, b"x" * (Bounds.text + 1)), "longer than"),
    ],
)
def test_bad_frames_get_an_answer(start, sent, message):
    client = start()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(client.socket_path))
        sock.sendall(sent)
        assert message in reply(sock)["error"]["message"]
    assert len(list(client.select(LIGHT))) == 5


def test_noise_is_harmless(start):
    client = start()
    for noise in (b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", os.urandom(1000), wire.pack({"op": "ping"})[:-1]):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(client.socket_path))
            sock.sendall(noise)
    two_at_once = hang(client)
    two_at_once.sendall(wire.pack({"op": "ping"}))
    until(lambda: not busy(client))
    two_at_once.close()
    assert len(list(client.select(LIGHT))) == 5


def test_many_threads_share_one_client(start):
    client = start()

    def ask(i):
        [row] = client.select(f'SELECT ?s {{ ?s ?p "value {i}" }}')
        return row["s"].value

    with ThreadPoolExecutor(8) as executor:
        assert list(executor.map(ask, range(200))) == [f"http://example.org/s{i % 400}" for i in range(200)]


def test_a_fork_does_not_share_the_connection(start):
    client = start()
    script = """
import os, sys
from kvgraph.store import PoolClient
client = PoolClient(sys.argv[1])
def ask(i): return [row["s"].value for row in client.select(f'SELECT ?s {{ ?s ?p "value {i}" }}')] == [f"http://example.org/s{i}"]
ok = ask(0)
child = os.fork()
ok = ok and all(ask(i) for i in (range(1, 100) if child else range(100, 200)))
if not child: os._exit(0 if ok else 1)
sys.exit(0 if ok and os.waitpid(child, 0)[1] == 0 else 1)
"""
    subprocess.run([sys.executable, "-c", script, str(client.socket_path)], check=True, timeout=30)


def test_an_interrupted_client_does_not_read_another_answer(start, monkeypatch):
    client = start()
    assert len(list(client.select(LIGHT))) == 5
    real, calls = wire.receive, []

    def interrupted(*arguments, **keywords):
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(*arguments, **keywords)

    monkeypatch.setattr(wire, "receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.select("SELECT ?o { <http://example.org/s2> ?p ?o }")
    assert {row["o"].value for row in client.select(LIGHT)} == {f"value {i}" for i in (1, 401, 801, 1201, 1601)}


def test_descriptors_do_not_pile_up(start):
    client = start()
    parent = client.status()["pid"]
    list(client.select(LIGHT))
    client.ping()  # so that the parent has closed its end of the answer
    before = len(os.listdir(f"/proc/{parent}/fd"))
    for i in range(50):
        list(client.select(LIGHT))
        with pytest.raises(QueryError):
            client.select("SELECT")
        if i % 10 == 0:
            with pytest.raises(QueryTimeout):
                client.answer_file(ENDLESS, JSON, timeout=0.05)
            sock = hang(client)
            until(lambda: busy(client))
            sock.close()
            until(lambda: not busy(client))
    assert until(lambda: len(os.listdir(f"/proc/{parent}/fd")) == before)
    for worker in until(lambda: (s := client.status()["workers"]) and all(w["ready"] for w in s) and s):
        assert len(os.listdir(f"/proc/{worker['pid']}/fd")) == 4  # its three standard ones, and the parent


def test_a_light_query_costs_little_more_than_the_engine(start):
    client = start()
    list(client.select(LIGHT))
    took = []
    for _ in range(300):
        began = time.perf_counter()
        list(client.select(LIGHT))
        took.append(time.perf_counter() - began)
    # Measured: 0.4 ms; the bound is generous because a test machine has other things to do.
    assert sorted(took)[len(took) // 2] < 0.005


# Isolation


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
    shown = subprocess.run([sys.executable, "-c", script, port], check=True, capture_output=True, text=True, timeout=20).stdout
    assert ("('no_network', True)" in shown) == (heard == [])


# Its beginning and its end


def test_sigterm_ends_everything_and_removes_the_socket(graph_file, tmp_path):
    path = tmp_path / "private" / "pool.sock"
    process = pool.start(graph_file, path)
    client = PoolClient(path)
    pids = [w["pid"] for w in client.status()["workers"]]
    running = hang(client)
    until(lambda: busy(client))
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert not path.exists()
    for pid in pids:
        until(lambda pid=pid: gone(pid))
    with pytest.raises(EOFError):
        reply(running)
    running.close()
    with pytest.raises(PoolUnavailable, match="No query pool answers"):
        client.ping()
    client.close()


def test_a_restarted_pool_is_found_again(graph_file, tmp_path):
    path = tmp_path / "private" / "pool.sock"
    client = PoolClient(path)
    for how in (signal.SIGKILL, signal.SIGINT):  # after SIGKILL the socket file is left behind
        process = pool.start(graph_file, path)
        assert len(list(client.select(LIGHT))) == 5
        workers = [w["pid"] for w in client.status()["workers"]]
        process.send_signal(how)
        process.wait(5)
        for pid in workers:
            until(lambda pid=pid: gone(pid))
        assert path.exists() is (how == signal.SIGKILL)
    client.close()


def test_the_pool_ends_with_the_process_that_started_it(graph_file, tmp_path):
    path = tmp_path / "private" / "pool.sock"
    script = """
import os, signal, sys
from pathlib import Path
from kvgraph.store import PoolClient, pool
pool.start(Path(sys.argv[1]), Path(sys.argv[2]))
status = PoolClient(sys.argv[2]).status()
print(status["pid"], *[w["pid"] for w in status["workers"]], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script, str(graph_file), str(path)], stdout=subprocess.PIPE, text=True, timeout=30)
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 3
    for pid in pids:
        until(lambda pid=pid: gone(pid))
    assert not path.exists()


def test_two_pools_do_not_share_a_socket(start, graph_file, capfd):
    client = start()
    with pytest.raises(PoolUnavailable):
        pool.start(graph_file, client.socket_path)
    assert "Another pool already answers" in capfd.readouterr().err
    client.ping()


def test_bad_beginnings_say_why(graph_file, tmp_path, capfd):
    (tmp_path / "bad.nq").write_text("<a:a> <a:b> .\n")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)
    for graph, path, message in [
        (tmp_path / "none.nq", tmp_path / "p" / "s", "No such file"),
        (tmp_path / "bad.nq", tmp_path / "p" / "s", "line 1"),
        (graph_file, tmp_path / "shared" / "s", "Others can reach the folder"),
        (graph_file, tmp_path / ("x" * 120) / "s", "too long"),
    ]:
        with pytest.raises(PoolUnavailable, match="did not start"):
            pool.start(graph, path)
        assert message in capfd.readouterr().err


def test_errors_survive_the_wire():
    from kvgraph.formats import UnknownFormat
    from kvgraph.store import errors

    for error in (
        errors.QuerySyntaxError("bad", 2, 3, "line", "mend it"),
        errors.ServiceRefused(),
        errors.UpdateRefused(),
        errors.QueryTooLarge("big", "smaller", limit="memory"),
        errors.QueryTimeout(3.5),
        errors.PoolBusy(7),
        errors.EngineCrashed("crashed", "again"),
        errors.QueryError("other"),
        UnknownFormat("no", "yes"),
    ):
        same = from_wire(to_wire(error))
        assert type(same) is type(error) and str(same) == str(error)
        assert {k: v for k, v in vars(same).items()} == {k: v for k, v in vars(error).items()}
