"""Answers as tables for people: headings, and cells that link to what they name."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from ..graph import Rows
from .display import Shown, show


@dataclass(frozen=True)
class Column:
    name: str
    heading: str
    numeric: bool


@dataclass(frozen=True)
class Table:
    """``total`` rows were answered, ``rows`` of them are shown."""

    columns: list[Column]
    rows: list[list[Shown]]
    total: int

    @property
    def cut(self) -> bool:
        return len(self.rows) < self.total

    @classmethod
    def of(cls, rows: Rows, limit: int, headings: Mapping[str, str] | None = None) -> "Table":
        """A table of the first ``limit`` rows.

        Where ``headings`` name some columns, a column of IRIs without a heading in front of one with a heading
        becomes its link: ``?practice ?title`` is one column of linked titles.
        """
        headings = headings or {}
        names, terms = rows.columns, rows.terms[:limit]
        folded = {i for i in range(len(names) - 1) if _folds(i, names, headings, terms)}
        kept = [i for i in range(len(names)) if i not in folded]
        columns = [Column(names[i], headings.get(names[i]) or names[i], _numeric(i, terms)) for i in kept]
        cells = [[_cell(row[i], row[i - 1] if i - 1 in folded else None) for i in kept] for row in terms]
        return cls(columns, cells, len(rows))


def _folds(i: int, names: list[str], headings: Mapping[str, str], terms: list[tuple]) -> bool:
    named = names[i] not in headings and names[i + 1] in headings
    return named and all(isinstance(row[i], ox.NamedNode) or row[i] is None for row in terms) and not any(
        isinstance(row[i + 1], ox.NamedNode) for row in terms
    )


def _cell(term, link) -> Shown:
    if link is not None and isinstance(term, ox.Literal):
        return show(link, term)
    return show(term if term is not None else link)


def _numeric(i: int, terms: list[tuple]) -> bool:
    values = [row[i] for row in terms if row[i] is not None]
    numbers = ("#integer", "#decimal", "#double", "#float")
    return bool(values) and all(isinstance(v, ox.Literal) and v.datatype.value.endswith(numbers) for v in values)
