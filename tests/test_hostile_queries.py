"""Queries meant to harm, each against one pool that must not be impressed.

Each gets a clear error within its limit, a listener hears nothing, an honest client is served all the while, the pool's memory comes back to what it
was, and every worker is alive at the end.
"""

import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pyoxigraph
import pytest

from kvgraph.formats import JSON, TSV
from kvgraph.store import (
    EngineCrashed,
    PoolClient,
    QueryError,
    QuerySyntaxError,
    QueryTimeout,
    QueryTooLarge,
    ServiceRefused,
    check,
    pool,
    wire,
)
from kvgraph.store.desk import Desk
from kvgraph.store.worker import Limits

from .pools import hang

LIMITS = Limits(timeout=2.0, memory=256 * 2**20, max_bytes=2 * 2**20, recycle=16 * 2**20)
TRIPLES = 4000
CROSS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
HONEST = "SELECT ?o { <http://example.org/s7> ?p ?o }"


class Honest(threading.Thread):
    """Asks a light question over and over, and remembers how long each answer took and what went wrong."""

    def __init__(self, socket_path):
        super().__init__()
        self.client, self.took, self.wrong, self.stop = PoolClient(socket_path), [], [], threading.Event()

    def run(self):
        while not self.stop.wait(0.02):
            began = time.monotonic()
            try:
                if len(list(self.client.select(HONEST))) != 5:
                    self.wrong.append("another number of rows")
            except Exception as error:
                self.wrong.append(repr(error))
            self.took.append(time.monotonic() - began)
        self.client.close()


class Listener(threading.Thread):
    """Counts who calls."""

    def __init__(self):
        super().__init__()
        self.calls, self.stop = 0, threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"

    def run(self):
        while not self.stop.is_set():
            if select.select([self.socket], [], [], 0.05)[0]:
                self.socket.accept()[0].close()
                self.calls += 1
        self.socket.close()


