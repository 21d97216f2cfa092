"""REGEX and REPLACE as SPARQL 1.1 has them (17.4.3.14, 17.4.3.15): by XPath Functions and Operators, sections 5.6.1 and 5.6.3, where the engine's are others."""

import time

import pytest
from pyoxigraph import Store

from kvgraph.store import Embedded, QuerySyntaxError
from kvgraph.store.regex import as_the_engine_has_them


@pytest.fixture(scope="module")
def engine() -> Embedded:
    return Embedded(Store())


@pytest.mark.parametrize(("call", "expected"), [
    (r"REPLACE('darted', '^(.*?)d(.*)$', '$1c$2')", "carted"),
    (r"REPLACE('2022-11', '(\\d+)-(\\d+)', '$2_$1')", "11_2022"),
    (r"REPLACE('abc', '(b)', '$12')", "ab2c"),
    (r"REPLACE('abcdefghijkl', 'a(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)l', '$10$11')", "kb1"),
    (r"REPLACE('abc', 'b', '\\$')", "a$c"), (r"REPLACE('abc', '(b)', '\\$1')", "a$1c"), (r"REPLACE('abc', '(b)', '\\\\$1')", r"a\bc"), (r"REPLACE('abc', 'b', '\\\\')", r"a\c"),
    (r"REPLACE('abc', 'b', '$0x')", "abxc"), (r"REPLACE('abc', 'b', '$0x', 'q')", "a$0xc"), (r"REPLACE('aBc', '(b)', '$1x', 'i')", "aBxc"), (r"REPLACE('a.c', '.', '\\$', 'q')", r"a\$c"),
    (r"REPLACE(REPLACE('abc', '(a)', '$1x'), '(b)', '''$1\ty''')", "axb\tyc"),
    (r"REPLACE('abc', '(b)', CONCAT('$', '1'))", "abc"), (r"CONCAT('$1x', ',', '\\$')", r"$1x,\$"), ("replace # ( ,\n ('abc' , '(b)' , \"$1x\")", "abxc"),
])  # fmt: skip
def test_5_6_3_groups_in_a_replacement(engine, call, expected):
    """``$N`` is a group however it goes on, ``\\$`` a dollar sign, ``\\\\`` a backslash; the engine takes ``$1x`` for a group of that name, and writes nothing."""
    [row] = engine.select(f"SELECT ({call} AS ?x) {{}}")
    assert row["x"].value == expected


@pytest.mark.parametrize("pattern", [r"(a)\\1", r"\\i\\c*", "[a-z-[aeiou]]", "a(?=b)", "(?<!a)b"])
@pytest.mark.parametrize("query", ["ASK {{ FILTER REGEX('aa', '{}') }}", "SELECT (REPLACE('aa', \"{}\", 'x', 'i') AS ?x) {{}}"])
def test_what_the_engine_cannot_match_is_refused(engine, query, pattern):
    """It would take it for an error, and a FILTER would find nothing, without a word."""
    with pytest.raises(QuerySyntaxError, match="regular expression"):
        engine.write(query.format(pattern), None, None)


@pytest.mark.parametrize("call", [r"'a\\1', '\\\\1'", "'a-[', '-[[]'", r"'x-a', '[x]-[a]'", "'(?=', '(?=', 'q'", r"'1', '[\\d-]'", r"'[a-[', '\\[a-\\['", "'(a)', 'a', '(?=b)'", "'(', '[(?=]'"])
def test_what_it_can_match_is_not(engine, call):
    engine.ask(f"ASK {{ FILTER REGEX({call}) }}")


def test_long_patterns_are_looked_at_quickly():
    for pattern in ("[" * 60_000, "(?" * 60_000, "$9" * 60_000, r"\\\\" * 30_000):
        began = time.perf_counter()
        as_the_engine_has_them(f"SELECT (REPLACE('a', '{pattern}', '{pattern}') AS ?x) {{}}")
        assert time.perf_counter() - began < 1
