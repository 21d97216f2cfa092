"""Looks at a query before any engine does, and refuses what no engine should be given.

An engine cannot be told to leave SERVICE alone, and a few kilobytes of nesting overflow its stack. Both are decided here on tokens of the
SPARQL 1.1 grammar (section 19.8), outside strings, IRIs and comments, in one pass of one regular expression that cannot backtrack far.

Oxigraph's parser has no tokens of its own, which makes it accept more than the grammar does: ``SERVICEex:x {}``, ``?o trueSERVICE <x> {}``,
``FILTER(1<2)SERVICE#>`` (where the grammar sees the IRI ``<2)SERVICE#>``). And it resolves codepoint escapes only inside strings and IRIs, where the
standard (section 19.2) resolves them first. So wherever two readings of a text exist, both are looked at and either is enough to refuse.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from kvgraph.store.errors import QueryTooLarge, ServiceRefused, UpdateRefused
from kvgraph.store.syntax import NO_FORM, explain, syntax_error
from kvgraph.store.tokens import CLOSING, OPENING, Token, resolved, tokens, unescape


@dataclass(frozen=True)
class Bounds:
    """How large a query may be.

    On a stack of 8 MB Oxigraph dies of some 700 nested EXISTS, 2,200 braces, 4,700 parentheses, and of 3,000 to 10,000 links of a chain (BIND, MINUS,
    operators, paths). The bounds leave room for both at once, and are far beyond what a person or a query builder writes.
    """

    text: int = 128 * 1024  # bytes
    depth: int = 100  # brackets of any kind inside each other
    chain: int = 1000  # operators and clauses that each wrap what stands before them


_LINKS = {"!", "-", "+", "*", "/", "|", "^", "||", "&&", "."}
_LINK_LETTERS = set("".join(_LINKS))
_LINK_WORDS = {"UNION", "OPTIONAL", "MINUS", "FILTER", "AS", "VALUES", "GRAPH", "EXISTS", "SELECT", "HAVING", "LATERAL"}
_FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
_UPDATES = {"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"}
_PROLOGUE = {"PREFIX", "BASE", "VERSION"}
# The beginning of a query as most are written; of others the tokens are looked at.
_PLAIN = re.compile(r"(?:\s+|PREFIX\s+[A-Za-z]*:\s*<[^\x00-\x20<>\"{}|^`\\]*>)*+(SELECT|ASK|CONSTRUCT|DESCRIBE)(?=[\s*{?$<])")
_CERTAIN_IRI = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*://")  # `a < b://` is no expression, so `<` cannot be "less than" here
_SUSPECT = re.compile(r"['#]|service", re.IGNORECASE)
_MOST_READINGS = 16
_MOST_UNCLOSED = 16
_BEFORE_GRAPH = {"GRAPH", "FROM", "NAMED", "DESCRIBE"}


def check(query: str, bounds: Bounds = Bounds()) -> str:
    """The form of a query: SELECT, ASK, CONSTRUCT or DESCRIBE.

    Raises:
        QueryTooLarge: longer, deeper or with longer chains than an engine survives.
        ServiceRefused: SERVICE is used, in any spelling.
        UpdateRefused: the text is an update.
        QuerySyntaxError: it has no form, or cannot even be encoded as UTF-8.

    >>> check("PREFIX service: <http://example.org/> SELECT ?service { ?service a service:Service }")
    'SELECT'
    """
    require_short(_encoded(query), bounds)
    if query.count('"""') + query.count("'''") > _MOST_UNCLOSED:
        deque(_read(query), maxlen=0)
    form = _measure(query, bounds)
    _refuse_service(query)
    if "\\" in query and (unescaped := unescape(query)) != query:
        _refuse_service(unescaped)
        _measure(unescaped, bounds)
        form = _measure(resolved(query), bounds)
    return form or _formless(query)


def _formless(query: str) -> NoReturn:
    raise explain(query, NO_FORM)


