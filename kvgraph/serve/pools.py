"""The query pools of a server: one for the release being served, and one for each older release that somebody asks for.

Nothing here waits. :meth:`Pools.tend` is called a few times a second; it starts what is missing, notices what is ready or has ended, and ends what nobody
needs. With ``$KVGRAPH_ENDPOINT`` there are no processes: a release is ready as soon as that SPARQL endpoint holds it. A release that cannot be loaded is tried again after a while, ever more rarely, and never takes the place of the one being served.
"""

import contextlib
import json
import logging
import os
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .. import releases
from ..errors import KvgraphError
from ..graph import remote
from ..releases import Release
from ..store import Remote
from ..store.pool import is_ready, launch
from ..store.worker import Limits

PATIENCE = 120.0  # seconds a pool may take to load its release
GRACE = 5.0  # seconds beyond their time limit that queries to a release no longer served are given
PINNED = 2  # older releases that are kept loaded at once: each may take as much memory as the current one
IDLE = 600.0  # seconds without a question after which an older release is let go
FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0  # seconds before a failed pool is started again: doubled each time
QUICK = 5.0  # seconds an endpoint may take to say what it holds
STEADY = 10.0  # seconds a pool must have lived for its end to be an accident, and not a fault that comes back
log = logging.getLogger("kvgraph.serve")


class Elsewhere:
    """In place of a pool process: the endpoint that answers for a release. Raises a ``QueryError`` if it does not hold it."""

    def __init__(self, endpoint: Remote):
        endpoint.ping()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.returncode = 0

    kill = terminate


@dataclass
class Pool:
    """One pool process. ``retired`` is when its release stopped being served."""

    process: subprocess.Popen | Elsewhere
    begun: float
    ready: bool = False
    retired: float | None = None


@dataclass
class Trouble:
    """Why a release cannot be loaded, how often that was tried, and when it is tried next."""

    message: str
    times: int
    not_before: float


