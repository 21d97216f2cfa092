"""Say which thing of ours is which elsewhere."""

from pathlib import Path

import click

from .root import HOME, NOTHING_FOUND, Commands, format_option, main, open_graph


class Links(Commands):
    """`kvgraph link ror` is `kvgraph link run ror`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if args and args[0] in (*self.commands, "-h", "--help") else ["run", *args])


@main.group(cls=Links, epilog="\b\nExample:\n  kvgraph link ror wikidata")
def link() -> None:
    """Link our records to imported data sets, and say why.

    `kvgraph link [SOURCE]...` links actors, regions, policies and topics to the imports named, by default to all of them; its options: kvgraph link run --help
    """


def _engine_options(f):
    f = click.option("--master", metavar="URL", help="Where Spark runs: local[2], spark://host:7077 … Default: local[*].")(f)
    return click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True, help="What compares: spark for data beyond one machine.")(f)


@link.command(epilog="\b\nExample:\n  kvgraph link run ror wikidata")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@_engine_options
@click.option("--dry-run", is_flag=True, help="Say what would be linked, but write nothing.")
@format_option
@HOME
def run(home: Path | None, sources: tuple[str, ...], engine: str, master: str | None, dry_run: bool, format_: str | None) -> None:
    """Link to the imports named, by default to all; the next `kvgraph build` takes the links in.

    A link is accepted, or left for a person to review, or dropped. Decisions in data/links/*.tsv always win.
    """
    from ..link import engines
    from ..link import run as linking
    from ..output import err, print_records, progress
    from ..releases import home as home_path

    home = home_path(home)
    tables = linking.sources(home, sources)
    decisions = _decisions()
    graph = open_graph(home)
    with progress() as bar:
        bar.step("read our actors")
        ours = linking.of_rows(graph.run("pages/actors-to-link"))
        concepts = [] if sources else list(graph.run("pages/links-of-concepts"))  # not of a single source
        with engines.engine(engine, master) as made:
            linked = linking.link(ours, tables, made, concepts, decisions, bar.step)
    print_records(linked.counts(), ["source", "accepted", "review", "rejected", "conflicts"], format_)
    for conflict in linked.conflicts[:20]:
        err.print(f"{conflict.link.subject_label} – {conflict.link.object_label} <{conflict.link.object_id}>: {conflict.message}", style="yellow", markup=False)
    if more := linked.conflicts[20:]:
        err.print(f"… and {len(more)} more conflicts", style="yellow")
    if not dry_run:
        linking.write(home, linked)
        err.print("Wrote sources/links/links.sssom.tsv and links.trig. Take them into a release: kvgraph build")


def _decisions():
    """What people have decided, in the bundled data."""
    from ..link.mappings import reviewed
    from ..resources import folder

    return reviewed(sorted((folder("data") / "links").glob("*.tsv")))


@link.command(epilog='\b\nExample:\n  kvgraph link explain "Aalto University" https://ror.org/020hwjq30')
@click.argument("ours", metavar="A")
@click.argument("theirs", metavar="B")
@HOME
def explain(home: Path | None, ours: str, theirs: str) -> None:
    """Show why A, of ours, is or is not B: what speaks for it and against it.

    A is a name or address of an actor here, B the address of an organisation in an import; both as the last `kvgraph import` and `kvgraph build` left them.
    """
    from ..link import explanation
    from ..link import run as linking
    from ..output import err
    from ..releases import home as home_path

    home = home_path(home)
    graph = open_graph(home)
    known = linking.of_rows(graph.run("pages/actors-to-link"))
    asked = explanation.find(known, ours)
    if asked is None:
        err.print(f"No actor here is called {ours!r}. Search for it: kvgraph search {ours!r}", markup=False)
        raise click.exceptions.Exit(NOTHING_FOUND)
    found = explanation.explain(asked, known, linking.sources(home), theirs, _decisions())
    if found is None:
        err.print(f"No organisation <{theirs}> was imported. See what was: kvgraph import", markup=False)
        raise click.exceptions.Exit(NOTHING_FOUND)
    click.echo(explanation.text(found))


@link.command(epilog="\b\nExample:\n  kvgraph link table partners.csv ror --output partners.sssom.tsv")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("source")
@_engine_options
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where to write the SSSOM table. Default: standard output.")
@HOME
def table(home: Path | None, file: Path, source: str, engine: str, master: str | None, output: Path | None) -> None:
    """Link the organisations of a table of your own, CSV or XLSX, to an import.

    The table has a column "name"; "country" (code), "place", "homepage" and "id" help. skos:exactMatch is accepted, skos:closeMatch is for you to look at.
    """
    from ..link import engines, reading
    from ..link import run as linking
    from ..link.mappings import table as sssom
    from ..output import err, progress
    from ..releases import home as home_path

    home = home_path(home)
    path = linking.sources(home, [source])[source]
    with progress() as bar:
        bar.step("read")
        asked, known = reading.of_table(file), list(reading.of_import(path))
        bar.step(f"link to {source}")
        with engines.engine(engine, master) as made:
            links = linking.match(asked, known, source, made)
    text = sssom(links, f"Links of {file.name}", linking.today(), own=True)
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)
    accepted = len({found.subject_id for found in links if found.accepted})
    review = len({found.subject_id for found in links} - {found.subject_id for found in links if found.accepted})
    err.print(f"{len(asked):,} names: {accepted:,} accepted, {review:,} to review, {len(asked) - accepted - review:,} not found.")
