"""What a request is answered from: the graph of now, the reader's language, the representation they want."""

from collections.abc import Iterable

from flask import current_app, request
from werkzeug.exceptions import NotAcceptable

from ..formats import Format, media_types, negotiate, pick
from ..graph import Graph
from .exchange import EXCHANGE, Exchange

# The official languages of the EU: what labels may be read in. The pages themselves are English.
LANGUAGES = tuple("en bg cs da de el es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split())


def serving():
    """What :func:`~kvgraph.server.create_app` was given."""
    return current_app.extensions["kvgraph"]


def exchange() -> Exchange:
    """What is known of this request so far."""
    found = request.environ.get(EXCHANGE)
    if found is None:
        found = request.environ[EXCHANGE] = Exchange(request.environ, serving())
    return found


def graph() -> Graph:
    """The graph this request is answered from: the same one from its first query to its last."""
    return exchange().graph


def language() -> str:
    """The language to show labels in: the best of ``Accept-Language``, else English."""
    # Not best_match(): to "es-ES, en;q=0.5" it answers English, because only that is in the list letter by letter.
    for tag, quality in request.accept_languages:
        primary = tag.partition("-")[0].lower()
        if quality > 0 and primary in LANGUAGES:
            return primary
    return "en"


def wanted_format(offered: Iterable[Format]) -> Format:
    """The representation the client wants: ``?format=`` if it names one, else by ``Accept``.

    Raises :class:`~kvgraph.formats.UnknownFormat` (400) or ``NotAcceptable`` (406), both naming what there is.
    """
    offered = tuple(offered)
    named = request.args.get("format", "").strip()
    if named:
        return pick(named, offered)
    chosen = negotiate(request.headers.get("Accept"), offered)
    if chosen is None:
        raise NotAcceptable(f"None of the media types asked for is on offer here. Offered: {media_types(offered)}.")
    return chosen
