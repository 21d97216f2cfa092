"""What must not be guessed: the key of an instance, secrets of sessions and tokens, passwords."""

import hashlib
import hmac
import os
import secrets
import threading
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ..errors import KvgraphError

ENVIRONMENT = "KVGRAPH_SECRET_KEY"
FILE = "secret.key"
SHORTEST_KEY = 32
AT_ONCE = 2  # passwords that a process works on: each takes 64 MB
_turns = threading.BoundedSemaphore(AT_ONCE)
_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106, section 4, for limited memory


def key(home: Path) -> bytes:
    """The key of an instance: ``$KVGRAPH_SECRET_KEY``, else ``secret.key`` in its home, made when first wanted and readable to its owner only."""
    given = os.environ.get(ENVIRONMENT, "")
    if given and len(given) < SHORTEST_KEY:
        raise KvgraphError(f"{ENVIRONMENT} has {len(given)} characters; at least {SHORTEST_KEY} are wanted.", hint="Make one with: openssl rand -hex 32")
    return given.encode() or _kept(home)


@lru_cache(maxsize=8)
def _kept(home: Path) -> bytes:
    path = home / FILE
    if not path.is_file():
        home.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(new_secret())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # of several processes that make one, the first wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def new_secret() -> str:
    """256 bits that nobody guesses, as text for an address or a header."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret that is itself random.

    >>> len(digest("x"))
    64
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def signed(home: Path, purpose: str, text: str) -> str:
    """A tag that only this instance can make for ``text``, and good for one purpose."""
    return hmac.new(key(home), f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def same(a: str, b: str) -> bool:
    """Whether two secrets are equal, found out in the same time whatever they are."""
    return hmac.compare_digest(a.encode(), b.encode())


def hash_password(password: str) -> str:
    """What is kept of a password: argon2id, with its salt and parameters."""
    with _turns:
        return _hasher.hash(password)


def is_password(hashed: str, password: str) -> bool:
    """Whether ``password`` is the one that was hashed. It takes as long when there is nothing to compare with."""
    with _turns:
        try:
            return _hasher.verify(hashed or _nobody(), password) and bool(hashed)
        except (VerificationError, InvalidHashError):
            return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash(new_secret())
