"""What is called alike, and whether the reasons are true."""

import time

import pyoxigraph as ox
import pytest

from kvgraph import open as open_graph
from kvgraph.model import ENTITY_TYPES
from kvgraph.namespaces import DCTERMS, ID, KV, NUTS, RDF, SKOS
from kvgraph.similarity import TRAITS, WORTH, NoSimilarity, Similarity, build_similarity


def made(folder, turtle: str) -> Similarity:
    store = ox.Store()
    prefixes = f"@prefix kv: <{KV}> . @prefix dcterms: <{DCTERMS}> . @prefix skos: <{SKOS}> . @prefix id: <{ID}practice/> . @prefix t: <{ID}x/> . @prefix nuts: <{NUTS}> ."
    store.load((prefixes + turtle).encode(), format=ox.RdfFormat.TURTLE)
    build_similarity(store, folder)
    return Similarity(folder)


def others(n: int) -> str:
    """Practices that share nothing but the country, so that what few share is rare."""
    return "".join(f"id:z{i} a kv:Practice ; kv:country t:spain . " for i in range(n))


def test_what_few_share_counts_more_than_what_many_share(tmp_path):
    like = made(tmp_path, others(60) + """
        id:a a kv:Practice ; kv:challenge t:rare , t:common ; kv:country t:spain .
        id:b a kv:Practice ; kv:challenge t:common ; kv:country t:spain .
        id:c a kv:Practice ; kv:challenge t:rare .
        id:d a kv:Practice ; kv:challenge t:common . id:e a kv:Practice ; kv:challenge t:common .""").like(ID + "practice/a")
    assert [a.node.iri.rpartition("/")[2] for a in like][:2] == ["c", "b"]
    assert [r.iri for r in like[0].reasons] == [ID + "x/rare"] and like[0].points > like[1].points
    assert all(a.points >= WORTH for a in like) and all(a.node.iri != ID + "practice/a" for a in like)
    assert not any(a.node.iri.endswith("z1") for a in like), "to be in the same country as everybody is no likeness"


def test_the_smallest_region_stands_for_those_around_it(tmp_path):
    like = made(tmp_path, others(60) + """
        nuts:ES51 skos:broader nuts:ES5 ; kv:country t:spain . nuts:ES5 skos:broader nuts:ES ; kv:country t:spain . nuts:ES52 skos:broader nuts:ES5 .
        id:a a kv:Practice ; dcterms:spatial nuts:ES51 ; kv:country t:spain . id:b a kv:Practice ; dcterms:spatial nuts:ES51 ; kv:country t:spain .
        id:c a kv:Practice ; dcterms:spatial nuts:ES52 ; kv:country t:spain .""").like(ID + "practice/a")
    assert [[(r.trait, r.iri) for r in a.reasons] for a in like] == [[("region", NUTS + "ES51")], [("region", NUTS + "ES5")]]
    assert like[0].points > like[1].points and all(a.points == pytest.approx(sum(r.points for r in a.reasons), abs=0.01) for a in like)


def test_things_of_another_kind_and_unknown_things_are_not_alike(tmp_path):
    index = made(tmp_path, others(20) + "id:a a kv:Practice ; kv:channel t:one . id:p a kv:Policy ; kv:channel t:one .")
    assert index.like(ID + "practice/a") == [] and index.like(ID + "practice/nobody") == [] and index.like("javascript:alert(1)") == []


def test_texts_are_shared_as_texts(tmp_path):
    like = made(tmp_path, others(40) + 'id:a a kv:Practice ; kv:fundingProgramme "Green \\"Fund\\""@en . id:b a kv:Practice ; kv:fundingProgramme "Green \\"Fund\\""@en .').like(ID + "practice/a")
    assert [(r.trait, r.iri, r.label, r.language) for r in like[0].reasons] == [("funding", "", 'Green "Fund"', "en")]


def test_a_folder_without_an_index_says_how_to_make_one(tmp_path):
    with pytest.raises(NoSimilarity) as error:
        Similarity(tmp_path)
    assert "kvgraph build" in error.value.hint


def test_an_empty_graph_has_an_index(tmp_path):
    assert made(tmp_path, "").like(ID + "practice/a") == []


@pytest.fixture(scope="module")
def graph(bundled_home):
    return open_graph(bundled_home)


@pytest.mark.parametrize("name", sorted({name for trait in TRAITS for name in trait.types}))
def test_every_reason_is_true_in_the_graph(graph, name):
    """Followed with pyoxigraph, step by step, from both things."""
    store = graph.backend.store
    default = ox.DefaultGraph()

    def follow(start: str, path: tuple[str, ...]) -> set:
        ends = {ox.NamedNode(start)}
        for step in path:
            node = ox.NamedNode(step.removeprefix("^"))
            backwards = step.startswith("^")
            ends = {q.subject if backwards else q.object for e in ends if isinstance(e, ox.NamedNode) or not backwards
                    for q in (store.quads_for_pattern(None, node, e, default) if backwards else store.quads_for_pattern(e, node, None, default))}  # fmt: skip
        return ends

    def has(thing: str, reason) -> bool:
        for trait in (t for t in TRAITS if t.name == reason.trait and name in t.types):
            ends = follow(thing, trait.path)
            if trait.name == "region":
                ends |= {above for end in ends for n in range(1, 4) for above in follow(end.value, (SKOS + "broader",) * n)}
            if any((e.value == reason.iri) if reason.iri else (isinstance(e, ox.Literal) and e.value == reason.label) for e in ends):
                return True
        return False

    type_ = next(t for t in ENTITY_TYPES if t.name == name)
    things = [row["thing"] for row in graph.run("pages/options", of=type_.iri)]
    sample = things[:: max(1, len(things) // 15)]
    found = [(thing, alike) for thing in sample for alike in graph.similar(thing)]
    assert found or name == "principle"
    for thing, alike in found:
        assert alike.reasons and all(has(thing, r) and has(alike.node.iri, r) for r in alike.reasons[:6]), (thing, alike)
        assert any(q for q in store.quads_for_pattern(ox.NamedNode(alike.node.iri), None, ox.NamedNode(type_.iri), default)), "of the same kind"


def test_it_takes_a_few_milliseconds(graph):
    things = [row["thing"] for row in graph.run("pages/options", of=KV + "Practice")][:200]
    graph.similar(things[0])
    began = time.process_time()
    for thing in things:
        graph.similar(thing)
    assert (time.process_time() - began) / len(things) < 0.01


def test_the_type_of_a_thing_is_never_a_reason():
    assert all(RDF + "type" not in trait.path for trait in TRAITS)
