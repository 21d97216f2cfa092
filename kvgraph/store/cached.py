"""Answers that are kept: what was asked of a release once need not be computed again, because a release never changes.

What took an engine long is kept as a file, for every process; what it gave at once is kept in memory, since writing it would take as long again. A kept
answer is one file: a line of JSON that says what it is, then the answer itself. Files appear under their name only when they are whole, and a
reader keeps what it has opened, so that any number of processes may share a folder without a lock.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from kvgraph.formats import Format
from kvgraph.store.backend import Outcome
from kvgraph.store.client import PoolClient
from kvgraph.store.signs import Signs
from kvgraph.store.tokens import tokens

# An answer that may differ from one moment to the next; an escape could hide such a function, and so could a comment before its bracket, whose end
# is not looked for: to do so after each of thousands of names would take seconds.
# Written without IGNORECASE, which would look at every character of a query three times as long; STRUUID ends in UUID. Most queries hold none of the names.
_VOLATILE = re.compile(r"[NnRrUuBb](?:[Oo][Ww]|[Aa][Nn][Dd]|[Uu][Ii][Dd]|[Nn][Oo][Dd][Ee])\s*+[(#]|\\u")
_CHUNK = 256 * 1024
SHORT = 64 * 1024  # bytes of an answer that may be kept in memory
_ENTRY = 1000  # bytes, about, that it takes beside its own


@lru_cache(maxsize=64)
def volatile(query: str) -> bool:
    """Whether the same query may have another answer a moment later, on the same data.

    >>> volatile("SELECT (NOW() AS ?t) {}"), volatile("SELECT ?now { ?now ?p ?o }")
    (True, False)
    >>> volatile("SELECT (NOW # really\\n() AS ?t) {}"), volatile("CONSTRUCT { [] ?p ?o } { ?s ?p ?o }")
    (True, True)
    """
    text = query.lower()
    if ("now" in text or "rand" in text or "uuid" in text or "bnode" in text or "\\u" in text) and _VOLATILE.search(query):
        return True
    return "construct" in text and _makes_blank_nodes(query)


def _makes_blank_nodes(query: str) -> bool:
    """Whether a template has blank nodes, which are called otherwise each time."""
    seen, depth = tokens(query), 0
    any(token.text.upper() == "CONSTRUCT" for token in seen)  # goes on from there
    for token in seen:
        if token.text in ("[", "(") or token.text.startswith("_:"):
            return True
        if token.text in ("{", "}"):
            depth += 1 if token.text == "{" else -1
            if depth == 0:
                return False
    return False


@lru_cache(maxsize=64)
def key(query: str, format: str, default_graphs: tuple[str, ...] = (), named_graphs: tuple[str, ...] = (), max_rows: int | None = None) -> str:
    """The name of an answer among those of its release: from all that decides its bytes. ``format`` is its name."""
    dataset = json.dumps([default_graphs, named_graphs]) if default_graphs or named_graphs else ""
    # A lone surrogate cannot be encoded; such a query has no answer, but asking for it must not fail here.
    return hashlib.sha256(f"{format}\0{max_rows}\0{dataset}\0{query}".encode("utf-8", "surrogatepass")).hexdigest()


def compressed(file: BinaryIO, coding: str = "gzip") -> tuple[int, BinaryIO]:
    """The size and the content of what is left of a file, in a content coding, as another file at its beginning."""
    assert coding == "gzip"  # the one we offer
    if isinstance(file, io.BytesIO):
        data = zipped(file.read())
        return len(data), io.BytesIO(data)
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
class Recent:
    """Short answers in the memory of this process; those not used for the longest time go first."""

    max_bytes: int = 16 * 2**20
    _answers: OrderedDict[tuple[str, str], tuple[Outcome, bytes]] = field(default_factory=OrderedDict, repr=False)
    _size: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def find(self, name: tuple[str, str]) -> tuple[Outcome, BinaryIO] | None:
        with self._lock:
            if found := self._answers.get(name):
                self._answers.move_to_end(name)
        return found and (found[0], io.BytesIO(found[1]))

    def keep(self, name: tuple[str, str], outcome: Outcome, answer: bytes) -> None:
        with self._lock:
            if name not in self._answers:
                self._answers[name] = outcome, answer
                self._size += len(answer) + _ENTRY
            while self._size > self.max_bytes:
                self._size -= len(self._answers.popitem(last=False)[1][1]) + _ENTRY


@dataclass
class Answers:
    """A folder of answers, by release. ``max_bytes`` and ``max_files`` bound all of them together; those not used for the longest time go first.

    Each process looks after the bounds whenever it has added a twentieth of them, so that for a moment there may be that much more. Answers that an
    engine gave in less than ``quick`` seconds stay in the memory of the process that asked.
    """

    folder: Path
    max_bytes: int = 256 * 2**20
    max_files: int = 20_000
    quick: float = 0.005
    count: Callable[[str, int], None] = lambda name, amount: None
    recent: Recent = field(default_factory=Recent)
    signs: Signs = field(init=False, repr=False)
    _bytes: int = field(default=0, repr=False)
    _files: int = field(default=0, repr=False)

    def __post_init__(self):
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.signs = Signs(self.folder.with_name(f"{self.folder.name}.signs"))

    def find(self, release: str, name: str) -> tuple[Outcome, BinaryIO] | None:
        """An answer and the file that holds it, at its beginning."""
        found = self.recent.find((release, name))
        if found or not self.signs.may_be(name):
            return found
        path = f"{self.folder}/{release}/{name}"
        found = _opened(path)
        if found:
            with suppress(OSError):  # it may have had to go at this moment; we have it open
                os.utime(path)
        return found

    def brief(self, seconds: float, size: int) -> bool:
        """Whether an answer that an engine gave in that time is kept in memory."""
        return seconds < self.quick and size <= SHORT

    def keep(self, release: str, name: str, outcome: Outcome, file: BinaryIO) -> None:
        """Keep a copy of the rest of an open file, and put it back to where it was. Without place for it nothing is kept."""
        if self.brief(outcome.seconds, outcome.bytes):
            start = file.tell()
            self.recent.keep((release, name), outcome, file.read())
            file.seek(start)
            return
        if outcome.bytes > self.max_bytes // 8:
            return
        start = file.tell()
        try:
            write(self.folder / release / name, outcome, file)
        except OSError:
            return
        finally:
            file.seek(start)
        self.signs.set(name)
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


def _opened(path: Path | str) -> tuple[Outcome, BinaryIO] | None:
    if not os.access(path, os.R_OK):  # most are not there, and an exception takes longer than to look
        return None
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
    _there: frozenset[str] = frozenset()  # what is in it

    # All of these go through answer_file.
    select, ask, construct, answer, _of_form = PoolClient.select, PoolClient.ask, PoolClient.construct, PoolClient.answer, PoolClient._of_form

    def keeping(self, answers: Answers, release: str, computed: Path):
        """This backend, with what it answers for a release being kept."""
        self.answers, self.release, self.computed = answers, release, computed
        with suppress(OSError):
            self._there = frozenset(os.listdir(computed))
        return self

    def _kept(self, name: str) -> tuple[Outcome, BinaryIO] | None:
        found = (name in self._there and _opened(self.computed / name)) or self.answers.find(self.release, name)
        if found:
            self.answers.count("cache_hits", 1)
        return found

    def answer_file(
        self, query: str, format: Format, *, coding: str | None = None, default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None, max_rows: int | None = None, admit: Callable[[], None] = lambda: None, **limits,
    ) -> tuple[Outcome, BinaryIO]:  # fmt: skip
        """As :meth:`PoolClient.answer_file <kvgraph.store.client.PoolClient.answer_file>`; ``admit`` is called before an engine is asked, and may raise.

        With ``coding`` the file, and the number of bytes, are those of the answer in that content coding.
        """
        choice = {"default_graphs": tuple(default_graphs or ()), "named_graphs": tuple(named_graphs or ()), "max_rows": max_rows}
        lasting = self.answers is not None and not volatile(query)
        if lasting:
            name = key(query, format.name, *choice.values())
            name = f"{name}.{coding}" if coding else name
            if found := self._kept(name):
                return found
        if coding:
            # The plain answer is looked for and kept as well: others take it without a coding, or in another one.
            outcome, plain = self.answer_file(query, format, **choice, admit=admit, **limits)
            with plain:
                size, file = compressed(plain, coding)
            found = outcome._replace(bytes=size), file
        else:
            admit()
            found = super().answer_file(query, format, **choice, **limits)
        if lasting and (found[0].complete or max_rows):
            self.answers.keep(self.release, name, *found)
        return found
