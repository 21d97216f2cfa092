"""What a client may use, and what to try instead of what was refused.

Queries are counted per client only when an engine has to answer them: an answer that is kept costs nothing. Each web process counts for itself, so a
client that uses several connections may get through up to as many times the rate as there are web processes, and never less than the rate.
A client on this machine is not counted: it is the operator, or a proxy that was not configured (``KVGRAPH_TRUSTED_PROXIES``) and
stands for everybody.
"""

import math
import time
from collections import Counter
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter, RateLimitExceeded
from limits import parse_many

from .. import queries
from ..errors import KvgraphError
from ..store import PoolBusy, QueryError, QueryTimeout, QueryTooLarge, ServiceRefused, UpdateRefused
from ..store.tokens import tokens

_EVERYBODY = "0.0.0.0"


class TooManyQueries(QueryError):
    """This client has asked too much of the engine in a short time."""

    code = "rate"
    status = 429

    def __init__(self, rate: str, retry_after: int):
        self.retry_after = retry_after
        super().__init__(
            f"This client has asked more than {rate} of new queries.",
            f"Try again in {retry_after} s. Answers that were given before are not counted; for very many facts take the dumps.",
        )


def register(app: Flask) -> None:
    rate = app.config["RATE"]
    if rate:
        try:
            parse_many(rate)
        except ValueError:
            raise KvgraphError(f"No rate is written {rate[:40]!r}.", hint="Write for example: 1200 per minute. Empty is no limit.") from None
    app.extensions["kvgraph.limiter"] = Limiter(client, app=app, storage_uri="memory://", strategy="moving-window")
    app.after_request(_tell)


def client() -> str:
    """Who asks, as far as taking turns goes: an address, of IPv6 the network of 64 bits that one customer has."""
    try:
        address = ip_address((request.remote_addr or _EVERYBODY).partition("%")[0])
    except ValueError:
        return _EVERYBODY
    return str(IPv6Network((address, 64), strict=False)) if isinstance(address, IPv6Address) and not address.is_loopback else str(address)


def admit() -> None:
    """Count a query of this client that an engine is about to answer. Raises :class:`TooManyQueries`."""
    rate = current_app.config["RATE"]
    if not rate or ip_address(client().partition("/")[0]).is_loopback:
        return
    limiter: Limiter = current_app.extensions["kvgraph.limiter"]
    try:
        with limiter.shared_limit(rate, scope="queries"):
            pass
    except RateLimitExceeded:
        raise TooManyQueries(rate, max(1, math.ceil(limiter.current_limit.reset_at - time.time()))) from None
    finally:
        g.budget = limiter.current_limit


def _tell(response: Response) -> Response:
    """How much is left: the header fields of draft-ietf-httpapi-ratelimit-headers."""
    if budget := g.get("budget"):
        left = max(0, math.ceil(budget.reset_at - time.time()))
        response.headers["RateLimit-Policy"] = f'"queries";q={budget.limit.amount};w={budget.limit.get_expiry()}'
        response.headers["RateLimit"] = f'"queries";r={max(0, budget.remaining)};t={left}'
    return response


# ── What to try instead ──────────────────────────────────────────────────────────────────────────────────────────────

DUMPS = {"href": "/dumps/", "title": "Everything as files, to load into an engine of your own"}
LIMITS = {"href": "/docs/engineers#limits", "title": "The limits, and how to stay within them"}
FEDERATION = {"href": "/docs/engineers#together-with-other-endpoints", "title": "How to ask this endpoint together with others, from your side"}
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
