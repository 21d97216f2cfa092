"""The parent of the pool: one thread, one loop, which hands queries to workers and outlives whatever they do."""

from __future__ import annotations

import math
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field

from kvgraph.store import sandbox, wire, worker
from kvgraph.store.embedded import Embedded
from kvgraph.store.errors import EngineCrashed, PoolBusy, QueryError, QueryTimeout, QueryTooLarge, to_wire
from kvgraph.store.guard import Bounds
from kvgraph.store.turns import OWN, Job, Turns
from kvgraph.store.worker import Limits

_SLOW = 0.05  # seconds: a shorter query cannot have taken memory worth counting (counting takes about a millisecond)
_DYING = 0.1  # seconds: a worker killed this soon after it got a query was killed before, and not for it


@dataclass(eq=False)
class Worker:
    """One worker as the parent sees it."""

    pid: int
    channel: wire.Channel
    ready: bool = False
    job: Job | None = None
    answered: int = 0


@dataclass
class Dispatcher:
    """Accepts clients on a listening socket and answers them with workers forked from this process.

    The process must have one thread, or a fork may copy a lock that nobody will ever release.
    """

    engine: Embedded
    listener: socket.socket
    workers_wanted: int
    limits: Limits
    workers: list[Worker] = field(default_factory=list)
    clients: dict[wire.Channel, Job | None] = field(default_factory=dict)
    restarts: int = 0
    isolation: dict = field(default_factory=dict)

    def __post_init__(self):
        self.waiting = Turns(self.limits.queue)
        self.selector = selectors.DefaultSelector()
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.not_before = 0.0  # no fork before: a worker that dies while starting must not become a fork bomb

    # The loop

    def run(self, on_ready) -> None:
        """Serves until an exception (a signal handler's) ends it; calls ``on_ready`` once every worker is up."""
        while True:
            self._fill()
            self._assign()
            for key, events in self.selector.select(self._patience()):
                if key.data is None:
                    self._accept()
                elif key.fileobj.fileno() < 0:
                    continue  # dropped a moment ago, by another event of the same batch
                elif events & selectors.EVENT_WRITE:
                    key.fileobj.flush()
                    self._watch(key.fileobj, key.data)
                else:
                    key.data(key.fileobj)
            self._expire()
            self._reap()
            if on_ready and len(self.workers) == self.workers_wanted and all(w.ready for w in self.workers):
                on_ready()
                on_ready = None

    def close(self) -> None:
        """Ends every worker. Their queries' clients see the connection close."""
        for one in self.workers:
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)
        self.selector.close()

    def _patience(self) -> float:
        """Seconds until something is due even if nobody says anything."""
        due = [w.job.deadline for w in self.workers if w.job]
        due += [job.arrived + self.limits.wait for job in self.waiting]
        if len(self.workers) < self.workers_wanted:
            due.append(self.not_before)
        return max(0.0, min(due, default=math.inf) - time.monotonic()) if due else 60.0

    def _watch(self, channel: wire.Channel, handler) -> None:
        """Listens to a channel, for writing as well while something is left to write."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if channel.waiting else 0)
        if channel.fileno() in self.selector.get_map():
            if self.selector.get_key(channel).events != events:
                self.selector.modify(channel, events, handler)
        else:
            self.selector.register(channel, events, handler)

    def _drop(self, channel: wire.Channel) -> None:
        self.selector.unregister(channel)
        channel.close()

    # Clients

    def _accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except OSError:  # gone again, or no descriptors left: those who have one are served on
            return
        channel = wire.Channel(sock, Bounds.text)
        self.clients[channel] = None
        self._watch(channel, self._hear_client)

    def _hear_client(self, channel: wire.Channel) -> None:
        try:
            frame = channel.read()
        except EOFError:
            self._hung_up(channel)
        except wire.FrameTooLarge:
            limit = Bounds.text
            error = QueryTooLarge(f"The request is longer than {limit:,} bytes.", "Put long lists in several queries.", limit="text")
            self._tell(channel, {"error": to_wire(error)})
        except ValueError as error:
            self._tell(channel, {"error": to_wire(QueryError(f"This is no frame of the pool's protocol: {error}"))})
        else:
            if frame:
                self._request(channel, *frame)

    def _hung_up(self, channel: wire.Channel) -> None:
        """A client that left frees what it held: its place in the queue, or the worker that still computes for it."""
        job = self.clients.pop(channel)
        self._drop(channel)
        if job is None:
            return
        busy = next((w for w in self.workers if w.job is job), None)
        if busy:
            self._kill(busy)
        else:
            self.waiting.remove(job)

    def _request(self, channel: wire.Channel, header: dict, body: bytes) -> None:
        op = header.get("op")
        if self.clients[channel] is not None:
            self._hung_up(channel)  # a second question before the first answer: this is not our protocol
        elif op == "ping":
            self._tell(channel, {"ok": {}})
        elif op == "status":
            self._tell(channel, {"ok": self.status()})
        elif op == "query":
            self._enqueue(channel, header, body)
        else:
            self._tell(channel, {"error": to_wire(QueryError(f"The pool knows no operation {str(op)[:40]!r}."))})

    def _tell(self, channel: wire.Channel, header: dict, fd: int | None = None) -> None:
        channel.send(header, fd=fd)
        self._watch(channel, self._hear_client)

    # Queries

    def _enqueue(self, channel: wire.Channel, header: dict, query: bytes) -> None:
        asked = header.get("timeout")
        timeout = min(self.limits.timeout, asked) if isinstance(asked, int | float) and asked > 0 else self.limits.timeout
        job = Job(channel, header, query, str(header.get("client") or OWN), timeout, time.monotonic())
        if self.waiting.add(job):
            self.clients[channel] = job
        else:
            self._tell(channel, {"error": to_wire(self._busy())})

    def _busy(self) -> PoolBusy:
        soonest = min((w.job.deadline for w in self.workers if w.job), default=0.0) - time.monotonic()
        return PoolBusy(max(1, math.ceil(soonest)))

    def _assign(self) -> None:
        for free in [w for w in self.workers if w.ready and w.job is None]:
            strangers = sum(1 for w in self.workers if w.job and w.job.who != OWN)
            job = self.waiting.next(strangers_may=strangers < max(1, self.workers_wanted - 1))
            if job is None:
                return
            try:
                job.file = _unlinked_file()
            except OSError as error:
                self._finish(job, {"error": to_wire(EngineCrashed(f"No place to write the answer to: {error.strerror}."))})
                continue
            job.deadline = time.monotonic() + job.timeout
            free.job = job
            free.channel.send(job.header, job.query, fd=os.dup(job.file))
            self._watch(free.channel, self._hear_worker)

    def _finish(self, job: Job, header: dict) -> None:
        """Sends a client its reply, and the file if it is a good one."""
        self.clients[job.client] = None
        fd = None
        if "ok" in header:
            os.lseek(job.file, 0, os.SEEK_SET)  # the worker's end shares the offset
            fd = job.file
        elif job.file >= 0:
            os.close(job.file)
        self._tell(job.client, header, fd)

    # Workers

    def _fill(self) -> None:
        """Forks until there are as many workers as wanted."""
        while len(self.workers) < self.workers_wanted and time.monotonic() >= self.not_before:
            ours, theirs = socket.socketpair()
            parent = os.getpid()
            try:
                pid = os.fork()
            except OSError as error:
                _log(f"cannot start a worker: {error}")
                self.not_before = time.monotonic() + 1
                return
            if pid == 0:
                try:
                    worker.main(theirs, self.engine, self.limits, parent)
                finally:
                    os._exit(0)
            theirs.close()
            new = Worker(pid, wire.Channel(ours, wire.MAX_HEADER))
            self.workers.append(new)
            self._watch(new.channel, self._hear_worker)

    def _hear_worker(self, channel: wire.Channel) -> None:
        one = next(w for w in self.workers if w.channel is channel)
        try:
            frame = channel.read()
        except (EOFError, ValueError, wire.FrameTooLarge):
            self._died(one)
            return
        if frame is None:
            return
        header, _ = frame
        if not one.ready:
            one.ready, self.isolation = True, header["ready"]
            return
        job, one.job = one.job, None
        retire = header.pop("retire", False)
        one.answered += 1
        started = job.deadline - job.timeout
        self._finish(job, header)
        if retire or (time.monotonic() - started > _SLOW and sandbox.private_bytes(one.pid) > self.limits.recycle):
            self._kill(one)

    def _died(self, one: Worker) -> None:
        """A worker ended by itself: its query is told why, as far as the signal shows it."""
        os.kill(one.pid, signal.SIGKILL)  # it may only have closed its socket
        _, status = os.waitpid(one.pid, 0)
        by = -os.waitstatus_to_exitcode(status)
        if not one.ready:
            self.not_before = time.monotonic() + 1
        _log(f"worker {one.pid} ended ({worker.signal_name(by)})")
        job = one.job
        if job and by == signal.SIGKILL and not job.again and time.monotonic() - (job.deadline - job.timeout) < _DYING:
            os.close(job.file)
            job.file, job.deadline, job.again = -1, math.inf, True
            self.waiting.put_back(job)
        elif job:
            self._finish(job, {"error": to_wire(worker.cause_of_death(by, self.limits))})
        self._forget(one)

    def _kill(self, one: Worker) -> None:
        os.kill(one.pid, signal.SIGKILL)
        if one.job and one.job.client not in self.clients:
            os.close(one.job.file)
        self._forget(one)

    def _forget(self, one: Worker) -> None:
        self.restarts += 1
        self.workers.remove(one)
        self._drop(one.channel)

    def _expire(self) -> None:
        """Stops queries that are over their time, and sends away who waited too long."""
        now = time.monotonic()
        for one in [w for w in self.workers if w.job and w.job.deadline <= now]:
            self._finish(one.job, {"error": to_wire(QueryTimeout(one.job.timeout))})
            one.job = None
            self._kill(one)
        for job in [job for job in self.waiting if job.arrived + self.limits.wait <= now]:
            self.waiting.remove(job)
            self._finish(job, {"error": to_wire(self._busy())})

    def _reap(self) -> None:
        """Collects killed workers; freeing a large memory takes them a while, and nobody waits for it."""
        alive = {w.pid for w in self.workers}
        try:
            # A worker still in the list is left to _died, which wants to know how it ended.
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in alive:
                os.waitpid(ended.si_pid, 0)
        except ChildProcessError:
            pass

    def status(self) -> dict:
        """What an operator wants to know."""
        now = time.monotonic()
        return {
            "pid": os.getpid(),
            "workers": [
                {
                    "pid": w.pid,
                    "ready": w.ready,
                    "busy": round(now - (w.job.deadline - w.job.timeout), 3) if w.job else None,
                    "answered": w.answered,
                    "private_bytes": sandbox.private_bytes(w.pid),
                }
                for w in self.workers
            ],
            "restarts": self.restarts,
            "waiting": len(self.waiting),
            "isolation": self.isolation,
            "limits": asdict(self.limits),
        }


def _unlinked_file() -> int:
    """A file without a name, gone as soon as nobody has it open."""
    return os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)


def _log(message: str) -> None:
    print(f"kvgraph pool: {message}", file=sys.stderr, flush=True)
