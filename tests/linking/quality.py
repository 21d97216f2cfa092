"""Measures how well names are linked: precision and recall of what is accepted, on labelled sets.

    python -m tests.linking.quality ../shared/data/ror-europe-v2.json.gz
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kvgraph.link.engines import engine
from kvgraph.link.organisations import Organisation
from kvgraph.link.run import match

from .labelled import TEST, Labelled, held_out, organisations, ror
from .noise import noisy

SMALL = 30  # names of a country from which on it has a line of its own


@dataclass(frozen=True)
class Figures:
    """``asked`` names whose organisation is there, ``accepted`` links, how many of these are ``right``, and right ones that were accepted or left for review."""

    asked: int
    accepted: int
    right: int
    offered: int

    @property
    def precision(self) -> float:
        return self.right / self.accepted if self.accepted else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.asked if self.asked else 0.0

    def __str__(self) -> str:
        return f"{self.asked:5d} asked, precision {self.precision:.3f}, recall {self.recall:.3f}, with review {self.offered / max(1, self.asked):.3f}"


def measure(labelled: list[Labelled], register: list[Organisation], by=lambda each: each.kind) -> dict[str, Figures]:
    """Figures of a labelled set, by kind of name or what else is asked for."""
    with engine("duckdb") as made:
        links = match([each.asked for each in labelled], register, "ror", made)
    answers = {each.asked.iri: each for each in labelled}
    counts: Counter[tuple[str, str]] = Counter((by(each), "asked") for each in labelled if each.answer)
    for link in links:
        each = answers[link.subject_id]
        counts[by(each), "accepted"] += link.accepted
        counts[by(each), "right"] += link.accepted and link.object_id == each.answer
        counts[by(each), "offered"] += link.object_id == each.answer
    return {group: Figures(*(counts[group, what] for what in ("asked", "accepted", "right", "offered"))) for group in sorted({by(each) for each in labelled})}


def report(path: Path) -> dict[str, dict[str, Figures]]:
    """Everything that is measured: held-out names by kind, those in the same script by country, and spoilt names."""
    every = list(organisations(ror(path)))
    labelled, register = held_out(every, TEST)
    same = [each for each in labelled if each.kind == "same-script"]
    many = Counter(each.asked.country for each in same)
    spoilt, without = noisy(every)
    return {
        "held-out names": measure(labelled, register),
        "same script, by country": measure(same, register, lambda each: each.asked.country if many[each.asked.country] >= SMALL else "others"),
        "spoilt names": measure(spoilt, without),
    }


if __name__ == "__main__":
    for heading, figures in report(Path(sys.argv[1])).items():
        print(f"\n{heading}")
        for group, found in figures.items():
            print(f"  {group or 'unknown':14}{found}")
