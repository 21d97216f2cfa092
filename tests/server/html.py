"""What every page must be, checked without a browser."""

import re
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NOT_IN_P = {"address", "article", "aside", "blockquote", "details", "div", "dl", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul"}  # fmt: skip
FIELDS = {"input", "select", "textarea"}


class Page(HTMLParser):
    """Parses a page and collects what is wrong with it in ``problems``."""

    def __init__(self, text: str):
        super().__init__()
        self.problems: list[str] = []
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.scripts: list[dict] = []
        self.data = ""  # what a script element of type application/ld+json holds
        self.counts: dict[str, int] = {}
        self.title = ""
        self.feed(text)
        self.close()
        self._finish(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if not (tag == "title" and "svg" in self.stack):  # every picture has one of its own
            self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag in NOT_IN_P and "p" in self.stack:
            self.problems.append(f"<{tag}> inside <p>")
        if tag in ("a", "button") and "a" in self.stack:
            self.problems.append(f"<{tag}> inside <a>")
        if tag not in VOID:
            self.stack.append(tag)
        self.problems += [f"inline {name} on <{tag}>" for name in given if name == "style" or name.startswith("on")]
        if tag == "script":
            self.scripts.append(given)
            if not given.get("src", "").startswith("/static/") and given.get("type") != "application/ld+json":
                self.problems.append("inline script")
        if tag in ("style", "iframe", "object", "base"):
            self.problems.append(f"<{tag}>")
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "html" and not given.get("lang"):
            self.problems.append("no language")
        if tag == "img" and "alt" not in given:
            self.problems.append("an image without alt")
        if tag == "label" and given.get("for"):
            self.labelled.add(given["for"])
        if tag in FIELDS and given.get("type") != "hidden":
            if "label" not in self.stack:  # else it stands in its label
                self.fields.append(given)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.stack or self.stack.pop() != tag):
            self.problems.append(f"</{tag}> closes something else")

    def handle_data(self, data):
        if self.stack[-1:] == ["title"] and "svg" not in self.stack:
            self.title += data
        if self.stack[-1:] == ["script"]:
            self.data += data

    def _finish(self, text: str) -> None:
        if not text.lstrip().lower().startswith("<!doctype html>"):
            self.problems.append("no doctype")
        if self.stack:
            self.problems.append(f"never closed: {self.stack}")
        for tag in ("title", "h1", "main"):
            if self.counts.get(tag) != 1:
                self.problems.append(f"{self.counts.get(tag, 0)} <{tag}>")
        if not self.title.strip():
            self.problems.append("an empty title")
        self.problems += [f"id {i} twice" for i in {i for i in self.ids if self.ids.count(i) > 1}]
        self.problems += [
            f"field {f.get('name')} without a label" for f in self.fields if f.get("id") not in self.labelled and not f.get("aria-label")
        ]
        self.problems += [f"heading {b} after {a}" for a, b in zip(self.headings, self.headings[1:]) if b > a + 1]
        self.problems += [f"unsafe link {href[:40]}" for href in self.links if ":" in href.split("/")[0] and not href.startswith(("http:", "https:"))]


def check(text: str) -> Page:
    """The parsed page; fails with everything that is wrong with it."""
    page = Page(text)
    assert page.problems == []
    assert not re.search("&lt;(Macro|function|bound method|[a-z_.]+ object at) ", text), "a thing of the program is shown instead of a value"
    return page
