"""Ask whether the pages that facts rest on are still there: politely, one request at a time to each host.

Addresses come from data that others may have written, so only public hosts are asked: nothing on this machine or in its network.
"""

import http.client
import ipaddress
import socket
import threading
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from urllib.parse import urlsplit

from . import __version__
from .errors import KvgraphError

AGENT = f"kvgraph/{__version__} link checker (https://w3id.org/kvgraph/)"
TIMEOUT = 20.0  # seconds for each page
PAUSE = 1.0  # seconds between two requests to one host
WORKERS = 8
OFFLINE = 10  # so many pages whose hosts have no address, and none that has: this machine is offline


class Offline(KvgraphError):
    """No host could be found at all."""

    def __init__(self):
        super().__init__("No host has an address: this machine seems to be offline.", hint="Try again with a connection; nothing was changed.")


@dataclass(frozen=True)
class Link:
    """``status`` is the last HTTP status, None where there was no answer; ``problem`` is empty for a page that is there."""

    page: str
    status: int | None = None
    problem: str = ""

    @property
    def gone(self) -> bool:
        """Whether the page is no more, as opposed to not being shown to programs (401, 403, 429) or being out of order (5xx)."""
        return self.status in (404, 410) or self.problem == _NO_HOST


_NO_HOST = "the host has no address"


def check(pages: Iterable[str], *, public: Callable[[str], bool] | None = None, pause: float = PAUSE, timeout: float = TIMEOUT) -> Iterator[Link]:
    """Ask for each page; gives each as soon as it is known, in no order.

    ``public`` says whether a host may be asked. Raises :class:`Offline`. Closing the iterator ends it after the requests that are on their way.

        for link in check(["https://www.example.org/"]):
            print(link.page, link.problem or "is there")
    """
    hosts: dict[str, list[str]] = defaultdict(list)
    for page in dict.fromkeys(pages):
        hosts[_host(page)].append(page)
    ended = threading.Event()
    found: list[Link] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            turns = [pool.submit(_of_host, host, listed, public or _public, pause, timeout, ended) for host, listed in hosts.items()]
            for turn in as_completed(turns):
                found += turn.result()
                if len(found) >= min(OFFLINE, len(hosts)) and all(link.problem == _NO_HOST for link in found):
                    raise Offline
                yield from turn.result()
        finally:
            ended.set()


def _of_host(host: str, pages: list[str], public: Callable[[str], bool], pause: float, timeout: float, ended: threading.Event) -> list[Link]:
    if not host:
        return [Link(page, None, "not an address on the web") for page in pages]
    try:
        if not public(host):
            return [Link(page, None, "not a public host") for page in pages]
    except OSError:
        return [Link(page, None, _NO_HOST) for page in pages]
    links = []
    for page in pages:
        if ended.wait(pause if links else 0):
            break
        links.append(_asked(page, public, timeout))
    return links


def _host(page: str) -> str:
    """The host of a web address; empty for what is none."""
    try:
        parts = urlsplit(page)
    except ValueError:
        return ""
    return (parts.hostname or "").lower() if parts.scheme in ("http", "https") else ""


def _public(host: str) -> bool:
    """Whether every address of a host is one of the public internet. Raises ``OSError`` for one that has none."""
    return all(ipaddress.ip_address(info[4][0].partition("%")[0]).is_global for info in socket.getaddrinfo(host, None))


class _OnlyPublic(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to a host that may be asked."""

    def __init__(self, public: Callable[[str], bool]):
        self.public = public

    def redirect_request(self, request, file, code, message, headers, address):
        if not (host := _host(address)) or not self.public(host):
            raise urllib.error.HTTPError(request.full_url, code, "leads to a host that is not public", headers, file)
        return super().redirect_request(request, file, code, message, headers, address)


def _asked(page: str, public: Callable[[str], bool], timeout: float) -> Link:
    """HEAD first; GET where a server does not know HEAD."""
    opener = urllib.request.build_opener(_OnlyPublic(public), urllib.request.ProxyHandler())
    link = Link(page)
    for method in ("HEAD", "GET"):
        request = urllib.request.Request(page, method=method, headers={"User-Agent": AGENT, "Accept": "*/*"})
        try:
            with opener.open(request, timeout=timeout) as answer:
                return Link(page, answer.status)
        except urllib.error.HTTPError as error:
            with error:
                link = Link(page, error.code, f"{error.code} {error.reason}")
        except (OSError, ValueError, http.client.HTTPException) as error:
            link = Link(page, None, str(getattr(error, "reason", error)) or type(error).__name__)
    return link
