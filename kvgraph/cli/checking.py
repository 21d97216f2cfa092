"""What is wrong with sources, records and this installation."""

from datetime import datetime
from pathlib import Path

import click

from .root import DATA, command, format_option, open_graph


@command(example="kvgraph validate --watch data/practices/demola.trig")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--watch", is_flag=True, help="Go on, and check a file again whenever it is saved. Ctrl-C ends it.")
@DATA
@format_option
def validate(home: Path | None, files: tuple[Path, ...], watch: bool, data: Path | None, format_: str | None) -> None:
    """Check records against the shapes, and say what to mend.

    All sources, or only what FILES say (beside everything else that is known). Exit status 1 if something must be mended.
    """
    from ..releases import home as home_path

    if watch:
        _watch(home_path(home), files, data, format_)
    violations = _validate(home_path(home), files, data, format_)
    raise click.exceptions.Exit(1 if violations else 0)


def _watch(home: Path, files: tuple[Path, ...], data: Path | None, format_: str | None) -> None:
    from ..build.read import MalformedSource, source_files
    from ..build.validation import changed
    from ..output import err

    watched = (lambda: files) if files else lambda: source_files(home, data).values()
    for number, news in enumerate(changed(watched)):
        if files or number:  # of everything there is, only what changes from now on
            try:
                _validate(home, news, data, format_)
            except MalformedSource as error:
                err.print(str(error), markup=False)
        err.print(f"{datetime.now():%H:%M:%S} Watching {len(tuple(watched()))} files; Ctrl-C ends it.", style="dim")


def _validate(home: Path, files: tuple[Path, ...], data: Path | None, format_: str | None) -> int:
    from ..build.validation import check
    from ..output import err, print_records

    results = check(home, files, data)
    print_records(results, ["severity", "file", "subject", "path", "message", "value"], format_)
    violations = sum(r["severity"] == "Violation" for r in results)
    err.print(f"{violations} must be mended, {len(results) - violations} could be better.")
    return violations


@command(example="kvgraph quality")
@click.option("--links", is_flag=True, help="Instead ask every page that facts rest on whether it is still there. Takes minutes.")
@format_option
def quality(home: Path | None, links: bool, format_: str | None) -> None:
    """How complete the records are, criterion by criterion."""
    from .. import queries
    from ..output import err, print_answer

    graph = open_graph(home)
    if links:
        return _check_links([row["page"] for row in graph.run("pages-cited", limit=100_000)], format_)
    for_people = format_ in (None, "table")
    for name in ("complete-records", "completeness") if for_people else ("completeness",):
        print_answer(graph.run(name), format_ or "table", dict(queries.load(name).columns))
    if for_people:
        err.print("What each record lacks: kvgraph run incomplete-records kind=practice", style="dim")


def _check_links(pages: list[str], format_: str | None) -> None:
    """Prints the pages that did not answer well. Exit status 1 if some are gone."""
    from rich.progress import track

    from ..links import check
    from ..output import err, print_records

    found = list(track(check(pages), "Pages", len(pages), console=err, transient=True, disable=not err.is_terminal))
    wrong = sorted((link for link in found if link.problem), key=lambda link: (not link.gone, link.page))
    print_records([{"page": link.page, "gone": link.gone, "problem": link.problem} for link in wrong], ["page", "gone", "problem"], format_)
    gone = sum(link.gone for link in wrong)
    err.print(f"{len(found)} pages asked: {gone} are gone, {len(wrong) - gone} did not show themselves to a program.")
    raise click.exceptions.Exit(1 if gone else 0)


@command(example="kvgraph doctor")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port you want to serve on.")
def doctor(home: Path | None, port: int) -> None:
    """Say what is wrong with this installation, and what to do.

    Looks at Python, packages, bundled files, the home, the current release (every checksum), the port, and the isolation of queries. Changes nothing.
    """
    from ..doctor import examine
    from ..output import print_findings
    from ..releases import home as home_path

    findings = examine(home_path(home), port)
    print_findings(findings)
    raise click.exceptions.Exit(1 if any(f.state == "wrong" for f in findings) else 0)
