"""Answers that pages need, computed once with the release: the first reader of a release waits for none of them.

Each is a file of :mod:`kvgraph.store.cached`, under the name that a server looks for. What is not here is asked when it is wanted, and kept then.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox

from .. import queries
from ..formats import JSON, NTRIPLES
from ..model import ENTITY_TYPES
from ..store import Embedded, check
from ..store.cached import key, write

_FEATURED = (12, 24)  # things to choose from: on the home page, and for examples of connections


def write_answers(store: ox.Store, folder: Path) -> int:
    """Answer what pages ask, into a folder; returns how many answers there are."""
    engine = Embedded(store)
    texts = dict.fromkeys(wanted())
    for text in texts:
        _answer(engine, text, folder)
    return len(texts)


def wanted() -> Iterator[str]:
    """The queries: of the home page, of the list of each type, and every question with its examples."""
    yield queries.load("pages/counts").bind()
    for limit in _FEATURED:
        yield queries.load("pages/featured").bind(limit=limit)
    questions = [queries.load(name) for name in queries.names()]
    lists = {param.of for question in questions for param in question.params if param.of} | {kind.iri for kind in ENTITY_TYPES}
    for of in sorted(lists):
        yield queries.load("pages/options").bind(of=of, lang="en")
    for question in questions:
        yield question.bind(**question.examples)
        yield question.bind(**{param.name: param.example for param in question.params if param.required})


def _answer(engine: Embedded, text: str, folder: Path) -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        format = JSON if check(text) in ("SELECT", "ASK") else NTRIPLES  # what a server asks its pool for
        outcome = engine.write(text, format, file)
        file.seek(0)
        write(folder / key(text, format), outcome, file)
