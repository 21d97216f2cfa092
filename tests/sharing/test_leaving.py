"""What is kept about somebody: they can take it away, mend it, and have it forgotten, in the pages and in the files."""

import json

import pytest

from kvgraph.contribute import accounts, attempts, decisions, leaving, submissions
from kvgraph.contribute.book import Event, Submission
from kvgraph.errors import KvgraphError

from .people import PASSWORD
from .test_safety import instance_has, program_of, proof


@pytest.fixture
def leaver(instance, numbers):
    """Somebody with an e-mail address, who has contributed this and that, and written on it."""
    name = f"zzleaver{next(numbers)}"
    accounts.sign_up(instance.book, name, PASSWORD, email=f"{name}@example.org")
    person = instance.somebody()
    person.sign_in(name)
    person.name = name
    return person


def leave(person, **fields) -> None:
    person.send("/account/delete", password=PASSWORD, **fields)


def decide(instance, address: str, decision) -> None:
    found = submissions.load(instance.book, address.rpartition("/")[2])
    decision(instance.book, accounts.operator(), found.id, found.version, "Seen.")


def test_what_is_in_no_release_is_forgotten_in_the_files_too(instance, leaver):
    rejected = leaver.contribute(title="To be rejected", note="zznote: my number is 123", credit="ZZ Credit", different="yes")
    leaver.post(f"{rejected}/comment", {"proof": proof(leaver), "text": "Call me at zzphone"})
    decide(instance, rejected, decisions.reject)
    leaver.client.post("/contribute/report", data={"proof": proof(leaver), "words": "This is wrong, says zzname.", "form": "z" * 30})
    for report in (s for s in submissions.queue(instance.book) if s.kind == "report"):
        decide(instance, f"/{report.id}", decisions.accept)
    discarded = leaver.contribute(title="zzdiscarded plan", action="save")
    leaver.post(discarded, {"proof": proof(leaver), "action": "discard"})
    written = (leaver.name.encode(), b"zznote", b"ZZ Credit", b"zzphone", b"zzname", b"zzdiscarded")
    kept = lambda: b"".join(p.read_bytes() for p in sorted(instance.home.glob("app.db*")))  # noqa: E731
    assert all(word in kept() for word in written[:-1])
    leave(leaver)
    assert not [word for word in written if word in kept()]


def test_what_is_published_stays_without_comments_and_if_wished_without_credit(instance, leaver):
    sent = leaver.contribute(title="Stays when somebody leaves", credit="ZZ Stays", different="yes")
    leaver.post(f"{sent}/comment", {"proof": proof(leaver), "text": "Call me at zzphone"})
    decide(instance, sent, decisions.accept)
    leave(leaver, credit="no")
    found = submissions.load(instance.book, sent.rpartition("/")[2])
    assert (found.state, found.account_id, found.content["credit"], found.stale) == ("accepted", None, "", True)
    assert [e.text for e in found.events if e.action == "commented"] == [""]


@pytest.mark.parametrize("released", [True, False])
def test_what_a_release_has_to_be_told_is_gone_is_told_and_then_deleted(instance, leaver, person, released):
    curator = person("curator")
    sent = leaver.contribute(title=f"Undone and left, zztitle {released}", note="zznote", description="A zzsecret place.", different="yes")
    decide(instance, sent, decisions.accept)
    if released:
        instance.publish()
    decide(instance, sent, decisions.undo)
    leave(leaver)
    found = submissions.load(instance.book, sent.rpartition("/")[2])
    assert (found.state, found.stale) == ("undone", True)
    assert found.title == found.id and found.content["values"] == {} and not [word for word in ("zznote", "zzsecret") if word in str(found.content)]
    assert "zztitle" not in curator.read("/curate?state=undone")
    instance.publish()
    with pytest.raises(submissions.UnknownSubmission):
        submissions.load(instance.book, found.id)
    assert found.id not in curator.read("/curate?state=undone") and not decisions.pending(instance.book)


def test_who_gets_the_number_of_an_account_gets_nothing_else_of_it(instance):
    send = program_of(instance, "came-first")
    sent = json.dumps({"type": "practice", "values": {"title": {"en": "Of whoever came first"}}})
    assert send(sent, "?draft=1", **{"Idempotency-Key": "import"}).status_code == 201
    first = accounts.account_named(instance.book, "came-first")
    for _ in range(attempts.LIMITS["file-account"].times - 1):
        attempts.spend(instance.book, "file-account", str(first.id))
    leaving.forget(instance.book, first, True)
    second = program_of(instance, "came-second")
    assert accounts.account_named(instance.book, "came-second").id == first.id, "SQLite gives the highest number again"
    assert second(sent, "?draft=1", **{"Idempotency-Key": "import"}).status_code == 201


def test_a_curator_takes_away_what_they_wrote_on_what_others_submitted(instance, person):
    writer, curator = person(), person("curator")
    sent = writer.contribute(title="Judged by somebody", different="yes")
    curator.decide(sent, "reject", "It is not public yet.")
    said = json.loads(curator.client.get("/account/export").data)["said"]
    assert [(e["submission"], e["action"], e["text"]) for e in said] == [(sent.rpartition("/")[2], "rejected", "It is not public yet.")]
    leave(curator)
    with instance.book.reading() as session:
        [event] = session.query(Event).filter_by(submission_id=sent.rpartition("/")[2], action="rejected")
        assert event.account_id is None and event.text == "It is not public yet.", "a decision is understood later too"


