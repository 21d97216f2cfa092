"""The client of the query pool: a backend whose engine is in other processes."""

from __future__ import annotations

import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, TypeVar

import pyoxigraph
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kvgraph.formats import JSON, NTRIPLES, Format, UnknownFormat
from kvgraph.store import wire
from kvgraph.store.backend import Outcome
from kvgraph.store.desk import Desk, Gone
from kvgraph.store.errors import PoolUnavailable, QueryError, QueryTooLarge, from_wire
from kvgraph.store.guard import require_short
from kvgraph.store.turns import OWN

T = TypeVar("T")


class PoolClient:
    """A :class:`~kvgraph.store.backend.Backend` that asks the pool behind a Unix socket.

    Threads and forks may share one: each process has its own :class:`~kvgraph.store.desk.Desk`. ``timeout`` (seconds) and ``max_bytes`` can only lower
    the pool's limits. ``client`` names a stranger on whose behalf this one asks, None the server itself: see :mod:`kvgraph.store.turns`.
    """

    def __init__(self, socket_path: Path | str, *, timeout: float | None = None, max_bytes: int | None = None, client: str | None = None):
        self.socket_path = Path(socket_path)
        self.timeout, self.max_bytes, self.client = timeout, max_bytes, client
        self._desk_here: Desk | None = None
        self._lock = threading.Lock()

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
        if default_graphs or named_graphs:
            header = _header(format.name, max_bytes or self.max_bytes, max_rows, list(default_graphs or ()), list(named_graphs or ()))
        else:
            header = _common(format.name, max_bytes or self.max_bytes, max_rows)
        # A lone surrogate cannot be encoded; sent as it is, the worker says where it stands.
        text = query.encode("utf-8", "surrogatepass")
        require_short(text)
        reply, answer, file = self._asked(lambda desk: desk.ask(header, text, client or self.client or OWN, timeout or self.timeout))
        if "error" in reply:
            raise from_wire(reply["error"])
        size = len(answer) if file is None else os.fstat(file).st_size
        return Outcome.from_wire({**reply["ok"], "bytes": size}), io.BytesIO(answer) if file is None else os.fdopen(file, "rb")

    def ping(self) -> None:
        """Returns if the pool answers.

        Raises:
            PoolUnavailable: it does not.
        """
        self._asked(lambda desk: desk.call({"op": "ping"}))

    def status(self) -> dict:
        """Workers (pid, seconds busy, answers given, own memory), restarts, waiting queries, limits, and what isolation the machine allows."""
        return self._asked(lambda desk: desk.call({"op": "status"}))[0]

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

    def _asked(self, ask: Callable[[Desk], T]) -> T:
        """What comes of asking at the desk of this process. A pool that was replaced is found again once; asking again changes nothing."""
        for last in (False, True):
            desk, fresh = self._desk()
            try:
                return ask(desk)
            except Gone as error:
                self._forget(desk)
                if fresh or last:
                    raise PoolUnavailable("The query pool stopped while it was asked.", "Try again in a moment.") from error

    def _desk(self) -> tuple[Desk, bool]:
        """The desk of this process, and whether it is new. After a fork it is new: two processes must not read from one socket."""
        desk = self._desk_here
        if desk is not None and desk.pid == os.getpid():
            return desk, False
        with self._lock:
            if self._desk_here is None or self._desk_here.pid != os.getpid():
                self._desk_here = Desk(self.socket_path)
                return self._desk_here, True
            return self._desk_here, False

    def _forget(self, desk: Desk) -> None:
        with self._lock:
            if self._desk_here is desk:
                self._desk_here = None

    def close(self) -> None:
        """Leaves the pool; the next question joins it again."""
        with self._lock:
            desk, self._desk_here = self._desk_here, None
        if desk is not None and desk.pid == os.getpid():
            desk.close()


def _header(format: str, max_bytes: int | None, max_rows: int | None, default_graphs: Sequence[str] = (), named_graphs: Sequence[str] = ()) -> bytes:
    """What a worker is told beside the query, as it is sent."""
    options = {"format": format, "max_bytes": max_bytes, "max_rows": max_rows, "default_graphs": default_graphs, "named_graphs": named_graphs}
    return wire.encoded({name: value for name, value in options.items() if value})


_common = lru_cache(maxsize=64)(_header)  # without a dataset there are few
