"""From what was accepted to the next release.

Three steps, each of which can be repeated: the files are made what the book says, a release is built from them, and the book notes which release has what.
Killed between any two, the next run does the same again and ends with the same.
"""

import fcntl
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import releases
from ..build import Built, build
from ..build.read import CONTRIBUTED, MalformedSource
from ..build.run import BuildRefused
from ..resources import folder
from . import decisions, submissions
from .book import Book, Submission, book, is_kept
from .files import LIVE, Unfit, name_of, reconcile

REFUSED = (BuildRefused, MalformedSource)
log = logging.getLogger("kvgraph.publish")


def publish(home: Path, *, data: Path | None = None, **options) -> Built:
    """Build a release of all sources and of what was accepted, as :func:`kvgraph.build.build` does; ``options`` are its own.

    An accepted submission that breaks the release goes back to the curators with what is wrong, and the release is built without it. Raises
    what :func:`kvgraph.build.build` does where that is due to no submission.
    """
    if not is_kept(home):
        return build(home, data=data, **options)
    with _only_publisher(home):
        kept = book(home)
        while True:
            try:
                return _published(kept, data, options)
            except Unfit as error:
                _send_back(kept, [error.submission], str(error))
            except REFUSED as error:
                if guilty := _named(kept, data, error):
                    _send_back(kept, guilty, error.message)
                else:
                    _find_out(kept, data, options, error)


def _published(kept: Book, data: Path | None, options: dict, aside: Collection[str] = ()) -> Built:
    """A release of all that is live but what is ``aside``."""
    told = reconcile(kept, data, aside)
    built = _built(kept.home, data, bool(told), options)
    decisions.published(kept, told, built.release.id)
    return built


def _built(home: Path, data: Path | None, told: bool, options: dict) -> Built:
    """A release that is new where there is news: what was undone leads forward, not back to a release of long ago that happens to hold the same."""
    built = build(home, data=data, **options)
    if told and not built.fresh and built.release.id != releases.list_releases(home)[-1].id:
        built = build(home, data=data, **{**options, "force": True})
    return built


def _send_back(kept: Book, guilty: list[str], why: str) -> None:
    log.warning("Not published, and back with the curators: %s. %s", ", ".join(guilty), why)
    decisions.refused(kept, guilty, why)


# ── Whose fault it is ────────────────────────────────────────────────────────────────────────────────────────────────


def _named(kept: Book, data: Path | None, error: BuildRefused | MalformedSource) -> list[str]:
    """Of the submissions behind the files that are named, the newest of each: those before it were published once. What is published already broke nothing
    until now, so that it is named only where nothing else is."""
    of_file: dict[str, Submission] = {}
    for submission in _in_order(kept, LIVE):
        of_file[CONTRIBUTED + name_of(submission.thing, data or folder("data")).as_posix()] = submission
    named = [of_file[name] for name in _files(error) if name in of_file]
    return [s.id for s in named if s.state == "accepted"] or [s.id for s in named]


def _files(error: BuildRefused | MalformedSource) -> dict[str, None]:
    named = [v["file"] for v in error.violations] if isinstance(error, BuildRefused) else [p.file for p in error.problems]
    return dict.fromkeys(name for names in named for name in names.split(", ") if name.startswith(CONTRIBUTED))


def _find_out(kept: Book, data: Path | None, options: dict, error: BuildRefused | MalformedSource) -> None:
    """Send back the first accepted submission with which there is no release. Those before it are published on the way: each try halves who it may be.

    Raises ``error`` if there is no release without any of them either.
    """
    waiting = [s.id for s in _in_order(kept, ("accepted",))]
    fine, broken = -1, len(waiting)  # with so many of them there is a release, with so many there is none
    while broken - fine > 1:
        tried = (fine + broken) // 2
        try:
            _published(kept, data, options, aside=waiting[tried:])
        except REFUSED as again:
            broken, error = tried, again
        else:
            fine = tried
    if broken == 0:
        raise error
    _send_back(kept, [waiting[fine]], f"With this there is no release, without it there is. {error.message}")


def _in_order(kept: Book, states: Collection[str]) -> list[Submission]:
    """Submissions in these states that have a file, what is published first, then as they were accepted."""
    found = [s for s in submissions.queue(kept, states, limit=100_000) if s.kind != "report" and s.accepted]
    return sorted(found, key=lambda s: (s.state == "accepted", s.accepted, s.id))


@contextmanager
def _only_publisher(home: Path) -> Iterator[None]:
    with open(home / "publish.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
