"""Ask the current release, and take it with you."""

from pathlib import Path

import click

from ..errors import KvgraphError
from .root import NOTHING_FOUND, command, format_option, open_graph


@command(example="kvgraph query 'SELECT ?title { ?practice a kv:Practice ; dcterms:title ?title } LIMIT 5'")
@click.argument("text", required=False)
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="Read the query from a file (- is standard input).")
@format_option
def query(home: Path | None, text: str | None, file, format_: str | None) -> None:
    """Answer a SPARQL query. The usual prefixes need not be declared here."""
    from ..namespaces import prologue
    from ..output import print_answer
    from ..store import QuerySyntaxError

    if (text is None) == (file is None):
        raise click.UsageError("Give a query, or --file FILE.")
    try:
        answer = open_graph(home).query(f"{prologue()}\n{file.read() if file else text}")
    except UnicodeDecodeError as error:
        raise KvgraphError(f"{file.name} is not in UTF-8: byte {error.start + 1} is 0x{error.object[error.start]:02x}.", hint="Save the query as UTF-8.") from None
    except QuerySyntaxError as error:  # our line of prefixes is none of the reader's lines
        raise QuerySyntaxError(error.reason, error.line and error.line - 1, error.column, error.source, error.hint) from None
    print_answer(answer, format_)


@command(example="kvgraph run practices-by-region region=nuts:ES51 --format csv")
@click.argument("name", required=False)
@click.argument("params", nargs=-1, metavar="[PARAM=VALUE]...")
@format_option
def run(home: Path | None, name: str | None, params: tuple[str, ...], format_: str | None) -> None:
    """Answer a question of the gallery.

    Without a NAME: list the questions, with their parameters.
    """
    from .. import queries
    from ..output import print_answer, print_records

    if name is None:
        rows = [{"name": n, "asks": (q := queries.load(n)).summary, "parameters": ", ".join(p.name for p in q.params)} for n in queries.names()]
        return print_records(rows, ["name", "asks", "parameters"], format_)
    question = queries.load(name)
    answer = open_graph(home).run(name, **_assignments(params))
    print_answer(answer, format_, dict(question.columns))


def _assignments(params: tuple[str, ...]) -> dict[str, str]:
    pairs = [p.partition("=") for p in params]
    for key, equals, _ in pairs:
        if not equals:
            raise click.UsageError(f"{key!r} is no PARAM=VALUE, for example region=nuts:ES51.")
    if twice := [key for n, (key, *_) in enumerate(pairs) if key in {earlier for earlier, *_ in pairs[:n]}]:
        raise click.UsageError(f"{twice[0]!r} is said twice.")
    return {key: value for key, _, value in pairs}


@command(example="kvgraph search 'living lab' --type practice --where country=Spain")
@click.argument("text", default="")
@click.option("--type", "types", multiple=True, help="Only this type of thing (may be repeated): practice, actor, policy …")
@click.option("--where", multiple=True, metavar="FACET=VALUE", help="Only what has this value (may be repeated; values of one facet are alternatives): "
    "country, region, channel, challenge, tool-kind, actor-kind, policy-type, principle, level, year, source-kind.")  # fmt: skip
@click.option("--order", default="relevance", show_default=True, type=click.Choice(("relevance", "newest", "title")))
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@format_option
def search(home: Path | None, text: str, types: tuple[str, ...], where: tuple[str, ...], order: str, limit: int, format_: str | None) -> None:
    """Find things by words, and narrow them down.

    Practices, actors, policies, regions …; without TEXT all of them. Endings and typing errors are forgiven.
    """
    from ..output import err, print_records

    chosen: dict[str, list[str]] = {}
    for text_ in where:
        facet, equals, value = text_.partition("=")
        if not equals:
            raise click.UsageError(f"{text_!r} is no FACET=VALUE, for example country=ESP.")
        chosen.setdefault(facet, []).append(value)
    result = open_graph(home).search(text, types=list(types) or None, limit=limit, where=chosen, order=order, snippets=False)
    rows = [{"type": h.type, "label": h.label, "iri": h.iri} for h in result.hits]
    print_records(rows, ["type", "label", "iri"], format_)
    if not rows:
        err.print("Nothing found. Try fewer words, the beginning of a word, or leave out --where and --type.")
        raise click.exceptions.Exit(NOTHING_FOUND)


@command(example="kvgraph connect 'University of Ljubljana' 'KU Leuven'")
@click.argument("a")
@click.argument("b")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 100), help="How many paths.")
@format_option
def connect(home: Path | None, a: str, b: str, k: int, format_: str | None) -> None:
    """How two things are connected: the best paths first.

    A and B are IRIs, short ids or names. What few things share ranks above what many do; fewer points are better.
    """
    from ..output import print_paths

    graph = open_graph(home)
    result = graph.connect(graph.identify(a), graph.identify(b), k=k)
    print_paths(result, format_)
    if not result.paths:
        raise click.exceptions.Exit(NOTHING_FOUND)


@command(example="kvgraph describe practice/national-ip-protocol")
@click.argument("thing")
@format_option
def describe(home: Path | None, thing: str, format_: str | None) -> None:
    """Everything known about a thing, with sources.

    THING is an IRI, a short id (practice/national-ip-protocol) or a name.
    """
    from ..output import print_answer, print_description

    graph = open_graph(home)
    iri = graph.identify(thing)
    description = graph.describe(iri)  # says so where nothing is known
    if format_ in (None, "table", "json", "csv", "tsv"):
        print_description(description, format_)
    else:
        print_answer(graph.run("pages/describe", iri=iri), format_)


@command(example="kvgraph export --format turtle --output kvgraph.ttl")
@click.option("--format", "-f", "format_", default="nquads", show_default=True,
    type=click.Choice(["nquads", "trig", "turtle", "ntriples", "jsonld", "rdfxml"]), help="The first two keep who says what; the others hold the merge.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), help="Default: standard output, as with -.")
def export(home: Path | None, format_: str, output: Path | None) -> None:
    """Write the whole current release in an RDF format."""
    from ..export import export as export_release
    from ..releases import current
    from ..releases import home as home_path

    export_release(current(home_path(home)), format_, None if output == Path("-") else output)
