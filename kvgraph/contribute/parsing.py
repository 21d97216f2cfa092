"""What a stranger sent as RDF or JSON, read: how much there may be of everything is bounded before a parser sees it, and while it reads."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyoxigraph as ox

from ..errors import KvgraphError

MOST_RECORDS = 50
MOST_STATEMENTS = 10_000
MOST_NESTED = 32  # brackets inside brackets: parsers recurse, and a deep file ends the process
MOST_BLANK = 500
MOST_TERMS = 500  # of the context of JSON-LD
MOST_LETTERS = 10_000_000  # of statements, written out
RDF_FORMATS = {"trig": ox.RdfFormat.TRIG, "turtle": ox.RdfFormat.TURTLE, "jsonld": ox.RdfFormat.JSON_LD}
# Possessive, and a text that is never closed goes on to its end: no pattern makes the scanner look at a character twice. Escapes outside of texts count
# too (`e:a\'b` is a name), lest a quotation mark in a name hides the brackets after it.
_TOKENS = re.compile(
    rb"""
      \"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3})?+ | '{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?+
    | "(?:[^"\\\n]|\\.)*+"?+ | '(?:[^'\\\n]|\\.)*+'?+
    | <(?:[^<>"{}|^`\\\s]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>
    | \\. | \#[^\n]*+ | (?P<opening><<|[\[({]) | (?P<closing>>>|[\])}])
    """,
    re.DOTALL | re.VERBOSE,
)


class Unreadable(KvgraphError):
    """A file that no records can be taken from."""

    status = 422


def quads(content: bytes, format_: str) -> list[ox.Quad]:
    """The statements of a document in ``trig``, ``turtle`` or ``jsonld``. Raises :class:`Unreadable`."""
    _require_text(content)
    if format_ == "jsonld":
        _require_simple(loaded(content))
    else:
        _require_flat(content)
    found: list[ox.Quad] = []
    blank: set[ox.BlankNode] = set()
    letters = 0
    try:
        for quad in ox.parse(content, format=RDF_FORMATS[format_], without_named_graphs=False):
            found.append(quad)
            blank.update(t for t in (quad.subject, quad.object) if isinstance(t, ox.BlankNode))
            letters += len(str(quad))  # a prefix of half a megabyte is written once and stands in every statement
            _require_little(len(found), len(blank), letters)
    except SyntaxError as error:
        remote = "LoadDocumentCallback" in str(error)
        raise Unreadable(
            "This JSON-LD has a context that is elsewhere; nothing is fetched." if remote else f"This is not well-formed: {str(error)[:300]}",
            hint="Write the context into the file itself." if remote else None,
        ) from None
    return found


def _require_little(statements: int = 0, blank: int = 0, letters: int = 0) -> None:
    if statements > MOST_STATEMENTS:
        raise Unreadable(f"There are more than {MOST_STATEMENTS:,} statements in this.", hint=f"Send at most {MOST_RECORDS} records at once.")
    if blank > MOST_BLANK:
        raise Unreadable(f"There are more than {MOST_BLANK} blank nodes in this.", hint="Give things addresses: https://w3id.org/kvgraph/id/practice/… ")
    if letters > MOST_LETTERS:
        raise Unreadable("Written out, the statements in this are too long.", hint=f"At most {MOST_LETTERS:,} characters are taken: shorten the addresses.")


def _require_text(content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"This is not UTF-8 (byte {error.start}).", hint="Save it as UTF-8 text.") from None


def _require_flat(content: bytes) -> None:
    depth = 0
    for token in _TOKENS.finditer(content):
        if token.lastgroup:
            depth = depth + 1 if token.lastgroup == "opening" else max(0, depth - 1)
        if depth > MOST_NESTED:
            raise Unreadable(f"Brackets are nested more than {MOST_NESTED} deep in this.", hint="Give things addresses instead of describing them within each other.")


def _require_simple(document: Any) -> None:
    """The parser works on a context again in each node that has one, ends the process on a long chain of terms, and writes out an address wherever it stands."""
    level = document if isinstance(document, list) else [document]
    contexts = [one["@context"] for one in level if isinstance(one, dict) and "@context" in one]
    terms = sum(len(part) for context in contexts for part in (context if isinstance(context, list) else [context]) if isinstance(part, dict))
    if terms > MOST_TERMS:
        raise Unreadable(f"There are {terms:,} terms in the context of this; at most {MOST_TERMS} are taken.", hint="Leave out those that the file does not use.")
    number = longest = 0
    while level:
        number += len(level)
        longest = max([longest, *(len(text) for one in level if isinstance(one, dict) for text in _addresses(one))])
        if number > 4 * MOST_STATEMENTS:
            raise Unreadable("There are too many values in this.", hint=f"Send at most {MOST_RECORDS} records at once.")
        _require_little(letters=number * longest)
        level = [child for one in level for child in children(one)]
        if any(isinstance(one, dict) and "@context" in one for one in level):
            raise Unreadable("There is a “@context” within another one or within a node.", hint="Write one context, at the beginning of the file.")


def _addresses(node: dict[str, Any]) -> Iterable[str]:
    """Whatever in an object may be written out many times: its names, what stands under a keyword, and texts without a blank."""
    yield from node
    for name, text in node.items():
        if isinstance(text, str) and (name.startswith("@") and name != "@value" or len(text.split(None, 1)) == 1):
            yield text


def children(node: Any) -> Iterable[Any]:
    """What stands in an object or a list."""
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def loaded(content: bytes) -> Any:
    """A document of JSON that is not deep. Raises :class:`Unreadable`."""
    _require_text(content)
    try:
        found = json.loads(content, object_pairs_hook=_unambiguous)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unreadable("There is half a character in this (a surrogate without the other, as in \\ud800).", hint="Write whole characters, as UTF-8.") from None
    except RecursionError:
        raise Unreadable(f"This is nested too deeply; at most {MOST_NESTED} levels are taken.") from None
    except ValueError as error:
        raise Unreadable(f"This is not JSON: {str(error)[:200]}") from None
    level, depth = [found], 0
    while level := [child for one in level for child in children(one)]:
        depth += 1
        if depth > MOST_NESTED:
            raise Unreadable(f"This is nested too deeply; at most {MOST_NESTED} levels are taken.")
    return found


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values one would be lost, and another parser would take the other."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise Unreadable(f"“{twice[:60]}” is twice in one object.", hint="Write a list of the values: [… , …]")
    return found
