"""The graph as a library: open a release, ask it.

    import kvgraph
    graph = kvgraph.open()
    for row in graph.run("practices-in-region", region="nuts:ES51"):
        print(row["title"])
"""

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from . import queries, releases
from .connections import ConnectionResult, Connections
from .errors import KvgraphError
from .formats import by_name, fit
from .model import ENTITY_TYPES, LABEL_PROPERTIES, EntityType, path_of
from .namespaces import PREFIXES, RDF, SKOS, XSD
from .params import expand
from .reconciliation import Candidate, NameIndex, Reconciler, Resolved
from .regions import Regions
from .search import Facets, SearchIndex, SearchResult
from .similarity import Alike, NoSimilarity, Similarity
from .store import Backend, Embedded, Remote, check

_INTEGERS = {XSD + t for t in ("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger")}
_PYTHON = {
    XSD + "boolean": lambda text: text in ("true", "1"),
    XSD + "decimal": Decimal,
    XSD + "double": float,
    XSD + "float": float,
    XSD + "date": date.fromisoformat,
    XSD + "dateTime": datetime.fromisoformat,
}


def to_python(term: ox.NamedNode | ox.BlankNode | ox.Literal | None) -> Any:
    """A term as a Python value; text and IRIs as ``str``, what does not fit its datatype as its text, unbound as None.

    >>> to_python(ox.Literal(3)), to_python(ox.Literal("chat", language="fr")), to_python(None)
    (3, 'chat', None)
    """
    if term is None:
        return None
    if not isinstance(term, ox.Literal):
        return term.value
    datatype = term.datatype.value
    convert = int if datatype in _INTEGERS else _PYTHON.get(datatype, str)
    try:
        return convert(term.value)
    except (ValueError, ArithmeticError):
        return term.value


class Rows:
    """The answer to a SELECT: iterate for dictionaries of Python values, or take it whole in a format.

    >>> answer = ox.Store().query("SELECT ?n ?unit { VALUES (?n ?unit) { (3 UNDEF) } }")
    >>> rows = Rows.of(answer)
    >>> list(rows), rows.columns, len(rows)
    ([{'n': 3, 'unit': None}], ['n', 'unit'], 1)
    >>> rows.csv()
    'n,unit\\r\\n3,\\r\\n'
    """

    def __init__(self, json: bytes):
        self._json = json

    @classmethod
    def of(cls, solutions: ox.QuerySolutions) -> "Rows":
        """Take over what a backend answered, without a loop in Python."""
        return cls(solutions.serialize(format=ox.QueryResultsFormat.JSON))

    def _solutions(self) -> ox.QuerySolutions:
        return ox.parse_query_results(self._json, format=ox.QueryResultsFormat.JSON)

    @cached_property
    def columns(self) -> list[str]:
        return [v.value for v in self._solutions().variables]

    @cached_property
    def terms(self) -> list[tuple]:
        """The rows as tuples of RDF terms (pyoxigraph), None where unbound."""
        return [tuple(row) for row in self._solutions()]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self.terms:
            yield dict(zip(self.columns, map(to_python, row)))

    def __len__(self) -> int:
        return len(self.terms)

    def csv(self) -> str:
        """SPARQL 1.1 Query Results CSV."""
        return self._solutions().serialize(format=ox.QueryResultsFormat.CSV).decode()

    def tsv(self) -> str:
        """SPARQL 1.1 Query Results TSV, which keeps datatypes and language tags."""
        return self._solutions().serialize(format=ox.QueryResultsFormat.TSV).decode()

    def json(self) -> str:
        """SPARQL 1.1 Query Results JSON."""
        return self._json.decode()

    def to_pandas(self):
        """A ``pandas.DataFrame``, one column per variable. Needs ``pip install kvgraph[notebook]``."""
        try:
            import pandas
        except ImportError:
            raise KvgraphError("pandas is not installed.", hint="pip install 'kvgraph[notebook]'") from None
        return pandas.DataFrame(list(self), columns=self.columns)

    def __repr__(self) -> str:
        return f"<Rows: {len(self)} of {', '.join(self.columns)}>"


class Triples:
    """The answer to a CONSTRUCT or DESCRIBE: iterate for triples, or take it whole in a format."""

    def __init__(self, triples: Iterator[ox.Triple]):
        self._triples = sorted(set(triples), key=str)

    def __iter__(self) -> Iterator[ox.Triple]:
        return iter(self._triples)

    def __len__(self) -> int:
        return len(self._triples)

    def serialize(self, format: str = "turtle") -> str:
        """The triples in an RDF format: ``turtle``, ``ntriples``, ``jsonld`` or ``rdfxml``."""
        return ox.serialize(self._triples, format=fit(by_name(format), "CONSTRUCT").engine, prefixes=PREFIXES).decode()

    def __repr__(self) -> str:
        return f"<Triples: {len(self)}>"