@dataclass
class Pools:
    """The pools below a run directory. ``timeout`` in seconds per query, ``memory`` in MB per query worker."""

    run: Path
    home: Path
    workers: int
    timeout: float
    memory: int
    serving: str | None = None
    pools: dict[str, Pool] = field(default_factory=dict)
    ending: dict[str, Pool] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    restarts: int = 0
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    _told: str = ""

    def begin(self) -> str:
        """Load the current release and wait for it; returns its id. Raises :class:`~kvgraph.errors.KvgraphError` if it cannot be loaded."""
        (self.run / "wanted").mkdir()
        first = releases.current(self.home).id
        self.tend()
        _point(self.run / "serving", first)  # what was answered when it was built needs no pool; the web processes wait with what does
        while self.serving is None:
            if trouble := self.troubles.get(first):
                raise KvgraphError(f"Release {first} cannot be served: {trouble.message}", hint="Serve another one with: kvgraph releases switch ID")
            time.sleep(0.02)
            self.tend()
        return self.serving

    def tend(self) -> None:
        """Everything that is to be done now."""
        self._notice()
        self._follow()
        pinned = self._pinned()
        for release_id in pinned:
            self._start(release_id, min(2, self.workers))
        self._let_go({self.serving, self._current(), *pinned})
        self._tell()

    def processes(self) -> list[subprocess.Popen]:
        return [pool.process for pool in (*self.pools.values(), *self.ending.values())]

    # What has happened

    def _notice(self) -> None:
        for release_id, pool in list(self.pools.items()):
            try:
                if pool.ready:
                    self._still_there(pool)
                elif isinstance(pool.process, Elsewhere) or is_ready(pool.process):
                    pool.ready = True
                    self.troubles.pop(release_id, None)
                elif time.monotonic() - pool.begun > PATIENCE:
                    pool.process.kill()
                    raise KvgraphError(f"It was not loaded after {PATIENCE:g} s.")
            except KvgraphError as error:
                del self.pools[release_id]
                pool.process.wait()
                self._failed(release_id, error.message, steady=pool.ready and time.monotonic() - pool.begun > STEADY)
        for release_id, pool in list(self.ending.items()):
            if pool.process.poll() is not None:
                del self.ending[release_id]

    def _still_there(self, pool: Pool) -> None:
        if pool.process.poll() is not None:
            self.restarts += 1
            raise KvgraphError("The query pool ended.")

    def _failed(self, release_id: str, message: str, steady: bool = False) -> None:
        times = 0 if steady else self.troubles[release_id].times + 1 if release_id in self.troubles else 1
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (times - 1)) if times else 0.0
        self.troubles[release_id] = Trouble(message, times, time.monotonic() + delay)
        still = f" Release {self.serving} is served on." if self.serving not in (None, release_id) else ""
        log.error("Release %s: %s%s Trying again in %g s.", release_id, message, still, delay)

    # What is wanted

    def _current(self) -> str | None:
        with contextlib.suppress(releases.NoRelease):
            return releases.current(self.home).id
        return None

    def _follow(self) -> None:
        """Serve what ``current`` points to as soon as its pool is ready, and until then what was served before."""
        current = self._current()
        if current and current != self.serving:
            self._start(current, self.workers)
            if current in self.pools and self.pools[current].ready:
                self._switch(current)
        if self.serving:
            self._start(self.serving, self.workers)

    def _switch(self, release_id: str) -> None:
        _point(self.run / "serving", release_id)
        if self.serving:
            log.warning("Release %s is served now.", release_id)
            if self.serving in self.pools:
                self.pools[self.serving].retired = time.monotonic()
        self.pools[release_id].retired = None
        self.serving = release_id

    def _pinned(self) -> list[str]:
        """The older releases to keep loaded: those asked for last, but none makes way for another before its queries must have ended."""
        now, asked = time.time(), []
        for file in (self.run / "wanted").iterdir():
            age = now - file.stat().st_mtime
            if age > IDLE or file.name == self.serving:
                file.unlink()
            else:
                in_use = file.name in self.pools and age <= self.timeout + GRACE
                asked.append((not in_use, age, file.name))
        return [name for _, _, name in sorted(asked)[:PINNED]]

    # Starting and ending

    def _start(self, release_id: str, workers: int) -> None:
        trouble = self.troubles.get(release_id)
        if release_id in self.pools or release_id in self.ending or (trouble and time.monotonic() < trouble.not_before):
            return
        try:
            release = releases.find(self.home, release_id)
            require_whole(release)
            releases.readable(release)
            limits = Limits(timeout=self.timeout, memory=self.memory * 2**20)
            endpoint = remote(release_id, timeout=QUICK)
            process = Elsewhere(endpoint) if endpoint else launch(release.graph, self.run / f"{release_id}.sock", workers, limits)
        except (KvgraphError, OSError) as error:
            self._failed(release_id, str(error))
        else:
            self.pools[release_id] = Pool(process, time.monotonic())

    def _let_go(self, needed: set[str | None]) -> None:
        for release_id, pool in list(self.pools.items()):
            retiring = pool.retired and time.monotonic() - pool.retired < self.timeout + GRACE
            if release_id not in needed and not retiring:
                pool.process.terminate()
                self.ending[release_id] = self.pools.pop(release_id)
        for release_id in self.troubles.keys() - needed:
            del self.troubles[release_id]

    def _tell(self) -> None:
        """Write ``state.json`` for the web processes, when it has changed."""
        state = json.dumps({
            "since": self.since, "pool_restarts": self.restarts, "loaded": sorted(i for i, p in self.pools.items() if p.ready),
            "troubles": {i: t.message for i, t in self.troubles.items() if t.times},
        })  # fmt: skip
        if state != self._told:
            draft = self.run / ".state.json"
            draft.write_text(state, encoding="utf-8")
            os.replace(draft, self.run / "state.json")
            self._told = state


def require_whole(release: Release) -> None:
    """Raise :class:`~kvgraph.errors.KvgraphError` if a file of a release is missing or has not the size its manifest says."""
    try:
        files = release.manifest["files"]
    except (OSError, ValueError, KeyError):
        raise KvgraphError("Its manifest cannot be read.") from None
    for name, facts in files.items():
        path = release.path / name
        if not path.is_file() or path.stat().st_size != facts["bytes"]:
            raise KvgraphError(f"Its file {name} is damaged or missing.")


def _point(link: Path, target: str) -> None:
    draft = link.with_name(f".{link.name}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    os.replace(draft, link)
