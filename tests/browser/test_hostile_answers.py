"""Whatever stands in data, in names of columns, in links and in what is stored: it is text. (Yasgui#220, #221, #227 and their kin.)

That nothing is carried out is asserted by ``visit`` for each page at its end: no payload ran, and none was even tried, or the
Content-Security-Policy would have reported it.
"""

import json
import re

import pytest
from playwright.sync_api import expect

from ..serving import served
from .conftest import Watched
from .workbench import ask, cells, heads, link, ready, run, verdict, write

PAYLOADS = [
    "<img src=x onerror=\"harmed.push('img')\">",
    "<script>harmed.push('script')</script>",
    "\"><svg onload=\"harmed.push('svg')\">",
    "<iframe srcdoc=\"<script>parent.harmed.push('frame')</script>\">",
    "<a href=\"javascript:harmed.push('a')\">click</a>",
    "{{constructor.constructor('harmed.push(1)')()}}",
    "https://x.example/<http://y.example'onclick=harmed.push('link');'>",
    "</textarea></script><style>body{display:none}</style>",
]
UNSAFE = ["javascript:harmed.push('iri')", "JaVaScRiPt:harmed.push('case')", "data:text/html,<script>harmed.push(1)</script>", "vbscript:x", "file:///etc/passwd"]


NAMES = {"en": "\" autofocus onfocus=\"harmed.push('attribute')\" x=\"", "fr": "{{7*7}}${harmed.push('template')}", "de": "javascript:harmed.push('label')"}


def quoted(text: str) -> str:
    return json.dumps(text)


def values(texts) -> str:
    return f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(quoted, texts))} }} }}"


@pytest.fixture(scope="module")
def hostile_base(tmp_path_factory):
    """A server whose data itself is hostile, as far as the shapes let it be: they refuse tags in labels."""
    from kvgraph.build import build

    from ..conftest import SMALL

    home, data = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("data")
    for path in SMALL.iterdir():
        text = path.read_text(encoding="utf-8")
        named = text.replace('"Living lab of the harbour"@en', ", ".join(f"{quoted(name)}@{tag}" for tag, name in NAMES.items()))
        assert path.name != "living-lab.trig" or named != text
        (data / path.name).write_text(named, encoding="utf-8")
    build(home, data=data)
    with served(home) as address:
        yield address


def test_the_watch_sees_what_a_careless_page_would_do(browser, base):
    """The tests below would notice."""
    watched = Watched(browser, base)
    page = watched.context.new_page()
    page.goto("/docs/api")
    page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", PAYLOADS[0] + "<p style='color: red'>")
    page.evaluate("harmed.push('script'); new Image().src = 'http://127.0.0.1:9/'; console.error('trouble')")
    watched.seen("policy violation: script-src-attr", "policy violation: style-src-attr", "harmed: script", "policy violation: img-src", "console: trouble")
    watched.context.close()


def test_hostile_literals_are_text(visit):
    page = ready(visit(link(values(PAYLOADS))))
    assert [row[0] for row in cells(page)] == PAYLOADS
    assert page.locator(".tabPanel.active .yasr_results :is(img, script, svg, iframe, style, td a)").count() == 0
    page.get_by_role("button", name="Raw").click()
    expect(page.locator(".tabPanel.active .yasr_results pre")).to_contain_text("onerror")
    assert page.locator(".tabPanel.active .yasr_results pre :is(img, script, svg)").count() == 0


def test_hostile_labels_in_the_data_are_text(browser, hostile_base):
    watched = Watched(browser, hostile_base)
    page = watched.context.new_page()
    titles = "SELECT ?t { ?p a <https://w3id.org/kvgraph/def/kv#Practice> ; <http://purl.org/dc/terms/title> ?t } "
    page.goto(link(titles))
    ready(page)
    assert sorted(row[0] for row in cells(page)) == sorted(f"{name}@{tag}" for tag, name in NAMES.items())
    for address in ("/doc/practice/living-lab", "/search?q=autofocus", "/questions/practices-by-channel"):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
    watched.close()


