"""What leads to a thing, what a source holds, and what the home page shows: in few and short answers, however much it is.

Functions take ``run``, which is :meth:`kvgraph.graph.Graph.run`, so that a build can find out what pages of things with very many links will ask
(:mod:`kvgraph.build.answers`).
"""

from collections.abc import Callable
from typing import Any

import pyoxigraph as ox

from .graph import Rows
from .search import SearchResult

MANY = 400  # links to a thing up to which one query lists them all
FIRST = 100  # things of a group that are listed where there are more links
GROUPS = 5  # groups that are listed there, the largest ones; of the others only the number is known
OF_SOURCE = 60  # records of a source that its page names
FEATURED = 24  # practices whose leads are offered as examples of connections
CANDIDATES = 40  # practices of which most is known, for the home page to choose its examples from

Run = Callable[..., Rows]
Link = tuple[ox.NamedNode, ox.NamedNode, ox.Literal | None, ox.NamedNode | None]


def counts(run: Run, iri: str) -> Rows:
    """How many things lead here, by property and type."""
    return run("pages/incoming-counts", iri=iri)


def links(run: Run, iri: str, counted: Rows, language: str) -> list[Link]:
    """What leads here, as far as a page lists it: (thing, property, label, type)."""
    if sum(row["count"] for row in counted) <= MANY:
        return run("pages/incoming", iri=iri, lang=language, limit=MANY).terms if len(counted) else []
    groups = sorted((row for row in counted.terms if row[1]), key=lambda row: -int(row[2].value))
    found = []
    for property_, type_, _ in groups[:GROUPS]:
        rows = run("pages/linking", iri=iri, property=property_.value, of=type_.value, lang=language, limit=FIRST).terms
        found += [(thing, property_, label, type_) for thing, label in rows]
    return found


def of_source(run: Run, iri: str) -> tuple[int, list[tuple]]:
    """How many records a source holds, and the first of them: (thing, label)."""
    total = next(iter(run("pages/count-of-source", source=iri)))["things"]
    return total, run("pages/things-of-source", source=iri, limit=OF_SOURCE).terms if total else []


def most_known(search: Callable[..., SearchResult], **options: Any) -> SearchResult:
    """The practices of which most is known; ``search`` is :meth:`kvgraph.search.SearchIndex.search`, and takes the ``options``."""
    return search("", types=["practice"], limit=CANDIDATES, snippets=False, **options)


def examples(run: Run, known: SearchResult) -> Rows:
    """What those of them say of themselves that have all a reader wants to know."""
    return run("pages/examples", practices=[hit.iri for hit in known.hits])
