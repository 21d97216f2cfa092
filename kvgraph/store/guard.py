"""Looks at a query before any engine does, and refuses what no engine should be given.

An engine cannot be told to leave SERVICE alone, and a few kilobytes of nesting overflow its stack. Both are decided here on tokens of the
SPARQL 1.1 grammar (section 19.8), outside strings, IRIs and comments, in one pass of one regular expression that cannot backtrack far.

Oxigraph's parser has no tokens of its own, which makes it accept more than the grammar does: ``SERVICEex:x {}``, ``?o trueSERVICE <x> {}``,
``FILTER(1<2)SERVICE#>`` (where the grammar sees the IRI ``<2)SERVICE#>``). And it resolves codepoint escapes only inside strings and IRIs, where the
standard (section 19.2) resolves them first. So wherever two readings of a text exist, both are looked at and either is enough to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kvgraph.namespaces import PREFIXES
from kvgraph.store.errors import QuerySyntaxError, QueryTooLarge, ServiceRefused, UpdateRefused


@dataclass(frozen=True)
class Bounds:
    """How large a query may be.

    On a stack of 8 MB Oxigraph dies of some 700 nested EXISTS, 2,200 braces, 4,700 parentheses, and of 3,000 to 10,000 links of a chain (BIND, MINUS,
    operators, paths). The bounds leave room for both at once, and are far beyond what a person or a query builder writes.
    """

    text: int = 128 * 1024  # bytes
    depth: int = 100  # brackets of any kind inside each other
    chain: int = 1000  # operators and clauses that each wrap what stands before them


_HEX = "[0-9A-Fa-f]"
# Only escapes an engine accepts: at an invalid one it gives up the long string and reads `""` and another string instead.
_CODEPOINT = rf"\\u(?![dD][89a-fA-F]){_HEX}{{4}}|\\U(?:0000(?![dD][89a-fA-F])|000[1-9A-Fa-f]|0010){_HEX}{{4}}"
_ESCAPE = rf"\\[tbnrf\"'\\]|{_CODEPOINT}"
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+|\#[^\r\n]*)
    | (?P<iri><(?:[^\x00-\x20<>"{{}}|^`\\]|{_CODEPOINT})*+>)
    | (?P<string>\"\"\"(?:\"{{0,2}}(?:[^"\\]|{_ESCAPE}))*+\"\"\" | '''(?:'{{0,2}}(?:[^'\\]|{_ESCAPE}))*+'''
                |"(?:[^"\\\r\n]|{_ESCAPE})*+" | '(?:[^'\\\r\n]|{_ESCAPE})*+')
    | (?P<var>[?$]\w+)
    | (?P<lang>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
    | (?P<name>(?:[^\W\d_](?:[\w-]|\.(?=[\w.:-])){{0,200}}+)?:(?:[\w:-]|%{_HEX}{{2}}|\\.|\.(?=[\w.:%\\-]))*+
              |_:\w(?:[\w-]|\.(?=[\w.-]))*+)
    | (?P<word>[^\W\d_]\w*)
    | (?P<number>\d+)
    | (?P<mark>\|\||&&|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN, _CLOSE = {"{": "}", "(": ")", "[": "]"}, {"}", ")", "]"}
_LINKS = {"!", "-", "+", "*", "/", "|", "^", "||", "&&", "."}
_LINK_WORDS = {"UNION", "OPTIONAL", "MINUS", "FILTER", "AS", "VALUES", "GRAPH", "EXISTS", "SELECT", "HAVING", "LATERAL"}
_FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
_UPDATES = {"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"}
_PROLOGUE = {"PREFIX", "BASE", "VERSION"}
_CERTAIN_IRI = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*://")  # `a < b://` is no expression, so `<` cannot be "less than" here
_SUSPECT = re.compile(r"['#]|service", re.IGNORECASE)
_MOST_READINGS = 16
_BEFORE_GRAPH = {"GRAPH", "FROM", "NAMED", "DESCRIBE"}


class Token(NamedTuple):
    """A token of the grammar: its kind, its text and where it starts."""

    kind: str
    text: str
    at: int


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of a query, without spaces and comments. Never fails: what is no token is a mark.

    >>> [t.text for t in tokens("ASK { ?s a 'b' } # c")]
    ['ASK', '{', '?s', 'a', "'b'", '}']
    """
    for found in _TOKEN.finditer(text, start):
        if found.lastgroup != "space":
            yield Token(found.lastgroup, found.group(), found.start())


