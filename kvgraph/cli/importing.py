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
@click.option("--template", type=click.Path(path_type=Path), help="Write the template of your own table (.xlsx or .csv) and stop.")
@click.option("--publisher", help="Whose table it is; for your own table.")
@click.option("--licence", help="Address of the licence of your own table, such as https://creativecommons.org/licenses/by/4.0/.")
@click.option("--page", help="Web page that tells about your own table.")
@click.option("--title", help="Title of your own table.")
@format_option
def import_(
    home: Path | None, name: str | None, files: tuple[Path, ...], format_: str | None, remove: bool, template: Path | None,
    publisher: str | None, licence: str | None, page: str | None, title: str | None, **options,
) -> None:  # fmt: skip
    """Import a data set of others, or a table of your own.

    Without a NAME: list what can be and what was imported. Without a FILE the files are fetched from their publisher. The next `kvgraph build` takes them in. A row that cannot be taken is reported with
    its line and set aside. Your own practices: --template writes a table to fill in, `kvgraph import table FILE` takes it.
    """
    from .. import sources
    from ..output import err
    from ..releases import home as home_path
    from ..sources import importing

    home = home_path(home)
    if name is None and not template:
        return _list(home, format_)
    source = sources.source(name or "table")
    if template:
        sources.table.write_template(template)
        err.print(f"Wrote {template.name}. Fill it in, then: kvgraph import table {template.name} --publisher … --licence … --page …", markup=False)
        return
    if remove:
        err.print(f"Removed {name}." if importing.remove(home, name) else f"{name} was not imported: nothing to remove.")
        return
    if name == "table":
        source = _own(source, publisher, licence, page, title)
    asked = importing.Options(**options)
    outcome = _imported(home, source, files, asked)
    _say(name, outcome, asked.dry_run)


def _own(source, publisher: str | None, licence: str | None, page: str | None, title: str | None):
    """The table with what only its owner can say of it."""
    from dataclasses import replace

    from ..sources.record import BadRow, text, web_address

    if not publisher or not licence or not page:
        raise click.UsageError("Say whose table it is, under which licence, and where it is told about: --publisher NAME --licence URL --page URL")
    try:
        said = {"publisher": text(publisher, "publisher"), "licence": web_address(licence), "page": web_address(page)}
        return replace(source, **said, title=text(title or f"Practices of {publisher}", "title"))
    except BadRow as problem:
        raise click.UsageError(str(problem)) from None


def _imported(home: Path, source, files: tuple[Path, ...], options):
    from ..output import progress
    from ..sources import importing

    with progress() as bar:
        files = files or importing.fetched(home, source, bar.step, bar.count)
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
