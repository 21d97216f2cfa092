"""Who somebody is: signing up and in, sessions, tokens for programs, roles.

:func:`sign_in` is the border at which another way to sign in (OpenID Connect) would join: whatever proves who somebody is ends in :func:`begin_session`.
"""

import re
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ..errors import KvgraphError
from . import secrets
from .attempts import give_back, spend_all
from .book import Account, Book, Gone, SignedIn, Token, now

ROLES = ("contributor", "curator", "administrator")  # each may do what the ones before it may
SCOPES = ("submit", "read")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{2,63}")
# As in RFC 5321, with letters of any script, and with a domain that has a dot: what is written without one is a slip.
EMAIL = re.compile(r"(?=[^@]{1,64}@)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*+@([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W\d_]([\w-]{0,61}[^\W_])?")
SHORTEST, LONGEST = 10, 200  # characters of a password
EVIDENT = frozenset({"password", "passwort", "1234567890", "0123456789", "qwertyuiop", "letmeinplease", "valorisation", "knowledge", "kvgraph123"})
SESSION = timedelta(days=14)
LONGEST_TOKEN = timedelta(days=365)
TOKENS = 20  # of one account
PREFIX = "kvg_"  # of a token, so that one that leaked is recognised


class NotAllowed(KvgraphError):
    """Who asks may not do this. ``field``: of a form, where that is what has to be mended."""

    status = 403

    def __init__(self, message: str, hint: str | None = None, field: str = ""):
        self.field = field
        super().__init__(message, hint)


class Mistake(KvgraphError):
    """What was written in a field is no good: ``field`` is its name in a form."""

    status = 422

    def __init__(self, field: str, message: str, hint: str | None = None):
        self.field = field
        super().__init__(message, hint)


class NameTaken(Mistake):
    """Somebody else signs in with this name."""


def operator() -> Account:
    """Who decides on the command line: whoever may write the book needs no account, and is a curator who is nobody in particular."""
    return Account(id=None, name="", role="curator", disabled=False)


def may(account: Account | None, role: str) -> bool:
    """Whether an account has a role or a higher one."""
    return account is not None and not account.disabled and ROLES.index(account.role) >= ROLES.index(role)


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def sign_up(book: Book, name: str, password: str, role: str = "contributor", email: str = "") -> Account:
    """Make an account. Raises :class:`~kvgraph.errors.KvgraphError` saying which of the two is no good."""
    name, email = name.strip(), email.strip()
    if not NAME.fullmatch(name):
        raise Mistake("name", "A name has 3 to 64 letters, digits or any of . _ @ + - and begins with a letter or digit.", hint="For example: maria.rossi")
    if role not in ROLES:
        raise KvgraphError(f"There is no role {role[:40]!r}.", hint=f"Roles are: {', '.join(ROLES)}.")
    _require_address(email)
    _require_good(password, name)
    hashed = secrets.hash_password(password)
    with book.writing() as session:
        if session.scalar(select(Account.id).where(func.lower(Account.name) == name.lower())):
            raise NameTaken("name", "This name is taken.", hint="Choose another one, or sign in if it is yours.")
        account = Account(name=name, password=hashed, role=role, email=email)
        session.add(account)
    return account


def _require_address(email: str) -> None:
    if email and (len(email) > 254 or not EMAIL.fullmatch(email)):
        raise Mistake("email", "This is no e-mail address.", hint="Leave it empty, or write one like maria@example.org.")


def _require_good(password: str, name: str) -> None:
    if not SHORTEST <= len(password) <= LONGEST:
        raise Mistake("password", f"A password has {SHORTEST} to {LONGEST} characters.", hint="A few words that do not belong together are easy to keep in mind.")
    if password.lower() in EVIDENT or password.lower() == name.lower() or len(set(password)) < 4:
        raise Mistake("password", "This password is guessed at once.", hint="Take a few words that do not belong together.")


def account_named(book: Book, name: str) -> Account:
    """The account of that name. Raises :class:`~kvgraph.errors.KvgraphError`."""
    with book.reading() as session:
        found = session.scalar(select(Account).where(func.lower(Account.name) == name.strip().lower()))
    if found is None:
        raise KvgraphError(f"There is no account {name[:64]!r}.", hint="See them with: kvgraph users")
    return found


def change_password(book: Book, account: Account, password: str, current: str | None = None) -> None:
    """Set a password, and end every session and token of the account. ``current`` is what an owner has to know; an operator need not."""
    if current is not None and not is_own(book, account, current):
        raise Mistake("current", "That is not your current password.")
    _require_good(password, account.name)
    hashed = secrets.hash_password(password)
    with book.writing() as session:
        _still(session, account).password = hashed
        _shut_out(session, account.id)


def change_email(book: Book, account: Account, email: str) -> None:
    """Set the address to which is written, or none. Raises :class:`Mistake`."""
    email = email.strip()
    _require_address(email)
    with book.writing() as session:
        _still(session, account).email = email


def set_role(book: Book, account: Account, role: str) -> None:
    if role not in ROLES:
        raise KvgraphError(f"There is no role {role[:40]!r}.", hint=f"Roles are: {', '.join(ROLES)}.")
    with book.writing() as session:
        _still(session, account).role = role
        session.execute(delete(SignedIn).where(SignedIn.account_id == account.id))  # a new role begins with a new session


