"""The embedded engine: Oxigraph, in memory or on the disk, in this process."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import pyoxigraph
from pyoxigraph import DefaultGraph, NamedNode, QueryBoolean, QuerySolutions, QueryTriples, RdfFormat, Store, Triple

from kvgraph.formats import NQUADS, NTRIPLES, TSV, Format, fit
from kvgraph.namespaces import PREFIXES
from kvgraph.store import guard, syntax
from kvgraph.store.backend import Outcome
from kvgraph.store.dataset import Dataset, require_named, several
from kvgraph.store.errors import QueryError, QueryTooLarge, gave_up
from kvgraph.store.regex import as_the_engine_has_them
from kvgraph.store.rows import first_rows
from kvgraph.store.tokens import resolved
from kvgraph.store.xml_text import checked


class Embedded:
    """A :class:`~kvgraph.store.backend.Backend` over a pyoxigraph store.

    The guard stands before every query, but nothing limits time or memory here: strangers' queries belong to the pool.

    >>> store = Store()
    >>> store.load(b"<http://example.org/a> <http://example.org/p> 1 .", format=RdfFormat.TURTLE)
    >>> Embedded(store).ask("ASK { ?s ?p 1 }")
    True
    """

    folder: Path | None = None  # of the files that it reads while it answers

    def __init__(self, store: Store):
        self.store = self.default = store

    def divided(self) -> Embedded:
        """This engine, with the default graph of its store, as it is now, in another one as well: most queries see nothing else, and what holds half as much
        answers a join in three quarters of the time. It takes half as much memory again."""
        self.default = Store()
        self.default.bulk_extend(self.store.quads_for_pattern(None, None, None, DefaultGraph()))
        return self

    @classmethod
    def load(cls, path: Path | str, *, lenient: bool = False) -> Embedded:
        """A store with the quads of a file, by its suffix N-Quads, TriG, N-Triples or Turtle, also gzipped (``.nq.gz``); or that in a folder, on the disk.

        ``lenient`` takes a quarter less time: IRIs and language tags are believed to be well formed, as those of a release are.

        Raises:
            OSError: the file cannot be read.
            SyntaxError: it is malformed.
        """
        path = Path(path)
        if path.is_dir():
            return OnDisk(path)
        suffixes = path.suffixes
        gzipped = suffixes[-1:] == [".gz"]
        format = RdfFormat.from_extension((suffixes[-2] if gzipped else suffixes[-1]).removeprefix(".")) or RdfFormat.N_QUADS
        store = Store()
        with gzip.open(path, "rb") if gzipped else open(path, "rb") as file:
            store.bulk_load(file, format=format, lenient=lenient)
        return cls(store)

    def open(self) -> None:
        """Have everything at hand that answering needs but the files in ``folder``: called once, before a process gives up its right to open others."""

    def touch(self) -> None:
        """Read every quad of the default graph, which most queries ask. In a fork reading copies pages, because it counts references; what is copied now
        does not slow down a query."""
        self.default.dump(_Nowhere(), format=RdfFormat.N_QUADS)

    def select(self, query: str) -> QuerySolutions:
        """See :meth:`Backend.select <kvgraph.store.backend.Backend.select>`."""
        return _of_kind(self._run(query)[0], QuerySolutions, "SELECT")

    def ask(self, query: str) -> bool:
        """See :meth:`Backend.ask <kvgraph.store.backend.Backend.ask>`."""
        return bool(_of_kind(self._run(query)[0], QueryBoolean, "ASK"))

    def construct(self, query: str) -> Iterator[Triple]:
        """See :meth:`Backend.construct <kvgraph.store.backend.Backend.construct>`."""
        return iter(_of_kind(self._run(query)[0], QueryTriples, "CONSTRUCT or DESCRIBE"))

    def answer(self, query: str, format: Format, into: Path) -> Outcome:
        """See :meth:`Backend.answer <kvgraph.store.backend.Backend.answer>`. A failed answer leaves no file."""
        try:
            with open(into, "wb", buffering=0) as file:
                return self.write(query, format, file)
        except BaseException:
            Path(into).unlink(missing_ok=True)
            raise

    def write(
        self,
        query: str,
        format: Format,
        output: BinaryIO,
        *,
        max_bytes: int | None = None,
        max_rows: int | None = None,
        default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None,
    ) -> Outcome:
        """Writes an answer to an open binary file.

        The graphs are the ``default-graph-uri`` and ``named-graph-uri`` of the SPARQL 1.1 Protocol, section 2.1.4; given either,
        they are the whole dataset and a FROM in the query counts for nothing. After ``max_rows`` rows of a SELECT the engine stops, and the
        outcome is not ``complete``.

        Raises:
            QueryTooLarge: the answer is longer than ``max_bytes``; what is in the file then is no answer.
            QueryError: anything else.
        """
        start = time.perf_counter()
        results, form = self._run(query, default_graphs, named_graphs)
        counted = _Counted(output, max_bytes)
        target = checked(counted, format)
        rows, complete, triples = None, True, None
        try:
            if isinstance(results, QueryTriples):
                fit(format, form)
                triples = _write_triples(results, format, target)
            elif max_rows and form == "SELECT":
                answer, rows, complete = first_rows(results, fit(format, form), max_rows)
                target.write(answer)
            else:
                results.serialize(target, format=fit(format, form).engine)
        except (RuntimeError, ValueError, OSError) as error:
            raise gave_up(error) from error
        # In TSV a row is a line (line breaks inside a value are escaped) after one line of names; CSV, JSON and XML do not show it as cheaply.
        if form == "SELECT" and format is TSV:
            rows = max(0, counted.lines - 1)
        return Outcome(form, format, counted.bytes, time.perf_counter() - start, rows=rows, triples=triples, complete=complete)

    def _run(
        self, query: str, default_graphs: Sequence[str] | None = None, named_graphs: Sequence[str] | None = None
    ) -> tuple[QuerySolutions | QueryBoolean | QueryTriples, str]:
        """The engine's lazy results and the form of the query."""
        form = guard.check(query)
        query = resolved(query)
        store, options = self.default, {}
        if names_graphs := _may_name_graphs(query):
            require_named(query)
        if default_graphs or named_graphs:
            store, options = Dataset(_iris(default_graphs), _iris(named_graphs)).of(self.store)
        elif names_graphs:
            given = several(query)
            store, options = given.of(self.store) if given else (self.store, {})
        try:
            results = store.query(as_the_engine_has_them(query), **options)
        except SyntaxError as error:
            raise syntax.explain(query, str(error)) from None
        except (RuntimeError, ValueError, OSError) as error:
            raise gave_up(error) from error
        kind = {QuerySolutions: "SELECT", QueryBoolean: "ASK", QueryTriples: "CONSTRUCT"}[type(results)]
        return results, "DESCRIBE" if kind == "CONSTRUCT" and form == "DESCRIBE" else kind


