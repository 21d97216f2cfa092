"""The whole server as people run it: pool, web processes, the release they follow."""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from SPARQLWrapper import CSV, JSON, JSONLD, N3, RDFXML, TSV, TURTLE, XML, SPARQLWrapper

from kvgraph import queries
from kvgraph import open as open_graph
from kvgraph.build import build
from kvgraph.server import DEFAULTS

from .serving import get, served, until

SELECT = "PREFIX dcterms: <http://purl.org/dc/terms/> SELECT ?s ?title { ?s dcterms:title ?title } ORDER BY ?s ?title LIMIT 20"
CONSTRUCT = "PREFIX dcterms: <http://purl.org/dc/terms/> CONSTRUCT { ?s dcterms:title ?t } WHERE { ?s dcterms:title ?t }"


@pytest.fixture(scope="module")
def base(bundled_base):
    return bundled_base


@pytest.fixture(scope="module")
def graph(bundled_home):
    return open_graph(bundled_home)


def test_a_second_start_takes_little(bundled_home):
    """Six seconds of processor time, measured, for all its processes until they have ended; by the clock it is half of that, unless others are busy on the machine (make interop has a look)."""
    before = os.times()
    with served(bundled_home) as base:
        assert get(base + "/")[0] == 200
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert 0.5 < used < 12


def test_a_taken_port_is_said(small_home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "kvgraph", "serve", "--home", str(small_home), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and f"127.0.0.1:{port}" in done.stderr and "--port" in done.stderr


@pytest.mark.parametrize("name", queries.names())
def test_every_question_gives_the_same_rows_from_page_url_command_line_and_python(base, graph, bundled_home, name):
    question = queries.load(name)
    answer = graph.run(name, **question.examples)
    if question.form == "ASK":
        status, _, body = get(f"{base}/questions/{name}?{urllib.parse.urlencode(question.examples)}&format=json")
        assert status == 200 and json.loads(body)["boolean"] is answer
        return
    if question.form != "SELECT":
        status, _, body = get(f"{base}/questions/{name}?{urllib.parse.urlencode(question.examples)}&format=ntriples")
        assert status == 200 and set(body.decode().splitlines()) == {f"{triple} ." for triple in answer} != set()
        return
    expected = list(csv.reader(io.StringIO(answer.csv())))
    url = f"{base}/questions/{name}?{urllib.parse.urlencode(question.examples)}"
    status, media_type, body = get(url + "&format=csv")
    assert (status, media_type) == (200, "text/csv")
    assert list(csv.reader(io.StringIO(body.decode()))) == expected
    status, media_type, body = get(f"{base}/sparql?" + urllib.parse.urlencode({"query": question.bind(**question.examples)}), "text/csv")
    assert list(csv.reader(io.StringIO(body.decode()))) == expected
    status, media_type, page = get(url, "text/html")
    assert (status, media_type) == (200, "text/html")
    rows = min(len(expected), 1 + DEFAULTS["PAGE_ROWS"]) if len(answer) else 0
    assert page.count(b"<tr") == rows, "a row of the table for the head and for each answer"
    assert rows or "imported" in question.tags


def test_the_command_line_gives_the_rows_of_python(graph, bundled_home, monkeypatch):
    """One question with all that a command does; then every question of a graph that is loaded already, since loading one for each would take minutes."""
    from click.testing import CliRunner

    from kvgraph.cli import main

    def asked(name):
        question = queries.load(name)
        params = [f"{key}={value}" for key, value in question.examples.items()]
        done = CliRunner().invoke(main, ["run", name, *params, "--home", str(bundled_home), "--format", "csv"])
        assert done.exit_code == 0, done.stderr
        assert done.stdout == graph.run(name, **question.examples).csv().replace("\r\n", "\n")

    names = [name for name in queries.names() if queries.load(name).form == "SELECT"]
    asked(names[0])
    monkeypatch.setattr("kvgraph.graph.open", lambda home: graph)
    for name in names:
        asked(name)
    assert len(names) >= 25


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/sparql-results+json", "application/sparql-results+json"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv", "text/csv"),
        ("text/tab-separated-values", "text/tab-separated-values"),
    ],
)
def test_curl_gets_rows_in_every_format(base, accept, media_type):
    command = ["curl", "--silent", "--show-error", "--fail", "--write-out", "\n%{content_type}", "-H", f"Accept: {accept}"]
    done = subprocess.run([*command, "--data-urlencode", f"query={SELECT}", f"{base}/sparql"], capture_output=True, text=True, check=True)
    body, _, content_type = done.stdout.rpartition("\n")
    assert content_type.split(";")[0] == media_type and "http" in body


