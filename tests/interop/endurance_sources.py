"""The supplied ROR and CORDIS files, imported and released beside the bundled data; an invented CORDIS, kept on the disk.

``$KVGRAPH_SHARED_DATA`` says where the files are: https://ror.org/ and https://cordis.europa.eu/ publish newer ones.
"""

import os
import time
from pathlib import Path

import pytest

from kvgraph import open as open_graph
from kvgraph.build import build
from kvgraph.sources import importing, source
from kvgraph.sources.imported import imports

from ..bench.cordis import generate
from ..serving import get, served

DATA = Path(os.environ.get("KVGRAPH_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
ROR, CORDIS = DATA / "ror-europe-v2.json.gz", DATA / "cordis_he_topics.csv.gz"
MINUTES = 3  # that ROR may take, imported and released


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("home")
    before = time.process_time()
    importing.run(place, source("ror"), [ROR])
    importing.run(place, source("cordis"), [CORDIS])
    release = build(place).release
    print(f"ROR and CORDIS imported and released in {time.process_time() - before:.0f} s of processor time: {release.manifest['counts']}")
    return place


def test_every_row_of_the_supplied_files_came_in(home):
    reports = {name: found.report for name, found in imports(home).items()}
    assert {name: (r["read"], r["taken"], r["set_aside"]) for name, r in reports.items()} == {"ror": (14_676, 14_676, 0), "cordis": (15_341, 15_341, 0)}
    assert reports["ror"]["organisations"] == 14_676


def test_actors_lead_on_to_their_candidates_in_ror(home):
    graph = open_graph(home)
    rows = list(graph.query(
        "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX org: <http://www.w3.org/ns/org#> "
        "SELECT ?actor ?other { ?actor skos:closeMatch ?other . ?other a org:Organization } ORDER BY ?actor LIMIT 3"
    ))  # fmt: skip
    assert len(rows) == 3
    hop = graph.connect(rows[0]["actor"], rows[0]["other"], k=1).paths[0].hops[0]
    assert hop.kind == "candidate"


def test_ror_is_imported_and_released_within_minutes(tmp_path):
    began = time.process_time()
    importing.run(tmp_path, source("ror"), [ROR])
    build(tmp_path)
    assert time.process_time() - began < MINUTES * 60


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
