"""Work of a build that is done by a process of its own, while the build goes on."""

import gc
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
                how = f"status {ended.si_status}" if ended.si_code == os.CLD_EXITED else signal.Signals(ended.si_status).name
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
