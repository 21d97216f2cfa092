"""Answers that pages need, computed once with the release: the first reader of a release waits for none of them.

Each is a file of :mod:`kvgraph.store.cached`, under the name that a server looks for. What is not here is asked when it is wanted, and kept then.
"""

import os
import select
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .. import gathering, queries
from ..formats import JSON, NTRIPLES
from ..graph import Rows
from ..model import ENTITY_TYPES, path_of
from ..namespaces import DCAT, DEF
from ..search import SearchIndex
from ..store import Embedded, check
from ..store.cached import key, write
from ..store.embedded import OnDisk
from ..store.sandbox import die_with_parent, limit_memory, no_core

SECONDS = 5.0  # that one answer may take: what is slower is left to who asks for it, under the limits of the server
MEMORY = 2 << 30  # bytes that the answers may take together: as much as a server lets one query have, unless told otherwise
CHANNELS = DEF + "channel"


def write_answers(engine: Embedded, folder: Path, seconds: float = SECONDS) -> int:
    """Answer what pages ask, into a folder; returns how many answers there are. What takes longer than ``seconds`` is left out.

    A store on the disk must not be open in this process, which forks: :func:`write_answers_on_disk` is for those.
    """
    written = 0

    def run(name: str, **params) -> Rows:
        return Rows.of(engine.select(queries.load(name).bind(**params)))

    folder.mkdir(parents=True, exist_ok=True)
    # A store on the disk is first opened by the child; what its pages gather is asked when it is wanted.
    waiting = list(dict.fromkeys(wanted(None if isinstance(engine, OnDisk) else run)))
    while waiting:
        done = _answer_until_slow(engine, waiting, folder, seconds)
        written += done
        del waiting[: done + 1]  # the one it did not come back from as well
    for draft in folder.parent.glob(".*-*"):  # of an answer that was given up
        draft.unlink()
    return written


def write_answers_on_disk(store: str, folder: str) -> None:
    """The same from a store on the disk; to be called by a program of its own."""
    write_answers(Embedded.load(store), Path(folder), seconds=4 * SECONDS)  # on the disk everything takes longer


def _answer_until_slow(engine: Embedded, texts: list[str], folder: Path, seconds: float) -> int:
    """Answers in a process of its own, because a query cannot be interrupted; returns how many were answered before one took too long."""
    parent, (end, start) = os.getpid(), os.pipe()
    child = os.fork()
    if not child:
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            engine.open()
            no_core()
            limit_memory(MEMORY)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # an engine that gets no more memory ends the process, and says so
            for text in texts:
                _answer(engine, text, folder)
                os.write(start, b".")
            os._exit(0)
        finally:
            os._exit(1)
    os.close(start)
    try:
        done = 0
        while select.select([end], [], [], seconds)[0] and (more := len(os.read(end, 4096))):
            done += more
        return done
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(end)


def answer_home(engine: Embedded, release: Path) -> None:
    """Answer what the home page asks of the practices that the search index of a release knows most of: when a server starts, that page needs no engine."""

    def run(name: str, **params) -> Rows:
        text = queries.load(name).bind(**params)
        _answer(engine, text, release / "answers")
        return Rows.of(engine.select(text))

    known = gathering.most_known(SearchIndex(release / "search").search)
    if known.hits:
        gathering.examples(run, known)


def wanted(run: gathering.Run | None) -> Iterator[str]:
    """The queries: of the home page, of the list of each type, of pages that gather much, and every question with its examples."""
    yield queries.load("pages/counts").bind()
    yield queries.load("pages/places").bind()
    yield queries.load("pages/featured").bind(limit=gathering.FEATURED)
    questions = [queries.load(name) for name in queries.names()]
    lists = {param.of for question in questions for param in question.params if param.of} | {kind.iri for kind in ENTITY_TYPES}
    for of in sorted(lists):
        yield queries.load("pages/options").bind(of=of, lang="en")
    for question in questions:
        yield question.bind(**question.examples)
        yield question.bind(**{param.name: param.example for param in question.params if param.required})
    if run:
        yield from _gathering(run)


def _gathering(run: gathering.Run) -> Iterator[str]:
    """What the pages of sources, of channels and of things with very many links ask to gather what leads there."""
    asked: list[str] = []

    def noted(name: str, **params) -> Rows:
        asked.append(queries.load(name).bind(**params))
        return run(name, **params)

    for source in run("pages/options", of=DCAT + "Dataset", lang="en"):
        gathering.of_source(noted, source["thing"])
        gathering.counts(noted, source["thing"])
    hubs = [*run("pages/options", of=CHANNELS, lang="en"), *run("pages/hubs", more=gathering.MANY)]  # to a channel much leads in a small graph too
    for hub in dict.fromkeys(row["thing"] for row in hubs if path_of(row["thing"])):
        gathering.links(noted, hub, gathering.counts(noted, hub), "en")
    yield from asked


def _answer(engine: Embedded, text: str, folder: Path) -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        format = JSON if check(text) in ("SELECT", "ASK") else NTRIPLES  # what a server asks its pool for
        outcome = engine.write(text, format, file)
        file.seek(0)
        write(folder / key(text, format.name), outcome, file)

