"""Releases: what build writes once and serve reads.

A home (``$KVGRAPH_HOME``, default ``var/``) holds ``releases/<id>/`` directories that never change and the
link ``current`` to the one being served. A release holds::

    dumps/           the whole and each source, to take away; kvgraph.nq.gz is what is served: every named graph,
                     and their merge as the default graph (N-Quads, sorted)
    catalogue.ttl    DCAT-AP description          documents.txt  the path of every page about a thing
    search/          the full-text index          connections/   the connection index (memory-mapped)
    regions/         what regions are compared by answers/       what pages ask, answered
    names/           the index of names and identifiers (memory-mapped)
    store/           the graph on the disk, where it is too large for memory
    report.json      what validation found
    manifest.json    counts, checksums, versions, time
"""

import json
import os
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .changes import compare
from .errors import KvgraphError

FORMAT = 2  # of the files in a release; another number when what reads them could no longer read those of before
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")


class NoRelease(KvgraphError):
    """There is no release to open, or not this one."""


class OtherFormat(NoRelease):
    """There is such a release, and this kvgraph cannot read it."""


def home(path: str | os.PathLike | None = None) -> Path:
    """The directory for everything kvgraph writes: ``path``, else ``$KVGRAPH_HOME``, else ``var``."""
    return Path(path or os.environ.get("KVGRAPH_HOME") or "var").absolute()


@dataclass(frozen=True)
class Release:
    """One release, opened for reading.

    ``id`` begins with its date. ``manifest`` is what build wrote: ``built`` (ISO 8601, UTC), ``counts``,
    ``format`` (:data:`FORMAT` of that kvgraph), ``dumps`` (see :func:`kvgraph.build.dumps.write_dumps`), ``files`` (SHA-256 and bytes per file), ``inputs`` (digest of
    everything it was built from), ``versions``.
    """

    path: Path

    @cached_property
    def id(self) -> str:
        return self.path.name

    @property
    def home(self) -> Path:
        return self.path.parents[1]

    @cached_property
    def manifest(self) -> dict:
        return json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))

    @property
    def nquads(self) -> Path:
        return self.dumps / "kvgraph.nq.gz"

    @property
    def graph(self) -> Path:
        """What queries are answered from: the store of a release that is kept on the disk, else the dump that is loaded into memory."""
        store = self.path / "store"
        return store if store.is_dir() else self.nquads

    @property
    def dumps(self) -> Path:
        return self.path / "dumps"

    @property
    def catalogue(self) -> Path:
        return self.path / "catalogue.ttl"

    @property
    def documents(self) -> Path:
        return self.path / "documents.txt"

    @property
    def search(self) -> Path:
        return self.path / "search"

    @property
    def connections(self) -> Path:
        return self.path / "connections"

    @property
    def regions(self) -> Path:
        return self.path / "regions"

    @property
    def names(self) -> Path:
        return self.path / "names"

    @property
    def similarity(self) -> Path:
        return self.path / "similarity"

    @cached_property
    def report(self) -> dict:
        return json.loads((self.path / "report.json").read_text(encoding="utf-8"))


def list_releases(home: Path) -> list[Release]:
    """Every complete release under ``home``, oldest first."""
    found = [Release(p) for p in (home / "releases").glob("*") if (p / "manifest.json").is_file() and p.name[0] != "."]
    return sorted(found, key=lambda r: (r.manifest["built"], r.id))


def is_kept(home: Path, release_id: str) -> bool:
    """Whether there is a complete release of that id under ``home``."""
    return bool(_ID.fullmatch(release_id)) and (home / "releases" / release_id / "manifest.json").is_file()


def find(home: Path, release_id: str) -> Release:
    """The release of that id. Raises :class:`NoRelease`, naming those that exist."""
    if is_kept(home, release_id):
        return Release(home / "releases" / release_id)
    known = ", ".join(r.id for r in list_releases(home)) or "none"
    raise NoRelease(f"There is no release {release_id!r}.", hint=f"Releases here: {known}.")


def current(home: Path) -> Release:
    """The release that ``current`` points to. Raises :class:`NoRelease` with the command that makes one."""
    try:
        target = os.readlink(home / "current")
    except OSError:
        raise NoRelease(f"No release in {home}.", hint="Build one with: kvgraph build. If it is elsewhere, name the folder with --home or KVGRAPH_HOME.") from None
    return find(home, Path(target).name)


def readable(release: Release) -> Release:
    """The release itself. Raises :class:`OtherFormat`, saying what to do, if it was built by a kvgraph whose files are others than ours.

    Its dumps can be taken away and compared all the same.
    """
    found = release.manifest.get("format", 1)
    if found != FORMAT:
        by, instead = ("an older", "Build again with: kvgraph build") if found < FORMAT else ("a newer", "Use that one, or build again with: kvgraph build")
        raise OtherFormat(f"Release {release.id} was built by {by} kvgraph.", hint=instead)
    return release


def switch(home: Path, release_id: str) -> Release:
    """Make a release the current one, atomically: a reader sees the old link or the new one, never none.

    Raises :class:`NoRelease`, also for one that this kvgraph cannot read.
    """
    release = readable(find(home, release_id))
    link = home / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / release.id)
    os.replace(link, home / "current")
    return release


def prune(home: Path, keep: int = 3) -> list[str]:
    """Delete all but the newest ``keep`` releases and the current one. Returns the ids deleted."""
    if keep < 1:
        raise KvgraphError("At least one release must be kept.", hint="Use --keep 1 or more.")
    releases = list_releases(home)
    spared = {r.id for r in releases[-keep:]} | {current(home).id}
    gone = [r for r in releases if r.id not in spared]
    for release in gone:
        # Out of sight first, so that a crash leaves no release with half its files.
        doomed = release.path.with_name(f".{release.id}.deleted")
        os.replace(release.path, doomed)
        shutil.rmtree(doomed)
    return [r.id for r in gone]


@dataclass(frozen=True)
class Difference:
    """What one release says and another does not: N-Triples lines of the default graph, sorted."""

    removed: list[str]
    added: list[str]


def diff(home: Path, old: str, new: str) -> Difference:
    """Compare the default graphs of two releases; thing by thing they are compared by :func:`kvgraph.changes.changes`."""
    found = list(compare(find(home, old).nquads, find(home, new).nquads))
    return Difference(sorted(t for s in found for t in s.removed), sorted(t for s in found for t in s.added))
