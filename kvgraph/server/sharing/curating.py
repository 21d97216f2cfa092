"""Reviewing: the queue, a submission beside what there is, and the decision."""

from functools import partial

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext

from ...contribute import checks, comparing, decisions, known, mail, settings, submissions
from ...contribute.book import Submission
from ...contribute.fields import CLASSES, by_path
from ...contribute.record import Record
from ...errors import KvgraphError
from ...model import path_of
from .. import context
from . import sessions
from .sessions import require, the_book, visitor

blueprint = Blueprint("curating", __name__)
PAGE = 100  # submissions on a page
STATES = ("submitted", "changes-requested", "accepted", "published", "rejected", "undone")
DECISIONS = {"accept": decisions.accept, "changes": decisions.request_changes, "reject": decisions.reject, "undo": decisions.undo}


@blueprint.get("/curate")
@require("curator")
def queue() -> str:
    """What waits, the oldest first; or what is in another state, the newest first, as it is what somebody wants to undo."""
    state = request.args.get("state", "submitted")
    state, start = state if state in STATES else "submitted", sessions.start()
    found = submissions.queue(the_book(), (state,), PAGE, start, newest=state not in submissions.WAITING)
    return render_template("curate.html", submissions=found, state=state, states=STATES, counts=submissions.counts(the_book()), start=start, page=PAGE)


@blueprint.get("/curate/<submission_id>")
@require("curator")
def review(submission_id: str) -> str:
    return _review(submissions.find(the_book(), submission_id, visitor()))


def _review(found: Submission, error: KvgraphError | None = None, text: str = "") -> str:
    """What it would change, what is wrong with it, what may be the same, what was said."""
    graph, record = context.graph(), Record.of(found.content)
    record.thing = found.thing
    judged = found.type in CLASSES and found.kind in ("record", "correction")
    return render_template(
        "curate-submission.html", submission=found, record=record, error=error, text=text, words=submissions.STATE_WORDS,
        differences=comparing.differences(graph, record, context.language()) if found.kind != "report" else [],
        findings=checks.check(record, graph) if judged else [], labels={f.name: f.label for f in by_path(found.type).values()} if judged else {}, alike=[k for k in known.alike(graph, record.type, record.title) if k.iri != found.thing] if found.kind == "record" else [],
        queued=comparing.queued_alike(the_book(), found), links=comparing.link_candidates(graph, record) if found.type == "actor" else [],
        credited=known.label(graph, record.credit_actor) if record.credit_actor else record.credit,
        href=path_of(found.thing) if found.thing and known.exists(graph, found.thing) else "", second=settings.read(the_book())["second-reviewer"] == "yes",
    )  # fmt: skip


@blueprint.post("/curate/<submission_id>")
@require("curator")
def decide(submission_id: str) -> Response | tuple[str, int]:
    """Decide on the version that was looked at."""
    version, text = request.form.get("version", ""), request.form.get("text", "")
    decision = DECISIONS.get(request.form.get("action", ""))
    try:
        if decision is None or not (version.isascii() and version.isdigit() and len(version) < 10):
            raise KvgraphError(gettext("Choose what to do."))
        if decision is decisions.accept:
            _require_acceptable(submission_id)
            decision = partial(decisions.accept, graph=context.graph())
        _tell(decision(the_book(), visitor(), submission_id, int(version), text), text)
    except KvgraphError as error:
        if isinstance(error, submissions.UnknownSubmission):
            raise
        return _review(submissions.find(the_book(), submission_id, visitor()), error, text), getattr(error, "status", 422)
    return redirect(url_for(".review", submission_id=submission_id), 303)


def _tell(decided: Submission, text: str) -> None:
    """By e-mail, to those who gave an address, where this instance sends mail."""
    if decided.account and decided.account.email:
        words = gettext("Your submission “%(title)s” is %(state)s.", title=decided.title, state=gettext(submissions.STATE_WORDS[decided.state]))
        mail.send(decided.account.email, words, f"{words}\n\n{text}\n\n{request.host_url}contribute/{decided.id}\n")


def _require_acceptable(submission_id: str) -> None:
    """What breaks a must would stop the release: it is not accepted in the first place."""
    found = submissions.find(the_book(), submission_id, visitor())
    record = Record.of(found.content)
    record.thing = found.thing
    if found.state == "submitted" and found.kind in ("record", "correction") and (wrong := checks.violations(checks.check(record, context.graph()))):
        raise KvgraphError(gettext("It breaks a must: %(message)s", message=wrong[0].message), hint=gettext("Ask for changes."))


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/curate/settings")
@require("administrator")
def choices() -> str:
    return render_template("curate-settings.html", chosen=settings.read(the_book()), known=settings.SETTINGS, saved="saved" in request.args)


@blueprint.post("/curate/settings")
@require("administrator")
def chosen() -> Response:
    for name in settings.SETTINGS:
        if name in request.form:
            settings.choose(the_book(), name, request.form[name])
    return redirect(url_for(".choices", saved=1), 303)
