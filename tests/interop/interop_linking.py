"""Linking on one machine and on several: DuckDB, and Spark with two worker processes. Spark needs Java 17 and ``requirements-spark.lock``."""

from dataclasses import replace

import pytest

from kvgraph.link import engines, run
from kvgraph.link.mappings import MODEL

from ..bench.linking import asked, made_up

MASTER = "local-cluster[2,1,1024]"


@pytest.fixture(scope="module")
def sides():
    """Spoilt names, every third with a homepage, and a register in which some share a page."""
    known = [replace(o, homepage=f"https://www.{n // 2 if n % 5 == 0 else n}.example/", short=(f"ABC{n % 90}",)) for n, o in enumerate(made_up(1500))]
    homepages = {o.iri: o.homepage for o in known}
    names = [replace(o, homepage=homepages[answer] if n % 3 == 0 else "") for n, (o, answer) in enumerate(asked(known, 150))]
    return names, known


def test_duckdb_and_spark_give_the_same_links(sides):
    found = {}
    for name, master in (("duckdb", None), ("spark", MASTER)):
        with engines.engine(name, master) as made:
            found[name] = run.match(*sides, "ror", made, day="2026-11-28")
    assert found["duckdb"] == found["spark"]
    assert sum(link.accepted for link in found["spark"] if link.mapping_justification == MODEL) > 60
