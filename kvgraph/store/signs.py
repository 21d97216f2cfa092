"""Which files of a folder are worth looking for."""

from __future__ import annotations

import mmap
import os
import zlib
from contextlib import suppress
from pathlib import Path


class Signs:
    """Which files there may be, in memory that all processes of a folder share: a byte for each of the sums that names have.

    Most of what is asked for is not there, and to ask the system each time takes as long as a good part of a light query.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     signs = Signs(Path(folder) / "signs")
    ...     signs.set("a"), signs.may_be("a"), Signs(Path(folder) / "signs").may_be("a"), signs.may_be("b")
    (None, True, True, False)
    """

    SUMS = 2**16

    def __init__(self, path: Path):
        self._bytes: mmap.mmap | None = None
        with suppress(OSError), open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:  # without a place for it every name is looked for
            os.posix_fallocate(file.fileno(), 0, self.SUMS)  # a disk that is full must say so now
            self._bytes = mmap.mmap(file.fileno(), self.SUMS)

    def set(self, name: str) -> None:
        if self._bytes:
            self._bytes[zlib.crc32(name.encode()) % self.SUMS] = 1

    def may_be(self, name: str) -> bool:
        return self._bytes is None or self._bytes[zlib.crc32(name.encode()) % self.SUMS] == 1
