"""Facets: counts are exact, values are understood in every form people write them, and the query behind a selection gives the same things."""

import itertools
import random

import pyoxigraph as ox
import pytest

from kvgraph.graph import open as open_graph
from kvgraph.model import TYPES
from kvgraph.namespaces import COUNTRY, ID, NUTS
from kvgraph.search import FACETS, NoSearchIndex, SearchIndex, UnknownFacet, UnknownType, UnknownValue, build_index

TRIG = """
PREFIX : <https://w3id.org/kvgraph/id/>
PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
PREFIX def: <https://w3id.org/kvgraph/def/>
PREFIX c: <http://publications.europa.eu/resource/authority/country/>
PREFIX nuts: <http://data.europa.eu/nuts/code/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX org: <http://www.w3.org/ns/org#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX schema: <https://schema.org/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>

<https://w3id.org/kvgraph/graph/all> {
  c:ESP skos:inScheme <http://publications.europa.eu/resource/authority/country> ; skos:prefLabel "Spain"@en , "España"@es ; skos:notation "ESP" .
  c:GBR skos:inScheme <http://publications.europa.eu/resource/authority/country> ; skos:prefLabel "United Kingdom"@en .
  nuts:ES skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Spain"@en ; kv:country c:ESP .
  nuts:ES5 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Este"@es ; skos:broader nuts:ES ; kv:country c:ESP .
  nuts:ES51 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Cataluña"@es ; skos:notation "ES51" ; skos:broader nuts:ES5 ; kv:country c:ESP .
  nuts:ES511 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Barcelona"@es ; skos:broader nuts:ES51 ; kv:country c:ESP .
  :channel\\/spin-offs skos:inScheme def:channel ; skos:prefLabel "spin-offs"@en , "essaimage"@fr .
  :channel\\/arts-culture skos:inScheme def:channel ; skos:prefLabel "arts and culture"@en .
  :actor-kind\\/sme skos:inScheme def:actor-kind ; skos:prefLabel "small firm"@en .
  :principle\\/gp1 a kv:Principle ; skos:prefLabel "One"@en ; skos:notation "GP1" .
  :principle\\/gp1-2 a kv:Principle ; skos:prefLabel "One two"@en ; skos:broader :principle\\/gp1 .
  :practice\\/one a kv:Practice ; dcterms:title "Lab one"@en ; dcterms:spatial nuts:ES511 ; kv:country c:ESP ; kv:channel :channel\\/spin-offs ;
    kv:takesUp :principle\\/gp1-2 ; schema:startDate "2019-03"^^xsd:gYearMonth ; prov:qualifiedAssociation :participation\\/one .
  :participation\\/one prov:agent :actor\\/firm .
  :practice\\/two a kv:Practice ; dcterms:title "lab two"@en ; dcterms:spatial nuts:ES51 ; kv:channel :channel\\/spin-offs , :channel\\/arts-culture ;
    schema:startDate "2021"^^xsd:gYear .
  :practice\\/three a kv:Practice ; dcterms:title "Another"@en ; dcterms:spatial c:GBR ; kv:country c:GBR ; kv:channel :channel\\/unheard-of .
  :actor\\/firm a kv:Actor ; skos:prefLabel "Firm"@en ; org:classification :actor-kind\\/sme ; kv:country c:GBR .
  :policy\\/act a kv:Policy , kv:Practice ; dcterms:title "Act"@en ; dcterms:issued "20"^^xsd:gYear , "1999-12-31"^^xsd:date .
}
<https://w3id.org/kvgraph/graph/about> {
  <https://w3id.org/kvgraph/graph/all> kv:sourceKind :source-kind\\/press ; kv:seenOn "2026-10"^^xsd:gYearMonth .
}
"""
ONE, TWO, THREE, FIRM, ACT = (ID + path for path in ("practice/one", "practice/two", "practice/three", "actor/firm", "policy/act"))


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    store = ox.Store()
    store.load(TRIG.encode(), format=ox.RdfFormat.TRIG)
    folder = tmp_path_factory.mktemp("facets")
    build_index(store, folder)
    return SearchIndex(folder)


