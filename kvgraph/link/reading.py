"""Reads organisations: those of an import, and those of a table of one's own."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq

from .. import tables
from ..errors import KvgraphError
from ..sources import places
from .organisations import Organisation

MOST = 1_000_000  # organisations of a table of one's own
_COLUMNS = {
    "name": ("name", "organisation", "organization", "label", "title"), "country": ("country", "country_code", "countrycode"),
    "place": ("place", "city", "town", "locality"), "homepage": ("homepage", "website", "url"), "id": ("id", "iri", "identifier"),
}  # fmt: skip
# Kinds in few words: ours, and ROR's types; what is none of these says nothing.
_KINDS = {
    "university": "university", "education": "university", "company": "company", "sme": "company", "public-authority": "public authority",
    "government": "public authority", "healthcare": "hospital", "facility": "laboratory", "rto": "laboratory", "nonprofit": "association",
    "citizens-organisation": "association", "community": "association",
}  # fmt: skip


def kind(text: str) -> str:
    """A kind that can be compared, of ours or of ROR's types; empty for what says little.

    >>> kind("education, funder"), kind("https://w3id.org/kvgraph/id/actor-kind/sme"), kind("other")
    ('university', 'company', '')
    """
    return next((_KINDS[word] for part in text.split(",") if (word := part.strip().rpartition("/")[2]) in _KINDS), "")


def of_import(path: Path) -> Iterator[Organisation]:
    """The organisations of an import (``organisations.parquet``)."""
    for batch in pq.ParquetFile(path).iter_batches():
        yield from map(organisation, batch.to_pylist())


def organisation(row: Mapping) -> Organisation:
    """One row of that table."""
    names = row["names"] or []
    return Organisation(
        iri=row["iri"],
        names=tuple(n["value"] for n in names if n["kind"] != "acronym"),
        short=tuple(n["value"] for n in names if n["kind"] == "acronym"),
        country=row["country"] or "", place=row["place"] or "", homepage=row["homepage"] or "", kind=kind(row["kind"] or ""),
        identifiers=tuple(row["identifiers"] or ()), parents=tuple(row["parents"] or ()),
    )  # fmt: skip


def of_table(path: Path) -> list[Organisation]:
    """Organisations of a table, CSV or XLSX: a column ``name``, and if there are any ``country``, ``place``, ``homepage``, ``id``.

    Countries may be codes or English names. Raises :class:`KvgraphError` where the table has no names, or is none.
    """
    with tables.reading(path) as table:
        given = {name.strip().lower(): place for place, name in reversed(list(enumerate(table.columns)))}
        columns = {ours: next((given[a] for a in also if a in given), None) for ours, also in _COLUMNS.items()}
        if columns["name"] is None:
            raise KvgraphError(f"{path.name} has no column of names.", hint='Call it "name"; "country", "place", "homepage" and "id" help.')
        found = list(islice(_of_rows(table, columns), MOST + 1))
    if len(found) > MOST:
        raise KvgraphError(f"{path.name} has more than {MOST:,} organisations.", hint="Link it in parts.")
    return found


def _of_rows(rows: Iterable[list[str]], columns: Mapping[str, int | None]) -> Iterator[Organisation]:
    for number, row in enumerate(rows, 2):
        value = {ours: row[place].strip()[:400] if place is not None else "" for ours, place in columns.items()}
        if value["name"]:
            yield Organisation(value["id"] or f"line:{number}", (value["name"],), (), places.country(value["country"]), value["place"], value["homepage"])
