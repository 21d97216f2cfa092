"""A client that talks to the web application in this process, without a server."""

from pathlib import Path

from flask.testing import FlaskClient

from kvgraph import open as open_graph
from kvgraph.server import create_app


class _Whole(FlaskClient):
    """Reads each answer to its end and closes it, as a server does."""

    def open(self, *args, **options):
        return super().open(*args, buffered=True, **options)


def client_of(home: Path, **config) -> FlaskClient:
    """A client of the current release of a home."""
    graph = open_graph(home)
    app = create_app(lambda: graph, config)
    app.test_client_class = _Whole
    return app.test_client()
