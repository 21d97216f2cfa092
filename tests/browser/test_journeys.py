"""Four people find what they came for, each in several ways: at a desk and on a phone, with and without scripts, with the keyboard alone.

Numbers that are on two pages are compared; what the numbers are is the data's business.
"""

import gzip
import hashlib
import io
import json
import re
import zipfile

import pytest
from playwright.sync_api import expect

from .conftest import Watched
from .walking import Keyboard, Pointer, Walk, number

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SCRIPTLESS = {"java_script_enabled": False}
WAYS = {
    "desk": DESK, "phone": PHONE, "desk without scripts": DESK | SCRIPTLESS, "phone without scripts": PHONE | SCRIPTLESS, "keyboard": DESK,
}  # fmt: skip


@pytest.fixture(scope="module")
def answered() -> set[str]:
    return set()


@pytest.fixture(params=WAYS)
def walk(request, browser, bundled_base, answered):
    """Somebody at the home page. At the end nothing may have gone wrong: no request elsewhere, no error, no breach of the policy."""
    options = WAYS[request.param]
    watched = Watched(browser, bundled_base, reduced_motion="reduce", accept_downloads=True, **options)
    page = watched.context.new_page()
    hands = Keyboard(page) if request.param == "keyboard" else Pointer(page, options.get("has_touch", False))
    walk = Walk(page, hands, options.get("java_script_enabled", True), answered)
    walk.open("/")
    yield walk
    watched.close()


# ── A policy officer: what works in regions like mine? ───────────────────────────────────────────────────────────────


def test_a_policy_officer(walk):
    region, practices = find_my_region(walk)
    expect(walk.heading).to_have_text(region)
    assert number(walk.main.locator(".numbers li").filter(has_text="practice")) == practices
    practice = learn_from_a_region_like_mine(walk)
    expect(walk.heading).to_have_text(practice)
    see_where_a_statement_comes_from(walk)
    cite(walk, practice)


def find_my_region(walk: Walk) -> tuple[str, int]:
    """By the map and its table; the name, and how many practices the map says it has."""
    walk.follow(walk.main.get_by_role("link", name="Explore the map"))
    walk.follow(walk.main.get_by_role("link", name="Zoom in Spain", exact=True))
    row = walk.main.locator("#places tbody tr").filter(has_text="Catalonia")
    practices, region = number(row.locator("td").first), row.get_by_role("rowheader").inner_text()
    walk.follow(row.get_by_role("rowheader").get_by_role("link"))
    return region, practices


def learn_from_a_region_like_mine(walk: Walk) -> str:
    """The most similar region says why it is; its first practice."""
    alike = walk.main.locator("ol.alike > li").first
    assert 0 < number(alike.locator(".score")) <= 100
    assert alike.locator(".reasons li").count() > 0
    practice = alike.locator("a[href^='/doc/practice/']").first
    name = practice.inner_text()
    walk.follow(practice)
    return name


def see_where_a_statement_comes_from(walk: Walk) -> None:
    """The mark behind a statement leads to its source: a page that states it, or a curator who read it so."""
    mark = walk.main.locator("a.mark").first
    title = mark.get_attribute("title")
    walk.hands.press(mark)
    expect(walk.page).to_have_url(re.compile("#source-"))
    source = walk.main.locator(":target")
    expect(source).to_be_in_viewport()
    basis = source.locator(".basis")
    assert basis.inner_text() in ("stated", "classified", "derived") and basis.inner_text() in title.lower()
    expect(source.get_by_role("link").first).to_have_attribute("href", re.compile("^https?://"))


def cite(walk: Walk, title: str) -> None:
    release = walk.page.locator("footer").get_by_role("link", name=re.compile(r"^\d{4}-\d\d-\d\d-")).inner_text()
    citation = walk.main.locator(".citation")
    expect(citation).to_contain_text(title)
    expect(citation).to_contain_text(release)
    walk.unfold(walk.main.get_by_text("Show BibTeX"))
    shown = walk.main.locator("details pre").first.inner_text()
    assert shown.startswith("@") and release in shown
    assert walk.take(walk.main.get_by_role("link", name="BibTeX", exact=True)).decode().strip() == shown.strip()


# ── A knowledge-transfer office: how are we connected to them? ───────────────────────────────────────────────────────


def test_a_transfer_office(walk):
    find_an_organisation(walk, "KU Leuven")
    connect_to(walk, "University of Ljubljana")
    open_the_source_of_a_step(walk)
    look_at_the_network(walk)
    find_a_similar_one(walk, "KU Leuven")


