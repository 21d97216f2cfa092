"""Whether pages are still there: asked of a server of our own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kvgraph.links import Offline, check


class _Pages(BaseHTTPRequestHandler):
    asked: list[tuple[str, str]] = []

    def _answer(self):
        self.asked.append((self.command, self.path))
        status = {"/here": 200, "/gone": 410, "/shy": 403, "/moved": 302, "/away": 302, "/nohead": 405 if self.command == "HEAD" else 200}.get(self.path, 404)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", {"/moved": "/here", "/away": "http://10.0.0.1/"}[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = _answer

    def log_message(self, *_):
        pass


@pytest.fixture
def pages():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    _Pages.asked.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def asked(pages, *paths, public=lambda host: host == "127.0.0.1"):
    return {link.page.removeprefix(pages): link for link in check([pages + path for path in paths], public=public, pause=0, timeout=5)}


def test_a_page_is_there_or_gone_or_shy(pages):
    found = asked(pages, "/here", "/gone", "/nowhere", "/shy", "/nohead", "/moved")
    assert {path: (link.status, link.gone, bool(link.problem)) for path, link in found.items()} == {
        "/here": (200, False, False), "/gone": (410, True, True), "/nowhere": (404, True, True), "/shy": (403, False, True),
        "/nohead": (200, False, False), "/moved": (200, False, False),
    }  # fmt: skip


def test_a_page_is_asked_once_and_without_its_content(pages):
    asked(pages, "/here", "/here")
    assert _Pages.asked == [("HEAD", "/here")]


def test_only_public_hosts_are_asked(pages):
    (link,) = check([pages + "/here"], pause=0)
    assert link.problem == "not a public host" and _Pages.asked == []


def test_a_redirect_into_the_network_of_this_machine_is_not_followed(pages):
    assert "not public" in asked(pages, "/away")["/away"].problem


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "http://", "http://[::1", "ftp://example.invalid/x"])
def test_what_is_no_web_address_is_a_problem_and_no_error(address):
    (link,) = check([address], public=lambda host: True, pause=0, timeout=1)
    assert link.problem and link.status is None


def test_a_machine_without_a_network_says_so():
    def nowhere(host):
        raise OSError("no address")

    with pytest.raises(Offline, match="offline"):
        list(check([f"https://page{i}.example/" for i in range(30)], public=nowhere, pause=0))
