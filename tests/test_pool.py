"""The query pool: its answers, those who ask it, and its own beginning and end."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kvgraph.formats import CSV, JSON, UnknownFormat
from kvgraph.store import PoolClient, PoolUnavailable, QueryError, QueryTimeout, QueryTooLarge, errors, pool, wire
from kvgraph.store.desk import Desk
from kvgraph.store.errors import from_wire, to_wire
from kvgraph.store.guard import Bounds
from kvgraph.store.turns import OWN

from .pools import ENDLESS, LIGHT, SOON, busy, gone, graph_file, hang, idle, start, until  # noqa: F401


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
    list(client.select(LIGHT))
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
    "sent, message",
    [
        (wire.pack({"op": "dance"}), "no operation 'dance'"),
        (wire.pack([1]), "no frame"),
        (b"\0\0\0\2\0\0\0\0\0\0\0\0{]", "no frame"),
        (b"\xff\xff\xff\xff\0\0\0\0\0\0\0\0", "longer than"),
        (wire.pack({"op": "query", "format": "json"}, b"ASK {}"), "longer than"),
        (wire.pack({"op": ["join"], "worker": {"a": 1}}), "no operation"),
    ],
)
def test_bad_frames_get_an_answer(start, sent, message):
    client = start()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(SOON)
        sock.connect(str(client.socket_path))
        sock.sendall(sent)
        assert message in wire.receive(sock, 0)[0]["error"]["message"]
    assert len(list(client.select(LIGHT))) == 5


@pytest.mark.parametrize(
    "header, body, message",
    [
        ({"format": "nonsense"}, b"ASK {}", "No format is called 'nonsense'"),
        ({}, b"ASK {}", "engine failed"),
        ({"format": "json", "default_graphs": 7}, b"ASK {}", "engine failed"),
        ({"format": "json"}, b"ASK { ?s ?p '\xff' }", "byte 14 of the query is not UTF-8"),
        ({"format": "json"}, b"x" * Bounds.text, "SELECT, ASK"),
    ],
)
def test_a_bad_question_to_a_worker_gets_an_answer(start, header, body, message):
    client = start()
    desk = Desk(client.socket_path)
    reply, _, file = desk.ask(header, body, OWN, None)
    assert message in from_wire(reply["error"]).message + str(from_wire(reply["error"]).hint) and file is None
    desk.close()
    assert len(list(client.select(LIGHT))) == 5


def test_a_query_that_is_too_long_is_not_even_sent(start):
    client = start()
    with pytest.raises(QueryTooLarge, match="longer than"):
        client.select("x" * (Bounds.text + 1))
    assert [w["answered"] for w in client.status()["workers"]] == [0, 0]


def test_noise_is_harmless(start):
    client = start()
    for noise in (b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", os.urandom(1000), wire.pack({"op": "ping"})[:-1], wire.pack({"op": "ping"}) * 2):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(client.socket_path))
            sock.sendall(noise)
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
    subprocess.run([sys.executable, "-c", script, str(client.socket_path)], check=True, timeout=120)


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
    before = len(os.listdir(f"/proc/{parent}/fd")), len(os.listdir("/proc/self/fd"))
    for i in range(50):
        list(client.select(LIGHT))
        with pytest.raises(QueryError):
            client.select("SELECT")
        if i % 10 == 0:
            with pytest.raises(QueryTimeout):
                client.answer_file(ENDLESS, JSON, timeout=0.05)
            hang(client).close()
    for worker in idle(client)["workers"]:
        assert len(os.listdir(f"/proc/{worker['pid']}/fd")) == 4  # its three standard ones, and its socket
    assert until(lambda: len(os.listdir(f"/proc/{parent}/fd")) == before[0])
    assert len(os.listdir("/proc/self/fd")) <= before[1] + 8  # sockets of workers that ended are closed when the next is met


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


# Its beginning and its end


def test_being_told_to_end_again_and_again_is_no_error(graph_file, tmp_path, capfd):
    for _ in range(5):
        process = pool.start(graph_file, tmp_path / "private" / "pool.sock")
        while process.poll() is None:
            for signum in (signal.SIGINT, signal.SIGTERM):
                process.send_signal(signum)
        assert process.returncode == 0
    assert capfd.readouterr().err == ""


def test_sigterm_ends_everything_and_removes_the_socket(graph_file, tmp_path):
    path = tmp_path / "private" / "pool.sock"
    process = pool.start(graph_file, path)
    client = PoolClient(path)
    pids = [w["pid"] for w in client.status()["workers"]]
    running = hang(client)
    until(lambda: busy(client))
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0  # half of what the query may take
    assert not path.exists()
    for pid in pids:
        until(lambda pid=pid: gone(pid))
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
        process.wait(SOON)
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
    done = subprocess.run([sys.executable, "-c", script, str(graph_file), str(path)], stdout=subprocess.PIPE, text=True, timeout=120)
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
