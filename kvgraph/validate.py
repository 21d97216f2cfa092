"""Check a graph against the shapes in ``shapes/`` (SHACL Core and SHACL-SPARQL, W3C Recommendation of 2017) with pyshacl.

Severities say what follows: a Violation stops a release, a Warning should be mended, an Info could be better.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

import pyoxigraph as ox
import pyshacl
import rdflib.plugins.sparql
from pyshacl.errors import ReportableRuntimeError
from rdflib import RDF, SH, XSD, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.plugins.sparql import prepareQuery

from kvgraph.errors import KvgraphError
from kvgraph.namespaces import PREFIXES, compact
from kvgraph.resources import folder

# rdflib would fetch FROM <http://…> of a query, and files as well: no query of a shape may.
rdflib.plugins.sparql.SPARQL_LOAD_GRAPHS = False
# rdflib logs a traceback for "2014-02-31"^^xsd:date; the report names that value, with its record, in one line.
logging.getLogger("rdflib.term").setLevel(logging.ERROR)

SEVERITIES = ("Violation", "Warning", "Info")
_TARGETS = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
_STRING = ox.NamedNode(XSD.string)
_IS_PROPERTY = re.compile(r"<[^>]+>$|[a-z]+:[A-Za-z0-9_-]+$")  # a path of one step


class ShapesError(KvgraphError):
    """A file of shapes cannot be read, or pyshacl cannot use a shape in it."""


@dataclass(frozen=True)
class Result:
    """One thing that is wrong, in the words of the person who must mend it (a ``sh:ValidationResult``).

    ``focus``, ``shape`` and ``component`` are IRIs; ``shape`` is the property shape, the rule or the SPARQL constraint that was
    broken. ``path`` is a SPARQL property path and ``value`` an RDF term, both as SPARQL writes them; either may be None.
    ``severity`` is Violation, Warning or Info.
    """

    severity: str
    shape: str
    focus: str
    path: str | None
    value: str | None
    message: str
    component: str

    def _order(self) -> tuple:
        rank = SEVERITIES.index(self.severity)
        return (rank, self.shape, self.focus, self.path or "", self.value or "", self.component, self.message)


@dataclass(frozen=True)
class Report:
    """All results of one validation, worst first, in the same order for the same graph.

    >>> report = validate(Graph())
    >>> report.conforms, len(report.results)
    (True, 0)
    """

    results: tuple[Result, ...]

    @property
    def violations(self) -> list[Result]:
        return [r for r in self.results if r.severity == "Violation"]

    @property
    def warnings(self) -> list[Result]:
        return [r for r in self.results if r.severity == "Warning"]

    @property
    def infos(self) -> list[Result]:
        return [r for r in self.results if r.severity == "Info"]

    @property
    def conforms(self) -> bool:
        """True if nothing is violated; warnings do not count."""
        return not self.violations

    def as_dicts(self) -> list[dict[str, str | None]]:
        """The results as plain values, ready for JSON."""
        return [asdict(r) for r in self.results]

    def to_turtle(self) -> str:
        """The report as a ``sh:ValidationReport`` (SHACL, section 3.6).

        The standard counts warnings: ``sh:conforms`` is true only if there is no result at all. Property paths that are more than
        one property are given as text in ``rdfs:comment``.

        >>> "sh:conforms true" in validate(Graph()).to_turtle()
        True
        """
        head = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in {**PREFIXES, "sh": SH}.items())
        results = "".join(f" ;\n    sh:result {_turtle(r)}" for r in self.results)
        return f"{head}\n[] a sh:ValidationReport ;\n    sh:conforms {str(not self.results).lower()}{results} .\n"


def load_shapes(path: Path | None = None) -> Graph:
    """All shapes in ``path``, by default the folder ``shapes/``, as one graph.

    Raises ShapesError with file and line if one of them is not Turtle.

    >>> len(load_shapes()) > 1000
    True
    """
    shapes = Graph()
    for file in sorted((path or folder("shapes")).glob("*.ttl")):
        try:
            _add(shapes, ox.parse(path=file))
        except SyntaxError as error:
            raise ShapesError(f"{file}: {error}") from error
    return shapes


def graph_of(statements: Iterable[ox.Triple | ox.Quad]) -> Graph:
    """The merge of statements from Oxigraph as an rdflib graph in memory, which is what pyshacl is quickest on.

    >>> a = ox.NamedNode("http://example.org/a")
    >>> len(graph_of([ox.Quad(a, a, a, a), ox.Triple(a, a, a)]))
    1
    """
    graph = Graph()
    _add(graph, statements)
    return graph


def validate(data: Graph | Iterable[ox.Triple | ox.Quad], shapes: Graph | None = None) -> Report:
    """Validate ``data`` against ``shapes`` (by default those in ``shapes/``) and report what is wrong.

    ``data`` has to hold what its records point to: countries, regions, actors, policies. Nothing is inferred, nothing fetched, and
    ``data`` is not changed. Raises ShapesError if pyshacl cannot use the shapes.

    >>> practice = ox.NamedNode("https://w3id.org/kvgraph/id/practice/nameless")
    >>> a, kind = ox.NamedNode(RDF.type), ox.NamedNode("https://w3id.org/kvgraph/def/kv#Practice")
    >>> validate([ox.Triple(practice, a, kind)]).violations[0].message
    'Say to which country this belongs. Only what is of level eu or cross-border may have none.'
    """
    graph = data if isinstance(data, Graph) else graph_of(data)
    shapes = load_shapes() if shapes is None else shapes
    try:
        # inplace: pyshacl would copy the graph first; without inference and rules it only reads it.
        # Its option focus_nodes is not for us: it also skips the values that sh:node and sh:or look at, which then pass.
        prepared = _Prepared(store=graph.store, identifier=graph.identifier)
        with _one_at_a_time:
            _, found, _ = pyshacl.validate(prepared, shacl_graph=_batched(shapes), inplace=True)
    except (ReportableRuntimeError, re.error) as error:
        raise ShapesError(f"The shapes cannot be used: {error}") from error
    if not isinstance(found, Graph):  # pyshacl returns some errors instead of raising them
        raise ShapesError(f"The shapes cannot be used: {found}")
    results = {_result(found, node) for node in found.objects(None, SH.result)}
    return Report(tuple(sorted(results, key=Result._order)))


def fast(data: Path, shapes: str | None = None) -> Report:
    """Validate a file of N-Quads or N-Triples, all its graphs as one, with the Rust engine: a hundred times as fast, for what is large.

    A test holds its results equal to those of :func:`validate` on every case of every shape. ``shapes`` is Turtle, by default those in ``shapes/``.
    """
    if shapes is None:
        shapes = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder("shapes").glob("*.ttl")))
    try:
        compiled, rules = _compiled(shapes)
        found = compiled.validate_file(str(data), allow_warnings=True)
    except (ValueError, OSError) as error:
        raise ShapesError(f"The shapes cannot be used: {error}") from error
    return Report(tuple(sorted({_fast_result(result, rules) for result in found.results}, key=Result._order)))


@lru_cache(maxsize=2)
def _compiled(shapes: str) -> tuple:
    """Shapes for the fast engine, and their rules: of a small graph reading these takes twenty times as long as its validation."""
    import shacl

    return shacl.Shapes.from_turtle(shapes), _rules(shapes)


def shapes_about(classes: set[str], properties: set[str]) -> str:
    """The shapes in ``shapes/`` as Turtle, each only with the targets that things of these classes, or with these properties, are.

    The fast engine asks a shape of every thing that is a target; of a large import beside everything else only its own things are of interest.
    """
    triples = [triple for path in sorted(folder("shapes").glob("*.ttl")) for triple in ox.parse(path=path, format=ox.RdfFormat.TURTLE)]
    there = {str(SH.targetClass): classes, str(SH.targetSubjectsOf): properties, str(SH.targetObjectsOf): properties}
    kept = [t for t in triples if t.predicate.value not in there or t.object.value in there[t.predicate.value]]
    return ox.serialize(kept, format=ox.RdfFormat.TURTLE).decode()


def _rules(shapes: str) -> dict[str, dict[str, str]]:
    """The SPARQL constraints of each shape, by how their messages begin: the engine names the shape, pyshacl the constraint in it."""
    triples = list(ox.parse(shapes, format=ox.RdfFormat.TURTLE))
    begins = {t.subject: t.object.value.partition("{")[0] for t in triples if t.predicate.value == str(SH.message)}
    rules: dict[str, dict[str, str]] = {}
    for triple in triples:
        if triple.predicate.value == str(SH.sparql):
            rules.setdefault(triple.subject.value, {})[begins[triple.object]] = triple.object.value
    return rules


def _fast_result(result, rules: dict[str, dict[str, str]]) -> Result:
    message = " ".join(sorted(result.messages))
    focus, shape = result.focus_node, result.source_shape.strip("<>")
    path = result.path and re.sub(r"<([^>]+)>", lambda iri: name if (name := compact(iri[1])) != iri[1] else iri[0], result.path)
    return Result(
        severity=result.severity,
        shape=next((rule for begin, rule in rules.get(shape, {}).items() if message.startswith(begin)), shape),
        focus=focus[1:-1] if focus.startswith("<") else focus,
        path=path[1:-1] if path and path.startswith("(") and "/" in path else path,  # a sequence stands in brackets
        value=result.value,
        message=message,
        component=result.component_iri,
    )


class _Prepared(Graph):
    """A graph that parses each query once: pyshacl asks the same one for every focus node, and parsing is most of the work."""

    def query(self, query_object, *args, **kwargs):
        return super().query(_prepared(query_object), *args, **kwargs)


_prepared = lru_cache(prepareQuery)
# rdflib's parser of SPARQL fails when two threads use it at once, and what a query that it prepared is evaluated with is kept in the query.
_one_at_a_time = Lock()


def _batched(shapes: Graph) -> Graph:
    """The same shapes, with every named property shape given the targets of the node shapes it hangs on, instead of hanging there.

    pyshacl takes all focus nodes of a target in one go, but each value of sh:property on its own: the same results, three times as
    quickly. What a closed shape allows is carried over to its sh:ignoredProperties.
    """
    batched = Graph() + shapes
    for shape in set(shapes.subjects(SH.property)):
        targets = [(p, o) for p in _TARGETS for o in shapes.objects(shape, p)]
        if not targets or (shape, SH.deactivated, Literal(True)) in shapes:
            continue
        properties = [p for p in shapes.objects(shape, SH.property) if isinstance(p, URIRef)]
        for property_shape in properties:
            batched.remove((shape, SH.property, property_shape))
            for target in targets:
                batched.add((property_shape, *target))
        if (shape, SH.closed, Literal(True)) in shapes:
            ignored = list(Collection(shapes, shapes.value(shape, SH.ignoredProperties) or RDF.nil))
            allowed = {path for p in properties if isinstance(path := shapes.value(p, SH.path), URIRef)}
            batched.set((shape, SH.ignoredProperties, Collection(batched, BNode(), [*ignored, *sorted(allowed)]).uri))
    return batched


def _result(found: Graph, node) -> Result:
    rule = found.value(node, SH.sourceConstraint)
    path, value = found.value(node, SH.resultPath), found.value(node, SH.value)
    return Result(
        severity=str(found.value(node, SH.resultSeverity)).removeprefix(str(SH)),
        shape=str(rule if isinstance(rule, URIRef) else found.value(node, SH.sourceShape)),
        focus=str(found.value(node, SH.focusNode)),
        path=None if path is None else _path(found, path),
        value=None if value is None else value.n3(),
        message=" ".join(sorted(str(m) for m in found.objects(node, SH.resultMessage))),
        component=str(found.value(node, SH.sourceConstraintComponent)),
    )


def _path(found: Graph, node) -> str:
    """A SHACL property path in the syntax of SPARQL."""
    if isinstance(node, URIRef):
        name = compact(str(node))
        return f"<{name}>" if name == str(node) else name
    if (inverse := found.value(node, SH.inversePath)) is not None:
        return "^" + _path(found, inverse)
    if (choice := found.value(node, SH.alternativePath)) is not None:
        return "(" + "|".join(_path(found, step) for step in Collection(found, choice)) + ")"
    return "/".join(_path(found, step) for step in Collection(found, node))


def _turtle(result: Result) -> str:
    lines = [
        "a sh:ValidationResult",
        f"sh:resultSeverity sh:{result.severity}",
        f"sh:focusNode {_node(result.focus).n3()}",
        f"sh:sourceShape {_node(result.shape).n3()}",
        f"sh:sourceConstraintComponent <{result.component}>",
        f"sh:resultMessage {Literal(result.message, lang='en').n3()}",
    ]
    if result.path and _IS_PROPERTY.match(result.path):
        lines.append(f"sh:resultPath {result.path}")
    elif result.path:
        lines.append(f"rdfs:comment {Literal('path: ' + result.path, lang='en').n3()}")
    if result.value is not None:
        lines.append(f"sh:value {result.value}")
    return "[\n        " + " ;\n        ".join(lines) + " ]"


def _node(name: str) -> URIRef | BNode:
    return URIRef(name) if ":" in name else BNode(name)


def _add(graph: Graph, statements: Iterable[ox.Triple | ox.Quad]) -> None:
    terms: dict = {}  # most statements repeat a term, and building one of rdflib's is what costs

    def term(node):
        if (known := terms.get(node)) is None:
            terms[node] = known = _term(node)
        return known

    for statement in statements:
        graph.add((term(statement.subject), term(statement.predicate), term(statement.object)))


def _term(node):
    if isinstance(node, ox.NamedNode):
        return URIRef(node.value)
    if isinstance(node, ox.BlankNode):
        return BNode(node.value)
    if node.language or node.datatype == _STRING:  # to rdflib "a" and "a"^^xsd:string are two things; it parses both as the former
        return Literal(node.value, lang=node.language)
    return Literal(node.value, datatype=URIRef(node.datatype.value))
