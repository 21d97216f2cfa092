"""Rows of tables that strangers send, as text: how large one may be is looked at before it is read."""

import csv
import io
import zipfile
from typing import Any

from .parsing import MOST_RECORDS, Unreadable

MOST_ROWS = 20_000  # of which most are empty: records are fewer
UNPACKED = 4 * 2**20  # bytes of a spreadsheet without its compression
MOST_TAGS = 60_000  # in all its parts: a cell has four, and what reads them takes a second for so many


def csv_rows(content: bytes) -> list[list[str]]:
    """The rows of a CSV file in UTF-8, with commas, semicolons or tabs. Raises :class:`~.parsing.Unreadable`."""
    try:
        text = content.decode("utf-8-sig")
        dialect = csv.Sniffer().sniff(text[:4000].partition("\n")[0] or ",", delimiters=",;\t")
    except UnicodeDecodeError as error:
        raise Unreadable(f"This is not UTF-8 (byte {error.start}).", hint="Save the table as “CSV UTF-8”.") from None
    except csv.Error:
        dialect = csv.excel
    try:
        return [row for n, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter)) if n <= MOST_ROWS]
    except csv.Error as error:
        raise Unreadable(f"This is not CSV: {error}") from None


def xlsx_rows(content: bytes) -> list[list[str]]:
    """The rows of the first sheet of an XLSX file. Raises :class:`~.parsing.Unreadable`."""
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            large = sum(info.file_size for info in packed.infolist()) > UNPACKED or len(packed.infolist()) > 200
            parts = [] if large else [packed.read(info) for info in packed.infolist()]
            if large or sum(part.count(b"<") for part in parts) > MOST_TAGS:
                raise Unreadable("This spreadsheet is too large.", hint=f"At most {MOST_RECORDS} records are taken at once. What is not in its first sheet, and empty cells with a style, can go.")
            if any(b"<!DOCTYPE" in part for part in parts):
                raise Unreadable("This spreadsheet declares entities, which no spreadsheet does.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            rows = book.worksheets[0].iter_rows(max_row=MOST_RECORDS + 200, max_col=100, values_only=True)
            return [["" if cell is None else _cell(cell) for cell in row] for row in rows]
        finally:
            book.close()
    except Unreadable:
        raise
    except Exception:  # noqa: BLE001  whatever openpyxl meets in a broken file
        raise Unreadable("This is not a spreadsheet that can be read.", hint="Save it as .xlsx, or as CSV.") from None


def _cell(cell: Any) -> str:
    """A cell as somebody would have written it: 2019 is no 2019.0, a day has no hour."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return f"{cell:%Y-%m-%d}" if hasattr(cell, "strftime") else str(cell)
