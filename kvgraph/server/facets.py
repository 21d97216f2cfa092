"""What a reader chose to see, as an address holds it, and the panel in which they choose more.

``/search`` and ``/map`` (and whatever else shows a selection of things) share these::

    selection = Selection.of(request.args)
    result = selection.search(context.graph(), limit=20, count=SHOWN)
    groups = panel(selection, result.counts, "/search")

and in the template ``{% import "facets.html" as facets with context %}{{ facets.panel(groups, selection, "/search") }}``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from ..graph import Graph
from ..model import TYPES
from ..search import FACETS, Facets, SearchResult, UnknownValue
from ..search_facets import is_level_0
from . import context
from .display import question_query, sentence
from .marks import fit

# The facets of the panel, in its order. A country is chosen as the top of a branch of places.
SHOWN = tuple(name for name in FACETS if name != "country")
TREES = ("region", "principle")
AT_ONCE = 7  # values of a facet that are seen before "more"
WHOLE_TREE = 60  # with more branches than this only those that lead to what is chosen are there
MOST_VALUES = 50  # of a facet that an address may hold
LONGEST = 200  # characters of what somebody typed
LAST_PAGE = 100_000
TITLED = 2  # of the words and values chosen, those that a title names
SORTS = ("relevance", "newest", "title")


@dataclass(frozen=True)
class Unknown:
    """A value in an address that the release does not have."""

    facet: str
    text: str
    hint: str


@dataclass(frozen=True)
class Selection:
    """Words and facets, the order and the page: all that an address of a list of things says."""

    text: str = ""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: str = "relevance"
    page: int = 1
    unknown: tuple[Unknown, ...] = ()

    @classmethod
    def of(cls, args: MultiDict, facets: Facets | None = None) -> "Selection":
        """What an address asks for. Values that do not exist are set apart in ``unknown``; everything else absurd is left out."""
        facets = facets or context.graph().facets
        where: dict[str, tuple[str, ...]] = {}
        unknown = []
        for name in FACETS:
            found = {}
            for text in dict.fromkeys(text.strip() for text in args.getlist(name)[:MOST_VALUES]):
                try:
                    if text:
                        found[facets.find(name, text)] = None
                except UnknownValue as error:
                    unknown.append(Unknown(name, text[:80], error.hint or ""))
            if found:
                where[name] = tuple(found)
        if "region" not in where and "country" in where:
            where["region"] = where.pop("country")
        order = args.get("sort", "")
        return cls(args.get("q", "").strip()[:LONGEST], where, order if order in SORTS else SORTS[0], _page(args.get("page", "1")), tuple(unknown))

    def pairs(self, **changes: object) -> list[tuple[str, str]]:
        """The fields of the address: a form repeats them, :meth:`address` joins them."""
        sort = "" if self.order == SORTS[0] else self.order
        page = self.page if self.page > 1 else ""
        fields: dict[str, object] = {"q": self.text, **dict.fromkeys(FACETS, ()), **self.where, "sort": sort, "page": page, **changes}
        pairs = []
        for name, value in fields.items():
            values = [FACETS[name].short(v) for v in value] if name in FACETS and not isinstance(value, str) else [str(value)]  # type: ignore[union-attr]
            pairs += [(name, v) for v in values if v]
        return pairs

    def address(self, path: str, **changes: object) -> str:
        """This selection at ``path``, something changed: ``selection.address("/search", sort="title", channel=[])``.

        Every change but that of the page leads to the first page.
        """
        query = urlencode(self.pairs(**({"page": ""} | changes)))
        return f"{path}?{query}" if query else path

    def without(self, path: str, facet: str, value: str) -> str:
        """The address without one value."""
        return self.address(path, **{facet: [v for v in self.where.get(facet, ()) if v != value]})

    def toggle(self, path: str, facet: str) -> Callable[[str, Iterable[str]], str]:
        """What gives the address with one value of a facet more, or one less if it is chosen.

        Its second argument are chosen places around and inside it: they give way. A function, because a panel needs
        hundreds of addresses that differ in nothing else.
        """
        chosen, mark = self.where.get(facet, ()), "\0"
        before, after = urlencode(self.pairs(page="", **{facet: mark})).split(urlencode({facet: mark}))
        before, after = before.rstrip("&"), after.lstrip("&")

        def address(value: str, giving_way: Iterable[str] = ()) -> str:
            kept = [v for v in chosen if v != value and v not in giving_way]
            values = kept if value in chosen else [*kept, value]
            here = urlencode([(facet, FACETS[facet].short(v)) for v in values])
            query = "&".join(part for part in (before, here, after) if part)
            return f"{path}?{query}" if query else path

        return address

    def search(self, graph: Graph, **options) -> SearchResult:
        """The answer; options as of :meth:`SearchIndex.search <kvgraph.search.SearchIndex.search>`. What does not exist narrows nothing."""
        return graph.search(self.text, **{"where": self.where, "order": self.order} | options)

    def query(self) -> str | None:
        """The address of the query behind this selection; None with words, which SPARQL does not know."""
        if self.text:
            return None
        types = [TYPES[name].iri for name in self.where.get("type", TYPES)]
        others = {name.replace("-", "_"): list(values) for name, values in self.where.items() if name != "type"}
        return question_query("pages/selection", type=types, **others)

    def chips(self, path: str) -> list["Choice"]:
        """What is chosen, each with the address without it."""
        facets, language = context.graph().facets, context.language()
        return [
            Choice(name, *facets.label(value, language), href=self.without(path, name, value), chosen=True)
            for name, values in self.where.items()
            for value in values
        ]

    def title(self) -> str:
        """What tells this selection from others in a title: the words, then the values chosen. Empty for all there is."""
        words = [f"“{self.text}”"] if self.text else []
        values = [sentence(gettext(chip.text) if chip.facet == "type" else chip.text) for chip in self.chips("")]
        return ", ".join(fit(each, 60) for each in [*words, *values][:TITLED])


def _page(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1


@dataclass(frozen=True)
class Choice:
    """A value that can be chosen, or put back. ``count`` is what the list would have for it alone."""

    facet: str
    text: str
    lang: str
    href: str = ""
    count: int = 0
    chosen: bool = False
    code: str = ""
    inside: tuple["Choice", ...] = ()
    open: bool = False  # it or something inside is chosen

    @property
    def label(self) -> str:
        """What its facet is called."""
        return FACETS[self.facet].label


@dataclass(frozen=True)
class Group:
    """A facet of the panel: the first of its values, and the others."""

    name: str
    label: str
    first: list[Choice]
    more: list[Choice]

    @property
    def chosen(self) -> int:
        return _chosen(self.first) + _chosen(self.more)


def _chosen(choices: Iterable[Choice]) -> int:
    return sum(choice.chosen + _chosen(choice.inside) for choice in choices)


def panel(selection: Selection, counts: Mapping[str, Mapping[str, int]], path: str, language: str | None = None) -> list[Group]:
    """The facets that say something about this result, with the addresses of every choice at ``path``."""
    branches = _Branches(selection, context.graph().facets, language or context.language(), path)
    groups = [_group(branches, name, counts[name]) for name in SHOWN if name in counts]
    return [group for group in groups if group]


def _group(branches: "_Branches", name: str, counts: Mapping[str, int]) -> Group | None:
    choices = branches.choices(name, counts)
    if not choices:
        return None
    first = choices if len(choices) <= AT_ONCE + 2 else choices[:AT_ONCE]
    return Group(name, FACETS[name].label, first, choices[len(first) :])


class _Branches:
    """Makes choices of counted values: a list, or where values are part of each other a tree."""

    def __init__(self, selection: Selection, facets: Facets, language: str, path: str):
        self.selection, self.facets, self.language, self.path = selection, facets, language, path

    def choices(self, name: str, counts: Mapping[str, int]) -> list[Choice]:
        chosen = self.selection.where.get(name, ())
        values = dict(counts) | {value: counts.get(value, 0) for value in chosen}
        above = {value: self.facets.above(value) for value in values} if name in TREES else {}
        # The NUTS region of level 0 is the country once more.
        inside: dict[str, list[str]] = {}
        for value in values:
            if not is_level_0(value) or value in chosen:
                inside.setdefault(next(iter(above.get(value, ())), ""), []).append(value)
        wanted = {place for value in chosen for place in (value, *above.get(value, ()))}
        toggle = self.selection.toggle(self.path, name)
        whole = sum(map(len, inside.values())) - len(inside.get("", ())) <= WHOLE_TREE

        def make(value: str) -> Choice:
            related = [v for v in chosen if value in above.get(v, ()) or v in above.get(value, ())]
            below = ordered(inside.get(value, ())) if whole or value in wanted else ()
            text, lang = self.facets.label(value, self.language)
            code = self.facets.code(value) if name == "principle" else ""
            return Choice(name, text, lang, toggle(value, related), values[value], value in chosen, code, tuple(map(make, below)), value in wanted)

        def ordered(some: Iterable[str]) -> list[str]:
            if name == "year":
                return sorted(some, reverse=True)
            if name == "type":
                return sorted(some, key=list(TYPES).index)
            return sorted(some, key=lambda v: (v not in wanted, -values[v], self.facets.label(v, self.language)[0].casefold()))

        return list(map(make, ordered(inside.get("", ()))))
