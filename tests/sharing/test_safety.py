"""Who may do what, and what strangers try: every address for every role, forged forms, fixed sessions, open redirects, others' drafts, leaking tokens, scripts."""

import json
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kvgraph.contribute import accounts, attempts
from kvgraph.contribute.book import Account, now
from kvgraph.errors import KvgraphError
from kvgraph.server.sharing import BLUEPRINTS, sessions

from ..server.html import check
from .people import HTML, LAB, PASSWORD, PRACTICE, Form

# Every address of these pages and which role is needed: nobody, contributor, curator, administrator. A test holds this table complete.
ADDRESSES = {
    ("GET", "/account"): "contributor", ("GET", "/account/sign-in"): "", ("POST", "/account/sign-in"): "", ("GET", "/account/sign-up"): "",
    ("POST", "/account/sign-up"): "", ("POST", "/account/sign-out"): "", ("GET", "/account/password"): "contributor", ("POST", "/account/password"): "contributor",
    ("POST", "/account/email"): "contributor", ("GET", "/account/tokens"): "contributor", ("POST", "/account/tokens"): "contributor", ("POST", "/account/tokens/<int(max=2147483647):token_id>/revoke"): "contributor",
    ("GET", "/account/export"): "contributor", ("GET", "/account/delete"): "contributor", ("POST", "/account/delete"): "contributor",
    ("GET", "/contribute"): "", ("GET", "/contribute/new/<type_>"): "contributor", ("POST", "/contribute/new/<type_>"): "contributor",
    ("GET", "/contribute/correct"): "contributor", ("POST", "/contribute/correct"): "contributor", ("GET", "/contribute/<submission_id>"): "contributor",
    ("POST", "/contribute/<submission_id>"): "contributor", ("GET", "/contribute/<submission_id>/preview"): "contributor",
    ("POST", "/contribute/<submission_id>/comment"): "contributor", ("GET", "/contribute/report"): "", ("POST", "/contribute/report"): "",
    ("GET", "/contribute/thanks"): "", ("GET", "/contribute/upload"): "contributor", ("POST", "/contribute/upload"): "contributor",
    ("GET", "/contribute/template/<type_>.<suffix>"): "", ("GET", "/contribute/api/submissions"): "token", ("POST", "/contribute/api/submissions"): "token",
    ("GET", "/contribute/api/submissions/<submission_id>"): "token", ("GET", "/curate"): "curator", ("GET", "/curate/<submission_id>"): "curator",
    ("POST", "/curate/<submission_id>"): "curator", ("GET", "/curate/settings"): "administrator", ("POST", "/curate/settings"): "administrator",
    ("GET", "/curate/tools"): "curator", ("POST", "/curate/tools"): "curator", ("GET", "/curate/links"): "curator", ("POST", "/curate/links"): "curator",
}  # fmt: skip
ROLES = ("", "contributor", "curator", "administrator")


@pytest.fixture(scope="module")
def everybody(instance):
    return {role: instance.somebody(f"the-{role}" if role else "", role) for role in ROLES}


@pytest.fixture(scope="module")
def theirs(instance):
    """A draft and a submission of somebody else."""
    owner = instance.somebody("the-owner")
    return owner.contribute(title="A secret plan", action="save"), owner.contribute(title="Sent for review")


def proof(person) -> str:
    return dict(Form(person.read("/contribute/report" if person.client.get("/account").status_code == 200 else "/account/sign-in"), "").fields)["proof"]


def test_the_table_has_every_address(instance):
    names = {b.name for b in BLUEPRINTS}
    rules = {(m, r.rule) for r in instance.app.url_map.iter_rules() if r.endpoint.partition(".")[0] in names for m in r.methods - {"HEAD", "OPTIONS"}}
    assert rules == ADDRESSES.keys()


