"""``/policies``: policies in time and how they are related, as a picture and as a list."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from ..graph import Graph
from ..namespaces import DCTERMS, ELI, ID, KV
from ..search_facets import Facets, UnknownValue
from . import context, headers
from .display import Shown, href_of, question_query, show
from .language import N_
from .timeline import Drawing, drawing

blueprint = Blueprint("policies", __name__)

LANES = {"eu": N_("European Union"), "national": N_("National"), "regional": N_("Regional and local")}
_LANE_OF = {"eu": "eu", "national": "national"}  # everything else is below the country or across borders

# A relation in words, from either side, and how it is drawn.
RELATIONS = {
    KV + "implements": (N_("puts into practice"), N_("is put into practice by"), "rests"),
    ELI + "based_on": (N_("is based on"), N_("is the basis of"), "rests"),
    ELI + "cites": (N_("cites"), N_("is cited by"), "cites"),
    DCTERMS + "relation": (N_("is related to"), N_("is related to"), "cites"),
    KV + "succeeds": (N_("succeeds"), N_("is succeeded by"), "follows"),
    DCTERMS + "replaces": (N_("replaces"), N_("is replaced by"), "follows"),
    ELI + "amends": (N_("amends"), N_("is amended by"), "follows"),
    DCTERMS + "isPartOf": (N_("is part of"), N_("has the part"), "rests"),
}
_YEAR = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


@dataclass
class Policy:
    """A policy in the timeline. ``year`` is its date as a fraction of years, ``until`` the end of its period; None where not known."""

    shown: Shown
    lane: str
    when: str  # as the graph states it
    year: float | None
    until: float | None
    countries: list[Shown] = field(default_factory=list)
    relations: list[tuple[str, Shown]] = field(default_factory=list)  # to other policies, in words
    back: list[tuple[str, Shown]] = field(default_factory=list)  # from other policies, in words from this side


@dataclass(frozen=True)
class Link:
    """Between two policies: from the one that says so to the one it is about."""

    source: str
    target: str
    kind: str  # rests, cites, follows
    words: str


def moment(text: str) -> float | None:
    """A date of any precision as a fraction of years: the middle of what it may be.

    >>> moment("2014"), round(moment("2022-12-02"), 2), moment("soon")
    (2014.5, 2022.92, None)
    """
    if not (found := _YEAR.match(text)):
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    return year + ((month - 1 + ((day - 0.5) / 31 if day else 0.5)) / 12 if month else 0.5)


def period(text: str) -> tuple[float, float] | None:
    """Beginning and end of a period.

    >>> period("2014-2020"), period("since 2014")
    ((2014.0, 2021.0), None)
    """
    found = re.fullmatch(r"\s*(\d{4})\s*[-–]\s*(\d{4})\s*", text)
    return (float(found[1]), float(found[2]) + 1) if found and found[1] <= found[2] else None


def policies_of(graph: Graph, language: str) -> tuple[dict[str, Policy], list[Link]]:
    """Every policy by its IRI, the earliest first, and how they are related."""
    facets, found = graph.facets, {}
    for policy, title, level, issued, time in graph.run("pages/policies", lang=language).terms:
        iri = policy.value
        if iri not in found:
            span = period(time.value) if time else None
            year = moment(issued.value) if issued else span[0] if span else None
            lane = _LANE_OF.get(level.value.removeprefix(ID + "level/") if level else "", "regional" if level else "national")
            when = issued.value if issued else time.value if time else ""
            found[iri] = Policy(show(policy, title), lane, when, year, span[1] if span else None)
    for policy, country in graph.run("pages/policy-countries").terms:
        if policy.value in found:
            found[policy.value].countries.append(_shown(country.value, facets, language))
    links = []
    for source, relation, target in graph.run("pages/policy-links").terms:
        words, back, kind = RELATIONS[relation.value]
        if source != target and source.value in found and target.value in found:
            links.append(Link(source.value, target.value, kind, gettext(words)))
            found[source.value].relations.append((gettext(words), found[target.value].shown))
            found[target.value].back.append((gettext(back), found[source.value].shown))
    return found, links


def _shown(iri: str, facets: Facets, language: str) -> Shown:
    text, lang = facets.label(iri, language)
    return Shown(text, href_of(iri), lang or None, iri)


def near(policies: dict[str, Policy], links: list[Link], country: str) -> dict[str, Policy]:
    """The policies of a country, and those of the EU they lead to, whatever lies between."""
    onward = defaultdict(list)
    for link in links:
        onward[link.source].append(link.target)
    kept = {iri for iri, policy in policies.items() if country in (shown.iri for shown in policy.countries)}
    queue = sorted(kept)
    for iri in queue:
        for target in onward[iri]:
            if target not in kept and policies[target].lane == "eu":
                kept.add(target)
                queue.append(target)
    return {iri: policy for iri, policy in policies.items() if iri in kept}


@blueprint.get("/policies")
def timeline() -> Response:
    """All policies, or those of one country, in time."""

    def make() -> str:
        graph, language = context.graph(), context.language()
        typed, note, country = request.args.get("country", "").strip(), "", ""
        if typed:
            try:
                country = graph.facets.find("country", typed)
            except UnknownValue as error:
                note = f"{error.message} {error.hint or ''}".strip()
        policies, links = policies_of(graph, language)
        total = len(policies)
        having = sorted({(shown.text, (shown.iri or "").rpartition("/")[2]) for policy in policies.values() for shown in policy.countries}, key=lambda c: c[0].casefold())
        if country:
            policies = near(policies, links, country)
        lanes = [(name, gettext(label), [p for p in policies.values() if p.lane == name]) for name, label in LANES.items()]
        picture: Drawing | None = drawing(policies, links, [(name, label) for name, label, some in lanes if some], rows=bool(country))
        return render_template(
            "policies.html", policies=policies, lanes=lanes, picture=picture, total=total, countries=having, note=note,
            country=_shown(country, graph.facets, language) if country else None,
            query=question_query("policies-by-country", country=country) if country else question_query("pages/policies"), links_query=question_query("pages/policy-links"),
        )  # fmt: skip

    return headers.page(make)
