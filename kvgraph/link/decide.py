"""From scored candidates to decisions: accept, review, or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import log2

import pyarrow as pa

from .model import COMPARISONS, LITTLE, Model, level

ACCEPT, REVIEW = "accept", "review"
REVIEWED = 5  # candidates of one organisation that a person is asked about
_ACRONYMS = {"equal short name", "short name, like", "short name", "nothing in common"}  # of these only an acronym, or the initials, can agree


@dataclass(frozen=True)
class Evidence:
    """One line of a waterfall: what was compared, what was found, and how many bits it says for (or against) the two being one."""

    feature: str
    finding: str
    bits: float


@dataclass(frozen=True)
class Decision:
    """About one pair: numbers of the records, and log2 of the odds that they are one and no other candidate is."""

    asked: int
    known: int
    bits: float
    verdict: str  # ACCEPT, REVIEW or ""
    names: tuple[str, str]
    evidence: tuple[Evidence, ...]

    @property
    def confidence(self) -> float:
        """The probability that the two are one, from 0 to 1."""
        return 1 / (1 + 2 ** -self.bits)


def decide(scored: pa.Table, model: Model) -> Iterator[Decision]:
    """Decisions about scored candidates (as :func:`kvgraph.link.engines.score` gives them), best first for each organisation.

    One at most of the candidates is the one, or none is: what speaks for the others speaks against each. An acronym alone never
    accepts, however few organisations share its place: the homepage must agree with it. Nor do few words: the homepage or initials must.
    """
    for _, rows in groupby(scored.to_pylist(), key=lambda row: row["record_l"]):
        ranked = list(rows)
        odds = [2.0 ** row["weight"] for row in ranked]
        for place, row in enumerate(ranked):
            others = round(-log2(1 + sum(odds[:place]) + sum(odds[place + 1 :])), 2) + 0.0  # not -0
            evidence = (*_evidence(row, model), Evidence("others", "none comes near" if others > -1 else "some come near", others))
            bits = row["weight"] + others
            sure = place == 0 and bits >= model.accept and _grounded(evidence)
            asked_for = place < REVIEWED and bits >= model.review
            verdict = ACCEPT if sure else REVIEW if asked_for else ""
            yield Decision(row["record_l"], row["record_r"], bits, verdict, (row["text_l"], row["text_r"]), evidence)


def _grounded(evidence: tuple[Evidence, ...]) -> bool:
    """Whether more than the place says so: of the organisations in a small place one always comes nearest."""
    found = {line.feature: line.finding for line in evidence}
    if found.get("homepage", "").startswith("same"):
        return True
    if found["name"] in LITTLE:
        return found.get("initials", "").startswith("initials are an acronym")
    return found["name"] not in _ACRONYMS


def _evidence(row: dict, model: Model) -> Iterator[Evidence]:
    yield Evidence("before", "how often a candidate is the one", round(model.before, 2))
    for comparison in COMPARISONS:
        at = level(comparison, row[f"gamma_{comparison.name}"])
        if at is not None:
            yield Evidence(comparison.name, at.label, round(model.weights[comparison.name][at.label], 2))
