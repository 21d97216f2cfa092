"""A build that is killed at any moment never loses the release that is served."""

import random
import subprocess
import sys
import time

from kvgraph import releases
from kvgraph.doctor import examine
from kvgraph.graph import open as open_graph

KILLS = 20


def start_build(home, data):
    command = [sys.executable, "-m", "kvgraph", "build", "--home", str(home), "--data", str(data)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def retitle(data, number):
    path = data / "living-lab.trig"
    head, _, tail = path.read_text(encoding="utf-8").partition("dcterms:title ")
    path.write_text(f'{head}dcterms:title "Living lab, version {number}"@en ;{tail.partition(";")[2]}', encoding="utf-8")


def test_killed_twenty_times_and_served_every_time(tmp_path, small_data):
    began = time.monotonic()
    assert start_build(tmp_path, small_data).wait() == 0
    whole = time.monotonic() - began
    chance = random.Random(20261122)
    survived, known = 0, {releases.current(tmp_path).id}
    for number in range(KILLS):
        retitle(small_data, number)
        process = start_build(tmp_path, small_data)
        time.sleep(chance.uniform(0, whole))
        survived += process.poll() is None
        process.kill()
        process.wait()
        found = next(f for f in examine(tmp_path) if f.subject == "release")
        assert found.state == "fine", found.message
        title = list(open_graph(tmp_path).query('SELECT ?t { ?p a <https://w3id.org/kvgraph/def/kv#Practice> ; <http://purl.org/dc/terms/title> ?t }'))
        assert len(title) == 1 and title[0]["t"].startswith("Living lab")
        known.add(releases.current(tmp_path).id)
    assert survived > KILLS // 2, "most builds must have been killed while they ran"
    assert start_build(tmp_path, small_data).wait() == 0
    assert {p.name for p in (tmp_path / "releases").iterdir()} == {r.id for r in releases.list_releases(tmp_path)}
    assert known <= {r.id for r in releases.list_releases(tmp_path)}
