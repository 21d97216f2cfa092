"""The query pool: ``python -m kvgraph.store.pool --graph FILE --socket PATH``.

A single-threaded process loads a release and forks workers that each answer one query at a time, under limits on time, memory and size of the
answer, without network, files or other programs. A short answer comes with the reply; a long one is written to a file that has no name: status, size and
completeness are known before its first byte. A worker that overruns, grows or crashes is killed and replaced; its query gets a clear error and nobody
else notices. Nothing else protects a server from a query: Oxigraph can neither be interrupted nor limited.

Who asks talks to a worker directly, while it holds its number: how is in :mod:`kvgraph.store.board` and :mod:`kvgraph.store.desk`, whose turn it is in
:mod:`kvgraph.store.turns`, the protocol in :mod:`kvgraph.store.wire`. The parent's loop is in :mod:`kvgraph.store.keeper`, a worker in
:mod:`kvgraph.store.worker`, what it gives up in :mod:`kvgraph.store.sandbox`.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import select
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

from kvgraph.errors import KvgraphError
from kvgraph.store import sandbox
from kvgraph.store.embedded import Embedded
from kvgraph.store.errors import PoolUnavailable
from kvgraph.store.keeper import Keeper
from kvgraph.store.worker import Limits

_STACK = 64 * 2**20  # eight times the usual: the guard's bounds hold on the usual one, this is the margin
# Many small pieces kept at hand: after a graph is loaded the heap is so full of holes that looking for a fitting one took a quarter of a query's time.
_ALLOCATOR = "glibc.malloc.tcache_count=2000"
_READY = "ready"
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve_pool(graph_file: Path, socket_path: Path, workers: int = 2, limits: Limits = Limits(), *, die_with_parent: bool = True) -> None:
    """Loads a graph and answers queries on a Unix socket until SIGTERM, SIGINT or the end of the process that started this one.

    Prints one line, ``ready``, when every worker is up. Must be the only thing its process does, and that process must have one thread.

    Raises:
        KvgraphError: the socket's folder is open to others, its path is too long, or another pool answers there.
        OSError, SyntaxError: the graph cannot be read.
    """
    parent = os.getppid()
    for signum in _SIGNALS:
        signal.signal(signum, _end)
    if die_with_parent:
        sandbox.die_with_parent(parent, signal.SIGTERM)
    _raise_stack_limit()
    engine = Embedded.load(graph_file, lenient=True).divided()
    if (threads := _threads()) != 1:
        raise KvgraphError(f"The pool has {threads} threads after loading; forking it would not be safe.", "Please report this.")
    gc.collect()
    gc.freeze()  # the collector of a worker writes to no page it shares with this process
    listener = _listen(socket_path)
    keeper = Keeper(engine, listener, workers, limits)
    try:
        keeper.run(on_ready=lambda: print(_READY, flush=True))
    finally:
        _heed_no_more()
        socket_path.unlink(missing_ok=True)
        keeper.close()


def _end(*_) -> None:
    _heed_no_more()
    sys.exit(0)


def _heed_no_more() -> None:
    """A second signal must not interrupt the tidying, nor come while Python ends: from here on none arrives, and one that has arrived already does nothing."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    for signum in _SIGNALS:
        signal.signal(signum, lambda *_: None)


def launch(graph_file: Path, socket_path: Path, workers: int = 2, limits: Limits = Limits()) -> subprocess.Popen:
    """Starts a pool in a process of its own and does not wait: see :func:`is_ready`. It ends with the thread that called this."""
    command = [sys.executable, "-m", "kvgraph.store.pool", "--graph", str(graph_file), "--socket", str(socket_path)]
    command += ["--workers", str(workers), "--timeout", str(limits.timeout), "--memory", str(limits.memory // 2**20)]
    command += ["--max-bytes", str(limits.max_bytes), "--queue", str(limits.queue), "--wait", str(limits.wait)]
    command += ["--recycle", str(limits.recycle // 2**20)]
    tunables = ":".join(filter(None, (os.environ.get("GLIBC_TUNABLES"), _ALLOCATOR)))
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env={**os.environ, "GLIBC_TUNABLES": tunables})


def is_ready(process: subprocess.Popen, patience: float = 0.0) -> bool:
    """Whether a launched pool answers by now, or within so many seconds. To be asked until it is ready, and not again.

    Raises:
        PoolUnavailable: it ended instead.
    """
    readable, _, _ = select.select([process.stdout], [], [], patience)
    if not readable:
        return False
    ready = process.stdout.readline().strip() == _READY
    if not ready:
        process.kill()
        process.wait()
    process.stdout.close()
    if not ready:
        raise PoolUnavailable("The query pool did not start.", "Its message is above.")
    return True


def start(graph_file: Path, socket_path: Path, workers: int = 2, limits: Limits = Limits(), *, patience: float = 120.0) -> subprocess.Popen:
    """Starts a pool in a process of its own and waits until it is ready. It ends with the thread that called this.

    Raises:
        PoolUnavailable: it ended, with its last words, or was not ready in time.
    """
    process = launch(graph_file, socket_path, workers, limits)
    if is_ready(process, patience):
        return process
    process.kill()
    process.wait()
    process.stdout.close()
    raise PoolUnavailable(f"The query pool did not start with {graph_file}.", f"It was not ready after {patience:g} s.")


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _raise_stack_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = _STACK if hard == resource.RLIM_INFINITY else min(_STACK, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))


def _listen(path: Path) -> socket.socket:
    """A listening socket that only this user can reach."""
    path = path.absolute()
    if len(os.fsencode(path)) > 107:
        raise KvgraphError(f"The socket path is too long for this system (107 bytes): {path}", "Choose a shorter folder.")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.parent.stat()
    if folder.st_uid != os.geteuid() or folder.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KvgraphError(f"Others can reach the folder of the socket: {path.parent}", "It must be yours and have mode 0700.")
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise KvgraphError(f"Another pool already answers at {path}.", "Stop it first, or choose another path.")
    path.unlink(missing_ok=True)  # left behind by a pool that was killed
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(128)
    return listener


def _arguments() -> argparse.Namespace:
    defaults = Limits()
    parser = argparse.ArgumentParser(prog="python -m kvgraph.store.pool", description="Answer SPARQL queries on a Unix socket, under limits.")
    parser.add_argument("--graph", type=Path, required=True, help="N-Quads or TriG, may be gzipped")
    parser.add_argument("--socket", type=Path, required=True, help="path of the Unix socket, in a folder of mode 0700")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=defaults.timeout, help="seconds per query")
    parser.add_argument("--memory", type=int, default=defaults.memory // 2**20, help="MB per query")
    parser.add_argument("--max-bytes", type=int, default=defaults.max_bytes, help="bytes per answer")
    parser.add_argument("--queue", type=int, default=defaults.queue, help="queries that may wait")
    parser.add_argument("--wait", type=float, default=defaults.wait, help="seconds a query may wait")
    parser.add_argument("--recycle", type=int, default=defaults.recycle // 2**20, help="MB beyond the graph at which a worker is replaced")
    return parser.parse_args()


def main() -> int:
    """The command line of this module."""
    given = _arguments()
    limits = Limits(
        timeout=given.timeout,
        memory=given.memory * 2**20,
        max_bytes=given.max_bytes,
        queue=given.queue,
        wait=given.wait,
        recycle=given.recycle * 2**20,
    )
    try:
        serve_pool(given.graph, given.socket, max(1, given.workers), limits)
    except (KvgraphError, OSError, SyntaxError) as error:
        print(f"kvgraph pool: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
