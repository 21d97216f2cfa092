"""Response headers: what a browser may do with a page, who may read data, and when a copy is still fresh."""

import hashlib
from collections.abc import Callable

from flask import Flask, Response, request

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
        return response
    response.vary.update(("Accept", "Accept-Language"))
    headers.setdefault("Cache-Control", "no-cache" if response.status_code in (200, 304) else "no-store")
    if request.path.startswith(OPEN):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = "Accept-Ranges, Content-Length, Content-Range, ETag, Link, Location, Retry-After"
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = headers.get("Allow", "GET, HEAD, OPTIONS")
            headers["Access-Control-Allow-Headers"] = "Accept, Accept-Language, Authorization, Content-Type, If-None-Match, If-Range, Range"
            headers["Access-Control-Max-Age"] = "86400"
    return response


def tagged(representation: str, make: Callable[[], Response], *also: str) -> Response:
    """The response that ``make`` makes, under a strong ETag; 304 without making it if the client has it already.

    A release never changes, so the tag follows from the release, the address, the ``representation`` and the edition of
    the pages: no query is run to find out that nothing is new. ``also`` is whatever else decides the bytes.
    """
    parts = (context.graph().release.id, context.serving().edition, request.url, representation, *also)
    tag = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    if request.if_none_match.contains(tag):
        response = Response(status=304)
    else:
        response = make()
    if response.status_code in (200, 304):
        response.set_etag(tag)
    return response


def page(make: Callable[[], str]) -> Response:
    """A page under its ETag: :func:`tagged` for HTML, whose labels follow the reader's language."""
    return tagged("html", lambda: Response(make(), mimetype="text/html"), context.language())
