"""What a server writes down: one line for each request and each incident, on standard error, without personal data.

``$KVGRAPH_LOG_LEVEL`` is ``info`` (every request), ``warning`` (the default: only incidents) or ``error``; ``$KVGRAPH_LOG_FORMAT`` is ``json`` or
``text``, by default text on a terminal and JSON elsewhere. Requests are written down by :mod:`kvgraph.server.logs`.
"""

import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime

from .errors import KvgraphError

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
FORMATS = ("json", "text")


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
