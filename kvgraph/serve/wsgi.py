"""What granian imports in each of its workers: ``kvgraph.serve.wsgi:app``. Importing this module alone makes no application."""

import gc


def __getattr__(name: str):
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    gc.disable()  # until the application is there: a thousand modules are loaded, and looking for garbage among them takes a fifth of the time
    from .web import application

    app = application()
    gc.enable()
    return app
