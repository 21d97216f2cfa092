"""Links that were found by an equal name, accepted in batches: in the next release with their provenance, and taken back like any contribution."""

from kvgraph import open as open_graph
from kvgraph import releases
from kvgraph.contribute import accounts, decisions, submissions
from kvgraph.contribute.files import CURATORS, submission_iri
from kvgraph.contribute.record import LABEL, Record, thing_of
from kvgraph.namespaces import KV, ORG, SKOS

from .people import PASSWORD, SPAIN

ROR, OTHER, WIKIDATA = "https://ror.org/01abcde23", "https://ror.org/02abcde23", "http://www.wikidata.org/entity/Q4242"
MILL, YARD = thing_of("actor", "tide-mill-institute"), thing_of("actor", "ship-yard-institute")
SAID = """
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX prov: <http://www.w3.org/ns/prov#>
SELECT ?submission ?who ?decider ?page { GRAPH ?graph { <%s> <%s> <%s> }
  ?graph prov:wasGeneratedBy ?submission ; prov:wasAttributedTo ?who ; dcterms:source ?page . ?decision prov:wasInformedBy ?submission ; prov:wasAssociatedWith ?decider }
"""


def publish_with_candidates(instance, curator) -> None:
    """Two actors, each with candidates for what it is elsewhere."""
    for thing, candidates in ((MILL, [ROR, WIKIDATA]), (YARD, [OTHER])):
        values = {
            LABEL: [{"text": thing.rpartition("/")[2], "lang": "en"}], KV + "country": [{"iri": SPAIN}], SKOS + "closeMatch": [{"iri": c} for c in candidates],
            ORG + "classification": [{"iri": "https://w3id.org/kvgraph/id/actor-kind/rto"}],
        }  # fmt: skip
        made = submissions.begin(instance.book, curator, f"links-{thing}"[-60:], "record", Record("actor", thing=thing, values=values, page="https://example.org/", relation="none", credit="Port"))
        submissions.submit(instance.book, curator, made.id)
        decisions.accept(instance.book, curator, made.id, submissions.load(instance.book, made.id).version)
    instance.publish()
    assert not submissions.queue(instance.book), [e.text for one in submissions.queue(instance.book) for e in one.events]


def matches(instance, thing: str, kind: str) -> set[str]:
    return {row["other"] for row in open_graph(instance.home).query(f"SELECT ?other {{ <{thing}> <{SKOS}{kind}> ?other }}")}


def test_links_are_accepted_in_a_batch_and_undone_one_by_one(instance, person):
    curator = person("curator")
    publish_with_candidates(instance, accounts.sign_up(instance.book, "the-curator", PASSWORD, "curator"))
    before = releases.current(instance.home)
    listed = curator.read("/curate/links")
    assert listed.count(f'value="{MILL} ') == 2 and listed.count(f'value="{YARD} ') == 1

    assert curator.send("/curate/links", link=[f"{MILL} {ROR}", f"{YARD} {OTHER}"]) == "/curate?state=accepted"
    accepted = submissions.queue(instance.book, ("accepted",))
    assert [(s.kind, s.thing) for s in accepted] == [("links", MILL), ("links", YARD)], "one for each actor"
    assert releases.current(instance.home).id == before.id
    instance.publish()

    assert not submissions.queue(instance.book), [e.text for one in submissions.queue(instance.book) for e in one.events]
    assert matches(instance, MILL, "exactMatch") == {ROR} and matches(instance, YARD, "exactMatch") == {OTHER}
    assert matches(instance, MILL, "closeMatch") == {WIKIDATA} and matches(instance, YARD, "closeMatch") == set(), "what was not ticked still waits"
    [said] = open_graph(instance.home).query(SAID % (MILL, SKOS + "exactMatch", ROR))
    assert said == {"submission": submission_iri(accepted[0].id), "who": CURATORS, "decider": CURATORS, "page": ROR}
    left = curator.read("/curate/links")
    assert f"{MILL} {WIKIDATA}" in left and f"{YARD} " not in left
    assert "ror.org" in curator.read("/doc/actor/tide-mill-institute")

    curator.decide(f"/curate/{accepted[0].id}", "undo", "They are two institutes.")
    instance.publish()
    assert matches(instance, MILL, "closeMatch") == {ROR, WIKIDATA} and not matches(instance, MILL, "exactMatch")
    assert matches(instance, YARD, "exactMatch") == {OTHER}, "the other one of the batch stays"
    curator.decide(f"/curate/{accepted[1].id}", "undo", "These too.")
    instance.publish()
    assert releases.current(instance.home).manifest["digest"] == before.manifest["digest"], "as if it had never been"


def test_what_is_no_candidate_is_not_linked(instance, person):
    curator = person("curator")
    curator.send("/curate/links", 422, link=[f"{MILL} https://example.org/made-up"])
    assert not submissions.queue(instance.book, ("accepted",))
