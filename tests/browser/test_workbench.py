"""The workbench at /sparql, used as people use it."""

import io
import json
import re
import subprocess
import sys
import zipfile

import pytest
from playwright.sync_api import expect

from .conftest import Watched
from .workbench import ask, cells, complete, downloads, editor, heads, link, query_in, ready, run, type_in, verdict, write

TITLES = """PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
PREFIX dcterms: <http://purl.org/dc/terms/>
SELECT ?practice ?title { ?practice a kv:Practice ; dcterms:title ?title }"""
COUNTS = 'SELECT ?year ?n { VALUES (?year ?n) { ("2019"^^<http://www.w3.org/2001/XMLSchema#gYear> 3) ("2020"^^<http://www.w3.org/2001/XMLSchema#gYear> 5) } }'
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def test_type_with_completion_run_and_see_the_table(visit):
    page = ready(visit("/sparql"))
    write(page, "SELECT ?p ?country {\n")
    type_in(page, "  ?p a kv:Pra")
    complete(page, "kv:Practice", "practice")
    assert query_in(page).splitlines()[0] == "PREFIX kv: <https://w3id.org/kvgraph/def/kv#>"  # declared without asking
    type_in(page, " ; kv:coun")
    complete(page, "kv:country", "country")
    type_in(page, " ?country }")
    page.keyboard.press("Control+Enter")
    assert cells(page) == [["practice/living-lab", "country:ESP"]]
    assert heads(page) == ["p", "country"]
    expect(page.get_by_role("status").filter(has_text="1 row in")).to_be_visible()
    expect(page.get_by_role("link", name="practice/living-lab")).to_have_attribute("href", "/doc/practice/living-lab")


def test_prefixes_are_ours(visit):
    page = ready(visit("/sparql"))
    write(page, "")
    type_in(page, "PREFIX sk")
    page.keyboard.press("Control+Space")
    expect(page.locator(".CodeMirror-hint")).to_have_text(["skos: <http://www.w3.org/2004/02/skos/core#>"])


def test_a_link_brings_query_and_answer_and_the_address_is_a_link(visit):
    page = ready(visit(link(TITLES)))
    assert cells(page) == [["practice/living-lab", "Living lab of the harbour@en"]]
    expect(page).to_have_url(re.compile(re.escape(link(TITLES)) + "$"))
    ask(page, "ASK { ?s ?p ?o }")
    expect(verdict(page)).to_have_text("Yes")
    page.get_by_role("button", name="Share").click()
    shared = page.get_by_label("Link to this query").input_value()
    expect(page).to_have_url(shared)
    again = ready(visit(shared))
    expect(verdict(again)).to_have_text("Yes")
    assert query_in(again) == "ASK { ?s ?p ?o }"


def test_a_query_too_long_for_an_address_is_shared_behind_the_hash_and_downloaded_by_post(visit):
    page = ready(visit("/sparql"))
    ask(page, TITLES + " # " + "a long comment " * 500)
    assert len(cells(page)) == 1
    expect(page).to_have_url(re.compile("/sparql#query="))
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.path().read_text().splitlines()[0] == "practice,title"
    again = ready(visit(page.url))
    assert len(cells(again)) == 1


def test_the_graphs_of_a_link_are_asked(visit):
    about = "https://w3id.org/kvgraph/graph/practice/living-lab/about"
    page = ready(visit(link("SELECT DISTINCT ?basis { ?g <https://w3id.org/kvgraph/def/kv#basis> ?basis } ORDER BY ?basis", **{"default-graph-uri": about})))
    assert cells(page) == [["basis/classified"], ["basis/stated"]]
    expect(page).to_have_url(re.compile("default-graph-uri="))
    expect(page.get_by_role("link", name="CSV")).to_have_attribute("href", re.compile("default-graph-uri="))


@pytest.mark.parametrize("query", [TITLES, "ASK { ?s ?p ?o }", "DESCRIBE <https://w3id.org/kvgraph/id/practice/living-lab>"])
def test_without_javascript_the_form_answers(visit, query):
    page = visit("/sparql", java_script_enabled=False)
    expect(page.locator("#workbench")).to_be_hidden()
    page.get_by_label("Query").fill(query)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Answer")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/sparql\?query="))


def test_an_example_opens_in_a_tab_of_its_own(visit):
    page = ready(visit("/sparql"))
    page.get_by_role("complementary").get_by_role("link", name="How many practices has each country?").click()
    assert len(cells(page)) == 1
    expect(page.get_by_role("tab")).to_have_text(["Query", "Example"])
    expect(page.get_by_role("tab", selected=True)).to_have_text("Example")


