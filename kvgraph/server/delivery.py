"""How answers leave a web process, whatever made them. This is WSGI, around the application.

A short answer is handed over in one piece, and its thread is free before the client has read a byte. A long one is read from its file as fast as
its client takes it, and holds a thread; how many of these there may be, in all and for one client, is bounded, so that slow readers cannot take all
threads. Answers that were handed over and follow from the release alone are kept in memory, and given again without the application.
"""

import json
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO

from flask import Flask

from ..graph import Graph
from . import logs, metrics
from .answers import WHOLE
from .headers import KEEP

KEPT_BYTES = 32 * 2**20  # of answers in memory, per web process
KEPT_ANSWERS = 4000
LONGEST_BODY = 64 * 1024  # of a POST request that may be answered from memory
DRAINED = 16 * 2**20  # of a request that was refused for its body
STREAMS = 40  # long answers on their way at once, per web process: well below its threads
STREAMS_OF_ONE = 8
_DECIDING = ("REQUEST_METHOD", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING", "CONTENT_TYPE")  # fmt: skip
# What only the application can decide: conditions, parts, codings of the request, who somebody is.
_SPECIAL = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_RANGE", "HTTP_CONTENT_ENCODING", "HTTP_COOKIE", "HTTP_AUTHORIZATION")
_PERSONAL = ("ratelimit", "ratelimit-policy", "cache-status")
_REFUSAL = {
    "type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "streams",
    "detail": "Too many long answers to this client are still being read.",
    "hint": "Read them to the end, one after the other, or ask with Accept-Encoding: gzip.",
}  # fmt: skip


def register(app: Flask) -> None:
    app.wsgi_app = Delivery(app.wsgi_app, app.extensions["kvgraph"].graphs)


@dataclass
class Kept:
    """An answer in memory."""

    endpoint: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Delivery:
    """WSGI middleware around the application."""

    app: Callable
    graphs: Callable[..., Graph]
    kept: OrderedDict[tuple, Kept] = field(default_factory=OrderedDict)
    size: int = 0
    streams: Counter = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        began = time.perf_counter()
        name = self._name(environ)
        if name and (found := self._again(name)):
            start_response("200 OK", [*found.headers, ("Cache-Status", "kvgraph; hit; detail=memory")])
            _note(found, environ["REQUEST_METHOD"], time.perf_counter() - began)
            return [found.body]
        said: list = []
        body = self.app(environ, lambda status, headers, exc_info=None: said.extend((status, headers)))
        status, headers = said[-2:]
        if status.startswith(("413", "415")):
            _drain(environ)
        length = next((value for key, value in headers if key.lower() == "content-length"), None)
        if environ["REQUEST_METHOD"] == "HEAD" or (length is not None and int(length) <= WHOLE):
            whole = _whole(body)
            if name and KEEP in environ and status.startswith("200"):
                self._keep(name, Kept(environ[KEEP], [h for h in headers if h[0].lower() not in _PERSONAL], whole))
            start_response(status, headers)
            return [whole]
        return self._streamed(environ.get("REMOTE_ADDR", ""), status, headers, body, start_response)

    # Answers in memory

    def _name(self, environ: dict) -> tuple | None:
        """What an answer to this request is kept under; None if it must be made."""
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "POST") or any(map(environ.get, _SPECIAL)):
            return None
        body = _body(environ) if method == "POST" else b""
        if body is None:
            return None
        with suppress(Exception):  # nothing is served, or worse: the application meets the same and says so
            return (self.graphs().release.id, body, *map(environ.get, _DECIDING))
        return None

    def _again(self, name: tuple) -> Kept | None:
        with self.lock:
            found = self.kept.get(name)
            if found:
                self.kept.move_to_end(name)
        return found

    def _keep(self, name: tuple, answer: Kept) -> None:
        with self.lock:
            if name in self.kept:
                return
            self.kept[name] = answer
            self.size += len(answer.body)
            while self.size > KEPT_BYTES or len(self.kept) > KEPT_ANSWERS:
                self.size -= len(self.kept.popitem(last=False)[1].body)

    # Long answers

    def _streamed(self, client: str, status: str, headers: list, body, start_response: Callable) -> Iterable[bytes]:
        with self.lock:
            room = self.streams.total() < STREAMS and self.streams[client] < STREAMS_OF_ONE
            self.streams[client] += room
        if room:
            start_response(status, headers)
            return Stream(body, lambda: self._left(client))
        _close(body)
        refusal = json.dumps(_REFUSAL).encode()
        kept = [h for h in headers if h[0].lower().startswith(("access-control-", "vary"))]
        told = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(refusal))), ("Retry-After", "10"), ("Cache-Control", "no-store")]
        start_response("503 SERVICE UNAVAILABLE", [*kept, *told])
        return [refusal]

    def _left(self, client: str) -> None:
        with self.lock:
            self.streams[client] -= 1
            self.streams += Counter()  # forgets those who have none


class Stream:
    """A long answer on its way; says once when it has ended, however it ends."""

    def __init__(self, body, ended: Callable[[], None]):
        self.body, self.chunks, self.ended, self.open = body, iter(body), ended, True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self.chunks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self.open:
            self.open = False
            try:
                _close(self.body)
            finally:
                self.ended()


def _drain(environ: dict) -> None:
    """Read what is left of a refused body: many clients only look for the answer when they have sent everything."""
    left = DRAINED
    with suppress(Exception):  # the client has given up, which is as good
        while left > 0 and (chunk := environ["wsgi.input"].read(LONGEST_BODY)):
            left -= len(chunk)


def _whole(body) -> bytes:
    try:
        return b"".join(body)
    finally:
        _close(body)


def _close(body) -> None:
    if hasattr(body, "close"):
        body.close()


def _body(environ: dict) -> bytes | None:
    """The body of a short POST, which the application can still read; None if it is long, or of unknown length."""
    length = environ.get("CONTENT_LENGTH", "")
    if not (length.isascii() and length.isdigit() and int(length) <= LONGEST_BODY):
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    return body


def _note(answer: Kept, method: str, seconds: float) -> None:
    """Count and write down a request that the application did not see."""
    metrics.count("cache_hits")
    metrics.request(answer.endpoint, method, 200, seconds, None)
    if logs.log.isEnabledFor(logs.LEVELS["info"]):
        fields = {"method": method, "endpoint": answer.endpoint, "status": 200, "ms": round(seconds * 1000, 1), "bytes": len(answer.body)}
        logs.log.info("", extra={"fields": fields})
