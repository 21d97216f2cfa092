"""Benchmarks.

    python -m tests.bench                       # all engines, bundled data and a generated million triples: a quarter of an hour
    python -m tests.bench --quick               # bundled data only: about a minute
    python -m tests.bench --json result.json    # also as JSON
    python -m tests.bench connections --edges 300000
    python -m tests.bench pages                 # server time of each kind of page
    python -m tests.bench reconciliation        # precision, recall and speed of finding names
    python -m tests.bench generate --home var/bench/generated
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from kvgraph import releases
from kvgraph.build import build
from kvgraph.releases import Release

from . import connections, pages, reconciliation, report
from .ceiling import ceiling
from .endpoints import Size, compare
from .engines import ENGINES
from .generate import generate
from .roundtrip import round_trip
from .workloads import workloads

FOLDER, TRIPLES = Path("var/bench"), 1_000_000
FULL, QUICK = Size(seconds=5.0, most=15_000), Size(seconds=1.2, most=4000)



def main() -> None:
    others = {"connections": connections.main, "generate": generated, "pages": pages.main, "reconciliation": reconciliation.main}
    if sys.argv[1:2] and (other := others.get(sys.argv[1])):
        del sys.argv[1]
        return other()
    endpoints()


def generated() -> None:
    """Only the generated release."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench generate", description=generated.__doc__)
    parser.add_argument("--home", type=Path, default=FOLDER / "generated")
    parser.add_argument("--triples", type=int, default=TRIPLES)
    given = parser.parse_args()
    release = generate(given.home.absolute(), given.triples, _say)
    print(f"Release {release.id} in {release.home}: {release.manifest['counts']['triples']:,} triples.")


def endpoints() -> None:
    """All engines on all data."""
    given = _arguments()
    size = QUICK if given.quick else FULL
    chosen = tuple(e for e in ENGINES if not given.engine or e.name in given.engine)
    facts = {"machine": report.machine(), "versions": report.versions([e.name for e in chosen]), "ceiling_per_second": ceiling().rate}
    print(report.opening(facts), flush=True)
    found = []
    for name, release in _data(given, size):
        found.append(compare(name, release, size, given.folder / "stores", chosen))
        print(f"{report.table(found[-1])}\n\n{report.targets(found[-1])}\n", flush=True)
        if name == "bundled":
            facts["round_trip_ms"] = round_trip(release, [text for text, _ in workloads(release, size.most)[0].asked])
            print(report.pool(facts["round_trip_ms"]), flush=True)
    if given.json:
        given.json.write_text(json.dumps({**facts, "results": [c.as_dict() for c in found]}, indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="bundled data only, and little of it")
    parser.add_argument("--json", type=Path, help="also write what was measured here")
    parser.add_argument("--triples", type=int, default=TRIPLES, help="of the generated graph")
    parser.add_argument("--engine", action="append", choices=[e.name for e in ENGINES], help="only these (may be repeated)")
    parser.add_argument("--data", action="append", choices=["bundled", "generated"], help="only these (may be repeated)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="what is kept between runs")
    given = parser.parse_args()
    given.folder = given.folder.absolute()
    return given


def _data(given: argparse.Namespace, size: Size) -> Iterator[tuple[str, Release]]:
    """The releases to compare on, each made when its turn comes."""
    wanted = given.data or (["bundled"] if size is QUICK else ["bundled", "generated"])
    if "bundled" in wanted:
        yield "bundled", _bundled(given.folder / "bundled")
    if "generated" in wanted:
        yield "generated", generate(given.folder / "generated", given.triples, _say)


def _bundled(home: Path) -> Release:
    build(home, step=_say)
    return releases.current(home)


def _say(step: str) -> None:
    print(f"… {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
