"""Killed between submit and publish, nothing is lost and nothing doubled. Fifty times by `make endurance` (tests/interop/interop_sharing.py)."""

from .killing import killed_often

KILLS = 5


def test_killed_a_few_times(tmp_path):
    where = killed_often(tmp_path, KILLS)
    assert where.total() == KILLS and len(where) > 1, f"kills must hit different moments: {where}"
