"""Fits the linkage model and writes ``kvgraph/link/model.json``.

    python -m tests.linking.fit ../shared/data

Names are held out (:mod:`tests.linking.labelled`) and asked for, so that of the candidates of each it is known which is the one, or that none is. The weights
of all levels are fitted together, as those that make what is so most probable: a conditional logit (McFadden 1974, "Conditional logit analysis of qualitative
choice behavior"), in which one of the candidates is chosen or none. Weights that are counted one by one, as m and u, say the same thing twice where what is
compared goes together.
"""

import json
import math
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from kvgraph.link.decide import ACCEPT, decide
from kvgraph.link.engines import FOUND, compare, engine
from kvgraph.link.model import COLUMNS, COMPARISONS, Model
from kvgraph.link.organisations import Organisation
from kvgraph.link.rows import sides

from .labelled import ABSENT, ALL, Labelled, held_out, organisations, ror
from .lexicon import learnt
from .noise import noisy

TARGET = Path(__file__).parents[2] / "kvgraph" / "link" / "model.json"
PRECISION = 0.982  # of accepted links, where a part of what is asked for is not there; a little more than the 0.98 hoped for, since the lowest threshold that is enough is enough by luck too
REVIEW = -4.0  # bits: a chance of one in seventeen is worth a look
ROUNDS = 2
MOST_FOUND = 20  # candidates of a name that weights are fitted to
SPOILT = 800  # names of each part
RIDGE = 1.0  # how strongly weights are drawn to nothing, so that a level that was hardly seen says little
STEPS, PRECISE = 30, 1e-6  # of Newton's method, at most, and the step that is too small to go on
LEVELS = [(comparison, at) for comparison in COMPARISONS for at in comparison.levels]

# Not fitted: here who asks would have the homepage from the register itself, elsewhere homepages move and are written otherwise.
BY_HAND = {"homepage": {"same page, which no other has": 9.2, "same page": 4.6, "same domain": 3.9, "another domain": -2.3}}



@dataclass(frozen=True)
class Asked:
    """Names asked for, all their candidates by each of their names with how they agree, and which of them are right. The weights of a model only choose among these."""

    labelled: list[Labelled]
    found: pa.Table
    right: np.ndarray


Scored = tuple[pa.Table, np.ndarray]  # candidates by the best of their names, best first, and which of them are right


def beginning() -> Model:
    """A model to begin with: the more words agree, the better."""
    bits = {}
    for at in COMPARISONS[0].levels:
        shares = [int(share) for share in re.findall(r">= (\d+)", at.condition or "")]
        bits[at.label] = 10 if "key" in (at.condition or "") else sum(shares[:2]) / 250
    return Model(-4.0, {"name": bits}, 0, 0)


def weighed(sets: list[Scored], before: Model) -> Model:
    """The weights that make the right candidates of all names most probable, by Newton's method."""
    at = [np.concatenate(columns) for columns in zip(*(_levels(found) for found, _ in sets))]
    right = np.concatenate([flags.astype(float) for _, flags in sets])
    name = np.concatenate([found["record_l"].to_numpy() + number * 10**9 for number, (found, _) in enumerate(sets)])
    _, name = np.unique(name, return_inverse=True)
    many, names = len(LEVELS) + 2, int(name.max()) + 1  # the last two: what all pairs have, and what is unknown
    ridge = np.append(np.full(len(LEVELS), RIDGE), 0.0)
    weights = np.append(np.zeros(len(LEVELS)), math.log(2) * before.before)
    seen = sum(np.bincount(level, right, many) for level in at)[:-1]
    for _ in range(STEPS):
        each = np.append(weights, 0.0)
        odds = np.exp(sum(each[level] for level in at))
        chance = odds / (1 + np.bincount(name, odds))[name]
        hoped = sum(np.bincount(name * many + level, chance, names * many) for level in at).reshape(names, many)[:, :-1]
        both = sum(np.bincount(one * many + other, chance, many * many) for one in at for other in at).reshape(many, many)[:-1, :-1]
        step = np.linalg.solve(both - hoped.T @ hoped + np.diag(ridge), seen - hoped.sum(axis=0) - ridge * weights)
        size = np.abs(step).max()
        weights += step / max(1.0, size / 2)
        if size < PRECISE:
            break
    bits = [float(weight) / math.log(2) for weight in weights]
    fitted: dict[str, dict[str, float]] = {comparison.name: {} for comparison in COMPARISONS}
    for (comparison, level), weight in zip(LEVELS, bits):
        fitted[comparison.name][level.label] = weight
    share = right.mean()
    usual = math.log2(share / (1 - share))  # before anything is looked at; the rest goes to the name, which is always looked at
    fitted["name"] = {label: weight + bits[-1] - usual for label, weight in fitted["name"].items()}
    return replace(before, before=usual, weights={**fitted, **BY_HAND})


