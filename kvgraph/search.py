"""Full-text search over every entity.

What a person types is never a query language: it is cut into words, and the query is built from them, so quotes,
brackets, a million letters or control characters are just text. A hit has all the words (if nothing has, at least
half of them: ``SearchResult.relaxed``). Each word may match exactly, by its English stem, as a beginning, or, where
hardly anything has it, with a typo: one wrong letter from four letters on, two from eight.

Order: a thing that is called exactly what was typed; names before text; exact before beginning before typo; of
things equally good practices first and regions last, so that 1,500 regions do not bury what happens in them; then by IRI.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tantivy import Occur, Query

from .errors import KvgraphError
from .model import TYPES
from .search_index import LONGEST_NAME, WORDS, NoSearchIndex, analyser, build_index, fold, open_index

__all__ = ["Hit", "NoSearchIndex", "SearchIndex", "SearchResult", "Snippet", "UnknownType", "build_index"]

MOST_WORDS = 16  # of a question; the rest is ignored
MOST_LETTERS = 2000  # of a question; likewise
RARE = 3  # what fewer entities have may be mistyped; else "universitat" would find every university
EXCERPT = 220  # characters of a snippet

# A word earns the best of these. Wide gaps, because how rare a word is adds up to 8.
_NAME, _NAME_STEM, _NAME_START, _BODY, _BODY_STEM, _BODY_START, _NAME_TYPO, _BODY_TYPO = 60, 50, 40, 15, 13, 11, 3, 1
_WHOLE_NAME, _NAME_BEGINS, _NAME_PHRASE, _BODY_PHRASE = 2000, 40, 20, 8
_OF_TYPE = {"practice": 9, "learning-example": 8, "policy": 7, "actor": 7, "principle": 6, "channel": 6, "country": 6, "source": 2}

# Words that need not occur when there are others.
_LITTLE = frozenset(
    "a an and are at by do does for from how in is of on or that the to what where which who with"
    " de des du en et la le les los las el del y un une der die das den dem und in im von zu für di il e da do".split()
)
_A_WORD = re.compile(r"[^\W_]+")


class UnknownType(KvgraphError):
    """No kind of entity has this name."""

    def __init__(self, name: str):
        super().__init__(f"There is no kind of entity “{name}”.", hint="The kinds are: " + ", ".join(TYPES) + ".")


@dataclass(frozen=True)
class Snippet:
    """Plain text with the places (start, end) that matched; not HTML."""

    text: str = ""
    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it matched.

        >>> Snippet("a living lab", ((2, 8),)).parts
        [('a ', False), ('living', True), (' lab', False)]
        """
        cuts = [0, *(place for both in self.ranges for place in both), len(self.text)]
        pieces = [(self.text[start:end], bool(i % 2)) for i, (start, end) in enumerate(zip(cuts, cuts[1:]))]
        return [piece for piece in pieces if piece[0]]


@dataclass(frozen=True)
class Hit:
    """An entity that was found: ``lang`` is the language tag of its label, or ``""``."""

    iri: str
    type: str
    label: str
    lang: str
    snippet: Snippet
    score: float


