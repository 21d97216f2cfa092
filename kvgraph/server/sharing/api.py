"""Contributing by program: the same submissions, with a token instead of a session."""

import hashlib

from flask import Blueprint, Response, jsonify, request, url_for

from ...contribute import accounts, attempts, checks, known, reading, secrets, submissions
from ...contribute.book import Account, Submission
from ...contribute.record import Record
from ...errors import KvgraphError
from .. import context
from .sessions import the_book

blueprint = Blueprint("sharing_api", __name__)


def _account(scope: str) -> Account:
    """Whose token came with the request: in a header, never in the address, which is written down on the way."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorised("This needs a token.", hint="Send it as: Authorization: Bearer kvg_… (make one at /account/tokens)")
    return accounts.of_token(the_book(), secret.strip(), scope)


class Unauthorised(KvgraphError):
    """There is no token."""

    status = 401


class KeyTaken(KvgraphError):
    """Something else was sent under this key."""

    status = 422

    def __init__(self, ids: list[str]):
        more = " …" if len(ids) > 3 else ""
        super().__init__("Something else was sent with this Idempotency-Key before. Nothing was submitted.", hint=f"Take another key for another request. What was made of the first: {', '.join(ids[:3])}{more}")


@blueprint.after_request
def _challenge(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="kvgraph"'
    return response


@blueprint.get("/contribute/api/submissions")
def listed() -> Response:
    """All of the token's owner."""
    return jsonify([_told(s) for s in submissions.of_account(the_book(), _account("read"))])


@blueprint.get("/contribute/api/submissions/<submission_id>")
def one(submission_id: str) -> Response:
    """One, with what happened to it."""
    account = _account("read")
    found = submissions.find(the_book(), submission_id, account)
    if found.account_id != account.id:  # a curator's token reads no more than another's
        raise submissions.UnknownSubmission()
    return jsonify(_told(found, whole=True))


@blueprint.post("/contribute/api/submissions")
def sent() -> tuple[Response, int]:
    """Submit records. ``?draft=1`` only keeps them; with an ``Idempotency-Key`` what is sent twice is there once."""
    account, graph = _account("submit"), context.graph()
    attempts.spend(the_book(), "file-account", str(account.id))
    form = _form(account)
    if not (kept := submissions.made_of(the_book(), account, form)):
        found = reading.read(request.get_data(), reading.format_of("", request.mimetype), graph, request.args.get("type", ""))
        draft = request.args.get("draft") == "1"
        for record in found:
            _complete(record)
        wrong = [] if draft else [_wrong(n, f) for n, record in enumerate(found) for f in checks.violations(checks.check(record, graph))]
        if wrong:
            return jsonify({"title": "Unprocessable Content", "status": 422, "detail": "Nothing was submitted: some of it must be mended.", "findings": wrong}), 422
        try:
            kept = submissions.begin_all(the_book(), account, form, found, send=not draft)
        except attempts.TooOften as error:
            error.hint = f"Nothing was submitted. {error.hint}"
            raise
    response = jsonify([_told(s) for s in kept])
    response.headers["Location"] = url_for(".one", submission_id=kept[0].id)
    return response, 201


def _form(account: Account) -> str:
    """What makes requests one: their key, of which every letter counts, with all that is sent under it. Raises :class:`KeyTaken`."""
    key = f"{account.id}:api:{secrets.digest(request.headers.get('Idempotency-Key') or secrets.new_secret())[:30]}"
    form = f"{key}:{hashlib.sha256(request.query_string + bytes(1) + request.get_data()).hexdigest()[:12]}"
    there = submissions.made_of(the_book(), account, key)
    if any(s.form.removeprefix(f"{key}:").isdigit() for s in there):  # made by a kvgraph that did not look at what else was sent
        return key
    if other := [s.id for s in there if not s.form.startswith(f"{form}:")]:
        raise KeyTaken(other)
    return form


def _complete(record: Record) -> None:
    """What is said for all records of a request: in the address, where a file has no place for it."""
    graph, args = context.graph(), request.args
    record.page, record.seen = record.page or args.get("page", ""), record.seen or args.get("seen", "") or f"{accounts.now():%Y-%m}"
    record.relation, record.credit = record.relation or args.get("relation", ""), record.credit or args.get("credit", "")
    record.licence = record.licence or args.get("licence") == "CC-BY-4.0"
    if record.credit and not record.credit_actor:
        record.credit_actor, _ = known.meant(graph, record.credit, ("actor",))
    if not record.thing:
        record.thing = submissions.new_thing(record.type, record.title, lambda iri: known.exists(graph, iri))


def _wrong(number: int, finding: checks.Finding) -> dict:
    return {"record": number, "field": finding.field, "message": finding.message, "value": finding.value}


def _told(submission: Submission, whole: bool = False) -> dict:
    told = {
        "id": submission.id, "kind": submission.kind, "type": submission.type, "thing": submission.thing, "title": submission.title,
        "state": submission.state, "release": submission.release or None, "page": url_for("contributing.show", submission_id=submission.id),
    }  # fmt: skip
    if whole:
        told["events"] = [{"at": f"{e.at:%Y-%m-%dT%H:%M:%SZ}", "role": e.role, "action": e.action, "text": e.text} for e in submission.events]
    return told
