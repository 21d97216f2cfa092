"""``/releases``, ``/release/<id>/`` and ``/release/<a>..<b>``: what there is, how to cite it, and what changed.

Below ``/release/<id>/`` every other address is there too, pinned to that release: see :mod:`kvgraph.server.pinned`.
"""

from collections import Counter
from dataclasses import dataclass

from flask import Blueprint, Response, abort, current_app, json, redirect, render_template, request, url_for

from .. import releases
from ..build.dumps import SUMS
from ..formats import GRAPHS, HTML, Format
from ..model import TYPES, EntityType
from ..releases import Release
from . import changes, context, headers
from .citation import Citation
from .pinned import A_DAY, FOREVER, UnknownRelease, choose
from .status import PLAIN_JSON

blueprint = Blueprint("releases", __name__)

MESSAGES = 12  # of the validation, on the page of a release: the most frequent


@blueprint.get("/releases")
def index() -> Response:
    """Every release here, newest first."""
    here = _here()

    def make() -> str:
        return render_template("releases.html", releases=[(r, before) for r, before in zip(here, [*here[1:], None])], current=_serving().id)

    return headers.tagged("html", lambda: Response(make(), mimetype="text/html"), *(r.id for r in here))


@blueprint.get("/release/<name>")
def release_or_changes(name: str) -> Response:
    """What changed between two releases; the address of one release ends in a slash."""
    return _changes(name) if ".." in name else redirect(url_for(".release", release_id=name), 308)


@blueprint.get("/release/<release_id>/")
def release(release_id: str) -> Response:
    """One release: when it was made, what is in it, its checksums and dumps, how to cite it. What RDF says of it is in its catalogue."""
    found, here = _find(release_id), _here()
    format = context.wanted_format((HTML, PLAIN_JSON, *GRAPHS))
    if format in GRAPHS:
        return redirect(f"{request.script_root}/release/{found.id}/catalog{format.suffix}", 303)
    also = (found.id, *(r.id for r in here))
    if format is PLAIN_JSON:
        return headers.tagged(format.name, lambda: Response(json.dumps(found.manifest, indent=1) + "\n", content_type=format.media_type), *also)
    return headers.tagged("html", lambda: Response(_page(found, here), mimetype="text/html"), *also)


@blueprint.get("/release/<release_id>/<path:rest>")
def nothing_pinned(release_id: str, rest: str) -> Response:
    """What :mod:`~kvgraph.server.pinned` leaves: a release that is not here, or an address that is not about one."""
    choose(context.serving().graphs, release_id)
    abort(404)


def _serving() -> Release:
    return context.graph().release


def _here() -> list[Release]:
    return releases.list_releases(_serving().home)[::-1]


def _find(release_id: str) -> Release:
    try:
        return releases.find(_serving().home, release_id)
    except releases.NoRelease as error:
        raise UnknownRelease(error.message, error.hint) from None


def _page(found: Release, here: list[Release]) -> str:
    place = next((n for n, r in enumerate(here) if r.id == found.id), len(here))
    return render_template(
        "release.html", shown=found, current=_serving().id, before=next(iter(here[place + 1 :]), None), after=here[place - 1] if place else None,
        citation=Citation.of(found, request.host_url), validation=_validation(found), counted=_counted(found), sums=SUMS,
    )  # fmt: skip


def _counted(release: Release) -> list[tuple[EntityType, int]]:
    counts = release.manifest.get("counts", {})
    return [(TYPES[name], number) for name, number in counts.items() if name in TYPES]


@dataclass(frozen=True)
class Validation:
    """What validation found: how many results of each severity, and the most frequent messages."""

    conforms: bool
    severities: dict[str, int]
    messages: list[tuple[str, int]]


def _validation(release: Release) -> Validation | None:
    try:
        report = release.report
    except OSError:
        return None
    results = report["results"]
    messages = Counter(result["message"] for result in results)
    return Validation(report["conforms"], dict(Counter(result["severity"] for result in results)), messages.most_common(MESSAGES))


def _changes(name: str) -> Response:
    old, new, format = _pair(name)
    format = format or context.wanted_format(changes.OFFERED)
    if format is HTML:
        response = headers.page(lambda: _changes_page(old, new))
        response.headers["Cache-Control"] = A_DAY
    else:
        response = headers.tagged(format.name, lambda: Response(changes.rdf(old, new, format), content_type=format.content_type))
        response.headers["Cache-Control"] = FOREVER
    for other in changes.OFFERED[1:]:
        response.headers.add("Link", f'</release/{old.id}..{new.id}{other.suffix}>; rel="alternate"; type="{other.media_type}"')
    return response


def _pair(name: str) -> tuple[Release, Release, Format | None]:
    """The two releases of ``a..b``, and the format if a suffix names it; an id may hold a dot as well, and goes before."""
    old, _, new = name.partition("..")
    format = next((f for s, f in changes.SUFFIXES.items() if new.endswith(s)), None)
    if format and new not in {r.id for r in _here()}:
        return _find(old), _find(new.removesuffix(format.suffix)), format
    return _find(old), _find(new), None


def _changes_page(old: Release, new: Release) -> str:
    found, size = changes.read(old, new), current_app.config["CHANGED_THINGS"]
    kind = request.args.get("show", "")
    asked = request.args.get("page", "1")
    page = min(max(int(asked), 1), 100_000) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
    total = found.number(kind)
    return render_template(
        "changes.html", old=old, new=new, found=found, shown=found.shown(kind, (page - 1) * size, size), kind=kind if kind in changes.KINDS else "",
        total=total, page=page, pages=-(-total // size), suffixes=changes.SUFFIXES,
    )  # fmt: skip
