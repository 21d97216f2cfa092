"""What curators decide on submissions, and what becomes of it: the way from submitted to published.

Whoever decides names the version they saw. If it is not the last one, somebody else was quicker, and nothing happens.
"""

from collections.abc import Iterable

from sqlalchemy import String, cast, or_, select
from sqlalchemy.orm import Session

from ..errors import KvgraphError
from ..graph import Graph
from ..resources import folder
from . import known, settings
from .accounts import NotAllowed, may
from .book import Account, Book, Event, Submission, now
from .files import LIVE, base_of
from .leaving import FORGOTTEN
from .record import Record, change, require_address, require_page, require_well_formed
from .submissions import LONGEST_COMMENT, STATE_WORDS, WAITING, UnknownSubmission, noted, words


class Overtaken(KvgraphError):
    """Somebody else has changed the submission since it was looked at."""

    status = 409

    def __init__(self, state: str):
        super().__init__(f"Somebody else was quicker: it is {STATE_WORDS.get(state, state)} now.", hint="Look at it again; what you wrote is still in the form.")


def accept(book: Book, curator: Account, submission_id: str, version: int, text: str = "", graph: Graph | None = None) -> Submission:
    """Accept a submission: the next release has it. Where a second reviewer is wanted, the first one only approves.

    ``graph`` is the current release, where there is one: what is new gets no address that something has there.
    """
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
                noted(session, submission, curator, "approved", text)
                return submission
        if submission.kind == "report":
            submission.state = "accepted"
        else:
            _make_live(session, submission, graph)
        submission.accepted = submission.changed = now()
        noted(session, submission, curator, "accepted", text)
    return submission


def request_changes(book: Book, curator: Account, submission_id: str, version: int, text: str) -> Submission:
    """Give a submission back to its contributor, saying what should change."""
    with book.writing() as session:
        submission = _decided(session, curator, submission_id, version)
        submission.state, submission.changed = "changes-requested", now()
        noted(session, submission, curator, "changes-requested", words(text))
    return submission


def reject(book: Book, curator: Account, submission_id: str, version: int, text: str) -> Submission:
    """Say no, and why."""
    with book.writing() as session:
        submission = _decided(session, curator, submission_id, version)
        submission.state, submission.changed = "rejected", now()
        noted(session, submission, curator, "rejected", words(text))
    return submission


def undo(book: Book, curator: Account, submission_id: str, version: int, text: str) -> Submission:
    """Take back what was accepted: the release after the next decision does not have it.

    Raises :class:`~kvgraph.errors.KvgraphError` while others build on it: what they say would lead nowhere, and break the release.
    """
    with book.writing() as session:
        submission = _seen(session, curator, submission_id, version)
        if submission.state not in ("accepted", "published") or submission.kind == "report":
            raise Overtaken(submission.state)
        _require_unused(session, submission)
        submission.state, submission.stale, submission.changed = "undone", True, now()
        noted(session, submission, curator, "undone", words(text))
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
    """Who has approved it since it was sent, or sent back by the builder, last."""
    approved: set[int | None] = set()
    for event in submission.events:
        approved = set() if event.action in ("submitted", "not-published") else approved | {event.account_id} if event.action == "approved" else approved
    return approved


def _make_live(session: Session, submission: Submission, graph: Graph | None) -> None:
    """From now on it is to be published. What is new gets an address that nobody else has."""
    if submission.kind == "record":
        submission.thing = _free(session, submission, graph)
        submission.content = {**submission.content, "thing": submission.thing}
    record = Record.of(submission.content)
    require_address(record)
    require_well_formed(record)
    require_page(record)
    if record.replaced_by:
        _require_replaceable(session, submission, record.replaced_by, graph)
    submission.state, submission.stale = "accepted", True


def _free(session: Session, submission: Submission, graph: Graph | None) -> str:
    """The address it was sent with, with a number if that is another's. What was published once keeps its own."""
    claimed = _claimed(session, submission)
    published = _was_published(submission)
    number, free = 1, submission.thing
    while free in claimed or not published and _is_known(free, graph):
        number += 1
        free = f"{submission.thing}-{number}"
    return free


def _was_published(submission: Submission) -> bool:
    return any(event.action == "published" for event in submission.events)


def _claimed(session: Session, submission: Submission) -> set[str]:
    """The addresses of what others contributed, which the graph may not know yet, or no longer, though they were cited: of records, and those that
    records were given instead."""
    was_published = Submission.events.any(Event.action == "published")
    others = select(Submission).where(or_(Submission.accepted.is_not(None), was_published), Submission.id != submission.id, Submission.type == submission.type)
    given_back = was_published & (Submission.thing != submission.thing)  # which may have it again
    renamed = session.scalars(others.where(Submission.kind == "rename", or_(Submission.state.in_(LIVE), given_back)))
    return set(session.scalars(others.where(Submission.kind == "record").with_only_columns(Submission.thing))) | {s.content["replaced_by"] for s in renamed}


