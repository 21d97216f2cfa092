"""Search: what is found, in which order, and that whatever somebody types is only text."""

import random
import subprocess
import sys

import pyoxigraph as ox
import pytest

from kvgraph.namespaces import COUNTRY, ID, NUTS
from kvgraph.search import NoSearchIndex, SearchIndex, Snippet, UnknownType, build_index

TRIG = """
PREFIX : <https://w3id.org/kvgraph/id/>
PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
PREFIX def: <https://w3id.org/kvgraph/def/>
PREFIX c: <http://publications.europa.eu/resource/authority/country/>
PREFIX nuts: <http://data.europa.eu/nuts/code/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX prov: <http://www.w3.org/ns/prov#>

<https://w3id.org/kvgraph/graph/all> {
  c:SVK skos:inScheme <http://publications.europa.eu/resource/authority/country> ;
    skos:prefLabel "Slovakia"@en , "Slovensko"@sk , "Словакия"@bg , "Σλοβακία"@el ; skos:notation "SVK" .
  nuts:SK0 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Slovensko"@sk ; skos:notation "SK0" .
  nuts:SK04 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Východné Slovensko"@sk ; skos:broader nuts:SK0 .
  nuts:SK042 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Košický kraj"@sk ; skos:broader nuts:SK04 ;
    kv:country c:SVK .
  :channel\\/spin-offs skos:inScheme def:channel ; skos:prefLabel "spin-offs and start-ups"@en .
  :practice\\/steel a kv:Practice ; dcterms:title "Steel valley"@en ; dcterms:identifier "KV0007" ;
    dcterms:description "Turns furnace dust into innovative paving for towns. Nobody had valorised it before."@en ;
    kv:country c:SVK ; dcterms:spatial nuts:SK042 ; kv:channel :channel\\/spin-offs ;
    prov:qualifiedAssociation :participation\\/1 .
  :participation\\/1 prov:agent :actor\\/tuke .
  :practice\\/steel-two a kv:Practice ; dcterms:title "Steel valley two"@en .
  :practice\\/mention a kv:Practice ; dcterms:title "Another thing"@en ; dcterms:description "Unlike Steel valley."@en .
  :actor\\/tuke a kv:Actor ; skos:prefLabel "Technical University of Košice"@en ;
    skos:altLabel "Technická univerzita v Košiciach"@sk , "TUKE"@en .
  :actor\\/steel a kv:Actor ; skos:prefLabel "Steel valley"@en .
  :practice\\/nameless a kv:Practice ; dcterms:description "Has no title."@en .
}
"""
STEEL, TUKE = ID + "practice/steel", ID + "actor/tuke"


@pytest.fixture(scope="module")
def store():
    store = ox.Store()
    store.load(TRIG.encode(), format=ox.RdfFormat.TRIG)
    return store


@pytest.fixture(scope="module")
def folder(store, tmp_path_factory):
    path = tmp_path_factory.mktemp("search")
    build_index(store, path)
    return path


@pytest.fixture(scope="module")
def index(folder):
    return SearchIndex(folder)


def iris(result):
    return [hit.iri for hit in getattr(result, "hits", result)]


def test_every_entity_with_a_label_can_be_found(index):
    assert len(index) == 10


@pytest.mark.parametrize("text", ["Košice", "kosice", "KOŠICE", "Kos\u030cice", "ko\u00adšice", "\u202bkosice\u202c"])
def test_accents_and_case_do_not_matter(index, text):
    assert iris(index.search(text)) == [TUKE, STEEL]


def test_other_scripts_are_folded_too(index):
    assert iris(index.search("ΣΛΟΒΑΚΙΑ"))[0] == iris(index.search("словакия"))[0] == COUNTRY + "SVK"


def test_english_words_are_found_by_their_stem(index):
    assert iris(index.search("innovation valorising")) == [STEEL]


