"""The connection index on disk: a folder of numpy arrays and tables of strings, written once, then only mapped.

:func:`build_connections` writes it, :class:`Arrays` opens it; :mod:`kvgraph.connections` says what it is for.

Nodes are numbered in the order of their IRIs. An edge is one fact between two of them; of the named graphs that hold
the fact the best one is kept (stated before classified before derived) and the number of the others. Each edge is
two arcs, one from each end: arcs of node n are ``offsets[n]:offsets[n + 1]``, sorted by target; ``edge >> 1`` is the
number of the edge and ``edge & 1`` says that the arc runs against it.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from pyoxigraph import Literal, NamedNode, Store

from .entities import entity_types, labels, quads
from .errors import KvgraphError
from .model import EDGE_KINDS, EDGES, ENTITY_TYPES, PARTICIPATION, kind_in
from .namespaces import COUNTRY, DCTERMS, DEF, EURIO, KV, NUTS, PROV, RDFS

BASES = ("stated", "classified", "derived", "")  # what is preferred as the source of a fact, best first
UNIT = 1000  # prices are whole thousandths of a point
PER_DOUBLING = 0.5  # points for each doubling of the connections of a thing in the middle

_COUNTRY_KIND = EDGE_KINDS.index(EDGES["country"])

ARRAYS = ("offsets", "target", "kind", "edge", "penalty", "type", "edge_graph", "edge_more", "edge_role", "graph_basis")
TABLES = ("iri", "label", "language", "graph", "page", "by", "note", "role", "kinds", "types")


class NoConnections(KvgraphError):
    """The folder holds no connection index."""

    def __init__(self, folder: Path):
        super().__init__(f"There is no connection index in {folder}.", hint="Make one with: kvgraph build --force")


class Strings:
    """A list of strings in two arrays: all bytes, and where each string begins."""

    def __init__(self, folder: Path, name: str):
        self.start, self.bytes = load(folder, name + ".start"), load(folder, name + ".bytes")

    @staticmethod
    def write(folder: Path, name: str, texts: Iterable[str]) -> None:
        encoded = [text.encode() for text in texts]
        np.save(folder / f"{name}.start.npy", np.cumsum([0, *map(len, encoded)], dtype=np.int64))
        np.save(folder / f"{name}.bytes.npy", np.frombuffer(b"".join(encoded), np.uint8))

    def __getitem__(self, i: int) -> str:
        return self.bytes[self.start[i] : self.start[i + 1]].tobytes().decode()

    def __len__(self) -> int:
        return len(self.start) - 1

    def find(self, text: str) -> int | None:
        """The place of a string in a sorted table."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self[middle] < text:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self[low] == text else None


class Arrays:
    """The arrays and tables of an index by name: ``arrays["penalty"]``, ``arrays.text["iri"]``.

    Raises :class:`NoConnections` if the folder holds none.
    """

    def __init__(self, folder: Path):
        try:
            self._arrays = {name: load(folder, name) for name in ARRAYS}
            self.text = {name: Strings(folder, name) for name in TABLES}
        except FileNotFoundError:
            raise NoConnections(folder) from None

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]


def load(folder: Path, name: str) -> np.ndarray:
    path = folder / f"{name}.npy"
    # numpy cannot map an empty array. A plain view, because its memmap class costs microseconds at each access.
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    except ValueError:
        return np.load(path, allow_pickle=False)


