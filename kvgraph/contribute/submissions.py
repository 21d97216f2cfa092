"""The way of a submission, from draft to published, and what was said on it.

    draft ─► submitted ─► accepted ─► published ─► undone
                │  ▲          ▲
                ▼  │          │ (a second curator, where that is the rule)
      changes-requested    approved once
                └─► rejected

What a contributor does is here; what curators decide, and what comes of it, is in :mod:`~kvgraph.contribute.decisions`.
"""

import secrets
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from ..errors import KvgraphError
from .accounts import may, spend
from .book import Account, Book, Event, Submission, now
from .record import Record, plain, require_address, slug, thing_of

STATES = ("draft", "submitted", "changes-requested", "accepted", "published", "rejected", "undone")
OPEN = ("draft", "changes-requested")  # the contributor is at work on it
WAITING = ("submitted",)  # for a curator
DRAFTS = 100  # of one account
UNREVIEWED, REPORTS = 1000, 50  # reports without an account that may wait at once, and those of one account
LONGEST_COMMENT = 4000


class SentBefore(KvgraphError):
    """Changed by its contributor after it was sent."""

    status = 409

    def __init__(self, state: str):
        super().__init__(
            f"This was sent before you changed it: it is {STATE_WORDS.get(state, state)} now, and your change is not in it.",
            hint="Go back to copy what you wrote. It can be changed when a curator asks for that, and corrected once it is published.",
        )


class UnknownSubmission(KvgraphError):
    """There is no such submission, or none that this account may see."""

    status = 404

    def __init__(self):
        super().__init__("There is no such submission.", hint="Your submissions are on your page: /account")


STATE_WORDS = {
    "draft": "a draft", "submitted": "waiting for review", "changes-requested": "waiting for changes", "accepted": "accepted",
    "published": "published", "rejected": "rejected", "undone": "undone",
}  # fmt: skip


# ── Finding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def find(book: Book, submission_id: str, account: Account | None) -> Submission:
    """A submission with its events, for its contributor and for curators, who do not see drafts. Raises :class:`UnknownSubmission`."""
    found = load(book, submission_id)
    if account is None or not (found.account_id == account.id or may(account, "curator") and found.state != "draft"):
        raise UnknownSubmission()
    return found


def load(book: Book, submission_id: str) -> Submission:
    """A submission with its events, for an operator. Raises :class:`UnknownSubmission`."""
    with book.reading() as session:
        found = session.get(Submission, submission_id, options=[selectinload(Submission.events)])
    if found is None:
        raise UnknownSubmission()
    return found


def of_account(book: Book, account: Account) -> list[Submission]:
    """All of somebody's, the newest first."""
    with book.reading() as session:
        return list(session.scalars(select(Submission).where(Submission.account_id == account.id).order_by(Submission.changed.desc()).limit(500)))


def queue(book: Book, states: Iterable[str] = WAITING, limit: int = 200, start: int = 0, newest: bool = False) -> list[Submission]:
    """Those in these states from the ``start``-th on, the oldest first, or the ``newest``."""
    order = (Submission.changed.desc(), Submission.id.desc()) if newest else (Submission.submitted, Submission.id)
    with book.reading() as session:
        found = select(Submission).where(Submission.state.in_(tuple(states))).order_by(*order).offset(start)
        return list(session.scalars(found.options(selectinload(Submission.events)).limit(limit)))


def counts(book: Book) -> dict[str, int]:
    """How many are in each state."""
    with book.reading() as session:
        return {state: number for state, number in session.execute(select(Submission.state, func.count()).group_by(Submission.state))}


# ── A contributor ────────────────────────────────────────────────────────────────────────────────────────────────────


def begin(book: Book, account: Account | None, form: str, kind: str, record: Record) -> Submission:
    """A new draft. From the same form there is only ever one: sent again, it is the one there is.

    Raises :class:`~kvgraph.errors.KvgraphError` if there can be no file of what it is about.
    """
    if kind != "report":
        require_address(record)
    with book.reading() as session:
        if found := session.scalar(select(Submission).where(Submission.form == form)):
            return _own(found, account)
        if account and session.scalar(select(func.count()).select_from(Submission).where(Submission.account_id == account.id, Submission.state.in_(OPEN))) >= DRAFTS:
            raise KvgraphError(f"You have {DRAFTS} drafts.", hint="Submit some of them, or delete those you no longer want.")
    submission = Submission(
        id=_new_id(), account_id=account.id if account else None, form=form, kind=kind, type=record.type, thing=record.thing,
        title=record.title[:400], content=record.content(),
    )  # fmt: skip
    try:
        with book.writing() as session:
            session.add(submission)
            session.flush()
            noted(session, submission, account, "begun")
    except IntegrityError:  # the same form, sent twice at once
        with book.reading() as session:
            return _own(session.scalars(select(Submission).where(Submission.form == form)).one(), account)
    return find(book, submission.id, account) if account else submission


