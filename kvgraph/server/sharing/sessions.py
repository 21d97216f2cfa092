"""Who asks: the cookie of a session, and proof that a form was ours.

There is no cookie before somebody signs in, but on the two pages on which they do: there a cookie of its own binds the form to the browser it was sent to. A
form of somebody signed in is bound to their session. Besides, browsers say where a form came from (``Origin``, ``Sec-Fetch-Site``), and from elsewhere
none is taken.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import Forbidden

from ...contribute import accounts, secrets
from ...contribute.book import Account, Book, book
from ...errors import KvgraphError
from .. import context
from ..errors import retry
from ..rate import client_at, on_this_machine

SESSION, FORM = "kvgraph_session", "kvgraph_form"
FORM_LASTS = 3600  # seconds in which a form for signing in is to be sent
WRITING = ("contributing", "curating", "curators_tools")  # blueprints whose forms hold what somebody has written


def home() -> Path:
    """The home of this instance."""
    return current_app.config["HOME"] or context.graph().release.home


def the_book() -> Book:
    return book(home())


def guard(blueprint: Blueprint, programs: bool = False) -> None:
    """Have a blueprint take forms of ours only, and keep its answers to whoever asked. ``programs``: it has no forms, and signs in by tokens."""
    if not programs:
        blueprint.before_request(_require_own_form)
        blueprint.context_processor(lambda: {"visitor": _shown(), "form_proof": form_proof})
    blueprint.after_request(_keep_private)


def visitor() -> Account | None:
    """Who has signed in."""
    if "visitor" not in g:
        secret = request.cookies.get(_name(SESSION), "")
        g.visitor = accounts.of_session(the_book(), secret) if secret else None
    return g.visitor


def _shown() -> Account | None:
    """Who has signed in, for a page: also for the one that says that the book cannot be read."""
    with suppress(KvgraphError):
        return visitor()
    return None


def require(role: str = "contributor") -> Callable:
    """A view for those who have this role: others are asked to sign in, or refused."""

    def around(view: Callable) -> Callable:
        @wraps(view)
        def guarded(*args, **kwargs):
            if visitor() is None:
                return ask_to_sign_in()
            if not accounts.may(visitor(), role):
                raise Forbidden(gettext("This is for those who have the role “%(role)s”.", role=role))
            return view(*args, **kwargs)

        return guarded

    return around


def ask_to_sign_in() -> Response:
    here = request.full_path.rstrip("?") if request.method == "GET" else "/account"
    return redirect(url_for("account.sign_in", next=here), 303)


def sign_in(response: Response, account: Account) -> Response:
    """Begin a new session, whatever cookie there was before."""
    if old := request.cookies.get(_name(SESSION)):
        accounts.end_session(the_book(), old)
    lasts = int(accounts.SESSION.total_seconds())
    response.set_cookie(_name(SESSION), accounts.begin_session(the_book(), account), max_age=lasts, httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    response.delete_cookie(_name(FORM), httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return response


def sign_out(response: Response) -> Response:
    if secret := request.cookies.get(_name(SESSION)):
        accounts.end_session(the_book(), secret)
    response.delete_cookie(_name(SESSION), httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return response


def next_address(default: str = "/account") -> str:
    """Where to go after signing in: an address of ours, never one of others.

    A browser takes a backslash for a slash and drops control characters, so an address with either is none of ours.
    """
    wanted = request.values.get("next", "")
    plain = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    parts = urlsplit(wanted) if plain else None
    return wanted if parts and not parts.scheme and not parts.netloc and not parts.path.startswith("//") else default


def start() -> int:
    """From which row on a list is wanted (``?from=``)."""
    given = request.args.get("from", "0")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else 0


def address() -> str:
    """Who asks, as far as limits go; empty for this machine, which is its operator or a proxy that stands for everybody."""
    client = client_at(request.remote_addr)
    return "" if on_this_machine(client) else client


# ── Forms ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def form_proof() -> str:
    """What a form of ours has to bring back."""
    if secret := request.cookies.get(_name(SESSION)):
        return secrets.signed(home(), "form", secret)
    if "form_secret" not in g:
        g.form_secret = request.cookies.get(_name(FORM)) or secrets.new_secret()
    return secrets.signed(home(), "sign-in", g.form_secret)


def _require_own_form() -> Response | None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden(gettext("This form was sent from another site. Nothing was changed."))
    origin = request.headers.get("Origin")
    if origin is not None and _host(origin) != request.host:
        raise Forbidden(gettext("This form was sent from another site. Nothing was changed."))
    if request.endpoint == "contributing.reported" and visitor() is None:
        return None  # what anybody may send needs no proof of who sent it, and no cookie
    session, form = request.cookies.get(_name(SESSION)), request.cookies.get(_name(FORM))
    wanted = secrets.signed(home(), "form", session) if session else secrets.signed(home(), "sign-in", form) if form else ""
    ours, writing = bool(wanted) and secrets.same(wanted, request.form.get("proof", "")), request.blueprint in WRITING
    if ours and (visitor() or not writing):
        return None
    if origin is not None and writing and request.form and not request.files:
        return make_response(render_template("form-again.html", written=[(n, t) for n, t in request.form.items(multi=True) if n != "proof"]), 403)
    if ours:
        return None  # a session that has ended: there is nothing to lose, and they are asked to sign in
    raise Forbidden(gettext("This form has been open too long, or cookies are switched off. Go back, load the page again, and send it once more."))


def _host(origin: str) -> str:
    with suppress(ValueError):
        return urlsplit(origin).netloc
    return ""  # no address of anything


def _keep_private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.vary.add("Cookie")
    response.headers["X-Robots-Tag"] = "noindex"
    if "form_secret" in g and not request.cookies.get(_name(FORM)):
        response.set_cookie(_name(FORM), g.form_secret, max_age=FORM_LASTS, httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return response


def _name(cookie: str) -> str:
    """A cookie that came over HTTPS cannot have been set by another host of the domain (RFC 6265bis, "__Host-")."""
    return f"__Host-{cookie}" if request.is_secure else cookie


def refused(page: str, error: KvgraphError) -> Response:
    """A form that comes back with what is wrong: 422, or the status of the error, and when to try again where that can help."""
    return retry(make_response(page, getattr(error, "status", 422)), error)
