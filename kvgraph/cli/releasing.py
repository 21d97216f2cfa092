"""Build a release, serve it, keep and publish releases."""

from pathlib import Path

import click

from .root import DATA, HOME, Commands, command, format_option, main


@command(example="kvgraph build")
@DATA
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
@click.option("--quiet", is_flag=True, help="Say nothing but what went wrong.")
def build(home: Path | None, data: Path | None, force: bool, quiet: bool) -> None:
    """Build a release of all sources and make it the current one.

    Sources are the curated records, imports, links and accepted contributions. What breaks a must of the shapes is refused: then the current release stays.
    """
    from ..output import err, progress
    from ..releases import home as home_path

    folder = home_path(home)
    if (folder / "app.db").is_file():
        from ..contribute.publish import publish
    else:  # nobody has contributed, and nobody waits for the database library
        from ..build import build as publish
    if quiet:
        publish(folder, data=data, force=force)
        return
    with progress() as bar:
        built = publish(folder, data=data, force=force, step=bar.step, progress=bar.count)
    counts = built.release.manifest["counts"]
    if built.fresh:
        from ..model import TYPES

        kinds = [TYPES[name] for name in ("practice", "actor", "policy")]
        numbers = ", ".join(f"{counts[t.name]} {t.label if counts[t.name] == 1 else t.plural}" for t in kinds)
        err.print(f"Release {built.release.id} is current: {numbers}, {counts['triples']} triples ({built.seconds:.1f} s).")
    else:
        err.print(f"Nothing has changed since release {built.release.id} ({built.seconds:.2f} s).")


@command(example="kvgraph serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--web-workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes that render pages.")
@click.option("--query-workers", default=4, show_default=True, type=click.IntRange(1, 64), help="Processes that answer queries, each with a copy of the graph; one is kept for pages.")
@click.option("--timeout", default=30.0, show_default=True, type=click.FloatRange(0.1, 3600), help="Seconds a query may take.")
@click.option("--memory", default=2048, show_default=True, type=click.IntRange(128), help="MB a query may use.")
@DATA
def serve(home: Path | None, **options) -> None:
    """Serve the current release: pages, SPARQL, linked data.

    Follows new releases while it runs, and builds what curators accept into the next one. Ctrl-C stops it.
    """
    from ..output import err
    from ..releases import home as home_path
    from ..serve import Settings
    from ..serve import serve as serve_release

    raise click.exceptions.Exit(serve_release(Settings(home_path(home), **options), say=lambda text: err.print(text)))


@main.group(invoke_without_command=True, cls=Commands, epilog="\b\nExample:\n  kvgraph releases switch 2026-11-22-1a2b3c4d")
@HOME
@format_option
@click.pass_context
def releases(ctx: click.Context, home: Path | None, format_: str | None) -> None:
    """List releases; switch, compare, prune or publish them."""
    from .. import releases as store
    from ..output import print_records

    ctx.obj = store.home(home)
    if ctx.invoked_subcommand is None:
        found = store.list_releases(ctx.obj)
        serving = store.current(ctx.obj).id if found else None
        rows = [{"current": "current" if r.id == serving else "", "id": r.id, "built": r.manifest["built"],
                 "practices": r.manifest["counts"]["practice"], "triples": r.manifest["counts"]["triples"]} for r in found]  # fmt: skip
        print_records(rows, ["current", "id", "built", "practices", "triples"], format_)


@releases.command(epilog="\b\nExample:\n  kvgraph releases switch 2026-11-22-1a2b3c4d")
@click.argument("release")
@click.pass_obj
def switch(home: Path, release: str) -> None:
    """Make RELEASE the current one: a rollback, or a way forward again."""
    from .. import event_stream
    from .. import releases as store

    click.echo(f"Release {store.switch(home, release).id} is current.", err=True)
    event_stream.append(home)


@releases.command(epilog="\b\nExample:\n  kvgraph releases prune --keep 3")
@click.option("--keep", default=3, show_default=True, type=click.IntRange(1), help="How many of the newest to keep.")
@click.pass_obj
def prune(home: Path, keep: int) -> None:
    """Delete old releases; the current one always stays."""
    from .. import releases as store

    gone = store.prune(home, keep)
    click.echo(f"Deleted: {', '.join(gone) or 'nothing'}.", err=True)


@releases.command(epilog="\b\nExample:\n  kvgraph releases diff 2026-11-21-0f0f0f0f 2026-11-22-1a2b3c4d")
@click.argument("old")
@click.argument("new")
@click.pass_obj
def diff(home: Path, old: str, new: str) -> None:
    """Show the triples that NEW adds (+) and no longer has (-)."""
    from .. import releases as store

    found = store.diff(home, old, new)
    for sign, lines in (("-", found.removed), ("+", found.added)):
        for line in lines:
            click.echo(f"{sign} {line}")
    click.echo(f"{len(found.removed)} removed, {len(found.added)} added", err=True)


@releases.command(epilog="\b\nExample:\n  kvgraph releases push http://127.0.0.1:7878/store")
@click.argument("url")
@click.option("--release", "release_id", help="Default: the current one.")
@click.option("--user", help="Who may write there.")
@click.option("--password-file", type=click.File(), help="Holds that user's password (- is standard input).")
@click.option("--prune", is_flag=True, help="Then delete all other releases there but the one it replaces.")
@click.pass_obj
def push(home: Path, url: str, release_id: str | None, user: str | None, password_file, prune: bool) -> None:
    """Publish a release at URL, a SPARQL 1.1 graph store, and make it current there when it is complete."""
    from .. import releases as store
    from ..output import progress
    from ..push import GraphStore
    from ..push import push as push_release

    if bool(user) != bool(password_file):
        raise click.UsageError("--user and --password-file go together.")
    password = password_file.read().strip() if password_file else None
    release = store.find(home, release_id) if release_id else store.current(home)
    with progress() as bar:
        gone = push_release(release, GraphStore(url, user, password), prune=prune, step=bar.step, progress=bar.count)
    click.echo(f"Release {release.id} is current at {url}." + (f" Deleted there: {', '.join(gone)}." if gone else ""), err=True)
