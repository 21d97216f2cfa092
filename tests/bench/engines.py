"""The servers that are compared, each on the same release, on free ports of 127.0.0.1."""

import gzip
import importlib.metadata
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from kvgraph.releases import Release
from tests.engines import answers
from tests.serving import free_port, served, until

RDFLIB_ENDPOINT = "rdflib-endpoint[web,cli]==0.6.3"
MERGE = "https://w3id.org/kvgraph/bench/merge"  # the default graph of an engine that has none
LOADING = 900.0  # seconds


class CannotStart(Exception):
    """An engine is not installed, or does not start."""


@dataclass(frozen=True)
class Endpoint:
    """Where queries go."""

    port: int
    path: str
    more: str = ""

    def address(self, query: str) -> str:
        """The request target of a query, by GET."""
        return f"{self.path}?{self.more}query={quote(query, safe='')}"


@dataclass(frozen=True)
class Engine:
    """A server to compare. ``start`` serves a release, with a folder for what it keeps between runs."""

    name: str
    start: Callable[[Release, Path], AbstractContextManager[Endpoint]]
    version: Callable[[], str]


@contextmanager
def kvgraph(release: Release, folder: Path) -> Iterator[Endpoint]:
    """`kvgraph serve` as it is."""
    with served(release.home) as base:
        yield Endpoint(int(base.rpartition(":")[2]), "/sparql")


@contextmanager
def oxigraph(release: Release, folder: Path, *options: str) -> Iterator[Endpoint]:
    """`oxigraph serve-read-only` on a store on disk, loaded once and optimised."""
    program, store = str(Path(sys.executable).with_name("oxigraph")), folder / "oxigraph"
    if not (store / "loaded").exists():
        shutil.rmtree(store, ignore_errors=True)
        store.mkdir(parents=True)
        for command in (["load", "--file", str(_plain(release, folder))], ["optimize"]):
            subprocess.run([program, command[0], "--location", str(store), *command[1:]], check=True, capture_output=True, timeout=LOADING)
        (store / "loaded").touch()
    port = free_port()
    command = [program, "serve-read-only", "--location", str(store), "--bind", f"127.0.0.1:{port}", *options]
    with _running(command, folder, port, "/query"):
        yield Endpoint(port, "/query")


@contextmanager
def rdflib_endpoint(release: Release, folder: Path) -> Iterator[Endpoint]:
    """`rdflib-endpoint serve` with rdflib's own store. It answers from the union of all graphs, so it is given the merge and the named graphs."""
    program, port = _rdflib_endpoint(folder.parent), free_port()
    command = [str(program), "serve", "--port", str(port), "--host", "127.0.0.1", str(_plain(release, folder))]
    with _running(command, folder, port, "/"):
        yield Endpoint(port, "/")


@contextmanager
def virtuoso(release: Release, folder: Path) -> Iterator[Endpoint]:
    """Virtuoso as Debian installs it, with a gigabyte of buffers; the merge is a graph with a name."""
    isql, place = shutil.which("isql-vt") or shutil.which("isql"), folder / "virtuoso"
    if not shutil.which("virtuoso-t") or not isql:
        raise CannotStart("not installed")
    place.mkdir(exist_ok=True, parents=True)
    if not (place / "loaded").exists():
        shutil.rmtree(place)
        place.mkdir()
        _named(release, place / "data.nq")
        with _virtuoso(place) as ports:
            for statement in ("ld_dir('.', 'data.nq', 'urn:x')", "rdf_loader_run()", "checkpoint"):
                subprocess.run([isql, f"127.0.0.1:{ports[0]}", "dba", "dba", f"exec={statement};"], check=True, capture_output=True, timeout=LOADING)
        (place / "data.nq").unlink()
        (place / "loaded").touch()
    with _virtuoso(place) as ports:
        yield Endpoint(ports[1], "/sparql", f"default-graph-uri={quote(MERGE, safe='')}&")


# Oxigraph starts a thread for each query, which sleeps until the time is over: with 30 s, as we have, a few thousand light
# queries per second end the process (0.5.13).
_LIMITED = ("--timeout-s", "5")

ENGINES = (
    Engine("kvgraph", kvgraph, lambda: importlib.metadata.version("kvgraph")),
    Engine("oxigraph serve", oxigraph, lambda: importlib.metadata.version("oxigraph")),
    Engine("oxigraph serve, 5 s limit", lambda release, folder: oxigraph(release, folder, *_LIMITED), lambda: importlib.metadata.version("oxigraph")),
    Engine("rdflib-endpoint", rdflib_endpoint, lambda: RDFLIB_ENDPOINT.rpartition("=")[2]),
    Engine("Virtuoso", virtuoso, lambda: _virtuoso_version()),
)


# ── How they are started ─────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _running(command: list[str], folder: Path, port: int, path: str) -> Iterator[None]:
    """A server process, once it answers an ASK; it is killed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{Path(command[0]).name}.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, start_new_session=True)
    try:
        until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}{path}?query=ASK%7B%7D"), LOADING)
        if process.poll() is not None:
            raise CannotStart(log.read_text(errors="replace")[-500:])
        yield
    finally:
        process.kill()
        process.wait(30)


def _plain(release: Release, folder: Path) -> Path:
    """The N-Quads of a release, not compressed."""
    path = folder / "data.nq"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        with gzip.open(release.nquads) as source, open(draft, "wb") as target:
            shutil.copyfileobj(source, target)
        os.replace(draft, path)
    return path


def _named(release: Release, into: Path) -> None:
    """The same with a name for the default graph."""
    merge, default = ox.NamedNode(MERGE), ox.DefaultGraph()
    with gzip.open(release.nquads) as file:
        quads = ox.parse(file, format=ox.RdfFormat.N_QUADS)
        renamed = (ox.Quad(*q.triple, merge) if q.graph_name == default else q for q in quads)
        ox.serialize(renamed, str(into), format=ox.RdfFormat.N_QUADS)


def _rdflib_endpoint(folder: Path) -> Path:
    """The program, in an environment of its own: nothing else of ours needs what it brings."""
    place = folder / "rdflib-endpoint"
    if not (place / "ready").exists():
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([place / "bin" / "python", "-m", "pip", "install", "--quiet", RDFLIB_ENDPOINT], check=True, timeout=LOADING)
        (place / "ready").touch()
    return place / "bin" / "rdflib-endpoint"


_VIRTUOSO = """
[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
[TempDatabase]
DatabaseFile = virtuoso-temp.db
TransactionFile = virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{0}
NumberOfBuffers = 100000
MaxDirtyBuffers = 75000
DirsAllowed = .
[HTTPServer]
ServerPort = 127.0.0.1:{1}
ServerRoot = .
ServerThreads = 40
[SPARQL]
ResultSetMaxRows = 1000000
"""


@contextmanager
def _virtuoso(place: Path) -> Iterator[tuple[int, int]]:
    """A Virtuoso in a folder; gives its ports for SQL and HTTP."""
    ports = free_port(), free_port()
    (place / "virtuoso.ini").write_text(_VIRTUOSO.format(*ports), encoding="ascii")
    (place / "virtuoso.lck").unlink(missing_ok=True)  # it was killed
    with _running([shutil.which("virtuoso-t"), "+foreground", "+configfile", "virtuoso.ini"], place, ports[1], "/sparql"):
        yield ports


def _virtuoso_version() -> str:
    said = subprocess.run(["virtuoso-t", "-?"], capture_output=True, text=True)
    words = (said.stdout + said.stderr).split()
    return next((words[i + 1] for i, word in enumerate(words[:-1]) if word == "Version"), "?")
