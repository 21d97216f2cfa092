"""What is asked: the texts of each workload, the same at every run and for every engine."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kvgraph import queries
from kvgraph.formats import JSON, NTRIPLES
from kvgraph.model import iri_of
from kvgraph.queries import Question
from kvgraph.releases import Release

HERE = Path(__file__).parent / "queries"
SEED = 7
REPEATED = 20  # texts


@dataclass(frozen=True)
class Workload:
    """Queries with the media type their answers are wanted in. ``repeat`` begins again at the end; else no text is sent twice."""

    name: str
    connections: int
    asked: list[tuple[str, str]]
    repeat: bool = False


def workloads(release: Release, most: int) -> list[Workload]:
    """All workloads on a release, none with more than ``most`` texts."""
    ask = _Asker(release)
    few = max(most // 5, 1)
    return [
        *(Workload("light ad hoc", n, ask.distinct(_LIGHT, most)) for n in (1, 8, 32)),
        *(Workload("repeated", n, ask.distinct(_LIGHT + _HEAVY, REPEATED), repeat=True) for n in (1, 32)),
        Workload("pages", 32, _pages(), repeat=True),
        Workload("aggregates", 8, ask.distinct(_AGGREGATES, few)),
        Workload("heavier joins", 8, ask.distinct(_JOINS, few)),
    ]


_LIGHT = ["light-description", "light-labels", "light-led-by", "light-values"]
_AGGREGATES = ["aggregate-by-country", "aggregate-by-channel", "aggregate-properties"]
_JOINS = ["join-two-hops", "join-co-occurrence", "join-together"]
_HEAVY = _AGGREGATES + _JOINS
_LANGUAGES = "bg cs da de el es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split()


def _pages() -> list[tuple[str, str]]:
    """What the explorer asks: the queries of its pages and the questions of the gallery, with their example values."""
    found = [queries.load(name) for kind in ("pages", "questions") for name in queries.names(kind)]
    # A whole graph is a download, not a page.
    return [(q.bind(**q.examples), _media_type(q)) for q in found if q.name != "pages/graph"]


def _media_type(question: Question) -> str:
    return (JSON if question.form in ("SELECT", "ASK") else NTRIPLES).media_type


class _Asker:
    """Makes queries with random parameters; no text comes twice from the same one."""

    def __init__(self, release: Release):
        self.chance = random.Random(SEED)
        paths = release.documents.read_text(encoding="utf-8").split()
        self.things = [iri_of(path.removeprefix("/doc/")) for path in paths]
        self.of = {kind: [t for t, p in zip(self.things, paths) if p.startswith(f"/doc/{kind}/")] for kind in ("actor", "channel", "country")}
        self.seen: set[str] = set()
        pick: dict[str, Callable] = {kind: lambda kind=kind: self.chance.choice(self.of[kind]) for kind in self.of}
        pick |= {"thing": lambda: self.chance.choice(self.things), "home": pick["country"], "lang": lambda: self.chance.choice(_LANGUAGES)}
        # More than there are rows: it makes the text another one, and the work stays the same.
        self.pick = {**pick, "limit": lambda: self.chance.randint(10_000, 1_000_000)}

    def distinct(self, names: list[str], number: int) -> list[tuple[str, str]]:
        """So many queries, each of a kind in turn; where a kind has no more to ask, the others ask more."""
        texts, tries = [], self._endless(names)
        while len(texts) < number:
            text, media_type = next(tries)
            if text not in self.seen:
                self.seen.add(text)
                texts.append((text, media_type))
        return texts

    def _endless(self, names: list[str]) -> Iterator[tuple[str, str]]:
        questions = [queries.parse(name, (HERE / f"{name}.rq").read_text(encoding="utf-8")) for name in names]
        while True:
            for question in questions:
                yield question.bind(**{p.name: self.pick[p.name]() for p in question.params}), _media_type(question)
