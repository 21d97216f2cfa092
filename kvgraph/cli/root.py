"""The command group, and what its commands share.

Exit status: 0 done; 1 something to mend (the message says what); 2 wrong usage; 3 nothing found; 130 interrupted.

Guides: web/docs in a checkout, /docs of a running server.
"""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from .. import __version__
from ..errors import KvgraphError

NOTHING_FOUND = 3

# In the order a newcomer needs them.
ORDER = (
    "build", "serve", "validate", "query", "run", "quality", "search", "connect", "describe", "reconcile", "export", "import", "link", "releases",
    "submissions", "users", "doctor",
)  # fmt: skip

HOME = click.option("--home", type=click.Path(path_type=Path), help="Where everything is kept. Default: $KVGRAPH_HOME, else ./var.")
DATA = click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of curated records. Default: the bundled ones.")


class Commands(click.Group):
    """Commands whose errors are messages, never stack traces."""

    def invoke(self, ctx: click.Context):
        try:
            try:
                return super().invoke(ctx)
            finally:
                if sys.stdout:  # which somebody may have closed
                    sys.stdout.flush()  # a full disk is noticed here, or never
        except KvgraphError as error:
            from ..output import fail

            fail(error.message, error.hint)
        except KeyboardInterrupt:
            click.echo("Interrupted. What was current still is.", err=True)
            raise click.exceptions.Exit(130) from None
        except BrokenPipeError:  # `kvgraph run … | head`
            _give_up_output()
            raise click.exceptions.Exit(0) from None
        except UnicodeEncodeError as error:
            from ..output import fail

            fail(f"{ascii(error.object)[:80]} is no text.", "Its bytes are not UTF-8.")
        except OSError as error:  # a folder that may not be written to, a disk that is full
            from ..output import fail

            _give_up_output()
            where = f"{error.filename}: " if error.filename else ""
            of_disk = error.filename or error.errno == errno.ENOSPC  # a network has errors of this kind too
            fail(f"{where}{error.strerror or error}.", "Is the place there, is it yours to write to, and is there room on the disk?" if of_disk else None)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.commands, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def resolve_command(self, ctx: click.Context, args: list[str]):
        from difflib import get_close_matches

        if args and args[0] not in self.commands and (near := get_close_matches(args[0], self.commands, n=2)):
            ctx.fail(f"No such command {args[0]!r}. Did you mean: {', '.join(near)}?")
        return super().resolve_command(ctx, args)


def _give_up_output() -> None:
    """What is still to be printed goes nowhere: nobody reads it, and Python would try once more when it ends."""
    if not sys.stdout:
        return
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog="\n\n".join(__doc__.strip().split("\n\n")[1:]))
@click.version_option(__version__, prog_name="kvgraph")
def main() -> None:
    """How Europe turns research results into solutions for society, as a knowledge graph."""


def command(*, example: str, name: str | None = None):
    """A command with ``--home`` and an example at the end of its help; ``name`` where its function cannot be called so."""
    return lambda f: main.command(name, epilog=f"\b\nExample:\n  {example}")(HOME(f))


def open_graph(home: Path | None):
    from ..graph import open

    return open(home)


def format_option(f):
    names = ("table", "csv", "tsv", "json", "turtle", "ttl", "ntriples", "nt", "jsonld", "rdfxml", "rdf")
    return click.option("--format", "-f", "format_", type=click.Choice(names), metavar="FORMAT",
        help="For rows: table, csv, tsv, json. For triples: turtle (ttl), ntriples (nt), jsonld, rdfxml (rdf). "
        "Default: table in a terminal, csv in a pipe; turtle for triples.")(f)  # fmt: skip
