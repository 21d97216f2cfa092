"""Several records at once, and the same request again: all of them are taken or none, each once, and nothing that was not checked."""

import io
import re
from datetime import timedelta

import pytest

from kvgraph.contribute import accounts, attempts, leaving, submissions

from .people import Form
from .test_the_whole_way import PLAIN, token_of

WHOLE = {name: value for name, value in PLAIN.items() if name != "values"}


def several(*titles: str) -> list[dict]:
    return [{**WHOLE, "values": {**PLAIN["values"], "title": {"en": title}}} for title in titles]


@pytest.fixture
def program(instance, person):
    """Sends with a token; gives the answer. And what is there of its account: state by title."""
    reader = person()
    token, name = token_of(reader, "submit", "read"), reader.client.get("/account/export").json["account"]["name"]

    def send(body, query: str = "", **headers):
        return instance.app.test_client().post(f"/contribute/api/submissions{query}", json=body, headers={"Authorization": f"Bearer {token}", **headers})

    send.kept = lambda: {s.title: s.state for s in submissions.of_account(instance.book, accounts.account_named(instance.book, name))}
    send.reader = reader
    return send


def upload(reader, form: dict, *titles: str, status: int = 200) -> list[str]:
    """Send the form with a table of these; gives the titles that the page lists."""
    body = "title@en,country\n" + "".join(f"{title},Spain\n" for title in titles)
    page = reader.post("/contribute/upload", {**form, "type": "practice", "file": (io.BytesIO(body.encode()), "ours.csv")}, status, content_type="multipart/form-data")
    return re.findall(r'\?check=1"[^>]*>([^<]*)</a>', page)


def upload_form(reader) -> dict:
    found = dict(Form(reader.read("/contribute/upload"), "/contribute/upload").fields)
    return {"proof": found["proof"], "form": found["form"]}


def test_a_key_stands_for_one_request(program):
    """Of another one nothing is taken: neither what was sent first in place of it, nor it."""
    key = {"Idempotency-Key": "weekly"}
    bare = {**several("Checked or not")[0], "page": "", "licence": False}
    first = program(bare, "?draft=1", **key)
    assert first.status_code == 201 and first.json[0]["state"] == "draft"
    for body, query in ((several("Checked or not")[0], ""), (bare, ""), (bare, "?draft=1&licence=CC-BY-4.0")):
        answer = program(body, query, **key)
        assert answer.status_code == 422 and "Something else was sent with this Idempotency-Key" in answer.json["detail"], answer.json
        assert first.json[0]["id"] in answer.get_data(as_text=True)
    assert program.kept() == {"Checked or not": "draft"}
    assert program(bare, "?draft=1", **key).json == first.json, "the same again is answered as it was"


def test_a_key_of_before_requests_were_told_apart(instance, program):
    """A program that repeats what it sent to an older kvgraph is answered as it was then."""
    key = {"Idempotency-Key": "monthly"}
    first = program(several("Sent long ago"), **key)
    with instance.book.writing() as session:
        found = session.get(submissions.Submission, first.json[0]["id"])
        found.form = re.sub(r":[0-9a-f]{12}:0$", ":0", found.form)
        assert found.form.count(":") == 3
    assert program(several("Sent long ago"), **key).json[0]["id"] == first.json[0]["id"]
    assert list(program.kept()) == ["Sent long ago"]


def test_many_records_are_submitted_or_none(program, monkeypatch):
    monkeypatch.setitem(attempts.LIMITS, "submit-account", attempts.Limit(5, timedelta(hours=1), "You have submitted very much in a short time."))
    assert program(several("One", "Two", "Three"), **{"Idempotency-Key": "a"}).status_code == 201
    refused = program(several("Four", "Five", "Six"), **{"Idempotency-Key": "b"})
    assert refused.status_code == 429 and "Nothing was submitted." in refused.json["hint"]
    assert 3590 < int(refused.headers["Retry-After"]) <= 3601
    assert set(program.kept()) == {"One", "Two", "Three"}
    assert program(several("Four", "Five"), **{"Idempotency-Key": "c"}).status_code == 201, "what was refused counts for nothing"
    again = program(several("One", "Two", "Three"), **{"Idempotency-Key": "a"})
    assert again.status_code == 201 and [s["title"] for s in again.json] == ["One", "Two", "Three"], "what is there already needs no room"
    assert program.kept() == dict.fromkeys(("One", "Two", "Three", "Four", "Five"), "submitted")


def test_a_file_becomes_drafts_or_none(program, monkeypatch):
    monkeypatch.setattr(submissions, "DRAFTS", 5)
    reader = program.reader
    assert upload(reader, upload_form(reader), "One", "Two", "Three") == ["One", "Two", "Three"]
    assert upload(reader, form := upload_form(reader), "Four", "Five", "Six", status=422) == []
    assert set(program.kept()) == {"One", "Two", "Three"}
    assert upload(reader, form, "Four", "Five") == ["Four", "Five"]


def test_the_form_sent_again_with_a_corrected_file_is_another_upload(program):
    form = upload_form(program.reader)
    for _ in range(2):
        assert upload(program.reader, form, *(f"Version {n}" for n in range(12))) == [f"Version {n}" for n in range(12)]
    assert upload(program.reader, form, "Corrected version", "Another") == ["Corrected version", "Another"]
    assert len(program.kept()) == 14


def test_a_key_is_not_taken_by_an_account_that_was_deleted(instance, program):
    """The number of an account is given again; what is published of the one before stays."""
    assert program(several("Left behind"), **{"Idempotency-Key": "one"}).status_code == 201
    with instance.book.writing() as session:
        found = session.query(submissions.Submission).filter_by(title="Left behind").one()
        found.state = "accepted"
        account = found.account
    leaving.forget(instance.book, account, credit=True)
    with instance.book.reading() as session:
        assert session.get(submissions.Submission, found.id).form == f"forgotten:{found.id}"
