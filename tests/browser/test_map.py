"""The map in a browser: the keyboard, the mouse and fingers move it, and the circles follow."""

import re

from playwright.sync_api import Locator, Page, expect

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}


def level(page: Page) -> Locator:
    return page.locator(".levels [aria-current]")


def test_zoom_and_move_with_the_keyboard(visit):
    page = visit("/map")
    expect(page.locator(".map-table h2")).to_have_text("By country")
    page.locator(".map-frame").focus()
    for title in ("By major region (NUTS 1)", "By region (NUTS 2)", "By small region (NUTS 3)"):
        page.keyboard.press("+")
        expect(page.locator(".map-table h2")).to_have_text(title)
    expect(page).to_have_url(re.compile(r"/map\?view=480\.0%2C416\.0%2C8\.00$"))
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"view=432\.0%2C416\.0%2C8\.00$"))
    assert page.evaluate("document.activeElement.classList.contains('map-frame')"), "the focus stays"
    page.keyboard.press("0")
    expect(page.locator(".map-table h2")).to_have_text("By country")
    expect(page).to_have_url(re.compile(r"/map$"))


def test_going_back_shows_the_picture_before(visit):
    page = visit("/map")
    page.locator(".map-frame").focus()
    for title in ("By major region (NUTS 1)", "By region (NUTS 2)"):
        page.keyboard.press("+")
        expect(page.locator(".map-table h2")).to_have_text(title)
    page.go_back()
    expect(page).to_have_url(re.compile(r"view=480\.0%2C416\.0%2C2\.00$"))
    expect(page.locator(".map-table h2")).to_have_text("By major region (NUTS 1)")
    assert round(page.evaluate("960 / document.querySelector('.map-frame svg').viewBox.baseVal.width"), 1) == 2
    page.go_back()
    expect(page).to_have_url(re.compile(r"/map$"))
    expect(page.locator(".map-table h2")).to_have_text("By country")
    page.go_forward()
    expect(page.locator(".map-table h2")).to_have_text("By major region (NUTS 1)")
    page.keyboard.press("+")
    expect(page.locator(".map-table h2")).to_have_text("By region (NUTS 2)")


def test_steps_in_quick_succession_are_as_many(visit):
    """Also those that come while the picture is still gliding."""
    page = visit("/map")
    page.locator(".map-frame").focus()
    page.evaluate("for (const key of ['+', '+', '+', 'ArrowLeft']) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))")
    expect(page).to_have_url(re.compile(r"view=432\.0%2C416\.0%2C8\.00$"))
    expect(page.locator(".map-table h2")).to_have_text("By small region (NUTS 3)")


def test_the_address_is_the_picture(visit):
    page = visit("/map?view=233.0,690.0,4")
    expect(page.get_by_role("link", name=re.compile("Cataluña: 1 practice"))).to_be_visible()
    expect(level(page)).to_have_text("NUTS 2")
    page.get_by_label("Zoom out").click()
    expect(page.locator(".map-table h2")).to_have_text("By major region (NUTS 1)")
    page.goto(page.url)
    expect(page.locator(".map-table h2")).to_have_text("By major region (NUTS 1)")


def test_a_circle_says_what_it_is_and_leads_there(visit):
    page = visit("/map")
    circle = page.get_by_role("link", name="Spain: 1 practice")
    circle.focus()
    expect(page.locator(".map-tip")).to_have_text("Spain: 1 practice")
    page.keyboard.press("Escape")
    expect(page.locator(".map-tip")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?"))
    expect(page.get_by_role("link", name="Living lab of the harbour").first).to_be_visible()


def test_dragging_moves_and_does_not_follow_a_link(visit):
    page = visit("/map?view=233.0,690.0,4")
    box = page.locator(".bubble circle").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y - 30, steps=5)
    page.mouse.up()
    expect(page).not_to_have_url(re.compile("690"))
    expect(page).to_have_url(re.compile("/map"))


def test_on_a_phone_circles_have_a_size_for_fingers_and_nothing_is_too_wide(visit):
    page = visit("/map", **PHONE)
    expect(page.locator("svg.measured")).to_be_visible()
    page.get_by_label("Zoom in").tap()
    expect(page.locator(".map-table h2")).to_have_text("By major region (NUTS 1)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_a_script_the_same_map_is_walked_by_links(visit):
    page = visit("/map", java_script_enabled=False)
    page.get_by_role("link", name="Zoom in Spain").click()
    expect(level(page)).to_have_text("NUTS 2")
    page.get_by_role("link", name="Zoom in", exact=True).click()
    expect(level(page)).to_have_text("NUTS 3")
    expect(page.locator(".bubble")).to_have_count(page.locator(".map-table tbody tr").count())


def test_the_home_page_needs_no_script(visit):
    page = visit("/", java_script_enabled=False)
    expect(page.get_by_role("img", name=re.compile("Map of Europe: practices by country"))).to_be_visible()
    page.get_by_role("link", name="Explore the map").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Map")