@dataclass(frozen=True)
class SearchResult:
    """``total`` hits there are, ``hits`` of this page. ``relaxed``: nothing had all the words, these have half or more."""

    total: int
    hits: list[Hit]
    relaxed: bool = False


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
        self._english = analyser(english=True)

    def __len__(self) -> int:
        """How many entities can be found."""
        return self._searcher.num_docs

    def search(self, text: str, types: Iterable[str] | None = None, limit: int = 20, offset: int = 0) -> SearchResult:
        """The entities that match what somebody typed, best first.

        ``types`` are names of ``model.TYPES``. Raises :class:`UnknownType`, and ``ValueError`` for a negative
        offset or a limit below 1.
        """
        typed, filters = _words(text), self._only(types)
        words = list(dict.fromkeys(typed))[:MOST_WORDS]
        if not words:
            return self._result(None, words, limit, offset)
        needed = [word for word in words if word not in _LITTLE] or words
        queries = {word: self._word(word, typo=True, body=True) for word in words}
        extra = [*self._whole(typed), *self._by_type()]
        every = [(Occur.Must if word in needed else Occur.Should, queries[word]) for word in words]
        result = self._result(Query.boolean_query([*every, *extra, *filters]), words, limit, offset)
        if result.total or len(needed) == 1:
            return result
        half = Query.boolean_query([(Occur.Should, queries[w]) for w in needed], (len(needed) + 1) // 2)
        result = self._result(Query.boolean_query([(Occur.Must, half), *extra, *filters]), words, limit, offset)
        return SearchResult(result.total, result.hits, relaxed=result.total > 0)

    def suggest(self, prefix: str, types: Iterable[str] | None = None, limit: int = 10) -> list[Hit]:
        """Entities whose names have the words typed so far, the last one perhaps unfinished, best first.

        With a typo only if nothing fits without. Raises as :meth:`search`; the hits have no snippet.
        """
        typed, filters = _words(prefix), self._only(types)
        words = list(dict.fromkeys(typed))[:MOST_WORDS]
        for typo in (False, True):
            every = [(Occur.Must, self._word(word, typo, body=False)) for word in words]
            query = Query.boolean_query([*every, *self._whole(typed), *self._by_type(), *filters]) if words else None
            hits = self._result(query, [], limit, 0).hits
            if hits:
                return hits
        return []

    def _only(self, types: Iterable[str] | None) -> list[tuple[Occur, Query]]:
        if types is None:
            return []
        wanted = [types] if isinstance(types, str) else list(types)
        for name in wanted:
            if name not in TYPES:
                raise UnknownType(name)
        return [(Occur.Must, Query.const_score_query(Query.term_set_query(self._schema, "type", wanted), 0.0))]

    def _worth(self, score: float, query: Query) -> Query:
        return Query.const_score_query(query, float(score))

    def _word(self, word: str, typo: bool, body: bool) -> Query:
        """Documents with a word: the best way in which it matches, and for the order how rare it is."""
        schema = self._schema
        stem = (self._english.analyze(word) or [word])[0]
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
        wrong = _typos(word)
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

    def _result(self, query: Query | None, words: list[str], limit: int, offset: int) -> SearchResult:
        if limit < 1 or offset < 0:
            raise ValueError("limit begins at 1 and offset at 0")
        everything = len(self)
        if query is None or not everything:
            return SearchResult(0, [])
        # tantivy reserves memory for limit + offset hits, however few there are.
        page = max(1, min(limit, everything)), min(offset, everything)
        found = self._searcher.search(query, page[0], count=True, offset=page[1])
        hits = [self._hit(self._searcher.doc(address), score, words) for score, address in found.hits]
        return SearchResult(found.count, hits)

    def _hit(self, document, score: float, words: list[str]) -> Hit:
        iri, kind, label, language = (document.get_first(field) for field in ("iri", "type", "label", "lang"))
        snippet = self._snippet(label, document.get_all("passage"), words) if words else Snippet()
        return Hit(iri, kind, label, language or "", snippet, score)

    def _snippet(self, label: str, passages: list[str], words: list[str]) -> Snippet:
        """The passage that has most of the words, around the place where they are closest; else the first one."""
        wanted = [word for word in words if word not in _LITTLE] or words
        has = set().union(*(self._matches(text, wanted, ())[1] for text in (label, *passages)))
        # A word that is nowhere as it was typed was matched with a typo.
        mistyped = [word for word in wanted if word not in has]
        found = [self._matches(passage, wanted, mistyped) for passage in passages]
        best = max(range(len(found)), key=lambda i: (len(found[i][1]), -i), default=None)
        return Snippet() if best is None else _excerpt(passages[best], found[best][0])

    def _matches(self, text: str, words: list[str], mistyped: Iterable[str]) -> tuple[list[tuple[int, int]], set[str]]:
        """Where a text has any of these words, and which of them it has; some of them perhaps with a typo."""
        stems = {stem: word for word in words for stem in self._english.analyze(word)}
        places, which = [], set()
        for match in _A_WORD.finditer(text):
            folded = fold(match[0])
            meant = {stems[stem] for stem in self._english.analyze(folded) if stem in stems}
            meant |= {word for word in words if folded.startswith(word)}
            meant |= {word for word in mistyped if _close(folded, word)}
            if meant:
                places.append(match.span())
                which |= meant
        return places, which


def _words(text: str) -> list[str]:
    return WORDS.analyze(fold(text[:MOST_LETTERS]))


def _typos(word: str) -> int:
    """How many letters of a word may be wrong; none in a number, where each digit means something else."""
    if any(c.isdigit() for c in word):
        return 0
    return 2 if len(word) >= 8 else 1 if len(word) >= 4 else 0


def _close(text: str, word: str) -> bool:
    """Whether a word of a text is a word of a question but for as many letters as may be wrong."""
    most = _typos(word)
    if not most or abs(len(text) - len(word)) > most:
        return False
    # Edit distance row by row; two neighbouring letters swapped count once.
    before, row = [], list(range(len(word) + 1))
    for i, a in enumerate(text, 1):
        two_before, before, row = before, row, [i]
        for j, b in enumerate(word, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == word[j - 2] and text[i - 2] == b:
                row[-1] = min(row[-1], two_before[j - 2] + 1)
    return row[-1] <= most


def _excerpt(passage: str, places: list[tuple[int, int]]) -> Snippet:
    """About ``EXCERPT`` characters that hold as many of the places as possible, cut between words."""
    start = 0
    if len(passage) > EXCERPT and places:
        first = max((place for place, _ in places), key=lambda p: (sum(p <= s < p + EXCERPT - 40 for s, _ in places), -p))
        start = max(0, min(first - 30, len(passage) - EXCERPT))
        start = passage.find(" ", start) + 1 if 0 < start < first else start
    end = min(len(passage), start + EXCERPT)
    if end < len(passage):
        end = max(passage.rfind(" ", start, end), start + EXCERPT // 2)
    left, right = "… " if start else "", " …" if end < len(passage) else ""
    inside = ((s - start + len(left), min(e, end) - start + len(left)) for s, e in places if start <= s < end)
    return Snippet(left + passage[start:end].rstrip() + right, tuple(inside))