def find_an_organisation(walk: Walk, name: str) -> None:
    field = walk.main.get_by_label("Search practices, organisations, policies, regions")
    with walk.leaving():
        walk.name_in(field, name)
        if not walk.scripts:
            field.press("Enter")
    if not walk.scripts:
        walk.follow(walk.main.get_by_role("heading", level=3).get_by_role("link", name=name, exact=True).first)
    expect(walk.heading).to_have_text(name)


def connect_to(walk: Walk, name: str) -> None:
    """From the page of the first to the list of connections with the other."""
    field = walk.main.get_by_label("How is this connected to …")
    walk.name_in(field, name)
    walk.follow(walk.main.get_by_role("button", name="Go"))
    choices = walk.main.locator(".choose a", has_text=name)
    if choices.count():
        walk.follow(choices.first)
    expect(walk.heading).to_have_text("How are these two connected?")
    assert walk.main.locator("ol.paths > li").count() + walk.main.locator("ol.others > li").count() == number(walk.main.locator("h2.count"))


def open_the_source_of_a_step(walk: Walk) -> None:
    """Each step of the best connection is a sentence with its source; the page of the practice in it names the same source."""
    steps = walk.main.locator("ol.paths > li").first.locator(".hops").first.locator("> li")
    for step in steps.all():
        assert step.locator("p a").count() >= 2 and step.locator(".origin").inner_text()
    step = steps.filter(has=walk.page.locator("a[href^='/doc/practice/']")).first
    source = step.locator(".origin a").first.get_attribute("href")
    connections = walk.page.url
    walk.follow(step.locator("a[href^='/doc/practice/']").first)
    expect(walk.main.locator(f"section.sources a[href='{source}']").first).to_be_visible()
    walk.back(connections)


def look_at_the_network(walk: Walk) -> None:
    """The same things drawn, and as a list with as many lines as things are said to be drawn."""
    walk.follow(walk.main.get_by_role("link", name="These things as a network"))
    expect(walk.main.locator("#lists section:has(#things) tbody tr")).to_have_count(number(walk.main.locator("#summary .count")))
    if walk.scripts:
        expect(walk.main.locator(".tools")).to_be_visible()
        walk.page.wait_for_function("() => window.network?.nodes().nonempty()")
        assert walk.page.evaluate("window.network.nodes().length") == walk.main.locator("#lists section:has(#things) tbody tr").count()
    else:
        expect(walk.main.locator("svg.still")).to_be_visible()


def find_a_similar_one(walk: Walk, name: str) -> None:
    walk.follow(walk.main.locator("#lists").get_by_role("rowheader").get_by_role("link", name=name, exact=True))
    similar = walk.main.locator(".likenesses > li").first
    assert similar.locator(".why dd").count() > 0, "and why it is"
    other = similar.locator(".name a").inner_text()
    walk.follow(similar.locator(".name a"))
    expect(walk.heading).to_have_text(other)


# ── A data engineer: may I have all of it? ───────────────────────────────────────────────────────────────────────────


def test_a_data_engineer(walk):
    read_the_guide(walk)
    run_an_example(walk)
    fetch_a_dump(walk)
    take_one_thing_as_turtle(walk)
    see_the_query_behind_a_page(walk)


def read_the_guide(walk: Walk) -> None:
    walk.menu("Docs")
    walk.follow(walk.main.get_by_role("link", name="A data engineer's guide"))
    expect(walk.main.locator("pre").first).to_contain_text("curl")


def run_an_example(walk: Walk) -> None:
    """The first example of the workbench, or of the form that stands in for it; the CSV has as many rows as it says."""
    walk.menu("SPARQL")
    if walk.scripts:
        expect(walk.page.locator("html.has-workbench")).to_be_attached()
        walk.hands.press(walk.main.locator(".wb-examples a").first)
        expect(walk.main.locator(".yasr_results tbody tr").first).to_be_visible()
        rows = number(walk.page.get_by_role("status").filter(has_text=re.compile(r"rows? in")))
        file = walk.take(walk.main.locator(".wb-head .downloads").get_by_role("link", name="CSV"))
    else:
        walk.follow(walk.main.locator(".gallery a").first)
        rows = number(walk.main.locator(".answer-head .count"))
        file = walk.take(walk.main.locator(".answer-head").get_by_role("link", name="CSV"))
    assert len(file.decode().splitlines()) == rows + 1


