"""The way of a submission, from draft to published, and what was said on it.

    draft ─► submitted ─► accepted ─► published ─► undone
                │  ▲          ▲
                ▼  │          │ (a second curator, where that is the rule)
      changes-requested    approved once
                └─► rejected

Whoever changes a submission names the version they saw. If it is not the last one, somebody else was quicker, and nothing happens.
"""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from ..errors import KvgraphError
from . import settings
from .accounts import NotAllowed, may, spend
from .book import Account, Book, Event, SignedIn, Submission, Token, now
from .record import Record, require_address, require_well_formed, slug, thing_of

STATES = ("draft", "submitted", "changes-requested", "accepted", "published", "rejected", "undone")
OPEN = ("draft", "changes-requested")  # the contributor is at work on it
WAITING = ("submitted",)  # for a curator
DRAFTS = 100  # of one account
UNREVIEWED = 1000  # reports without an account that may wait at once
LONGEST_COMMENT = 4000


class Overtaken(KvgraphError):
    """Somebody else has changed the submission since it was looked at."""

    status = 409

    def __init__(self, state: str):
        super().__init__(f"Somebody else was quicker: it is {STATE_WORDS.get(state, state)} now.", hint="Look at it again; what you wrote was not kept.")


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


def queue(book: Book, states: Iterable[str] = WAITING, limit: int = 200) -> list[Submission]:
    """Those in these states, the oldest first."""
    with book.reading() as session:
        found = select(Submission).where(Submission.state.in_(tuple(states))).order_by(Submission.submitted, Submission.id)
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
            _note(session, submission, account, "begun")
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
            _note(session, submission, account, "submitted")
    return submission


def report(book: Book, form: str, record: Record, account: Account | None) -> Submission:
    """What somebody says is wrong, in words, straight into the queue."""
    if account is None and counts(book).get("submitted", 0) >= UNREVIEWED:
        raise KvgraphError("More reports are waiting than the curators can read.", hint="Sign in to send yours, or try again in a few days.")
    submission = begin(book, account, form, "report", record)
    with book.writing() as session:
        found = session.get_one(Submission, submission.id)
        if found.state == "draft":
            found.state, found.submitted = "submitted", now()
            _note(session, found, account, "submitted")
    return found


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
        _note(session, session.get_one(Submission, submission_id), account, "commented", _words(text))


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


# ── A curator ────────────────────────────────────────────────────────────────────────────────────────────────────────


def accept(book: Book, curator: Account, submission_id: str, version: int, text: str = "") -> Submission:
    """Accept a submission: the next release has it. Where a second reviewer is wanted, the first one only approves."""
    with book.writing() as session:
        submission = _decided(session, curator, submission_id, version)
        if settings.get(session, "second-reviewer") == "yes" and submission.kind != "report":
            if curator.id == submission.account_id:
                raise NotAllowed("Somebody else must accept what you contributed yourself.", hint="The setting “second reviewer” is on.")
            approved = _approvals(submission)
            if curator.id in approved:
                raise NotAllowed("You have approved this already.", hint="A second curator has to accept it.")
            if not approved:
                submission.changed = now()
                _note(session, submission, curator, "approved", text)
                return submission
        if submission.kind == "report":
            submission.state = "accepted"
        else:
            _make_live(session, submission)
        submission.accepted = submission.changed = now()
        _note(session, submission, curator, "accepted", text)
    return submission


def request_changes(book: Book, curator: Account, submission_id: str, version: int, text: str) -> Submission:
    """Give a submission back to its contributor, saying what should change."""
    with book.writing() as session:
        submission = _decided(session, curator, submission_id, version)
        submission.state, submission.changed = "changes-requested", now()
        _note(session, submission, curator, "changes-requested", _words(text))
    return submission


def reject(book: Book, curator: Account, submission_id: str, version: int, text: str) -> Submission:
    """Say no, and why."""
    with book.writing() as session:
        submission = _decided(session, curator, submission_id, version)
        submission.state, submission.changed = "rejected", now()
        _note(session, submission, curator, "rejected", _words(text))
    return submission


def undo(book: Book, curator: Account, submission_id: str, version: int, text: str) -> Submission:
    """Take back what was accepted: the release after the next decision does not have it."""
    with book.writing() as session:
        submission = _seen(session, curator, submission_id, version)
        if submission.state not in ("accepted", "published") or submission.kind == "report":
            raise Overtaken(submission.state)
        submission.state, submission.stale, submission.changed = "undone", True, now()
        _note(session, submission, curator, "undone", _words(text))
    return submission


def _seen(session: Session, curator: Account, submission_id: str, version: int) -> Submission:
    if not may(curator, "curator"):
        raise NotAllowed("Only curators decide on submissions.")
    submission = session.get(Submission, submission_id)
    if submission is None or submission.state == "draft":
        raise UnknownSubmission()
    if submission.version != version:
        raise Overtaken(submission.state)
    return submission


def _decided(session: Session, curator: Account, submission_id: str, version: int) -> Submission:
    submission = _seen(session, curator, submission_id, version)
    if submission.state not in WAITING:
        raise Overtaken(submission.state)
    return submission


def _approvals(submission: Submission) -> set[int | None]:
    """Who has approved it since it was sent last."""
    approved: set[int | None] = set()
    for event in submission.events:
        approved = set() if event.action == "submitted" else approved | {event.account_id} if event.action == "approved" else approved
    return approved


