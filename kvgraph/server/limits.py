"""What a client is told of the limits: how much is left, and what to try instead of what was refused."""

from collections import Counter
from functools import lru_cache

from flask import Flask, Response, request

from .. import queries
from ..errors import KvgraphError
from ..store import PoolBusy, QueryTimeout, QueryTooLarge, ServiceRefused, UpdateRefused
from ..store.tokens import tokens
from . import context
from .rate import TooManyQueries, client_at

def register(app: Flask) -> None:
    app.after_request(_tell)


def client() -> str:
    """Who asks the request that Flask is at work on."""
    return client_at(request.remote_addr)


def _tell(response: Response) -> Response:
    """How much is left."""
    if budget := context.exchange().budget:
        response.headers.extend(budget.headers())
    return response


# ── What to try instead ──────────────────────────────────────────────────────────────────────────────────────────────

DUMPS = {"href": "/dumps/", "title": "Everything as files, to load into an engine of your own"}
LIMITS = {"href": "/docs/engineers#limits", "title": "The limits, and how to stay within them"}
FEDERATION = {"href": "/docs/federation", "title": "How to ask this endpoint together with others, from your side"}
ABOUT = {"href": "/docs/about", "title": "Where the facts come from"}


def instead(error: KvgraphError, query: str) -> list[dict]:
    """Links (``href``, ``title``) to what may help whoever got this error to this query; none for a mistake in the query itself."""
    if isinstance(error, ServiceRefused):
        return [DUMPS, FEDERATION]
    if isinstance(error, UpdateRefused):
        return [ABOUT, DUMPS]
    if isinstance(error, (QueryTimeout, QueryTooLarge)):
        return [*near(query), DUMPS, LIMITS]
    return [DUMPS, LIMITS] if isinstance(error, (PoolBusy, TooManyQueries)) else []


def near(query: str, most: int = 2) -> list[dict]:
    """Links to the questions that speak of what a query speaks of.

    >>> [link["href"] for link in near("SELECT * { ?p kv:channel ?c . ?p dcterms:spatial ?r }", most=1)][0].startswith("/questions/")
    True
    """
    asked = _terms(query)
    by_question = {name: _terms(queries.load(name).text) for name in queries.names()}
    spread = Counter(term for terms in by_question.values() for term in terms)
    score = {name: sum(1 / spread[t] for t in terms & asked) for name, terms in by_question.items() if len(terms & asked) > 1}
    best = sorted(score, key=lambda name: (-score[name], name))[:most]
    return [{"href": f"/questions/{name}", "title": queries.load(name).summary} for name in best]


@lru_cache(maxsize=256)
def _terms(query: str) -> frozenset[str]:
    """The local names of the terms in a query."""
    found = set()
    for token in tokens(query[:20_000]):
        if token.kind == "name":
            found.add(token.text.partition(":")[2])
        elif token.kind == "iri":
            found.add(token.text.strip("<>").rstrip("/#").replace("#", "/").rpartition("/")[2])
    return frozenset(found - {""})