@dataclass(frozen=True)
class Statement:
    """One statement about an entity, and who says so.

    ``graph`` is the named graph that holds it; ``basis`` is stated, classified or derived; ``page`` was read for it.
    """

    property: str
    value: ox.NamedNode | ox.Literal
    graph: str
    basis: str | None
    page: str | None
    seen: str | None
    note: str | None


@dataclass(frozen=True)
class Description:
    """What a release says about one thing."""

    iri: str
    type: EntityType | None
    label: str
    lang: str | None
    statements: list[Statement]

    def values(self, property: str) -> list:
        """The distinct values of a property, in order of appearance."""
        return list(dict.fromkeys(s.value for s in self.statements if s.property == property))


class UnknownThing(KvgraphError):
    """The release says nothing about this IRI."""


class Graph:
    """A release, ready to be asked. Made by :func:`open`; the server makes its own over the query pool."""

    def __init__(self, backend: Backend, release: releases.Release):
        self.backend = backend
        self.release = release

    @cached_property
    def _search(self) -> SearchIndex:
        return SearchIndex(self.release.search)

    @cached_property
    def connections(self) -> Connections:
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
        """Answer a question of ``queries/`` by name.

        Raises the errors of :mod:`kvgraph.queries` for an unknown question or parameter, naming the nearest.
        """
        question = queries.load(name)
        return self._answer(question.bind(**params), question.form)

    def query(self, text: str) -> Rows | Triples | bool:
        """Answer a SPARQL 1.1 query: :class:`Rows` for SELECT, ``bool`` for ASK, :class:`Triples` otherwise.

        Raises :class:`~kvgraph.store.QuerySyntaxError` with line and column, or what the engine refuses.
        """
        return self._answer(text, check(text))

    def _answer(self, text: str, form: str | None) -> Rows | Triples | bool:
        if form == "ASK":
            return self.backend.ask(text)
        if form in ("CONSTRUCT", "DESCRIBE"):
            return Triples(self.backend.construct(text))
        return Rows.of(self.backend.select(text))  # and what is no query at all: the engine says what is wrong with it

    def describe(self, iri: str) -> Description:
        """Everything stated about a thing, each statement with its source. Raises :class:`UnknownThing`."""
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

        A name must be the label of exactly one thing, upper and lower case alike. Raises :class:`UnknownThing`,
        naming the nearest.
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
        """Full-text search over every entity; options as in :meth:`kvgraph.search.SearchIndex.search`."""
        return self._search.search(text, **options)

    @property
    def facets(self) -> Facets:
        """What a search can be narrowed by: the values, their names in every language, what they are part of."""
        return self._search.facets

    def cross(self, rows: str, columns: str, where: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], int]:
        """How many things have which values of two facets at once; see :meth:`kvgraph.search.SearchIndex.cross`."""
        return self._search.cross(rows, columns, where)

    def suggest(self, text: str, **options: Any) -> list:
        """Completions for what somebody is typing."""
        return self._search.suggest(text, **options)

    def reconcile(self, name: str, **options: Any) -> list[Candidate]:
        """The things that a name (or an identifier) may mean, the likeliest first, each with a score and whether it is certain.

        Options as in :meth:`kvgraph.reconciliation.Reconciler.reconcile`: ``type``, ``where``, ``limit``, ``strict``, ``language``.

            graph.reconcile("Univ. of Ljubljana", type="actor", where={"country": "Slovenia"})
        """
        return self.reconciler.reconcile(name, **options)

    def resolve(self, identifier: str) -> list[Resolved]:
        """Everything that has an identifier, in any usual spelling: ROR, PIC, Wikidata, NUTS, CELEX, ELI, EuroVoc, Kohesio, a home page, our own."""
        return self.reconciler.resolve(identifier)

    def connect(self, a: str, b: str, k: int = 10, **options: Any) -> ConnectionResult:
        """The ``k`` best paths between two entities, hubs made expensive; see :mod:`kvgraph.connections`."""
        return self.connections.paths(a, b, k=k, **options)

    def similar(self, iri: str, limit: int = 6) -> list[Alike]:
        """The things most like one, each with what they share; see :mod:`kvgraph.similarity`."""
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
    """Open the current release (or the one named) of ``home`` in this process.

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
