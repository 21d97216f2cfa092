"""What can go wrong with a query. Each error says what happened and what to try instead."""

from __future__ import annotations

import re

from kvgraph.errors import KvgraphError
from kvgraph.formats import UnknownFormat


class QueryError(KvgraphError):
    """A query that was not answered. ``code`` is its name on the wire of the pool, ``status`` the HTTP status it deserves."""

    code = "query"
    status = 400

    def details(self) -> dict[str, object]:
        """What a client in another process needs to build the same error again."""
        return {"message": self.message, "hint": self.hint}


class QuerySyntaxError(QueryError):
    """Not SPARQL 1.1. ``line`` and ``column`` count from 1; ``source`` is the offending line.

    >>> print(QuerySyntaxError("expected a variable", 1, 8, "SELECT WHERE {}").pointed())
    SELECT WHERE {}
           ^
    """

    code = "syntax"

    def __init__(self, message: str, line: int | None = None, column: int | None = None, source: str = "", hint: str | None = None):
        self.line, self.column, self.source = line, column, source
        self.reason = message
        where = f"Line {line}, column {column}: " if line else ""
        super().__init__(f"{where}{message}", hint)

    def details(self) -> dict[str, object]:
        return {"message": self.reason, "hint": self.hint, "line": self.line, "column": self.column, "source": self.source}

    def pointed(self) -> str:
        """The offending line with a caret under the place, a window of it if it is long."""
        if not self.line or self.column is None:
            return ""
        start = max(0, self.column - 1 - 60)
        return f"{self.source[start : start + 120]}\n{' ' * (self.column - 1 - start)}^"


class ServiceRefused(QueryError):
    """The query asks us to query another endpoint."""

    code = "service"

    def __init__(
        self,
        message: str = "SERVICE is not answered here: this endpoint opens no connections of its own.",
        hint: str | None = "Federate from your side (for example with Comunica), or load the dumps next to your own data.",
    ):
        super().__init__(message, hint)


class UpdateRefused(QueryError):
    """The text is SPARQL Update."""

    code = "update"

    def __init__(
        self,
        message: str = "This is an update; only queries (SELECT, ASK, CONSTRUCT, DESCRIBE) are answered here.",
        hint: str | None = "Data changes by building a new release: edit the files in data/ or contribute a record.",
    ):
        super().__init__(message, hint)


class QueryTooLarge(QueryError):
    """The query, its answer or the memory it needs is beyond a limit; ``limit`` names which: text, complexity, memory or bytes."""

    code = "too-large"

    def __init__(self, message: str, hint: str | None = None, limit: str = "complexity"):
        self.limit = limit
        super().__init__(message, hint)

    @property
    def status(self) -> int:  # type: ignore[override]
        return 413 if self.limit == "text" else 400 if self.limit == "complexity" else 503

    def details(self) -> dict[str, object]:
        return {**super().details(), "limit": self.limit}


class QueryTimeout(QueryError):
    """The query ran longer than it may; ``limit`` is the limit in seconds."""

    code = "timeout"
    status = 503

    def __init__(self, limit: float, message: str | None = None, hint: str | None = None):
        self.limit = limit
        super().__init__(
            message or f"The query was stopped after {limit:g} s.",
            hint or "Add a triple pattern that narrows it early, ask for fewer rows, or work on the dumps.",
        )

    def details(self) -> dict[str, object]:
        return {**super().details(), "limit": self.limit}


class PoolBusy(QueryError):
    """Every worker is busy and the queue is full; ``retry_after`` is in seconds."""

    code = "busy"
    status = 503

    def __init__(self, retry_after: int = 5, message: str | None = None, hint: str | None = None):
        self.retry_after = retry_after
        super().__init__(message or "Too many queries are waiting.", hint or f"Try again in {retry_after} s.")

    def details(self) -> dict[str, object]:
        return {**super().details(), "retry_after": self.retry_after}


class NotWritable(QueryError):
    """There is an answer, but the format cannot hold it."""

    code = "format-cannot"
    status = 406


class UnknownFunction(QueryError):
    """The query calls a function that is not one of SPARQL 1.1."""

    code = "function"


class EngineCrashed(QueryError):
    """The engine died or failed in a way that is not the limits' doing."""

    code = "crashed"
    status = 500


class PoolUnavailable(QueryError):
    """Nobody answers at the pool's socket."""

    code = "unavailable"
    status = 503


def gave_up(error: Exception) -> QueryError:
    """What an error of the engine means for whoever asked: only what is known is not called a crash."""
    says = str(error)
    if function := re.search(r"custom function (<.*?>) is not supported", says):
        return UnknownFunction(f"There is no function {function[1]} here.", "There are those of SPARQL 1.1, and the casts of XML Schema such as xsd:integer(…).")
    if "JSON-LD does not support" in says:
        return NotWritable("JSON-LD cannot hold a triple within a triple.", "Ask for another format: Turtle and N-Triples can hold all of it.")
    if "RDF/XML reserved syntax term" in says:
        return NotWritable("RDF/XML cannot hold a property that is one of its own words, such as rdf:li.", "Ask for another format: Turtle and N-Triples can hold all of it.")
    return EngineCrashed(f"The engine gave up: {says}")


_FORMAT = "format"
_BY_CODE = {
    error.code: error
    for error in (
        QuerySyntaxError, ServiceRefused, UpdateRefused, QueryTooLarge, QueryTimeout, PoolBusy, NotWritable, UnknownFunction, EngineCrashed, PoolUnavailable,
    )  # fmt: skip
}


def to_wire(error: KvgraphError) -> dict[str, object]:
    """An error as the pool's processes send it to each other.

    >>> type(from_wire(to_wire(QueryTimeout(2)))).__name__
    'QueryTimeout'
    """
    if isinstance(error, QueryError):
        return {"code": error.code, **error.details()}
    return {"code": _FORMAT if isinstance(error, UnknownFormat) else "query", "message": error.message, "hint": error.hint}


def from_wire(header: dict) -> KvgraphError:
    """The error that :func:`to_wire` described."""
    fields = dict(header)
    code = fields.pop("code", "")
    return UnknownFormat(**fields) if code == _FORMAT else _BY_CODE.get(code, QueryError)(**fields)
