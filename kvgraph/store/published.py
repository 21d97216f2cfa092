"""How a release is named at an endpoint that holds several of them, and what to send so that a query sees just one.

There a release is a dataset under names of its own, so that an old and a new one can stand side by side::

    https://w3id.org/kvgraph/release/<id>/default        the merge: the default graph of the release
    https://w3id.org/kvgraph/release/<id>/graph/…        each named graph https://w3id.org/kvgraph/graph/…
    https://w3id.org/kvgraph/release/<id>/def/…          each named graph https://w3id.org/kvgraph/def/…
    https://w3id.org/kvgraph/release/<id>                describes the dataset: its graphs, its date
    https://w3id.org/kvgraph/release/current             says which release is current

A named graph is renamed wherever the release speaks of it, so what it says about its graphs (basis, page, date) stays true of them. Documents
under ``def/`` are also things that data speak of; those keep their name, and only the graphs called after them are renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Triple

from kvgraph import queries
from kvgraph.namespaces import BASE, DCAT, DCTERMS, GRAPH
from kvgraph.store.endpoint import EndpointError
from kvgraph.store.tokens import Token, tokens

RELEASE = BASE + "release/"
CURRENT = RELEASE + "current"
SD = "http://www.w3.org/ns/sparql-service-description#"

HAS_CURRENT = NamedNode(DCAT + "hasCurrentVersion")
AVAILABLE = NamedNode(DCTERMS + "available")
HAS_VERSION = NamedNode(DCAT + "hasVersion")
NAMED_GRAPH = NamedNode(SD + "namedGraph")


@dataclass(frozen=True)
class Names:
    """The names that the release of this id has at an endpoint.

    >>> names = Names("2026-11-22-1a2b3c4d")
    >>> names.default
    'https://w3id.org/kvgraph/release/2026-11-22-1a2b3c4d/default'
    >>> names.graph("https://w3id.org/kvgraph/graph/nuts-2024")
    'https://w3id.org/kvgraph/release/2026-11-22-1a2b3c4d/graph/nuts-2024'
    >>> names.term("https://w3id.org/kvgraph/def/channel")
    'https://w3id.org/kvgraph/def/channel'
    """

    id: str

    @property
    def release(self) -> str:
        return RELEASE + self.id

    @property
    def default(self) -> str:
        """The graph that holds the merge."""
        return f"{self.release}/default"

    def graph(self, name: str) -> str:
        """A named graph of the release. A name from elsewhere is kept whole inside the new one, percent-encoded."""
        return f"{self.release}/{name.removeprefix(BASE) if name.startswith(BASE) else 'graph/' + quote(name, safe='')}"

    def term(self, iri: str) -> str:
        """Any IRI in the data: renamed if it can only be that of a named graph."""
        return self.graph(iri) if iri.startswith(GRAPH) else iri


@dataclass(frozen=True)
class Published:
    """A release at an endpoint. ``graphs`` are its named graphs, None where the engine lets ``GRAPH`` reach every graph it has.

    Given only a default graph, a query has no named graphs (SPARQL 1.1 Protocol, section 2.1.4), so they are named too wherever the query uses
    GRAPH. Virtuoso keeps them all in reach instead, and cannot take thousands of names: there the variable after GRAPH is filtered.
    """

    names: Names
    graphs: tuple[str, ...] | None

    def prepare(self, query: str) -> tuple[str, list[tuple[str, str]]]:
        """The query as this endpoint understands it, and its ``default-graph-uri`` and ``named-graph-uri``.

        >>> Published(Names("x"), None).prepare("ASK FROM <https://w3id.org/kvgraph/graph/nuts-2024> {}")
        ('ASK FROM <https://w3id.org/kvgraph/release/x/graph/nuts-2024> {}', [])
        """
        found = list(tokens(query))
        text = self._renamed(query, found)
        if names_dataset(query):
            return text, []
        uses_graphs = any(token.kind == "word" and token.text.upper() == "GRAPH" for token in found)
        named = self.graphs if uses_graphs and self.graphs else ()
        return text, [("default-graph-uri", self.names.default), *(("named-graph-uri", g) for g in named)]

    def restore(self, answer: bytes) -> bytes:
        """An answer (JSON, XML or N-Triples) with the graphs called again as in the release.

        >>> Published(Names("x"), None).restore(b'"https://w3id.org/kvgraph/release/x/graph/nuts-2024"')
        b'"https://w3id.org/kvgraph/graph/nuts-2024"'
        """
        return answer.replace(f"{self.names.release}/".encode(), BASE.encode())

    def _renamed(self, query: str, found: list[Token]) -> str:
        pieces, done, before = [], 0, Token("", "", 0)
        for token in found:
            named = before.kind == "word" and before.text.upper() in ("GRAPH", "FROM", "NAMED")
            if token.kind == "iri" and token.text.startswith(f"<{BASE if named else GRAPH}"):
                pieces += [query[done : token.at], f"<{self.names.graph(token.text[1:-1])}>"]
                done = token.at + len(token.text)
            elif token.kind == "var" and named and self.graphs is None:
                pieces += [query[done : before.at], self._only_ours(token.text), " "]
                done = before.at
            before = token
        return "".join([*pieces, query[done:]])

    def _only_ours(self, variable: str) -> str:
        """A filter for the group in which GRAPH binds a variable. Its terms are written by the engine's own serialiser."""
        prefix, merge = Literal(f"{self.names.release}/"), NamedNode(self.names.default)
        return f"FILTER(STRSTARTS(STR({variable}), {prefix}) && {variable} != {merge})"