@pytest.mark.parametrize("text", ["tecnical", "techincal", "techniacl univrsity", "univversity"])
def test_a_typo_is_forgiven(index, text):
    assert iris(index.search(text))[0] == TUKE


def test_short_words_and_numbers_are_taken_as_they_are(index):
    assert index.search("tukf").total == 2  # four letters: one may be wrong; the actor, and its practice
    assert index.search("tuf").total == 0
    assert iris(index.search("KV0007")) == [STEEL]
    assert index.search("KV0008").total == 0


def test_the_thing_of_that_name_is_first_then_names_then_text(index):
    assert iris(index.search("steel valley")) == [
        STEEL, ID + "actor/steel", ID + "practice/steel-two", ID + "practice/mention",
    ]  # fmt: skip


def test_a_beginning_ranks_above_a_typo(index):
    assert index.search("ste").total == 4
    found = index.search("Slov")
    assert {NUTS + "SK0", COUNTRY + "SVK", NUTS + "SK04"} <= set(iris(found)[:3])


def test_practices_are_found_by_partner_place_and_channel(index):
    for text in ("TUKE steel", "technical university furnace", "Slovakia paving", "kosicky furnace", "spin-offs paving"):
        assert iris(index.search(text))[:1] == [STEEL], text


def test_regions_do_not_bury_practices(index):
    found = index.search("Slovakia")
    assert found.hits[0].iri == COUNTRY + "SVK"  # it is called that
    assert found.hits[1].iri == STEEL
    assert [hit.type for hit in found.hits[2:]] == ["region"]


def test_types_limit_and_offset(index):
    assert iris(index.search("steel valley", types=["actor"])) == [ID + "actor/steel"]
    assert iris(index.search("steel valley", types="actor")) == [ID + "actor/steel"]
    assert index.search("steel valley", types=[]).total == 0
    everything = iris(index.search("steel valley"))
    pages = [iris(index.search("steel valley", limit=1, offset=n)) for n in range(5)]
    assert pages == [[iri] for iri in everything] + [[]]
    assert index.search("steel valley", limit=10**9, offset=10**9).total == 4
    with pytest.raises(UnknownType, match="person.*practice"):
        index.search("x", types=["person"])
    for wrong in ({"limit": 0}, {"offset": -1}):
        with pytest.raises(ValueError):
            index.search("steel", **wrong)


def test_where_nothing_has_all_words_half_are_enough_and_it_says_so(index):
    assert not index.search("steel valley").relaxed
    found = index.search("steel zebrafish")
    assert found.relaxed and found.total == 4
    assert not index.search("zebrafish quokka").relaxed and not index.search("zebrafish quokka").hits


def test_little_words_need_not_occur(index):
    assert iris(index.search("the steel of a valley in paving")) == [STEEL]


def test_a_snippet_is_plain_text_with_places(index):
    (hit,) = index.search("innovations towns").hits
    assert [text for text, marked in hit.snippet.parts if marked] == ["innovative", "towns"]
    assert "".join(text for text, _ in hit.snippet.parts) == hit.snippet.text
    assert [part for part in index.search("univrsity").hits[0].snippet.parts if part[1]] == []  # only its name has it
    assert Snippet().parts == []


def test_a_long_text_is_cut_around_the_words(tmp_path):
    store, words = ox.Store(), ["filler"] * 300
    words[200:202] = ["blue", "dye"]
    iri, kv = ox.NamedNode(ID + "practice/long"), "https://w3id.org/kvgraph/def/kv#"
    terms = "http://purl.org/dc/terms/"
    for predicate, value in (
        ("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", ox.NamedNode(kv + "Practice")),
        (terms + "title", ox.Literal("<b>Long</b>", language="en")),
        (terms + "description", ox.Literal(" ".join(words), language="en")),
    ):
        store.add(ox.Quad(iri, ox.NamedNode(predicate), value))
    build_index(store, tmp_path)
    (hit,) = SearchIndex(tmp_path).search("dye").hits
    assert hit.label == "<b>Long</b>"
    assert len(hit.snippet.text) < 240 and hit.snippet.text.startswith("… filler") and hit.snippet.text.endswith("filler …")
    assert [hit.snippet.text[start:end] for start, end in hit.snippet.ranges] == ["dye"]


