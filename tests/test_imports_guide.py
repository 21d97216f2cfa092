"""The guide to imports: its commands are run as they stand, on small files of the names it uses; every source and option is in it."""

import json
import re
import shlex

import click
import pytest
from click.testing import CliRunner

from kvgraph.cli import main
from kvgraph.resources import folder
from kvgraph.sources import SOURCES, skos
from kvgraph.sources.imported import imports

from .test_sources import PARTS, PROJECTS, ROR, zipped

GUIDE = (folder("web") / "docs" / "45-imports.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE) for line in block.splitlines() if line != "kvgraph build"]
CONCEPT = '<rdf:RDF xmlns:rdf="{}" xmlns:s="http://www.w3.org/2004/02/skos/core#"><s:Concept rdf:about="http://example.org/c"><s:prefLabel>c</s:prefLabel></s:Concept></rdf:RDF>'
H2020 = PROJECTS.replace("HORIZON", "H2020")
FILES = {
    "v1.60-2025-01-01-ror-data.zip": zipped(ror_csv="a", **{"v1.60.json": json.dumps([ROR])}),
    "cordis-HORIZONprojects-csv.zip": zipped(project_csv=PROJECTS, organization_csv=PARTS),
    "cordis-h2020projects-csv.zip": zipped(project_csv=H2020),
    "latest_SE.csv": "Operation_Unique_Identifier,Operation_Name_English\nhttps://linkedopendata.eu/entity/Q1,Gottsunda grows\n",
    "query.json": json.dumps({"results": {"bindings": [{"item": {"value": "http://www.wikidata.org/entity/Q1"}, "itemLabel": {"value": "All"}}]}}),
    "NUTS_AT_2024.csv": "CNTR_CODE,NUTS_ID,NAME_LATN,NUTS_NAME\nES,ES51,Cataluña,Catalunya\n",
    "NUTS_LB_2024_4326.geojson": json.dumps({"features": [{"properties": {"NUTS_ID": "ES5", "CNTR_CODE": "ES"}, "geometry": None}]}),
    **dict.fromkeys(("countries-skos.rdf", "eurovoc-skos-ap-eu.rdf", "EuroSciVoc-skos-ap-eu.rdf"), CONCEPT.format(skos.RDF)),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    place = tmp_path_factory.mktemp("desk")
    for name, content in FILES.items():
        (place / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def test_the_guide_has_a_command_for_each_source():
    assert {words[2] for line in COMMANDS if len(words := shlex.split(line)) > 2} == SOURCES.keys()


def test_the_commands_of_the_guide_work_one_after_the_other(desk, monkeypatch):
    monkeypatch.chdir(desk)
    monkeypatch.setenv("KVGRAPH_HOME", str(desk / "home"))
    for line in COMMANDS:
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, (line, done.output)
    assert imports(desk / "home").keys() == SOURCES.keys()
    listed = CliRunner().invoke(main, ["import", "--format", "json"])
    assert {row["name"]: row["taken"] > 0 for row in json.loads(listed.stdout)} == dict.fromkeys(SOURCES, True)
    again = CliRunner().invoke(main, ["import", "kohesio", "latest_SE.csv"])
    assert "nothing to do" in again.output
    assert "Removed kohesio" in CliRunner().invoke(main, ["import", "kohesio", "--remove"]).output and "kohesio" not in imports(desk / "home")


def test_every_option_and_source_is_in_the_guide():
    command = main.commands["import"]
    options = [o.opts[0] for o in command.params if isinstance(o, click.Option)]
    assert [o for o in options if o not in GUIDE and o not in ("--home", "--format", "--force", "--title")] == []
    assert [name for name in SOURCES if f"`{name}`" not in GUIDE] == []


def test_what_is_wrong_is_said_without_a_trace(desk, monkeypatch):
    monkeypatch.chdir(desk)
    for arguments, status, message in (
        (["import", "rors"], 1, "Sources: ror, cordis"),
        (["import", "ror", "nowhere.json"], 1, "There is no file"),
        (["import", "table", "x.csv"], 2, "--publisher NAME"),
        (["import", "kohesio"], 1, "Choose a country"),
    ):
        done = CliRunner().invoke(main, [*arguments, "--home", str(desk / "other")])
        assert done.exit_code == status and message in done.output and "Traceback" not in done.output
