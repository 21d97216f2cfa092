"""SPARQL 1.1 Protocol (W3C Recommendation, 21 March 2013), query operation, clause by clause over a real server; each case names its clause.

With it the HTTP it rests on (RFC 9110), and what the Graph Store Protocol and the Service Description say of the same server. Requests are written with
``http.client``, which sends what it is told and follows nothing.
"""

import gzip
import http.client
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pyoxigraph as ox
import pytest

from kvgraph.formats import GRAPHS, RESULTS

from ..serving import served

ASK, FORM, DIRECT = "ASK { ?s ?p ?o }", "application/x-www-form-urlencoded", "application/sparql-query"
SELECT = "SELECT ?s { ?s a <https://w3id.org/kvgraph/def/kv#Actor> } ORDER BY ?s"
CONSTRUCT = "CONSTRUCT { ?s a <urn:x> } WHERE { ?s a <https://w3id.org/kvgraph/def/kv#Actor> }"
DESCRIBE = "DESCRIBE <https://w3id.org/kvgraph/id/practice/living-lab>"
JSON = "application/sparql-results+json"
STATED = "https://w3id.org/kvgraph/graph/practice/living-lab/stated-1"
ABOUT = "https://w3id.org/kvgraph/graph/practice/living-lab/about"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
NAMED = "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
SD = "http://www.w3.org/ns/sparql-service-description#"


@pytest.fixture(scope="module")
def host(small_home):
    with served(small_home, "--timeout", "3") as address:
        yield urlsplit(address).netloc


class Answer:
    def __init__(self, response, method):
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        self.type = response.headers.get_content_type()
        if method != "HEAD":
            assert int(self.headers.get("Content-Length", len(self.body))) == len(self.body)

    def json(self):
        return json.loads(self.body)

    @property
    def number(self):
        return int(self.json()["results"]["bindings"][0]["n"]["value"])


@pytest.fixture
def ask(host):
    """Sends one request: method, path, fields of the query string, body, header fields."""

    def send(method="GET", path="/sparql", fields=None, body=None, raw=None, **headers):
        connection = http.client.HTTPConnection(host, timeout=60)
        query = raw if raw is not None else urlencode(fields or {}, doseq=True)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path + (f"?{query}" if query else ""), body=body, headers=named)
            return Answer(connection.getresponse(), method)
        finally:
            connection.close()

    return send