@pytest.mark.parametrize("iri", UNSAFE)
def test_an_unsafe_iri_is_no_link(visit, iri):
    page = ready(visit("/sparql"))
    ask(page, f"SELECT (IRI({quoted(iri)}) AS ?x) {{}}")
    # What is not even an IRI is unbound; what is one is shown, and leads nowhere.
    expect(page.locator(".tabPanel.active .yasr_results tbody tr")).to_have_count(1)
    assert cells(page)[0][0] in (iri, "")
    assert page.locator(".tabPanel.active .yasr_results a").count() == 0


def test_a_safe_iri_is_a_link_that_gives_nothing_away(visit):
    page = ready(visit(link("SELECT ?x { VALUES ?x { <https://elsewhere.example/a> } }")))
    anchor = page.locator(".tabPanel.active .yasr_results a")
    expect(anchor).to_have_attribute("href", "https://elsewhere.example/a")
    assert "noreferrer" in anchor.get_attribute("rel")


def test_names_of_columns_as_hostile_as_sparql_allows(visit):
    page = ready(visit(link("SELECT (1 AS ?constructor) (2 AS ?__proto__) (3 AS ?ｏｎｅｒｒｏｒ) (4 AS ?_·‿) (5 AS ?hasOwnProperty) {}")))
    assert heads(page) == ["constructor", "__proto__", "ｏｎｅｒｒｏｒ", "_·‿", "hasOwnProperty"]
    assert cells(page) == [["1", "2", "3", "4", "5"]]
    page.get_by_role("button", name="Chart").click()
    expect(page.locator(".tabPanel.active .wb-chart svg")).to_be_visible()


def test_an_endpoint_that_lies_about_its_columns_languages_and_datatypes(visit):
    """Yasgui#221: names of variables that no grammar allows, from an endpoint in somebody else's hands."""
    page = ready(visit("/sparql"))
    columns = PAYLOADS[:4]
    term = {"type": "literal", "value": PAYLOADS[0], "xml:lang": PAYLOADS[1], "datatype": PAYLOADS[2]}
    body = {"head": {"vars": columns}, "results": {"bindings": [dict.fromkeys(columns, term), {columns[0]: {"type": PAYLOADS[0], "value": "x"}}]}}
    page.route("**/sparql", lambda route: route.fulfill(content_type="application/sparql-results+json", body=json.dumps(body)))
    run(page)
    assert heads(page) == columns
    assert PAYLOADS[0] in cells(page)[0][0]
    assert page.locator(".tabPanel.active .yasr_results :is(img, script, svg, iframe)").count() == 0
    page.get_by_role("button", name="Raw").click()
    expect(page.locator(".tabPanel.active .yasr_results pre")).to_be_visible()


def test_hostile_names_in_charts(visit):
    rows = " ".join(f"({quoted(text)} {n})" for n, text in enumerate(PAYLOADS, start=1))
    page = ready(visit(link(f"SELECT ?name ?n {{ VALUES (?name ?n) {{ {rows} }} }}")))
    page.get_by_role("button", name="Chart").click()
    expect(page.locator(".tabPanel.active .wb-chart svg")).to_be_visible()
    assert page.locator(".tabPanel.active .wb-chart svg title").first.text_content() == f"{PAYLOADS[0]}: 1"
    assert page.locator(".tabPanel.active .wb-chart :is(img, script, iframe)").count() == 0


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (500, "text/html", PAYLOADS[0] + PAYLOADS[1]),
        (400, "application/problem+json", json.dumps({"detail": PAYLOADS[0], "hint": PAYLOADS[1], "source": PAYLOADS[2], "column": 5})),
        (400, "application/problem+json", json.dumps({"detail": {"not": "text"}, "column": "x"})),
        (503, "application/json", "[]"),
        (200, "application/sparql-results+json", "{not json " + PAYLOADS[0]),
        (200, "application/sparql-results+json", "{}"),
        (200, "text/html", PAYLOADS[0]),
        (200, "application/sparql-results+xml", '<!DOCTYPE x [<!ENTITY a "a">]><sparql/>'),
    ],
)
def test_hostile_and_broken_answers_are_shown_as_text(visit, status, kind, body):
    page = ready(visit("/sparql"))
    page.route("**/sparql", lambda route: route.fulfill(status=status, content_type=kind, body=body))
    run(page)
    expect(page.locator(".tabPanel.active .yasr_results > *").first).to_be_visible()
    assert page.locator(".tabPanel.active .yasr_results :is(img, script, svg, iframe)").count() == 0
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()