def _make_live(session: Session, submission: Submission) -> None:
    """From now on it is to be published. What is new gets an address that nobody else has."""
    if submission.kind == "record":
        taken = set(session.scalars(select(Submission.thing).where(Submission.accepted.is_not(None), Submission.id != submission.id, Submission.type == submission.type)))
        submission.thing = _free(submission.thing, taken)
        submission.content = {**submission.content, "thing": submission.thing}
    require_address(Record.of(submission.content))
    require_well_formed(Record.of(submission.content))
    submission.state, submission.stale = "accepted", True


def _free(thing: str, taken: set[str]) -> str:
    number, free = 1, thing
    while free in taken:
        number += 1
        free = f"{thing}-{number}"
    return free


def new_thing(type_: str, title: str, known) -> str:
    """An IRI for something new: its title as an address, with a number if ``known`` says that there is such a thing."""
    name = slug(title) or "untitled"
    number, free = 1, thing_of(type_, name)
    while known(free):
        number += 1
        free = thing_of(type_, f"{name}-{number}")
    return free


# ── The builder ──────────────────────────────────────────────────────────────────────────────────────────────────────


def pending(book: Book) -> bool:
    """Whether the next release has to be told something."""
    with book.reading() as session:
        return session.scalar(select(Submission.id).where(Submission.stale).limit(1)) is not None


def published(book: Book, told: list[tuple[str, int]], release: str) -> None:
    """A release has what the submissions said in these versions. What was changed since waits for the next one."""
    with book.writing() as session:
        for submission_id, version in told:
            submission = session.get(Submission, submission_id)
            if submission is None or submission.version != version:
                continue
            submission.stale, submission.release = False, release
            if submission.state == "accepted":
                submission.state = "published"
                _note(session, submission, None, "published", release, role="builder")


def refused(book: Book, submission_ids: Iterable[str], text: str) -> None:
    """The builder could not publish these: back to the curators, with what it said."""
    with book.writing() as session:
        for submission_id in submission_ids:
            submission = session.get(Submission, submission_id)
            if submission and submission.state in ("accepted", "published"):
                submission.state, submission.stale, submission.accepted, submission.changed = "submitted", True, None, now()
                _note(session, submission, None, "not-published", text[:LONGEST_COMMENT], role="builder")


# ── Events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _note(session: Session, submission: Submission, account: Account | None, action: str, text: str = "", role: str = "") -> None:
    role = role or (account.role if account and action not in ("begun", "submitted") else "contributor" if account else "visitor")
    session.add(Event(submission_id=submission.id, account_id=account.id if account else None, role=role, action=action, text=text.strip()[:LONGEST_COMMENT]))


def _words(text: str) -> str:
    if not text.strip():
        raise KvgraphError("Say why, in a sentence: the contributor reads it.")
    return text


def _new_id() -> str:
    return f"{now():%Y%m%d}-{secrets.token_hex(5)}"


def forget_old_drafts(book: Book, after: timedelta = timedelta(days=365)) -> None:
    """Delete drafts that nobody has touched for a year."""
    with book.writing() as session:
        session.execute(delete(Submission).where(Submission.state == "draft", Submission.changed < now() - after))


# ── An account's own ─────────────────────────────────────────────────────────────────────────────────────────────────


def everything_of(book: Book, account: Account) -> dict:
    """All that is kept about somebody, but for the hash of their password."""
    with book.reading() as session:
        found = session.scalars(select(Submission).where(Submission.account_id == account.id).options(selectinload(Submission.events))).all()
        tokens = session.scalars(select(Token).where(Token.account_id == account.id)).all()
        sessions = session.scalars(select(SignedIn).where(SignedIn.account_id == account.id)).all()
    when = lambda moment: moment and f"{moment:%Y-%m-%dT%H:%M:%SZ}"  # noqa: E731
    return {
        "account": {"name": account.name, "email": account.email, "role": account.role, "created": when(account.created)},
        "sessions": [{"begun": when(s.begun), "expires": when(s.expires)} for s in sessions],
        "tokens": [{"name": t.name, "scopes": t.scopes, "created": when(t.created), "expires": when(t.expires), "used": when(t.used)} for t in tokens],
        "submissions": [
            {
                "id": s.id, "kind": s.kind, "thing": s.thing, "title": s.title, "state": s.state, "created": when(s.created), "submitted": when(s.submitted),
                "content": s.content, "events": [{"at": when(e.at), "role": e.role, "action": e.action, "text": e.text} for e in s.events],
            }
            for s in found
        ],
    }  # fmt: skip


def forget(book: Book, account: Account, credit: bool) -> None:
    """Delete an account with its drafts and what waits. What was accepted stays, under its licence; with ``credit`` still under the name that was chosen."""
    with book.writing() as session:
        for submission in session.scalars(select(Submission).where(Submission.account_id == account.id)):
            if submission.state in (*OPEN, *WAITING):
                session.delete(submission)
            elif not credit and (submission.content.get("credit") or submission.content.get("credit_actor")):
                submission.content = {**submission.content, "credit": "", "credit_actor": ""}
                submission.stale = submission.stale or submission.state in ("accepted", "published")
        session.flush()
        session.execute(delete(Account).where(Account.id == account.id))
