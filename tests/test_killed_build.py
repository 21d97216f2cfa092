"""A build that is killed at any moment never loses the release that is served."""

import random
import subprocess
import sys
import time

from kvgraph import releases
from kvgraph.doctor import examine
from kvgraph.graph import open as open_graph

KILLS = 20


STEPS = 7  # lines that a build without a terminal prints as it goes


def start_build(home, data):
    command = [sys.executable, "-m", "kvgraph", "build", "--home", str(home), "--data", str(data)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill_somewhere(process, chance) -> str:
    """Let the build get to a random step and a random moment in it, then kill it. The last thing it said."""
    said = ""
    for _ in range(chance.randrange(STEPS + 1)):
        said = process.stderr.readline() or said
    time.sleep(chance.uniform(0, 0.1))
    process.kill()
    process.communicate()
    return said.strip()


def retitle(data, number):
    path = data / "living-lab.trig"
    head, _, tail = path.read_text(encoding="utf-8").partition("dcterms:title ")
    path.write_text(f'{head}dcterms:title "Living lab, version {number}"@en ;{tail.partition(";")[2]}', encoding="utf-8")


def test_killed_twenty_times_and_served_every_time(tmp_path, small_data):
    assert start_build(tmp_path, small_data).communicate() and releases.current(tmp_path)
    chance = random.Random(20261122)
    killed, known = [], {releases.current(tmp_path).id}
    for number in range(KILLS):
        retitle(small_data, number)
        process = start_build(tmp_path, small_data)
        said = kill_somewhere(process, chance)
        killed += [said] if process.returncode < 0 else []
        found = next(f for f in examine(tmp_path) if f.subject == "release")
        assert found.state == "fine", found.message
        titles = list(open_graph(tmp_path).query("SELECT ?t { ?p a <https://w3id.org/kvgraph/def/kv#Practice> ; <http://purl.org/dc/terms/title> ?t }"))
        assert len(titles) == 1 and titles[0]["t"].startswith("Living lab")
        known.add(releases.current(tmp_path).id)
    assert len(killed) > KILLS // 2 and len(set(killed)) > 3, f"builds must be killed while they run, in different steps: {killed}"
    last = start_build(tmp_path, small_data)
    assert last.communicate() and last.returncode == 0
    assert {p.name for p in (tmp_path / "releases").iterdir()} == {r.id for r in releases.list_releases(tmp_path)}
    assert known <= {r.id for r in releases.list_releases(tmp_path)}
