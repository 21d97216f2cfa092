"""Which regions are alike, and why: on invented regions by eye, on the bundled data against SPARQL."""

import pyoxigraph as ox
import pytest

import kvgraph
from kvgraph.namespaces import NUTS, prologue
from kvgraph.region_index import NoRegionIndex, build_regions
from kvgraph.regions import WEIGHTS, Regions

# A and B are of level 2. A has four small regions, three at the sea; B has two, one at the sea. C has neither type nor practice, D a border with A only.
INVENTED = """
    nuts:XX skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "X"@en ; kv:nutsLevel 0 .
    nuts:XXA skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "A"@en ; kv:nutsLevel 2 ; skos:broader nuts:XX ; geo:sfTouches nuts:XXD .
    nuts:XXB skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "B"@en ; kv:nutsLevel 2 ; skos:broader nuts:XX .
    nuts:XXC skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "C"@en ; kv:nutsLevel 2 ; skos:broader nuts:XX .
    nuts:XXD skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "D"@en ; kv:nutsLevel 2 ; skos:broader nuts:XX ; geo:sfTouches nuts:XXA .
    nuts:XXA1 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "A1"@en ; kv:nutsLevel 3 ; skos:broader nuts:XXA ; kv:coastType coast:coastal .
    nuts:XXA2 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "A2"@en ; kv:nutsLevel 3 ; skos:broader nuts:XXA ; kv:coastType coast:coastal .
    nuts:XXA3 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "A3"@en ; kv:nutsLevel 3 ; skos:broader nuts:XXA ; kv:coastType coast:coastal .
    nuts:XXA4 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "A4"@en ; kv:nutsLevel 3 ; skos:broader nuts:XXA ; kv:coastType coast:non-coastal .
    nuts:XXB1 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "B1"@en ; kv:nutsLevel 3 ; skos:broader nuts:XXB ; kv:coastType coast:coastal .
    nuts:XXB2 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "B2"@en ; kv:nutsLevel 3 ; skos:broader nuts:XXB ; kv:coastType coast:non-coastal .
    channel:spin-offs skos:inScheme list:channel ; skos:prefLabel "spin-offs"@en . channel:skills skos:inScheme list:channel ; skos:prefLabel "skills"@en .
    id:a a kv:Practice ; dcterms:title "a"@en ; dcterms:spatial nuts:XXA1 ; kv:channel channel:spin-offs , channel:skills .
    id:b a kv:Practice ; dcterms:title "b"@en ; dcterms:spatial nuts:XXB ; kv:channel channel:spin-offs .
    id:d a kv:Practice ; dcterms:title "d"@en ; dcterms:spatial nuts:XXD .
"""
PREFIXES = {
    "nuts": NUTS, "coast": "https://w3id.org/kvgraph/id/coast-type/", "channel": "https://w3id.org/kvgraph/id/channel/",
    "list": "https://w3id.org/kvgraph/def/", "id": "https://w3id.org/kvgraph/id/practice/",
}  # fmt: skip


@pytest.fixture(scope="module")
def invented(tmp_path_factory) -> Regions:
    store = ox.Store()
    prefixes = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
    store.load(f"{prologue()}\n{prefixes}\n<https://example.org/page> {{ {INVENTED} }}".encode(), format=ox.RdfFormat.TRIG)
    folder = tmp_path_factory.mktemp("regions")
    build_regions(store, folder)
    return Regions(folder)


@pytest.fixture(scope="module")
def bundled(bundled_home):
    return kvgraph.open(bundled_home)


def test_the_score_is_the_sum_of_its_reasons(invented):
    found = {one.region.name: one for one in invented.similar(NUTS + "XXA")}
    assert found.keys() == {"B", "D"}, "C has no practice"
    # 3/4 and 1/2 coastal, 1/4 and 1/2 not: 1/2 + 1/4 of the coast; one channel of two.
    assert {r.kind: r.points for r in found["B"].reasons} == {"coast": round(WEIGHTS["coast"] * 0.75, 1), "channels": WEIGHTS["channels"] / 2}
    assert found["B"].score == pytest.approx(sum(r.points for r in found["B"].reasons), abs=0.1)
    assert [(r.kind, r.points, r.shared) for r in found["D"].reasons] == [("border", WEIGHTS["border"], ())]
    assert [named.name for r in found["B"].reasons if r.kind == "channels" for named in r.shared] == ["spin-offs"]
    assert sum(WEIGHTS.values()) == 100


def test_what_shares_nothing_is_not_listed(invented):
    assert invented.similar(NUTS + "XXC") == []
    assert {one.region.name for one in invented.similar(NUTS + "XXB")} == {"A"}, "D touches A only"


