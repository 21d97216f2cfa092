"""Answers kept as files: what was asked of a release once need not be computed again, because a release never changes.

An answer is one file: a line of JSON that says what it is, then the answer itself. Files appear under their name only when they are whole, and a
reader keeps what it has opened, so that any number of processes may share a folder without a lock.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from kvgraph.formats import Format
from kvgraph.store.backend import Outcome
from kvgraph.store.client import PoolClient

# An answer that may differ from one moment to the next; an escape could hide such a function.
_VOLATILE = re.compile(r"\b(?:NOW|RAND|UUID|STRUUID|BNODE)\s*\(|\\u", re.IGNORECASE)
_CHUNK = 256 * 1024


def volatile(query: str) -> bool:
    """Whether the same query may have another answer a moment later, on the same data.

    >>> volatile("SELECT (NOW() AS ?t) {}"), volatile("SELECT ?now { ?now ?p ?o }")
    (True, False)
    """
    return bool(_VOLATILE.search(query))


def key(query: str, format: Format, default_graphs: Sequence[str] = (), named_graphs: Sequence[str] = (), max_rows: int | None = None) -> str:
    """The name of an answer among those of its release: all that decides its bytes."""
    parts = [query, format.name, list(default_graphs or ()), list(named_graphs or ()), max_rows]
    # A lone surrogate cannot be encoded; such a query has no answer, but asking for it must not fail here.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def compressed(file: BinaryIO, coding: str = "gzip") -> tuple[int, BinaryIO]:
    """The size and the content of what is left of a file, in a content coding, as another file at its beginning."""
    assert coding == "gzip"  # the one we offer
    target = tempfile.TemporaryFile()
    # Large answers are rarely asked for twice, so their compression should not cost more than sending them.
    level = 6 if os.fstat(file.fileno()).st_size < 2**22 else 1
    with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=level, mtime=0) as out:
        shutil.copyfileobj(file, out, _CHUNK)
    size = target.tell()
    target.seek(0)
    return size, target


def zipped(data: bytes) -> bytes:
    """Bytes in the content coding gzip; the same bytes each time."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


@dataclass
class Answers:
    """A folder of answers, by release. ``max_bytes`` and ``max_files`` bound all of them together; those not used for the longest time go first.

    Each process looks after the bounds whenever it has added a twentieth of them, so that for a moment there may be that much more.
    """

    folder: Path
    max_bytes: int = 256 * 2**20
    max_files: int = 20_000
    count: Callable[[str, int], None] = lambda name, amount: None
    _bytes: int = field(default=0, repr=False)
    _files: int = field(default=0, repr=False)

    def find(self, release: str, name: str) -> tuple[Outcome, BinaryIO] | None:
        """An answer and the file that holds it, at its beginning."""
        path = self.folder / release / name
        found = _opened(path)
        if found:
            with suppress(OSError):  # it may have had to go at this moment; we have it open
                os.utime(path)
        return found

    def keep(self, release: str, name: str, outcome: Outcome, file: BinaryIO) -> None:
        """Keep a copy of the rest of an open file, and put it back to where it was. Without place for it nothing is kept."""
        if outcome.bytes > self.max_bytes // 8:
            return
        start = file.tell()
        try:
            write(self.folder / release / name, outcome, file)
        except OSError:
            return
        finally:
            file.seek(start)
        self._bytes += outcome.bytes
        self._files += 1
        if self._bytes > self.max_bytes // 20 or self._files > self.max_files // 20:
            self._bytes = self._files = 0
            self.tidy()

    def tidy(self) -> None:
        """Hold to the bounds."""
        found = []
        for path in self.folder.glob("*/*"):
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        found.sort()
        size, number, gone = sum(f[1] for f in found), len(found), 0
        for _, length, path in found:
            if size <= self.max_bytes and number <= self.max_files:
                break
            path.unlink(missing_ok=True)
            size, number, gone = size - length, number - 1, gone + 1
        if gone:
            self.count("cache_evictions", gone)


def write(path: Path, outcome: Outcome, file: BinaryIO) -> None:
    """Write an answer under its name, whole or not at all. Raises ``OSError``."""
    draft = f"{path.parent.parent}/.{os.getpid()}-{threading.get_ident()}"  # one thread writes one answer at a time
    try:
        handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    try:
        with open(handle, "wb", buffering=_CHUNK) as target:
            target.write(json.dumps({**outcome.to_wire(), "seconds": 0}).encode() + b"\n")
            shutil.copyfileobj(file, target, _CHUNK)
        try:
            os.replace(draft, path)
        except FileNotFoundError:  # the first of its release
            path.parent.mkdir(exist_ok=True)
            os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _opened(path: Path) -> tuple[Outcome, BinaryIO] | None:
    try:
        file = open(path, "rb")
    except OSError:
        return None
    try:
        return Outcome.from_wire(json.loads(file.readline())), file
    except (ValueError, TypeError, KeyError):  # not an answer of this version of kvgraph
        file.close()
        return None


class Cached:
    """Mixed into a backend with ``answer_file``: asks the engine only for what is not kept, in any of the ways there are to ask.

    ``computed`` is a folder of answers that came with the release; they stay.

        class CachedPool(Cached, PoolClient): ...
    """

    release: str = ""
    answers: Answers | None = None
    computed: Path | None = None

    # All of these go through answer_file.
    select, ask, construct, answer, _of_form = PoolClient.select, PoolClient.ask, PoolClient.construct, PoolClient.answer, PoolClient._of_form

    def keeping(self, answers: Answers, release: str, computed: Path):
        """This backend, with what it answers for a release being kept."""
        self.answers, self.release, self.computed = answers, release, computed
        return self

    def kept(self, query: str, format: Format, coding: str | None = None, **choice) -> tuple[Outcome, BinaryIO] | None:
        """The answer, if it is there already. ``choice`` is as in :func:`key`."""
        if self.answers is None or volatile(query):
            return None
        name = key(query, format, **choice) + (f".{coding}" if coding else "")
        found = _opened(self.computed / name) or self.answers.find(self.release, name)
        self.answers.count("cache_hits" if found else "cache_misses", 1)
        return found

    def answer_file(
        self, query: str, format: Format, *, coding: str | None = None, default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None, max_rows: int | None = None, admit: Callable[[], None] = lambda: None, **limits,
    ) -> tuple[Outcome, BinaryIO]:  # fmt: skip
        """As :meth:`PoolClient.answer_file <kvgraph.store.client.PoolClient.answer_file>`; ``admit`` is called before an engine is asked, and may raise.

        With ``coding`` the file, and the number of bytes, are those of the answer in that content coding.
        """
        choice = {"default_graphs": tuple(default_graphs or ()), "named_graphs": tuple(named_graphs or ()), "max_rows": max_rows}
        found = self.kept(query, format, coding, **choice)
        if found is None and coding:
            outcome, plain = self.answer_file(query, format, **choice, admit=admit, **limits)
            with plain:
                size, file = compressed(plain, coding)
            found = replace(outcome, bytes=size), file
        elif found is None:
            admit()
            found = super().answer_file(query, format, **choice, **limits)
        else:
            return found
        if self.answers is not None and not volatile(query) and (found[0].complete or max_rows):
            self.answers.keep(self.release, key(query, format, **choice) + (f".{coding}" if coding else ""), *found)
        return found
