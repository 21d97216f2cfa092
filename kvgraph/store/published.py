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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pyoxigraph
from pyoxigraph import Literal, NamedNode, QueryResultsFormat, RdfFormat, Triple

from kvgraph import queries
from kvgraph.namespaces import BASE, DCAT, DCTERMS, GRAPH
from kvgraph.store.endpoint import EndpointError
from kvgraph.store.errors import QueryError
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
    """A release at an endpoint. ``graphs`` are its named graphs, None where a variable after ``GRAPH`` reaches every graph there is.

    Given only a default graph, a query has no named graphs (SPARQL 1.1 Protocol, section 2.1.4), so they are named too wherever the query uses
    GRAPH. Virtuoso cannot take thousands of names, and has all graphs in a variable's reach instead: there the variable is filtered, and
    only a graph that the query names is named.
    """

    names: Names
    graphs: tuple[str, ...] | None

    def prepare(self, query: str) -> tuple[str, list[tuple[str, str]]]:
        """The query as this endpoint understands it, and its ``default-graph-uri`` and ``named-graph-uri``.

        >>> Published(Names("x"), None).prepare("ASK FROM <https://w3id.org/kvgraph/graph/nuts-2024> {}")
        ('ASK FROM <https://w3id.org/kvgraph/release/x/graph/nuts-2024> {}', [])

        Raises:
            QueryError: GRAPH stands before names and variables, and the engine cannot do both.
        """
        text = self._renamed(query)
        if names_dataset(query):
            return text, []
        terms = [(term, iri) for keyword, term, iri in _graph_terms(text) if keyword.text.upper() == "GRAPH"]
        variables, constants = any(term.kind == "var" for term, _ in terms), [iri for _, iri in terms if iri]
        if self.graphs is not None:
            named = self.graphs if variables or constants else ()
        elif variables and constants:
            raise QueryError(
                "On this engine a query cannot use GRAPH with the name of a graph and with a variable.",
                "Use variables only, and say which graph you mean: GRAPH ?g { … } FILTER(?g = <…>).",
            )
        else:
            named = constants
        return text, [("default-graph-uri", self.names.default), *(("named-graph-uri", g) for g in named)]

    def restore(self, answer: bytes) -> bytes:
        """An answer (JSON, XML or N-Triples) with the graphs called again as in the release.

        >>> Published(Names("x"), None).restore(b'"https://w3id.org/kvgraph/release/x/graph/nuts-2024"')
        b'"https://w3id.org/kvgraph/graph/nuts-2024"'
        """
        return answer.replace(f"{self.names.release}/".encode(), BASE.encode())

    def _renamed(self, query: str) -> str:
        """The query with its graphs called as at the endpoint, and filters where a variable would reach the graphs of others."""
        edits = {t.at: (t.at + len(t.text), f"<{self.names.graph(t.text[1:-1])}>") for t in tokens(query) if t.text.startswith(f"<{GRAPH}")}
        for keyword, term, iri in _graph_terms(query):
            if iri and iri.startswith(BASE):
                edits[term.at] = term.at + len(term.text), f"<{self.names.graph(iri)}>"
            elif term.kind == "var" and self.graphs is None:
                edits[keyword.at] = keyword.at, self._only_ours(term.text) + " "
        pieces, done = [], 0
        for at, (end, text) in sorted(edits.items()):
            pieces += [query[done:at], text]
            done = end
        return "".join([*pieces, query[done:]])

    def _only_ours(self, variable: str) -> str:
        """A filter for the group in which GRAPH binds a variable. Its terms are written by the engine's own serialiser."""
        prefix, merge = Literal(f"{self.names.release}/"), NamedNode(self.names.default)
        return f"FILTER(STRSTARTS(STR({variable}), {prefix}) && {variable} != {merge})"


def _graph_terms(query: str) -> Iterator[tuple[Token, Token, str | None]]:
    """What stands after GRAPH, FROM and NAMED: the keyword, the term, and the IRI it means (None for a variable)."""
    prefixes, beforehand, before = {}, Token("", "", 0), Token("", "", 0)
    for token in tokens(query):
        iri = token.text[1:-1] if token.kind == "iri" else None
        if iri is not None and before.kind == "name" and beforehand.text.upper() == "PREFIX":
            prefixes[before.text[:-1]] = iri
        if before.kind == "word" and before.text.upper() in ("GRAPH", "FROM", "NAMED") and token.kind in ("iri", "name", "var"):
            if token.kind == "name":
                prefix, _, local = token.text.partition(":")
                iri = prefixes.get(prefix, "") + local.replace("\\", "")
            yield before, token, iri
        beforehand, before = before, token


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


# Answers a query of a form over a dataset given as protocol parameters, as SPARQL Results JSON or N-Triples.
Send = Callable[[str, str, list[tuple[str, str]]], bytes]


def look(send: Send) -> Found:
    """What the graph ``release/current`` says."""
    triples = _graph(send, CURRENT)
    current = next((t.object.value.removeprefix(RELEASE) for t in triples if t.predicate == HAS_CURRENT), None)
    return Found(current, frozenset(t.subject.value.removeprefix(RELEASE) for t in triples if t.predicate == AVAILABLE))


def describe(send: Send, release: str) -> Published:
    """A release that is whole at the endpoint, and how GRAPH works there."""
    names = Names(release)
    # By the standard there is no answer: this dataset has no named graphs.
    probe = send(queries.load("pages/statements").bind(iri=CURRENT), "SELECT", [("default-graph-uri", names.default)])
    if list(pyoxigraph.parse_query_results(probe, format=QueryResultsFormat.JSON)):
        return Published(names, None)
    return Published(names, tuple(sorted(t.object.value for t in _graph(send, names.release) if t.predicate == NAMED_GRAPH)))


def _graph(send: Send, name: str) -> list[Triple]:
    answer = send(queries.load("pages/graph").bind(graph=name), "CONSTRUCT", [])
    return [quad.triple for quad in pyoxigraph.parse(answer, format=RdfFormat.N_TRIPLES)]