@pytest.fixture(scope="module")
def graph(bundled_home):
    return open_graph(bundled_home)


def iris(result):
    return {hit.iri for hit in result.hits}


def test_an_empty_text_finds_everything_and_no_words_nothing(index):
    assert index.search("").total == index.search("  ").total == len(index) == 15
    assert index.search("%%%").total == 0


def test_a_thing_counts_for_every_region_around_it_and_for_its_countries(index):
    counts = index.search("", types=["practice"], count=["region", "country"]).counts
    around = {NUTS + "ES511": 1, NUTS + "ES51": 2, NUTS + "ES5": 2, NUTS + "ES": 2, COUNTRY + "ESP": 2, COUNTRY + "GBR": 1}
    assert counts == {"region": around, "country": {COUNTRY + "ESP": 2, COUNTRY + "GBR": 1}}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"channel": ["spin-offs"]}, {ONE, TWO}),
        ({"channel": ["spin-offs"], "type": ["actor"]}, set()),
        ({"channel": ["spin-offs", "channel/arts-culture"], "year": ["2021"]}, {TWO}),
        ({"channel": ["essaimage"], "region": "nuts:ES511"}, {ONE}),
        ({"country": ["United Kingdom"]}, {THREE, FIRM}),
        ({"region": ["country/GBR", "ES511"], "type": ["practice"]}, {ONE, THREE}),
        ({"region": ["España"], "type": ["practice"]}, {ONE, TWO}),
        ({"principle": ["GP1"]}, {ONE}),
        ({"principle": ["gp1-2"]}, {ONE}),
        ({"actor-kind": ["sme"]}, {ONE, FIRM}),
        ({"year": ["1999"]}, {ACT}),
        ({"type": ["policy"]}, {ACT}),
        ({"type": ["practice", "policy"]}, {ONE, TWO, THREE, ACT}),
        ({"channel": []}, None),
        ({"source-kind": ["press"], "year": ["2019"]}, {ONE}),
        ({"channel": ["unheard-of"]}, {THREE}),  # in no list, but the data use it
    ],
)
def test_values_of_a_facet_are_alternatives_and_facets_all_hold(index, where, found):
    result = index.search("", where=where)
    assert result.total == len(result.hits)
    assert iris(result) == (found if found is not None else iris(index.search("")))


def test_words_and_facets_combine(index):
    assert iris(index.search("lab", where={"channel": ["arts-culture"]})) == {TWO}
    counts = index.search("lab", where={"channel": ["arts-culture"]}, count=["channel", "year"]).counts
    # What the facet itself is narrowed to does not change its own counts.
    assert counts == {"channel": {ID + "channel/spin-offs": 2, ID + "channel/arts-culture": 1}, "year": {"2021": 1}}


def test_whether_a_result_is_relaxed_depends_on_the_words_only(index):
    assert index.search("lab one", where={"channel": ["arts-culture"]}).total == 0
    assert index.search("lab zebrafish", where={"channel": ["arts-culture"]}).relaxed


def test_a_thing_of_two_kinds_counts_for_both(index):
    assert index.search("", count=["type"]).counts["type"]["policy"] == 1
    assert index.search("", types=["policy"]).hits[0].type == "practice"


def test_orders(index):
    def titles(**options):
        return [hit.label for hit in index.search("", types=["practice", "policy"], **options).hits]

    assert titles(order="title") == ["Act", "Another", "Lab one", "lab two"]
    assert titles(order="newest") == ["lab two", "Lab one", "Act", "Another"]  # 2021, 2019, 1999, unknown
    assert titles()[0] == "Lab one", "of it most is known"
    assert [hit.label for hit in index.search("lab", order="newest", types=["practice"]).hits] == ["lab two", "Lab one"]
    with pytest.raises(ValueError, match="newest"):
        index.search("", order="best")


def test_pages_of_every_order_together_are_everything(index):
    for order in ("relevance", "newest", "title", "recorded"):
        pages = [hit.iri for offset in range(0, 20, 3) for hit in index.search("", limit=3, offset=offset, order=order).hits]
        assert len(pages) == len(set(pages)) == 15, order


