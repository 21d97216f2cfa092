"""``/network``: things and what ties them together, as a drawing and as the same in a list.

The address holds everything: what the network is of, what was opened, what is left out. The places of the drawing follow from it, so that a script
in the browser, the picture without one, and whoever is sent the link see the same.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, render_template, request

from .. import queries
from ..connection_network import Choice, NetworkOf, Spot, network
from ..connections import Hop, Node, UnknownEntity
from ..graph import Graph
from ..model import EDGE_KINDS, ENTITY_TYPES, TYPES
from ..params import BadParameter, expand
from . import connecting, context, headers, marks
from .display import href_of
from .facets import Selection
from .network_drawing import Drawing, shown_ties
from .small_network import Small, small

__all__ = ["Small", "blueprint", "small"]

blueprint = Blueprint("network", __name__)

SIZES = (50, 150, 500, 1500, 3000)  # how many things at most
SIZE = 150
DRAWN = 400  # up to so many things the page holds the drawing; above that only a browser with scripts draws
LISTED = 400  # rows of each list; the files hold all
ASKED = 100  # ties that a query in an address can ask about
MOST_OPENED = 40
MOST_OF = 200  # things that an address may name


@dataclass(frozen=True)
class Asked:
    """What an address asks for; ``beyond`` results of its selection are more than it wants. ``notes`` say what of it was not understood."""

    choice: Choice
    selection: Selection | None
    beyond: int
    notes: tuple[str, ...]

    @classmethod
    def of(cls, args) -> "Asked":
        notes: list[str] = []
        of = _iris(args, "of", MOST_OF)
        selection, beyond = None, 0
        if not of:
            selection = Selection.of(args)
            selection = selection if selection.text or selection.where else None
        most = args.get("most", "").strip() or str(SIZE)
        if most not in map(str, SIZES):
            notes.append(f"“{most[:20]}” is no size of a network; here are at most {SIZE}. The sizes are {', '.join(map(str, SIZES))}.")
            most = str(SIZE)
        hide = list(dict.fromkeys(args.getlist("hide")))
        notes += [f"There is no kind of thing called “{name[:60]}”. The kinds are: {', '.join(TYPES)}." for name in hide if name and name not in TYPES][:1]
        without = connecting.without(args, notes)
        hidden = tuple(name for name in TYPES if name in hide)
        if selection:
            result = selection.search(context.graph(), limit=int(most), snippets=False)
            of, beyond = tuple(hit.iri for hit in result.hits), result.total - len(result.hits)
        return cls(Choice(of, _iris(args, "open", MOST_OPENED), selection is not None, without, hidden, int(most)), selection, beyond, tuple(notes))

    @property
    def of_pairs(self) -> list[tuple[str, str]]:
        """What the network is of, as fields of an address."""
        return self.selection.pairs(page="") if self.selection else [("of", iri) for iri in self.choice.of]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Everything else, as fields of an address; what is as usual is left out."""
        c = self.choice
        rest = [("without", kind) for kind in c.without] + [("hide", type_) for type_ in c.hide] + [("most", str(c.most))] * (c.most != SIZE)
        return [("open", iri) for iri in c.opened] + rest

    def address(self, path: str = "/network", **changes) -> str:
        """This network with something changed."""
        pairs = [(n, v) for n, v in self.of_pairs + self.fields if n not in changes]
        return f"{path}?" + urlencode(pairs + [(n, v) for n, values in changes.items() for v in ([values] if isinstance(values, str) else values)])

    def opening(self, iri: str) -> str:
        """This network with the neighbours of one thing more."""
        return self.address(open=[*(other for other in self.choice.opened if other != iri), iri])


def _iris(args, name: str, most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(expand(text.strip()[:2000]) for text in args.getlist(name)[:most] if text.strip()))


@blueprint.get("/network")
def page() -> Response:
    """A network, or a form to choose one."""

    def make() -> str:
        graph, asked = context.graph(), Asked.of(request.args)
        found, candidates, typed = None, (), ""
        if asked.choice.of:
            try:
                found = drawn(graph, asked.choice, context.language())
            except UnknownEntity:
                typed = asked.choice.of[0]
                candidates = connecting.candidates(typed)
                if len(candidates) == 1 and "://" not in typed:
                    asked = Asked.of(_with(request.args, candidates[0].shown.iri))
                    found = drawn(graph, asked.choice, context.language())
        shown = Shown.of(graph, asked, found) if found else None
        return render_template(
            "network.html", asked=asked, network=shown, typed=typed, candidates=candidates, kinds=EDGE_KINDS, kind_names=marks.KINDS,
            all_types=ENTITY_TYPES, sizes=SIZES, selection=asked.selection, is_node=lambda part: isinstance(part, Node),
        )  # fmt: skip

    return headers.page(make)


def _with(args, iri: str):
    """The fields of an address with another thing that the network is of."""
    changed = args.copy()
    changed.setlist("of", [iri])
    return changed


def drawn(graph: Graph, choice: Choice, language: str) -> NetworkOf:
    """A network under names in the reader's language."""
    found = _network(str(graph.release.path), choice)
    nodes = marks.in_language(graph, (spot.node for spot in found.spots), language)
    if language == "en":
        return found
    spots = [Spot(nodes[s.node.iri], s.x, s.y, s.ties, s.part) for s in found.spots]
    return NetworkOf(spots, found.ties, found.left_out, found.hidden)


@lru_cache(maxsize=64)
def _network(release: str, choice: Choice) -> NetworkOf:
    """A release never changes (where it is, is part of the key): the page, its data and its files share one."""
    return network(context.graph().connections, choice)


