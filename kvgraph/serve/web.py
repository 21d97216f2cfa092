"""What a web process runs: the application, and the graph each request is answered from."""

import fcntl
import gc
import json
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from .. import logs, releases
from ..errors import KvgraphError
from ..graph import Graph, remote
from ..releases import Release
from ..server import create_app, metrics
from ..server.metrics import Counted
from ..store import Answers, Cached, Outcome, PoolBusy, PoolClient, Remote
from . import trusted_proxies

TURN = 0.0005  # seconds after which a thread that makes a page lets another one go on: Python's 5 ms are several times what giving a kept page takes
GARBAGE = 20_000  # objects more than were freed, before garbage is looked for
FRESH = 0.02  # seconds for which we know which release is served
LOADING = 15.0  # seconds a request waits for a release to be loaded
_waiting = threading.BoundedSemaphore(16)  # of the many threads: the others go on with what can be answered now


class Graphs:
    """Gives the graph of a release, without an id that of the release being served. Cheap: at times one ``readlink``."""

    def __init__(self, run: Path, home: Path):
        self.run, self.home = run, home
        self._link = str(run / "serving")
        self._read, self._serving = 0.0, ""
        self._graph = lru_cache(maxsize=3)(self._opened)

    def __call__(self, release_id: str | None = None) -> Graph:
        """Raises :class:`~kvgraph.releases.NoRelease` for an unknown id."""
        now = time.monotonic()
        if now - self._read > FRESH:
            try:
                self._serving, self._read = os.readlink(self._link), now
            except FileNotFoundError:
                raise PoolBusy(1, "The server is starting.", "Try again in a second.") from None
        serving = self._serving
        if release_id is None or release_id == serving:
            return self._graph(serving)
        return _older(self.run, releases.readable(releases.find(self.home, release_id)))

    def _opened(self, release_id: str) -> Graph:
        release = releases.find(self.home, release_id)
        return Graph(_backend(self.run, release), release)


class Awaited(PoolClient):
    """A query pool that is waited for while it loads, by some at once: the others are asked to come back. ``run`` is the run directory."""

    run: Path

    def answer_file(self, *args: Any, **options: Any) -> tuple[Outcome, BinaryIO]:
        """See :meth:`PoolClient.answer_file <kvgraph.store.PoolClient.answer_file>`. Raises :class:`~kvgraph.store.PoolBusy` if it is not loaded in time."""
        if self._desk_here is None and not self._listens():
            self._wait()
        return super().answer_file(*args, **options)

    def _wait(self) -> None:
        release = self.socket_path.stem
        later = PoolBusy(5, f"Release {release} is not loaded yet.", "It is loaded when the server starts, an older one when it is asked for. Try again in 5 s.")
        if not _waiting.acquire(blocking=False):
            raise later
        try:
            deadline = time.monotonic() + LOADING
            while not self._listens():
                if time.monotonic() > deadline or release in state(self.run)["troubles"]:
                    raise later
                time.sleep(0.05)
        finally:
            _waiting.release()

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket_path)) == 0


class CachedPool(Cached, Counted, Awaited):
    """A query pool whose answers are kept: what it has answered, and what was answered when its release was built, is there while it loads."""

    def __init__(self, run: Path, release_id: str):
        super().__init__(run / f"{release_id}.sock")
        self.run = run


class CachedRemote(Cached, Counted, Remote):
    """An endpoint whose answers are kept."""


@lru_cache(maxsize=1)
def _answers(run: Path) -> Answers:
    """Where the web processes of this server keep answers, all of them together."""
    given = os.environ.get("KVGRAPH_CACHE_MB", "256")
    if not (given.isascii() and given.isdigit()):
        raise KvgraphError(f"KVGRAPH_CACHE_MB is a number of megabytes, not {given[:40]!r}.")
    return Answers(run / "answers", max_bytes=int(given) * 2**20, count=metrics.count)


def _backend(run: Path, release: Release) -> CachedPool | CachedRemote:
    """What answers for a release: the endpoint that was configured, under the time limit of this server, else our pool."""
    timeout = float(os.environ.get("KVGRAPH_TIMEOUT", Remote.TIMEOUT))
    engine = remote(release.id, kind=CachedRemote, timeout=timeout) or CachedPool(run, release.id)
    return engine.keeping(_answers(run), release.id, release.path / "answers")


@lru_cache(maxsize=8)
def _older(run: Path, release: Release) -> Graph:
    backend = _backend(run, release)
    return OlderGraph(run, release, backend) if isinstance(backend, CachedPool) else Graph(backend, release)


class OlderGraph(Graph):
    """A release that is loaded when its first query comes; what needs no query (dumps, search) is there at once."""

    def __init__(self, run: Path, release: Release, pool: CachedPool):
        self.release = release
        self._wanted = run / "wanted" / release.id
        self._pool = pool

    @property
    def backend(self) -> CachedPool:
        """The pool of this release, which may have to be loaded."""
        self._wanted.touch()  # each time: it is kept loaded while it is asked
        return self._pool


def state(run: Path) -> dict:
    """What the supervisor last said: ``since``, ``pool_restarts``, ``loaded`` releases, ``troubles`` by release."""
    return json.loads((run / "state.json").read_text(encoding="utf-8"))


def application() -> Flask:
    """The application as granian runs it, in the run directory ``$KVGRAPH_RUN`` of a :func:`kvgraph.serve.serve`."""
    run = Path(os.environ["KVGRAPH_RUN"])
    stay_on_one_processor(run)
    logs.configure()
    _answers(run)  # says at once what is wrong with its setting
    app = create_app(Graphs(run, releases.home()), {"HOME": releases.home(), "STATE": lambda: state(run), **_rate()})
    if proxies := trusted_proxies():
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)
    # What is here by now stays: looking through it for garbage took a third of the time of a light query.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)
    sys.setswitchinterval(TURN)
    return app


def stay_on_one_processor(run: Path) -> int | None:
    """Has this process, with the threads it starts from now on, run on one processor that no other web process has; its number, None if there is none left.

    The threads of a Python process take turns anyway. Where a turn has to be told to another processor, which may sleep, that takes longer than many
    a query: on a virtual machine with two processors this answers a third more queries.
    """
    there = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    first = crc32(run.name.encode()) % max(1, len(there))  # two servers on a large machine are not to meet on the first ones
    for processor in there[first:] + there[:first]:
        lock = os.open(run / f"processor-{processor}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process ends, however it does
        except BlockingIOError:
            os.close(lock)
            continue
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):  # it ended just now
                os.sched_setaffinity(int(thread), {processor})
        return processor
    return None


def _rate() -> dict:
    return {"RATE": os.environ["KVGRAPH_RATE"].strip()} if "KVGRAPH_RATE" in os.environ else {}
