"""What was measured, as Markdown: tables with ratios to each peer, and which targets are met."""

import os
import platform
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from .endpoints import OURS, REFERENCE, Comparison
from .engines import ENGINES
from .load import Measured

# Which workload, by how much ahead of which peer ("best" is whichever is fastest).
TARGETS = (
    ("repeated", 1.0, "every peer"), ("repeated", 2.0, "the best"), ("pages", 1.0, "every peer"), ("pages", 2.0, "the best"),
    ("light ad hoc", 1.0, "rdflib-endpoint"), ("light ad hoc", 1.0, "Virtuoso"), ("light ad hoc", 0.3, REFERENCE), ("heavier joins", 1.0, REFERENCE),
)  # fmt: skip


def machine() -> str:
    """Processor, cores, operating system and date."""
    try:
        model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        model = None
    return f"{os.cpu_count()} cores ({model[1] if model else platform.processor()}), {platform.system()}, Python {platform.python_version()}, {date.today()}"


def versions(names: list[str]) -> str:
    return ", ".join(f"{e.name} {e.version()}" for e in ENGINES if e.name in names)


def opening(facts: dict) -> str:
    """What was measured where, and how much the load process could do."""
    return f"""{facts["machine"]}; {facts["versions"]}

The load process reaches {facts["ceiling_per_second"]:,.0f}/s with 32 connections against a server that does nothing.
In each cell: answers per second · median · 95th percentile · how many times as many kvgraph gives per second.
"""


def pool(ms: dict[str, float]) -> str:
    """What the way to the query pool and back costs."""
    return f"Query pool, bundled data, one light query at a time, median ms: {', '.join(f'{what} {value:.2f}' for what, value in ms.items())}.\n"


def table(found: Comparison) -> str:
    """Requests per second, median and 95th percentile in milliseconds; for a peer, how many times faster kvgraph is."""
    names = [e.name for e in ENGINES if e.name in found.measured]
    lines = [f"| {found.name}, {found.triples:,} triples | connections | {' | '.join(names)} |", "|---|--:|" + "--:|" * len(names)]
    for number, workload in enumerate(found.workloads):
        cells = [_cell(found, name, number) for name in names]
        lines.append(f"| {workload.name} | {workload.connections} | {' | '.join(cells)} |")
    return "\n".join([*lines, *(f"\n{name} is missing: {why}" for name, why in found.missing.items())])


def _cell(found: Comparison, engine: str, number: int) -> str:
    measured, ours = found.measured[engine].get(number), found.measured.get(OURS, {}).get(number)
    if measured is None:
        return "not asked any more"
    if not measured.requests:
        return ", ".join(measured.errors) or "no answer in time"
    text = f"{_number(measured.rate)}/s · {_number(measured.median)} · {_number(measured.p95)} ms"
    if engine != OURS and ours and ours.requests:
        text += f" · **×{_number(ours.rate / measured.rate)}**"
    return text + "".join(f" · {what}" for what in _faults(found, engine, number, measured))


def _faults(found: Comparison, engine: str, number: int, measured: Measured) -> Iterator[str]:
    if measured.errors:
        yield "errors " + ", ".join(f"{count} × {kind}" for kind, count in measured.errors.items())
    if measured.unanswered:
        yield f"{measured.unanswered} unanswered"
    if different := found.wrong(engine, number) + measured.unsteady:
        yield f"{different} of {len(measured.answers)} answers differ"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def targets(found: Comparison) -> str:
    """Each target with the ratio that was measured: the lowest of all numbers of connections."""
    lines = [f"Targets on {found.name}:"]
    for workload, factor, whom in TARGETS:
        peers = [whom] if whom in found.measured else [n for n in found.measured if n != OURS] if whom in ("every peer", "the best") else []
        ratios = [r for peer in peers for r in _ratios(found, workload, peer)]
        if ratios:
            verdict = "met" if min(ratios) >= factor else "**not met**"
            lines.append(f"- {workload}: at least {factor:g} × {whom}: {_number(min(ratios))} ({verdict})")
    faults = [f for e, runs in found.measured.items() if e == OURS for n, m in runs.items() for f in _faults(found, e, n, m)]
    return "\n".join([*lines, f"- no errors, no wrong answers: {'**not met**: ' + '; '.join(faults) if faults else 'met'}"])


def _ratios(found: Comparison, workload: str, peer: str) -> Iterator[float]:
    for number, asked in enumerate(found.workloads):
        ours, theirs = (found.measured.get(name, {}).get(number) for name in (OURS, peer))
        if asked.name == workload and ours and theirs and theirs.rate:
            yield ours.rate / theirs.rate