class OnDisk(Embedded):
    """A store in a folder, read only. It is opened when it is first needed, never before a fork: opening it starts threads."""

    def __init__(self, folder: Path):
        self.folder = folder

    @cached_property
    def store(self) -> Store:
        return Store.read_only(os.fspath(self.folder))

    def divided(self) -> Embedded:
        """This engine as it is: on the disk every pattern has its own order."""
        return self

    @property
    def default(self) -> Store:
        return self.store

    def open(self) -> None:
        """Open the store and, with one look at each of its orders, some of its files."""
        anything = next(self.store.quads_for_pattern(None, None, None, None), None)
        for place in range(4) if anything else ():
            next(self.store.quads_for_pattern(*(term if n == place else None for n, term in enumerate(anything))), None)

    def touch(self) -> None:
        """Nothing: what is read comes from the disk's cache, which processes share."""


def _of_kind(results, kind, forms: str):
    if not isinstance(results, kind):
        raise QueryError(f"This method takes a {forms} query.", "Use select, ask, construct, or answer for any form.")
    return results


def _may_name_graphs(query: str) -> bool:
    """Whether a query may see more than the default graph.

    The engine takes some keywords without a space before them, so that only what is certainly something else is passed over.

    >>> _may_name_graphs("PREFIX k: <https://w3id.org/kvgraph/def/kv#> SELECT * { ?s prov:wasDerivedFrom ?o }")
    False
    >>> _may_name_graphs("ASKFROM <http://example.org/g> { ?s ?p ?o }")
    True
    """
    text = query.lower()
    return text.count("graph") > text.count("kvgraph") or text.count("from") > text.count("derivedfrom") or "\\u" in text


def _iris(iris: Sequence[str] | None) -> tuple[NamedNode, ...]:
    try:
        return tuple(NamedNode(iri) for iri in dict.fromkeys(iris or ()))
    except ValueError as error:
        raise QueryError(f"A graph of the dataset is not an IRI: {error}") from None


def _write_triples(results: QueryTriples, format: Format, output: _Counted) -> int:
    """Writes triples and counts them, with the prefixes of the graph where the format has prefixes."""
    if format is NTRIPLES or format is NQUADS:  # a triple is a line
        results.serialize(output, format=format.engine)
        return output.lines
    count = 0

    def counting() -> Iterator[Triple]:
        nonlocal count
        for triple in results:
            count += 1
            yield triple

    pyoxigraph.serialize(counting(), output, format=format.engine, prefixes=PREFIXES)
    return count


class _Nowhere:
    def write(self, chunk: bytes) -> int:
        return len(chunk)

    def flush(self) -> None:
        pass


class _Counted:
    """A binary file that counts bytes and lines, and refuses to become longer than it may."""

    def __init__(self, output: BinaryIO, max_bytes: int | None):
        self.output, self.max_bytes = output, max_bytes
        self.bytes = self.lines = 0

    def write(self, chunk: bytes) -> int:
        self.bytes += len(chunk)
        if self.max_bytes is not None and self.bytes > self.max_bytes:
            raise QueryTooLarge(
                f"The answer is longer than {self.max_bytes:,} bytes.",
                "Ask for fewer rows (LIMIT), fewer columns, or take the dumps.",
                limit="bytes",
            )
        self.lines += chunk.count(b"\n")
        written = 0
        while written < len(chunk):  # a raw file may take less than it is given
            written += self.output.write(chunk[written:] if written else chunk)
        return written

    def flush(self) -> None:
        self.output.flush()
