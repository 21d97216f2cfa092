"""Curators' tools: merge, rename and deprecate records, accept links; recorded like contributions, and undone like them."""

from datetime import UTC, datetime

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext

from ...contribute import decisions, known, maintaining, secrets, submissions
from ...contribute.book import Submission
from ...contribute.record import plain
from ...errors import KvgraphError
from ...params import expand
from .. import context
from . import sessions
from .sessions import require, the_book, visitor

blueprint = Blueprint("curators_tools", __name__)
PAGE = 50  # candidates on a page


@blueprint.get("/curate/tools")
@require("curator")
def tools() -> str:
    return _tools()


def _tools(error: KvgraphError | None = None) -> str:
    return render_template("curate-tools.html", error=error, token=secrets.new_secret()[:40], given=request.values)


@blueprint.post("/curate/tools")
@require("curator")
def used() -> Response | tuple[str, int]:
    """One tool on one record."""
    graph, form = context.graph(), request.form
    try:
        thing = _thing(form.get("thing", ""))
        reason = form.get("reason", "").strip()
        if len(reason) < 5:
            raise KvgraphError(gettext("Say why, in a sentence."))
        tool = form.get("tool", "")
        if tool == "merge":
            record = maintaining.merged(graph, thing, _thing(form.get("into", "")))
        elif tool == "rename":
            record = maintaining.renamed(graph, thing, form.get("name", ""))
        elif tool == "deprecation":
            record = maintaining.deprecated(graph, thing)
        else:
            raise KvgraphError(gettext("Choose a tool."))
        found = _recorded(tool, record, reason, form.get("form", ""))
    except KvgraphError as error:
        return _tools(error), 422
    return redirect(f"/curate/{found.id}", 303)


def _thing(text: str) -> str:
    found = expand(text.strip())
    if not known.exists(context.graph(), found):
        raise KvgraphError(gettext("There is no record %(text)s.", text=text[:100]), hint=gettext("Write its address, or for example: practice/national-ip-protocol"))
    return found


def _recorded(kind: str, record, reason: str, form: str) -> Submission:
    """As a submission of the curator that is accepted at once, unless a second reviewer is wanted."""
    record.note, record.seen, record.licence = plain(reason)[:1500], f"{datetime.now(UTC):%Y-%m}", True
    made = submissions.begin(the_book(), visitor(), f"{visitor().id}:{form}"[:64], kind, record)
    if made.state == "draft":
        submissions.submit(the_book(), visitor(), made.id)
        made = submissions.find(the_book(), made.id, visitor())
        try:
            made = decisions.accept(the_book(), visitor(), made.id, made.version, reason, context.graph())
        except (decisions.NotAllowed, decisions.Overtaken):  # a second curator has to: it waits in the queue; or the form was sent twice at once
            pass
        except KvgraphError:
            submissions.discard(the_book(), visitor(), made.id)
            raise
    return made


@blueprint.get("/curate/links")
@require("curator")
def links() -> str:
    """Candidates for identifiers elsewhere, found by name."""
    return _links()


def _links(error: KvgraphError | None = None) -> str:
    start = sessions.start()
    rows = maintaining.candidates(context.graph())
    return render_template("curate-links.html", error=error, rows=rows[start : start + PAGE], start=start, total=len(rows), page=PAGE, token=secrets.new_secret()[:40])


@blueprint.post("/curate/links")
@require("curator")
def linked() -> Response | tuple[str, int]:
    """Accept those that were ticked: each becomes an exact match, on its actor."""
    chosen = [tuple(pair.split(" ")) for pair in request.form.getlist("link")[:PAGE] if pair.count(" ") == 1]
    by_actor: dict[str, list[str]] = {}
    for actor, other in chosen:
        by_actor.setdefault(actor, []).append(other)
    try:
        if not by_actor:
            raise KvgraphError(gettext("Nothing is ticked."), hint=gettext("Tick the links that are right."))
        records = [maintaining.linked(context.graph(), actor, others) for actor, others in by_actor.items()]  # all of them, or none
    except KvgraphError as error:
        return _links(error), 422
    for number, record in enumerate(records):
        _recorded("links", record, gettext("A curator compared the two and found them to be one organisation."), f"{request.form.get('form', '')[:40]}:{number}")
    return redirect("/curate?state=accepted", 303)
