"""Mixed hostile and honest load on one server: `KVGRAPH_LOAD_SECONDS` long (60 unless set; 600 is what a release is measured with).

At the end no request of an honest client has failed, no worker is lost, and memory is what it was.
"""

import json
import os
import random
import statistics
import threading
import time
from pathlib import Path

from kvgraph.serve import Settings

from ..server.hostile import FETCHES, QUERIES, SERVICES, Honest, Listener, ask, slow_reader
from ..serving import get, served, until

SECONDS = float(os.environ.get("KVGRAPH_LOAD_SECONDS", "60"))


class Hostile(threading.Thread):
    """Sends one hostile query after the other; now and then it does not read a long answer."""

    def __init__(self, host: str, url: str, end: float, source: str):
        super().__init__()
        self.host, self.end, self.sent, self.url, self.source = host, end, 0, url, source

    def run(self) -> None:
        while time.monotonic() < self.end:
            query = random.choice(QUERIES)
            if query in (*SERVICES, *FETCHES):
                query = query.format(url=self.url)
            if random.random() < 0.1:
                reader = slow_reader(self.host, f"SELECT * {{ ?a ?b ?c . ?d ?e ?f }} LIMIT {random.randint(10_000, 60_000)}", self.source)
                time.sleep(1)
                reader.close()
            else:
                try:
                    ask(self.host, f"{query} # {random.random()}", source=self.source)
                except OSError:
                    pass  # what happens to this client is not what is measured
            self.sent += 1


def memory(address: str) -> int:
    """Bytes that all processes of the server take, what they share counted once."""
    parents, mine = {}, set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parents[process.name] = (process / "stat").read_text().rpartition(")")[2].split()[1]
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"serve" in words and address.rpartition(":")[2].encode() in words:
            mine.add(process.name)
    while more := {p for p, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sum(_pss(Path("/proc") / p) for p in mine)


def _pss(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def test_honest_clients_notice_nothing(bundled_home):
    listener = Listener()
    listener.start()
    with served(bundled_home, "--timeout", "5", "--memory", "512") as address:
        host = address.removeprefix("http://")
        honest = [Honest(address, pause=0.1, patience=60.0, source=f"127.0.1.{i}") for i in range(1, 5)]
        for client in honest:
            client.start()
        until(lambda: all(len(client.took) > 10 for client in honest))
        before = memory(address)
        end = time.monotonic() + SECONDS
        hostile = [Hostile(host, listener.url, end, f"127.0.2.{i}") for i in range(1, 9)]
        for client in hostile:
            client.start()
        for client in hostile:
            client.join()
        for client in honest:
            client.stop.set()
        for client in honest:
            client.join()
        until(lambda: json.loads(get(f"{address}/status?format=json")[2])["workers"]["idle"] == Settings.query_workers, 60)
        took = sorted(t for client in honest for t in client.took)
        wrong = [w for client in honest for w in client.wrong]
        after = memory(address)
        print(
            f"\n{SECONDS:g} s, {sum(c.sent for c in hostile)} hostile requests: of {len(took)} honest ones {len(wrong)} failed, "
            f"{sum(c.told_later for c in honest)} were asked to come back; median {statistics.median(took) * 1000:.0f} ms, "
            f"99 % within {took[int(len(took) * 0.99)]:.2f} s; memory {before / 2**20:.0f} → {after / 2**20:.0f} MB"
        )
        assert wrong == [] and len(took) > SECONDS
        assert after < before + 700 * 2**20
    listener.stop.set()
    listener.join()
    assert listener.calls == 0
