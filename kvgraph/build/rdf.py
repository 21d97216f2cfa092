"""Writing descriptions as triples: the few lines that VoID, the examples, the catalogue and the service description share."""

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from ..namespaces import XSD

Value = str | int | ox.Literal | None | Iterable


def describe(subject: str, *said: tuple[str, Value]) -> Iterator[ox.Triple]:
    """Triples about one subject, from pairs of property and value.

    A ``str`` is an IRI, an ``int`` a number, ``None`` says nothing, and a collection says each of its members. Raises
    ``ValueError`` for what is no IRI.

    >>> [str(t) for t in describe("http://example.org/a", ("http://example.org/p", [1, english("one"), None]))][1]
    '<http://example.org/a> <http://example.org/p> "one"@en'
    """
    node = ox.NamedNode(subject)
    for property_, value in said:
        for term in _terms(value):
            yield ox.Triple(node, ox.NamedNode(property_), term)


def _terms(value: Value) -> Iterator[ox.NamedNode | ox.Literal]:
    if value is None:
        return
    if isinstance(value, ox.Literal):
        yield value
    elif isinstance(value, str):
        yield ox.NamedNode(value)
    elif isinstance(value, int):
        yield ox.Literal(value)
    else:
        for member in value:
            yield from _terms(member)


def english(text: str) -> ox.Literal:
    """Text in English."""
    return ox.Literal(text, language="en")


def typed(text: str, datatype: str) -> ox.Literal:
    """A literal of an XML Schema datatype, named without its namespace.

    >>> str(typed("2026-11-22", "date"))
    '"2026-11-22"^^<http://www.w3.org/2001/XMLSchema#date>'
    """
    return ox.Literal(text, datatype=ox.NamedNode(XSD + datatype))
