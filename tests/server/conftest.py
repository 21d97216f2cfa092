"""Applications for tests of the server: over invented facts, over hostile ones, over the bundled data."""

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kvgraph import open as open_graph
from kvgraph.build.descriptions import add_descriptions
from kvgraph.build.read import read, source_files
from kvgraph.build.write import nquads, write
from kvgraph.graph import Graph
from kvgraph.releases import Release
from kvgraph.server import create_app
from kvgraph.store import Embedded

from ..conftest import SMALL

HOSTILE = Path(__file__).parent / "hostile.trig"


class Counting(Embedded):
    """An engine that counts what it is asked."""

    asked = 0

    def _run(self, *args):
        self.asked += 1
        return super()._run(*args)


def graph_of(home: Path, files: dict[str, Path]) -> Graph:
    """A graph over these files and their indexes, without validation: some of them break every rule."""
    store = read(files).store
    add_descriptions(store)
    release = Release(home / "releases" / "2026-11-22-invented")
    release.path.mkdir(parents=True)
    built = "2026-11-22T10:00:00+00:00"
    written = write(store, nquads(store), lambda: {"conforms": False, "results": []}, release.id, built, release.path, lambda step: None)
    manifest = {"id": release.id, "built": built, **written, "inputs": "", "digest": "", "versions": {}, "sources": {}}
    (release.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Graph(Counting(store), release)


class Client(FlaskClient):
    """Reads every answer to its end and closes it, as a web server does."""

    def open(self, *args, **kwargs):
        return super().open(*args, **{"buffered": True, **kwargs})


def client_of(graphs, config=None) -> Client:
    """A client of an application; ``graphs`` may be a graph or a function that gives one."""
    app = create_app(graphs if callable(graphs) else lambda: graphs, config)
    app.test_client_class = Client
    return app.test_client()


@pytest.fixture(scope="session")
def invented(tmp_path_factory) -> Graph:
    """The ontology, the invented facts of ``tests/small`` and the hostile ones of ``hostile.trig``."""
    home = tmp_path_factory.mktemp("invented")
    return graph_of(home, {**source_files(home, SMALL), "data/hostile.trig": HOSTILE})


@pytest.fixture
def client(invented):
    """A client of the application over the invented facts."""
    return client_of(invented)


@pytest.fixture(scope="session")
def bundled(bundled_home) -> Graph:
    return open_graph(bundled_home)


@pytest.fixture
def bundled_client(bundled):
    return client_of(bundled)
