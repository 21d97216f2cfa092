"""Queries meant to harm by their size, depth or appetite, each against one pool that must not be impressed (:mod:`tests.harm`)."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kvgraph.formats import JSON, TSV
from kvgraph.store import EngineCrashed, PoolClient, QueryError, QueryTimeout, QueryTooLarge, wire
from kvgraph.store.desk import Desk

from .harm import CROSS, HONEST, LIMITS, listener, refused, served, stranger, wait_for  # noqa: F401
from .pools import hang


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
    done = subprocess.run([sys.executable, "-c", script], input=json.dumps(queries), capture_output=True, text=True, timeout=120)
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


# Behaviour


def test_hanging_up_frees_the_worker(stranger):
    rude = hang(stranger, CROSS, "rude")
    wait_for(lambda: any((w["busy"] or 0) > 0.1 for w in stranger.status()["workers"]))
    rude.close()
    began = time.monotonic()
    outcome, file = stranger.answer_file(HONEST, TSV)
    file.close()
    assert outcome.rows == 5 and time.monotonic() - began < LIMITS.timeout / 2  # long before the query would have run into its limit


def test_a_worker_killed_from_outside(stranger):
    with ThreadPoolExecutor(1) as executor:
        asked = executor.submit(stranger.answer_file, CROSS, JSON)
        [victim] = wait_for(lambda: [w["pid"] for w in stranger.status()["workers"] if (w["busy"] or 0) > 0.2])
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(EngineCrashed, match="SIGKILL"):
            asked.result(60)
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


def test_many_workers_were_replaced(served):
    """Last in this file: the harm was real."""
    assert served.client.status()["restarts"] > 5
