"""Guides: the Markdown files of ``web/docs`` as pages. The one about sources also lists what the release says of each."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, render_template
from flask_babel import gettext
from markdown_it import MarkdownIt
from markupsafe import Markup

from ..resources import folder
from . import catalogue, context, headers
from .display import question_query
from .language import N_

blueprint = Blueprint("docs", __name__)

# Under which heading the list of guides has them; what is not named here comes under the last one.
GROUPS = (
    (N_("About the graph"), ("about", "sources", "cite", "faq", "regions", "accessibility", "privacy")),
    (N_("Taking part"), ("contributing",)),
    (N_("Using the data"), ("api", "engineers", "reconciliation", "federation")),
    (N_("Running it"), ("operating", "imports", "from-download-to-answer", "linking", "engines", "speed")),
)


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
    named = {name for _, names in GROUPS for name in names}
    others = tuple(name for name in guides() if name not in named)
    groups = [(heading, names + others * (heading == GROUPS[-1][0])) for heading, names in GROUPS]
    return headers.page(lambda: render_template("docs.html", groups=[(gettext(heading), [guides()[name] for name in names]) for heading, names in groups]))


@blueprint.get("/docs/<name>")
def guide(name: str) -> Response:
    found = guides().get(name) or abort(404)
    if name == "sources":
        return headers.page(lambda: render_template("sources.html", guide=found, sources=_sources()))
    return headers.page(lambda: render_template("guide.html", guide=found))


@dataclass(frozen=True)
class Listed:
    """A source as the list has it: what the catalogue says of it, and how many named graphs belong to it."""

    entry: catalogue.Entry
    graphs: int
    query: str
    triples: int


def _sources() -> list[Listed]:
    graph = context.graph()
    graphs = {row["source"]: row["graphs"] for row in graph.run("sources")}
    try:
        entries = catalogue.entries(graph.release)
    except OSError:  # a release that was built before there were catalogues
        entries = []
    return [
        Listed(entry, graphs[entry.iri], question_query("pages/graphs-of-source", source=entry.iri), max((f["triples"] for f in entry.files), default=0))
        for entry in entries if entry.iri in graphs
    ]  # fmt: skip


def _read(path: Path) -> Guide:
    # Raw HTML stays off: a guide is text.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    headings = []
    for opening, inline in zip(tokens, tokens[1:]):
        if opening.type == "heading_open" and opening.tag in ("h2", "h3"):
            opening.attrSet("id", re.sub(r"[^a-z0-9_]+", "-", inline.content.lower()).strip("-"))
        if opening.type == "heading_open" and opening.tag == "h2":
            headings.append((opening.attrGet("id"), inline.content))
        elif opening.type == "fence":
            opening.info = ""
    # A guide begins with its title and one paragraph that sums it up: three tokens each.
    title, summary, rest = tokens[1].content, tokens[4].content.replace("`", ""), tokens[6:]
    html = markdown.renderer.render(rest, markdown.options, {})
    html = html.replace("<table>", '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>').replace("</table>", "</table></div>")
    html = html.replace("<pre>", '<pre tabindex="0">')
    return Guide(re.sub(r"^\d+-", "", path.stem), title, summary, Markup(html), tuple(headings))
