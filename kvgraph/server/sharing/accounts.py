"""One's own page: signing up, in and out, password, tokens, what one contributed, all of it to take away, and the end of an account."""

import json

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext

from ...contribute import accounts, attempts, leaving, secrets, settings, submissions
from ...contribute.book import Account
from ...errors import KvgraphError
from . import sessions
from .sessions import require, the_book, visitor

blueprint = Blueprint("account", __name__)
HONEYPOT = "website"  # a field that people do not see


@blueprint.get("/account")
@require()
def page() -> str:
    """What somebody contributed, and how it fares."""
    return _page()


def _page(error: KvgraphError | None = None) -> str:
    email = request.form.get("email", "")[:254] if error else visitor().email
    return render_template("account.html", submissions=submissions.of_account(the_book(), visitor()), waiting=_waiting(), error=error, email=email, kept="kept" in request.args)


@blueprint.post("/account/email")
@require()
def email() -> Response:
    try:
        accounts.change_email(the_book(), visitor(), request.form.get("email", ""))
    except KvgraphError as error:
        return sessions.refused(_page(error), error)
    return redirect("/account?kept=1", 303)


def _waiting() -> int:
    return submissions.counts(the_book()).get("submitted", 0) if accounts.may(visitor(), "curator") else 0


@blueprint.get("/account/sign-in")
def sign_in() -> str | Response:
    if visitor():
        return redirect(sessions.next_address(), 303)
    return _signing_in("sign-in")


@blueprint.post("/account/sign-in")
def signed_in() -> Response:
    try:
        account = accounts.sign_in(the_book(), request.form.get("name", ""), request.form.get("password", ""), sessions.address())
    except (accounts.NotAllowed, attempts.TooOften, secrets.Busy) as error:
        return sessions.refused(_signing_in("sign-in", error), error)
    return sessions.sign_in(redirect(sessions.next_address(), 303), account)


@blueprint.get("/account/sign-up")
def sign_up() -> str | Response:
    return redirect("/account", 303) if visitor() else _signing_in("sign-up")


@blueprint.post("/account/sign-up")
def signed_up() -> Response:
    try:
        if settings.read(the_book())["sign-up"] == "closed":
            raise KvgraphError(gettext("Accounts are made by those who run this site."), hint=gettext("Ask them for one."))
        if request.form.get(HONEYPOT):
            raise KvgraphError(gettext("This looks like a program."), hint=gettext("Leave the field that is not shown empty."))
        account = _made()
    except KvgraphError as error:
        return sessions.refused(_signing_in("sign-up", error), error)
    return sessions.sign_in(redirect(sessions.next_address("/contribute"), 303), account)


def _made() -> Account:
    """A new account. What counts is one that is made, and trying which names are taken."""
    where = sessions.address()
    counted = [attempts.spend(the_book(), "sign-up-address", where)] if where else []
    try:
        return accounts.sign_up(the_book(), request.form.get("name", ""), request.form.get("password", ""), email=request.form.get("email", ""))
    except KvgraphError as error:
        if not isinstance(error, accounts.NameTaken):
            attempts.give_back(the_book(), counted)
        raise


def _signing_in(form: str, error: KvgraphError | None = None) -> str:
    open_ = settings.read(the_book())["sign-up"] == "open"
    return render_template("sign-in.html", form=form, error=error, next=sessions.next_address(""), name=request.form.get("name", "")[:64], email=request.form.get("email", "")[:254], open=open_, shortest=accounts.SHORTEST)  # fmt: skip


@blueprint.post("/account/sign-out")
def sign_out() -> Response:
    return sessions.sign_out(redirect("/contribute", 303))


# ── Password, tokens ─────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/account/password")
@require()
def password() -> str:
    return render_template("account-password.html", error=None, shortest=accounts.SHORTEST)


@blueprint.post("/account/password")
@require()
def new_password() -> Response:
    try:
        accounts.change_password(the_book(), visitor(), request.form.get("password", ""), request.form.get("current", ""))
    except KvgraphError as error:
        return sessions.refused(render_template("account-password.html", error=error, shortest=accounts.SHORTEST), error)
    return sessions.sign_in(redirect("/account", 303), visitor())


@blueprint.get("/account/tokens")
@require()
def tokens() -> str:
    return _tokens()


@blueprint.post("/account/tokens")
@require()
def new_token() -> str | tuple[str, int]:
    days = request.form.get("days", "90")
    try:
        if not (days.isascii() and days.isdigit() and len(days) < 5):
            raise accounts.Mistake("days", gettext("The number of days is a whole number."))
        made = accounts.make_token(the_book(), visitor(), request.form.get("name", ""), request.form.getlist("scope"), int(days))
    except KvgraphError as error:
        return _tokens(error=error), 422
    return _tokens(made=made)


def _tokens(made: str = "", error: KvgraphError | None = None) -> str:
    return render_template("account-tokens.html", tokens=accounts.tokens_of(the_book(), visitor()), made=made, error=error, scopes=accounts.SCOPES, now=accounts.now(), given=request.form if error else {}, ticked=request.form.getlist("scope") if error else accounts.SCOPES)


@blueprint.post("/account/tokens/<int(max=2147483647):token_id>/revoke")
@require()
def revoke(token_id: int) -> Response:
    accounts.revoke(the_book(), visitor(), token_id)
    return redirect("/account/tokens", 303)


# ── Export and end ───────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/account/export")
@require()
def export() -> Response:
    """Everything that is kept about somebody, as JSON."""
    body = json.dumps(leaving.everything_of(the_book(), visitor()), ensure_ascii=False, indent=1)
    response = Response(body + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="kvgraph-account.json"'
    return response


@blueprint.get("/account/delete")
@require()
def delete() -> str:
    return render_template("account-delete.html", error=None)


@blueprint.post("/account/delete")
@require()
def deleted() -> Response | tuple[str, int]:
    if not accounts.is_own(the_book(), visitor(), request.form.get("password", "")):
        return render_template("account-delete.html", error=accounts.Mistake("password", gettext("That is not your password."))), 422
    leaving.forget(the_book(), visitor(), credit=request.form.get("credit") == "yes")
    return sessions.sign_out(redirect("/contribute", 303))


