"""Sent twice, decided twice, broken on the way: nothing lost, nothing doubled, clear words."""

import secrets
import threading

import pytest
from click.testing import CliRunner

from kvgraph import open as open_graph
from kvgraph.cli import main
from kvgraph.contribute import accounts, decisions, submissions
from kvgraph.contribute.files import base_of
from kvgraph.contribute.record import thing_of
from kvgraph.contribute.trig import write
from kvgraph.errors import KvgraphError
from kvgraph.namespaces import ID
from kvgraph.resources import folder

from .people import PRACTICE, Form
from .worker import record


def test_a_form_sent_twice_is_one_draft(person):
    reader = person()
    form = dict(Form(reader.read("/contribute/new/practice"), "practice").fields)
    data = {**PRACTICE, "title": "Sent twice", "proof": form["proof"], "form": form["form"], "action": "submit"}
    first, second = reader.post("/contribute/new/practice", data), reader.post("/contribute/new/practice", data)
    assert first == second and reader.read("/account").count("Sent twice") == 1


def test_the_back_button_changes_nothing_that_was_sent(person):
    reader = person()
    sent = reader.contribute(title="Before going back", different="yes")
    old = dict(Form(reader.read("/contribute/new/practice"), "practice").fields)
    assert "your change is not in it" in reader.post(sent, {**PRACTICE, "proof": old["proof"], "title": "After going back", "action": "save"}, 409)
    assert "Before going back" in reader.read(sent)


