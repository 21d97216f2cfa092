"""Regular expressions in a query, where the engine's are not those of XPath, which SPARQL 1.1 refers to (17.4.3.14 and 17.4.3.15).

Oxigraph's are those of Rust. What only XPath or other languages have is an error there, after which a FILTER finds nothing: it is refused. ``$1x`` in a
replacement is the group called ``1x``, which there never is: it is written as Rust means it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvgraph.store.syntax import syntax_error
from kvgraph.store.tokens import CLOSING, OPENING, Token, tokens

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_UNKNOWN = re.compile(r"(?P<unknown>\\[1-9iIcC]|\(\?<?[=!]|\[(?:[^\[\]\\]|\\.)*+(?<=-)\[)|\\.|\[(?:[^\[\]\\]|\\.)*+\]", re.DOTALL)
_MEANT = re.compile(r"\\\\\\\\|\\\\\$|\\.|\$\d{1,3}", re.DOTALL)  # in a string as a query writes it, where a backslash is two
_GROUP = re.compile(r"\\.|\((?!\?)", re.DOTALL)
_MOST_GROUPS = 9  # of a pattern that is not known before the query runs


def as_the_engine_has_them(query: str) -> str:
    r"""The query with the replacements of REPLACE as the engine understands them, where they stand in the query as strings.

    Raises:
        QuerySyntaxError: a pattern needs what the engine does not have.

    >>> print(as_the_engine_has_them(r"SELECT (REPLACE(?x, '(a)', '$1b') AS ?y) {}"))
    SELECT (REPLACE(?x, '(a)', '${1}b') AS ?y) {}
    """
    lower = query.lower()
    if "regex" not in lower and "replace" not in lower:
        return query
    changed = []
    for name, (_, pattern, *more) in _calls(query):
        flags = more[-1] if len(more) == (2 if name == "REPLACE" else 1) else None
        literally = bool(flags) and "q" in flags.text
        if pattern and not literally:
            _require_known(query, pattern)
        if name == "REPLACE" and more and more[0]:
            groups = sum(found.startswith("(") for found in _GROUP.findall(_value(pattern))) if pattern else _MOST_GROUPS
            changed.append((more[0], _replacement(more[0].text, groups, literally)))
    parts, done = [], 0
    for token, text in sorted(changed, key=lambda change: change[0].at):
        parts += query[done : token.at], text
        done = token.at + len(token.text)
    return "".join((*parts, query[done:]))


def _calls(query: str) -> Iterator[tuple[str, list[Token | None]]]:
    """The calls of REGEX and REPLACE, and their arguments: the string, None for what is more than a string."""
    around: list[tuple[str, list[list[Token]]]] = []  # of each open bracket which call it is of, and the tokens of its arguments
    last = Token("", "", 0)
    for token in tokens(query):
        if token.kind == "mark" and token.text in CLOSING and around:
            name, arguments = around.pop()
            if name and len(arguments) > 1:
                yield name, [argument[0] if len(argument) == 1 and argument[0].kind == "string" else None for argument in arguments]
        elif token.text == "," and around:
            around[-1][1].append([])
        elif around:
            around[-1][1][-1].append(token)
        if token.kind == "mark" and token.text in OPENING:
            name = last.text.upper() if token.text == "(" else ""
            around.append((name if name in ("REGEX", "REPLACE") else "", [[]]))
        last = token


def _require_known(query: str, pattern: Token) -> None:
    if any(found["unknown"] for found in _UNKNOWN.finditer(_value(pattern))):
        raise syntax_error(
            query,
            pattern.at,
            "the engine has no such regular expression: it would find nothing here.",
            "Do without back-references (\\1), looking ahead or behind ((?=…), (?!…)), \\i, \\c and the subtraction of classes ([a-z-[aeiou]]).",
        )


def _value(string: Token) -> str:
    return _ESCAPED.sub(r"\1", string.text)


def _replacement(text: str, groups: int, literally: bool) -> str:
    if literally:
        return text.replace("$", "$$")

    def meant(found: re.Match) -> str:
        said = found.group()
        if said.startswith("$"):
            digits = said[1:]
            while len(digits) > 1 and int(digits) > groups:
                digits = digits[:-1]
            return f"${{{digits}}}{said[1 + len(digits) :]}"
        return {r"\\$": "$$", "\\" * 4: "\\" * 2}.get(said, said)

    return _MEANT.sub(meant, text)
