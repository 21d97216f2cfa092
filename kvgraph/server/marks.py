"""How entities look in a drawing: a shape and a colour for each type, a name that fits, the reader's language.

The shapes are points in a square from -1 to 1, for SVG and for the script in a browser alike; no type is told by its colour alone.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from math import cos, pi, sin

from ..connections import Hop, Node
from ..graph import Graph
from ..model import EDGES, ENTITY_TYPES
from .language import N_


_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML, and so SVG, cannot hold


def _star(corners: int, inner: float = 1.0, turn: float = 0.0) -> tuple[float, ...]:
    """A regular polygon; with ``inner`` below 1 a star."""
    spikes = corners if inner == 1.0 else 2 * corners
    found = []
    for i in range(spikes):
        radius, angle = (inner if inner != 1.0 and i % 2 else 1.0), turn - pi / 2 + 2 * pi * i / spikes
        found += [round(radius * cos(angle), 3), round(radius * sin(angle), 3)]
    return tuple(found)


SHAPES: dict[str, tuple[float, ...]] = {
    "practice": _star(24),  # as good as a circle
    "learning-example": _star(5),
    "actor": (-0.85, -0.85, 0.85, -0.85, 0.85, 0.85, -0.85, 0.85),
    "policy": _star(4),
    "principle": _star(6),
    "region": _star(3),
    "country": _star(3, turn=pi),
    "channel": _star(5, 0.5),
    "organisation": (-1, -0.6, 1, -0.6, 1, 0.6, -1, 0.6),
    "project": _star(8),
    "source": (-0.35, -1, 0.35, -1, 0.35, -0.35, 1, -0.35, 1, 0.35, 0.35, 0.35, 0.35, 1, -0.35, 1, -0.35, 0.35, -1, 0.35, -1, -0.35, -0.35, -0.35),
}
# For files, which have no style sheet; web/static/networks.css says the same, and what they are in the dark.
COLOURS = {
    "practice": "#0b5c66", "learning-example": "#7d5a00", "actor": "#a1480a", "policy": "#4a4fb0", "principle": "#8a2c74",
    "region": "#3d7a2c", "country": "#5c6a1e", "channel": "#b3323f", "organisation": "#7a4a2b", "project": "#2f6b8f", "source": "#52605f",
}  # fmt: skip
# What a kind of tie is called where it can be switched off.
KINDS = {
    "participation": N_("taking part in a practice"), "draws-on": N_("drawing on a practice"), "part-of": N_("being part of something"),
    "sub-organisation": N_("belonging to an organisation"), "issuer": N_("issuing a policy"), "implements": N_("putting a policy into practice"),
    "replaces": N_("replacing a policy"), "succeeds": N_("succeeding a policy"), "amends": N_("amending a policy"), "based-on": N_("being based on a policy"),
    "cites": N_("citing a policy"), "related": N_("being related"), "principle": N_("taking up a principle"), "broader": N_("lying within something wider"),
    "region": N_("being in a region"), "channel": N_("working through a channel"), "country": N_("being in a country"),
    "same-as": N_("being the same as something elsewhere"), "candidate": N_("perhaps being the same as something elsewhere"),
    "cordis": N_("taking part in an EU research project (CORDIS)"), "kohesio": N_("taking part in a cohesion project (Kohesio)"),
    "ror": N_("belonging to an organisation (ROR)"), "wikidata": N_("belonging to an organisation (Wikidata)"),
}  # fmt: skip
ORDER = {t.name: place for place, t in enumerate(ENTITY_TYPES)}


def price(hop: Hop) -> float:
    """What a step costs, without what lies behind it."""
    return EDGES[hop.kind].cost


def points(type_: str) -> str:
    """The shape of a type as SVG writes it.

    >>> points("country")
    '0.0,1.0 -0.866,-0.5 0.866,-0.5'
    """
    flat = SHAPES[type_]
    return " ".join(f"{x},{y}" for x, y in zip(flat[::2], flat[1::2]))


def fit(text: str, letters: int) -> str:
    """A text in at most so many letters, cut at the end of a word where there is one nearby.

    >>> fit("Jožef Stefan Institute", 15), fit("Rindfleischetikettierung", 8), fit("short", 9)
    ('Jožef Stefan…', 'Rindfle…', 'short')
    """
    text = " ".join(_UNWRITABLE.sub("", text).split())
    if len(text) <= letters:
        return text
    cut = text[: letters - 1]
    word = cut.rpartition(" ")[0] if not text[letters - 1].isspace() else cut
    return (word if len(word) > 0.75 * letters else cut).rstrip(" ,;:–-") + "…"


def lines(text: str, letters: int, most: int = 2) -> list[str]:
    """A text in at most ``most`` lines of so many letters.

    >>> lines("Agricultural Institute of Slovenia, Ljubljana", 16)
    ['Agricultural', 'Institute of Sl…']
    """
    rest, found = " ".join(_UNWRITABLE.sub("", text).split()), []
    while rest and len(found) < most - 1 and len(rest) > letters:
        cut = rest[: letters + 1].rpartition(" ")[0] or rest.split(" ")[0][: letters + 4]  # a word that is a little longer stays whole
        found.append(cut)
        rest = rest[len(cut) :].lstrip()
    return [*found, fit(rest, letters)] if rest else found


def in_language(graph: Graph, nodes: Iterable[Node], language: str) -> dict[str, Node]:
    """The nodes by their IRI, each under its label in the reader's language if it has one there.

    The connection index holds one label a thing, English where there is one: for English nothing is asked.
    """
    found = {node.iri: node for node in nodes}
    if language != "en" and found:
        for thing, label in reversed(graph.run("pages/names", things=list(found), lang=language).terms):
            found[thing.value] = replace(found[thing.value], label=label.value, language=language)
    return found


def renamed(hop: Hop, nodes: dict[str, Node]) -> Hop:
    """A hop between the same two, under the names that ``nodes`` has for them."""
    others = tuple(renamed(other, nodes) for other in hop.others)
    return replace(hop, source=nodes[hop.source.iri], target=nodes[hop.target.iri], others=others)
