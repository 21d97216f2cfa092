"""Makes ``kvgraph/link/lexicon.json``: words of many languages and the English words that mean the same.

    python -m tests.linking.lexicon ../shared/data

Learnt from what organisations are called in several languages, with IBM's model 1 (Brown et al. 1993, "The Mathematics of Statistical Machine
Translation"): names of ROR (CC0) and the EU's countries and bodies in 24 languages (CC BY 4.0). On top of
it ``glossary.txt``, written by hand. The same files give the same lexicon.
"""

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from kvgraph.link import features
from kvgraph.link.features import stem
from kvgraph.link.names import is_short, parse

from .labelled import ALL, part, ror

ROUNDS = 6
LONGEST = 14  # words of a name: longer ones align badly
PROBABLE, LIKELY = 0.35, 0.3  # how sure the first meaning of a word must be, and the second
SEEN = 1.5  # times that a meaning must have been seen, in expectation
TARGET = Path(__file__).parents[2] / "kvgraph" / "link" / "lexicon.json"

Pair = tuple[list[str], list[str]]


def pairs(folder: Path, parts: frozenset[int]) -> list[Pair]:
    """Names in any language, each with one of the same thing in English; of ROR only organisations in some parts."""
    found: list[tuple[str, str]] = []
    for record in ror(folder / "ror-europe-v2.json.gz"):
        if part(record["id"]) in parts:
            names = [n for n in record["names"] if "acronym" not in n["types"] and not is_short(n["value"])]
            found += [(a["value"], b["value"]) for a, b in product(names, names) if b["lang"] == "en" and a is not b]
    for table in ("countries_24lang.csv", "corporate_bodies_24lang.csv"):
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
        if expected[word, meaning] >= SEEN:
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


def words(folder: Path, parts: frozenset[int] = ALL) -> dict[str, str]:
    """The lexicon as it is written, learnt from the organisations in some parts."""
    return {word: " ".join(meanings) for word, meanings in sorted({**learn(pairs(folder, parts)), **glossary()}.items()) if meanings}


@contextmanager
def learnt(folder: Path, parts: frozenset[int]) -> Iterator[None]:
    """While this is open, names are read by what was learnt from the organisations in some parts, not by the lexicon that comes with kvgraph."""
    shipped, own = features.lexicon, {word: tuple(meanings.split()) for word, meanings in words(folder, parts).items()}
    try:
        features.lexicon = lambda: own
        _forget()
        yield
    finally:
        features.lexicon = shipped
        _forget()


def _forget() -> None:
    for kept in (features.meant, features.stems):
        kept.cache_clear()


def main(folder: Path) -> None:
    found = words(folder)
    TARGET.write_text(json.dumps({"made by": "python -m tests.linking.lexicon", "words": found}, indent=0), "utf-8")
    print(f"{len(found)} words in {TARGET.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
