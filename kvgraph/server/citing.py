"""``/cite/<type>/<slug>``: one thing as a reference, for BibTeX, Zotero and others."""

from urllib.parse import quote

import pyoxigraph as ox
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotAcceptable

from ..formats import Format, UnknownFormat
from ..graph import UnknownThing, best_label
from ..model import ENTITY_TYPES, iri_of
from ..params import BadParameter
from . import context, headers
from .citation import Citation
from .display import show

blueprint = Blueprint("citing", __name__)

TEXT = Format("txt", "text/plain", ".txt", "page", None, ("text/html",))  # to a browser that takes pages only, too
BIBTEX = Format("bib", "application/x-bibtex", ".bib", "page", None, ("text/x-bibtex",))
CSL = Format("json", "application/vnd.citationstyles.csl+json", ".json", "page", None, ("application/json",))
RIS = Format("ris", "application/x-research-info-systems", ".ris", "page", None)
OFFERED = (TEXT, BIBTEX, CSL, RIS)


@blueprint.get("/cite/<path:path>")
def cite(path: str) -> Response:
    """The reference; its form by suffix, by ``?format=`` or by ``Accept``, plain text if nothing is said."""
    format = next((f for f in OFFERED if path.endswith(f.suffix)), None)
    iri = iri_of(quote(path.removesuffix(format.suffix) if format else path, safe="/"))
    try:
        format = format or _wanted()
    except (UnknownFormat, NotAcceptable):
        citation(iri)  # that there is no such thing is said before what it is not offered as
        raise
    return headers.tagged(format.name, lambda: _file(citation(iri), format), keep=True)


def _wanted() -> Format:
    named = request.args.get("format", "")
    if named and named not in {f.name for f in OFFERED}:
        raise UnknownFormat(f"A reference cannot be written as {named[:40]!r}.", hint=f"Ask for one of {', '.join(f.name for f in OFFERED)}.")
    return context.wanted_format(OFFERED)


def citation(iri: str) -> Citation:
    """The citation of a thing in the release that answers this request. Raises :class:`~kvgraph.graph.UnknownThing`."""
    graph = context.graph()
    try:
        rows = graph.run("pages/entity", iri=iri).terms
    except BadParameter:
        rows = []
    if not rows:
        raise UnknownThing(f"Nothing is known here about <{iri}>.", hint="Search for its name.")
    # In English: a list of references does not change its language with the reader.
    label = best_label([(property_.value, value) for property_, value in rows])
    types = {value.value for _, value in rows if isinstance(value, ox.NamedNode)}
    kind = next((t.label for t in ENTITY_TYPES if t.iri in types), "")
    return Citation.of(graph.release, request.host_url, iri, show(ox.NamedNode(iri), label).text, kind)


def _file(found: Citation, format: Format) -> Response:
    text = {TEXT: found.text + "\n", BIBTEX: found.bibtex + "\n", CSL: found.csl_json + "\n", RIS: found.ris}[format]
    response = Response(text, content_type=f"{format.media_type}; charset=utf-8" if format is not CSL else format.media_type)
    if format is not TEXT:
        response.headers["Content-Disposition"] = f'attachment; filename="{found.key}{format.suffix}"'
    return response