def test_a_hostile_query_in_a_link_is_text(visit):
    page = visit("/docs/api")
    for payload in PAYLOADS:
        page.goto(link(payload))
        ready(page)
        expect(page.locator(".tabPanel.active [role=alert]")).to_be_visible()
    page.goto("/docs/api")
    page.goto("/sparql#query=" + "%3Cimg%20src%3Dx%20onerror%3D%22harmed.push(1)%22%3E&endpoint=https%3A%2F%2Felsewhere.example%2F&tabTitle=%3Cimg%3E")
    ready(page)
    expect(page.locator(".tabPanel.active [role=alert]")).to_be_visible()


def test_a_link_brings_no_endpoint_headers_or_settings(visit):
    page = ready(visit(link("ASK {}", endpoint="https://elsewhere.example/sparql", headers='{"x-evil": "1"}', outputFormat="pivot", outputSettings="{", contentTypeSelect="text/html", requestMethod="GET")))
    expect(verdict(page)).to_have_text("Yes")
    expect(page).not_to_have_url(re.compile("elsewhere"))


def test_a_hostile_name_of_a_tab_is_text(visit):
    page = ready(visit("/sparql"))
    page.get_by_role("button", name="Rename").first.click()
    page.get_by_label("Name of the tab").fill(PAYLOADS[0])
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab")).to_have_text([PAYLOADS[0]])
    page.goto("/sparql")
    ready(page)
    expect(page.get_by_role("tab")).to_have_text([PAYLOADS[0]])


def test_hostile_text_in_the_editor_is_text(visit):
    page = ready(visit("/sparql"))
    write(page, "SELECT ?x {\n" + "\n".join(PAYLOADS))
    page.locator(".wb-wrong").hover()
    page.get_by_text("This query as a program").click()
    expect(page.get_by_label("Program")).to_contain_text("onerror")
    assert page.locator(".workbench :is(img, script, iframe)").count() == 0


def test_hostile_terms_in_completion_are_text(visit):
    page = visit("/docs/api")
    term = {"term": {"type": "uri", "value": "https://w3id.org/kvgraph/def/kv#Pra" + PAYLOADS[0]}, "kind": {"value": "class"}, "label": {"value": PAYLOADS[1]}}
    body = json.dumps({"head": {"vars": []}, "results": {"bindings": [term]}})
    page.route(lambda url: "/sparql?query=" in url, lambda route: route.fulfill(content_type="application/sparql-results+json", body=body))
    page.goto("/sparql")
    ready(page)
    write(page, "PREFIX kv: <https://w3id.org/kvgraph/def/kv#>\nSELECT * {\n")
    page.evaluate("{const cm = document.querySelector('.tabPanel.active .CodeMirror').CodeMirror; cm.focus(); cm.execCommand('goDocEnd')}")
    page.keyboard.type("  ?p a kv:Pra")
    expect(page.locator(".CodeMirror-hint")).to_contain_text("onerror")
    assert page.locator(".CodeMirror-hints :is(img, script)").count() == 0


def test_the_field_for_an_endpoint_is_not_there(visit):
    """Yasgui#220 and #227 are in that field."""
    page = ready(visit("/sparql"))
    assert page.locator("input.autocomplete, .autocompleteWrapper, .controlbar").count() == 0