def _is_known(thing: str, graph: Graph | None) -> bool:
    """Whether something has this address in the release, or will have it in the next."""
    return bool(base_of(thing, folder("data"))) or graph is not None and known.exists(graph, thing)


def _require_replaceable(session: Session, submission: Submission, instead: str, graph: Graph | None) -> None:
    """Raises :class:`~kvgraph.errors.KvgraphError` if others have been quicker, in a way that the graph does not show before the next release."""
    others = session.scalars(select(Submission).where(Submission.state == "accepted", Submission.kind.in_(("rename", "merge")), Submission.id != submission.id))
    replaced = {other.thing for other in others}
    if submission.kind == "rename" and (instead in _claimed(session, submission) or not _was_published(submission) and _is_known(instead, graph)):
        raise KvgraphError("There is such a record already, or will be in the next release.", hint="Choose another address; if the two are the same, merge them.")
    if submission.thing in replaced or instead in replaced:
        raise KvgraphError("One of these was renamed or merged a moment ago.", hint="Wait for the next release, and look at it again.")


# ── What others build on ─────────────────────────────────────────────────────────────────────────────────────────────


def _require_unused(session: Session, submission: Submission) -> None:
    gone = {"record": submission.thing, "rename": submission.content.get("replaced_by", "")}.get(submission.kind, "")  # the address that would lead nowhere
    if not gone or _is_known(gone, None):
        return
    users = _users(session, submission, gone)
    if replacing := [s for s in users if s.kind in ("merge", "rename")]:
        raise KvgraphError(f"It was merged or renamed, or another was merged into it: {_listed(replacing)}.", hint="Undo that first, then this.")
    if users:
        raise KvgraphError(f"Others build on it: {_listed(users)}.", hint="Undo those first, or correct them so that they name something else.")


def _users(session: Session, submission: Submission, address: str) -> list[Submission]:
    """What is live, is about an address or leads to it, or names it and was not corrected since."""
    live = select(Submission).where(Submission.state.in_(LIVE), Submission.kind != "report", Submission.id != submission.id)
    mentions = cast(Submission.content, String).contains(address, autoescape=True)
    using: dict[tuple, Submission] = {}
    for other in session.scalars(live.where(or_(Submission.thing == address, mentions)).order_by(Submission.accepted, Submission.id)):
        record = Record.of(other.content)
        what, key = change(record), lambda path, value, thing=other.thing: (thing, path, *sorted(value.items()))
        for path, value in what.removed:
            using.pop(key(path, value), None)
        using |= {key(path, value): other for path, value in what.added if address in (value.get("iri"), value.get("agent"))}
        if address in (other.thing, record.replaced_by, record.credit_actor):
            using[(other.id,)] = other
    return list({other.id: other for other in using.values()}.values())


def _listed(found: list[Submission]) -> str:
    """Three of them by title, each with what it is. A merge has none: it turns that into another name of what stays."""
    named = [f"“{s.title or s.thing.rpartition('/')[2]}” ({s.kind if s.kind != 'record' else s.type.replace('-', ' ')})" for s in found[:3]]
    return ", ".join(named) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


# ── The builder ──────────────────────────────────────────────────────────────────────────────────────────────────────


def pending(book: Book) -> bool:
    """Whether the next release has to be told something."""
    with book.reading() as session:
        return session.scalar(select(Submission.id).where(Submission.stale).limit(1)) is not None


def published(book: Book, told: list[tuple[str, int]], release: str) -> None:
    """A release has what the submissions said in these versions. What was changed since waits for the next one. What is in none any more, of an account that
    was deleted, is deleted too."""
    with book.writing() as session:
        for submission_id, version in told:
            submission = session.get(Submission, submission_id)
            if submission is None or submission.version != version:
                continue
            if submission.form.startswith(FORGOTTEN) and submission.state not in (*LIVE, *WAITING):
                session.delete(submission)
                continue
            submission.stale, submission.release = False, release
            if submission.state == "accepted":
                submission.state = "published"
                noted(session, submission, None, "published", release, role="builder")


def is_taken_back(submission: Submission) -> bool:
    """Whether it was undone and is in the last release, which the next one has to be told."""
    last = next((e.action for e in reversed(submission.events) if e.action in ("published", "not-published")), "")
    return submission.state == "undone" and submission.stale and last == "published" and not submission.form.startswith(FORGOTTEN)


def refused(book: Book, submission_ids: Iterable[str], text: str) -> None:
    """The builder could not publish these: back to the curators, with what it said. What could not be undone is published as before."""
    with book.writing() as session:
        for submission_id in submission_ids:
            submission = session.get(Submission, submission_id)
            if submission and submission.state in ("accepted", "published"):
                submission.state, submission.stale, submission.accepted, submission.changed = "submitted", True, None, now()
                noted(session, submission, None, "not-published", text[:LONGEST_COMMENT], role="builder")
            elif submission and is_taken_back(submission):
                submission.state, submission.changed = "published", now()
                noted(session, submission, None, "commented", f"This could not be undone, others build on it. {text}"[:LONGEST_COMMENT], role="builder")
