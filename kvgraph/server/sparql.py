"""``/sparql``: the query half of the SPARQL 1.1 Protocol, and a form for people.

A request is read from its raw bytes (:func:`read_request`), so that a broken encoding or a second ``query`` is refused
and never repaired in silence.
"""

import math
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, current_app, g, render_template, request
from werkzeug.exceptions import BadRequest, NotAcceptable, UnsupportedMediaType

from .. import queries
from ..errors import KvgraphError
from ..formats import GRAPHS, HTML, JSON, JSONLD, RDFXML, RESULTS, TURTLE, XML, Format, negotiate
from ..graph import Rows
from ..spreadsheet import XLSX
from ..store import QuerySyntaxError, UpdateRefused, check, volatile
from . import answers, context, errors, headers, limits, service_description, workbench
from .tables import Table

blueprint = Blueprint("sparql", __name__)

FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
UPDATE = "application/sparql-update"
EXAMPLES = ("practices-per-country", "who-worked-together", "principles-in-policies", "practices-on-the-map", "sources")

MOST_ROWS = 10**9  # a larger maxrows is no limit at all
# What programs call the format of rows, where the answer is a graph.
_MEANT = {"json": JSONLD, "application/json": JSONLD, "xml": RDFXML, "application/xml": RDFXML, "text/xml": RDFXML}


@dataclass(frozen=True)
class ProtocolRequest:
    """A query operation as section 2.1 of the protocol defines it. ``query`` is None where none was sent.

    ``format``, ``timeout`` (seconds) and ``maxrows`` are ours: what a client may ask for beyond the protocol.
    """

    query: str | None
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    format: str = ""
    timeout: float | None = None
    max_rows: int | None = None

    @property
    def choices(self) -> dict:
        """What was asked for besides the query, as :func:`kvgraph.server.answers.answer` calls it."""
        given = {"default_graphs": self.default_graphs, "named_graphs": self.named_graphs, "timeout": self.timeout, "max_rows": self.max_rows}
        return {name: value for name, value in given.items() if value}


@blueprint.route("/sparql", methods=["GET", "POST"])
def endpoint() -> Response:
    asked = read_request()
    if asked.query is None:
        return _introduce(asked)
    g.query = asked.query  # for errors: what to try instead of it
    if _wants_page(asked):
        return _page(asked)
    form = check(asked.query)
    format = _choose(asked, form)
    if asked.max_rows and form != "SELECT":
        raise BadRequest("maxrows is for SELECT only: nothing else has rows.")
    return _fresh(asked, format.name, lambda: answers.answer(asked.query, format, limits.client(), **asked.choices))


def read_request() -> ProtocolRequest:
    """The operation a request asks for, by any of the three forms of section 2.1.

    Raises ``BadRequest``, ``UnsupportedMediaType`` or :class:`~kvgraph.store.UpdateRefused`.
    """
    fields = _fields(request.query_string, "the address")
    if request.method == "POST":
        _refuse_codings()
        kind = request.mimetype
        if kind == UPDATE:
            raise UpdateRefused()
        if request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
            raise UnsupportedMediaType("Queries are UTF-8 here (SPARQL 1.1 Protocol, section 2.1.3).")
        if kind not in (FORM, DIRECT):
            raise UnsupportedMediaType(f"Send a query as {DIRECT}, or as a field of {FORM}; not as {kind or 'a body without Content-Type'}.")
        body = request.get_data(cache=False)
        fields += _fields(body, "the form") if kind == FORM else [("query", _text(body))]
    return _request(fields)


def _refuse_codings() -> None:
    """A compressed body may be a bomb, and no client of SPARQL sends one. RFC 9110, section 12.5.3: 415 says which codings there are."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        error = UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
        error.get_headers = lambda *_: [("Accept-Encoding", "identity")]
        raise error


def _fields(raw: bytes, where: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=200)
    except UnicodeDecodeError:
        raise BadRequest(f"What {where} holds is not UTF-8.") from None
    except ValueError:
        raise BadRequest(f"There are too many fields in {where}.") from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The query is not UTF-8 (byte {error.start}).") from None


def _request(fields: list[tuple[str, str]]) -> ProtocolRequest:
    values = {name: tuple(v for n, v in fields if n == name) for name, _ in fields}
    if "update" in values:
        raise UpdateRefused()
    sent = values.get("query", ())
    if len(sent) > 1:
        raise BadRequest("There is more than one query. Send them one by one.")
    asked = ProtocolRequest(
        sent[0] if sent else None,
        values.get("default-graph-uri", ()),
        values.get("named-graph-uri", ()),
        # Written into an address as it is, the + of a media type arrives as a space.
        (values.get("format") or ("",))[-1].strip().replace(" ", "+"),
        _number("timeout", values, float, "seconds, for example 2.5"),
        _number("maxrows", values, int, "rows, for example 1000"),
    )
    if asked.query is None and (request.method == "POST" or asked.choices):
        raise BadRequest("The parameter “query” is missing.")
    return asked


def _number(name: str, values: dict, kind: type, what: str) -> float | int | None:
    sent = values.get(name, ())
    if not sent:
        return None
    try:
        number = kind(sent[-1])
        if len(sent) > 1 or not 0 < number < math.inf:
            raise ValueError
    except ValueError:
        raise BadRequest(f"The parameter “{name}” is one positive number of {what}.") from None
    return min(number, MOST_ROWS)


def _wants_page(asked: ProtocolRequest) -> bool:
    if asked.format:
        return asked.format.lower() == HTML.name
    return negotiate(request.headers.get("Accept"), (*RESULTS, *GRAPHS, HTML)) is HTML


def _choose(asked: ProtocolRequest, form: str) -> Format:
    """The format for an answer of this form. Raises as :func:`~kvgraph.server.context.wanted_format`."""
    offered = (*RESULTS, XLSX) if form in ("SELECT", "ASK") else GRAPHS
    if asked.format:
        meant = _MEANT.get(asked.format.lower()) if offered is GRAPHS else None
        return meant or context.pick(asked.format, offered)
    chosen = negotiate(request.headers.get("Accept"), offered)
    if chosen is None:
        raise NotAcceptable(f"The answer of {form} can be sent as {context.media_types((*offered, HTML))}.")
    return chosen


def _fresh(asked: ProtocolRequest, representation: str, make) -> Response:
    if asked.query and volatile(asked.query):
        return make()
    if request.method != "POST":
        return headers.tagged(representation, make, keep=True)
    response = make()
    if response.status_code == 200:
        request.environ[headers.KEEP] = request.endpoint
    return response


def _introduce(asked: ProtocolRequest) -> Response:
    """What the endpoint is: the service description for programs, the form for people."""
    offered = (*GRAPHS[:4], HTML)
    format = HTML if asked.format == HTML.name else negotiate(request.headers.get("Accept"), offered)
    if format is None:
        raise BadRequest(f"The parameter “query” is missing. Without one this address describes itself as {context.media_types(offered)}.")
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
        return _fresh(asked, "html", lambda: Response(render_template("sparql.html", **{**shown, **make()}), mimetype="text/html"))
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
