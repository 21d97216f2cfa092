"""What a pool and the processes that ask it have in common: which workers are free, and what the others are doing since when.

The number of a free worker lies in a pipe. Whoever takes it out may talk to that worker, and puts the number back afterwards: one system call each,
and nobody in between. There are three pipes, for three kinds of asking: of several workers one is for the server's own questions, and of three or more
another one for these and for strangers whose queries were quick of late.

Beside the pipes a piece of shared memory has a row for each worker, which only the holder of its number writes, a sign in which lane it lies, if it does,
and a place for each process that asks. Whoever waits looks there, and the parent of the pool, which stops what is over its time. What counts is the
pipe: a sign may say for a moment that a worker is free that was just taken.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import termios
import time
from enum import IntEnum

_NUMBER = struct.Struct("I")
_ROWS, _FIELDS = 256, 4  # a row is used again after so many other workers; its fields are numbers of 64 bits
_HOLDER, _STARTED, _DEADLINE, _ANSWERED = range(_FIELDS)
_DESKS = 64
_SIGNS = 8 * (_ROWS * _FIELDS + _DESKS)  # where they begin: one byte for each row
_SIZE = _SIGNS + _ROWS


class Lane(IntEnum):
    """For whom a free worker is; its number lies in the pipe of that place."""

    OWN = 0  # the server's own questions only
    QUICK = 1  # these, and strangers whose queries were quick of late
    ANY = 2


_SIGN_OF = tuple(bytes((lane + 1,)) for lane in Lane)


class Board:
    """Made by the parent of a pool with :meth:`create`, opened elsewhere from the descriptors it sends.

    >>> board = Board.create()
    >>> board.put(1, Lane.OWN)
    >>> board.put(2, Lane.ANY)
    >>> board.take(Lane.QUICK), board.take(Lane.QUICK, Lane.ANY), board.free()
    (None, (2, <Lane.ANY: 2>), 1)
    >>> board.close()
    """

    def __init__(self, fds: list[int]):
        self.fds = fds  # the two ends of each pipe, then the memory
        self._takes, self._puts = fds[0:6:2], fds[1:6:2]
        self._memory = mmap.mmap(fds[6], _SIZE)
        self._cells = memoryview(self._memory)[:_SIGNS].cast("d")

    @classmethod
    def create(cls) -> Board:
        """A new one, on which nobody is free yet."""
        fds = [end for _ in Lane for end in os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)]
        memory = os.memfd_create("kvgraph-pool")
        os.truncate(memory, _SIZE)
        return cls([*fds, memory])

    def close(self) -> None:
        """Closes what this process has of it."""
        self._cells.release()
        self._memory.close()
        for fd in self.fds:
            os.close(fd)

    # Free workers

    def pipe(self, lane: Lane) -> int:
        """The descriptor that is readable while a worker is free there."""
        return self._takes[lane]

    def take(self, *lanes: Lane) -> tuple[int, Lane] | None:
        """The number of a free worker of the first of these lanes that has one, and the lane; it is the caller's now."""
        for lane in lanes:
            # To look at a sign costs nothing; to read an empty pipe, a turn of this thread.
            if self._memory.find(_SIGN_OF[lane], _SIGNS) < 0:
                continue
            try:
                number = _NUMBER.unpack(os.read(self._takes[lane], _NUMBER.size))[0]
            except BlockingIOError:
                continue
            self._memory[_SIGNS + number % _ROWS] = 0
            return number, lane
        return None

    def put(self, number: int, lane: Lane) -> None:
        """Says that a worker is free, in its lane."""
        self._memory[_SIGNS + number % _ROWS] = _SIGN_OF[lane][0]  # before somebody can take it
        os.write(self._puts[lane], _NUMBER.pack(number))

    def lies(self, number: int) -> bool:
        """Whether a worker lies in a lane, free, by its sign."""
        return self._memory[_SIGNS + number % _ROWS] != 0

    def remove(self, number: int) -> None:
        """Takes the number of a worker that ended out of its lane, if it lies there."""
        for lane in Lane:
            for _ in range(self._lying(lane)):
                if (found := self.take(lane)) and found[0] != number:
                    self.put(*found)

    def free(self) -> int:
        """How many workers are free."""
        return sum(map(self._lying, Lane))

    def _lying(self, lane: Lane) -> int:
        return struct.unpack("i", fcntl.ioctl(self._takes[lane], termios.FIONREAD, b"\0\0\0\0"))[0] // _NUMBER.size

    # Busy workers. Times are those of the monotonic clock, which all processes share.

    def begin(self, number: int, desk: int, timeout: float) -> float:
        """Notes that a worker is given a query by a desk; returns when."""
        row, now = number % _ROWS * _FIELDS, time.monotonic()
        self._cells[row + _HOLDER], self._cells[row + _STARTED], self._cells[row + _DEADLINE] = desk, now, now + timeout
        return now

    def end(self, number: int) -> None:
        """Notes that it has answered."""
        row = number % _ROWS * _FIELDS
        self._cells[row + _DEADLINE] = 0.0
        self._cells[row + _ANSWERED] += 1

    def clear(self, number: int) -> None:
        """Makes the row of a new worker empty."""
        row = number % _ROWS * _FIELDS
        for field in range(_FIELDS):
            self._cells[row + field] = 0.0
        self._memory[_SIGNS + number % _ROWS] = 0

    def deadline(self, number: int) -> float:
        """When the query of a worker is over its time; 0 if it has none."""
        return self._cells[number % _ROWS * _FIELDS + _DEADLINE]

    def started(self, number: int) -> float:
        """When a worker was last given a query."""
        return self._cells[number % _ROWS * _FIELDS + _STARTED]

    def holder(self, number: int) -> int:
        """The desk that gave it."""
        return int(self._cells[number % _ROWS * _FIELDS + _HOLDER])

    def answered(self, number: int) -> int:
        """How many queries a worker has answered."""
        return int(self._cells[number % _ROWS * _FIELDS + _ANSWERED])

    def soonest(self) -> float:
        """The next moment at which a query is over its time; 0 if none runs."""
        return min((d for d in self._cells[_DEADLINE : _ROWS * _FIELDS : _FIELDS] if d), default=0.0)

    # Who waits

    def wait(self, desk: int, number: int) -> None:
        """Notes how many questions wait at a desk."""
        self._cells[_ROWS * _FIELDS + desk % _DESKS] = number

    def waiting(self) -> int:
        """How many questions wait at all desks together."""
        return int(sum(self._cells[_ROWS * _FIELDS :]))
