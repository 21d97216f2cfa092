"""Other engines: asked through :class:`Remote`, filled through ``kvgraph releases push``."""

import json
import shutil
import subprocess
import time
from gzip import decompress

import pytest
from click.testing import CliRunner

import kvgraph
from kvgraph import push as pushing
from kvgraph import queries
from kvgraph.build import build
from kvgraph.cli import main
from kvgraph.formats import JSON
from kvgraph.graph import Graph, Rows
from kvgraph.push import GraphStore, push
from kvgraph.store import EndpointError, QueryError, QuerySyntaxError, Remote
from kvgraph.store.published import CURRENT, Names, Published

from . import engines
from .client import client_of
from .conftest import SMALL
from .serving import free_port, get, served, until

COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
PRACTICE = "SELECT ?title { ?p a <https://w3id.org/kvgraph/def/kv#Practice> ; <http://purl.org/dc/terms/title> ?title }"
GRAPHS = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"


def one(rows) -> str:
    (row,) = rows
    return row[0].value


def said(answer):
    """An answer of a Graph in a shape that two engines can be compared in."""
    return sorted(map(str, answer.terms)) if isinstance(answer, Rows) else sorted(map(str, answer)) if not isinstance(answer, bool) else answer


def everything(engine) -> Remote:
    """An engine with all it holds, as somebody sees it who knows nothing of releases."""
    remote = Remote(engine.query)
    remote._followed = float("inf"), None
    return remote


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two releases of one home; the second one calls the practice otherwise. Not to be changed."""
    home, data = tmp_path_factory.mktemp("two"), shutil.copytree(SMALL, tmp_path_factory.mktemp("data") / "small")
    first = build(home, data=data).release
    path = data / "living-lab.trig"
    path.write_text(path.read_text(encoding="utf-8").replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
    return first, build(home, data=data).release


@pytest.fixture
def engine():
    with engines.oxigraph() as started:
        yield started


@pytest.fixture(scope="module")
def pushed(small_home):
    """An Oxigraph to which the release of the invented data was pushed, and nothing else."""
    with engines.oxigraph() as started:
        push(kvgraph.open(small_home).release, GraphStore(started.store))
        yield started


# ── Real engines ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def bundled(bundled_home):
    """The bundled release in process, and in an Oxigraph that was given the dump."""
    here = kvgraph.open(bundled_home)
    with engines.oxigraph() as started:
        engines.load(started, decompress(here.release.nquads.read_bytes()))
        yield here, Graph(Remote(started.query), here.release)


@pytest.mark.parametrize("name", queries.names() + queries.names(kind="pages"))
def test_every_question_has_the_same_answer_from_an_engine_that_loaded_the_dump(bundled, name):
    here, there = bundled
    question = queries.load(name)
    answer = said(here.run(name, **question.examples))
    assert said(there.run(name, **question.examples)) == answer
    assert answer not in ([], None) or "imported" in question.tags  # without imports there is nothing to say


def test_another_kvgraph_is_a_remote_engine(small_home):
    here = kvgraph.open(small_home)
    with served(small_home) as base:
        there = Graph(Remote(base + "/sparql"), here.release)
        for query in (PRACTICE, GRAPHS, "ASK { ?s ?p ?o }", "DESCRIBE <https://w3id.org/kvgraph/id/practice/living-lab>"):
            assert said(there.query(query)) == said(here.query(query))
        with pytest.raises(QuerySyntaxError) as caught:
            there.query("ASK {\n ?s ex:p ?o }")
        assert (caught.value.line, caught.value.column, caught.value.source) == (2, 5, " ?s ex:p ?o }")
        with pytest.raises(QuerySyntaxError, match="^Line 1, column 46: The SELECT contains"):
            there.query("SELECT ?s (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")


def test_the_web_application_answers_from_a_remote_engine(pushed, small_home, monkeypatch):
    here = client_of(small_home)
    monkeypatch.setenv("KVGRAPH_ENDPOINT", pushed.query)
    there = client_of(small_home)
    assert isinstance(there.application.extensions["kvgraph"].graphs().backend, Remote)
    for path in (
        "/doc/practice/living-lab.nt", "/doc/practice/living-lab", "/def/channel", "/questions/practices-per-country?format=csv", "/readyz",
        "/questions/statements-by-basis?format=csv", f"/sparql?query={COUNT}&format=csv", "/search?q=harbour",
    ):  # fmt: skip
        mine, theirs = here.get(path), there.get(path)
        assert theirs.status_code == mine.status_code == 200, path
        assert sorted(theirs.data.split()) == sorted(mine.data.split()), path
    assert there.get("/sparql?query=ASK").status_code == 400
    of_graph = there.get(f"/sparql?query={COUNT}&format=csv&default-graph-uri=https://w3id.org/kvgraph/def/channel")
    assert of_graph.data == here.get(f"/sparql?query={COUNT}&format=csv&default-graph-uri=https://w3id.org/kvgraph/def/channel").data


def test_serve_needs_no_pool_with_a_remote_engine(pushed, small_home, monkeypatch):
    monkeypatch.setenv("KVGRAPH_ENDPOINT", pushed.query)
    with served(small_home) as base:
        assert get(f"{base}/doc/practice/living-lab")[0] == 200
        assert get(f"{base}/sparql?query={COUNT.replace(' ', '+')}", "text/csv")[2] == b"n\r\n%d\r\n" % kvgraph.open(small_home).release.manifest["counts"]["triples"]
        commands = descendants(base.rpartition(":")[2])
        assert any("kvgraph.serve.wsgi" in c for c in commands) and not any("kvgraph.store.pool" in c for c in commands), commands


def descendants(port: str) -> list[str]:
    """The command lines of all processes under the `kvgraph serve` of that port."""
    listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [(int(child), int(parent), command) for child, parent, command in (line.split(None, 2) for line in listed if len(line.split(None, 2)) == 3)]
    found, below = [], {child for child, _, command in rows if "kvgraph serve" in command and command.endswith(f"--port {port}")}
    assert below
    while below:
        found += [command for _, parent, command in rows if parent in below]
        below = {child for child, parent, _ in rows if parent in below}
    return found


def test_the_command_line_asks_the_endpoint(pushed, small_home, monkeypatch):
    monkeypatch.setenv("KVGRAPH_ENDPOINT", pushed.query)
    done = CliRunner().invoke(main, ["run", "practices-per-country", "--home", str(small_home)])
    assert done.exit_code == 0 and done.stdout.count("\n") == 2
    monkeypatch.setenv("KVGRAPH_ENDPOINT", f"http://127.0.0.1:{free_port()}/query")
    done = CliRunner().invoke(main, ["query", "ASK {}", "--home", str(small_home)])
    assert done.exit_code == 1 and "Nobody answers at" in done.stderr and "Traceback" not in done.stderr


# ── A release that was pushed ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    [
        COUNT, GRAPHS, PRACTICE, queries.load("statements-by-basis").bind(), queries.load("practices-per-source-kind").bind(),
        queries.load("sources-of-statements").bind(thing="https://w3id.org/kvgraph/id/practice/living-lab"),
        queries.load("pages/graph").bind(graph="https://w3id.org/kvgraph/def/channel"),
        COUNT.replace("{", "FROM <https://w3id.org/kvgraph/def/channel> {"),
        "PREFIX g: <https://w3id.org/kvgraph/graph/> SELECT * { GRAPH g:sources { ?s ?p ?o } }",
        "PREFIX d: <https://w3id.org/kvgraph/def/> SELECT ?s FROM d:channel { ?s ?p ?o }",
        "SELECT * FROM NAMED <https://w3id.org/kvgraph/graph/sources> { GRAPH ?g { ?s ?p ?o } }",
        "SELECT ?g ?basis { GRAPH ?g { ?s a <https://w3id.org/kvgraph/def/kv#Practice> } ?g <https://w3id.org/kvgraph/def/kv#basis> ?basis }",
    ],
    ids=range(12),
)  # fmt: skip
def test_a_pushed_release_answers_with_its_own_names_and_keeps_who_says_what(pushed, small_home, query):
    here = kvgraph.open(small_home)
    assert said(Graph(Remote(pushed.query), here.release).query(query)) == said(here.query(query)) != []


def test_at_the_endpoint_the_graphs_have_versioned_names(pushed, small_home):
    names = Names(kvgraph.open(small_home).release.id)
    bare = everything(pushed)
    found = {row["g"].value for row in bare.select(GRAPHS)}
    assert {names.default, names.release, CURRENT, names.graph("https://w3id.org/kvgraph/def/kv")} < found
    assert all(name.startswith("https://w3id.org/kvgraph/release/") for name in found)
    about = f"ASK {{ GRAPH <{names.default}> {{ ?g <https://w3id.org/kvgraph/def/kv#basis> ?b }} GRAPH ?g {{ ?s ?p ?o }} }}"
    assert bare.ask(about)


def test_a_filter_stands_in_where_graph_reaches_every_graph():
    text, dataset = Published(Names("r"), None).prepare("SELECT * { ?s ?p ?o OPTIONAL { GRAPH ?g { ?s ?p ?o } } }")
    only = 'FILTER(STRSTARTS(STR(?g), "https://w3id.org/kvgraph/release/r/") && ?g != <https://w3id.org/kvgraph/release/r/default>)'
    assert text == f"SELECT * {{ ?s ?p ?o OPTIONAL {{ {only} GRAPH ?g {{ ?s ?p ?o }} }} }}"
    assert dataset == [("default-graph-uri", "https://w3id.org/kvgraph/release/r/default")]


@pytest.mark.parametrize("graph", ["<https://w3id.org/kvgraph/def/kv>", "d:kv", "e:a"])
def test_there_only_a_graph_that_the_query_names_is_named(graph):
    query = f"PREFIX d: <https://w3id.org/kvgraph/def/> PREFIX e: <http://example.org/> ASK {{ GRAPH {graph} {{ ?s ?p ?o }} }}"
    _, dataset = Published(Names("r"), None).prepare(query)
    named = {"e:a": "http://example.org/a"}.get(graph, "https://w3id.org/kvgraph/release/r/def/kv")
    assert dataset == [("default-graph-uri", "https://w3id.org/kvgraph/release/r/default"), ("named-graph-uri", named)]
    with pytest.raises(QueryError, match="with the name of a graph and with a variable"):
        Published(Names("r"), None).prepare(query.replace("ASK {", "ASK { GRAPH ?g { ?s ?p ?o }"))


def test_a_default_graph_can_be_named(engine, two):
    first, second = two
    for release in two:
        push(release, GraphStore(engine.store))
    titles = {release.id: one(Remote(engine.query, default_graph=Names(release.id).default).select(PRACTICE)) for release in two}
    assert titles == {first.id: "Living lab of the harbour", second.id: "Harbour lab"}
    assert one(Remote(engine.query).select(PRACTICE)) == "Harbour lab"
    channel = Remote(engine.query, default_graph=Names(first.id).graph("https://w3id.org/kvgraph/def/channel"))
    assert int(one(channel.select(COUNT))) > 50 and one(channel.select(COUNT.replace("{", f"FROM <{CURRENT}> {{"))) == "5"


def test_readers_see_the_old_release_until_the_new_one_is_complete(engine, two):
    first, second = two
    push(first, GraphStore(engine.store))
    seen = []
    push(second, GraphStore(engine.store), progress=lambda done, total: seen.append(one(Remote(engine.query).select(PRACTICE))))
    assert len(seen) > 10 and set(seen) == {"Living lab of the harbour"}
    assert one(Remote(engine.query).select(PRACTICE)) == "Harbour lab"


def test_a_broken_push_changes_nothing_and_is_repeated(engine, two):
    first, second = two
    store = GraphStore(engine.store)
    push(first, store)

    def pull_the_plug(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(second, store, progress=pull_the_plug)
    assert one(Remote(engine.query).select(PRACTICE)) == "Living lab of the harbour"
    push(second, store)
    there = Graph(Remote(engine.query), second)
    assert said(there.query(COUNT)) == said(kvgraph.open(second.path.parents[1]).query(COUNT))


def test_prune_deletes_all_but_the_current_release_and_the_one_before(engine, two, monkeypatch):
    first, second = two
    store = GraphStore(engine.store)
    monkeypatch.setattr(pushing, "BATCH", 2000)  # many small requests
    push(first, store)
    assert push(second, store, prune=True) == []  # readers may be in the middle of the first
    assert push(second, store, prune=True) == [first.id]
    assert store.get(Names(first.id).default) == store.get(Names(first.id).release) == []
    assert not [row for row in everything(engine).select(GRAPHS) if first.id in row["g"].value]
    assert one(Remote(engine.query).select(PRACTICE)) == "Harbour lab"


def test_going_back_sends_nothing_again(engine, two):
    first, second = two
    store = GraphStore(engine.store)
    for release in two:
        push(release, store)
    sent = []
    push(first, store, progress=lambda *done: sent.append(done))
    assert sent == [] and one(Remote(engine.query).select(PRACTICE)) == "Living lab of the harbour"


def test_requests_are_bounded(engine, two, monkeypatch):
    sizes = []
    send = GraphStore._send
    monkeypatch.setattr(GraphStore, "_send", lambda self, method, graph, body=None, **more: (sizes.append(len(body or b"")), send(self, method, graph, body, **more))[1])
    monkeypatch.setattr(pushing, "BATCH", 5000)
    push(two[0], GraphStore(engine.store))
    assert max(sizes) <= 5000 and len([s for s in sizes if s > 4000]) > 20
    assert one(Remote(engine.query).select(COUNT)) == str(two[0].manifest["counts"]["triples"])


def test_a_reader_follows_what_is_current(engine, two, monkeypatch):
    for release in two:
        push(release, GraphStore(engine.store))
    reader = Remote(engine.query)
    assert one(reader.select(PRACTICE)) == "Harbour lab"
    push(two[0], GraphStore(engine.store))
    assert one(reader.select(PRACTICE)) == "Harbour lab"
    monkeypatch.setattr("kvgraph.store.remote.FOLLOW", 0.0)
    assert one(reader.select(PRACTICE)) == "Living lab of the harbour"


def test_a_release_that_is_not_there_is_said_and_not_answered_from_another(engine, two, monkeypatch):
    first, second = two
    push(first, GraphStore(engine.store))
    with pytest.raises(EndpointError, match=f"does not hold release {second.id}; it holds {first.id}. Publish"):
        Remote(engine.query, release=second.id).select(PRACTICE)
    monkeypatch.setenv("KVGRAPH_ENDPOINT", engine.query)
    home = str(second.home)
    done = CliRunner().invoke(main, ["query", "ASK {}", "--home", home])
    assert done.exit_code == 1 and "releases push" in done.stderr
    push(second, GraphStore(engine.store))
    done = CliRunner().invoke(main, ["query", PRACTICE, "--home", home])
    assert done.exit_code == 0 and "Harbour lab" in done.stdout


def test_a_server_goes_to_a_new_release_when_the_endpoint_holds_it(engine, tmp_path, small_data, monkeypatch):
    old = build(tmp_path, data=small_data).release
    push(old, GraphStore(engine.store))
    monkeypatch.setenv("KVGRAPH_ENDPOINT", engine.query)
    with served(tmp_path) as base:
        path = small_data / "living-lab.trig"
        path.write_text(path.read_text(encoding="utf-8").replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
        new = build(tmp_path, data=small_data).release
        time.sleep(1.5)
        assert get(f"{base}/readyz")[2] == f"ready: release {old.id}\n".encode()
        push(new, GraphStore(engine.store))
        until(lambda: get(f"{base}/readyz")[2] == f"ready: release {new.id}\n".encode())
        assert b"Harbour lab" in get(f"{base}/doc/practice/living-lab.nt")[2]


def test_push_on_the_command_line(engine, two):
    home = str(two[0].path.parents[1])
    done = CliRunner().invoke(main, ["releases", "--home", home, "push", engine.store, "--release", two[0].id])
    assert done.exit_code == 0 and f"Release {two[0].id} is current at {engine.store}." in done.stderr
    done = CliRunner().invoke(main, ["releases", "--home", home, "push", engine.store, "--prune"])
    assert done.exit_code == 0 and f"Release {two[1].id} is current" in done.stderr
    assert one(Remote(engine.query).select(PRACTICE)) == "Harbour lab"
    assert CliRunner().invoke(main, ["releases", "--home", home, "push", engine.store, "--user", "me"]).exit_code == 2


def test_formats_of_the_answer_are_ours(pushed, tmp_path):
    outcome = Remote(pushed.query).answer(COUNT, JSON, tmp_path / "answer")
    assert outcome.bytes == (tmp_path / "answer").stat().st_size and json.loads((tmp_path / "answer").read_bytes())["head"] == {"vars": ["n"]}