HOSTILE = [
    "", " ", "\x00\x01\x1f", '"', "'", "AND", "NOT steel", 'title:"x" AND (', "*:*", "/.*/", "steel~2^9", "[a TO z]", "\\", "{}", "\ud800",
    "../../etc/passwd", "<script>alert(1)</script>", "?s ?p ?o", "שלום עולם", "\u202e evil", "💡" * 50, "ﷺ", "a" * 10_000, "steel " * 2_000,
    " ".join(str(n) for n in range(4_000)), "\n".join("(" * 5_000), "ß" * 3_000, "\u0300" * 9_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_typed_is_only_text(index, text):
    found = index.search(text)
    assert found.total >= len(found.hits)
    assert isinstance(index.suggest(text), list)


def test_query_language_is_not_understood(index):
    assert iris(index.search('"steel" (valley) title:')) == iris(index.search("steel valley title"))
    assert index.search("*").total == index.search("NOT").total == 0
    assert STEEL in iris(index.search("steel " * 2_000))


def test_suggestions_complete_what_is_typed(index):
    assert iris(index.suggest("stee")) == [STEEL, ID + "practice/steel-two", ID + "actor/steel"]
    assert iris(index.suggest("technical u")) == [TUKE]
    assert iris(index.suggest("koš", types=["actor"])) == [TUKE]
    assert iris(index.suggest("tecnnical")) == [TUKE]
    assert index.suggest("furnace") == [] == index.suggest("")
    assert len(index.suggest("s", limit=2)) == 2


def test_the_order_does_not_depend_on_the_order_of_the_data(index, store, tmp_path):
    quads = list(store)
    random.Random(1).shuffle(quads)
    other = ox.Store()
    other.extend(quads)
    build_index(other, tmp_path)
    again = SearchIndex(tmp_path)
    for text in ("steel valley", "slovensko", "s", "university practice", "steel"):
        assert again.search(text) == index.search(text)
        assert again.suggest(text) == index.suggest(text)


def test_equal_hits_come_in_the_order_of_their_iris(tmp_path):
    store, kv = ox.Store(), "https://w3id.org/kvgraph/def/kv#"
    for n in (3, 1, 2):
        iri = ox.NamedNode(f"{ID}practice/{n}")
        store.add(ox.Quad(iri, ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"), ox.NamedNode(kv + "Practice")))
        store.add(ox.Quad(iri, ox.NamedNode("http://purl.org/dc/terms/title"), ox.Literal("Twin", language="en")))
    build_index(store, tmp_path)
    assert [iri[-1] for iri in iris(SearchIndex(tmp_path).search("twin"))] == ["1", "2", "3"]


def test_opening_writes_nothing_and_several_processes_can(folder):
    before = (folder.stat().st_mtime_ns, sorted((p.name, p.stat().st_mtime_ns) for p in folder.iterdir()))
    assert not any(name.endswith(".lock") for name, _ in before[1])
    code = f"from kvgraph.search import SearchIndex; print(SearchIndex({str(folder)!r}).search('steel').total)"
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [SearchIndex(folder).search("steel").total] + [int(p.communicate()[0]) for p in running] == [4] * 4
    # A lock file that came and went would show in the time of the folder.
    assert (folder.stat().st_mtime_ns, sorted((p.name, p.stat().st_mtime_ns) for p in folder.iterdir())) == before


def test_a_folder_without_an_index_is_clear(tmp_path):
    with pytest.raises(NoSearchIndex, match="kvgraph build"):
        SearchIndex(tmp_path)
    build_index(ox.Store(), tmp_path)
    assert SearchIndex(tmp_path).search("steel").total == 0
