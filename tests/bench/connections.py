"""How long connections take: k = 10 between random pairs; and with ``--home`` how long the server takes for the pages about them.

    python tests/bench/connections.py                        # a generated graph of 0.3 million edges
    python tests/bench/connections.py --edges 3000000
    python tests/bench/connections.py --index var/current/connections
    python tests/bench/connections.py --home var

A generated graph imitates the field: projects with a few partners (some organisations are in very many), each in one
of 30 countries and one of 1,500 regions, with channels. Beside it, networkx where it is installed, with the same costs.
"""

import argparse
from pathlib import Path
from time import perf_counter, process_time
from urllib.parse import urlencode

import numpy as np

import kvgraph
from kvgraph.connection_index import UNIT, Arrays, both_ways
from kvgraph.model import EDGE_KINDS
from kvgraph.server import create_app
from kvgraph.shortest_paths import Network, k_shortest

COSTS = np.array([round(kind.cost * UNIT) for kind in EDGE_KINDS], np.int32)
KIND = {kind.name: i for i, kind in enumerate(EDGE_KINDS)}


def generated(edges: int, seed: int = 1) -> tuple[Network, np.ndarray]:
    """A graph of about so many edges, and the nodes that are organisations or projects."""
    random = np.random.default_rng(seed)
    projects = edges // 12
    actors = int(projects * 1.2)
    country, region, channel = (np.arange(n) + shift for n, shift in ((30, 0), (1500, 30), (10, 1530)))
    first_project, first_actor = 1540, 1540 + projects
    project, actor = np.arange(projects) + first_project, np.arange(actors) + first_actor

    home = random.integers(0, 1500, actors)  # region of each actor; 50 regions to a country
    partners = random.poisson(7, projects) + 1
    lead = np.repeat(project, partners)
    # Few are in very many projects: the popularity of an actor falls with its rank.
    who = first_actor + (actors * random.random(lead.size) ** 2.5).astype(int)
    own = random.integers(0, 1500, projects)
    rows = [
        ("participation", lead, who),
        ("country", actor, country[home // 50]), ("region", actor, region[home]),
        ("country", project, country[own // 50]), ("region", project, region[own]),
        ("channel", project, channel[random.integers(0, 10, projects)]),
        ("country", region, country[np.arange(1500) // 50]),
    ]  # fmt: skip
    columns = {
        "kind": np.concatenate([np.full(len(s), KIND[name]) for name, s, _ in rows]).astype(np.int32),
        "subject": np.concatenate([s for _, s, _ in rows]).astype(np.int32),
        "object": np.concatenate([o for _, _, o in rows]).astype(np.int32),
    }
    arrays = both_ways(columns, first_actor + actors)
    return Network(*(arrays[name] for name in ("offsets", "target", "kind", "penalty"))), np.concatenate((project, actor))


def opened(folder: Path) -> tuple[Network, np.ndarray]:
    """The graph of a release, and the nodes that have connections."""
    index = Arrays(folder)
    network = Network(*(index[name] for name in ("offsets", "target", "kind", "penalty")))
    return network, np.flatnonzero(np.diff(network.offsets))


def ours(network: Network, pairs: list[tuple[int, int]]) -> tuple[list[float], list[list[int]], int]:
    times, costs, unproven = [], [], 0
    for a, b in pairs:
        began = perf_counter()
        found = k_shortest(network, a, b, 10, 6, COSTS)
        times.append(perf_counter() - began)
        costs.append([cost for cost, _ in found.paths])
        unproven += not found.complete
    return times, costs, unproven


def networkx_too(network: Network, pairs: list[tuple[int, int]], ours: list[list[int]]) -> list[float] | None:
    """networkx's shortest_simple_paths on the same pairs; also checks that it finds the same costs."""
    try:
        import networkx
    except ImportError:
        return None
    graph, penalty = networkx.Graph(), network.penalty.tolist()
    source, arcs = network.arcs(np.arange(len(network.offsets) - 1))
    for s, t, kind in zip(source.tolist(), network.target[arcs].tolist(), network.kind[arcs].tolist()):
        # Half of a node's penalty on each of its edges; twice everything, to stay with whole numbers.
        weight = 2 * int(COSTS[kind]) + penalty[s] + penalty[t]
        if not graph.has_edge(s, t) or weight < graph[s][t]["weight"]:
            graph.add_edge(s, t, weight=weight)
    times = []
    for (a, b), expected in zip(pairs, ours):
        began = perf_counter()
        found = networkx.shortest_simple_paths(graph, a, b, weight="weight")
        # It knows no limit of hops: where its ten best have more than six, ours are others.
        ten = [path for path, _ in zip(found, range(10))] if networkx.has_path(graph, a, b) else []
        times.append(perf_counter() - began)
        if all(len(path) <= 7 for path in ten):
            sums = [sum(graph[s][t]["weight"] for s, t in zip(p, p[1:])) for p in ten]
            assert [(total - penalty[a] - penalty[b]) // 2 for total in sums] == expected
    return times


def pages(home: Path, count: int) -> None:
    """The time of whole pages, from request to response, none of them asked before; the graph is in this process, as in a query worker."""
    graph = kvgraph.open(home)
    client = create_app(lambda *_: graph).test_client()
    known = graph.connections
    actors = [known.node(int(i)).iri for i in np.flatnonzero(known.types == known.type_names.index("actor"))]
    pairs = np.random.default_rng(7).choice(actors, (count + 5, 2)).tolist()
    addresses = {
        "/connections": ["/connections?" + urlencode({"a": a, "b": b}) for a, b in pairs],
        "/connections, k=50": ["/connections?" + urlencode({"a": a, "b": b, "k": 50}) for a, b in pairs],
        "/network": ["/network?" + urlencode({"of": a}) for a in dict.fromkeys(a for a, _ in pairs)],
        "/network.json": ["/network.json?" + urlencode({"of": b}) for b in dict.fromkeys(b for _, b in pairs)],
    }
    print(f"release {graph.release.id}: {len(graph.connections):,} things, {graph.connections.edges:,} ties\n{'':20} {'pages':>6} {'median ms':>10} {'p95 ms':>8} {'max ms':>8} {'cpu median':>10}")
    for name, asked in addresses.items():
        times, worked = [], []
        for address in asked:
            began, before = perf_counter(), process_time()
            response = client.get(address, headers={"Accept": "text/html"}, buffered=True)
            times.append(1000 * (perf_counter() - began))
            worked.append(1000 * (process_time() - before))
            assert response.status_code == 200, response.data
        ms = np.array(times[5:])  # the first ones load templates and map files
        print(f"{name:20} {ms.size:6} {np.median(ms):10.1f} {np.percentile(ms, 95):8.1f} {ms.max():8.1f} {np.median(worked[5:]):10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", type=int, default=300_000)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--networkx", type=int, default=5, help="pairs that networkx is asked (it is slow)")
    parser.add_argument("--home", type=Path, help="measure the pages of the current release of this home instead")
    options = parser.parse_args()
    if options.home:
        return pages(options.home, options.pairs)
    network, nodes = opened(options.index) if options.index else generated(options.edges)
    ends = np.random.default_rng(7).choice(nodes, (options.pairs, 2))
    pairs = [(int(a), int(b)) for a, b in ends if a != b]
    times, costs, unproven = ours(network, pairs)
    print(f"{len(network.offsets) - 1:,} nodes, {len(network.target) // 2:,} edges, k = 10, at most 6 hops")
    print(f"{'':10} {'pairs':>6} {'median ms':>10} {'p95 ms':>8} {'max ms':>8} {'not proven':>11}")
    rows = [("kvgraph", times, unproven)]
    few = options.networkx
    if few and (theirs := networkx_too(network, pairs[:few], costs[:few])):
        rows.append(("networkx", theirs, 0))
    for name, seconds, cut in rows:
        ms = 1000 * np.array(seconds)
        print(f"{name:10} {ms.size:6} {np.median(ms):10.1f} {np.percentile(ms, 95):8.1f} {ms.max():8.1f} {cut:11}")
    print("cost of the best and of the tenth path, median:", *(
        f"{np.median([c[i] for c in costs if len(c) > 9 or (c and not i)]) / UNIT:.1f}" for i in (0, 9)
    ))  # fmt: skip


if __name__ == "__main__":
    main()