@pytest.fixture
def one_process(host):
    """The same over one connection, whose requests one web process answers: what an engine gave at once, each keeps for itself."""
    connection = http.client.HTTPConnection(host, timeout=60)

    def send(method="GET", path="/sparql", fields=None, body=None, **headers):
        connection.request(method, f"{path}?{urlencode(fields or {})}", body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return Answer(connection.getresponse(), method)

    yield send
    connection.close()


# ── 2.1 the query operation ──────────────────────────────────────────────────────────────────────────────────────────


def test_2_1_1_query_via_get(ask):
    """2.1.1: GET, the query percent-encoded in the query string, no body."""
    answer = ask(fields={"query": SELECT})
    assert (answer.status, answer.type) == (200, JSON) and len(answer.json()["results"]["bindings"]) > 1


@pytest.mark.parametrize("content_type", [FORM, FORM + "; charset=UTF-8", FORM.upper()])
def test_2_1_2_query_via_post_with_url_encoded_parameters(ask, content_type):
    """2.1.2: POST of a form; parameters may be in any order."""
    body = urlencode([("named-graph-uri", STATED), ("query", NAMED)])
    assert ask("POST", body=body, Content_Type=content_type).number == 1


@pytest.mark.parametrize("content_type", [DIRECT, DIRECT + "; charset=utf-8", DIRECT + "; charset=utf8"])
def test_2_1_3_query_via_post_directly(ask, content_type):
    """2.1.3: POST of the query itself, unencoded, as UTF-8; the dataset stands in the address."""
    assert ask("POST", body=b"SELECT ('\xc5\x81\xc3\xb3d\xc5\xba' AS ?n) {}", Content_Type=content_type).json()["results"]["bindings"][0]["n"]["value"] == "Łódź"
    assert ask("POST", fields={"default-graph-uri": "urn:none"}, body=COUNT, Content_Type=content_type).number == 0
    assert ask("POST", body=b"\xef\xbb\xbf" + ASK.encode(), Content_Type=content_type).json()["boolean"], "a byte order mark, as editors write it"


@pytest.mark.parametrize("coding", ["chunked in two", "chunked in many"])
def test_2_1_3_a_body_in_chunks(host, coding):
    """RFC 9112, 7.1: a body whose length is not known before; what it holds may be cut anywhere, in a character too."""
    text = "SELECT ('é' AS ?x) {}".encode()
    cuts = [text[:9], text[9:]] if coding.endswith("two") else [text[i : i + 1] for i in range(len(text))]
    connection = http.client.HTTPConnection(host, timeout=60)
    for content_type, parts in ((DIRECT, cuts), (FORM, [b"query=", b"ASK+%7", b"B%7D"])):
        connection.request("POST", "/sparql", body=iter(parts), headers={"Content-Type": content_type}, encode_chunked=True)
        response = connection.getresponse()
        assert response.status == 200 and json.loads(response.read())
    connection.close()


def test_2_1_3_a_body_in_chunks_has_the_same_bounds(host):
    """RFC 9110, 15.5.14: it is refused when it has become too long, not read to its end."""
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request("POST", "/sparql", body=iter([b"#" * 100_000] * 15), headers={"Content-Type": DIRECT}, encode_chunked=True)
        response = connection.getresponse()
        assert response.status == 413 and json.loads(response.read())["status"] == 413
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("clause", "graphs", "query", "expected"),
    [
        ("one default graph", {"default-graph-uri": STATED}, NAMED, 0),
        ("an unknown default graph is empty", {"default-graph-uri": "http://example.org/no-such-graph"}, COUNT, 0),
        ("an unknown named graph is empty", {"named-graph-uri": "http://example.org/no-such-graph"}, NAMED, 0),
        ("one named graph", {"named-graph-uri": STATED}, NAMED, 1),
        ("named graphs only: the default graph is empty", {"named-graph-uri": STATED}, COUNT, 0),
        ("two named graphs", {"named-graph-uri": [STATED, ABOUT]}, NAMED, 2),
        ("default and named", {"default-graph-uri": STATED, "named-graph-uri": ABOUT}, NAMED, 1),
        ("over FROM NAMED", {"named-graph-uri": STATED}, f"SELECT (COUNT(DISTINCT ?g) AS ?n) FROM NAMED <{STATED}> FROM NAMED <{ABOUT}> {{ GRAPH ?g {{ ?s ?p ?o }} }}", 1),
        ("over FROM", {"default-graph-uri": "urn:none"}, f"SELECT (COUNT(*) AS ?n) FROM <{STATED}> {{ ?s ?p ?o }}", 0),
    ],
)  # fmt: skip
def test_2_1_4_specifying_an_rdf_dataset(ask, method, clause, graphs, query, expected):
    """2.1.4: the graphs of the request are the whole dataset and win over those of the query."""
    fields = {"query": query, **graphs}
    answer = ask(fields=fields) if method == "GET" else ask("POST", body=urlencode(fields, doseq=True), Content_Type=FORM)
    assert answer.number == expected, clause


def test_2_1_4_several_default_graphs_are_merged(ask):
    """2.1.4: the default graph is the merge of them."""
    one, two = (ask(fields={"query": COUNT, "default-graph-uri": g}).number for g in (STATED, ABOUT))
    assert min(one, two) > 0 and ask(fields={"query": COUNT, "default-graph-uri": [STATED, ABOUT]}).number == one + two


@pytest.mark.parametrize("iri", ["relative", "", "no iri", "http://example.org/<x>"])
def test_2_1_4_a_graph_that_is_no_iri(ask, iri):
    """2.1.4: a graph is named by an IRI."""
    for name in ("default-graph-uri", "named-graph-uri"):
        assert ask(fields={"query": ASK, name: iri}).status == 400


