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
from ..build.validation import UNKNOWN
from ..resources import folder
from . import decisions, submissions
from .book import Book, Submission, book, is_kept
from .files import LIVE, Unfit, name_of, reconcile

REFUSED = (BuildRefused, MalformedSource)
log = logging.getLogger("kvgraph.publish")


def publish(home: Path, *, data: Path | None = None, **options) -> Built:
    """Build a release of all sources and of what was accepted, as :func:`kvgraph.build.build` does; ``options`` are its own.

    An accepted submission that breaks the release goes back to the curators with what is wrong, and the release is built without it; if it is broken by
    undoing one, that one stays. Raises what :func:`kvgraph.build.build` does where that is due to no submission.
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
                _blame(kept, data, options, error)


def _published(kept: Book, data: Path | None, options: dict, aside: Collection[str] = ()) -> Built:
    """A release of all that was decided but what is ``aside``."""
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


def _blame(kept: Book, data: Path | None, options: dict, error: BuildRefused | MalformedSource) -> None:
    """Send back who broke the release. What is published already broke nothing until now: it is to blame only where nothing since then is. Raises ``error``
    where nobody is."""
    named, new = _named(kept, data, error), _unsettled(kept)
    accepted = [s.id for s in named if s.state == "accepted"]
    if accepted and all(s.state == "accepted" for s in new):  # else they may only have built on what was undone since
        _send_back(kept, accepted, error.message)
    elif not _find_out(kept, data, options, error, [s.id for s in new]):
        if not (guilty := named or _leading(kept, error)):
            raise error
        _send_back(kept, [s.id for s in guilty], error.message)


def _named(kept: Book, data: Path | None, error: BuildRefused | MalformedSource) -> list[Submission]:
    """Of the submissions behind the files that are named, the newest of each: those before it were published once."""
    of_file: dict[str, Submission] = {}
    for submission in _in_order(kept, LIVE):
        of_file[CONTRIBUTED + name_of(submission.thing, data or folder("data")).as_posix()] = submission
    return [of_file[name] for name in _files(error) if name in of_file]


def _leading(kept: Book, error: BuildRefused | MalformedSource) -> list[Submission]:
    """The renamings and mergings that lead to what no file says anything of any more."""
    nowhere = {v["subject"] for v in error.violations if v["file"] == UNKNOWN} if isinstance(error, BuildRefused) else set()
    return [s for s in _in_order(kept, LIVE) if nowhere & {s.thing, s.content.get("replaced_by")}]


def _files(error: BuildRefused | MalformedSource) -> dict[str, None]:
    named = [v["file"] for v in error.violations] if isinstance(error, BuildRefused) else [p.file for p in error.problems]
    return dict.fromkeys(name for names in named for name in names.split(", ") if name.startswith(CONTRIBUTED))


def _find_out(kept: Book, data: Path | None, options: dict, error: BuildRefused | MalformedSource, waiting: list[str]) -> bool:
    """Send back the first of those ``waiting`` with which there is no release. Those before it are published on the way: each try halves who it may be.

    False if there is no release without any of them either.
    """
    fine, broken = -1, len(waiting)  # with so many of them there is a release, with so many there is none
    while broken - fine > 1:
        tried = (fine + broken) // 2
        aside = {s.id for s in _unsettled(kept)} - set(waiting[:tried])  # who came meanwhile too
        try:
            _published(kept, data, options, aside)
        except Unfit as again:
            _send_back(kept, [again.submission], str(again))
            return True
        except REFUSED as again:
            broken, error = tried, again
        else:
            fine = tried
    if broken == 0:
        return False
    _send_back(kept, [waiting[fine]], f"With this there is no release, without it there is. {error.message}")
    return True


def _unsettled(kept: Book) -> list[Submission]:
    """What no release heeds yet and could do without: what was accepted, and what was undone and is in the last one. In the order in which that was decided."""
    undone = [s for s in submissions.queue(kept, ("undone",), limit=100_000) if decisions.is_taken_back(s)]
    return sorted([*_in_order(kept, ("accepted",)), *undone], key=lambda s: (s.changed if s.state == "undone" else s.accepted, s.id))


def _in_order(kept: Book, states: Collection[str]) -> list[Submission]:
    """Submissions in these states that have a file, what is published first, then as they were accepted."""
    found = [s for s in submissions.queue(kept, states, limit=100_000) if s.kind != "report" and s.accepted]
    return sorted(found, key=lambda s: (s.state == "accepted", s.accepted, s.id))


@contextmanager
def _only_publisher(home: Path) -> Iterator[None]:
    with open(home / "publish.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
