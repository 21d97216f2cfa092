"""The drawing of a network in a real browser: opened from the keyboard, nothing moves, the list follows."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

LAB = "https://w3id.org/kvgraph/id/practice/living-lab"
HARBOUR = "https://w3id.org/kvgraph/id/actor/harbour-university"
START = f"/network?of={HARBOUR}"
PLACES = "() => Object.fromEntries(network.nodes().map((node) => [node.id(), [Math.round(node.position().x), Math.round(node.position().y)]]))"


def ready(page: Page) -> Page:
    expect(page.locator(".tools")).to_be_visible()
    page.wait_for_function("() => window.network?.nodes().nonempty()")
    return page


def things(page: Page) -> int:
    return page.locator("#lists section:has(#things) tbody tr").count()


def opened(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query).get("open", [])


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark", "reduced_motion": "reduce"}, {"viewport": {"width": 390, "height": 800}}])
def test_a_thing_is_opened_from_the_keyboard_and_nothing_moves(visit, options):
    page = ready(visit(START, **options))
    before, listed = page.evaluate(PLACES), things(page)
    assert listed == len(before)
    page.locator("#stage").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#told")).to_contain_text("Harbour University")
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):  # some way to another thing there is
        page.keyboard.press(key)
    assert page.evaluate("network.$('node:selected').length") == 1
    page.evaluate(f"network.$(':selected').unselect(), network.getElementById('{LAB}').select()")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("open="))
    expect(page.locator("#summary .count")).to_contain_text("things")
    page.wait_for_function(f"() => network.nodes().length > {listed}")
    after = page.evaluate(PLACES)
    assert opened(page) == [LAB] and before.items() <= after.items()
    expect(page.locator("#lists section:has(#things) tbody tr")).to_have_count(len(after))


def test_what_is_opened_from_the_list_keeps_the_focus_in_its_row(visit):
    page = ready(visit(START))
    listed = things(page)
    link = page.locator("#lists a[data-open]").first
    thing = link.get_attribute("data-open")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => document.querySelectorAll('#lists section:has(#things) tbody tr').length > {listed}")
    assert page.evaluate("document.activeElement.closest('tr')?.dataset.thing") == thing
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body && !!document.activeElement.closest('#lists')"), "and goes on from there"


def test_what_is_opened_beside_the_drawing_keeps_the_focus_there(visit):
    page = ready(visit(START))
    before = page.evaluate("network.nodes().length")
    page.evaluate(f"network.getElementById('{LAB}').select()")
    page.locator("#picked").get_by_role("button", name="Show its neighbours").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => network.nodes().length > {before} && document.querySelectorAll('#lists section:has(#things) tbody tr').length > {before}")
    assert page.evaluate("!!document.activeElement.closest('#picked')")


def test_a_reload_shows_the_same_places_and_going_back_takes_them_away(visit):
    page = ready(visit(START))
    first = page.evaluate(PLACES)
    page.locator("#lists a[data-open]").first.click()
    page.wait_for_url(re.compile("open="))
    page.wait_for_function(f"() => network.nodes().length > {len(first)}")
    second = page.evaluate(PLACES)
    page.reload()
    ready(page)
    assert page.evaluate(PLACES) == second
    page.go_back()
    page.wait_for_function(f"() => network.nodes().length === {len(first)}")
    assert page.evaluate(PLACES) == first


def test_leaving_out_a_type_follows_at_once(visit):
    page = ready(visit(START))
    before = page.evaluate(PLACES)
    page.get_by_label("countries").check()
    page.wait_for_url(re.compile("hide=country"))
    page.wait_for_function(f"() => network.nodes().length < {len(before)}")
    after = page.evaluate(PLACES)
    assert after.items() < before.items()
    expect(page.locator("#lists section:has(#things) tbody tr")).to_have_count(len(after))
    expect(page.get_by_label("countries")).to_be_checked()


def test_finding_picking_and_zooming(visit):
    page = ready(visit(START))
    page.get_by_label("Find in the drawing").fill("living")
    expect(page.locator("#told")).to_have_text("1 found")
    assert page.evaluate("network.$('.match').map((node) => node.id())") == [LAB]
    zoom = page.evaluate("network.zoom()")
    page.get_by_label("Zoom in").click()
    assert page.evaluate("network.zoom()") > zoom
    page.get_by_role("button", name="Show all of it").click()
    box, at = page.locator("#stage").bounding_box(), page.evaluate(f"network.getElementById('{LAB}').renderedPosition()")
    page.mouse.click(box["x"] + at["x"], box["y"] + at["y"])
    expect(page.locator("#picked h2")).to_have_text("Living lab of the harbour")
    page.locator("#picked").get_by_role("button", name="Show its neighbours").click()
    page.wait_for_url(re.compile("open="))


def test_the_picture_can_be_saved(visit):
    page = ready(visit(START))
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    assert download.value.suggested_filename == "network.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_network_of_many_draws_its_ties_below_its_things(visit):
    """The same drawing with some hundred more things tied to the first: as the network of a search is in a large release."""

    def enlarged(route):
        answer = route.fetch().json()
        middle = answer["things"][0]
        more = [{**middle, "id": f"https://example.org/{n}", "part": "near", "label": f"Laboratory {n}", "x": 40 * (n % 30), "y": 40 * (n // 30)} for n in range(900)]
        answer["things"] += more
        answer["ties"] += [{**answer["ties"][0], "source": middle["id"], "target": thing["id"]} for thing in more]
        route.fulfill(body=json.dumps(answer), content_type="application/json")

    page = visit(START)
    page.route("**/network.json*", enlarged)
    page.reload()
    page = ready(page)
    page.wait_for_function("() => network.nodes().length > 900")
    ink = "() => { const c = document.querySelector('canvas.ties'), blank = Object.assign(document.createElement('canvas'), { width: c.width, height: c.height });\
      return c.toDataURL() !== blank.toDataURL() }"
    page.wait_for_function(ink)
    assert page.evaluate("network.edges().length") == 0
    page.evaluate(f"network.getElementById('{HARBOUR}').select()")
    page.wait_for_function("() => network.$('.near').length > 900")
    page.get_by_label("Zoom in").click()
    page.wait_for_function(ink)
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("address", [START, f"/connections?a={HARBOUR}&b=https://w3id.org/kvgraph/id/actor/fjord-institute"])
@pytest.mark.parametrize("options", [{"viewport": {"width": 320, "height": 700}}, {"java_script_enabled": False}])
def test_the_pages_hold_without_script_and_on_a_narrow_screen(visit, address, options):
    page = visit(address, **options)
    if options.get("java_script_enabled", True):
        assert page.evaluate("document.querySelector('main').scrollWidth") <= 320
        return
    assert page.locator("svg a.spot").count() > 2
    page.locator("svg a.spot").nth(1).click()
    expect(page).to_have_url(re.compile("open="))


def test_what_is_pointed_at_in_the_list_stands_out_in_the_drawing(visit):
    page = visit(f"/connections?a={HARBOUR}&b=https://w3id.org/kvgraph/id/actor/fjord-institute")
    page.locator(".paths > li").first.hover()
    expect(page.locator(".drawing .tie.lit").first).to_be_attached()
    assert page.locator(".drawing .tie.lit").count() + page.locator(".drawing .tie.dim").count() == page.locator(".drawing .tie").count()
    page.locator("h1").hover()
    expect(page.locator(".drawing .tie.lit")).to_have_count(0)
