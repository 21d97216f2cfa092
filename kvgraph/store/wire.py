"""How the processes of the pool talk: frames over Unix stream sockets.

A frame is two unsigned 32-bit big-endian lengths, a JSON object of the first length and bytes of the second. A file descriptor may come with it.

A client asks ``{"op": "query", "format": "json"}`` with the query (UTF-8) as the bytes; optional are ``timeout`` (seconds) and
``max_bytes``, which can only lower the limits of the pool, ``default_graphs`` and ``named_graphs`` (lists of IRIs) and ``client``, the name
of a stranger who asks. The reply is ``{"ok": {…}}``, the fields of an :class:`~kvgraph.store.backend.Outcome`, with a short answer as the bytes
and for a long one the descriptor of the file that holds it, or ``{"error": {…}}`` as in :func:`~kvgraph.store.errors.to_wire`.
``{"op": "ping"}`` and ``{"op": "status"}`` are answered by the parent itself. One connection asks one thing at a time; to hang up is to cancel.

The parent passes the frames of queries and replies on as they are. A worker whose answer becomes long asks it for a file with ``{"long": true}``
and gets the descriptor, or ``{"error": {…}}``.
"""

from __future__ import annotations

import json
import os
import socket
import struct

_LENGTHS = struct.Struct("!II")
_DESCRIPTOR = struct.Struct("i")
_ONE_DESCRIPTOR = socket.CMSG_LEN(_DESCRIPTOR.size)
_encode = json.JSONEncoder(separators=(",", ":")).encode
MAX_HEADER = 64 * 1024
INLINE = 64 * 1024  # bytes of an answer that come with the reply; a longer one is in a file
_CHUNK = 64 * 1024  # of one read: what is asked for is allocated, and larger pieces come from the system each time


class FrameTooLarge(Exception):
    """The other side announces more than anybody may send."""


def pack(header: dict, body: bytes = b"") -> bytes:
    """A frame.

    >>> unpack(bytearray(pack({"op": "ping"}, b"x")), 1)
    ({'op': 'ping'}, b'x')
    """
    head = _encode(header).encode()
    return _LENGTHS.pack(len(head), len(body)) + head + body


def unpack(inbox: bytearray, max_body: int) -> tuple[dict, bytes] | None:
    """Takes the first frame out of a buffer; None while it is not all there.

    Raises:
        FrameTooLarge: it announces a longer header or body than allowed.
        ValueError: the header is not a JSON object.
    """
    frame = _first(inbox, max_body)
    return frame and (frame[0], frame[1][frame[2] :])


def _first(inbox: bytearray, max_body: int) -> tuple[dict, bytes, int] | None:
    """As :func:`unpack`: the header, the whole frame as bytes, and where in it the body begins."""
    if len(inbox) < _LENGTHS.size:
        return None
    head, body = _LENGTHS.unpack_from(inbox)
    if head > MAX_HEADER or body > max_body:
        raise FrameTooLarge
    at = _LENGTHS.size + head
    if len(inbox) < at + body:
        return None
    frame = bytes(inbox[: at + body])
    header = json.loads(frame[_LENGTHS.size : at])
    if not isinstance(header, dict):
        raise ValueError("a header is a JSON object")
    del inbox[: at + body]
    return header, frame, at


def receive(sock: socket.socket, max_body: int) -> tuple[dict, bytes, int | None]:
    """Waits for one frame on a blocking socket.

    Raises:
        EOFError: the other side is gone.
    """
    inbox, fds = bytearray(), []
    while (frame := unpack(inbox, max_body)) is None:
        chunk, ancillary, _, _ = sock.recvmsg(_CHUNK, _ONE_DESCRIPTOR)
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds += _DESCRIPTOR.unpack_from(data)
        if not chunk:
            for fd in fds:
                os.close(fd)
            raise EOFError
        inbox += chunk
    return *frame, fds[0] if fds else None


class Channel:
    """One end of a connection that never waits: for the parent's event loop."""

    def __init__(self, sock: socket.socket, max_body: int):
        sock.setblocking(False)
        self.socket = sock
        self.max_body = max_body
        self.deaf = False  # after a bad frame: what still comes is thrown away until the other side has read why
        self._inbox = bytearray()
        self._outbox: list[tuple[bytes, int | None]] = []

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self) -> tuple[dict, bytes] | None:
        """The header of a frame and the whole frame, if one is complete.

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
            frame = _first(self._inbox, self.max_body)
            if frame and self._inbox:
                raise ValueError("one question at a time")
            return frame and frame[:2]
        except (FrameTooLarge, ValueError):
            self.deaf = True
            self._inbox.clear()
            raise

    def send(self, frame: bytes, fd: int | None = None) -> None:
        """Queues a frame, with a descriptor that is closed once sent, and sends what can be sent at once."""
        self._outbox.append((frame, fd))
        self.flush()

    def flush(self) -> None:
        """Sends what can be sent without waiting. If the other side is gone, reading will say so."""
        while self._outbox:
            data, fd = self._outbox.pop(0)
            try:
                sent = socket.send_fds(self.socket, [data], [fd]) if fd is not None else self.socket.send(data)
            except BlockingIOError:
                self._outbox.insert(0, (data, fd))
                return
            except OSError:
                sent = len(data)
            if fd is not None:
                os.close(fd)
            if sent < len(data):
                self._outbox.insert(0, (data[sent:], None))

    @property
    def waiting(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._outbox)

    def close(self) -> None:
        """Closes the socket and every descriptor that was not sent."""
        for _, fd in self._outbox:
            if fd is not None:
                os.close(fd)
        self._outbox.clear()
        self.socket.close()
