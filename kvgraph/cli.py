"""The command line. A command parses, calls the function or method of the same name, and prints.

Exit status: 0 done; 1 something to mend (the message says what); 2 wrong usage; 3 nothing found; 130 interrupted.
"""

import sys
from datetime import datetime
from pathlib import Path

import click

from . import __version__
from .errors import KvgraphError

NOTHING_FOUND = 3

_HOME = click.option("--home", type=click.Path(path_type=Path), help="Where releases live. Default: $KVGRAPH_HOME, else ./var.")


class _Commands(click.Group):
    """Commands whose errors are messages, never stack traces."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except KvgraphError as error:
            from .output import fail

            fail(error.message, error.hint)
        except KeyboardInterrupt:
            click.echo("Interrupted. What was current still is.", err=True)
            raise click.exceptions.Exit(130) from None
        except BrokenPipeError:  # `kvgraph run … | head`
            sys.stderr.close()
            raise click.exceptions.Exit(0) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order a newcomer needs them

    def resolve_command(self, ctx: click.Context, args: list[str]):
        from difflib import get_close_matches

        if args and args[0] not in self.commands and (near := get_close_matches(args[0], self.commands, n=2)):
            ctx.fail(f"No such command {args[0]!r}. Did you mean: {', '.join(near)}?")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=__doc__.split("\n\n")[1])
@click.version_option(__version__, prog_name="kvgraph")
def main() -> None:
    """How Europe turns research results into solutions for society, as a knowledge graph."""


def _command(*, example: str):
    """A command with ``--home`` and an example at the end of its help."""
    return lambda f: main.command(epilog=f"\b\nExample:\n  {example}")(_HOME(f))


def _graph(home: Path | None):
    from .graph import open

    return open(home)


def _format_option(f):
    names = ("table", "csv", "tsv", "json", "turtle", "ttl", "ntriples", "nt", "jsonld", "rdfxml", "rdf")
    return click.option("--format", "-f", "format_", type=click.Choice(names), metavar="FORMAT",
        help="For rows: table, csv, tsv, json. For triples: turtle (ttl), ntriples (nt), jsonld, rdfxml (rdf). "
        "Default: table in a terminal, csv in a pipe; turtle for triples.")(f)  # fmt: skip


_DATA = click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of curated records. Default: the bundled ones.")


@_command(example="kvgraph build")
@_DATA
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
def build(home: Path | None, data: Path | None, force: bool) -> None:
    """Build a release from all sources and make it the current one."""
    from .build import build as build_release
    from .output import err, progress
    from .releases import home as home_path

    with progress() as bar:
        built = build_release(home_path(home), data=data, force=force, step=bar.step, progress=bar.count)
    counts = built.release.manifest["counts"]
    if built.fresh:
        from .model import TYPES

        kinds = [TYPES[name] for name in ("practice", "actor", "policy")]
        numbers = ", ".join(f"{counts[t.name]} {t.label if counts[t.name] == 1 else t.plural}" for t in kinds)
        err.print(f"Release {built.release.id} is current: {numbers}, {counts['triples']} triples ({built.seconds:.1f} s).")
    else:
        err.print(f"Nothing has changed since release {built.release.id} ({built.seconds:.2f} s).")


@_command(example="kvgraph serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--web-workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes that render pages.")
@click.option("--query-workers", default=3, show_default=True, type=click.IntRange(1, 64), help="Processes that answer queries; one is kept for pages.")
@click.option("--timeout", default=30.0, show_default=True, type=click.FloatRange(0.1, 3600), help="Seconds a query may take.")
@click.option("--memory", default=2048, show_default=True, type=click.IntRange(128), help="MB a query may use.")
def serve(home: Path | None, **options) -> None:
    """Serve the current release: explorer, SPARQL endpoint, linked data. Follows new releases while it runs."""
    from .output import err
    from .releases import home as home_path
    from .serve import Settings
    from .serve import serve as serve_release

    raise click.exceptions.Exit(serve_release(Settings(home_path(home), **options), say=lambda text: err.print(text)))


@_command(example="kvgraph validate --watch data/practices/demola.trig")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--watch", is_flag=True, help="Go on, and check a file again whenever it is saved. Ctrl-C ends it.")
@_DATA
@_format_option
def validate(home: Path | None, files: tuple[Path, ...], watch: bool, data: Path | None, format_: str | None) -> None:
    """Check all sources against the shapes, or only what FILES say (beside everything else that is known)."""
    from .releases import home as home_path

    if watch:
        _watch(home_path(home), files, data, format_)
    violations = _validate(home_path(home), files, data, format_)
    raise click.exceptions.Exit(1 if violations else 0)


def _watch(home: Path, files: tuple[Path, ...], data: Path | None, format_: str | None) -> None:
    from .build.read import MalformedSource, source_files
    from .build.validation import changed
    from .output import err

    watched = (lambda: files) if files else lambda: source_files(home, data).values()
    for number, news in enumerate(changed(watched)):
        if files or number:  # of everything there is, only what changes from now on
            try:
                _validate(home, news, data, format_)
            except MalformedSource as error:
                err.print(str(error), markup=False)
        err.print(f"{datetime.now():%H:%M:%S} Watching {len(tuple(watched()))} files; Ctrl-C ends it.", style="dim")


def _validate(home: Path, files: tuple[Path, ...], data: Path | None, format_: str | None) -> int:
    from .build.validation import check
    from .output import err, print_records

    results = check(home, files, data)
    print_records(results, ["severity", "file", "subject", "path", "message", "value"], format_)
    violations = sum(r["severity"] == "Violation" for r in results)
    err.print(f"{violations} must be mended, {len(results) - violations} could be better.")
    return violations


@_command(example="kvgraph query 'SELECT ?title { ?practice a kv:Practice ; dcterms:title ?title } LIMIT 5'")
@click.argument("text", required=False)
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="Read the query from a file (- is standard input).")
@_format_option
def query(home: Path | None, text: str | None, file, format_: str | None) -> None:
    """Answer a SPARQL query. The usual prefixes need not be declared here."""
    from .namespaces import prologue
    from .output import print_answer
    from .store import QuerySyntaxError

    if (text is None) == (file is None):
        raise click.UsageError("Give a query, or --file FILE.")
    try:
        answer = _graph(home).query(f"{prologue()}\n{file.read() if file else text}")
    except QuerySyntaxError as error:  # our line of prefixes is none of the reader's lines
        raise QuerySyntaxError(error.reason, error.line and error.line - 1, error.column, error.source, error.hint) from None
    print_answer(answer, format_)


@_command(example="kvgraph run practices-by-region region=nuts:ES51 --format csv")
@click.argument("name", required=False)
@click.argument("params", nargs=-1, metavar="[PARAM=VALUE]...")
@_format_option
def run(home: Path | None, name: str | None, params: tuple[str, ...], format_: str | None) -> None:
    """Answer a question of the gallery; without a NAME list them all."""
    from . import queries
    from .output import print_answer, print_records

    if name is None:
        rows = [{"name": n, "asks": (q := queries.load(n)).summary, "parameters": ", ".join(p.name for p in q.params)} for n in queries.names()]
        return print_records(rows, ["name", "asks", "parameters"], format_)
    question = queries.load(name)
    answer = _graph(home).run(name, **_assignments(params))
    print_answer(answer, format_, dict(question.columns))


def _assignments(params: tuple[str, ...]) -> dict[str, str]:
    pairs = [p.partition("=") for p in params]
    for key, equals, _ in pairs:
        if not equals:
            raise click.UsageError(f"{key!r} is no PARAM=VALUE, for example region=nuts:ES51.")
    return {key: value for key, _, value in pairs}


@_command(example="kvgraph quality")
@click.option("--links", is_flag=True, help="Instead ask every page that facts rest on whether it is still there. Takes minutes.")
@_format_option
def quality(home: Path | None, links: bool, format_: str | None) -> None:
    """How complete the records are: by kind, and criterion by criterion."""
    from . import queries
    from .output import err, print_answer

    graph = _graph(home)
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

    from .links import check
    from .output import err, print_records

    found = list(track(check(pages), "Pages", len(pages), console=err, transient=True, disable=not err.is_terminal))
    wrong = sorted((link for link in found if link.problem), key=lambda link: (not link.gone, link.page))
    print_records([{"page": link.page, "gone": link.gone, "problem": link.problem} for link in wrong], ["page", "gone", "problem"], format_)
    gone = sum(link.gone for link in wrong)
    err.print(f"{len(found)} pages asked: {gone} are gone, {len(wrong) - gone} did not show themselves to a program.")
    raise click.exceptions.Exit(1 if gone else 0)


@_command(example="kvgraph search 'living lab' --type practice --where country=Spain")
@click.argument("text", default="")
@click.option("--type", "types", multiple=True, help="Only this type of thing (may be repeated): practice, actor, policy …")
@click.option("--where", multiple=True, metavar="FACET=VALUE", help="Only what has this value (may be repeated; values of one facet are alternatives): "
    "country, region, channel, challenge, tool-kind, actor-kind, policy-type, principle, level, year, source-kind.")  # fmt: skip
@click.option("--order", default="relevance", show_default=True, type=click.Choice(("relevance", "newest", "title")))
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@_format_option
def search(home: Path | None, text: str, types: tuple[str, ...], where: tuple[str, ...], order: str, limit: int, format_: str | None) -> None:
    """Find practices, actors, policies, regions … by words, and narrow them down; without TEXT all of them."""
    from .output import print_records

    chosen: dict[str, list[str]] = {}
    for text_ in where:
        facet, equals, value = text_.partition("=")
        if not equals:
            raise click.UsageError(f"{text_!r} is no FACET=VALUE, for example country=ESP.")
        chosen.setdefault(facet, []).append(value)
    result = _graph(home).search(text, types=list(types) or None, limit=limit, where=chosen, order=order, snippets=False)
    rows = [{"type": h.type, "label": h.label, "iri": h.iri} for h in result.hits]
    print_records(rows, ["type", "label", "iri"], format_)
    if not rows:
        raise click.exceptions.Exit(NOTHING_FOUND)


@_command(example="kvgraph connect 'University of Ljubljana' 'KU Leuven'")
@click.argument("a")
@click.argument("b")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 100), help="How many paths.")
@_format_option
def connect(home: Path | None, a: str, b: str, k: int, format_: str | None) -> None:
    """How two things are connected: the best paths, hubs made expensive. A and B are IRIs, short ids or names."""
    from .output import print_paths

    graph = _graph(home)
    result = graph.connect(graph.identify(a), graph.identify(b), k=k)
    print_paths(result, format_)
    if not result.paths:
        raise click.exceptions.Exit(NOTHING_FOUND)


@_command(example="kvgraph describe practice/national-ip-protocol")
@click.argument("thing")
@_format_option
def describe(home: Path | None, thing: str, format_: str | None) -> None:
    """Everything known about a thing, each statement with its source. THING is an IRI, a short id or a name."""
    from .output import print_answer, print_description

    graph = _graph(home)
    iri = graph.identify(thing)
    if format_ in (None, "table", "json", "csv", "tsv"):
        print_description(graph.describe(iri), format_)
    else:
        print_answer(graph.run("pages/describe", iri=iri), format_)


@_command(example="kvgraph export --format turtle --output kvgraph.ttl")
@click.option("--format", "-f", "format_", default="nquads", show_default=True,
    type=click.Choice(["nquads", "trig", "turtle", "ntriples", "jsonld", "rdfxml"]), help="The first two keep who says what; the others hold the merge.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
def export(home: Path | None, format_: str, output: Path | None) -> None:
    """Write the whole current release in an RDF format."""
    from .export import export as export_release
    from .releases import current
    from .releases import home as home_path

    export_release(current(home_path(home)), format_, output)


@main.group(invoke_without_command=True, cls=_Commands, epilog="\b\nExample:\n  kvgraph releases switch 2026-11-22-1a2b3c4d")
@_HOME
@_format_option
@click.pass_context
def releases(ctx: click.Context, home: Path | None, format_: str | None) -> None:
    """List releases; switch, compare or prune them."""
    from . import releases as store
    from .output import print_records

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
    from . import releases as store

    click.echo(f"Release {store.switch(home, release).id} is current.", err=True)


@releases.command(epilog="\b\nExample:\n  kvgraph releases prune --keep 3")
@click.option("--keep", default=3, show_default=True, type=click.IntRange(1), help="How many of the newest to keep.")
@click.pass_obj
def prune(home: Path, keep: int) -> None:
    """Delete old releases; the current one always stays."""
    from . import releases as store

    gone = store.prune(home, keep)
    click.echo(f"Deleted: {', '.join(gone) or 'nothing'}.", err=True)


@releases.command(epilog="\b\nExample:\n  kvgraph releases diff 2026-11-21-0f0f0f0f 2026-11-22-1a2b3c4d")
@click.argument("old")
@click.argument("new")
@click.pass_obj
def diff(home: Path, old: str, new: str) -> None:
    """Show the triples that NEW adds (+) and no longer has (-)."""
    from . import releases as store

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
    from . import releases as store
    from .output import progress
    from .push import GraphStore
    from .push import push as push_release

    if bool(user) != bool(password_file):
        raise click.UsageError("--user and --password-file go together.")
    password = password_file.read().strip() if password_file else None
    release = store.find(home, release_id) if release_id else store.current(home)
    with progress() as bar:
        gone = push_release(release, GraphStore(url, user, password), prune=prune, step=bar.step, progress=bar.count)
    click.echo(f"Release {release.id} is current at {url}." + (f" Deleted there: {', '.join(gone)}." if gone else ""), err=True)


@_command(example="kvgraph doctor")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port you want to serve on.")
def doctor(home: Path | None, port: int) -> None:
    """Look for what is wrong with this installation and say how to mend it."""
    from .doctor import examine
    from .output import print_findings
    from .releases import home as home_path

    findings = examine(home_path(home), port)
    print_findings(findings)
    raise click.exceptions.Exit(1 if any(f.state == "wrong" for f in findings) else 0)
