"""How much a client may ask of an engine.

Queries are counted per client only when an engine has to answer them: an answer that is kept costs nothing. Each web process counts for itself, so a
client that uses several connections may get through up to as many times the rate as there are web processes, and never less than the rate.
A client on this machine is not counted: it is the operator, or a proxy that was not configured (``KVGRAPH_TRUSTED_PROXIES``) and
stands for everybody.
"""

import math
import time
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from ..errors import KvgraphError
from ..store import QueryError

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


@dataclass(frozen=True)
class Budget:
    """What a client may still ask: ``reset`` is when all of it is there again, ``refused`` whether it has just asked too much."""

    rate: str
    item: RateLimitItem
    remaining: int
    reset: float
    refused: bool = False

    @property
    def seconds(self) -> int:
        return max(0, math.ceil(self.reset - time.time()))

    def require(self) -> None:
        """Raises :class:`TooManyQueries` if it was refused."""
        if self.refused:
            raise TooManyQueries(self.rate, max(1, self.seconds))

    def headers(self) -> list[tuple[str, str]]:
        """The header fields of draft-ietf-httpapi-ratelimit-headers."""
        policy = f'"queries";q={self.item.amount};w={self.item.get_expiry()}'
        return [("RateLimit-Policy", policy), ("RateLimit", f'"queries";r={max(0, self.remaining)};t={self.seconds}')]


class Rate:
    """How many new queries a client may ask, as ``1200 per minute`` or several of these with semicolons between them.

    >>> rate = Rate("2 per minute; 100 per hour")
    >>> [rate.hit("192.0.2.1").refused for _ in range(3)], rate.hit("192.0.2.2").remaining
    ([False, False, True], 1)

    Raises:
        KvgraphError: the text is no rate.
    """

    def __init__(self, text: str):
        self.text = text
        try:
            self._items = parse_many(text)
        except ValueError:
            raise KvgraphError(f"No rate is written {text[:40]!r}.", hint="Write for example: 1200 per minute. Empty is no limit.") from None
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, client: str, cost: int = 1) -> Budget:
        """Count a query of a client, or ``cost`` of them, unless it has asked too much already."""
        budgets = []
        for item in self._items:
            refused = not self._window.hit(item, client, cost=cost)
            reset, remaining = self._window.get_window_stats(item, client)
            budgets.append(Budget(self.text, item, remaining, reset, refused))
            if refused:
                return budgets[-1]
        return min(budgets, key=lambda budget: budget.remaining)


@lru_cache(maxsize=4096)
def client_at(address: str | None) -> str:
    """Who asks, as far as taking turns goes: an address, of IPv6 the network of 64 bits that one customer has.

    >>> client_at("2001:db8::7"), client_at("192.0.2.7"), client_at(None)
    ('2001:db8::/64', '192.0.2.7', '0.0.0.0')
    """
    try:
        found = ip_address((address or _EVERYBODY).partition("%")[0])
    except ValueError:
        return _EVERYBODY
    return str(IPv6Network((found, 64), strict=False)) if isinstance(found, IPv6Address) and not found.is_loopback else str(found)


@lru_cache(maxsize=4096)
def on_this_machine(client: str) -> bool:
    return ip_address(client.partition("/")[0]).is_loopback
