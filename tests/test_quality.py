"""How complete the bundled data are: measured in each release, and never worse than before without somebody deciding so."""

import re

import pytest

import kvgraph
from kvgraph import resources
from kvgraph.namespaces import DQV, GRAPH, KV
from kvgraph.server.remarks import remaining

# The least that there is of each: raise these when the data get better.
COMPLETE = {"practice": 566, "learning example": 184, "policy": 75, "actor": 432, "principle": 18}
SHARE = {
    ("practice", "described"): 99, ("practice", "led"): 93, ("practice", "begun"): 82, ("practice", "aimed"): 95,
    ("policy", "dated"): 67, ("policy", "issued"): 73, ("policy", "principled"): 60,
    ("actor", "reachable"): 39, ("actor", "identified"): 31, ("actor", "located"): 39, ("actor", "placed"): 95,
    ("principle", "translated"): 100, ("principle", "sectioned"): 76, ("principle", "defined"): 39,
}  # fmt: skip
NAMED_IN_ENGLISH = {"Regions of NUTS level 0": 39, "Regions of NUTS level 1": 59, "Regions of NUTS level 2": 158, "Regions of NUTS level 3": 657}
CERTAIN = {"ror.org": 434, "www.wikidata.org": 366}
MOST_SUSPECTED, MOST_UNCONNECTED = 10, 50  # lessons of evaluations stand alone, as do actors of whom no page says any more that they took part


@pytest.fixture(scope="module")
def graph(bundled_home):
    return kvgraph.open(bundled_home)


def test_no_fewer_records_are_complete_than_before(graph):
    found = {row["kind"]: row["complete"] for row in graph.run("complete-records")}
    assert {kind: found[kind] >= least for kind, least in COMPLETE.items()} == dict.fromkeys(COMPLETE, True), found


def test_no_criterion_is_met_by_fewer_than_before(graph):
    found = {(row["kind"], row["criterion"].rpartition("/")[2]): float(row["share"]) for row in graph.run("completeness")}
    assert {key: found[key] for key, least in SHARE.items() if found[key] < least} == {}


def test_places_and_terms_are_named_in_the_languages_of_readers(graph):
    found = {row["kind"]: row for row in graph.run("names-by-language")}
    assert {kind: found[kind]["english"] >= least for kind, least in NAMED_IN_ENGLISH.items()} == dict.fromkeys(NAMED_IN_ENGLISH, True)
    for kind in found.keys() - NAMED_IN_ENGLISH.keys():  # code lists, principles, countries
        assert found[kind]["five"] == found[kind]["things"], kind
    for kind in ("Channels of knowledge valorisation", "Challenges", "Knowledge assets"):
        assert found[kind]["linked"] == found[kind]["things"], kind


def test_every_policy_that_takes_up_a_principle_tells_its_evidence(graph):
    rows = list(graph.run("evidence-of-policies"))
    assert sum(row["taking"] for row in rows) >= 136
    assert all(row["evidenced"] == row["taking"] for row in rows)


def test_no_fewer_actors_are_certainly_known_elsewhere(graph):
    found = {row["site"]: row["certain"] for row in graph.run("links-elsewhere") if row["kind"] == "actor"}
    assert {site: found[site] >= least for site, least in CERTAIN.items()} == dict.fromkeys(CERTAIN, True), found


def test_every_kind_of_remaining_warning_is_explained(graph):
    remarks = remaining(graph.release.report["results"])
    assert remarks and [r.message for r in remarks if not r.reason] == []


def test_few_records_are_suspected_or_alone(graph):
    assert len(list(graph.run("suspected-duplicates"))) <= MOST_SUSPECTED
    assert len(list(graph.run("unconnected-records"))) <= MOST_UNCONNECTED


def test_a_record_is_complete_exactly_if_it_lacks_nothing(graph):
    for row in graph.run("complete-records"):
        lacking = list(graph.run("incomplete-records", kind=row["kind"]))
        assert row["records"] - row["complete"] == len(lacking), row["kind"]
        assert all(r["number"] == len(r["lacking"].split(", ")) for r in lacking)


def test_every_criterion_is_of_a_class_and_names_properties_that_occur(graph):
    text = (resources.folder("ontology") / "lists" / "criterion.ttl").read_text(encoding="utf-8")
    criteria = re.findall(r"^criterion:(\S+) a skos:Concept , dqv:Metric", text, re.M)
    assert len(criteria) > 20
    measured = {row["criterion"].rpartition("/")[2] for row in graph.run("completeness")}
    assert measured == set(criteria)


def test_what_was_measured_is_in_the_release(graph):
    rows = graph.query(
        f"""PREFIX dqv: <{DQV}> PREFIX void: <http://rdfs.org/ns/void#>
        SELECT ?metric ?class ?value {{ GRAPH <{GRAPH}quality> {{
          ?measurement a dqv:QualityMeasurement ; dqv:isMeasurementOf ?metric ; dqv:computedOn/void:class ?class ; dqv:value ?value }} }}"""
    )
    stated = {(row["metric"], row["class"]): float(row["value"]) for row in rows}
    asked = {(row["criterion"], row["class"]): float(row["share"]) / 100 for row in graph.run("completeness")}
    asked |= {(f"{GRAPH}quality#complete", row["class"]): float(row["share"]) / 100 for row in graph.run("complete-records")}
    assert len(stated) > 30 and (f"{GRAPH}quality#complete", KV + "Practice") in stated
    assert stated.keys() == asked.keys()
    assert all(abs(stated[key] - asked[key]) < 0.001 for key in stated)
