"""How answers leave a web process, whatever made them. This is WSGI, around the application.

A short answer is handed over in one piece, and its thread is free before the client has read a byte. A long one is read from its file as fast as
its client takes it, and holds a thread, as does a body that is still being sent; how many of these there may be, in all and for one client, is
bounded, so that slow clients cannot take all threads. Answers that were handed over and follow from the release alone are kept in memory, and given again without the application.
When another release takes over, the pages that were read last are made anew ahead of their readers.
"""

import json
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from wsgiref.util import setup_testing_defaults

from flask import Flask
from werkzeug.wsgi import FileWrapper

from ..graph import Graph
from . import logs, metrics
from .answers import WHOLE
from .exchange import SERVED
from .headers import KEEP
from .logs import AHEAD

KEPT_BYTES = 32 * 2**20  # of answers in memory, per web process
KEPT_ANSWERS = 4000
MADE_AHEAD = 24  # pages, when another release takes over
QUERIES = "sparql.endpoint"  # where people ask their own queries: each has its time and its turn only when it is asked
LONGEST_KEPT = 2**20  # bytes of one answer: a map of all small regions has most of that where the client takes no compression
LONGEST_BODY = 64 * 1024  # bytes of a POST request that may be answered from memory
DRAINED = 16 * 2**20  # of a request that was refused for its body
# At once, per web process and for one client: together below the 192 threads of a process, with what waits in the queue of its pool.
STREAMS, STREAMS_OF_ONE = 32, 8  # long answers on their way
BODIES, BODIES_OF_ONE = 24, 12  # requests whose body is not here yet
PATIENCE = 0.25  # seconds a request waits for its turn to send its body, or to be sent a long answer
_DECIDING = ("REQUEST_METHOD", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING", "CONTENT_TYPE")  # fmt: skip
# What only the application can decide: conditions, parts, codings of the request, who somebody is.
_SPECIAL = frozenset({"HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_RANGE", "HTTP_CONTENT_ENCODING", "HTTP_COOKIE", "HTTP_AUTHORIZATION"})
_PERSONAL = ("ratelimit", "ratelimit-policy", "cache-status")
_TOO_MANY_STREAMS = ("streams", "Too many long answers to this client are still being read.", "Read them to the end, one after the other, or ask with Accept-Encoding: gzip.")  # fmt: skip
_TOO_MANY_BODIES = ("bodies", "Too many requests of this client are still being sent.", "Send them whole, one after the other.")


def register(app: Flask) -> None:
    app.wsgi_app = Delivery(app.wsgi_app, app.extensions["kvgraph"].graphs, app.config["MAX_CONTENT_LENGTH"])


@dataclass
class Kept:
    """An answer in memory."""

    endpoint: str
    headers: list[tuple[str, str]]
    body: bytes
    read: bool = True  # by somebody, since it was made

    def is_page(self, name: tuple) -> bool:
        """Whether it is a page of the release being served, under this name: not one of an older release, nor the answer to somebody's own query."""
        path, kind = name[2 + _DECIDING.index("PATH_INFO")] or "", next((value for key, value in self.headers if key.lower() == "content-type"), "")
        return not name[1] and kind.startswith("text/html") and not path.startswith("/release/") and self.endpoint != QUERIES


@dataclass
class Gate:
    """Lets so many in at once, and so many of each client."""

    most: int
    of_one: int
    inside: Counter = field(default_factory=Counter)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def enter(self, client: str, patience: float = 0.0) -> bool:
        with self.changed:
            room = self.changed.wait_for(lambda: self.inside.total() < self.most and self.inside[client] < self.of_one, patience)
            self.inside[client] += room
            return room

    def leave(self, client: str) -> None:
        with self.changed:
            self.inside[client] -= 1
            self.inside += Counter()  # forgets those who have none inside
            self.changed.notify_all()


@dataclass
class Delivery:
    """WSGI middleware around the application. ``longest`` is the size in bytes of the longest body that is read."""

    app: Callable
    graphs: Callable[..., Graph]
    longest: int
    kept: OrderedDict[tuple, Kept] = field(default_factory=OrderedDict)
    size: int = 0
    release: str = ""  # that was served to the last request
    streams: Gate = field(default_factory=lambda: Gate(STREAMS, STREAMS_OF_ONE))
    bodies: Gate = field(default_factory=lambda: Gate(BODIES, BODIES_OF_ONE))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        began = time.perf_counter()
        client = environ.get("REMOTE_ADDR", "")
        if not self._receive(environ, client):
            return _refuse(_TOO_MANY_BODIES, [], start_response)
        name = self._name(environ)
        if name and (found := self._again(name)):
            metrics.count("cache_hits")
            logs.note(found.endpoint, environ["REQUEST_METHOD"], 200, began, len(found.body), name[0])
            headers = [*found.headers, ("Cache-Status", "kvgraph; hit; detail=memory")]
            if len(found.body) > WHOLE:
                return self._long("200 OK", headers, [found.body], client, start_response)
            start_response("200 OK", headers)
            return [found.body]
        said: list = []
        body = self.app(environ, lambda status, headers, exc_info=None: said.extend((status, headers)))
        status, headers = said[-2:]
        length = int(next((value for key, value in headers if key == "Content-Length" or key.lower() == "content-length"), LONGEST_KEPT + 1))
        short = environ["REQUEST_METHOD"] == "HEAD" or length <= WHOLE
        keep = name and KEEP in environ and status.startswith("200")
        if short or (keep and length <= LONGEST_KEPT and not isinstance(body, FileWrapper)):  # a query's long answer stays in its file
            body = [_whole(body)]
            if keep:
                self._keep(name, Kept(environ[KEEP], [h for h in headers if h[0].lower() not in _PERSONAL], body[0], AHEAD not in environ))
        if short:
            start_response(status, headers)
            return body
        return self._long(status, headers, body, client, start_response)

    def _long(self, status: str, headers: list, body, client: str, start_response: Callable) -> Iterable[bytes]:
        """A long answer, which holds a thread until its client has taken it: only so many at once."""
        if not self.streams.enter(client, PATIENCE):
            _close(body)
            return _refuse(_TOO_MANY_STREAMS, headers, start_response)
        start_response(status, headers)
        return Stream(body, lambda: self.streams.leave(client))

    def _receive(self, environ: dict, client: str) -> bool:
        """Take in the body of a request, so that from here on nobody waits for it; False if too many are being waited for."""
        length = environ.get("CONTENT_LENGTH") or ("unknown" if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() else "0")
        if length == "0":
            return True
        if not self.bodies.enter(client, PATIENCE):
            return False
        try:
            body = _read(environ["wsgi.input"], int(length) if length.isascii() and length.isdigit() else self.longest + 1, self.longest)
        finally:
            self.bodies.leave(client)
        environ["wsgi.input"] = BytesIO(body)
        return True

    # Answers in memory

    def _name(self, environ: dict) -> tuple | None:
        """What an answer to this request is kept under; None if it must be made."""
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "POST") or not _SPECIAL.isdisjoint(environ):
            return None
        body = _body(environ) if method == "POST" else b""
        if body is None:
            return None
        try:
            graph = environ[SERVED] = self.graphs()
            release = graph.release.id
            if release != self.release:
                self._follow(release)
        except Exception:  # nothing is served, or worse: the application meets the same and says so
            return None
        return (release, body, *map(environ.get, _DECIDING))

    def _follow(self, release: str) -> None:
        """Another release has taken over."""
        with self.lock:
            before, self.release = self.release, release
            pages = [name for name, kept in reversed(self.kept.items()) if name[0] == before and kept.read and kept.is_page(name)][:MADE_AHEAD] if before != release else []
        if pages:
            threading.Thread(target=self._make_ahead, args=(release, pages), name="ahead", daemon=True).start()

    def _make_ahead(self, release: str, pages: list[tuple]) -> None:
        """Make pages that were kept of the last release from this one, the last read first, until yet another release takes over."""
        for _, body, *deciding in pages:
            if self.release != release:
                return
            if (release, body, *deciding) not in self.kept:
                environ = {AHEAD: True, **{key: value for key, value in zip(_DECIDING, deciding) if value is not None}}
                setup_testing_defaults(environ)  # the standard library's word for all else that WSGI wants
                with suppress(Exception):  # whoever asks for it meets the same and is told
                    _close(self(environ, lambda *_: None))

    def _again(self, name: tuple) -> Kept | None:
        with self.lock:
            found = self.kept.get(name)
            if found:
                found.read = True
                self.kept.move_to_end(name)
        return found

    def _keep(self, name: tuple, answer: Kept) -> None:
        with self.lock:
            if name in self.kept:
                return
            self.kept[name] = answer
            self.size += _weight(name, answer)
            while self.size > KEPT_BYTES or len(self.kept) > KEPT_ANSWERS:
                self.size -= _weight(*self.kept.popitem(last=False))


