"""``/connections``: how two things are connected, best explanation first, with a drawing; and the same as SVG and as RDF."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request

from .. import queries
from ..connection_groups import Group, fold
from ..connections import ConnectionResult, Hop, Neighbours, Node, Path, UnknownEntity
from ..formats import JSONLD, NQUADS, NTRIPLES, RDFXML, TRIG, TURTLE
from ..gathering import FEATURED
from ..graph import Graph, best_label
from ..model import EDGE_KINDS, ENTITY_TYPES
from ..namespaces import PREFIXES
from ..params import BadParameter, expand
from . import context, headers, marks
from .display import Found, found, show
from .layered import Layered, layered

blueprint = Blueprint("connecting", __name__)

CANDIDATES = 8  # things offered for an ambiguous name
BEST, MOST = 10, 50  # connections shown, and at most
STEPS, MOST_STEPS = 6, 8
AROUND = 12  # neighbours of a thing that is expanded
LONGEST = 500  # letters of a name that is typed
RDF = {f.suffix[1:]: f for f in (TRIG, TURTLE, JSONLD, NTRIPLES, RDFXML, NQUADS)}


@dataclass(frozen=True)
class End:
    """One end of a connection: what was typed, what it was taken for, and what else it may have meant."""

    name: str  # of the field: a or b
    typed: str
    node: Found | None = None
    candidates: tuple[Found, ...] = ()

    @property
    def value(self) -> str:
        return self.node.shown.text if self.node else self.typed


@dataclass(frozen=True)
class Asked:
    """What an address asks for besides the two ends. ``notes`` say what of it was not understood, and what was done instead."""

    k: int
    steps: int
    without: tuple[str, ...]
    open: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, args) -> "Asked":
        notes: list[str] = []
        k = _number(args.get("k", ""), BEST, MOST, "connections", notes)
        steps = _number(args.get("steps", ""), STEPS, MOST_STEPS, "steps", notes)
        return cls(k, steps, without(args, notes), args.get("open", "")[:2000], tuple(notes))

    @property
    def fields(self) -> list[tuple[str, str]]:
        """As fields of an address; what is as usual is left out."""
        numbers = [("k", str(self.k))] * (self.k != BEST) + [("steps", str(self.steps))] * (self.steps != STEPS)
        return numbers + [("without", kind) for kind in self.without]


def without(args, notes: list[str]) -> tuple[str, ...]:
    """The kinds of tie that are switched off; unknown ones are noted."""
    known = {kind.name: None for kind in EDGE_KINDS}
    asked = list(dict.fromkeys(args.getlist("without")))
    unknown = [name for name in asked if name and name not in known]
    if unknown:
        notes.append(f"There is no kind of tie called “{unknown[0][:60]}”. The kinds are: {', '.join(known)}.")
    return tuple(name for name in known if name in asked)


def _number(text: str, usual: int, most: int, what: str, notes: list[str]) -> int:
    text = text.strip()
    if not text:
        return usual
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most:
        return int(text)
    notes.append(f"“{text[:20]}” is no number of {what} from 1 to {most}; here are {usual}.")
    return usual


@blueprint.get("/connections")
def connections() -> Response:
    """How two things are connected: the best explanations first."""

    def make() -> str:
        graph, asked = context.graph(), Asked.of(request.args)
        a, b = ends = _end("a"), _end("b")
        shown = {"ends": ends, "asked": asked, "result": None, "examples": [], "around": None, "kinds": EDGE_KINDS, "kind_names": marks.KINDS}
        if a.node and b.node:
            result = named(graph, connect(graph, a.node.shown.iri, b.node.shown.iri, asked), context.language())
            shown |= _answered(result, asked, (a, b)) | {"around": _around(graph, asked)}
        elif not a.typed and not b.typed:
            shown["examples"] = _examples()
        return render_template("connections.html", **shown, pick=_pick, is_node=lambda part: isinstance(part, Node), most=(MOST, MOST_STEPS))

    return headers.page(make)


@blueprint.get("/connections.<suffix>")
def export(suffix: str) -> Response:
    """The connections between two IRIs as a drawing (``svg``) or their statements as RDF (``trig`` with the graphs, ``ttl`` …)."""
    asked = Asked.of(request.args)
    if asked.notes:
        raise BadParameter(asked.notes[0])
    if suffix != "svg" and suffix not in RDF:
        raise BadParameter(f"Connections cannot be written as {suffix[:20]!r}.", hint=f"Ask for one of svg, {', '.join(RDF)}.")
    graph = context.graph()
    ends = [expand(request.args.get(name, "").strip()[:2000]) for name in ("a", "b")]
    result = graph.connect(*ends, k=asked.k, max_hops=asked.steps, exclude=asked.without)
    if suffix == "svg":
        return headers.tagged("svg", lambda: _svg(named(graph, result, context.language())), context.language())
    return headers.tagged(suffix, lambda: rdf(graph, (hop for path in result.paths for hop in path.hops), suffix, "connections"))


def connect(graph: Graph, a: str, b: str, asked: Asked) -> ConnectionResult:
    try:
        return graph.connect(a, b, k=asked.k, max_hops=asked.steps, exclude=asked.without)
    except UnknownEntity as error:
        # Known to the graph, but no kind of thing that connections are looked for between.
        return ConnectionResult([], True, f"{error.message} Connections are between practices, people, policies, principles and places.", 0.0)


def named(graph: Graph, result: ConnectionResult, language: str) -> ConnectionResult:
    """The same with names in the reader's language where there are any."""
    if language == "en" or not result.paths:
        return result
    nodes = marks.in_language(graph, (node for path in result.paths for node in path.nodes), language)
    paths = [
        Path(p.cost, tuple(marks.renamed(hop, nodes) for hop in p.hops), tuple(replace(x, node=nodes[x.node.iri]) for x in p.passed))
        for p in result.paths
    ]
    return ConnectionResult(paths, result.complete, result.reason, result.seconds)


