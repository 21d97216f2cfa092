"""Connections: what ranks where, on a graph small enough to check by hand; and exactness, against trying everything."""

import random
from itertools import pairwise

import numpy as np
import pyoxigraph as ox
import pytest

from kvgraph.connection_index import PER_DOUBLING, UNIT, Arrays, both_ways
from kvgraph.connections import Connections, NoConnections, UnknownEntity, UnknownKind, build_connections
from kvgraph.errors import KvgraphError
from kvgraph.model import EDGES
from kvgraph.namespaces import COUNTRY, ID
from kvgraph.shortest_paths import FAR, Network, k_shortest

# Two universities share a practice; both also share a channel with many others, and a country.
TRIG = """
PREFIX : <https://w3id.org/kvgraph/id/>
PREFIX g: <https://w3id.org/kvgraph/graph/>
PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
PREFIX def: <https://w3id.org/kvgraph/def/>
PREFIX c: <http://publications.europa.eu/resource/authority/country/>
PREFIX nuts: <http://data.europa.eu/nuts/code/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>

g:countries {
  c:ESP skos:inScheme <http://publications.europa.eu/resource/authority/country> ; skos:prefLabel "Spain"@en , "Espagne"@fr .
  c:DNK skos:inScheme <http://publications.europa.eu/resource/authority/country> ; skos:prefLabel "Denmark"@en .
  nuts:ES51 skos:inScheme <http://data.europa.eu/nuts> ; skos:prefLabel "Cataluña"@es ; kv:country c:ESP .
  # What makes Spain a hub.
  nuts:ES30 skos:inScheme <http://data.europa.eu/nuts> ; kv:country c:ESP .
  nuts:ES41 skos:inScheme <http://data.europa.eu/nuts> ; kv:country c:ESP .
  nuts:ES61 skos:inScheme <http://data.europa.eu/nuts> ; kv:country c:ESP .
  nuts:ES62 skos:inScheme <http://data.europa.eu/nuts> ; kv:country c:ESP .
}
def:channel { :channel\\/spin-offs skos:inScheme def:channel ; skos:prefLabel "spin-offs"@en ; skos:broader :channel\\/all .
              :channel\\/all skos:inScheme def:channel ; skos:prefLabel "all"@en . }
def:role { :role\\/lead skos:prefLabel "lead"@en . :role\\/partner skos:prefLabel "partner"@en . }
g:one {
  :practice\\/common a kv:Practice ; dcterms:title "{Common} lab"@en ; kv:channel :channel\\/spin-offs ;
     kv:country c:ESP ; dcterms:spatial c:ESP ;
     prov:qualifiedAssociation :participation\\/1 , :participation\\/2 , :participation\\/3 .
  :participation\\/1 prov:agent :actor\\/a ; prov:hadRole :role\\/lead .
  :participation\\/2 prov:agent :actor\\/b ; prov:hadRole :role\\/partner .
  :participation\\/3 prov:agent :actor\\/a ; prov:hadRole :role\\/partner .
  :actor\\/a a kv:Actor ; skos:prefLabel "University A"@en ; kv:country c:ESP .
  :actor\\/b a kv:Actor , kv:KnowledgeGenerator ; skos:prefLabel "University B"@en ; kv:country c:ESP .
  :actor\\/alone a kv:Actor ; skos:prefLabel "Alone"@en .
}
g:two { :practice\\/common kv:channel :channel\\/spin-offs . :participation\\/2 prov:agent :actor\\/b . }
g:derived { :practice\\/common kv:channel :channel\\/spin-offs . }
g:other {
  :practice\\/a a kv:Practice ; dcterms:title "Practice of A"@en ; kv:channel :channel\\/spin-offs ;
     prov:qualifiedAssociation :participation\\/4 . :participation\\/4 prov:agent :actor\\/a ; prov:hadRole :role\\/lead .
  :practice\\/b a kv:Practice ; dcterms:title "Practice of B"@en ; kv:channel :channel\\/spin-offs ; kv:country c:DNK ;
     prov:qualifiedAssociation :participation\\/5 . :participation\\/5 prov:agent :actor\\/b ; prov:hadRole :role\\/lead .
}
g:about {
  g:one kv:basis :basis\\/classified ; dcterms:source <https://example.org/1> .
  g:two kv:basis :basis\\/stated ; dcterms:source <https://example.org/2> ;
     prov:wasAttributedTo :actor\\/curators ; rdfs:comment "Seen twice."@en .
  g:derived kv:basis :basis\\/derived .
}
"""
A, B, COMMON, SPAIN = ID + "actor/a", ID + "actor/b", ID + "practice/common", COUNTRY + "ESP"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    store = ox.Store()
    store.load(TRIG.encode(), format=ox.RdfFormat.TRIG)
    # The default graph of a release is a copy of everything: nothing may count twice.
    store.extend([ox.Quad(q.subject, q.predicate, q.object) for q in store])
    path = tmp_path_factory.mktemp("connections")
    build_connections(store, path)
    return path


