"""Every request in the log (:mod:`kvgraph.logs`) and in the counters.

A line about a request says when, which method, which kind of address (the name of the
endpoint, never the address itself), the status, how long it took, how many bytes, from which release, and why it was refused. Who asked, what was
asked and with which program are not written down, nor the message of an unexpected error, which may quote it.
"""

import logging
import time

from flask import Flask, Response, request

from . import context, metrics

AHEAD = "kvgraph.ahead"  # in the environment of what nobody asked for yet: it is no request to write down
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH")
log = logging.getLogger("kvgraph.requests")


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    context.exchange()  # knows when it began


def _end(response: Response) -> Response:
    """Write down and count a request whose answer is ready to be sent."""
    if AHEAD in request.environ:
        return response
    exchange = context.exchange()
    sent = 0 if request.method == "HEAD" or response.status_code in (204, 304) else response.content_length
    note(request.endpoint, request.method, response.status_code, exchange.began, sent, exchange.release, refusal_of(response))
    return response


def note(endpoint: str | None, method: str, status: int, began: float, sent: int | None, release: str | None = None, refusal: str | None = None) -> None:
    """Write down and count a request: which ``endpoint`` of ours, when it began by ``time.perf_counter``, how many bytes are ``sent``."""
    seconds = time.perf_counter() - began
    endpoint, method = endpoint or "none", method if method in METHODS else "other"
    metrics.request(endpoint, method, status, seconds, refusal)
    level = logging.ERROR if status == 500 else logging.INFO
    if log.isEnabledFor(level):
        fields = {"method": method, "endpoint": endpoint, "status": status, "ms": round(seconds * 1000, 1), "bytes": sent}
        log.log(level, "", extra={"fields": {**fields, "release": release, "refusal": refusal}})


def refusal_of(response: Response) -> str | None:
    """Why a request got no answer, in one word: the code of our error, else the name of the status; None if it got one."""
    if response.status_code < 400:
        return None
    error = context.exchange().refused
    if error is None:
        return response.status.partition(" ")[2].lower().replace(" ", "-") or str(response.status_code)
    code, limit = getattr(error, "code", None), getattr(error, "limit", None)
    if code is None:
        return "".join("-" + c.lower() if c.isupper() else c for c in type(error).__name__).lstrip("-")
    return f"{code}-{limit}" if isinstance(limit, str) else code
