"""Explorer pages, questions, vocabulary, guides, operators: what they answer, and what every page holds to."""

import json
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest

from kvgraph import queries
from kvgraph.graph import Graph
from kvgraph.model import LISTS
from kvgraph.releases import NoRelease
from kvgraph.resources import folder
from kvgraph.store import Embedded, PoolUnavailable

from .conftest import Counting, client_of
from .html import Page, check

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = (
    "/", "/search", "/search?q=harbour", "/search?q=zzzz", "/search?type=actor", "/search?q=harbour&type=actor&page=9", "/connections",
    "/connections?a=harbour+university&b=fjord+institute", "/connections?a=harbour&b=nobody+at+all", "/questions",
    "/questions/practices-by-region", "/questions/practices-by-region?region=Atlantis", "/questions/channel-in-country",
    "/questions/practice-neighbourhood?practice=practice/living-lab", "/questions/no-such-question", "/sparql", "/docs", "/docs/about",
    "/docs/api", "/docs/accessibility", "/docs/nothing", "/def", "/def/kv", "/def/nothing", "/nowhere",
)  # fmt: skip


def page(client, address, status=200):
    response = client.get(address, headers=BROWSER)
    assert (response.status_code, response.mimetype) == (status, "text/html")
    text = response.data.decode()
    return text, check(text)


# ── What every page holds to ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_sound_and_carries_the_headers(client, address):
    response = client.get(address, headers=BROWSER)
    assert response.status_code in (200, 400, 404) and response.mimetype == "text/html"
    check(response.data.decode())
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "2026-11-22-invented" in response.data.decode(), "the release is named"


@pytest.mark.parametrize("address", PAGES)
def test_no_page_needs_more_than_eight_queries(invented, address):
    backend = Counting(invented.backend.store)
    client_of(Graph(backend, invented.release)).get(address, headers=BROWSER)
    assert backend.asked <= 8


def test_every_link_inside_leads_somewhere(client):
    """From the home page through everything that pages link to; of a page whose address holds choices, some of them."""
    waiting, seen, visits = ["/"], set(), Counter()
    while waiting and len(seen) < 400:
        address = waiting.pop(0).split("#")[0]
        if address in seen or visits[urlsplit(address).path] == 12:
            continue
        seen.add(address)
        visits[urlsplit(address).path] += 1
        response = client.get(address, headers=BROWSER, follow_redirects=True)
        assert response.status_code == 200, address
        if response.mimetype == "text/html" and not address.startswith("/sparql"):
            parsed = Page(response.data.decode())
            assert parsed.problems == [], address
            waiting += [href for href in parsed.links if href.startswith("/")]
    assert len(seen) > 150


def test_a_page_that_has_not_changed_costs_nothing(invented, client):
    tag = client.get("/", headers=BROWSER).headers["ETag"]
    before = invented.backend.asked
    again = client.get("/", headers={**BROWSER, "If-None-Match": tag})
    assert (again.status_code, again.data, invented.backend.asked) == (304, b"", before)
    german = client.get("/", headers={**BROWSER, "Accept-Language": "de", "If-None-Match": tag})
    assert german.status_code == 200, "another language is another representation"


def test_static_files_are_kept_and_pages_ask_for_this_edition(client):
    text, _ = page(client, "/")
    style = re.search(r'href="(/static/kvgraph\.css\?v=\w+)"', text)[1]
    response = client.get(style)
    assert response.mimetype == "text/css" and "immutable" in response.headers["Cache-Control"]


def test_other_sites_may_read_data_but_not_pages(client):
    assert client.get("/questions/practices-per-channel?format=csv").headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/doc/practice/none.ttl").headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in client.get("/").headers


# ── Home, search ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_figures_of_the_home_page_are_those_of_the_query_they_link_to(bundled_client):
    text, _ = page(bundled_client, "/")
    figures = re.findall(r'<a class="number" href="([^"]+)"[^>]*>([\d,]+)</a> <a href="/search\?type=([\w-]+)"', text)
    assert len(figures) == 6
    answer = bundled_client.get(figures[0][0].replace("&amp;", "&"), headers={"Accept": "application/sparql-results+json"}).json
    counts = {int(row["count"]["value"]) for row in answer["results"]["bindings"]}
    for _, figure, type_ in figures:
        assert int(figure.replace(",", "")) in counts
        assert f"{figure} " in page(bundled_client, f"/search?type={type_}")[0], "as many as the list has"


def test_the_home_page_shows_a_practice_of_a_region(bundled_client):
    text, parsed = page(bundled_client, "/")
    assert "A practice from" in text and any(href.startswith("/doc/region/") for href in parsed.links)
    assert sum(href.startswith("/doc/practice/") for href in parsed.links) >= 3


# ── Questions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_gallery_lists_every_question(client):
    _, parsed = page(client, "/questions")
    assert {f"/questions/{name}" for name in queries.names()} <= set(parsed.links)


@pytest.mark.parametrize("name", queries.names())
def test_every_question_has_a_page_with_a_form_and_its_query(client, name):
    text, parsed = page(client, f"/questions/{name}")
    question = queries.load(name)
    assert {f["name"] for f in parsed.fields} >= {p.name for p in question.params}
    assert "The query behind this" in text and any(href.startswith("/sparql?query=") for href in parsed.links)


