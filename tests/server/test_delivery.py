"""How answers leave: what is kept in memory, and what a long one costs."""

import threading
from io import BytesIO
from types import SimpleNamespace

import pytest
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wsgi import FileWrapper

from kvgraph.server.answers import WHOLE
from kvgraph.server.delivery import KEPT_BYTES, LONGEST_KEPT, PATIENCE, QUERIES, STREAMS_OF_ONE, Delivery
from kvgraph.server.headers import KEEP
from kvgraph.server.logs import AHEAD


@pytest.mark.parametrize(
    "size, wrap, made",
    [(10, list, 1), (WHOLE + 1, list, 1), (LONGEST_KEPT + 1, list, 2), (WHOLE + 1, lambda body: FileWrapper(BytesIO(body[0])), 2)],
    ids=["short", "long", "too long", "in a file"],
)
def test_a_page_is_made_once_for_a_release_unless_it_is_too_long_or_lies_in_a_file(size, wrap, made):
    calls = []

    def app(environ, start_response):
        calls.append(environ["PATH_INFO"])
        environ[KEEP] = "map"
        start_response("200 OK", [("Content-Length", str(size))])
        return wrap([b"x" * size])

    delivery = Delivery(app, lambda: SimpleNamespace(release=SimpleNamespace(id="r")), 1000)
    for _ in range(2):
        body, status, _ = run_wsgi_app(delivery, create_environ("/map"), buffered=True)
        assert status == "200 OK" and b"".join(body) == b"x" * size
    assert len(calls) == made
    assert delivery.streams.inside.total() == 0  # whoever has read a long one to its end makes room


def test_when_another_release_takes_over_the_pages_that_were_read_are_made_ahead():
    serving, calls = SimpleNamespace(id="r1"), []

    def app(environ, start_response):
        calls.append((serving.id, environ["PATH_INFO"], environ.get(AHEAD, False)))
        environ[KEEP] = QUERIES if environ["PATH_INFO"] == "/sparql" else "page"
        kind = "text/csv" if environ["PATH_INFO"] == "/table" else "text/html"
        start_response("200 OK", [("Content-Length", "1"), ("Content-Type", kind)])
        return [b"x"]

    delivery = Delivery(app, lambda: SimpleNamespace(release=SimpleNamespace(id=serving.id)), 1000)

    def read(path):
        run_wsgi_app(delivery, create_environ(path, headers={"Accept": "text/html"}), buffered=True)
        for thread in threading.enumerate():
            if thread.name == "ahead":
                thread.join()

    for path in ("/first", "/release/r0/old", "/table", "/sparql", "/second"):
        read(path)
    serving.id = "r2"
    read("/third")
    assert sorted(c for c in calls if c[0] == "r2") == [("r2", "/first", True), ("r2", "/second", True), ("r2", "/third", False)], "pages, and of this release"
    made = len(calls)
    for path in ("/second", "/third"):
        read(path)
    assert len(calls) == made
    serving.id = "r3"
    read("/fourth")
    assert sorted(c[1:] for c in calls if c[0] == "r3") == [("/fourth", False), ("/second", True), ("/third", True)], "what nobody read any more is not made again"


def test_what_answers_are_kept_under_takes_room_as_well():
    def app(environ, start_response):
        environ[KEEP] = "page"
        start_response("200 OK", [("Content-Length", "1")])
        return [b"x"]

    delivery = Delivery(app, lambda: SimpleNamespace(release=SimpleNamespace(id="r")), 1000)
    half = KEPT_BYTES // 2
    for n in range(5):
        run_wsgi_app(delivery, create_environ(f"/{n}", headers={"Accept": "x" * half}), buffered=True)
    assert len(delivery.kept) == 1 and half < delivery.size <= KEPT_BYTES


def test_who_comes_while_others_are_sent_long_answers_waits_a_moment():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", str(WHOLE + 1))])
        return [b"x" * (WHOLE + 1)]

    delivery = Delivery(app, lambda: SimpleNamespace(release=SimpleNamespace(id="r")), 1000)
    address = {"REMOTE_ADDR": "192.0.2.1"}
    reading = [run_wsgi_app(delivery, create_environ("/dump", environ_base=address))[0] for _ in range(STREAMS_OF_ONE)]
    threading.Timer(PATIENCE / 5, lambda: b"".join(reading[0])).start()
    assert run_wsgi_app(delivery, create_environ("/dump", environ_base=address))[1] == "200 OK"
    assert run_wsgi_app(delivery, create_environ("/dump", environ_base=address), buffered=True)[1] == "503 SERVICE UNAVAILABLE", "the others do not read"
