"""Says where and why a text is not SPARQL, in words a person can act on."""

from __future__ import annotations

import re

from kvgraph.namespaces import PREFIXES
from kvgraph.store.errors import QuerySyntaxError
from kvgraph.store.mistakes import usual_mistake
from kvgraph.store.tokens import CLOSING, OPENING, Token, tokens

_FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
_PROLOGUE = {"PREFIX", "BASE", "VERSION"}
NO_FORM = "a query starts with SELECT, ASK, CONSTRUCT or DESCRIBE, after its PREFIX lines."


def position(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of an index into the text."""
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def syntax_error(query: str, at: int, message: str, hint: str | None = None) -> QuerySyntaxError:
    """A syntax error at an index into the query."""
    line, column = position(query, at)
    return QuerySyntaxError(message, line, column, query.split("\n")[line - 1][:1000], hint)


_CLASS = re.compile(r"\[(?:'[^']*'|[^\]'])*\]")  # character classes help nobody
_ODD_SPACE = re.compile("[\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]")
_COMMENT = re.compile(r"#[^\r\n]*")
_ENGINE_MESSAGE = re.compile(r"(?:error )?at (\d+):(\d+): (.*)", re.DOTALL)
_SCHEME = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*:")
_HINT = "Put the variable into GROUP BY. If an aggregate got that name in this SELECT, write the aggregate again, or compute in a SELECT around it."
_COMPARISON = re.compile(r"<[?$\d]|.*(?:&&|[()])", re.DOTALL)  # what may stand between "less than" and "greater than"


def explain(query: str, message: str) -> QuerySyntaxError:
    """A syntax error of the engine as one a person can act on: the commonest mistakes by name, else what was expected.

    >>> print(explain("ASK {\\n ?s ex:p ?o }", "error at 2:5: expected OPTIONAL"))
    Line 2, column 5: the prefix ex: is not declared. Add: PREFIX ex: <…>
    """
    known = (_odd_space, _unclosed_string, _usual_mistake, _undeclared_prefix, _relative_iri, _unbalanced, _no_form)
    return next(filter(None, (look(query) for look in known)), None) or _as_the_engine_says(query, message)


def _odd_space(query: str) -> QuerySyntaxError | None:
    end = 0
    for token in (*tokens(query), Token("end", "", len(query))):
        between = _COMMENT.sub(lambda comment: len(comment[0]) * " ", query[end : token.at])
        if found := _ODD_SPACE.search(between + token.text if token.kind == "mark" else between):
            said = "this space is none for SPARQL: pages and word processors write such."
            return syntax_error(query, end + found.start(), said, "Write an ordinary space in its place.")
        end = token.at + len(token.text)
    return None


def _unclosed_string(query: str) -> QuerySyntaxError | None:
    quote = next((token for token in tokens(query) if token.kind == "mark" and token.text in "\"'"), None)
    return syntax_error(query, quote.at, "this string is never closed, or holds an escape that SPARQL does not have.") if quote else None


def _usual_mistake(query: str) -> QuerySyntaxError | None:
    found = usual_mistake(query)
    return syntax_error(query, *found) if found else None


def _undeclared_prefix(query: str) -> QuerySyntaxError | None:
    declared, before = set(), Token("", "", 0)
    for token in tokens(query):
        if token.kind == "name" and not token.text.startswith("_:"):
            prefix = token.text.partition(":")[0]
            if before.text.upper() == "PREFIX":
                declared.add(prefix)
            elif before.text == "<" and before.at == token.at - 1 and prefix not in declared:
                return syntax_error(query, before.at, "this is no IRI: it holds a space or another character that IRIs cannot hold.")
            elif prefix not in declared:
                known = PREFIXES.get(prefix, "…")
                return syntax_error(query, token.at, f"the prefix {prefix}: is not declared.", f"Add: PREFIX {prefix}: <{known}>")
        before = token
    return None


def _relative_iri(query: str) -> QuerySyntaxError | None:
    seen = list(tokens(query))
    if any(token.kind == "word" and token.text.upper() == "BASE" for token in seen):
        return None
    iri = next((token for token in seen if token.kind == "iri" and not _SCHEME.match(token.text) and not _COMPARISON.match(token.text)), None)
    return syntax_error(query, iri.at, "this is not an absolute IRI, and the query has no BASE.") if iri else None


def _unbalanced(query: str) -> QuerySyntaxError | None:
    opened: list[Token] = []
    for token in tokens(query):
        if token.kind != "mark":
            continue
        if token.text in OPENING:
            opened.append(token)
        elif token.text in CLOSING:
            if not opened:
                return syntax_error(query, token.at, f"this {token.text} closes nothing.")
            if OPENING[opened[-1].text] != token.text:
                line, _ = position(query, opened[-1].at)
                return syntax_error(query, token.at, f"expected {OPENING[opened[-1].text]} (for line {line}), found {token.text}.")
            opened.pop()
    if opened:
        return syntax_error(query, opened[-1].at, f"this {opened[-1].text} is never closed.")
    return None


def _no_form(query: str) -> QuerySyntaxError | None:
    words = (token for token in tokens(query) if token.kind == "word" and token.text.upper() not in _PROLOGUE)
    word = next(words, None)
    if word is None or not word.text.upper().startswith(tuple(_FORMS)):
        at = word.at if word else 0
        return syntax_error(query, at, NO_FORM)
    return None


def _as_the_engine_says(query: str, message: str) -> QuerySyntaxError:
    """The engine's own message, with the place corrected.

    Oxigraph reports where it stopped reading, and to see that a keyword is not there it has read as many characters as the keyword has. So where
    it expected keywords only, the place is that far back.
    """
    found = _ENGINE_MESSAGE.match(message)
    if not found:
        return QuerySyntaxError(message[:300])
    line, column, expected = int(found[1]), int(found[2]), found[3]
    source = query.split("\n")[line - 1][:1000] if line <= query.count("\n") + 1 else ""
    sentence = re.search(r"[A-Z][\w*]+(?: [\w*]+){2,}", expected)
    if sentence and sentence[0] != "IRI parsing failed":
        hint = _HINT if "variable that is unbound" in sentence[0] else None
        return QuerySyntaxError(sentence[0] + ".", line, column, source, hint)
    if sentence:
        start = max(source.rfind("<", 0, column), 0) + 1
        return QuerySyntaxError("this is no IRI: it holds a character that IRIs cannot hold, or is not absolute.", line, start, source)
    keywords = re.findall(r"\b[A-Za-z]{2}\w+|\bBY\b|\bIF\b|\bIN\b|\bAS\b", _CLASS.sub("", expected).removeprefix("expected").removeprefix(" one of"))
    marks = re.findall(r'"(?:[^"\\]|\\.)+"', expected)
    if not keywords and not marks:  # the parser only knows that no rule goes on from here
        return QuerySyntaxError("this does not fit what stands before it.", line, max(1, column - 1), source)
    if not marks:
        column = max(1, column - max(map(len, keywords)))
    useful = [name for name in keywords + marks if name not in ("LATERAL", "SERVICE")]
    if not useful:
        return QuerySyntaxError("this, or what follows it, does not fit here.", line, column, source)
    rest = " or other" if len(useful) > 6 else ""
    return QuerySyntaxError(f"this, or what follows it, does not fit here; possible is {', '.join(useful[:6])}{rest}.", line, column, source)
