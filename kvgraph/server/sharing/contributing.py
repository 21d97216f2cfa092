"""Contributing: a record or a correction through the form, a report in words, or files."""

import hashlib
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound

from ...contribute import accounts, attempts, checks, known, reading, secrets, settings, submissions
from ...contribute.book import Submission
from ...contribute.checks import Finding
from ...contribute.fields import CLASSES
from ...contribute.record import RELATIONS, Record, plain
from ...errors import KvgraphError
from ...graph import Graph, UnknownThing
from ...model import TYPES, path_of
from .. import context
from . import forms, previews, sessions
from .accounts import HONEYPOT
from .sessions import require, the_book, visitor

blueprint = Blueprint("contributing", __name__)
LONGEST_REPORT = 4000


@blueprint.get("/contribute")
def start() -> str:
    """What can be contributed, and how."""
    return render_template("contribute.html", kinds=[TYPES[name] for name in CLASSES])


# ── A record ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/contribute/new/<type_>")
@require()
def new(type_: str) -> str:
    """An empty form."""
    record = Record(_kind(type_), seen=f"{datetime.now(UTC):%Y-%m}")
    return _form(record)


@blueprint.post("/contribute/new/<type_>")
@require()
def begun(type_: str) -> Response:
    """The first time a form is sent it becomes a draft; the same form sent again is the same draft."""
    graph, record = context.graph(), Record(_kind(type_))
    forms.read(request.form, record, graph)
    return _keep_and_go(_begin("record", record, graph), record, graph)


@blueprint.get("/contribute/correct")
@require()
def correct() -> str | Response:
    """The form with what is known of a thing."""
    record, own = _known(context.graph(), request.args.get("thing", ""))
    if not own or record.type not in CLASSES:
        return redirect(url_for(".report", thing=record.thing), 303)
    record.seen = f"{datetime.now(UTC):%Y-%m}"
    return _form(record)


@blueprint.post("/contribute/correct")
@require()
def corrected() -> Response:
    graph = context.graph()
    record, own = _known(graph, request.form.get("thing", ""))
    if not own or record.type not in CLASSES:
        raise KvgraphError(gettext("This cannot be corrected by a form."), hint=gettext("Report what is wrong in your own words."))
    forms.read(request.form, record, graph)
    return _keep_and_go(_begin("correction", record, graph), record, graph)


def _known(graph: Graph, thing: str) -> tuple[Record, bool]:
    type_ = known.type_of(graph, thing)
    if not type_:
        raise UnknownThing(gettext("Nothing is known here about <%(thing)s>.", thing=thing[:200]), hint=gettext("Search for its name."))
    values, own = known.as_it_is(graph, thing)
    return Record(type_, thing=thing, values=values, base={path: list(several) for path, several in values.items()}), own


def _begin(kind: str, record: Record, graph: Graph) -> Submission:
    token = request.form.get("form", "")
    if not 20 <= len(token) <= 64:
        abort(400)
    if kind == "record":
        record.thing = submissions.new_thing(record.type, record.title, lambda iri: known.exists(graph, iri))
    draft = submissions.begin(the_book(), visitor(), f"{visitor().id}:{token}"[:64], kind, record)
    if draft.state not in submissions.OPEN:  # sent twice: the graph may have it already
        record.thing, record.base = draft.thing, draft.content["base"]
    return draft


@blueprint.get("/contribute/<submission_id>")
@require()
def show(submission_id: str) -> str:
    """A draft to work on; of what was sent, how it fares."""
    found = submissions.find(the_book(), submission_id, visitor())
    record = Record.of(found.content)
    if found.state not in submissions.OPEN or found.account_id != visitor().id or found.type not in CLASSES or found.kind == "report":
        return render_template("submission.html", submission=found, record=record, thing=_page_of(found), states=submissions.STATE_WORDS)
    return _form(record, found)


def _page_of(submission: Submission) -> str:
    """Where the thing is described, once what is served knows it: a release is published a moment before it is served."""
    return (path_of(submission.thing) or "") if submission.thing and known.exists(context.graph(), submission.thing) else ""


