"""An answer as bytes: from the engine's file to the client, without a detour through Python."""

import json
import os
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import pyoxigraph as ox
from flask import Response

from .. import spreadsheet
from ..formats import JSON, Format
from ..store import Embedded, Outcome
from . import context

CHUNK = 64 * 1024


def answer(query: str, format: Format, client: str | None = None, **dataset) -> Response:
    """The answer to a query in a format, streamed with its length known.

    ``client`` names the stranger whose query it is, so that strangers take turns; None for questions of our own.
    Raises what the backend raises, before the first byte leaves.
    """
    if format is spreadsheet.XLSX:
        file = _spreadsheet(read(query, JSON, client, **dataset))
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
    else:
        outcome, file = _answered(query, format, client, dataset)
        size = outcome.bytes
    response = Response(_chunks(file), content_type=format.content_type)
    response.content_length = size
    response.call_on_close(file.close)
    return response


def read(query: str, format: Format, client: str | None = None, **dataset) -> bytes:
    """The same answer, for a page to show."""
    _, file = _answered(query, format, client, dataset)
    with file:
        return file.read()


def _spreadsheet(answer: bytes) -> BinaryIO:
    """SPARQL Results JSON as a spreadsheet: no engine writes those."""
    file = tempfile.TemporaryFile()
    try:
        spreadsheet.write(ox.parse_query_results(answer, JSON.engine), file)
    except BaseException:
        file.close()
        raise
    return file


def boolean(answer: bytes) -> bool:
    """What SPARQL Results JSON says for ASK."""
    return json.loads(answer)["boolean"]


def _answered(query: str, format: Format, client: str | None, dataset: dict) -> tuple[Outcome, BinaryIO]:
    """What happened, and the open file that holds the answer and has no name any more."""
    backend = context.graph().backend
    if not isinstance(backend, Embedded):
        return backend.answer_file(query, format, client=client, **dataset)
    file = tempfile.TemporaryFile(buffering=0)
    try:
        outcome = backend.write(query, format, file, **dataset)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return outcome, file


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
