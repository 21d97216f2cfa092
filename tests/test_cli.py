"""The command line: every command does what its help says, errors are messages, exit codes are for scripts."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kvgraph.cli import main
from kvgraph.cli.root import Commands

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
LAB = "practice/living-lab"


@pytest.fixture
def run(small_home, monkeypatch):
    """Run a command on the invented data; gives exit code, standard output and standard error."""
    monkeypatch.setenv("KVGRAPH_HOME", str(small_home))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *args: CliRunner().invoke(main, list(args))


def test_every_command_is_documented_and_has_an_example(run):
    for name, command in main.commands.items():
        assert f"`{name}" in README, f"{name} is not in the README"
        text = run(name, "--help").output
        assert command.help and "Example:" in text and f"kvgraph {name}" in text


def test_an_unknown_command_names_the_nearest(run):
    done = run("serch", "x")
    assert done.exit_code == 2 and "Did you mean: search" in done.stderr


def test_build_refuses_with_what_to_mend(tmp_path, small_data):
    path = small_data / "living-lab.trig"
    path.write_text(path.read_text(encoding="utf-8").replace('dcterms:title "Living lab of the harbour"@en ;', ""), encoding="utf-8")
    done = CliRunner().invoke(main, ["build", "--home", str(tmp_path / "home"), "--data", str(small_data)])
    assert done.exit_code == 1
    assert "data/living-lab.trig" in done.stderr and LAB in done.stderr and "Traceback" not in done.stderr


def test_build_says_when_nothing_changed(tmp_path, small_data):
    args = ["build", "--home", str(tmp_path / "home"), "--data", str(small_data)]
    assert "is current: 1 practice, " in CliRunner().invoke(main, args).stderr
    assert "Nothing has changed" in CliRunner().invoke(main, args).stderr


@pytest.mark.parametrize("args", [["query", "ASK {}"], ["search", "x"], ["releases", "switch", "x"], ["export"], ["serve"]])
def test_without_a_release_the_message_names_the_command_that_makes_one(tmp_path, monkeypatch, args):
    monkeypatch.setenv("KVGRAPH_HOME", str(tmp_path / "none"))
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 1 and ("kvgraph build" in done.stderr or "no release 'x'" in done.stderr)


def test_query_prints_csv_in_a_pipe_and_knows_the_prefixes(run):
    done = run("query", "SELECT ?title { ?p a kv:Practice ; dcterms:title ?title }")
    assert (done.exit_code, done.stdout) == (0, "title\nLiving lab of the harbour\n")


@pytest.mark.parametrize("format", ["csv", "tsv", "json", "table"])
def test_query_prints_rows_in_every_format(run, format):
    done = run("query", "SELECT ?title { ?p a kv:Practice ; dcterms:title ?title }", "--format", format)
    assert done.exit_code == 0 and "Living lab of the harbour" in done.stdout


@pytest.mark.parametrize("format", ["turtle", "ttl", "nt", "jsonld", "rdf"])
def test_query_prints_triples_in_every_format(run, format):
    done = run("query", "CONSTRUCT WHERE { ?p dcterms:title ?title }", "--format", format)
    assert done.exit_code == 0 and "Living lab of the harbour" in done.stdout


def test_query_reads_a_file_or_standard_input(run, tmp_path):
    (tmp_path / "q.rq").write_text("ASK { ?p a kv:Practice }", encoding="utf-8")
    assert run("query", "--file", str(tmp_path / "q.rq")).stdout == "true\n"
    assert run("query").exit_code == 2


def test_a_format_that_does_not_fit_says_which_do(run):
    done = run("query", "CONSTRUCT WHERE { ?p dcterms:title ?title }", "--format", "csv")
    assert done.exit_code == 1 and "turtle" in done.stderr


def test_a_syntax_error_has_the_line_and_column_of_what_was_typed(run):
    done = run("query", "SELECT ?x {\n ?x ?y }")
    assert done.exit_code == 1 and "Line 2" in done.stderr


def test_service_is_refused(run):
    assert "SERVICE" in run("query", "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }").stderr


def test_run_without_a_name_lists_the_questions(run):
    names = [row["name"] for row in csv.DictReader(io.StringIO(run("run").stdout))]
    assert len(names) >= 25 and "practices-by-region" in names


def test_run_answers_a_question(run):
    done = run("run", "practices-by-region", "region=nuts:ES5", "-f", "json")
    assert "Living lab of the harbour" in done.stdout and json.loads(done.stdout)["results"]["bindings"]


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["practices-by-regoin"], 1, "practices-by-region"),
        (["practices-by-region", "regoin=nuts:ES5"], 1, "region"),
        (["practices-by-region"], 1, "region"),
        (["practices-by-region", "region=<>"], 1, "region"),
        (["practices-by-region", "region"], 2, "PARAM=VALUE"),
    ],
)
def test_a_wrong_question_or_parameter_names_the_nearest(run, args, status, words):
    done = run("run", *args)
    assert done.exit_code == status and words in done.stderr


def test_search(run):
    rows = list(csv.DictReader(io.StringIO(run("search", "harbor lab", "--type", "practice").stdout)))
    assert rows[0]["label"] == "Living lab of the harbour"
    assert run("search", "zzzzzzzz").exit_code == 3


def test_search_narrowed_by_facets(run):
    rows = list(csv.DictReader(io.StringIO(run("search", "--where", "country=Spain", "--where", "country=DNK", "--type", "actor", "--order", "title").stdout)))
    assert [row["label"] for row in rows] == ["Fjord Institute", "Harbour University"]
    unknown = run("search", "--where", "country=Spian")
    assert unknown.exit_code == 1 and "ESP (Spain)" in unknown.stderr
    assert "FACET=VALUE" in run("search", "--where", "country").stderr


def test_connect_by_name_and_short_id(run):
    done = run("connect", "harbour university", "actor/fjord-institute")
    assert done.exit_code == 0 and "Living lab of the harbour" in done.stdout and "https://example.org/living-lab" in done.stdout
    rows = json.loads(run("connect", "Harbour University", "Fjord Institute", "-f", "json").stdout)
    assert rows[0]["path"] == 1 and rows[0]["sentence"]


def test_a_name_nobody_has_names_the_nearest(run):
    done = run("describe", "harbour")
    assert done.exit_code == 1 and LAB in done.stderr


def test_describe_names_the_source_of_each_statement(run):
    rows = list(csv.DictReader(io.StringIO(run("describe", LAB).stdout)))
    channel = next(r for r in rows if r["property"] == "kv:channel")
    assert channel["basis"] == "classified" and channel["source"] == "https://example.org/living-lab"
    assert "@prefix" in run("describe", LAB, "-f", "turtle").stdout


@pytest.mark.parametrize("format", ["nquads", "trig", "turtle", "ntriples", "jsonld", "rdfxml"])
def test_export_to_a_file(run, tmp_path, format):
    done = run("export", "--format", format, "--output", str(tmp_path / "dump"))
    assert done.exit_code == 0 and "Living lab of the harbour" in (tmp_path / "dump").read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["dump"]


def test_validate_reports_only_what_the_file_says(run, small_data, tmp_path):
    path = small_data / "places.trig"
    assert run("validate", "--data", str(small_data), str(path)).exit_code == 0
    path.write_text(path.read_text(encoding="utf-8").replace("kv:nutsLevel 1", "kv:nutsLevel 9"), encoding="utf-8")
    done = run("validate", "--data", str(small_data), str(path), "-f", "json")
    assert done.exit_code == 1
    assert {r["subject"] for r in json.loads(done.stdout) if r["severity"] == "Violation"} == {"http://data.europa.eu/nuts/code/ES5"}


def test_releases_are_listed(run):
    assert re.search(r"current,\d{4}-\d\d-\d\d-[0-9a-f]{8}", run("releases", "--format", "csv").stdout)


def test_doctor_finds_nothing_wrong(run):
    done = run("doctor")
    assert done.exit_code == 0, done.stdout
    assert "every checksum right" in done.stdout


def test_doctor_says_how_to_mend(tmp_path):
    done = CliRunner().invoke(main, ["doctor", "--home", str(tmp_path)])
    assert done.exit_code == 1 and "kvgraph build" in done.stdout


# ── Places that are not there, and what cannot be written ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("args", [["build"], ["import", "ror", "x.json"], ["users"]])
def test_a_home_that_cannot_be_is_a_message(tmp_path, args):
    (tmp_path / "file").touch()
    done = CliRunner().invoke(main, [*args, "--home", str(tmp_path / "file")])
    assert done.exit_code == 1 and "Error:" in done.stderr and "Traceback" not in done.output


def test_a_folder_without_records_is_no_reason_to_publish_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(main, ["build", "--home", str(tmp_path / "home"), "--data", str(tmp_path / "empty")])
    assert done.exit_code == 1 and "There are no records in" in done.stderr


def test_files_that_cannot_be_read_or_written_are_named(run, tmp_path):
    (tmp_path / "q.rq").write_bytes(b'SELECT * { ?s ?p "\xff" }')
    (tmp_path / "notes.txt").write_text("notes")
    for args, message in (
        (["query", "--file", str(tmp_path / "q.rq")], "is not in UTF-8: byte 19 is 0xff"),
        (["export", "--output", str(tmp_path / "none" / "dump.nq")], "No such file or directory"),
        (["import", "table", "--template", str(tmp_path / "none" / "t.xlsx")], "No such file or directory"),
        (["validate", str(tmp_path / "notes.txt")], "the name ends in none of .trig"),
    ):
        done = run(*args)
        assert done.exit_code == 1 and message in done.stderr and "Traceback" not in done.output


def test_a_dash_is_standard_output(run):
    assert "Living lab of the harbour" in run("export", "-o", "-").stdout


@pytest.mark.parametrize("error, of_disk", [(TimeoutError("the read timed out"), False), (OSError(28, "No space left on device"), True), (PermissionError(13, "Permission denied", "/x"), True)])
def test_only_errors_of_disks_are_given_advice_on_disks(error, of_disk):
    @click.group(cls=Commands)
    def commands():
        pass

    @commands.command()
    def fetch():
        raise error

    done = CliRunner().invoke(commands, ["fetch"])
    assert done.exit_code == 1 and str(error.strerror or error) in done.stderr and ("room on the disk" in done.stderr) is of_disk


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="/dev/full is what Linux has for a disk that is full")
def test_a_full_disk_is_noticed_and_a_device_not_replaced(small_home):
    """What is buffered is written when the program ends, where nobody looks any more."""
    for args in (["run", "practices-per-channel"], ["export", "-o", "/dev/full"]):
        with open("/dev/full", "wb", buffering=0) as full:
            done = subprocess.run([sys.executable, "-m", "kvgraph", *args, "--home", str(small_home)], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "No space left on device" in done.stderr and Path("/dev/full").is_char_device()


def test_errors_are_said_where_there_is_no_standard_output(tmp_path):
    (tmp_path / "file").touch()
    command = f"exec '{sys.executable}' -m kvgraph build --home '{tmp_path / 'file'}' >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "Error:" in done.stderr and "Traceback" not in done.stderr


def test_what_is_said_twice_or_is_not_there_is_refused(run):
    done = run("run", "practices-by-region", "region=nuts:ES51", "region=nuts:ES52")
    assert done.exit_code == 2 and "'region' is said twice" in done.stderr
    assert run("describe", "http://example.org/nothing", "-f", "turtle").exit_code == 1


def test_a_template_needs_no_name_and_messages_have_no_pictures(run, tmp_path):
    done = run("import", "--template", str(tmp_path / "practices.csv"))
    assert done.exit_code == 0 and (tmp_path / "practices.csv").read_text(encoding="utf-8-sig").startswith("title,")
    (tmp_path / "names.csv").write_text("root:x:0\nKU Leuven\n")
    assert "root:x:0" in run("reconcile", str(tmp_path / "names.csv"), "--column", "name").stderr
