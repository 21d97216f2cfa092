"""Fetching a published file: what is asked again, what goes on, and what is never asked."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kvgraph.sources import importing, source
from kvgraph.sources.fetch import NotFetched, fetch, public

CONTENT = b"id,title\n" * 50_000
TAG = '"1"'


class Handler(BaseHTTPRequestHandler):
    asked: list = []

    def do_GET(self):
        Handler.asked.append((self.path, dict(self.headers)))
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(404)
        elif self.headers.get("If-None-Match") == TAG:
            self.send_response(304)
            self.end_headers()
        else:
            self._content()

    def _content(self):
        start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-")) if self.headers.get("If-Range") == TAG else 0
        self.send_response(206 if start else 200)
        self.send_header("ETag", TAG)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        breaks = self.path == "/breaks.csv" and not start
        self.wfile.write(CONTENT[start : len(CONTENT) // 2] if breaks else CONTENT[start:])

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def base():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def nothing_asked():
    Handler.asked.clear()


def anywhere(ip):
    return True


def test_a_file_is_fetched_once_and_then_asked_whether_it_changed(base, tmp_path):
    first = fetch(base + "/a.csv", tmp_path, allowed=anywhere)
    assert first.fresh and first.path.read_bytes() == CONTENT and first.sha256 == hashlib.sha256(CONTENT).hexdigest()
    again = fetch(base + "/a.csv", tmp_path, allowed=anywhere)
    assert not again.fresh and again.sha256 == first.sha256 and Handler.asked[1][1]["If-None-Match"] == TAG


def test_a_transfer_that_broke_off_goes_on(base, tmp_path):
    with pytest.raises(NotFetched, match="broke off"):
        fetch(base + "/breaks.csv", tmp_path, allowed=anywhere)
    assert not (tmp_path / "breaks.csv").exists()
    assert fetch(base + "/breaks.csv", tmp_path, allowed=anywhere).path.read_bytes() == CONTENT
    assert Handler.asked[1][1]["Range"] == f"bytes={len(CONTENT) // 2}-"


def test_more_than_the_most_is_not_fetched(base, tmp_path):
    with pytest.raises(NotFetched, match="1,000 are the most"):
        fetch(base + "/a.csv", tmp_path, most=1_000, allowed=anywhere)


def test_what_is_not_there_says_so(base, tmp_path):
    with pytest.raises(NotFetched, match="status 404"):
        fetch(base + "/gone", tmp_path, allowed=anywhere)
    with pytest.raises(NotFetched, match="could not be fetched"):
        fetch("http://127.0.0.1:9/x", tmp_path, allowed=anywhere)


def test_redirects_are_followed_and_each_is_checked(base, tmp_path):
    assert fetch(f"{base}/to//a.csv", tmp_path, allowed=anywhere).path.name == "a.csv"
    for to in ("ftp://example.org/x", "file:///etc/passwd", "http://user:word@127.0.0.1/"):
        with pytest.raises(NotFetched):
            fetch(f"{base}/to/{to}", tmp_path, allowed=anywhere)
    with pytest.raises(NotFetched, match="redirects more than"):
        fetch(base + f"/to/{base}" * 6 + "/a.csv", tmp_path, allowed=anywhere)
    Handler.asked.clear()
    seen = []

    def only_the_first(ip):
        seen.append(ip)
        return len(seen) == 1

    with pytest.raises(NotFetched, match="not on the open internet"):
        fetch(f"{base}/to/{base}/a.csv", tmp_path, allowed=only_the_first)
    assert len(Handler.asked) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://0.0.0.0/", "http://2130706433/"])
def test_nothing_of_this_machine_or_its_network_is_asked(address, tmp_path):
    with pytest.raises(NotFetched, match="not on the open internet|could not be fetched"):
        fetch(address, tmp_path)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/x", "http://u:p@example.org/", "gopher://x", "//x", "http://", "http://[oops/"])
def test_only_the_web_without_passwords(address, tmp_path):
    with pytest.raises(NotFetched, match="no address that is fetched from"):
        fetch(address, tmp_path)


def test_what_is_public():
    assert [ip for ip in ("192.0.43.10", "2606:2800:220:1::1", "127.0.0.1", "::1", "fe80::1%eth0", "::ffff:127.0.0.1", "224.0.0.1", "100.64.0.1") if public(ip)] == ["192.0.43.10", "2606:2800:220:1::1"]


def test_a_source_is_fetched_by_its_addresses(base, tmp_path):
    from dataclasses import replace

    cordis = replace(source("cordis"), addresses=(base + "/a.csv",))
    assert [path.name for path in importing.fetched(tmp_path, cordis, allowed=anywhere)] == ["a.csv"]
    with pytest.raises(NotFetched) as caught:
        importing.fetched(tmp_path, replace(cordis, addresses=(base + "/gone",)), allowed=anywhere)
    assert "Then: kvgraph import cordis FILE" in caught.value.hint
    with pytest.raises(NotFetched, match="no one file"):
        importing.fetched(tmp_path, source("kohesio"))
