"""Snippets: the passage of a thing that shows why it was found, with the words that matched."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from .search_index import ENGLISH, fold

EXCERPT = 220  # characters of a snippet

# Words that need not occur when there are others.
LITTLE = frozenset(
    "a an and are at by do does for from how in is of on or that the to what where which who with"
    " de des du en et la le les los las el del y un une der die das den dem und in im von zu für di il e da do".split()
)
_A_WORD = re.compile(r"[^\W_]+")


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


def snippet(label: str, passages: list[str], words: list[str], texts: int | None = None) -> Snippet:
    """The passage that says best why something was found, around the place where the words are closest.

    It has most of the words that the label has not; of such, one of the first ``texts``, which are sentences, rather than
    one of those that only list names. A list that adds no word to the label says nothing; without words the first text does.
    """
    texts = len(passages) if texts is None else texts
    if not words:
        return _excerpt(passages[0], []) if passages[:texts] else Snippet()
    wanted = [word for word in words if word not in LITTLE] or words
    named = _matches(label, wanted, ())[1]
    found = [_matches(passage, wanted, ()) for passage in passages]
    # A word that is nowhere as it was typed was matched with a typo.
    mistyped = [word for word in wanted if word not in named.union(*(which for _, which in found))]
    if mistyped:
        found = [_matches(passage, wanted, mistyped) for passage in passages]
    best = max(range(len(found)), key=lambda i: (len(found[i][1] - named), i < texts, len(found[i][1]), -i), default=None)
    if best is None or (best >= texts and found[best][1] <= named):
        return Snippet()
    return _excerpt(passages[best], found[best][0])


def _matches(text: str, words: list[str], mistyped: Iterable[str]) -> tuple[list[tuple[int, int]], set[str]]:
    """Where a text has any of these words, and which of them it has; some of them perhaps with a typo."""
    stems = {_stem(word): word for word in words}
    beginnings, places, which = tuple(words), [], set()
    for match in _A_WORD.finditer(text):
        folded = fold(match[0])
        stem = _stem(folded)
        meant = {word for word in words if folded.startswith(word)} if folded.startswith(beginnings) else set()
        if stem in stems:
            meant.add(stems[stem])
        meant.update(word for word in mistyped if _close(folded, word))
        if meant:
            places.append(match.span())
            which |= meant
    return places, which


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    return (ENGLISH.analyze(word) or [word])[0]


def typos(word: str) -> int:
    """How many letters of a word may be wrong; none in a number, where each digit means something else."""
    if any(c.isdigit() for c in word):
        return 0
    return 2 if len(word) >= 8 else 1 if len(word) >= 4 else 0


def _close(text: str, word: str) -> bool:
    """Whether a word of a text is a word of a question but for as many letters as may be wrong."""
    most = typos(word)
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
