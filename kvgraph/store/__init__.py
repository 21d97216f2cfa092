"""The one border to an engine.

Everything that answers SPARQL is a :class:`Backend`: :class:`Embedded` in this process, :class:`PoolClient` over the query pool of a server,
:class:`Remote` over any SPARQL endpoint. The pool itself is started by ``python -m kvgraph.store.pool``. Errors are a
:class:`QueryError` of some kind.
"""

from kvgraph.store.backend import Backend, Outcome
from kvgraph.store.cached import Answers, Cached, volatile
from kvgraph.store.client import PoolClient
from kvgraph.store.embedded import Embedded
from kvgraph.store.endpoint import EndpointError
from kvgraph.store.errors import (
    EngineCrashed,
    NotWritable,
    PoolBusy,
    PoolUnavailable,
    QueryError,
    QuerySyntaxError,
    QueryTimeout,
    QueryTooLarge,
    ServiceRefused,
    UnknownFunction,
    UpdateRefused,
)
from kvgraph.store.guard import check
from kvgraph.store.remote import Remote

__all__ = [
    "Answers",
    "Backend",
    "Cached",
    "Embedded",
    "EndpointError",
    "EngineCrashed",
    "NotWritable",
    "Outcome",
    "PoolBusy",
    "PoolClient",
    "PoolUnavailable",
    "QueryError",
    "QuerySyntaxError",
    "QueryTimeout",
    "QueryTooLarge",
    "Remote",
    "ServiceRefused",
    "UnknownFunction",
    "UpdateRefused",
    "check",
    "volatile",
]
