"""The questions as SHACL SPARQL executables, where query editors look for examples.

Each ``queries/*.rq`` with its example values is a ``sh:SPARQLExecutable`` (SHACL Advanced Features, section 5.3 and the SPARQL
extensions of SHACL), written as the SIB collection of examples and its editor expect them: the text under ``sh:select``, ``sh:ask``
or ``sh:construct``, ``rdfs:comment``, ``schema:keywords``, ``schema:target``, and prefixes by ``sh:prefixes`` and ``sh:declare``.
"""

from collections.abc import Iterator

import pyoxigraph as ox

from .. import queries
from ..namespaces import BASE, GRAPH, PREFIXES, RDF, RDFS, SCHEMA, SH
from .rdf import describe, english, typed

EXAMPLES = GRAPH + "examples"
ENDPOINT = BASE + "sparql"
_DECLARATIONS = EXAMPLES + "#prefixes"
# Of the forms, DESCRIBE is the one SHACL has no class for.
_FORMS = {"SELECT": ("SPARQLSelectExecutable", "select"), "ASK": ("SPARQLAskExecutable", "ask"), "CONSTRUCT": ("SPARQLConstructExecutable", "construct")}


def examples() -> Iterator[ox.Triple]:
    """The triples of the graph ``graph/examples``."""
    for name in queries.names():
        question = queries.load(name)
        if question.form in _FORMS:
            yield from _executable(question)
    for prefix, namespace in PREFIXES.items():
        declaration = f"{_DECLARATIONS}-{prefix}"
        yield from describe(_DECLARATIONS, (SH + "declare", declaration))
        yield from describe(
            declaration,
            (RDF + "type", SH + "PrefixDeclaration"),
            (SH + "prefix", ox.Literal(prefix)),
            (SH + "namespace", typed(namespace, "anyURI")),
        )


def _executable(question: queries.Question) -> Iterator[ox.Triple]:
    kind, property_ = _FORMS[question.form]
    return describe(
        f"{EXAMPLES}#{question.name}",
        (RDF + "type", [SH + "SPARQLExecutable", SH + kind]),
        (RDFS + "comment", english(question.summary)),
        (RDFS + "seeAlso", f"{BASE}questions/{question.name}"),
        (SH + property_, ox.Literal(question.bind(**question.examples))),
        (SH + "prefixes", _DECLARATIONS),
        (SCHEMA + "keywords", [ox.Literal(tag) for tag in question.tags]),
        (SCHEMA + "target", ENDPOINT),
    )
