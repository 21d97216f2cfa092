"""What was imported: the folder of each import under ``<home>/sources/imports``."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TextIO

from ..errors import KvgraphError

DATA, DESCRIPTION, REPORT = "data.nq", "source.trig", "report.json"
_PREVIOUS = ".previous"  # how the name of a folder ends that is being replaced, between two renames


@dataclass(frozen=True)
class Import:
    """One import, complete. ``report`` says what came in and what was set aside (see :func:`kvgraph.sources.importing.run`)."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def data(self) -> Path:
        """Its statements as N-Quads, all in one graph."""
        return self.path / DATA

    @property
    def description(self) -> Path:
        """The source and its graph, described in TriG."""
        return self.path / DESCRIPTION

    @property
    def organisations(self) -> Path:
        """Its organisations (:mod:`kvgraph.sources.organisations`); there is no file where it has none."""
        return self.path / "organisations.parquet"

    @cached_property
    def report(self) -> dict:
        return json.loads((self.path / REPORT).read_text(encoding="utf-8"))


def folder(home: Path) -> Path:
    """Where imports lie."""
    return home / "sources" / "imports"


def imports(home: Path) -> dict[str, Import]:
    """Every complete import of a home by name, sorted."""
    put_back(home, folder(home))
    found = [p for p in folder(home).glob("*") if p.name[0] != "." and (p / REPORT).is_file()]
    return {p.name: Import(p) for p in sorted(found)}


def put(draft: Path, place: Path) -> None:
    """Have a folder take the place of another, all of it on the disk first. Killed at any moment the old one or the new one is there, once :func:`put_back`
    has looked. The importers' lock is held."""
    for path in (*draft.iterdir(), draft):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    old = place.with_name(f".{place.name}{_PREVIOUS}")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        os.replace(place, old)
    os.replace(draft, place)
    shutil.rmtree(old, ignore_errors=True)


def put_back(home: Path, parent: Path) -> None:
    """Whoever was killed between two renames has left the old folder beside its place in ``parent``."""
    if not any(parent.glob(f".*{_PREVIOUS}")):
        return
    with only_importer(home, wait=False) as mine:
        for left in parent.glob(f".*{_PREVIOUS}") if mine else ():
            place = left.with_name(left.name[1:].removesuffix(_PREVIOUS))
            if not place.exists():
                os.replace(left, place)


def sort(options: Sequence[str], files: Iterable[Path], into: Path) -> None:
    """Sort the lines of files into one, each line once, by a program outside Python: there may be tens of millions.

    Raises :class:`~kvgraph.errors.KvgraphError` with what the program says, where it cannot.
    """
    command = ["sort", "--unique", *options, "--output", os.fspath(into), "--", *map(os.fspath, files)]
    done = subprocess.run(command, env={**os.environ, "LC_ALL": "C"}, stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode:
        why = done.stderr.strip().rpartition(": ")[2] or f"sort ended with {done.returncode}"
        raise KvgraphError(f"Statements could not be sorted: {why[:200]}.", hint="Is there room on the disk, for all of them twice over?")


@contextmanager
def only_importer(home: Path, wait: bool = True) -> Iterator[bool]:
    """Hold the importers' lock; the kernel gives it back however the process ends. Without ``wait`` gives False where another holds it."""
    folder(home).mkdir(parents=True, exist_ok=True)
    with open(folder(home) / ".lock", "a") as lock:
        mine = _locked(lock)
        if wait and not mine:
            print("Another import is running; waiting for it to end.", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield mine or wait


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
