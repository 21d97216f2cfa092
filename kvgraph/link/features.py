"""What is compared: each name of an organisation becomes a row of features, the same for every engine.

Words are brought to one language by a lexicon (learnt from ROR's names in several languages) and weighed by how telling they are: the fewer
organisations of the target have a word, the more it says. A word that the target does not know is read as the nearest one that it knows.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from .names import Name, parse

UNIT = 1_000_000  # a word is one whole number: its weight times this, and its number
SCALE = 100  # weights are whole numbers, so that their sums are the same in whatever order an engine adds them
_LONGEST_LIST = 40  # words of all names of an organisation together that are looked at


@cache
def lexicon() -> Mapping[str, tuple[str, ...]]:
    """Words of many languages, transliterated, and the English words that mean the same."""
    text = resources.files(__package__).joinpath("lexicon.json").read_text(encoding="utf-8")
    return {word: tuple(meanings.split()) for word, meanings in json.loads(text)["words"].items()}


def words(name: Name, meanings: Mapping[str, Sequence[str]] | None = None) -> frozenset[str]:
    """What the words of a name's core mean, each as it would sound in any language."""
    known = lexicon() if meanings is None else meanings
    return frozenset(sound(meaning) for word in name.core for meaning in _meanings(word, known))


def _meanings(word: str, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """English words; a compound whose last part is known is taken apart."""
    if word in known:
        yield from known[word]
        return
    for at in range(4, len(word) - 4):
        if word[at:] in known:
            yield from known[word[at:]]
            head = word[:at]
            yield from _meanings(head[:-1] if head.endswith("s") and len(head) > 5 and head not in known else head, known)
            return
    yield word


_SOUNDS = [(re.compile(pattern), to) for pattern, to in (
    ("ph", "f"), ("th", "t"), ("tz|cz|sz|sch|tsch|ts", "s"), ("ch|ck|qu|k|q", "c"), ("w", "v"), ("z", "s"), ("x", "cs"), ("j", "i"), ("dg", "g"),
)]  # fmt: skip


@cache
def sound(word: str) -> str:
    """The first letter of a word and its next consonants, spelt as one: alike for one word of learning in most languages, and for most slips.

    >>> sound("nanotechnology") == sound("nanotecnologia"), sound("physics") == sound("fizyka"), sound("graz")
    (True, True, 'graz')
    """
    if word.isdigit() or len(word) < 5:
        return word
    plain = stem(word)
    for pattern, to in _SOUNDS:
        plain = pattern.sub(to, plain)
    consonants = plain[0] + re.sub("[aeiouyh]", "", plain[1:])
    consonants = re.sub(r"(.)\1", r"\1", consonants)[:6]
    return consonants if len(consonants) > 2 else stem(word)


def stem(word: str) -> str:
    """An English word without its plural.

    >>> [stem(word) for word in ("sciences", "physics", "studies", "campus", "gas")]
    ['science', 'physic', 'study', 'campus', 'gas']
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@dataclass
class Vocabulary:
    """The words of a target, and how telling each is."""

    size: int
    number: dict[str, int] = field(default_factory=dict)
    weight: dict[str, int] = field(default_factory=dict)
    near: dict[str, list[str]] = field(default_factory=dict)  # words by themselves with one letter left out

    @classmethod
    def of(cls, bags: Iterable[frozenset[str]]) -> "Vocabulary":
        """From the words of each organisation, all its names together."""
        counts: Counter[str] = Counter()
        size = 0
        for bag in bags:
            counts.update(bag)
            size += 1
        vocabulary = cls(max(size, 1))
        for number, word in enumerate(sorted(counts), 1):
            vocabulary.number[word] = number
            vocabulary.weight[word] = max(1, round(SCALE * math.log((vocabulary.size + 1) / counts[word])))
            if len(word) > 4:
                for shorter in _shortened(word):
                    vocabulary.near.setdefault(shorter, []).append(word)
        return vocabulary

    def read(self, word: str) -> str:
        """The word itself where it is known, else the most frequent one that a typing error may have made of it, else itself."""
        if word in self.number or len(word) < 5:
            return word
        found = {near for shorter in _shortened(word) for near in self.near.get(shorter, ())}
        return min(found, key=lambda near: (abs(len(near) - len(word)), self.weight[near], near), default=word)

    def encoded(self, word: str) -> int:
        """Weight and number of a word in one. A word that the target does not know weighs as much as one that a single organisation has."""
        if word in self.number:
            return self.weight[word] * UNIT + self.number[word]
        return max(1, round(SCALE * math.log(self.size + 1))) * UNIT


def _shortened(word: str) -> set[str]:
    """The word, and what is left of it without one letter: two words with one in common are one error apart (or two that meet)."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}