def names_dataset(query: str) -> bool:
    """Whether a query has a FROM of its own."""
    return any(token.kind == "word" and token.text.upper() == "FROM" for token in tokens(query))


def release_of(graph: str) -> str | None:
    """The id of the release whose merge a graph is.

    >>> release_of("https://w3id.org/kvgraph/release/2026-11-22-1a2b3c4d/default")
    '2026-11-22-1a2b3c4d'
    """
    id = graph.removeprefix(RELEASE).removesuffix("/default")
    return id if Names(id).default == graph else None


@dataclass(frozen=True)
class Found:
    """What is published at an endpoint: the releases that are whole there, and the current one. Nothing at most endpoints."""

    current: str | None
    whole: frozenset[str]

    def choose(self, release: str | None) -> str | None:
        """The release to ask: the one named, else the current one; None where none is published.

        Raises:
            EndpointError: others are published, but not the one named.
        """
        if not self.whole:
            return None
        if release is not None and release not in self.whole:
            raise EndpointError(
                f"The endpoint does not hold release {release}; it holds {', '.join(sorted(self.whole))}.",
                "Publish it there with kvgraph releases push, or use one it holds with kvgraph releases switch.",
            )
        return release or self.current


# Answers a CONSTRUCT query over a dataset that is given as protocol parameters.
Construct = Callable[[str, list[tuple[str, str]]], Iterable[Triple]]


def look(construct: Construct) -> Found:
    """What the graph ``release/current`` says."""
    triples = _graph(construct, CURRENT)
    current = next((t.object.value.removeprefix(RELEASE) for t in triples if t.predicate == HAS_CURRENT), None)
    return Found(current, frozenset(t.subject.value.removeprefix(RELEASE) for t in triples if t.predicate == AVAILABLE))


def describe(construct: Construct, release: str) -> Published:
    """A release that is whole at the endpoint, and how GRAPH works there."""
    names = Names(release)
    if _graph(construct, names.release, [("default-graph-uri", names.default)]):
        return Published(names, None)  # by the standard there is nothing: this dataset has no named graphs
    return Published(names, tuple(sorted(t.object.value for t in _graph(construct, names.release) if t.predicate == NAMED_GRAPH)))


def _graph(construct: Construct, name: str, dataset: list[tuple[str, str]] | None = None) -> list[Triple]:
    return list(construct(queries.load("pages/graph").bind(graph=name), dataset or []))