def _own(submission: Submission, account: Account | None) -> Submission:
    if submission.account_id != (account.id if account else None):
        raise UnknownSubmission()
    return submission


def save(book: Book, account: Account, submission_id: str, record: Record) -> Submission:
    """Keep what a contributor has written so far."""
    with book.writing() as session:
        submission = _mine(session, submission_id, account, OPEN)
        _keep(submission, record)
    return submission


def submit(book: Book, account: Account, submission_id: str, record: Record | None = None) -> Submission:
    """Send a draft to the curators. Sent again while it waits, nothing happens."""
    with book.writing() as session:
        submission = _mine(session, submission_id, account, (*OPEN, *WAITING))
        if submission.state in WAITING:
            return submission
    spend(book, "submit-account", str(account.id))
    with book.writing() as session:
        submission = _mine(session, submission_id, account, (*OPEN, *WAITING))
        if submission.state in OPEN:
            if record is not None:
                _keep(submission, record)
            submission.state, submission.submitted, submission.changed = "submitted", now(), now()
            noted(session, submission, account, "submitted")
    return submission


def report(book: Book, form: str, record: Record, account: Account | None) -> Submission:
    """What somebody says is wrong, in words, straight into the queue."""
    _require_few_reports(book, account)
    submission = begin(book, account, form, "report", record)
    with book.writing() as session:
        found = _there(session, submission.id)
        if found.state == "draft":
            found.state, found.submitted = "submitted", now()
            noted(session, found, account, "submitted")
    return found


def _require_few_reports(book: Book, account: Account | None) -> None:
    """Whoever floods the queue shuts nobody out but those like them: what others have sent does not count."""
    who = account.id if account else None
    with book.reading() as session:
        waiting = session.scalar(select(func.count()).select_from(Submission).where(Submission.account_id.is_(who), Submission.kind == "report", Submission.state.in_(WAITING)))
    if account is None and waiting >= UNREVIEWED:
        raise KvgraphError("More reports are waiting than the curators can read.", hint="Sign in to send yours, or try again in a few days.")
    if account is not None and waiting >= REPORTS:
        raise KvgraphError(f"{waiting} reports of yours are waiting for the curators.", hint="Send more when some have been dealt with, or take back what matters least.")


def discard(book: Book, account: Account, submission_id: str) -> None:
    """Delete a draft, or take back what no curator has decided on yet."""
    with book.writing() as session:
        session.delete(_mine(session, submission_id, account, (*OPEN, *WAITING)))


def comment(book: Book, account: Account, submission_id: str, text: str) -> None:
    """Say something about a submission, as its contributor or a curator."""
    find(book, submission_id, account)
    if not may(account, "curator"):
        spend(book, "comment-account", str(account.id))
    with book.writing() as session:
        noted(session, _there(session, submission_id), account, "commented", words(text))


def _there(session: Session, submission_id: str) -> Submission:
    """One that was there a moment ago."""
    submission = session.get(Submission, submission_id)
    if submission is None:
        raise UnknownSubmission()
    return submission


def _mine(session: Session, submission_id: str, account: Account, states: Iterable[str]) -> Submission:
    submission = session.get(Submission, submission_id)
    if submission is None or submission.account_id != account.id:
        raise UnknownSubmission()
    if submission.state not in states:
        raise KvgraphError(f"This is {STATE_WORDS[submission.state]}, and can no longer be changed.", hint="Contribute a correction instead.")
    return submission


def _keep(submission: Submission, record: Record) -> None:
    require_address(record)
    submission.content, submission.thing, submission.changed = record.content(), record.thing, now()
    submission.title = record.title[:400] or submission.title


def new_thing(type_: str, title: str, known) -> str:
    """An IRI for something new: its title as an address, with a number if ``known`` says that there is such a thing."""
    name = slug(title) or "untitled"
    number, free = 1, thing_of(type_, name)
    while known(free):
        number += 1
        free = thing_of(type_, f"{name}-{number}")
    return free


# ── Events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def noted(session: Session, submission: Submission, account: Account | None, action: str, text: str = "", role: str = "") -> None:
    """Record what was done with a submission, and by whom."""
    role = role or (account.role if account and action not in ("begun", "submitted") else "contributor" if account else "visitor")
    session.add(Event(submission_id=submission.id, account_id=account.id if account else None, role=role, action=action, text=plain(text).strip()[:LONGEST_COMMENT]))


def words(text: str) -> str:
    """What somebody says. Raises :class:`~kvgraph.errors.KvgraphError` if it is nothing."""
    if not text.strip():
        raise KvgraphError("Say why, in a sentence: the contributor reads it.")
    return text


def _new_id() -> str:
    return f"{now():%Y%m%d}-{secrets.token_hex(5)}"