@pytest.mark.parametrize("media_type", ["text/turtle", "application/n-triples", "application/ld+json", "application/rdf+xml"])
def test_curl_gets_triples_in_every_format(base, media_type):
    command = ["curl", "--silent", "--show-error", "--fail", "--write-out", "\n%{content_type}", "-H", f"Accept: {media_type}"]
    command += ["-H", "Content-Type: application/sparql-query", "--data-binary", CONSTRUCT, f"{base}/sparql"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    body, _, content_type = done.stdout.rpartition("\n")
    assert content_type.split(";")[0] == media_type and "http" in body


@pytest.mark.parametrize("format", [JSON, XML, CSV, TSV])
def test_sparqlwrapper_gets_rows_in_every_format(base, graph, format):
    client = SPARQLWrapper(base + "/sparql", returnFormat=format)
    client.setQuery(SELECT)
    answer = client.query().convert()
    expected = [row["s"] for row in graph.query(SELECT)]
    if format == JSON:
        assert [row["s"]["value"] for row in answer["results"]["bindings"]] == expected
    elif format == XML:
        assert [node.firstChild.data for node in answer.getElementsByTagName("uri")] == expected
    else:
        assert all(iri in answer.decode() for iri in expected)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # SPARQLWrapper 2.0 still makes one to parse into
@pytest.mark.parametrize("format", [TURTLE, N3, RDFXML, JSONLD])
def test_sparqlwrapper_gets_triples_in_every_format(base, graph, format):
    client = SPARQLWrapper(base + "/sparql", returnFormat=format)
    client.setQuery(CONSTRUCT)
    client.setMethod("POST")
    answer = client.query().convert()
    expected = len(graph.query(CONSTRUCT))
    if isinstance(answer, bytes):
        from rdflib import Graph

        answer = Graph().parse(data=answer, format="turtle")
    assert len(answer) == expected > 100


def test_a_new_release_is_served_without_a_restart(tmp_path, small_data):
    first = build(tmp_path, data=small_data).release
    with served(tmp_path) as base:
        assert first.id.encode() in get(base + "/")[2]
        path = small_data / "living-lab.trig"
        path.write_text(path.read_text(encoding="utf-8").replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
        second = build(tmp_path, data=small_data).release
        until(lambda: second.id.encode() in get(base + "/")[2])
        assert b"Harbour lab" in get(base + "/doc/practice/living-lab")[2]


def test_a_dead_pool_is_replaced(tmp_path, small_data):
    build(tmp_path, data=small_data)
    with served(tmp_path) as base:
        pools = [int(p.name) for p in Path("/proc").glob("[0-9]*") if _command(p).find(str(tmp_path)) >= 0 and "kvgraph.store.pool" in _command(p)]
        assert pools
        for pool in pools:
            os.kill(pool, signal.SIGKILL)
        query = base + "/sparql?" + urllib.parse.urlencode({"query": "ASK {}"})
        until(lambda: get(query, "application/sparql-results+json")[0] == 200)
        assert json.loads(get(query, "application/sparql-results+json")[2])["boolean"] is True


def test_interrupting_leaves_no_process_and_no_file(tmp_path, small_data):
    build(tmp_path, data=small_data)
    with served(tmp_path) as base:
        assert get(base + "/healthz")[0] == 200
    left = [_command(p) for p in Path("/proc").glob("[0-9]*") if str(tmp_path) in _command(p)]
    assert left == []


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
