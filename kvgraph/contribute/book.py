"""The book of an instance: accounts, submissions and what was decided, in ``$KVGRAPH_HOME/app.db`` (SQLite, only for its owner to read).

Every reader and writer is short, and a writer says so from the beginning (``BEGIN IMMEDIATE``): with several processes it waits its turn
instead of failing half way. What can be lost with the electricity, sessions and attempts, does not wait for the disk: a hundred people who sign
in at once would wait for each other. What is read of a submission carries its ``version``, and whoever changes it has to have seen the last one.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from ..errors import KvgraphError

FILE = "app.db"
SCHEMA = 1  # of the tables below; PRAGMA user_version of the file
PATIENCE = 30_000  # milliseconds a writer waits for others
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
TROUBLES = {  # what can be wrong with the file or its disk, by SQLite's primary result code; anything else is a mistake of ours
    sqlite3.SQLITE_FULL: "there is no space left", sqlite3.SQLITE_READONLY: "their file can only be read", sqlite3.SQLITE_IOERR: "their disk fails",
    sqlite3.SQLITE_CORRUPT: "their file is damaged", sqlite3.SQLITE_NOTADB: "their file is damaged", sqlite3.SQLITE_CANTOPEN: "their file cannot be opened",
    sqlite3.SQLITE_PERM: "their file cannot be opened", sqlite3.SQLITE_PROTOCOL: "their file is locked",
}  # fmt: skip
log = logging.getLogger("kvgraph.contribute")


class Busy(KvgraphError):
    """Others wrote in the book for too long. ``retry_after`` in seconds."""

    status, retry_after = 503, 10

    def __init__(self):
        super().__init__("So much is being written here that this had to wait too long. Nothing was changed.", hint="Try again in a moment.")


class Gone(KvgraphError):
    """What somebody works with was deleted while they did."""

    status = 410

    def __init__(self):
        super().__init__("The account or the submission was deleted meanwhile. Nothing was changed.")


class Unkept(KvgraphError):
    """The book cannot be read or written: its file or its disk is not as it should be. ``retry_after`` in seconds."""

    status, retry_after = 503, 60

    def __init__(self, why: str):
        super().__init__(f"The accounts and contributions of this site cannot be read or kept at the moment ({why}). Nothing was changed.", hint="Try again later. Whoever runs this site finds the cause in its log.")


def now() -> datetime:
    """The time as the book keeps it: UTC, without saying so, which SQLite cannot."""
    return datetime.now(UTC).replace(tzinfo=None)


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON}


class Account(Base):
    """Somebody who can sign in. ``name`` is for signing in and never published; ``credit`` is what publications name, unless a submission says otherwise."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16), default="contributor")
    email: Mapped[str] = mapped_column(String(254), default="")
    disabled: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)


class SignedIn(Base):
    """A session: of its secret only the hash is kept."""

    __tablename__ = "session"
    secret: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    begun: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime] = mapped_column(index=True)
    account: Mapped[Account] = relationship(lazy="joined")


class Token(Base):
    """What a program signs in with: of its secret only the hash is kept."""

    __tablename__ = "token"
    id: Mapped[int] = mapped_column(primary_key=True)
    secret: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    scopes: Mapped[str] = mapped_column(String(80))  # with blanks between them
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
    used: Mapped[datetime | None] = mapped_column(default=None)
    account: Mapped[Account] = relationship(lazy="joined")


class Submission(Base):
    """What somebody wants to have in the graph. ``content`` is its record (:mod:`kvgraph.contribute.record`), ``stale`` that the next release must be told."""

    __tablename__ = "submission"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    form: Mapped[str] = mapped_column(String(64), unique=True)  # which form made it: sent twice, it is still one
    kind: Mapped[str] = mapped_column(String(24))  # see kvgraph.contribute.record.KINDS
    type: Mapped[str] = mapped_column(String(24))  # of the thing, as in kvgraph.model.TYPES
    thing: Mapped[str] = mapped_column(String(400), default="", index=True)  # its IRI
    title: Mapped[str] = mapped_column(String(400), default="")
    content: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(24), default="draft", index=True)
    version: Mapped[int] = mapped_column(default=1)
    created: Mapped[datetime] = mapped_column(default=now)
    changed: Mapped[datetime] = mapped_column(default=now)
    submitted: Mapped[datetime | None] = mapped_column(default=None)
    accepted: Mapped[datetime | None] = mapped_column(default=None)
    stale: Mapped[bool] = mapped_column(default=False, index=True)
    release: Mapped[str] = mapped_column(String(80), default="")
    account: Mapped[Account | None] = relationship(lazy="joined")
    events: Mapped[list["Event"]] = relationship(order_by="Event.id", cascade="all, delete-orphan", passive_deletes=True)
    __mapper_args__ = {"version_id_col": version}


