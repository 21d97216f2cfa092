"""Read the sources of a release: parse every file, keep who says what, merge.

Pure reading: nothing here writes. Every problem in every file is reported, not just the first one.
"""

import codecs
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyoxigraph as ox

from .. import __version__, resources
from ..errors import KvgraphError
from ..link import mappings, statements
from ..namespaces import DCTERMS, DEF, GRAPH
from ..sources.imported import REPORT, imports, put_back

SUFFIXES = {".trig": ox.RdfFormat.TRIG, ".ttl": ox.RdfFormat.TURTLE, ".nq": ox.RdfFormat.N_QUADS}

CONTRIBUTED = "sources/contributions/"  # what the names of contributed files begin with

# What a release depends on besides the data: change one of these modules and the next build starts afresh.
_CODE = (
    "build/run.py", "build/read.py", "build/write.py", "build/descriptions.py", "build/void.py", "build/quality.py", "build/examples.py", "build/dumps.py", "build/apart.py",
    "build/catalogue.py", "build/authorities.py", "build/rdf.py", "build/imports.py", "build/answers.py", "store/cached.py", "link/mappings.py", "link/statements.py", "namespaces.py", "search_index.py", "search_facets.py", "search_values.py", "connection_index.py", "region_index.py", "entities.py", "validate.py", "model.py",
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """Something wrong in a source file."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class MalformedSource(KvgraphError):
    """Files that are no RDF we accept. ``problems`` lists every one."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__(
            "\n".join(str(p) for p in problems),
            hint=f"Mend {'this file' if len(problems) == 1 else 'these files'} and build again; the current release stays as it is.",
        )


@dataclass
class Sources:
    """What was read: a store whose default graph is the merge of its named graphs.

    ``files_of`` has the names of the files that say something about a subject with a property.
    """

    store: ox.Store
    files_of: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    files: int = 0


def source_files(home: Path, data: Path | None = None) -> dict[str, Path]:
    """Every file a release is built from, by the name a person knows it under, sorted.

    These are the ontology, the curated records (``data``, default the bundled ones) and ``<home>/sources``, where imports
    and accepted contributions lie. A contribution takes the place of the curated file of the same name, which it corrects.
    """
    roots = {"ontology": resources.folder("ontology"), "data": data or resources.folder("data"), "sources": home / "sources"}
    put_back(home, home / "sources")  # links
    found = {f"{_IMPORTS}/{name}/{known.description.name}": known.description for name, known in imports(home).items()}
    for name, root in roots.items():
        for path in root.rglob("*"):
            inner = path.relative_to(root)
            if (path.suffix in SUFFIXES or _decisions(name, inner)) and not _left_out(name, inner) and not any(p[0] == "." for p in inner.parts):
                found[f"{name}/{inner.as_posix()}"] = path
    if data and not any(name.startswith("data/") for name in found):
        raise KvgraphError(f"There are no records in {data}.", hint=f"Records are files that end in {', '.join(SUFFIXES)}.")
    for name in [n for n in found if n.startswith(CONTRIBUTED)]:
        found.pop("data/" + name[len(CONTRIBUTED) :], None)
    return dict(sorted(found.items()))


_IMPORTS = "sources/imports"  # of these the descriptions are files like any other; their statements are taken in by build.imports


def _decisions(root: str, inner: Path) -> bool:
    """Whether a file is a table of links that a person decided on (SSSOM)."""
    return root == "data" and inner.parts[0] == "links" and inner.suffix == ".tsv"


def _left_out(root: str, inner: Path) -> bool:
    return inner.parts[0] == "examples" or f"{root}/{inner.parts[0]}" == _IMPORTS


