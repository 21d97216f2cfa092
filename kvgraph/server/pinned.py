"""``/release/<id>/…``: any address, answered from that release for good.

The prefix is taken off before the application sees the request (it becomes ``SCRIPT_NAME``), and the graph of the release is put beside it, where
:class:`~kvgraph.server.exchange.Exchange` finds it; no handler knows of it. Links of our own pages are written from the root; in a pinned page they are given the prefix on the way
out, so that reading on stays in the same release.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

from flask import Flask, Response, request

from ..errors import KvgraphError
from ..graph import Graph, UnknownThing
from ..releases import NoRelease
from .hosts import host_of

PINNED = "kvgraph.pinned"  # in the environment of a pinned request: the graph of its release
# What is about the server or about all releases, and has no pinned form.
_UNPINNED = ("/release", "/changes", "/static/", "/status", "/metrics", "/healthz", "/readyz", "/account", "/contribute", "/curate")
_ADDRESS = re.compile(r"/release/([^/]+)(/.+)")
# An attribute of our own templates whose value is an address here. Text cannot look like one: its quotation marks are escaped.
_LINK = re.compile(r'(\s(?:href|action|src|data-[a-z]+)=")(/(?!/)[^"]*)')
_TARGET = re.compile(r"<(/(?!/)[^>]*)>")
FOREVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"  # of a page: its facts stay, but how they are shown may be improved


class UnknownRelease(UnknownThing):
    """There is no release of this id here."""


class Pin:
    """WSGI middleware: takes the prefix of a pinned request off its path, and puts the graph of the release into its environment.

    A release that is not here is left to :mod:`kvgraph.server.releases`, which says so.
    """

    def __init__(self, app, graphs: Callable[..., Graph]):
        self.app, self.graphs = app, graphs

    def __call__(self, environ, start_response):
        found = _ADDRESS.fullmatch(environ.get("PATH_INFO", ""))
        if found and not found[2].startswith(_UNPINNED):
            with suppress(KvgraphError, OSError):
                environ[PINNED] = choose(self.graphs, found[1])
                environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/release/{found[1]}"
                environ["PATH_INFO"] = found[2]
        return self.app(environ, start_response)


def register(app: Flask) -> None:
    app.wsgi_app = Pin(app.wsgi_app, app.extensions["kvgraph"].graphs)
    app.after_request(_stay)
    app.context_processor(lambda: {"pinned": PINNED in request.environ, "current_address": lambda: unpinned(request.environ)})


def choose(graphs: Callable[..., Graph], release_id: str | None) -> Graph:
    """The graph of a release, without an id the one being served. Raises :class:`UnknownRelease`, naming those that exist."""
    serving = graphs()
    if release_id is None or release_id == serving.release.id:
        return serving
    try:
        return graphs(release_id)
    except NoRelease as error:
        raise UnknownRelease(error.message, error.hint) from None


def _stay(response: Response) -> Response:
    if PINNED not in request.environ:
        return response
    prefix = request.script_root
    if response.mimetype == "text/html" and not response.is_streamed and not response.direct_passthrough:
        response.set_data(_LINK.sub(lambda found: found[1] + _within(prefix, found[2]), response.get_data(as_text=True)))
    links = [_TARGET.sub(lambda found: f"<{_within(prefix, found[1])}>", link) for link in response.headers.getlist("Link")]
    if response.location and response.location.startswith("/"):
        response.location = _within(prefix, response.location)
    links.append(canonical(request.environ))
    response.headers.setlist("Link", links)
    # Only what has a tag follows from the release alone; a query for the time of day does not.
    if response.status_code in (200, 304) and response.get_etag()[0] and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = A_DAY if response.mimetype == "text/html" else FOREVER
    return response


def _within(prefix: str, address: str) -> str:
    bare = address.removeprefix(prefix) if address.startswith(prefix + "/") else address
    return bare if bare.startswith(_UNPINNED) else prefix + bare


def canonical(environ: dict) -> str:
    """The ``Link`` of a pinned answer to the address that stays, whichever release is served there."""
    return f'<{unpinned(environ)}>; rel="canonical"'


def unpinned(environ: dict) -> str:
    """The address of a request without the prefix."""
    path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
    query = quote(environ.get("QUERY_STRING", ""), safe="%/:@!$&'()*+,;=~?[]")
    address = f"{environ['wsgi.url_scheme']}://{host_of(environ)}" + quote(path, safe="/:@!$&'()*+,;=~")
    return f"{address}?{query}" if query else address
