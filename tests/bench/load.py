"""Puts a server under load: a process of its own, which reads a job from standard input and writes what it measured.

One thread, one loop over raw sockets with keep-alive: small enough not to be what is measured (see ``ceiling``). Each connection comes from a
loopback address of its own, so that to the server they are as many clients.
"""

import gc
import json
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice

GONE = 3  # exit status of the process when the server has ended
PATIENCE = 15.0  # seconds that a request may still take when the time of a run is over
WARMING_TIME = 60.0  # seconds in which the requests that are not measured must be sent
WARMING = 1 / 20  # of the requests of a run are sent before the clock starts; each text once, if texts are repeated
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


@dataclass
class Job:
    """What to send: ``requests`` are (address, media type) pairs, ``most`` the number after which a run ends
    even if the time is not over; where there are fewer, they are sent again from the first."""

    port: int
    connections: int
    requests: list[tuple[str, str]]
    seconds: float
    most: int


@dataclass
class Measured:
    """``errors`` counts everything but a whole answer of status 200. ``answers`` has, by the number of the request's text, how much is in its
    answer; ``unsteady`` counts those that were not the same each time."""

    requests: int = 0
    seconds: float = 0.0
    median: float = 0.0  # milliseconds
    p95: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    unsteady: int = 0
    answers: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Good answers per second."""
        return self.requests / self.seconds if self.seconds else 0.0


def measure(job: Job) -> Measured:
    """Run a job in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.load"]
    limit = job.seconds + WARMING_TIME + 2 * PATIENCE + 30
    done = subprocess.run(command, input=json.dumps(asdict(job)).encode(), stdout=subprocess.PIPE, timeout=limit)
    if done.returncode == GONE:
        return Measured(errors={"the server ended": 1}, unanswered=job.connections)
    done.check_returncode()
    return Measured(**json.loads(done.stdout))


# ── The process ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Connection:
    """One connection, which has at most one request under way."""

    def __init__(self, number: int, port: int):
        self.number, self.port = number, port
        self.index = -1
        self.inbox = bytearray()
        self.socket = self._connect()

    def _connect(self) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((f"127.0.1.{1 + self.number}", 0))
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def again(self) -> None:
        """A new connection in place of one that the server closed."""
        self.socket.close()
        self.socket = self._connect()

    def send(self, index: int, request: bytes) -> None:
        self.index, self.began = index, time.perf_counter()
        self.inbox.clear()
        self.socket.sendall(request)

    def receive(self) -> tuple[int, bytes, bool] | None:
        """Status, body and whether the server closes; None while the answer is not complete. Raises ``OSError`` if it will never be."""
        chunk = self.socket.recv(256 * 1024)
        if not chunk:
            raise ConnectionResetError
        self.inbox += chunk
        end = self.inbox.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.inbox[:end])
        if _CHUNKED.search(head):
            body = _unchunked(self.inbox, end + 4) if self.inbox.endswith(b"0\r\n\r\n") else None
        else:
            length = _LENGTH.search(head)
            body = self.inbox[end + 4 :] if len(self.inbox) - end - 4 >= int(length[1] if length else 0) else None
        return None if body is None else (int(head[9:12]), bytes(body), bool(_CLOSE.search(head)))


