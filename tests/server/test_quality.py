"""``/quality``: every figure is the answer to the query linked beside it."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import kvgraph

from .conftest import client_of
from .html import check

BROWSER = {"Accept": "text/html"}


def test_the_page_says_what_the_questions_answer(bundled_home):
    graph = kvgraph.open(bundled_home)
    text = client_of(graph).get("/quality", headers=BROWSER).data.decode()
    check(text)
    for row in graph.run("complete-records"):
        assert f"<b>{row['share']} %</b>" in text and f"{row['complete']} of {row['records']}" in text
    for row in graph.run("completeness"):
        assert row["label"] in text
    assert all(re.search(rf">{re.escape(row['oneName'])}</a>", text) for row in list(graph.run("suspected-duplicates"))[:3] if "&" not in row["oneName"])


def test_every_query_link_of_the_page_has_an_answer(bundled_home):
    graph = kvgraph.open(bundled_home)
    text = client_of(graph).get("/quality", headers=BROWSER).data.decode()
    links = {unescape(href) for href in re.findall(r'href="(/sparql\?[^"]+)"', text)}
    assert len(links) >= 6
    for link in links:
        (query,) = parse_qs(urlsplit(link).query)["query"]
        assert len(list(graph.query(query))) > 0, query[:80]


def test_without_records_it_is_an_honest_page(client):
    response = client.get("/quality", headers=BROWSER)
    assert response.status_code == 200
    check(response.data.decode())
