"""The home page."""

from dataclasses import dataclass

import pyoxigraph as ox
from flask import Blueprint, Response, render_template

from .. import gathering
from ..model import TYPES
from ..search import Hit, SearchResult
from . import context, headers
from .display import Shown, href_of, show
from .maps import BubbleMap, bubble_map
from .places import places

blueprint = Blueprint("pages", __name__)

FIGURES = ("practice", "actor", "policy", "learning-example", "principle", "region")
EXAMPLES = 5
LATEST = 5


@blueprint.get("/")
def home() -> Response:
    """Search, key figures, a map, practices to look at, what began last, and an entry for each kind of reader."""

    def make() -> str:
        graph = context.graph()
        counts = {row["type"]: row["count"] for row in graph.run("pages/counts")}
        known = gathering.most_known(graph.search, count=("region", "channel"))
        latest = graph.search("", types=["practice"], limit=LATEST, order="newest", snippets=False)
        best, *more = _examples(known) or [None]
        return render_template(
            "home.html", figures=[(TYPES[name], counts.get(TYPES[name].iri, 0)) for name in FIGURES], best=best, more=more,
            latest=[(_shown(hit), hit.year, _where(hit)) for hit in latest.hits if hit.year], map=_map(known), channels=_channels(known), practice=TYPES["practice"],
        )  # fmt: skip

    return headers.page(make)


@dataclass(frozen=True)
class Example:
    """A practice that tells something: what it does and what came of it."""

    practice: Shown
    description: str
    outcome: str
    region: Shown
    lead: Shown


def _examples(known: SearchResult) -> list[Example]:
    """Practices from different regions; first the one that tells most in words."""
    if not known.hits:
        return []
    facets, language = context.graph().facets, context.language()
    found: dict[str, Example] = {}
    for practice, title, description, outcome, region, lead, name in gathering.examples(context.graph().run, known).terms:
        if practice.value not in found and isinstance(region, ox.NamedNode):
            place = _named(region.value, *facets.label(region.value, language))
            found[practice.value] = Example(show(practice, title), description.value, outcome.value, place, show(lead, name))
    ranked = sorted(found.values(), key=lambda e: -(len(e.description[:400]) + len(e.outcome[:400])))
    elsewhere = {example.region.iri: example for example in reversed(ranked)}
    return [example for example in ranked if elsewhere[example.region.iri] is example][:EXAMPLES]


def _named(iri: str, text: str, lang: str) -> Shown:
    return Shown(text, href_of(iri), lang or None, iri)


def _shown(hit: Hit) -> Shown:
    return _named(hit.iri, hit.label, hit.lang)


def _where(hit: Hit) -> Shown | None:
    """The first country of a hit."""
    labels = [(iri, *context.graph().facets.label(iri, context.language())) for iri in hit.countries[:1]]
    return _named(*labels[0]) if labels else None


def _map(found: SearchResult) -> BubbleMap:
    """Practices by country."""
    facets, language = context.graph().facets, context.language()
    counts = found.counts["region"]
    return bubble_map([(place, _named(place.iri, *facets.label(place.iri, language)), counts.get(place.iri, 0), "") for place in places().of_level(0)])


def _channels(found: SearchResult) -> list[tuple[Shown, int]]:
    """Channels with the number of practices that use each, most first."""
    facets, language = context.graph().facets, context.language()
    counted = [(_named(iri, *facets.label(iri, language)), count) for iri, count in found.counts["channel"].items()]
    return sorted(counted, key=lambda pair: (-pair[1], pair[0].text))
