"""An invented CORDIS, imported and released beside the bundled data, kept on the disk and served.

``KVGRAPH_PROJECTS`` says how many projects it has (5,000 unless told otherwise), with seven and a half participations each. The documentation says what
200,000 take; while such a release is built it needs some 25 GB of disk.
"""

import os
import resource
import time
from contextlib import contextmanager
from urllib.parse import quote

from kvgraph import open as open_graph
from kvgraph.build import build
from kvgraph.sources import importing, source

from ..bench.cordis import generate
from ..serving import get, served

PROJECTS = int(os.environ.get("KVGRAPH_PROJECTS", "5000"))
PARTICIPATIONS = PROJECTS * 15 // 2
PAIRS = 60
COUNT = "/sparql?query=SELECT+(COUNT(*)+AS+%3Fn)+%7B+%3Fs+a+%3Chttps%3A%2F%2Fschema.org%2FProject%3E+%7D&format=csv"


def test_a_release_on_the_disk_is_served(tmp_path, monkeypatch):
    generate(tmp_path / "cordis.zip", PROJECTS, PARTICIPATIONS)
    with measured("import"):
        report = importing.run(tmp_path, source("cordis"), [tmp_path / "cordis.zip"]).report
    assert report["taken"] == report["read"] == PROJECTS + PARTICIPATIONS
    monkeypatch.setenv("KVGRAPH_MEMORY_QUADS", "100000")
    with measured("build"):
        release = build(tmp_path).release
    assert (release.path / "store").is_dir() and release.manifest["counts"]["project"] == PROJECTS
    graph = open_graph(tmp_path)
    ends = [row["o"] for row in graph.query(f"SELECT ?o {{ ?o a <http://data.europa.eu/s66#Organisation> }} ORDER BY ?o LIMIT {2 * PAIRS}")]
    pairs = list(zip(ends[:PAIRS], reversed(ends)))
    assert median("connections", lambda a, b: graph.connect(a, b, k=10), pairs, time.process_time) < 0.1
    with served(tmp_path) as base:
        pages = {"home": "/", "project": "/doc/project/cordis/101000001", "search": "/search?q=quantum+battery", "count": COUNT}
        for name, path in pages.items():
            began = time.perf_counter()
            status, _, body = get(base + path)
            print(f"{name}: {1000 * (time.perf_counter() - began):.0f} ms")
            assert status == 200 and body
        assert b"101000001" in get(base + pages["project"])[2]
        assert get(base + COUNT)[2] == f"n\r\n{PROJECTS}\r\n".encode()

        def page(a: str, b: str) -> None:
            assert get(f"{base}/connections?a={quote(a, '')}&b={quote(b, '')}")[0] == 200

        median("connections, as pages that nobody asked for before", page, pairs, time.perf_counter)


def median(what: str, work, pairs: list, clock) -> float:
    """The median time of what is done with each pair, in seconds."""
    times = []
    for pair in pairs:
        began = clock()
        work(*pair)
        times.append(clock() - began)
    times.sort()
    print(f"{what}: median {1000 * times[len(times) // 2]:.0f} ms, longest {1000 * times[-1]:.0f} ms, of {len(times)} pairs")
    return times[len(times) // 2]


@contextmanager
def measured(what: str):
    """Say how long something takes, and how much memory the largest process has had."""
    began, processor = time.perf_counter(), processor_time()
    yield
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{what}: {time.perf_counter() - began:.0f} s, {processor_time() - processor:.0f} s of processor time, {largest / 1e6:.1f} GB")


def processor_time() -> float:
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
