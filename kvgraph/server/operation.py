"""The query operation, for programs: WSGI in front of the application, which a query of a program never reaches.

What it needs of HTTP is a dozen header fields, and Flask's ways to them cost more than the query. All that it does not answer itself is the application's:
pages, the description of the service, other methods, and whatever goes wrong, which it hands on as ``Exchange.failed``.
"""

from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus

from flask import Flask
from werkzeug.exceptions import BadRequest

from ..formats import HTML
from ..store import Cached, check, volatile
from ..store.cached import key
from . import answers, conditions, headers, logs, pinned, protocol
from .exchange import EXCHANGE, Exchange

PATH, ENDPOINT = "/sparql", "sparql.endpoint"  # as the application calls it
METHODS = ("GET", "HEAD", "POST")
_FRESH = ("Cache-Control", "no-cache")
_FIELDS = (*headers.OF_ALL, ("Vary", ", ".join(headers.VARY)), *headers.SHARED)
_STATUS = {status: f"{status} {status.phrase.upper()}" for status in HTTPStatus}


def register(app: Flask) -> None:
    app.wsgi_app = Operation(app.wsgi_app, app.extensions["kvgraph"], app.config["MAX_CONTENT_LENGTH"])


class Operation:
    """WSGI middleware around the application. ``longest`` is the size in bytes of the longest body that is read."""

    def __init__(self, app: Callable, serving, longest: int):
        self.app, self.serving, self.longest = app, serving, longest

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ["REQUEST_METHOD"] not in METHODS:
            return self.app(environ, start_response)
        exchange = environ[EXCHANGE] = Exchange(environ, self.serving)
        try:
            exchange.asked = protocol.read(environ, self.longest)
            found = _answered(exchange) if exchange.asked.query is not None else None
        except Exception as error:
            exchange.failed, found = error, None
        if found is None:
            return self.app(environ, start_response)
        return _sent(exchange, found, start_response)


def _answered(exchange: Exchange) -> answers.Answer | None:
    """The answer; None if it is to be a page."""
    asked, environ = exchange.asked, exchange.environ
    if protocol.wants_page(asked, environ.get("HTTP_ACCEPT")):
        return None
    form = check(asked.query)
    format = protocol.choose(asked, form, environ.get("HTTP_ACCEPT"))
    if format is HTML:
        return None
    if asked.max_rows and form != "SELECT":
        raise BadRequest("maxrows is for SELECT only: nothing else has rows.")
    lasting = not volatile(asked.query)
    tag = _tag(exchange, format.name) if lasting and environ["REQUEST_METHOD"] != "POST" else None
    make = partial(answers.make, exchange, asked.query, format, exchange.client, **asked.choices)
    found = make() if tag is None or conditions.NAMES.isdisjoint(environ) else conditions.answer(environ, tag, make, lambda: answers.Answer(304))
    if lasting and found.status_code == 200 and not _just_kept(exchange, found):
        environ[headers.KEEP] = ENDPOINT
    if tag:
        found.headers.append(("ETag", f'"{tag}"'))
    if pinned.PINNED in environ:
        found.headers += (("Link", pinned.canonical(environ)), ("Cache-Control", pinned.FOREVER if tag else "no-cache"))
    else:
        found.headers.append(_FRESH)
    return found


def _just_kept(exchange: Exchange, found: answers.Answer) -> bool:
    """Whether an engine gave the answer so quickly that it is in memory by now, as it came: as it leaves it is kept when it is asked for again.

    What counts is the time that the engine took: where many ask at once, most of them wait longer than that for their turn.
    """
    backend = exchange.graph.backend
    return exchange.engine and found.complete and isinstance(backend, Cached) and backend.answers is not None and backend.answers.brief(found.seconds, found.size)


def _tag(exchange: Exchange, format: str) -> str:
    """The tag of the answer in a format: from all that decides its bytes, and from no byte of it."""
    asked = exchange.asked
    name = key(asked.query, format, asked.default_graphs, asked.named_graphs, asked.max_rows)
    coding = headers.coding_of(exchange.environ.get("HTTP_ACCEPT_ENCODING")) or "plain"
    return f"{name[:32]}-{exchange.graph.release.id}-{exchange.serving.edition}-{coding}"


def _sent(exchange: Exchange, found: answers.Answer, start_response: Callable) -> Iterable[bytes]:
    fields = [*found.headers, *_FIELDS]
    if exchange.budget:
        fields += exchange.budget.headers()
    start_response(_STATUS[found.status_code], fields)
    method = exchange.environ["REQUEST_METHOD"]
    bare = method == "HEAD" or found.status_code == 304
    logs.note(ENDPOINT, method, found.status_code, exchange.began, 0 if bare else found.size, exchange.release)
    if bare:
        found.close()
        return []
    return found.body()
