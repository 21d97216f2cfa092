"""One accepted submission never stands in the way of the others: it is refused before, or goes back to the curators with why."""

import shutil
import time

import pytest

from kvgraph import open as open_graph
from kvgraph.contribute import accounts, decisions, known, submissions
from kvgraph.contribute.publish import publish
from kvgraph.contribute.record import TITLE, Record, thing_of
from kvgraph.errors import KvgraphError

from ..conftest import SMALL
from .people import LAB, PRACTICE, Form
from .test_the_whole_way import TRIG, token_of
from .worker import record

OPERATOR = accounts.operator()


@pytest.fixture
def reader(instance, numbers):
    return accounts.sign_up(instance.book, f"writer{next(numbers)}", "a quite long password")


def sent(instance, reader, what: Record, kind: str = "record", accepted: bool = True) -> str:
    made = submissions.begin(instance.book, reader, f"{what.slug}-{time.monotonic_ns()}", kind, what)
    submissions.submit(instance.book, reader, made.id)
    return accept(instance, made.id) if accepted else made.id


def accept(instance, submission: str) -> str:
    decisions.accept(instance.book, OPERATOR, submission, submissions.load(instance.book, submission).version)
    return submission


def state(instance, address: str) -> str:
    return submissions.load(instance.book, address.rpartition("/")[2]).state


def said(instance, submission: str) -> str:
    return submissions.load(instance.book, submission.rpartition("/")[2]).events[-1].text


@pytest.mark.parametrize("statement", [
    f"<http://purl.org/dc/terms/isReplacedBy> <{LAB}>", "<http://www.w3.org/2002/07/owl#deprecated> true", f"<http://www.w3.org/2002/07/owl#sameAs> <{LAB}>",
    'kv:evil "x"', 'rdfs:label "Another name"@en', "prov:wasGeneratedBy <https://w3id.org/kvgraph/id/submission/20261129-aaaaaaaaaa>",
])  # fmt: skip
def test_a_file_says_only_what_the_form_asks_for(instance, person, statement):
    body = TRIG.replace("a kv:Practice ;", f"a kv:Practice ; {statement} ;").replace("PREFIX kv:", "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\nPREFIX kv:", 1)
    asked = {"Authorization": f"Bearer {token_of(person(), 'submit')}"}
    answer = instance.app.test_client().post("/contribute/api/submissions?draft=1", data=body, content_type="application/trig", headers=asked)
    assert answer.status_code == 422 and "A practice has no property <" in answer.json["detail"], answer.json


def test_of_two_renames_to_one_address_the_second_is_refused(instance, person):
    reader, curator = person(), person("curator")
    names = ("Rope walk school", "Sail loft school")
    for one in [reader.contribute(title=n, description=f"{n} is of its own.", different="yes") for n in names]:
        curator.decide(one, "accept")
    instance.publish()
    rename = {"tool": "rename", "name": "school-of-crafts", "reason": "It is called that."}
    first = curator.send("/curate/tools", thing="practice/rope-walk-school", **rename)
    waiting = submissions.counts(instance.book).get("submitted", 0)
    assert "There is such a record already" in curator.send("/curate/tools", 422, thing="practice/sail-loft-school", **rename)
    assert "renamed or merged a moment ago" in curator.send("/curate/tools", 422, thing="practice/rope-walk-school", **{**rename, "name": "another"})
    assert "renamed or merged a moment ago" in curator.send("/curate/tools", 422, thing="practice/sail-loft-school", tool="merge", into="practice/rope-walk-school", reason="The same.")
    assert submissions.counts(instance.book).get("submitted", 0) == waiting, "nothing waits that nobody can accept"
    new = reader.contribute(title="School of crafts", description="A third one.", different="yes")
    curator.decide(new, "accept")
    instance.publish()
    assert state(instance, first) == state(instance, new) == "published"
    assert submissions.load(instance.book, new.rpartition("/")[2]).thing.endswith("/school-of-crafts-2")
    assert curator.client.get("/doc/practice/rope-walk-school").headers["Location"].endswith("/doc/practice/school-of-crafts")


def test_nothing_is_accepted_without_the_page_it_was_read_on(instance, reader):
    what = record("pageless")
    what.page = ""
    waiting = sent(instance, reader, what, accepted=False)
    with pytest.raises(KvgraphError, match="no page on which this was read"):
        accept(instance, waiting)


