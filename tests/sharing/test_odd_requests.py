"""What nobody sends who uses the pages as they are: refused in words, never an internal error; and what changes while somebody is at it."""

import html
import json
import re

import pytest

from kvgraph.contribute import accounts, attempts, decisions, leaving, reading, submissions
from kvgraph.contribute.book import Gone, Submission
from kvgraph.errors import KvgraphError

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


def test_a_part_whose_own_address_would_be_none(program):
    """It is made of those of the actor and the role, and each of them is one."""
    part = f"<{PRACTICE[:-8]}x> a <http://www.w3.org/ns/prov#Association> ; <http://www.w3.org/ns/prov#agent> <http://e.x/a#b> ; <http://www.w3.org/ns/prov#hadRole> <http://e.x/c#d> ."
    sent = f"""<{LAB}-3> a <{PRACTICE}> ; <http://purl.org/dc/terms/title> "Two hashes"@en ; <http://www.w3.org/ns/prov#qualifiedAssociation> <{PRACTICE[:-8]}x> . {part}"""
    answer = program(sent, **{"Content-Type": "text/turtle"})
    assert answer.status_code == 422 and any(f["field"] == "qualifiedAssociation" for f in answer.json["findings"]), answer.json


def test_a_report_is_no_record_to_change(instance, person):
    reader = person()
    reader.post("/contribute/report", {"proof": proof(reader), "words": "This is wrong, I think.", "thing": "", "form": "r" * 30})
    [sent] = [s for s in submissions.queue(instance.book, limit=1000) if s.kind == "report" and s.content["words"].startswith("This is wrong, I think")]
    assert "There is no such submission" in reader.post(f"/contribute/{sent.id}", {"proof": proof(reader), "action": "save", "title": "x"}, 404)


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
    monkeypatch.setattr(accounts.secrets, "hash_password", lambda password: leaving.forget(instance.book, account, True) or hashed(password))
    person.send("/account/password", 410, current=PASSWORD, password="another long password")


def test_nothing_is_begun_for_an_account_that_is_gone(instance):
    instance.somebody("gone")
    account = accounts.account_named(instance.book, "gone")
    leaving.forget(instance.book, account, True)
    record = submissions.Record("practice", thing=f"{LAB}-3")
    for attempt in (lambda: accounts.begin_session(instance.book, account), lambda: accounts.make_token(instance.book, account, "x", ["read"], 1), lambda: submissions.begin(instance.book, account, "gone:form", "record", record)):
        with pytest.raises(Gone):
            attempt()
    with instance.book.reading() as session:
        assert session.query(Submission).filter_by(form="gone:form").count() == 0


# ── Floods ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", [{"title": {"en": [f"{n}" for n in range(5000)]}}, {"lead": [f"nobody {n}" for n in range(5000)]}, {"description": {"en": "x" * 70_000}}])
def test_a_record_that_is_too_large_becomes_no_draft_either(program, given):
    answer = program(json.dumps({"type": "practice", "values": given}), "?draft=1")
    assert answer.status_code == 422 and "at most" in answer.get_data(as_text=True)


def test_a_cell_with_thousands_of_names_is_not_looked_up(instance, monkeypatch):
    monkeypatch.setattr(reading.known, "meant", lambda *_: pytest.fail("looked up"))
    with pytest.raises(KvgraphError, match="at most 200 values"):
        reading.read(("lead\n" + "nobody;" * 5000).encode(), "csv", instance._graph(), "practice")


def reports(person, number: int) -> list[int]:
    return [person.client.post("/contribute/report", data={"proof": proof(person), "words": f"Something is wrong, {n}.", "form": f"flood-{n:030}"}).status_code for n in range(number)]


def test_reports_of_one_account_are_few(person):
    most = attempts.LIMITS["report-account"].times
    assert reports(person(), most + 2) == [303] * most + [429] * 2


def test_so_many_reports_of_one_account_wait_at_once(instance, monkeypatch):
    monkeypatch.setattr(submissions, "REPORTS", 3)
    flooding, other = instance.somebody("reports-much"), instance.somebody("reports-little")
    assert reports(flooding, 4) == [303] * 3 + [422]
    assert reports(other, 1) == [303]


def test_what_accounts_send_does_not_keep_visitors_from_reporting(instance, person, visitor, monkeypatch):
    monkeypatch.setattr(submissions, "UNREVIEWED", 1)
    writer = person()
    reports(writer, 1)
    words = {"words": "Something is wrong here, says a visitor."}
    with instance.book.writing() as session:
        session.query(Submission).filter_by(account_id=None).delete()
    assert [visitor.client.post("/contribute/report", data=words).status_code for _ in range(2)] == [303, 422]


def test_a_long_queue_has_pages_and_nothing_is_out_of_reach(instance, person, monkeypatch):
    monkeypatch.setattr("kvgraph.server.sharing.curating.PAGE", 3)
    curator = person("curator")
    sent = [submissions.report(instance.book, f"queue-{n:030}", submissions.Record("record", words=f"Report {n}."), None).id for n in range(7)]
    found, page = [], "/curate"
    while page:
        text = curator.read(page)
        found += re.findall(r'href="/curate/(\d+-\w+)"', text)
        page = html.unescape(next(iter(re.findall(r'href="([^"]+)" rel="next"', text)), ""))
    assert len(found) == len(set(found)) and set(sent) <= set(found) and found.index(sent[0]) < found.index(sent[6])
    decided = [submissions.load(instance.book, one) for one in sent[:5]]
    for one in decided:
        decisions.reject(instance.book, accounts.operator(), one.id, one.version, "No.")
    assert re.findall(r'href="/curate/(\d+-\w+)"', curator.read("/curate?state=rejected"))[0] == sent[4], "the newest first"
