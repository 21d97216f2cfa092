"""Bring data sets of others home."""

from pathlib import Path

import click

from .root import command, format_option


@command(name="import", example="kvgraph import ror v1.60-2025-01-01-ror-data.zip")
@click.argument("name", required=False)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--strict", is_flag=True, help="End at the first row that cannot be taken, instead of setting it aside.")
@click.option("--dry-run", is_flag=True, help="Read and report, but import nothing.")
@click.option("--force", is_flag=True, help="Import again what was imported before.")
@click.option("--version", "version", help="Version of the data set. Default: from the name of the file, else its checksum.")
@click.option("--encoding", help="Encoding of a table that is not in UTF-8, such as cp1252.")
@click.option("--remove", is_flag=True, help="Take an import away again.")
@format_option
def import_(home: Path | None, name: str | None, files: tuple[Path, ...], format_: str | None, remove: bool, **options) -> None:
    """Import a data set from its files as published; without a NAME list what can be and what was imported.

    The next `kvgraph build` takes it in. A row that cannot be taken is reported with its line and set aside.
    """
    from .. import sources
    from ..output import err
    from ..releases import home as home_path
    from ..sources import importing

    home = home_path(home)
    if name is None:
        return _list(home, format_)
    source = sources.source(name)
    if remove:
        err.print(f"Removed {name}." if importing.remove(home, name) else f"{name} was not imported: nothing to remove.")
        return
    asked = importing.Options(**options)
    outcome = _imported(home, source, files, asked)
    _say(name, outcome, asked.dry_run)


def _imported(home: Path, source, files: tuple[Path, ...], options):
    from ..output import progress
    from ..sources import importing

    with progress() as bar:
        bar.step(f"import {source.name}")
        return importing.run(home, source, files, options, lambda rows: bar.count(rows, None))


def _list(home: Path, format_: str | None) -> None:
    from .. import sources
    from ..output import print_records
    from ..sources.imported import imports

    there = {name: found.report for name, found in imports(home).items()}
    rows = [
        {"name": name, "title": source.title, "files": source.files,
         **{column: there.get(name, {}).get(column, "") for column in ("version", "imported", "taken", "set_aside", "triples")}}
        for name, source in sources.SOURCES.items()
    ]  # fmt: skip
    print_records(rows, ["name", "title", "files", "version", "imported", "taken", "set_aside", "triples"], format_)


def _say(name: str, outcome, dry_run: bool) -> None:
    from rich.markup import escape

    from ..output import err

    report = outcome.report
    if not outcome.fresh:
        err.print(f"{name}: these files were imported on {report['imported']}; nothing to do.")
        return
    shown = report["problems"][:20]
    for problem in (*shown, *report["notes"][: 20 - len(shown)]):
        where = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
        err.print(escape(f"{where}: {problem['reason']}"), style="yellow")
    if (more := report["set_aside"] + report["left_out"] - 20) > 0:
        err.print(f"… and {more:,} more" + ("" if dry_run else f" (sources/imports/{name}/report.json)"), style="yellow")
    err.print(
        f"{'Would import' if dry_run else 'Imported'} {name} {report['version']}: {report['read']:,} rows read, {report['taken']:,} taken, "
        f"{report['set_aside']:,} set aside, {report['left_out']:,} values left out; {report['triples']:,} triples, {report['organisations']:,} organisations."
    )
    if not dry_run:
        err.print("Build a release with it: kvgraph build")
