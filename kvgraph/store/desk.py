"""The desk of a process that asks a pool: it hands free workers to the threads that ask, which then talk to them directly.

A thread that finds a free worker takes it. One that finds none waits its turn: who has an answer gives the worker on to the next in this process, as long
as nobody waits in another one; and an usher, a thread that is there while somebody waits, watches for workers that others put back. The parent of the pool
is asked for what happens seldom: the socket of a worker that was not met before, what became of one that fell silent, and whether one may go on that
was long at work. It stops what is over its time by itself; the thread that waits for the answer then hears the connection close.
"""

from __future__ import annotations

import math
import os
import select
import socket
import struct
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kvgraph.store import wire
from kvgraph.store.board import Board, Lane
from kvgraph.store.errors import EngineCrashed, PoolBusy, PoolUnavailable, from_wire, to_wire
from kvgraph.store.turns import OWN, Job, Turns
from kvgraph.store.worker import Limits

_PATIENCE = 600.0  # seconds: the pool keeps the real limits; this only ends a wait for a pool that has stopped altogether
_SHORT = 0.01  # seconds: a worker that answered sooner cannot have grown
_GRACE = 0.003  # seconds in which a worker that this process has is likely to become free
_LOOK = 0.05  # seconds after which it is looked again who waits for what
_AWAKE = 0.1  # seconds without anybody waiting for which the usher goes on looking by itself: to be woken costs each of those who ask
_IDLE = 1.0  # seconds after which it goes
_IN_A_ROW = 8  # questions of this process for one worker, while others wait elsewhere
MOST_FDS = 7  # that come with one reply: those of a board


class Gone(Exception):
    """The pool has ended, or never was."""


@dataclass(eq=False)
class Lent:
    """A worker that this process holds at the moment: its number, from which lane of the board it was taken, and how often it was passed on."""

    number: int
    lane: Lane
    turns: int = 0
    socket: socket.socket | None = None


