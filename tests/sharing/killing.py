"""Killing whoever contributes, decides and publishes, at random points; and what must be true afterwards."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from kvgraph import open as open_graph
from kvgraph.contribute import submissions
from kvgraph.contribute.book import book
from kvgraph.contribute.publish import publish

from ..conftest import SMALL

ROOT = Path(__file__).parents[2]
HELD = """
PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
SELECT ?submission ?practice ?title { GRAPH ?graph { ?practice dcterms:title ?title } ?graph prov:wasGeneratedBy ?submission . ?practice a kv:Practice }
"""


ROUND = 16  # lines that the worker prints for its drafts, the decisions and a release, and two of the next


def kill_somewhere(home: Path, number: int, chance: random.Random) -> tuple[dict[str, list[str]], str]:
    """Let them come to a random line of their work and a random moment after it, on a machine of any speed. What they said to have done, by what, and the last thing they said."""
    process = subprocess.Popen([sys.executable, "-m", "tests.sharing.worker", str(home), str(number)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == "ready\n"
    lines = [process.stdout.readline() for _ in range(chance.randrange(ROUND))]
    time.sleep(chance.uniform(0, 0.5))
    process.kill()
    said: dict[str, list[str]] = {}
    last = "ready"
    for line in [*lines, *process.communicate()[0].splitlines()]:
        line = line.strip()
        what, _, which = line.partition(" ")
        said.setdefault(what, []).append(which)
        last = line if what == "step" else what
    return said, last


def killed_often(home: Path, kills: int, seed: int = 20261128) -> Counter:
    """Kill them so often, and look each time. Where it hit them."""
    publish(home, data=SMALL)
    chance, where = random.Random(seed), Counter()
    drafts: list[str] = []
    accepted: list[str] = []
    for number in range(kills):
        said, last = kill_somewhere(home, number, chance)
        where[last] += 1
        drafts += said.get("draft", [])
        accepted += said.get("accepted", [])
        if number % 5 == 4 or number == kills - 1:
            require_all(home, drafts, accepted)
    return where


def require_all(home: Path, drafts: list[str], accepted: list[str]) -> None:
    """Every submission that was accepted is in the next release exactly once, every draft is still there."""
    publish(home, data=SMALL)
    kept = book(home)
    state = {s.id: s.state for s in submissions.queue(kept, submissions.STATES, limit=100_000)}
    live = [i for i, s in state.items() if s == "published"]
    assert set(accepted) <= set(live) and not any(s == "accepted" for s in state.values())
    assert all(state[i] == "draft" for i in drafts)
    held = list(open_graph(home).query(HELD))
    assert Counter(row["submission"].rpartition("/")[2] for row in held) == Counter(live)
    assert max(Counter(row["title"] for row in held).values(), default=1) == 1