def test_a_question_takes_names_ids_and_iris_alike(client):
    ways = ("Catalu%C3%B1a", "nuts:ES51", "region/ES51", "http://data.europa.eu/nuts/code/ES51")
    answers = {client.get(f"/questions/practices-by-region?region={way}&format=csv").data for way in ways}
    assert len(answers) == 1 and b"living-lab" in answers.pop()
    assert "Living lab of the harbour" in page(client, "/questions/practices-by-region?region=Catalu%C3%B1a")[0]


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/questions/practices-by-region?region=Katalunya", 400, "is called"),
        ("/questions/practices-by-region?region=<>:", 400, "region"),
        ("/questions/practices-by-region?format=csv", 400, "region"),
        ("/questions/practices-by-region?region=nuts:ES51&nonsense=1&format=csv", 400, "nonsense"),
        ("/questions/practices-by-region?region=nuts:ES51&format=turtle", 400, "csv"),
        ("/questions/practices-by-regoin?format=csv", 404, "practices-by-region"),
        ("/questions/who-worked-together?least=many", 400, "whole number"),
        ("/questions/pages/counts", 404, ""),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", BROWSER["Accept"]])
def test_questions_say_what_is_wrong(client, address, status, words, accept):
    response = client.get(address, headers={"Accept": accept})
    assert response.status_code == status or (response.mimetype == "text/html" and "format=" not in address)
    if response.status_code == status:
        assert words in response.data.decode()


def test_downloads_are_named_files(client):
    response = client.get("/questions/practices-per-channel?format=csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="practices-per-channel.csv"'
    assert response.data.decode().splitlines()[0] == "channel,label,practices"


def test_titles_carry_the_link_of_the_column_before_them(client):
    text, _ = page(client, "/questions/practices-by-region?region=nuts:ES51")
    assert '<th scope="col">Practice</th>' in text
    assert '<a href="/doc/practice/living-lab" lang="en" dir="auto">Living lab of the harbour</a></td>' in text


# ── Vocabulary, guides, operators, errors ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["kv", *LISTS])
def test_the_vocabulary_is_readable_and_data(bundled_client, name):
    text, parsed = page(bundled_client, f"/def/{name}")
    assert text.count('class="term"') >= 2
    for suffix in ("ttl", "jsonld", "nt", "rdf"):
        assert bundled_client.get(f"/def/{name}.{suffix}").status_code == 200
    assert bundled_client.get(f"/def/{name}", headers={"Accept": "text/turtle"}).data == bundled_client.get(f"/def/{name}.ttl").data
    if name == "kv":
        assert {"Practice", "takesUp"} <= set(parsed.ids), "the fragment of a term's IRI leads to it"


def test_every_address_is_documented_and_every_documented_address_exists(client):
    """The table of addresses in the guide, against the application's own map."""
    guide = (folder("web") / "docs" / "20-api.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in guide.split("## Addresses")[1].split("\n## ")[0].splitlines() if line.startswith("| `")]
    addresses = [address for row in rows for address in re.findall(r"`([^`]+)`", row)]
    urls = client.application.url_map.bind("localhost")
    documented = {urls.match(urlsplit(re.sub(r"<\w+>|…", "1", address)).path)[0] for address in addresses}
    forms = re.compile("/(account|contribute|curate)/(?!api/)")  # what the pages of these names lead to
    assert documented == {rule.endpoint for rule in client.application.url_map.iter_rules() if "GET" in rule.methods and not forms.match(rule.rule)}
    assert len(addresses) >= 15


def test_the_health_of_a_server_can_be_asked(client, invented):
    assert client.get("/healthz").data == b"ok\n"
    assert b"2026-11-22-invented" in client.get("/readyz").data

    class Gone(Embedded):
        def _run(self, *args):
            raise PoolUnavailable("No query pool answers.")

    gone = client_of(Graph(Gone(invented.backend.store), invented.release))
    assert gone.get("/healthz").status_code == 200
    assert gone.get("/readyz").status_code == 503 and b"No query pool" in gone.get("/readyz").data


def test_without_a_release_every_page_says_how_to_make_one():
    def none():
        raise NoRelease("No release here.", hint="Build one with: kvgraph build")

    client = client_of(none)
    response = client.get("/", headers=BROWSER)
    assert response.status_code == 503 and response.headers["Retry-After"]
    assert "kvgraph build" in response.data.decode() and check(response.data.decode())
    assert client.get("/readyz").status_code == 503 and client.get("/healthz").status_code == 200


@pytest.mark.parametrize("accept", ["*/*", BROWSER["Accept"]])
def test_our_own_mistakes_show_no_stack_and_are_logged(caplog, accept):
    def broken():
        raise RuntimeError("secret detail in /a/path")

    client = client_of(broken)
    response = client.get("/", headers={"Accept": accept})
    assert response.status_code == 500
    assert "secret" not in response.data.decode() and "Traceback" not in response.data.decode()
    assert "secret detail" in caplog.text


def test_problem_documents_have_the_members_of_rfc_9457(client):
    response = client.get("/nowhere")
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
    assert json.loads(response.data) == {
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "There is no page at this address.", "instance": "/nowhere",
    }  # fmt: skip


def test_no_template_and_no_style_names_another_host():
    for path in [*(folder("web") / "templates").glob("*.html"), *(folder("web") / "static").glob("*.css")]:
        found = re.findall(r"""(?:src|action)=["']https?:|url\(["']?https?:|@import""", path.read_text(encoding="utf-8"))
        assert found == [], path.name


@pytest.mark.parametrize(("address", "said"), [
    ("/questions/practices-by-region?region=nuts:ZZZZ", "ZZZZ is not in the graph. Choose another value for “Region”."),
    ("/questions/practices-by-year?since=2020&until=2010", "The years go backwards"),
])  # fmt: skip
def test_a_question_that_nothing_can_answer_says_why(client, invented, address, said):
    asked = invented.backend.asked
    text, _ = page(client, address)
    assert said in text and invented.backend.asked - asked <= 8


def test_a_question_about_what_is_there_is_not_doubted(client):
    assert "is not in the graph" not in page(client, "/questions/practices-by-region?region=nuts:ES51&channel=channel/participatory-innovation")[0]
