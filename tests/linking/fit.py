"""Fits the linkage model and writes ``kvgraph/link/model.json``.

    python -m tests.linking.fit ../shared/data

m and u are counted, not estimated: names are held out (:mod:`tests.linking.labelled`), asked for, and each candidate pair is
known to be of one organisation or of two.
"""

import json
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from kvgraph.link.decide import ACCEPT, decide
from kvgraph.link.engines import FOUND, engine, score
from kvgraph.link.model import COMPARISONS, Model, level
from kvgraph.link.rows import sides

from .labelled import ABSENT, ALL, Labelled, halves, held_out, organisations, ror
from .lexicon import learnt
from .noise import noisy

TARGET = Path(__file__).parents[2] / "kvgraph" / "link" / "model.json"
PRECISION = 0.98  # of accepted links while fitting, where a part of what is asked for is not there
REVIEW = -2.0  # bits: a chance of one in five is worth a look
ROUNDS = 2
MOST_FOUND = 50
SPOILT = 2000  # names of each half
NONE = (0.003, 0.01, 0.03, 0.1)  # odds of none of the candidates that are tried


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


# Not counted: here who asks would have the homepage from the register itself, elsewhere homepages move and are written otherwise.
BY_HAND = {
    "homepage": {"same page, which no other has": (0.6, 0.001), "same page": (0.05, 0.002), "same domain": (0.15, 0.01), "another domain": (0.2, 0.987)},
}


def beginning() -> Model:
    """A model to begin with: the more words agree, the better."""
    bits = {}
    for at in COMPARISONS[0].levels:
        shares = [int(share) for share in re.findall(r">= (\d+)", at.condition or "")]
        bits[at.label] = 10 if "key" in (at.condition or "") else sum(shares[:2]) / 250
    return Model(0.05, {"name": {label: (2**bit / 2**11, 1 / 2**11) for label, bit in bits.items()}}, 1, 0, 0)


Scored = tuple[pa.Table, list[bool]]  # candidates, and which of them are right


def scored(labelled: list[Labelled], register: list, model: Model) -> Scored:
    """Candidates of labelled names, and which of them are right."""
    left, right = sides([each.asked for each in labelled], register)
    with engine("duckdb") as made:
        found = score(made, left, right, model, MOST_FOUND)
    return found, [labelled[a].answer == register[k].iri for a, k in zip(found["record_l"].to_pylist(), found["record_r"].to_pylist())]


def thresholds(found: dict[str, list[Scored]], model: Model) -> dict[str, float]:
    """The thresholds at which of every sort of names accepted links are right as often as they must be, with the most of them accepted."""
    best = (0, 0.0, 0.0)
    first = [[_first(*of) for of in sort] for sort in found.values()]
    for none in NONE:
        sets = [_accepted(sort, replace(model, none=none, accept=-99.0)) for sort in first]
        accept = max(_least(accepted) for accepted in sets)
        best = max(best, (sum(same for accepted in sets for bits, same in accepted if bits >= accept), none, accept))
    return {"none": best[1], "accept": best[2], "review": REVIEW}


def _first(table: pa.Table, right: list[bool]) -> Scored:
    """As many candidates of each name as a run keeps."""
    nth: Counter[int] = Counter()
    kept = []
    for record in table["record_l"].to_pylist():
        nth[record] += 1
        kept.append(nth[record] <= FOUND)
    return table.filter(pa.array(kept)), [same for same, keep in zip(right, kept) if keep]


def _accepted(scored: list[Scored], model: Model) -> list[tuple[float, bool]]:
    return sorted(((d.bits, same) for table, right in scored for d, same in zip(decide(table, model), right) if d.verdict == ACCEPT), reverse=True)


def _least(accepted: list[tuple[float, bool]]) -> float:
    """The lowest threshold at which enough is right."""
    good, least = 0, 99.0
    for taken, (bits, same) in enumerate(accepted, 1):
        good += same
        if good >= PRECISION * taken:
            least = round(bits - 0.005, 2)
    return least


def fitted(folder: Path, parts: frozenset[int]) -> Model:
    """A model counted on the organisations in some parts, where the names of each half are read by what was learnt from the other."""
    every = list(organisations(ror(folder / "ror-europe-v2.json.gz")))
    model = beginning()
    for _ in range(ROUNDS):  # of each pair, the names that the model before takes
        found: dict[str, list[Scored]] = {"names": [], "spoilt names": []}
        for these, others in halves(parts):
            with learnt(folder, others):
                found["names"].append(scored(*held_out(every, these, absent=ABSENT), model))
                found["spoilt names"].append(scored(*noisy(every, these, SPOILT), model))
        tables, flags = zip(*(pair for of in found.values() for pair in of))
        together = pa.concat_tables(tables), [flag for of in flags for flag in of]
        model = replace(model, prior=sum(together[1]) / len(together[1]), levels=levels_of(*together))
    return replace(model, **thresholds(found, model))


def main(folder: Path) -> None:
    model = fitted(folder, ALL)
    content = {
        "made by": "python -m tests.linking.fit, on the supplied ROR file: m and u counted on held-out and on spoilt names and their candidates",
        "prior": model.prior,
        "thresholds": {"none": model.none, "accept": model.accept, "review": model.review},
        "levels": {name: {label: [float(f"{x:.6g}") for x in mu] for label, mu in rows.items()} for name, rows in model.levels.items()},
    }
    TARGET.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(content["thresholds"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
