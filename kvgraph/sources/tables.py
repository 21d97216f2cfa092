"""Tables as they are published: CSV with any separator and encoding, or the first sheet of a spreadsheet.

A row is a dictionary by the names of its columns, in whichever order they stand. What is no row is given as
:class:`~kvgraph.sources.record.SetAside`.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..tables import LONGEST_CELL, SEPARATORS, SPREADSHEETS
from .raw import Line, Raw, UnreadableFile, lines
from .record import SetAside

_OTHER = (".xls", ".xlsb", ".ods", ".numbers", ".doc", ".docx", ".pdf")  # where people keep tables that cannot be read here
MOST_COLUMNS = 500
LONGEST_ROW = 4 * 2**20  # characters, line breaks within cells included
MOST_TWICE = 64 * 2**20  # characters of rows that were given up, beyond those of rows that came in: each is read again from its second line


@dataclass(frozen=True)
class Row:
    """A row by column, with the line it begins in."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The cell without the white space around it; empty where there is none."""
        return self.cells.get(_key(column), "")


def _key(column: str) -> str:
    """Names of columns are compared without case, blanks and underscores: publishers change these between editions."""
    return re.sub(r"[\s_\-]+", "", column).casefold()


def columns_of(raw: Raw, encoding: str | None = None) -> set[str]:
    """The names of the columns, to tell one published file from another: in lower case, without blanks and underscores."""
    with raw.open() as stream:
        head = next(lines(stream, encoding), None)
    return {_key(name) for name in _heading(head, raw.name)} if head and not head.problem else set()


def rows(raw: Raw, needed: Iterable[str], encoding: str | None = None) -> Iterator[Row | SetAside]:
    """The rows of a table that has the columns ``needed``.

    Raises :class:`UnreadableFile` where one of these is missing, or one is there twice.
    """
    if raw.kind in _OTHER:
        raise UnreadableFile(f"{raw.name} is no table that can be read here.", hint="Save it as .xlsx or as CSV.")
    if raw.kind in SPREADSHEETS:
        yield from _sheet(raw, needed)
        return
    with raw.open() as stream:
        yield from _csv(raw, lines(stream, encoding), needed)


def _csv(raw: Raw, found: Iterator[Line], needed: Iterable[str]) -> Iterator[Row | SetAside]:
    head = next(found, None)
    if head is None or head.problem:
        raise UnreadableFile(f"{raw.name}: {'line 1 ' + head.problem if head else 'is empty'}.")
    heading = _checked(_heading(head, raw.name), needed, raw.name)
    for line, cells in _cells(raw.name, found, _separator(head.text)):
        if isinstance(cells, str):
            yield SetAside(raw.name, line, cells)
        elif any(cells):
            yield _row(raw.name, line, heading, cells)


def _cells(file: str, found: Iterator[Line], separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each row with the line it begins in, or why it is none.

    A quotation mark without its pair makes a row of everything up to the next one, or to the end. Such a row is given up, and reading goes on
    in the line after the one it began in: no other row is lost with it. Raises :class:`UnreadableFile` where most rows are such ones: a file of
    lines that each close the row before and open another would be read once for each of them.
    """
    csv.field_size_limit(LONGEST_CELL)
    again: deque[Line] = deque()  # lines of a row that was given up, to be read once more
    twice = 0
    while True:
        taken: list[Line] = []
        length = 0

        def texts() -> Iterator[str]:
            nonlocal length
            while length < LONGEST_ROW and (line := again.popleft() if again else next(found, None)):
                taken.append(line)
                length += len(line.text)
                yield line.text

        try:
            cells = next(csv.reader(texts(), delimiter=separator, strict=True), None)
        except csv.Error as error:
            yield taken[0].number, taken[0].problem or f"is no row of a table: {error}; a quotation mark may be missing its pair"
            again.extendleft(reversed(taken[1:]))
            twice += length
            if twice > MOST_TWICE:
                raise UnreadableFile(f"{file}: too many quotation marks are missing their pair, by line {taken[0].number}.", hint="Is it CSV?") from None
            continue
        if cells is None:
            return
        twice = max(0, twice - length)
        bad = [line for line in taken if line.problem]
        yield from ((line.number, line.problem) for line in bad)
        if not bad:
            yield taken[0].number, cells


def _row(file: str, line: int, heading: list[str], cells: list[str]) -> Row | SetAside:
    if len(cells) > len(heading) and not any(cells[len(heading) :]):
        cells = cells[: len(heading)]
    if len(cells) != len(heading):
        return SetAside(file, line, f"has {len(cells)} cells, and the heading has {len(heading)}")
    return Row(line, {name: cell.strip() for name, cell in zip(heading, cells)})


def _separator(heading: str) -> str:
    """The character that stands between the names of columns most often."""
    bare = re.sub(r'"[^"]*"', "", heading)
    return max(SEPARATORS, key=bare.count)


def _heading(line: Line, file: str) -> list[str]:
    try:
        return next(csv.reader([line.text], delimiter=_separator(line.text)), [])
    except csv.Error as error:
        raise UnreadableFile(f"{file}: the heading cannot be read: {error}.") from None


def _checked(heading: list[str], needed: Iterable[str], file: str) -> list[str]:
    keys = [_key(name) for name in heading]
    while keys and not keys[-1]:
        keys.pop()
    if missing := [name for name in needed if _key(name) not in keys]:
        shown = ", ".join(name.strip()[:40] for name in heading[:30]) or "nothing"
        raise UnreadableFile(
            f"{file} has no column {', '.join(missing)}.", hint=f"Its columns are: {shown}. Is this the file as published, with its heading?"
        )
    if twice := {name for name in keys if name and keys.count(name) > 1}:
        raise UnreadableFile(f"{file} has two columns of the same name: {', '.join(sorted(twice))}.", hint="Take one of them out.")
    return keys


def _sheet(raw: Raw, needed: Iterable[str]) -> Iterator[Row | SetAside]:
    import openpyxl

    try:
        with raw.open() as stream:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=False, keep_links=False)
            table = book.worksheets[0].iter_rows(max_col=MOST_COLUMNS)
            heading = _checked([str(cell.value or "") for cell in next(table, ())], needed, raw.name)
            for line, cells in enumerate(table, 2):
                cells = list(cells)[: len(heading)]
                if not any(cell.value is not None for cell in cells):
                    continue
                if errors := [cell for cell in cells if cell.data_type == "e"]:
                    yield SetAside(raw.name, line, f"has a cell that could not be calculated: {str(errors[0].value)[:20]!r}")
                    continue
                if formulas := [cell for cell in cells if cell.data_type == "f"]:
                    yield SetAside(raw.name, line, f"has a formula: {str(formulas[0].value)[:60]!r}; write its value instead")
                    continue
                values = [_cell(cell.value) for cell in cells]
                yield Row(line, dict(zip(heading, [*values, *[""] * (len(heading) - len(values))])))
    except UnreadableFile:
        raise
    except Exception as error:  # whatever the library makes of a file that somebody made otherwise, or to do harm
        raise UnreadableFile(f"{raw.name} is no spreadsheet that can be read: {str(error)[:200]}.", hint="Save it as .xlsx or as CSV.") from None


def _cell(value) -> str:
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()