@pytest.fixture(scope="module")
def listener():
    thread = Listener()
    thread.start()
    yield thread
    thread.stop.set()
    thread.join()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A pool with an honest client at work. What must hold after all hostile queries is asserted at the end."""
    folder = tmp_path_factory.mktemp("hostile")
    graph = folder / "graph.nq"
    lines = (f'<http://example.org/s{i % (TRIPLES // 5)}> <http://example.org/p{i % 3}> "value {i} {"a" * 30}!" .\n' for i in range(TRIPLES))
    graph.write_text("".join(lines))
    process = pool.start(graph, folder / "private" / "pool.sock", workers=2, limits=LIMITS)
    honest = Honest(folder / "private" / "pool.sock")
    honest.start()
    wait_for(lambda: len(honest.took) > 20)
    honest.baseline = memory(honest.client.status())
    yield honest
    honest.stop.set()
    honest.join()
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture
def stranger(served, listener):
    """A client of ill will; whatever it does, the honest one is served meanwhile and nobody is called."""
    answers, wrong, calls = len(served.took), len(served.wrong), listener.calls
    client = PoolClient(served.client.socket_path, client="stranger")
    yield client
    wait_for(lambda: len(served.took) > answers + 2)
    assert served.wrong[wrong:] == []
    assert max(served.took[answers:]) < 1.0
    assert listener.calls == calls
    wait_for(lambda: all(w["ready"] and w["busy"] is None for w in client_status(client)["workers"]), 5)


def client_status(client):
    try:
        return client.status()
    finally:
        client.close()


def wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.02)


def memory(status):
    """What parent and workers take together, shared pages counted once (PSS), in bytes."""
    total = 0
    for pid in (status["pid"], *(worker["pid"] for worker in status["workers"])):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total * 1024


def refused(client, query, error, within=0.5, **options):
    """The error a query gets, in time."""
    began = time.monotonic()
    with pytest.raises(error) as caught:
        client.answer_file(query, JSON, **options)[1].close()
    assert time.monotonic() - began < within
    assert caught.value.hint or isinstance(caught.value, QuerySyntaxError)
    return caught.value


def concat_chain(links):
    binds = " ".join(f"BIND(CONCAT(?x{i}, ?x{i}) AS ?x{i + 1})" for i in range(links))
    return f"SELECT * {{ BIND('aaaaaaaaaaaaaaaa' AS ?x0) {binds} }}"


DEEP = {
    "5,000 braces": "SELECT * " + "{" * 5000 + "}" * 5000,
    "5,000 braces, never closed": "SELECT * " + "{" * 5000,
    "10,000 parentheses": "ASK { FILTER(" + "(" * 10_000 + "1" + ")" * 10_000 + ") }",
    "10,000 parentheses in a path": "ASK { ?s " + "(" * 10_000 + "<a:p>" + ")" * 10_000 + " ?o }",
    "10,000 blank nodes": "ASK { ?s <a:p> " + "[ <a:p> " * 10_000 + "1" + "]" * 10_000 + " }",
    "700 EXISTS": "ASK { " + "FILTER EXISTS { " * 700 + "}" * 700 + " }",
    "60,000 negations": "ASK { FILTER(" + "!" * 60_000 + "true) }",
    "20,000 path steps": "ASK { ?s " + "/".join(["<a:p>"] * 20_000) + " ?o }",
    "20,000 path alternatives": "ASK { ?s " + "|".join(["<a:p>"] * 20_000) + " ?o }",
    "20,000 ||": "ASK { FILTER(" + "||".join(["?x"] * 20_000) + ") }",
    "20,000 +": "ASK { FILTER(" + "+".join(["?x"] * 20_000) + ") }",
    "3,000 BIND": "ASK { " + " ".join(f"BIND(1 AS ?x{i})" for i in range(3000)) + " }",
    "5,000 MINUS": "ASK { " + "MINUS { ?s ?p ?o } " * 5000 + " }",
    "5,000 OPTIONAL": "ASK { " + "OPTIONAL { ?s ?p ?o } " * 5000 + " }",
    "braces behind an escape": r"SELECT * " + r"\u007B" * 5000 + r"\u007D" * 5000,
}


@pytest.mark.parametrize("query", DEEP.values(), ids=DEEP)
def test_deep_and_long_queries(stranger, query):
    assert refused(stranger, query, QueryTooLarge).limit == "complexity"


def test_the_bounds_are_safe():
    """What the guard lets through does not overflow the stack, not even the usual one of 8 MB."""
    queries = [
        "ASK " + "{" * 100 + "}" * 100,
        "ASK { FILTER(" + "(" * 98 + "1" + ")" * 98 + ") }",
        "ASK { FILTER(" + "!" * 990 + "true) }",
        "ASK { FILTER(" + "||".join(["?x"] * 990) + ") }",
        "ASK { " + "MINUS { ?s ?p ?o } " * 990 + " }",
        "ASK { " + "".join(f"BIND(1 AS ?x{i})" for i in range(990)) + " }",
        "ASK { " + "FILTER EXISTS { " * 98 + "}" * 98 + " }",
        "ASK { " + "FILTER EXISTS { " * 98 + "MINUS { ?s ?p 1 } " * 800 + "}" * 98 + " }",
        "ASK { FILTER(" + "IF(true, " * 98 + "||".join(["?x"] * 900) + ", 1)" * 98 + ") }",
    ]
    script = """
import json, resource, sys
hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
resource.setrlimit(resource.RLIMIT_STACK, (8 * 2**20, hard))
from pyoxigraph import Store
from kvgraph.store import Embedded
for query in json.load(sys.stdin):
    print(Embedded(Store()).ask(query))