def _levels(found: pa.Table) -> list[np.ndarray]:
    """For each comparison the number in ``LEVELS`` of the level that each pair is at, one past what all have for what is unknown; and that which all have."""
    columns, first = [], 0
    for comparison in COMPARISONS:
        gamma = found[f"gamma_{comparison.name}"].to_numpy()
        columns.append(np.where(gamma < 0, len(LEVELS) + 1, first + len(comparison.levels) - 1 - gamma))
        first += len(comparison.levels)
    return [*columns, np.full(found.num_rows, len(LEVELS))]


def compared(labelled: list[Labelled], register: list[Organisation]) -> Asked:
    """Labelled names with their candidates."""
    with engine("duckdb") as made:
        predictions = compare(made, *sides([each.asked for each in labelled], register), beginning())
        found = made.fetch(f"SELECT {', '.join(COLUMNS)} FROM {predictions} ORDER BY record_l, record_r, row_l, row_r")
    right = [labelled[a].answer == register[k].iri for a, k in zip(found["record_l"].to_pylist(), found["record_r"].to_pylist())]
    return Asked(labelled, found, np.array(right, bool))


def scored(of: Asked, model: Model, most: int = MOST_FOUND) -> Scored:
    """The best candidates of labelled names by a model, as :func:`kvgraph.link.engines.score` has them."""
    each = np.array([model.weights.get(comparison.name, {}).get(level.label, 0.0) for comparison, level in LEVELS] + [model.before, 0.0])
    weight = np.round(sum(each[at] for at in _levels(of.found)), 6)
    asked, known = of.found["record_l"].to_numpy(), of.found["record_r"].to_numpy()
    order = np.lexsort((known, -weight, asked))  # equal ones stay in the order of their rows
    _, first = np.unique(asked[order] * 10**9 + known[order], return_index=True)
    order = order[np.sort(first)]
    place = np.arange(len(order)) - np.searchsorted(asked[order], asked[order])
    best = order[place < most]
    return of.found.take(best).append_column("weight", pa.array(weight[best])), of.right[best]


def read(folder: Path, every: list[Organisation], part: int) -> list[Asked]:
    """Names of the organisations in one part, taken out and spoilt, a tenth of them without an answer, read by what was learnt from the other parts."""
    with learnt(folder, ALL - {part}):
        return [compared(*held_out(every, frozenset({part}), absent=ABSENT)), compared(*noisy(every, frozenset({part}), SPOILT, absent=ABSENT))]


def fitted(asked: list[list[Asked]]) -> Model:
    """A model fitted on the names of some parts."""
    model = beginning()
    for _ in range(ROUNDS):  # of each pair, the names that the model before takes
        sets = [[scored(of, model) for of in part] for part in asked]
        model = weighed([found for part in sets for found in part], model)
    return replace(model, accept=threshold(asked, sets, model), review=REVIEW)


def threshold(asked: list[list[Asked]], sets: list[list[Scored]], model: Model) -> float:
    """The threshold at which, of every sort of names, accepted links are right as often as they must be.

    Every second part is judged by weights from the candidates (``sets``) of the others: of names that weights were fitted to more is right than of others.
    """
    accepted: dict[int, list[tuple[float, bool]]] = {}
    for first in (0, 1):
        weights = weighed([found for part in sets[1 - first :: 2] for found in part], model)
        for part in asked[first::2]:
            for sort, of in enumerate(part):
                accepted.setdefault(sort, []).extend(_accepted(of, weights))
    return max(map(_least, accepted.values()))


def _accepted(of: Asked, model: Model) -> list[tuple[float, bool]]:
    """What would be accepted if nothing was too uncertain: how sure that is, and whether it is right."""
    table, right = scored(of, model, FOUND)
    return [(d.bits, same) for d, same in zip(decide(table, replace(model, accept=-99.0)), right) if d.verdict == ACCEPT]


def _least(accepted: list[tuple[float, bool]]) -> float:
    """The lowest threshold at which enough is right."""
    good, least = 0, 99.0
    for taken, (bits, same) in enumerate(sorted(accepted, reverse=True), 1):
        good += same
        if good >= PRECISION * taken:
            least = round(bits - 0.005, 2)
    return least


def main(folder: Path) -> None:
    every = list(organisations(ror(folder / "ror-europe-v2.json.gz")))
    model = fitted([read(folder, every, part) for part in sorted(ALL)])
    content = {
        "made by": "python -m tests.linking.fit, on the supplied ROR file: bits, fitted on held-out and on spoilt names and their candidates",
        "before": round(model.before, 4),
        "thresholds": {"accept": model.accept, "review": model.review},
        "weights": {name: {label: round(bits, 4) for label, bits in of.items()} for name, of in model.weights.items()},
    }
    TARGET.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(content["thresholds"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