def test_tabs_by_keyboard_and_after_a_reload(visit):
    page = ready(visit("/sparql"))
    ask(page, TITLES)
    assert len(cells(page)) == 1
    page.get_by_role("button", name="New").click()
    write(page, "ASK { ?never ?seen ?again }")
    page.get_by_role("tab", selected=True).focus()
    page.keyboard.press("F2")
    page.get_by_label("Name of the tab").fill("Mine")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab")).to_have_text(["Query", "Mine"])
    page.get_by_role("tab", name="Mine").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", selected=True)).to_have_text("Query")
    expect(page.get_by_role("tab", selected=True)).to_be_focused()
    assert len(cells(page)) == 1  # its answer is still there
    page.keyboard.press("End")
    page.goto("/sparql")
    ready(page)
    expect(page.get_by_role("tab")).to_have_text(["Query", "Mine"])
    assert query_in(page) == "ASK { ?never ?seen ?again }"
    page.get_by_role("tab", name="Mine").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("tab")).to_have_text(["Query"])
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("tab")).to_have_count(1)  # the last one is emptied, not lost
    assert query_in(page) == ""  # which closing does at once


def test_the_keyboard_is_not_caught_in_the_editor(visit):
    page = ready(visit("/sparql"))
    editor(page).locator("textarea").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_focused()
    expect(editor(page).locator("textarea")).to_have_attribute("aria-label", "SPARQL query. Escape, then Tab, leaves the editor.")


def test_table_sorts_and_filters(visit):
    page = ready(visit(link("SELECT ?x ?y { VALUES (?x ?y) { (10 'b') (9 'a') (UNDEF 'c') } }")))
    assert cells(page) == [["10", "b"], ["9", "a"], ["", "c"]]
    page.get_by_role("button", name="x", exact=True).click()
    assert [row[0] for row in cells(page)] == ["", "9", "10"]
    expect(page.get_by_role("columnheader", name="x")).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Filter rows").fill("B")
    assert cells(page) == [["10", "b"]]


def test_many_rows_come_in_pages(visit):
    page = ready(visit(link("SELECT ?x { " + "VALUES ?x { " + " ".join(map(str, range(600))) + " } }")))
    rows = page.locator(".tabPanel.active .yasr_results tbody tr")
    expect(rows).to_have_count(250)
    page.get_by_role("button", name="Show 250 more of 350").click()
    expect(rows).to_have_count(500)
    page.get_by_role("button", name="Show 100 more of 100").click()
    expect(rows).to_have_count(600)


def test_chart(visit):
    page = ready(visit(link(COUNTS)))
    page.get_by_role("button", name="Chart").click()
    chart = page.get_by_role("img", name="n by year")
    expect(chart).to_be_visible()
    assert chart.locator("title").all_text_contents() == ["2019: 3", "2020: 5"]
    expect(chart.locator("polyline")).to_have_count(1)  # years: a line
    page.get_by_label("As").select_option("bars")
    lengths = [float(x) for x in chart.locator("rect").evaluate_all("all => all.map(r => r.getAttribute('width'))")]
    assert lengths[0] / lengths[1] == pytest.approx(3 / 5)


def test_raw_triples_and_verdict(visit):
    page = ready(visit(link("CONSTRUCT { <http://a.example/> <http://b.example/> '{{subject}}' } {}")))
    expect(page.locator(".tabPanel.active .yasr_results pre")).to_contain_text('<http://a.example/> <http://b.example/> "{{subject}}" .')
    expect(downloads(page)).to_have_text(["Turtle", "N-Triples", "JSON-LD", "RDF/XML"])


