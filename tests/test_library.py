"""The examples in the docstrings of the library are run as they stand, on the bundled data."""

import re

import pytest

import kvgraph

EXAMPLES = [line for member in vars(kvgraph.Graph).values() if (text := getattr(member, "__doc__", None)) for line in re.findall(r"^ {12}(\S.*)$", text, re.MULTILINE)]


@pytest.fixture(scope="module")
def graph(bundled_home):
    return kvgraph.open(bundled_home)


def test_there_are_examples():
    assert {"run", "query", "describe", "identify", "search", "suggest", "reconcile", "resolve", "connect", "similar"} <= set(re.findall(r"graph\.(\w+)", " ".join(EXAMPLES)))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_gives_an_answer(example, graph):
    assert str(eval(example, {"graph": graph})) not in ("", "0", "None", "False", "[]", "{}")
