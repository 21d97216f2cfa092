"""What nobody sends who uses the pages as they are: refused in words, never an internal error; and what changes while somebody is at it."""

import json

import pytest

from kvgraph.contribute import accounts, submissions
from kvgraph.contribute.book import Gone, Submission

from .people import HTML, LAB, PASSWORD
from .test_safety import program_of, proof

PRACTICE = "https://w3id.org/kvgraph/def/kv#Practice"
ODD = {
    "a list for a type": ({"type": [], "values": {}}, "A record is an object"),
    "an object for a type": ({"type": {}, "values": {}}, "A record is an object"),
    "an object for an agent": ({"type": "practice", "values": {"qualifiedAssociation": {"agent": {}, "role": "partner"}}}, "takes texts"),
    "a statement about a statement": (f"<{LAB}-2> a <{PRACTICE}> ; <a:b> <<( <a:b> <a:b> <a:b> )>> .", "statements about statements"),
    "a statement as a type": (f"<{LAB}-2> a <{PRACTICE}>, <<( <a:b> <a:b> <a:b> )>> .", "statements about statements"),
}


@pytest.fixture(scope="module")
def program(instance):
    return program_of(instance, "a-program")


@pytest.mark.parametrize("what", ODD)
def test_a_program_that_sends_something_odd_is_told(program, what):
    sent, words = ODD[what]
    answer = program(sent if isinstance(sent, str) else json.dumps(sent), "?draft=1", **{"Content-Type": "text/turtle" if isinstance(sent, str) else "application/json"})
    assert answer.status_code == 422 and words in answer.get_data(as_text=True)


def test_null_is_no_value(instance, program):
    values = {"title": {"en": "Null and void", "fr": None, "de": [None, "Null und nichtig"]}, "country": None, "qualifiedAssociation": [None], "channel": [None]}
    [told] = program(json.dumps({"type": "practice", "values": values}), "?draft=1").json
    kept = submissions.load(instance.book, told["id"]).content["values"]
    assert [(v["text"], v["lang"]) for several in kept.values() for v in several] == [("Null and void", "en"), ("Null und nichtig", "de")]


@pytest.mark.parametrize("origin", ["http://[::1", "http://]", "null", ""])
def test_a_form_from_an_address_that_is_none_is_not_ours(visitor, origin):
    for address in ("/account/sign-in", "/contribute/report"):
        assert visitor.client.post(address, data={"words": "Something is wrong."}, headers={**HTML, "Origin": origin}).status_code == 403


def test_a_draft_is_looked_at_before_its_page_is_given(person):
    writer = person()
    assert "Only a title" in writer.read(writer.contribute(title="Only a title", page="", seen="", action="save") + "/preview")


# ── What is deleted while somebody works with it ─────────────────────────────────────────────────────────────────────


def test_a_comment_on_what_is_being_taken_back(instance, person, monkeypatch):
    writer = person()
    sent = writer.contribute(title="Taken back in between", different="yes")
    found = submissions.load(instance.book, sent.rpartition("/")[2])
    monkeypatch.setattr(submissions, "spend", lambda *_: submissions.discard(instance.book, found.account, found.id))
    assert "There is no such submission" in writer.post(f"{sent}/comment", {"proof": proof(writer), "text": "Hello"}, 404)


def test_a_new_password_for_an_account_that_is_being_deleted(instance, monkeypatch):
    person, hashed = instance.somebody("twice"), accounts.secrets.hash_password
    account = accounts.account_named(instance.book, "twice")
    monkeypatch.setattr(accounts.secrets, "hash_password", lambda password: submissions.forget(instance.book, account, True) or hashed(password))
    person.send("/account/password", 410, current=PASSWORD, password="another long password")


def test_nothing_is_begun_for_an_account_that_is_gone(instance):
    instance.somebody("gone")
    account = accounts.account_named(instance.book, "gone")
    submissions.forget(instance.book, account, True)
    record = submissions.Record("practice", thing=f"{LAB}-3")
    for attempt in (lambda: accounts.begin_session(instance.book, account), lambda: accounts.make_token(instance.book, account, "x", ["read"], 1), lambda: submissions.begin(instance.book, account, "gone:form", "record", record)):
        with pytest.raises(Gone):
            attempt()
    with instance.book.reading() as session:
        assert session.query(Submission).filter_by(form="gone:form").count() == 0
