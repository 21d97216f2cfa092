"""Accounts and submissions, for whoever runs an instance."""

from pathlib import Path

import click

from ..errors import KvgraphError
from .root import HOME, Commands, format_option, main


def _book(home: Path | None):
    from ..contribute.book import book
    from ..releases import home as home_path

    return book(home_path(home))


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@main.group(invoke_without_command=True, cls=Commands, epilog="\b\nExample:\n  kvgraph users add maria --role curator")
@HOME
@format_option
@click.pass_context
def users(ctx: click.Context, home: Path | None, format_: str | None) -> None:
    """List accounts; add one, change it, or shut it out."""
    from sqlalchemy import select

    from ..contribute.book import Account
    from ..output import print_records

    ctx.obj = _book(home)
    if ctx.invoked_subcommand is None:
        with ctx.obj.reading() as session:
            found = session.scalars(select(Account).order_by(Account.name)).all()
        rows = [{"name": a.name, "role": a.role, "state": "disabled" if a.disabled else "active", "created": f"{a.created:%Y-%m-%d}"} for a in found]
        print_records(rows, ["name", "role", "state", "created"], format_)


ROLE = click.option("--role", default="contributor", show_default=True, type=click.Choice(("contributor", "curator", "administrator")))
PASSWORD = click.option("--password-file", type=click.File(), help="Holds the password (- is standard input). Default: one is made up and shown once.")


def _password(file) -> tuple[str, bool]:
    """The password of a file, or one made up; and which of the two."""
    from ..contribute.secrets import new_secret

    if file is None:
        return new_secret()[:20], True
    try:
        return file.read().strip("\r\n"), False
    except UnicodeDecodeError:
        raise KvgraphError("The password is not UTF-8.", hint="Save the file as UTF-8.") from None


@users.command(epilog="\b\nExample:\n  kvgraph users add maria --role curator")
@click.argument("name")
@ROLE
@click.option("--email", default="", help="Where to write when something happens to a submission, if this instance sends mail.")
@PASSWORD
@click.pass_obj
def add(book, name: str, role: str, email: str, password_file) -> None:
    """Make an account for NAME."""
    from ..contribute.accounts import sign_up

    password, made_up = _password(password_file)
    sign_up(book, name, password, role, email)
    click.echo(f"{name} can sign in as {role}.", err=True)
    if made_up:
        click.echo(password)


@users.command(epilog="\b\nExample:\n  kvgraph users role maria curator")
@click.argument("name")
@click.argument("role", type=click.Choice(("contributor", "curator", "administrator")))
@click.pass_obj
def role(book, name: str, role: str) -> None:
    """Give NAME a ROLE; it has to sign in again."""
    from ..contribute.accounts import account_named, set_role

    set_role(book, account_named(book, name), role)
    click.echo(f"{name} is {role}.", err=True)


@users.command(epilog="\b\nExample:\n  kvgraph users reset maria")
@click.argument("name")
@PASSWORD
@click.pass_obj
def reset(book, name: str, password_file) -> None:
    """Set a new password for NAME; all its sessions and tokens end."""
    from ..contribute.accounts import account_named, change_password

    password, made_up = _password(password_file)
    change_password(book, account_named(book, name), password)
    click.echo(f"{name} has a new password.", err=True)
    if made_up:
        click.echo(password)


@users.command(epilog="\b\nExample:\n  kvgraph users disable maria")
@click.argument("name")
@click.option("--enable", is_flag=True, help="Let it in again instead.")
@click.pass_obj
def disable(book, name: str, enable: bool) -> None:
    """Shut NAME out; what it contributed stays."""
    from ..contribute.accounts import account_named
    from ..contribute.accounts import disable as shut_out

    shut_out(book, account_named(book, name), not enable)
    click.echo(f"{name} is {'let in again' if enable else 'shut out'}.", err=True)


# ── Submissions ──────────────────────────────────────────────────────────────────────────────────────────────────────

STATES = ("draft", "submitted", "changes-requested", "accepted", "published", "rejected", "undone")


@main.group(invoke_without_command=True, cls=Commands, epilog="\b\nExample:\n  kvgraph submissions accept 20261128-ef8ffef644")
@HOME
@click.option("--state", multiple=True, type=click.Choice(STATES[1:]), help="Only those in this state (may be repeated). Default: all but drafts.")
@format_option
@click.pass_context
def submissions(ctx: click.Context, home: Path | None, state: tuple[str, ...], format_: str | None) -> None:
    """List submissions; show, accept, reject or undo one.

    A running server publishes what is accepted, else kvgraph build does.
    """
    from ..contribute.submissions import queue
    from ..output import print_records

    ctx.obj = _book(home)
    if ctx.invoked_subcommand is None:
        found = queue(ctx.obj, state or STATES[1:], limit=1000)
        rows = [{"id": s.id, "state": s.state, "kind": s.kind, "title": s.title, "sent": f"{s.submitted or s.created:%Y-%m-%d %H:%M}"} for s in found]
        print_records(rows, ["id", "state", "kind", "title", "sent"], format_)


@submissions.command(epilog="\b\nExample:\n  kvgraph submissions show 20261128-ef8ffef644")
@click.argument("submission")
@click.pass_obj
def show(book, submission: str) -> None:
    """Print what SUBMISSION says, as it would be published, and what happened to it."""
    from ..contribute.files import proposed
    from ..contribute.submissions import load

    found = load(book, submission)
    try:
        click.echo(proposed(book, found))
    except ValueError as error:  # a draft may hold what is no RDF
        click.echo(f"# No file can be made of it as it is: {error}")
    for event in found.events:
        click.echo(f"# {event.at:%Y-%m-%d %H:%M} {event.action} by a {event.role}" + (f": {event.text}" if event.text else ""))


@submissions.command(epilog="\b\nExample:\n  kvgraph submissions accept 20261128-ef8ffef644")
@click.argument("submission")
@click.option("--text", default="", help="What to say with it.")
@click.pass_obj
def accept(book, submission: str, text: str) -> None:
    """Accept SUBMISSION: the next release has it."""
    from ..contribute.accounts import operator
    from ..contribute.decisions import accept as decide
    from ..contribute.submissions import load
    from ..graph import open as open_graph
    from ..releases import NoRelease

    found = load(book, submission)
    try:
        graph = open_graph(book.home)
    except NoRelease:
        graph = None
    found = decide(book, operator(), submission, found.version, text, graph)
    click.echo(f"{submission} is {found.state}.", err=True)


@submissions.command(epilog="\b\nExample:\n  kvgraph submissions reject 20261128-ef8ffef644 'No page says so.'")
@click.argument("submission")
@click.argument("reason")
@click.pass_obj
def reject(book, submission: str, reason: str) -> None:
    """Reject SUBMISSION for REASON, which its contributor reads."""
    from ..contribute.accounts import operator
    from ..contribute.submissions import load
    from ..contribute.decisions import reject as decide

    decide(book, operator(), submission, load(book, submission).version, reason)
    click.echo(f"{submission} is rejected.", err=True)


@submissions.command(epilog="\b\nExample:\n  kvgraph submissions undo 20261128-ef8ffef644 'It never took place.'")
@click.argument("submission")
@click.argument("reason")
@click.pass_obj
def undo(book, submission: str, reason: str) -> None:
    """Take back SUBMISSION, which was accepted, for REASON: the next release does not have it."""
    from ..contribute.accounts import operator
    from ..contribute.submissions import load
    from ..contribute.decisions import undo as decide

    decide(book, operator(), submission, load(book, submission).version, reason)
    click.echo(f"{submission} is undone.", err=True)