def test_a_hit_says_where_who_and_when(index):
    (one,) = index.search("", where={"region": ["ES511"], "type": ["practice"]}).hits
    assert (one.regions, one.countries, one.year, one.seen) == ((NUTS + "ES511",), (COUNTRY + "ESP",), "2019", "2026-10")
    (firm,) = index.search("", types=["actor"]).hits
    assert firm.kinds == (ID + "actor-kind/sme",)


def test_wrong_facets_and_values_say_what_there_is(index):
    with pytest.raises(UnknownFacet, match="colour") as error:
        index.search("", where={"colour": ["red"]})
    assert "channel" in error.value.hint
    with pytest.raises(UnknownFacet):
        index.search("", count=["colour"])
    with pytest.raises(UnknownValue) as error:
        index.search("", where={"channel": ["spinoffs"]})
    assert "spin-offs" in error.value.hint
    for facet, text in (("year", "19"), ("year", "MMXX"), ("type", "person"), ("region", "\x00"), ("country", "x" * 10_000), ("channel", "a:b c<>")):
        with pytest.raises(UnknownValue) as error:
            index.search("", where={facet: [text]})
        assert len(error.value.message) < 200 and error.value.hint
    with pytest.raises(UnknownType):
        index.search("", types=["person"])


def test_values_are_called_as_the_reader_says(index):
    assert index.facets.label(COUNTRY + "ESP", "es") == ("España", "es")
    assert index.facets.label(COUNTRY + "ESP", "mt") == ("Spain", "en")
    assert index.facets.label(NUTS + "ES51", "en") == ("Cataluña", "es")
    assert index.facets.label(ID + "channel/unheard-of") == ("unheard-of", "")


def test_a_region_is_part_of_its_country(index):
    assert index.facets.parent(NUTS + "ES511") == NUTS + "ES51"
    assert index.facets.parent(NUTS + "ES5") == COUNTRY + "ESP", "the NUTS region of level 0 is left out"
    assert index.facets.parent(COUNTRY + "ESP") == ""


def test_an_index_of_before_there_were_facets_is_none(tmp_path):
    build_index(ox.Store(), tmp_path)
    assert SearchIndex(tmp_path).search("", count=["channel"]).counts == {"channel": {}}
    (tmp_path / "facets.json").unlink()
    with pytest.raises(NoSearchIndex, match="no search index"):
        SearchIndex(tmp_path)


def test_counts_are_what_one_gets_for_choosing_the_value(graph):
    """Of every facet, against searching for each value, with words and with other facets chosen."""
    rnd = random.Random(7)
    for text, where in (("", {}), ("innovation", {"type": ["practice"]}), ("transfer office", {"country": ["DEU", "ESP"], "channel": ["spin-offs"]})):
        result = graph.search(text, where=where, count=FACETS, limit=1)
        for facet, counts in result.counts.items():
            for value in rnd.sample(sorted(counts), min(8, len(counts))):
                assert graph.search(text, where={**where, facet: [value]}, limit=1).total == counts[value], (text, facet, value)


def test_counts_are_those_of_the_query_behind_them(graph):
    """Of every facet, against SPARQL over the same release."""
    every_kind = [kind.iri for kind in TYPES.values()]
    counts = graph.search("", count=FACETS, limit=1).counts
    assert set(counts) == set(FACETS) and all(counts.values())
    for facet, values in counts.items():
        for value in itertools.islice(values, 12):
            chosen = {"type": [TYPES[value].iri]} if facet == "type" else {"type": every_kind, facet.replace("-", "_"): [value]}
            assert len(graph.run("pages/selection", **chosen)) == values[value], (facet, value)


def test_a_selection_of_several_facets_is_the_same_set_as_its_query(graph):
    where = {"region": ["country/ESP", "country/PRT", "country/DEU"], "channel": ["spin-offs", "industry-academia"], "actor-kind": ["university", "rto"]}
    found = {hit.iri for hit in graph.search("", where=where, limit=5000).hits}
    chosen = {facet.replace("-", "_"): [FACETS[facet].value(value) for value in values] for facet, values in where.items()}
    rows = graph.run("pages/selection", type=[kind.iri for kind in TYPES.values()], **chosen)
    assert found and found == {row["thing"] for row in rows}
