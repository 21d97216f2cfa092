"""Mistakes that many make when they write SPARQL, by name. Only a text that is no SPARQL is looked at: none of these is a mistake everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from kvgraph.store.tokens import Token, tokens

_AGGREGATES = {"COUNT", "SUM", "AVG", "MIN", "MAX", "SAMPLE", "GROUP_CONCAT"}
_FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
_LONGEST_SUBTAG = 8  # characters (RFC 5646, section 2.1)
_QUOTES = "“”„‘’‚«»"


def usual_mistake(query: str) -> tuple[int, str, str] | None:
    """The first of them: where it is, what it is, what to write instead.

    >>> usual_mistake("SELECT ?a, ?b { ?a ?p ?b }")
    (9, 'variables of SELECT stand beside each other without commas.', 'Write: SELECT ?a ?b')
    """
    return next(_mistakes(query), None)


def _mistakes(query: str) -> Iterator[tuple[int, str, str]]:
    before, form, clause, depth, open_braces, declared, selected = Token("", "", 0), "", "", 0, 0, set(), set()
    for token in tokens(query):
        word = token.text.upper() if token.kind == "word" else ""
        last = before.text.upper()
        if last == "PREFIX":
            declared.add(token.text)
            if token.kind == "word":
                yield token.at, "a prefix ends in a colon.", f"Write: PREFIX {token.text}: <…>"
        if token.text in ("@prefix", "@base"):
            yield token.at, "this is how Turtle says it.", f"Write {token.text[1:].upper()} without @, and no full stop after the IRI."
        if token.text in ("http:", "https:") and token.text not in declared:
            yield token.at, "an IRI stands in angle brackets.", f"Write: <{token.text}//…>"
        if token.text in _QUOTES:
            yield token.at, f"this mark {token.text} begins no string.", "Write strings in straight quotation marks: \"…\" or '…'"
        if token.text == last == "=":
            yield before.at, "equality is one equals sign.", "Write: ="
        if token.kind == "lang" and max(map(len, token.text[1:].split("-"))) > _LONGEST_SUBTAG:
            yield token.at, "this is no language tag.", 'Write one like "…"@en or "…"@pt-BR'
        if token.text == ";" and not open_braces and not depth:
            yield token.at, "a query ends without a semicolon, and a request holds one query.", "Leave out the semicolon and what follows it."
        if word in _AGGREGATES and form in ("ASK", "CONSTRUCT", "DESCRIBE") and not open_braces:
            yield token.at, f"the engine takes {word} in SELECT only, not after {form}.", f"Write: {form} … {{ {{ SELECT … GROUP BY … HAVING … }} }}"
        if last == "FILTER" and token.kind == "var":
            yield token.at, "the condition of a FILTER stands in brackets.", f"Write: FILTER({token.text} …)"
        if clause == "SELECT" and depth == 0:
            if token.text == ",":
                yield token.at, "variables of SELECT stand beside each other without commas.", "Write: SELECT ?a ?b"
            if word in _AGGREGATES:
                yield token.at, "what is computed in SELECT gets a name, and brackets around both.", f"Write: ({word}(…) AS ?name)"
            if token.kind == "var" and token.text[1:] in selected:
                yield token.at, f"the engine takes {token.text} only once in SELECT.", "Name each variable once."
            selected.update([token.text[1:]] if token.kind == "var" else ())
        if word == "SELECT":
            selected = set()
        clause = word if word in ("SELECT", "WHERE", "FROM") else "" if token.text == "{" else clause
        form = form or (word if word in _FORMS else "")
        depth += (token.text == "(") - (token.text == ")")
        open_braces += (token.text == "{") - (token.text == "}")
        before = token
