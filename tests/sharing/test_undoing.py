"""What others build on is not taken away under them: a curator is told what to do first, and a release never goes back on the work of somebody else."""

import pytest

from kvgraph import open as open_graph
from kvgraph.contribute import accounts, decisions, known, maintaining, settings, submissions
from kvgraph.contribute import publish as publishing
from kvgraph.contribute.book import now
from kvgraph.contribute.record import LABEL, LEAD, Record, Values, thing_of
from kvgraph.errors import KvgraphError
from kvgraph.namespaces import DCTERMS

from .people import UNIVERSITY
from .test_publishing_goes_on import OPERATOR, accept, reader, said, sent, state  # noqa: F401  a fixture among them
from .worker import record

DESCRIPTION = DCTERMS + "description"


def actor(name: str) -> Record:
    return Record("actor", thing=thing_of("actor", name), values={LABEL: [{"text": f"Actor {name}", "lang": "en"}]}, page="https://example.org/a", seen="2026-11", relation="none", credit="Port", licence=True)


def led_by(what: Record, lead: str) -> Record:
    what.values[LEAD] = [{"iri": lead}]
    return what


def changed(instance, thing: str, values: Values | None = None, **more) -> Record:
    """A record that is in the release, as somebody corrects or replaces it."""
    there, _ = known.as_it_is(open_graph(instance.home), thing)
    return Record(thing.split("/")[-2], thing=thing, values={**there, **(values or {})}, base=there, page="https://example.org/p", seen="2026-11", relation="none", credit="Maria", licence=True, **more)


def undo(instance, submission: str) -> None:
    decisions.undo(instance.book, OPERATOR, submission, submissions.load(instance.book, submission).version, "Never was.")


def test_what_another_was_merged_into_is_undone_after_the_merge(instance, reader):  # noqa: F811
    works, yard = (sent(instance, reader, actor(name)) for name in ("works", "yard"))
    instance.publish()
    merge = sent(instance, reader, maintaining.merged(open_graph(instance.home), thing_of("actor", "works"), thing_of("actor", "yard")), "merge")
    instance.publish()
    for one in (yard, works):
        with pytest.raises(KvgraphError, match=r"merged into it: “Actor works” \(merge\)") as refused:
            undo(instance, one)
        assert refused.value.hint == "Undo that first, then this."
    for one in (merge, yard, works):
        undo(instance, one)
    instance.publish()
    assert {state(instance, one) for one in (merge, yard, works)} == {"undone"} and not decisions.pending(instance.book)


def test_what_was_renamed_is_undone_after_the_renaming(instance, reader):  # noqa: F811
    old, new = thing_of("actor", "jetty"), thing_of("actor", "pier")
    jetty = sent(instance, reader, actor("jetty"))
    instance.publish()
    rename = sent(instance, reader, changed(instance, old, replaced_by=new), "rename")
    instance.publish()
    at_pier = sent(instance, reader, led_by(record("at-the-pier"), new))
    with pytest.raises(KvgraphError, match=r"“Actor jetty” \(rename\)"):
        undo(instance, jetty)
    with pytest.raises(KvgraphError, match=r"Others build on it: “Practice at-the-pier” \(practice\)"):
        undo(instance, rename)
    for one in (at_pier, rename, jetty):
        undo(instance, one)
    instance.publish()
    assert not decisions.pending(instance.book)


def test_what_others_name_is_undone_after_they_were_corrected(instance, reader):  # noqa: F811
    slip = thing_of("actor", "slipway")
    of_slip = sent(instance, reader, actor("slipway"))
    instance.publish()
    led = [sent(instance, reader, led_by(record(f"led-{n}"), slip)) for n in range(5)]
    instance.publish()
    with pytest.raises(KvgraphError, match="“Practice led-0” .*, “Practice led-1” .*, “Practice led-2” .* and 2 more") as refused:
        undo(instance, of_slip)
    assert "correct them" in refused.value.hint
    for one in led[1:]:
        undo(instance, one)
    corrected = sent(instance, reader, changed(instance, thing_of("practice", "practice-led-0"), {LEAD: [{"iri": UNIVERSITY}]}), "correction")
    undo(instance, of_slip)
    instance.publish()
    assert [state(instance, one) for one in (led[0], corrected, of_slip)] == ["published", "published", "undone"]


def test_a_record_is_undone_after_its_corrections(instance, reader):  # noqa: F811
    first = sent(instance, reader, record("corrected-once"))
    instance.publish()
    correction = sent(instance, reader, changed(instance, thing_of("practice", "practice-corrected-once"), {LEAD: []}), "correction")
    with pytest.raises(KvgraphError, match=r"“Practice corrected-once” \(correction\)"):
        undo(instance, first)
    undo(instance, correction)
    undo(instance, first)
    instance.publish()


# ── Where it was undone all the same ─────────────────────────────────────────────────────────────────────────────────


def undone_all_the_same(instance, submission: str) -> None:
    """As it can stand in a book, whatever is asked before something is undone."""
    with instance.book.writing() as session:
        found = session.get(submissions.Submission, submission)
        found.state, found.stale, found.changed = "undone", True, now()


