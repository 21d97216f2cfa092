"""What changed between two releases, thing by thing.

The dumps of a release are sorted, so two of them are compared by reading both once, side by side: in memory are the statements of one subject at a time,
however large the releases are.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pyoxigraph as ox

from .model import LABEL_PROPERTIES
from .namespaces import GRAPH, ID

PARTICIPATION = ID + "participation/"
_PARTS = (f"<{GRAPH}".encode(), f"<{PARTICIPATION}".encode())
_LABELS = tuple(f"<{p}>".encode() for p in LABEL_PROPERTIES)


@dataclass(frozen=True)
class SubjectChange:
    """One subject whose statements in the default graph differ: N-Triples lines, and whether each release speaks of it at all."""

    subject: str
    before: bool
    after: bool
    removed: list[str]
    added: list[str]


def compare(old: Path, new: Path) -> Iterator[SubjectChange]:
    """Compare two sorted dumps (gzipped N-Quads), in the order of their subjects: what differs."""
    return (one for one in _all(old, new) if one.removed or one.added)


def _all(old: Path, new: Path) -> Iterator[SubjectChange]:
    """Every subject of either dump, with what differs: often nothing."""
    with lines_of(old) as a, lines_of(new) as b:
        for subject, before, after in _aligned(_by_subject(a), _by_subject(b)):
            gone, come = (_triples(before - after), _triples(after - before)) if before != after else (set(), set())
            # The same statement may be written in two ways by two versions of the engine: compared again as it was read.
            yield SubjectChange(_name(subject), bool(before), bool(after), sorted(gone - come), sorted(come - gone))


def lines_of(dump: Path) -> io.BufferedReader:
    """A dump, opened to be read line by line: five times as fast as by ``gzip``, which is written in Python, alone."""
    return io.BufferedReader(gzip.open(dump), 1 << 18)


def _by_subject(lines: Iterable[bytes]) -> Iterator[tuple[bytes, set[bytes]]]:
    return ((subject, set(group)) for subject, group in groupby(lines, _subject))


def _subject(line: bytes) -> bytes:
    return line[: line.index(b" ")]


def _aligned(old: Iterator, new: Iterator) -> Iterator[tuple[bytes, set[bytes], set[bytes]]]:
    """Both sequences side by side: each subject once, with its lines in either."""
    a, b = next(old, None), next(new, None)
    while a or b:
        subject = min(x[0] for x in (a, b) if x)
        yield subject, a[1] if a and a[0] == subject else set(), b[1] if b and b[0] == subject else set()
        a = next(old, None) if a and a[0] == subject else a
        b = next(new, None) if b and b[0] == subject else b


def _triples(lines: Iterable[bytes]) -> set[str]:
    """Those of the lines that are in the default graph. In N-Quads only a parser can tell an object from a graph name safely."""
    quads = ox.parse(b"".join(lines), format=ox.RdfFormat.N_QUADS)
    return {f"{q.triple} ." for q in quads if isinstance(q.graph_name, ox.DefaultGraph)}


def _name(subject: bytes) -> str:
    return subject.decode().removeprefix("<").removesuffix(">")


@dataclass
class Change:
    """What changed about one thing: its own statements, those about its participations, and those about the graphs that speak of it.

    ``kind`` is added, removed or changed.
    """

    iri: str
    kind: str
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    label: str = ""
    lang: str | None = None


def changes(old: Path, new: Path) -> list[Change]:
    """What changed from one dump to another, the added things first, then the removed, then the changed, each by label,
    and at the end of each what has none."""
    differing, before, after = [], set(), set()
    for one in _all(old, new):
        named = {one.subject, one.subject.partition("#")[0]}  # itself, and the document it is part of
        before |= named if one.before else set()
        after |= named if one.after else set()
        differing += [one] if one.removed or one.added else []
    owned = _owned(old, new, [one.subject for one in differing], before | after)
    found: dict[str, Change] = {}
    for one in differing:
        iri = owned.get(one.subject, one.subject)
        kind = "changed" if iri in before and iri in after else "added" if iri in after else "removed"
        change = found.setdefault(iri, Change(iri, kind))
        change.removed += one.removed
        change.added += one.added
    for path in (old, new):  # where both have a label the newer one is shown
        for iri, label in _labels(path, found.keys()).items():
            found[iri].label, found[iri].lang = label.value, label.language
    order = ("added", "removed", "changed")
    return sorted(found.values(), key=lambda c: (order.index(c.kind), not c.label, c.label.casefold(), c.iri))


def owners(subject: str) -> list[str]:
    """The things a subject may belong to: the record that a graph speaks of or that somebody took part in, the document it is part of.

    >>> owners("https://w3id.org/kvgraph/graph/practice/demola/stated-1")
    ['https://w3id.org/kvgraph/id/practice/demola']
    >>> owners("https://w3id.org/kvgraph/id/participation/demola--ku-leuven--lead")[0]
    'https://w3id.org/kvgraph/id/practice/demola'
    """
    if subject.startswith(GRAPH) and "#" in subject:
        return [subject.partition("#")[0]]
    if subject.startswith(GRAPH):
        record, _, graph = subject[len(GRAPH) :].rpartition("/")
        return [ID + record] if record and graph else []
    if subject.startswith(PARTICIPATION):
        record = subject[len(PARTICIPATION) :].partition("--")[0]
        return [f"{ID}{type_}/{record}" for type_ in ("practice", "learning-example")]
    return []


def _owned(old: Path, new: Path, subjects: list[str], known: set[str]) -> dict[str, str]:
    """Of these subjects those that belong to some other thing that is known, and to which."""
    possible = {s: owners(s) for s in subjects}
    owned = {s: next(o for o in all_ if o in known) for s, all_ in possible.items() if any(o in known for o in all_)}
    # Records that keep an IRI of their own (laws with an ELI): what their graph speaks of.
    others = {s for s, all_ in possible.items() if all_ and s.startswith(GRAPH) and s not in owned}
    for path in (old, new) if others else ():
        owned |= first_subjects(path, others)
    return owned


def first_subjects(path: Path, graphs: set[str]) -> dict[str, str]:
    """The first thing each of these graphs speaks of."""
    wanted = {f"<{graph}>".encode(): graph for graph in graphs}
    found: dict[str, str] = {}
    with lines_of(path) as file:
        for line in file:
            graph = wanted.get(line.rsplit(b" ", 2)[1])
            if graph and not line.startswith(_PARTS) and line.rsplit(b" ", 2)[0].count(b" ") > 1:
                found.setdefault(graph, _name(_subject(line)))
    return found


def _labels(path: Path, iris: Iterable[str]) -> dict[str, ox.Literal]:
    """The labels of things, English ones where there are."""
    wanted = {f"<{iri}>".encode() for iri in iris}
    if not wanted:
        return {}
    with lines_of(path) as file:
        found = {_name(subject): _label(lines) for subject, lines in groupby(file, _subject) if subject in wanted}
    return {iri: label for iri, label in found.items() if label}


def _label(lines: Iterable[bytes]) -> ox.Literal | None:
    said = [line for line in lines if line.split(b" ", 2)[1] in _LABELS]
    literals = [q for q in ox.parse(b"".join(said), format=ox.RdfFormat.N_QUADS) if isinstance(q.object, ox.Literal)]
    ranked = sorted(literals, key=lambda q: (q.object.language != "en", LABEL_PROPERTIES.index(q.predicate.value), q.object.language or ""))
    return ranked[0].object if ranked else None
