"""A submission as the page it would become."""

from urllib.parse import quote

import pyoxigraph as ox
from flask import render_template, request
from flask_babel import gettext

from ...contribute import files
from ...contribute.book import Submission
from ...contribute.record import Record, graphs_of, require_well_formed
from ...errors import KvgraphError
from ...graph import Graph
from ...model import path_of

from ...store import Embedded
from .. import context, schema_org
from ..citation import Citation
from ..display import sentence
from ..entity_view import view



def page(submission: Submission, graph: Graph) -> str:
    """The page about its thing, made from what the file would say and from what the things in it are called."""
    if submission.kind not in ("record", "correction"):
        raise KvgraphError(gettext("There is no page to look at for this kind of submission."))
    require_well_formed(Record.of(submission.content))
    quads = files.applied(_present(graph, submission), submission, submission.changed)
    proposed = Graph(Embedded(_store(quads, graph)), graph.release)
    thing = view(proposed, submission.thing, context.language(), around=False)
    local = path_of(submission.thing) or ""
    canonical = request.host_url.rstrip("/") + quote(local, safe="/%")
    trail = [(f"/search?type={thing.type.name}", sentence(gettext(thing.type.plural)))] if thing.type else []
    return render_template(
        "contribute-preview.html", thing=thing, imported=None, trail=trail, canonical=canonical, schema_org=schema_org.about(thing, canonical), submission=submission,
        citation=Citation.of(graph.release, request.host_url, submission.thing, thing.name, thing.type.label if thing.type else ""),
        cite=quote(path_of(submission.thing, under="cite") or "", safe="/%"), table="",
    )  # fmt: skip


def _present(graph: Graph, submission: Submission) -> list[ox.Quad]:
    """What the release says of the thing, with its descriptions."""
    if submission.kind == "record":
        return []
    named = {where.value for *_, where in graph.run("pages/record", iri=submission.thing).terms} | {graphs_of(submission.thing) + "about"}
    present = graph.run("pages/record-graphs", graphs=sorted(named)).terms
    return [ox.Quad(s, p, o, g) for s, p, o, g in present]


def _store(quads: list[ox.Quad], graph: Graph) -> ox.Store:
    store = ox.Store()
    things = {q.object.value for q in quads if isinstance(q.object, ox.NamedNode)} | {q.predicate.value for q in quads}
    labels = [ox.Quad(t.subject, t.predicate, t.object) for t in graph.run("pages/named", things=sorted(things))]
    store.extend([*quads, *(ox.Quad(*q.triple) for q in quads), *labels])
    return store