def _weight(name: tuple, answer: Kept) -> int:
    """The bytes of an answer, and of what it is kept under: a client may write hundreds of kilobytes of address, header fields and query."""
    return len(answer.body) + sum(map(len, filter(None, name)))


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


def _read(source, length: int, longest: int) -> bytes:
    """A body. Of one that is too long only the beginning is kept, which is enough for the application to refuse it; the rest is read all the same,
    within reason, because many clients only look for the answer when they have sent everything."""
    kept, taken = [], 0
    with suppress(OSError):  # the client has given up
        while taken < min(length, DRAINED) and (chunk := source.read(min(LONGEST_BODY, length - taken))):
            if taken <= longest:
                kept.append(chunk)
            taken += len(chunk)
            if length == longest + 1 and taken > longest:
                length = DRAINED  # of unknown length, and too long
    return b"".join(kept)


def _refuse(words: tuple[str, str, str], headers: list, start_response: Callable) -> list[bytes]:
    code, detail, hint = words
    problem = {"type": "about:blank", "title": "Service Unavailable", "status": 503, "code": code, "detail": detail, "hint": hint}
    body = json.dumps(problem).encode()
    kept = [h for h in headers if h[0].lower() == "vary"]
    told = {"Content-Type": "application/problem+json", "Content-Length": str(len(body)), "Retry-After": "10", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}  # fmt: skip
    start_response("503 SERVICE UNAVAILABLE", [*kept, *told.items()])
    return [body]


def _whole(body) -> bytes:
    try:
        return b"".join(body)
    finally:
        _close(body)


def _close(body) -> None:
    if hasattr(body, "close"):
        body.close()


def _body(environ: dict) -> bytes | None:
    """The body of a short POST, which the application can still read; None if it is long."""
    body = environ["wsgi.input"]
    return body.getvalue() if isinstance(body, BytesIO) and body.getbuffer().nbytes <= LONGEST_BODY else None
