"""A request being answered, with Flask around it or without: from what, for whom, and what came of it.

:mod:`kvgraph.server.operation` makes one for each query of a program, :func:`kvgraph.server.context.exchange` for everything else; a request has one from its
beginning to its end.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from ..graph import Graph
from .pinned import PINNED
from .rate import Budget, client_at, on_this_machine

EXCHANGE = "kvgraph.exchange"  # where it is in the environment of its request
SERVED = "kvgraph.served"  # and where the graph is that was served when the request arrived, if that was looked up


@dataclass
class Exchange:
    """``serving`` is what the application was made with; ``began`` is a moment of ``time.perf_counter``."""

    environ: dict
    serving: Any
    began: float = field(default_factory=time.perf_counter)
    asked: Any = None  # the operation of the SPARQL protocol, once it was read
    failed: Exception | None = None  # what it met: the application says so
    refused: Exception | None = None  # for the log and the counters
    engine: bool = False  # whether one had to be asked
    budget: Budget | None = None
    _graph: Graph | None = None

    @property
    def graph(self) -> Graph:
        """What the request is answered from: the same graph from its first query to its last."""
        if self._graph is None:
            self._graph = self.environ.get(PINNED) or self.environ.get(SERVED) or self.serving.graphs()
        return self._graph

    @property
    def release(self) -> str | None:
        """The id of the release, if it came to that."""
        return self._graph.release.id if self._graph else None

    @property
    def client(self) -> str:
        """Who asks, as far as taking turns goes."""
        return client_at(self.environ.get("REMOTE_ADDR"))

    def admit(self, cost: int = 1) -> None:
        """An engine is about to answer a stranger's query, which counts, as ``cost`` of them. Raises :class:`~kvgraph.server.rate.TooManyQueries`."""
        rate, client = self.serving.rate, self.client
        if rate and not on_this_machine(client):
            self.budget = rate.hit(client, cost)
            self.budget.require()