"""
    done = subprocess.run([sys.executable, "-c", script], input=json.dumps(queries), capture_output=True, text=True, timeout=60)
    assert (done.returncode, len(done.stdout.split())) == (0, len(queries)), done.stderr


@pytest.mark.parametrize(
    "query",
    [
        CROSS,
        "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(STRLEN(CONCAT(?c, ?f, ?i)) < 0) }",
        "ASK { ?s " + "/".join(["<http://example.org/p1>"] * 900) + " ?o }",
        "ASK { " + "{ ?s <http://example.org/p1> ?o } " * 900 + "}",
    ],
    ids=["cross product", "filtered cross product", "900 path steps", "900 groups"],
)
def test_endless_queries(stranger, query):
    error = refused(stranger, query, QueryTimeout, within=LIMITS.timeout + 1)
    assert error.limit == LIMITS.timeout


@pytest.mark.parametrize(
    "query",
    [
        concat_chain(40),
        "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f",
        "SELECT (GROUP_CONCAT(?c) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    ],
    ids=["exponential CONCAT", "sorted cross product", "concatenated cross product"],
)
def test_queries_that_eat_memory(stranger, query):
    error = refused(stranger, query, (QueryTooLarge, QueryTimeout), within=LIMITS.timeout + 1)
    assert isinstance(error, QueryTimeout) or (error.limit == "memory" and "256 MB" in str(error))


def test_an_exponential_concat_is_stopped_by_memory(stranger):
    error = refused(stranger, concat_chain(40), QueryTooLarge, within=10, timeout=10)
    assert error.limit == "memory"


def test_huge_results(stranger):
    error = refused(stranger, "SELECT * { ?a ?b ?c . ?d ?e ?f }", QueryTooLarge, within=LIMITS.timeout)
    assert error.limit == "bytes" and "2,097,152 bytes" in str(error)
    error = refused(stranger, "SELECT * { ?s ?p ?o }", QueryTooLarge, max_bytes=1000)
    assert error.limit == "bytes"


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|aa)*$", "(.*)*b", "(a{1,100}){1,100}{1,100}"])
def test_regular_expressions(stranger, pattern):
    """Oxigraph's have no catastrophic backtracking; whatever is too much for them is an answer or a limit."""
    query = f'SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o FILTER(REGEX(?o, "{pattern}")) }}'
    began = time.monotonic()
    try:
        stranger.answer_file(query, JSON)[1].close()
    except (QueryTimeout, QueryTooLarge):
        pass
    assert time.monotonic() - began < LIMITS.timeout + 1


def test_a_query_of_10_mb(stranger):
    query = "ASK { } #" + "x" * 10_000_000
    assert refused(stranger, query, QueryTooLarge).limit == "text"
    with socket.socket(socket.AF_UNIX) as raw:  # and past our own client, which would not even send it
        raw.settimeout(10)
        raw.connect(str(stranger.socket_path))
        raw.sendall(wire.pack({"op": "query", "format": "json"}, query.encode()))
        assert wire.receive(raw, 0)[0]["error"]["limit"] == "text"


@pytest.mark.parametrize("text", [b"ASK { ?s ?p '\xff\xfe' }", b"\xc0\xafASK {}", b"ASK { ?s ?p '\xed\xa0\x80' }"])
def test_invalid_utf8(stranger, text):
    desk = Desk(stranger.socket_path)
    error = desk.ask({"format": "json"}, text, "stranger", None)[0]["error"]
    desk.close()
    assert error["code"] == "syntax" and "not UTF-8" in error["message"]
    assert error["line"] == 1


# Everything below must not reach the listener, by whatever reading of the text

