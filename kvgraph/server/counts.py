"""Numbers that several processes count, and any of them can tell.

Each process counts in a file of its own, in a folder that they share: numbers in shared memory, and beside them a line of JSON for each that says where it is and
what is counted. Prometheus's library has such files as well; to count in them took 7 of the 57 µs of our own Python for a light query.
"""

import json
import mmap
import os
import threading
import time
from array import array
from collections import Counter
from contextlib import suppress
from pathlib import Path

Name = tuple[str, ...]
_ROOM = 16_384  # numbers of one process: more than there are


class Counts:
    """What this process counts, in a folder (None: for itself alone).

    >>> counts = Counts()
    >>> counts.add(("queries", "ASK")), counts.add(("queries", "ASK"), 2)
    (None, None)
    >>> counts.all()
    Counter({('queries', 'ASK'): 3.0})
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder
        self._places: dict[Name, int] = {}
        self._names = -1  # the file that says what is counted
        self._lock = threading.Lock()
        self._numbers = array("d", bytes(8 * _ROOM))
        if folder:
            try:
                self._share(folder / f"{os.getpid()}-{time.time_ns()}")  # the number of a process comes again
            except OSError:  # a disk that is full: nobody else is told
                self.folder = None

    def _share(self, path: Path) -> None:
        with open(path.with_suffix(".numbers"), "xb+") as file:
            os.posix_fallocate(file.fileno(), 0, 8 * _ROOM)  # a disk that is full must say so now
            shared = memoryview(mmap.mmap(file.fileno(), 8 * _ROOM)).cast("d")
        self._names = os.open(path.with_suffix(".names"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._numbers = shared

    def add(self, name: Name, amount: float = 1.0) -> None:
        """Count something. There may be as many names as there are places, and no more are remembered."""
        place = self._places.get(name)
        with self._lock:
            if place is None and (place := self._place(name)) is None:
                return
            self._numbers[place] += amount

    def _place(self, name: Name) -> int | None:
        """The place of a new name."""
        place = self._places.get(name, len(self._places))
        if place < _ROOM and name not in self._places:
            self._places[name] = place
            if self._names >= 0:
                with suppress(OSError):  # a disk that is full, on which part of a line may have been written: nobody else is told
                    os.write(self._names, b"\n%s\n" % json.dumps([place, *name]).encode())
        return place if place < _ROOM else None

    def all(self) -> Counter[Name]:
        """What was counted so far, by all processes of the folder, also those that have ended."""
        if self.folder is None:
            return Counter({name: self._numbers[place] for name, place in self._places.copy().items()})
        found: Counter[Name] = Counter()
        for path in self.folder.glob("*.names"):
            with suppress(OSError):  # somebody tidied here
                numbers = array("d", path.with_suffix(".numbers").read_bytes())
                for line in path.read_bytes().splitlines():
                    with suppress(ValueError):  # a line that is not whole, or empty
                        place, *name = json.loads(line)
                        found[tuple(name)] += numbers[place]
        return found
