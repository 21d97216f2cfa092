"""Tables that people have: CSV in whatever separator and encoding, or the first sheet of a spreadsheet; read row by row, and written with columns added.

What is written is safe to open in a spreadsheet: a cell that a program would take for a formula is text.
"""

import codecs
import csv
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TextIO

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from .errors import KvgraphError

SPREADSHEET = ".xlsx"
SPREADSHEETS = (SPREADSHEET, ".xlsm")
_TABBED = (".tsv", ".tab")
_OTHER = (".xls", ".xlsb", ".ods", ".numbers", ".json", ".pdf", ".zip", ".gz")  # where people keep tables that cannot be read here
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
        wide = len(self.columns)
        for number, row in enumerate(self._rows, 1):
            if any(row[wide:]):
                raise BadTable(f"Row {number} below the heading has {len(row)} cells, and the heading has {wide}.", hint="Perhaps a text with the separator in it stands without quotation marks.")
            if any(row):
                yield (row + [""] * wide)[:wide]

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
        if path.suffix.lower() in _OTHER:
            raise BadTable(f"{path.name} is no table that can be read here.", hint="Save it as XLSX or CSV.")
        if path.suffix.lower() in SPREADSHEETS:
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
    heading = next((row for row in rows if any(row)), None)
    if not heading:
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
    first = next((line for line in iter(lambda: file.readline(LONGEST_CELL), "") if line.strip()), "")  # the heading, whose separators count
    file.seek(0)
    csv.field_size_limit(LONGEST_CELL)
    ended = False

    def lines() -> Iterator[str]:
        nonlocal ended
        yield from file
        ended = True

    reader = csv.reader(lines(), delimiter=max(SEPARATORS, key=first.count))
    begun = 1
    try:
        for row in reader:
            if ended:  # only a quotation mark that is still open asks for a line after the last
                raise BadTable(f"{path.name}, line {begun}: a quotation mark has no partner up to the end of the table.")
            yield row
            begun = reader.line_num + 1
    except csv.Error as error:
        raise BadTable(f"{path.name}, line {reader.line_num}: {error}.", hint="Perhaps a quotation mark has no partner.") from None


def _sheet(path: Path) -> Iterator[list[str]]:
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_SHEET:
                raise BadTable(f"{path.name} is too large a spreadsheet.", hint="Save it as CSV.")
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
            for row in book.worksheets[0].iter_rows(values_only=True):
                yield ["" if cell is None else str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell) for cell in row]
    except BadTable:
        raise
    except Exception:  # whatever the library makes of a file that somebody made otherwise, or to do harm
        raise BadTable(f"{path.name} is no spreadsheet that can be read.", hint="Save it as XLSX or CSV again.") from None


@contextmanager
def writing(path: Path | None, file: TextIO, columns: list[str]) -> Iterator["Writer"]:
    """Write a table, by the suffix of its name as CSV, TSV or spreadsheet; without a path as CSV to ``file``.

    The file appears under its name when it is whole. Raises :class:`~kvgraph.errors.KvgraphError` for a suffix of another kind of file.
    """
    if path is None:
        yield Writer(_csv_row(csv.writer(file, lineterminator="\n")), columns)
        return
    if path.suffix.lower() not in ("", SPREADSHEET, *_TABBED, ".csv", ".txt"):
        raise KvgraphError(f"{path.name}: a table is not written as {path.suffix}.", hint="Name a .csv, .tsv or .xlsx file.")
    draft = path.with_name(f".{path.name}.draft") if path.is_file() or not path.exists() else path  # a pipe or a device cannot be replaced
    try:
        if path.suffix.lower() == SPREADSHEET:
            # Opened here: the library opens it when all has been written, and hours of names would be lost for a folder that is not there.
            with draft.open("wb") as target, xlsxwriter.Workbook(target, {"constant_memory": True, "strings_to_formulas": False}) as book:
                sheet = book.add_worksheet("Reconciled")
                sheet.freeze_panes(1, 0)
                yield Writer(_sheet_row(sheet), columns)
        else:
            with draft.open("w", encoding="utf-8-sig", newline="") as target:  # the mark tells spreadsheets that it is UTF-8
                dialect = "excel-tab" if path.suffix.lower() in _TABBED else "excel"
                yield Writer(_csv_row(csv.writer(target, dialect=dialect)), columns)
        if draft != path:
            draft.replace(path)
    except (OSError, FileCreateError) as error:  # the second one is made of the first, and no OSError
        why = error.args[0] if isinstance(error, FileCreateError) else error
        raise KvgraphError(f"{path.name} cannot be written: {getattr(why, 'strerror', None) or why}.") from None
    finally:
        if draft != path:
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
    if path.suffix.lower() in SPREADSHEETS:
        return None
    with path.open("rb") as file:
        return max(0, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1)