def _unchunked(data: bytearray, at: int) -> bytes | None:
    """The body of RFC 9112, section 7.1; None if it is not complete."""
    pieces = []
    while (line := data.find(b"\r\n", at)) >= 0:
        size = int(bytes(data[at:line]).split(b";")[0], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(data[line + 2 : line + 2 + size])
        at = line + 4 + size
    return None


def amount(body: bytes) -> int:
    """How much an answer says, whatever engine wrote it: bound values in JSON, truth for ASK, different lines in N-Triples.

    >>> amount(b'{"head": {}, "boolean": true}'), amount(b"<a> <b> <c> .\\n# end\\n")
    (1, 1)
    """
    if not body[:50].lstrip().startswith(b"{"):
        return len({line for line in body.splitlines() if line[:1] in (b"<", b"_")})
    # A quotation mark inside a value is escaped, so this is always the member of a value.
    return body.count(b'"type"') or int(b'"boolean"' in body and b"true" in body)


class Run:
    """Some requests over some connections, until they are all answered or the time is over."""

    def __init__(self, connections: list[Connection], requests: list[bytes]):
        self.connections, self.requests = connections, requests
        self.latencies: list[float] = []
        self.errors: Counter[str] = Counter()
        self.sizes: dict[int, int] = {}
        self.amounts: dict[int, int] = {}
        self.unsteady = 0

    def go(self, indexes: Iterator[int], seconds: float) -> float:
        """Send; returns the seconds from the first request to the last answer."""
        selector, busy = selectors.EpollSelector(), set()
        began = time.perf_counter()
        last, deadline = began, began + seconds
        for connection in self.connections:
            if (index := next(indexes, None)) is not None:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.send(index, self.requests[index])
                busy.add(connection)
        while busy and (now := time.perf_counter()) < deadline + PATIENCE:
            for key, _ in selector.select(deadline + PATIENCE - now):
                if self._heard(selector, key.data):
                    last = time.perf_counter()
                    index = next(indexes, None) if last < deadline else None
                    if index is None:
                        busy.discard(key.data)
                    else:
                        key.data.send(index, self.requests[index])
        self.unanswered = len(busy)
        return (time.perf_counter() if busy else last) - began

    def _heard(self, selector: selectors.BaseSelector, connection: Connection) -> bool:
        """Whether the request of a connection is over, one way or the other."""
        old = connection.socket
        try:
            if (answer := connection.receive()) is None:
                return False
            status, body, close = answer
        except (OSError, ValueError) as error:
            self.errors[type(error).__name__] += 1
            close = True
        else:
            self._note(connection, status, body)
        if close:
            selector.unregister(old)
            try:
                connection.again()
            except OSError:
                raise SystemExit(GONE) from None
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        return True

    def _note(self, connection: Connection, status: int, body: bytes) -> None:
        if status != 200:
            self.errors[str(status)] += 1
            return
        self.latencies.append(time.perf_counter() - connection.began)
        index = connection.index
        if index not in self.sizes:
            self.sizes[index], self.amounts[index] = len(body), amount(body)
        elif len(body) != self.sizes[index] and amount(body) != self.amounts[index]:
            self.unsteady += 1


def _bytes(port: int, address: str, accept: str) -> bytes:
    return f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: {accept}\r\nUser-Agent: kvgraph-bench\r\n\r\n".encode()


def run(job: Job) -> Measured:
    """What :func:`measure` starts: first a few requests to warm up, which are not measured, then the others."""
    requests = [_bytes(job.port, *request) for request in job.requests]
    connections = [Connection(number, job.port) for number in range(job.connections)]
    numbers = list(islice(cycle(range(len(requests))), job.most))
    warm = len(requests) if job.most > len(requests) else int(len(numbers) * WARMING)
    gc.disable()
    before = Run(connections, requests)
    before.go(iter(numbers[:warm]), WARMING_TIME)
    if before.unanswered:
        return Measured(unanswered=before.unanswered)
    load = Run(connections, requests)
    seconds = load.go(iter(numbers[warm:]), job.seconds)
    ms = sorted(1000 * latency for latency in load.latencies)
    middle, high = (statistics.median(ms), ms[int(0.95 * (len(ms) - 1))]) if ms else (0.0, 0.0)
    answers = {str(index): found for index, found in load.amounts.items()}
    return Measured(len(ms), seconds, middle, high, dict(load.errors), load.unanswered, load.unsteady, answers)


if __name__ == "__main__":
    json.dump(asdict(run(Job(**json.load(sys.stdin)))), sys.stdout)
