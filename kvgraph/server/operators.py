"""For operators: is this process alive, and can it answer?"""

from flask import Blueprint, Response

from ..errors import KvgraphError
from . import context

blueprint = Blueprint("operators", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """200 while the process runs; says nothing about data, so a restart is only asked for when it would help."""
    return _plain("ok\n", 200)


@blueprint.get("/readyz")
def ready() -> Response:
    """200 when a query is answered, with the release it was answered from; else 503 with the reason."""
    try:
        graph = context.graph()
        graph.backend.ask("ASK { FILTER(NOW() = NOW()) }")  # the time of day: an answer that is never kept
    except KvgraphError as error:
        return _plain(f"{error}\n", 503)
    return _plain(f"ready: release {graph.release.id}\n", 200)


def _plain(text: str, status: int) -> Response:
    response = Response(text, status, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response