def _answered(result: ConnectionResult, asked: Asked, ends: Iterable[End]) -> dict:
    """What the page shows of an answer, with its addresses."""
    chosen = [(end.name, end.node.shown.iri) for end in ends]
    address = urlencode([*chosen, *asked.fields])
    hops = [hop for path in result.paths for hop in path.hops]
    through = list(dict.fromkeys(node.iri for path in result.paths for node in path.nodes))
    return {
        "result": result,
        "groups": numbered(fold(result.paths), result.paths),
        "drawing": Drawing.of(result.paths),
        "permanent": "/connections?" + address,
        "exports": {suffix: f"/connections.{suffix}?{address}" for suffix in ("svg", *RDF)},
        "query": queries.load("pages/hops").bind(facts=facts(hops)) if hops else "",
        "network": "/network?" + urlencode([("of", iri) for iri in through[:60]]),
    }


def numbered(groups: list[Group], paths: list[Path]) -> list[tuple[Group, list[int]]]:
    """The groups, each with the numbers of its paths in the drawing."""
    number = {id(path): i for i, path in enumerate(paths)}
    return [(group, [number[id(path)] for path in group.paths]) for group in groups]


@dataclass(frozen=True)
class Drawing:
    """The found paths, drawn from left to right."""

    layers: Layered
    nodes: dict[str, Node]
    ends: tuple[str, str]

    @classmethod
    def of(cls, paths: list[Path]) -> "Drawing | None":
        if not paths:
            return None
        nodes = {node.iri: node for path in paths for node in path.nodes}
        keys = [[node.iri for node in path.nodes] for path in paths]
        return cls(layered(keys), nodes, (keys[0][0], keys[0][-1]))

    @property
    def kinds(self) -> list:
        """The types that occur, for the legend."""
        return [t for t in ENTITY_TYPES if t.name in {node.type for node in self.nodes.values()}]