@pytest.fixture(scope="module")
def graph(folder):
    return Connections(folder)


def names(path):
    return [path.hops[0].source.label, *(hop.target.label for hop in path.hops)]


def test_what_few_share_ranks_above_what_everybody_shares(graph):
    found = graph.paths(A, B)
    assert found.complete and found.reason == ""
    assert [names(path)[1:-1] for path in found.paths] == [
        ["{Common} lab"],
        ["Practice of A", "spin-offs", "Practice of B"],
        ["Practice of A", "spin-offs", "{Common} lab"],
        ["Spain"],
        ["{Common} lab", "spin-offs", "Practice of B"],
        ["Spain", "{Common} lab"],
        ["{Common} lab", "Spain"],
        ["Practice of A", "spin-offs", "{Common} lab", "Spain"],
        ["Spain", "{Common} lab", "spin-offs", "Practice of B"],
    ]
    assert [path.cost for path in found.paths] == sorted(path.cost for path in found.paths)


def test_cost_is_the_hops_and_what_lies_between_as_hubs(graph):
    common, channel, *_ = graph.paths(A, B, k=3).paths
    (country,) = graph.paths(A, B, kinds=["country"]).paths
    half = PER_DOUBLING
    assert common.cost == 2 + half * 2  # the practice is tied to a, b, Spain and the channel
    # Practice A: its actor, the channel. Channel: three practices. Practice B: its actor, the channel, Denmark.
    assert channel.cost == pytest.approx(2 + 2 * 2.5 + half * (1 + 2 * np.log2(3)), abs=0.002)
    assert country.cost == pytest.approx(2 * EDGES["country"].cost + half * np.log2(8), abs=0.001)  # a, b, the practice, 5 regions


def test_a_hop_is_a_sentence_with_its_source(graph):
    first, second = graph.paths(A, B, k=1).paths[0].hops
    assert first.sentence == "University A took part as lead in {Common} lab"
    assert [getattr(p, "iri", p) for p in first.parts] == [A, " took part as ", "lead", " in ", COMMON]
    assert (first.kind, first.forward, first.role, first.target.type) == ("participation", False, "lead", "practice")
    assert (first.basis, first.page, first.more) == ("classified", "https://example.org/1", 0)
    assert (second.source.iri, second.target.iri, second.forward) == (COMMON, B, True)


def test_the_best_source_is_kept_and_the_others_counted(graph):
    (path,) = graph.paths(COMMON, ID + "channel/spin-offs", max_hops=1).paths
    (hop,) = path.hops
    assert (hop.basis, hop.page, hop.more) == ("stated", "https://example.org/2", 2)
    assert (hop.note, hop.by) == ("Seen twice.", ID + "actor/curators")
    assert hop.graph == "https://w3id.org/kvgraph/graph/two"
    # Two graphs name the partner; the whole participation is in one of them only.
    (path,) = graph.paths(COMMON, B, max_hops=1).paths
    assert (path.hops[0].basis, path.hops[0].more) == ("stated", 1)


