"""How people walk through the pages: with a mouse, with a finger, with the keyboard alone; with scripts and without.

A journey (``test_journeys.py``) says what somebody does, in the words of :class:`Walk`; which hands do it is a parameter.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, Response, expect

# Where the focus is: that it can be seen, and whether it comes after (1) or before (-1) the element that had it last, and the target.
FOCUS = """(target) => {
  const at = document.activeElement;
  const look = (e) => [e, ...e.querySelectorAll('*')].map((x) => { const s = getComputedStyle(x);
    return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor, s.backgroundColor, s.fill, s.stroke, s.strokeWidth, s.top, s.color].join() }).join(';');
  const outlined = (e) => getComputedStyle(e).outlineStyle !== 'none' && parseFloat(getComputedStyle(e).outlineWidth) >= 2;
  let shown = outlined(at) || (at.closest('.CodeMirror') && outlined(at.closest('.CodeMirror')));
  if (!shown && at !== document.body) {  // not by an outline: then by looking different from when it has no focus
    const focused = look(at); at.blur(); shown = look(at) !== focused; at.focus({ preventScroll: true });
  }
  const box = at.getBoundingClientRect();
  const hidden = at.closest('.hidden');  // clipped away, unless it comes out when it has the focus
  const inside = box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight && !(hidden && getComputedStyle(hidden).clipPath !== 'none');
  const order = (a, b) => !a || a === b || !a.isConnected ? 0 : a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? 1 : -1;
  const moved = order(window.lastFocused, at);
  window.lastFocused = at;
  return { name: at.outerHTML.slice(0, 160), body: at === document.body, arrived: at === target, seen: shown && inside, moved, ahead: order(at, target) };
}"""
MOST_KEYS = 500


class Pointer:
    """A mouse, or a finger where the device has a touch screen."""

    def __init__(self, page: Page, touch: bool):
        self.page, self.touch = page, touch

    def arrive(self) -> None:
        """A pointer is at once wherever it is needed."""

    def press(self, target: Locator) -> None:
        target.tap() if self.touch else target.click()

    def write(self, field: Locator, text: str) -> None:
        self.press(field)
        field.press_sequentially(text)

    def choose(self, select: Locator, label: str) -> None:
        select.select_option(label=label)


class Keyboard:
    """The keyboard alone. On its way from field to field the focus must be seen, and go as one reads."""

    def __init__(self, page: Page):
        self.page = page

    def arrive(self) -> None:
        """The first thing on every page is the way past its head, and it works."""
        self.page.evaluate("window.lastFocused = null; document.activeElement.blur()")
        self.page.keyboard.press("Tab")
        expect(self.page.locator(".skip")).to_be_focused()
        expect(self.page.locator(".skip")).to_be_in_viewport()

    def skip(self) -> None:
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#main")).to_be_focused()

    def reach(self, target: Locator) -> None:
        """Tab, or Shift and Tab, until the target has the focus."""
        expect(target).to_be_visible()
        if self.page.locator(".skip").evaluate("(skip) => document.activeElement === skip") and target.evaluate("(e) => !!e.closest('main')"):
            self.skip()
        element = target.element_handle()
        step = {"ahead": self.page.evaluate(FOCUS, element)["ahead"], "arrived": False}
        for _ in range(MOST_KEYS):
            forward = step["ahead"] >= 0
            self.page.keyboard.press("Tab" if forward else "Shift+Tab")
            step = self.page.evaluate(FOCUS, element)
            assert not step["body"], f"the focus was lost on the way to {target}"
            assert step["seen"], f"nobody sees the focus on {step['name']}"
            assert step["moved"] in (0, 1 if forward else -1), f"the focus jumps to {step['name']}"
            if step["arrived"]:
                return
        raise AssertionError(f"{MOST_KEYS} keys did not reach {target}")

    def press(self, target: Locator) -> None:
        self.reach(target)
        self.page.keyboard.press("Enter")

    def write(self, field: Locator, text: str) -> None:
        self.reach(field)
        self.page.keyboard.type(text)

    def choose(self, select: Locator, label: str) -> None:
        self.reach(select)
        self.page.keyboard.type(label)
        expect(select.locator("option:checked")).to_have_text(label)


def number(text: Locator | str) -> int:
    """The first number that is read there."""
    words = text if isinstance(text, str) else text.inner_text()
    return int(re.search(r"\d[\d,]*", words)[0].replace(",", ""))


@dataclass
class Walk:
    """Somebody on the way: a page, the hands, and whether scripts run."""

    page: Page
    hands: Pointer | Keyboard
    scripts: bool
    answered: set[str]  # queries that have been asked already, on this walk or another

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.look()

    def look(self) -> None:
        """What holds for every page: one heading, and every query behind it has an answer."""
        expect(self.page.locator("h1")).to_have_count(1)
        wide, screen = self.page.evaluate("document.documentElement.scrollWidth"), self.page.viewport_size["width"]
        assert wide <= screen, f"{self.page.url} is {wide} wide"
        for href in self.page.locator("main a[href^='/sparql?query=']:not([data-query])").evaluate_all("(links) => links.map((a) => a.href)"):
            if href not in self.answered:
                answer = self.page.request.get(href, headers={"Accept": "application/sparql-results+json, application/n-triples"})
                assert answer.ok, f"{answer.text()}\nbehind {self.page.url}"
                self.answered.add(href)
        self.hands.arrive()

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """What is done inside leads to another page."""
        before = self.page.url
        yield
        self.page.wait_for_url(lambda url: url != before)
        self.look()

    def follow(self, link: Locator) -> None:
        with self.leaving():
            self.hands.press(link)

    def unfold(self, summary: Locator) -> None:
        if not summary.evaluate("(s) => s.parentElement.open"):
            self.hands.press(summary)
        expect(summary.locator("xpath=..")).to_have_attribute("open", "")

    def take(self, link: Locator) -> bytes:
        """The file behind a link, as it is downloaded."""
        with self.page.expect_download() as download:
            self.hands.press(link)
        return Path(download.value.path()).read_bytes()

    def read(self, link: Locator) -> str:
        """What a link leads to that is not a page; then back again."""
        page = self.page.url
        with self.page.expect_response(lambda response: response.request.is_navigation_request()) as answered:
            self.hands.press(link)
        answer: Response = answered.value
        assert answer.ok
        text = answer.text()
        self.back(page)
        return text

    def back(self, address: str) -> None:
        """Back to a page. On the way are the places within pages: the way past the head of a page is a link, too."""
        while self.page.url != address:
            assert self.page.go_back() is not None or self.page.url != "about:blank"
        self.look()

    # What is on the pages, as people call it.

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def menu(self, name: str) -> None:
        """Somewhere else, by the menu at the top."""
        self.follow(self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True))

    def name_in(self, field: Locator, name: str) -> None:
        """Type a name and, with scripts, choose it among what is suggested."""
        self.hands.write(field, name)
        if self.scripts:
            options = self.page.get_by_role("listbox", name="Suggestions").and_(self.page.locator(":not([aria-busy])")).get_by_role("option")
            option = options.filter(has=self.page.locator(".name", has_text=re.compile(f"^{re.escape(name)}$"))).first
            expect(option).to_be_visible()
            if isinstance(self.hands, Keyboard):
                for _ in range(options.count()):
                    self.page.keyboard.press("ArrowDown")
                    if option.get_attribute("aria-selected") == "true":
                        break
                expect(option).to_have_attribute("aria-selected", "true")
                self.page.keyboard.press("Enter")
            else:
                self.hands.press(option)