def build_connections(store: Store, folder: str | Path) -> None:
    """Write the connection index of a store into a folder, which is made if need be.

    Facts of the default graph (a copy), of the ontology and of the code lists are no connections.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    types, names = entity_types(store), labels(store)
    iris = sorted(types)
    facts = _Facts(store, {iri: i for i, iri in enumerate(iris)}, names)
    edges = facts.edges(_graphs(store, folder, facts.graphs, names))
    arcs = both_ways(edges, len(iris))
    type_names = [t.name for t in ENTITY_TYPES]
    arrays = {
        **arcs,
        "type": np.array([type_names.index(types[iri]) for iri in iris], np.uint8),
        "edge_graph": edges["graph"].astype(np.int32),
        "edge_more": edges["more"].astype(np.int32),
        "edge_role": edges["role"].astype(np.uint8),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    Strings.write(folder, "iri", iris)
    Strings.write(folder, "label", [names[iri][0] if iri in names else iri for iri in iris])
    Strings.write(folder, "language", [names[iri][1] if iri in names else "" for iri in iris])
    Strings.write(folder, "role", facts.roles)
    Strings.write(folder, "kinds", [kind.name for kind in EDGE_KINDS])
    Strings.write(folder, "types", type_names)


class _Facts:
    """Every fact that connects two entities, once per named graph that holds it, as columns of numbers."""

    def __init__(self, store: Store, number: dict[str, int], names: dict[str, tuple[str, str]]):
        self.number, self.roles = number, [""]
        self._iris, self._kinds = list(number), {}
        self.graphs: dict[str, int] = {}
        self.columns = {name: array("i") for name in ("kind", "subject", "object", "role", "graph")}
        seen: set[str] = set()
        for kind, edge_kind in enumerate(EDGE_KINDS):
            if edge_kind.predicate in seen:  # the same tie in the graph of an import
                continue
            seen.add(edge_kind.predicate)
            if edge_kind.name == PARTICIPATION:
                self._participations(store, kind, edge_kind.predicate, names)
            elif edge_kind.name == "cordis":
                self._roles(store, kind)
            else:
                for subject, object_, graph in _triples(store, edge_kind.predicate):
                    # A place that is a whole country is no more telling than kv:country.
                    wide = edge_kind is EDGES["region"] and _is_country(object_)
                    self._add(_COUNTRY_KIND if wide else kind, subject, object_, 0, graph)
        # Graphs were numbered as they came; an index must not depend on the order in which a store lists things.
        order = sorted(self.graphs)
        rank = np.zeros(len(order), np.int32)
        rank[[self.graphs[graph] for graph in order]] = np.arange(len(order))
        self.graphs = {graph: i for i, graph in enumerate(order)}
        self.rows = {name: np.frombuffer(column, np.int32) for name, column in self.columns.items()}
        self.rows["graph"] = rank[self.rows["graph"]]

    def _add(self, kind: int, subject: str, object_: str, role: int, graph: str) -> None:
        s, o = self.number.get(subject), self.number.get(object_)
        if s is None or o is None or s == o:
            return
        number = self.graphs.setdefault(graph, len(self.graphs))
        row = (self._kind(kind, number, graph), s, o, role, number)
        for column, value in zip(self.columns.values(), row):
            column.append(value)

    def _kind(self, kind: int, number: int, graph: str) -> int:
        """The kind as the source of the graph makes it: :func:`~kvgraph.model.kind_in`, remembered."""
        if (known := self._kinds.get((kind, number))) is None:
            self._kinds[kind, number] = known = EDGE_KINDS.index(EDGES[kind_in(EDGE_KINDS[kind].name, graph)])
        return known

    def _roles(self, store: Store, kind: int) -> None:
        """Project, role and organisation (EURIO) become one edge from project to organisation that carries the role. There are millions: one pass for each."""
        place = {role: i for i, role in enumerate(self.roles)}
        organisation, role_of = {}, {}
        for role, other, _ in _triples(store, EURIO + "isRoleOf"):
            if (number := self.number.get(other)) is not None:
                organisation[role] = number
        for quad in quads(store, EURIO + "roleLabel"):
            label = quad.object.value
            if label not in place:
                if len(self.roles) > 250:  # a role is one byte in the index
                    continue
                place[label] = len(self.roles)
                self.roles.append(label)
            role_of[quad.subject.value] = place[label]
        iris = self._iris
        for project, role, graph in _triples(store, EURIO + "hasInvolvedParty"):
            if (number := organisation.get(role)) is not None:
                self._add(kind, project, iris[number], role_of.get(role, 0), graph)

    def _participations(self, store: Store, kind: int, predicate: str, names: dict[str, tuple[str, str]]) -> None:
        """Practice, participation, actor become one edge from practice to actor that carries the role."""
        agents, roles = defaultdict(set), defaultdict(set)
        for participation, actor, graph in _triples(store, PROV + "agent"):
            agents[participation].add((actor, graph))
        for participation, role, _ in _triples(store, PROV + "hadRole"):
            roles[participation].add(names[role][0] if role in names else role.rpartition("/")[2])
        # The lead comes before the others when one actor has several roles in a practice.
        known = sorted(set().union(*roles.values()), key=lambda role: (role != "lead", role))
        self.roles += known
        place = {role: i for i, role in enumerate(self.roles)}
        practices = {(practice, participation) for practice, participation, _ in _triples(store, predicate)}
        for practice, participation in sorted(practices):
            for actor, graph in sorted(agents[participation]):
                for role in sorted(roles[participation]) or [""]:
                    self._add(kind, practice, actor, place[role], graph)

    def edges(self, basis: np.ndarray) -> dict[str, np.ndarray]:
        """One row per fact with its best graph, and how many more hold it."""
        rows = self.rows
        keys = ("role", "object", "subject", "kind")  # the last one sorts first
        order = np.lexsort((rows["graph"], basis[rows["graph"]], *(rows[key] for key in keys)))
        rows = {name: column[order] for name, column in rows.items()}
        new = np.ones(len(order), bool)
        if len(order):
            new[1:] = np.any([np.diff(rows[key]) != 0 for key in keys], axis=0)
        first = np.flatnonzero(new)
        more = np.diff(first, append=len(order)) - 1
        return {**{name: column[first] for name, column in rows.items()}, "more": more}


def _is_country(place: str) -> bool:
    """Whether a place is a country, or the NUTS region of level 0 that is one."""
    return place.startswith(COUNTRY) or (place.startswith(NUTS) and len(place) == len(NUTS) + 2)


def _triples(store: Store, predicate: str) -> Iterator[tuple[str, str, str]]:
    """Subject, object and graph of the facts of named graphs, those of the ontology and the code lists left out."""
    for quad in quads(store, predicate):
        s, o, graph = quad.subject, quad.object, quad.graph_name
        if isinstance(graph, NamedNode) and isinstance(s, NamedNode) and isinstance(o, NamedNode):
            if not graph.value.startswith(DEF):
                yield s.value, o.value, graph.value


def _graphs(store: Store, folder: Path, graphs: dict[str, int], names: dict[str, tuple[str, str]]) -> np.ndarray:
    """Write what is known of each graph; the basis of each as its place in ``BASES``."""

    def described(predicate: str) -> list[str]:
        best: dict[str, tuple] = {}
        for quad in quads(store, predicate):
            if isinstance(quad.subject, NamedNode) and quad.subject.value in graphs:
                english = isinstance(quad.object, Literal) and quad.object.language in ("en", None)
                found = (not english, quad.object.value)
                best[quad.subject.value] = min(best.get(quad.subject.value, found), found)
        return [best.get(graph, ("", ""))[1] for graph in graphs]

    basis = [iri.rpartition("/")[2] for iri in described(KV + "basis")]
    basis = np.array([BASES.index(b) if b in BASES else len(BASES) - 1 for b in basis], np.uint8)
    np.save(folder / "graph_basis.npy", basis)
    Strings.write(folder, "graph", graphs)
    Strings.write(folder, "page", described(DCTERMS + "source"))
    Strings.write(folder, "by", described(PROV + "wasAttributedTo"))
    Strings.write(folder, "note", described(RDFS + "comment"))
    return basis


def both_ways(edges: dict[str, np.ndarray], nodes: int) -> dict[str, np.ndarray]:
    """Both directions of every edge in order of their source and target, and each node's penalty as a hub."""
    subject, object_, number = edges["subject"], edges["object"], np.arange(len(edges["kind"]), dtype=np.int32)
    source, target = np.concatenate((subject, object_)), np.concatenate((object_, subject))
    edge = np.concatenate((number << 1, number << 1 | 1))
    order = np.lexsort((edge >> 1, target, source))
    source, target, edge = source[order], target[order], edge[order]
    first = np.ones(len(source), bool)
    first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
    degree = np.bincount(source[first], minlength=nodes)  # things, not facts: two roles in a practice count once
    return {
        "offsets": np.searchsorted(source, np.arange(nodes + 1)).astype(np.int64),
        "target": target.astype(np.int32),
        "edge": edge.astype(np.int32),
        "kind": edges["kind"][edge >> 1].astype(np.uint8),
        "penalty": np.rint(UNIT * PER_DOUBLING * np.log2(np.maximum(degree, 1))).astype(np.int32),
    }
