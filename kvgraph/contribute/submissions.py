"""The way of a submission, from draft to published, and what was said on it.

    draft ─► submitted ─► accepted ─► published ─► undone
                │  ▲          ▲
                ▼  │          │ (a second curator, where that is the rule)
      changes-requested    approved once
                └─► rejected

What a contributor does is here; what curators decide, and what comes of it, is in :mod:`~kvgraph.contribute.decisions`.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from ..errors import KvgraphError
from .accounts import may
from .attempts import spend
from .book import Account, Book, Event, Submission, now
from .record import Record, plain, require_address, slug, thing_of
from .secrets import digest

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


class WrittenElsewhere(KvgraphError):
    """A draft was changed in another form since this one was opened."""

    status = 409

    def __init__(self):
        super().__init__("This draft was changed in another tab or on another device since you opened this form.", hint="Look at what is kept, then send this once more.")


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
    with book.writing() as session:
        if found := session.scalar(select(Submission).where(Submission.form == form)):
            return _own(found, account)
        _require_room(session, account, 1)
        submission = _new(session, account, form, kind, record)
    return find(book, submission.id, account) if account else submission


def begin_all(book: Book, account: Account, form: str, records: list[Record], send: bool = False) -> list[Submission]:
    """A draft of each record, or with ``send`` what goes to the curators at once: all of them, or none. Sent again, they are those there are.

    Raises :class:`~kvgraph.errors.KvgraphError` if there can be no file of one, or if they are more than an account may have or send.
    """
    for record in records:
        require_address(record)
    if found := made_of(book, account, form):
        return found
    if send:
        spend(book, "submit-account", str(account.id), len(records))
    with book.writing() as session:
        if not (made := _made_of(session, account, form)):
            if not send:
                _require_room(session, account, len(records))
            made = [_new(session, account, f"{form}:{number}", "record", record) for number, record in enumerate(records)]
            for submission in made if send else ():
                _send(session, submission, account)
    return made


def made_of(book: Book, account: Account, form: str) -> list[Submission]:
    """What was made of a form that has several records, or whose name begins so: in their order."""
    with book.reading() as session:
        return _made_of(session, account, form)


def _made_of(session: Session, account: Account, form: str) -> list[Submission]:
    found = session.scalars(select(Submission).where(Submission.form > f"{form}:", Submission.form < f"{form};"))  # begins with form:, by the index
    return [_own(s, account) for s in sorted(found, key=lambda s: (len(s.form), s.form))]  # numbers in their order


def _require_room(session: Session, account: Account | None, number: int) -> None:
    if account is None:
        return
    there = session.scalar(select(func.count()).select_from(Submission).where(Submission.account_id == account.id, Submission.state.in_(OPEN)))
    if there + number > DRAFTS:
        room = f"You have {there} drafts." if number == 1 else f"These are {number} records, and you have {there} drafts: {DRAFTS} drafts are the most."
        raise KvgraphError(room, hint="Submit some of them, or delete those you no longer want.")


def _new(session: Session, account: Account | None, form: str, kind: str, record: Record) -> Submission:
    submission = Submission(
        id=_new_id(), account_id=account.id if account else None, form=form, kind=kind, type=record.type, thing=record.thing,
        title=record.title[:400], content=record.content(),
    )  # fmt: skip
    session.add(submission)
    session.flush()
    noted(session, submission, account, "begun")
    return submission


def _send(session: Session, submission: Submission, account: Account | None) -> None:
    submission.state, submission.submitted, submission.changed = "submitted", now(), now()
    noted(session, submission, account, "submitted")


def _own(submission: Submission, account: Account | None) -> Submission:
    if submission.account_id != (account.id if account else None):
        raise UnknownSubmission()
    return submission


def save(book: Book, account: Account, submission_id: str, record: Record) -> Submission:
    """Keep what a contributor has written so far.

    Raises :class:`WrittenElsewhere` if that would erase what was written in another form since this one was opened, and :class:`SentBefore` if it was
    sent in the meantime with something else in it.
    """
    with book.writing() as session:
        submission = _mine(session, submission_id, account, STATES)
        there = Record.of(submission.content)
        if submission.state in OPEN:
            opened_on, _, name = record.form.partition(".")
            before = not name and not there.form  # forms said what they were opened on
            if record.form not in ("", there.form) and not before and opened_on != _fingerprint(there) and not record.same_as(there):
                raise WrittenElsewhere()
            _keep(submission, record)
        elif not record.same_as(there):
            raise SentBefore(submission.state)
    return submission


def opened(submission: Submission) -> str:
    """The name of a form that is opened now: what is in it, and that it is this one."""
    return f"{_fingerprint(Record.of(submission.content))}.{secrets.token_hex(8)}"


def _fingerprint(record: Record) -> str:
    return digest(json.dumps(replace(record, form="").content(), sort_keys=True))[:16]


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
            _send(session, submission, account)
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
