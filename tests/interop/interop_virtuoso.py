"""Virtuoso from Debian as the engine: a release is pushed to it, and answers there as it does here.

Needs ``apt-get install virtuoso-opensource-7-bin``. What Virtuoso does otherwise than the standard is listed in DIFFERENCES, each with its reason.
"""

import gzip
import inspect
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox
import pytest

import kvgraph
from kvgraph import queries
from kvgraph.formats import GRAPHS
from kvgraph.graph import Graph, Rows
from kvgraph.push import GraphStore, PushRefused, push
from kvgraph.store import QueryTooLarge, Remote
from kvgraph.store.published import CURRENT, Names
from tests import test_store
from tests.engines import answers
from tests.serving import free_port, until
from tests.test_store import graph_file  # noqa: F401, a fixture

INSTALL = "apt-get install --no-install-recommends virtuoso-opensource-7-bin"
SETTINGS = """
[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
[TempDatabase]
DatabaseFile = virtuoso-temp.db
TransactionFile = virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
NumberOfBuffers = 20000
MaxDirtyBuffers = 15000
DirsAllowed = .
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = .
[SPARQL]
ResultSetMaxRows = 50000
"""

# Tests of the border (by the beginning of their name) and questions in which Virtuoso 7.2 differs, and why.
NODES = "Virtuoso calls blank nodes nodeID://b1, which is no label of one; a release has none."
DESCRIBES = "Virtuoso's DESCRIBE also gives the triples that end in the thing; the standard leaves that open."
READS_ELSE = "Virtuoso says what it read, and not where; or it takes what is not SPARQL."
POINTS = "Virtuoso keeps points as numbers of single precision, under a datatype of its own."
WHOLE = "Virtuoso divides whole numbers into whole numbers."
ORDER = "Virtuoso refuses an ORDER BY that computes with an aggregate of the SELECT."
UNKNOWN = "Virtuoso gives other rows; which part of the query it reads otherwise was not found out yet."
DIFFERENCES = {
    "test_select_keeps_every_kind_of_term": NODES,
    "test_select_leaves_unbound": NODES,
    "test_answer_to_select": NODES,
    "test_construct[DESCRIBE": DESCRIBES,
    **{f"test_answer_with_triples[{f.name}-DESCRIBE": DESCRIBES for f in GRAPHS},
    "test_the_default_graph_is_not_the_union": "A variable after GRAPH reaches every graph, the default graph and Virtuoso's own among them.",
    "test_syntax_errors_have_a_place[SELECT ?s (COUNT": READS_ELSE,
    "test_syntax_errors_have_a_place[ASK {\\n ?s ?p": READS_ELSE,
    "test_syntax_errors_have_a_place[SELECT * WHERE { ?s ?p }": READS_ELSE,
    **{f"test_syntax_errors_have_a_place[{query}": READS_ELSE for query in ("SELECT ?a, ?b", "SELECT COUNT(?a)", "SELECT ?a (COUNT(?b)", "SELECT (COUNT(*) AS ?n) (?n + 1", "SELECT * { ?s ?p } # a", "ASK { ?s ?p 'x'@notatagatall")},
    "test_syntax_errors_have_a_place[ASK { ?s ?p <http": "Virtuoso knows no escapes in IRIs, and says so in its own words.",
    "test_json_ld_1_1_holds_no_triple_within_a_triple": "Virtuoso knows no triples within triples.",
    **{f"test_question[{name}]": POINTS for name in ("practices-on-the-map", "pages/places")},
    **{f"test_question[{name}]": WHOLE for name in ("completeness", "complete-records")},
    **{f"test_question[{name}]": ORDER for name in ("incomplete-records", "suspected-duplicates", "unconnected-records", "pages/selection")},
    **{f"test_question[{name}]": UNKNOWN for name in ("similar-regions", "pages/map", "pages/hubs")},
}