def test_facts_between_the_same_two_are_one_hop(graph):
    (path,) = graph.paths(A, COMMON, max_hops=1).paths
    assert path.hops[0].role == "lead" and [other.role for other in path.hops[0].others] == ["partner"]
    # A place that is a whole country is the same fact as the country.
    (path,) = graph.paths(COMMON, SPAIN, max_hops=1).paths
    assert path.hops[0].kind == "country" and path.hops[0].others == ()


def test_code_lists_are_no_connections_but_channels_are_nodes(graph):
    assert graph.paths(ID + "channel/spin-offs", ID + "channel/all").reason.startswith("Nothing in the graph connects")


def test_kinds_can_be_chosen(graph):
    only = graph.paths(A, B, kinds=["country"])
    assert [names(path) for path in only.paths] == [["University A", "Spain", "University B"]]
    without = graph.paths(A, B, exclude=["participation"])
    assert without.paths and all(hop.kind != "participation" for p in without.paths for hop in p.hops)
    assert graph.paths(A, B, kinds=["region"]).reason
    with pytest.raises(UnknownKind, match="friendship.*participation"):
        graph.paths(A, B, kinds=["friendship"])


def test_nothing_to_show_has_a_reason(graph):
    assert graph.paths(A, A).reason.startswith("These are one and the same")
    nothing = graph.paths(A, ID + "actor/alone")
    assert (nothing.paths, nothing.complete) == ([], True) and nothing.reason.startswith("Nothing in the graph")
    assert graph.paths(A, B, max_hops=1).reason == "There is no connection within 1 step."


def test_unknown_entities_and_folders_are_clear(graph, tmp_path):
    with pytest.raises(UnknownEntity, match="actor/nobody"):
        graph.paths(A, ID + "actor/nobody")
    for odd in ("", "\x00", "Ж", "zzz"):
        with pytest.raises(KvgraphError):
            graph.neighbours(odd)
    with pytest.raises(NoConnections, match="kvgraph build"):
        Connections(tmp_path)
    with pytest.raises(ValueError):
        graph.paths(A, B, k=0)


def test_neighbours_begin_with_the_most_telling(graph):
    found = graph.neighbours(A, limit=2)
    assert found.total == 3
    assert [hop.target.label for hop in found.hops] == ["Practice of A", "{Common} lab"]


def test_labels_prefer_english_and_keep_their_language(graph):
    assert graph.neighbours(SPAIN, 99).hops[0].source.label == "Spain"
    node = next(hop.target for hop in graph.neighbours(SPAIN, 99).hops if hop.target.iri.endswith("ES51"))
    assert (node.label, node.language) == ("Cataluña", "es")


def test_an_empty_graph_makes_an_empty_index(tmp_path):
    build_connections(ox.Store(), tmp_path)
    empty = Connections(tmp_path)
    assert (len(empty), empty.edges) == (0, 0)
    with pytest.raises(UnknownEntity):
        empty.paths(A, B)


def test_the_index_is_mapped_and_cannot_be_written(folder, graph):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    target = Arrays(folder)["target"]
    assert not target.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        target[0] = 1
    graph.paths(A, B)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_same_store_makes_the_same_bytes(folder, tmp_path):
    store = ox.Store()
    quads = list(ox.parse(TRIG.encode(), format=ox.RdfFormat.TRIG))
    random.Random(4).shuffle(quads)
    store.extend(quads)
    build_connections(store, tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}


# ── Exactness ────────────────────────────────────────────────────────────────────────────────────────────────────────

COSTS = np.int32([1000, 1200, 2000, 3000])


def random_network(seed, nodes, edges, hubs=2):
    pick = random.Random(seed)
    pairs = [(pick.randrange(nodes), pick.randrange(nodes)) for _ in range(edges)]
    pairs += [(hub, n) for hub in range(hubs) for n in range(hubs, nodes) if pick.random() < 0.7]
    pairs = [(s, o) for s, o in pairs if s != o]
    subject, object_ = np.array(pairs, np.int32).T
    kind = np.array([pick.randrange(len(COSTS)) for _ in pairs], np.int32)
    arrays = both_ways({"subject": subject, "object": object_, "kind": kind}, nodes)
    return Network(*(arrays[name] for name in ("offsets", "target", "kind", "penalty")))


