"""From scored candidates to decisions: accept, review, or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import log2

import pyarrow as pa

from .model import COMPARISONS, Model, level

ACCEPT, REVIEW = "accept", "review"
REVIEWED = 3  # candidates of one organisation that a person is asked about
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
    accepts, however few organisations share its place: the homepage must agree with it.
    """
    for _, rows in groupby(scored.to_pylist(), key=lambda row: row["record_l"]):
        ranked = list(rows)
        odds = [2.0 ** row["weight"] for row in ranked]
        for place, row in enumerate(ranked):
            others = round(-log2(model.none + sum(odds[:place]) + sum(odds[place + 1 :])), 2)
            evidence = (*_evidence(row, model), Evidence("others", "none comes near" if others > 0 else "some come near", others))
            bits = row["weight"] + others
            sure = place == 0 and bits >= model.accept and not _acronym_alone(evidence)
            asked_for = place < REVIEWED and bits >= model.review
            verdict = ACCEPT if sure else REVIEW if asked_for else ""
            yield Decision(row["record_l"], row["record_r"], bits, verdict, (row["text_l"], row["text_r"]), evidence)


def _acronym_alone(evidence: tuple[Evidence, ...]) -> bool:
    found = {line.feature: line.finding for line in evidence}
    return found["name"] in _ACRONYMS and not found.get("homepage", "").startswith("same")


def _evidence(row: dict, model: Model) -> Iterator[Evidence]:
    yield Evidence("before", "how often a candidate is the one", round(log2(model.prior / (1 - model.prior)), 2))
    for comparison in COMPARISONS:
        at = level(comparison, row[f"gamma_{comparison.name}"])
        if at is not None:
            m, u = model.levels[comparison.name][at.label]
            yield Evidence(comparison.name, at.label, round(log2(m / u), 2))
