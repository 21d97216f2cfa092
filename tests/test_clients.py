"""Programs of other people against a served release: rdflib's SPARQLStore, pandas, SPARQLWrapper by POST, requests as YASGUI sends them.

`tests/test_serve.py` has curl and SPARQLWrapper in every format, `tests/test_remote.py` another kvgraph.
"""

import json
import urllib.request
from urllib.parse import urlencode

import pandas
import pytest
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, RDF
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import JSON, POST, POSTDIRECTLY, URLENCODED, SPARQLExceptions, SPARQLWrapper

from kvgraph import open as open_graph


KV = "https://w3id.org/kvgraph/def/kv#"
TITLES = "PREFIX dcterms: <http://purl.org/dc/terms/> SELECT ?s ?title { ?s a <https://w3id.org/kvgraph/def/kv#Practice> ; dcterms:title ?title } ORDER BY ?s ?title"


@pytest.fixture(scope="module")
def base(bundled_base):
    return bundled_base


@pytest.fixture(scope="module")
def expected(bundled_home):
    return list(open_graph(bundled_home).query(TITLES))


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_rdflib_asks_the_endpoint_as_its_store(base, expected, method):
    graph = Graph(SPARQLStore(base + "/sparql", method=method))
    rows = list(graph.query(TITLES))
    assert [(str(row.s), str(row.title)) for row in rows] == [(row["s"], row["title"]) for row in expected]
    assert any(isinstance(row.title, Literal) and row.title.language for row in rows)


def test_rdflib_matches_triples_through_the_endpoint(base, expected):
    graph = Graph(SPARQLStore(base + "/sparql"))
    first = URIRef(expected[0]["s"])
    assert (first, RDF.type, URIRef(KV + "Practice")) in graph
    assert {str(o) for o in graph.objects(first, DCTERMS.title)} == {row["title"] for row in expected if row["s"] == str(first)}
    assert len(list(graph.subjects(RDF.type, URIRef(KV + "Practice")))) == len({row["s"] for row in expected})


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own reader of JSON-LD still makes one
def test_rdflib_reads_things_by_negotiation(base):
    address = base + "/id/practice/national-ip-protocol"
    for format in ("turtle", "xml", "json-ld", "nt"):
        assert len(Graph().parse(address, format=format)) > 10


def test_pandas_reads_an_address(base, expected):
    table = pandas.read_csv(base + "/sparql?" + urlencode({"query": TITLES, "format": "csv"}), keep_default_na=False)
    assert list(table.columns) == ["s", "title"] and table.title.tolist() == [row["title"] for row in expected]
    assert len(pandas.read_csv(base + "/questions/practices-per-country?format=csv")) > 10
    assert len(pandas.read_json(base + "/sparql?" + urlencode({"query": "SELECT (1 AS ?x) {}", "format": "json"}), typ="series")["results"]["bindings"]) == 1


@pytest.mark.parametrize("request_method", [URLENCODED, POSTDIRECTLY])
def test_sparqlwrapper_posts(base, expected, request_method):
    client = SPARQLWrapper(base + "/sparql", returnFormat=JSON)
    client.setMethod(POST)
    client.setRequestMethod(request_method)
    client.setQuery(TITLES)
    assert [row["s"]["value"] for row in client.queryAndConvert()["results"]["bindings"]] == [row["s"] for row in expected]


def test_sparqlwrapper_shows_what_is_wrong(base):
    client = SPARQLWrapper(base + "/sparql", returnFormat=JSON)
    client.setQuery("SELECT ?s { ?s ?p }")
    with pytest.raises(SPARQLExceptions.QueryBadFormed, match="column"):
        client.query()


def test_a_page_on_another_site_may_ask(base):
    """What YASGUI and other pages send: a preflight, then a form with their own Accept."""
    before = urllib.request.Request(base + "/sparql", method="OPTIONS", headers={"Origin": "https://yasgui.org", "Access-Control-Request-Method": "POST"})
    with urllib.request.urlopen(before, timeout=30) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    accept = "application/sparql-results+json,*/*;q=0.9"
    request = urllib.request.Request(base + "/sparql", urlencode({"query": TITLES}).encode(), {"Origin": "https://yasgui.org", "Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*" and json.load(answer)["results"]["bindings"]