def check(query: str, bounds: Bounds = Bounds()) -> str | None:
    """The form of a query (SELECT, ASK, CONSTRUCT or DESCRIBE), None if it shows none and the engine should say what is wrong.

    Raises:
        QueryTooLarge: longer, deeper or with longer chains than an engine survives.
        ServiceRefused: SERVICE is used, in any spelling.
        UpdateRefused: the text is an update.
        QuerySyntaxError: it cannot even be encoded as UTF-8.

    >>> check("PREFIX service: <http://example.org/> SELECT ?service { ?service a service:Service }")
    'SELECT'
    """
    if _encoded_length(query) > bounds.text:
        raise QueryTooLarge(
            f"The query is longer than {bounds.text:,} bytes.", "Put long lists in several queries, or work on the dumps.", limit="text"
        )
    form = _measure(query, bounds)
    _refuse_service(query)
    unescaped = unescape(query)
    if unescaped != query:
        _refuse_service(unescaped)
        _measure(unescaped, bounds)
    return form


def unescape(text: str) -> str:
    r"""The text with its codepoint escapes resolved (SPARQL 1.1 section 19.2), once.

    >>> unescape(r"S\u0045RVICE")
    'SERVICE'
    """
    return re.sub(_CODEPOINT, lambda found: chr(int(found.group()[2:], 16)), text)


def _encoded_length(query: str) -> int:
    try:
        return len(query.encode())
    except UnicodeEncodeError as error:
        raise syntax_error(query, error.start, "this is not valid Unicode text") from None


def _measure(text: str, bounds: Bounds) -> str | None:
    """The form of the query; on the way its updates, depth and chains are refused."""
    depth = chain = 0
    form = None
    # Most queries are too short to hurt: then the first keyword is all there is to find.
    harmless = len(text) <= bounds.chain and sum(map(text.count, _OPEN)) <= bounds.depth
    for token in tokens(text):
        if token.kind == "word":
            word = token.text.upper()
            if form is None and word not in _PROLOGUE and depth == 0:
                if word in _UPDATES:
                    raise UpdateRefused()
                form = word
                if harmless:
                    break
            chain += word in _LINK_WORDS
        elif token.kind == "mark":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
            chain += token.text in _LINKS
            if depth > bounds.depth:
                raise QueryTooLarge(f"Brackets are nested more than {bounds.depth} deep.", "Split the query into smaller ones.")
        if chain > bounds.chain:
            raise QueryTooLarge(
                f"The query has more than {bounds.chain:,} operators, clauses and triple patterns.",
                "Say lists with VALUES or IN, which are not limited, or split the query.",
            )
    return form if form in _FORMS else None


def _refuse_service(text: str) -> None:
    """Refuses SERVICE in every reading of the text: each `<` that might be "less than" starts another one."""
    starts, seen = ([0], {0}) if "service" in text.lower() else ([], set())
    while starts:
        before = Token("", "", 0)
        iterator = tokens(text, starts.pop())
        for token in iterator:
            if token.kind == "word" and "service" in token.text.lower():
                raise ServiceRefused()
            if token.text == "{" and before.kind == "name" and "service" in before.text.partition(":")[0].lower():
                raise ServiceRefused()
            if token.kind == "iri" and not _CERTAIN_IRI.match(token.text) and _SUSPECT.search(token.text):
                if token.at + 1 not in seen:
                    seen.add(token.at + 1)
                    starts.append(token.at + 1)
            # In `GRAPH service:g {` the name is a graph; keeping the keyword in its place tells the two apart.
            named_graph = token.kind == "name" and before.text.upper() in _BEFORE_GRAPH
            before = before if named_graph else token
        if len(seen) > _MOST_READINGS:
            raise QueryTooLarge("Too many relative IRIs with # or ' in them.", "Write them in full.")


