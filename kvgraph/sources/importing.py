"""Import a source: read its files, write what came in beside what is there, and put it in its place in one step.

The result is a folder ``<home>/sources/imports/<name>``: ``data.nq`` (one named graph per data set and version), ``source.trig``
(the source and its graph described in DCAT and PROV), ``report.json``, and ``organisations.parquet`` where there are organisations.
Killed or failed at any moment, the import before it is still there.
"""

import hashlib
import inspect
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox

from .. import __version__
from ..errors import KvgraphError
from ..namespaces import DCAT, DCTERMS, GRAPH, ID, KV, PROV, RDF, RDFS, VOID
from . import fetch
from .imported import DATA, DESCRIPTION, REPORT, folder, imports, only_importer, put, sort
from .organisations import Writer
from .raw import Raw, checksum, raw_files
from .record import SetAside, Statements, Taken, node
from .source import Source

SHOWN = 1_000  # problems of each kind that the report keeps; it counts all
CURATORS = ID + "actor/kvgraph-curators"


class SetAsideError(KvgraphError):
    """A row was set aside, and the import was to be strict."""


class NothingCameIn(KvgraphError):
    """Not one row of the files could be taken."""


@dataclass(frozen=True)
class Outcome:
    """What an import did. ``fresh`` is False where the same files were imported before and nothing was done."""

    report: dict
    fresh: bool


@dataclass(frozen=True)
class Options:
    """How to import: ``strict`` ends at the first row that would be set aside, ``dry_run`` leaves everything as it is.

    ``version`` and ``encoding`` say what the files do not say themselves.
    """

    strict: bool = False
    dry_run: bool = False
    force: bool = False
    version: str | None = None
    encoding: str | None = None


