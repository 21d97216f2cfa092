"""Suggestions while typing, with the keyboard, with a pointer and without a script."""

import re

import pytest
from playwright.sync_api import Page, expect


def field(page: Page):
    return page.get_by_role("combobox", name=re.compile("Words|Search"))


def suggestions(page: Page):
    return page.get_by_role("listbox", name="Suggestions")


def options(page: Page):
    """What is suggested for the text that stands there now: a key that follows another one slowly finds the list of fewer letters."""
    return suggestions(page).and_(page.locator(":not([aria-busy])")).get_by_role("option")


def write(page: Page, text: str):
    found = field(page)
    found.click()
    found.press_sequentially(text)
    return found


def test_arrows_choose_and_enter_opens_the_page(visit):
    page = visit("/search")
    found = write(page, "harb")
    expect(options(page)).to_have_count(2)
    expect(found).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("status").filter(has_text="Suggestions: 2.")).to_be_attached()
    assert found.get_attribute("aria-activedescendant") is None, "nothing is chosen by itself: Enter still searches"
    found.press("ArrowDown")
    first = options(page).first
    expect(first).to_have_attribute("aria-selected", "true")
    assert found.get_attribute("aria-activedescendant") == first.get_attribute("id")
    assert found.get_attribute("aria-controls") == page.get_by_role("listbox").get_attribute("id")
    found.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "false")
    found.press("ArrowDown")
    assert found.get_attribute("aria-activedescendant") is None, "after the last one comes the field itself"
    found.press("ArrowUp")
    chosen = options(page).nth(1)
    expect(chosen).to_have_attribute("aria-selected", "true")
    name = chosen.locator(".name").inner_text()
    found.press("Enter")
    page.wait_for_url("**/doc/**")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_enter_without_a_choice_searches(visit):
    page = visit("/search")
    found = write(page, "harb")
    expect(options(page)).to_have_count(2)
    found.press("Enter")
    page.wait_for_url("**/search?q=harb")
    expect(page.locator("ol.hits > li")).not_to_have_count(0)