def test_what_no_file_can_be_made_of_goes_back_and_the_others_are_published(instance, reader, caplog):
    """Whatever got into the book."""
    broken, fine = (sent(instance, reader, record(name)) for name in ("broken", "beside-broken"))
    with instance.book.writing() as session:
        found = session.get(submissions.Submission, broken)
        found.content = {**found.content, "page": "no address < at all"}
    instance.publish()
    assert (state(instance, broken), state(instance, fine)) == ("submitted", "published")
    assert "No file can be made of it" in said(instance, broken) and broken in caplog.text


def test_who_breaks_a_release_without_being_named_is_found(instance, reader, caplog):
    """The errors are about a record that is in no file of theirs; those before and after are published."""
    names = [f"in-a-row-{n}" for n in range(6)]
    ids = [sent(instance, reader, record(name)) for name in names]
    instance.publish()
    new = thing_of("practice", "both-of-them")
    renames = []
    for name, address in zip(names, (new, new + "-too", *(new + name for name in names[2:]))):
        values, _ = known.as_it_is(open_graph(instance.home), thing_of("practice", f"practice-{name}"))
        renames.append(sent(instance, reader, Record("practice", thing=thing_of("practice", f"practice-{name}"), values=values, base=values, page="https://example.org/p", replaced_by=address), "rename"))
    guilty = renames.pop(1)
    with instance.book.writing() as session:
        found = session.get(submissions.Submission, guilty)
        found.content = {**found.content, "replaced_by": new}
    ids += renames
    instance.publish()
    assert [state(instance, i) for i in ids] == ["published"] * 11 and state(instance, guilty) == "submitted"
    assert "With this there is no release, without it there is." in said(instance, guilty) and guilty in caplog.text
    assert not decisions.pending(instance.book)


def test_what_no_submission_is_guilty_of_is_told_and_nothing_sent_back(instance, reader, tmp_path):
    data = shutil.copytree(SMALL, tmp_path / "data")
    lab = next(data.rglob("living-lab.trig"))
    lab.write_text(lab.read_text(encoding="utf-8").replace("dcterms:title", "dcterms:alternative"), encoding="utf-8")
    fine = sent(instance, reader, record("not-guilty"))
    with pytest.raises(KvgraphError, match="living-lab"):
        publish(instance.home, data=data)
    assert state(instance, fine) == "accepted"
    instance.publish()
    assert state(instance, fine) == "published"


def test_of_two_corrections_the_one_accepted_last_goes_back(instance, reader):
    """Whichever was sent first."""
    def correction(title: str) -> str:
        values, _ = known.as_it_is(open_graph(instance.home), LAB)
        new = {**values, TITLE: [{"text": title, "lang": "en"}]}
        return sent(instance, reader, Record("practice", thing=LAB, values=new, base=values, page="https://example.org/p", seen="2026-11", relation="none", credit="Port"), "correction", accepted=False)

    first, second = correction("Lab, sent first"), correction("Lab, sent second")
    for one in (second, first):
        accept(instance, one)
        instance.publish()
    assert (state(instance, second), state(instance, first)) == ("published", "submitted"), "two titles in one language break a must"
    decisions.undo(instance.book, OPERATOR, second, submissions.load(instance.book, second).version, "Only an example.")
    instance.publish()


def test_a_new_record_gets_no_address_of_what_is_there_by_now(instance, reader, person, tmp_path):
    """Between sending and accepting a release came that has something under its address; or one comes right after that."""
    data = shutil.copytree(SMALL, tmp_path / "data")
    text = next(data.rglob("living-lab.trig")).read_text(encoding="utf-8")
    before = {name: sent(instance, reader, record(name), accepted=False) for name in ("overtaken", "just-before")}
    accept(instance, before["just-before"])
    (data / "practices").mkdir(exist_ok=True)
    for name in before:
        (data / "practices" / f"practice-{name}.trig").write_text(text.replace("living-lab", f"practice-{name}").replace("Living lab", f"Curated {name}"), encoding="utf-8")
    publish(instance.home, data=data)
    assert state(instance, before["just-before"]) == "submitted" and "another record under its address" in said(instance, before["just-before"])
    curator = person("curator")
    for one in before.values():
        submission = submissions.load(instance.book, one)
        decisions.accept(instance.book, OPERATOR, one, submission.version, graph=open_graph(instance.home))
    publish(instance.home, data=data)
    for name, one in before.items():
        assert submissions.load(instance.book, one).thing.endswith(f"practice-{name}-2") and state(instance, one) == "published"
        assert f"Curated {name}" in curator.read(f"/doc/practice/practice-{name}") and f"Practice {name}" in curator.read(f"/doc/practice/practice-{name}-2")
    instance.publish()