def test_literals_are_shown_as_they_are(visit):
    """YASR would replace what stands in double braces by the value of another column."""
    page = ready(visit(link("SELECT ?a ?b { VALUES (?a ?b) { ('{{b}}' 'x') } }")))
    assert cells(page) == [["{{b}}", "x"]]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT ?x WHERE { ?x a }", "Line 1, column"),
        ("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "SERVICE is not answered here"),
        ("INSERT DATA { <http://a.example/> a <http://b.example/> }", "only queries"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(visit, query, words):
    page = ready(visit("/sparql"))
    ask(page, query)
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(downloads(page)).to_have_count(0)


def test_the_first_wrong_line_is_marked(visit):
    page = ready(visit("/sparql"))
    write(page, "SELECT ?x {\n  ?x a a a\n}")
    mark = page.locator(".wb-wrong")
    expect(mark).to_have_count(1)
    assert mark.get_attribute("title").startswith("Not expected here")
    mark.hover()


def test_a_query_can_be_stopped(visit):
    page = ready(visit("/sparql"))
    ask(page, ENDLESS)
    expect(page.get_by_text("Running…")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("alert")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()


@pytest.mark.parametrize("name", ["CSV", "TSV", "JSON", "XML"])
def test_downloads(visit, name):
    page = ready(visit(link(TITLES)))
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    assert "Living lab of the harbour" in download.value.path().read_text()


def test_spreadsheet(visit):
    page = ready(visit(link("SELECT ?x { VALUES ?x { '=1+1' } }")))
    with page.expect_download() as download:
        page.get_by_role("link", name="Spreadsheet").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
    assert re.search(r'<c r="A2" t="inlineStr"><is><t[^>]*>=1\+1</t></is></c>', sheet) and "<f>" not in sheet


HARD = """SELECT ?x WHERE { # it's "quoted" $HOME `id` \\
  VALUES ?x { "a'b" "c\\"d" "e\\\\f" ')"' ')-"' }
}"""


@pytest.mark.parametrize("language", ["curl", "Python"])
@pytest.mark.parametrize("query", [HARD, 'SELECT ?x {\n  VALUES ?x { "plain" }\n}'])
def test_snippets_run_as_they_stand(visit, language, query):
    page = ready(visit("/sparql"))
    write(page, query)
    page.get_by_text("This query as a program").click()
    page.get_by_label("Language").select_option(language)
    text = page.get_by_label("Program").inner_text()
    command = [sys.executable, "-W", "ignore", "-c", text] if language == "Python" else ["bash", "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    for value in ("a'b", 'c"d', "e\\f") if query == HARD else ("plain",):
        assert value in done.stdout.replace('""', '"')


def test_the_r_snippet_quotes_any_query(visit):
    page = ready(visit("/sparql"))
    write(page, HARD)
    page.get_by_text("This query as a program").click()
    page.get_by_label("Language").select_option("R")
    text = page.get_by_label("Program").inner_text()
    assert f'`query` = r"--({HARD})--"' in text  # the query holds )" and )-" itself, so two dashes close it


@pytest.mark.parametrize(
    "stored",
    [
        "not json",
        json.dumps({"val": {"tabs": "x"}}),
        json.dumps({"val": {"tabs": ["a"], "tabConfig": {"a": {"name": 5}}, "active": "a"}}),
        json.dumps({"val": {"tabs": ["a"], "active": "zzz", "tabConfig": {"a": {
            "id": "b", "name": "Mine", "yasqe": {"value": "ASK {}"}, "yasr": {"settings": {"selectedPlugin": "pivot"}, "response": {"data": "old"}},
            "requestConfig": {"endpoint": "https://elsewhere.example/sparql", "headers": {"x-y": "z"}, "args": [{"name": "update", "value": "DROP ALL"}]},
        }}}}),
    ],
)  # fmt: skip
def test_whatever_is_stored_the_workbench_opens_and_asks_only_us(visit, stored):
    page = ready(visit("/sparql"))
    page.evaluate("(text) => localStorage.setItem('kvgraph /sparql_config', text)", stored)
    page.goto("/sparql")
    ready(page)
    ask(page, "ASK {}")
    expect(verdict(page)).to_have_text("Yes")


def test_the_workbench_of_a_pinned_release_stays_in_it(visit, small_home):
    release = (small_home / "current").resolve().name
    page = ready(visit(f"/release/{release}" + link(TITLES)))
    with page.expect_request(f"**/release/{release}/sparql") as asked:
        run(page)
    assert asked.value.method == "POST"
    expect(page.get_by_role("link", name="practice/living-lab")).to_have_attribute("href", f"/release/{release}/doc/practice/living-lab")
    expect(downloads(page).first).to_have_attribute("href", re.compile(f"^/release/{release}/sparql"))
    expect(page).to_have_url(re.compile(re.escape(f"/release/{release}" + link(TITLES)) + "$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_needs_no_sideways_scrolling(visit, scheme):
    page = ready(visit(link(COUNTS), viewport={"width": 320, "height": 640}, color_scheme=scheme))
    for view in ("Table", "Chart", "Raw"):
        page.get_by_role("button", name=view, exact=True).click()
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 320


@pytest.mark.parametrize("answer", [{"status": 404}, {"content_type": "text/javascript", "body": "export const Yasgui = undefined;"}])
def test_without_the_bundle_the_form_stays(browser, base, answer):
    watched = Watched(browser, base)
    page = watched.context.new_page()
    page.route("**/bundles/yasgui.js*", lambda route: route.fulfill(**answer))
    page.goto("/sparql")
    watched.seen("The workbench did not start")
    expect(page.locator("form.editor")).to_be_visible()
    expect(page.locator("#workbench")).to_be_hidden()
    assert len(watched.trespasses) == 1
    watched.trespasses.clear()
    watched.close()
