"""Who is served next: the waiting queries of the pool.

The server's own questions come first. Then strangers (a request that names its ``client``) in turns, one query each, and never on the last free
worker if there are several, so that a page is answered while every stranger's query is a heavy one. Of the workers that strangers may have, one is
for those whose queries were quick of late: who asks something small does not wait for somebody else's minute of work.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from kvgraph.store.wire import Channel

OWN = ""  # whose questions are the server's own
SLOW = 1.0  # seconds: whose query took longer is slow
REMEMBERED = 60.0  # seconds for which a client is slow


@dataclass(eq=False)
class Job:
    """One query of one client. Times are those of the monotonic clock."""

    client: Channel
    frame: bytes
    who: str
    timeout: float
    arrived: float
    file: int = -1
    deadline: float = math.inf
    lost: int = 0  # workers it was given to that were dying already

    @property
    def started(self) -> float:
        """When a worker began with it."""
        return self.deadline - self.timeout


@dataclass
class Turns:
    """The waiting queries; ``capacity`` bounds those of strangers and those of the server itself, each for themselves.

    >>> turns = Turns(capacity=4)
    >>> def ask(who): return turns.add(Job(None, b"", who, 1.0, 0.0))
    >>> [ask(who) for who in ("a", "a", "a", "b", OWN)]
    [True, True, False, True, True]
    >>> [turns.next(strangers_may=True).who for _ in range(4)]
    ['', 'a', 'b', 'a']
    >>> turns.next(strangers_may=True) is None
    True
    """

    capacity: int
    _queues: dict[str, deque[Job]] = field(default_factory=dict)
    _slow: dict[str, float] = field(default_factory=dict)  # until when

    def add(self, job: Job) -> bool:
        """Puts a query at the end of its client's line; False if there is no place."""
        own = job.who == OWN
        waiting = sum(len(line) for who, line in self._queues.items() if (who == OWN) == own)
        # Half of the places is the most one stranger may fill, or taking turns would help nobody.
        most = self.capacity if own else max(1, self.capacity // 2)
        if waiting >= self.capacity or len(self._queues.get(job.who, ())) >= most:
            return False
        self._queues.setdefault(job.who, deque()).append(job)
        return True

    def put_back(self, job: Job) -> None:
        """Puts a query at the front of its client's line, whether there is place or not."""
        self._queues.setdefault(job.who, deque()).appendleft(job)

    def remove(self, job: Job) -> None:
        """Takes a query out of its line."""
        self._queues[job.who].remove(job)
        if not self._queues[job.who]:
            del self._queues[job.who]

    def next(self, strangers_may: bool, slow_may: bool = True, now: float = 0.0) -> Job | None:
        """Takes the query whose turn it is; the next turn is another client's."""
        who = next((who for who in ([OWN] if OWN in self._queues else self._queues if strangers_may else ()) if slow_may or not self.slow(who, now)), None)
        if who is None:
            return None
        job = self._queues[who][0]
        self.remove(job)
        if who in self._queues:
            self._queues[who] = self._queues.pop(who)
        return job

    def ended(self, job: Job, now: float) -> None:
        """Remembers whose query took long."""
        if job.who != OWN and now - job.started > SLOW:
            self._slow = {who: until for who, until in self._slow.items() if until > now}
            self._slow[job.who] = now + REMEMBERED

    def slow(self, who: str, now: float) -> bool:
        """Whether a client's query took long not long ago.

        >>> turns = Turns(capacity=4)
        >>> turns.ended(Job(None, b"", "a", 30.0, 0.0, deadline=30.0), now=5.0)
        >>> turns.slow("a", 64.0), turns.slow("a", 66.0), turns.slow("b", 6.0)
        (True, False, False)
        """
        return self._slow.get(who, 0.0) > now

    def __iter__(self):
        return (job for line in list(self._queues.values()) for job in list(line))

    def __bool__(self) -> bool:
        return bool(self._queues)

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))
