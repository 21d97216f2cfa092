"""The book of an instance when many write in it, or one holds it for long."""

import sqlite3
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from kvgraph.cli import main
from kvgraph.contribute import accounts, attempts
from kvgraph.contribute import book as books
from kvgraph.contribute.book import Attempt, Book, Busy, Unkept, now
from kvgraph.serve.publishing import Publisher

from .people import PASSWORD, Form, Instance


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(books, "PATIENCE", 50)
    book = Book(tmp_path)
    yield book
    book.close()


@pytest.fixture
def held(kept):
    """Somebody else writes, and does not come to an end."""
    other = sqlite3.connect(kept.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield kept
    other.close()


def test_a_writer_that_waited_too_long_says_so(held):
    with pytest.raises(Busy, match="had to wait too long") as told, held.writing():
        pass
    assert told.value.status == 503 and told.value.retry_after


def test_a_visitor_is_told_when_to_try_again(instance, visitor, monkeypatch):
    """A page, not an internal error; and whoever tries again later comes in."""
    accounts.sign_up(instance.book, "anna.late", PASSWORD)
    other = sqlite3.connect(instance.book.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    instance.book.close()  # connections that have more patience
    with monkeypatch.context() as changed:
        changed.setattr(books, "PATIENCE", 50)
        assert "Nothing was changed" in visitor.send("/account/sign-in", 503, name="anna.late", password=PASSWORD)
    other.close()
    instance.book.close()
    visitor.sign_in("anna.late")


def test_signing_in_does_not_wait_for_the_disk(kept, monkeypatch):
    """A hundred people at once would wait for each other: only what must not be lost with the electricity is written to it at once."""
    accounts.sign_up(kept, "anna", PASSWORD)
    asked, writing = [], Book.writing

    def noted(self, lasting=True):
        asked.append(lasting)
        return writing(self, lasting)

    monkeypatch.setattr(Book, "writing", noted)
    accounts.begin_session(kept, accounts.sign_in(kept, "anna", PASSWORD, "192.0.2.1"))
    assert asked == [False] * 3, "both limits at once, the attempt that succeeded, and the session"


@pytest.mark.parametrize(("lasting", "synchronous"), [(True, 2), (False, 1), (True, 2)])
def test_what_must_last_waits_for_the_disk(kept, lasting, synchronous):
    """https://www.sqlite.org/pragma.html#pragma_synchronous: FULL is 2, NORMAL 1. Whatever the connection did before."""
    for before in (True, False):
        with kept.writing(before):
            pass
        with kept.writing(lasting) as session:
            assert session.scalar(text("PRAGMA synchronous")) == synchronous


def test_an_attempt_that_one_limit_refuses_does_not_count_for_the_other(kept):
    for n in range(attempts.LIMITS["sign-in-address"].times):
        with pytest.raises(accounts.NotAllowed):
            accounts.sign_in(kept, f"nobody{n}", PASSWORD, "192.0.2.2")
    for _ in range(attempts.LIMITS["sign-in"].times + 1):
        with pytest.raises(attempts.TooOften, match="this address"):
            accounts.sign_in(kept, "anna", PASSWORD, "192.0.2.2")
    with pytest.raises(accounts.NotAllowed):  # counted, but not shut out
        accounts.sign_in(kept, "anna", PASSWORD, "192.0.2.3")


def test_many_at_once_are_told_when_there_is_room_for_all(kept):
    for _ in range(limit := attempts.LIMITS["submit-account"].times):
        attempts.spend(kept, "submit-account", "1")
    with kept.writing() as session:
        for minutes, attempt in enumerate(session.scalars(select(Attempt).order_by(Attempt.id))):
            attempt.at = now() - timedelta(minutes=limit - 1 - minutes)  # one a minute, the oldest runs out first
    waits = []
    for times in (1, 10, limit):
        with pytest.raises(attempts.TooOften) as refused:
            attempts.spend(kept, "submit-account", "1", times)
        waits.append(round(refused.value.retry_after / 60))
    assert waits == [1, 10, 60]


# ── Trouble with the file or its disk ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def damaged(tmp_path):
    (tmp_path / books.FILE).write_bytes(b"This is no database at all. " * 100)
    return tmp_path


@pytest.mark.parametrize(("pragma", "why"), [("max_page_count = 1", "no space left"), ("query_only = 1", "only be read")])
def test_what_cannot_be_kept_is_told_and_nothing_is_changed(instance, visitor, caplog, pragma, why):
    """Once in the log, with the cause, while it lasts; and afterwards everything is as before."""
    spoil = lambda connection, _: connection.execute(f"PRAGMA {pragma}")  # noqa: E731
    instance.book.close()
    event.listen(instance.book._engine, "connect", spoil)
    for _ in range(2):
        answer = visitor.client.post("/contribute/report", data={"words": "Something is wrong here. " * 150}, headers={"Accept": "text/html"})
        assert answer.status_code == 503 and why in answer.get_data(as_text=True) and answer.headers["Retry-After"]
    event.remove(instance.book._engine, "connect", spoil)
    instance.book.close()
    assert len([r for r in caplog.records if r.name == books.log.name]) == 1
    assert visitor.client.post("/contribute/report", data={"words": "Something is wrong here."}).status_code == 303


def test_a_damaged_file_is_told(damaged):
    with pytest.raises(Unkept, match="damaged") as told:
        Book(damaged)
    assert told.value.status == 503


def test_a_damaged_file_does_not_end_the_server(damaged, caplog):
    """It is said once, and tried again."""
    publisher = Publisher(damaged)
    for _ in range(3):
        publisher.not_before = 0.0
        publisher.tend()
    assert publisher.builder is None and publisher.not_before > 0 and len([r for r in caplog.records if "waits to be published" in r.message]) == 1
    (damaged / books.FILE).unlink()
    books.book(damaged)  # as the operator has restored it
    publisher.not_before = 0.0
    publisher.tend()
    assert publisher.trouble == ""


def test_with_a_damaged_file_pages_say_so_and_reading_goes_on(tmp_path):
    instance = Instance(tmp_path)
    person = instance.somebody("signed-in")
    form = dict(Form(person.read("/contribute/new/practice"), "practice").fields)
    instance.book.close()
    books._open.clear()
    for file in tmp_path.glob(f"{books.FILE}*"):
        file.unlink()
    (tmp_path / books.FILE).write_bytes(b"This is no database at all. " * 100)
    assert "damaged" in person.read("/account", 503)
    assert "damaged" in person.post("/contribute/new/practice", {**form, "title": "A practice"}, 503)
    assert "Living lab" in person.read("/doc/practice/living-lab")
    assert "Sign in" in person.read("/contribute")


def test_on_the_command_line_a_damaged_file_is_a_message(damaged):
    result = CliRunner().invoke(main, ["users", "--home", str(damaged)])
    assert result.exit_code == 1 and "damaged" in result.output and not isinstance(result.exception, sqlite3.Error)


def test_a_book_is_opened_while_others_write(held):
    """Whoever opens it only wants to read, and a writer may take long."""
    Book(held.home).close()


def test_a_mistake_in_a_query_is_no_trouble_of_the_disk(kept):
    with pytest.raises(OperationalError, match="no such table"), kept.reading() as session:
        session.execute(text("SELECT * FROM not_there"))
