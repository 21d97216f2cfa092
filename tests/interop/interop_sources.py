"""The walk from download to answer in the guide, command by command, on the supplied ROR and CORDIS files beside the bundled data.

``$KVGRAPH_SHARED_DATA`` says where the files are; https://ror.org/ and https://cordis.europa.eu/ publish newer ones.
"""

import gzip
import json
import os
import re
import shlex
import shutil
import time
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from kvgraph import open as open_graph
from kvgraph.cli import main
from kvgraph.queries import load
from kvgraph.resources import folder

from ..serving import get, served

GUIDE = (folder("web") / "docs" / "46-from-download-to-answer.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE) for line in block.splitlines()]
# The file of the guide, the supplied file, and what the archive as published calls its content.
FILES = {
    "v1.60-2025-01-01-ror-data.zip": ("ror-europe-v2.json.gz", "v1.60-2025-01-01-ror-data.json"),
    "cordis-HORIZONprojects-csv.zip": ("cordis_he_topics.csv.gz", "project.csv"),
}
MINUTES = 3  # of processor time that ROR may take, imported, linked and released


@pytest.fixture(scope="module")
def downloads(tmp_path_factory) -> Path:
    """The supplied files, packed and named as their publishers do."""
    given = os.environ.get("KVGRAPH_SHARED_DATA")
    assert given, "Set KVGRAPH_SHARED_DATA to the folder that holds ror-europe-v2.json.gz and cordis_he_topics.csv.gz."
    place = tmp_path_factory.mktemp("downloads")
    for name, (supplied, inner) in FILES.items():
        assert (Path(given) / supplied).is_file(), f"KVGRAPH_SHARED_DATA names {given}, where there is no {supplied}."
        with zipfile.ZipFile(place / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with gzip.open(Path(given) / supplied) as content, archive.open(inner, "w") as member:
                shutil.copyfileobj(content, member)
    return place


@pytest.fixture(scope="module")
def walked(downloads, bundled_home):
    """What each command of the guide printed, and its processor time in seconds; the home they worked in."""
    home = downloads / "home"
    shutil.copytree(bundled_home, home, symlinks=True)
    before = Path.cwd()
    said, took = {}, {}
    try:
        os.chdir(downloads)
        for line in COMMANDS:
            began = time.process_time()
            done = CliRunner().invoke(main, shlex.split(line)[1:], env={"KVGRAPH_HOME": str(home)})
            assert done.exit_code == 0, (line, done.output)
            said[line], took[line] = done.stdout, time.process_time() - began
            print(f"{took[line]:6.1f} s of processor time: {line}")
    finally:
        os.chdir(before)
    return home, said, took


def test_the_guide_goes_all_the_way(walked):
    words = [line.split()[1] for line in COMMANDS]
    assert list(dict.fromkeys(words)) == ["import", "link", "build", "run"]
    assert sum(took for line, took in walked[2].items() if line.split()[1] != "run") < 60 * MINUTES


def test_every_row_of_the_supplied_files_came_in(walked):
    manifest = open_graph(walked[0]).release.manifest
    came = {name: (said["read"], said["taken"], said["set_aside"]) for name, said in manifest["imports"].items()}
    assert came == {"ror": (14_676, 14_676, 0), "cordis": (15_341, 15_341, 0)}
    assert (manifest["counts"]["organisation"], manifest["counts"]["project"]) == (14_676, 15_341)


def test_questions_across_sources_have_real_answers(walked):
    asked = {line.split()[2]: said for line, said in walked[1].items() if line.split()[1] == "run"}
    across = {name for name in asked if "imported" in load(name).tags}
    assert len(across) == 4
    assert "https://cordis.europa.eu/project/id/101096563" in asked["projects-behind-practices"]
    assert "https://ror.org/01mt46z25" in asked["family-of-actor"]  # Leuven Stem Cell Institute
    assert asked["partners-to-look-for"].count("https://ror.org/") == 20
    assert asked["projects-alike"].count("https://cordis.europa.eu/project/id/") > 3


def test_actors_lead_on_to_their_candidates_in_ror(walked):
    graph = open_graph(walked[0])
    row = next(iter(graph.query(
        "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX org: <http://www.w3.org/ns/org#> "
        "SELECT ?actor ?other { ?actor skos:closeMatch ?other . ?other a org:Organization } ORDER BY ?actor LIMIT 1"
    )))  # fmt: skip
    assert graph.connect(row["actor"], row["other"], k=1).paths[0].hops[0].kind == "candidate"


def test_the_pages_of_the_sources_say_what_came_in_and_resolve_knows_their_identifiers(walked):
    with served(walked[0]) as base:
        for name, rows in (("ror", b"14,676"), ("cordis", b"15,341")):
            status, _, page = get(f"{base}/doc/source/import-{name}")
            assert status == 200 and rows in page, (name, status)
        assert get(base + "/resolve?id=https://ror.org/05f950310", "application/json")[0] == 200
        linksets = json.loads(get(base + "/sparql?query=" + LINKSETS, "application/sparql-results+json")[2])
        assert {"ror", "wikidata"} <= {row["data"]["value"].rpartition("#")[2] for row in linksets["results"]["bindings"]}


LINKSETS = "SELECT+%3Fdata+%7B+%3Fl+a+%3Chttp://rdfs.org/ns/void%23Linkset%3E+;+%3Chttp://rdfs.org/ns/void%23objectsTarget%3E+%3Fdata+%7D"
