"""``/metrics`` for Prometheus, and ``/status``: how this server is, in words."""

from datetime import datetime, timedelta

from flask import Blueprint, Response, current_app, json, render_template

from ..errors import KvgraphError
from ..formats import HTML, Format
from ..graph import Graph
from ..store import PoolClient
from . import context, metrics

blueprint = Blueprint("status", __name__)

PLAIN_JSON = Format("json", "application/json", ".json", "page", None)


@blueprint.get("/metrics")
def counters() -> Response:
    """Counters and gauges in the text format 0.0.4 of Prometheus."""
    graph = _graph()
    text = metrics.exposition(graph and graph.release, _pool(graph), _state())
    return _fresh(Response(text, content_type=metrics.CONTENT_TYPE))


@blueprint.get("/status")
def status() -> Response:
    """What is served, by how many workers, under which limits, and what was refused: a page, or JSON."""
    format = context.wanted_format((HTML, PLAIN_JSON))
    facts = _facts()
    if format is HTML:
        return _fresh(Response(render_template("status.html", status=facts), mimetype="text/html"))
    response = Response(json.dumps(facts, indent=1) + "\n", content_type=format.media_type)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return _fresh(response)


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _graph() -> Graph | None:
    try:
        return context.graph()
    except (KvgraphError, OSError):  # nothing is served: to say so is what these addresses are for
        return None


def _pool(graph: Graph | None) -> dict | None:
    """The status of the query pool; None where it does not answer, or where there is none."""
    try:
        return graph.backend.status() if graph and isinstance(graph.backend, PoolClient) else None
    except KvgraphError:
        return None


def _state() -> dict:
    """What the supervisor says; nothing where there is none."""
    state = current_app.config["STATE"]
    return state() if state else {}


def _facts() -> dict:
    """Everything the page says. Neither process numbers nor paths: they help nobody but an intruder."""
    graph, state = _graph(), _state()
    pool = _pool(graph)
    return {
        "release": graph and {"id": graph.release.id, "built": graph.release.manifest["built"]},
        "since": state.get("since"),
        "serving_for": _elapsed(state.get("since")),
        "answering": bool(pool) or (graph is not None and not isinstance(graph.backend, PoolClient)),
        "workers": pool and {**metrics.workers_by_state(pool), "restarts": pool["restarts"]},
        "waiting": pool and pool["waiting"],
        "isolation": pool and pool["isolation"],
        "limits": pool and {name: pool["limits"][name] for name in ("timeout", "memory", "max_bytes", "queue", "wait")},
        "pool_restarts": state.get("pool_restarts"),
        "older_releases_loaded": [i for i in state.get("loaded", ()) if graph is None or i != graph.release.id],
        "failed_releases": sorted(state.get("troubles", ())),
        "refusals": metrics.refusals(),
    }


def _elapsed(since: str | None) -> str | None:
    """How long ago that was, in words.

    >>> _elapsed(None) is None
    True
    """
    if since is None:
        return None
    begun = datetime.fromisoformat(since)
    return in_words(datetime.now(begun.tzinfo) - begun)


def in_words(span: timedelta) -> str:
    """A span of time in its two greatest units.

    >>> in_words(timedelta(days=1, hours=2, minutes=3)), in_words(timedelta(seconds=61)), in_words(timedelta(0))
    ('1 day and 2 hours', '1 minute and 1 second', '0 seconds')
    """
    seconds, parts = int(span.total_seconds()), []
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        number, seconds = divmod(seconds, length)
        if number:
            parts.append(f"{number} {unit}{'' if number == 1 else 's'}")
    return " and ".join(parts[:2]) or "0 seconds"
