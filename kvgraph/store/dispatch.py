"""The parent of the pool: one thread, one loop, which hands queries to workers and outlives whatever they do."""

from __future__ import annotations

import math
import os
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from kvgraph.store import sandbox, wire, worker
from kvgraph.store.embedded import Embedded
from kvgraph.store.errors import EngineCrashed, PoolBusy, QueryError, QueryTimeout, QueryTooLarge, to_wire
from kvgraph.store.guard import Bounds
from kvgraph.store.turns import OWN, SLOW, Job, Turns
from kvgraph.store.worker import Limits

_SLOW = 0.01  # seconds: a shorter query cannot have taken memory worth counting
_DYING = 0.1  # seconds: a worker killed this soon after it got a query was killed before, and not for it


@dataclass(eq=False)
class Worker:
    """One worker as the parent sees it."""

    pid: int
    channel: wire.Channel
    ready: bool = False
    size: int = 0  # bytes of address space when it was ready
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
        self.poll = select.epoll()
        self.heard: dict[int, tuple[wire.Channel, Callable[[wire.Channel], None]]] = {}  # by descriptor: who listens to what
        self.listener.setblocking(False)
        self.poll.register(self.listener, select.EPOLLIN)
        self.not_before = 0.0  # no fork before: a worker that dies while starting must not become a fork bomb
        self.starting = True  # these workers may take their time; those that replace others are needed at once
        self.dying: set[int] = set()  # killed, and not collected yet

    # The loop

    def run(self, on_ready) -> None:
        """Serves until an exception (a signal handler's) ends it; calls ``on_ready`` once every worker is up."""
        while True:
            if len(self.workers) < self.workers_wanted:
                self._fill()
            self._assign()
            due = self._due()
            for fd, event in self.poll.poll(max(0.0, due - time.monotonic())):
                channel, hear = self.heard.get(fd, (None, None))
                if fd == self.listener.fileno():
                    self._accept()
                elif channel is None:
                    continue  # dropped a moment ago, by another event of the same batch
                elif event & select.EPOLLOUT:
                    channel.flush()
                    if not channel.waiting:
                        self.poll.modify(fd, select.EPOLLIN)
                else:
                    hear(channel)
            if due <= time.monotonic():
                self._expire()
            if self.dying:
                self._reap()
            if on_ready and len(self.workers) == self.workers_wanted and all(w.ready for w in self.workers):
                on_ready()
                on_ready, self.starting = None, False

    def close(self) -> None:
        """Ends every worker. Their queries' clients see the connection close."""
        for one in self.workers:
            with suppress(ProcessLookupError, ChildProcessError):  # it ended by itself, and the end of this process came while it was collected
                os.kill(one.pid, signal.SIGKILL)
                os.waitpid(one.pid, 0)
        self.poll.close()

    def _due(self) -> float:
        """When something is to be done even if nobody says anything."""
        due = time.monotonic() + 60.0
        for one in self.workers:
            if one.job and one.job.deadline < due:
                due = one.job.deadline
        for job in self.waiting:
            due = min(due, job.arrived + self.limits.wait)
        if len(self.workers) < self.workers_wanted:
            due = min(due, self.not_before)
        return due

    def _listen(self, channel: wire.Channel, hear: Callable[[wire.Channel], None]) -> None:
        self.heard[channel.fileno()] = channel, hear
        self.poll.register(channel, select.EPOLLIN)

    def _send(self, channel: wire.Channel, frame: bytes, fd: int | None = None) -> None:
        channel.send(frame, fd)
        if channel.waiting:
            self.poll.modify(channel, select.EPOLLIN | select.EPOLLOUT)

    def _drop(self, channel: wire.Channel) -> None:
        del self.heard[channel.fileno()]
        self.poll.unregister(channel)
        channel.close()

    # Clients

    def _accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except OSError:  # gone again, or no descriptors left: those who have one are served on
            return
        channel = wire.Channel(sock, Bounds.text)
        self.clients[channel] = None
        self._listen(channel, self._hear_client)

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
            self.waiting.ended(job, time.monotonic())
            self._kill(busy)
        else:
            self.waiting.remove(job)

    def _request(self, channel: wire.Channel, header: dict, frame: bytes) -> None:
        op = header.get("op")
        if self.clients[channel] is not None:
            self._hung_up(channel)  # a second question before the first answer: this is not our protocol
        elif op == "ping":
            self._tell(channel, {"ok": {}})
        elif op == "status":
            self._tell(channel, {"ok": self.status()})
        elif op == "query":
            self._enqueue(channel, header, frame)
        else:
            self._tell(channel, {"error": to_wire(QueryError(f"The pool knows no operation {str(op)[:40]!r}."))})

    def _tell(self, channel: wire.Channel, header: dict) -> None:
        self._send(channel, wire.pack(header))

    # Queries

    def _enqueue(self, channel: wire.Channel, header: dict, frame: bytes) -> None:
        asked = header.get("timeout")
        timeout = min(self.limits.timeout, asked) if isinstance(asked, int | float) and asked > 0 else self.limits.timeout
        job = Job(channel, frame, str(header.get("client") or OWN), timeout, time.monotonic())
        if self.waiting.add(job):
            self.clients[channel] = job
        else:
            self._tell(channel, {"error": to_wire(self._busy())})

    def _busy(self) -> PoolBusy:
        soonest = min((w.job.deadline for w in self.workers if w.job), default=0.0) - time.monotonic()
        return PoolBusy(max(1, math.ceil(soonest)))

    def _assign(self) -> None:
        """Gives waiting queries to free workers."""
        if not self.waiting:
            return
        now, most = time.monotonic(), max(1, self.workers_wanted - 1)
        for free in [w for w in self.workers if w.ready and w.job is None]:
            strangers = [w.job for w in self.workers if w.job and w.job.who != OWN]
            slow = sum(now - job.started > SLOW or self.waiting.slow(job.who, now) for job in strangers)
            job = self.waiting.next(len(strangers) < most, slow < max(1, most - 1), now)
            if job is None:
                return
            job.deadline = now + job.timeout
            free.job = job
            self._send(free.channel, job.frame)

    def _finish(self, job: Job, frame: bytes, good: bool = False) -> None:
        """Sends a client its reply, and the file if there is one and the reply is a good one."""
        self.clients[job.client] = None
        self.waiting.ended(job, time.monotonic())
        fd = None
        if good and job.file >= 0:
            os.lseek(job.file, 0, os.SEEK_SET)  # the worker's end shares the offset
            fd = job.file
        elif job.file >= 0:
            os.close(job.file)
        self._send(job.client, frame, fd)

    def _refuse(self, job: Job, error: QueryError) -> None:
        self._finish(job, wire.pack({"error": to_wire(error)}))

    def _give_file(self, one: Worker) -> None:
        """A file without a name for an answer that has become long."""
        try:
            file = one.job.file = os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._send(one.channel, wire.pack({"error": to_wire(EngineCrashed(f"No place to write the answer to: {error.strerror}."))}))
        else:
            self._send(one.channel, wire.pack({}), os.dup(file))

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
                    worker.main(theirs, self.engine, self.limits, parent, warm=self.starting)
                finally:
                    os._exit(0)
            theirs.close()
            new = Worker(pid, wire.Channel(ours, wire.MAX_HEADER))
            self.workers.append(new)
            self._listen(new.channel, self._hear_worker)

    def _hear_worker(self, channel: wire.Channel) -> None:
        one = next(w for w in self.workers if w.channel is channel)
        try:
            frame = channel.read()
        except (EOFError, ValueError, wire.FrameTooLarge):
            self._died(one)
            return
        if frame is None:
            return
        header, reply = frame
        if not one.ready:
            one.ready, self.isolation, one.size = True, header["ready"], sandbox.address_space(one.pid)
        elif one.job is None:
            self._died(one)  # nobody asked: its process is not to be trusted again
        elif "long" in header:
            self._give_file(one)
        else:
            job, one.job = one.job, None
            one.answered += 1
            self._finish(job, reply, good="ok" in header)
            if "retire" in header or self._grown(one, job):
                self._kill(one)

    def _grown(self, one: Worker, job: Job) -> bool:
        """Whether a worker keeps more memory than it may. What it came to own of the graph by reading it does not count: that has an end."""
        took = time.monotonic() - job.started
        return took > _SLOW and sandbox.address_space(one.pid) - one.size > self.limits.recycle

    def _died(self, one: Worker) -> None:
        """A worker ended by itself: its query is told why, as far as the signal shows it."""
        os.kill(one.pid, signal.SIGKILL)  # it may only have closed its socket
        _, status = os.waitpid(one.pid, 0)
        by = -os.waitstatus_to_exitcode(status)
        if not one.ready:
            self.not_before = time.monotonic() + 1
        _log(f"worker {one.pid} ended ({worker.signal_name(by)})")
        job = one.job
        if job and by == signal.SIGKILL and job.lost < self.workers_wanted and time.monotonic() - job.started < _DYING:
            if job.file >= 0:
                os.close(job.file)
            job.file, job.deadline, job.lost = -1, math.inf, job.lost + 1
            self.waiting.put_back(job)
        elif job:
            self._refuse(job, worker.cause_of_death(by, self.limits))
        self._forget(one)

    def _kill(self, one: Worker) -> None:
        os.kill(one.pid, signal.SIGKILL)
        self.dying.add(one.pid)
        if one.job and one.job.client not in self.clients and one.job.file >= 0:
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
            self._refuse(one.job, QueryTimeout(one.job.timeout))
            one.job = None
            self._kill(one)
        for job in [job for job in self.waiting if job.arrived + self.limits.wait <= now]:
            self.waiting.remove(job)
            self._refuse(job, self._busy())

    def _reap(self) -> None:
        """Collects killed workers; freeing a large memory takes them a while, and nobody waits for it."""
        self.dying = {pid for pid in self.dying if os.waitpid(pid, os.WNOHANG) == (0, 0)}

    def status(self) -> dict:
        """What an operator wants to know."""
        now = time.monotonic()
        return {
            "pid": os.getpid(),
            "workers": [
                {
                    "pid": w.pid,
                    "ready": w.ready,
                    "busy": round(now - w.job.started, 3) if w.job else None,
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


def _log(message: str) -> None:
    print(f"kvgraph pool: {message}", file=sys.stderr, flush=True)