@contextmanager
def virtuoso(folder: Path):
    """A real Virtuoso on free ports of 127.0.0.1; gives the base of its addresses."""
    program = shutil.which("virtuoso-t")
    if program is None:
        pytest.fail(f"Virtuoso is not installed: {INSTALL}")
    http = free_port()
    (folder / "virtuoso.ini").write_text(SETTINGS.format(sql=free_port(), http=http))
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen([program, "+foreground", "+configfile", "virtuoso.ini"], cwd=folder, stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{http}/sparql?query=ASK%7B%7D"), 120)
        assert process.poll() is None, (folder / "output").read_text(errors="replace")[-2000:]
        yield f"http://127.0.0.1:{http}"
    finally:
        process.kill()
        process.wait(30)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with virtuoso(tmp_path_factory.mktemp("virtuoso")) as address:
        yield address


def store(base: str) -> GraphStore:
    """Its graph store, which wants Digest authentication. The password is that of a fresh installation."""
    return GraphStore(base + "/sparql-graph-crud-auth", "dba", "dba")


@pytest.fixture(autouse=True)
def differences(request):
    name = request.node.name
    for beginning, reason in DIFFERENCES.items():
        if name.startswith(beginning):
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


# ── The border ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def backend(base, graph_file):  # noqa: F811
    """The graphs of the contract tests. Virtuoso has no default graph of its own: there it is one with a name."""
    graphs: dict[str, list[ox.Triple]] = {}
    for quad in ox.parse(gzip.decompress(graph_file.read_bytes()), format=ox.RdfFormat.N_QUADS):
        name = "http://example.org/default" if isinstance(quad.graph_name, ox.DefaultGraph) else quad.graph_name.value
        graphs.setdefault(name, []).append(quad.triple)
    for name, triples in graphs.items():
        store(base).put(name, triples)
    return Remote(base + "/sparql", default_graph="http://example.org/default")


# The same functions, collected here with the fixture above.
globals().update({n: f for n, f in vars(test_store).items() if n.startswith("test_") and "backend" in inspect.signature(f).parameters})


# ── A release ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def pushed(base, bundled_home):
    here = kvgraph.open(bundled_home)
    push(here.release, store(base))
    return here, Graph(Remote(base + "/sparql", release=here.release.id, timeout=120), here.release)


def said(answer):
    if isinstance(answer, Rows):
        return sorted(map(str, answer.terms))
    return answer if isinstance(answer, bool) else sorted(map(str, answer))


def test_all_of_the_release_is_there(pushed):
    here, there = pushed
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    assert said(there.query(count)) == said(here.query(count))


@pytest.mark.parametrize("name", queries.names() + queries.names(kind="pages"))
def test_question(pushed, name):
    here, there = pushed
    question = queries.load(name)
    answer = said(here.run(name, **question.examples))
    assert said(there.run(name, **question.examples)) == answer
    assert answer != [] or "imported" in question.tags  # without imports there is nothing to say


def test_a_cut_answer_is_an_error(pushed):
    with pytest.raises(QueryTooLarge, match="cut"):
        pushed[1].query("SELECT * { ?s ?p ?o }")


def test_the_command_line_asks_virtuoso(pushed, base):
    here, _ = pushed
    env = {**os.environ, "KVGRAPH_ENDPOINT": base + "/sparql", "KVGRAPH_HOME": str(here.release.home)}
    done = subprocess.run([sys.executable, "-m", "kvgraph", "run", "practices-per-country"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count("\n") > 10, done.stderr


def test_a_wrong_password_is_refused(base, pushed):
    with pytest.raises(PushRefused, match="does not let us write"):
        push(pushed[0].release, GraphStore(base + "/sparql-graph-crud-auth", "dba", "wrong"))


def test_a_second_push_sends_nothing_and_says_the_same(base, pushed):
    before = set(store(base).get(CURRENT))
    push(pushed[0].release, store(base))
    after = set(store(base).get(CURRENT))
    assert {t.subject.value for t in before} == {t.subject.value for t in after} == {CURRENT, Names(pushed[0].release.id).release}
