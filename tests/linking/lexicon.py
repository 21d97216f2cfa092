"""Makes ``kvgraph/link/lexicon.json``: words of many languages and the English words that mean the same.

    python -m tests.linking.lexicon ../shared/data

Learnt from what organisations are called in several languages, with IBM's model 1 (Brown et al. 1993, "The Mathematics of Statistical Machine
Translation"): names of ROR (CC0) and the EU's countries, languages and bodies in 24 languages (CC BY 4.0). Words
of English names mean themselves, so that a word and its translation are read alike. On top of it ``glossary.txt``, written by hand. The same files give the
same lexicon.
"""

import csv
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import permutations, product
from pathlib import Path

from kvgraph.link import features
from kvgraph.link.features import stem
from kvgraph.link.names import is_short, parse
from kvgraph.link.organisations import Organisation

from .labelled import ALL, organisations, part, ror

ROUNDS = 6
LONGEST = 14  # words of a name: longer ones align badly
PROBABLE, LIKELY = 0.35, 0.3  # how sure the first meaning of a word must be, and the second
OFTEN = 2  # names that an English word must be seen in
SEEN = 1.5  # times that a meaning must have been seen, in expectation
SURE, ONCE = 0.6, 0.8  # how sure a meaning must be for which once is enough
NONE = 0.1  # how likely it is, beside other words, that a word stands in place of none
DOUBT = 0.5  # times that a word was seen in place of another that are not counted, so that once is little
OTHERS = 0.9  # times that a word must have been seen in place of another
RARELY = 0.03  # how often it must be
MOST = 6  # names of an organisation that are looked at, and words in place of one
TARGET = Path(__file__).parents[2] / "kvgraph" / "link" / "lexicon.json"

Pair = tuple[list[str], list[str]]


def pairs(folder: Path, parts: frozenset[int], without: frozenset[str]) -> list[Pair]:
    """Names in any language, each with one of the same thing in English; of ROR only organisations in some parts, and not certain ones."""
    found: list[tuple[str, str]] = []
    for record in ror(folder / "ror-europe-v2.json.gz"):
        if part(record["id"]) in parts and record["id"] not in without:
            names = [n for n in record["names"] if "acronym" not in n["types"] and not is_short(n["value"])]
            found += [(a["value"], b["value"]) for a, b in product(names, names) if b["lang"] == "en" and a is not b]
    for table in ("countries_24lang.csv", "corporate_bodies_24lang.csv", "languages_24lang.csv"):
        with (folder / table).open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found += [(row[language], row["en"]) for language in row if len(language) == 2 and row[language]]
    split = [(sorted(set(parse(a).core)), sorted({stem(word) for word in parse(b).core})) for a, b in found]
    return [(a, b) for a, b in split if len(a) <= LONGEST and len(b) <= LONGEST]


def learn(pairs: list[Pair]) -> dict[str, list[str]]:
    """Meanings of words, most probable first, without those that mean themselves."""
    table: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        expected: dict[tuple[str, str], float] = defaultdict(float)
        for foreign, english in pairs:
            for meaning in english:
                shares = [table.get((word, meaning), 0.0) if table else (5.0 if stem(word) == meaning else 1.0) for word in foreign]
                whole = sum(shares) + 1e-3
                for word, share in zip(foreign, shares):
                    expected[word, meaning] += share / whole
        totals: Counter[str] = Counter()
        for (word, _), count in expected.items():
            totals[word] += count
        table = {key: count / totals[key[0]] for key, count in expected.items() if count > 1e-4 * totals[key[0]]}
    meanings = defaultdict(list)
    for (word, meaning), probability in sorted(table.items(), key=lambda item: (-item[1], item[0])):
        if expected[word, meaning] >= (SEEN if probability < SURE else ONCE):
            meanings[word].append((probability, meaning))
    return {
        word: [meaning for probability, meaning in best[:2] if probability >= LIKELY]
        for word, best in meanings.items()
        if best[0][0] >= PROBABLE and best[0][1] != stem(word)
    }


