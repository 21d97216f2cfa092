"""Who is served next: the questions that wait at the desk of a process.

The server's own questions come first. Then strangers (a request that names its ``client``) in turns, one query each, and never on the last free
worker if there are several, so that a page is answered while every stranger's query is a heavy one. One may fill every place where questions wait, as
long as nobody else comes: then the last of the longest line has to go. Of the workers that strangers may have, one is
for those whose queries were quick of late: who asks something small does not wait for somebody else's minute of work.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from kvgraph.store.board import Lane

OWN = ""  # whose questions are the server's own
SLOW = 1.0  # seconds: whose query took longer is slow
REMEMBERED = 60.0  # seconds for which a client is slow
_FOR_OWN, _FOR_QUICK, _FOR_SLOW = (Lane.OWN, Lane.ANY, Lane.QUICK), (Lane.ANY, Lane.QUICK), (Lane.ANY,)


@dataclass(eq=False)
class Job:
    """A question that waits, since ``arrived`` by the monotonic clock. Its thread is ``called`` when a worker is ``lent`` to it, or will never be."""

    who: str
    arrived: float = 0.0
    lent: object = None  # what it may go on with, or an exception
    called: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        self.called.acquire()

    def call(self, lent: object) -> None:
        """Lets its thread go on."""
        self.lent = lent
        self.called.release()


@dataclass
class Turns:
    """The waiting questions; ``capacity`` bounds those of strangers and those of the server itself, each for themselves.

    >>> turns = Turns(capacity=3)
    >>> [turns.add(Job(who)) for who in ("a", "a", "a", OWN)]
    [None, None, None, None]
    >>> turns.add(Job("a", arrived=1.0)).arrived, turns.add(Job("b", arrived=2.0)).who
    (1.0, 'a')
    >>> [turns.next(Lane.ANY).who for _ in range(4)]
    ['', 'a', 'b', 'a']
    >>> turns.next(Lane.ANY) is None
    True
    """

    capacity: int
    _queues: dict[str, deque[Job]] = field(default_factory=dict)
    _waiting: int = 0
    _slow: dict[str, float] = field(default_factory=dict)  # until when

    def add(self, job: Job) -> Job | None:
        """Puts a question at the end of its client's line. Returns the one for which there is no place then: the last of the longest line, or this one."""
        mine = self._queues.get(job.who, ())
        displaced = None
        if self._waiting >= self.capacity:
            rivals = [line for who, line in self._queues.items() if (who == OWN) == (job.who == OWN)]
            if sum(map(len, rivals)) >= self.capacity:
                longest = max(rivals, key=len)
                if len(longest) <= len(mine) + 1:
                    return job
                displaced = longest.pop()
        self._queues.setdefault(job.who, deque()).append(job)
        self._waiting += displaced is None
        return displaced

    def remove(self, job: Job) -> None:
        """Takes a question out of its line, if it is there."""
        line = self._queues.get(job.who, ())
        if job in line:
            line.remove(job)
            self._waiting -= 1
            if not line:
                del self._queues[job.who]

    def next(self, lane: Lane, now: float = 0.0) -> Job | None:
        """Takes the question whose turn it is on a worker of a lane; the next turn is another client's."""
        who = next((who for who in ([OWN] if OWN in self._queues else self._queues) if lane in self.lanes(who, now)), None)
        if who is None:
            return None
        line = self._queues.pop(who)
        job = line.popleft()
        self._waiting -= 1
        if line:
            self._queues[who] = line
        return job

    def lanes(self, who: str, now: float) -> tuple[Lane, ...]:
        """The lanes a client may use, best first."""
        return _FOR_OWN if who == OWN else _FOR_SLOW if self._slow and self.slow(who, now) else _FOR_QUICK

    def wanted(self, now: float) -> set[Lane]:
        """The lanes on which somebody's turn could come."""
        if self._slow:
            return {lane for who in self._queues for lane in self.lanes(who, now)}
        return set(_FOR_OWN if OWN in self._queues else _FOR_QUICK if self._queues else ())  # there may be hundreds

    def ended(self, who: str, took: float, now: float) -> None:
        """Remembers whose query took long, in seconds."""
        if who != OWN and took > SLOW:
            self._slow = {who: until for who, until in self._slow.items() if until > now}
            self._slow[who] = now + REMEMBERED

    def slow(self, who: str, now: float) -> bool:
        """Whether a client's query took long not long ago.

        >>> turns = Turns(capacity=4)
        >>> turns.ended("a", took=5.0, now=5.0)
        >>> turns.slow("a", 64.0), turns.slow("a", 66.0), turns.slow("b", 6.0)
        (True, False, False)
        """
        return bool(self._slow) and self._slow.get(who, 0.0) > now

    def oldest(self) -> float | None:
        """When the question that has waited longest arrived."""
        return min((line[0].arrived for line in self._queues.values()), default=None)

    def __iter__(self):
        return (job for line in list(self._queues.values()) for job in list(line))

    def __bool__(self) -> bool:
        return bool(self._queues)

    def __len__(self) -> int:
        return self._waiting
