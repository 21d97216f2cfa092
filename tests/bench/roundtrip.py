"""What the way to the query pool and back costs: the same light queries through the pool and in this process."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from kvgraph.formats import JSON
from kvgraph.releases import Release
from kvgraph.store import Embedded, PoolClient
from kvgraph.store.pool import start

TIMES = 1000


def round_trip(release: Release, texts: list[str]) -> dict[str, float]:
    """Median milliseconds of a ping, of a query in this process, and of the same through the pool. ``texts`` are light queries."""
    embedded = Embedded.load(release.nquads)
    with tempfile.TemporaryDirectory(prefix="kvgraph-") as folder:
        socket = Path(folder) / "pool.sock"
        process = start(release.nquads, socket, workers=2)
        try:
            client = PoolClient(socket)
            found = {
                "ping": _median(lambda _: client.ping(), range(TIMES)),
                "query in process": _median(lambda text: _in_process(embedded, text), texts[:TIMES]),
                "query through the pool": _median(lambda text: client.answer_file(text, JSON)[1].close(), texts[:TIMES]),
            }
            client.close()
        finally:
            process.terminate()
            process.wait(10)
    return {**found, "round trip": found["query through the pool"] - found["query in process"]}


def _in_process(engine: Embedded, text: str) -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        engine.write(text, JSON, file)


def _median(ask: Callable, values: Iterable) -> float:
    times = []
    for value in values:
        began = time.perf_counter()
        ask(value)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)
