"""Counters, summed over all web processes, in the text format 0.0.4 of Prometheus.

With ``$PROMETHEUS_MULTIPROC_DIR`` (``kvgraph serve`` sets it) every process counts in a memory-mapped file of its own there, and each can tell the sums of
all; without it a process knows its own counts only. No label holds what somebody asked, or who.
"""

import os
import time
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ..errors import KvgraphError
from ..store import QueryError, check

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

disable_created_metrics()
_own = CollectorRegistry()
_requests = Counter("kvgraph_http_requests", "Requests answered, refused ones among them.", ["endpoint", "method", "status"], registry=_own)
_request_seconds = Histogram(
    "kvgraph_http_request_seconds", "Seconds until an answer was ready to be sent.", ["endpoint"], registry=_own, buckets=_SECONDS
)
_refusals = Counter("kvgraph_refusals", "Requests refused, by reason.", ["reason"], registry=_own)
_queries = Counter("kvgraph_queries", "Queries that went to an engine, by form and outcome.", ["form", "outcome"], registry=_own)
_query_seconds = Histogram(
    "kvgraph_query_seconds", "Seconds a query to an engine took, waiting included.", ["form"], registry=_own, buckets=_SECONDS
)
_COUNTERS = {
    "cache_hits": Counter("kvgraph_cache_hits", "Answers that were served from the cache.", registry=_own),
    "cache_misses": Counter("kvgraph_cache_misses", "Answers that were looked for in the cache and were not there.", registry=_own),
    "cache_evictions": Counter("kvgraph_cache_evictions", "Answers that had to leave the cache for newer ones.", registry=_own),
}


def count(name: str, amount: int = 1) -> None:
    """Count something that happened: ``cache_hits``, ``cache_misses`` or ``cache_evictions``. Raises ``KeyError`` for any other name.

    >>> count("cache_hits")
    """
    _COUNTERS[name].inc(amount)


@lru_cache(maxsize=1000)
def _of(metric: Counter | Histogram, *labels: str | int):
    """One series of a metric; looking it up in the library takes longer than counting."""
    return metric.labels(*labels)


def request(endpoint: str, method: str, status: int, seconds: float, refusal: str | None) -> None:
    """Count a request; ``endpoint`` is a name of ours and ``refusal`` a code, so that the number of series is bounded."""
    _of(_requests, endpoint, method, status).inc()
    _of(_request_seconds, endpoint).observe(seconds)
    if refusal:
        _of(_refusals, refusal).inc()


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
    _of(_queries, form, outcome).inc()
    _of(_query_seconds, form).observe(seconds)


def _form(query: str) -> str:
    try:
        return check(query)
    except QueryError:
        return "none"


def counted() -> CollectorRegistry:
    """What was counted so far, by all web processes."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return _own
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def refusals() -> dict[str, int]:
    """How many requests were refused since the start, by reason, the most frequent first."""
    samples = [s for family in counted().collect() for s in family.samples if s.name == "kvgraph_refusals_total"]
    return {s.labels["reason"]: int(s.value) for s in sorted(samples, key=lambda s: (-s.value, s.labels["reason"]))}


def exposition(release, pool: dict | None, state: dict) -> bytes:
    """The page for Prometheus: what was counted, and how the engine is now.

    ``release`` is the one being served, if any; ``pool`` the status of its query pool, None if it does not answer; ``state`` what the supervisor
    says.
    """
    now = CollectorRegistry()
    now.register(_Now(release, pool, state))
    return generate_latest(counted()) + generate_latest(now)


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
