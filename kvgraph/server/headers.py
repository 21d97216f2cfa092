"""Response headers: what a browser may do with a page, who may read data, and when a copy is still fresh."""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from flask import Flask, Response, request

from ..store.cached import zipped
from . import context

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
OPEN = ("/sparql", "/id/", "/doc/", "/def/", "/questions", "/data", "/dumps", "/catalog", "/.well-known/", "/sitemap", "/robots.txt")


EXPOSED = (
    "Accept-Ranges, Allow, Cache-Status, Content-Encoding, Content-Length, Content-Range, ETag, Kvgraph-Complete, Link, Location, RateLimit, RateLimit-Policy, "
    "Retry-After, X-SPARQL-MaxRows"
)
# In the environment of a request: the endpoint whose answer may be given again to the same request, until there is another release.
KEEP = "kvgraph.keep"
# What gets shorter; dumps, spreadsheets and pictures are compressed as they are.
_TEXTUAL = ("text/", "application/json", "application/ld+json", "application/n-", "application/rdf+xml", "application/sparql-", "application/trig", "application/xml", "application/problem+json", "application/javascript", "image/svg+xml")


def register(app: Flask) -> None:
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.path.startswith("/static/"):
        # Addresses of static files carry the edition, so a copy may be kept for good.
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"
        response.vary.add("Accept-Encoding")
        _compress_static(response)
        return response
    response.vary.update(("Accept", "Accept-Language", "Accept-Encoding"))
    _compress(response)
    headers.setdefault("Cache-Control", "no-cache" if response.status_code in (200, 304) else "no-store")
    if request.path.startswith(OPEN):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = EXPOSED
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = headers.get("Allow", "GET, HEAD, OPTIONS")
            headers["Access-Control-Allow-Headers"] = "Accept, Accept-Language, Authorization, Content-Type, If-None-Match, If-Range, Range"
            headers["Access-Control-Max-Age"] = "86400"
    return response


def coding() -> str | None:
    """The content coding to send this answer in: ``gzip`` if the client takes it (RFC 9110, section 12.5.3), else None."""
    accepted = request.accept_encodings
    return "gzip" if accepted and accepted["gzip"] > 0 and accepted["gzip"] >= accepted["identity"] else None


def _compress(response: Response) -> None:
    """In the coding that the client takes, if the answer is text, in one piece and not compressed already."""
    if response.status_code in (204, 304) or response.is_streamed or "Content-Encoding" in response.headers:
        return
    if response.mimetype.startswith(_TEXTUAL) and coding():
        response.set_data(zipped(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"


def _compress_static(response: Response) -> None:
    if response.status_code == 200 and response.mimetype.startswith(_TEXTUAL) and coding():
        tag = response.get_etag()[0]
        response.direct_passthrough = False
        response.set_data(_zipped_static(tag, response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
        response.set_etag(f"{tag}-gzip")


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


def _tagged(representation: tuple[str, ...], make: Callable[[], Response], keep: bool) -> Response:
    # Not request.url, which takes its time to become readable.
    address = [str(request.environ.get(name, "")) for name in ("wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")]
    parts = (context.graph().release.id, context.serving().edition, *address, coding() or "", *representation)
    tag = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    if request.if_none_match.contains(tag):
        response = Response(status=304)
    else:
        response = make()
    if response.status_code in (200, 304):
        response.set_etag(tag)
    if keep and response.status_code == 200:
        request.environ[KEEP] = request.endpoint
    return response
