"""The web server: one Flask application, one small blueprint per concern.

Handlers parse the request, call :class:`~kvgraph.graph.Graph`, and render. They hold no SPARQL, no HTML and no data.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import StrictUndefined

from .. import __version__
from ..graph import Graph
from ..resources import folder
from . import (
    catalogue, citing, connecting, coverage, delivery, display, docs, dumps, entities, errors, event_stream, feeds, graph_store, headers, hosts, language, limits, logs, mapping, network, operation, operators, pages, pinned, policies, quality, questions, reconciling, reconciling_aids, releases, resolving, robots, searching, sparql,
    status, vocabulary, well_known,
)  # fmt: skip
from .rate import Rate
from .sharing import BLUEPRINTS as SHARING

__all__ = ["create_app"]

DEFAULTS = {
    "MAX_CONTENT_LENGTH": 1_000_000,  # bytes of a request; the longest sensible query is a tenth of it
    "MAX_FORM_MEMORY_SIZE": 1_000_000,
    "PAGE_ROWS": 1000,  # rows of an answer that a page shows; downloads hold all
    "SEARCH_ROWS": 20,
    "RATE": "1200 per minute",  # of queries by one client that an engine must answer, per web process; empty: no limit
    "CHANGED_THINGS": 50,  # on a page of what changed between two releases
    "HOME": None,  # where accounts and submissions are kept; None: beside the releases
    "STATE": None,  # called for what the supervisor says: see kvgraph.serve.web.state
}


@dataclass(frozen=True)
class Serving:
    """What the blueprints share: where the graph comes from, and which edition of the pages this is."""

    graphs: Callable[..., Graph]
    rate: Rate | None  # of new queries, for each client
    edition: str  # changes with the code, the templates and the style sheet, so that no cache mixes two of them


def create_app(graphs: Callable[..., Graph], config: Mapping[str, Any] | None = None) -> Flask:
    """Make the web application.

    ``graphs`` is called at the start of every request and gives the graph to answer from, so a new release is picked up
    between two requests and never within one. With the id of an older release it gives the graph of that one, or raises
    :class:`~kvgraph.releases.NoRelease`. ``config`` overrides :data:`DEFAULTS`, which say what each setting means.

        app = create_app(lambda: kvgraph.open())
    """
    web = folder("web")
    app = Flask("kvgraph.server", template_folder=str(web / "templates"), static_folder=str(web / "static"))
    app.config.from_mapping({**DEFAULTS, **(config or {})})
    app.jinja_env.undefined = StrictUndefined  # a misspelt name in a template is a failing test, not an empty spot
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.json.sort_keys = False
    app.extensions["kvgraph"] = Serving(graphs, Rate(app.config["RATE"]) if app.config["RATE"] else None, _edition(web))
    concerns = (pages, mapping, searching, feeds, connecting, network, entities, citing, coverage, policies, vocabulary, questions, quality, reconciling, reconciling_aids, resolving, sparql, docs, operators, catalogue, dumps, graph_store, robots, well_known, releases, event_stream, status)
    for concern in concerns:
        app.register_blueprint(concern.blueprint)
    for blueprint in SHARING:
        app.register_blueprint(blueprint)
    for concern in (logs, errors, headers, language, display, limits, operation, pinned, delivery, hosts):  # what is first here is last to see a response
        concern.register(app)
    return app


def _edition(web: Path) -> str:
    digest = hashlib.sha256(__version__.encode())
    here = Path(__file__).parent
    for path in sorted([*web.rglob("*"), *here.rglob("*.py")]):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