def test_what_breaks_the_release_by_its_absence_stays_and_all_others_are_published(instance, reader, caplog):  # noqa: F811
    """Neither those who built on it are sent back, nor those who were accepted since."""
    lead, led = thing_of("actor", "winch"), thing_of("practice", "practice-winched")
    winch = sent(instance, reader, actor("winch"))
    instance.publish()
    practice = sent(instance, reader, led_by(record("winched"), lead))
    instance.publish()
    before, harmless = sent(instance, reader, record("before-winch")), sent(instance, reader, record("harmless"))
    instance.publish()
    undo(instance, harmless)
    undone_all_the_same(instance, winch)
    correction = sent(instance, reader, changed(instance, led, {DESCRIPTION: [{"text": "With a winch.", "lang": "en"}]}), "correction")
    instance.publish()
    assert [state(instance, one) for one in (winch, practice, before, correction, harmless)] == ["published"] * 4 + ["undone"]
    assert "This could not be undone" in said(instance, winch) and winch in caplog.text and not decisions.pending(instance.book)


def test_a_merge_into_what_is_gone_does_not_stop_the_others(instance, reader):  # noqa: F811
    """No file is named where the errors are about what is nowhere."""
    buoy = [sent(instance, reader, actor(name)) for name in ("buoy", "beacon")]
    instance.publish()
    merge = sent(instance, reader, maintaining.merged(open_graph(instance.home), thing_of("actor", "buoy"), thing_of("actor", "beacon")), "merge")
    instance.publish()
    undone_all_the_same(instance, buoy[1])
    fine = sent(instance, reader, record("beside-beacon"))
    instance.publish()
    assert [state(instance, one) for one in (*buoy, merge, fine)] == ["published"] * 4
    undone_all_the_same(instance, buoy[1])
    with instance.book.writing() as session:  # of an account that was deleted: that is not published again
        session.get(submissions.Submission, buoy[1]).form = f"forgotten:{buoy[1]}"
    instance.publish()
    assert (state(instance, merge), state(instance, buoy[0])) == ("submitted", "published")


@pytest.mark.parametrize("broken", ["page", "words"])
def test_who_is_accepted_broken_while_another_is_looked_for_blames_nobody_else(instance, reader, monkeypatch, broken):  # noqa: F811
    """Either no file can be made of it, or there is no release with it."""
    fine = sent(instance, reader, record(f"fine-{broken}"))
    guilty = sent(instance, reader, led_by(record(f"guilty-{broken}"), thing_of("actor", "nobody-at-all")))
    undone = sent(instance, reader, record(f"undone-{broken}"))
    late: list[str] = []
    find_out = publishing._find_out

    def meanwhile(*args):
        if not late:
            one = sent(instance, reader, led_by(record(f"late-{broken}"), thing_of("actor", "nobody-either")))
            late.append(one)
            with instance.book.writing() as session:
                found = session.get(submissions.Submission, fine if broken == "page" else one)
                found.content = {**found.content, "page": "no address < at all"}
        return find_out(*args)

    monkeypatch.setattr(publishing, "_find_out", meanwhile)
    monkeypatch.setattr(publishing, "_named", lambda *args: [])
    instance.publish()
    assert [state(instance, one) for one in (guilty, *late, undone)] == ["submitted", "submitted", "published"]
    assert state(instance, fine) == ("submitted" if broken == "page" else "published") and not decisions.pending(instance.book)


# ── What the builder sent back ───────────────────────────────────────────────────────────────────────────────────────


def test_what_was_published_and_sent_back_keeps_its_address(instance, reader):  # noqa: F811
    """Whoever cited it does not find somebody else's there."""
    first = sent(instance, reader, record("cited"))
    instance.publish()
    decisions.refused(instance.book, [first], "Its actor is gone.")
    instance.publish()
    other = sent(instance, reader, record("cited"))
    instance.publish()
    accept(instance, first)
    instance.publish()
    assert [submissions.load(instance.book, one).thing.rpartition("/")[2] for one in (first, other)] == ["practice-cited", "practice-cited-2"]
    assert state(instance, first) == state(instance, other) == "published"


def test_an_address_that_was_given_back_is_not_given_to_somebody_else(instance, reader):  # noqa: F811
    old, new = thing_of("practice", "practice-first-named"), thing_of("practice", "practice-then-named")
    sent(instance, reader, record("first-named"))
    instance.publish()
    rename = lambda: sent(instance, reader, changed(instance, old, replaced_by=new), "rename")  # noqa: E731
    first = rename()
    instance.publish()
    undo(instance, first)
    instance.publish()
    other = sent(instance, reader, record("then-named"))
    assert submissions.load(instance.book, other).thing == new + "-2"
    again = rename()
    instance.publish()
    assert state(instance, again) == state(instance, other) == "published"


def test_two_approve_again_what_could_not_be_published(instance, reader, numbers):  # noqa: F811
    settings.choose(instance.book, "second-reviewer", "yes")
    curators = [accounts.sign_up(instance.book, f"approver{next(numbers)}", "a quite long password", "curator") for _ in range(3)]
    one = sent(instance, reader, record("approved-twice"), accepted=False)
    approve = lambda curator: decisions.accept(instance.book, curator, one, submissions.load(instance.book, one).version).state  # noqa: E731
    try:
        assert [approve(c) for c in curators[:2]] == ["submitted", "accepted"]
        decisions.refused(instance.book, [one], "It breaks a must.")
        assert [approve(c) for c in (curators[2], curators[0])] == ["submitted", "accepted"]
    finally:
        settings.choose(instance.book, "second-reviewer", "no")
    instance.publish()