def test_the_page_says_what_goes_and_what_stays(leaver):
    page = leaver.read("/account/delete")
    assert "the words of your comments" in page and "Releases are never changed" in page


# ── The e-mail address ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_email_address_is_changed_and_removed(instance, leaver):
    leaver.send("/account", to="/account/email", email="new@example.org")
    assert accounts.account_named(instance.book, leaver.name).email == "new@example.org"
    page = leaver.send("/account", 422, to="/account/email", email="x@[")
    assert 'value="x@["' in page and 'aria-invalid="true"' in page and "This is no e-mail address" in page
    leaver.send("/account", to="/account/email", email="")
    assert accounts.account_named(instance.book, leaver.name).email == ""


@pytest.mark.parametrize("email", ["x@[", "x@y", "a..b@example.org", ".a@example.org", "a@-b.org", "a@b..org", "a b@example.org", "a@b.org\nBcc: c", "x" * 65 + "@b.org", "a@" + "b." * 130 + "org"])
def test_an_email_address_is_one(instance, email):
    with pytest.raises(KvgraphError, match="no e-mail address"):
        accounts.sign_up(instance.book, "with-email", PASSWORD, email=email)
    assert not instance_has(instance, "with-email")


# ── What a token reads, and what counts ──────────────────────────────────────────────────────────────────────────────


def test_the_token_of_a_curator_reads_no_more_than_their_own(instance, person):
    """Its page says: “read your submissions”."""
    sent = person().contribute(title="Of somebody else", different="yes").rpartition("/")[2]
    curator = instance.somebody("reads-by-program", "curator")
    assert curator.client.get(f"/curate/{sent}").status_code == 200
    token = accounts.make_token(instance.book, accounts.account_named(instance.book, "reads-by-program"), "x", ["read"], 1)
    assert instance.app.test_client().get(f"/contribute/api/submissions/{sent}", headers={"Authorization": f"Bearer {token}"}).status_code == 404


def test_accounts_that_were_not_made_do_not_count(instance):
    visitor, far = instance.somebody(), {"REMOTE_ADDR": "198.51.100.44"}
    form = {"proof": proof(visitor)}
    attempt = lambda name, password=PASSWORD: visitor.client.post("/account/sign-up", data={**form, "name": name, "password": password}, environ_base=far).status_code  # noqa: E731
    assert {attempt("too-short", "short") for _ in range(attempts.LIMITS["sign-up-address"].times + 1)} == {422}
    assert {attempt("the-name-of-nobody", "x") for _ in range(2)} == {422}
    accounts.sign_up(instance.book, "is-taken", PASSWORD)
    assert [attempt("is-taken") for _ in range(attempts.LIMITS["sign-up-address"].times + 1)][-1] == 429, "or all names could be tried"


def test_strangers_who_guess_do_not_keep_an_owner_from_their_account(instance):
    owner = instance.somebody("owner-inside")
    for _ in range(attempts.LIMITS["sign-in"].times):
        with pytest.raises(accounts.NotAllowed):
            accounts.sign_in(instance.book, "owner-inside", "a guess", "192.0.2.9")
    with pytest.raises(attempts.TooOften):
        accounts.sign_in(instance.book, "owner-inside", PASSWORD, "192.0.2.9")
    assert accounts.sign_in(instance.book, "owner-inside", PASSWORD, "192.0.2.10").name == "owner-inside", "from elsewhere"
    owner.send("/account/password", current=PASSWORD, password="another long password")
    owner.send("/account/delete", password="another long password")
    with instance.book.reading() as session:
        assert session.query(Submission).filter_by(title="owner-inside").count() == 0


# ── What is wrong is said at the field ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("page, fields, status, field", [
    ("/account/sign-in", {"name": "nobody", "password": "wrong password"}, 403, "name"),
    ("/account/sign-up", {"name": "x", "password": PASSWORD}, 422, "name"),
    ("/account/sign-up", {"name": "fine-name", "password": "short"}, 422, "password"),
    ("/account/sign-up", {"name": "fine-name", "password": PASSWORD, "email": "x@["}, 422, "email"),
    ("/account/password", {"current": "wrong", "password": "another long password"}, 422, "current"),
    ("/account/password", {"current": PASSWORD, "password": "short"}, 422, "password"),
    ("/account/tokens", {"name": " ", "days": "9", "scope": ["read"]}, 422, "name"),
    ("/account/tokens", {"name": "x", "days": "9"}, 422, "scope"),
    ("/account/tokens", {"name": "x", "days": "many", "scope": ["read"]}, 422, "days"),
    ("/account/delete", {"password": "wrong"}, 422, "password"),
])  # fmt: skip
def test_what_is_wrong_leads_to_its_field(person, visitor, page, fields, status, field):
    who = visitor if page in ("/account/sign-in", "/account/sign-up") else person()
    told = who.post(page, [(n, one) for n, v in {"proof": proof(who), **fields}.items() for one in (v if isinstance(v, list) else [v])], status)
    [bad] = {line for line in told.replace("<input", "\n<input").splitlines() if 'aria-invalid="true"' in line and f'id="{field}"' in line}
    assert f'<a href="#{field}">' in told and 'problem"' in bad and "autofocus" in told