@dataclass(frozen=True)
class Thing:
    """A row of the list of things. ``shown`` of its ``ties`` are in the network; ``more`` is the address that shows all."""

    node: Node
    part: str
    ties: int
    shown: int
    more: str


@dataclass(frozen=True)
class Shown:
    """A network as a page shows it."""

    network: NetworkOf
    things: list[Thing]
    ties: list[Hop]
    drawing: Drawing
    address: str
    query: str  # that asks the graph for the ties; "" where it would be too long for an address

    @classmethod
    def of(cls, graph: Graph, asked: Asked, found: NetworkOf) -> "Shown":
        degree = shown_ties(found)
        order = sorted(range(len(found.spots)), key=lambda i: (found.spots[i].part == "", -degree[i], found.spots[i].node.label.casefold()))
        things = [
            Thing(s.node, s.part, s.ties, degree[i], asked.opening(s.node.iri) if degree[i] < s.ties and s.part != "opened" else "")
            for i in order[:LISTED]
            for s in (found.spots[i],)
        ]
        nodes = {spot.node.iri: spot.node for spot in found.spots}
        ties = [marks.renamed(hop, nodes) for hop in hops(graph, found, asked.choice.without, LISTED)]
        query = queries.load("pages/hops").bind(facts=connecting.facts(ties)) if 0 < len(found.ties) <= ASKED else ""
        return cls(found, things, ties, Drawing.of(found), asked.address(), query)

    @property
    def types(self) -> list[tuple]:
        """Every type that occurs, with how many things are of it."""
        count = {t.name: sum(spot.node.type == t.name for spot in self.network.spots) for t in ENTITY_TYPES}
        return [(t, count[t.name]) for t in ENTITY_TYPES if count[t.name]]


def hops(graph: Graph, found: NetworkOf, without: tuple[str, ...], most: int | None = None) -> list[Hop]:
    """The ties of a network as facts with their sources."""
    name = [spot.node.iri for spot in found.spots]
    ties = (graph.connections.tie(name[tie.source], name[tie.target], exclude=without) for tie in found.ties[:most])
    return [hop for hop in ties if hop]


# ── As data ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/network.<suffix>")
def export(suffix: str) -> Response:
    """A network as ``json`` (what the page's script draws), ``svg``, ``graphml``, ``csv`` (ties), ``things.csv``, or the statements as RDF (``trig``, ``ttl`` …)."""
    asked, graph, language = Asked.of(request.args), context.graph(), context.language()
    if suffix not in FILES and suffix not in connecting.RDF:
        raise BadParameter(f"A network cannot be written as {suffix[:20]!r}.", hint=f"Ask for one of {', '.join((*FILES, *connecting.RDF))}.")
    if asked.notes or not asked.choice.of:
        raise BadParameter(asked.notes[0] if asked.notes else "The address does not say what the network is of.", hint="For example: ?of=actor/ku-leuven")

    def make() -> Response:
        found = drawn(graph, asked.choice, language)
        if suffix in connecting.RDF:
            return connecting.rdf(graph, hops(graph, found, asked.choice.without), suffix, "network")
        return FILES[suffix](found, asked)

    return headers.tagged(suffix, make, language)


def _json(found: NetworkOf, asked: Asked) -> Response:
    degree = shown_ties(found)
    things = [
        {"id": s.node.iri, "label": s.node.label[:300], "language": s.node.language, "type": s.node.type, "kind": TYPES[s.node.type].label, "href": href_of(s.node.iri),
         "x": s.x, "y": s.y, "ties": s.ties, "shown": degree[i], "part": s.part}
        for i, s in enumerate(found.spots)
    ]  # fmt: skip
    ties = [{"source": found.spots[t.source].node.iri, "target": found.spots[t.target].node.iri, "kind": t.kind, "facts": t.facts} for t in found.ties]
    return jsonify({"shapes": marks.SHAPES, "things": things, "ties": ties, "left_out": found.left_out + asked.beyond, "hidden": found.hidden})


def _file(body: str, name: str, media_type: str) -> Response:
    return Response(body, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _svg(found: NetworkOf, asked: Asked) -> Response:
    body = render_template("network.svg", drawing=Drawing.of(found), release=context.graph().release)
    return _file(body, "network.svg", "image/svg+xml; charset=utf-8")


def _graphml(found: NetworkOf, asked: Asked) -> Response:
    return _file(render_template("network.graphml.xml", network=found, kinds=marks.KINDS), "network.graphml", "application/graphml+xml; charset=utf-8")


def _csv(found: NetworkOf, asked: Asked) -> Response:
    rows = [(found.spots[t.source].node, t, found.spots[t.target].node) for t in found.ties]
    lines = [(a.label, a.iri, marks.KINDS[t.kind], t.facts, b.label, b.iri) for a, t, b in rows]
    return _table("network.csv", ("from", "from_iri", "tie", "facts", "to", "to_iri"), lines)


def _things_csv(found: NetworkOf, asked: Asked) -> Response:
    lines = [(s.node.label, s.node.iri, TYPES[s.node.type].label, s.ties, n) for s, n in zip(found.spots, shown_ties(found))]
    return _table("network-things.csv", ("name", "iri", "type", "ties", "ties_shown"), lines)


def _table(name: str, head: tuple, lines: list[tuple]) -> Response:
    text = StringIO()
    csv.writer(text).writerows([head, *lines])
    return _file(text.getvalue(), name, "text/csv; charset=utf-8")


FILES = {"json": _json, "svg": _svg, "graphml": _graphml, "csv": _csv, "things.csv": _things_csv}
