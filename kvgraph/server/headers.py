"""Response headers: what a browser may do with a page, who may read data, and when a copy is still fresh."""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from flask import Flask, Response, current_app, request, send_from_directory
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from ..store.cached import zipped
from . import conditions, context, language
from .exchange import Exchange

# Nothing inline and nothing from elsewhere: a hostile label can at worst be read.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# Addresses that programs on other sites may read; refusals and errors there too.
OPEN = ("/sparql", "/id/", "/doc/", "/cite/", "/def/", "/questions", "/data", "/graph/", "/changes", "/dumps", "/catalog", "/.well-known/", "/sitemap", "/robots.txt", "/reconcile", "/resolve", "/crosswalk", "/release", "/search.", "/suggest", "/coverage.", "/connections.", "/network.", "/map")


EXPOSED = (
    "Accept-Ranges, Allow, Cache-Status, Content-Encoding, Content-Length, Content-Range, ETag, Kvgraph-Complete, Link, Location, RateLimit, RateLimit-Policy, "
    "Retry-After, X-SPARQL-MaxRows"
)
# In the environment of a request: the endpoint whose answer may be given again to the same request, until there is another release.
KEEP = "kvgraph.keep"
# In the environment of a request whose answer may stand in a frame of any site: a preview, which has nothing to click that changes anything.
FRAMED = "kvgraph.framed"
# What gets shorter; dumps, spreadsheets and pictures are compressed as they are.
_TEXTUAL = ("text/", "application/json", "application/ld+json", "application/n-", "application/rdf+xml", "application/sparql-", "application/trig", "application/xml", "application/problem+json", "application/atom+xml", "application/javascript", "image/svg+xml")


# What every answer says, what it depends on, and what an answer for programs on other sites says besides.
OF_ALL = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
VARY = ("Accept", "Accept-Language", "Accept-Encoding")
SHARED = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", EXPOSED))


def register(app: Flask) -> None:
    app.view_functions["static"] = _static
    app.after_request(_add)


def _static(filename: str) -> Response:
    """A static file, whole, under its tag like every other answer."""
    file = _compressed(send_from_directory(current_app.static_folder, filename, conditional=False))
    response = under(file.get_etag()[0], lambda: file)
    if response is not file:
        file.close()
    return response


def _add(response: Response) -> Response:
    headers = response.headers
    headers.update(OF_ALL)
    if FRAMED in request.environ:
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
    if request.path.startswith("/static/"):
        # Addresses of static files carry the edition, so a copy may be kept for good; an error never, which a page of the next edition may meet.
        lasting = response.status_code in (200, 304) and "v" in request.args
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache" if response.status_code < 400 else "no-store"
        response.vary.add("Accept-Encoding")
        return response
    response.vary.update(VARY)
    _compress(response)
    headers.setdefault("Cache-Control", "no-cache" if response.status_code in (200, 304) else "no-store")
    if request.path.startswith(OPEN):
        headers.update(SHARED)
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = headers.get("Allow", "GET, HEAD, OPTIONS")
            # The star is any other field; the old browsers that do not know it get by with the names.
            headers["Access-Control-Allow-Headers"] = "Accept, Accept-Language, Authorization, Content-Type, If-None-Match, If-Range, Range, *"
            headers["Access-Control-Max-Age"] = "86400"
    return response


@lru_cache(maxsize=256)
def coding_of(accepted: str | None) -> str | None:
    """The content coding for a client that sends this ``Accept-Encoding`` (RFC 9110, section 12.5.3).

    >>> coding_of("deflate, gzip;q=0.5"), coding_of("x-gzip"), coding_of("gzip;q=0"), coding_of(None)
    ('gzip', 'gzip', None, None)
    """
    codings = parse_accept_header(accepted.lower().replace("x-gzip", "gzip"), Accept) if accepted else None
    return "gzip" if codings and codings["gzip"] > 0 and codings["gzip"] >= codings["identity"] else None


def coding() -> str | None:
    """The content coding to send this answer in: ``gzip`` if the client takes it, else None."""
    return coding_of(request.environ.get("HTTP_ACCEPT_ENCODING"))


def _compress(response: Response) -> None:
    """In the coding that the client takes, if the answer is text, in one piece and not compressed already."""
    if response.status_code in (204, 304) or response.is_streamed or "Content-Encoding" in response.headers:
        return
    if response.mimetype.startswith(_TEXTUAL) and coding():
        response.set_data(zipped(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"


def _compressed(file: Response) -> Response:
    """A static file in the coding that the client takes, under a tag of its own."""
    if file.mimetype.startswith(_TEXTUAL) and coding():
        tag = file.get_etag()[0]
        file.direct_passthrough = False
        file.set_data(_zipped_static(tag, file.get_data()))
        file.headers["Content-Encoding"] = "gzip"
        file.set_etag(f"{tag}-gzip")
    return file


@lru_cache(maxsize=100)
def _zipped_static(tag: str, data: bytes) -> bytes:
    return zipped(data)


def tagged(representation: str, make: Callable[[], Response], *also: str, keep: bool = False) -> Response:
    """The response that ``make`` makes, under a strong ETag; 304 without making it if the client has it already.

    A release never changes, so the tag follows from the release, the address, the ``representation``, its content coding and the edition of
    the pages: no query is run to find out that nothing is new. ``also`` is whatever else decides the bytes. ``keep`` it
    in memory if nothing else does, and it may be asked for often.
    """
    return _tagged((representation, *also), make, keep)


def page(make: Callable[[], str | Response]) -> Response:
    """A page under its ETag: :func:`tagged` for HTML, whose labels follow the reader's language."""

    def made() -> Response:
        page = make()
        return page if isinstance(page, Response) else Response(page, mimetype="text/html")

    return _tagged(("html", context.language()), made, keep=True)


def tag_of(exchange: Exchange, representation: tuple[str, ...]) -> str:
    """The tag of what a request gets in a representation: from all that decides its bytes, and from no byte of it."""
    environ = exchange.environ
    # Not the address as one text, which takes its time to become readable.
    address = [environ.get(name, "") for name in ("wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")]
    coding = coding_of(environ.get("HTTP_ACCEPT_ENCODING")) or ""
    parts = (exchange.graph.release.id, exchange.serving.edition, *address, coding, *representation)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def under(tag: str, make: Callable[[], Response]) -> Response:
    """The response that ``make`` makes, under that tag; 304 if the client has it already, mostly without making it; 412 if it wants another one."""
    response = conditions.answer(request.environ, tag, make, lambda: Response(status=304))
    if response.status_code in (200, 304):
        response.set_etag(tag)
    return response


def _tagged(representation: tuple[str, ...], make: Callable[[], Response], keep: bool) -> Response:
    if representation[0] == "html":
        representation += (language.interface(),)  # which catalogues decide, and may be none of the languages of the labels
    response = under(tag_of(context.exchange(), representation), make)
    if response.status_code == 304 and representation[0] != "html":
        response.mimetype = "application/octet-stream"  # is not sent, and says whether it is a page
    if keep and response.status_code == 200:
        request.environ[KEEP] = request.endpoint
    return response
