"""Work of a build that is done by a process of its own, while the build goes on: by a copy of this one, or by a new program."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ..errors import KvgraphError
from ..store.sandbox import die_with_parent

T = TypeVar("T")
_WHY = "What it said, if anything, is above. After SIGKILL: there may not be enough memory."


@contextmanager
def apart(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Have ``work`` done by a copy of this process, which begins with all that this one holds; yields what waits for the result and returns it.

    Only the result comes back, and it must be picklable. Asking for it raises :class:`~kvgraph.errors.KvgraphError` or ``OSError`` where the work did, and
    the former where it ended without a result; then what went wrong is on stderr. What is still at work when the body ends is ended.

    >>> with apart(lambda: sum(range(4))) as result:
    ...     result()
    6
    """
    parent, (end, start) = os.getpid(), os.pipe()
    child = os.fork()
    if not child:
        os.close(end)
        _work(work, parent, start)
    os.close(start)
    answer = os.fdopen(end, "rb")
    done: list[tuple] = []

    def result() -> T:
        if not done:
            said = answer.read()
            if not said:
                ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # left to be collected below
                how = _how(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)
                raise KvgraphError(f"A process of the build ended ({how}) before its work was done.", hint=_WHY)
            done.append(pickle.loads(said))
        found, refused = done[0]
        if refused:
            error, said = refused
            raise error(*said)
        return found

    try:
        yield result
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        answer.close()


@contextmanager
def program(work: Callable[..., None], *paths: Path) -> Iterator[Callable[[], None]]:
    """Have a function of a module done by a program of its own, given paths as texts; yields what waits for its end and raises
    :class:`~kvgraph.errors.KvgraphError` where it failed.

    It is for what :func:`apart` cannot do: a process in which a store on the disk is open must not be copied. What is still at work when the body ends is
    ended.
    """
    run = f"die_with_parent({os.getpid()}); import sys; from {work.__module__} import {work.__name__} as work; work(*sys.argv[1:])"
    running = subprocess.Popen([sys.executable, "-c", f"from {die_with_parent.__module__} import die_with_parent; {run}", *map(os.fspath, paths)])

    def wait() -> None:
        if status := running.wait():
            raise KvgraphError(f"A program of the build ended ({_how(status)}) before its work was done.", hint=_WHY)

    try:
        yield wait
    finally:
        running.kill()
        running.wait()


def _how(status: int) -> str:
    return f"status {status}" if status > 0 else signal.Signals(-status).name


def _work(work: Callable[[], object], parent: int, start: int) -> None:
    """All that the copy does: nothing of what the original was about to do may happen twice."""
    status = 1
    try:
        gc.freeze()  # what the original left behind is not ours to tidy: a connection, a lock, a thread that is not in this process
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            said = work(), None
        except KvgraphError as error:
            said = None, (KvgraphError, (error.message, error.hint))
        except OSError as error:
            said = None, (OSError, (error.errno, error.strerror, error.filename))
        with os.fdopen(start, "wb") as into:
            pickle.dump(said, into)
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)
