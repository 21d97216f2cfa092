"""What a page says of the links of a thing to other data sets: how sure each is, and a waterfall of what speaks for and against it."""

from dataclasses import dataclass

import pyoxigraph as ox
from flask_babel import gettext

from ..graph import Graph
from ..link.explanation import Step, waterfall
from ..link.mappings import CHAIN, CURATION, EXACT, INVERSION, LEXICAL, Mapping, curie
from ..namespaces import SKOS
from .display import Shown, question_query, show
from .said import Said

MATCHES = (SKOS + "exactMatch", SKOS + "closeMatch")
_WIDTH = 50  # units of the drawing on either side of its middle


@dataclass(frozen=True)
class Bar:
    """One piece of evidence, drawn from ``x`` with ``width`` of a hundred: to the right of the middle what speaks for the link."""

    step: Step
    x: float
    width: float

    @property
    def bits(self) -> str:
        return f"{self.step.bits:+.1f}"

    @property
    def percent(self) -> str:
        return f"{self.step.after:.1%}"


@dataclass(frozen=True)
class LinkElsewhere:
    """A link: where to, what was decided in words, the ``confidence`` in per cent, the evidence."""

    target: Shown
    label: str
    source: str
    verdict: str
    certain: bool
    confidence: str
    date: str
    comment: str
    bars: list[Bar]


@dataclass(frozen=True)
class LinksElsewhere:
    """All links of a thing, the surest first, and the query behind them."""

    links: list[LinkElsewhere]
    query: str


def links_elsewhere(graph: Graph, iri: str, said: Said) -> LinksElsewhere | None:
    """The links of a thing with their evidence; None where it has none that a mapping explains."""
    if not any(said.values.get(property_) for property_ in MATCHES):
        return None
    links = [_link(iri, row) for row in graph.run("pages/links", iri=iri)]
    return LinksElsewhere(links, question_query("pages/links", iri=iri)) if links else None


def _link(iri: str, row: dict) -> LinkElsewhere:
    mapping = Mapping(
        iri, "", curie(row["predicate"]), row["target"], row["label"] or "", curie(row["justification"]),
        None if row["confidence"] is None else float(row["confidence"]), row["modifier"] or "", row["source"] or "", other=row["evidence"] or "",
    )  # fmt: skip
    steps = list(waterfall(mapping))
    scale = max((abs(step.bits) for step in steps), default=1) or 1
    bars = [Bar(step, round(_WIDTH + min(0, step.bits) * _WIDTH / scale, 2), round(max(0.6, abs(step.bits) * _WIDTH / scale), 2)) for step in steps]
    confidence = "" if mapping.confidence is None else f"{mapping.confidence:.1%}"
    return LinkElsewhere(
        show(ox.NamedNode(row["target"])), mapping.object_label, mapping.object_source, _verdict(mapping), mapping.accepted, confidence,
        f"{row['date'] or ''}", row["comment"] or "", bars,
    )  # fmt: skip


def _verdict(mapping: Mapping) -> str:
    if mapping.mapping_justification == CURATION:
        return gettext("not the same, decided by a curator") if mapping.predicate_modifier else gettext("the same, decided by a curator")
    if mapping.predicate_id != EXACT:
        return gettext("perhaps the same")
    told = {
        LEXICAL: gettext("the same, by an identifier or homepage that both have"),
        INVERSION: gettext("the same, as the other side says"),
        CHAIN: gettext("the same, following from another link"),
    }
    return told.get(mapping.mapping_justification, gettext("the same, found by comparing"))
