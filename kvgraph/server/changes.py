"""What changed between two releases, for a page and as RDF.

Two releases never change, so their comparison is made once and kept under ``cache/`` of the home, one line of JSON for each thing: a page
reads only the lines it shows. As RDF it is a dataset of two graphs, what was added and what was removed, and a default graph that says so.
"""

import json
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from .. import releases
from ..changes import Change, changes
from ..formats import HTML, JSONLD, NQUADS, TRIG, Format
from ..namespaces import BASE, DCTERMS, PREFIXES, PROV, VOID, compact
from ..releases import Release
from .display import Shown, href_of, short, show

OFFERED = (HTML, TRIG, NQUADS, JSONLD)
SUFFIXES = {f.suffix: f for f in OFFERED[1:]}
KINDS = ("added", "removed", "changed")  # in the order in which a comparison lists them
FORM = 1  # of the kept files: another number makes them anew
SHOWN = 60  # statements of a thing that a page shows
_one_at_a_time = threading.Lock()  # a comparison takes seconds of computing; who asks for the same gets it from the file


@dataclass(frozen=True)
class Statement:
    """A statement that came or went, ready for a page. ``subject`` is None where it is the thing itself."""

    sign: str
    subject: Shown | None
    property: Shown
    value: Shown


@dataclass(frozen=True)
class Thing:
    """One thing that changed; ``more`` statements are not among those shown."""

    kind: str
    shown: Shown
    statements: list[Statement]
    more: int


@dataclass(frozen=True)
class Comparison:
    """A kept comparison: how many things were added, removed and changed, and statements; and where the things are."""

    counts: dict[str, int]
    statements: dict[str, int]
    lines: Path

    def number(self, kind: str) -> int:
        """How many things changed in that way, in any way if it is none of :data:`KINDS`."""
        return self.counts[kind] if kind in KINDS else sum(self.counts.values())

    def shown(self, kind: str, offset: int, size: int) -> list[Thing]:
        """The things of one page."""
        first = sum(self.counts[k] for k in KINDS[: KINDS.index(kind)]) if kind in KINDS else 0
        count = max(0, min(size, self.number(kind) - offset))
        old = self.lines.name.partition("..")[0]
        return [_thing(change, old) for change in islice(self.things(), first + offset, first + offset + count)]

    def things(self) -> Iterator[Change]:
        with open(self.lines, encoding="utf-8") as file:
            next(file)
            for line in file:
                yield Change(**json.loads(line))


def read(old: Release, new: Release) -> Comparison:
    """The comparison of two releases: the one that was kept, else a new one. Raises ``OSError`` if there is no place to keep one."""
    path = _place(old.home) / f"{old.id}..{new.id}.{FORM}.jsonl"
    if not path.is_file():
        with _one_at_a_time:
            if not path.is_file():
                _keep(path, old, new)
    with open(path, encoding="utf-8") as file:
        return Comparison(**json.loads(next(file)), lines=path)


def _place(home: Path) -> Path:
    """The folder for comparisons: in the home, and where that is for reading only in the run directory of the server."""
    folder = home / "cache" / "changes"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass
    run = os.environ.get("KVGRAPH_RUN")
    if run and not os.access(folder, os.W_OK):
        folder = Path(run) / "changes"
        folder.mkdir(exist_ok=True)
    return folder


def _keep(path: Path, old: Release, new: Release) -> None:
    _sweep(path.parent, old.home)
    found = changes(old.nquads, new.nquads)
    counts = {kind: sum(c.kind == kind for c in found) for kind in KINDS}
    statements = {"added": sum(len(c.added) for c in found), "removed": sum(len(c.removed) for c in found)}
    draft, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with open(draft, "w", encoding="utf-8") as file:
        for line in ({"counts": counts, "statements": statements}, *map(asdict, found)):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    os.replace(name, path)


def _sweep(folder: Path, home: Path) -> None:
    """Forget comparisons with releases that are gone."""
    here = {r.id for r in releases.list_releases(home)}
    for path in folder.glob("*.jsonl"):
        old, _, rest = path.name.partition("..")
        if not {old, rest.removesuffix(".jsonl").rpartition(".")[0]} <= here:
            path.unlink(missing_ok=True)


def _thing(change: Change, old: str) -> Thing:
    statements = [(sign, t) for sign, lines in (("−", change.removed), ("+", change.added)) for t in _parsed(lines[:SHOWN])]
    statements.sort(key=lambda s: (s[1].subject.value != change.iri, s[1].subject.value, s[1].predicate.value, s[0] == "+"))
    rows = [_statement(change.iri, sign, triple, old if sign == "−" else "") for sign, triple in statements[:SHOWN]]
    shown = _there(Shown(change.label or short(change.iri), href_of(change.iri), change.lang, change.iri), old if change.kind == "removed" else "")
    return Thing(change.kind, shown, rows, len(change.removed) + len(change.added) - len(rows))


def _statement(thing: str, sign: str, triple: ox.Triple, release: str) -> Statement:
    subject = None if triple.subject.value == thing else _there(show(triple.subject), release)
    return Statement(sign, subject, Shown(compact(triple.predicate.value), href_of(triple.predicate.value)), _there(show(triple.object), release))


def _there(shown: Shown, release: str) -> Shown:
    """Linked in the release that has it: what was removed is read where it still is."""
    return replace(shown, href=f"/release/{release}{shown.href}") if release and (shown.href or "").startswith("/") else shown


def _parsed(lines: Iterable[str]) -> list[ox.Triple]:
    return [quad.triple for quad in ox.parse("\n".join(lines), format=ox.RdfFormat.N_TRIPLES)]


def rdf(old: Release, new: Release, format: Format) -> bytes:
    """The comparison in a format that holds graphs.

    ``…/release/<a>..<b>#added`` and ``#removed`` are the graphs; the default graph says from which releases they follow (PROV), what they are
    (DCTERMS) and how large (VoID).
    """
    quads = [*_about(old, new, read(old, new).statements)]
    for name in ("removed", "added"):
        graph = ox.NamedNode(f"{_iri(f'{old.id}..{new.id}')}#{name}")
        for change in read(old, new).things():
            quads += (ox.Quad(*triple, graph) for triple in _parsed(getattr(change, name)))
    prefixes = {**PREFIXES, "void": VOID} if format is TRIG else None
    return ox.serialize(quads, format=format.engine, prefixes=prefixes)


def _iri(name: str) -> str:
    return f"{BASE}release/{name}"


def _about(old: Release, new: Release, statements: dict[str, int]) -> Iterator[ox.Quad]:
    pair = _iri(f"{old.id}..{new.id}")

    def say(subject: str, property_: str, value) -> ox.Quad:
        return ox.Quad(ox.NamedNode(subject), ox.NamedNode(property_), value)

    yield say(pair, DCTERMS + "title", ox.Literal(f"What changed from release {old.id} to release {new.id} of kvgraph", language="en"))
    for release in (old, new):
        yield say(pair, PROV + "wasDerivedFrom", ox.NamedNode(_iri(release.id)))
    for name, title in (("added", f"In {new.id} and not in {old.id}"), ("removed", f"In {old.id} and not in {new.id}")):
        graph = f"{pair}#{name}"
        yield say(pair, DCTERMS + "hasPart", ox.NamedNode(graph))
        yield say(graph, DCTERMS + "title", ox.Literal(title, language="en"))
        yield say(graph, VOID + "triples", ox.Literal(statements[name]))