def disable(book: Book, account: Account, disabled: bool = True) -> None:
    """Shut an account out, or let it in again."""
    with book.writing() as session:
        _still(session, account).disabled = disabled
        if disabled:
            _shut_out(session, account.id)


def _still(session: Session, account: Account) -> Account:
    found = session.get(Account, account.id)
    if found is None:
        raise Gone()
    return found


def _shut_out(session, account_id: int) -> None:
    session.execute(delete(SignedIn).where(SignedIn.account_id == account_id))
    session.execute(delete(Token).where(Token.account_id == account_id))


# ── Signing in ───────────────────────────────────────────────────────────────────────────────────────────────────────


def sign_in(book: Book, name: str, password: str, address: str = "") -> Account:
    """Who knows this name and password. One message and one time, whatever was wrong. A name is tried a few times from one ``address``, more often from all.

    Raises :class:`~.attempts.TooOften`, or :class:`NotAllowed`.
    """
    key = name.strip().lower()[:64]
    with book.reading() as session:
        account = session.scalar(select(Account).where(func.lower(Account.name) == key))
    known = account is not None and not account.disabled
    if not _proved(book, account.password if known else "", password, ("sign-in", f"{key} {address}"), ("sign-in-name", key), ("sign-in-address", address)):
        raise NotAllowed("Name and password do not belong together.", hint="Whoever runs this site can set a new password for you.", field="name")
    return account


def is_own(book: Book, account: Account, password: str) -> bool:
    """Whether somebody who has signed in knows their password. Attempts are counted, apart from those of strangers to sign in: these shut no owner out.
    Raises :class:`~.attempts.TooOften`."""
    return _proved(book, account.password, password, ("password-account", str(account.id)))


def _proved(book: Book, hashed: str, password: str, *limits: tuple[str, str]) -> bool:
    """Whether a password is right. Counted before it is looked at, so that many attempts at once are as few as many one after the other; one that
    succeeds, or is not looked at, did not count."""
    attempts = spend_all(book, *((what, who) for what, who in limits if who))
    right = None  # not looked at
    try:
        right = secrets.is_password(hashed, password[:LONGEST])
        return right
    finally:
        if right is not False:
            give_back(book, attempts)


def begin_session(book: Book, account: Account) -> str:
    """The secret of a new session, for a cookie. Old sessions that have run out are forgotten."""
    secret = secrets.new_secret()
    with book.writing(lasting=False) as session:
        session.execute(delete(SignedIn).where(SignedIn.expires < now()))
        session.add(SignedIn(secret=secrets.digest(secret), account_id=account.id, expires=now() + SESSION))
    return secret


def of_session(book: Book, secret: str) -> Account | None:
    """Whose session this is; None if it has ended or never was."""
    with book.reading() as session:
        found = session.get(SignedIn, secrets.digest(secret))
    return found.account if found and found.expires > now() and not found.account.disabled else None


def end_session(book: Book, secret: str) -> None:
    with book.writing() as session:
        session.execute(delete(SignedIn).where(SignedIn.secret == secrets.digest(secret)))


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_token(book: Book, account: Account, name: str, scopes: list[str], days: int) -> str:
    """A new token for a program: shown once, kept as a hash. ``days`` is how long it works."""
    name = name.strip()[:80]
    if not name:
        raise Mistake("name", "Give the token a name, so that you know later what uses it.", hint="For example: import script")
    if not scopes or set(scopes) - set(SCOPES):
        raise Mistake("scope", "Say what the token may do.", hint=f"Scopes are: {', '.join(SCOPES)}.")
    if not 1 <= days <= LONGEST_TOKEN.days:
        raise Mistake("days", f"A token works for 1 to {LONGEST_TOKEN.days} days.")
    secret = PREFIX + secrets.new_secret()
    with book.writing() as session:
        if session.scalar(select(func.count()).select_from(Token).where(Token.account_id == account.id)) >= TOKENS:
            raise KvgraphError(f"You have {TOKENS} tokens already.", hint="Revoke one that is no longer used.")
        session.add(Token(secret=secrets.digest(secret), account_id=account.id, name=name, scopes=" ".join(scopes), expires=now() + timedelta(days=days)))
    return secret


def of_token(book: Book, secret: str, scope: str) -> Account:
    """Whose token this is. Raises :class:`NotAllowed` if it is none, has run out, or was not made for this."""
    with book.reading() as session:
        found = session.scalar(select(Token).where(Token.secret == secrets.digest(secret))) if secret.startswith(PREFIX) else None
    if found is None or found.account.disabled:
        raise NotAllowed("There is no such token.", hint="Make one on your page: /account/tokens")
    if found.expires <= now():
        raise NotAllowed("This token has run out.", hint="Make another one on your page: /account/tokens")
    if scope not in found.scopes.split():
        raise NotAllowed(f"This token was not made to {scope}.", hint="Make one with that scope on your page: /account/tokens")
    if found.used is None or now() - found.used > timedelta(minutes=5):
        with book.writing(lasting=False) as session:
            if token := session.get(Token, found.id):
                token.used = now()
    return found.account


def tokens_of(book: Book, account: Account) -> list[Token]:
    with book.reading() as session:
        return list(session.scalars(select(Token).where(Token.account_id == account.id).order_by(Token.created)))


def revoke(book: Book, account: Account, token_id: int) -> None:
    with book.writing() as session:
        session.execute(delete(Token).where(Token.id == token_id, Token.account_id == account.id))