def test_a_region_counts_with_what_is_inside(invented):
    assert invented.region(NUTS + "XX").practices == 3 and invented.region(NUTS + "XXA").practices == 1
    assert [p.name for p in invented.practices(NUTS + "XX")] == ["a", "b", "d"], "of which most is said first"
    assert [(s.type.iri.rpartition("/")[2], s.count, s.small) for (coast,) in [invented.types(NUTS + "XXA")] for s in coast] == [("coastal", 3, 4), ("non-coastal", 1, 4)]


def test_a_place_that_is_no_region_is_said_to_be_none(invented, tmp_path):
    with pytest.raises(KeyError):
        invented.similar("http://example.org/atlantis")
    with pytest.raises(NoRegionIndex, match="kvgraph build|no region index"):
        Regions(tmp_path)


def test_alike_is_the_same_from_either_side(bundled):
    regions = bundled.regions
    for code in ("ES51", "SI03", "AT33", "PL9", "DE", "PT119"):
        for one in regions.similar(NUTS + code, limit=400):
            back = {other.region.code: other.score for other in regions.similar(one.region.iri, limit=400)}
            if regions.region(NUTS + code).practices:
                assert back[code] == one.score


@pytest.mark.parametrize("code", ["ES51", "ES511", "AT", "FRK2", "IE0", "TR100", "NO020"])
def test_neither_itself_nor_what_is_around_or_inside(bundled, code):
    found = bundled.regions.similar(NUTS + code, limit=2000)
    assert all(not one.region.code.startswith(code) and not code.startswith(one.region.code) for one in found)
    assert all(one.region.level == bundled.regions.region(NUTS + code).level and one.region.practices for one in found)
    assert found == sorted(found, key=lambda one: -one.score)


@pytest.mark.parametrize("code", ["ES51", "ES511", "AT33", "FRK2", "CZ06", "IT"])
def test_every_reason_is_true_in_the_graph(bundled, code):
    """The types, the border, the channels and the policies that two regions are said to share, asked in SPARQL."""
    inside = "?%s skos:broader* nuts:%s . "

    def holds(text: str) -> bool:
        return bundled.query(f"{prologue()} ASK {{ {text} }}")

    seen = set()
    for one in bundled.regions.similar(NUTS + code, limit=12):
        both = (inside % ("a", code)) + (inside % ("b", one.region.code))
        for reason in one.reasons:
            seen.add(reason.kind)
            assert 0 < reason.points <= reason.most
            if reason.kind == "border":
                assert holds(f"nuts:{code} geo:sfTouches nuts:{one.region.code}") and holds(f"nuts:{one.region.code} geo:sfTouches nuts:{code}")
            for shared in reason.shared:
                how = {"channels": "?p dcterms:spatial ?a ; a kv:Practice ; kv:channel <{0}> . ?q dcterms:spatial ?b ; a kv:Practice ; kv:channel <{0}>",
                       "policies": "?p dcterms:spatial ?a ; a kv:Practice ; kv:implements <{0}> . ?q dcterms:spatial ?b ; a kv:Practice ; kv:implements <{0}>"}  # fmt: skip
                types = "?a kv:urbanRuralType|kv:coastType|kv:mountainType <{0}> . ?b kv:urbanRuralType|kv:coastType|kv:mountainType <{0}>"
                assert holds(both + how.get(reason.kind, types).format(shared.iri)), (one.region.code, reason.kind, shared)
    assert {"urban-rural", "coast", "mountains"} <= seen


def test_neighbours_across_a_state_border_count(bundled):
    found = {one.region.code: one for one in bundled.regions.similar(NUTS + "ES51", limit=100)}
    assert "border" in {r.kind for code, one in found.items() if not code.startswith("ES") for r in one.reasons}


def test_the_tree_is_that_of_the_graph(bundled):
    regions = bundled.regions
    assert [r.code for r in regions.above(NUTS + "ES511")] == ["ES", "ES5", "ES51"]
    rows = {row["code"]: row["practices"] for row in bundled.run("regions-inside", region="nuts:ES")}
    assert rows == {r.code: r.practices for r in map(regions.region, (NUTS + code for code in rows))}
    assert {r.code for r in regions.inside(NUTS + "ES51")} == {code for code in rows if code.startswith("ES51") and len(code) == 5}
    assert NUTS + "ES51" in regions and "http://example.org/" not in regions


def test_every_border_is_stated_from_both_sides(bundled):
    rows = bundled.query(f"{prologue()} SELECT ?a ?b {{ ?a geo:sfTouches ?b }}")
    pairs = {(row["a"], row["b"]) for row in rows}
    assert len(pairs) > 8000 and pairs == {(b, a) for a, b in pairs}
    assert all(len(a) == len(b) and a != b for a, b in pairs), "of one level"
