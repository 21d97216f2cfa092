"""What administrators of an instance choose."""

from sqlalchemy.orm import Session

from ..errors import KvgraphError
from .book import Book, Setting

# Name → what it may be, the first by default.
SETTINGS = {
    "second-reviewer": ("no", "yes"),  # whether two curators have to agree
    "sign-up": ("open", "closed"),  # whether anybody can make an account
    "anonymous-reports": ("yes", "no"),  # whether errors can be reported without an account
}


def get(session: Session, name: str) -> str:
    found = session.get(Setting, name)
    return found.value if found else SETTINGS[name][0]


def read(book: Book) -> dict[str, str]:
    """All settings."""
    with book.reading() as session:
        return {name: get(session, name) for name in SETTINGS}


def choose(book: Book, name: str, value: str) -> None:
    """Set one. Raises :class:`~kvgraph.errors.KvgraphError` for what there is not."""
    if value not in SETTINGS.get(name, ()):
        raise KvgraphError(f"There is no setting {name[:40]!r} with the value {value[:40]!r}.", hint="; ".join(f"{n}: {' or '.join(v)}" for n, v in SETTINGS.items()))
    with book.writing() as session:
        session.merge(Setting(name=name, value=value))
