"""What words mean and how telling they are: the features that names are compared by.

Words are brought to one language by a lexicon (``lexicon.json``; how it was made: ``tests/linking/lexicon.py``) and weighed: the fewer organisations
of the target have a word, the more it says. A word that neither the target nor the lexicon knows is read as the nearest one that the target knows.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from .words import NATIONS

SCALE = 100  # weights are whole numbers, so that their sums are the same in whatever order an engine adds them
TOWN = 3  # a word that is the name of a town says so much less: the place is compared by itself
UNKNOWN = 0.6  # what a word that the target does not have weighs, of what one weighs that a single organisation has
_PART = 4  # letters of the shortest part of a compound
_HEAD = 6  # letters of the shortest first part by which one is taken apart
_TYPED = 6  # letters of the shortest word in which a typing error is mended
_SOUNDS = 3  # letters of the shortest sound for which another may stand
_SLIP = 139  # what it costs that a word sounds almost like another: one time in four it is that
_FEW = 5  # organisations that have a word for which what sounds almost like it is tried
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12", "xiii": "13", "xiv": "14"}
Meanings = Mapping[str, Sequence[str]]


@cache
def _lexicon() -> Mapping[str, Mapping[str, str]]:
    return json.loads(resources.files(__package__).joinpath("lexicon.json").read_text(encoding="utf-8"))


@cache
def lexicon() -> Meanings:
    """Words of many languages, transliterated, and the English words that mean the same.

    >>> lexicon()["universitat"], lexicon()["sveuciliste"]
    (('university',), ('university',))
    """
    return {word: tuple(meanings.split()) for word, meanings in _lexicon()["words"].items()}


@cache
def instead() -> Mapping[str, Mapping[str, int]]:
    """What other names of an organisation have in place of a word, as words sound, and what it costs that it is another: the less often, the more.

    >>> instead()["tcn"]["tcnlg"] > 0
    True
    """
    return {word: {other: int(cost) for other, _, cost in (pair.partition(":") for pair in others.split())} for word, others in _lexicon()["instead"].items()}


def meaning(core: Iterable[str]) -> frozenset[str]:
    """What words mean, each as it would sound in any language: equal for most translations of one name.

    >>> meaning(["universitat", "wien"]) == meaning(["university", "vienna"]), sorted(meaning(["klimaforschung"]))
    (True, ['clmt', 'rsrc'])
    """
    return frozenset().union(*map(meant, core))


@cache
def meant(word: str) -> frozenset[str]:
    """What one word means."""
    return frozenset(sound(NATIONS.get(english, english)) for english in _english(word))


def _english(word: str) -> Iterator[str]:
    """English words for one. A word that the lexicon does not have is taken apart where its last part is known, read as one that differs in its ending, or
    taken apart where its first part is known."""
    known = lexicon()
    if word in _ROMAN:
        yield _ROMAN[word]
        return
    if word in known:
        yield from known[word]
        return
    for at in range(_PART, len(word) - _PART):
        if word[at:] in known:
            yield from known[word[at:]]
            yield from _english(_first(word[:at]))
            return
    like = _inflected(word)
    if like in known:
        yield from known[like]
        return
    for at in range(len(word) - _PART - 1, _HEAD - 1, -1):
        head, tail = _first(word[:at]), _inflected(word[at:])
        if head in known and (tail in known or len(tail) >= _HEAD):
            yield from known[head]
            yield from known.get(tail, (tail,))
            return
    yield word


def _first(head: str) -> str:
    """The first part of a compound without the letter that joins it to the next."""
    known = lexicon()
    return head[:-1] if head[:-1] in known and head not in known else head


_STEM = 5  # letters of the shortest beginning by which an inflected word is known


@cache
def stems() -> Mapping[str, str]:
    """Words of the lexicon by what is left of them without an ending, the shortest word first."""
    found: dict[str, str] = {}
    for word in sorted(lexicon(), key=lambda word: (len(word), word)):
        for cut in range(3):
            if len(word) - cut >= _STEM:
                found.setdefault(word[: len(word) - cut], word)
    return found


def _inflected(word: str) -> str:
    """The word of the lexicon that this one may be a form of; the word itself if there is none."""
    known = stems()
    return next((known[word[: len(word) - cut]] for cut in range(4) if len(word) - cut >= _STEM and word[: len(word) - cut] in known), word)


_SPELLINGS = [(re.compile(pattern), to) for pattern, to in (
    ("ph", "f"), ("th", "t"), ("tsch|sch|tz|cz|sz|ts", "s"), ("ch|ck|qu|k|q", "c"), ("w", "v"), ("z", "s"), ("x", "cs"), ("j", "i"), ("dg", "g"),
)]  # fmt: skip

# Endings of words of learning, which each language writes in its own way: of what is done, of what something is, and of what belongs to something.
_OF = "al|ale|ales|o|a|e|es|as|os|i|y|en|er|em|n[yaei]|nych|nej|nego|ych|eho|ho|ih|oy|os"
_BELONGING = f"[iy](?:c|k|qu|cz|ch|sch|tsch|ck|cn|cesk)(?:{_OF})?|ous|os?[ao]|al|als|ale|ales|ais|aux|aus|ali|alis|alny|alna"
_ENDINGS = [(re.compile(pattern), to) for pattern, to in (
    (r"(?<=.{3})(?:[tcszx]|ts)(?:ions?|iones?|ioni|iuni|ao|oes|ja|ju|je|ji|iya|ija|ije|ii|ijas|ijos)$", "tn"),
    (r"(?<=.{4})(?:ites?|ity|idade?s?|ita|itat|itats|itates|itaten|itet|iteit|iteten)$", "it"),
    (rf"(?<=.{{5}})(?:{_BELONGING})$", ""),
)]  # fmt: skip


@cache
def sound(word: str) -> str:
    """The first letter of a word without its ending and the next five consonants, spelt as one: alike for a word of learning in most languages.

    >>> sound("nanotechnology") == sound("nanotecnologia"), sound("physics") == sound("fizyka"), sound("autonomous") == sound("autonoma"), sound("graz")
    (True, True, True, 'gras')
    """
    if word.isdigit() or len(word) < 4:
        return word
    plain = stem(word)
    for pattern, to in (*_ENDINGS, *_SPELLINGS):
        plain = pattern.sub(to, plain)
    if len(word) < 5:
        return plain
    consonants = re.sub(r"(.)\1", r"\1", plain[0] + re.sub("[aeiouyh]", "", plain[1:]))[:6]
    return consonants if len(consonants) > 2 else plain


# Words that say what sort of organisation has them in its name; a hospital of a university is a hospital.
_KINDS = {
    "hospital": "hospital clinic", "university": "university college school faculty academy",
    "association": "association society union federation foundation club network", "public authority": "ministry agency office authority council government municipality",
    "laboratory": "laboratory institute centre department unit observatory", "company": "company",
    "museum": "museum gallery", "library": "library archive",
}  # fmt: skip


@cache
def _kinds() -> Mapping[str, str]:
    return {sound(word): kind for kind, words in _KINDS.items() for word in words.split()}


def kind_of(means: Iterable[str]) -> str:
    """What sort of organisation a name is of, if its words say one and no other.

    >>> kind_of(meaning(["universitat", "wien"])), kind_of(meaning(["universitatsklinikum"])), kind_of(meaning(["society", "institute"]))
    ('university', 'hospital', '')
    """
    found = {_kinds()[word] for word in means if word in _kinds()}
    return "hospital" if "hospital" in found else found.pop() if len(found) == 1 else ""


def nations() -> frozenset[str]:
    """Countries as names mean them: telling as little as towns, for countries too are compared by themselves."""
    return frozenset(map(sound, NATIONS.values()))


def in_place(core: Sequence[str], place: Sequence[str]) -> list[str]:
    """The words of a name, the name of its own place in whatever case as the place has it.

    >>> in_place(["lundin", "yliopisto"], ["lund"]), in_place(["akademia", "tarnowie"], ["tarnow"])
    (['lund', 'yliopisto'], ['akademia', 'tarnow'])
    """
    return [next((town for town in place if len(town) >= _PART and word[:_PART] == town[:_PART] and _declined(word, town)), word) for word in core]


def _declined(word: str, town: str) -> bool:
    """Whether a word is the name of a town but for its ending: two letters less, and three more."""
    return word[: max(_PART, len(town) - 2)] == town[: max(_PART, len(town) - 2)] and len(word) <= len(town) + 3


def stem(word: str) -> str:
    """An English word without its plural.

    >>> [stem(word) for word in ("sciences", "studies", "campus", "gas")]
    ['science', 'study', 'campus', 'gas']
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@dataclass
class Vocabulary:
    """The words of a target: how telling each is, and which were written."""

    size: int = 0
    weights: dict[str, int] = field(default_factory=dict)  # by meaning
    counts: Counter[str] = field(default_factory=Counter)  # how many organisations have each meaning
    written: Counter[str] = field(default_factory=Counter)  # words as they are written, for typing errors
    typed: int = _TYPED
    _near: dict[str, list[str]] = field(default_factory=dict)
    _sounds: dict[str, list[str]] = field(default_factory=dict)  # words as they sound, by what is left of them without a letter

    @classmethod
    def of(cls, bags: Sequence[frozenset[str]], written: Iterable[str], towns: frozenset[str] = frozenset(), typed: int = _TYPED) -> "Vocabulary":
        """From the meanings in all names of each organisation, and the words as written; ``typed`` letters has the shortest word that is mended.

        >>> some = Vocabulary.of([frozenset({"unvrst", "graz"}), frozenset({"unvrst", "vnn"})], ["university", "graz", "vienna"])
        >>> some.weight("graz") > some.weight("unvrst"), some.read("univrsity"), some.read("vienne")
        (True, 'university', 'vienna')
        """
        counts = Counter(word for bag in bags for word in bag)
        vocabulary = cls(len(bags), counts=counts, written=Counter(written), typed=typed)
        for word in sorted(counts):
            vocabulary.weights[word] = max(1, round(SCALE * math.log((len(bags) + 1) / counts[word])) // (TOWN if word in towns else 1))
        for word in vocabulary.written:
            if len(word) >= typed - 1 and not word.isdigit():
                for shorter in _shortened(word):
                    vocabulary._near.setdefault(shorter, []).append(word)
        for word in vocabulary.weights:
            if len(word) >= _SOUNDS and not word.isdigit():
                for shorter in _shortened(word):
                    vocabulary._sounds.setdefault(shorter, []).append(word)
        return vocabulary

    def weight(self, word: str) -> int:
        """How telling a word is. One that the target does not have may be a translation that the lexicon does not know: it says less than a rare word."""
        return self.weights.get(word) or max(1, round(SCALE * math.log(self.size + 1) * UNKNOWN))

    def instead(self, word: str) -> dict[str, int]:
        """Words that the target may have in place of one, as words sound, and what each costs of its weight: those that other names have instead, and for a
        word that few organisations of the target have, those that sound almost like it.

        >>> some = Vocabulary.of([frozenset({"unvrst", town}) for town in ("gnt", "vnn", "tlsn", "grs", "pdv")], [])
        >>> some.instead("gent"), some.instead("tls"), some.instead("unvrst")
        ({'gnt': 139}, {'tlsn': 139}, {})
        """
        found: dict[str, int] = {}
        if self.counts[word] <= _FEW and len(word) >= _SOUNDS and not word.isdigit():
            found = {near: _SLIP for shorter in _shortened(word) for near in self._sounds.get(shorter, ()) if near[0] == word[0] and abs(len(near) - len(word)) < 2}
        found |= instead().get(word, {})
        return {other: cost for other, cost in found.items() if other != word and self.weights.get(other, 0) > cost}

    def read(self, word: str) -> str:
        """A word as it is written in the target where one letter is wrong, missing or too many, or two have changed places."""
        if len(word) < self.typed or word.isdigit() or word in self.written or word in lexicon():
            return word
        found = {near for shorter in _shortened(word) for near in self._near.get(shorter, ()) if abs(len(near) - len(word)) < 2}
        return min(found, key=lambda near: (near[0] != word[0], -self.written[near], near), default=word)


def _shortened(word: str) -> set[str]:
    """The word, and what is left of it without one letter: two words that are one slip apart have one of these in common."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}