def test_of_two_curators_one_decides_and_the_other_is_told(instance, person):
    reader = person()
    curators = [person("curator") for _ in range(2)]
    for number in range(5):
        sent = reader.contribute(title=f"Wanted by two, number {number}", different="yes")
        address = f"/curate/{sent.rpartition('/')[2]}"
        forms = [dict(Form(c.read(address), address).fields) for c in curators]
        answers: list[int] = []
        gate = threading.Barrier(2)

        def decide(curator, form, action, gate=gate, answers=answers, address=address):
            gate.wait()
            answers.append(curator.client.post(address, data={**form, "action": action, "text": "Because."}, headers={"Accept": "text/html"}).status_code)

        threads = [threading.Thread(target=decide, args=(c, f, a)) for c, f, a in zip(curators, forms, ("accept", "reject"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [303, 409]
        decided = [e.action for e in submissions.load(instance.book, sent.rpartition("/")[2]).events if e.action in ("accepted", "rejected")]
        assert len(decided) == 1
    text = curators[1].post(address, {**forms[1], "action": "accept", "text": "x"}, 409)
    assert "Somebody else was quicker" in text


def test_what_breaks_the_release_goes_back_and_the_rest_is_published(instance, person):
    """Two things that are fine alone and not together: the same identifier elsewhere for two organisations."""
    reader, curator = person(), person("curator")
    ror = {"exactMatch": "https://ror.org/04wxnsj81", "country": PRACTICE["country"], "classification": "https://w3id.org/kvgraph/id/actor-kind/company"}
    both = [
        reader.contribute("actor", **{**ror, "prefLabel": name, "prefLabel.lang": "en", "different": "yes", "title": None, "lead": None, "channel": None, "spatial": None})
        for name in ("Ship chandler", "Rope maker")
    ]
    fine = reader.contribute(title="Fine on its own", different="yes")
    for sent in (*both, fine):
        curator.decide(sent, "accept")
    instance.publish()
    states = [submissions.load(instance.book, s.rpartition("/")[2]).state for s in (*both, fine)]
    assert states[2] == "published" and "submitted" in states[:2]
    back = both[states.index("submitted")]
    assert "could not be published" in reader.read(back) and "Another actor bears the same identifier" in reader.read(back)
    assert not decisions.pending(instance.book)


def test_two_new_things_of_one_name_get_two_addresses(instance, person):
    reader, curator = person(), person("curator")
    sent = [reader.contribute(title="Same name", description=f"Number {n} of two.", different="yes") for n in range(2)]
    for one in sent:
        curator.decide(one, "accept")
    instance.publish()
    things = {submissions.load(instance.book, s.rpartition("/")[2]).thing for s in sent}
    assert len(things) == 2 and all(open_graph(instance.home).run("pages/exists", iri=thing) for thing in things)


def test_a_name_somebody_took_back_is_not_published_any_more(instance, person):
    reader, curator = person(), person("curator")
    sent = reader.contribute(title="With a name", credit="Take me away", different="yes")
    curator.decide(sent, "accept")
    instance.publish()
    assert "Take me away" in reader.read("/doc/practice/with-a-name")
    form = dict(Form(reader.read("/account/delete"), "delete").fields)
    reader.post("/account/delete", {"proof": form["proof"], "password": "correct horse battery"})
    instance.publish()
    page = curator.read("/doc/practice/with-a-name")
    assert "Take me away" not in page and "A contributor who is not named" in page


def test_an_operator_decides_on_the_command_line(instance, person, monkeypatch):
    monkeypatch.setenv("KVGRAPH_HOME", str(instance.home))
    run = lambda *args, **options: CliRunner().invoke(main, args, **options)  # noqa: E731
    made = run("users", "add", "operated", "--password-file", "-", input="a quite long password\n")
    assert made.exit_code == 0 and "operated can sign in" in made.stderr
    instance.somebody().sign_in("operated", "a quite long password")
    assert run("users", "role", "operated", "curator").exit_code == 0 and "operated,curator,active" in run("users").stdout
    assert len(run("users", "reset", "operated").stdout.strip()) == 20
    assert run("users", "disable", "operated").exit_code == 0 and "operated,curator,disabled" in run("users").stdout
    assert run("users", "role", "nobody-at-all", "curator").exit_code == 1
    for wrong in (run("users", "role", "a\udcffb", "curator"), run("submissions", "show", "a\udcffb")):
        assert wrong.exit_code == 1 and "is no text" in wrong.stderr and isinstance(wrong.exception, SystemExit)
    wrong = run("users", "reset", "operated", "--password-file", "-", input=b"a quite long passw\xf6rd\n")
    assert wrong.exit_code == 1 and "not UTF-8" in wrong.stderr
    sent = person().contribute(title="Decided by an operator", different="yes").rpartition("/")[2]
    assert f"{sent},submitted,record,Decided by an operator" in run("submissions", "--state", "submitted").stdout
    shown = run("submissions", "show", sent).stdout
    assert "practice:decided-by-an-operator a kv:Practice" in shown and "# " in shown
    assert run("submissions", "accept", sent).exit_code == 0 and run("submissions", "undo", sent, "No.").exit_code == 0
    assert run("submissions", "reject", sent, "No.").exit_code == 1 and run("submissions", "show", "nothing").exit_code == 1


def test_what_is_not_well_formed_never_stands_in_the_way_of_a_release(instance, person):
    """Neither shown nor accepted, not even by an operator, who is asked less."""
    draft = person().contribute(title="Not well-formed", page="no address < at all", homepage="also none", action="save")
    submission = submissions.load(instance.book, draft.rpartition("/")[2])
    shown = CliRunner(env={"KVGRAPH_HOME": str(instance.home)}).invoke(main, ["submissions", "show", submission.id])
    assert shown.exit_code == 0 and "No file can be made of it" in shown.stdout
    owner = submission.account
    submissions.submit(instance.book, owner, submission.id)
    with pytest.raises(KvgraphError, match="not well-formed"):
        decisions.accept(instance.book, accounts.operator(), submission.id, submissions.load(instance.book, submission.id).version)
    instance.publish()
    assert submissions.load(instance.book, submission.id).state == "submitted"


@pytest.mark.parametrize(
    "thing", ["", "https://example.org/x", "practice/Fjord", "practice/łódź", "practice/../../a", "practice/a/b", "practice/" + "a" * 201, "region/a", "actor/other-kind"],
)  # fmt: skip
def test_what_can_have_no_file_of_its_own_is_refused_when_it_is_sent(instance, thing):
    """It would be called published, with nothing in the release."""
    reader, sent = accounts.sign_up(instance.book, f"lost-{secrets.token_hex(4)}", "a quite long password"), record("found")
    sent.thing = thing if "://" in thing or not thing else ID + thing
    with pytest.raises(KvgraphError, match="cannot be the address") as caught:
        submissions.begin(instance.book, reader, f"lost-{thing}", "record", sent)
    assert "/id/practice/my-record" in caught.value.hint
    draft = submissions.begin(instance.book, reader, f"kept-{thing}", "record", record("found"))
    for change in (submissions.save, submissions.submit):
        with pytest.raises(KvgraphError, match="cannot be the address"):
            change(instance.book, reader, draft.id, sent)
    assert submissions.of_account(instance.book, reader)[0].state == "draft"


def test_a_number_that_makes_an_address_too_long_is_not_accepted(instance):
    reader, curator, sent = accounts.sign_up(instance.book, "long-winded", "a quite long password"), accounts.operator(), record("found")
    sent.thing = thing_of("practice", "b" * 200)
    first, second = (submissions.begin(instance.book, reader, f"long-{n}", "record", sent) for n in range(2))
    for one in (first, second):
        submissions.submit(instance.book, reader, one.id)
    version = lambda one: submissions.load(instance.book, one.id).version  # noqa: E731
    accepted = decisions.accept(instance.book, curator, first.id, version(first))
    with pytest.raises(KvgraphError, match="cannot be the address"):
        decisions.accept(instance.book, curator, second.id, version(second))
    decisions.undo(instance.book, curator, first.id, accepted.version, "Only an example.")
    assert submissions.load(instance.book, second.id).state == "submitted"


def test_limits_of_an_account(instance):
    reader = accounts.sign_up(instance.book, "diligent", "a quite long password")
    for number in range(submissions.DRAFTS):
        submissions.begin(instance.book, reader, f"many-{number}", "record", record(f"many-{number}"))
    with pytest.raises(KvgraphError, match="100 drafts"):
        submissions.begin(instance.book, reader, "one-too-many", "record", record("many"))


@pytest.mark.parametrize("name", ["practices/national-ip-protocol", "actors/aalto-university", "policies/ie-ipp-2019", "actors/cim-alto-tamega"])
def test_a_curated_record_is_written_as_it_was(name):
    """Only what a correction changes shows in a pull request: the same statements, and nearly the same lines."""
    import pyoxigraph as ox

    type_ = {"practices": "practice", "actors": "actor", "policies": "policy"}[name.partition("/")[0]]
    thing = f"https://w3id.org/kvgraph/id/{type_}/{name.rpartition('/')[2]}"
    quads = base_of(thing, folder("data"))
    text = write(quads, thing, f"https://w3id.org/kvgraph/graph/{type_}/{name.rpartition('/')[2]}/")
    assert set(ox.parse(text, format=ox.RdfFormat.TRIG)) == set(quads)
    before = set((folder("data") / f"{name}.trig").read_text(encoding="utf-8").split())
    assert len(set(text.split()) ^ before) < 8