class Desk:
    """Raises :class:`Gone` if no pool answers on the socket."""

    def __init__(self, path: Path):
        self.pid, self.open = os.getpid(), False
        self.socket, self.calling, self.lock = _connected(path), threading.Lock(), threading.Lock()
        joined, fds = self.call({"op": "join"})
        self.number, self.workers = joined["desk"], joined["workers"]
        self.limits = Limits(**joined["limits"])
        self.board = Board(fds)
        self.met: dict[int, socket.socket] = {}
        self.turns = Turns(self.limits.queue)
        self.held = 0  # workers with threads of this process
        self.asked = 0
        self.usher: threading.Thread | None = None
        self.asleep = False
        self.gone = False
        self.bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.open = True

    def close(self) -> None:
        """Ends the connection; who still waits is told that the pool is gone."""
        if not self.open:
            return self.socket.close()
        self.open, self.gone = False, True
        os.eventfd_write(self.bell, 1)
        if usher := self.usher:
            usher.join()
        for sock in (self.socket, *self.met.values()):
            sock.close()
        self.board.close()
        os.close(self.bell)

    def __del__(self):
        if "socket" in vars(self):
            self.close()

    def call(self, header: dict) -> tuple[dict, list[int]]:
        """What the parent of the pool answers, and the descriptors that came with it."""
        with self.calling:
            try:
                self.socket.sendall(wire.pack(header))
                reply, fds = wire.receive_fds(self.socket, MOST_FDS)
            except (EOFError, OSError) as error:
                raise Gone from error
        if "error" in reply:
            raise from_wire(reply["error"])
        return reply["ok"], fds

    def ask(self, header: dict | bytes, body: bytes, who: str, timeout: float | None) -> tuple[dict, bytes, int | None]:
        """The reply of a worker, a short answer, and the descriptor of a long one. ``header`` is a header of :mod:`~kvgraph.store.wire`.

        Raises:
            QueryError: the query was not answered. Gone: the pool has ended.
        """
        timeout = min(self.limits.timeout, timeout or math.inf)
        for _ in range(self.workers + 2):
            lent = self.lend(who)
            began = self.board.begin(lent.number, self.number, timeout)
            try:
                reply, answer, file = self._answered(lent, header, body)
            except (EOFError, OSError, ValueError, wire.FrameTooLarge):
                error = self._lost(lent, who, began)
                if error is not None:
                    raise error from None
            except BaseException:  # interrupted: its reply would be taken for that of the next question
                self._lost(lent, who, began)
                raise
            else:
                self._finish(lent, who, began, "retire" in reply)
                return reply, answer, file
        raise EngineCrashed("Several workers ended before they could answer.", "Try again in a moment.")

    def _answered(self, lent: Lent, header: dict | bytes, body: bytes) -> tuple[dict, bytes, int | None]:
        """One question to a worker and its reply; on the way it may ask for a file, because it can open none."""
        self.asked = number = self.asked + 1 & 0xFFFFFF
        lent.socket.sendall(wire.pack(header, body, number))
        file = None
        try:
            while "long" in (found := wire.receive(lent.socket, wire.INLINE))[0]:
                file = _give_file(lent.socket)
            if found[2] != number:  # not the answer to this: its process is not to be trusted again
                raise EOFError
        except BaseException:
            if file is not None:
                os.close(file)
            raise
        if file is not None and "ok" in found[0]:
            os.lseek(file, 0, os.SEEK_SET)  # the worker's end shares the offset
        elif file is not None:
            os.close(file)
            file = None
        return found[0], found[1], file

    # Lending

    def lend(self, who: str) -> Lent:
        """A worker for this thread alone, when its turn has come. Raises :class:`~kvgraph.store.errors.PoolBusy`."""
        now = time.monotonic()
        with self.lock:
            found = None if self.turns else self.board.take(*self.turns.lanes(who, now))
            if found:
                self.held += 1
                lent = Lent(*found)
            else:
                job = self._waiting(who, now)
        if not found:
            lent = self._called(job)
        try:
            lent.socket = self.met.get(lent.number) or self._meet(lent.number)
        except BaseException:
            with self.lock:
                self.held -= 1
            raise
        return lent

    def _called(self, job: Job) -> Lent:
        """What a waiting thread is lent in the end."""
        job.called.acquire(timeout=self.limits.wait)
        if job.lent is None:
            with self.lock:
                if job.lent is None:  # and not called at this very moment
                    self.turns.remove(job)
                    self.board.wait(self.number, len(self.turns))
                    raise self._busy()
        if isinstance(job.lent, Exception):
            raise job.lent
        return job.lent

    def _waiting(self, who: str, now: float) -> Job:
        job = Job(who, now)
        if self.gone:
            raise Gone
        if (displaced := self.turns.add(job)) is job:
            raise self._busy()
        if displaced:
            displaced.call(self._busy())
        self._take_all(set(self.turns.lanes(who, now)), now)  # there may be one that those before it may not have
        self.board.wait(self.number, len(self.turns))
        if self.usher is None:
            self.usher = threading.Thread(target=self._watch, name="kvgraph usher", daemon=True)
            self.usher.start()
        elif self.asleep or self.held == 0 or who == OWN:
            os.eventfd_write(self.bell, 1)
        return job

    def _busy(self) -> PoolBusy:
        return PoolBusy(max(1, math.ceil(self.board.soonest() - time.monotonic())))

    def _meet(self, number: int) -> socket.socket:
        """The socket of a worker that is new here. The workers it knew and that are no more are forgotten."""
        found, fds = self.call({"op": "meet", "worker": number})
        sock = socket.socket(fileno=fds[0])
        with self.lock:
            for old in self.met.keys() - set(found["workers"]):
                self.met.pop(old).close()
            self.met[number] = sock
        return sock

    def _finish(self, lent: Lent, who: str, began: float, retire: bool) -> None:
        """Gives a worker on, or back."""
        now = time.monotonic()
        self.board.end(lent.number)
        if retire or now - began > _SHORT:
            with self.lock:
                self.held -= 1
                self.turns.ended(who, now - began, now)
            with suppress(Gone):  # the next question will notice
                self.call({"op": "retire" if retire else "rest", "worker": lent.number})
            return
        with self.lock:
            if self.turns:
                self._pass_on(lent, now)
            else:
                self.held -= 1
                self.board.put(lent.number, lent.lane)

    def _pass_on(self, lent: Lent, now: float) -> None:
        """Gives a worker to who is next here, or back if others have waited for it; and takes whatever else is free."""
        lent.turns += 1
        mine = lent.turns < _IN_A_ROW or self.board.waiting() <= len(self.turns)
        job = self.turns.next(lent.lane, now) if mine else None
        if job:
            job.call(lent)
        else:
            self.held -= 1
            self.board.put(lent.number, lent.lane)
            os.eventfd_write(self.bell, 1)
        if mine:
            self._take_all(self.turns.wanted(now), now)
        self.board.wait(self.number, len(self.turns))

    def _take_all(self, lanes: set[Lane], now: float) -> None:
        """Hands the free workers of some lanes to those who wait."""
        for lane in sorted(lanes):
            while self.turns and (found := self.board.take(lane)):
                if (job := self.turns.next(lane, now)) is None:
                    self.board.put(*found)
                    break
                self.held += 1
                job.call(Lent(*found))

    def _lost(self, lent: Lent, who: str, began: float) -> Exception | None:
        """What became of a worker that does not answer: an error, or None if it was not for this question and another may be asked."""
        now = time.monotonic()
        with self.lock:
            self.held -= 1
            self.turns.ended(who, now - began, now)
            if sock := self.met.pop(lent.number, None):
                sock.close()
        reply, _ = self.call({"op": "fate", "worker": lent.number, "began": began})
        return from_wire(reply["was"]) if reply else None

    # The usher

    def _watch(self) -> None:
        """Waits for what others put back, while somebody waits here for more than a moment."""
        poll = select.poll()
        for fd in (self.bell, self.socket.fileno()):
            poll.register(fd, select.POLLIN if fd == self.bell else 0)
        watched: set[Lane] = set()
        busy = time.monotonic()  # when somebody last waited
        while not self.gone:
            with self.lock:
                now = time.monotonic()
                oldest = self.turns.oldest()
                due = oldest is not None and (self.held == 0 or now - oldest >= _GRACE)
                lanes = self.turns.wanted(now) if due else set()
                busy = now if oldest is not None else busy
                self.asleep = now - busy > _AWAKE
            for lane in watched - lanes:
                poll.unregister(self.board.pipe(lane))
            for lane in lanes - watched:
                poll.register(self.board.pipe(lane), select.POLLIN)
            watched = lanes
            ready = {fd for fd, _ in poll.poll(1000 * (_IDLE if self.asleep else _LOOK if due else _GRACE))}
            if self.bell in ready:
                os.eventfd_read(self.bell)
            elif self.asleep:
                with self.lock:
                    if not self.turns:
                        self.usher = None
                        return
            if self.socket.fileno() in ready:
                self.gone = True
            with self.lock:
                self._take_all({lane for lane in lanes if self.board.pipe(lane) in ready}, time.monotonic())
                self.board.wait(self.number, len(self.turns))
        with self.lock:
            for job in self.turns:
                self.turns.remove(job)
                job.call(Gone())
            self.usher = None


def _connected(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    # Not settimeout, which has Python ask for readiness before it reads: a system call more each time.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(_PATIENCE), 0))
    try:
        sock.connect(str(path))
    except OSError as error:
        sock.close()
        raise PoolUnavailable(f"No query pool answers at {path}.", "Is kvgraph serve running?") from error
    return sock


def _give_file(sock: socket.socket) -> int | None:
    """A file without a name, which a worker is given too; None if there is no place for one, of which it is told."""
    try:
        file = os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        sock.sendall(wire.pack({"error": to_wire(EngineCrashed(f"No place to write the answer to: {error.strerror}."))}))
        return None
    socket.send_fds(sock, [wire.pack({})], [file])
    return file
