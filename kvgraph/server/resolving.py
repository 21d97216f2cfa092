"""``/resolve?id=``: from any known identifier, in any usual spelling, to our thing; and ``/crosswalk.csv``: all of them beside each other."""

import json
import re
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext

from .. import queries
from ..formats import CSV, HTML, JSON, TSV, Format
from ..graph import UnknownThing
from ..identifiers import LONGEST
from ..model import iri_of, path_of
from ..namespaces import ID, compact
from ..reconciliation import TYPES, Resolved
from ..reconciliation.candidates import short_id
from ..spreadsheet import XLSX
from . import answers, context, headers, limits
from .addresses import root
from .display import Shown, href_of
from .reading_order import WORDS

blueprint = Blueprint("resolving", __name__)

ANSWER = Format("json", "application/json", ".json", "page", None)
OFFERED = (HTML, ANSWER)
CROSSWALK = {".csv": CSV, ".tsv": TSV, ".json": JSON, ".xlsx": XLSX}
IMPORTED = ("organisation", "project")  # types of things elsewhere, which come after ours
_SUFFIX = re.compile(r"\.(?:ttl|jsonld|nt|rdf|html)$")  # of a document
EXAMPLES = ("ES51", "country/ESP", "http://data.europa.eu/nuts/code/ES51")  # what every release has


@blueprint.get("/resolve")
def resolve() -> Response:
    """One thing: see it (303). Several, or one that is only wider or narrower: choose (300). None: 404. As JSON all that was found."""
    format = context.wanted_format(OFFERED)
    asked = request.args.get("id", "").strip()[:LONGEST]
    if not asked:
        return headers.page(lambda: render_template("resolve.html", asked="", found=[], examples=EXAMPLES, site=""))
    language, text = context.language(), _local(asked)
    found = context.graph().resolve(text)
    if not found:
        raise UnknownThing(
            f"No thing here has the identifier {asked[:100]!r}.",
            hint="Known are identifiers of ROR, Wikidata, NUTS, CELEX, ELI, EuroVoc and Kohesio, PICs, home pages, and our own. Or search for its name.",
        )
    if format is ANSWER:
        return headers.tagged("json", lambda: _as_json(asked, found, language), language)
    shown = [r for r in found if path_of(r.thing.iri)]
    sure = [r for r in shown if r.certain] or shown  # a candidate for a link leads nowhere while something is certain
    ours = [r for r in sure if r.thing.type not in IMPORTED] or sure
    if len(ours) == 1 and ours[0].same:
        return redirect(quote(path_of(ours[0].thing.iri, under="doc"), safe="/%"), 303)
    response = headers.page(lambda: render_template("resolve.html", asked=asked, found=[_line(r, language) for r in found], examples=(), site=root()))
    if response.status_code == 200:
        response.status_code = 300
    return response


def _local(asked: str) -> str:
    """An address of a thing or document on this instance as the address of the thing."""
    for begin in (root() + "id/", root() + "doc/", ID, "/id/", "/doc/"):
        if asked.startswith(begin):
            return iri_of(_SUFFIX.sub("", asked[len(begin) :]))
    return asked


def _line(found: Resolved, language: str) -> tuple[Shown, str, str, str]:
    name, tag = found.thing.label(language)
    described = context.graph().reconciler.describe(found.thing, language)
    return Shown(name, href_of(found.thing.iri), tag or None, found.thing.iri), described, gettext(WORDS[found.relation]) if found.relation in WORDS else compact(found.relation), found.identifier


def _as_json(asked: str, found: list[Resolved], language: str) -> Response:
    told = [
        {
            "iri": r.thing.iri, "id": short_id(r.thing.iri), "type": r.thing.type, "kind": gettext(TYPES[r.thing.type].label), "name": r.thing.label(language)[0],
            "identifier": r.identifier, "relation": r.relation or None, "page": root().rstrip("/") + path_of(r.thing.iri) if path_of(r.thing.iri) else None,
        }
        for r in found
    ]  # fmt: skip
    return Response(json.dumps({"id": asked, "found": told}, ensure_ascii=False, indent=1) + "\n", mimetype="application/json")


# ── The crosswalk ────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/crosswalk", defaults={"suffix": ""})
@blueprint.get("/crosswalk<suffix>")
def crosswalk(suffix: str) -> Response:
    """Every identifier elsewhere, as the question of that name answers it, at an address that is easy to keep; ``?source=`` and ``?type=`` narrow it."""
    question = queries.load("crosswalk")
    given = {name: value.strip() for name, value in request.args.items() if value.strip()}
    if not suffix:
        return redirect("/questions/crosswalk" + ("?" + urlencode(given) if given else ""), 303)
    format = CROSSWALK.get(suffix)
    if format is None:
        raise UnknownThing(f"The crosswalk is not offered as “{suffix[:20]}”.", hint=f"There are: {', '.join(CROSSWALK)}.")
    for name in given:
        question.param(name)
    query = question.bind(**given)

    def make() -> Response:
        response = answers.answer(query, format, limits.client())
        response.headers["Content-Disposition"] = f'attachment; filename="crosswalk{suffix}"'
        return response

    return headers.tagged(format.name, make)
