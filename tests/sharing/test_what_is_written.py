"""What somebody has written stays in the form whatever goes wrong, and breaks nothing that it ends up in."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

from kvgraph.contribute import attempts, submissions
from kvgraph.contribute.book import SignedIn

from .people import HTML, LAB, PRACTICE, Form
from .test_the_whole_way import PLAIN, token_of

UNSEEN = "\x00\x01\x0b\x1b\x85\u202e\u2066\ufdd0\ufffe"
HERE = {"Origin": "http://localhost", **HTML}


def first_form(reader, **fields) -> dict[str, str]:
    given = dict(Form(reader.read("/contribute/new/practice"), "practice").fields)
    return {**PRACTICE, "proof": given["proof"], "form": given["form"], "action": "save", **fields}


def test_who_goes_back_to_the_first_form_sends_what_stands_in_it_now(person):
    reader = person()
    data = first_form(reader, title="Before going back")
    draft = reader.post("/contribute/new/practice", data)
    assert reader.post("/contribute/new/practice", {**data, "title": "After going back"}) == draft
    assert "After going back" in reader.read(draft) and "Before going back" not in reader.read(draft)


@pytest.mark.parametrize("again", [True, False], ids=["signed in again", "signed out"])
def test_a_form_that_outlives_its_session_is_kept(instance, again):
    """Whoever signs in again, in another tab, sends it once more; nothing was taken before that."""
    reader = instance.somebody(f"patient-{again}".lower(), "contributor")
    data = first_form(reader, title=f"Twenty minutes of work {again}", description='Ten words "in quotes" & <more>.')
    reader.send("/account", to="/account/sign-out")
    if not again:
        page = reader.post("/contribute/new/practice", data, 403, headers=HERE)
        assert "You are no longer signed in" in page
        data = dict(Form(page, "/contribute/new/practice").fields)
        assert "proof" not in data
    reader.sign_in(f"patient-{again}".lower())
    page = reader.post("/contribute/new/practice", data, 403, headers=HERE)
    assert "since this form was opened" in page and "Twenty minutes" not in reader.read("/account")
    draft = reader.post("/contribute/new/practice", Form(page, "/contribute/new/practice").fields, headers=HERE)
    assert "Ten words &#34;in quotes&#34; &amp; &lt;more&gt;." in reader.read(draft)


def test_a_form_whose_session_has_ended_here_is_kept(instance):
    """As it does after its time, or when another password is set: the browser still has its cookie, and the proof is ours."""
    reader = instance.somebody("outlasted", "contributor")
    data = first_form(reader, title="Written while the session ended")
    with instance.book.writing() as session:
        session.query(SignedIn).delete()
    page = reader.post("/contribute/new/practice", data, 403, headers=HERE)
    assert "You are no longer signed in" in page and "Written while the session ended" in page


def test_a_form_of_another_site_is_not_offered_once_more(person):
    reader = person()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        page = reader.post("/contribute/new/practice", {"title": "Not mine", "form": "x" * 30}, 403, headers=headers)
        assert "Not mine" not in page


def test_a_report_and_a_token_come_back_as_they_were_written(instance, person):
    page = instance.somebody().send(f"/contribute/report?thing={LAB}", 422, to="/contribute/report", words="Short", page="https://example.org/right")
    assert dict(Form(page, "report").fields)["page"] == "https://example.org/right"
    page = person().send("/account/tokens", 422, name="Nightly job", days="12x", scope="read")
    assert {("name", "Nightly job"), ("days", "12x"), ("scope", "read")} <= set(Form(page, "tokens").fields)
    assert ("scope", "submit") not in Form(page, "tokens").fields


def test_that_it_is_another_one_is_said_once(person):
    """Also where something else had to be mended first."""
    reader = person()
    form = first_form(reader, title="Living lab of the harbour", different="yes", licence="", action="submit")
    assert "different=yes" in reader.post("/contribute/new/practice", form)


def test_what_is_no_link_hides_nothing_else_that_is_wrong(person):
    reader = person()
    form = first_form(reader, title='<b class="x">Bold</b>', country="", homepage="javascript:alert(1)", action="submit", **{"lead.find": "Nobody at all"})
    page = reader.read(reader.post("/contribute/new/practice", form))
    for words in ("Give the homepage as a link", "Give a title of 2 to 400 characters", "to which country", "Lead: which one do you mean?", "<code dir=\"auto\">&lt;b class=&#34;x&#34;&gt;Bold&lt;/b&gt;</code>"):
        assert words in page


def test_the_words_of_a_curator_who_came_second_are_kept(person):
    sent = person().contribute(title="Decided by somebody quicker", different="yes")
    address = f"/curate/{sent.rpartition('/')[2]}"
    first, second = person("curator"), person("curator")
    form = dict(Form(second.read(address), address).fields)
    first.send(address, action="changes", text="When did it begin?")
    page = second.post(address, {**form, "action": "changes", "text": "Who leads it?"}, 409)
    assert ("text", "Who leads it?") in Form(page, "comment").fields


def test_a_page_that_is_not_served_yet_is_not_linked(instance, person):
    reader, curator = person(), person("curator")
    sent = reader.contribute(title="Published a moment ago", different="yes")
    curator.send(f"/curate/{sent.rpartition('/')[2]}", action="accept")
    thing = submissions.load(instance.book, sent.rpartition("/")[2]).thing
    with instance.book.writing() as session:
        session.get(submissions.Submission, sent.rpartition("/")[2]).state = "published"  # the release is there, and what is served follows
    assert "Its page is there in a moment." in reader.read(sent)
    with instance.book.writing() as session:
        session.get(submissions.Submission, sent.rpartition("/")[2]).state = "accepted"
    instance.publish()
    assert "/doc/" + thing.partition("/id/")[2] in reader.read(sent)


def test_characters_that_nobody_sees_break_no_format(instance, person):
    """XML cannot carry a control character: one in a text would make the dump of a whole release unreadable."""
    reader, curator = person(), person("curator")
    title = "Unseen but there"
    sent = reader.contribute(title=f"Unseen{UNSEEN} but there", description=f"Ten words {UNSEEN}and a few more.", note=f"Note{UNSEEN}", credit=f"Fish{UNSEEN} office", different="yes")
    curator.send(f"/curate/{sent.rpartition('/')[2]}", action="accept", text=f"Fine{UNSEEN}.")
    asked = {"Authorization": f"Bearer {token_of(reader, 'submit')}"}
    [told] = instance.app.test_client().post("/contribute/api/submissions", json={**PLAIN, "values": {**PLAIN["values"], "title": {"en": f"Unseen{UNSEEN} in a file"}}}, headers=asked).json
    assert told["title"] == "Unseen in a file"
    instance.publish()
    thing = submissions.load(instance.book, sent.rpartition("/")[2]).thing
    page = reader.read("/doc/" + thing.partition("/id/")[2])
    assert title in page and "\u202e" not in page
    for address in (f"/doc/{thing.partition('/id/')[2]}.rdf", "/search.rdf?q=unseen", "/search.atom?q=unseen"):
        ET.fromstring(reader.client.get(address).data)


def test_who_sends_too_often_is_told_that_nothing_is_lost(person, monkeypatch):
    reader = person()
    monkeypatch.setitem(attempts.LIMITS, "check-account", attempts.Limit(1, timedelta(minutes=1), "You have had very much checked in a short time."))
    form = first_form(reader, title="Sent in a hurry", country="", action="submit")
    reader.post("/contribute/new/practice", form)
    page = reader.post("/contribute/new/practice", {**form, "title": "Sent once more"}, 429)
    assert "What you wrote is kept as a draft on your page. Try again in 1 minute." in page and "Sent once more" in reader.read("/account")


def test_who_goes_back_after_sending_is_told_that_the_change_is_not_in_it(person):
    reader = person()
    draft = reader.post("/contribute/new/practice", first_form(reader, title="Sent, and changed after that", different="yes"))
    form = first_form(reader, title="Sent, and changed after that", different="yes", action="submit")
    sent = reader.post(draft, form)
    assert reader.post(draft, form) == sent, "the same again is no change"
    page = reader.post(draft, {**form, "title": "Changed too late"}, 409)
    assert "your change is not in it" in page and "Go back to copy what you wrote" in page
    assert "Changed too late" not in reader.read(draft)


@pytest.mark.parametrize("missing", [{"page": ""}, {"page": "", "seen": "", "source_kind": "", "credit": "", "licence": ""}, {"title": "", "page": ""}, {"lead": "", "country": "", "page": ""}])
def test_a_page_is_looked_at_before_everything_is_filled_in(person, missing):
    reader = person()
    seen = reader.read(reader.post("/contribute/new/practice", first_form(reader, action="preview", **missing)))
    assert "Fishers and researchers share the data of the market." in seen


@pytest.mark.parametrize("more", [{}, {"note": "And a note."}], ids=["the same", "something else"])
def test_of_two_clicks_on_send_the_second_leads_where_the_first_did(person, monkeypatch, more):
    """Also where the first comes through while the second is on its way; if the two differ that is told."""
    reader = person()
    form = first_form(reader, title=f"Clicked twice {len(more)}", different="yes")
    draft, save, first = reader.post("/contribute/new/practice", form), submissions.save, []
    form["description"] = "Written on the page of the draft."

    def overtaken(*args):
        monkeypatch.setattr(submissions, "save", save)
        first.append(reader.post(draft, {**form, "action": "submit"}))
        return save(*args)

    monkeypatch.setattr(submissions, "save", overtaken)
    second = reader.post(draft, {**form, **more, "action": "submit"}, 409 if more else 303)
    assert "your change is not in it" in second if more else [second] == first


def edited(form: Form, /, **fields) -> list[tuple[str, str]]:
    return [(name, fields.get(name, value)) for name, value in form.fields if name != "action"] + [("action", "save")]


def test_of_two_tabs_neither_erases_what_the_other_kept(person):
    """Who comes second sees both, and says which stays by sending theirs once more."""
    reader = person()
    draft = reader.post("/contribute/new/practice", first_form(reader, title="In two tabs")).partition("?")[0]
    one, two = (Form(reader.read(draft), draft) for _ in range(2))
    reader.post(draft, edited(one, description="Written in the first tab, at length."))
    page = reader.post(draft, edited(two, note="Only a note."), 409)
    assert "changed in another tab" in page and ("note", "Only a note.") in Form(page, draft).fields and f'href="{draft}"' in page
    assert "Written in the first tab" in reader.read(draft) and "Only a note." not in reader.read(draft)
    reader.post(draft, edited(Form(page, draft)))
    assert "Only a note." in reader.read(draft) and "Written in the first tab" not in reader.read(draft)
    assert "changed in another tab" in reader.post(draft, edited(one, title="Of long ago"), 409)


def test_a_form_that_was_open_during_an_upgrade_is_kept(instance, person):
    """Its name said nothing of what was in the draft then, and of the draft nothing is known either."""
    reader = person()
    draft = reader.post("/contribute/new/practice", first_form(reader, title="Over an upgrade")).partition("?")[0]
    with instance.book.writing() as session:
        found = session.get(submissions.Submission, draft.rpartition("/")[2])
        found.content = {name: value for name, value in found.content.items() if name != "form"}
    reader.post(draft, edited(Form(reader.read(draft), draft), form="0123456789abcdef", note="Written before."))
    assert "Written before." in reader.read(draft)


def test_who_goes_back_to_a_form_of_theirs_is_asked_nothing(person):
    reader = person()
    first = first_form(reader, title="Back and forth")
    draft = reader.post("/contribute/new/practice", first).partition("?")[0]
    form = Form(reader.read(draft), draft)
    for note in ("", "Once.", "Twice.", "Twice."):
        reader.post(draft, edited(form, note=note))
    unchanged, also = (Form(reader.read(draft), draft) for _ in range(2))
    reader.post(draft, edited(unchanged))
    reader.post(draft, edited(also, note="Thrice."))
    assert "Thrice." in reader.read(draft)
    page = reader.post("/contribute/new/practice", {**first, "title": "Forth"}, 409)
    assert "changed in another tab" in page and ("title", "Forth") in Form(page, draft).fields and "Thrice." in reader.read(draft)


def test_who_goes_back_to_the_first_form_after_sending_is_told_that_the_change_is_not_in_it(person):
    reader = person()
    first = first_form(reader, title="Sent from the first form", different="yes", action="submit")
    sent = reader.post("/contribute/new/practice", first)
    assert reader.post("/contribute/new/practice", first) == sent
    assert "your change is not in it" in reader.post("/contribute/new/practice", {**first, "note": "Too late."}, 409)
