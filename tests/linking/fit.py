"""Fits the linkage model and writes ``kvgraph/link/model.json``.

    python -m tests.linking.fit ../shared/data/ror-europe-v2.json.gz

m and u are counted, not estimated: names of the fitting half are held out (:mod:`tests.linking.labelled`), asked for, and each candidate pair is
known to be of one organisation or of two.
"""

import json
import re
import sys
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import pyarrow as pa

from kvgraph.link.decide import MOST_AHEAD, Decision, decide
from kvgraph.link.engines import engine, score
from kvgraph.link.model import COMPARISONS, Model, level
from kvgraph.link.rows import sides

from .labelled import ABSENT, FIT, Labelled, held_out, organisations, ror
from .noise import noisy

TARGET = Path(__file__).parents[2] / "kvgraph" / "link" / "model.json"
PRECISION = 0.982  # of accepted links while fitting, where a tenth of what is asked for is not there
REVIEW = -2.0  # bits: a chance of one in five is worth a look
ROUNDS = 2
MOST_FOUND = 50


def levels_of(found: pa.Table, right: list[bool]) -> dict[str, dict[str, tuple[float, float]]]:
    """m and u of every level, half a pair added to each so that none is zero."""
    counted = {}
    for comparison in COMPARISONS:
        counts: Counter[tuple[bool, str]] = Counter()
        for gamma, same in zip(found[f"gamma_{comparison.name}"].to_pylist(), right):
            if at := level(comparison, gamma):
                counts[same, at.label] += 1
        whole = {same: sum(n for (s, _), n in counts.items() if s == same) + 0.5 * len(comparison.levels) for same in (True, False)}
        counted[comparison.name] = {at.label: tuple((counts[same, at.label] + 0.5) / whole[same] for same in (True, False)) for at in comparison.levels}
    return {**counted, **BY_HAND}


# What ROR's names say nothing about: nobody is asked for with a homepage or a kind there.
BY_HAND = {
    "homepage": {"same domain": (0.8, 0.002), "another domain": (0.2, 0.998)},
    "kind": {"same kind": (0.9, 0.35), "another kind": (0.1, 0.65)},
}


def beginning() -> Model:
    """A model to begin with: the more words agree, the better."""
    bits = {}
    for at in COMPARISONS[0].levels:
        shares = [int(share) for share in re.findall(r">= (\d+)", at.condition or "")]
        bits[at.label] = 10 if "key" in (at.condition or "") else sum(shares[:2]) / 250
    return Model(0.05, {"name": {label: (2**bit / 2**11, 1 / 2**11) for label, bit in bits.items()}}, 0, 0, 0, 0)


def scored(labelled: list[Labelled], register: list, model: Model) -> tuple[pa.Table, list[bool]]:
    """Candidates of labelled names, and which of them are right."""
    left, right = sides([each.asked for each in labelled], register)
    with engine("duckdb") as made:
        found = score(made, left, right, model, MOST_FOUND)
    return found, [labelled[a].answer == register[k].iri for a, k in zip(found["record_l"].to_pylist(), found["record_r"].to_pylist())]


def thresholds(decisions: list[tuple[Decision, bool]]) -> dict[str, float]:
    """The thresholds at which accepted links are right as often as they must be, with the most of them accepted."""
    could = [(d.bits, min(d.margin, MOST_AHEAD), right) for d, right in decisions if d.verdict == "accept"]
    best = (0, 0.0, 0.0, 0.0)
    for ahead, margin in product((0, 0.25, 0.5, 0.75, 1, 1.5), (0, 0.5, 1, 2, 3, 4)):
        taken = right = 0
        for bits, same in sorted(((bits + ahead * far, same) for bits, far, same in could if far >= margin), reverse=True):
            taken, right = taken + 1, right + same
            if right >= PRECISION * taken and same:
                best = max(best, (right, round(bits - 0.005, 2), ahead, margin))
    _, accept, ahead, margin = best
    return {"accept": accept, "ahead": ahead, "margin": margin, "review": REVIEW}


def main(path: Path) -> None:
    every = list(organisations(ror(path)))
    sets = [held_out(every, FIT, absent=ABSENT), noisy(every, FIT)]
    model = beginning()
    for _ in range(ROUNDS):  # of each pair, the names that the model before takes
        found, right = zip(*(scored(labelled, register, model) for labelled, register in sets))
        together, flags = pa.concat_tables(found), [flag for flags in right for flag in flags]
        model = replace(model, prior=sum(flags) / len(flags), levels=levels_of(together, flags))
        print(f"{len(flags)} pairs, {sum(flags)} right")
    decisions = [(d, labelled[d.asked].answer == register[d.known].iri) for table, (labelled, register) in zip(found, sets)
                 for d in decide(table, replace(model, accept=-99, margin=0))]  # fmt: skip
    content = {
        "made by": "python -m tests.linking.fit, on the fitting half of the supplied ROR file: m and u counted on held-out and on spoilt names and their candidates",
        "prior": model.prior,
        "thresholds": thresholds(decisions),
        "levels": {name: {label: [float(f"{x:.6g}") for x in mu] for label, mu in rows.items()} for name, rows in model.levels.items()},
    }
    TARGET.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(content["thresholds"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
