"""Serve: keep the query pool and the web server running, and follow the current release.

The process that runs :func:`serve` answers nothing itself. It starts one query pool for the current release and one web
server (granian); when ``current`` points to another release it starts a pool for that one, tells the web processes
through the link ``serving`` once the new pool is ready, and lets the old pool finish. Everything the processes share is in a private run directory::

    <run>/<release id>.sock   where that release's pool listens        <run>/serving   a link: the release to answer from
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from . import releases
from .errors import KvgraphError
from .graph import Graph
from .store import PoolClient

READY_WITHIN = 60.0  # seconds a pool may take to load a release
GRACE = 35.0  # seconds an old pool is kept for the queries it is still answering: a little more than their time limit
WATCH_EVERY = 0.5  # seconds between two looks at the link and the children
_PR_SET_PDEATHSIG = 1


@dataclass
class Settings:
    """How to serve. ``timeout`` in seconds per query, ``memory`` in MB per query worker."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 8000
    web_workers: int = 2
    query_workers: int = 2
    timeout: float = 30.0
    memory: int = 2048


class PortTaken(KvgraphError):
    """Somebody else listens there."""


@dataclass
class _Pool:
    release: releases.Release
    process: subprocess.Popen
    retired: float | None = None


@dataclass
class _Supervisor:
    settings: Settings
    run: Path
    say: Callable[[str], None]
    pools: list[_Pool] = field(default_factory=list)
    web: subprocess.Popen | None = None

    def start_pool(self, release: releases.Release) -> None:
        """Start a pool for a release and point the web processes to it once it answers."""
        sock = self.run / f"{release.id}.sock"
        s = self.settings
        command = [
            sys.executable, "-m", "kvgraph.store.pool", "--graph", str(release.nquads), "--socket", str(sock),
            "--workers", str(s.query_workers), "--timeout", str(s.timeout), "--memory", str(s.memory),
        ]  # fmt: skip
        pool = _Pool(release, subprocess.Popen(command, preexec_fn=_die_with_parent, stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + READY_WITHIN
        while not _answers(sock):
            if pool.process.poll() is not None or time.monotonic() > deadline:
                pool.process.kill()
                raise KvgraphError(f"The query pool for release {release.id} did not start.", hint="Try: kvgraph doctor")
            time.sleep(0.02)
        self.pools.append(pool)
        _point(self.run / "serving", release.id)
        for old in self.pools[:-1]:
            old.retired = old.retired or time.monotonic()

    def start_web(self) -> None:
        s = self.settings
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", s.host, "--port", str(s.port),
            "--workers", str(s.web_workers), "--blocking-threads", "16", "--no-ws", "--respawn-failed-workers",
            "--log-level", "warning", "kvgraph.serve:app",
        ]  # fmt: skip
        env = {**os.environ, "KVGRAPH_RUN": str(self.run), "KVGRAPH_HOME": str(s.home)}
        self.web = subprocess.Popen(command, preexec_fn=_die_with_parent, env=env)
        deadline = time.monotonic() + READY_WITHIN
        while not _port_open(s.host, s.port):
            if self.web.poll() is not None or time.monotonic() > deadline:
                raise KvgraphError("The web server did not start.", hint="Try: kvgraph doctor")
            time.sleep(0.02)

    def watch(self) -> int:
        """Follow ``current`` and mend what dies, until the web server ends; returns its exit status."""
        while (status := self.web.poll()) is None:
            self.retire_old()
            serving = self.pools[-1]
            if serving.process.poll() is not None:
                self.say("The query pool ended; starting it again.")
                self.start_pool(serving.release)
            elif (wanted := _current(self.settings.home)) and wanted.id != serving.release.id:
                self.say(f"Release {wanted.id} is current now; switching to it.")
                self.start_pool(wanted)
            time.sleep(WATCH_EVERY)
        return status

    def retire_old(self) -> None:
        for pool in [p for p in self.pools[:-1] if time.monotonic() - (p.retired or 0) > GRACE]:
            pool.process.terminate()
            self.pools.remove(pool)

    def stop(self) -> None:
        children = [p for p in (self.web, *(p.process for p in self.pools)) if p and p.poll() is None]
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()


def serve(settings: Settings, say: Callable[[str], None] = print) -> int:
    """Serve the current release until interrupted; returns an exit status.

    Raises :class:`~kvgraph.releases.NoRelease` when nothing was built and :class:`PortTaken` when the port is in use.
    """
    release = releases.current(settings.home)
    require_port(settings.host, settings.port)
    run = Path(tempfile.mkdtemp(prefix="kvgraph-"))  # short: a socket's path may have 107 bytes at most
    supervisor = _Supervisor(settings, run, say)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        supervisor.start_pool(release)
        supervisor.start_web()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        say(f"kvgraph serves release {release.id} on http://{host}:{settings.port}/ (Ctrl-C stops it)")
        return supervisor.watch()
    except KeyboardInterrupt:
        return 0
    finally:
        supervisor.stop()
        shutil.rmtree(run, ignore_errors=True)


def serving_graph() -> Graph:
    """The graph to answer from now, for a web process. Cheap: one ``readlink`` unless the release has changed."""
    run = Path(os.environ["KVGRAPH_RUN"])
    return _graph_of(run, os.readlink(run / "serving"))


@lru_cache(maxsize=3)
def _graph_of(run: Path, release_id: str) -> Graph:
    release = releases.find(releases.home(), release_id)
    return Graph(PoolClient(run / f"{release_id}.sock"), release)


def __getattr__(name: str):
    # What granian imports in each of its workers; importing this module for serve() must not make an application.
    if name == "app":
        from .server import create_app

        return create_app(serving_graph)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _current(home: Path) -> releases.Release | None:
    with contextlib.suppress(releases.NoRelease):
        return releases.current(home)
    return None


def _point(link: Path, target: str) -> None:
    draft = link.with_name(f".{link.name}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    os.replace(draft, link)


def _answers(sock: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(sock)) == 0


def _port_open(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def require_port(host: str, port: int) -> None:
    """Raise :class:`PortTaken` if we could not listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"Cannot listen on {host}:{port}: {error.strerror}.",
                hint=f"Something else uses it, or it is not ours to use. Try another: kvgraph serve --port {port + 1 if port < 65535 else 8000}",
            ) from None


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _interrupt(*_) -> None:
    raise KeyboardInterrupt
