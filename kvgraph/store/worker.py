"""A worker of the pool: forked from the parent that has loaded the release, it answers one query at a time until it is killed.

It opens nothing: a short answer goes to the parent with the reply, and for a long one it is given a file. Whatever goes wrong is a reply, or its death, which the parent explains.
"""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import dataclass
from functools import lru_cache

from kvgraph.errors import KvgraphError
from kvgraph.formats import by_name
from kvgraph.store import guard, sandbox, syntax, wire
from kvgraph.store.embedded import Embedded
from kvgraph.store.errors import EngineCrashed, QueryError, QueryTooLarge, from_wire, to_wire


@dataclass(frozen=True)
class Limits:
    """What one query may use, and how many may wait. Sizes in bytes, times in seconds."""

    timeout: float = 30.0
    memory: int = 1024 * 2**20  # beyond what the graph itself takes
    max_bytes: int = 256 * 2**20  # of an answer
    queue: int = 128  # waiting queries of each process that asks, for strangers and for its own each
    wait: float = 10.0  # in the queue
    recycle: int = 256 * 2**20  # a worker that keeps more memory than this, beyond the graph, is replaced after its query


def main(sock: socket.socket, engine: Embedded, limits: Limits, parent: int, warm: bool = False) -> None:
    """Answers queries on a socket until it is closed. Runs in a fresh fork and never returns to the parent's code.

    ``warm`` has it read the whole graph before it says that it is ready.
    """
    sandbox.die_with_parent(parent)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent decides
    _keep_only(sock.fileno())
    engine.open()
    if warm:
        engine.touch()
    sandbox.limit_memory(limits.memory)
    sock.sendall(wire.pack({"ready": sandbox.isolate(engine.folder)}))
    while True:
        try:
            header, body, number = wire.receive(sock, guard.Bounds.text)
        except (EOFError, OSError):
            return
        output = Output(sock)
        reply = _reply(engine, limits, header, body, output)
        answer = output.close()
        sock.sendall(wire.pack(reply, answer if isinstance(reply, bytes) else b"", number))


class Output:
    """Where an answer is written: memory while it is short, and then a file that the asker is asked for, since a worker can open none."""

    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.short: list[bytes] = []
        self.size = 0
        self.file: int | None = None

    def write(self, chunk: bytes) -> int:
        self.size += len(chunk)
        if self.size <= wire.INLINE:
            self.short.append(chunk)
        else:
            if self.file is None:
                self.file = self._asked_for()
                self._write(b"".join(self.short))
                self.short.clear()
            self._write(chunk)
        return len(chunk)

    def flush(self) -> None:
        """Nothing is held back but what :meth:`close` returns."""

    def close(self) -> bytes:
        """The answer, if it is short; else it is in the file."""
        if self.file is not None:
            os.close(self.file)
        return b"".join(self.short)

    def _write(self, data: bytes) -> None:
        while data:  # a disk that is nearly full may take less than it is given
            data = data[os.write(self.file, data) :]

    def _asked_for(self) -> int:
        self.sock.sendall(wire.pack({"long": True}))
        header, files = wire.receive_fds(self.sock, 1)
        if not files:
            raise from_wire(header["error"])
        return files[0]


def _keep_only(fd: int) -> None:
    """Closes every descriptor the fork inherited but one; standard input and outputs lead nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, fd)
    os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))


def _reply(engine: Embedded, limits: Limits, header: dict, body: bytes, output: Output) -> dict | bytes:
    """The reply to one query, encoded if it was answered; ``retire`` asks the parent for a fresh worker."""
    try:
        query = _decoded(body)
        outcome = engine.write(
            query,
            by_name(header["format"]),
            output,
            max_bytes=min(limits.max_bytes, header.get("max_bytes") or limits.max_bytes),
            max_rows=header.get("max_rows"),
            default_graphs=header.get("default_graphs"),
            named_graphs=header.get("named_graphs"),
        )
        return _ok(outcome.form, outcome.format.name, round(outcome.seconds, 3), outcome.rows, outcome.triples, outcome.complete)
    except KvgraphError as error:
        return {"error": to_wire(error)}
    except MemoryError:
        return {"error": to_wire(too_much_memory(limits)), "retire": True}
    except BaseException as error:  # a panic of the engine is a BaseException; its process is not to be trusted again
        return {"error": to_wire(EngineCrashed(f"The engine failed: {type(error).__name__}: {str(error)[:300]}")), "retire": True}


@lru_cache(maxsize=256)  # of quick queries there are only a few
def _ok(form: str, format: str, seconds: float, rows: int | None, triples: int | None, complete: bool) -> bytes:
    return wire.encoded({"ok": {"form": form, "format": format, "seconds": seconds, "rows": rows, "triples": triples, "complete": complete}})


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        good = body[: error.start].decode()
        raise syntax.syntax_error(good + "\ufffd", len(good), f"byte {error.start + 1} of the query is not UTF-8.") from None


def too_much_memory(limits: Limits) -> QueryTooLarge:
    """The error of a query that needed more memory than it may."""
    return QueryTooLarge(
        f"The query needs more than {limits.memory // 2**20} MB of memory.",
        "Sort, group or multiply fewer rows; narrow the query before it aggregates, or work on the dumps.",
        limit="memory",
    )


def cause_of_death(by: int, limits: Limits) -> QueryError:
    """What a signal that ended a worker says about its query."""
    if by == signal.SIGABRT:  # what Rust does when memory is refused
        return too_much_memory(limits)
    if by in (signal.SIGSEGV, signal.SIGBUS):
        return QueryTooLarge("The query is too deeply nested for the engine.", "Split the query into smaller ones.")
    return EngineCrashed(f"The engine ended while it answered ({signal_name(by)}).", "Try again; if it happens again, please report the query.")


def signal_name(number: int) -> str:
    """The name of a signal, or the exit status where there was none."""
    return signal.Signals(number).name if number > 0 else f"exit {-number}"
