"""How often somebody may do something: each time is noted, and what is noted too often is refused.

Nothing that is kept says who it was: only a signature of what and who.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..errors import KvgraphError
from . import secrets
from .book import Account, Attempt, Book, now

KEPT = timedelta(hours=2)  # longer than any limit asks for


class TooOften(KvgraphError):
    """Somebody has tried this too often. ``retry_after`` in seconds."""

    status = 429

    def __init__(self, what: str, retry_after: int):
        self.retry_after = retry_after
        minutes = max(1, round(retry_after / 60))
        super().__init__(what, hint=f"Try again in {minutes} minute{'s' if minutes > 1 else ''}.")


@dataclass(frozen=True)
class Limit:
    """So many of something within a time."""

    times: int
    within: timedelta
    words: str


LIMITS = {
    "sign-in": Limit(10, timedelta(minutes=15), "There were too many attempts to sign in with this name."),  # from one address
    "sign-in-name": Limit(100, timedelta(minutes=15), "There were too many attempts to sign in with this name."),  # so many that a stranger alone shuts no owner out
    "sign-in-address": Limit(40, timedelta(minutes=15), "There were too many attempts to sign in from this address."),
    "password-account": Limit(10, timedelta(minutes=15), "There were too many attempts with a wrong password."),
    "sign-up-address": Limit(6, timedelta(hours=1), "Too many accounts were made from this address, or asked for under names that are taken."),
    "report-address": Limit(8, timedelta(hours=1), "Too many reports came from this address."),
    "report-account": Limit(20, timedelta(hours=1), "You have sent very many reports in a short time."),
    "submit-account": Limit(60, timedelta(hours=1), "You have submitted very much in a short time."),
    "check-account": Limit(40, timedelta(minutes=1), "You have had very much checked in a short time."),
    "file-account": Limit(30, timedelta(minutes=10), "You have sent very many files in a short time."),  # each record of one is checked
    "comment-account": Limit(60, timedelta(hours=1), "You have written very many comments in a short time."),
}


def spend(book: Book, what: str, who: str, times: int = 1) -> int:
    """Note that somebody does something, and give the number of the attempt. Raises :class:`TooOften` if they have done it as often as they may."""
    return spend_all(book, *[(what, who)] * times)[0]


def spend_all(book: Book, *limits: tuple[str, str]) -> list[int]:
    """Note several things, and give the number of each attempt. Raises :class:`TooOften` if one is more than what may be: then none is noted."""
    with book.writing(lasting=False) as session:
        session.execute(delete(Attempt).where(Attempt.at < now() - KEPT))
        return [attempt for (what, who), times in Counter(limits).items() for attempt in _note(session, _key(book, what, who), LIMITS[what], times)]


def give_back(book: Book, attempts: list[int]) -> None:
    """Attempts that should not count."""
    with book.writing(lasting=False) as session:
        session.execute(delete(Attempt).where(Attempt.id.in_(attempts)))


def forget_attempts(session: Session, book: Book, account: Account) -> None:
    """What an account did does not count for the one that gets its number next."""
    keys = [_key(book, what, who) for what in LIMITS for who in (str(account.id), account.name.lower())]
    session.execute(delete(Attempt).where(Attempt.key.in_(keys)))


def _note(session: Session, key: str, limit: Limit, times: int) -> list[int]:
    """Note that something is done so many times; gives the numbers of the attempts."""
    done = session.scalars(select(Attempt.at).where(Attempt.key == key, Attempt.at > now() - limit.within).order_by(Attempt.at)).all()
    over = len(done) + times - limit.times  # so many have to be forgotten first
    if over > 0:
        raise TooOften(limit.words, _seconds((done or [now()])[min(over, len(done)) - 1] + limit.within))
    session.add_all(attempts := [Attempt(key=key) for _ in range(times)])
    session.flush()
    return [attempt.id for attempt in attempts]


def _key(book: Book, what: str, who: str) -> str:
    return secrets.signed(book.home, "attempt", f"{what}\0{who}")  # so that no address of anybody is written down


def _seconds(until: datetime) -> int:
    return max(1, int((until - now()).total_seconds()) + 1)
