"""From scored candidates to decisions: accept, review, or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from .model import COMPARISONS, Model, level

ACCEPT, REVIEW = "accept", "review"
REVIEWED = 3  # candidates of one organisation that a person is asked about
_ACRONYMS = {"equal short name", "short name, like", "short name", "nothing in common"}  # of these only an acronym, or the initials, can agree
MOST_AHEAD = 12.0  # bits: to be further ahead of the next candidate says no more


@dataclass(frozen=True)
class Evidence:
    """One line of a waterfall: what was compared, what was found, and how many bits it says for (or against) the two being one."""

    feature: str
    finding: str
    bits: float


@dataclass(frozen=True)
class Decision:
    """About one pair: numbers of the records, log2 of the odds, and how far the next best candidate is behind."""

    asked: int
    known: int
    bits: float
    margin: float
    verdict: str  # ACCEPT, REVIEW or ""
    names: tuple[str, str]
    evidence: tuple[Evidence, ...]

    @property
    def confidence(self) -> float:
        """The probability that the two are one, from 0 to 1."""
        return 1 / (1 + 2 ** -self.bits)


def decide(scored: pa.Table, model: Model) -> Iterator[Decision]:
    """Decisions about scored candidates (as :func:`kvgraph.link.engines.score` gives them), best first for each organisation.

    Accepted is what is probable enough and well ahead of the next candidate: the further ahead, the less probable it need be. An acronym alone never
    accepts, however few organisations share its place: the homepage must agree with it.
    """
    for _, rows in groupby(scored.to_pylist(), key=lambda row: row["record_l"]):
        ranked = list(rows)
        for place, row in enumerate(ranked):
            behind = ranked[1]["weight"] if place == 0 and len(ranked) > 1 else None if place == 0 else ranked[0]["weight"]
            margin = 60.0 if behind is None else row["weight"] - behind
            evidence = tuple(_evidence(row, model))
            enough = row["weight"] + model.ahead * min(margin, MOST_AHEAD) >= model.accept
            sure = enough and margin >= model.margin and not _acronym_alone(evidence)
            asked_for = place < REVIEWED and row["weight"] >= model.review
            verdict = ACCEPT if sure else REVIEW if asked_for else ""
            yield Decision(row["record_l"], row["record_r"], row["weight"], margin, verdict, (row["text_l"], row["text_r"]), evidence)


def _acronym_alone(evidence: tuple[Evidence, ...]) -> bool:
    found = {line.feature: line.finding for line in evidence}
    return found["name"] in _ACRONYMS and found.get("homepage") != "same domain"


def _evidence(row: dict, model: Model) -> Iterator[Evidence]:
    yield Evidence("before", "how often a candidate is the one", round(_bits(model.prior, 1 - model.prior), 2))
    for comparison in COMPARISONS:
        at = level(comparison, row[f"gamma_{comparison.name}"])
        if at is not None:
            m, u = model.levels[comparison.name][at.label]
            yield Evidence(comparison.name, at.label, round(_bits(m, u), 2))


def _bits(m: float, u: float) -> float:
    from math import log2

    return log2(m / u)
