"""Tables that people have: CSV in whatever separator and encoding, or the first sheet of a spreadsheet; read row by row, and written with columns added.

What is written is safe to open in a spreadsheet: a cell that a program would take for a formula is text.
"""

import codecs
import csv
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import xlsxwriter

from .errors import KvgraphError

SPREADSHEET = ".xlsx"
SEPARATORS = ",;\t|"
SAMPLE = 64 * 1024  # bytes that decide on the encoding and the separator
LONGEST_CELL = 1_000_000  # characters
LARGEST_SHEET = 500 * 2**20  # bytes of a spreadsheet unpacked
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class BadTable(KvgraphError):
    """The file cannot be read as a table; the message says where and why."""


class Table:
    """A table that is open: ``columns`` are its headings, and to iterate it gives each row as a list of as many texts."""

    def __init__(self, columns: list[str], rows: Iterator[list[str]]):
        self.columns, self._rows = columns, rows

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._rows:
            if any(row):
                yield (row + [""] * len(self.columns))[: len(self.columns)]

    def column(self, name: str) -> int:
        """The place of a column, upper and lower case alike. Raises :class:`BadTable`, naming the columns there are."""
        wanted = name.strip().casefold()
        places = [n for n, column in enumerate(self.columns) if column.strip().casefold() == wanted]
        if len(places) != 1:
            what = "more than one column is" if places else "no column is"
            raise BadTable(f"In the table {what} called {name[:80]!r}.", hint=f"Its columns are: {', '.join(c or '(no name)' for c in self.columns[:50])}.")
        return places[0]


@contextmanager
def reading(path: Path, encoding: str | None = None) -> Iterator[Table]:
    """Open a table. Raises :class:`BadTable` for what is none, also while rows are read."""
    with ExitStack() as stack:
        yield _table(_rows(path, encoding, stack), path)


def _rows(path: Path, encoding: str | None, stack: ExitStack) -> Iterator[list[str]]:
    try:
        if path.suffix.lower() == SPREADSHEET:
            yield from _sheet(path)
        else:
            yield from _csv(stack.enter_context(path.open(encoding=encoding or _encoding(path), newline="")), path)
    except UnicodeError:
        raise BadTable(f"{path.name} is not in {encoding or 'the encoding it begins in'}: it holds bytes that are no letters there.", hint="Say which encoding it is in: --encoding cp1252") from None
    except LookupError:
        raise BadTable(f"There is no encoding {encoding!r}.", hint="For example: utf-8, cp1252, iso-8859-2.") from None
    except OSError as error:
        raise BadTable(f"{path.name} cannot be read: {error.strerror or error}.") from None


def _table(rows: Iterator[list[str]], path: Path) -> Table:
    heading = next(rows, None)
    if not heading or not any(heading):
        raise BadTable(f"{path.name} is empty.", hint="The first row must name the columns.")
    return Table(heading, rows)


def _encoding(path: Path) -> str:
    """UTF-8, with or without a mark, UTF-16 with one, else what Windows writes."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _csv(file: TextIO, path: Path) -> Iterator[list[str]]:
    first = file.readline(LONGEST_CELL)
    file.seek(0)
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(file, delimiter=max(SEPARATORS, key=first.count))
    try:
        yield from reader
    except csv.Error as error:
        raise BadTable(f"{path.name}, line {reader.line_num}: {error}.", hint="Perhaps a quotation mark has no partner.") from None


def _sheet(path: Path) -> Iterator[list[str]]:
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_SHEET:
                raise BadTable(f"{path.name} is too large a spreadsheet.", hint="Save it as CSV.")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        raise BadTable(f"{path.name} is no spreadsheet that can be read.", hint="Save it as XLSX or CSV again.") from None
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield ["" if cell is None else f"{cell:g}" if isinstance(cell, float) and cell.is_integer() else str(cell) for cell in row]
    finally:
        book.close()


@contextmanager
def writing(path: Path | None, file: TextIO, columns: list[str]) -> Iterator["Writer"]:
    """Write a table, by the suffix of its name as CSV, TSV or spreadsheet; without a path as CSV to ``file``.

    The file appears under its name when it is whole.
    """
    if path is None:
        yield Writer(_csv_row(csv.writer(file, lineterminator="\n")), columns)
        return
    draft = path.with_name(f".{path.name}.draft")
    try:
        if path.suffix.lower() == SPREADSHEET:
            with xlsxwriter.Workbook(draft, {"constant_memory": True, "strings_to_formulas": False}) as book:
                sheet = book.add_worksheet("Reconciled")
                sheet.freeze_panes(1, 0)
                yield Writer(_sheet_row(sheet), columns)
        else:
            with draft.open("w", encoding="utf-8-sig", newline="") as target:  # the mark tells spreadsheets that it is UTF-8
                dialect = "excel-tab" if path.suffix.lower() in (".tsv", ".tab") else "excel"
                yield Writer(_csv_row(csv.writer(target, dialect=dialect)), columns)
        draft.replace(path)
    except OSError as error:
        raise KvgraphError(f"{path.name} cannot be written: {error.strerror or error}.") from None
    finally:
        draft.unlink(missing_ok=True)


class Writer:
    """Takes rows; ``count`` says how many."""

    def __init__(self, put, columns: list[str]):
        self._put, self.count = put, 0
        put(0, columns)

    def add(self, row: Iterable[str | float]) -> None:
        self.count += 1
        self._put(self.count, row)


def safe(cell: str | float) -> str | float:
    """A cell that no spreadsheet takes for a formula.

    >>> safe("=HYPERLINK(1)"), safe("KU Leuven"), safe("-3.5")
    ("'=HYPERLINK(1)", 'KU Leuven', '-3.5')
    """
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not _number(cell):
        return "'" + cell
    return cell


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv_row(writer):
    return lambda number, row: writer.writerow([safe(cell) for cell in row])


def _sheet_row(sheet):
    def put(number: int, row: Iterable[str | float]) -> None:
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, column, cell[:32_767])
            else:
                sheet.write_number(number, column, cell)

    return put


def lines(path: Path) -> int | None:
    """About how many rows a text file has, for a progress bar; None for a spreadsheet."""
    if path.suffix.lower() == SPREADSHEET:
        return None
    with path.open("rb") as file:
        return max(0, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1)
