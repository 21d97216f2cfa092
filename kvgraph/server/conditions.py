"""The conditions of a request (RFC 9110, section 13): it wants the answer only if it has another one, or only if it is still the one it knows.

Werkzeug's reading of them is not used: it knows no ``If-Match: *``, looks at ``Range`` before them, and takes a weak tag in ``If-Range``.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from werkzeug.exceptions import PreconditionFailed
from werkzeug.http import parse_date, parse_etags

NAMES = frozenset({"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"})  # in the environment of a request


def answer(environ: dict, tag: str, make: Callable[[], Any], known: Callable[[], Any]) -> Any:
    """The response that ``make`` makes, or ``known`` if the client has it already.

    Conditions do not hide an error (13.2.1). Where one says a tag of ours, there is an answer, and it need not be made; a star, and a tag of ``If-Match``,
    do not say so.

    Raises:
        PreconditionFailed: there is an answer, and the client wants another one (412).
    """
    if "HTTP_IF_MATCH" not in environ and environ.get("HTTP_IF_NONE_MATCH", "").strip() != "*":
        return known() if fresh(environ, tag) else make()
    made = make()
    if made.status_code != 200:
        return made
    with ExitStack() as unwanted:
        unwanted.callback(made.close)
        if not fresh(environ, tag):
            unwanted.pop_all()
            return made
    return known()


def fresh(environ: dict, tag: str, modified: datetime | None = None) -> bool:
    """Whether the client has the representation of that tag already (304). In the order of section 13.2.2.

    Tags of ``If-None-Match`` are compared weakly (13.1.2): a proxy that compresses makes weak ones of ours.

    Raises:
        PreconditionFailed: the client wants another one than there is (412).
    """
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return False
    if wanted := environ.get("HTTP_IF_MATCH"):
        if not parse_etags(wanted).contains(tag):
            raise PreconditionFailed()
    elif modified and (since := _date(environ.get("HTTP_IF_UNMODIFIED_SINCE"))) and modified > since:
        raise PreconditionFailed()
    if known := environ.get("HTTP_IF_NONE_MATCH"):
        return parse_etags(known).contains_weak(tag)
    since = modified and _date(environ.get("HTTP_IF_MODIFIED_SINCE"))
    return bool(since) and modified <= since


def same_range(environ: dict, tag: str, modified: datetime) -> bool:
    """Whether the part that is asked for is one of this representation (13.1.5: a strong tag, or exactly its date)."""
    said = environ.get("HTTP_IF_RANGE")
    return not said or said == f'"{tag}"' or _date(said) == modified


def _date(said: str | None) -> datetime | None:
    """A date as a header field writes it; None for what is none."""
    try:
        return parse_date(said)
    except OverflowError:  # a year of a dozen digits
        return None
