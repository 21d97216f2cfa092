"""What a graph answers with: rows, triples, and what is said about a thing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import pyoxigraph as ox

from .errors import KvgraphError
from .formats import by_name, fit
from .model import EntityType
from .namespaces import PREFIXES, XSD

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
        """The names of the variables, in the order of the SELECT."""
        return [v.value for v in self._solutions().variables]

    @cached_property
    def terms(self) -> list[tuple]:
        """The rows as tuples of RDF terms (pyoxigraph), None where unbound."""
        return [tuple(row) for row in self._solutions()]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """A dictionary for each row, from column to value as :func:`to_python` has it; None where unbound."""
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
        """A ``pandas.DataFrame``: a line for each row, a column for each variable, values as :func:`to_python` has them.

        Raises :class:`~kvgraph.errors.KvgraphError` where pandas is not installed (``pip install 'kvgraph[notebook]'``).
        """
        try:
            import pandas
        except ImportError:
            raise KvgraphError("pandas is not installed.", hint="pip install 'kvgraph[notebook]'") from None
        return pandas.DataFrame(list(self), columns=self.columns)

    def __repr__(self) -> str:
        return f"<Rows: {len(self)} of {', '.join(self.columns)}>"


class Triples:
    """The answer to a CONSTRUCT or DESCRIBE: iterate for triples (pyoxigraph), each once and in a fixed order, or take it whole in a format.

    >>> from kvgraph.namespaces import SKOS
    >>> lab, label = ox.NamedNode("https://example.org/lab"), ox.NamedNode(SKOS + "prefLabel")
    >>> triples = Triples(iter([ox.Triple(lab, label, ox.Literal("Lab"))] * 2))
    >>> len(triples), triples.serialize("ntriples")
    (1, '<https://example.org/lab> <http://www.w3.org/2004/02/skos/core#prefLabel> "Lab" .\\n')
    """

    def __init__(self, triples: Iterator[ox.Triple]):
        self._triples = sorted(set(triples), key=str)

    def __iter__(self) -> Iterator[ox.Triple]:
        return iter(self._triples)

    def __len__(self) -> int:
        return len(self._triples)

    def serialize(self, format: str = "turtle") -> str:
        """The triples as text in an RDF format: ``turtle``, ``ntriples``, ``jsonld`` or ``rdfxml``. Raises :class:`~kvgraph.formats.UnknownFormat`."""
        return ox.serialize(self._triples, format=fit(by_name(format), "CONSTRUCT").engine, prefixes=PREFIXES).decode()

    def __repr__(self) -> str:
        return f"<Triples: {len(self)}>"


@dataclass(frozen=True)
class Statement:
    """One statement about an entity, and who says so.

    ``property`` and ``graph``, the named graph that holds it, are IRIs. ``basis`` is the IRI of a term: ``…/id/basis/stated``, ``classified`` or ``derived``.
    ``page`` is the address that was read for it, ``seen`` the month in which it was (``2026-11``), ``note`` a remark on the graph. What is not known is None.
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
    """What a release says about one thing.

    ``label`` is its English name, else the first by language tag, which is ``lang``; ``type`` has ``name``, ``label`` and ``plural``, and is None for what is no
    kind of entity. A statement that rests on several pages is there once for each.
    """

    iri: str
    type: EntityType | None
    label: str
    lang: str | None
    statements: list[Statement]

    def values(self, property: str) -> list:
        """The distinct values of a property (its IRI), RDF terms of pyoxigraph, in order of appearance; none where nothing is said."""
        return list(dict.fromkeys(s.value for s in self.statements if s.property == property))
