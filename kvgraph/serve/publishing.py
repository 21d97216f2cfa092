"""Publishing while serving: what curators accepted becomes the next release, built by a process of its own, which the pools then follow.

Nothing here waits. :meth:`Publisher.tend` is called a few times a second. The builder has the lowest rank for the processor: readers go first.
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
FIRST_DELAY, LONGEST_DELAY = 5.0, 300.0  # seconds before a build that failed is tried again: doubled each time
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

    def tend(self) -> None:
        """Everything that is to be done now."""
        if self.builder is not None:
            self._notice()
        elif time.monotonic() >= self.not_before:
            self.not_before = time.monotonic() + LOOK_EVERY
            if self._wanted():
                self.builder = _start(self.home, self.data)

    def processes(self) -> list[subprocess.Popen]:
        return [self.builder] if self.builder else []

    def _wanted(self) -> bool:
        if not (self.home / "app.db").is_file():
            return False
        # Importing SQLAlchemy takes as long as half a start, and where nobody contributes it is not needed.
        from ..contribute import submissions
        from ..contribute.book import book

        try:
            return submissions.pending(book(self.home))
        except (KvgraphError, OSError) as error:
            log.error("The book of contributions cannot be read: %s", error)
            self.not_before = time.monotonic() + LONGEST_DELAY
            return False

    def _notice(self) -> None:
        status = self.builder.poll()
        if status is None:
            return
        said = (self.builder.stderr.read() or b"").decode(errors="replace").strip()[-2000:]
        self.builder.stderr.close()
        self.builder, self.failed = None, 0 if status == 0 else self.failed + 1
        if status:
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self.failed - 1))
            self.not_before = time.monotonic() + delay
            log.error("What was accepted could not be published (status %s): %s Trying again in %g s.", status, said, delay)


def _start(home: Path, data: Path | None) -> subprocess.Popen:
    command = [sys.executable, "-m", "kvgraph", "build", "--quiet", "--home", str(home), *(["--data", str(data)] if data else [])]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, preexec_fn=_humble, start_new_session=True)


def _humble() -> None:
    from . import _die_with_parent

    os.nice(NICE)
    _die_with_parent()