@blueprint.post("/contribute/<submission_id>")
@require()
def changed(submission_id: str) -> Response:
    """What was written is kept, whatever was asked for besides."""
    found = submissions.find(the_book(), submission_id, visitor())
    if request.form.get("action") == "discard":
        submissions.discard(the_book(), visitor(), submission_id)
        return redirect("/account", 303)
    if found.account_id != visitor().id or found.kind not in ("record", "correction"):
        raise submissions.UnknownSubmission()
    graph, record = context.graph(), Record.of(found.content)
    forms.read(request.form, record, graph)
    if found.kind == "record" and found.state in submissions.OPEN:
        record.thing = submissions.new_thing(record.type, record.title, lambda iri: known.exists(graph, iri))
    return _keep_and_go(found, record, graph)


def _keep_and_go(found: Submission, record: Record, graph: Graph) -> Response:
    """Keep what was written, and go where the button that was pressed leads."""
    action, here = request.form.get("action", "save"), url_for(".show", submission_id=found.id)
    if record != Record.of(found.content):
        try:
            found = submissions.save(the_book(), visitor(), found.id, record)
        except submissions.WrittenElsewhere as error:
            return sessions.refused(_form(record, submissions.find(the_book(), found.id, visitor()), error), error)
    if found.state not in submissions.OPEN:  # sent twice
        return redirect(here, 303)
    if action == "preview":
        return redirect(url_for(".preview", submission_id=found.id), 303)
    if action.startswith("more:"):
        name = action.removeprefix("more:")
        return redirect(url_for(".show", submission_id=found.id, more=name) + f"#f-{name}" if name.isalnum() else here, 303)
    if action != "submit":
        return redirect(url_for(".show", submission_id=found.id, kept=1), 303)
    try:
        attempts.spend(the_book(), "check-account", str(visitor().id))
    except attempts.TooOften as error:
        error.hint = f"{gettext('What you wrote is kept as a draft on your page.')} {error.hint}"
        raise
    wrong = checks.violations(checks.check(record, graph))
    alike = known.alike(graph, record.type, record.title) if found.kind == "record" else []
    if wrong or alike and request.form.get("different") != "yes":
        return redirect(url_for(".show", submission_id=found.id, check=1, different=request.form.get("different")) + "#findings", 303)
    if found.kind == "correction" and record.values == record.base:
        raise KvgraphError(gettext("Nothing is different from what is known already."), hint=gettext("Change what is wrong, then send it."))
    submissions.submit(the_book(), visitor(), found.id)
    return redirect(here, 303)


def _form(record: Record, submission: Submission | None = None, error: KvgraphError | None = None) -> str:
    """The form with what is in a record: of a new one, or of a submission; ``error`` is why it was not kept."""
    token = submissions.opened(submission) if submission else secrets.new_secret()
    graph, checked = context.graph(), "check" in request.args
    if checked:
        attempts.spend(the_book(), "check-account", str(visitor().id))
    findings: list[Finding] = checks.check(record, graph) if checked else []
    correction = record.base is not None
    return render_template(
        "contribute-form.html", record=record, token=token, submission=submission, error=error, kind=TYPES[record.type], correction=correction,
        parts=forms.parts(record, graph, findings, request.args.get("more", "")), findings=findings, checked=checked, kept="kept" in request.args, different="different" in request.args,
        origin={f.field: [g for g in findings if g.field == f.field] for f in findings}, relations=RELATIONS, languages=forms.languages(),
        source_kinds=forms.source_kinds(record, graph), alike=known.alike(graph, record.type, record.title) if checked and not correction else [],
        named=known.label(graph, record.credit_actor) if record.credit_actor else record.credit,
    )  # fmt: skip


@blueprint.get("/contribute/<submission_id>/preview")
@require()
def preview(submission_id: str) -> str:
    """The page as it will look."""
    found = submissions.find(the_book(), submission_id, visitor())
    return previews.page(found, context.graph())


@blueprint.post("/contribute/<submission_id>/comment")
@require()
def comment(submission_id: str) -> Response:
    submissions.comment(the_book(), visitor(), submission_id, request.form.get("text", ""))
    return redirect(request.form.get("back") == "curate" and f"/curate/{submission_id}" or url_for(".show", submission_id=submission_id), 303)


def _kind(type_: str) -> str:
    if type_ not in CLASSES:
        raise NotFound()
    return type_


