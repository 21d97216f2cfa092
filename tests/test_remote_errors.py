"""What endpoints and graph stores answer when something is wrong: every answer that is none is a clear error, and nothing is sent twice."""

import base64
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner

import kvgraph
from kvgraph.cli import main
from kvgraph.formats import CSV, TURTLE
from kvgraph.push import GraphStore, PushRefused, push
from kvgraph.store import EndpointError, EngineCrashed, PoolBusy, QueryError, QuerySyntaxError, QueryTimeout, QueryTooLarge, Remote

from .serving import free_port


@pytest.fixture(scope="module")
def release(small_home):
    return kvgraph.open(small_home).release


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
def test_a_store_that_refuses(release, status, match):
    def reply(request):
        if request.command == "GET":
            request.send(200, b"", "text/turtle")
        else:
            request.send(status, b"boom", "text/plain", Location="http://127.0.0.1:9/")

    with answering(reply) as (url, seen), pytest.raises(PushRefused, match=match):
        push(release, GraphStore(url))
    assert [s[0] for s in seen] == ["GET", "PUT"]


def test_a_page_is_no_graph_store(release):
    with answering(lambda r: r.send(200, b"<!DOCTYPE html><p>Hello", "text/html")) as (url, seen), pytest.raises(PushRefused, match="no Turtle"):
        push(release, GraphStore(url))
    assert len(seen) == 1


def test_nobody_answers_at_the_store(release):
    with pytest.raises(PushRefused, match="Nobody answers at"):
        push(release, GraphStore(f"http://127.0.0.1:{free_port()}/store"))


def test_the_password_goes_to_a_store_that_asks_for_it_and_nowhere_else(release, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")

    def reply(request):
        if "Authorization" in request.headers:
            request.send(201 if request.command != "GET" else 200, b"", "text/turtle")
        else:
            request.send(401, b"", "text/plain", WWW_Authenticate='Basic realm="store"')

    with answering(reply) as (url, seen):
        args = ["releases", "--home", str(release.path.parents[1]), "push", url, "--user", "me", "--password-file", str(secret)]
        done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.output
    assert "Authorization" not in seen[0][2]
    assert seen[1][2]["Authorization"] == "Basic " + base64.b64encode(b"me:s3cret").decode()
    assert "s3cret" not in done.output


def test_a_wrong_password_is_said_once(release):
    with answering(lambda r: r.send(401, b"", "text/plain", WWW_Authenticate='Digest realm="store", nonce="x", qop="auth"')) as (url, seen):
        with pytest.raises(PushRefused, match="does not let us write .401"):
            push(release, GraphStore(url, "me", "wrong"))
    assert len(seen) < 10 and not any("wrong" in str(request) for request in seen)
