"""Things that are like another, as its page shows them: each with what they share, in words."""

from dataclasses import dataclass

from ..connections import Node
from ..graph import Graph
from ..similarity import Alike
from . import marks
from .display import Shown, href_of
from .language import N_, gettext

SHOWN = 4  # of what two things share

# What is shared, by the name of its trait (kvgraph.similarity.TRAITS).
WORDS = {
    "actor": N_("actor"), "practice": N_("practice"), "programme": N_("programme"), "whole": N_("part of"), "policy": N_("policy"), "issuer": N_("issued by"),
    "principle": N_("principle"), "challenge": N_("challenge"), "channel": N_("channel"), "record": N_("used together by"), "tool-kind": N_("kind of tool"),
    "policy-type": N_("kind of policy"), "actor-kind": N_("kind of actor"), "asset": N_("asset"), "capacity": N_("capacity"), "benefit": N_("benefit"),
    "funding": N_("funding programme"), "level": N_("level"), "country": N_("country"), "region": N_("region"),
}  # fmt: skip


@dataclass(frozen=True)
class Likeness:
    """``reasons``: (word, what is shared), those that say most; ``more`` of them are left out."""

    shown: Shown
    reasons: list[tuple[str, list[Shown]]]
    more: int


def alike(graph: Graph, iri: str, language: str) -> list[Likeness]:
    """What is most like a thing, and why; labels in the reader's language."""
    found = graph.similar(iri)
    shared = [Node(r.iri, r.label, r.language, "") for a in found for r in a.reasons[:SHOWN] if r.iri]
    names = marks.in_language(graph, [*shared, *(a.node for a in found)], language)
    return [_likeness(a, names) for a in found]


def _likeness(alike: Alike, names: dict[str, Node]) -> Likeness:
    reasons: dict[str, list[Shown]] = {}
    for reason in alike.reasons[:SHOWN]:
        shown = _shown(names[reason.iri]) if reason.iri else Shown(reason.label, lang=reason.language or None)
        reasons.setdefault(gettext(WORDS[reason.trait]), []).append(shown)
    return Likeness(_shown(names[alike.node.iri]), list(reasons.items()), max(0, len(alike.reasons) - SHOWN) + alike.unsaid)


def _shown(node: Node) -> Shown:
    return Shown(node.label, href_of(node.iri), node.language or None, node.iri)
