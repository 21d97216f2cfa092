"""What one client may use: the rate, what is told about it, and what does not count."""

import json
import re

import pytest

from kvgraph.errors import KvgraphError
from kvgraph.server.limits import near

from .conftest import client_of

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
STRANGER = {"REMOTE_ADDR": "192.0.2.7"}


def ask(client, number, address="192.0.2.7", accept="*/*", path="/sparql"):
    fields = {"query": f"SELECT ({number} AS ?n) {{}}"} if path == "/sparql" else {"format": "csv"}
    return client.get(path, query_string=fields, headers={"Accept": accept}, environ_base={"REMOTE_ADDR": address})


@pytest.fixture
def client(invented):
    return client_of(invented, {"RATE": "3 per minute"})


def test_who_asks_too_much_is_told_when_to_come_back(client):
    assert [ask(client, n).status_code for n in range(5)] == [200, 200, 200, 429, 429]
    response = ask(client, 9)
    problem = json.loads(response.data)
    assert (problem["status"], problem["code"]) == (429, "rate") and "3 per minute" in problem["detail"]
    assert 0 < int(response.headers["Retry-After"]) <= 61 and response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store" and "/dumps/" in [link["href"] for link in problem["instead"]]
    page = ask(client, 9, accept=BROWSER)
    assert page.status_code == 429 and b"3 per minute" in page.data and page.headers["Retry-After"]


def test_how_much_is_left_is_said(client):
    """draft-ietf-httpapi-ratelimit-headers: a policy, and what remains of it."""
    for left in (2, 1, 0):
        headers = ask(client, left).headers
        assert headers["RateLimit-Policy"] == '"queries";q=3;w=60'
        assert re.fullmatch(rf'"queries";r={left};t=\d+', headers["RateLimit"])


def test_clients_are_counted_apart_and_addresses_of_one_network_together(client):
    for n in range(3):
        assert ask(client, n, "192.0.2.1").status_code == 200
        assert ask(client, 10 + n, f"2001:db8::{n + 1}").status_code == 200
    assert ask(client, 20, "192.0.2.1").status_code == 429
    assert ask(client, 21, "2001:db8::ffff").status_code == 429
    assert ask(client, 20, "192.0.2.2").status_code == 200
    assert ask(client, 21, "2001:db8:0:1::1").status_code == 200


def test_all_that_asks_the_engine_for_strangers_counts_together(client):
    paths = ["/questions/practices-per-country", "/sparql", "/data?default"]
    assert [ask(client, n, path=path).status_code for n, path in enumerate(paths[:2])] == [200, 200]
    assert client.get("/data?default", environ_base=STRANGER).status_code == 200
    assert ask(client, 7).status_code == 429 and ask(client, 7, path="/questions/sources").status_code == 429


def test_pages_things_and_what_was_answered_before_are_free(client):
    first = ask(client, 1)
    assert [ask(client, n).status_code for n in (2, 3, 4)] == [200, 200, 429]
    again = ask(client, 1)
    assert again.status_code == 200 and again.data == first.data and "RateLimit" not in again.headers
    for path in ("/", "/search?q=harbour", "/questions/practices-per-country", "/doc/practice/living-lab.ttl", "/def/kv", "/readyz", "/docs"):
        assert client.get(path, headers={"Accept": BROWSER}, environ_base=STRANGER).status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_not_counted(client, address):
    assert {ask(client, n, address).status_code for n in range(6)} == {200}


def test_the_rate_can_be_set_and_a_wrong_one_is_said_at_once(invented):
    free = client_of(invented, {"RATE": ""})
    assert {ask(free, n).status_code for n in range(6)} == {200}
    with pytest.raises(KvgraphError, match="often"):
        client_of(invented, {"RATE": "often"})


@pytest.mark.parametrize(("query", "question"), [
    ("SELECT * { ?p kv:channel ?c ; kv:country <http://publications.europa.eu/resource/authority/country/ESP> }", "channel-in-country"),
    ("SELECT * { ?p <https://w3id.org/kvgraph/def/kv#takesUp> ?x . ?x dcterms:isPartOf ?y }", "practices-by-policy"),
])  # fmt: skip
def test_questions_that_speak_of_the_same_are_offered(query, question):
    links = [link["href"] for link in near(query, most=4)]
    assert any(question in link for link in links)
    assert near("SELECT * { ?s ?p ?o }") == []