def run(
    home: Path, source: Source, paths: Iterable[Path], options: Options = Options(), progress: Callable[[int], None] = lambda rows: None
) -> Outcome:  # fmt: skip
    """Import files; ``progress`` is told how many rows were read, every thousand.

    Raises :class:`~kvgraph.sources.raw.UnreadableFile` for files that are not what they should be, :class:`SetAsideError` where the
    import is strict, :class:`NothingCameIn`. The report is a dictionary: ``source``, ``version``, ``issued``, ``imported`` (a day), ``files`` (name,
    sha256, bytes), ``read``, ``taken``, ``set_aside`` and ``left_out`` (numbers of rows), ``problems`` and ``notes`` (file, line, reason; the first
    thousand), ``triples``, ``organisations``, ``graph``, ``code``.
    """
    paths = [Path(path) for path in paths]
    raws = [raw for path in paths for raw in raw_files(path)]
    files = [{"name": path.name, "sha256": checksum(path), "bytes": path.stat().st_size} for path in paths]
    before = imports(home).get(source.name)
    version = _checked(options.version) or _version(files)
    same = {"files": files, "code": code_of(source), "version": version, "about": _about(source), "encoding": options.encoding}
    if before and not options.force and all(before.report.get(key) == value for key, value in same.items()):
        return Outcome(before.report, False)
    with only_importer(home):
        for left in folder(home).glob(".*.[0-9]*"):  # by importers that were killed: nobody else imports now
            shutil.rmtree(left)
        draft = folder(home) / f".{source.name}.{os.getpid()}"
        draft.mkdir()
        try:
            report = _write(draft, source, raws, version, options, progress)
            report.update(same, bytes=sum(f["bytes"] for f in files))
            (draft / REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
            if not options.dry_run:
                put(draft, folder(home) / source.name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return Outcome(report, True)


def fetched(
    home: Path, source: Source, step: Callable[[str], None] = lambda name: None, progress: Callable[[int, int | None], None] = lambda done, total: None,
    allowed: fetch.Allowed = fetch.public,
) -> list[Path]:  # fmt: skip
    """The files of a source, fetched from where they are published into the home. Raises :class:`~kvgraph.sources.fetch.NotFetched`."""
    if not source.addresses:
        raise fetch.NotFetched(f"{source.name} has no one file to fetch.", hint=source.where)
    into = home / "sources" / ".fetched" / source.name

    def get(address: str) -> Path:
        step(f"fetch {source.name}")
        try:
            return fetch.fetch(address, into, allowed=allowed, progress=progress).path
        except fetch.NotFetched as problem:
            how = source.where if source.newest else problem.hint or ""  # a listing is of no use to a person
            raise fetch.NotFetched(problem.message, hint=f"{how} Then: kvgraph import {source.name} FILE".strip()) from None

    addresses = source.addresses
    if source.newest:
        try:
            addresses = [source.newest(json.loads(get(address).read_bytes())) for address in addresses]
        except ValueError as problem:
            raise fetch.NotFetched(f"{addresses[0]} {problem}.", hint=f"Find the file at {source.page} and name it on the command line.") from None
    return [get(address) for address in addresses]


def remove(home: Path, name: str) -> bool:
    """Take an import away; the next build is without it. Returns whether there was one."""
    with only_importer(home):
        place = folder(home) / name
        if name not in imports(home):
            return False
        doomed = place.with_name(f".{name}.doomed")
        os.replace(place, doomed)
        shutil.rmtree(doomed)
        return True


def _write(draft: Path, source: Source, raws: list[Raw], version: str, options: Options, progress: Callable[[int], None]) -> dict:
    tally = _Tally(options.strict, progress)
    organisations = Writer(draft)
    graph = node(source.graph(version))
    unsorted = draft / "unsorted"
    with open(unsorted, "wb", buffering=1 << 20) as file:
        ox.serialize(_quads(source.read(raws, options.encoding), graph, tally, organisations), output=file, format=ox.RdfFormat.N_QUADS)
    organisations.close()
    _sort(unsorted, draft / DATA)
    properties, classes = _counted(draft / DATA)
    if not tally.taken:
        first = f" The first: {_place(tally.problems[0])}" if tally.problems else ""
        raise NothingCameIn(f"Nothing in {', '.join(r.name for r in raws)[:300] or 'these files'} could be taken.{first}", hint=f"Wanted: {source.files}")
    today = datetime.now(UTC).date().isoformat()
    report = {
        "source": source.name, "iri": source.iri, "title": source.title, "graph": graph.value, "issued": tally.day, "imported": today,
        "read": tally.read, "taken": tally.taken, "set_aside": tally.set_aside, "left_out": tally.left_out,
        "problems": [vars(problem) for problem in tally.problems], "notes": [vars(note) for note in tally.notes],
        "triples": sum(properties.values()), "properties": properties, "classes": classes, "organisations": organisations.count,
    }  # fmt: skip
    _describe(draft / DESCRIPTION, source, version, report)
    return report


def _sort(lines: Path, into: Path) -> None:
    """Sort lines, each once, with little memory however many there are. Build merges sorted files without reading them."""
    sort(["--buffer-size=512M", f"--temporary-directory={lines.parent}"], [lines], into)
    lines.unlink()


def _counted(data: Path) -> tuple[dict[str, int], dict[str, int]]:
    """How many statements there are of each property, and how many things of each class."""
    properties: Counter[bytes] = Counter()
    classes: Counter[bytes] = Counter()
    is_type = f"<{RDF}type>".encode()
    with open(data, "rb") as file:
        for line in file:  # N-Quads: no blank in what stands before the object
            _, property_, rest = line.split(b" ", 2)
            properties[property_] += 1
            if property_ == is_type:
                classes[rest.partition(b" ")[0]] += 1
    return tuple({term[1:-1].decode(): number for term, number in sorted(counted.items())} for counted in (properties, classes))


class _Tally:
    """Counts rows, and keeps the first problems."""

    def __init__(self, strict: bool, progress: Callable[[int], None]):
        self.strict, self.progress = strict, progress
        self.read = self.taken = self.set_aside = self.left_out = 0
        self.problems: list[SetAside] = []
        self.notes: list[SetAside] = []
        self.day = ""

    def set_row_aside(self, problem: SetAside) -> None:
        self.set_aside += 1
        if self.strict:
            raise SetAsideError(_place(problem), hint="Mend it, or import without --strict: the row is then set aside and reported.")
        if len(self.problems) < SHOWN:
            self.problems.append(problem)

    def take(self, row: Taken) -> None:
        self.taken += 1
        self.day = max(self.day, row.day)
        if row.notes:
            self.left_out += len(row.notes)
            self.notes += [SetAside(row.file, row.line, note) for note in row.notes][: SHOWN - len(self.notes)]


def _quads(rows: Iterator[Taken | SetAside], graph: ox.NamedNode, tally: _Tally, organisations: Writer) -> Iterator[ox.Quad]:
    Quad = ox.Quad
    for row in rows:
        tally.read += 1
        if tally.read % 1_000 == 0:
            tally.progress(tally.read)
        if isinstance(row, SetAside):
            tally.set_row_aside(row)
            continue
        tally.take(row)
        for triple in row.triples:
            yield Quad(triple.subject, triple.predicate, triple.object, graph)
        if row.organisation:
            organisations.add(row.organisation)
    tally.progress(tally.read)


def _place(problem: SetAside) -> str:
    return f"{problem.file}:{problem.line}: {problem.reason}" if problem.line else f"{problem.file}: {problem.reason}"


def _describe(path: Path, source: Source, version: str, report: dict) -> None:
    about = Statements(source.iri)
    about.a(DCAT + "Dataset")
    about.say(DCTERMS + "title", source.title, "en")
    about.say(DCTERMS + "description", source.description, "en")
    if re.fullmatch(r"[a-z0-9-]+", source.publisher):
        about.to(DCTERMS + "publisher", f"{ID}actor/{source.publisher}")
    else:
        about.say(DCTERMS + "publisher", source.publisher)
    about.to(DCTERMS + "license", source.licence)
    about.to(DCAT + "landingPage", source.page)
    about.say(DCAT + "version", version)
    about.say(DCTERMS + "issued", report["issued"], datatype="date")
    about.say(VOID + "triples", str(report["triples"]), datatype="integer")
    came = f"{report['read']:,} rows read, {report['taken']:,} taken, {report['set_aside']:,} set aside."
    about.say(RDFS + "comment", f"{came} {source.comment}".strip(), "en")
    graph = Statements(report["graph"])
    graph.a(PROV + "Entity")
    graph.to(KV + "basis", ID + "basis/stated")
    graph.to(DCTERMS + "source", source.page)
    graph.say(KV + "seenOn", report["imported"], datatype="date")
    graph.to(KV + "sourceKind", f"{ID}source-kind/{source.kind}")
    graph.to(PROV + "wasAttributedTo", CURATORS)
    graph.to(DCTERMS + "isPartOf", source.iri)
    name = node(f"{GRAPH}import/{source.name}")
    quads = [ox.Quad(*triple, name) for triple in (*about.triples, *graph.triples)]
    path.write_bytes(ox.serialize(quads, format=ox.RdfFormat.TRIG))


def _about(source: Source) -> list[str]:
    return [source.title, source.description, source.publisher, source.licence, source.page, source.comment]


_VERSION = re.compile(r"(?<![0-9])(v?\d+\.\d+(?:\.\d+)?|20\d\d-\d\d-\d\d|20\d\d)(?![0-9])")


def _checked(version: str | None) -> str | None:
    """A version as it was said. Raises :class:`~kvgraph.errors.KvgraphError` for one that cannot stand in the address of a graph."""
    if version and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,59}", version):
        raise KvgraphError(f"{version[:60]!r} is no version: it has up to 60 letters, digits and . _ + -", hint="For example: --version 2026-11 or --version v1.60")
    return version


def _version(files: list[dict]) -> str:
    """The version in the name of a file (``v1.60``, a date, a year), else the beginning of the checksum of all."""
    for file in files:
        if found := _VERSION.findall(file["name"]):
            return "-".join(found)
    return hashlib.sha256("".join(f["sha256"] for f in files).encode()).hexdigest()[:12]


def code_of(source: Source) -> str:
    """What decides an import besides its files: the modules that read."""
    here = Path(__file__).parent
    modules = [here / name for name in ("record.py", "tables.py", "places.py", "importing.py")]
    digest = hashlib.sha256(__version__.encode())
    for module in (*modules, Path(inspect.getfile(getattr(source.read, "func", source.read)))):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:16]

