"""Everything hostile over a real server: nobody is called, nobody else notices, no worker is lost, nothing inside is shown."""

import http.client
import json
import re
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from kvgraph.resources import ROOT

from ..serving import get, served, until
from .hostile import FETCHES, QUERIES, SERVICES, Honest, Listener, ask, slow_reader

CHECKOUT = re.escape(str(ROOT).encode())
INSIDE = re.compile(CHECKOUT + rb"|/home/|/usr/|/tmp/|site-packages|Traceback|\.py\b|root:x:|0x[0-9a-f]{8}")
LONG = "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 60000"


@pytest.fixture(scope="module")
def listener():
    thread = Listener()
    thread.start()
    yield thread
    thread.stop.set()
    thread.join()


@pytest.fixture(scope="module")
def honest(small_home):
    """A server with an honest client at work all the while. What must hold in the end is asserted at the end."""
    with served(small_home, "--timeout", "1", "--memory", "256") as address:
        client = Honest(address)
        client.start()
        yield client
        client.stop.set()
        client.join()


@pytest.fixture(scope="module")
def host(honest):
    return honest.host


def refused(host, query, **fields):
    """The problem document that a query gets, in time, in words and without anything from inside."""
    began = time.monotonic()
    status, body = ask(host, query, **fields)
    assert status in (400, 413, 429, 503), body[:300]
    problem = json.loads(body)
    assert problem["status"] == status and problem["detail"] and not INSIDE.search(body), body
    assert time.monotonic() - began < 15
    return problem


@pytest.mark.parametrize("query", [q for q in QUERIES if q not in (*SERVICES, *FETCHES)], ids=lambda q: q[:24])
def test_a_hostile_query_is_refused_in_words(host, query):
    if "REGEX" in query:
        assert ask(host, query)[0] in (200, 400, 503)
    else:
        refused(host, query)


@pytest.mark.parametrize("query", [*SERVICES, *FETCHES])
def test_nobody_is_called_and_no_file_is_read(host, listener, query):
    before = listener.calls
    status, body = ask(host, query.format(url=listener.url), **{"default-graph-uri": listener.url} if query in FETCHES else {})
    assert b"root:" not in body and (status == 400) is (query in SERVICES)
    assert listener.calls == before


def test_readers_who_do_not_read(host, honest):
    """More of them than one client may have: the others are told so, and an honest one at another address is served at once."""
    readers = [slow_reader(host, LONG, source="127.0.0.9") for _ in range(60)]
    try:
        time.sleep(2)
        answers = len(honest.took)
        until(lambda: len(honest.took) > answers + 20)
        assert max(honest.took[answers:]) < 10
    finally:
        for reader in readers:
            reader.close()


def test_bodies_that_are_never_sent(host, honest):
    """More of them than there are threads: pages are served all the while, and queries again as soon as they are gone."""
    name, _, port = host.partition(":")
    crowd = [socket.create_connection((name, int(port))) for _ in range(400)]
    try:
        for one in crowd:
            one.sendall(b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 100\r\n\r\nASK")
        answers = len(honest.took)
        until(lambda: len(honest.took) > answers + 20)
        assert max(honest.took[answers:]) < 10
    finally:
        for one in crowd:
            one.close()
    until(lambda: ask(host, "ASK {}")[0] == 200)


@pytest.mark.parametrize("sent", [
    b"GET / HTTP/1.1\r\n", b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 100\r\n\r\nASK",
    b"\x16\x03\x01\x00", b"GET /sparql?query=%ZZ%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
])  # fmt: skip
def test_broken_and_unfinished_requests(host, honest, sent):
    name, _, port = host.partition(":")
    crowd = [socket.create_connection((name, int(port))) for _ in range(20)]
    try:
        for one in crowd:
            one.sendall(sent)
        answers = len(honest.took)
        until(lambda: len(honest.took) > answers + 10)
        crowd[0].settimeout(1)
        try:
            assert not INSIDE.search(crowd[0].recv(65536))
        except (TimeoutError, ConnectionError):
            pass  # it waits for the rest, or has given up: both are an answer
    finally:
        for one in crowd:
            one.close()


@pytest.mark.parametrize("path", [
    "/static/../../pyproject.toml", "/static/%2e%2e/%2e%2e/pyproject.toml", "/dumps/latest/..%2f..%2fmanifest.json", "/dumps/..%2f..%2f/etc", "/docs/..%2f10-about",
    "/doc/%00", "/questions/..%2f..%2fetc%2fpasswd", "/release/..%2f..%2f/sparql", "/release/%2e%2e/", "/def/../kv", "/data?graph=file:///etc/passwd", "//evil.example/..",
    "/search?q=" + "%22%29%20OR%20" * 100, "/connections?a=%00&b=%ff", "/doc/" + "a/" * 2000,
])  # fmt: skip
def test_paths_that_lead_elsewhere(host, path):
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", path, headers={"Accept": "*/*"})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status < 500 and not re.search(rb"root:x:|\[build-system\]|Traceback|site-packages|" + CHECKOUT, body)
    assert not response.headers.get("Location", "").startswith("//")


def test_a_crowd_of_strangers(host, honest):
    """Thirty at once with the worst there is, for as long as it takes; each gets an answer, or when to come back."""
    worst = [QUERIES[15], QUERIES[16], QUERIES[17], QUERIES[18], QUERIES[0]] * 6
    with ThreadPoolExecutor(30) as executor:
        problems = list(executor.map(lambda query: refused(host, query + " # crowd"), worst))
    assert {p["code"] for p in problems} <= {"timeout", "too-large", "busy"}


def test_afterwards_everything_is_as_it_was(host, honest):
    """Last in this file."""
    until(lambda: json.loads(get(f"http://{host}/status?format=json", "application/json")[2])["waiting"] == 0)
    state = json.loads(get(f"http://{host}/status?format=json", "application/json")[2])
    until(lambda: json.loads(get(f"http://{host}/status?format=json", "application/json")[2])["workers"]["starting"] == 0)
    assert sum(state["workers"][name] for name in ("busy", "idle", "starting")) == 4 and state["pool_restarts"] == 0
    assert honest.wrong == [] and len(honest.took) > 100
    assert statistics.median(honest.took) < 0.5
    assert urlsplit(f"http://{host}/").port
