"""What is kept about somebody: to take away, and to be forgotten."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from ..errors import KvgraphError
from .attempts import forget_attempts
from .book import Account, Book, Event, SignedIn, Submission, Token
from .files import LIVE
from .record import Record

FORGOTTEN = "forgotten:"  # what the form of a submission begins with whose account was deleted


def everything_of(book: Book, account: Account) -> dict:
    """All that is kept about somebody, but for the hash of their password: ``said`` is what they did and wrote, on what they submitted and on what others did."""
    with book.reading() as session:
        found = session.scalars(select(Submission).where(Submission.account_id == account.id).options(selectinload(Submission.events))).all()
        tokens = session.scalars(select(Token).where(Token.account_id == account.id)).all()
        sessions = session.scalars(select(SignedIn).where(SignedIn.account_id == account.id)).all()
        said = session.scalars(select(Event).where(Event.account_id == account.id).order_by(Event.id)).all()
    return {
        "account": {"name": account.name, "email": account.email, "role": account.role, "created": _when(account.created)},
        "sessions": [{"begun": _when(s.begun), "expires": _when(s.expires)} for s in sessions],
        "tokens": [{"name": t.name, "scopes": t.scopes, "created": _when(t.created), "expires": _when(t.expires), "used": _when(t.used)} for t in tokens],
        "submissions": [
            {
                "id": s.id, "kind": s.kind, "thing": s.thing, "title": s.title, "state": s.state, "created": _when(s.created), "submitted": _when(s.submitted),
                "content": s.content, "events": [_event(e) for e in s.events],
            }
            for s in found
        ],
        "said": [{"submission": e.submission_id, **_event(e)} for e in said],
    }  # fmt: skip


def _when(moment: datetime | None) -> str | None:
    return moment and f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _event(event: Event) -> dict:
    return {"at": _when(event.at), "role": event.role, "action": event.action, "text": event.text}


def forget(book: Book, account: Account, credit: bool) -> None:
    """Delete an account, what of its submissions is in no release, and the words of its comments; what a release has until the next one, with the
    next one, and all but its address at once. What was accepted stays, under its licence; with
    ``credit`` still under the name that was chosen. What was decided as a curator stays, as nobody's in particular. Nothing of the rest is left in the files."""
    with book.writing() as session:
        for submission in session.scalars(select(Submission).where(Submission.account_id == account.id)):
            _let_go(session, submission, credit)
        for event in session.scalars(select(Event).where(Event.account_id == account.id, Event.action == "commented")):
            event.text = ""
        session.flush()
        forget_attempts(session, book, account)
        session.execute(delete(Account).where(Account.id == account.id))
    with suppress(KvgraphError):  # it is done, whether or not the file can be tidied at once
        book.wipe()


def _let_go(session: Session, submission: Submission, credit: bool) -> None:
    live = submission.state in LIVE and submission.kind != "report"
    if not live and not submission.stale:
        session.delete(submission)
        return
    submission.form = f"{FORGOTTEN}{submission.id}"  # it began with the number of the account, which another one may get
    content = submission.content
    if live and not credit and (content.get("credit") or content.get("credit_actor")):
        submission.content, submission.stale = {**content, "credit": "", "credit_actor": ""}, True
    elif not live:  # the next release has to be told that it is gone
        submission.state, submission.title = "undone", submission.id
        submission.content = Record(submission.type, thing=submission.thing).content()
