"""The reading half of the SPARQL 1.1 Graph Store HTTP Protocol; each case names its section."""

from urllib.parse import quote

import pyoxigraph as ox
import pytest

from kvgraph import open as open_graph

from .client import client_of

CHANNEL = "https://w3id.org/kvgraph/def/channel"
FORMATS = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
}


@pytest.fixture(scope="module")
def graph(small_home):
    return open_graph(small_home)


@pytest.fixture(scope="module")
def client(small_home):
    return client_of(small_home)


def named(iri):
    return f"/data?graph={quote(iri, safe='')}"


def read(answer):
    assert answer.status_code == 200, answer.text
    return {quad.triple for quad in ox.parse(answer.data, format=FORMATS[answer.mimetype])}


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_named_graph_in_every_format_4_2_5_2(client, graph, media_type):
    answer = client.get(named(CHANNEL), headers={"Accept": media_type})
    assert answer.mimetype == media_type
    assert read(answer) == {q.triple for q in graph.backend.store.quads_for_pattern(None, None, None, ox.NamedNode(CHANNEL))}


@pytest.mark.parametrize("address", ["/data?default", "/data?default="])
def test_the_default_graph_4_2(client, graph, address):
    assert read(client.get(address)) == {q.triple for q in graph.backend.store.quads_for_pattern(None, None, None, ox.DefaultGraph())}


def test_every_graph_can_be_read(client, graph):
    for name in graph.backend.store.named_graphs():
        assert len(read(client.get(named(name.value)))) > 0, name


@pytest.mark.parametrize("pin", ["", "/release/{}"])
def test_a_graph_is_found_under_its_own_name_4_1(client, graph, pin):
    pin = pin.format(graph.release.id)
    names = [name.value for name in graph.backend.store.named_graphs() if "/graph/" in name.value]
    assert names
    for name in names:
        answer = client.get(pin + name.removeprefix("https://w3id.org/kvgraph"), headers={"Accept": "application/n-triples"})
        assert answer.status_code == 303 and answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.location.startswith(f"{pin}/data?graph=")
        assert read(client.get(answer.location, headers={"Accept": "application/n-triples"})) == read(client.get(pin + named(name), headers={"Accept": "application/n-triples"}))
    assert client.get(client.get("/graph/no%20such/%3Cgraph%3E").location).status_code == 400
    assert client.get(client.get("/graph/none").location).status_code == 404


def test_turtle_where_nothing_is_said_and_406_where_nothing_fits_5_2(client):
    assert client.get(named(CHANNEL)).mimetype == "text/turtle"
    assert client.get(named(CHANNEL), headers={"Accept": "text/html, */*;q=0.1"}).mimetype == "text/turtle"
    refused = client.get(named(CHANNEL), headers={"Accept": "image/png"})
    assert refused.status_code == 406 and "text/turtle" in refused.json["detail"]


def test_head_is_get_without_the_content_5_6(client):
    get, head = client.get(named(CHANNEL)), client.head(named(CHANNEL))
    assert head.data == b"" and head.status_code == 200
    assert head.headers["Content-Length"] == str(len(get.data)) and head.headers["ETag"] == get.headers["ETag"]
    assert client.head(named("http://example.org/none")).status_code == 404


def test_an_unknown_graph_is_404_5_1(client):
    answer = client.get(named("http://example.org/none"))
    assert answer.status_code == 404 and answer.mimetype == "application/problem+json"
    assert "http://example.org/none" in answer.json["detail"] and answer.json["hint"]


@pytest.mark.parametrize(
    "address",
    [
        "/data",
        "/data?",
        "/data?graph=",
        "/data?graph=channel",
        "/data?graph=//example.org/a",
        "/data?graph=" + quote("http://example.org/a b"),
        "/data?graph=" + quote("x:> } DROP ALL #"),
        f"{named(CHANNEL)}&default",
        f"{named(CHANNEL)}&graph={quote(CHANNEL)}",
        "/data?graph=http://example.org/%ff",
        "/data?" + "&".join(f"a{n}" for n in range(100)),
    ],
)
def test_what_names_no_one_graph_is_400_4_2(client, address):
    answer = client.get(address)
    assert answer.status_code == 400 and answer.json["detail"]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("address", ["/data?default", named(CHANNEL), "/data"])
def test_writing_is_refused_5_1(client, graph, method, address):
    before = len(graph.backend.store)
    answer = client.open(address, method=method, data="<x:a> <x:b> <x:c> .", content_type="text/turtle")
    assert answer.status_code == 405 and set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "read only" in answer.json["detail"]
    assert len(graph.backend.store) == before


def test_options_offers_reading_only(client):
    answer = client.options("/data", headers={"Origin": "http://example.org", "Access-Control-Request-Method": "GET"})
    assert answer.status_code in (200, 204) and set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_an_unchanged_graph_is_304(client):
    tag = client.get(named(CHANNEL)).headers["ETag"]
    answer = client.get(named(CHANNEL), headers={"If-None-Match": tag})
    assert answer.status_code == 304 and answer.data == b""
    assert client.get(named(CHANNEL), headers={"Accept": "application/n-triples"}).headers["ETag"] != tag
    assert not tag.startswith("W/")


def test_errors_too_may_be_read_from_other_sites(client):
    assert client.get("/data").headers["Access-Control-Allow-Origin"] == "*"
