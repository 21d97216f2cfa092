"""``/sparql`` for people, and what the endpoint says of itself; programs' queries are answered by :mod:`kvgraph.server.operation`."""

from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.exceptions import BadRequest

from .. import queries
from ..errors import KvgraphError
from ..formats import GRAPHS, HTML, JSON, RESULTS, TURTLE, Format, media_types, negotiate, pick
from ..graph import Rows
from ..spreadsheet import XLSX
from ..store import QuerySyntaxError, check, volatile
from . import answers, context, errors, headers, limits, service_description, workbench
from .operation import PATH
from .protocol import ProtocolRequest
from .tables import Table

blueprint = Blueprint("sparql", __name__)

EXAMPLES = ("practices-per-country", "who-worked-together", "principles-in-policies", "practices-on-the-map", "sources")


@blueprint.route("/sparql", methods=["GET", "POST"])
@blueprint.route("/sparql/", methods=["GET", "POST"])
def endpoint() -> Response:
    exchange = context.exchange()
    if not (exchange.asked or exchange.failed):  # the path is written with a slash too many, and was not read as an operation
        query = request.query_string.decode("latin-1")
        return redirect(f"{request.script_root}{PATH}" + (f"?{query}" if query else ""), 308)
    if exchange.failed:
        raise exchange.failed
    return _introduce(exchange.asked) if exchange.asked.query is None else _page(exchange.asked)


def _introduce(asked: ProtocolRequest) -> Response:
    """What the endpoint is: the service description for programs, the form for people."""
    offered = (*GRAPHS[:4], HTML)
    format = pick(asked.format, offered) if asked.format else negotiate(request.headers.get("Accept"), offered)
    if format is None:
        raise BadRequest(f"The parameter “query” is missing. Without one this address describes itself as {media_types(offered)}.")
    if format is HTML:
        return headers.page(lambda: render_template("sparql.html", **_empty("")))
    return headers.tagged(
        format.name, lambda: Response(service_description.describe(request.base_url, format), content_type=format.content_type)
    )


def _page(asked: ProtocolRequest) -> Response:
    """The form with the query and its answer, or with what is wrong with it."""
    shown = _empty(asked.query)
    try:
        make = _answered(asked, check(asked.query))

        def made() -> Response:
            return Response(render_template("sparql.html", **{**shown, **make()}), mimetype="text/html")

        return made() if volatile(asked.query) or request.method == "POST" else headers.tagged("html", made, keep=True)
    except KvgraphError as error:
        shown["problem"] = errors.problem(error)
        shown["pointed"] = error.pointed() if isinstance(error, QuerySyntaxError) else ""
        response = Response(render_template("sparql.html", **shown), shown["problem"]["status"], mimetype="text/html")
        return errors.retry(response, error)


def _answered(asked: ProtocolRequest, form: str):
    """What makes the part of the page that holds the answer."""

    def make() -> dict:
        format = JSON if form in ("SELECT", "ASK") else TURTLE
        data, complete = answers.read(asked.query, format, limits.client(), **asked.choices)
        links = [(f, _link(asked, f)) for f in ((*RESULTS, XLSX) if format is JSON else GRAPHS[:4])]
        if format is TURTLE:
            return {"turtle": data.decode(), "downloads": links}
        if form == "ASK":
            return {"yes": answers.boolean(data), "downloads": links}
        return {"table": Table.of(Rows(data), limit=current_app.config["PAGE_ROWS"]), "cut": not complete, "downloads": links}

    return make


def _link(asked: ProtocolRequest, format: Format) -> str:
    fields = [("query", asked.query)]
    fields += [("default-graph-uri", iri) for iri in asked.default_graphs] + [("named-graph-uri", iri) for iri in asked.named_graphs]
    fields += [("maxrows", asked.max_rows)] if asked.max_rows else []
    return "/sparql?" + urlencode([*fields, ("format", format.name)])


def _empty(query: str) -> dict:
    """The page without an answer."""
    return {
        "query": query, "examples": [queries.load(name) for name in EXAMPLES], "table": None, "turtle": None, "yes": None,
        "downloads": [], "cut": False, "problem": None, "pointed": "", "start": queries.load(EXAMPLES[0]).text.strip(),
        **workbench.settings(),
    }  # fmt: skip