@pytest.mark.parametrize("role", ROLES)
def test_every_role_at_every_address(everybody, theirs, role):
    """Without the role nothing is shown and nothing done; whoever has it is not refused for that."""
    person = everybody[role]
    sent = theirs[1].rpartition("/")[2]
    for (method, rule), needed in ADDRESSES.items():
        if rule in ("/account/sign-in", "/account/sign-out", "/account/delete", "/account/password") and method == "POST":
            continue  # of these below
        address = rule.replace("<submission_id>", sent).replace("<type_>", "practice").replace("<suffix>", "csv").replace("<int(max=2147483647):token_id>", "999999")
        data = {"proof": proof(person)} if method == "POST" else None
        response = person.client.open(address, method=method, data=data, headers=HTML)
        assert response.status_code < 500, (role, method, rule)
        enough = not needed or needed != "token" and role and ROLES.index(role) >= ROLES.index(needed)
        if needed == "token":
            assert response.status_code == 401, (role, method, rule)
        elif enough:
            assert response.status_code != 403, (role, method, rule, response.get_data(as_text=True)[-500:])
        elif role:
            assert response.status_code == 403, (role, method, rule)
        else:
            assert response.status_code == 303 and "/account/sign-in" in response.headers["Location"], (role, method, rule)


def test_what_is_personal_is_never_kept_by_a_cache(everybody, theirs):
    for method, rule in ADDRESSES:
        if method == "GET" and "<" not in rule:
            headers = everybody["administrator"].client.get(rule, headers=HTML).headers
            assert headers["Cache-Control"] == "private, no-store" and "Cookie" in headers["Vary"] and headers["Referrer-Policy"] == "same-origin", rule


def test_pages_for_everybody_are_the_same_for_those_who_signed_in(everybody):
    one, other = (everybody[role].client.get("/doc/practice/living-lab", headers=HTML) for role in ("", "administrator"))
    assert one.data == other.data and one.headers["ETag"] == other.headers["ETag"] and not one.headers.getlist("Set-Cookie")


def test_what_is_personal_has_no_form_within_a_release(instance, everybody):
    release = everybody[""].client.get("/readyz").get_data(as_text=True).split()[-1]
    for address in ("/account", "/contribute", "/curate", "/account/sign-in"):
        assert everybody["administrator"].client.get(f"/release/{release}{address}", headers=HTML).status_code == 404


# ── Others' drafts ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ROLES[1:])
def test_nobody_sees_or_changes_the_draft_of_somebody_else(everybody, theirs, role):
    person, draft = everybody[role], theirs[0]
    for address in (draft, f"{draft}/preview", f"/curate/{draft.rpartition('/')[2]}" if role != "contributor" else draft):
        assert "secret plan" not in person.read(address, 404)
    for action in ("save", "submit", "discard"):
        person.post(draft, {"proof": proof(person), "action": action, "title": "Mine now"}, 404)
    person.post(f"{draft}/comment", {"proof": proof(person), "text": "Hello"}, 404)
    for page in ("/account", "/account/export"):
        assert "secret plan" not in person.client.get(page).get_data(as_text=True)


def test_curators_do_not_change_what_others_submitted(everybody, theirs):
    person = everybody["curator"]
    person.post(theirs[1], {"proof": proof(person), "action": "save", "title": "Mine now"}, 404)
    person.post(theirs[1], {"proof": proof(person), "action": "discard"}, 404)
    assert "Sent for review" in person.read(f"/curate/{theirs[1].rpartition('/')[2]}")


# ── Forged forms, fixed sessions, redirects ──────────────────────────────────────────────────────────────────────────


def test_a_form_of_another_site_changes_nothing(instance, everybody, theirs):
    person = everybody["curator"]
    page = f"/curate/{theirs[1].rpartition('/')[2]}"
    version = re.search(r'name="version" value="(\d+)"', person.read(page))[1]
    good = {"proof": proof(person), "action": "accept", "version": version}
    for forged, headers in (
        ({**good, "proof": ""}, {}), ({**good, "proof": "x" * 64}, {}), ({**good, "proof": proof(everybody["administrator"])}, {}), ({k: v for k, v in good.items() if k != "proof"}, {}),
        (good, {"Origin": "https://evil.example"}), (good, {"Origin": "null"}), (good, {"Sec-Fetch-Site": "cross-site"}), (good, {"Sec-Fetch-Site": "same-site"}),
    ):  # fmt: skip
        person.post(page, forged, 403, headers=headers)
    assert "Waiting for review" in person.read(page)


