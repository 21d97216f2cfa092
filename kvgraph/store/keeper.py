"""The parent of the pool: one thread, one loop, which keeps workers alive and outlives whatever they do.

It hands out no query. It forks workers and puts their numbers on the :mod:`~kvgraph.store.board`, introduces them to the processes that ask, stops what is
over its time, replaces who died or grew, and says what became of them.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from kvgraph.store import sandbox, wire, worker
from kvgraph.store.board import Board, Lane
from kvgraph.store.embedded import Embedded
from kvgraph.store.errors import QueryError, QueryTimeout, QueryTooLarge, to_wire
from kvgraph.store.worker import Limits

_TICK = 0.05  # seconds between two looks at the clock: a query may take so much longer than it was given
_LONG = 0.1  # seconds: a query that takes longer is not quick; after a hundredth of a second a worker comes back to us and not to its lane
_COUNT = 1.0  # seconds between two counts of the workers
_DYING = 0.1  # seconds: a worker killed this soon after it got a query was killed before, and not for it
_REMEMBERED = 1000  # workers that ended
_PATIENCE = struct.pack("ll", 600, 0)  # seconds that who asks a worker waits at most for its reply; the limit of time is kept here


@dataclass(eq=False)
class Worker:
    """One worker as its parent sees it. ``socket`` is the end on which it is asked, ``lane`` for whom it is."""

    number: int
    pid: int
    socket: socket.socket
    lane: Lane
    ready: bool = False
    size: int = 0  # bytes of address space when it was ready


@dataclass
class Keeper:
    """Keeps ``workers_wanted`` workers, forked from this process, for the processes that connect to a listening socket.

    This process must have one thread, or a fork may copy a lock that nobody will ever release.
    """

    engine: Embedded
    listener: socket.socket
    workers_wanted: int
    limits: Limits
    workers: dict[int, Worker] = field(default_factory=dict)  # by number
    desks: dict[wire.Channel, int] = field(default_factory=dict)
    restarts: int = 0
    isolation: dict = field(default_factory=dict)

    def __post_init__(self):
        self.board = Board.create()
        self.poll = select.epoll()
        self.heard: dict[int, Callable[[], None]] = {}  # by descriptor: what to do when it has something
        self.listener.setblocking(False)
        self._listen(self.listener, self._accept)
        self.not_before = 0.0  # no fork before: a worker that dies while starting must not become a fork bomb
        self.starting = True  # these workers may take their time; those that replace others are needed at once
        self.dying: set[int] = set()  # killed, and not collected yet
        self.fates: dict[int, tuple[float, QueryError | None]] = {}  # of workers that ended: whose query was why, and what to say
        self.numbers = self.joined = 0
        self.counted = 0.0
        self.missing: dict[Worker, float] = {}  # neither busy nor free when last counted, and when each was last given a query

    # The loop

    def run(self, on_ready) -> None:
        """Serves until an exception (a signal handler's) ends it; calls ``on_ready`` once every worker is up."""
        while True:
            if len(self.workers) < self.workers_wanted:
                self._fill()
            for fd, event in self.poll.poll(_TICK):
                if hear := self.heard.get(fd):  # else it was dropped a moment ago, by another event of the same batch
                    hear()
            self._expire()
            if self.dying:
                self._reap()
            if on_ready and len(self.workers) == self.workers_wanted and all(w.ready for w in self.workers.values()):
                on_ready()
                on_ready, self.starting = None, False

    def close(self) -> None:
        """Ends every worker. Whoever waits for them sees the connection close."""
        for one in self.workers.values():
            with suppress(ProcessLookupError, ChildProcessError):  # it ended by itself, and the end of this process came while it was collected
                os.kill(one.pid, signal.SIGKILL)
                os.waitpid(one.pid, 0)
        self.poll.close()

    def _listen(self, source: socket.socket | wire.Channel, hear: Callable[[], None]) -> None:
        self.heard[source.fileno()] = hear
        self.poll.register(source, select.EPOLLIN)

    def _drop(self, source: socket.socket | wire.Channel) -> None:
        del self.heard[source.fileno()]
        self.poll.unregister(source)
        source.close()

    # Desks: the processes that ask

    def _accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except OSError:  # gone again, or no descriptors left: those who have one are served on
            return
        channel = wire.Channel(sock)
        self.joined += 1
        self.desks[channel] = self.joined
        self._listen(channel, lambda: self._hear(channel))

    def _hear(self, channel: wire.Channel) -> None:
        if channel.waiting:
            channel.flush()
            self._watch(channel)
        try:
            header = channel.read()
        except EOFError:
            self._hung_up(channel)
        except wire.FrameTooLarge:
            self._tell(channel, {"error": to_wire(QueryTooLarge("This is longer than any question to the pool.", "Ask a worker.", limit="text"))})
        except ValueError as error:
            self._tell(channel, {"error": to_wire(QueryError(f"This is no frame of the pool's protocol: {error}"))})
        else:
            if header is not None:
                self._request(channel, header)

    def _hung_up(self, channel: wire.Channel) -> None:
        """A process that left has nothing more to hear: its workers end, whatever they were at."""
        desk = self.desks.pop(channel)
        self._drop(channel)
        self.board.wait(desk, 0)
        for one in list(self.workers.values()):
            if self.board.deadline(one.number) and self.board.holder(one.number) == desk:
                self._kill(one, None)

    def _request(self, channel: wire.Channel, header: dict) -> None:
        op, one = header.get("op"), self.workers.get(header.get("worker") if isinstance(header.get("worker"), int) else -1)
        if op == "join":
            joined = {"desk": self.desks[channel], "workers": self.workers_wanted, "limits": asdict(self.limits)}
            self._tell(channel, {"ok": joined}, self.board.fds)
        elif op == "meet" and one:
            self._tell(channel, {"ok": {"workers": list(self.workers)}}, [one.socket.fileno()])
        elif op == "meet":  # it ended: so does the end that is given for it
            ours, theirs = socket.socketpair()
            theirs.close()
            self._tell(channel, {"ok": {"workers": list(self.workers)}}, [ours.fileno()])
            ours.close()
        elif op == "fate":
            error = self._fate(header, one)
            self._tell(channel, {"ok": {"was": to_wire(error)} if error else {}})
        elif op in ("rest", "retire"):
            if one and (op == "retire" or self._grown(one)):
                self._kill(one, None)
            elif one:
                self.board.put(one.number, one.lane)
            self._tell(channel, {"ok": {}})
        elif op in ("ping", "status"):
            self._tell(channel, {"ok": self.status() if op == "status" else {}})
        else:
            self._tell(channel, {"error": to_wire(QueryError(f"The pool knows no operation {str(op)[:40]!r}."))})

    def _tell(self, channel: wire.Channel, header: dict, fds: list[int] | None = None) -> None:
        channel.send(wire.pack(header), fds)
        self._watch(channel)

    def _watch(self, channel: wire.Channel) -> None:
        self.poll.modify(channel, select.EPOLLIN | select.EPOLLOUT if channel.waiting else select.EPOLLIN)

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
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
            self.numbers += 1
            new = self.workers[self.numbers] = Worker(self.numbers, pid, ours, self._missing_lane())
            self.board.clear(new.number)
            self._listen(ours, lambda new=new: self._hear_worker(new))

    def _missing_lane(self) -> Lane:
        there = {one.lane for one in self.workers.values()}
        reserved = (lane for lane, least in ((Lane.OWN, 2), (Lane.QUICK, 3)) if self.workers_wanted >= least)
        return next((lane for lane in reserved if lane not in there), Lane.ANY)

    def _hear_worker(self, one: Worker) -> None:
        """A worker that is ready, or ended: in between it talks to who holds its number, and from here its socket is only watched for its end."""
        if one.ready:
            return self._died(one)
        try:
            header, *_ = wire.receive(one.socket, 0)
        except (EOFError, OSError, ValueError, wire.FrameTooLarge):
            return self._died(one)
        one.ready, self.isolation, one.size = True, header["ready"], sandbox.address_space(one.pid)
        self.poll.modify(one.socket, 0)
        self.board.put(one.number, one.lane)

    def _grown(self, one: Worker) -> bool:
        """Whether a worker keeps more memory than it may. What it came to own of the graph by reading it does not count: that has an end."""
        return sandbox.address_space(one.pid) - one.size > self.limits.recycle

    def _died(self, one: Worker) -> None:
        """A worker ended by itself: its query is told why, as far as the signal shows it."""
        os.kill(one.pid, signal.SIGKILL)  # it may only have closed its socket
        _, status = os.waitpid(one.pid, 0)
        by = -os.waitstatus_to_exitcode(status)
        if not one.ready:
            self.not_before = time.monotonic() + 1
        _log(f"worker {one.pid} ended ({worker.signal_name(by)})")
        began = self.board.started(one.number)
        innocent = not self.board.deadline(one.number) or (by == signal.SIGKILL and time.monotonic() - began < _DYING)
        self._forget(one, None if innocent else worker.cause_of_death(by, self.limits))

    def _kill(self, one: Worker, error: QueryError | None) -> None:
        os.kill(one.pid, signal.SIGKILL)
        self.dying.add(one.pid)
        self._forget(one, error)

    def _forget(self, one: Worker, error: QueryError | None) -> None:
        self.restarts += 1
        self.fates[one.number] = self.board.started(one.number), error
        if len(self.fates) > _REMEMBERED:
            del self.fates[next(iter(self.fates))]
        self.board.remove(one.number)
        self.board.clear(one.number)
        del self.workers[one.number]
        self._drop(one.socket)

    def _fate(self, header: dict, one: Worker | None) -> QueryError | None:
        """What became of a worker, for the query that ``began`` at some moment; None if it did not end because of it."""
        if one:
            self._died(one)
        began, error = self.fates.get(header.get("worker"), (None, None))
        return error if began == header.get("began") else None

    def _expire(self) -> None:
        """Stops queries that are over their time."""
        now = time.monotonic()
        for one in list(self.workers.values()):
            if 0 < (deadline := self.board.deadline(one.number)) <= now:
                self._kill(one, QueryTimeout(round(deadline - self.board.started(one.number), 3)))
            elif deadline and one.lane is Lane.QUICK and now - self.board.started(one.number) > _LONG:
                self._stand_in(one)
        if now - self.counted > _COUNT:
            self.counted = now
            self._count()

    def _stand_in(self, busy: Worker) -> None:
        """A worker for quick queries has one that is not: another that is free takes its place, and it will be for any when it comes back to us."""
        if found := self.board.take(Lane.ANY):
            self.board.put(found[0], Lane.QUICK)
            if other := self.workers.get(found[0]):
                busy.lane, other.lane = Lane.ANY, Lane.QUICK

    def _count(self) -> None:
        """Every worker is busy or free. One that stays neither, without a new query, was lost by a process that ended in between, and is replaced.

        Under load each is neither now and then: whoever is given it has yet to wake up.
        """
        neither = {one: self.board.started(n) for n, one in self.workers.items() if one.ready and not self.board.deadline(n) and not self.board.lies(n)}
        self.missing, before = neither, self.missing
        for one in [one for one, began in neither.items() if before.get(one) == began]:
            self._kill(one, None)

    def _reap(self) -> None:
        """Collects killed workers; freeing a large memory takes them a while, and nobody waits for it."""
        self.dying = {pid for pid in self.dying if os.waitpid(pid, os.WNOHANG) == (0, 0)}

    def status(self) -> dict:
        """What an operator wants to know."""
        now, board = time.monotonic(), self.board
        return {
            "pid": os.getpid(),
            "workers": [
                {
                    "pid": w.pid,
                    "ready": w.ready,
                    "busy": round(now - board.started(w.number), 3) if board.deadline(w.number) else None,
                    "answered": board.answered(w.number),
                    "private_bytes": sandbox.private_bytes(w.pid),
                }
                for w in self.workers.values()
            ],
            "restarts": self.restarts,
            "waiting": board.waiting(),
            "isolation": self.isolation,
            "limits": asdict(self.limits),
        }


def _log(message: str) -> None:
    print(f"kvgraph pool: {message}", file=sys.stderr, flush=True)
