"""Counters, summed over all web processes, in the text format 0.0.4 of Prometheus.

Under :mod:`kvgraph serve <kvgraph.serve>` every process counts in a file of its own in ``metrics`` of the run directory (:mod:`kvgraph.server.counts`), and each can tell
the sums of all; elsewhere a process knows its own counts only. No label holds what somebody asked, or who.
"""

import os
import threading
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from ..errors import KvgraphError
from ..store import QueryError, check
from .counts import Counts, Name

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# What is counted, with its labels; and what is measured in seconds.
_COUNTERS = {
    "kvgraph_http_requests": ("Requests answered, refused ones among them.", ["endpoint", "method", "status"]),
    "kvgraph_refusals": ("Requests refused, by reason.", ["reason"]),
    "kvgraph_queries": ("Queries that went to an engine, by form and outcome.", ["form", "outcome"]),
    "kvgraph_cache_hits": ("Answers that were served from the cache.", []),
    "kvgraph_cache_evictions": ("Answers that had to leave the cache for newer ones.", []),
}
_HISTOGRAMS = {
    "kvgraph_http_request_seconds": ("Seconds until an answer was ready to be sent.", ["endpoint"]),
    "kvgraph_query_seconds": ("Seconds a query to an engine took, waiting included.", ["form"]),
}
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BOUNDS = (*map(str, _SECONDS), "+Inf")
_BY_NAME = {name.removeprefix("kvgraph_"): (name,) for name, (_, labels) in _COUNTERS.items() if not labels}


_here: Counts | None = None
_making = threading.Lock()


def _counts() -> Counts:
    global _here
    if _here is None:
        with _making:
            run = os.environ.get("KVGRAPH_RUN")
            _here = _here or Counts(Path(run, "metrics") if run else None)
    return _here


def _begin_anew() -> None:
    global _here, _making
    _here, _making = None, threading.Lock()


os.register_at_fork(after_in_child=_begin_anew)  # a process counts in a file of its own


def count(name: str, amount: int = 1) -> None:
    """Count something that happened: ``cache_hits`` or ``cache_evictions``. Raises ``KeyError`` for any other name.

    >>> count("cache_hits")
    """
    _counts().add(_BY_NAME[name], amount)


def request(endpoint: str, method: str, status: int, seconds: float, refusal: str | None) -> None:
    """Count a request; ``endpoint`` is a name of ours and ``refusal`` a code, so that the number of series is bounded."""
    counts = _counts()
    counts.add(("kvgraph_http_requests", endpoint, method, str(int(status))))
    _observe(counts, "kvgraph_http_request_seconds", endpoint, seconds)
    if refusal:
        counts.add(("kvgraph_refusals", refusal))


def _observe(counts: Counts, name: str, label: str, seconds: float) -> None:
    counts.add((name, label, _BOUNDS[bisect_left(_SECONDS, seconds)]))
    counts.add((name, label, "sum"), seconds)


class Counted:
    """Mixed into a backend with ``answer_file``: counts what it is asked."""

    def answer_file(self, query, format, **options):
        """See :meth:`PoolClient.answer_file <kvgraph.store.client.PoolClient.answer_file>`."""
        began = time.perf_counter()
        try:
            outcome, file = super().answer_file(query, format, **options)
        except KvgraphError as error:
            form = _form(query)
            _count_query(form, getattr(error, "code", "format"), time.perf_counter() - began)
            raise
        _count_query(outcome.form, outcome.status, time.perf_counter() - began)
        return outcome, file


def _count_query(form: str, outcome: str, seconds: float) -> None:
    counts = _counts()
    counts.add(("kvgraph_queries", form, outcome))
    _observe(counts, "kvgraph_query_seconds", form, seconds)


def _form(query: str) -> str:
    try:
        return check(query)
    except QueryError:
        return "none"


def refusals() -> dict[str, int]:
    """How many requests were refused since the start, by reason, the most frequent first."""
    found = {name[1]: int(number) for name, number in _counts().all().items() if name[0] == "kvgraph_refusals"}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def exposition(release, pool: dict | None, state: dict) -> bytes:
    """The page for Prometheus: what was counted, and how the engine is now.

    ``release`` is the one being served, if any; ``pool`` the status of its query pool, None if it does not answer; ``state`` what the supervisor
    says.
    """
    registry = CollectorRegistry()
    registry.register(_SoFar(_counts().all()))
    registry.register(_Now(release, pool, state))
    return generate_latest(registry)


class _SoFar:
    """What was counted."""

    def __init__(self, counted: Counter[Name]):
        self.counted = counted

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        for name, (text, labels) in _COUNTERS.items():
            family = CounterMetricFamily(name, text, labels=labels)
            for series in sorted({series for series in self.counted if series[0] == name} or ({(name,)} if not labels else ())):
                family.add_metric(series[1:], self.counted[series])
            yield family
        for name, (text, labels) in _HISTOGRAMS.items():
            family = HistogramMetricFamily(name, text, labels=labels)
            found: dict[str, dict[str, float]] = defaultdict(dict)
            for series in sorted(series for series in self.counted if series[0] == name):
                found[series[1]][series[2]] = self.counted[series]
            for label, numbers in found.items():
                below = accumulate(numbers.get(bound, 0.0) for bound in _BOUNDS)
                family.add_metric([label], list(zip(_BOUNDS, below)), numbers.get("sum", 0.0))
            yield family


class _Now:
    """Figures that are looked up when they are asked for."""

    def __init__(self, release, pool: dict | None, state: dict):
        self.release, self.pool, self.state = release, pool, state

    def collect(self):
        info = GaugeMetricFamily("kvgraph_release_info", "The release being served.", labels=["release", "built"])
        if self.release:
            info.add_metric([self.release.id, self.release.manifest["built"]], 1)
        yield info
        yield GaugeMetricFamily("kvgraph_pool_up", "Whether the query pool answers.", value=int(self.pool is not None))
        if "pool_restarts" in self.state:
            yield CounterMetricFamily("kvgraph_pool_restarts", "Query pools that ended and were started again.", value=self.state["pool_restarts"])
            yield GaugeMetricFamily("kvgraph_releases_failed", "Releases that cannot be loaded.", value=len(self.state["troubles"]))
        if self.pool is not None:
            yield from self._pool()

    def _pool(self):
        workers = GaugeMetricFamily("kvgraph_query_workers", "Query workers, by what they do.", labels=["state"])
        for name, number in workers_by_state(self.pool).items():
            workers.add_metric([name], number)
        yield workers
        restarts = CounterMetricFamily("kvgraph_query_worker_restarts", "Query workers that were replaced.", labels=["release"])
        restarts.add_metric([self.release.id], self.pool["restarts"])
        yield restarts
        yield GaugeMetricFamily("kvgraph_queries_waiting", "Queries that wait for a worker.", value=self.pool["waiting"])


def workers_by_state(pool: dict) -> dict[str, int]:
    """How many workers of a pool are busy, idle and starting.

    >>> workers_by_state({"workers": [{"ready": True, "busy": 0.2}, {"ready": False, "busy": None}]})
    {'busy': 1, 'idle': 0, 'starting': 1}
    """
    workers = pool["workers"]
    busy, ready = sum(w["busy"] is not None for w in workers), sum(w["ready"] for w in workers)
    return {"busy": busy, "idle": ready - busy, "starting": len(workers) - ready}