def everything(network, start, goal, max_hops, costs):
    """The cost of every simple path, by trying them all."""
    found = []

    def walk(path, paid):
        if path[-1] == goal:
            found.append((paid - int(network.penalty[goal]), path))
        elif len(path) <= max_hops:
            arcs = range(network.offsets[path[-1]], network.offsets[path[-1] + 1])
            for node in {int(network.target[i]) for i in arcs} - set(path):
                step = min(int(costs[network.kind[i]]) for i in arcs if network.target[i] == node)
                if step < FAR:
                    walk((*path, node), paid + step + int(network.penalty[node]))

    walk((start,), 0)
    return sorted(found)


@pytest.mark.parametrize("seed", range(40))
def test_paths_are_the_cheapest_of_all(seed, monkeypatch):
    if seed % 2:  # as at a hub
        monkeypatch.setattr("kvgraph.shortest_paths.MANY", 0)
    pick = random.Random(1000 + seed)
    nodes = pick.randint(4, 12)
    network = random_network(seed, nodes, pick.randint(3, 16))
    costs = COSTS.copy()
    if seed % 4 == 3:
        costs[pick.randrange(len(costs))] = FAR
    for max_hops in (1, 3, 5):
        start, goal = pick.sample(range(nodes), 2)
        expected = everything(network, start, goal, max_hops, costs)
        for k in (1, 7, 500):
            found = k_shortest(network, start, goal, k, max_hops, costs)
            assert [cost for cost, _ in found.paths] == [cost for cost, _ in expected[:k]]
            assert set(found.paths) <= set(expected) and len(set(found.paths)) == len(found.paths)
            assert found.complete
            back = k_shortest(network, goal, start, k, max_hops, costs)
            assert [cost for cost, _ in back.paths] == [cost for cost, _ in found.paths]


def test_penalty_doubles_with_the_number_of_things_not_of_facts():
    # A star of eight, one of its edges three times.
    subject, object_ = np.int32([0] * 10), np.int32([1, 1, 1, 2, 3, 4, 5, 6, 7, 8])
    arrays = both_ways({"subject": subject, "object": object_, "kind": np.zeros(10, np.int32)}, 10)
    assert arrays["penalty"].tolist() == [3 * PER_DOUBLING * UNIT] + [0] * 9


def test_a_search_that_is_cut_short_says_so(monkeypatch):
    network = random_network(1, 60, 200)
    whole = k_shortest(network, 5, 9, 10, 6, COSTS)
    assert whole.complete and len(whole.paths) == 10
    monkeypatch.setattr("kvgraph.shortest_paths.MOST_STEPS", 5)
    cut = k_shortest(network, 5, 9, 10, 6, COSTS)
    assert not cut.complete and cut.paths == whole.paths[: len(cut.paths)]
    monkeypatch.undo()
    monkeypatch.setattr("kvgraph.shortest_paths.MOST_ARCS", 10)
    cut = k_shortest(network, 5, 9, 500, 6, COSTS)
    assert not cut.complete
    assert all(a[0] <= b[0] for a, b in pairwise(cut.paths))


def test_a_hub_in_the_middle_of_a_large_graph_is_left_alone():
    # Two ends with a common friend, and a hub with 20,000 others: the work must not grow with the hub.
    others = np.arange(3, 20_003)
    subject = np.concatenate(([0, 1, 0, 1], others)).astype(np.int32)
    object_ = np.concatenate(([20_003, 20_003, 2, 2], np.full(len(others), 2))).astype(np.int32)
    arrays = both_ways({"subject": subject, "object": object_, "kind": np.zeros(len(subject), np.int32)}, 20_004)
    network = Network(*(arrays[name] for name in ("offsets", "target", "kind", "penalty")))
    found = k_shortest(network, 0, 1, 10, 6, COSTS)
    assert [path for _, path in found.paths] == [(0, 20_003, 1), (0, 2, 1)] and found.complete