def test_signing_in_needs_a_form_of_this_browser(instance):
    """Nobody is signed in to an account that is not theirs (login CSRF)."""
    one, other = instance.somebody(), instance.somebody()
    form = dict(Form(one.read("/account/sign-in"), "sign-in").fields)
    other.read("/account/sign-in")
    other.post("/account/sign-in", {**form, "name": "the-owner", "password": PASSWORD}, 403)


def test_a_session_begins_anew_when_somebody_signs_in(instance):
    """A cookie that was there before is worth nothing afterwards (session fixation)."""
    person = instance.somebody("fixed")
    old = person.client.get_cookie("kvgraph_session").value
    victim = instance.somebody()
    victim.client.set_cookie("kvgraph_session", "chosen-by-an-attacker")
    victim.client.set_cookie("kvgraph_session", old)
    person.client.post("/account/sign-out", data={"proof": proof(person)})
    victim.client.delete_cookie("kvgraph_session")
    victim.sign_in("fixed")
    new = victim.client.get_cookie("kvgraph_session")
    assert new.value not in (old, "chosen-by-an-attacker") and new.http_only and new.same_site == "Lax"
    thief = instance.somebody()
    thief.client.set_cookie("kvgraph_session", old)
    assert thief.client.get("/account").status_code == 303


def test_over_https_cookies_are_secure(instance):
    response = instance.app.test_client().get("/account/sign-in", base_url="https://localhost/")
    [cookie] = response.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-kvgraph_form=") and "Secure" in cookie and "HttpOnly" in cookie and "Path=/" in cookie and "Domain" not in cookie


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "evil", "\\\\evil.example", "/%0d%0aSet-Cookie:x=y", "///evil.example"])
def test_signing_in_leads_nowhere_else(instance, address):
    person = instance.somebody()
    if not instance_has(instance, "redirected"):
        accounts.sign_up(instance.book, "redirected", PASSWORD)
    form = dict(Form(person.read("/account/sign-in"), "sign-in").fields)
    where = person.post("/account/sign-in", {**form, "name": "redirected", "password": PASSWORD, "next": address})
    assert where == "/account" or where == "/%0d%0aSet-Cookie:x=y", where


def instance_has(instance, name: str) -> bool:
    with instance.book.reading() as session:
        return session.query(Account).filter_by(name=name).count() > 0


# ── Passwords and tokens ─────────────────────────────────────────────────────────────────────────────────────────────


def test_whether_there_is_an_account_is_not_told(instance):
    """The same words for a wrong password and a name that nobody has; and after ten of them nobody is asked any more."""
    instance.somebody("known-name")
    answers = []
    for name in ("known-name", "unknown-name"):
        person = instance.somebody()
        form = dict(Form(person.read("/account/sign-in"), "sign-in").fields)
        for _ in range(attempts.LIMITS["sign-in"].times):
            text = person.post("/account/sign-in", {**form, "name": name, "password": "wrong password"}, 403)
        answers.append(re.sub(r'name="proof" value="\w+"|value="(un)?known-name"', "", text))
        person.post("/account/sign-in", {**form, "name": name, "password": PASSWORD}, 429)
    assert answers[0] == answers[1]


def test_secrets_are_kept_as_hashes_only(instance):
    person = instance.somebody("hashed")
    token = re.search(r"kvg_[\w-]+", person.send("/account/tokens", 200, name="x", scope=["read"], days="1"))[0]
    session = person.client.get_cookie("kvgraph_session").value
    kept = b"".join(p.read_bytes() for p in instance.home.glob("app.db*"))
    assert b"$argon2id$" in kept
    assert not any(secret.encode() in kept for secret in (token, session, PASSWORD))
    assert (instance.home / "app.db").stat().st_mode & 0o077 == 0 == (instance.home / "secret.key").stat().st_mode & 0o077


