"""A program's query is answered in front of the application, and nobody can tell by the answer."""

import io
import json
import random
import time
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest
from flask import abort
from werkzeug.exceptions import BadRequest

from kvgraph.server import create_app, headers, protocol
from kvgraph.store import Answers, Cached, Outcome

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


def test_a_host_that_werkzeug_takes_for_none_is_in_every_address(invented):
    """One with an underscore, as containers and upstreams are called."""
    client, host = client_of(lambda release_id=None: invented), "http://kv_graph:81"
    pinned = client.get(f"/release/{invented.release.id}/sparql", query_string={"query": QUERY, "format": "json", "maxrows": 1}, base_url=host)
    assert pinned.headers["Link"].startswith(f"<{host}/sparql?query=")
    assert f'"{host}/release/{invented.release.id}/docs/' in pinned.text
    assert f"Sitemap: {host}/sitemap.xml" in client.get("/robots.txt", base_url=host).text
    assert client.get("/dumps", base_url=host).headers["Location"] == f"{host}/dumps/"


def test_forms_are_read_as_the_standard_library_reads_them():
    """Every way to write an escape, and what is none."""
    chance = random.Random(1)
    pieces = [b"%41", b"%c3%a9", b"%", b"%%", b"%4", b"%zz", b"+", b"=", b"&", b"_", b"=3D", b"\r\n", b"\t ", b"%0D%0A", b".", "é".encode(), b"a=b", b"%25", b"%2B"]
    texts = [b"".join(chance.choices(pieces, k=chance.randint(0, 9))) for _ in range(3000)]
    for text in texts:
        try:
            expected = parse_qsl(text.decode(), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            with pytest.raises(BadRequest):
                protocol.fields(text, "the form")
        else:
            assert protocol.fields(text, "the form") == expected, text


ONCE, TWICE = ["fwd=miss", "hit; detail=memory"], ["fwd=miss", "hit", "hit; detail=memory"]


@pytest.mark.parametrize(
    "complete, seconds, waited, hits",
    [(True, 0.0, 0.0, TWICE), (True, 0.0, 0.03, TWICE), (False, 0.0, 0.0, ONCE), (True, 9.0, 0.0, ONCE)],
    ids=["quick", "quick when its turn came", "cut", "slow"],
)
def test_an_engine_is_asked_once_whatever_it_answers(invented, tmp_path, complete, seconds, waited, hits):
    """What it gave quickly is in memory as it came; what was cut, or finds no place on the disk, is kept as it left."""

    class Engine:
        asked = 0

        def answer_file(self, query, format, **options):
            self.asked += 1
            time.sleep(waited)
            return Outcome("SELECT", format, 2, seconds, complete=complete), io.BytesIO(b"{}")

    class Kept(Cached, Engine):
        pass

    backend = Kept().keeping(Answers(tmp_path / "answers", max_bytes=0, quick=0.02), "r", tmp_path)
    app = create_app(lambda: SimpleNamespace(release=invented.release, backend=backend))
    said = [app.test_client().get("/sparql", query_string={"query": QUERY}).headers["Cache-Status"] for _ in hits]
    assert said == [f"kvgraph; {hit}" for hit in hits] and backend.asked == 1
