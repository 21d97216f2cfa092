"""Publishing while serving: what curators accepted becomes the next release, built by a process of its own, which the pools then follow.

Nothing here waits. :meth:`Publisher.tend` is called a few times a second. The builder has the lowest rank for the processor: readers go first.
While builds follow one another it rests between them, longer each time: what is accepted meanwhile becomes one release, and kept answers are of use
for longer. Where little happens, what was accepted is built at once.
"""

import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import KvgraphError

LOOK_EVERY = 0.5  # seconds between two looks at the book
FIRST_DELAY, LONGEST_DELAY = 5.0, 300.0  # seconds before a build that failed is tried again: doubled each time; or a book that could not be read
REST, LONGEST_REST = 2.0, 30.0  # times as long as a build took it rests, for each that went before it without a break; and seconds at most
NICE = 15
log = logging.getLogger("kvgraph.serve")


@dataclass
class Publisher:
    """Builds a release whenever something was accepted or undone, one at a time. ``data`` is the folder of curated records, None for the bundled ones."""

    home: Path
    data: Path | None = None
    builder: subprocess.Popen | None = None
    failed: int = 0  # times one after the other
    not_before: float = 0.0
    begun: float = 0.0
    trouble: str = ""  # with the book, as it was said last
    in_a_row: int = 0  # builds without a moment in which nothing was wanted

    def tend(self) -> None:
        """Everything that is to be done now."""
        if self.builder is not None:
            self._notice()
        elif time.monotonic() >= self.not_before:
            self.not_before = time.monotonic() + LOOK_EVERY
            self.in_a_row = self.in_a_row + 1 if self._wanted() else 0
            if self.in_a_row:
                self.builder, self.begun = _start(self.home, self.data), time.monotonic()

    def processes(self) -> list[subprocess.Popen]:
        return [self.builder] if self.builder else []

    def _wanted(self) -> bool:
        if not (self.home / "app.db").is_file():
            return False
        # Importing SQLAlchemy takes as long as half a start, and where nobody contributes it is not needed.
        from ..contribute import decisions
        from ..contribute.book import book

        try:
            wanted = decisions.pending(book(self.home))
        except (KvgraphError, OSError) as error:
            if str(error) != self.trouble:
                log.error("What was accepted waits to be published: %s", error)
            self.trouble, self.not_before = str(error), time.monotonic() + FIRST_DELAY
            return False
        self.trouble = ""
        return wanted

    def _notice(self) -> None:
        status = self.builder.poll()
        if status is None:
            return
        said = (self.builder.stderr.read() or b"").decode(errors="replace").strip()[-2000:]
        self.builder.stderr.close()
        self.builder, self.failed = None, 0 if status == 0 else self.failed + 1
        now = time.monotonic()
        self.not_before = now + min(LONGEST_REST, REST * (self.in_a_row - 1) * (now - self.begun))
        if status:
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self.failed - 1))
            self.not_before = now + delay
            log.error("What was accepted could not be published (status %s): %s Trying again in %g s.", status, said, delay)


def _start(home: Path, data: Path | None) -> subprocess.Popen:
    command = [sys.executable, "-m", "kvgraph", "build", "--quiet", "--home", str(home), *(["--data", str(data)] if data else [])]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, preexec_fn=_humble, start_new_session=True)


def _humble() -> None:
    from . import _die_with_parent

    os.nice(NICE)
    _die_with_parent()
