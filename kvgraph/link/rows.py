"""From organisations to the tables that an engine compares: a row for each name, and one for all names of an organisation together.

Everything that is linear in the number of names is done here, once and in Python; what compares names with names is SQL (:mod:`.candidates`) and
Splink, so that an engine can spread it over machines.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import pyarrow as pa

from .features import SCALE, Vocabulary, in_place, kind_of, meaning, nations
from .names import Name, is_short, parse
from .organisations import Organisation, domain, page

COMMON = 0.02  # a word that more organisations have than this share of them does not alone make two names candidates
_LEAST = 200
_MOST = 5000  # organisations that a word may find: what more have finds them only together with the place
_MOST_WORDS = 40  # in all names of an organisation together: more than that is a list, not a name
_APART = 6 * SCALE  # weight of an acronym that initials agree with, and of a homepage, when candidates are chosen

_ROW = pa.schema(
    [("row", pa.int64()), ("record", pa.int64()), ("text", pa.string()), ("key", pa.string()), ("form", pa.string()), ("total", pa.int64()),
     ("country", pa.string()), ("place", pa.string()), ("crowd", pa.int64()), ("page", pa.string()), ("sites", pa.int64()), ("domain", pa.string()), ("kind", pa.string()), ("peers", pa.int64()), ("acronyms", pa.bool_())]
)  # fmt: skip
# Each word of a row, and on the side that is asked for what may stand in its place (the same slot) and what that costs of its weight.
_WORD = pa.schema([("row", pa.int64()), ("slot", pa.int64()), ("word", pa.string()), ("weight", pa.int64()), ("rare", pa.bool_()), ("cost", pa.int64())])


@dataclass
class Side:
    """Rows of names, their words, and of the side that is known the rows of what each is a part of: tables for an engine. ``text`` of a row is the name as
    it was given, empty for all names together."""

    rows: pa.Table
    words: pa.Table
    parents: pa.Table | None = None


@dataclass(frozen=True)
class _Row:
    record: int
    organisation: Organisation
    text: str
    name: Name | None  # None: all names together
    core: frozenset[str]
    whole: bool = False  # whether it stands for all that the organisation is called

    @property
    def form(self) -> str:
        return "all" if self.name is None else "short" if self.name.short or self.text in self.organisation.short else "name"


def _rows(organisations: Iterable[Organisation]) -> Iterator[_Row]:
    """A row for each name, and a last one for all names together, unless that would be the only name once more (an acronym alone is a name of another form)."""
    for record, organisation in enumerate(organisations):
        names = {name.key: (text, name) for text in reversed((*organisation.names, *organisation.short)) if (name := parse(text)).key}
        rows = [_Row(record, organisation, text, name, name.tokens) for text, name in names.values()]
        if [row.form for row in rows] == ["name"]:
            yield replace(rows[0], whole=True)
        else:
            yield from rows
            yield _Row(record, organisation, "", None, frozenset().union(*(name.tokens for _, name in names.values())), whole=True)


def place_key(place: str, read: Callable[[str], str] = str) -> str:
    """A place in one spelling and language, typing errors mended by ``read``.

    >>> place_key("Wien") == place_key("Vienna"), place_key("Praha 6") == place_key("Prague")
    (True, True)
    """
    return " ".join(sorted(meaning(read(word) for word in parse(place).core if not word.isdigit())))


def sides(asked: Sequence[Organisation], known: Sequence[Organisation]) -> tuple[Side, Side]:
    """Tables of the organisations that are asked for, and of those that are known."""
    rows = list(_rows(known))
    read_in = cache(lambda core, place: meaning(in_place(sorted(core), parse(place).core)))  # many have a name in common, and of the short forms many have the words of the name
    means = [read_in(row.core, row.organisation.place) for row in rows]
    crowds = Counter(place_key(organisation.place) for organisation in known)
    pages = Counter(page(organisation.homepage) for organisation in known)
    vocabulary = Vocabulary.of(
        [words for row, words in zip(rows, means) if row.whole], (word for row in rows if row.name for word in row.core),
        towns=(frozenset(crowds) | nations()) - {""},
    )  # fmt: skip
    right = _side(list(zip(rows, means)), vocabulary, crowds, pages)
    right = replace(right, parents=_parents(right.rows, known))
    single = [row for row in _rows(asked) if row.name is not None]
    towns = Vocabulary.of([], (word for place in {o.place for o in known} for word in parse(place).core), typed=4)
    read = [[vocabulary.read(word) for word in in_place(sorted(row.core), [towns.read(town) for town in parse(row.organisation.place).core])] for row in single]
    left = _side([(row, meaning(core)) for row, core in zip(single, read)], vocabulary, crowds, pages, towns)
    return left, right


def _side(
    rows: Sequence[tuple[_Row, frozenset[str]]], vocabulary: Vocabulary, crowds: Counter[str], pages: Counter[str],
    towns: Vocabulary | None = None,
) -> Side:  # fmt: skip
    """One side; ``towns`` mends the places of the side that is asked for, and is left out for the other."""
    columns: list[list] = [[] for _ in _ROW]
    words: list[tuple[int, int, str, int, bool, int]] = []
    others_of = cache(lambda word: sorted(vocabulary.instead(word).items()) if towns else [])
    often = _often(vocabulary)
    place_of = cache(lambda place: place_key(place, towns.read if towns else str))
    kinds = {} if towns else {row.record: row.organisation.kind or kind_of(means) for row, means in rows if row.whole}
    peers = Counter((place_of(row.organisation.place), kinds[row.record]) for row, _ in rows if row.whole and kinds)
    for row, means in rows:
        if not means or len(means) > _MOST_WORDS:
            continue
        number = len(columns[0])
        weighed = sorted([(vocabulary.weight(word), word) for word in means], reverse=True)
        telling = _telling([word for _, word in weighed], vocabulary)
        organisation, key, at = row.organisation, place_of(row.organisation.place), page(row.organisation.homepage)
        kind = row.organisation.kind or kind_of(means) if towns else kinds[row.record]
        acronyms = [f"={acronym}" for acronym in _acronyms(row, towns is not None)]
        homes = [f"@{home}" for home in sorted({at, domain(organisation.homepage)} - {""})] if towns or row.whole else []
        values = (number, row.record, row.text, row.name.key if row.name else "", row.form, sum([weight for weight, _ in weighed]),
                  organisation.country or None, key or None, crowds[key], at or None, pages[at], domain(organisation.homepage) or None, kind or None, peers[key, kind], bool(acronyms))  # fmt: skip
        for column, value in zip(columns, values):
            column.append(value)
        slots = [(word, weight, word in telling, 0) for weight, word in weighed] + [(word, _APART, True, 0) for word in acronyms + homes]
        for slot, (word, *_) in enumerate(slots):
            asked = [slots[slot], *((other, vocabulary.weight(other), vocabulary.counts[other] <= often, cost) for other, cost in others_of(word))]
            words += [(number, slot, *each) for each in asked]
    table = pa.table(columns, schema=_ROW)
    found = pa.table([list(column) for column in zip(*words)] or [[] for _ in _WORD], schema=_WORD)
    repeated = table.select(["country", "place"]).take(found["row"])
    return Side(table, found.append_column("country", repeated["country"]).append_column("place", repeated["place"]))


def _parents(rows: pa.Table, organisations: Sequence[Organisation]) -> pa.Table:
    """For each row the last rows, which stand for all names, of what it is a part of."""
    records = rows["record"].to_pylist()
    whole = {organisations[record].iri: row for row, record in enumerate(records)}
    pairs = [(row, whole[parent]) for row, record in enumerate(records) for parent in organisations[record].parents if parent in whole]
    return pa.table({"row": pa.array([row for row, _ in pairs], pa.int64()), "parent": pa.array([parent for _, parent in pairs], pa.int64())})


def _telling(words: list[str], vocabulary: Vocabulary) -> set[str]:
    """Of the words of a name, most telling first, those by which it is looked for: all that are not common, at least three that not too many have."""
    known = [word for word in words if word in vocabulary.weights]
    if vocabulary.size <= _LEAST:
        return set(known)
    common = SCALE * math.log((vocabulary.size + 1) / _often(vocabulary))
    found = [word for word in known if vocabulary.weights[word] > common]
    return set(found if len(found) > 1 else [word for word in known[:3] if vocabulary.counts[word] <= _MOST] or known[:1])


def _often(vocabulary: Vocabulary) -> float:
    """How many organisations have a word that is common."""
    return max(_LEAST, COMMON * vocabulary.size)


def _acronyms(row: _Row, asking: bool) -> list[str]:
    """Acronyms that initials may agree with: of a name asked for those that could be made of it, of an organisation those that it has."""
    if asking:
        found = {"".join(row.name.whole)} if row.form == "short" else row.name.initials
    else:
        found = {"".join(parse(text).whole) for text in (*row.organisation.short, *filter(is_short, row.organisation.names))} if row.form == "all" else set()
    return sorted(acronym for acronym in found if len(acronym) > 2)
