"""Serve: keep the query pools and the web server running, and follow the current release.

The process that runs :func:`serve` answers nothing itself. It looks after the query pools (:mod:`kvgraph.serve.pools`), has what curators accepted built
into the next release (:mod:`kvgraph.serve.publishing`), and looks after one web server (granian), whose processes run :mod:`kvgraph.serve.web`. What they share is in a private run directory::

    <id>.sock   where that release's pool listens      serving      a link: the release to answer from, whether its pool has loaded it yet or not
    wanted/     a file for each older release asked for; its time is that of the last question
    state.json  what operators want to know            metrics/     counters of every web process
"""

import contextlib
import ctypes
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import logs, releases
from ..errors import KvgraphError
from .pools import Pools
from .publishing import Publisher

READY_WITHIN = 60.0  # seconds the web server may take to answer
WATCH_EVERY = 0.2  # seconds between two looks at the releases and the children
QUICK = 5.0  # seconds a child may take to end before it is killed
PROXIES = "KVGRAPH_TRUSTED_PROXIES"
_PR_SET_PDEATHSIG = 1
log = logging.getLogger("kvgraph.serve")


@dataclass
class Settings:
    """How to serve. ``timeout`` in seconds per query, ``memory`` in MB per query worker."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 8000
    web_workers: int = 2
    query_workers: int = 4  # one is always kept for our own pages
    timeout: float = 30.0
    memory: int = 2048
    data: Path | None = None  # the folder of curated records that the next release is built from; None: the bundled ones


class PortTaken(KvgraphError):
    """Somebody else listens there."""


def serve(settings: Settings, say: Callable[[str], None] = print) -> int:
    """Serve the current release until interrupted; returns an exit status: 0 then, 1 when the web server ended by itself.

    Raises :class:`~kvgraph.releases.NoRelease` when nothing was built, :class:`PortTaken` when the port is in use, and
    :class:`~kvgraph.errors.KvgraphError` when a setting is wrong or the release cannot be loaded.
    """
    releases.readable(releases.current(settings.home))
    require_port(settings.host, settings.port)
    trusted_proxies()
    logs.configure()
    run = Path(tempfile.mkdtemp(prefix="kvgraph-"))  # short: a socket's path may have 107 bytes at most
    pools, web = Pools(run, settings.home, settings.query_workers, settings.timeout, settings.memory), None
    publisher = Publisher(settings.home, settings.data)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        web = _start_web(settings, run)  # while the pool loads: until it has, the server says that it is starting
        serving = pools.begin()
        _wait_for_web(settings, web)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        say(f"kvgraph serves release {serving} on http://{host}:{settings.port}/ (Ctrl-C stops it)")
        return _watch(pools, publisher, web)
    except KeyboardInterrupt:
        return 0
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)  # a second one must not interrupt the tidying
        _stop(pools.processes() + publisher.processes() + ([web] if web else []))
        if web:
            _kill_group(web.pid)
        shutil.rmtree(run, ignore_errors=True)


def _watch(pools: Pools, publisher: Publisher, web: subprocess.Popen) -> int:
    while web.poll() is None:
        pools.tend()
        publisher.tend()
        time.sleep(WATCH_EVERY)
    log.error("The web server ended (status %s); stopping.", web.returncode)
    return 1


def _start_web(settings: Settings, run: Path) -> subprocess.Popen:
    command = [
        sys.executable, "-m", "kvgraph.serve.wsgi", "--interface", "wsgi", "--host", settings.host, "--port", str(settings.port),
        "--workers", str(settings.web_workers), "--blocking-threads", "192", "--no-ws", "--respawn-failed-workers",
        "--workers-kill-timeout", "2", "--log-level", "error", "kvgraph.serve.wsgi:app",
    ]  # fmt: skip
    (run / "metrics").mkdir()
    env = {"KVGRAPH_RUN": str(run), "KVGRAPH_HOME": str(settings.home)}
    env["KVGRAPH_TIMEOUT"] = str(settings.timeout)
    # In a session of its own: Ctrl-C in a terminal is for us, and we tell it to end.
    return subprocess.Popen(command, preexec_fn=_die_with_parent, env={**os.environ, **env}, start_new_session=True)


def _wait_for_web(settings: Settings, web: subprocess.Popen) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not _port_open(settings.host, settings.port):
        if web.poll() is not None or time.monotonic() > deadline:
            _stop([web])
            raise KvgraphError("The web server did not start.", hint="Try: kvgraph doctor")
        time.sleep(0.02)


def _stop(children: list[subprocess.Popen]) -> None:
    """Ends all of them at once, and waits for each."""
    alive = [child for child in children if child.poll() is None]
    for child in alive:
        child.terminate()
    deadline = time.monotonic() + QUICK
    for child in alive:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _kill_group(leader: int) -> None:
    """Ends what a process that is gone may have left behind: its workers."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def trusted_proxies() -> int:
    """How many proxies in front of us are trusted to say who the client is (``$KVGRAPH_TRUSTED_PROXIES``): none unless set."""
    given = os.environ.get(PROXIES, "0")
    if not (given.isascii() and given.isdigit() and int(given) < 10):
        raise KvgraphError(f"{PROXIES} is a number of proxies, not {given[:40]!r}.", hint="With one nginx in front: 1. Without a proxy: 0.")
    return int(given)


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


def _port_open(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _interrupt(*_) -> None:
    raise KeyboardInterrupt