ACCEPTED = [
    *((query, f.media_type, f.media_type) for query in (SELECT, ASK) for f in RESULTS),
    *((query, f.media_type, f.media_type) for query in (CONSTRUCT, DESCRIBE) for f in GRAPHS),
    (SELECT, "*/*", JSON), (CONSTRUCT, "*/*", "text/turtle"), (SELECT, "application/*", JSON), (SELECT, "text/*", "text/csv"),
    (SELECT, "text/csv;q=0.2, text/tab-separated-values;q=0.3", "text/tab-separated-values"),
    (SELECT, "image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON), (SELECT, "*/*;q=0.1, text/csv;q=0", JSON), (SELECT, "image/png, */*;q=0.01", JSON), (SELECT, "text/turtle, text/csv;q=0.1", "text/csv"),
    (SELECT, "application/sparql-results+xml;charset=utf-8", "application/sparql-results+xml"), (SELECT, "", JSON), (SELECT, "nonsense, text/csv", "text/csv"),
    (CONSTRUCT, "application/rdf+xml;q=0.9,text/turtle;q=0.9", "text/turtle"), (CONSTRUCT, "application/json", "application/ld+json"),
    (CONSTRUCT, "text/csv, text/html;q=0.5", "text/html"), (SELECT, "text/turtle, text/html;q=0.5", "text/html"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "accept", "media_type"), ACCEPTED)
def test_2_1_5_accepted_response_formats(ask, query, accept, media_type):
    """2.1.5: content negotiation as in HTTP."""
    answer = ask(fields={"query": query}, Accept=accept)
    assert (answer.status, answer.type) == (200, media_type) and "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(("query", "offered"), [(SELECT, RESULTS), (ASK, RESULTS), (CONSTRUCT, GRAPHS), (DESCRIBE, GRAPHS)])
@pytest.mark.parametrize("accept", ["image/png", "*/*;q=0", "text/html;q=0, image/*"])
def test_2_1_5_none_of_the_formats_accepted(ask, query, offered, accept):
    """RFC 9110, 15.5.7: 406 lists what there is."""
    answer = ask(fields={"query": query}, Accept=accept)
    assert answer.status == 406 and all(f.media_type in answer.json()["detail"] for f in offered)


@pytest.mark.parametrize(("query", "formats"), [(SELECT, RESULTS), (CONSTRUCT, GRAPHS)])
def test_a_format_by_name_or_media_type_wins_over_accept(ask, query, formats):
    """Ours: ``format`` for programs that cannot set a header; a ``+`` that was not escaped is understood."""
    for format in formats:
        for name in (format.name, format.media_type, format.media_type.replace("+", " ")):
            assert ask(fields={"query": query, "format": name}, Accept="image/png").type == format.media_type
        for name in {*format.aliases} - {"application/json", "application/xml", "text/xml"}:
            assert ask(fields={"query": query, "format": name}, Accept="image/png").type == format.media_type
    assert ask(fields={"query": query, "format": "exe"}).status == 400


@pytest.mark.parametrize("query", ["SELECT ?s { ?s ?p ?o } LIMIT 0", "ASK { <urn:a> <urn:b> <urn:c> }", "CONSTRUCT { ?s ?p ?o } WHERE { ?s <urn:none> ?o . ?s ?p ?o }"])
def test_2_1_6_success_even_if_nothing_is_found(ask, query):
    """2.1.6: a query that can be answered is answered with 2XX, also with nothing."""
    assert ask(fields={"query": query}).status == 200


REFUSED = [
    ("2.1: no query", 400, "missing", {"method": "POST", "body": "x=1", "Content_Type": FORM}),
    ("2.1: no query, but a dataset", 400, "missing", {"fields": {"default-graph-uri": STATED}}),
    ("2.1: two queries", 400, "more than one query", {"fields": {"query": [ASK, SELECT]}}),
    ("2.1: two queries in a form", 400, "more than one query", {"method": "POST", "body": urlencode({"query": [ASK, SELECT]}, doseq=True), "Content_Type": FORM}),
    ("2.1: a query in the address and in the body", 400, "more than one query", {"method": "POST", "fields": {"query": ASK}, "body": ASK, "Content_Type": DIRECT}),
    ("2.1: any other method", 405, "method", {"method": "PUT", "fields": {"query": ASK}}),
    ("2.1: any other method", 405, "method", {"method": "DELETE", "fields": {"query": ASK}}),
    ("2.1: any other method", 405, "method", {"method": "PATCH", "fields": {"query": ASK}}),
    ("2.1.1: not UTF-8", 400, "UTF-8", {"raw": "query=ASK+%7B%FF%7D"}),
    ("2.1.2: not UTF-8", 400, "UTF-8", {"method": "POST", "body": b"query=%FF", "Content_Type": FORM}),
    ("2.1.2: another media type", 415, "application/sparql-query", {"method": "POST", "body": ASK, "Content_Type": "text/plain"}),
    ("2.1.2: no media type", 415, "Content-Type", {"method": "POST", "body": ASK}),
    ("2.1.2: multipart", 415, "multipart", {"method": "POST", "body": b"--x--", "Content_Type": "multipart/form-data; boundary=x"}),
    ("2.1.3: not UTF-8", 400, "UTF-8", {"method": "POST", "body": b"ASK { ?s ?p '\xff' }", "Content_Type": DIRECT}),
    ("2.1.3: in UTF-16", 415, "UTF-8", {"method": "POST", "body": ASK.encode("utf-16"), "Content_Type": DIRECT + "; charset=utf-16"}),
    ("2.1.7: a syntax error", 400, "line 1", {"fields": {"query": "SELEC ?s { ?s ?p ?o }"}}),
    ("2.1.7: a syntax error, whatever is accepted", 400, "line 1", {"fields": {"query": "SELEC ?s { ?s ?p ?o }"}, "Accept": "application/sparql-results+json"}),
    ("2.1.7: a syntax error, whatever format is wanted", 400, "line 1", {"fields": {"query": "SELEC ?s { ?s ?p ?o }", "format": "csv"}}),
    ("2.1.7: an empty query", 400, "query", {"fields": {"query": ""}}),
    ("2.1.7: an empty query, whatever is accepted", 400, "query", {"method": "POST", "body": "", "Content_Type": DIRECT, "Accept": "text/csv"}),
    ("2.2: an update as a query", 400, "update", {"fields": {"query": "DELETE WHERE { ?s ?p ?o }"}}),
    ("2.2.1: an update in a form", 400, "update", {"method": "POST", "body": "update=CLEAR+ALL", "Content_Type": FORM}),
    ("2.2.2: an update directly", 400, "update", {"method": "POST", "body": "CLEAR ALL", "Content_Type": "application/sparql-update"}),
    ("2.2: an update by GET", 400, "update", {"fields": {"update": "CLEAR ALL"}}),
    ("federation: SERVICE", 400, "federate", {"fields": {"query": "SELECT * { SERVICE <http://127.0.0.1:1/> {} }"}}),
    ("RFC 9110, 15.5.14: too large", 413, "too large", {"method": "POST", "body": b"#" * 1_000_001, "Content_Type": DIRECT}),
    ("RFC 9110, 15.5.14: a query too large", 413, "longer than", {"method": "POST", "body": b"ASK {}" + b" " * 200_000, "Content_Type": DIRECT}),
    ("RFC 9110, 15.5.16: a compressed body", 415, "Content-Encoding", {"method": "POST", "body": gzip.compress(b" " * 10**8), "Content_Type": DIRECT, "Content_Encoding": "gzip"}),
    ("RFC 9110, 15.5.16: compressed chunks", 415, "Content-Encoding", {"method": "POST", "body": b"x", "Content_Type": DIRECT, "Content_Encoding": "br, gzip"}),
    ("ours: a time that is none", 400, "seconds", {"fields": {"query": ASK, "timeout": "soon"}}),
    ("ours: a time that is none", 400, "seconds", {"fields": {"query": ASK, "timeout": "nan"}}),
    ("ours: rows that are none", 400, "rows", {"fields": {"query": SELECT, "maxrows": "-1"}}),
    ("ours: rows of a graph", 400, "SELECT", {"fields": {"query": CONSTRUCT, "maxrows": "1"}}),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "status", "word", "request_"), REFUSED, ids=[f"{clause} {status}" for clause, status, *_ in REFUSED])
