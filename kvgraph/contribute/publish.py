"""From what was accepted to the next release.

Three steps, each of which can be repeated: the files are made what the book says, a release is built from them, and the book notes which release has what.
Killed between any two, the next run does the same again and ends with the same.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import releases
from ..build import Built, build
from ..build.read import CONTRIBUTED, MalformedSource
from ..build.run import BuildRefused
from ..resources import folder
from . import decisions, submissions
from .book import Book, book, is_kept
from .files import LIVE, name_of, reconcile

ROUNDS = 5  # of building without what broke a must


def publish(home: Path, *, data: Path | None = None, **options) -> Built:
    """Build a release of all sources and of what was accepted, as :func:`kvgraph.build.build` does; ``options`` are its own.

    An accepted submission that breaks the release goes back to the curators with what is wrong, and the release is built without it.
    """
    if not is_kept(home):
        return build(home, data=data, **options)
    with _only_publisher(home):
        kept = book(home)
        for left in reversed(range(ROUNDS)):
            told = reconcile(kept, data)
            try:
                built = _built(home, data, bool(told), options)
            except (BuildRefused, MalformedSource) as error:
                guilty = _guilty(kept, data, _files(error))
                if not guilty or not left:
                    raise
                decisions.refused(kept, guilty, error.message)
            else:
                decisions.published(kept, told, built.release.id)
                return built
    raise AssertionError("unreachable")


def _built(home: Path, data: Path | None, told: bool, options: dict) -> Built:
    """A release that is new where there is news: what was undone leads forward, not back to a release of long ago that happens to hold the same."""
    built = build(home, data=data, **options)
    if told and not built.fresh and built.release.id != releases.list_releases(home)[-1].id:
        built = build(home, data=data, **{**options, "force": True})
    return built


def _files(error: BuildRefused | MalformedSource) -> dict[str, None]:
    named = [v["file"] for v in error.violations] if isinstance(error, BuildRefused) else [p.file for p in error.problems]
    return dict.fromkeys(name for names in named for name in names.split(", ") if name.startswith(CONTRIBUTED))


def _guilty(kept: Book, data: Path | None, files: dict[str, None]) -> list[str]:
    """The newest accepted submission behind each file: those before it were published once."""
    of_file: dict[str, str] = {}
    for submission in submissions.queue(kept, LIVE, limit=100_000):
        if submission.kind == "report":
            continue
        of_file[CONTRIBUTED + name_of(submission.thing, data or folder("data")).as_posix()] = submission.id
    return [of_file[name] for name in files if name in of_file]


@contextmanager
def _only_publisher(home: Path) -> Iterator[None]:
    with open(home / "publish.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