def test_a_token_appears_nowhere_but_once(instance, caplog):
    person = instance.somebody("tokens")
    with caplog.at_level(logging.DEBUG):
        token = re.search(r"kvg_[\w-]+", person.send("/account/tokens", 200, name="x", scope=["read", "submit"], days="1"))[0]
        asked = {"headers": {"Authorization": f"Bearer {token}"}}
        answer = instance.app.test_client().get("/contribute/api/submissions", **asked)
        assert answer.status_code == 200 and token not in answer.get_data(as_text=True)
        instance.app.test_client().post("/contribute/api/submissions", data=b"{", content_type="application/json", **asked)
    assert token not in caplog.text and not any(token in str(vars(r)) for r in caplog.records)
    assert token not in person.read("/account/tokens") and token not in person.client.get("/account/export").get_data(as_text=True)
    assert instance.app.test_client().get(f"/contribute/api/submissions?token={token}").status_code == 401, "never in an address"


def test_a_token_does_only_what_it_was_made_for_and_ends(instance):
    person = instance.somebody("scoped")
    read, submit = (re.search(r"kvg_[\w-]+", person.send("/account/tokens", 200, name=s, scope=[s], days="1"))[0] for s in ("read", "submit"))
    program = instance.app.test_client()
    use = lambda method, token: program.open("/contribute/api/submissions", method=method, headers={"Authorization": f"Bearer {token}"}, json={} if method == "POST" else None).status_code  # noqa: E731
    assert (use("GET", read), use("POST", read), use("GET", submit), use("POST", submit)) == (200, 403, 403, 422)
    assert program.get("/account", headers={"Authorization": f"Bearer {read}"}).status_code == 303, "a token is no session"
    person.client.post("/account/tokens/1/revoke", data={"proof": proof(person)})
    mine = accounts.tokens_of(instance.book, accounts.account_named(instance.book, "scoped"))
    person.client.post(f"/account/tokens/{mine[0].id}/revoke", data={"proof": proof(person)})
    assert use("GET", read) == 403
    with instance.book.writing() as session:
        session.merge(mine[1]).expires = now()
    assert use("POST", submit) == 403
    assert use("GET", "kvg_" + "x" * 43) == use("GET", "x") == 403


def test_a_new_password_ends_everything_else(instance):
    here, there = instance.somebody("moving"), instance.somebody()
    there.sign_in("moving")
    here.send("/account/password", current=PASSWORD, password="another long password")
    assert here.client.get("/account").status_code == 200 and there.client.get("/account").status_code == 303


def test_an_account_that_is_deleted_takes_its_drafts_with_it(instance):
    person = instance.somebody("leaving")
    draft = person.contribute(title="Half a thought", action="save")
    assert json.loads(person.client.get("/account/export").data)["submissions"][0]["title"] == "Half a thought"
    person.send("/account/delete", 422, password="wrong")
    person.send("/account/delete", password=PASSWORD)
    assert person.client.get(draft).status_code == 303 and not instance_has(instance, "leaving")


def test_a_password_that_is_guessed_at_once_is_not_taken(instance):
    for password in ("short", "aaaaaaaaaaaa", "guessable1", "x" * 201):
        instance.somebody().send("/account/sign-up", 422, name="guessable1", password=password)


# ── Scripts, headers, floods ─────────────────────────────────────────────────────────────────────────────────────────