def glossary() -> dict[str, list[str]]:
    """What is written by hand. A word that is English itself means itself only."""
    meanings: dict[str, list[str]] = defaultdict(list)
    lines = [line.partition(":") for line in Path(__file__).with_name("glossary.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    english = {parse(head).core[0] for head, _, _ in lines}
    for head, _, forms in lines:
        for form in forms.split():
            for word in parse(form).core:
                if word not in english and parse(head).core[0] not in meanings[word]:
                    meanings[word].append(parse(head).core[0])
    return {**meanings, **{word: [word] for word in english}}


def english(folder: Path, parts: frozenset[int], without: frozenset[str]) -> dict[str, list[str]]:
    """Words that English names have, and names in no other language more often: they mean themselves."""
    here, elsewhere = Counter(), Counter()
    for record in ror(folder / "ror-europe-v2.json.gz"):
        if part(record["id"]) in parts and record["id"] not in without:
            for name in record["names"]:
                if "acronym" not in name["types"] and name["lang"]:
                    (here if name["lang"] == "en" else elsewhere).update(set(parse(name["value"]).core))
    return {word: [word] for word, count in here.items() if count >= OFTEN and count >= elsewhere[word] and len(word) > 3 and not word.isdigit()}


@cache
def words(folder: Path, parts: frozenset[int] = ALL, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """The lexicon as it is written, learnt from the organisations in some parts, and not from certain ones."""
    return {word: " ".join(meanings) for word, meanings in sorted({**learn(pairs(folder, parts, without)), **english(folder, parts, without), **glossary()}.items()) if meanings}


@cache
def instead(folder: Path, parts: frozenset[int]) -> dict[str, dict[str, int]]:
    """What other names of one organisation have in place of a word, and what that costs: how seldom it is so, of all times that the word is there.

    Learnt like the words, from what two names do not have in common. Names are read by words that were learnt without them, in two halves: by words learnt
    from them, too much agrees.
    """
    often: Counter[str] = Counter()
    left: list[tuple[list[str], list[str], float]] = []
    every = list(organisations(ror(folder / "ror-europe-v2.json.gz")))
    for half in (0, 1):
        here = frozenset(iri for number, iri in enumerate(sorted(o.iri for o in every if part(o.iri) in parts)) if number % 2 == half)
        with reading(words(folder, parts, without=here)):
            for names in (_read(organisation) for organisation in every if organisation.iri in here and len(organisation.names) > 1):
                for a, b in permutations(names, 2):
                    share = 1 / (len(names) - 1)
                    often.update(dict.fromkeys(a, share))
                    if max(len(a - b), len(b - a)) <= LONGEST:
                        left.append((sorted(a - b), sorted(b - a), share))
    table: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        expected: dict[tuple[str, str], float] = defaultdict(float)
        for there, other, share in left:
            for one in other:  # stands in place of one word, or of none
                chances = [table.get((word, one), 0.0) if table else 1.0 for word in there]
                whole = sum(chances) + NONE
                for word, chance in zip(there, chances):
                    expected[word, one] += share * chance / whole
        table = {(word, one): count / often[word] for (word, one), count in expected.items() if count > 0.1}
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (word, one), count in sorted(expected.items(), key=lambda item: (-item[1], item[0])):
        chance = (count - DOUBT) / (often[word] + 1)
        if count >= OTHERS and chance >= RARELY and len(found[word]) < MOST:
            found[word][one] = round(-features.SCALE * math.log(chance))
    return dict(sorted(found.items()))


def _read(organisation: Organisation) -> list[frozenset[str]]:
    """What the names of an organisation mean."""
    place = parse(organisation.place).core
    return [features.meaning(features.in_place(parse(name).core, place)) for name in organisation.names[:MOST] if not is_short(name)]


@contextmanager
def learnt(folder: Path, parts: frozenset[int]) -> Iterator[None]:
    """While this is open, names are read by what was learnt from the organisations in some parts, not by the lexicon that comes with kvgraph."""
    others = instead(folder, parts)
    with reading(words(folder, parts), others):
        yield


@contextmanager
def reading(own: Mapping[str, str], others: Mapping[str, Mapping[str, int]] | None = None) -> Iterator[None]:
    """While this is open, names are read by these words, and others in place of them."""
    shipped, meanings = (features.lexicon, features.instead), {word: tuple(means.split()) for word, means in own.items()}
    try:
        features.lexicon, features.instead = lambda: meanings, lambda: others or {}
        _forget()
        yield
    finally:
        features.lexicon, features.instead = shipped
        _forget()


def _forget() -> None:
    for kept in (features.meant, features.stems):
        kept.cache_clear()


def main(folder: Path) -> None:
    with learnt(folder, ALL):
        content = {
            "made by": "python -m tests.linking.lexicon",
            "words": {word: " ".join(meanings) for word, meanings in features.lexicon().items()},
            "instead": {word: " ".join(f"{other}:{cost}" for other, cost in others.items()) for word, others in features.instead().items()},
        }
    TARGET.write_text(json.dumps(content, indent=0), "utf-8")
    print(f"{len(content['words'])} words, others in place of {len(content['instead'])} in {TARGET.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
