"""An answer as a spreadsheet (Office Open XML, ISO/IEC 29500), which a table in CSV is not.

CSV leaves it to the program that opens it what ``=HYPERLINK(…)`` in a label is, and where a column ends. Here every cell says what it
is: numbers and booleans are such, everything else is text, and text is never a formula. Dates stay as they were
written, because a spreadsheet has no dates of unknown day or before 1900.
"""

import re
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from typing import BinaryIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pyoxigraph as ox

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
# What XML cannot hold (or, a carriage return, would not keep) is written _xHHHH_ (section 22.9.2.19), and so is an underscore that would look like the beginning of that.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="Answer" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
# The heading stays in sight.
_BEFORE = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_AFTER = "</sheetData></worksheet>"


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
    with ZipFile(into, "w", ZIP_DEFLATED) as package:
        for name, text in _PARTS.items():
            package.writestr(_entry(name), _HEAD + text)
        with package.open(_entry("xl/worksheets/sheet1.xml"), "w") as raw, TextIOWrapper(raw, encoding="utf-8", newline="\n") as sheet:
            sheet.write(_HEAD + _BEFORE)
            sheet.writelines(_rows([ox.Literal(name) for name in names], rows))
            sheet.write(_AFTER)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name)  # dated 1980: a date of now would make each copy another file
    entry.compress_type = ZIP_DEFLATED
    return entry


def _rows(heading: list[ox.Literal], rows: Iterable[list]) -> Iterator[str]:
    yield _row(1, heading)
    for number, terms in enumerate(rows, start=2):
        if number > ROWS:
            raise TooManyRows(f"A spreadsheet holds {ROWS - 1:,} rows, and the answer has more.", "Take it as CSV, or ask for fewer rows with LIMIT.")
        yield _row(number, terms)


def _row(number: int, terms: list) -> str:
    cells = (_cell(f"{_letters(i)}{number}", term) for i, term in enumerate(terms) if term is not None)
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(place: str, term) -> str:
    """One cell.

    >>> _cell("A2", ox.Literal(7)), _cell("A3", ox.Literal("=1+1"))
    ('<c r="A2"><v>7</v></c>', '<c r="A3" t="inlineStr"><is><t xml:space="preserve">=1+1</t></is></c>')
    """
    if isinstance(term, ox.Literal):
        kind, value = term.datatype.value, term.value
        if kind in _NUMBERS and _NUMBER.fullmatch(value) and abs(float(value)) <= EXACT:
            return f'<c r="{place}"><v>{value.removeprefix("+")}</v></c>'
        if kind == XSD + "boolean":
            return f'<c r="{place}" t="b"><v>{int(value in ("true", "1"))}</v></c>'
    text = term.value if isinstance(term, (ox.Literal, ox.NamedNode)) else str(term)
    if len(text) > CHARACTERS:
        text = text[: CHARACTERS - 1] + "…"
    text = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _letters(column: int) -> str:
    """The name of a column, counted from 0.

    >>> _letters(0), _letters(25), _letters(26), _letters(701), _letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
