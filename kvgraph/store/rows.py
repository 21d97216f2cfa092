"""The first rows of an answer, for a client that asked for no more."""

from __future__ import annotations

import io

import pyoxigraph
from pyoxigraph import QuerySolutions

from kvgraph.formats import TSV, Format


class _Enough(Exception):
    """There are more rows than are wanted."""


class _Lines:
    """Keeps so many lines of what is written, and stops the writer at the first byte after them."""

    def __init__(self, most: int):
        self.left, self.kept = most, io.BytesIO()

    def write(self, chunk: bytes) -> int:
        at = 0
        while at < len(chunk):
            if not self.left:
                raise _Enough
            end = chunk.find(b"\n", at) + 1
            self.left -= bool(end)
            end = end or len(chunk)
            self.kept.write(chunk[at:end])
            at = end
        return len(chunk)

    def flush(self) -> None:
        pass


def first_rows(solutions: QuerySolutions, format: Format, most: int) -> tuple[bytes, int, bool]:
    """At most so many rows in a results format, their number, and whether they are all there are. The engine computes no further.

    >>> rows = pyoxigraph.Store().query("SELECT ?n { VALUES ?n { 1 2 3 } }")
    >>> first_rows(rows, TSV, 2)
    (b'?n\\n1\\n2\\n', 2, False)
    """
    # In TSV a row is a line, and nothing is lost: line breaks in values are escaped, terms written as in SPARQL.
    lines, complete = _Lines(1 + most), True
    try:
        solutions.serialize(lines, format=TSV.engine)
    except _Enough:
        complete = False
    tsv = lines.kept.getvalue()
    answer = tsv if format == TSV else pyoxigraph.parse_query_results(tsv, format=TSV.engine).serialize(format=format.engine)
    return answer, most - lines.left, complete
