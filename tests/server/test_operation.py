"""A program's query is answered in front of the application, and nobody can tell by the answer."""

import json

import pytest
from flask import abort

from kvgraph.server import create_app, headers

from .conftest import client_of

QUERY = "SELECT ?s { ?s ?p ?o } LIMIT 3"
BROWSER = "text/html,*/*;q=0.1"


@pytest.fixture
def closed(invented):
    """An application that refuses whatever reaches it."""
    app = create_app(lambda: invented)
    app.before_request(lambda: abort(418))
    return app.test_client()


@pytest.mark.parametrize("request_", [
    {"query_string": {"query": QUERY}}, {"query_string": {"query": QUERY, "format": "xlsx"}, "headers": {"Accept": BROWSER}},
    {"method": "POST", "data": {"query": QUERY}}, {"method": "HEAD", "query_string": {"query": QUERY}},
])  # fmt: skip
def test_programs_are_answered_without_the_application(closed, request_):
    assert closed.open("/sparql", **request_).status_code == 200


@pytest.mark.parametrize("request_", [
    {"query_string": {"query": QUERY}, "headers": {"Accept": BROWSER}}, {"query_string": {"query": QUERY, "format": "html"}}, {"query_string": {"query": "SELECT"}},
    {}, {"method": "PUT"}, {"method": "OPTIONS"}, {"method": "POST"}, {"query_string": {"query": QUERY, "format": "exe"}},
])  # fmt: skip
def test_everything_else_is_the_applications(closed, request_):
    assert closed.open("/sparql", **request_).status_code == 418


def test_every_answer_says_what_all_answers_say(client):
    tag = client.get("/sparql", query_string={"query": QUERY}).headers["ETag"]
    asked = [
        ({"query": QUERY}, {}, 200), ({"query": QUERY}, {"If-None-Match": tag}, 304), ({"query": "SELECT (RAND() AS ?r) {}"}, {}, 200),
        ({"query": "SELECT"}, {}, 400), ({"query": QUERY}, {"Accept": "image/png"}, 406), ({"query": QUERY}, {"Accept": BROWSER}, 200), ({}, {}, 200),
    ]  # fmt: skip
    for fields, sent, status in asked:
        response = client.get("/sparql", query_string=fields, headers=sent)
        assert response.status_code == status
        for name, value in (*headers.OF_ALL, *headers.SHARED):
            assert response.headers.getlist(name) == [value]
        assert set(headers.VARY) == {name.strip() for name in response.headers["Vary"].split(",")}
        assert response.headers["Cache-Control"] == ("no-cache" if status < 400 else "no-store")


def test_an_error_is_met_once(invented):
    """What was asked of an engine in vain is not asked again to say so."""
    client, before = client_of(invented), invented.backend.asked
    response = client.get("/sparql", query_string={"query": "SELECT ?s { ?s ?p }"})
    assert response.status_code == 400 and json.loads(response.data)["code"] == "syntax" and invented.backend.asked == before + 1


def test_a_pinned_answer_may_be_kept_for_good(invented):
    client = client_of(lambda release_id=None: invented)
    address = f"/release/{invented.release.id}/sparql"
    response = client.get(address, query_string={"query": QUERY})
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Link"].startswith("<http://localhost/sparql?query=") and response.headers["Link"].endswith('; rel="canonical"')
    passing = client.get(address, query_string={"query": "SELECT (NOW() AS ?t) {}"})
    assert passing.headers["Cache-Control"] == "no-cache" and "ETag" not in passing.headers
