"""The graph as a library: open a release, ask it.

    import kvgraph
    graph = kvgraph.open()
    for row in graph.run("practices-by-region", region="nuts:ES51"):
        print(row["title"])

The examples of :class:`Graph` are run by a test, on the bundled data.
"""

import os
import zlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from . import queries, releases
from .connections import ConnectionResult, Connections
from .errors import KvgraphError
from .model import ENTITY_TYPES, LABEL_PROPERTIES, path_of
from .namespaces import RDF, SKOS
from .params import expand
from .reconciliation import Candidate, NameIndex, Reconciler, Resolved
from .regions import Regions
from .results import Description, Rows, Statement, Triples
from .search import Facets, Hit, SearchIndex, SearchResult
from .similarity import Alike, NoSimilarity, Similarity
from .store import Backend, Embedded, Remote, check


class UnknownThing(KvgraphError):
    """The release says nothing about this IRI."""


class Graph:
    """A release, ready to be asked. Made by :func:`open`; the server makes its own over the query pool.

    ``release`` is a :class:`~kvgraph.releases.Release`: ``graph.release.id`` is what to cite. Errors to mend are :class:`~kvgraph.errors.KvgraphError`, whose
    message and ``hint`` are for people.
    """

    def __init__(self, backend: Backend, release: releases.Release):
        self.backend = backend
        self.release = release

    @cached_property
    def _search(self) -> SearchIndex:
        return SearchIndex(self.release.search)

    @cached_property
    def connections(self) -> Connections:
        """The index of connections. Raises :class:`~kvgraph.connections.NoConnections` for an old release."""
        return Connections(self.release.connections)

    @cached_property
    def _similarity(self) -> Similarity | None:
        try:
            return Similarity(self.release.similarity)
        except NoSimilarity:  # a release that was built before there was one
            return None

    @cached_property
    def regions(self) -> Regions:
        """Regions, what lies in them and which are alike. Raises :class:`~kvgraph.region_index.NoRegionIndex` for an old release."""
        return Regions(self.release.regions)

    @cached_property
    def reconciler(self) -> Reconciler:
        """What finds things by name and identifier. Raises :class:`~kvgraph.reconciliation.NoNameIndex` for an old release."""
        return Reconciler(NameIndex(self.release.names), self.facets)

    def run(self, name: str, **params: Any) -> Rows | Triples | bool:
        """Answer a question of ``queries/`` by name: :class:`Rows`, for a few questions :class:`Triples` or ``bool``.

        A parameter that names a thing takes an IRI, a prefixed name (``nuts:ES51``) or a short id (``channel/spin-offs``). :func:`kvgraph.queries.names` lists
        the questions, :func:`kvgraph.queries.load` tells their parameters.

            graph.run("practices-by-region", region="nuts:ES51").columns

        Raises :class:`~kvgraph.queries.UnknownQuestion` or :class:`~kvgraph.queries.UnknownParameter`, naming the nearest,
        :class:`~kvgraph.queries.MissingParameter`, and :class:`~kvgraph.params.BadParameter` for a value that does not fit.
        """
        question = queries.load(name)
        return self._answer(question.bind(**params), question.form)

    def query(self, text: str) -> Rows | Triples | bool:
        """Answer a SPARQL 1.1 query: :class:`Rows` for SELECT, ``bool`` for ASK, :class:`Triples` for CONSTRUCT and DESCRIBE.

            graph.query("SELECT (COUNT(*) AS ?n) { ?s a <https://w3id.org/kvgraph/def/kv#Practice> }").to_pandas()

        There are no limits of time and memory here: those are the server's. Raises :class:`~kvgraph.store.QuerySyntaxError` with ``line`` and ``column``,
        :class:`~kvgraph.store.ServiceRefused`, :class:`~kvgraph.store.UpdateRefused`, or another :class:`~kvgraph.store.QueryError`.
        """
        return self._answer(text, check(text))

    def _answer(self, text: str, form: str | None) -> Rows | Triples | bool:
        if form == "ASK":
            return self.backend.ask(text)
        if form in ("CONSTRUCT", "DESCRIBE"):
            return Triples(self.backend.construct(text))
        return Rows.of(self.backend.select(text))  # and what is no query at all: the engine says what is wrong with it

    def describe(self, iri: str) -> Description:
        """Everything said about a thing, each statement with its source. Raises :class:`UnknownThing`.

            graph.describe(graph.identify("practice/national-ip-protocol")).label
        """
        rows = self.run("pages/statements", iri=iri)
        statements = [
            Statement(r["property"], term["value"], r["graph"], r["basis"], r["page"], r["seen"], r["note"])
            for r, term in ((r, dict(zip(rows.columns, t))) for r, t in zip(rows, rows.terms))
        ]
        if not statements:
            raise UnknownThing(f"Nothing is known about <{iri}>.", hint="Search for its name: kvgraph search NAME")
        types = {s.value.value for s in statements if s.property in (RDF + "type", SKOS + "inScheme")}
        label = best_label([(s.property, s.value) for s in statements])
        return Description(
            iri, next((t for t in ENTITY_TYPES if t.iri in types), None),
            label.value if label else iri, label.language if label else None, statements,
        )  # fmt: skip

    def identify(self, text: str) -> str:
        """The IRI that somebody means by an IRI, a prefixed name, a short id or a name.

        A name must be the label of exactly one thing, upper and lower case alike; an IRI, prefixed name or short id is not looked up.

            graph.identify("KU Leuven")

        Raises :class:`UnknownThing`, naming the nearest.
        """
        iri = expand(text)
        if "://" in iri:
            return iri
        hits = self.search(text, limit=5).hits if text.strip() else []
        exact = [h for h in hits if h.label.casefold() == text.strip().casefold()]
        if len(exact) == 1:
            return exact[0].iri
        nearest = "; ".join(f"{h.label} ({path_of(h.iri, 'id').removeprefix('/id/')})" for h in exact or hits)
        what = "Several things are" if exact else "Nothing is"
        raise UnknownThing(f"{what} called {text[:80]!r}.", hint=f"Nearest: {nearest}." if nearest else "Try: kvgraph search WORDS")

    def search(self, text: str, **options: Any) -> SearchResult:
        """Full-text search over every entity: ``total``, ``hits`` (20 unless ``limit`` says otherwise), ``counts`` and whether the search was ``relaxed``.

        Options as in :meth:`kvgraph.search.SearchIndex.search`: ``types``, ``limit``, ``offset``, ``where``, ``count``, ``order``, ``snippets``.

            graph.search("living lab", where={"country": ["ESP", "PRT"]}, count=["channel"]).total

        Raises :class:`~kvgraph.search.UnknownType`, :class:`~kvgraph.search.UnknownFacet` or :class:`~kvgraph.search.UnknownValue`.
        """
        return self._search.search(text, **options)

    @property
    def facets(self) -> Facets:
        """What a search can be narrowed by: the values, their names in every language, what they are part of."""
        return self._search.facets

    def cross(self, rows: str, columns: str, where: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], int]:
        """How many things have which values of two facets at once, by pair of values; see :meth:`kvgraph.search.SearchIndex.cross`.

            graph.cross("country", "channel", {"type": ["practice"]})
        """
        return self._search.cross(rows, columns, where)

    def suggest(self, text: str, **options: Any) -> list[Hit]:
        """Things whose names complete what somebody is typing, the best first, 10 unless ``limit`` says otherwise; of some ``types`` only, if given.

            graph.suggest("univ ljub", types=["actor"])[0].label
        """
        return self._search.suggest(text, **options)

    def reconcile(self, name: str, **options: Any) -> list[Candidate]:
        """The things that a name (or an identifier) may mean, the likeliest first: ``id``, ``name``, ``score`` (0 to 100), and ``match``, True for the certain one.

        Options as in :meth:`kvgraph.reconciliation.Reconciler.reconcile`: ``type``, ``where``, ``limit`` (5), ``strict``, ``language``. None where nothing is like it.

            graph.reconcile("Univ. of Ljubljana", type="actor", where={"country": "Slovenia"})[0].name

        Raises :class:`~kvgraph.reconciliation.UnknownType` or :class:`~kvgraph.reconciliation.UnknownProperty`.
        """
        return self.reconciler.reconcile(name, **options)

    def resolve(self, identifier: str) -> list[Resolved]:
        """Everything that has an identifier, in any usual spelling: ROR, PIC, Wikidata, NUTS, CELEX, ELI, EuroVoc, Kohesio, a home page, our own.

            graph.resolve("CELEX:32022H2415")[0].thing.iri

        Empty where nothing has it. ``relation`` is the property by which a thing has it: ``skos:closeMatch`` is a candidate and no proof.
        """
        return self.reconciler.resolve(identifier)

    def connect(self, a: str, b: str, k: int = 10, **options: Any) -> ConnectionResult:
        """The ``k`` best paths between two entities, given by their IRIs, hubs made expensive; :mod:`kvgraph.connections` says how they are ranked.

        Options as in :meth:`kvgraph.connections.Connections.paths`: ``max_hops`` (6), ``kinds``, ``exclude``.

            [hop.sentence for hop in graph.connect(graph.identify("University of Ljubljana"), graph.identify("KU Leuven"), k=3).paths[0].hops]

        Where nothing connects them ``paths`` is empty and ``reason`` says why. Raises :class:`~kvgraph.connections.UnknownEntity`,
        :class:`~kvgraph.connections.UnknownKind`, and ``ValueError`` for a ``k`` or ``max_hops`` below 1.
        """
        return self.connections.paths(a, b, k=k, **options)

    def similar(self, iri: str, limit: int = 6) -> list[Alike]:
        """The things most like one, each with what they share, the most telling first; :mod:`kvgraph.similarity` says how it is counted.

            [(alike.node.label, alike.points) for alike in graph.similar(graph.identify("practice/national-ip-protocol"))]

        Empty for a thing that is unknown or shares little, and for a release that was built before there was such an index.
        """
        return self._similarity.like(iri, limit) if self._similarity else []