def inputs_digest(files: dict[str, Path]) -> str:
    """SHA-256 over names and contents of everything a release depends on: sources, shapes, questions, and the code that builds.

    Of an import it takes the report, which has the checksums of what was imported, and the code that imported it.
    """
    digest = hashlib.sha256(__version__.encode())
    package = Path(__file__).resolve().parents[1]
    shapes = {f"shapes/{p.name}": p for p in sorted(resources.folder("shapes").glob("*.ttl"))}
    questions = {f"queries/{p.name}": p for p in sorted(resources.folder("queries").glob("*.rq"))}
    reports = {f"{name}/{REPORT}": path.with_name(REPORT) for name, path in files.items() if name.startswith(_IMPORTS)}
    for name, path in {**files, **reports, **shapes, **questions, **{c: package / c for c in _CODE}}.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read(files: dict[str, Path], progress: Callable[[int], None] = lambda done: None) -> Sources:
    """Parse ``files`` into one store and merge them into its default graph.

    ``progress`` is called with the number of files read so far.
    Raises :class:`MalformedSource` with every problem found: file, line, message.
    """
    sources = Sources(ox.Store())
    decided_on, problems = _decided(files)
    for done, (name, path) in enumerate(files.items(), 1):
        try:
            quads = [] if path.suffix == ".tsv" and problems else list(_quads(name, path, decided_on))
        except SyntaxError as error:
            problems.append(Problem(name, error.lineno, _plain(error.msg)))
        except KvgraphError as error:
            problems.append(Problem(name, None, error.message))
        except UnicodeDecodeError as error:
            problems.append(Problem(name, None, f"is not UTF-8 (byte {error.start})"))
        else:
            for quad in quads:
                sources.files_of.setdefault((quad.subject.value, quad.predicate.value), {})[name] = None
            sources.store.extend(quads)
        progress(done)
    if problems:
        raise MalformedSource(problems)
    sources.files = len(files)
    _redirect(sources.store)
    _merge(sources.store)
    return sources


def _decided(files: dict[str, Path]) -> tuple[str, list[Problem]]:
    """The last day of all tables of decisions, which are in one graph; or what is wrong with them."""
    tables = {name: path for name, path in files.items() if path.suffix == ".tsv"}
    try:
        return max((mapping.mapping_date for mapping in mappings.reviewed(tables.values()).values()), default=""), []
    except KvgraphError as error:
        wrong = next((name for name, path in tables.items() if error.message.startswith(f"{path.name}")), "data/links")
        return "", [Problem(wrong, None, error.message)]


def _quads(name: str, path: Path, decided_on: str) -> Iterator[ox.Quad]:
    """The quads of one file. Turtle files are one graph: their ontology, code list, or the list of sources."""
    if path.suffix == ".tsv":
        yield from statements.quads(mappings.read_table(path), decided_on)
        return
    if path.suffix not in SUFFIXES:
        raise KvgraphError(f"is no record: the name ends in none of {', '.join(SUFFIXES)}, .tsv")
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)  # which editors of Windows write
    content.decode("utf-8")
    for quad in ox.parse(content, format=SUFFIXES[path.suffix]):
        if isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode):
            raise _syntax(f"blank node in the statement {quad.triple}: give the thing an IRI, so that others can link to it")
        if isinstance(quad.graph_name, ox.DefaultGraph):
            if path.suffix != ".ttl":
                raise _syntax(f"statement outside a named graph: {quad.triple}. Put it into GRAPH <…> {{ }}, so that its source is known")
            quad = ox.Quad(quad.subject, quad.predicate, quad.object, _graph_of_turtle(name))
        yield quad


def _graph_of_turtle(name: str) -> ox.NamedNode:
    """ontology/kv.ttl → def/kv; ontology/lists/channel.ttl → def/channel; data/sources.ttl → graph/sources."""
    base = DEF if name.startswith("ontology/") else GRAPH
    return ox.NamedNode(base + Path(name).stem)


def _redirect(store: ox.Store) -> None:
    """Have every statement about a thing that was replaced (renamed, or merged into another) be about the one to use now, in the same graph."""
    replaced = ox.NamedNode(DCTERMS + "isReplacedBy")
    pairs = {q.subject: q.object for q in store.quads_for_pattern(None, replaced, None)}
    for old, new in pairs.items():
        seen = {old}
        while new in pairs and new not in seen:
            seen.add(new)
            new = pairs[new]
        if new in seen:  # a ring: nothing that could be meant
            continue
        for quad in [*store.quads_for_pattern(old, None, None), *store.quads_for_pattern(None, None, old)]:
            if quad.predicate != replaced:
                store.remove(quad)
                store.add(ox.Quad(new if quad.subject == old else quad.subject, quad.predicate, new if quad.object == old else quad.object, quad.graph_name))


def _merge(store: ox.Store) -> None:
    """Make the default graph the de-duplicated merge of all named graphs. As text: that a store reads faster than Python hands it over."""
    named = ox.serialize(store, format=ox.RdfFormat.N_QUADS).splitlines()
    merged = {line[: line.rindex(b" <")] for line in named}  # no IRI holds a space: what begins there is the name of the graph
    store.bulk_load(b" .\n".join([*merged, b""]), format=ox.RdfFormat.N_TRIPLES)


def _syntax(message: str) -> SyntaxError:
    error = SyntaxError(message)
    error.lineno = None
    return error


def _plain(message: str) -> str:
    """The parser's words without the position, which stands in front of the message already."""
    return re.sub(r"^Parser error [^:]*: ", "", message)
