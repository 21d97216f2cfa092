"""The web server: granian, whose worker processes make ``kvgraph.serve.wsgi:app``. Importing this module alone makes no application.

Run as a program (``python -m kvgraph.serve.wsgi``, with granian's options) it imports what the application needs once, before granian forks its workers.
"""

import gc
import multiprocessing


def __getattr__(name: str):
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .web import application

    return application()


if __name__ == "__main__":
    gc.disable()  # a thousand modules are loaded, and looking for garbage among them takes a fifth of the time
    from granian.cli import entrypoint

    from . import web  # noqa: F401

    gc.freeze()
    gc.enable()
    multiprocessing.set_start_method("fork")  # what Linux did before Python 3.14, and granian can
    entrypoint()
