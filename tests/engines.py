"""Starts other engines for tests, on free ports of 127.0.0.1."""

import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .serving import free_port, get, until


@dataclass(frozen=True)
class Engine:
    """Where an engine is reached: ``query`` is its SPARQL endpoint, ``store`` its graph store."""

    query: str
    store: str
    process: subprocess.Popen


@contextmanager
def oxigraph(*options: str, log: Path | None = None):
    """A real, empty `oxigraph serve`, in memory."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("oxigraph")), "serve", "--bind", f"127.0.0.1:{port}", *options]
    with open(log or "/dev/null", "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        base = f"http://127.0.0.1:{port}"
        until(lambda: process.poll() is not None or answers(base + "/query?query=ASK%7B%7D"))
        yield Engine(base + "/query", base + "/store", process)
    finally:
        process.kill()
        process.wait(60)


def answers(url: str) -> bool:
    try:
        return get(url)[0] == 200
    except OSError:
        return False


def load(engine: Engine, quads: bytes) -> None:
    """N-Quads into an Oxigraph: its default graph and its named graphs at once, which the standard has no request for."""
    request = urllib.request.Request(engine.store, quads, {"Content-Type": "application/n-quads"}, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status < 300
