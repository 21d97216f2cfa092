"""The event stream: every version of every thing, for those who keep a copy (Linked Data Event Streams 1.0).

A home holds it under ``stream/``: pages that never change once they are written, and ``log.json``, which names them. When another release becomes
current, :func:`append` writes a member for each thing that is now otherwise: all statements of the default graph about it, about its participations
and about the graphs that speak of it. Nothing is ever taken back, also when releases are pruned: who reads all members in order and keeps the last one of each
thing has the default graph of the current release, exactly.
"""

import fcntl
import gzip
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby, islice
from pathlib import Path

import pyoxigraph as ox

from . import releases
from .changes import PARTICIPATION, first_subjects, lines_of, owners
from .namespaces import BASE, DCTERMS, GRAPH, PROV, RDF, XSD
from .releases import Release

STREAM = BASE + "changes"
PAGE = 250  # members of a page
ACTIVITY = "https://www.w3.org/ns/activitystreams#"
CREATE, UPDATE, DELETE = (ACTIVITY + name for name in ("Create", "Update", "Delete"))


@dataclass(frozen=True)
class Event:
    """A release that became current: when (ISO 8601, UTC), from which it differs, the pages ``first`` to ``last`` that say how, and how many things were
    created, updated and deleted."""

    release: str
    before: str | None
    at: str
    first: int
    last: int
    created: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class Log:
    """Every event so far, oldest first, and the file of what the stream says now."""

    events: list[Event]
    state: str = ""

    @property
    def pages(self) -> dict[int, Event]:
        """Which event a page belongs to."""
        return {page: event for event in self.events for page in range(event.first, event.last + 1)}


