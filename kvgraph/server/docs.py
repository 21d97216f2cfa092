"""Guides: the Markdown files of ``web/docs`` as pages."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, render_template
from markdown_it import MarkdownIt
from markupsafe import Markup

from ..resources import folder
from . import headers

blueprint = Blueprint("docs", __name__)


@dataclass(frozen=True)
class Guide:
    """One guide: ``title`` is its first heading, ``summary`` its first paragraph, ``html`` all that follows them."""

    name: str
    title: str
    summary: str
    html: Markup
    headings: tuple[tuple[str, str], ...]  # (anchor, text) of each section


@cache
def guides() -> dict[str, Guide]:
    """Every guide by name, in the order of its number (``10-about.md`` is called ``about``)."""
    return {(g := _read(path)).name: g for path in sorted((folder("web") / "docs").glob("*.md"))}


@blueprint.get("/docs")
def index() -> Response:
    return headers.page(lambda: render_template("docs.html", guides=guides().values()))


@blueprint.get("/docs/<name>")
def guide(name: str) -> Response:
    found = guides().get(name) or abort(404)
    return headers.page(lambda: render_template("guide.html", guide=found))


def _read(path: Path) -> Guide:
    # Raw HTML stays off: a guide is text.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    headings = []
    for opening, inline in zip(tokens, tokens[1:]):
        if opening.type == "heading_open" and opening.tag == "h2":
            opening.attrSet("id", re.sub(r"[^a-z0-9]+", "-", inline.content.lower()).strip("-"))
            headings.append((opening.attrGet("id"), inline.content))
        elif opening.type == "fence":
            opening.info = ""
    # A guide begins with its title and one paragraph that sums it up: three tokens each.
    title, summary, rest = tokens[1].content, tokens[4].content, tokens[6:]
    html = markdown.renderer.render(rest, markdown.options, {})
    html = html.replace("<table>", '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>').replace("</table>", "</table></div>")
    html = html.replace("<pre>", '<pre tabindex="0">')
    return Guide(re.sub(r"^\d+-", "", path.stem), title, summary, Markup(html), tuple(headings))
