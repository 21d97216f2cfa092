"""Fetch a published file: only from public hosts, only what changed, going on where it broke off, and never too much.

Every address is checked, that of each redirect as well: http or https, no name and password, and a host all of whose addresses are public; the
connection goes to the address that was checked. What cannot be decided is refused.
"""

import hashlib
import http.client
import ipaddress
import json
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from .. import __version__
from ..errors import KvgraphError

AGENT = f"kvgraph/{__version__} (https://w3id.org/kvgraph/)"
MOST_BYTES = 8 * 2**30
TIMEOUT = 60.0  # seconds without a byte
REDIRECTS = 5
_CHUNK = 1 << 20
_REDIRECT = {301, 302, 303, 307, 308}

Allowed = Callable[[str], bool]


class NotFetched(KvgraphError):
    """A file could not be fetched; the hint says what to do instead."""


@dataclass(frozen=True)
class Fetched:
    """A file that was fetched. ``fresh`` is False where it had not changed since the last time."""

    path: Path
    address: str
    sha256: str
    fresh: bool


def public(address: str) -> bool:
    """Whether an IP address belongs to the open internet.

    >>> public("127.0.0.1"), public("169.254.169.254"), public("::ffff:10.0.0.1"), public("192.0.43.10")
    (False, False, False, True)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    return ip.is_global and not ip.is_multicast and (mapped is None or mapped.is_global)


def fetch(
    address: str, folder: Path, *, most: int = MOST_BYTES, allowed: Allowed = public, timeout: float = TIMEOUT,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Fetched:  # fmt: skip
    """Fetch a file into ``folder``, unless the one there is still what the address has.

    ``allowed`` says which IP addresses may be asked; ``progress`` is told the bytes so far and in all. Raises :class:`NotFetched`; what was
    fetched of it stays, and the next call goes on from there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _name(address)
    notes = path.with_name(f".{path.name}.json")
    known = json.loads(notes.read_text(encoding="utf-8")) if notes.is_file() else {}
    try:
        return _Exchange(address, path, notes, known, most, allowed, timeout, progress).run()
    except (OSError, http.client.HTTPException, ssl.SSLError) as error:
        raise NotFetched(f"{address} could not be fetched: {type(error).__name__}: {str(error)[:200]}.", hint="Is this machine offline? " + by_hand(address)) from None


def by_hand(address: str) -> str:
    """How to do without fetching."""
    return f"Get it from {address} with a browser, and name the file on the command line."


@dataclass
class _Exchange:
    address: str
    path: Path
    notes: Path
    known: dict
    most: int
    allowed: Allowed
    timeout: float
    progress: Callable[[int, int | None], None]

    def run(self) -> Fetched:
        part = self.path.with_name(f".{self.path.name}.part")
        headers, have = self._headers(part)
        connection, answer = self._ask(headers)
        try:
            if answer.status == 304 and self.path.is_file():
                return Fetched(self.path, self.address, self.known["sha256"], False)
            if answer.status == 416 and have:  # nothing is left to fetch, or it is another file by now
                part.unlink()
                raise NotFetched(f"{self.address} has changed while it was fetched.", hint="Run the command again.")
            if answer.status not in (200, 206):
                raise NotFetched(f"{self.address} answers with status {answer.status}.", hint=by_hand(self.address))
            have = have if answer.status == 206 else 0
            self._receive(answer, part, have)
        finally:
            connection.close()
        return self._keep(part, {name: answer.headers[name] for name in ("ETag", "Last-Modified") if answer.headers[name]})

    def _headers(self, part: Path) -> tuple[dict[str, str], int]:
        headers = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        have = part.stat().st_size if part.is_file() else 0
        if have and (mark := self.known.get("part")):
            return {**headers, "Range": f"bytes={have}-", "If-Range": mark}, have
        if self.path.is_file() and self.known.get("sha256"):
            for name, header in (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")):
                if self.known.get(name):
                    headers[header] = self.known[name]
        return headers, 0

    def _ask(self, headers: dict[str, str]) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        address = self.address
        for _ in range(REDIRECTS + 1):
            connection = _connection(address, self.allowed, self.timeout)
            parts = urlsplit(address)
            connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else "") or "/", headers=headers)
            answer = connection.getresponse()
            if answer.status not in _REDIRECT:
                return connection, answer
            following = urljoin(address, answer.headers.get("Location", ""))
            connection.close()
            if address.startswith("https:") and not following.startswith("https:"):
                raise NotFetched(f"{self.address} leads from https to {following[:100]}.", hint=by_hand(self.address))
            address = following
        raise NotFetched(f"{self.address} redirects more than {REDIRECTS} times.", hint=by_hand(self.address))

    def _receive(self, answer: http.client.HTTPResponse, part: Path, have: int) -> None:
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        if total and total > self.most:
            raise NotFetched(f"{self.address} has {total:,} bytes; {self.most:,} are the most.", hint=by_hand(self.address))
        mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        self.notes.write_text(json.dumps({**self.known, "part": mark}), encoding="utf-8")
        with open(part, "ab" if have else "wb") as file:
            while chunk := answer.read(_CHUNK):
                have += len(chunk)
                if have > self.most:
                    file.close()
                    part.unlink()
                    raise NotFetched(f"{self.address} has more than {self.most:,} bytes.", hint=by_hand(self.address))
                file.write(chunk)
                self.progress(have, total)
        if total is not None and have != total:
            raise NotFetched(f"{self.address} broke off after {have:,} of {total:,} bytes.", hint="Run the command again: it goes on from there.")

    def _keep(self, part: Path, marks: dict[str, str]) -> Fetched:
        with open(part, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        fresh = sha256 != self.known.get("sha256") or not self.path.is_file()
        os.replace(part, self.path)
        self.notes.write_text(json.dumps({**marks, "sha256": sha256}), encoding="utf-8")
        return Fetched(self.path, self.address, sha256, fresh)


def _name(address: str) -> str:
    name = PurePosixPath(unquote(urlsplit(address).path)).name
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in name).lstrip(".")[:100] or "download"


def _connection(address: str, allowed: Allowed, timeout: float) -> http.client.HTTPConnection:
    """A connection to the address that was checked. Raises :class:`NotFetched` where it may not be."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.password is not None:
        raise NotFetched(f"{address[:200]} is no address that is fetched from: http or https, without name and password.")
    port = port or (443 if parts.scheme == "https" else 80)
    found = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not found or not all(allowed(ip) for ip in found):
        raise NotFetched(f"{host} is not on the open internet.", hint="Only public hosts are fetched from.")
    ip = sorted(found, key=lambda ip: ":" in ip)[0]
    if parts.scheme == "https":
        return _Pinned(host, port, ip, timeout)
    return _PinnedPlain(host, port, ip, timeout)


class _PinnedPlain(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, ip: str, timeout: float):
        super().__init__(host, port, timeout=timeout)
        self._ip = ip

    def connect(self) -> None:
        self.sock = socket.create_connection((self._ip, self.port), self.timeout)


class _Pinned(http.client.HTTPSConnection):
    def __init__(self, host: str, port: int, ip: str, timeout: float):
        super().__init__(host, port, timeout=timeout, context=ssl.create_default_context())
        self._ip = ip

    def connect(self) -> None:
        plain = socket.create_connection((self._ip, self.port), self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)