def read_log(home: Path) -> Log:
    """What the stream of a home holds; an empty log if nothing was streamed yet."""
    try:
        said = json.loads((home / "stream" / "log.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Log([])
    return Log([Event(**event) for event in said["events"]], said["state"])


def page_path(home: Path, page: int) -> Path:
    """The file of a page, gzipped N-Quads."""
    return home / "stream" / f"{page}.nq.gz"


def read_page(home: Path, page: int) -> Iterator[ox.Quad]:
    """The quads of a page: in the default graph what is said about its members, and each member in the graph of its name."""
    with gzip.open(page_path(home, page)) as file:
        yield from ox.parse(file, format=ox.RdfFormat.N_QUADS)


def deleted(home: Path) -> Mapping[str, str]:
    """Every IRI of which nothing is said any more, and the id of the last release that had it; what came back may be among them."""
    return _deleted(home, read_log(home).state)


@lru_cache(maxsize=1)
def _deleted(home: Path, state: str) -> Mapping[str, str]:
    """As the stream is in a ``state``. Of the members of an event the deleted are the last."""
    found: dict[str, str] = {}
    for event in read_log(home).events:
        for page in range(event.first + (event.created + event.updated) // PAGE, event.last + 1) if event.deleted else ():
            about, kinds = {}, {}
            for quad in read_page(home, page):
                if quad.predicate.value == DCTERMS + "isVersionOf":
                    about[quad.subject] = quad.object.value
                elif quad.predicate.value == RDF + "type" and quad.graph_name == ox.DefaultGraph():
                    kinds[quad.subject] = quad.object.value
            found |= {about[member]: event.before for member, kind in kinds.items() if kind == DELETE}
    return found


def append(home: Path) -> int:
    """Stream what the current release says otherwise than the stream so far; returns the number of members added.

    Killed at any moment it leaves the stream as it was, and the next call adds all that is missing. Raises ``OSError`` where the home cannot be
    written, and :class:`~kvgraph.releases.NoRelease` where there is no release.
    """
    with _only_writer(home):
        release, log = releases.current(home), read_log(home)
        if log.events and log.events[-1].release == release.id:
            return 0
        return _append(home, release, log)


def _append(home: Path, release: Release, log: Log) -> int:
    known = _read_state(home, log)
    now: dict[str, str] = {}
    number = {CREATE: 0, UPDATE: 0, DELETE: 0}

    def differing() -> Iterator[tuple[str, str, list[bytes]]]:
        for thing, lines in things(release.nquads):
            now[thing] = digest = blake2b(b"".join(lines), digest_size=16).hexdigest()
            if known.get(thing) != digest:
                yield thing, UPDATE if thing in known else CREATE, lines
        for thing in sorted(known.keys() - now.keys()):
            yield thing, DELETE, []

    first = page = log.events[-1].last + 1 if log.events else 1
    at = _after(log)
    for page, members in enumerate(_pages(differing()), first):
        for _, kind, _ in members:
            number[kind] += 1
        _write(page_path(home, page), _page(page, members, at, release.id))
    added = sum(number.values())
    before = log.events[-1].release if log.events else None
    event = Event(release.id, before, at, first, page if added else first - 1, *number.values())
    state = f"state-{len(log.events) + 1}.json.gz"
    _write(home / "stream" / state, [json.dumps(now).encode()])
    new = {"events": [asdict(e) for e in (*log.events, event)], "state": state}
    _replace(home / "stream" / "log.json", json.dumps(new, indent=1).encode())
    if log.state:
        (home / "stream" / log.state).unlink(missing_ok=True)
    return added


def _pages(members: Iterator[tuple]) -> Iterator[list[tuple]]:
    while page := list(islice(members, PAGE)):
        yield page


def things(path: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Every thing that a release (its sorted dump) speaks of, with all N-Triples lines about it, sorted. Each line belongs to one thing."""
    with lines_of(path) as file:
        subjects = {_name(line[: line.index(b" ")]) for line in filter(in_default_graph, file)}
    documents = subjects | {subject.partition("#")[0] for subject in subjects}
    owner = {s: next((o for o in owners(s) if o in documents), None) for s in subjects if s.startswith((GRAPH, PARTICIPATION))}
    # Records that keep an IRI of their own (laws with an ELI): what their graph speaks of.
    owner |= first_subjects(path, {s for s, found in owner.items() if found is None and owners(s)})
    parts: dict[str, list[bytes]] = {}
    for subject, lines in _by_subject(path):
        if owned := owner.get(_name(subject)):
            parts.setdefault(owned, []).extend(lines)
    for subject, lines in _by_subject(path):
        name = _name(subject)
        if not owner.get(name):
            yield name, sorted([*lines, *parts.pop(name, ())])
    for name, lines in sorted(parts.items()):  # about a document of which nothing else is said
        yield name, sorted(lines)


def _by_subject(path: Path) -> Iterator[tuple[bytes, list[bytes]]]:
    """The subjects of the default graph of a sorted dump, each with its lines."""
    with lines_of(path) as file:
        for subject, lines in groupby(filter(in_default_graph, file), lambda line: line[: line.index(b" ")]):
            yield subject, list(lines)


def in_default_graph(line: bytes) -> bool:
    """Whether a line of N-Quads, as Oxigraph writes it, names no graph.

    >>> in_default_graph(b'<a:s> <a:p> "said \\\\"so\\\\" > <"@en .'), in_default_graph(b'<a:s> <a:p> "x" <a:g> .')
    (True, False)
    >>> in_default_graph(b'<a:s> <a:p> <a:o> .'), in_default_graph(b'<a:s> <a:p> <a:o> <a:g> .')
    (True, False)
    """
    # No IRI holds a quotation mark or a space, so the last mark ends the literal, and the spaces after it are counted.
    mark = line.rfind(b'"')
    return line.count(b" ", mark) == 1 if mark > 0 else line.count(b" ") == 3


def _name(subject: bytes) -> str:
    return subject.decode().removeprefix("<").removesuffix(">")


def _page(page: int, members: Iterable[tuple[str, str, list[bytes]]], at: str, release: str) -> Iterator[bytes]:
    for place, (thing, kind, lines) in enumerate(members, 1):
        member = f"<{STREAM}/{page}#{place}>"
        yield (
            f"<{STREAM}> <https://w3id.org/tree#member> {member} .\n"
            f"{member} <{RDF}type> <{kind}> .\n"
            f"{member} <{DCTERMS}isVersionOf> <{thing}> .\n"
            f"{member} <{DCTERMS}isPartOf> <{BASE}release/{release}> .\n"
            f'{member} <{PROV}generatedAtTime> "{at}"^^<{XSD}dateTime> .\n'
        ).encode()
        graph = f" {member} .\n".encode()
        yield from (line[: line.rindex(b" .")] + graph for line in lines)


def _after(log: Log) -> str:
    """The time of a new event: now, but later than every event before, whatever the clock says (LDES, section 4.1)."""
    now = datetime.now(timezone.utc)
    if log.events:
        now = max(now, datetime.fromisoformat(log.events[-1].at) + timedelta(seconds=1))
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")


def _read_state(home: Path, log: Log) -> dict[str, str]:
    """The digest of the last member of each thing."""
    if not log.state:
        return {}
    with gzip.open(home / "stream" / log.state) as file:
        return json.load(file)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    draft = path.with_name(f".{path.name}")
    with gzip.GzipFile(draft, "wb", compresslevel=6, mtime=0) as file:
        for chunk in chunks:
            file.write(chunk)
    _publish(draft, path)


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(content)
    _publish(draft, path)


def _publish(draft: Path, path: Path) -> None:
    with open(draft, "rb") as file:
        os.fsync(file.fileno())
    os.replace(draft, path)


@contextmanager
def _only_writer(home: Path) -> Iterator[None]:
    (home / "stream").mkdir(exist_ok=True)
    with open(home / "stream" / ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