def test_escape_and_leaving_close_the_list_and_keep_the_text(visit):
    page = visit("/search")
    found = write(page, "harb")
    expect(options(page)).to_have_count(2)
    found.press("Escape")
    expect(suggestions(page)).to_be_hidden()
    expect(found).to_have_value("harb")
    expect(found).to_have_attribute("aria-expanded", "false")
    found.press("ArrowDown")
    expect(options(page)).to_have_count(2)
    found.press("Tab")
    expect(suggestions(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Search")).to_be_focused()


def test_a_pointer_chooses_too(visit):
    page = visit("/docs/about", viewport={"width": 390, "height": 800}, has_touch=True)
    found = write(page, "fjord")
    expect(options(page)).to_have_count(1)
    box = page.get_by_role("listbox").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390, "it fits on a phone"
    expect(found).to_be_focused()
    options(page).first.tap()
    page.wait_for_url("**/doc/actor/fjord-institute")


def choose_end(page: Page, number: int, text: str):
    """Type one end of a connection and take the first suggestion."""
    end = page.get_by_role("main").get_by_role("combobox").nth(number)
    end.click()
    end.press_sequentially(text)
    expect(options(page).first).to_be_visible()
    end.press("ArrowDown")
    end.press("Enter")
    return end


def test_a_chosen_end_of_a_connection_is_sent_as_its_iri(visit):
    page = visit("/connections")
    expect(choose_end(page, 0, "harbour u")).to_have_value("Harbour University")
    choose_end(page, 1, "fjord").press("Enter")
    page.wait_for_url(re.compile(r"a=https%3A%2F%2Fw3id\.org%2Fkvgraph%2Fid%2Factor%2Fharbour-university&b=https%3A%2F%2Fw3id\.org"))


def test_a_choice_that_is_changed_again_is_sent_as_text(visit):
    page = visit("/connections")
    end = choose_end(page, 0, "harbour u")
    end.press_sequentially("x")
    end.press("Enter")
    page.wait_for_url(re.compile("/connections.a=Harbour.Universityx&"))


def named(*names: str) -> list[dict]:
    return [{"iri": name, "label": name, "lang": "en", "type": "actor", "kind": "actor", "place": "", "href": f"/doc/actor/{name}"} for name in names]


def test_what_was_chosen_while_a_newer_list_was_on_its_way_stays_chosen(visit):
    page = visit("/search")
    page.route("**/suggest?q=ha", lambda route: route.fulfill(json=named("first", "fjord-institute")))
    held = []
    page.route("**/suggest?q=har", lambda route: held.append(route))
    found = write(page, "ha")
    expect(options(page)).to_have_count(2)
    with page.expect_request("**/suggest?q=har"):
        found.press("r")
    found.press("ArrowDown")
    found.press("ArrowDown")
    expect(suggestions(page)).to_have_attribute("aria-busy", "true")
    held[0].fulfill(json=named("fjord-institute", "other", "third"))
    expect(options(page)).to_have_count(3)
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    expect(found).to_have_attribute("aria-activedescendant", options(page).first.get_attribute("id"))
    found.press("Enter")
    page.wait_for_url("**/doc/actor/fjord-institute")


def test_who_writes_on_has_chosen_nothing(visit):
    page = visit("/search")
    found = write(page, "harb")
    expect(options(page)).to_have_count(2)
    found.press("ArrowDown")
    found.press("o")
    expect(options(page)).to_have_count(2)
    expect(options(page).first).to_have_attribute("aria-selected", "false")
    found.press("Enter")
    page.wait_for_url("**/search?q=harbo")


def test_a_list_that_was_closed_is_not_opened_by_a_late_answer(visit):
    page = visit("/search")
    page.route("**/suggest?q=harb", lambda route: None)  # for as long as it takes
    found = write(page, "ha")
    expect(options(page)).not_to_have_count(0)
    with page.expect_request("**/suggest?q=harb"):
        found.press_sequentially("rb")
    with page.expect_event("requestfailed"):  # nobody waits for it any more
        found.press("Escape")
    expect(suggestions(page)).to_be_hidden()
    expect(found).to_have_value("harb")


def test_hostile_names_are_text(visit, base):
    page = visit("/search")
    page.route("**/suggest?**", lambda route: route.fulfill(json=[
        {"iri": "x", "label": "<img src=x onerror=harmed.push(1)>\u202e", "lang": "\"><b>", "type": "practice", "kind": "<i>", "place": "A" * 400, "href": None},
    ]))  # fmt: skip
    write(page, "ha")
    expect(options(page)).to_have_count(1)
    expect(options(page).first.locator(".name")).to_contain_text("<img src=x")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_server_that_is_away_leaves_a_form_that_works(visit):
    page = visit("/search")
    page.route("**/suggest?**", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/suggest?q=harbour")):
        found = write(page, "harbour")
    expect(suggestions(page)).to_be_hidden()
    found.press("Enter")
    page.wait_for_url("**/search?q=harbour")


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_without_a_script_words_and_facets_work(visit, width):
    page = visit("/search", java_script_enabled=False, viewport={"width": width, "height": 800})
    page.get_by_label("Words").fill("harbour")
    page.get_by_role("button", name="Search").click()
    if width < 900:
        expect(page.get_by_role("link", name="Practices")).to_be_hidden()
        page.get_by_text("Narrow down").first.click()
    page.get_by_role("link", name=re.compile("^Practices")).click()
    page.wait_for_url("**/search?q=harbour&type=practice")
    expect(page.locator("ol.hits > li")).to_have_count(1)
    page.get_by_role("link", name=re.compile("^Drop.*Practices")).click()
    page.wait_for_url("**/search?q=harbour")
    assert page.locator("ol.hits > li").count() > 1