def _svg(result: ConnectionResult) -> Response:
    if not result.paths:
        raise BadParameter(result.reason or "There is nothing to draw.")
    nodes = result.paths[0].nodes
    body = render_template("connections.svg", drawing=Drawing.of(result.paths), a=nodes[0], b=nodes[-1], release=context.graph().release)
    return Response(body, content_type="image/svg+xml; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="connections.svg"'})


def facts(hops: Iterable[Hop]) -> list[tuple[str, str, str]]:
    """What the queries of :mod:`queries/pages <kvgraph.queries>` are asked about these hops, each fact once."""
    return list(dict.fromkeys(triple for hop in hops for fact in hop.facts for triple in fact.triples))


def rdf(graph: Graph, hops: Iterable[Hop], suffix: str, name: str) -> Response:
    """The statements behind hops as RDF: with their named graphs where the format has any, else each once."""
    format, asked = RDF[suffix], facts(hops)
    rows = graph.run("pages/hop-statements", facts=asked).terms if asked else []
    if format in (TRIG, NQUADS):
        statements = [ox.Quad(*row) for row in rows]
    else:
        statements = list(dict.fromkeys(ox.Triple(*row[:3]) for row in rows))
    body = ox.serialize(statements, format=format.engine, prefixes=PREFIXES)
    return Response(body, content_type=format.content_type, headers={"Content-Disposition": f'attachment; filename="{name}.{suffix}"'})


def _around(graph: Graph, asked: Asked) -> Neighbours | None:
    """The neighbours of the thing that is expanded; None if none is, or it is nothing."""
    try:
        found = graph.connections.neighbours(expand(asked.open), AROUND, exclude=asked.without) if asked.open else None
    except UnknownEntity:
        return None
    if not found or not found.hops:
        return None
    nodes = marks.in_language(graph, [found.hops[0].source, *(hop.target for hop in found.hops)], context.language())
    return Neighbours(found.total, [marks.renamed(hop, nodes) for hop in found.hops])


def _end(name: str) -> End:
    typed = request.args.get(name, "").strip()[:LONGEST]
    if not typed:
        return End(name, "")
    iri = expand(typed)
    if "://" in iri:
        node = node_of(iri)
        return End(name, typed if node is None else "", node)
    before = request.args.get(f"{name}.was", "")[:2000]
    if before and (node := node_of(before)) and node.shown.text == typed:  # the field shows the name of what was chosen
        return End(name, "", node)
    meant = candidates(typed)
    return End(name, typed, meant[0]) if len(meant) == 1 else End(name, typed, None, meant)


def candidates(typed: str) -> tuple[Found, ...]:
    """What somebody may mean by a name: one thing if only one is called exactly so."""
    hits = tuple(found(hit) for hit in context.graph().search(typed[:LONGEST], limit=CANDIDATES).hits)
    exact = tuple(hit for hit in hits if hit.shown.text.casefold() == typed.casefold())
    return exact if len(exact) == 1 else hits


def node_of(iri: str) -> Found | None:
    """A thing under its label, None if the release knows none of this IRI."""
    try:
        rows = context.graph().run("pages/entity", iri=iri).terms
    except BadParameter:
        return None
    if not rows:
        return None
    label = best_label([(property_.value, value) for property_, value in rows], context.language())
    types = {value.value for _, value in rows}
    kind = next((t.label for t in ENTITY_TYPES if t.iri in types), "")
    return Found(show(ox.NamedNode(iri), label), kind, [])


def _pick(**changes: str) -> str:
    """This page with something changed, everything else as it is."""
    kept = [(n, v) for n, v in request.args.items(multi=True) if n not in changes and not n.endswith(".was") and v]
    return "/connections?" + urlencode([*kept, *((n, v) for n, v in changes.items() if v)])


def _examples() -> list[tuple[dict, dict]]:
    """Pairs to try: leads of featured practices in different regions."""
    featured = list(context.graph().run("pages/featured", limit=FEATURED))
    leads = list({row["regionName"]: row for row in featured}.values())
    return [pair for pair in zip(leads[::2], leads[1::2]) if pair[0]["lead"] != pair[1]["lead"]][:3]