BODY = "{ ?s ?p ?o }"
SERVICES = [
    "SELECT * { SERVICE <URL> BODY }",
    "SELECT * { service <URL> BODY }",
    "SELECT * { sErViCe <URL> BODY }",
    "SELECT * { SERVICE SILENT <URL> BODY }",
    "SELECT * { SERVICE # a comment { } \n <URL> BODY }",
    "SELECT * { SERVICE\n#\n#\n<URL>BODY}",
    "SELECT * { #\rSERVICE <URL> BODY }",
    "SELECT * { SERVICE ?x BODY VALUES ?x { <URL> } }",
    "SELECT * { VALUES ?x { <URL> } SERVICE?x{ ?s ?p ?o } }",
    "PREFIX ex: <URL> SELECT * { SERVICE ex:a BODY }",
    "ASK { { { FILTER EXISTS { SERVICE <URL> BODY } } } }",
    "CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <URL> BODY }",
    "SELECT * { { SELECT * { SERVICE <URL> BODY } } }",
    "SELECT * { ?s ?p ?o LATERAL { SERVICE <URL> BODY } }",
    # escaped, as the standard allows anywhere and Oxigraph only inside strings and IRIs
    r"SELECT * { \u0053ERVICE <URL> BODY }",
    r"SELECT * { S\u0045RV\U00000049CE <URL> BODY }",
    r"SELECT * { ?s ?p 'a\u0027 } #' . SERVICE <URL> BODY }",
    r'SELECT * { ?s ?p ?o FILTER(?o != "a\u0022") SERVICE <URL> BODY FILTER(?p != "") }',
    r"SELECT * { ?s <http://example.org/a#\u0061> ?o . SERVICE <URL> BODY }",
    # glued to its neighbours, as Oxigraph's parser allows
    "SELECT * { SERVICE<URL>BODY }",
    "SELECT * { SERVICESILENT<URL>BODY }",
    "PREFIX : <URL> SELECT * { SERVICE:BODY }",
    "PREFIX : <URL> SELECT * { SERVICESILENT:x BODY }",
    "PREFIX ex: <URL> SELECT * { SERVICEex:x BODY }",
    "SELECT * { ?s ?p trueSERVICE<URL> BODY }",
    "PREFIX ex: <URL> SELECT * { ?s ?p trueSERVICEex:x BODY }",
    "SELECT * { ?s ?p 1SERVICE <URL> BODY }",
    "SELECT * { ?s ?p ?o.SERVICE <URL> BODY }",
    # hidden in what the grammar reads as an IRI or a string, and Oxigraph as "less than"
    "SELECT * { ?s ?p ?o FILTER(1<2)SERVICE#>\n<URL> BODY }",
    "SELECT * { FILTER(1<'>')SERVICE <URL> BODY FILTER('x'='x') }",
    'SELECT * { VALUES ?x { """a" } SERVICE <URL> BODY #\\q"""\n }',
    'SELECT * { VALUES ?x { """a" } SERVICE <URL> BODY #\\uD800"""\n }',
]


def spelled(query, url):
    return query.replace("URL", url).replace("BODY", BODY)


@pytest.mark.parametrize("query", SERVICES)
def test_service(stranger, listener, query):
    error = refused(stranger, spelled(query, listener.url), ServiceRefused)
    assert "dumps" in str(error)


def test_the_spellings_are_real():
    """Without the guard most of these (25 of 32, measured) do open a connection: the list is no straw man."""
    store = pyoxigraph.Store()
    store.add(pyoxigraph.Quad(pyoxigraph.NamedNode("a:a"), pyoxigraph.NamedNode("a:p"), pyoxigraph.Literal(True)))
    heard = Listener()
    heard.start()
    try:
        for query in SERVICES:
            try:
                results = store.query(spelled(query, heard.url))
                bool(results) if isinstance(results, pyoxigraph.QueryBoolean) else list(results)
            except (SyntaxError, OSError, RuntimeError, ValueError):
                pass
        wait_for(lambda: heard.calls >= 20)
    finally:
        heard.stop.set()
        heard.join()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?service { ?service ?SERVICE $service }",
        "PREFIX service: <http://example.org/> SELECT * { ?s service:p service:o }",
        "PREFIX service: <http://example.org/> SELECT * { GRAPH service:g { ?s a service:Service } }",
        "PREFIX service: <http://example.org/> SELECT * FROM service:g { ?s ?p ?o }",
        "SELECT * { ?s a <http://example.org/service#SERVICE> FILTER(?s != <urn:service:1>) }",
        "SELECT * { ?s ?p 'SERVICE <http://example.org/> { }' } # SERVICE <http://example.org/> { }",
        "SELECT * { ?s ?p \"\"\"\nSERVICE \"x\" 'y'\n\"\"\" , '''it's SERVICE''' }",
        "SELECT * { ?s ?p 'service'@en , _:service , 'a'^^<http://example.org/service> }",
        "SELECT * { ?s ?p ?o FILTER(?o < 3 && ?s > 2 || STRLEN('services') >= 1) }",
        "PREFIX ex: <http://example.org/> SELECT * { ?s ex:my.service ex:a-service.b }",
    ],
)
def test_the_word_alone_is_no_crime(query):
    assert check(query) == "SELECT"
    pyoxigraph.Store().query(query)


