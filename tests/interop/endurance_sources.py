"""An invented CORDIS, imported and released beside the bundled data, kept on the disk and served."""

import time

from kvgraph import open as open_graph
from kvgraph.build import build
from kvgraph.sources import importing, source

from ..bench.cordis import generate
from ..serving import get, served


def test_a_release_on_the_disk_is_served(tmp_path, monkeypatch):
    """What the documentation says of 200,000 projects was measured with tests.bench.cordis; this is a fortieth of it."""
    generate(tmp_path / "cordis.zip", 5_000, 37_500)
    report = importing.run(tmp_path, source("cordis"), [tmp_path / "cordis.zip"]).report
    assert report["taken"] == report["read"] == 42_500
    monkeypatch.setenv("KVGRAPH_MEMORY_QUADS", "100000")
    release = build(tmp_path).release
    assert (release.path / "store").is_dir() and release.manifest["counts"]["project"] == 5_000
    graph = open_graph(tmp_path)
    ends = [row["o"] for row in graph.query("SELECT ?o { ?o a <http://data.europa.eu/s66#Organisation> } ORDER BY ?o LIMIT 40")]
    times = []
    for a, b in zip(ends, reversed(ends)):
        began = time.process_time()
        graph.connect(a, b, k=10)
        times.append(time.process_time() - began)
    assert sorted(times)[len(times) // 2] < 0.1
    with served(tmp_path) as base:
        status, _, body = get(base + "/doc/project/cordis/101000001")
        assert status == 200 and b"101000001" in body
        assert get(base + "/sparql?query=SELECT+(COUNT(*)+AS+%3Fn)+%7B+%3Fs+a+%3Chttps%3A%2F%2Fschema.org%2FProject%3E+%7D&format=csv")[2] == b"n\r\n5000\r\n"
