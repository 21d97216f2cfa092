"""``/dumps/``: what a release holds, as files to take away, with checksums, in parts if wanted.

A file of a release never changes, so it may be kept for good; its strong ETag is its SHA-256. It is sent as what it is,
``application/gzip`` without a content coding: saved, it is the ``.gz`` its name and its checksum promise (RFC 9110, section 8.4.1). Parts follow
RFC 9110, section 14 (``Range``, ``If-Range``, 206, 416).
"""

import re
from datetime import datetime

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for

from .. import releases
from ..build.dumps import SUMS
from ..graph import UnknownThing
from ..releases import Release
from . import conditions, context, headers
from .catalogue import entries
from .pinned import FOREVER

blueprint = Blueprint("dumps", __name__)

LATEST = "latest"
_ONE_RANGE = re.compile(r"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})", re.IGNORECASE | re.ASCII)


@blueprint.get("/dumps/")
def index() -> Response:
    """The dumps of the release that is served, and the way to older ones."""
    return _page(context.graph().release)


@blueprint.get("/dumps/<release_id>/")
def of_release(release_id: str) -> Response:
    """The dumps of one release."""
    return redirect(url_for(".index")) if release_id == LATEST else _page(_release(release_id))


@blueprint.get("/dumps/<release_id>/<file>")
def dump(release_id: str, file: str) -> Response:
    """One file. ``latest`` leads to the release of now."""
    if release_id == LATEST:
        release = context.graph().release
        _facts(release, file)
        response = redirect(url_for(".dump", release_id=release.id, file=file))
        response.headers["Cache-Control"] = "no-cache"
        return response
    release = _release(release_id)
    return _file(release, file)


def _release(release_id: str) -> Release:
    """The release of that id, looked up among those that are here."""
    here = releases.list_releases(context.graph().release.home)
    found = next((r for r in here if r.id == release_id), None)
    if found is None or "dumps" not in found.manifest:
        raise UnknownThing(f"There is no release “{release_id[:80]}” here.", hint="See /dumps/ for those that there are; old ones are removed in time.")
    return found


def _facts(release: Release, file: str) -> dict:
    """SHA-256 and size of a dump, from the listing in the manifest: a name never becomes part of a path before it was found there."""
    known = {name.removeprefix("dumps/"): facts for name, facts in release.manifest["files"].items() if name.startswith("dumps/")}
    if file not in known:
        raise UnknownThing(f"Release {release.id} has no dump “{file[:80]}”.", hint=f"There are: {', '.join(sorted(known))}.")
    return known[file]


def _file(release: Release, file: str) -> Response:
    facts = _facts(release, file)
    tag, modified = facts["sha256"], datetime.fromisoformat(release.manifest["built"]).replace(microsecond=0)
    if conditions.fresh(request.environ, tag, modified):
        response = Response(status=304)
        response.set_etag(tag)
    else:
        _settle_range(tag, modified, facts["bytes"])
        kind = "text/plain" if file == SUMS else "application/gzip"
        response = send_file(release.dumps / file, mimetype=kind, etag=tag, last_modified=modified)
    response.headers["Cache-Control"] = FOREVER
    return response


def _settle_range(tag: str, modified: datetime, size: int) -> None:
    """Leave the range of a request to Flask if there is to be one, and none of the conditions, which were looked at."""
    environ = request.environ
    asked = environ.pop("HTTP_RANGE", "")
    # Only GET has ranges, a unit that is not understood must be ignored, and several at once may be (section 14.2).
    if request.method == "GET" and _ONE_RANGE.fullmatch(asked) and conditions.same_range(environ, tag, modified):
        longer = asked[6] == "-" and int(asked[7:]) >= size  # a file that is shorter than the end asked for is sent whole (14.1.2)
        environ["HTTP_RANGE"] = "bytes=0-" if longer else asked
    for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE"):
        environ.pop(name, None)


def _page(release: Release) -> Response:
    here = [r for r in reversed(releases.list_releases(release.home)) if "dumps" in r.manifest]

    def make() -> Response:
        html = render_template("dumps.html", shown=release, entries=entries(release), releases=here, sums=SUMS)
        return Response(html, mimetype="text/html")

    response = headers.tagged("html", make, *(r.id for r in here))
    response.headers.add("Link", '</catalog>; rel="describedby"')
    return response
