"""Measures how well names are linked: precision and recall of what is accepted, on labelled sets.

    python -m tests.linking.quality ../shared/data

What a name is judged by was learnt without it: organisations are in five parts, and words and numbers come from the other four.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kvgraph.link.decide import ACCEPT, decide
from kvgraph.link.engines import FOUND, engine
from kvgraph.link.model import Model
from kvgraph.link.organisations import Organisation
from kvgraph.link.run import match

from .fit import Asked, fitted, read, scored
from .labelled import ALL, Labelled, held_out, organisations, ror
from .lexicon import learnt

SMALL = 60  # names of a country from which on it has a line of its own


@dataclass(frozen=True)
class Figures:
    """``asked`` names whose organisation is there, ``accepted`` links, how many of these are ``right``, right ones that were accepted or left for review, and
    candidates ``shown`` for review for each name."""

    asked: int
    accepted: int
    right: int
    offered: int
    shown: float

    @property
    def precision(self) -> float:
        return self.right / self.accepted if self.accepted else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.asked if self.asked else 0.0

    def __str__(self) -> str:
        return f"{self.asked:5d} asked, precision {self.precision:.3f}, recall {self.recall:.3f}, with review {self.offered / max(1, self.asked):.3f} ({self.shown:.2f} shown)"


@dataclass(frozen=True)
class Outcome:
    """What became of one name: whether a link was accepted, whether the right one was, whether the right one was accepted or is for review, and how many are for review."""

    of: Labelled
    accepted: bool
    right: bool
    offered: bool
    shown: int


def outcomes(labelled: list[Labelled], register: list[Organisation], model: Model) -> Iterator[Outcome]:
    """What becomes of each name of a labelled set."""
    with engine("duckdb") as made:
        links = match([each.asked for each in labelled], register, "ror", made, model)
    found = defaultdict(list)
    for link in links:
        found[link.subject_id].append(link)
    for each in labelled:
        of = found[each.asked.iri]
        yield Outcome(each, any(l.accepted for l in of), any(l.accepted and l.object_id == each.answer for l in of), any(l.object_id == each.answer for l in of), sum(not l.accepted for l in of))


def judged(asked: Asked, model: Model) -> Iterator[Outcome]:
    """What becomes of names whose candidates are known."""
    table, right = scored(asked, model, FOUND)
    found = defaultdict(list)
    for decision, same in zip(decide(table, model), right):
        if decision.verdict:
            found[decision.asked].append((decision.verdict == ACCEPT, bool(same)))
    for number, each in enumerate(asked.labelled):
        of = found[number]
        yield Outcome(each, any(sure for sure, _ in of), (True, True) in of, any(same for _, same in of), sum(not sure for sure, _ in of))


def figures(found: Iterable[Outcome], by: Callable[[Labelled], str] = lambda each: each.kind) -> dict[str, Figures]:
    """Figures by kind of name, or by what else is asked for."""
    groups = defaultdict(list)
    for outcome in found:
        groups[by(outcome.of)].append(outcome)
    return {
        group: Figures(sum(o.of.answer != "" for o in of), sum(o.accepted for o in of), sum(o.right for o in of), sum(o.offered for o in of), sum(o.shown for o in of) / len(of))
        for group, of in sorted(groups.items())
    }  # fmt: skip


def report(folder: Path) -> dict[str, dict[str, Figures]]:
    """Everything that is measured, of each part with words learnt from the other parts, and numbers fitted to names of the others."""
    every = list(organisations(ror(folder / "ror-europe-v2.json.gz")))
    found: dict[str, list[Outcome]] = defaultdict(list)
    asked = {part: read(folder, every, part) for part in sorted(ALL)}
    for part in asked:
        model, these = fitted([sets for other, sets in asked.items() if other != part]), frozenset({part})
        for heading, of in zip(("a tenth not there", "spoilt names"), asked[part]):
            found[heading] += judged(of, model)
        with learnt(folder, ALL - these):
            found["held-out names"] += outcomes(*held_out(every, these), model)
            found["and their homepage"] += outcomes(*held_out(every, these, homepages=1.0), model)
    same = [outcome for outcome in found["held-out names"] if outcome.of.kind == "same-script"]
    many = Counter(outcome.of.asked.country for outcome in same)
    by_country = figures(same, lambda each: each.asked.country if many[each.asked.country] >= SMALL else "others")
    return {**{heading: figures(of) for heading, of in found.items()}, "same script, by country": by_country}


if __name__ == "__main__":
    for heading, found in report(Path(sys.argv[1])).items():
        print(f"\n{heading}")
        for group, of in found.items():
            print(f"  {group or 'unknown':14}{of}")