@pytest.mark.parametrize("clause", ["FROM <URL>", "FROM NAMED <URL>", "FROM <file:///etc/passwd>", "FROM NAMED <file:///etc/passwd>"])
def test_from_fetches_nothing(stranger, listener, clause):
    query = f"SELECT * {clause.replace('URL', listener.url)} {{ {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} }}"
    outcome, file = stranger.answer_file(query, TSV)
    with file:
        assert outcome.rows == 0 and b"root" not in file.read()
    outcome, file = stranger.answer_file("SELECT * { ?s ?p ?o }", TSV, default_graphs=[listener.url, "file:///etc/passwd"])
    file.close()
    assert outcome.rows == 0


# Behaviour


def test_hanging_up_frees_the_worker(stranger):
    rude = hang(stranger, CROSS, "rude")
    wait_for(lambda: any((w["busy"] or 0) > 0.1 for w in stranger.status()["workers"]))
    rude.close()
    began = time.monotonic()
    outcome, file = stranger.answer_file(HONEST, TSV)
    file.close()
    assert outcome.rows == 5 and time.monotonic() - began < 0.5  # long before the query would have run into its limit


def test_a_worker_killed_from_outside(stranger):
    with ThreadPoolExecutor(1) as executor:
        asked = executor.submit(stranger.answer_file, CROSS, JSON)
        wait_for(lambda: any((w["busy"] or 0) > 0.2 for w in stranger.status()["workers"]))
        [victim] = [w["pid"] for w in stranger.status()["workers"] if (w["busy"] or 0) > 0.2]
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(EngineCrashed, match="SIGKILL"):
            asked.result(1)
    wait_for(lambda: victim not in {w["pid"] for w in stranger.status()["workers"]} and len(stranger.status()["workers"]) == 2)


def test_a_crowd(stranger):
    """Eight strangers at once with the worst there is: each gets its own clear error, and the honest client is served (see ``stranger``)."""
    worst = [CROSS, concat_chain(40), DEEP["5,000 braces"], "SELECT * { ?a ?b ?c . ?d ?e ?f }"] * 2

    def attack(numbered):
        number, query = numbered
        client = PoolClient(stranger.socket_path, client=f"10.0.0.{number}")
        try:
            refused(client, query, QueryError, within=LIMITS.wait + LIMITS.timeout + 1, timeout=0.5)
        finally:
            client.close()
        return True

    with ThreadPoolExecutor(8) as executor:
        assert list(executor.map(attack, enumerate(worst))) == [True] * 8


def test_afterwards_everything_is_as_it_was(served):
    """Last in this file: after all of the above."""
    client = PoolClient(served.client.socket_path)
    wait_for(lambda: client_status(client)["waiting"] == 0)
    status = client_status(client)
    assert len(status["workers"]) == 2 and all(w["ready"] for w in status["workers"])
    assert status["restarts"] > 5
    # Per worker, what one may keep before it is replaced; queries above took up to 256 MB.
    assert memory(status) < served.baseline + 2 * LIMITS.recycle
    assert served.wrong == [] and len(served.took) > 200
    assert statistics.median(served.took) < 0.05
