"""Tables as they are published: CSV with any separator and encoding, or the first sheet of a spreadsheet.

A row is a dictionary by the names of its columns, in whichever order they stand. What is no row is given as
:class:`~kvgraph.sources.record.SetAside`.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import zipfile

from .raw import Line, Raw, UnreadableFile, lines
from .record import SetAside

SEPARATORS = ",;\t|"
LONGEST_CELL = 1_000_000  # characters
MOST_COLUMNS = 500


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
    if raw.kind == ".xlsx":
        yield from _sheet(raw, needed)
        return
    with raw.open() as stream:
        yield from _csv(raw, lines(stream, encoding), needed)


def _csv(raw: Raw, found: Iterator[Line], needed: Iterable[str]) -> Iterator[Row | SetAside]:
    head = next(found, None)
    if head is None or head.problem:
        raise UnreadableFile(f"{raw.name}: {'line 1 ' + head.problem if head else 'is empty'}.")
    heading = _checked(_heading(head, raw.name), needed, raw.name)
    bad: list[Line] = []

    def texts() -> Iterator[str]:
        for line in found:
            if line.problem:
                bad.append(line)
            yield line.text

    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(texts(), delimiter=_separator(head.text))
    while True:
        line = reader.line_num + 2  # the heading, and the one after what was read
        try:
            cells = next(reader)
        except StopIteration:
            yield from _bad(raw.name, bad)
            return
        except csv.Error as error:
            yield from _bad(raw.name, bad)
            yield SetAside(raw.name, line, f"is no row of a table: {error}; a quotation mark may be missing its pair")
            continue
        if bad:
            yield from _bad(raw.name, bad)
            continue
        if not any(cells):
            continue
        yield _row(raw.name, line, heading, cells)


def _bad(file: str, bad: list[Line]) -> Iterator[SetAside]:
    for line in bad:
        yield SetAside(file, line.number, line.problem)
    bad.clear()


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
                if formulas := [cell for cell in cells if cell.data_type == "f"]:
                    yield SetAside(raw.name, line, f"has a formula: {str(formulas[0].value)[:60]!r}; write its value instead")
                    continue
                values = [_cell(cell.value) for cell in cells]
                yield Row(line, dict(zip(heading, [*values, *[""] * (len(heading) - len(values))])))
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, EOFError, SyntaxError) as error:
        raise UnreadableFile(f"{raw.name} is no spreadsheet that can be read: {str(error)[:200]}.", hint="Save it as .xlsx or as CSV.") from None


def _cell(value) -> str:
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()