class Event(Base):
    """Something that happened to a submission: who did it in which role, when, and what they said."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    role: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(24))
    text: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)
    account: Mapped[Account | None] = relationship(lazy="joined")


class Attempt(Base):
    """Something that may be done only so often: ``key`` is what, and by whom, as a hash."""

    __tablename__ = "attempt"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("attempt_key_at", "key", "at"),)


class Setting(Base):
    """What administrators chose: see :data:`kvgraph.contribute.settings.SETTINGS`."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(400))


class Book:
    """The open book of a home. Threads may share it; every process opens its own."""

    def __init__(self, home: Path):
        """Opens the file, or makes it. Raises :class:`Busy` or :class:`Unkept`."""
        self.home, self.path = home, home / FILE
        try:
            _make(self.path)
        except OSError as error:
            raise _noted(self.path, Unkept(TROUBLES[sqlite3.SQLITE_CANTOPEN]), error) from None
        self._engine = create_engine(f"sqlite:///{self.path}", connect_args={"timeout": PATIENCE / 1000}, pool_size=16, max_overflow=-1)  # as many as threads
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        with self._in_words():
            self._set_up()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session to look things up in. Raises :class:`Busy` or :class:`Unkept`."""
        with self._in_words(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, lasting: bool = True) -> Iterator[Session]:
        """A session whose changes are on disk when it ends well, and never were when it does not. Those that need not be ``lasting`` are there for
        everybody at once, and reach the disk with what is written next. Raises :class:`Busy`, :class:`Unkept`, or :class:`Gone` for what refers to what is no more."""
        options = {"immediate": True, "synchronous": "FULL" if lasting else "NORMAL"}
        engine = self._engine.execution_options(**options)
        with self._in_words(), Session(engine, expire_on_commit=False) as session, session.begin():
            session.connection()  # waits for its turn
            yield session
        _told.pop(self.path, None)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """What is wrong with the file or its disk, as an error of ours; what is wrong with what was asked of it stays what it is."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            exactly = getattr(getattr(error, "orig", error), "sqlite_errorcode", None) or 0
            if exactly == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise Gone() from None
            code = exactly & 0xFF
            if code in BUSY:
                raise Busy() from None
            if code not in TROUBLES:
                raise
            self.close()  # whoever comes next opens the file that is there then
            raise _noted(self.path, Unkept(TROUBLES[code]), error) from None

    def wipe(self) -> None:
        """Have nothing left in the files of what was deleted: its pages are overwritten (``secure_delete``), and the log that holds them is emptied, if
        nobody is reading at that moment; else that is done with what is written later."""
        with self._in_words():
            connection = self._engine.raw_connection()
            try:
                for pragma in ("busy_timeout = 2000", "wal_checkpoint(TRUNCATE)", f"busy_timeout = {PATIENCE}"):
                    connection.cursor().execute(f"PRAGMA {pragma}").fetchall()
            finally:
                connection.close()

    def close(self) -> None:
        self._engine.dispose()

    def _set_up(self) -> None:
        if self._schema() == SCHEMA:  # found out without waiting for those who write
            return
        with self._engine.execution_options(immediate=True).begin() as connection:
            found = connection.execute(text("PRAGMA user_version")).scalar_one()
            if found > SCHEMA:
                raise KvgraphError(
                    f"{FILE} was written by a newer kvgraph (its schema is {found}, this one knows {SCHEMA}).",
                    hint="Install that version again, or restore the file from before.",
                )
            if found < SCHEMA:
                Base.metadata.create_all(connection)
                connection.execute(text(f"PRAGMA user_version = {SCHEMA}"))

    def _schema(self) -> int:
        with self._engine.begin() as connection:
            return connection.execute(text("PRAGMA user_version")).scalar_one()


_open: dict[tuple[Path, int], Book] = {}
_opening = threading.Lock()


def book(home: Path) -> Book:
    """The book of a home, opened once in each process, and made where there is none."""
    key = (home, os.getpid())
    if key not in _open:
        with _opening:
            if key not in _open:
                _open[key] = Book(home)
    return _open[key]


def is_kept(home: Path) -> bool:
    """Whether there is a book: without one nobody has contributed anything."""
    return (home / FILE).is_file()


def _make(path: Path) -> None:
    """The file, readable to its owner only, before SQLite makes it for everybody."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare(connection, _record) -> None:
    connection.isolation_level = None  # transactions are begun by _begin, not by the driver
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", "secure_delete = ON", f"busy_timeout = {PATIENCE}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection) -> None:
    options = connection.get_execution_options()
    if synchronous := options.get("synchronous"):
        connection.exec_driver_sql(f"PRAGMA synchronous = {synchronous}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")


_told: dict[Path, str] = {}  # the trouble of a book that its operator was told of last


def _noted(path: Path, trouble: Unkept, cause: Exception) -> Unkept:
    """The trouble, after its cause was written to the log: once, while it lasts."""
    said = str(getattr(cause, "orig", cause))
    if _told.get(path) != said:
        log.error("%s cannot be read or written: %s", path, said)
        _told[path] = said
    return trouble
