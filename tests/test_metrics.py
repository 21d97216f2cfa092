"""What operators see: /metrics, /status and the log. None of it tells who asked, or what."""

import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import urllib.parse

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kvgraph import open as open_graph
from kvgraph.errors import KvgraphError
from kvgraph.formats import JSON, NTRIPLES
from kvgraph.releases import NoRelease
from kvgraph.serve import web
from kvgraph import logs
from kvgraph.server import create_app, metrics
from kvgraph.server.counts import Counts
from kvgraph.store import Outcome, QueryTimeout

from .server.html import check
from .serving import get, served, until

SECRET = "Xyzzy-secret"
HEADERS = {"User-Agent": SECRET, "X-Forwarded-For": "203.0.113.77", "Referer": f"http://{SECRET}/", "Cookie": SECRET}


@pytest.fixture(scope="module")
def app(small_home):
    graph = open_graph(small_home)
    return create_app(lambda: graph)


@pytest.fixture
def written():
    """The lines the log writes at level info, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Lines(as_json=True))
    logger = logging.getLogger("kvgraph")
    before = (logger.level, logger.handlers, logger.propagate)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.level, logger.handlers, logger.propagate = before
    logger.setLevel(before[0])


def samples(text: str) -> dict:
    """Name and labels of each sample, and its value, as a Prometheus server reads them."""
    return {(s.name, *sorted(s.labels.items())): s.value for family in text_string_to_metric_families(text) for s in family.samples}


def sample(text: str, name: str, **labels) -> float:
    return samples(text).get((name, *sorted(labels.items())), 0.0)


# The log


def test_a_request_is_one_line_with_what_is_needed_and_no_more(app, small_home, written):
    app.test_client().get("/search", query_string={"q": SECRET}, headers=HEADERS)
    [line] = written()
    assert set(line) == {"time", "level", "logger", "method", "endpoint", "status", "ms", "bytes", "release", "refusal"}
    assert (line["method"], line["endpoint"], line["status"], line["refusal"]) == ("GET", "searching.search", 200, None)
    assert line["bytes"] > 500 and line["ms"] > 0 and line["release"].startswith("20")


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        (f"/{SECRET}", "not-found"),
        (f"/doc/practice/{SECRET}", "unknown-thing"),
        (f"/sparql?query=SELECT+%22{SECRET}%22", "syntax"),
        (f"/sparql?query=SELECT+*+%7B+SERVICE+%3Chttp://{SECRET}/%3E+%7B%7D+%7D", "service"),
        (f"/release/{SECRET}/", "unknown-release"),
        (f"/questions/{SECRET}", "unknown-question"),
    ],
)
def test_a_refusal_is_written_down_and_counted_by_reason(app, written, address, refusal):
    client = app.test_client()
    before = sample(client.get("/metrics").text, "kvgraph_refusals_total", reason=refusal)
    client.get(address, headers=HEADERS)
    assert written()[-1]["refusal"] == refusal
    assert sample(client.get("/metrics").text, "kvgraph_refusals_total", reason=refusal) == before + 1
    assert client.get("/status", headers={"Accept": "application/json"}).json["refusals"][refusal] >= 1


def test_a_limit_is_named_with_its_reason(small_home, written):
    graph = open_graph(small_home)

    class Slow:
        def __getattr__(self, name):
            raise QueryTimeout(30)

    graph.backend = Slow()
    create_app(lambda: graph).test_client().get("/sparql", query_string={"query": "ASK {}"}, headers={"Accept": "application/json"})
    assert [(line["status"], line["refusal"]) for line in written()] == [(503, "timeout")]


def test_an_unexpected_error_is_told_without_what_it_quotes(small_home, written):
    graph = open_graph(small_home)

    class Broken:
        def __getattr__(self, name):
            raise RuntimeError(SECRET)

    graph.backend = Broken()
    answer = create_app(lambda: graph).test_client().get(f"/sparql?query=ASK+%7B%7D+%23{SECRET}", headers=HEADERS)
    incident, request = written()
    assert answer.status_code == 500 and request["status"] == 500 and request["level"] == "error"
    assert incident["exception"] == "RuntimeError" and any("__getattr__" in place for place in incident["at"])
    assert SECRET not in json.dumps(written()) and "/" not in "".join(incident["at"])


def test_nothing_written_tells_who_asked_or_what(app, written):
    client = app.test_client()
    for address in (f"/?{SECRET}", f"/{SECRET}", f"/id/practice/{SECRET}", f"/sparql?query={SECRET}", f"/connections?a={SECRET}&b=x"):
        client.get(address, headers=HEADERS)
    client.post("/sparql", data=f"ASK {{ ?s ?p '{SECRET}' }}", content_type="application/sparql-query", headers=HEADERS)
    client.open("/", method=SECRET.upper(), headers=HEADERS)
    everything = json.dumps(written()) + client.get("/metrics").text + client.get("/status").text
    assert SECRET.lower() not in everything.lower() and "203.0.113" not in everything and "127.0.0.1" not in everything


@pytest.mark.parametrize(("name", "value"), [("KVGRAPH_LOG_LEVEL", "loud"), ("KVGRAPH_LOG_FORMAT", "xml")])
def test_a_wrong_setting_of_the_log_is_said(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(KvgraphError, match=name):
        logs.configure()


def test_words_for_a_terminal():
    record = logging.LogRecord("kvgraph.requests", logging.INFO, "", 0, "", None, None)
    record.fields = {"method": "GET", "status": 200, "refusal": None}
    assert logs.Lines(as_json=False).format(record) == "info: method=GET status=200"


# The counters


def test_requests_and_their_durations_are_counted(app):
    client = app.test_client()

    def now():
        text = client.get("/metrics").text
        labels = {"endpoint": "docs.index"}
        return sample(text, "kvgraph_http_requests_total", method="GET", status="200", **labels), sample(text, "kvgraph_http_request_seconds_count", **labels)

    before = now()
    client.get("/docs")
    assert now() == tuple(n + 1 for n in before)


def test_metrics_are_in_the_text_format_of_prometheus(app):
    answer = app.test_client().get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8" and answer.headers["Cache-Control"] == "no-store"
    names = re.findall(r"^# TYPE (\S+)", answer.text, re.MULTILINE)
    assert len(names) == len(set(names)) > 5 and all(name.startswith("kvgraph_") for name in names)
    assert not re.search(r"_created\b", answer.text)


@pytest.mark.parametrize("name", ["cache_hits", "cache_evictions"])
def test_others_count_by_name(app, name):
    client = app.test_client()
    before = sample(client.get("/metrics").text, f"kvgraph_{name}_total")
    metrics.count(name)
    metrics.count(name, 2)
    assert sample(client.get("/metrics").text, f"kvgraph_{name}_total") == before + 3


def test_whatever_engine_answers_is_counted(app):
    """The pool, or an endpoint elsewhere."""

    class Elsewhere:
        def answer_file(self, query, format, **options):
            if "fail" in query:
                raise QueryTimeout(1)
            return Outcome("DESCRIBE", format, 0, 0.1), io.BytesIO()

    class Engine(metrics.Counted, Elsewhere):
        """As in kvgraph.serve.web."""

    def now():
        text = app.test_client().get("/metrics").text
        return [sample(text, "kvgraph_queries_total", form=form, outcome=outcome) for form, outcome in (("DESCRIBE", "ok"), ("ASK", "timeout"))]

    before = now()
    Engine().answer_file("DESCRIBE <urn:a>", NTRIPLES)
    with pytest.raises(QueryTimeout):
        Engine().answer_file("ASK { } # fail", JSON)
    assert now() == [n + 1 for n in before] and issubclass(web.CachedRemote, metrics.Counted) and issubclass(web.CachedPool, metrics.Counted)


def test_a_misspelt_counter_is_an_error():
    with pytest.raises(KeyError):
        metrics.count("cache_hit")


def test_without_a_release_both_pages_still_answer():
    def none():
        raise NoRelease("No release.")

    client = create_app(none).test_client()
    assert "kvgraph_pool_up 0.0" in client.get("/metrics").text
    assert client.get("/status", headers={"Accept": "application/json"}).json["answering"] is False
    check(client.get("/status", headers={"Accept": "text/html"}).text)


def test_the_counts_of_processes_are_summed(tmp_path):
    """Three processes count in one directory; a fourth tells the sum, though the others have ended."""
    code = "from kvgraph.server import metrics; metrics.count('cache_hits', 5)"
    tell = "from kvgraph.server import metrics; print(metrics.exposition(None, None, {}).decode())"
    (tmp_path / "metrics").mkdir()
    env = {"KVGRAPH_RUN": str(tmp_path)}
    counting = [subprocess.Popen([sys.executable, "-c", code], env=env) for _ in range(3)]
    assert [process.wait(60) for process in counting] == [0, 0, 0]
    told = subprocess.run([sys.executable, "-c", tell], env=env, capture_output=True, text=True, check=True).stdout
    assert sample(told, "kvgraph_cache_hits_total") == 15


def test_counts_that_cannot_be_shared_are_those_of_this_process(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    counts = Counts(tmp_path)
    counts.add(("queries", "ASK"))
    assert counts.all() == {("queries", "ASK"): 1}


def test_a_name_that_was_half_written_is_not_told_and_hides_no_other(tmp_path):
    counts = Counts(tmp_path)
    counts.add(("queries", "ASK"), 2)
    [names] = tmp_path.glob("*.names")
    with names.open("ab") as file:
        file.write(b'[1, "quer')  # the disk was full
    assert Counts(tmp_path).all() == {("queries", "ASK"): 2}
    counts.add(("queries", "SELECT"), 5)
    assert Counts(tmp_path).all() == {("queries", "ASK"): 2, ("queries", "SELECT"): 5}
    names.with_suffix(".numbers").unlink()
    assert Counts(tmp_path).all() == {}, "somebody tidied there"


def test_threads_count_each_thing_once():
    counts = Counts()

    def work():
        for number in range(20_000):
            counts.add(("n", str(number % 7)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts.all().values()) == 80_000


def test_durations_are_counted_up_to_each_bound(app):
    metrics._count_query("DESCRIBE", "ok", 0.003)
    metrics._count_query("DESCRIBE", "ok", 99.0)
    text = app.test_client().get("/metrics").text
    found = {labels["le"]: value for (name, *pairs), value in samples(text).items() if name == "kvgraph_query_seconds_bucket" and (labels := dict(pairs))["form"] == "DESCRIBE"}
    assert found["+Inf"] == sample(text, "kvgraph_query_seconds_count", form="DESCRIBE") and found["30.0"] == found["+Inf"] - 1
    assert found["0.0025"] < found["0.005"] <= found["30.0"] and sample(text, "kvgraph_query_seconds_sum", form="DESCRIBE") >= 99


# The real server


def test_a_running_server_tells_how_it_is(small_home):
    with served(small_home, "--web-workers", "2", "--timeout", "20") as base:
        def ask(text):
            return get(f"{base}/sparql?" + urllib.parse.urlencode({"query": text}), "application/sparql-results+json")[0]

        for number in range(12):
            assert ask(f"SELECT * {{ ?s ?p {number} }}") == 200
        assert ask(f"ASK {{ ?s ?p '{SECRET}' }}") == 200 and ask("SELECT nonsense") == 400
        text = get(f"{base}/metrics")[2].decode()
        assert sample(text, "kvgraph_queries_total", form="SELECT", outcome="ok") >= 12, "over both web processes"
        assert sample(text, "kvgraph_queries_total", form="ASK", outcome="ok") == 1
        assert sample(text, "kvgraph_refusals_total", reason="syntax") == 1
        assert sample(text, "kvgraph_query_seconds_count", form="ASK") == 1
        assert sample(text, "kvgraph_pool_up") == 1 and sample(text, "kvgraph_queries_waiting") == 0
        assert sum(sample(text, "kvgraph_query_workers", state=s) for s in ("busy", "idle", "starting")) == 4
        facts = json.loads(get(f"{base}/status", "application/json")[2])
        assert facts["answering"] and facts["limits"]["timeout"] == 20 and facts["workers"]["restarts"] == 0 and facts["failed_releases"] == []
        page = get(f"{base}/status", "text/html")[2].decode()
        check(page)
        assert "Queries are being answered" in page and "20 seconds" in page and facts["release"]["id"] in page
        for shown in (text, json.dumps(facts), page):
            assert SECRET not in shown and str(small_home) not in shown and "/tmp/" not in shown and "127.0.0.1" not in shown


def test_a_replaced_worker_is_counted(small_home):
    crowded = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?a != ?l) }"
    with served(small_home, "--timeout", "0.3") as base:
        assert get(f"{base}/sparql?" + urllib.parse.urlencode({"query": crowded}), "text/csv")[0] == 503

        def replaced():
            text = get(f"{base}/metrics")[2].decode()
            return [value for key, value in samples(text).items() if key[0] == "kvgraph_query_worker_restarts_total"] == [1.0] and text

        text = until(replaced)
        assert sample(text, "kvgraph_queries_total", form="SELECT", outcome="timeout") == 1
        assert sample(text, "kvgraph_refusals_total", reason="timeout") == 1
