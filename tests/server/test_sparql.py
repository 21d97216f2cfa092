"""The SPARQL 1.1 Protocol, query half, request by request."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pyoxigraph as ox
import pytest

from kvgraph.graph import Graph
from kvgraph.store import Embedded, EngineCrashed, PoolBusy, QueryTimeout, QueryTooLarge

from .conftest import client_of
from .html import check

SELECT = "PREFIX kv: <https://w3id.org/kvgraph/def/kv#> SELECT ?s { ?s a kv:Actor } ORDER BY ?s"
ASK = "ASK { ?s ?p ?o }"
CONSTRUCT = "PREFIX kv: <https://w3id.org/kvgraph/def/kv#> CONSTRUCT { ?s a kv:Actor } WHERE { ?s a kv:Actor }"
STATED = "https://w3id.org/kvgraph/graph/practice/living-lab/stated-1"
FORM = "application/x-www-form-urlencoded"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JSON = "application/sparql-results+json"


def get(client, query, accept=None, **fields):
    headers = {"Accept": accept} if accept else {}
    return client.get("/sparql", query_string={"query": query, **fields}, headers=headers)


# ── The three forms of a query operation (protocol, 2.1.1 to 2.1.3) ──────────────────────────────────────────────────


def test_the_three_forms_give_the_same_answer(client):
    answers = {
        get(client, SELECT).data,
        client.post("/sparql", data={"query": SELECT}).data,
        client.post("/sparql", data=SELECT.encode(), content_type="application/sparql-query").data,
        client.post("/sparql", data=SELECT.encode(), content_type="application/sparql-query; charset=UTF-8").data,
    }
    assert len(answers) == 1
    assert len(json.loads(answers.pop())["results"]["bindings"]) == 4


def test_head_is_get_without_the_body(client):
    head, whole = client.head("/sparql", query_string={"query": SELECT}), get(client, SELECT)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.data)) == whole.headers["Content-Length"]
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]


def test_a_query_outside_ascii_arrives_whole(client):
    query = 'SELECT ("Zürich – Łódź ✓" AS ?x) {}'
    for response in (
        get(client, query, "text/csv"),
        client.post("/sparql", data=query.encode(), content_type="application/sparql-query", headers={"Accept": "text/csv"}),
        client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"}),
    ):
        assert "Zürich – Łódź ✓" in response.data.decode()


@pytest.mark.parametrize(
    ("request_", "status", "word"),
    [
        ({"query_string": "query=SELECT%20%2A%20%7B%7D&query=ASK%20%7B%7D"}, 400, "more than one query"),
        ({"method": "POST", "data": "query=ASK%7B%7D&query=ASK%7B%7D", "content_type": FORM}, 400, "more than one query"),
        ({"method": "POST", "query_string": {"query": ASK}, "data": ASK, "content_type": "application/sparql-query"}, 400, "more than one query"),
        ({"query_string": "query=%FF%FE"}, 400, "UTF-8"),
        ({"method": "POST", "data": b"query=%FF", "content_type": FORM}, 400, "UTF-8"),
        ({"method": "POST", "data": b"ASK { ?s ?p '\xff' }", "content_type": "application/sparql-query"}, 400, "UTF-8"),
        ({"method": "POST", "data": "x=1", "content_type": FORM}, 400, "missing"),
        ({"query_string": {"default-graph-uri": STATED}}, 400, "missing"),
        ({"query_string": "&".join(f"x{i}=1" for i in range(300))}, 400, "too many fields"),
        ({"query_string": {"query": ""}}, 400, "query"),
        ({"method": "POST", "data": ASK, "content_type": "text/plain"}, 415, "application/sparql-query"),
        ({"method": "POST", "data": ASK}, 415, "Content-Type"),
        ({"method": "POST", "data": {"query": ASK}, "content_type": "multipart/form-data"}, 415, "multipart"),
        ({"method": "POST", "data": "INSERT DATA {}", "content_type": "application/sparql-update"}, 400, "update"),
        ({"method": "POST", "data": {"update": "CLEAR ALL"}}, 400, "update"),
        ({"query_string": {"update": "CLEAR ALL"}}, 400, "update"),
        ({"query_string": {"query": "DELETE WHERE { ?s ?p ?o }"}}, 400, "update"),
        ({"method": "PUT", "query_string": {"query": ASK}}, 405, "method"),
        ({"method": "DELETE", "query_string": {"query": ASK}}, 405, "method"),
        ({"query_string": {"query": SELECT}, "headers": {"Accept": "image/png"}}, 406, "text/csv"),
        ({"query_string": {"query": SELECT}, "headers": {"Accept": "text/turtle"}}, 406, "text/csv"),
        ({"query_string": {"query": CONSTRUCT}, "headers": {"Accept": "text/csv"}}, 406, "text/turtle"),
        ({"query_string": {"query": SELECT, "format": "turtle"}}, 400, "json, xml, csv, tsv"),
        ({"query_string": {"query": SELECT, "format": "exe"}}, 400, "exe"),
        ({"query_string": {"query": "SELECT * { SERVICE <http://127.0.0.1/> {} }"}}, 400, "SERVICE"),
        ({"method": "POST", "data": b"#" * 1_000_001, "content_type": "application/sparql-query"}, 413, "too large"),
    ],
)  # fmt: skip
def test_what_is_refused_and_how_it_is_said(client, request_, status, word):
    response = client.open("/sparql", **{"method": "GET", **request_})
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    problem = json.loads(response.data)
    assert problem["status"] == status and problem["title"]
    assert word.casefold() in f"{problem['detail']} {problem.get('hint')}".casefold()


def test_a_method_that_is_not_allowed_names_those_that_are(client):
    allowed = client.put("/sparql").headers["Allow"]
    assert {m.strip() for m in allowed.split(",")} == {"GET", "HEAD", "OPTIONS", "POST"}


# ── Which graphs (2.1.4) ─────────────────────────────────────────────────────────────────────────────────────────────


def count(client, query, **fields):
    return int(json.loads(get(client, query, **fields).data)["results"]["bindings"][0]["n"]["value"])


def test_default_graph_uri_replaces_the_default_graph(client):
    everything = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    one = count(client, everything, **{"default-graph-uri": STATED})
    assert 0 < one < count(client, everything)
    about = "https://w3id.org/kvgraph/graph/practice/living-lab/about"
    two = count(client, everything, **{"default-graph-uri": [STATED, about]})
    assert two > one
    assert count(client, everything, **{"default-graph-uri": "http://example.org/no-such-graph"}) == 0


def test_named_graph_uri_limits_the_named_graphs(client):
    named = "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    assert count(client, named) > 2
    assert count(client, named, **{"named-graph-uri": STATED}) == 1
    assert count(client, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", **{"named-graph-uri": STATED}) == 0


def test_the_graphs_of_the_request_win_over_those_of_the_query(client):
    query = f"SELECT (COUNT(*) AS ?n) FROM <{STATED}> {{ ?s ?p ?o }}"
    assert count(client, query) > 0
    assert count(client, query, **{"default-graph-uri": "http://example.org/no-such-graph"}) == 0
    assert get(client, query, **{"default-graph-uri": "no iri"}).status_code == 400


def test_the_graphs_may_stand_in_the_address_of_a_post(client):
    query = b"SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    response = client.post("/sparql", query_string={"default-graph-uri": "http://example.org/none"}, data=query, content_type="application/sparql-query")
    assert json.loads(response.data)["results"]["bindings"][0]["n"]["value"] == "0"


# ── Formats (2.2.2) ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (SELECT, None, JSON),
        (SELECT, "*/*", JSON),
        (SELECT, "application/json", JSON),
        (SELECT, JSON, JSON),
        (SELECT, "application/sparql-results+xml", "application/sparql-results+xml"),
        (SELECT, "application/xml", "application/sparql-results+xml"),
        (SELECT, "text/csv", "text/csv"),
        (SELECT, "text/*", "text/csv"),
        (SELECT, "text/tab-separated-values", "text/tab-separated-values"),
        (SELECT, "text/csv;q=0.5, text/tab-separated-values", "text/tab-separated-values"),
        (SELECT, "text/csv;q=0, */*;q=0.1", JSON),
        (SELECT, f"{JSON};q=0.9, application/sparql-results+xml", "application/sparql-results+xml"),
        (SELECT, "text/turtle, text/csv;q=0.1", "text/csv"),
        (SELECT, BROWSER, "text/html"),
        (ASK, None, JSON),
        (ASK, "text/csv", "text/csv"),
        (ASK, BROWSER, "text/html"),
        (CONSTRUCT, None, "text/turtle"),
        (CONSTRUCT, "application/n-triples", "application/n-triples"),
        (CONSTRUCT, "application/ld+json", "application/ld+json"),
        (CONSTRUCT, "application/rdf+xml", "application/rdf+xml"),
        (CONSTRUCT, "application/trig, text/turtle;q=0.5", "application/trig"),
        (CONSTRUCT, "application/n-quads", "application/n-quads"),
        (CONSTRUCT, BROWSER, "text/html"),
        ("DESCRIBE <https://w3id.org/kvgraph/id/practice/living-lab>", "text/turtle", "text/turtle"),
    ],
)
def test_accept_decides(client, query, accept, media_type):
    response = get(client, query, accept)
    assert (response.status_code, response.mimetype) == (200, media_type)
    assert "Accept" in response.headers["Vary"]
    assert int(response.headers["Content-Length"]) == len(response.data)


@pytest.mark.parametrize("format", ["json", "xml", "csv", "tsv"])
def test_every_format_of_rows_holds_the_same_rows(client, format):
    body = get(client, SELECT, "image/png", format=format).data.decode()
    iris = {
        "json": lambda: [b["s"]["value"] for b in json.loads(body)["results"]["bindings"]],
        "xml": lambda: [e.text for e in ET.fromstring(body).iter("{http://www.w3.org/2005/sparql-results#}uri")],
        "csv": lambda: [row[0] for row in list(csv.reader(io.StringIO(body)))[1:]],
        "tsv": lambda: [line.strip("<>") for line in body.splitlines()[1:]],
    }[format]()
    assert iris == sorted(iris) and len(iris) == 4


@pytest.mark.parametrize("format", ["turtle", "ntriples", "jsonld", "rdfxml", "nquads", "trig", "ttl", "nt"])
def test_every_format_of_triples_holds_the_same_triples(client, format):
    response = get(client, CONSTRUCT, format=format)
    parsed = ox.parse(response.data, format=ox.RdfFormat.from_media_type(response.mimetype))
    assert {quad.triple for quad in parsed} == {quad.triple for quad in ox.parse(get(client, CONSTRUCT).data, format=ox.RdfFormat.TURTLE)}


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_syntax_error_has_line_column_and_the_line(client):
    response = get(client, "SELECT ?s\nWHERE { ?s ?p ?o }\nORDER ?s")
    problem = json.loads(response.data)
    assert (response.status_code, problem["line"], problem["source"]) == (400, 3, "ORDER ?s")
    assert problem["column"] >= 6 and problem["code"] == "syntax"


def test_a_browser_sees_the_error_beside_its_query(client):
    response = get(client, "SELECT ?s WHERE { <script>alert(1)</script>", BROWSER)
    assert (response.status_code, response.mimetype) == (400, "text/html")
    text = response.data.decode()
    check(text)
    assert "&lt;script&gt;alert(1)" in text and 'role="alert"' in text


class Refusing(Embedded):
    """An engine that answers every query with an error."""

    error: Exception

    def _run(self, *args):
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (PoolBusy(7), 503, "7"),
        (QueryTimeout(30), 503, "10"),
        (QueryTooLarge("It needs more than 2 GB.", limit="memory"), 503, "10"),
        (QueryTooLarge("It is nested too deeply."), 400, None),
        (EngineCrashed("The engine gave up."), 500, None),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_limits_are_said_with_what_to_do(invented, error, status, retry, accept):
    backend = Refusing(invented.backend.store)
    backend.error = error
    client = client_of(Graph(backend, invented.release))
    response = get(client, ASK, accept)
    assert (response.status_code, response.headers.get("Retry-After")) == (status, retry)
    assert error.message in response.data.decode()
    assert response.headers["Cache-Control"] == "no-store" and "ETag" not in response.headers


# ── Without a query ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("accept", [None, "*/*", "text/turtle", "application/rdf+xml", "application/ld+json", "application/n-triples"])
def test_without_a_query_the_endpoint_describes_itself(client, accept):
    response = client.get("/sparql", headers={"Accept": accept} if accept else {})
    assert response.status_code == 200
    triples = [quad.triple for quad in ox.parse(response.data, format=ox.RdfFormat.from_media_type(response.mimetype))]
    sd = "http://www.w3.org/ns/sparql-service-description#"
    assert [t.object.value for t in triples if t.predicate.value == sd + "endpoint"] == ["http://localhost/sparql"]
    assert sd + "SPARQL11Query" in {t.object.value for t in triples}
    assert sum(t.predicate.value == sd + "resultFormat" for t in triples) == 10


def test_without_a_query_a_browser_gets_a_form(client):
    response = client.get("/sparql", headers={"Accept": BROWSER})
    page = check(response.data.decode())
    assert page.counts["textarea"] == 1
    examples = [href for href in page.links if href.startswith("/sparql?query=")]
    assert len(examples) >= 5
    for href in examples:
        assert client.get(href, headers={"Accept": JSON}).status_code == 200


def test_without_a_query_asking_for_rows_is_a_mistake(client):
    response = client.get("/sparql", headers={"Accept": JSON})
    assert response.status_code == 400 and b"missing" in response.data


# ── Caches and other sites ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_etag_follows_representation_and_query(client):
    tags = [get(client, q, a).headers["ETag"] for q in (SELECT, ASK) for a in (JSON, "text/csv", BROWSER)]
    assert len(set(tags)) == 6 and not any(t.startswith("W/") for t in tags)
    again = client.get("/sparql", query_string={"query": SELECT}, headers={"Accept": JSON, "If-None-Match": tags[0]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tags[0])
    other = client.get("/sparql", query_string={"query": SELECT}, headers={"Accept": "text/csv", "If-None-Match": tags[0]})
    assert other.status_code == 200


def test_a_304_asks_the_engine_nothing(invented, client):
    tag = get(client, SELECT).headers["ETag"]
    before = invented.backend.asked
    assert client.get("/sparql", query_string={"query": SELECT}, headers={"If-None-Match": tag}).status_code == 304
    assert invented.backend.asked == before


@pytest.mark.parametrize("query", ["SELECT (NOW() AS ?t) {}", "SELECT (rand () AS ?t) {}", "SELECT (STRUUID() AS ?t) {}", "SELECT (N\\u004FW() AS ?t) {}"])
def test_what_changes_from_moment_to_moment_has_no_etag(client, query):
    assert "ETag" not in get(client, query).headers


def test_a_preflight_lets_other_sites_in(client):
    response = client.options("/sparql", headers={"Origin": "https://example.org", "Access-Control-Request-Method": "POST"})
    assert response.status_code == 200 and response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"] and "Content-Type" in response.headers["Access-Control-Allow-Headers"]


def test_the_page_of_an_answer_shows_it_and_links_to_every_format(client):
    page = get(client, SELECT, BROWSER).data.decode()
    parsed = check(page)
    assert page.count("<tr>") == 5 and "/doc/actor/harbour-university" in parsed.links
    downloads = [href for href in parsed.links if "format=" in href]
    assert len(downloads) == 5 and all(client.get(href).status_code == 200 for href in downloads)
    assert "yes" in get(client, ASK, BROWSER).data.decode().lower()
    assert "harbour-university" in get(client, CONSTRUCT, BROWSER).data.decode()


def test_a_long_answer_is_shown_in_part_and_says_so(invented):
    client = client_of(invented, {"PAGE_ROWS": 3})
    page = get(client, SELECT, BROWSER).data.decode()
    assert page.count("<tr>") == 4 and "The first 3 of 4 rows" in page


def test_static_files_are_compressed_under_a_tag_of_their_own(client):
    import gzip

    plain, short = (client.get("/static/kvgraph.css?v=1", headers={"Accept-Encoding": coding}) for coding in ("identity", "gzip"))
    assert gzip.decompress(short.data) == plain.data and len(short.data) < len(plain.data) / 2
    assert plain.headers["ETag"] != short.headers["ETag"] and "Accept-Encoding" in plain.headers["Vary"]
    assert short.headers["Content-Length"] == str(len(short.data)) and "immutable" in short.headers["Cache-Control"]
