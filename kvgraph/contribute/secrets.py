"""What must not be guessed: the key of an instance, secrets of sessions and tokens, passwords."""

import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ..errors import KvgraphError

T = TypeVar("T")
ENVIRONMENT = "KVGRAPH_SECRET_KEY"
FILE = "secret.key"
SHORTEST_KEY = 32
NICE = 15  # rank of the thread that works on passwords, one at a time: each takes 64 MB and a fifth of a second, and readers go first
WAITING = 80  # that wait for it in a process: each holds one of its threads


class Busy(KvgraphError):
    """More passwords are being looked at than there is room for. ``retry_after`` in seconds."""

    status, retry_after = 503, 10


def _humble() -> None:
    thread = threading.get_native_id()  # of which this is the rank, on Linux
    with suppress(OSError):  # where ranks are not ours to choose it works at the one it has
        os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))


_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106, section 4, for limited memory
_passwords = ThreadPoolExecutor(1, "password", initializer=_humble)
_room = threading.BoundedSemaphore(WAITING)


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
    """What is kept of a password: argon2id, with its salt and parameters. Raises :class:`Busy`."""
    return _in_turn(_hasher.hash, password)


def is_password(hashed: str, password: str) -> bool:
    """Whether ``password`` is the one that was hashed. It takes as long when there is nothing to compare with. Raises :class:`Busy`."""
    return _in_turn(_verified, hashed, password)


def _in_turn(work: Callable[..., T], *given: str) -> T:
    if not _room.acquire(blocking=False):
        raise Busy("Very many people are signing in just now.", hint=f"Try again in {Busy.retry_after} seconds.")
    try:
        return _passwords.submit(work, *given).result()
    finally:
        _room.release()


def _verified(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed or _nobody(), password) and bool(hashed)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash(new_secret())
