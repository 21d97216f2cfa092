"""Full-text search over every entity.

What a person types is never a query language: it is cut into words, and the query is built from them, so quotes,
brackets, a million letters or control characters are just text. A hit has all the words (if nothing has, at least
half of them: ``SearchResult.relaxed``). Each word may match exactly, by its English stem, as a beginning, or, where
hardly anything has it, with a typo: one wrong letter from four letters on, two from eight.

Order: a thing that is called exactly what was typed; names before text; exact before beginning before typo; of
things equally good practices first and regions last, so that 1,500 regions do not bury what happens in them; then by IRI.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tantivy import Occur, Order, Query

from .errors import KvgraphError
from .model import TYPES
from .search_facets import FACETS, Facets, UnknownFacet, UnknownValue, facet
from .search_index import ENGLISH, LONGEST_NAME, WORDS, NoSearchIndex, build_index, fold, open_index
from .search_snippets import LITTLE, Snippet, snippet, typos

__all__ = [
    "FACETS", "Facets", "Hit", "NoSearchIndex", "SearchIndex", "SearchResult", "Snippet", "UnknownFacet", "UnknownType", "UnknownValue",
    "build_index",
]  # fmt: skip

MOST_WORDS = 16  # of a question; the rest is ignored
MOST_LETTERS = 2000  # of a question; likewise
RARE = 3  # what fewer entities have may be mistyped; else "universitat" would find every university

# A word earns the best of these. Wide gaps, because how rare a word is adds up to 8.
_NAME, _NAME_STEM, _NAME_START, _BODY, _BODY_STEM, _BODY_START, _NAME_TYPO, _BODY_TYPO = 60, 50, 40, 15, 13, 11, 3, 1
_WHOLE_NAME, _NAME_BEGINS, _NAME_PHRASE, _BODY_PHRASE = 2000, 40, 20, 8
_OF_TYPE = {"practice": 9, "learning-example": 8, "policy": 7, "actor": 7, "principle": 6, "channel": 6, "country": 6, "organisation": 3, "project": 3, "source": 2}

# What a list can be ordered by, and the order of the index that this is when nothing was typed.
ORDERS = {"relevance": "known", "newest": "newest", "title": "title", "recorded": "recorded"}
_MOST_VALUES = 60_000  # of a facet; all regions are 2,000


class UnknownType(KvgraphError):
    """No kind of entity has this name."""

    def __init__(self, name: str):
        super().__init__(f"There is no kind of entity “{name}”.", hint="The kinds are: " + ", ".join(TYPES) + ".")


@dataclass(frozen=True)
class Hit:
    """An entity that was found: ``lang`` is the language tag of its label, or ``""``.

    ``regions``, ``countries`` and ``kinds`` (of an organisation or a policy) are IRIs; ``by`` are those who lead or issued it, as IRI,
    name and language tag; ``year`` is when it began or was issued, ``seen`` the month in which a curator last saw its page;
    an organisation has a ``town``, and ``works`` are the practices and learning examples it takes part in.
    """

    iri: str
    type: str
    label: str
    lang: str
    snippet: Snippet
    score: float
    regions: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    by: tuple[tuple[str, str, str], ...] = ()
    town: str = ""
    works: int = 0
    year: str = ""
    seen: str = ""


@dataclass(frozen=True)
class SearchResult:
    """``total`` hits there are, ``hits`` of this page. ``relaxed``: nothing has all the words, these have half or more.

    ``counts``: for each facet asked for, how many hits each of its values has.
    """

    total: int
    hits: list[Hit]
    relaxed: bool = False
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


class SearchIndex:
    '''A search index, opened read-only.

    Raises :class:`NoSearchIndex` if the folder holds none.

    >>> import pyoxigraph, tempfile
    >>> store = pyoxigraph.Store()
    >>> store.load("""
    ...   PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
    ...   PREFIX dcterms: <http://purl.org/dc/terms/>
    ...   <https://example.org/lab> a kv:Practice ; dcterms:title "Laboratoř Košice"@cs ; dcterms:description "Tests steel."@en .
    ... """.encode(), format=pyoxigraph.RdfFormat.TURTLE)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     build_index(store, folder)
    ...     found = SearchIndex(folder).search("kosice testing")
    >>> [(hit.label, hit.snippet.parts) for hit in found.hits]
    [('Laboratoř Košice', [('Tests', True), (' steel.', False)])]
    '''

    def __init__(self, folder: str | Path):
        self._index = open_index(Path(folder))
        self._schema, self._searcher = self._index.schema, self._index.searcher()
        self.facets = Facets.load(Path(folder))
        self._crossed = lru_cache(maxsize=64)(self._cross)  # an index never changes, and every cell of a matrix costs

    def __len__(self) -> int:
        """How many entities can be found."""
        return self._searcher.num_docs

    def search(
        self, text: str, types: Iterable[str] | None = None, limit: int = 20, offset: int = 0, *, where: Mapping[str, Iterable[str]] | None = None,
        count: Iterable[str] = (), order: str = "relevance", snippets: bool = True,
    ) -> SearchResult:  # fmt: skip
        """The entities that match what somebody typed, best first; with an empty text all there are.

        ``types`` are names of ``model.TYPES``. ``where`` narrows to things that have, of every facet in it, one of the
        values: ``{"country": ["ESP", "PRT"], "channel": ["spin-offs"]}``; ``types`` are the same as its ``"type"``. Values
        are what :meth:`Facets.find <kvgraph.search_facets.Facets.find>` takes. For each facet in ``count`` the result says how
        many things each value has; what the facet itself is narrowed to does not change that, so that these are the numbers
        one would get for choosing the value instead. ``order`` is one of ``relevance``, ``newest``, ``title`` and
        ``recorded``. Whether a result is relaxed depends on the text only.

        Raises:
            UnknownType, UnknownFacet, UnknownValue: the message names what there is.
            ValueError: a negative offset, a limit below 1, another order.
        """
        if limit < 1 or offset < 0 or order not in ORDERS:
            raise ValueError("limit begins at 1 and offset at 0; order is one of " + ", ".join(ORDERS))
        words, query, relaxed = self._meant(text)
        filters = self._filters(where or {}, types)
        count = [facet(name).name for name in count]
        if query is None or not len(self):
            return SearchResult(0, [], counts={name: {} for name in count})
        narrowed = self._narrowed(query, filters.values())
        by = None if order == "relevance" and words else "by_" + ORDERS[order]
        total, hits = self._page(narrowed, words, limit, offset, by, snippets)
        return SearchResult(total, hits, relaxed and total > 0, self._counts(query, filters, count))

    def _meant(self, text: str) -> tuple[list[str], Query | None, bool]:
        """The words of a text, the query for them (None: nothing can match), and whether it had to be relaxed."""
        typed = _words(text)
        words = list(dict.fromkeys(typed))[:MOST_WORDS]
        if not words:
            return [], None if text.strip() else Query.all_query(), False
        needed = [word for word in words if word not in LITTLE] or words
        queries = {word: self._word(word, typo=True, body=True) for word in words}
        extra = [*self._whole(typed), *self._by_type()]
        query = Query.boolean_query([*((Occur.Must if word in needed else Occur.Should, queries[word]) for word in words), *extra])
        if len(needed) == 1 or self._searcher.search(query, 1).count:
            return words, query, False
        half = Query.boolean_query([(Occur.Should, queries[w]) for w in needed], (len(needed) + 1) // 2)
        return words, Query.boolean_query([(Occur.Must, half), *extra]), True

    def _filters(self, where: Mapping[str, Iterable[str]], types: Iterable[str] | None) -> dict[str, Query]:
        """The facets that a search is narrowed by, each with the query for its values."""
        filters = {}
        for name, values in where.items():
            found = [self.facets.find(name, value) for value in ([values] if isinstance(values, str) else values)]
            if found:
                filters[name] = self._any_of(name, found)
        if types is not None:
            wanted = [types] if isinstance(types, str) else list(types)
            for name in wanted:
                if name not in TYPES:
                    raise UnknownType(name)
            # What has several kinds is counted under each of them, so both may be asked for.
            of_types = self._any_of("type", wanted)
            filters["type"] = self._narrowed(of_types, [filters["type"]]) if "type" in filters else of_types
        return filters

    def _any_of(self, name: str, values: list[str]) -> Query:
        # A set walks through the dictionary of the field: for the one value that most ask for, four times as long as the whole search.
        found = Query.term_query(self._schema, name, values[0]) if len(values) == 1 else Query.term_set_query(self._schema, name, values)
        return Query.const_score_query(found, 0.0)

    def _narrowed(self, query: Query, filters: Iterable[Query]) -> Query:
        filters = [(Occur.Must, each) for each in filters]
        return Query.boolean_query([(Occur.Must, query), *filters]) if filters else query

    def _counts(self, query: Query, filters: dict[str, Query], count: list[str]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        free = [name for name in count if name not in filters]
        for names, without in ((free, None), *(([name], name) for name in count if name in filters)):
            if names:
                asked = {name: {"terms": {"field": name, "size": _MOST_VALUES}} for name in names}
                others = self._narrowed(query, (each for name, each in filters.items() if name != without))
                answer = self._searcher.aggregate(others, asked)
                found |= {name: {b["key"]: b["doc_count"] for b in answer[name]["buckets"]} for name in names}
        return {name: found[name] for name in count}

    def cross(self, rows: str, columns: str, where: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], int]:
        """How many things have which value of two facets at once, of those that :meth:`search` finds ``where``; pairs that nothing has are left out.

        Raises as :meth:`search`.
        """
        wanted = tuple((name, tuple([values] if isinstance(values, str) else values)) for name, values in sorted(where.items()))
        return dict(self._crossed(rows, columns, wanted))

    def _cross(self, rows: str, columns: str, where: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[tuple[str, str], int]:
        terms = {name: {"terms": {"field": facet(name).name, "size": _MOST_VALUES}} for name in (rows, columns)}
        if not len(self):
            return {}
        query = self._narrowed(Query.all_query(), self._filters(dict(where), None).values())
        found = self._searcher.aggregate(query, {"rows": terms[rows] | {"aggs": {"columns": terms[columns]}}})
        return {(row["key"], column["key"]): column["doc_count"] for row in found["rows"]["buckets"] for column in row["columns"]["buckets"]}

    def suggest(self, prefix: str, types: Iterable[str] | None = None, limit: int = 10) -> list[Hit]:
        """Entities whose names have the words typed so far, the last one perhaps unfinished, best first.

        With a typo only if nothing fits without. Raises as :meth:`search`; the hits have no snippet.
        """
        typed, filters = _words(prefix), [(Occur.Must, each) for each in self._filters({}, types).values()]
        words = list(dict.fromkeys(typed))[:MOST_WORDS]
        for typo in (False, True):
            every = [(Occur.Must, self._word(word, typo, body=False)) for word in words]
            query = Query.boolean_query([*every, *self._whole(typed), *self._by_type(), *filters]) if words else None
            hits = self._page(query, [], limit, 0, None, False)[1] if query else []
            if hits:
                return hits
        return []

    def _worth(self, score: float, query: Query) -> Query:
        return Query.const_score_query(query, float(score))

    def _word(self, word: str, typo: bool, body: bool) -> Query:
        """Documents with a word: the best way in which it matches, and for the order how rare it is."""
        schema = self._schema
        stem = (ENGLISH.analyze(word) or [word])[0]
        ways = [("name", _NAME, _NAME_STEM, _NAME_START), ("body", _BODY, _BODY_STEM, _BODY_START)]
        best, rare = [], []
        for field, exact, by_stem, start in ways if body else ways[:1]:
            term = Query.term_query(schema, field, word)
            best += [
                self._worth(exact, term),
                self._worth(by_stem, Query.term_query(schema, field + "_en", stem)),
                self._worth(start, Query.fuzzy_term_query(schema, field, word, distance=0, prefix=True)),
            ]
            rare.append((Occur.Should, Query.boost_query(term, 0.4)))
        wrong = typos(word)
        if typo and wrong and self._searcher.search(Query.disjunction_max_query(best), 1).count < RARE:
            for field, worth in (("name", _NAME_TYPO), ("body", _BODY_TYPO))[: 2 if body else 1]:
                # A name that is being typed may be unfinished as well as wrong.
                fuzzy = Query.fuzzy_term_query(schema, field, word, distance=wrong, prefix=not body)
                best.append(self._worth(worth, fuzzy))
        return Query.boolean_query([(Occur.Must, Query.disjunction_max_query(best)), *rare])

    def _whole(self, typed: list[str]) -> list[tuple[Occur, Query]]:
        """What is worth more because the words stand together."""
        schema, together = self._schema, " ".join(typed)
        if len(together) > LONGEST_NAME:
            return []
        found = [
            self._worth(_WHOLE_NAME, Query.term_query(schema, "exact", together)),
            self._worth(_NAME_BEGINS, Query.fuzzy_term_query(schema, "exact", together, distance=0, prefix=True)),
        ]
        if len(typed) > 1:
            found += [
                self._worth(_NAME_PHRASE, Query.phrase_query(schema, "name", typed)),
                self._worth(_BODY_PHRASE, Query.phrase_query(schema, "body", typed)),
            ]
        return [(Occur.Should, query) for query in found]

    def _by_type(self) -> list[tuple[Occur, Query]]:
        of_type = ((n, Query.term_query(self._schema, "type", name)) for name, n in _OF_TYPE.items())
        return [(Occur.Should, self._worth(n, query)) for n, query in of_type]

    def _page(self, query: Query, words: list[str], limit: int, offset: int, by: str | None, snippets: bool) -> tuple[int, list[Hit]]:
        # tantivy reserves memory for limit + offset hits, however few there are.
        everything = max(1, len(self))
        ordered = {"order_by_field": by, "order": Order.Asc} if by else {}
        found = self._searcher.search(query, min(limit, everything), count=True, offset=min(offset, everything), **ordered)
        return found.count, [self._hit(self._searcher.doc(address), score, words, snippets) for score, address in found.hits]

    def _hit(self, document, score: float, words: list[str], snippets: bool) -> Hit:
        iri, kind, label, language, line = (document.get_first(field) for field in ("iri", "type", "label", "lang", "line"))
        said = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(line).items()}
        texts, by = said.pop("texts"), tuple(map(tuple, said.pop("by")))
        shown = snippet(label, document.get_all("passage"), words, texts) if snippets else Snippet()
        return Hit(iri, kind, label, language or "", shown, score, by=by, **said)


def _words(text: str) -> list[str]:
    return WORDS.analyze(fold(text[:MOST_LETTERS]))
