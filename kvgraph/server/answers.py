"""An answer as bytes: from the engine's file to the client, without a detour through Python."""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import quote

import pyoxigraph as ox
from flask import Response
from werkzeug.wsgi import FileWrapper

from .. import spreadsheet
from ..formats import JSON, XML, Format
from ..store import Cached, Embedded, Outcome
from ..store.cached import compressed
from . import context, headers, hosts
from .exchange import Exchange

CHUNK = 64 * 1024
WHOLE = 256 * 1024  # bytes up to which an answer is sent in one piece; above, a thread stays with it until it is sent
HEAD = 512 * 1024  # bytes that hold the head of any answer: a query, and so its variables, is shorter
CUT = "/docs/engineers#answers-that-were-cut"


@dataclass
class Answer:
    """An answer as it leaves: its header fields, and its bytes in memory or the open file that holds them."""

    status_code: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    complete: bool = True
    seconds: float = 0.0  # that an engine took
    whole: bytes = b""
    file: BinaryIO | None = None

    def body(self) -> list[bytes] | FileWrapper:
        """For a server: to be iterated, and closed if it has ``close``."""
        return FileWrapper(self.file, CHUNK) if self.file else [self.whole]

    def close(self) -> None:
        if self.file:
            self.file.close()


def answer(query: str, format: Format, client: str | None = None, timeout: float | None = None, max_rows: int | None = None, **dataset) -> Response:
    """The answer to a query in a format, as :func:`make` makes it for the request that Flask is at work on."""
    made = make(context.exchange(), query, format, client, timeout, max_rows, **dataset)
    return Response(made.body(), headers=made.headers)


def make(
    exchange: Exchange, query: str, format: Format, client: str | None = None, timeout: float | None = None, max_rows: int | None = None, **dataset
) -> Answer:
    """The answer to a query in a format, streamed with its length known, compressed if the client takes that.

    ``client`` names the stranger whose query it is, so that strangers take turns; None for questions of our own. ``timeout`` in seconds can only
    lower that of the server. Raises what the backend raises, before the first byte leaves.
    """
    asked = {"client": client, "timeout": timeout, "max_rows": max_rows, **dataset}
    coding = None
    if format is spreadsheet.XLSX:
        outcome, rows = _answered(exchange, query, JSON, asked)
        with rows:
            file = _spreadsheet(rows.read())
        outcome = outcome._replace(bytes=file.seek(0, os.SEEK_END))
        file.seek(0)
    else:
        # A note has to be put into an answer that was cut before it is compressed.
        coding = None if max_rows else headers.coding_of(exchange.environ.get("HTTP_ACCEPT_ENCODING"))
        outcome, file = _answered(exchange, query, format, asked, coding)
    fields = [("Content-Type", format.content_type)]
    if not outcome.complete:
        outcome, file = _noted(outcome, file, _explained(exchange.environ))
        fields.append(("Kvgraph-Complete", "false"))
        fields.append(("X-SPARQL-MaxRows", str(max_rows or outcome.rows or 0)))  # as Virtuoso says it, which clients know
    fields.append(("Content-Length", str(outcome.bytes)))
    fields.append(("Cache-Status", "kvgraph; fwd=miss" if exchange.engine else "kvgraph; hit"))  # RFC 9211
    if coding:
        fields.append(("Content-Encoding", coding))
    made = Answer(200, fields, outcome.bytes, outcome.complete, outcome.seconds)
    if outcome.bytes > WHOLE:
        made.file = file
        return made
    with file:
        made.whole = file.read()
    return made


def read(query: str, format: Format, client: str | None = None, **asked) -> tuple[bytes, bool]:
    """The same answer, for a page to show, and whether it is complete."""
    outcome, file = _answered(context.exchange(), query, format, {"client": client, **asked})
    with file:
        return file.read(), outcome.complete


def boolean(answer: bytes) -> bool:
    """What SPARQL Results JSON says for ASK."""
    return json.loads(answer)["boolean"]


def _answered(exchange: Exchange, query: str, format: Format, asked: dict, coding: str | None = None) -> tuple[Outcome, BinaryIO]:
    """What happened, and the open file that holds the answer."""
    backend = exchange.graph.backend
    exchange.engine = False

    def admit() -> None:
        exchange.engine = True
        if asked["client"]:
            exchange.admit()

    if isinstance(backend, Cached):
        return backend.answer_file(query, format, coding=coding, admit=admit, **asked)
    admit()
    if isinstance(backend, Embedded):
        outcome, file = _written(backend, query, format, **asked)
    else:
        outcome, file = backend.answer_file(query, format, **asked)
    if not coding:
        return outcome, file
    with file:
        size, coded = compressed(file, coding)
    return outcome._replace(bytes=size), coded


def _written(backend: Embedded, query: str, format: Format, client: str | None = None, timeout: float | None = None, **asked) -> tuple[Outcome, BinaryIO]:
    """From an engine in this process, which has no clients and no limit of time."""
    file = tempfile.TemporaryFile(buffering=0)
    try:
        outcome = backend.write(query, format, file, **asked)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return outcome, file


def _spreadsheet(answer: bytes) -> BinaryIO:
    """SPARQL Results JSON as a spreadsheet: no engine writes those."""
    file = tempfile.TemporaryFile()
    try:
        spreadsheet.write(ox.parse_query_results(answer, JSON.engine), file)
    except BaseException:
        file.close()
        raise
    return file


def _noted(outcome: Outcome, file: BinaryIO, address: str) -> tuple[Outcome, BinaryIO]:
    """An answer that was cut, saying so where its format can: as a ``link`` of its head.

    SPARQL 1.1 Query Results JSON Format, section 3.1.2; SPARQL Query Results XML Format, section 2.2. CSV and TSV have no such place.
    """
    before, link = {
        JSON: (b'"head":{', f'"link":[{json.dumps(address)}],'.encode()),
        XML: (b"</head>", f'<link href="{_attribute(address)}"/>'.encode()),
    }.get(outcome.format, (b"", b""))
    with file:
        head = file.read(HEAD)
        at = head.find(before) + (len(before) if outcome.format is JSON else 0)
        target = tempfile.TemporaryFile()
        target.write(head[:at] + link + head[at:])
        shutil.copyfileobj(file, target)
    size = target.tell()
    target.seek(0)
    return outcome._replace(bytes=size), target


def _explained(environ: dict) -> str:
    """The address of the page that says why an answer was cut."""
    return f"{environ['wsgi.url_scheme']}://{hosts.host_of(environ)}{quote(environ.get('SCRIPT_NAME', ''))}{CUT}"


def _attribute(text: str) -> str:
    """Text as the value of an attribute in XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
