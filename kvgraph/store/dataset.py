"""What a query says of its dataset, where the engine takes it otherwise than SPARQL 1.1 (section 13).

Oxigraph has a triple of two default graphs twice, where the standard merges them (13.2), and looks at a SELECT within ``GRAPH ?g`` in all graphs together,
where the standard looks at one after the other (18.6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

from kvgraph.store.syntax import syntax_error
from kvgraph.store.tokens import Token, tokens, unescape


@dataclass(frozen=True)
class Dataset:
    """The IRIs of default and named graphs, each once."""

    default: tuple[NamedNode, ...]
    named: tuple[NamedNode, ...]

    def of(self, store: Store) -> tuple[Store, dict]:
        """What to ask, and with which options: a store in which several default graphs are one, if there are several."""
        if len(self.default) < 2:
            return store, {"default_graph": list(self.default), "named_graphs": list(self.named)}
        merged = Store()
        for graph in self.default:
            merged.extend(Quad(q.subject, q.predicate, q.object) for q in store.quads_for_pattern(None, None, None, graph))
        for graph in self.named:
            merged.extend(store.quads_for_pattern(None, None, None, graph))
        return merged, {"default_graph": [DefaultGraph()], "named_graphs": list(self.named)}


def several(query: str) -> Dataset | None:
    """The dataset of a query that has FROM more than once; None if it has not, or if what it says is the engine's to understand.

    >>> several("PREFIX e: <http://e.org/> SELECT * FROM e:a FROM <http://e.org/a> FROM NAMED e:b { ?s ?p ?o }")
    Dataset(default=(<NamedNode value=http://e.org/a>,), named=(<NamedNode value=http://e.org/b>,))
    """
    if query.lower().count("from") < 2:
        return None
    seen = list(_clauses(query))
    default = [graph for named, graph in seen if not named]
    if len(default) < 2 or None in (graph for _, graph in seen):
        return None
    return Dataset(tuple(dict.fromkeys(default)), tuple(dict.fromkeys(graph for named, graph in seen if named)))


def _clauses(query: str) -> Iterator[tuple[bool, NamedNode | None]]:
    """Of each FROM whether it is FROM NAMED, and the graph; None for one whose IRI is relative or of an unknown prefix."""
    prefixes: dict[str, str] = {}
    form, depth = "", 0
    last, before = Token("", "", 0), Token("", "", 0)
    for token in tokens(query):
        word = token.text.upper() if token.kind == "word" else ""
        if token.kind == "iri" and before.text.upper() == "PREFIX":
            prefixes[last.text.partition(":")[0]] = unescape(token.text[1:-1])
        elif not form and word in ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE"):
            form = word
        elif token.kind in ("iri", "name") and depth == 0 and (last.text.upper() == "FROM" or (last.text.upper(), before.text.upper()) == ("NAMED", "FROM")):
            yield last.text.upper() == "NAMED", _iri(token, prefixes)
        if token.text in ("{", "("):
            if depth == 0 and token.text == "{" and form != "CONSTRUCT":
                return  # the pattern begins
            depth += 1
        elif token.text in ("}", ")"):
            depth -= 1
            form = "" if token.text == "}" and depth == 0 else form  # the template has ended
        before, last = last, token


def _iri(token: Token, prefixes: dict[str, str]) -> NamedNode | None:
    text = unescape(token.text)
    if token.kind == "name":
        prefix, _, local = text.partition(":")
        text = f"<{prefixes.get(prefix, '')}{local}>"
    try:
        return NamedNode(text[1:-1]) if "\\" not in text else None
    except ValueError:
        return None


def require_named(query: str) -> None:
    """Raises a :class:`~kvgraph.store.errors.QuerySyntaxError` for a SELECT within ``GRAPH ?g`` that does not name ``?g``.

    >>> require_named("SELECT * { GRAPH ?g { SELECT ?g (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?g } }")
    """
    if query.lower().count("select") < 2:
        return
    within: list[str] = []  # of each open brace the variable whose graphs are looked at, if any
    inner: tuple[Token, str] | None = None  # a SELECT whose variables are being read
    last, before = Token("", "", 0), Token("", "", 0)
    depth = 0
    for token in tokens(query):
        word = token.text.upper() if token.kind == "word" else ""
        depth += (token.text == "(") - (token.text == ")")
        if inner and token.kind == "var" and (depth == 0 or last.text.upper() == "AS") and token.text[1:] == inner[1][1:]:
            inner = None
        elif token.text == "{":
            if inner and depth == 0:
                _refuse(query, *inner)
            graph = last.text if last.kind == "var" and before.text.upper() == "GRAPH" else within[-1] if within else ""
            within.append(graph)
        elif token.text == "}" and within:
            within.pop()
        elif word == "SELECT" and within and within[-1]:
            inner = token, within[-1]
        before, last = last, token


def _refuse(query: str, select: Token, graph: str) -> None:
    raise syntax_error(
        query,
        select.at,
        f"the engine would look at this SELECT in all graphs together, not in each {graph}.",
        f"Name {graph} in it, and in its GROUP BY: SELECT {graph} … GROUP BY {graph}",
    )
