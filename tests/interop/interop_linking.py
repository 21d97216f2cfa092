"""Linking on one machine and on several: DuckDB, and Spark with two worker processes, give the same links.

``KVGRAPH_SHARED_DATA`` names the folder that holds ``ror-europe-v2.json.gz``; Spark needs Java 17 and ``requirements-spark.lock``.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kvgraph.link import engines, run
from kvgraph.link.mappings import MODEL
from kvgraph.sources.organisations import FILE, SCHEMA
from tests.linking.labelled import ALL, held_out, organisations, ror

MASTER = "local-cluster[2,1,2048]"  # two processes besides this one, each with one processor and 2 GB
NAMES, ORGANISATIONS = 300, 4000
TOLERANCE = 0.0001  # of confidence: the last digit that is written; whether a link is accepted must be the same


@pytest.fixture(scope="module")
def sides():
    """Names of real organisations, some with their homepage, and a register that does not have these names."""
    folder = os.environ.get("KVGRAPH_SHARED_DATA")
    assert folder, "Set KVGRAPH_SHARED_DATA to the folder that holds ror-europe-v2.json.gz."
    every = list(organisations(ror(Path(folder) / "ror-europe-v2.json.gz")))
    labelled, known = held_out(every[:ORGANISATIONS], ALL, homepages=0.2)
    return [each.asked for each in labelled[:NAMES]], known


@pytest.fixture
def quick_start(monkeypatch, tmp_path):
    """Java that compiles with its quick compiler only: of a run this short the other one takes more than half."""
    java = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    (tmp_path / "spark-defaults.conf").write_text(f"spark.driver.extraJavaOptions {java}\nspark.executor.extraJavaOptions {java}\n")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))


def without_confidence(links):
    """Pairs and what was decided about them, with the evidence."""
    return [replace(link, confidence=None) for link in links]


def test_duckdb_and_spark_give_the_same_links(sides, quick_start):
    assert shutil.which("java") or os.environ.get("JAVA_HOME"), "Spark needs Java 17 or newer: apt-get install openjdk-17-jre-headless"
    with engines.engine("duckdb") as made:
        here = run.match(*sides, "ror", made, day="2026-11-28")
    with engines.engine("spark", MASTER) as made:
        there = run.match(*sides, "ror", made, day="2026-11-28")
        workers = len(made.session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()) - 1
    assert workers == 2, "Spark did not use two worker processes."
    assert without_confidence(there) == without_confidence(here)
    assert [link.confidence for link in there] == pytest.approx([link.confidence for link in here], abs=TOLERANCE)
    assert len({link.subject_id for link in there}) > NAMES / 2
    assert sum(link.accepted for link in there if link.mapping_justification == MODEL) > NAMES / 4


def test_without_java_it_is_said_what_is_missing(tmp_path):
    tried = [sys.executable, "-c", "from kvgraph.cli import main; main()", "link", "table", "partners.csv", "ror", "--engine", "spark", "--master", "local[1]"]
    (tmp_path / "partners.csv").write_text("name\nUniversity of Vienna\n")
    an_import(tmp_path / "home")
    done = subprocess.run(tried, cwd=tmp_path, env={**os.environ, "KVGRAPH_HOME": str(tmp_path / "home"), "JAVA_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "Spark does not start. It needs Java 17 or newer" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def an_import(home: Path) -> None:
    """An import of ROR with one organisation."""
    folder = home / "sources" / "imports" / "ror"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text("{}")
    row = {"iri": "https://ror.org/03prydq77", "names": [{"value": "University of Vienna", "lang": "en", "kind": "label"}], "country": "AUT"}
    pq.write_table(pa.Table.from_pylist([row], schema=SCHEMA), folder / FILE)