def position(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of an index into the text."""
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def syntax_error(query: str, at: int, message: str, hint: str | None = None) -> QuerySyntaxError:
    """A syntax error at an index into the query."""
    line, column = position(query, at)
    return QuerySyntaxError(message, line, column, query.split("\n")[line - 1][:1000], hint)


_ENGINE_MESSAGE = re.compile(r"(?:error )?at (\d+):(\d+): (.*)", re.DOTALL)


def explain(query: str, message: str) -> QuerySyntaxError:
    """A syntax error of the engine as one a person can act on: the commonest mistakes by name, else what was expected.

    >>> print(explain("ASK {\\n ?s ex:p ?o }", "error at 2:5: expected OPTIONAL"))
    Line 2, column 5: the prefix ex: is not declared. Add: PREFIX ex: <…>
    """
    return _undeclared_prefix(query) or _unbalanced(query) or _no_form(query) or _as_the_engine_says(query, message)


def _undeclared_prefix(query: str) -> QuerySyntaxError | None:
    declared, before = set(), ""
    for token in tokens(query):
        if token.kind == "name" and not token.text.startswith("_:"):
            prefix = token.text.partition(":")[0]
            if before == "PREFIX":
                declared.add(prefix)
            elif prefix not in declared:
                known = PREFIXES.get(prefix, "…")
                return syntax_error(query, token.at, f"the prefix {prefix}: is not declared.", f"Add: PREFIX {prefix}: <{known}>")
        before = token.text.upper() if token.kind == "word" else ""
    return None


def _unbalanced(query: str) -> QuerySyntaxError | None:
    opened: list[Token] = []
    for token in tokens(query):
        if token.kind != "mark":
            continue
        if token.text in _OPEN:
            opened.append(token)
        elif token.text in _CLOSE:
            if not opened:
                return syntax_error(query, token.at, f"this {token.text} closes nothing.")
            if _OPEN[opened[-1].text] != token.text:
                line, _ = position(query, opened[-1].at)
                return syntax_error(query, token.at, f"expected {_OPEN[opened[-1].text]} (for line {line}), found {token.text}.")
            opened.pop()
    if opened:
        return syntax_error(query, opened[-1].at, f"this {opened[-1].text} is never closed.")
    return None


def _no_form(query: str) -> QuerySyntaxError | None:
    words = (token for token in tokens(query) if token.kind == "word" and token.text.upper() not in _PROLOGUE)
    word = next(words, None)
    if word is None or not word.text.upper().startswith(tuple(_FORMS)):
        at = word.at if word else 0
        return syntax_error(query, at, "a query starts with SELECT, ASK, CONSTRUCT or DESCRIBE, after its PREFIX lines.")
    return None


def _as_the_engine_says(query: str, message: str) -> QuerySyntaxError:
    found = _ENGINE_MESSAGE.match(message)
    if not found:
        return QuerySyntaxError(message[:300])
    line, column = int(found[1]), int(found[2])
    lines = query.split("\n")
    source = lines[line - 1] if line <= len(lines) else ""
    spoken = re.search(r"[A-Z][\w*]+(?: [\w*]+){2,}", found[3])  # a sentence among the names of what was expected
    if spoken:
        return QuerySyntaxError(spoken[0] + ".", line, column, source[:1000])
    reason = re.sub(r"\[(?:'[^']*'|[^\]'])*\](?:\s*,\s*)?", "", found[3])  # character classes help nobody
    expected = reason.removeprefix("expected one of ").removeprefix("expected ").strip(" ,\n")
    names = [name.strip() for name in expected.split(", ") if name.strip()]
    rest = " …" if len(names) > 8 else ""
    if not names:  # the parser only knows that no rule goes on from here
        return QuerySyntaxError("this does not fit what stands before it.", line, max(1, column - 1), source[:1000])
    said = f"expected {', '.join(names[:8])}{rest}" if found[3].startswith("expected") else reason[:300]
    return QuerySyntaxError(said + ".", line, column, source[:1000])