SCRIPTS = ('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "{{ 7*7 }}", "\u202egnp.exe", "a\r\nSet-Cookie: x=y")


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_field_carries_a_script(instance, everybody, script):
    """Whatever is written into any field comes back as text: in the form, the preview, the review, the lists."""
    person, curator = everybody["contributor"], everybody["curator"]
    fields = {name: script for name in PRACTICE if name not in ("title.lang", "description.lang", "relation", "licence")}
    draft = person.contribute(**{**fields, "title": f"T {script}", "action": "save", "lead": "", "lead.find": script, "note": script})
    pages = [person.read(draft), person.read(f"{draft}?check=1"), person.read("/account")]
    assert person.client.get(f"{draft}/preview", headers=HTML).status_code in (200, 400), "a page, or what is wrong"
    sent = person.contribute(title=f"Fine {script.replace('<', '(')}", credit="Fine", different="yes")
    pages += [person.read(sent), person.read(f"{sent}/preview"), curator.read(f"/curate/{sent.rpartition('/')[2]}"), curator.read("/curate")]
    for page in pages:
        found = check(page)
        assert "<script>alert" not in page and "<img src=x" not in page
        assert not any(link.lower().startswith("javascript:") for link in found.links)


def test_headers_carry_nothing_of_what_was_written(instance, everybody):
    person = everybody["contributor"]
    for address in ("/contribute/correct?thing=x%0d%0aSet-Cookie:a=b", "/contribute/report?thing=x%0d%0aSet-Cookie:a=b", "/contribute/new/practice%0d%0aSet-Cookie:a=b"):
        assert "a=b" not in str(person.client.get(address, headers=HTML).headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("role", ["contributor"])
def test_a_program_that_fills_in_every_field_is_stopped(instance, role):
    spam = {"website": "https://spam.example"}
    instance.somebody().send("/account/sign-up", 422, name="spammer", password=PASSWORD, **spam)
    instance.somebody().send(f"/contribute/report?thing={LAB}", 422, to="/contribute/report", words="Buy this and that now.", **spam)


def test_reports_from_one_address_are_few(instance):
    person, far = instance.somebody(), {"REMOTE_ADDR": "198.51.100.7"}
    statuses = [person.client.post("/contribute/report", data={"words": f"Something is wrong, number {n}.", "form": f"form-number-{n:030}"}, environ_base=far).status_code for n in range(10)]
    assert statuses == [303] * 8 + [429] * 2


def program_of(instance, name: str, **headers: str):
    """What a program of somebody new sends, and a function that sends it."""
    person = instance.somebody(name)
    token = re.search(r"kvg_[\w-]+", person.send("/account/tokens", 200, name="x", scope=["read", "submit"], days="1"))[0]
    return lambda data, address="", **more: instance.app.test_client().post(
        f"/contribute/api/submissions{address}", data=data, headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers, **more}
    )  # fmt: skip


def test_what_looks_like_a_number_and_is_none(instance, everybody):
    """Digits of other scripts, and more of them than a number of the database has."""
    curator = everybody["curator"]
    sent = instance.somebody("numbered").contribute(title="A practice with a number", different="yes").rpartition("/")[2]
    for version in ("²", "٣" * 3, "9" * 5000, "-1", ""):
        assert curator.client.post(f"/curate/{sent}", data={"proof": proof(curator), "version": version, "action": "accept"}, headers=HTML).status_code == 422
    assert curator.client.get("/curate/links?from=²").status_code == 200
    assert curator.client.post(f"/account/tokens/{10**30}/revoke", data={"proof": proof(curator)}, headers=HTML).status_code == 404


def test_keys_that_differ_at_their_end_are_two(instance):
    send, kept = program_of(instance, "two-keys"), []
    for number, title in enumerate(("The first harbour fund", "The second harbour fund")):
        key = "import of the practices of the port of 2026, row " + str(number)
        for _ in range(2):
            answer = send(json.dumps({"type": "practice", "values": {"title": {"en": title}}}), "?draft=1", **{"Idempotency-Key": key})
            kept.append((answer.json[0]["id"], answer.json[0]["title"]))
    assert kept[0] == kept[1] != kept[2] == kept[3] and kept[2][1] == "The second harbour fund"


def test_half_a_character_is_refused(instance):
    answer = program_of(instance, "surrogate")('{"type": "practice", "values": {"title": {"en": "A \\ud800 b"}}}', "?draft=1")
    assert answer.status_code == 422 and "character" in answer.get_data(as_text=True)


def test_floods_of_files_and_comments_end(instance):
    send = program_of(instance, "flooding")
    assert {send("{}").status_code for _ in range(attempts.LIMITS["file-account"].times)} == {422}
    assert send("{}").status_code == 429
    talker = instance.somebody("talkative")
    sent = talker.contribute(title="Much to be said about it", different="yes")
    answers = [talker.client.post(f"{sent}/comment", data={"proof": proof(talker), "text": "And another thing."}, headers=HTML).status_code for _ in range(attempts.LIMITS["comment-account"].times + 1)]
    assert answers[-1] == 429 and set(answers[:-1]) == {303}


def test_many_guesses_at_once_are_no_more_than_one_after_the_other(instance, monkeypatch):
    accounts.sign_up(instance.book, "guessed-at", PASSWORD)
    looked, answers, guesses = [], [], 3 * attempts.LIMITS["sign-in"].times
    gate = threading.Barrier(guesses)

    def guess(number: int) -> None:
        gate.wait()
        try:
            accounts.sign_in(instance.book, "guessed-at", f"guess number {number}")
        except KvgraphError as error:
            answers.append(type(error))

    with monkeypatch.context() as patch:
        patch.setattr(accounts.secrets, "is_password", lambda hashed, password: bool(looked.append(password)))
        threads = [threading.Thread(target=guess, args=(n,)) for n in range(guesses)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(looked) == answers.count(accounts.NotAllowed) == attempts.LIMITS["sign-in"].times
    assert answers.count(attempts.TooOften) == guesses - len(looked)


def test_guesses_from_very_many_addresses_end_too(instance, monkeypatch):
    accounts.sign_up(instance.book, "guessed-from-afar", PASSWORD)
    with monkeypatch.context() as patch:
        patch.setattr(accounts.secrets, "is_password", lambda hashed, password: False)
        for n in range(attempts.LIMITS["sign-in-name"].times):
            with pytest.raises(accounts.NotAllowed):
                accounts.sign_in(instance.book, "guessed-from-afar", "a guess", f"192.0.2.{n}")
    with pytest.raises(attempts.TooOften, match="with this name"):
        accounts.sign_in(instance.book, "guessed-from-afar", PASSWORD, "198.51.100.1")


def test_signing_in_often_is_no_guessing(instance):
    accounts.sign_up(instance.book, "comes-and-goes", PASSWORD)
    for _ in range(attempts.LIMITS["sign-in"].times + 2):
        assert accounts.sign_in(instance.book, "comes-and-goes", PASSWORD, "192.0.2.7").name == "comes-and-goes"


def test_wherever_a_password_is_asked_for_guesses_count_before_they_are_looked_at(instance, monkeypatch):
    person, looked = instance.somebody("watched"), []
    with monkeypatch.context() as patch:
        patch.setattr(accounts.secrets, "is_password", lambda hashed, password: bool(looked.append(password)))
        for number in range(attempts.LIMITS["password-account"].times):
            if number % 2:
                person.send("/account/delete", 422, password="a guess")
            else:
                person.send("/account/password", 422, current="a guess", password="another long password")
        person.send("/account/delete", 429, password=PASSWORD)
        person.send("/account/password", 429, current=PASSWORD, password="another long password")
    assert len(looked) == attempts.LIMITS["password-account"].times and instance_has(instance, "watched")


def test_of_many_passwords_at_once_only_so_many_wait_and_the_others_are_told_and_lose_no_attempt(instance, monkeypatch):
    accounts.sign_up(instance.book, "one-of-many", PASSWORD)
    visitor = instance.somebody()
    with monkeypatch.context() as patch:
        patch.setattr(accounts.secrets, "_room", threading.BoundedSemaphore(1))
        assert accounts.secrets._room.acquire(blocking=False)
        for _ in range(attempts.LIMITS["sign-in"].times + 1):
            assert "Very many people are signing in" in visitor.send("/account/sign-in", 503, name="one-of-many", password=PASSWORD)
    visitor.send("/account/sign-in", 303, name="one-of-many", password=PASSWORD)


def test_passwords_are_worked_on_where_ranks_are_not_ours_to_choose(monkeypatch):
    def refused(*_):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(accounts.secrets.os, "setpriority", refused)
        patch.setattr(accounts.secrets, "_passwords", ThreadPoolExecutor(1, initializer=accounts.secrets._humble))
        assert accounts.secrets.is_password(accounts.secrets.hash_password(PASSWORD), PASSWORD)


@pytest.mark.parametrize("error, status, when", [(attempts.TooOften("Too often.", 90), 429, "90"), (accounts.secrets.Busy("Busy."), 503, "10"), (KvgraphError("Wrong."), 422, None)])
def test_a_form_that_comes_back_says_when_to_try_again_where_that_helps(instance, error, status, when):
    with instance.app.test_request_context():
        answer = sessions.refused("a page", error)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, when)
