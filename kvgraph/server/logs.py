"""What a server writes down: one line for each request and each incident, on standard error, without personal data.

``$KVGRAPH_LOG_LEVEL`` is ``info`` (every request), ``warning`` (the default: only incidents) or ``error``; ``$KVGRAPH_LOG_FORMAT`` is ``json`` or
``text``, by default text on a terminal and JSON elsewhere. A line about a request says when, which method, which kind of address (the name of the
endpoint, never the address itself), the status, how long it took, how many bytes, from which release, and why it was refused. Who asked, what was
asked and with which program are not written down, nor the message of an unexpected error, which may quote it.
"""

import json
import logging
import os
import sys
import time
import traceback
from datetime import UTC, datetime

from flask import Flask, Response, request

from ..errors import KvgraphError
from . import context, metrics

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
FORMATS = ("json", "text")
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH")
log = logging.getLogger("kvgraph.requests")


def configure() -> None:
    """Let the loggers of kvgraph write to standard error, as the environment asks. Raises :class:`~kvgraph.errors.KvgraphError`."""
    level = _setting("KVGRAPH_LOG_LEVEL", LEVELS, "warning")
    shape = _setting("KVGRAPH_LOG_FORMAT", FORMATS, "text" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(shape == "json"))
    logger = logging.getLogger("kvgraph")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(LEVELS[level])


def _setting(name: str, allowed, default: str) -> str:
    given = os.environ.get(name, "").strip().lower() or default
    if given not in allowed:
        raise KvgraphError(f"{name} is one of {', '.join(allowed)}, not {given[:40]!r}.")
    return given


class Lines(logging.Formatter):
    """A record as one line: a JSON object, or words."""

    def __init__(self, as_json: bool):
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        fields = {"logger": record.name, **(getattr(record, "fields", None) or {"message": record.getMessage()})}
        if record.exc_info:
            fields |= _exception(record.exc_info)
        if self.as_json:
            moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
            return json.dumps({"time": moment, "level": record.levelname.lower(), **fields}, ensure_ascii=False)
        del fields["logger"]
        return f"{record.levelname.lower()}: " + " ".join(str(v) if k == "message" else f"{k}={v}" for k, v in fields.items() if v is not None)


def _exception(found) -> dict:
    """Which error, and where; not what it says."""
    kind, _, where = found
    return {"exception": kind.__name__, "at": [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in traceback.extract_tb(where)]}


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    context.exchange()  # knows when it began


def _end(response: Response) -> Response:
    """Write down and count a request whose answer is ready to be sent."""
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
