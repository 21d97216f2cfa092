"""Errors as a person or a program can use them: a page, or a problem document (RFC 9457). Never a stack trace."""

import json
import logging
import re
from http import HTTPStatus

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from ..errors import KvgraphError
from ..formats import HTML, Format, negotiate
from ..graph import UnknownThing
from ..queries import UnknownQuestion
from ..releases import NoRelease
from ..reconciliation import NoNameIndex
from ..store.errors import QueryError, QuerySyntaxError
from . import context, limits
from .display import Found, found
from .language import N_

PROBLEM = Format("problem", "application/problem+json", ".json", "page", None, ("application/json",))
TELLING = 3  # letters: shorter words are in every other text
log = logging.getLogger("kvgraph.server")

# What to say where Werkzeug's own words would not help.
_PLAIN = {
    404: N_("There is no page at this address."),
    405: N_("This address does not take that method."),
    411: N_("The request must say how long its body is."),
    412: N_("What there is is another version than the request wants. Ask again without If-Match and If-Unmodified-Since."),
    413: N_("The request is too large: at most {limit:,} bytes are read."),
    500: N_("Something went wrong here, and it has been noted. Other pages still work."),
}


def register(app: Flask) -> None:
    app.register_error_handler(KvgraphError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def status_of(error: KvgraphError) -> int:
    """The HTTP status an error deserves."""
    if status := getattr(error, "status", None):
        return status
    if isinstance(error, (UnknownThing, UnknownQuestion)):
        return 404
    return 503 if isinstance(error, (NoRelease, NoNameIndex)) else 400


def problem(error: KvgraphError) -> dict:
    """The members of a problem document for an error of ours, the position of a syntax error among them."""
    context.exchange().refused = error  # for the log and the counters
    status = status_of(error)
    fields = {"title": HTTPStatus(status).phrase, "status": status, "detail": error.message}
    if error.hint:
        fields["hint"] = error.hint
    if isinstance(error, QueryError):
        fields["code"] = error.code
        if limit := getattr(error, "limit", None):
            fields["limit"] = limit  # seconds of a timeout, else which limit it was
    if links := getattr(error, "instead", None) or limits.instead(error, _query()):
        fields["instead"] = links
    if isinstance(error, QuerySyntaxError) and error.line:
        fields |= {"line": error.line, "column": error.column, "source": error.source}
    return fields


def _query() -> str:
    asked = context.exchange().asked
    return (asked and asked.query) or ""


def _ours(error: KvgraphError) -> Response:
    fields = problem(error)
    response = respond(fields, pointed=error.pointed() if isinstance(error, QuerySyntaxError) else "")
    return retry(response, error)


def retry(response: Response, error: KvgraphError) -> Response:
    """With ``Retry-After`` where trying again can help."""
    if response.status_code in (429, 503):
        response.headers["Retry-After"] = str(getattr(error, "retry_after", 10))
    return response


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response
    if error.code is not None and error.code < 400:
        return error.get_response()  # a redirect
    status = error.code or 500
    # Our own descriptions are passed on; the stock ones of Werkzeug are replaced by plainer words.
    stock = error.description == type(error).description
    detail = _PLAIN.get(status, error.description) if stock else error.description
    limit = _limit()
    response = respond({"title": error.name, "status": status, "detail": str(detail).replace("{limit:,}", f"{limit:,}")})
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.endpoint)
    return respond({"title": "Internal Server Error", "status": 500, "detail": _PLAIN[500]})


def _limit() -> int:
    return request.max_content_length or 0


def respond(fields: dict, pointed: str = "") -> Response:
    """A page for a browser, else a problem document."""
    if negotiate(request.headers.get("Accept"), (PROBLEM, HTML)) is HTML:
        words = _words() if fields["status"] in (404, 410) else ""
        body = render_template("error.html", problem=fields, pointed=pointed, words=words, nearest=_nearest(words))
        return Response(body, fields["status"], mimetype="text/html")
    return document(fields)


def document(fields: dict) -> Response:
    """A problem document, whoever asks."""
    body = json.dumps({"type": "about:blank", **fields, "instance": request.script_root + request.path}, ensure_ascii=False, indent=1) + "\n"
    return Response(body, fields["status"], content_type=PROBLEM.media_type)


def _words() -> str:
    """What to search for instead: the words of the last part of the address, if one of them says something and it is not the name of a release."""
    parent, _, slug = request.path.rstrip("/").rpartition("/")
    words = slug.rpartition(".")[0].replace("-", " ").split() or slug.replace("-", " ").split()
    telling = parent != "/release" and any(len(re.sub(r"\W", "", word)) >= TELLING for word in words)
    return " ".join(words)[:80] if telling else ""


def _nearest(words: str) -> list[Found]:
    """What is called nearly so. Without a release, or an index that can be read, there is nothing to offer and no second error."""
    try:
        return [found(hit) for hit in context.graph().search(words, limit=5).hits] if words else []
    except Exception:  # noqa: BLE001  the page about an error must not fail with another one
        return []
