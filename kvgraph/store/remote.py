"""A remote engine: any endpoint of the SPARQL 1.1 Protocol."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyoxigraph
from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kvgraph.formats import NQUADS, NTRIPLES, TSV, Format, fit
from kvgraph.namespaces import BASE, PREFIXES
from kvgraph.store import guard, published
from kvgraph.store.backend import Outcome
from kvgraph.store.endpoint import Endpoint, Parameters
from kvgraph.store.errors import QueryError, QueryTooLarge, gave_up
from kvgraph.store.rows import first_rows
from kvgraph.store.xml_text import checked

MAX_BYTES = 256 * 2**20  # of an answer
FOLLOW = 30.0  # seconds until the endpoint is asked again which release is current


class Remote:
    """A :class:`~kvgraph.store.backend.Backend` over an endpoint of the SPARQL 1.1 Protocol.

    What is asked is the release that ``kvgraph releases push`` made current there (see :mod:`kvgraph.store.published`), or the one whose id is
    ``release``; where none was pushed, the endpoint's own default graph. ``default_graph`` names another graph to ask instead, for an
    engine without a default graph of its own. ``timeout`` is in seconds, for the whole answer; ``max_bytes`` bounds what is read of it.

    Every answer is read whole and parsed before any of it is passed on: a broken one is an :class:`~kvgraph.store.endpoint.EndpointError`, one that the endpoint cut
    is a :class:`~kvgraph.store.errors.QueryTooLarge` where rows are asked for, and ``complete=False`` where bytes are.

        Remote("http://127.0.0.1:7878/query").ask("ASK { ?s ?p ?o }")

    Raises:
        EndpointError: the address is not one of HTTP, or holds a password; later, that releases were pushed there but not ``release``.
    """

    TIMEOUT = 30.0

    def __init__(
        self,
        endpoint: str,
        default_graph: str | None = None,
        timeout: float = TIMEOUT,
        user: str | None = None,
        password: str | None = None,
        max_bytes: int = MAX_BYTES,
        release: str | None = None,
    ):
        self.endpoint = Endpoint(endpoint, user, password)
        self.timeout, self.max_bytes = timeout, max_bytes
        self.release = release or published.release_of(default_graph or "")
        self.default_graph = None if self.release else default_graph
        self._followed: tuple[float | None, published.Published | None] = None, None

    def select(self, query: str) -> QuerySolutions:
        """See :meth:`Backend.select <kvgraph.store.backend.Backend.select>`."""
        data = self._whole(query, "SELECT")
        return pyoxigraph.parse_query_results(data, format=QueryResultsFormat.JSON)

    def ask(self, query: str) -> bool:
        """See :meth:`Backend.ask <kvgraph.store.backend.Backend.ask>`."""
        data = self._whole(query, "ASK")
        return bool(pyoxigraph.parse_query_results(data, format=QueryResultsFormat.JSON))

    def construct(self, query: str) -> Iterator[Triple]:
        """See :meth:`Backend.construct <kvgraph.store.backend.Backend.construct>`."""
        data = self._whole(query, "CONSTRUCT", "DESCRIBE")
        return (quad.triple for quad in pyoxigraph.parse(data, format=RdfFormat.N_TRIPLES))

    def answer(self, query: str, format: Format, into: Path) -> Outcome:
        """See :meth:`Backend.answer <kvgraph.store.backend.Backend.answer>`. A failed answer leaves no file."""
        outcome, file = self.answer_file(query, format)
        with file:
            Path(into).write_bytes(file.read())
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
        """As :meth:`PoolClient.answer_file <kvgraph.store.client.PoolClient.answer_file>`; ``client`` is not passed on."""
        start = time.perf_counter()
        form = guard.check(query)
        fit(format, form)
        query, parameters, release = self._prepared(query, default_graphs, named_graphs)
        data, complete = self._exchange(query, form, parameters, release, timeout, max_bytes)
        file = tempfile.TemporaryFile()
        try:
            rows, triples, whole = _write(data, form, format, file, max_rows)
        except BaseException:
            file.close()
            raise
        size = file.tell()
        file.seek(0)
        return Outcome(form, format, size, time.perf_counter() - start, rows=rows, triples=triples, complete=complete and whole), file

    def ping(self) -> None:
        """Returns if the endpoint answers and holds what is asked.

        Raises:
            QueryError: it does not.
        """
        published.look(self._plain).choose(self.release)

    def _whole(self, query: str, *forms: str) -> bytes:
        """An uncut answer, as SPARQL Results JSON or N-Triples."""
        form = guard.check(query)
        text, parameters, release = self._prepared(query)
        data, complete = self._exchange(text, form, parameters, release)
        if form not in forms:  # said last, so that what is wrong with the query itself is said first, as by the other engines
            raise QueryError(f"This method takes a {' or '.join(forms)} query.", "Use select, ask, construct, or answer for any form.")
        if not complete:
            raise QueryTooLarge("The endpoint cut its answer.", "Ask for fewer rows (LIMIT), or ask its operator to allow more.", limit="rows")
        return data

    def _prepared(
        self, query: str, default_graphs: Sequence[str] | None = None, named_graphs: Sequence[str] | None = None
    ) -> tuple[str, Parameters, published.Published | None]:
        """The query and its dataset as the endpoint knows them. A dataset that the client names is the whole dataset."""
        release = self._release()
        parameters: Parameters = []
        if release:
            query, parameters = release.prepare(query)
        elif self.default_graph and not published.names_dataset(query):
            parameters = [("default-graph-uri", self.default_graph)]
        if default_graphs or named_graphs:
            given = [("default-graph-uri", g) for g in default_graphs or ()] + [("named-graph-uri", g) for g in named_graphs or ()]
            parameters = [(name, _graph(iri, release)) for name, iri in given]
        return query, parameters, release

    def _release(self) -> published.Published | None:
        """The release to ask. What the endpoint holds is looked up again now and then: another may be current, or this one deleted."""
        if self.default_graph:
            return None
        looked, found = self._followed
        if looked is None or time.monotonic() - looked > FOLLOW:
            chosen = published.look(self._plain).choose(self.release)
            if chosen is None:
                found = None
            elif found is None or found.names.id != chosen:
                found = published.describe(self._plain, chosen)
            self._followed = time.monotonic(), found
        return found

    def _plain(self, query: str, form: str, parameters: Parameters) -> bytes:
        return self._exchange(query, form, parameters)[0]

    def _exchange(
        self,
        query: str,
        form: str,
        parameters: Parameters,
        release: published.Published | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> tuple[bytes, bool]:
        """What :meth:`Endpoint.ask <kvgraph.store.endpoint.Endpoint.ask>` gives, with the graphs called as in the release."""
        timeout, max_bytes = min(timeout or self.timeout, self.timeout), min(max_bytes or self.max_bytes, self.max_bytes)
        data, complete = self.endpoint.ask(query, form, parameters, timeout, max_bytes)
        return release.restore(data) if release else data, complete


def _graph(iri: str, release: published.Published | None) -> str:
    try:
        NamedNode(iri)
    except ValueError as error:
        raise QueryError(f"A graph of the dataset is not an IRI: {error}") from None
    return release.names.graph(iri) if release and iri.startswith(BASE) else iri


def _write(data: bytes, form: str, format: Format, file: BinaryIO, max_rows: int | None) -> tuple[int | None, int | None, bool]:
    """Writes an answer in the format asked for; the rows or triples, where they are easily counted, and whether it holds all of them."""
    file = checked(file, format)
    if form == "SELECT" and max_rows:
        answer, rows, whole = first_rows(pyoxigraph.parse_query_results(data, format=QueryResultsFormat.JSON), format, max_rows)
        file.write(answer)
        return rows, None, whole
    if form in ("SELECT", "ASK"):
        answer = pyoxigraph.parse_query_results(data, format=QueryResultsFormat.JSON).serialize(format=format.engine)
        file.write(answer)
        return answer.count(b"\n") - 1 if form == "SELECT" and format == TSV else None, None, True  # TSV: a row is a line, after the names
    triples = [quad.triple for quad in pyoxigraph.parse(data, format=RdfFormat.N_TRIPLES)]
    try:
        pyoxigraph.serialize(triples, file, format=format.engine, prefixes=None if format in (NTRIPLES, NQUADS) else PREFIXES)
    except OSError as error:
        raise gave_up(error) from error
    return None, len(triples), True
