"""The client of the query pool: a backend whose engine is in other processes."""

from __future__ import annotations

import io
import os
import shutil
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyoxigraph
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kvgraph.formats import JSON, NTRIPLES, Format, UnknownFormat
from kvgraph.store import wire
from kvgraph.store.backend import Outcome
from kvgraph.store.errors import PoolUnavailable, QueryError, QueryTooLarge, from_wire
from kvgraph.store.guard import Bounds

_PATIENCE = 600.0  # seconds: the pool keeps the real limits; this only ends a wait for a pool that has stopped altogether


class _Socket(socket.socket):
    """A socket that closes without complaint when the thread it belongs to ends."""

    def __del__(self):
        self.close()


class PoolClient:
    """A :class:`~kvgraph.store.backend.Backend` that asks the pool behind a Unix socket.

    Threads and forks may share one: each thread of each process has its own connection. ``timeout`` (seconds) and ``max_bytes`` can only lower
    the pool's limits. ``client`` names a stranger on whose behalf this one asks, None the server itself: see :mod:`kvgraph.store.turns`.
    """

    def __init__(self, socket_path: Path | str, *, timeout: float | None = None, max_bytes: int | None = None, client: str | None = None):
        self.socket_path = Path(socket_path)
        self.timeout, self.max_bytes, self.client = timeout, max_bytes, client
        self._local = threading.local()

    def select(self, query: str) -> QuerySolutions:
        """See :meth:`Backend.select <kvgraph.store.backend.Backend.select>`."""
        with self._of_form(query, JSON, "SELECT") as file:
            return pyoxigraph.parse_query_results(file.read(), format=QueryResultsFormat.JSON)

    def ask(self, query: str) -> bool:
        """See :meth:`Backend.ask <kvgraph.store.backend.Backend.ask>`."""
        with self._of_form(query, JSON, "ASK") as file:
            return bool(pyoxigraph.parse_query_results(file.read(), format=QueryResultsFormat.JSON))

    def construct(self, query: str) -> Iterator[Triple]:
        """See :meth:`Backend.construct <kvgraph.store.backend.Backend.construct>`."""
        with self._of_form(query, NTRIPLES, "CONSTRUCT", "DESCRIBE") as file:
            return (quad.triple for quad in pyoxigraph.parse(file.read(), format=RdfFormat.N_TRIPLES))

    def answer(self, query: str, format: Format, into: Path) -> Outcome:
        """See :meth:`Backend.answer <kvgraph.store.backend.Backend.answer>`."""
        outcome, file = self.answer_file(query, format)
        with file, open(into, "wb") as target:
            shutil.copyfileobj(file, target)
        return outcome

    def answer_file(
        self,
        query: str,
        format: Format,
        *,
        timeout: float | None = None,
        max_bytes: int | None = None,
        max_rows: int | None = None,
        default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None,
        client: str | None = None,
    ) -> tuple[Outcome, BinaryIO]:
        """What happened, and the whole answer as an open file at its beginning, which is in memory or has no name, and is gone when closed.

        The graphs are ``default-graph-uri`` and ``named-graph-uri`` of the SPARQL 1.1 Protocol. After ``max_rows`` rows of a SELECT the engine
        stops, and the outcome is not ``complete``. The other options are as for the class.

        Raises:
            QueryError: of some kind, with what was exceeded and what to try instead.
            UnknownFormat: the format does not fit the form of the query.
        """
        options = {
            "timeout": timeout or self.timeout,
            "max_bytes": max_bytes or self.max_bytes,
            "max_rows": max_rows,
            "default_graphs": list(default_graphs or ()),
            "named_graphs": list(named_graphs or ()),
            "client": client or self.client,
        }
        header = {"op": "query", "format": format.name, **{k: v for k, v in options.items() if v}}
        # A lone surrogate cannot be encoded; sent as it is, the pool says where it stands.
        reply, answer, fd = self._exchange(header, query.encode("utf-8", "surrogatepass"))
        return Outcome.from_wire(reply), io.BytesIO(answer) if fd is None else os.fdopen(fd, "rb")

    def ping(self) -> None:
        """Returns if the pool answers.

        Raises:
            PoolUnavailable: it does not.
        """
        self._exchange({"op": "ping"})

    def status(self) -> dict:
        """Workers (pid, seconds busy, answers given, own memory), restarts, waiting queries, limits, and what isolation the machine allows."""
        return self._exchange({"op": "status"})[0]

    def _of_form(self, query: str, format: Format, *forms: str) -> BinaryIO:
        wrong = QueryError(f"This method takes a {' or '.join(forms)} query.", "Use select, ask, construct, or answer for any form.")
        try:
            outcome, file = self.answer_file(query, format)
        except UnknownFormat:
            raise wrong from None
        if outcome.form not in forms:
            file.close()
            raise wrong
        if not outcome.complete:
            file.close()
            raise QueryTooLarge("The engine cut its answer.", "Ask for fewer rows (LIMIT).", limit="rows")
        return file

    def _exchange(self, header: dict, body: bytes = b"") -> tuple[dict, bytes, int | None]:
        """One question and its reply. A connection that went stale between questions is replaced once; asking again changes nothing."""
        if len(body) > Bounds.text:
            body = body[: Bounds.text + 1]  # enough for the pool to refuse it
        frame = wire.pack(header, body)
        for last in (False, True):
            sock, fresh = self._connection()
            try:
                sock.sendall(frame)
                reply, answer, fd = wire.receive(sock, wire.INLINE)
            except (EOFError, OSError) as error:
                self._forget()
                if fresh or last:
                    raise PoolUnavailable("The query pool stopped while it was asked.", "Try again in a moment.") from error
            except BaseException:  # interrupted: the reply would be taken for that of the next question
                self._forget()
                raise
            else:
                break
        if "error" in reply:
            if reply["error"].get("code") == "too-large":
                self._forget()  # the pool may no longer listen to a connection that sent too much
            raise from_wire(reply["error"])
        return reply["ok"], answer, fd

    def _connection(self) -> tuple[socket.socket, bool]:
        """This thread's connection, and whether it is new. After a fork it is new: two processes must not read from one."""
        if getattr(self._local, "pid", None) == os.getpid():
            return self._local.socket, False
        sock = _Socket(socket.AF_UNIX)
        # Not settimeout, which has Python ask for readiness before it reads: a system call more each time.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(_PATIENCE), 0))
        try:
            sock.connect(str(self.socket_path))
        except OSError as error:
            sock.close()
            raise PoolUnavailable(f"No query pool answers at {self.socket_path}.", "Is kvgraph serve running?") from error
        self._local.socket, self._local.pid = sock, os.getpid()
        return sock, True

    def _forget(self) -> None:
        self._local.socket.close()
        self._local.pid = None

    def close(self) -> None:
        """Closes this thread's connection; the next question opens another."""
        if getattr(self._local, "pid", None) is not None:
            self._forget()