def fetch_a_dump(walk: Walk) -> None:
    """From the catalogue to the smallest file, which is the one whose checksum stands beside it."""
    walk.follow(walk.page.locator("footer").get_by_role("link", name="Catalogue and dumps"))
    walk.follow(walk.main.get_by_role("link", name="All dumps, with checksums"))
    row = walk.main.get_by_role("row").filter(has_text="eu-country-authority-table.ttl.gz")
    file = walk.take(row.get_by_role("link"))
    assert hashlib.sha256(file).hexdigest() == row.locator(".mono").inner_text()
    assert b"http://publications.europa.eu/resource/authority/country/" in gzip.decompress(file)


def take_one_thing_as_turtle(walk: Walk) -> None:
    walk.menu("Search")
    walk.follow(walk.main.get_by_role("heading", level=3).get_by_role("link").first)
    name, iri = walk.heading.inner_text(), walk.main.locator("aside .mono").inner_text()
    turtle = walk.read(walk.main.get_by_role("link", name="Turtle", exact=True))
    assert iri.rpartition("/")[2] in turtle and name in turtle and "dcterms:" in turtle


def see_the_query_behind_a_page(walk: Walk) -> None:
    """The link leads to the query, and to its answer without another step."""
    walk.follow(walk.main.locator("aside").get_by_role("link", name="The query behind this"))
    expect(walk.main.locator(".yasr_results tbody tr" if walk.scripts else ".answer tbody tr").first).to_be_visible()


# ── A researcher: what is known, and where are the gaps? ─────────────────────────────────────────────────────────────


def test_a_researcher(walk):
    ask_a_question_with_a_form(walk)
    look_at_a_chart(walk)
    narrow_a_search(walk)
    go_from_a_cell_to_its_practices(walk)


def ask_a_question_with_a_form(walk: Walk) -> None:
    """Fill the form, read the table, take the spreadsheet: all have the same rows."""
    walk.menu("Questions")
    assert number(walk.main.locator(".lead")) == walk.main.locator(".gallery a").count()
    walk.follow(walk.main.get_by_role("link", name="Which practices are there in a country?"))
    field = walk.main.locator("form.params").get_by_label("Country")
    walk.hands.choose(field, "Portugal")
    walk.follow(walk.main.get_by_role("button", name="Answer"))
    rows = number(walk.main.locator(".answer-head .count"))
    assert rows == walk.main.locator(".answer tbody tr").count() > 0
    book = zipfile.ZipFile(io.BytesIO(walk.take(walk.main.get_by_role("link", name="Spreadsheet"))))
    assert book.read("xl/worksheets/sheet1.xml").count(b"<row ") == rows + 1


def look_at_a_chart(walk: Walk) -> None:
    """A bar for each row of the table below it, with the same number; the JSON says so too."""
    walk.menu("Questions")
    walk.follow(walk.main.get_by_role("link", name="How many practices use each channel?"))
    bars = walk.main.locator("figure.chart g:has(rect.bar) > title").all_text_contents()
    lines = [line.locator("td").all_inner_texts() for line in walk.main.locator(".answer tbody tr").all()]
    assert bars == [f"{name}: {count}" for name, count in lines]
    answer = json.loads(walk.take(walk.main.locator(".answer-head").get_by_role("link", name="JSON")))
    assert [row["practices"]["value"] for row in answer["results"]["bindings"]] == [count.replace(",", "") for _, count in lines]


def narrow_a_search(walk: Walk) -> None:
    """The count beside a value is how many results it leads to; on a phone the values are folded away."""
    walk.menu("Search")
    sheet = walk.main.locator("details.sheet > summary")
    for name in ("Practices", "Spin-offs"):
        choice = walk.main.locator("a.choice", has_text=name).first
        group = choice.locator("xpath=ancestor::details[1]")
        if sheet.is_visible():
            walk.unfold(sheet)
        walk.unfold(group.locator("> summary"))
        results = number(choice.locator(".n"))
        walk.follow(choice)
        assert number(walk.main.locator("#count")) == results


def go_from_a_cell_to_its_practices(walk: Walk) -> None:
    walk.menu("Coverage")
    cell = walk.main.locator(".matrix tbody td:not(.all) a").first
    practices = number(cell)
    walk.follow(cell)
    assert number(walk.main.locator("#count")) == practices
    assert walk.main.locator(".chips li").count() >= 3, "practices, a country and a channel"
    practice = walk.main.get_by_role("heading", level=3).get_by_role("link").first
    name = practice.inner_text()
    walk.follow(practice)
    expect(walk.heading).to_have_text(name)
