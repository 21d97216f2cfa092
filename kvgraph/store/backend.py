"""The border to an engine: everything the rest of kvgraph knows about one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from pyoxigraph import QuerySolutions, Triple

from kvgraph.formats import Format, by_name


class Outcome(NamedTuple):
    """What happened to a query that was answered into a file; one that was not answered raises instead.

    ``rows`` and ``triples`` are numbers where the engine counted them on the way, else None. ``complete`` is False when an engine cut the
    answer: Oxigraph never does (a limit is an error), others do and say so.
    """

    form: str
    format: Format
    bytes: int
    seconds: float
    rows: int | None = None
    triples: int | None = None
    complete: bool = True
    status: str = "ok"

    def to_wire(self) -> dict[str, object]:
        """As it is kept with an answer: plain JSON. What a worker replies has these fields, but the size."""
        return {**self._asdict(), "format": self.format.name}

    @classmethod
    def from_wire(cls, header: dict) -> Outcome:
        """What :meth:`to_wire` described."""
        return cls(**{**header, "format": by_name(header["format"])})


@runtime_checkable
class Backend(Protocol):
    """Answers SPARQL 1.1 queries.

    Raises, from every method: :class:`~kvgraph.store.errors.QueryError` or one of its kinds; :class:`TypeError` never. A query of another
    form than the method's (ASK to ``select``) is a :class:`~kvgraph.store.errors.QueryError`.
    """

    def select(self, query: str) -> QuerySolutions:
        """The solutions of a SELECT query."""
        ...

    def ask(self, query: str) -> bool:
        """The answer of an ASK query."""
        ...

    def construct(self, query: str) -> Iterator[Triple]:
        """The triples of a CONSTRUCT or DESCRIBE query."""
        ...

    def answer(self, query: str, format: Format, into: Path) -> Outcome:
        """Writes the answer of any query to a file in a format that fits its form."""
        ...
