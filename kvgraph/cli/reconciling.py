"""Reconcile a table: for people without OpenRefine."""

import sys
from pathlib import Path

import click

from .root import command, open_graph

ADDED = ("id", "label", "type", "score", "match")


@command(example="kvgraph reconcile partners.csv --column Organisation --type actor --property country=Country -o found.xlsx")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--column", "-c", required=True, help="The column that holds the names or identifiers.")
@click.option("--type", "types", multiple=True, help="Only things of this type (may be repeated): actor, organisation, practice, policy, region …")
@click.option("--property", "properties", multiple=True, metavar="NAME=COLUMN", help="A column with what else is known (may be repeated): country, region, place, identifier, homepage …")
@click.option("--where", multiple=True, metavar="NAME=VALUE", help="The same where it is one value for all rows: country=ESP.")
@click.option("--candidates", default=1, show_default=True, type=click.IntRange(1, 20), help="At most so many rows for each name, the likeliest first.")
@click.option("--least", default=0.0, show_default=True, type=click.FloatRange(0, 100), help="Leave out candidates with a lower score.")
@click.option("--only-matches", is_flag=True, help="Leave out candidates that are not certain.")
@click.option("--lang", default="en", show_default=True, help="The language of the labels.")
@click.option("--encoding", help="Of a CSV file. Default: UTF-8, else that of Windows.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), help="A .csv, .tsv or .xlsx file. Default: CSV on standard output, as with -.")
def reconcile(home: Path | None, file: Path, column: str, types: tuple[str, ...], properties: tuple[str, ...], where: tuple[str, ...], candidates: int,
              least: float, only_matches: bool, lang: str, encoding: str | None, output: Path | None) -> None:  # fmt: skip
    """Find what the names in a column of a table mean.

    FILE is CSV or XLSX. Adds the columns id, label, type, score (0 to 100) and match: yes for what needs no second look.
    """
    from rich.progress import track

    from .. import tables
    from ..output import err
    from ..reconciliation import property_of, type_of

    for name in types:
        type_of(name)
    fixed, by_column = _pairs(where, "VALUE"), _pairs(properties, "COLUMN")
    for name in (*fixed, *by_column):
        property_of(name, constraint=True)
    found = matched = names = 0
    with tables.reading(file, encoding) as table:
        place, places = table.column(column), {name: [table.column(c) for c in columns] for name, columns in by_column.items()}
        graph = open_graph(home)
        with tables.writing(None if output == Path("-") else output, sys.stdout, [*table.columns, *_headings(table.columns)]) as target:
            for row in track(table, "Names", tables.lines(file), console=err, transient=True, disable=not err.is_terminal):
                known = {**fixed, **{name: values for name, at in places.items() if (values := [row[n] for n in at if row[n].strip()])}}
                name = row[place].strip()
                hits = graph.reconcile(name, type=types, where=known, limit=candidates, language=lang) if name else []
                hits = [h for h in hits if h.score >= least and (h.match or not only_matches)]
                names, found, matched = names + bool(name), found + bool(hits), matched + any(h.match for h in hits)
                for hit in hits or [None]:
                    target.add([*row, *((hit.id, hit.name, hit.type, hit.score, "yes" if hit.match else "no") if hit else ("",) * len(ADDED))])
    err.print(f"{names} names: {matched} matched, {found - matched} with candidates to look at, {names - found} with none.")


def _pairs(texts: tuple[str, ...], what: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise click.UsageError(f"{text!r} is no NAME={what}, for example country={'ESP' if what == 'VALUE' else 'Country'}.")
        found.setdefault(name.strip(), []).append(value.strip())
    return found


def _headings(taken: list[str]) -> list[str]:
    """The columns that are added, under other names where the table has these already."""
    names = {name.strip().casefold() for name in taken}
    return [name if name not in names else f"kvgraph_{name}" for name in ADDED]
