"""How the processes of the pool talk: frames over Unix stream sockets.

A frame is three unsigned 32-bit big-endian numbers, a JSON object whose length is the first and bytes whose length is the second; the third numbers a
question and its reply. File descriptors may come with it. Headers are the same again and again, so that they are read and written once.

A worker is asked ``{"format": "json"}`` with the query (UTF-8) as the bytes, by whoever holds its number on the
:mod:`~kvgraph.store.board`; optional are ``max_bytes``, which can only lower the limit of the pool, ``max_rows``, and ``default_graphs`` and
``named_graphs`` (lists of IRIs). The reply is ``{"ok": {…}}``, the fields of an
:class:`~kvgraph.store.backend.Outcome` but its size, which shows, with a short answer as the bytes, or ``{"error": {…}}`` as in :func:`~kvgraph.store.errors.to_wire`. A worker
whose answer becomes long first sends ``{"long": true}`` and gets the descriptor of a file to write it to, or ``{"error": {…}}``.

The parent answers on the listening socket, also with ``ok`` or ``error``: ``{"op": "join"}`` gives the descriptors of the board, the limits and the
number of this ``desk``; ``meet`` the socket of a ``worker``; ``fate`` what became of one that fell silent, which ends it if it is still there;
``rest`` and ``retire`` give back one that was long at work or asks to be replaced; ``ping``; ``status``. To hang up is to cancel.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from functools import lru_cache

_LENGTHS = struct.Struct("!III")
_COMMON = 256  # bytes of a header that may be one of those that come again and again
_encode = json.JSONEncoder(separators=(",", ":")).encode
MAX_HEADER = 64 * 1024
INLINE = 64 * 1024  # bytes of an answer that come with the reply; a longer one is in a file
_CHUNK = 64 * 1024  # of one read: what is asked for is allocated, and larger pieces come from the system each time


class FrameTooLarge(Exception):
    """The other side announces more than anybody may send."""


def encoded(header: dict) -> bytes:
    """A header as it is sent."""
    return _encode(header).encode()


def pack(header: dict | bytes, body: bytes = b"", number: int = 0) -> bytes:
    """A frame; its header may be :func:`encoded` already.

    >>> unpack(bytearray(pack({"op": "ping"}, b"x", 7)), 1)
    ({'op': 'ping'}, b'x', 7)
    """
    head = header if isinstance(header, bytes) else encoded(header)
    return _LENGTHS.pack(len(head), len(body), number) + head + body


def unpack(inbox: bytearray, max_body: int) -> tuple[dict, bytes, int] | None:
    """Takes the first frame out of a buffer: header, bytes and number; None while it is not all there. The header is not to be changed, others read it too.

    Raises:
        FrameTooLarge: it announces a longer header or body than allowed.
        ValueError: the header is not a JSON object.
    """
    found = _first(inbox, max_body)
    if found is None:
        return None
    header, body, number, end = found
    del inbox[:end]
    return header, body, number


def _first(inbox: bytes | bytearray, max_body: int) -> tuple[dict, bytes, int, int] | None:
    """The first frame in a buffer, and where it ends."""
    if len(inbox) < _LENGTHS.size:
        return None
    head, body, number = _LENGTHS.unpack_from(inbox)
    if head > MAX_HEADER or body > max_body:
        raise FrameTooLarge
    at = _LENGTHS.size + head
    end = at + body
    if len(inbox) < end:
        return None
    text = bytes(inbox[_LENGTHS.size : at])
    return _common(text) if head <= _COMMON else _decoded(text), bytes(inbox[at:end]), number, end


def _decoded(text: bytes) -> dict:
    header = json.loads(text)
    if not isinstance(header, dict):
        raise ValueError("a header is a JSON object")
    return header


_common = lru_cache(maxsize=512)(_decoded)


def receive(sock: socket.socket, max_body: int) -> tuple[dict, bytes, int]:
    """Waits for one frame on a blocking socket.

    Raises:
        EOFError: the other side is gone.
    """
    inbox = sock.recv(_CHUNK)  # mostly all of it
    while (frame := _first(inbox, max_body)) is None:
        inbox = inbox if isinstance(inbox, bytearray) else bytearray(inbox)
        chunk = sock.recv(_CHUNK)
        if not chunk:
            raise EOFError
        inbox += chunk
    return frame[:3]


def receive_fds(sock: socket.socket, most: int) -> tuple[dict, list[int]]:
    """Waits for a frame without a body, and for the descriptors that come with it.

    Raises:
        EOFError: the other side is gone.
    """
    inbox, fds = bytearray(), []
    try:
        while (frame := unpack(inbox, 0)) is None:
            chunk, found, _, _ = socket.recv_fds(sock, _CHUNK, most)
            fds += found
            if not chunk:
                raise EOFError
            inbox += chunk
    except BaseException:
        for fd in fds:
            os.close(fd)
        raise
    return frame[0], fds


class Channel:
    """One end of a connection that never waits: for the parent's event loop."""

    def __init__(self, sock: socket.socket):
        sock.setblocking(False)
        self.socket = sock
        self.deaf = False  # after a bad frame: what still comes is thrown away until the other side has read why
        self._inbox = bytearray()
        self._outbox: list[tuple[bytes, list[int]]] = []

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self) -> dict | None:
        """The header of a frame without a body, if one is complete.

        Raises:
            EOFError: the other side is gone.
            FrameTooLarge, ValueError: as :func:`unpack`; from then on the channel is deaf.
        """
        try:
            chunk = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            raise EOFError from None
        if not chunk:
            raise EOFError
        if self.deaf:
            return None
        self._inbox += chunk
        try:
            frame = unpack(self._inbox, 0)
            if frame and self._inbox:
                raise ValueError("one question at a time")
            return frame and frame[0]
        except (FrameTooLarge, ValueError):
            self.deaf = True
            self._inbox.clear()
            raise

    def send(self, frame: bytes, fds: list[int] | None = None) -> None:
        """Queues a frame, with descriptors that stay the caller's, and sends what can be sent at once."""
        self._outbox.append((frame, fds or []))
        self.flush()

    def flush(self) -> None:
        """Sends what can be sent without waiting. If the other side is gone, reading will say so."""
        while self._outbox:
            data, fds = self._outbox.pop(0)
            try:
                sent = socket.send_fds(self.socket, [data], fds) if fds else self.socket.send(data)
            except BlockingIOError:
                self._outbox.insert(0, (data, fds))
                return
            except OSError:
                sent = len(data)
            if sent < len(data):
                self._outbox.insert(0, (data[sent:], []))

    @property
    def waiting(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._outbox)

    def close(self) -> None:
        """Closes the socket."""
        self._outbox.clear()
        self.socket.close()