def best_label(pairs: list[tuple[str, Any]], language: str = "en") -> ox.Literal | None:
    """Of (property, literal) pairs the label to show: the reader's language, else English, else the first by tag.

    >>> best_label([(SKOS + "prefLabel", ox.Literal("Autriche", language="fr"))]).value
    'Autriche'
    """
    labels = [(LABEL_PROPERTIES.index(p), v) for p, v in pairs if p in LABEL_PROPERTIES and isinstance(v, ox.Literal)]
    rank = {language: 0, "en": 1}
    return min(labels, key=lambda x: (x[0], rank.get(x[1].language, 2), x[1].language or "", x[1].value), default=(0, None))[1]


def open(home: str | os.PathLike | None = None, release: str | None = None, endpoint: str | None = None) -> Graph:
    """Open the current release (or the one named) of ``home`` (default ``$KVGRAPH_HOME``, else ``var``) in this process.

        graph = kvgraph.open("/var/lib/kvgraph", release="2026-11-22-1a2b3c4d")

    With ``endpoint``, or ``$KVGRAPH_ENDPOINT``, queries go to that SPARQL endpoint; search and connections still come from the release.
    Raises :class:`~kvgraph.releases.NoRelease` with the command that makes one, and :class:`~kvgraph.errors.KvgraphError` for a release whose files are
    missing or damaged. Loading takes about a second on the bundled data.
    """
    folder: Path = releases.home(home)
    found = releases.readable(releases.find(folder, release) if release else releases.current(folder))
    return Graph(remote(found.id, endpoint) or _loaded(found), found)


