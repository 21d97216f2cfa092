"""What leads to a thing is asked in bounded answers, and what is most asked for comes with the release."""

import pytest

from kvgraph import gathering, queries
from kvgraph.build.answers import wanted
from kvgraph.graph import Graph
from kvgraph.namespaces import KV

from .conftest import client_of

SPIN_OFFS = "https://w3id.org/kvgraph/id/channel/spin-offs"


def gathered(graph):
    return gathering.links(graph.run, SPIN_OFFS, gathering.counts(graph.run, SPIN_OFFS), "en")


def test_what_is_not_too_much_is_listed_whole(bundled):
    found = gathered(bundled)
    totals = {(row["property"], row["type"]): row["count"] for row in gathering.counts(bundled.run, SPIN_OFFS)}
    listed = {key: len({s.value for s, p, _, t in found if (p.value, t and t.value) == key}) for key in totals}
    assert listed == totals and sum(totals.values()) > 100


def test_of_too_much_each_large_group_is_listed_in_part(bundled, monkeypatch):
    monkeypatch.setattr(gathering, "MANY", 50)
    monkeypatch.setattr(gathering, "FIRST", 10)
    monkeypatch.setattr(gathering, "GROUPS", 2)
    found = gathered(bundled)
    by_type = {t: [s.value for s, _, _, type_ in found if type_.value == t] for t in {type_.value for *_, type_ in found}}
    assert set(by_type) == {KV + "Practice", KV + "LearningExample"} and {len(set(things)) for things in by_type.values()} == {10}


def test_a_release_brings_what_pages_of_hubs_and_sources_ask(bundled, monkeypatch):
    monkeypatch.setattr(gathering, "MANY", 150)
    texts = set(wanted(bundled.run))
    asked = []

    def noted(name, **params):
        asked.append(queries.load(name).bind(**params))
        return bundled.run(name, **params)

    gathering.links(noted, SPIN_OFFS, gathering.counts(noted, SPIN_OFFS), "en")
    gathering.of_source(noted, "https://w3id.org/kvgraph/id/source/practices")
    assert len(asked) > 4 and set(asked) <= texts


@pytest.mark.parametrize("path", ["/doc/channel/spin-offs", "/doc/source/practices"])
def test_beyond_that_the_page_of_a_hub_asks_only_what_the_thing_itself_says(bundled, monkeypatch, path):
    """Else each such page waits seconds for the engine, where there is much: what a page came to ask beside it must come with the release as well."""
    monkeypatch.setattr(gathering, "MANY", 150)
    texts, asked, run = set(wanted(bundled.run)), {}, Graph.run

    def noted(self, name, **params):
        asked[queries.load(name).bind(**params)] = name
        return run(self, name, **params)

    monkeypatch.setattr(Graph, "run", noted)
    assert client_of(bundled).get(path, headers={"Accept": "text/html", "Accept-Language": "en"}).status_code == 200
    assert len(texts & asked.keys()) > 2
    assert {name for text, name in asked.items() if text not in texts} <= {"pages/statements", "pages/labels"}


@pytest.mark.parametrize("source, some", [("practices", True), ("nothing-of-that-name", False)])
def test_a_source_says_how_much_it_holds(bundled, source, some):
    total, first = gathering.of_source(bundled.run, f"https://w3id.org/kvgraph/id/source/{source}")
    assert (total > gathering.OF_SOURCE and len(first) == gathering.OF_SOURCE) if some else (total, first) == (0, [])
