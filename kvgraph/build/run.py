"""The build itself: lock, read, validate, write, switch."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import pyoxigraph as ox

from .. import __version__, event_stream, releases, resources
from ..errors import KvgraphError
from ..sources.imported import Import, imports
from . import imports as imported
from .apart import apart, program
from .descriptions import add_descriptions
from .read import Sources, inputs_digest, read, source_files
from .validation import UNKNOWN, beside, located, ntriples, results_of
from .write import nquads, sync, write, write_indexes, write_indexes_on_disk


@dataclass(frozen=True)
class Built:
    """What a build did. ``fresh`` is False when nothing had changed and no release was written."""

    release: releases.Release
    fresh: bool
    seconds: float


class BuildRefused(KvgraphError):
    """The merge breaks a must of the shapes, so there is no new release.

    ``violations`` is a list of dictionaries: ``file``, ``subject``, ``path``, ``message``, ``value``, ``shape``.
    """

    def __init__(self, violations: list[dict]):
        self.violations = violations
        text = "\n".join(_violation_line(v) for v in violations[:50])
        more = f"\n… and {len(violations) - 50} more" if len(violations) > 50 else ""
        noun = "violation" if len(violations) == 1 else "violations"
        super().__init__(
            f"{len(violations)} {noun}, no release written:\n{text}{more}",
            hint="Mend them and build again; the current release stays as it is.",
        )


def build(
    home: Path, *, data: Path | None = None, force: bool = False, step: Callable[[str], None] = lambda name: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:  # fmt: skip
    """Build a release from all sources and make it the current one.

    ``data`` is a folder of curated records to use instead of the bundled ones.
    ``step`` is told the name of each step as it begins, ``progress`` the files read so far and in all. Unchanged
    inputs build nothing, unless ``force``. Raises :class:`~kvgraph.build.read.MalformedSource` or :class:`BuildRefused`,
    and then leaves the current release as it was; so does being killed at any moment.
    """
    began = time.monotonic()
    (home / "releases").mkdir(parents=True, exist_ok=True)
    with _only_builder(home):
        files = source_files(home, data)
        inputs = inputs_digest(files)
        if not force and (same := _built_from(home, inputs)):
            releases.switch(home, same.id)
            _stream(home)
            return Built(same, False, time.monotonic() - began)
        _sweep(home)
        step("read sources")
        sources = read(files, lambda done: progress(done, len(files)))
        taken = list(imports(home).values())
        large = [found for found in taken if imported.large(found)]
        for found in taken:
            if found not in large:
                imported.load(sources.store, found)
        with _draft(home) as draft, nullcontext() if large else apart(lambda: write_indexes(sources.store, draft)) as indexed:
            step("describe")
            add_descriptions(sources.store, [found.report for found in large])
            lines = nquads(sources.store)
            digest = _digest(lines, large)
            on_disk = _take_in(sources, lines, taken, large, draft, step) if large else None
            step("validate")
            indexing = program(write_indexes_on_disk, on_disk, draft) if on_disk else nullcontext(indexed)
            with indexing as indexed, _validating(home, sources, lines, large) as report:
                release = _write(home, sources, lines, report, {"inputs": inputs, "digest": digest}, step, draft, large, on_disk, indexed)
        step("event stream")
        _stream(home)
        return Built(release, True, time.monotonic() - began)


def _take_in(sources: Sources, lines: list[bytes], taken: list[Import], large: list[Import], draft: Path, step) -> Path | None:
    """Add large imports to the store; where that does not fit in memory, the store is then one on the disk, and its place is returned."""
    step("take in imports")
    if imported.fits_in_memory(taken):
        for found in large:
            imported.load(sources.store, found)
        return None
    sources.store = imported.load_on_disk(lines, large, draft / "store")
    return draft / "store"


@contextmanager
def _draft(home: Path) -> Iterator[Path]:
    """The folder of a release to be; it is gone again if anything goes wrong."""
    draft = home / "releases" / ".next.draft"
    draft.mkdir()
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _stream(home: Path) -> None:
    """Tell those who follow. The release is current already: what cannot be told now is told with the next one."""
    try:
        event_stream.append(home)
    except OSError as error:
        print(f"The event stream could not be continued ({error.strerror}); the next build tries again.", file=sys.stderr)


def _built_from(home: Path, inputs: str) -> releases.Release | None:
    """The newest release of exactly these inputs that we can read: also one that a killed build wrote but did not switch to."""
    same = [r for r in releases.list_releases(home) if r.manifest["inputs"] == inputs and r.manifest.get("format") == releases.FORMAT]
    return same[-1] if same else None


def _digest(lines: list[bytes], large: list[Import]) -> str:
    """SHA-256 of what a release says: of its lines, and of what large imports were made from."""
    digest = hashlib.sha256(b"".join(lines))
    for found in large:
        digest.update(json.dumps([found.name, found.report["files"], found.report["code"]]).encode())
    return digest.hexdigest()


def _write(
    home: Path, sources: Sources, lines: list[bytes], report: Callable[[], dict], digests: dict, step, draft: Path, large: list[Import], on_disk: Path | None,
    indexed: Callable[[], None] | None,
) -> releases.Release:  # fmt: skip
    now = datetime.now(timezone.utc)
    release_id, built = _free_id(home, f"{now:%Y-%m-%d}-{digests['digest'][:8]}"), now.isoformat(timespec="milliseconds")
    written = write(sources.store, lines, report, release_id, built, draft, step, large, on_disk, _before(home), indexed)
    manifest = {
        "id": release_id,
        "built": built,
        "format": releases.FORMAT,
        **digests,
        **written,
        "sources": sources.files,
        "imports": {found.name: _summary(found) for found in imports(home).values()},
        "versions": {"kvgraph": __version__, "python": platform.python_version(), "pyoxigraph": version("pyoxigraph")},
    }
    (draft / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    step("publish")
    sync(draft)
    os.replace(draft, home / "releases" / release_id)
    return releases.switch(home, release_id)


def _before(home: Path) -> releases.Release | None:
    try:
        return releases.readable(releases.current(home))
    except KvgraphError:  # none yet, or of another kvgraph
        return None


_SHOWN = 50  # rows set aside that a release lists


def _summary(found: Import) -> dict:
    """What a release keeps of the report of an import, for the page of its source."""
    kept = ("iri", "version", "issued", "imported", "read", "taken", "set_aside", "left_out", "triples", "organisations", "classes", "files")
    shown = {name: found.report[name][:_SHOWN] for name in ("problems", "notes")}
    return {**{name: found.report[name] for name in kept}, **shown}


def _free_id(home: Path, wanted: str) -> str:
    """``wanted``, or ``wanted.2`` … where a release of that day and content exists already."""
    number, free = 1, wanted
    while (home / "releases" / free).exists():
        number += 1
        free = f"{wanted}.{number}"
    return free


@contextmanager
def _validating(home: Path, sources: Sources, lines: list[bytes], large: list[Import]) -> Iterator[Callable[[], dict]]:
    """Validate while the dumps are written; gives what waits for the report, and raises :class:`BuildRefused` if a must is broken.

    Where imports are large, they are checked first: a store on the disk must not be in a process that is copied, and what is large not in memory twice.
    """
    def check() -> list[dict]:
        return _results(home, sources, lines, large)

    def report() -> dict:
        results = found()
        if violations := [r for r in results if r["severity"] == "Violation"]:
            raise BuildRefused(violations)
        return {"conforms": True, "results": results}

    with nullcontext(check) if large else apart(check) as found:
        yield report


def _results(home: Path, sources: Sources, lines: list[bytes], large: list[Import]) -> list[dict]:
    """What a validation of this merge finds, and beside it of each large import; each from the cache where it was seen before."""
    if large:
        statements = beside(sources.store, {found.report["graph"] for found in large})
        merge = b"".join(sorted(ntriples(statements).splitlines(keepends=True)))
    else:
        merge = b"".join(filter(event_stream.in_default_graph, lines))
    key = hashlib.sha256(merge).hexdigest()
    results = located(sources, _cached(home, key, lambda: results_of(merge)))
    results = [result if result["file"] != UNKNOWN else {**result, "file": _import_of(sources.store, home, result["subject"])} for result in results]
    for found in large:
        own = _cached(home, f"{key} {found.report['files']} {found.report['code']}", lambda found=found: imported.check(found, statements))
        results += [{**result, "subject": result["focus"], "file": f"sources/imports/{found.name}/{found.data.name}"} for result in own]
    return results


def _import_of(store: ox.Store, home: Path, subject: str) -> str:
    """The file of the import that says something about a subject."""
    thing = ox.NamedNode(subject) if ":" in subject else None
    said = {quad.graph_name.value for quad in store.quads_for_pattern(thing, None, None, None) if isinstance(quad.graph_name, ox.NamedNode)} if thing else set()
    found = [f"sources/imports/{known.name}/{known.data.name}" for known in imports(home).values() if known.report["graph"] in said]
    return ", ".join(found) or UNKNOWN


def _cached(home: Path, key: str, validate: Callable[[], list[dict]]) -> list[dict]:
    """The results of a validation, from the cache if the same statements and shapes were seen before."""
    cache = home / "cache" / "validation" / f"{hashlib.sha256((key + _shapes()).encode()).hexdigest()}.json"
    if cache.is_file():
        return json.loads(cache.read_text(encoding="utf-8"))
    results = validate()
    cache.parent.mkdir(parents=True, exist_ok=True)
    draft = cache.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(results, ensure_ascii=False), encoding="utf-8")
    os.replace(draft, cache)
    return results


def _shapes() -> str:
    """What decides a validation besides the data: the shapes and the validator."""
    texts = [p.read_text(encoding="utf-8") for p in sorted(resources.folder("shapes").glob("*.ttl"))]
    return "\0".join([*texts, version("pyshacl"), version("shacl"), __version__])


def _violation_line(violation: dict) -> str:
    where = f"<{violation['subject']}>" + (f" {violation['path']}" if violation["path"] else "")
    value = f" (value: {violation['value']})" if violation["value"] else ""
    return f"{violation['file']}: {where}: {violation['message']}{value}"


def _sweep(home: Path) -> None:
    """Remove what a killed build left behind; only the one builder may."""
    for left in (home / "releases").glob(".*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in home.glob(".current-*"):
        left.unlink(missing_ok=True)


@contextmanager
def _only_builder(home: Path) -> Iterator[None]:
    """Hold the builder's lock; the kernel gives it back however the process ends."""
    with open(home / "build.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another build is running; waiting for it to end.", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
