"""Other engines: asked through :class:`Remote`, filled through ``kvgraph releases push``; every answer that is none is a clear error."""

import base64
import json
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner

import kvgraph
from kvgraph import push as pushing
from kvgraph import queries
from kvgraph.build import build
from kvgraph.cli import main
from kvgraph.formats import CSV, JSON, TURTLE
from kvgraph.graph import Graph, Rows
from kvgraph.push import GraphStore, PushRefused, push
from kvgraph.store import EndpointError, EngineCrashed, PoolBusy, QueryError, QuerySyntaxError, QueryTimeout, QueryTooLarge, Remote
from kvgraph.store.published import CURRENT, Names, Published

from . import engines
from .client import client_of
from .conftest import SMALL
from .serving import free_port, get, served, until

COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
PRACTICE = "SELECT ?title { ?p a <https://w3id.org/kvgraph/def/kv#Practice> ; <http://purl.org/dc/terms/title> ?title }"
GRAPHS = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"


def one(rows) -> str:
    (row,) = rows
    return row[0].value


def said(answer):
    """An answer of a Graph in a shape that two engines can be compared in."""
    return sorted(map(str, answer.terms)) if isinstance(answer, Rows) else sorted(map(str, answer)) if not isinstance(answer, bool) else answer


def everything(engine) -> Remote:
    """An engine with all it holds, as somebody sees it who knows nothing of releases."""
    remote = Remote(engine.query)
    remote._followed = float("inf"), None
    return remote


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two releases of one home; the second one calls the practice otherwise. Not to be changed."""
    home, data = tmp_path_factory.mktemp("two"), shutil.copytree(SMALL, tmp_path_factory.mktemp("data") / "small")
    first = build(home, data=data).release
    path = data / "living-lab.trig"
    path.write_text(path.read_text(encoding="utf-8").replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
    return first, build(home, data=data).release


@pytest.fixture
def engine():
    with engines.oxigraph() as started:
        yield started


@pytest.fixture(scope="module")
def pushed(small_home):
    """An Oxigraph to which the release of the invented data was pushed, and nothing else."""
    with engines.oxigraph() as started:
        push(kvgraph.open(small_home).release, GraphStore(started.store))
        yield started


# ── Real engines ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def bundled(bundled_home):
    """The bundled release in process, and in an Oxigraph that was given the dump."""
    here = kvgraph.open(bundled_home)
    with engines.oxigraph() as started:
        engines.load(started, decompress(here.release.nquads.read_bytes()))
        yield here, Graph(Remote(started.query), here.release)


@pytest.mark.parametrize("name", queries.names() + queries.names(kind="pages"))
def test_every_question_has_the_same_answer_from_an_engine_that_loaded_the_dump(bundled, name):
    here, there = bundled
    question = queries.load(name)
    answer = said(here.run(name, **question.examples))
    assert said(there.run(name, **question.examples)) == answer
    assert answer not in ([], None) or "imported" in question.tags  # without imports there is nothing to say


def test_another_kvgraph_is_a_remote_engine(small_home):
    here = kvgraph.open(small_home)
    with served(small_home) as base:
        there = Graph(Remote(base + "/sparql"), here.release)
        for query in (PRACTICE, GRAPHS, "ASK { ?s ?p ?o }", "DESCRIBE <https://w3id.org/kvgraph/id/practice/living-lab>"):
            assert said(there.query(query)) == said(here.query(query))
        with pytest.raises(QuerySyntaxError) as caught:
            there.query("ASK {\n ?s ex:p ?o }")
        assert (caught.value.line, caught.value.column, caught.value.source) == (2, 5, " ?s ex:p ?o }")
        with pytest.raises(QuerySyntaxError, match="^Line 1, column 46: The SELECT contains"):
            there.query("SELECT ?s (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")


def test_the_web_application_answers_from_a_remote_engine(pushed, small_home, monkeypatch):
    here = client_of(small_home)
    monkeypatch.setenv("KVGRAPH_ENDPOINT", pushed.query)
    there = client_of(small_home)
    assert isinstance(there.application.extensions["kvgraph"].graphs().backend, Remote)
    for path in (
        "/doc/practice/living-lab.nt", "/doc/practice/living-lab", "/def/channel", "/questions/practices-per-country?format=csv", "/readyz",
        "/questions/statements-by-basis?format=csv", f"/sparql?query={COUNT}&format=csv", "/search?q=harbour",
    ):  # fmt: skip
        mine, theirs = here.get(path), there.get(path)
        assert theirs.status_code == mine.status_code == 200, path
        assert sorted(theirs.data.split()) == sorted(mine.data.split()), path
    assert there.get("/sparql?query=ASK").status_code == 400
    of_graph = there.get(f"/sparql?query={COUNT}&format=csv&default-graph-uri=https://w3id.org/kvgraph/def/channel")
    assert of_graph.data == here.get(f"/sparql?query={COUNT}&format=csv&default-graph-uri=https://w3id.org/kvgraph/def/channel").data


def test_serve_needs_no_pool_with_a_remote_engine(pushed, small_home, monkeypatch):
    monkeypatch.setenv("KVGRAPH_ENDPOINT", pushed.query)
    with served(small_home) as base:
        assert get(f"{base}/doc/practice/living-lab")[0] == 200
        assert get(f"{base}/sparql?query={COUNT.replace(' ', '+')}", "text/csv")[2] == b"n\r\n%d\r\n" % kvgraph.open(small_home).release.manifest["counts"]["triples"]
        commands = descendants(base.rpartition(":")[2])
        assert any("kvgraph.serve.wsgi" in c for c in commands) and not any("kvgraph.store.pool" in c for c in commands), commands


def descendants(port: str) -> list[str]:
    """The command lines of all processes under the `kvgraph serve` of that port."""
    listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [(int(child), int(parent), command) for child, parent, command in (line.split(None, 2) for line in listed if len(line.split(None, 2)) == 3)]
    found, below = [], {child for child, _, command in rows if "kvgraph serve" in command and command.endswith(f"--port {port}")}
    assert below
    while below:
        found += [command for _, parent, command in rows if parent in below]
        below = {child for child, parent, _ in rows if parent in below}
    return found


def test_the_command_line_asks_the_endpoint(pushed, small_home, monkeypatch):
    monkeypatch.setenv("KVGRAPH_ENDPOINT", pushed.query)
    done = CliRunner().invoke(main, ["run", "practices-per-country", "--home", str(small_home)])
    assert done.exit_code == 0 and done.stdout.count("\n") == 2
    monkeypatch.setenv("KVGRAPH_ENDPOINT", f"http://127.0.0.1:{free_port()}/query")
    done = CliRunner().invoke(main, ["query", "ASK {}", "--home", str(small_home)])
    assert done.exit_code == 1 and "Nobody answers at" in done.stderr and "Traceback" not in done.stderr


# ── A release that was pushed ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    [
        COUNT, GRAPHS, PRACTICE, queries.load("statements-by-basis").bind(), queries.load("practices-per-source-kind").bind(),
        queries.load("sources-of-statements").bind(thing="https://w3id.org/kvgraph/id/practice/living-lab"),
        queries.load("pages/graph").bind(graph="https://w3id.org/kvgraph/def/channel"),
        COUNT.replace("{", "FROM <https://w3id.org/kvgraph/def/channel> {"),
        "PREFIX g: <https://w3id.org/kvgraph/graph/> SELECT * { GRAPH g:sources { ?s ?p ?o } }",
        "PREFIX d: <https://w3id.org/kvgraph/def/> SELECT ?s FROM d:channel { ?s ?p ?o }",
        "SELECT * FROM NAMED <https://w3id.org/kvgraph/graph/sources> { GRAPH ?g { ?s ?p ?o } }",
        "SELECT ?g ?basis { GRAPH ?g { ?s a <https://w3id.org/kvgraph/def/kv#Practice> } ?g <https://w3id.org/kvgraph/def/kv#basis> ?basis }",
    ],
    ids=range(12),
)  # fmt: skip
def test_a_pushed_release_answers_with_its_own_names_and_keeps_who_says_what(pushed, small_home, query):
    here = kvgraph.open(small_home)
    assert said(Graph(Remote(pushed.query), here.release).query(query)) == said(here.query(query)) != []


def test_at_the_endpoint_the_graphs_have_versioned_names(pushed, small_home):
    names = Names(kvgraph.open(small_home).release.id)
    bare = everything(pushed)
    found = {row["g"].value for row in bare.select(GRAPHS)}
    assert {names.default, names.release, CURRENT, names.graph("https://w3id.org/kvgraph/def/kv")} < found
    assert all(name.startswith("https://w3id.org/kvgraph/release/") for name in found)
    about = f"ASK {{ GRAPH <{names.default}> {{ ?g <https://w3id.org/kvgraph/def/kv#basis> ?b }} GRAPH ?g {{ ?s ?p ?o }} }}"
    assert bare.ask(about)


def test_a_filter_stands_in_where_graph_reaches_every_graph():
    text, dataset = Published(Names("r"), None).prepare("SELECT * { ?s ?p ?o OPTIONAL { GRAPH ?g { ?s ?p ?o } } }")
    only = 'FILTER(STRSTARTS(STR(?g), "https://w3id.org/kvgraph/release/r/") && ?g != <https://w3id.org/kvgraph/release/r/default>)'
    assert text == f"SELECT * {{ ?s ?p ?o OPTIONAL {{ {only} GRAPH ?g {{ ?s ?p ?o }} }} }}"
    assert dataset == [("default-graph-uri", "https://w3id.org/kvgraph/release/r/default")]


@pytest.mark.parametrize("graph", ["<https://w3id.org/kvgraph/def/kv>", "d:kv", "e:a"])
def test_there_only_a_graph_that_the_query_names_is_named(graph):
    query = f"PREFIX d: <https://w3id.org/kvgraph/def/> PREFIX e: <http://example.org/> ASK {{ GRAPH {graph} {{ ?s ?p ?o }} }}"
    _, dataset = Published(Names("r"), None).prepare(query)
    named = {"e:a": "http://example.org/a"}.get(graph, "https://w3id.org/kvgraph/release/r/def/kv")
    assert dataset == [("default-graph-uri", "https://w3id.org/kvgraph/release/r/default"), ("named-graph-uri", named)]
    with pytest.raises(QueryError, match="with the name of a graph and with a variable"):
        Published(Names("r"), None).prepare(query.replace("ASK {", "ASK { GRAPH ?g { ?s ?p ?o }"))


def test_a_default_graph_can_be_named(engine, two):
    first, second = two
    for release in two:
        push(release, GraphStore(engine.store))
    titles = {release.id: one(Remote(engine.query, default_graph=Names(release.id).default).select(PRACTICE)) for release in two}
    assert titles == {first.id: "Living lab of the harbour", second.id: "Harbour lab"}
    assert one(Remote(engine.query).select(PRACTICE)) == "Harbour lab"
    channel = Remote(engine.query, default_graph=Names(first.id).graph("https://w3id.org/kvgraph/def/channel"))
    assert int(one(channel.select(COUNT))) > 50 and one(channel.select(COUNT.replace("{", f"FROM <{CURRENT}> {{"))) == "5"


def test_readers_see_the_old_release_until_the_new_one_is_complete(engine, two):
    first, second = two
    push(first, GraphStore(engine.store))
    seen = []
    push(second, GraphStore(engine.store), progress=lambda done, total: seen.append(one(Remote(engine.query).select(PRACTICE))))
    assert len(seen) > 10 and set(seen) == {"Living lab of the harbour"}
    assert one(Remote(engine.query).select(PRACTICE)) == "Harbour lab"


def test_a_broken_push_changes_nothing_and_is_repeated(engine, two):
    first, second = two
    store = GraphStore(engine.store)
    push(first, store)

    def pull_the_plug(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(second, store, progress=pull_the_plug)
    assert one(Remote(engine.query).select(PRACTICE)) == "Living lab of the harbour"
    push(second, store)
    there = Graph(Remote(engine.query), second)
    assert said(there.query(COUNT)) == said(kvgraph.open(second.path.parents[1]).query(COUNT))


def test_prune_deletes_all_but_the_current_release_and_the_one_before(engine, two, monkeypatch):
    first, second = two
    store = GraphStore(engine.store)
    monkeypatch.setattr(pushing, "BATCH", 2000)  # many small requests
    push(first, store)
    assert push(second, store, prune=True) == []  # readers may be in the middle of the first
    assert push(second, store, prune=True) == [first.id]
    assert store.get(Names(first.id).default) == store.get(Names(first.id).release) == []
    assert not [row for row in everything(engine).select(GRAPHS) if first.id in row["g"].value]
    assert one(Remote(engine.query).select(PRACTICE)) == "Harbour lab"


def test_going_back_sends_nothing_again(engine, two):
    first, second = two
    store = GraphStore(engine.store)
    for release in two:
        push(release, store)
    sent = []
    push(first, store, progress=lambda *done: sent.append(done))
    assert sent == [] and one(Remote(engine.query).select(PRACTICE)) == "Living lab of the harbour"


def test_requests_are_bounded(engine, two, monkeypatch):
    sizes = []
    send = GraphStore._send
    monkeypatch.setattr(GraphStore, "_send", lambda self, method, graph, body=None, **more: (sizes.append(len(body or b"")), send(self, method, graph, body, **more))[1])
    monkeypatch.setattr(pushing, "BATCH", 5000)
    push(two[0], GraphStore(engine.store))
    assert max(sizes) <= 5000 and len([s for s in sizes if s > 4000]) > 20
    assert one(Remote(engine.query).select(COUNT)) == str(two[0].manifest["counts"]["triples"])


def test_a_reader_follows_what_is_current(engine, two, monkeypatch):
    for release in two:
        push(release, GraphStore(engine.store))
    reader = Remote(engine.query)
    assert one(reader.select(PRACTICE)) == "Harbour lab"
    push(two[0], GraphStore(engine.store))
    assert one(reader.select(PRACTICE)) == "Harbour lab"
    monkeypatch.setattr("kvgraph.store.remote.FOLLOW", 0.0)
    assert one(reader.select(PRACTICE)) == "Living lab of the harbour"


def test_a_release_that_is_not_there_is_said_and_not_answered_from_another(engine, two, monkeypatch):
    first, second = two
    push(first, GraphStore(engine.store))
    with pytest.raises(EndpointError, match=f"does not hold release {second.id}; it holds {first.id}. Publish"):
        Remote(engine.query, release=second.id).select(PRACTICE)
    monkeypatch.setenv("KVGRAPH_ENDPOINT", engine.query)
    home = str(second.home)
    done = CliRunner().invoke(main, ["query", "ASK {}", "--home", home])
    assert done.exit_code == 1 and "releases push" in done.stderr
    push(second, GraphStore(engine.store))
    done = CliRunner().invoke(main, ["query", PRACTICE, "--home", home])
    assert done.exit_code == 0 and "Harbour lab" in done.stdout


def test_a_server_goes_to_a_new_release_when_the_endpoint_holds_it(engine, tmp_path, small_data, monkeypatch):
    old = build(tmp_path, data=small_data).release
    push(old, GraphStore(engine.store))
    monkeypatch.setenv("KVGRAPH_ENDPOINT", engine.query)
    with served(tmp_path) as base:
        path = small_data / "living-lab.trig"
        path.write_text(path.read_text(encoding="utf-8").replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
        new = build(tmp_path, data=small_data).release
        time.sleep(1.5)
        assert get(f"{base}/readyz")[2] == f"ready: release {old.id}\n".encode()
        push(new, GraphStore(engine.store))
        until(lambda: get(f"{base}/readyz")[2] == f"ready: release {new.id}\n".encode())
        assert b"Harbour lab" in get(f"{base}/doc/practice/living-lab.nt")[2]


def test_push_on_the_command_line(engine, two):
    home = str(two[0].path.parents[1])
    done = CliRunner().invoke(main, ["releases", "--home", home, "push", engine.store, "--release", two[0].id])
    assert done.exit_code == 0 and f"Release {two[0].id} is current at {engine.store}." in done.stderr
    done = CliRunner().invoke(main, ["releases", "--home", home, "push", engine.store, "--prune"])
    assert done.exit_code == 0 and f"Release {two[1].id} is current" in done.stderr
    assert one(Remote(engine.query).select(PRACTICE)) == "Harbour lab"
    assert CliRunner().invoke(main, ["releases", "--home", home, "push", engine.store, "--user", "me"]).exit_code == 2


# ── What endpoints answer when something is wrong ────────────────────────────────────────────────────────────────────


class Answer(BaseHTTPRequestHandler):
    """Answers every request as the test says, and notes it."""

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        try:
            self.server.reply(self)
        except (BrokenPipeError, ConnectionResetError):
            pass

    do_POST = do_PUT = do_DELETE = do_GET

    def send(self, status, body=b"", kind="application/sparql-results+json", **headers):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def answering(reply):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.reply, server.seen = reply, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/sparql", server.seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(reply, query="SELECT ?s { ?s ?p ?o }", **options):
    """What a remote without pushed releases makes of a reply."""
    with answering(reply) as (url, seen):
        remote = Remote(url, default_graph="http://example.org/g", **options)
        return list(remote.select(query)), seen


YES = b'{"head":{},"boolean":true}'
ROWS = b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri","value":"http://example.org/a"}}]}}'
PROBLEM = {"title": "Service Unavailable", "status": 503, "detail": "The query was stopped after 3 s.", "code": "timeout"}


@pytest.mark.parametrize(
    "reply, error, match",
    [
        (lambda r: r.send(400, b"MALFORMED QUERY: nonsense"), QuerySyntaxError, "MALFORMED QUERY: nonsense"),
        (lambda r: r.send(401, b"who?"), EndpointError, "credentials .401"),
        (lambda r: r.send(403), EndpointError, "credentials .403"),
        (lambda r: r.send(404), EndpointError, "no SPARQL endpoint at http://127.0.0.1"),
        (lambda r: r.send(405), EndpointError, "no SPARQL endpoint"),
        (lambda r: r.send(413), QueryTooLarge, "this long"),
        (lambda r: r.send(414), QueryTooLarge, "this long"),
        (lambda r: r.send(429, b"slow down", Retry_After="7"), PoolBusy, "slow down Try again in 7 s"),
        (lambda r: r.send(503, Retry_After="Fri, 31 Dec 1999 23:59:59 GMT"), PoolBusy, "in 5 s"),
        (lambda r: r.send(503, json.dumps(PROBLEM).encode(), "application/problem+json"), QueryTimeout, "stopped after 3 s"),
        (lambda r: r.send(504), QueryTimeout, "stopped the query"),
        (lambda r: r.send(500, b"java.lang.NullPointerException\n at a.b.c"), EngineCrashed, r"failed \(500\): java.lang.NullPointerException$"),
        (lambda r: r.send(302, Location="http://127.0.0.1:9/"), EndpointError, "not followed"),
        (lambda r: r.send(307, Location="file:///etc/passwd"), EndpointError, "not followed"),
        (lambda r: r.send(200, b"<html>hello</html>", "text/html"), EndpointError, "text/html where SPARQL results"),
        (lambda r: r.send(200, ROWS[:-3]), EndpointError, "broken results"),
        (lambda r: r.send(200, b""), EndpointError, "broken results"),
        (lambda r: r.send(200, YES), EndpointError, "another form"),
        (lambda r: r.send(200, ROWS, X_SPARQL_MaxRows="1"), QueryTooLarge, "cut its answer"),
        (lambda r: r.send(200, ROWS, Content_Length="1000"), EndpointError, "Nobody answers|IncompleteRead"),
        (lambda r: r.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"), EndpointError, "Nobody answers"),
        (lambda r: r.connection.shutdown(socket.SHUT_RDWR), EndpointError, "Nobody answers"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_a_clear_error(reply, error, match):
    with pytest.raises(error, match=match):
        ask(reply)


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://127.0.0.1:99999/", "http://user:secret@127.0.0.1/", "http://[::1"]
)
def test_an_address_that_is_none_is_refused_and_no_password_shown(url):
    with pytest.raises(EndpointError) as caught:
        Remote(url)
    assert "secret" not in str(caught.value)


def test_nobody_answers():
    with pytest.raises(EndpointError, match="Nobody answers at http://127.0.0.1:.*Connection refused"):
        Remote(f"http://127.0.0.1:{free_port()}/sparql").ask("ASK {}")


def test_an_engine_that_hangs_or_drips_is_not_waited_for():
    released = threading.Event()

    def drip(request):
        request.send(200, ROWS[:1], Content_Length="1000000")
        for _ in range(50):
            request.wfile.write(b" ")
            if released.wait(0.1):
                return

    for reply in (drip, lambda request: released.wait(5)):
        began = time.monotonic()
        try:
            with pytest.raises(QueryTimeout, match="after 0.3 s"), answering(reply) as (url, _):
                try:
                    Remote(url, default_graph="http://example.org/g", timeout=0.3).select("SELECT * {}")
                finally:
                    released.set()
        finally:
            released.clear()
        assert time.monotonic() - began < 4, "both would take five seconds"


def test_an_answer_too_long_is_not_read_on():
    with pytest.raises(QueryTooLarge, match="1,000 bytes") as caught:
        ask(lambda r: r.send(200, ROWS + b" " * 100_000), max_bytes=1000)
    assert caught.value.limit == "bytes"


def test_a_cut_answer_in_bytes_says_so():
    with answering(lambda r: r.send(200, ROWS, X_SPARQL_MaxRows="1")) as (url, _):
        outcome, file = Remote(url, default_graph="http://example.org/g").answer_file("SELECT ?s {}", CSV)
        with file:
            assert file.read() == b"s\r\nhttp://example.org/a\r\n" and not outcome.complete


def test_what_is_sent():
    rows, seen = ask(lambda r: r.send(200, ROWS), user="me", password="secret")
    assert len(rows) == 1
    ((method, path, headers, body),) = seen
    assert (method, path) == ("POST", "/sparql")
    assert parse_qs(body.decode()) == {"query": ["SELECT ?s { ?s ?p ?o }"], "default-graph-uri": ["http://example.org/g"]}
    assert headers["Accept"].startswith("application/sparql-results+json") and "turtle" not in headers["Accept"]
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"me:secret").decode()


@pytest.mark.parametrize(
    "query", ["SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "DROP ALL", "nonsense", "", "ASK { " * 200, "ASK { } #" + "x" * 200_000]
)
def test_what_the_guard_refuses_is_never_sent(query):
    with answering(lambda r: r.send(200, YES)) as (url, seen):
        with pytest.raises(QueryError):
            Remote(url).ask(query)
        assert seen == []


def test_a_query_cannot_keep_the_client_busy():
    """SPARQLWrapper's own look for the form of a query takes minutes on so many empty lines."""
    began = time.process_time()
    with answering(lambda r: r.send(200, YES)) as (url, _):
        assert Remote(url, default_graph="http://example.org/g").ask("\n" * 100_000 + "ASK {}")
    assert time.process_time() - began < 2


