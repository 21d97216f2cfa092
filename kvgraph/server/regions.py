"""What the page about a region or a country gathers: what is there and inside, what holds there, and places like it."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from ..graph import Graph
from ..namespaces import COUNTRY, ID, NUTS
from ..region_index import NoRegionIndex
from ..regions import WEIGHTS, Reason, Region, Regions, Share, Similar
from ..search import Hit
from . import context, maps, network
from .display import Shown, href_of, question_query, show
from .entity_view import EntityView
from .facets import Selection
from .searching import Line, line_of

FEW = 8  # things of a kind that are listed; the search has all of them
ALIKE = 6  # similar regions
OF_EACH = 3  # practices of a similar region
KINDS = ("practice", "actor", "policy", "learning-example")
TAKING_UP = ("practice", "policy", "learning-example")  # a principle
EU, NATIONAL = ID + "level/eu", ID + "level/national"
LISTED = ("practice", "actor", "learning-example")  # the policies that hold here are found another way


@dataclass(frozen=True)
class Number:
    """A number that people see: how many things a selection has, the list of them, and the query that lists them."""

    value: int
    selection: Selection

    @property
    def href(self) -> str:
        return self.selection.address("/search")

    @property
    def query(self) -> str | None:
        return self.selection.query()


@dataclass(frozen=True)
class Listing:
    """The first things of a kind, and how many there are."""

    number: Number
    lines: list[Line]


@dataclass(frozen=True)
class Row:
    """A channel or a principle with its numbers, one for each kind counted; ``part`` is the first as a share of the highest."""

    shown: Shown
    code: str
    numbers: tuple[Number, ...]
    part: float = 0.0


@dataclass(frozen=True)
class Branch:
    """A place in the tree, with its practices."""

    shown: Shown
    code: str
    practices: Number


@dataclass(frozen=True)
class Alike:
    """A similar place: where it is, why it is like this one, and some of its practices."""

    shown: Shown
    country: Shown | None
    score: float
    distance: float | None
    reasons: tuple[Reason, ...]
    practices: Number
    first: list[Shown]


@dataclass(frozen=True)
class Policies:
    """Policies that hold in a place, by where they come from. ``query`` lists all but those of the ``eu``, which hold everywhere."""

    own: list[tuple[Shown, str]]
    above: list[tuple[Shown, str]]
    country: list[tuple[Shown, str]]
    eu: Number
    query: str


@dataclass(frozen=True)
class PlaceView:
    """``region`` is None for a country that NUTS does not have: nothing lies in it and nothing can be compared with it."""

    region: Region | None
    country: Shown | None
    is_country: bool
    types: list[list[Share]]
    above: list[Branch]
    inside: list[Branch]
    beside: list[Branch]
    borders: list[Branch]
    listings: dict[str, Listing]
    channels: list[Row]
    unused: list[Shown]
    principles: list[Row]
    policies: Policies
    alike: list[Alike]
    weights: dict[str, int]


def is_place(iri: str) -> bool:
    """Whether an IRI is that of a region or a country.

    >>> is_place("http://data.europa.eu/nuts/code/ES51"), is_place("https://w3id.org/kvgraph/id/channel/spin-offs")
    (True, False)
    """
    return iri.startswith((NUTS, COUNTRY))


def of_place(graph: Graph, thing: EntityView, language: str) -> tuple[EntityView, PlaceView] | None:
    """What the page of a place shows besides what is said of it; None if the release is too old to know."""
    try:
        regions = graph.regions
    except NoRegionIndex:
        return None
    place = _Gatherer(graph, regions, thing.iri, language).view()
    above = [branch.shown for branch in place.above]
    return replace(thing, ancestors=above, map=maps.small_map([thing.title]), network=network.small(graph, thing.iri, language)), place


@lru_cache(maxsize=16)
def _totals(release: str, kind: str, facet: str) -> dict[str, int]:
    """How many things of a kind have each value of a facet, in the whole release: the same on every page of a place (a release never changes)."""
    return context.graph().search("", types=[kind], count=[facet], limit=1, snippets=False).counts[facet]


@dataclass(frozen=True)
class Policy:
    """A policy as a list names it, with its period or year."""

    shown: Shown
    when: str


@lru_cache(maxsize=32)
def _policies_of_places(release: str, language: str) -> list[tuple[Policy, str, str, str]]:
    """Policies with their level, place and country, the latest first: of the whole release, in a language. There are few, and every place asks for some."""
    first: dict[str, Policy] = {}
    found = []
    for policy, title, level, place, country, issued, period in context.graph().run("pages/policies-of-places", lang=language).terms:
        named = first.setdefault(policy.value, Policy(show(policy, title), period.value if period else issued.value[:4] if issued else ""))
        found.append((named, *(term.value if term else "" for term in (level, place, country))))
    return found


class _Gatherer:
    def __init__(self, graph: Graph, regions: Regions, iri: str, language: str):
        self.graph, self.regions, self.iri, self.language = graph, regions, iri, language
        self.facets = graph.facets
        self.is_country = iri.startswith(COUNTRY)
        # NUTS has each of its countries once more, as a region of level 0.
        codes = (r.iri for r in regions.countries() if self.facets.country(r.iri) == iri) if self.is_country else (iri,)
        self.region = next((code for code in codes if code in regions), None)

    def view(self) -> PlaceView:
        results = {kind: self._select(kind).search(self.graph, limit=FEW if kind in LISTED else 1, count=("channel",) if kind == "practice" else (), snippets=False) for kind in KINDS}
        here = self.region
        known = self.regions
        channels, unused = self._channels(results["practice"].counts["channel"])
        above = [r for r in known.above(here) if not self.is_country] if here else []
        country = self.facets.country(known.above(here)[0].iri if known.above(here) else here) if here and not self.is_country else ""
        return PlaceView(
            region=known.region(here) if here else None,
            country=self._shown(country) if country else None,
            is_country=self.is_country,
            types=known.types(here) if here else [],
            above=[self._branch(r) for r in above],
            inside=[self._branch(r) for r in known.inside(here)] if here else [],
            beside=[self._branch(r) for r in known.beside(here)] if here and not self.is_country else [],
            borders=[self._branch(r) for r in known.borders(here)] if here else [],
            listings={kind: Listing(self._number(result.total, type=(kind,)), self._lines(result.hits)) for kind, result in results.items()},
            channels=channels, unused=unused,
            principles=self._principles(),
            policies=self._policies({r.iri for r in known.above(here)[1:]} if here and not self.is_country else set(), country or self.iri),
            alike=[self._alike(one) for one in known.similar(here, ALIKE)] if here else [],
            weights=WEIGHTS,
        )  # fmt: skip

    def _select(self, kind: str, place: str | None = None, **more) -> Selection:
        return Selection(where={"type": (kind,), "region": (place or self.iri,), **more})

    def _number(self, value: int, **where) -> Number:
        return Number(value, Selection(where={"region": (self.iri,), **where}))

    def _lines(self, hits: list[Hit]) -> list[Line]:
        """Of what is in several places the one that is here comes first: codes of what lies inside begin with that of the whole."""
        here = self.region or self.iri
        hits = [replace(hit, regions=tuple(sorted(hit.regions, key=lambda place: not place.startswith(here)))) for hit in hits]
        return [line_of(hit, self.facets, self.language) for hit in hits]

    def _shown(self, iri: str) -> Shown:
        text, lang = self.facets.label(iri, self.language)
        return Shown(text, href_of(iri), lang or None, iri)

    def _place(self, region: Region) -> str:
        """The IRI under which a region is spoken of here: on the page of a country other countries are countries too."""
        return (self.facets.country(region.iri) if self.is_country and region.level == 0 else "") or region.iri

    def _branch(self, region: Region) -> Branch:
        place = self._place(region)
        count = region.practices if place == region.iri else self._everywhere.get(place, 0)
        return Branch(self._shown(place), region.code if place == region.iri else "", Number(count, self._select("practice", place)))

    @cached_property
    def _everywhere(self) -> dict[str, int]:
        """How many practices every place has."""
        return _totals(str(self.graph.release.path), "practice", "region")

    def _channels(self, counts: dict[str, int]) -> tuple[list[Row], list[Shown]]:
        most = max(counts.values(), default=0)
        ordered = sorted(counts, key=lambda iri: (-counts[iri], self.facets.label(iri, self.language)[0].casefold()))
        rows = [Row(self._shown(c), "", (self._number(counts[c], type=("practice",), channel=(c,)),), counts[c] / most) for c in ordered]
        return rows, [self._shown(c) for c in self.facets.members("channel") if c not in counts]

    def _principles(self) -> list[Row]:
        """The principles that lie within no other; what is taken up of the finer points counts for them."""
        taken_up = self.graph.cross("type", "principle", {"region": (self.iri,)})
        found = {iri for kind, iri in taken_up if kind in TAKING_UP and not self.facets.parent(iri)}
        rows = []
        for iri in sorted(found, key=lambda iri: (self.facets.code(iri) or "~", iri)):
            numbers = tuple(self._number(taken_up.get((kind, iri), 0), type=(kind,), principle=(iri,)) for kind in TAKING_UP)
            rows.append(Row(self._shown(iri), self.facets.code(iri), numbers))
        return rows

    def _policies(self, around: set[str], country: str) -> Policies:
        """What ``pages/region-policies`` finds: each policy once, where it is nearest. ``around`` are the regions that this one lies in, below the country."""
        release, nearest = str(self.graph.release.path), {}
        for policy, level, place, of_country in _policies_of_places(release, self.language):
            if scope := 1 if place == self.iri else 2 if place in around else 3 if level == NATIONAL and of_country == country else 0:
                nearest[policy] = min(scope, nearest.get(policy, scope))
        own, above, country_wide = ([(policy.shown, policy.when) for policy, scope in nearest.items() if scope == wanted] for wanted in (1, 2, 3))
        of_levels = _totals(release, "policy", "level")
        eu = Number(of_levels.get(EU, 0), Selection(where={"type": ("policy",), "level": (EU,)}))
        return Policies(own, above, country_wide, eu, question_query("pages/region-policies", iri=self.iri))

    def _alike(self, one: Similar) -> Alike:
        place = self._place(one.region)
        above = self.regions.above(one.region.iri)
        country = self.facets.country(above[0].iri) if above else ""
        first = [Shown(p.name, href_of(p.iri), p.lang or None, p.iri) for p in self.regions.practices(one.region.iri)[:OF_EACH]]
        practices = Number(self._everywhere.get(place, 0) if place != one.region.iri else one.region.practices, self._select("practice", place))
        return Alike(self._shown(place), self._shown(country) if country else None, one.score, one.distance, one.reasons, practices, first)
