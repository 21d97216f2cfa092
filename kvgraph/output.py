"""How the command line prints: one formatter for every answer, one console for every message.

Answers go to standard output, messages and progress to standard error, so that a pipe carries data only.
"""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .connections import ConnectionResult
from .doctor import Finding
from .formats import UnknownFormat, by_name
from .namespaces import ID, compact
from .results import Description, Rows, Triples, to_python

out = Console(highlight=False, soft_wrap=True, emoji=False)  # :x: in somebody's data is no picture
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

RESULT_FORMATS = ("table", "csv", "tsv", "json")
TRIPLE_FORMATS = ("turtle", "ntriples", "jsonld", "rdfxml")
FORMATS = (*RESULT_FORMATS, *TRIPLE_FORMATS)
_SHORT = {"ttl": "turtle", "nt": "ntriples", "rdf": "rdfxml"}


def write(text: str) -> None:
    """Data to standard output exactly as it is, UTF-8, with a final newline."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def print_answer(answer: Rows | Triples | bool, format: str | None, columns: dict[str, str] | None = None) -> None:
    """Print what a query answered. ``format`` None is a table in a terminal, CSV (or Turtle) in a pipe."""
    format = _SHORT.get(format, format)
    if isinstance(answer, bool):
        write(json.dumps({"head": {}, "boolean": answer}) if format == "json" else str(answer).lower())
    elif isinstance(answer, Triples):
        if format in RESULT_FORMATS:
            raise UnknownFormat(f"Triples cannot be written as {format}.", hint=f"Use one of: {', '.join(TRIPLE_FORMATS)}.")
        write(answer.serialize(by_name(format or "turtle").name))
    elif format in TRIPLE_FORMATS:
        raise UnknownFormat(f"Rows cannot be written as {format}.", hint=f"Use one of: {', '.join(RESULT_FORMATS)}.")
    elif format == "table" or (format is None and sys.stdout.isatty()):
        print_table(list(answer), answer.columns, columns)
    else:
        # Standard CSV and TSV end their lines as their standards say; Python must not translate them.
        write({"tsv": answer.tsv, "json": answer.json}.get(format, answer.csv)().replace("\r\n", "\n"))


def print_table(rows: list[dict], columns: list[str], headings: dict[str, str] | None = None) -> None:
    """Rows as a table for people, with how many there are below it."""
    if rows:
        table = Table(show_lines=False, header_style="bold")
        for column in columns:
            table.add_column(escape((headings or {}).get(column, column)), overflow="fold")
        for row in rows:
            table.add_row(*(escape(_cell(row[c])) for c in columns))
        out.print(table)
    err.print("1 row" if len(rows) == 1 else f"{len(rows)} rows", style="dim")


def _cell(value) -> str:
    """A value as people read it; an IRI in the short form that every command takes."""
    text = "" if value is None else str(value)
    return text[len(ID) :] if text.startswith(ID) else compact(text)


def print_records(rows: list[dict], columns: list[str], format: str | None) -> None:
    """Rows that no query answered (hits, statements) in a result format; a table in a terminal, CSV in a pipe."""
    if format in (*TRIPLE_FORMATS, *_SHORT):
        raise UnknownFormat(f"Rows cannot be written as {format}.", hint=f"Use one of: {', '.join(RESULT_FORMATS)}.")
    if format == "json":
        write(json.dumps(rows, ensure_ascii=False, indent=1))
    elif format == "table" or (format is None and sys.stdout.isatty()):
        print_table(rows, columns)
    else:
        writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", dialect="excel-tab" if format == "tsv" else "excel", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def print_description(description: Description, format: str | None) -> None:
    """What is known about a thing, statement by statement, each with its source."""
    rows = [
        {"property": compact(s.property), "value": compact(str(to_python(s.value))), "basis": (s.basis or "").rpartition("/")[2],
         "source": s.page or s.graph}
        for s in description.statements
    ]  # fmt: skip
    if format is None and sys.stdout.isatty():
        out.print(f"[bold]{escape(description.label)}[/] <{escape(description.iri)}>")
    print_records(rows, ["property", "value", "basis", "source"], format)


def print_paths(result: ConnectionResult, format: str | None) -> None:
    """Ranked paths: a numbered list of sentences with their sources for people, records for programs."""
    rows = [
        {"path": number, "cost": round(path.cost, 2), "hop": n, "sentence": hop.sentence, "from": hop.source.iri, "to": hop.target.iri,
         "basis": hop.basis, "source": hop.page}
        for number, path in enumerate(result.paths, 1)
        for n, hop in enumerate(path.hops, 1)
    ]  # fmt: skip
    if format not in (None, "table"):
        return print_records(rows, ["path", "cost", "hop", "sentence", "from", "to", "basis", "source"], format)
    for row in rows:
        if row["hop"] == 1:
            out.print(f"\n[bold]{row['path']}.[/] [dim]{row['cost']:.1f} points[/]")
        basis = (row["basis"] or "").rpartition("/")[2]
        out.print(f"   {escape(row['sentence'])}. [dim]{escape(basis)}: {escape(row['source'] or 'no page')}[/]")
    if result.reason:
        err.print(escape(result.reason))


def print_findings(findings: list[Finding]) -> None:
    """What doctor found."""
    style = {"fine": "green", "note": "yellow", "wrong": "bold red"}
    for found in findings:
        out.print(f"[{style[found.state]}]{found.state:6}[/] {found.subject}: {escape(found.message)}")
        if found.mend:
            out.print(f"       {escape(found.mend)}")


class BuildProgress:
    """A progress bar in a terminal, plain lines elsewhere."""

    def __init__(self, bar: Progress | None):
        self._bar = bar
        self._task = bar.add_task("", total=None) if bar else None

    def step(self, name: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=name, completed=0, total=None)
        else:
            err.print(name)

    def count(self, done: int, total: int | None) -> None:
        if self._bar:
            self._bar.update(self._task, completed=done, total=total)


@contextmanager
def progress() -> Iterator[BuildProgress]:
    """Show the steps of a build while it runs."""
    if not err.is_terminal:
        yield BuildProgress(None)
        return
    columns = (TextColumn("{task.description:18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        yield BuildProgress(bar)


def fail(message: str, hint: str | None, status: int = 1) -> None:
    """Say what is wrong and how to mend it on standard error, and end with ``status``."""
    err.print(f"[bold red]Error:[/] {escape(message)}")
    if hint:
        err.print(escape(hint))
    raise click.exceptions.Exit(status)
