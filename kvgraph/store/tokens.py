"""The tokens of SPARQL 1.1 (section 19.8), found by one regular expression that cannot backtrack far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

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
_ESCAPED = re.compile(_CODEPOINT)
OPENING, CLOSING = {"{": "}", "(": ")", "[": "]"}, {"}", ")", "]"}


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


def resolved(text: str) -> str:
    r"""The text with those codepoint escapes resolved that stand outside strings and IRIs, where an engine may not look for them. Of characters that
    are legal at such a place only letters, digits and the like need no look at what is around them; others stay as they are, and are a mistake.

    >>> print(resolved(r"S\u0045LECT ?\u0061 { ?\u0061 ?p '\u0062' }"))
    SELECT ?a { ?a ?p '\u0062' }
    """
    if "\\" not in text:
        return text
    parts, done = [], 0
    for token in tokens(text):
        if token.at < done or "\\" not in token.text or token.kind in ("iri", "string"):
            continue
        end = len(token.text) + token.at if token.kind != "mark" else token.at + 10
        for found in _ESCAPED.finditer(text, token.at, end):
            if _name_part(letter := _character(found)) and (token.kind != "mark" or found.start() == token.at):
                parts += text[done : found.start()], letter
                done = found.end()
    return "".join((*parts, text[done:]))


def _character(found: re.Match) -> str:
    return chr(int(found.group()[2:], 16))


def _name_part(letter: str) -> bool:
    return letter.isalnum() or letter in "_-:\u00b7"


def unescape(text: str) -> str:
    r"""The text with its codepoint escapes resolved (SPARQL 1.1 section 19.2), once.

    >>> unescape(r"S\u0045RVICE")
    'SERVICE'
    """
    return _ESCAPED.sub(_character, text)
