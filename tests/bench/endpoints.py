"""kvgraph beside other SPARQL servers: the same queries on the same data, over HTTP on the loopback."""

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from kvgraph.releases import Release

from .engines import ENGINES, CannotStart, Endpoint, Engine
from .load import Job, Measured, measure
from .workloads import Workload, workloads

OURS, REFERENCE = "kvgraph", "oxigraph serve"
AGAIN = 60.0  # seconds: a server that took longer to start is not started again when it did not answer


@dataclass(frozen=True)
class Size:
    """How long a run may take."""

    seconds: float  # of each workload
    most: int  # texts of each workload


@dataclass
class Comparison:
    """What was measured on one release: ``measured[engine][workload number]``, and how many answers were others than the reference's."""

    name: str
    triples: int
    workloads: list[Workload]
    measured: dict[str, dict[int, Measured]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def wrong(self, engine: str, number: int) -> int:
        """Answers that hold another number of values than those of the reference."""
        theirs, reference = (self.measured.get(e, {}).get(number, Measured()).answers for e in (engine, REFERENCE))
        return sum(1 for index, found in theirs.items() if reference.get(index, found) != found)

    def as_dict(self) -> dict:
        runs = [
            {"workload": w.name, "connections": w.connections, "engine": engine, "per_second": m.rate, "median_ms": m.median, "p95_ms": m.p95,
             "requests": m.requests, "errors": m.errors, "unanswered": m.unanswered, "unsteady": m.unsteady, "wrong": self.wrong(engine, number)}
            for engine, found in self.measured.items() for number, m in found.items() for w in [self.workloads[number]]
        ]  # fmt: skip
        return {"data": self.name, "triples": self.triples, "runs": runs, "missing": self.missing}


def compare(name: str, release: Release, size: Size, folder: Path, engines: tuple[Engine, ...] = ENGINES) -> Comparison:
    """Puts every engine under every workload, one engine at a time; what they keep between runs lies in ``folder``."""
    found = Comparison(name, release.manifest["counts"]["triples"], workloads(release, size.most))
    for engine in engines:
        _say(f"{name}: {engine.name}")
        try:
            found.measured[engine.name] = _measured(engine, release, found.workloads, size, folder / release.id)
        except (CannotStart, subprocess.SubprocessError) as error:
            found.missing[engine.name] = str(error)
    return found


def _measured(engine: Engine, release: Release, asked: list[Workload], size: Size, folder: Path) -> dict[int, Measured]:
    found, pending = {}, list(enumerate(asked))
    while pending:
        began = time.monotonic()
        with engine.start(release, folder) as endpoint:
            slow = time.monotonic() - began > AGAIN
            for number, workload in list(pending):
                found[number] = _run(endpoint, workload, size)
                del pending[0]
                if found[number].unanswered:  # it is still at it, which would be measured as part of the next workload
                    break
        if slow:
            break
    return found


def _run(endpoint: Endpoint, workload: Workload, size: Size) -> Measured:
    requests = [(endpoint.address(query), media_type) for query, media_type in workload.asked]
    most = 10 * size.most if workload.repeat else len(requests)
    return measure(Job(endpoint.port, workload.connections, requests, size.seconds, most))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