def test_2_1_7_failure(ask, clause, status, word, request_):
    """2.1.7: 4XX for a request that is wrong; RFC 9457: the body says what is, also to a page on another site."""
    answer = ask(**request_)
    problem = answer.json()
    assert (answer.status, answer.type, problem["status"]) == (status, "application/problem+json", status)
    assert word.casefold() in f"{problem['detail']} {problem.get('hint')}".casefold()
    assert answer.headers["Access-Control-Allow-Origin"] == "*" and "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store" and "/work" not in answer.body.decode() and "Traceback" not in answer.body.decode()
    if status == 405:
        assert {m.strip() for m in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS", "POST"}
    if "Content_Encoding" in request_:
        assert answer.headers["Accept-Encoding"] == "identity"
    elif status == 415:
        assert answer.headers["Accept"] == f"{DIRECT}, {FORM}"


def test_2_1_7_a_syntax_error_has_its_place(ask):
    """RFC 9457, 3.2: line, column and the offending line are members of their own."""
    problem = ask(fields={"query": "SELECT ?s\nWHERE { ?s ?p ?o }\nORDER ?s"}).json()
    assert (problem["line"], problem["source"], problem["code"]) == (3, "ORDER ?s", "syntax") and problem["column"] >= 6


def test_2_1_7_what_to_try_instead(ask):
    """RFC 9457, 3.2: refusals link to what may help, and the links lead somewhere."""
    slow = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a{i} ?b{i} ?c{i} ." for i in range(6)) + " ?p <https://w3id.org/kvgraph/def/kv#channel> ?c ; <https://w3id.org/kvgraph/def/kv#country> ?l }"
    answers = [ask(fields={"query": q}) for q in (slow, "SELECT * { SERVICE <urn:x> {} }", "CLEAR ALL")]
    assert [a.status for a in answers] == [503, 400, 400]
    assert int(answers[0].headers["Retry-After"]) > 0 and answers[0].json()["limit"] == 3
    links = [link["href"] for a in answers for link in a.json()["instead"]]
    assert any(link.startswith("/questions/") for link in links) and "/dumps/" in links
    for link in set(links):
        path, _, anchor = link.partition("#")
        page = ask(path=path, Accept="text/html")
        assert page.status == 200 and (not anchor or f'id="{anchor}"' in page.body.decode())


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

ADDRESSES = [
    ("/sparql", {"query": SELECT}), ("/sparql", {"query": CONSTRUCT, "format": "trig"}), ("/sparql", {}), ("/sparql", {"query": "nonsense"}),
    ("/data", {"default": ""}), ("/data", {"graph": "urn:none"}), ("/doc/practice/living-lab.ttl", {}), ("/doc/practice/none", {}),
    ("/questions/practices-per-country", {"format": "csv"}), ("/", {}), ("/def/kv", {}), ("/catalog", {}), ("/.well-known/void", {}), ("/changes", {}),
    ("/map", {"format": "json"}), ("/search.csv", {"q": "lab"}), ("/coverage.csv", {}), ("/release/none/sparql", {"query": SELECT}), ("/release/none..none", {}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "fields"), ADDRESSES)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_rfc_9110_9_3_2_head_is_get_without_content(ask, path, fields, coding):
    """RFC 9110, 9.3.2: the header fields of HEAD are those of GET."""
    get, head = (ask(method, path, fields, Accept_Encoding=coding) for method in ("GET", "HEAD"))
    different = {"date", "cache-status"}
    assert head.body == b"" and head.status == get.status
    assert {(k.lower(), v) for k, v in head.headers.items() if k.lower() not in different} == {(k.lower(), v) for k, v in get.headers.items() if k.lower() not in different}


def raw(host, *fields, version="1.1"):
    """The status and the body of what a request for the sitemap is answered with, its header fields written as they are given."""
    name, port = host.split(":")
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        lines = [f"GET /sitemap.xml HTTP/{version}", *fields, "Connection: close", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read().decode()


@pytest.mark.parametrize("fields", [[], ["Host: a", "Host: b"], ["Host: a/b"], ["Host: a b"], ["Host: xn--"], ["Host: \u00e4"], [f"Host: {'a' * 300}"], ["Host: a:b"], ["Host: a:65536"], ["Host: a..b"], ["Host: [::::]"], ["Host: XN--A"]])
def test_rfc_9112_3_2_host(host, fields):
    """RFC 9112, 3.2: 400 for a Host that is missing, there twice, or no host; with it addresses are written."""
    status, body = raw(host, *fields)
    assert status == 400 and "Host" in json.loads(body)["detail"]
    for said, version, address in ((f"Host: {host}", "1.1", host), ("Host: [::1]:81", "1.1", "[::1]:81"), ("Host: kv_graph:81", "1.1", "kv_graph:81"), ("X: y", "1.0", host)):
        status, body = raw(host, said, version=version)
        assert status == 200 and f"http://{address}/sitemap-1.xml" in body


@pytest.mark.parametrize("path", ["/sparql/", "//sparql"])
def test_a_slash_too_many(ask, path):
    """RFC 9110, 15.4.9: whoever follows it asks the same query with the same method."""
    for method in ("GET", "POST"):
        answer = ask(method, path, {"query": ASK, "format": "json"})
        assert (answer.status, answer.headers["Location"]) == (308, "/sparql?" + urlencode({"query": ASK, "format": "json"}))


@pytest.mark.parametrize(("path", "fields"), [a for a in ADDRESSES if a[0] != "/"])
def test_cors_on_every_data_address_and_its_errors(ask, path, fields):
    """Fetch standard, 3.2: any site may read answers and errors, their header fields among them, and ask before."""
    answer = ask("GET", path, fields, Origin="https://example.org")
    assert answer.headers["Access-Control-Allow-Origin"] == "*" and "ETag" in answer.headers["Access-Control-Expose-Headers"]
    before = ask("OPTIONS", path, fields, Origin="https://example.org", Access_Control_Request_Method="GET", Access_Control_Request_Headers="accept, x-requested-with")
    assert before.status in (200, 204) and before.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in before.headers["Access-Control-Allow-Methods"] and {"Accept", "Authorization", "*"} <= set(before.headers["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize(("path", "fields"), [a for a in ADDRESSES if a[1] not in ({"query": "nonsense"}, {"graph": "urn:none"}) and "none" not in a[0]])
def test_rfc_9110_13_1_2_if_none_match(ask, path, fields):
    """RFC 9110, 8.8.3 and 13.1.2: one strong tag per representation, compression included; what did not change is 304."""
    plain, short = (ask("GET", path, fields, Accept_Encoding=c) for c in ("identity", "gzip"))
    tags = [a.headers["ETag"] for a in (plain, short)]
    assert len(set(tags)) == 2 and not any(t.startswith("W/") for t in tags)
    assert gzip.decompress(short.body) == plain.body and short.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["Vary"] and "Cache-Control" in plain.headers
    weak = f"W/{tags[0]}"  # as a proxy makes it that compresses
    for tag, coding, status in ((tags[0], "identity", 304), (weak, "identity", 304), ("*", "identity", 304), (tags[1], "gzip", 304), (tags[0], "gzip", 200), (f'"x", {tags[0]}', "identity", 304), ('"x"', "identity", 200)):
        again = ask("GET", path, fields, Accept_Encoding=coding, If_None_Match=tag)
        assert again.status == status
        if status == 304:
            assert again.body == b"" and (again.headers["ETag"] in tag or tag == "*")
            assert again.headers["Vary"] == plain.headers["Vary"] and again.headers["Cache-Control"] == plain.headers["Cache-Control"], "as 15.4.5 wants"


@pytest.mark.parametrize(("path", "fields"), [("/sparql", {"query": SELECT}), ("/sparql", {}), ("/data", {"default": ""}), ("/changes", {}), ("/", {})])
def test_rfc_9110_13_1_1_if_match(ask, path, fields):
    """RFC 9110, 13.1.1: nothing is sent to who wants another version; tags are compared strongly, and * is any."""
    tag = ask("GET", path, fields).headers["ETag"]
    wanted = {tag: 200, "*": 200, f'"x", {tag}': 200, '"x"': 412, f"W/{tag}": 412}
    assert {match: ask("GET", path, fields, If_Match=match).status for match in wanted} == wanted
    refused = ask("GET", path, fields, If_Match='"x"', If_None_Match=tag)  # 13.2.2: If-Match goes before
    assert refused.status == 412 and "If-Match" in refused.json()["detail"]


@pytest.mark.parametrize("conditions", [{"If_None_Match": "*"}, {"If_Match": '"x"'}, {"If_Match": "*"}])
def test_rfc_9110_13_2_1_conditions_hide_no_error(ask, conditions):
    for path, fields, status in (("/sparql", {"query": "SELECT {"}, 400), ("/doc/practice/no-such", {}, 404)):
        assert ask("GET", path, fields, **conditions).status == status


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_conditions_of_static_files(ask, coding):
    """RFC 9110, 8.8.3.3, 13.1.1 and 13.1.2."""
    file = ask("GET", "/static/kvgraph.css", Accept_Encoding=coding)
    tag = file.headers["ETag"]
    assert file.status == 200 and (file.headers["Content-Encoding"] == "gzip") is (coding == "gzip")
    for known in (tag, f"W/{tag}", "*"):
        again = ask("GET", "/static/kvgraph.css", Accept_Encoding=coding, If_None_Match=known)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    for wanted, status in ((tag, 200), ("*", 200), ('"x"', 412), (f"W/{tag}", 412)):
        answer = ask("GET", "/static/kvgraph.css", Accept_Encoding=coding, If_Match=wanted)
        assert answer.status == status and (answer.body == file.body) is (status == 200)


def test_errors_of_static_files_are_not_kept(ask):
    """RFC 9111, 4: one that a cache keeps for good, under the address of the next edition, would break a site for a year."""
    missing = ask("GET", "/static/none.css", {"v": "1"})
    assert (missing.status, missing.headers["Cache-Control"]) == (404, "no-store")
    refused = ask("GET", "/static/kvgraph.css", {"v": "1"}, If_Match='"x"')
    assert (refused.status, refused.headers["Cache-Control"]) == (412, "no-store")
    for name in ("If_Modified_Since", "If_Unmodified_Since", "If_Range"):
        answer = ask("GET", "/static/kvgraph.css", {"v": "1"}, Range="bytes=0-9", **{name: "Mon, 01 Jan 99999999999 00:00:00 GMT"})
        assert answer.status == 200 and len(answer.body) > 1000 and "immutable" in answer.headers["Cache-Control"], "static files have no parts (14.2)"


@pytest.mark.parametrize(("accept", "zipped"), [("gzip", True), ("x-gzip", True), ("*", True), ("deflate, gzip;q=0.5", True), ("gzip;q=0", False), ("identity", False), ("br", False), ("", False)])
def test_rfc_9110_12_5_3_accept_encoding(ask, accept, zipped):
    """RFC 9110, 12.5.3: a coding is used only if the client accepts it, from memory, from the file and from the engine alike."""
    for query in (SELECT, SELECT, SELECT + f" # {accept}", "SELECT * { ?a ?b ?c } LIMIT 5000"):
        answer = ask(fields={"query": query}, Accept_Encoding=accept)
        assert (answer.headers["Content-Encoding"] == "gzip") is zipped
        assert json.loads(gzip.decompress(answer.body) if zipped else answer.body)["results"]["bindings"]


@pytest.mark.parametrize("query", ["SELECT (NOW() AS ?t) (RAND() AS ?r) {}", "SELECT (STRUUID() AS ?t) {}", "SELECT ('\\u0041' AS ?a) (RAND() AS ?t) {}", "CONSTRUCT { [] <urn:p> 1 } {}"])
def test_what_changes_is_not_kept(ask, query):
    """RFC 9110, 8.8.3: no tag where the same address has another answer each time."""
    answers = [ask(fields={"query": query}) for _ in range(2)]
    assert answers[0].body != answers[1].body and "ETag" not in answers[0].headers
    posted = [ask("POST", body=query, Content_Type=DIRECT).body for _ in range(2)]
    assert posted[0] != posted[1]


def test_an_answer_is_kept_by_all_that_decides_it(one_process):
    """RFC 9211: an engine is asked once; another format, dataset or number of rows is another answer."""
    query, ask = SELECT + " # kept", one_process
    states = [ask(fields={"query": query, **more}, Accept=accept).headers["Cache-Status"] for accept, more in (
        (JSON, {}), (JSON, {}), ("text/csv", {}), ("text/csv", {}), (JSON, {"default-graph-uri": STATED}), (JSON, {"maxrows": 1}), (JSON, {}))]  # fmt: skip
    assert [s.startswith("kvgraph; hit") for s in states] == [False, True, False, True, False, False, True]
    posted = ask("POST", body=query, Content_Type=DIRECT, Accept="text/csv")
    assert "hit" in posted.headers["Cache-Status"] and posted.body == ask(fields={"query": query}, Accept="text/csv").body


@pytest.mark.parametrize("format", [f.name for f in RESULTS])
def test_an_answer_that_was_cut_says_so(ask, format):
    """Ours, and where the formats let us: SPARQL 1.1 Query Results JSON, 3.1.2, and XML, 2.2: ``link`` in the head."""
    everything = "SELECT ?s ?p ?o { ?s ?p ?o }"
    cut, whole = (ask(fields={"query": everything, "format": format, "maxrows": n}) for n in (5, 10**6))
    assert cut.headers["Kvgraph-Complete"] == "false" and cut.headers["X-SPARQL-MaxRows"] == "5"
    assert "Kvgraph-Complete" not in whole.headers and "answers-that-were-cut" not in whole.body.decode()
    assert ("answers-that-were-cut" in cut.body.decode()) is (format in ("json", "xml"))
    if format == "csv":  # which the engine does not read
        assert len(cut.body.splitlines()) == 6
    else:
        assert len(list(ox.parse_query_results(cut.body, format=next(f for f in RESULTS if f.name == format).engine))) == 5
    assert whole.body == ask(fields={"query": everything, "format": format}).body
    page = ask(fields={"query": everything, "maxrows": 5}, Accept="text/html").body.decode()
    assert page.count("<tr>") == 6 and "was cut" in page


def test_a_client_may_ask_for_less_time_and_not_for_more(ask):
    slow = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a{i} ?b{i} ?c{i} ." for i in range(6)) + " }"
    for asked, given in ((0.4, 0.4), (1000, 3)):
        answer = ask(fields={"query": slow, "timeout": asked})
        assert (answer.status, answer.json()["limit"], answer.json()["code"]) == (503, given, "timeout")


def test_three_hundred_short_queries_at_once(ask):
    """Each is answered, or told when to come back; most are answered."""
    with ThreadPoolExecutor(300) as executor:
        answers = list(executor.map(lambda n: ask(fields={"query": f"SELECT ({n} AS ?n) {{}}"}), range(300)))
    good = [n for n, a in enumerate(answers) if a.status == 200]
    assert all(answers[n].number == n for n in good) and len(good) > 100
    assert all(a.status in (200, 429, 503) and (a.status == 200 or int(a.headers["Retry-After"]) > 0) for a in answers)


def test_service_description_by_format(ask):
    """Ours: ``format`` wins over Accept here too."""
    assert ask(fields={"format": "jsonld"}, Accept="text/turtle").type == "application/ld+json"
    assert ask(fields={"format": "bogus"}).status == 400


# ── Service Description and Graph Store Protocol ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("accept", ["*/*", "text/turtle", "application/rdf+xml", "application/ld+json", "application/n-triples"])
def test_service_description_2_access(host, ask, accept):
    """Service Description, 2: GET of the endpoint without a query gives RDF that holds the description of a service."""
    answer = ask(Accept=accept)
    triples = {q.triple for q in ox.parse(answer.body, format=ox.RdfFormat.from_media_type(answer.type))}
    said = {(t.predicate.value, t.object.value) for t in triples if t.subject.value == f"http://{host}/sparql"}
    assert (SD + "endpoint", f"http://{host}/sparql") in said and (SD + "supportedLanguage", SD + "SPARQL11Query") in said
    assert sum(p == SD + "resultFormat" for p, _ in said) == len(RESULTS) + len(GRAPHS)
    assert f"http://{host}/sparql#service" in {t.subject.value for t in triples}, "the service as the catalogue names it"


@pytest.mark.parametrize("format", ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"])
def test_graph_store_5_2_get(ask, format):
    """Graph Store Protocol, 4.2 and 5.2: an indirectly identified graph, in the format accepted."""
    for fields, query in (({"graph": STATED}, f"CONSTRUCT WHERE {{ GRAPH <{STATED}> {{ ?s ?p ?o }} }}"), ({"default": ""}, "CONSTRUCT WHERE { ?s ?p ?o }")):
        answer = ask(path="/data", fields=fields, Accept=format)
        query = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{STATED}> {{ ?s ?p ?o }} }}" if "graph" in fields else query
        expected = ask(fields={"query": query}, Accept="application/n-triples").body
        assert answer.type == format
        assert {q.triple for q in ox.parse(answer.body, format=ox.RdfFormat.from_media_type(format))} == {q.triple for q in ox.parse(expected, format=ox.RdfFormat.N_TRIPLES)}


def test_graph_store_5_1_status_codes(ask):
    """Graph Store Protocol, 5.1: 404 for no such graph, 400 for none or two, 405 for what changes, 406 for no format."""
    assert ask(path="/data", fields={"graph": "urn:none"}).status == 404
    assert ask(path="/data").status == ask(path="/data", fields={"default": "", "graph": STATED}).status == 400
    assert {ask(m, "/data", {"graph": STATED}).status for m in ("PUT", "POST", "DELETE", "PATCH")} == {405}
    assert ask(path="/data", fields={"graph": STATED}, Accept="image/png").status == 406
    assert re.search(r"\bGET\b", ask("PUT", "/data", {"graph": STATED}).headers["Allow"])