# ── A report ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/contribute/report")
def report() -> str:
    """What is wrong, in words: with an account or without."""
    return _report(request.args.get("thing", ""))


@blueprint.post("/contribute/report")
def reported() -> Response | tuple[str, int]:
    thing, words, page = (plain(request.form.get(name, "")).strip() for name in ("thing", "words", "page"))
    try:
        if request.form.get(HONEYPOT):
            raise KvgraphError(gettext("This looks like a program."), hint=gettext("Leave the field that is not shown empty."))
        if not 10 <= len(words) <= LONGEST_REPORT:
            raise KvgraphError(gettext("Say in 10 to %(most)s characters what is wrong.", most=f"{LONGEST_REPORT:,}"))
        if visitor() is None:
            if settings.read(the_book())["anonymous-reports"] == "no":
                return sessions.ask_to_sign_in(), 303
            if where := sessions.address():
                attempts.spend(the_book(), "report-address", where)
        else:
            attempts.spend(the_book(), "report-account", str(visitor().id))
        token = request.form.get("form", "")
        record = Record(known.type_of(context.graph(), thing) or "record", thing=thing[:400], words=words, page=page[:1000])
        found = submissions.report(the_book(), f"{visitor().id if visitor() else 0}:{token or secrets.new_secret()}"[:64], record, visitor())
    except KvgraphError as error:
        return sessions.refused(_report(thing, error, words, page), error)
    return redirect(url_for("contributing.show", submission_id=found.id) if visitor() else "/contribute/thanks", 303)


def _report(thing: str, error: KvgraphError | None = None, words: str = "", page: str = "") -> str:
    graph = context.graph()
    known_thing = bool(thing) and known.exists(graph, thing)
    form_too = known_thing and known.type_of(graph, thing) in CLASSES
    return render_template(
        "contribute-report.html", thing=thing if known_thing else "", href=path_of(thing) if known_thing else "", form_too=form_too,
        label=known.label(graph, thing, context.language()) if known_thing else "", error=error, words=words, page=page, token=secrets.new_secret(), longest=LONGEST_REPORT,
    )  # fmt: skip


@blueprint.get("/contribute/thanks")
def thanks() -> str:
    return render_template("contribute-thanks.html")


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/contribute/upload")
@require()
def upload() -> str:
    return _upload()


@blueprint.post("/contribute/upload")
@require()
def uploaded() -> str | Response:
    """Each record of the file becomes a draft."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise KvgraphError(gettext("Choose a file."), hint=gettext("TriG, Turtle, JSON-LD, CSV or XLSX."))
        attempts.spend(the_book(), "file-account", str(visitor().id))
        content, graph, type_ = file.read(), context.graph(), request.form.get("type", "")
        found = reading.read(content, reading.format_of(file.filename, file.mimetype), graph, type_)
        for record in found:
            record.seen = record.seen or f"{datetime.now(UTC):%Y-%m}"
            record.thing = record.thing or submissions.new_thing(record.type, record.title, lambda iri: known.exists(graph, iri))
        sent = hashlib.sha256(type_.encode() + bytes(1) + content).hexdigest()[:12]  # the same form with another file is another upload
        drafts = submissions.begin_all(the_book(), visitor(), f"{visitor().id}:{request.form.get('form', '')[:30]}:{sent}", found)
    except KvgraphError as error:
        return sessions.refused(_upload(error), error)
    return _upload(drafts=[(draft, checks.violations(checks.check(Record.of(draft.content), graph))) for draft in drafts])


def _upload(error: KvgraphError | None = None, drafts: list | None = None) -> str:
    return render_template("contribute-upload.html", error=error, drafts=drafts, chosen=request.form.get("type", ""), token=secrets.new_secret()[:40], kinds=[TYPES[n] for n in CLASSES], most=reading.MOST_RECORDS)


@blueprint.get("/contribute/template/<type_>.<suffix>")
def template(type_: str, suffix: str) -> Response:
    """An empty table with the columns that an upload understands."""
    if suffix not in ("csv", "xlsx"):
        raise NotFound()
    body, media_type = reading.template(_kind(type_), suffix)
    response = Response(body, mimetype=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="kvgraph-{type_}.{suffix}"'
    return response