def test_turtle_and_xml_are_understood():
    with answering(lambda r: r.send(200, b"@prefix e: <http://e/> . e:a e:b 1 .", "text/turtle; charset=utf-8")) as (url, _):
        remote = Remote(url, default_graph="http://example.org/g")
        assert [str(t) for t in remote.construct("CONSTRUCT WHERE { ?s ?p ?o }")] == ['<http://e/a> <http://e/b> "1"^^<http://www.w3.org/2001/XMLSchema#integer>']
        outcome, file = remote.answer_file("DESCRIBE <http://e/a>", TURTLE)
        file.close()
        assert outcome.triples == 1
    xml = b'<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head/><boolean>true</boolean></sparql>'
    with answering(lambda r: r.send(200, xml, "application/sparql-results+xml")) as (url, _):
        assert Remote(url, default_graph="http://example.org/g").ask("ASK {}") is True


def test_virtuoso_says_yes_and_no_in_a_row_of_its_own():
    row = b'{"head":{"vars":["__ASK_RETVAL"]},"results":{"bindings":[{"__ASK_RETVAL":{"type":"typed-literal","value":"%d"}}]}}'
    for number in (0, 1):
        with answering(lambda r, n=number: r.send(200, row % n)) as (url, _):
            assert Remote(url, default_graph="http://example.org/g").ask("ASK {}") is bool(number)