def require_short(query: bytes, bounds: Bounds = Bounds()) -> None:
    """Raises ``QueryTooLarge`` for a query that is longer than any may be."""
    if len(query) > bounds.text:
        raise QueryTooLarge(
            f"The query is longer than {bounds.text:,} bytes.", "Put long lists in several queries, or work on the dumps.", limit="text"
        )


def _encoded(query: str) -> bytes:
    try:
        return query.encode()
    except UnicodeEncodeError as error:
        raise syntax_error(query, error.start, "this is not valid Unicode text") from None


def _measure(text: str, bounds: Bounds) -> str | None:
    """The form of the query; on the way its updates, depth and chains are refused."""
    depth = chain = 0
    form = None
    # Most queries have too little in them to hurt, however it is read: then the first keyword is all there is to find.
    harmless = (len(text) <= bounds.chain or _most_links(text) <= bounds.chain) and sum(map(text.count, OPENING)) <= bounds.depth
    if harmless and (plain := _PLAIN.match(text)):
        return plain[1]
    for token in _read(text):
        if token.kind == "word":
            word = token.text.upper()
            if form is None and word not in _PROLOGUE and depth == 0:
                if word in _UPDATES:
                    raise UpdateRefused()
                form = next((form for form in _FORMS if word.startswith(form)), word)  # `ASKFROM <g> {}` is ASK and FROM
                if harmless:
                    break
            chain += word in _LINK_WORDS
        elif token.kind == "mark":
            depth += (token.text in OPENING) - (token.text in CLOSING)
            chain += token.text in _LINKS
            if depth > bounds.depth:
                raise QueryTooLarge(f"Brackets are nested more than {bounds.depth} deep.", "Split the query into smaller ones.")
        if chain > bounds.chain:
            raise QueryTooLarge(
                f"The query has more than {bounds.chain:,} operators, clauses and triple patterns.",
                "Say lists with VALUES or IN, which are not limited, or split the query.",
            )
    return form if form in _FORMS else None


def _read(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of a text, unless too many long strings in it have no end: each is looked for to the end of the text, which would take seconds.

    Raises:
        QueryTooLarge: more of them than any query has.
    """
    unclosed = 0
    for token in tokens(text, start):
        if token.text in ('""', "''") and text.startswith(token.text[0], token.at + 2):
            unclosed += 1
            if unclosed > _MOST_UNCLOSED:
                raise QueryTooLarge(f"More than {_MOST_UNCLOSED} long strings are never closed.", f"Close each with {token.text[0] * 3}.")
        yield token


def _most_links(text: str) -> int:
    """No fewer links of a chain than any reading of the text finds: what stands in IRIs, strings and comments counts too.

    >>> _most_links("SELECT * { ?s ?p 'a.b' }")
    3
    """
    return sum(map(text.count, _LINK_LETTERS)) + sum(map(text.upper().count, _LINK_WORDS))


def _refuse_service(text: str) -> None:
    """Refuses SERVICE in every reading of the text: each `<` that might be "less than" starts another one."""
    starts, seen = ([0], {0}) if "service" in text.lower() else ([], set())
    while starts:
        before = Token("", "", 0)
        for token in _read(text, starts.pop()):
            if token.kind == "word" and "service" in token.text.lower():
                raise ServiceRefused()
            if token.text == "{" and before.kind == "name" and "service" in before.text.partition(":")[0].lower():
                raise ServiceRefused()
            ambiguous = token.kind == "iri" and _SUSPECT.search(token.text) and not _CERTAIN_IRI.match(token.text)
            if ambiguous and token.at + 1 not in seen:
                seen.add(token.at + 1)
                starts.append(token.at + 1)
            # In `GRAPH service:g {` the name is a graph; keeping the keyword in its place tells the two apart.
            named_graph = token.kind == "name" and before.text.upper() in _BEFORE_GRAPH
            before = before if named_graph else token
        if len(seen) > _MOST_READINGS:
            raise QueryTooLarge("Too many relative IRIs with # or ' in them.", "Write them in full.")
