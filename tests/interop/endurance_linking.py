"""Linking on the supplied ROR file: how good, and how fast.

``KVGRAPH_SHARED_DATA`` names the folder that holds ``ror-europe-v2.json.gz``.
"""

import os
import time
from pathlib import Path

import pytest

from kvgraph.link import engines, run
from tests.linking.labelled import TEST, held_out, organisations, ror
from tests.linking.quality import Figures, report

# Measured on 29 November 2026 (web/docs/27-linking.md), less two hundredths: what falls below has become worse.
RECALL = {"same-script": 0.70, "noisy": 0.85, "with homepage": 0.96}
PRECISION = 0.98


@pytest.fixture(scope="module")
def dump() -> Path:
    folder = os.environ.get("KVGRAPH_SHARED_DATA")
    assert folder, "Set KVGRAPH_SHARED_DATA to the folder that holds ror-europe-v2.json.gz."
    return Path(folder) / "ror-europe-v2.json.gz"


@pytest.fixture(scope="module")
def every(dump):
    return list(organisations(ror(dump)))


@pytest.fixture(scope="module")
def figures(dump) -> dict[str, Figures]:
    found = report(dump.parent)
    for heading, of in found.items():
        print(f"\n{heading}")
        for group, numbers in of.items():
            print(f"  {group or 'unknown':14}{numbers}")
    return {**found["held-out names"], **found["spoilt names"], "with homepage": found["and their homepage"]["same-script"]}


@pytest.mark.parametrize("kind", sorted(RECALL))
def test_what_is_accepted_is_right_and_most_is_found(figures, kind):
    assert figures[kind].asked > 3000
    assert figures[kind].precision >= PRECISION
    assert figures[kind].recall >= RECALL[kind]


def test_an_acronym_alone_is_hardly_ever_accepted(figures):
    assert figures["acronym"].precision >= PRECISION


def test_the_supplied_file_is_linked_in_a_minute(every):
    labelled, register = held_out(every, TEST)
    began = time.process_time()
    with engines.engine("duckdb") as made:
        run.match([each.asked for each in labelled[:1500]], register, "ror", made)
    assert time.process_time() - began < 60