# ── What graph stores answer when something is wrong ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "status, match", [(401, "does not let us write"), (403, "password-file"), (404, "no writable graph store"), (405, "/store"), (413, "client_max_body_size"),
                      (500, "failed .500.*boom"), (507, "Nothing has changed"), (301, "not followed")]
)  # fmt: skip
def test_a_store_that_refuses(two, status, match):
    def reply(request):
        if request.command == "GET":
            request.send(200, b"", "text/turtle")
        else:
            request.send(status, b"boom", "text/plain", Location="http://127.0.0.1:9/")

    with answering(reply) as (url, seen), pytest.raises(PushRefused, match=match):
        push(two[0], GraphStore(url))
    assert [s[0] for s in seen] == ["GET", "PUT"]


def test_a_page_is_no_graph_store(two):
    with answering(lambda r: r.send(200, b"<!DOCTYPE html><p>Hello", "text/html")) as (url, seen), pytest.raises(PushRefused, match="no Turtle"):
        push(two[0], GraphStore(url))
    assert len(seen) == 1


def test_nobody_answers_at_the_store(two):
    with pytest.raises(PushRefused, match="Nobody answers at"):
        push(two[0], GraphStore(f"http://127.0.0.1:{free_port()}/store"))


def test_the_password_goes_to_a_store_that_asks_for_it_and_nowhere_else(two, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")

    def reply(request):
        if "Authorization" in request.headers:
            request.send(201 if request.command != "GET" else 200, b"", "text/turtle")
        else:
            request.send(401, b"", "text/plain", WWW_Authenticate='Basic realm="store"')

    with answering(reply) as (url, seen):
        args = ["releases", "--home", str(two[0].path.parents[1]), "push", url, "--user", "me", "--password-file", str(secret)]
        done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.output
    assert "Authorization" not in seen[0][2]
    assert seen[1][2]["Authorization"] == "Basic " + base64.b64encode(b"me:s3cret").decode()
    assert "s3cret" not in done.output


def test_a_wrong_password_is_said_once(two):
    with answering(lambda r: r.send(401, b"", "text/plain", WWW_Authenticate='Digest realm="store", nonce="x", qop="auth"')) as (url, seen):
        with pytest.raises(PushRefused, match="does not let us write .401"):
            push(two[0], GraphStore(url, "me", "wrong"))
    assert len(seen) < 10 and not any("wrong" in str(request) for request in seen)


def test_formats_of_the_answer_are_ours(pushed, tmp_path):
    outcome = Remote(pushed.query).answer(COUNT, JSON, tmp_path / "answer")
    assert outcome.bytes == (tmp_path / "answer").stat().st_size and json.loads((tmp_path / "answer").read_bytes())["head"] == {"vars": ["n"]}