def _loaded(release: releases.Release) -> Embedded:
    try:
        return Embedded.load(release.graph, lenient=True)
    except (OSError, EOFError, SyntaxError, zlib.error) as error:
        what = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise KvgraphError(
            f"Release {release.id} is damaged: its dump {release.graph.name} cannot be read ({what}).",
            hint="Build again with kvgraph build, or use another release with kvgraph releases switch ID.",
        ) from None


def remote(release: str, endpoint: str | None = None, kind: type[Remote] = Remote, **options: Any) -> Remote | None:
    """A release at ``endpoint``, else at ``$KVGRAPH_ENDPOINT``; None if neither is set. ``options`` as in :class:`~kvgraph.store.Remote`, or the ``kind`` of it.

    ``$KVGRAPH_ENDPOINT_USER`` and ``$KVGRAPH_ENDPOINT_PASSWORD_FILE`` are for an endpoint that wants a password.
    """
    url = endpoint or os.environ.get("KVGRAPH_ENDPOINT")
    if not url:
        return None
    user, file = os.environ.get("KVGRAPH_ENDPOINT_USER"), os.environ.get("KVGRAPH_ENDPOINT_PASSWORD_FILE")
    try:
        password = Path(file).read_text(encoding="utf-8").strip() if file else None
    except OSError as error:
        raise KvgraphError(f"The password of the endpoint cannot be read: {error.strerror}.", hint="See KVGRAPH_ENDPOINT_PASSWORD_FILE.") from None
    return kind(url, user=user, password=password, release=release, **options)
