"""An answer as a spreadsheet (Office Open XML), which a table in CSV is not.

CSV leaves it to the program that opens it what ``=HYPERLINK(…)`` in a label is, and where a column ends. Here every cell says what it
is: numbers and booleans are such, everything else is text, and text is never a formula. Dates stay as they were
written, because a spreadsheet has no dates of unknown day or before 1900.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import BinaryIO

import pyoxigraph as ox
import xlsxwriter

from .errors import KvgraphError
from .formats import Format
from .namespaces import XSD

XLSX = Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", "results", None)
"""Offered beside the formats that an engine writes."""

ROWS = 1_048_576  # the most a sheet holds, its heading included
CHARACTERS = 32_767  # the most a cell holds
EXACT = 2**53  # a number beyond it would be rounded, so it stays text

_NUMBERS = {XSD + name for name in ("integer", "decimal", "double", "float", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger")}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_CREATED = datetime(1980, 1, 1)  # a date of now would make each copy another file


class TooManyRows(KvgraphError):
    """The answer does not fit into a sheet."""


def write(answer: "ox.QuerySolutions | ox.QueryBoolean", into: BinaryIO) -> None:
    """Write the answer of a SELECT or ASK as a spreadsheet with one sheet.

    The same answer gives the same bytes. Raises :class:`TooManyRows`; ``into`` then holds nothing of use.
    """
    if isinstance(answer, ox.QueryBoolean):
        names, rows = ["answer"], [[ox.Literal(bool(answer))]]
    else:
        names = [variable.value for variable in answer.variables]
        rows = ([solution[name] for name in names] for solution in answer)
    _workbook(names, rows, into)


def write_rows(names: Iterable[str], rows: Iterable[Iterable[str | int]], into: BinaryIO) -> None:
    """Write rows of text and whole numbers as a spreadsheet with one sheet.

    The same rows give the same bytes. Raises :class:`TooManyRows`.
    """
    _workbook(names, ([ox.Literal(value) for value in row] for row in rows), into)


def _workbook(names: Iterable[str], rows: Iterable[list], into: BinaryIO) -> None:
    # constant_memory writes each row as it comes; texts then stand in their cells.
    with xlsxwriter.Workbook(into, {"constant_memory": True}) as workbook:
        workbook.set_properties({"created": _CREATED})
        sheet = workbook.add_worksheet("Answer")
        sheet.freeze_panes(1, 0)  # the heading stays in sight
        _fill(sheet, [[ox.Literal(name) for name in names]])
        _fill(sheet, rows, start=1)


def write_table(headings: Iterable[str], rows: Iterable[Iterable[str | int]], into: BinaryIO, sheet: str = "Table") -> None:
    """Write a table of our own as a spreadsheet: numbers as numbers, text as text. Heading and first column stay in sight.

    Raises :class:`TooManyRows`; ``into`` then holds nothing of use.
    """
    with xlsxwriter.Workbook(into, {"constant_memory": True}) as workbook:
        workbook.set_properties({"created": _CREATED})
        page = workbook.add_worksheet(sheet)
        page.freeze_panes(1, 1)
        _fill(page, ([ox.Literal(cell) for cell in row] for row in (headings, *rows)))


def _fill(sheet, rows: Iterable[list], start: int = 0) -> None:
    for number, terms in enumerate(rows, start):
        if number >= ROWS:
            raise TooManyRows(f"A spreadsheet holds {ROWS - 1:,} rows, and the answer has more.", "Take it as CSV, or ask for fewer rows with LIMIT.")
        for column, term in enumerate(terms):
            if term is not None:
                _write(sheet, number, column, term)


def _write(sheet, row: int, column: int, term) -> None:
    """One cell, as what it is; never through ``sheet.write``, which would guess."""
    if isinstance(term, ox.Literal):
        kind, value = term.datatype.value, term.value
        if kind in _NUMBERS and _NUMBER.fullmatch(value) and abs(float(value)) <= EXACT:
            sheet.write_number(row, column, float(value))
            return
        if kind == XSD + "boolean":
            sheet.write_boolean(row, column, value in ("true", "1"))
            return
    text = term.value if isinstance(term, (ox.Literal, ox.NamedNode)) else str(term)
    sheet.write_string(row, column, text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…")
