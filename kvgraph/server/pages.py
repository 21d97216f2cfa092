"""The explorer's own pages: home, search, connections."""

from dataclasses import dataclass
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, render_template, request

from ..connections import ConnectionResult, Node, UnknownEntity
from ..graph import Graph, best_label
from ..model import ENTITY_TYPES, TYPES
from ..params import BadParameter, expand
from . import context, headers
from .display import Found, found, show

blueprint = Blueprint("pages", __name__)

CANDIDATES = 8  # things offered for an ambiguous name
BEST = 10  # connections shown


@blueprint.get("/")
def home() -> Response:
    """Search, key figures, an example, and an entry for each kind of reader."""

    def make() -> str:
        graph = context.graph()
        counts = {row["type"]: row["count"] for row in graph.run("pages/counts")}
        figures = [(TYPES[name], counts.get(TYPES[name].iri, 0)) for name in ("practice", "learning-example", "actor", "policy", "principle", "region")]
        featured = list(graph.run("pages/featured", limit=12))
        # Of those of which most is known, the one that tells most in words; the others from elsewhere.
        best = max(featured, key=lambda row: len(row["outcome"][:400]) + len(row["description"][:400]), default=None)
        more = list({row["regionName"]: row for row in featured if row is not best}.values())[:4]
        return render_template("home.html", figures=figures, best=best, more=more)

    return headers.page(make)


@blueprint.get("/search")
def search() -> Response:
    """Things by their words, or everything of one type."""
    text = request.args.get("q", "").strip()
    type_ = TYPES.get(request.args.get("type", ""))
    size = current_app.config["SEARCH_ROWS"]
    page = _page_number()

    def make() -> str:
        graph, offset, relaxed = context.graph(), (page - 1) * size, False
        total, hits = 0, []
        if text:
            result = graph.search(text, types=[type_.name] if type_ else None, limit=size, offset=offset)
            total, relaxed, hits = result.total, result.relaxed, [found(hit) for hit in result.hits]
        elif type_:
            rows = graph.run("pages/options", of=type_.iri, lang=context.language()).terms
            total = len(rows)
            hits = [Found(show(thing, label), type_.label, []) for thing, label, _ in rows[offset : offset + size]]
        return render_template(
            "search.html", text=text, chosen=type_, kinds=ENTITY_TYPES, hits=hits, total=total, relaxed=relaxed,
            page=page, pages=-(-total // size), first=offset + 1, address=_search_address,
        )  # fmt: skip

    return headers.page(make)


def _page_number() -> int:
    asked = request.args.get("page", "1")
    return min(max(int(asked), 1), 1000) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1


def _search_address(**changes) -> str:
    """This search with something changed; everything else as it is."""
    fields = {name: request.args.get(name, "") for name in ("q", "type")} | {name: str(value) for name, value in changes.items()}
    return "/search?" + urlencode({name: value for name, value in fields.items() if value})


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


@blueprint.get("/connections")
def connections() -> Response:
    """How two things are connected: the best explanations first."""

    def make() -> str:
        graph = context.graph()
        a, b = _end("a"), _end("b")
        result = _connect(graph, a.node.shown.iri, b.node.shown.iri) if a.node and b.node else None
        pairs = [] if result or a.typed or b.typed else _examples()
        permanent = "/connections?" + urlencode({e.name: e.node.shown.iri for e in (a, b) if e.node})
        return render_template(
            "connections.html", ends=(a, b), result=result, examples=pairs, permanent=permanent, pick=_pick, is_node=lambda p: isinstance(p, Node)
        )

    return headers.page(make)


def _connect(graph: Graph, a: str, b: str) -> ConnectionResult:
    try:
        return graph.connect(a, b, k=BEST)
    except UnknownEntity as error:
        # Known to the graph, but no kind of thing that connections are looked for between.
        return ConnectionResult([], True, f"{error.message} Connections are between practices, people, policies, principles and places.", 0.0)


def _end(name: str) -> End:
    typed = request.args.get(name, "").strip()[:500]
    if not typed:
        return End(name, "")
    iri = expand(typed)
    if "://" in iri:
        node = _node(iri)
        return End(name, typed if node is None else "", node)
    hits = tuple(found(hit) for hit in context.graph().search(typed, limit=CANDIDATES).hits)
    exact = [hit for hit in hits if hit.shown.text.casefold() == typed.casefold()]
    if len(exact) == 1 or len(hits) == 1:
        return End(name, typed, (exact or hits)[0])
    return End(name, typed, None, hits)


def _node(iri: str) -> Found | None:
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


def _pick(name: str, iri: str) -> str:
    """This page with one end chosen."""
    fields = {n: request.args.get(n, "") for n in ("a", "b")} | {name: iri}
    return "/connections?" + urlencode({n: v for n, v in fields.items() if v})


def _examples() -> list[tuple[dict, dict]]:
    """Pairs to try: leads of featured practices in different regions."""
    featured = list(context.graph().run("pages/featured", limit=24))
    leads = list({row["regionName"]: row for row in featured}.values())
    return [pair for pair in zip(leads[::2], leads[1::2]) if pair[0]["lead"] != pair[1]["lead"]][:3]
