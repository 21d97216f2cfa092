"""How long the server takes for a page, over HTTP on the loopback: each address once uncached, then again.

    python -m tests.bench pages                          # the bundled data
    python -m tests.bench pages --home var/bench/generated

Uncached means that nobody has asked for the address since the server started; answers that a release comes with are there. Beside the time by the
clock stands the processor time of all processes of the server, which other work on the machine does not stretch as much.
"""

import argparse
import http.client
import json
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from urllib.parse import quote, urlencode, urlsplit

import numpy as np

import kvgraph
from kvgraph.build import build
from kvgraph.model import ENTITY_TYPES, path_of
from kvgraph.releases import current
from tests.serving import served

LIMITS = {"connections": (50, 150)}  # milliseconds, median and 95th percentile; of every other page:
LIMIT = (30, 80)
WORDS = ("technology transfer", "living lab", "spin-off", "citizen science", "standards", "artist residency", "voucher", "incubator", "licence", "museum")


def addresses(home: Path, most: int, seed: int = 7) -> Iterator[tuple[str, list[str]]]:
    """Kinds of page, each with addresses of it, chosen alike at every run."""
    chance, graph = random.Random(seed), kvgraph.open(home)
    things = {kind.name: [row[0].value for row in graph.run("pages/options", of=kind.iri, lang="en").terms] for kind in ENTITY_TYPES}
    yield "home", [f"/?n={n}" for n in range(min(most, 10))]
    yield "search", ["/search?" + urlencode({"q": word, "n": n}) for n, word in enumerate(WORDS * (most // len(WORDS)))]
    yield "search by facet", ["/search?" + urlencode({"type": "practice", "country": iri}) for iri in things["country"][:most]]
    yield "map", ["/map?" + urlencode({"nuts": n % 4, "n": n}) for n in range(most // 2)]
    yield "coverage", [f"/coverage?n={n}" for n in range(most // 4)]
    for name, iris in ((name, iris) for name, iris in things.items() if iris):
        yield name, [path_of(iri) for iri in chance.sample(iris, min(most, len(iris)))]
    ends = [chance.sample(things["actor"], 2) for _ in range(most)]
    yield "connections", ["/connections?" + urlencode({"a": a, "b": b}) for a, b in ends]
    yield "network", ["/network?of=" + quote(iri, safe="") for iri in chance.sample(things["practice"], most)]


def processor() -> float:
    """Milliseconds that the processes started from here have computed until now, all threads of them (Linux: ``/proc``)."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    ours, found = {os.getpid()}, 0
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    for pid in ours - {os.getpid()}:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                found += int(path.read_text().split()[0])
    return found / 1e6


def took(connection: http.client.HTTPConnection, asked: list[str]) -> tuple[list[float], list[float], int]:
    """Milliseconds for each address, by the clock and of processor time, and how many were not answered well."""
    times, computed, bad = [], [], 0
    for address in asked:
        before, began = processor(), perf_counter()
        connection.request("GET", address, headers={"Accept": "text/html", "Accept-Language": "en"})
        answer = connection.getresponse()
        answer.read()
        times.append(1000 * (perf_counter() - began))
        computed.append(processor() - before)
        bad += answer.status != 200
    return times, computed, bad


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="default: var/bench/bundled, built if it is not there")
    parser.add_argument("--most", type=int, default=40, help="addresses of each kind")
    parser.add_argument("--json", type=Path, help="also write what was measured here")
    given = parser.parse_args()
    home = (given.home or Path("var/bench/bundled")).absolute()
    if not given.home:
        build(home)
    release, found = current(home), {}
    print(f"{release.id}: {release.manifest['counts']['triples']:,} triples; milliseconds, median / 95th percentile\n")
    print(f"| {'page':16} | {'uncached':>15} | {'processor':>15} | {'again':>13} | {'aim':>8} |\n|---|--:|--:|--:|--:|")
    chosen = list(addresses(home, given.most))
    with served(home) as base:
        # One connection stays with one web process, and each has a cache of its own.
        one = http.client.HTTPConnection(urlsplit(base).netloc, timeout=120)
        took(one, ["/", "/search?q=warm", "/map", "/connections", "/coverage", "/doc/region/ES51", "/doc/practice/demola"])
        for kind, asked in chosen:
            (first, computed, bad), (again, _, _) = took(one, asked), took(one, asked)
            median, p95 = LIMITS.get(kind, LIMIT)
            found[kind] = [float(np.percentile(times, p)) for times in (first, computed, again) for p in (50, 95)]
            f = found[kind]
            print(f"| {kind:16} | {f[0]:7.1f} / {f[1]:5.1f} | {f[2]:7.1f} / {f[3]:5.1f} | {f[4]:5.1f} / {f[5]:5.1f} | {median} / {p95} |" + (f" {bad} failed" if bad else ""), flush=True)
    if given.json:
        given.json.write_text(json.dumps({"release": release.id, "milliseconds": found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
