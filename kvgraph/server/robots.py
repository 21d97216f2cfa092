"""``/robots.txt`` (RFC 9309) and the sitemap (protocol 0.9 of sitemaps.org): scripts are welcome, and this is all there is.

The parts of the sitemap lie beside its index at the root, because a sitemap may only list what lies below it.
"""

from collections.abc import Iterable
from xml.etree import ElementTree

from flask import Blueprint, Response, abort

from .. import queries
from ..model import LISTS
from . import context, docs, headers
from .addresses import root

blueprint = Blueprint("robots", __name__)

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
PART = 50_000  # addresses: more the protocol does not allow in one file
PAGES = ("/", "/search", "/connections", "/questions", "/sparql", "/catalog", "/dumps/", "/def", "/def/kv", "/docs", "/resolve")


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Everybody may read everything."""
    lines = ("User-agent: *", "Disallow:", "", f"Sitemap: {root()}sitemap.xml")
    return headers.tagged("text", lambda: Response("\n".join(lines) + "\n", mimetype="text/plain"))


@blueprint.get("/sitemap.xml")
def index() -> Response:
    """The index: the address of every part."""

    def make() -> Response:
        parts = range(1, -(-len(_paths()) // PART) + 1)
        return _xml("sitemapindex", "sitemap", (f"{root()}sitemap-{number}.xml" for number in parts))

    return headers.tagged("xml", make)


@blueprint.get("/sitemap-<int:number>.xml")
def part(number: int) -> Response:
    """Up to 50,000 addresses."""
    paths = _paths()[PART * (number - 1) : PART * number] if number else []
    if not paths:
        abort(404)
    return headers.tagged("xml", lambda: _xml("urlset", "url", (root() + path.lstrip("/") for path in paths)))


def _paths() -> list[str]:
    """Every page: the few that are always there, then each thing's own."""
    documents = context.graph().release.documents.read_text(encoding="utf-8").split()
    fixed = [f"/questions/{name}" for name in queries.names()] + [f"/def/{name}" for name in LISTS] + [f"/docs/{name}" for name in docs.guides()]
    return [*PAGES, *fixed, *documents]


def _xml(kind: str, item: str, addresses: Iterable[str]) -> Response:
    date = context.graph().release.manifest["built"][:10]
    top = ElementTree.Element(kind, xmlns=SITEMAP)
    for address in addresses:
        entry = ElementTree.SubElement(top, item)
        ElementTree.SubElement(entry, "loc").text = address
        ElementTree.SubElement(entry, "lastmod").text = date
    return Response(ElementTree.tostring(top, encoding="utf-8", xml_declaration=True), content_type="application/xml")
