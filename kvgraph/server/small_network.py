"""The small drawing on the page of a thing: its most telling neighbours, each a link."""

from dataclasses import dataclass
from urllib.parse import urlencode

from ..connections import Hop, Node, UnknownEntity
from ..graph import Graph
from ..model import TYPES
from . import marks

SMALL = 10  # neighbours in the small drawing
OF_ONE_TYPE = 4  # of them, as long as there are others
ROW, HEADING, WIDTH, LETTERS = 24, 22, 256, 25


@dataclass(frozen=True)
class SmallRow:
    """A line of the small drawing: a heading (``node`` is None), or a neighbour with the fact that makes it one."""

    y: float
    text: str
    node: Node | None = None
    hop: Hop | None = None


@dataclass(frozen=True)
class Small:
    """The small drawing of a thing's neighbours: for ``networks.small`` in ``web/templates/networks.html``."""

    node: Node
    total: int
    rows: list[SmallRow]
    height: int
    href: str
    width: int = WIDTH

    @property
    def shown(self) -> int:
        return sum(row.node is not None for row in self.rows)


def small(graph: Graph, iri: str, language: str) -> Small | None:
    """A small drawing of what a thing is directly connected to, the most telling first; None if nothing connects it.

        {% import "networks.html" as networks %} {{ networks.small(small(graph, thing.iri, "en")) }}
    """
    try:
        around = graph.connections.neighbours(iri, limit=SMALL, of_each=OF_ONE_TYPE)
    except UnknownEntity:
        return None
    if not around.hops:
        return None
    hops = around.hops
    nodes = marks.in_language(graph, [hops[0].source, *(hop.target for hop in hops)], language)
    rows, y, type_ = [], 0.0, None
    for hop in sorted((marks.renamed(hop, nodes) for hop in hops), key=lambda hop: marks.ORDER[hop.target.type]):
        if hop.target.type != type_:
            type_ = hop.target.type
            rows.append(SmallRow(y + HEADING * 0.7, TYPES[type_].plural))
            y += HEADING
        rows.append(SmallRow(y + ROW / 2, marks.fit(hop.target.label, LETTERS), hop.target, hop))
        y += ROW
    return Small(nodes[iri], around.total, rows, round(y + 4), "/network?" + urlencode({"of": iri}))
