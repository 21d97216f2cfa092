"""The query operation of the SPARQL 1.1 Protocol as it stands in a request: what is asked, and in which format it is wanted.

A request is read from its raw bytes (:func:`read`), so that a broken encoding or a second ``query`` is refused and never repaired in silence.
"""

import math
from binascii import a2b_qp
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import BadRequest, NotAcceptable, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.http import parse_options_header

from ..formats import GRAPHS, HTML, JSONLD, RDFXML, RESULTS, Format, media_types, negotiate, pick
from ..spreadsheet import XLSX
from ..store import UpdateRefused

FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
UPDATE = "application/sparql-update"
_UTF8 = ("utf-8", "utf8", "us-ascii")  # as programs call it, and what is a part of it

MOST_FIELDS = 200
_LONG_HEADER = 2000  # characters above which an Accept is not remembered: a web server takes hundreds of kilobytes of it
MOST_ROWS = 10**9  # a larger maxrows is no limit at all
# What programs call the format of rows, where the answer is a graph.
_MEANT = {"json": JSONLD, "xml": RDFXML}
ROWS = (*RESULTS, XLSX)  # formats on offer for SELECT and ASK
_OFFERED = {"SELECT": ROWS, "ASK": ROWS, "page": (*RESULTS, *GRAPHS, HTML)}


class ProtocolRequest(NamedTuple):
    """A query operation as section 2.1 of the protocol defines it. ``query`` is None where none was sent.

    ``format``, ``timeout`` (seconds) and ``maxrows`` are ours: what a client may ask for beyond the protocol.
    """

    query: str | None
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    format: str = ""
    timeout: float | None = None
    max_rows: int | None = None

    @property
    def choices(self) -> dict:
        """What was asked for besides the query, as :func:`kvgraph.server.answers.answer` calls it."""
        if not (self.default_graphs or self.named_graphs or self.timeout or self.max_rows):
            return {}
        given = {"default_graphs": self.default_graphs, "named_graphs": self.named_graphs, "timeout": self.timeout, "max_rows": self.max_rows}
        return {name: value for name, value in given.items() if value}


def read(environ: dict, longest: int) -> ProtocolRequest:
    """The operation a request asks for, by any of the three forms of section 2.1; ``longest`` is the size in bytes of the longest body.

    Raises ``BadRequest``, ``UnsupportedMediaType``, ``RequestEntityTooLarge`` or :class:`~kvgraph.store.UpdateRefused`.
    """
    raw = environ.get("QUERY_STRING", "").encode("latin-1")
    posted = environ["REQUEST_METHOD"] == "POST"
    if not posted and raw.startswith(b"query=") and b"&" not in raw:  # as most are
        return ProtocolRequest(_unmarked(_decoded(raw[6:], "the address")))
    sent = fields(raw, "the address")
    if posted:
        _refuse_codings(environ)
        kind, parameters = parse_options_header(environ.get("CONTENT_TYPE"))
        kind = kind.lower()
        if kind == UPDATE:
            raise UpdateRefused()
        if parameters.get("charset", "utf-8").lower() not in _UTF8:
            raise _unsupported("Queries are UTF-8 here (SPARQL 1.1 Protocol, section 2.1.3).", "Accept", f"{DIRECT}, {FORM}")
        if kind not in (FORM, DIRECT):
            said = f"Send a query as {DIRECT}, or as a field of {FORM}; not as {kind or 'a body without Content-Type'}."
            raise _unsupported(said, "Accept", f"{DIRECT}, {FORM}")
        body = _body(environ, longest)
        sent += fields(body, "the form") if kind == FORM else [("query", _text(body))]
    return _request(sent, posted)


def _body(environ: dict, longest: int) -> bytes:
    """What :mod:`~kvgraph.server.delivery` has taken in; nothing if the request has no body."""
    source = environ["wsgi.input"]
    body = source.getvalue() if isinstance(source, BytesIO) else b""
    if len(body) > longest:
        raise RequestEntityTooLarge()
    return body


def _refuse_codings(environ: dict) -> None:
    """A compressed body may be a bomb, and no client of SPARQL sends one."""
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise _unsupported("Send the body as it is, without a Content-Encoding.", "Accept-Encoding", "identity")


def _unsupported(said: str, field: str, taken: str) -> UnsupportedMediaType:
    """RFC 9110, sections 12.5.1 and 12.5.3: 415 says in a header field what is taken instead."""
    error = UnsupportedMediaType(said)
    error.get_headers = lambda *_: [(field, taken)]
    return error


def fields(raw: bytes, where: str) -> list[tuple[str, str]]:
    """The fields of ``application/x-www-form-urlencoded``, as ``urllib.parse.parse_qsl`` reads them."""
    pairs = [pair.partition(b"=") for pair in raw.split(b"&") if pair]
    if len(pairs) > MOST_FIELDS:
        raise BadRequest(f"There are too many fields in {where}.")
    return [(_decoded(name, where), _decoded(value, where)) for name, _, value in pairs]


def _decoded(text: bytes, where: str) -> str:
    try:
        return unquoted(text).decode()
    except UnicodeDecodeError:
        raise BadRequest(f"What {where} holds is not UTF-8.") from None


def unquoted(text: bytes) -> bytes:
    """The bytes that a name or a value of a form stands for.

    >>> unquoted(b"100%25+of+%3Fs=%zz")
    b'100% of ?s=%zz'
    """
    text = text.replace(b"+", b" ")
    if b"%" not in text:
        return text
    # Quoted-printable is the same with another sign, and its decoder is not written in Python: a query is mostly escapes. A percent sign that begins
    # none shows in the length, but where quoted-printable has a line go on.
    found = a2b_qp(text.replace(b"=", b"=3D").replace(b"%", b"="))
    if len(found) != len(text) - 2 * text.count(b"%") or b"\n" in text or b"\r" in text:
        return unquote_to_bytes(text)
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The query is not UTF-8 (byte {error.start}).") from None


def _unmarked(query: str) -> str:
    """A query without the byte order mark that some editors write before a text in UTF-8."""
    return query.removeprefix("\ufeff")


def _request(fields: list[tuple[str, str]], posted: bool) -> ProtocolRequest:
    values: dict[str, tuple[str, ...]] = {}
    for name, value in fields:
        values[name] = (*values.get(name, ()), value)
    if "update" in values:
        raise UpdateRefused()
    sent = values.get("query", ())
    if len(sent) > 1:
        raise BadRequest("There is more than one query. Send them one by one.")
    asked = ProtocolRequest(
        _unmarked(sent[0]) if sent else None,
        values.get("default-graph-uri", ()),
        values.get("named-graph-uri", ()),
        # Written into an address as it is, the + of a media type arrives as a space.
        (values.get("format") or ("",))[-1].strip().replace(" ", "+"),
        _number("timeout", values, float, "seconds, for example 2.5"),
        _number("maxrows", values, int, "rows, for example 1000"),
    )
    if asked.query is None and (posted or asked.choices):
        raise BadRequest("The parameter “query” is missing.")
    return asked


def _number(name: str, values: dict, kind: type, what: str) -> float | int | None:
    sent = values.get(name, ())
    if not sent:
        return None
    try:
        number = kind(sent[-1])
        if len(sent) > 1 or not 0 < number < math.inf:
            raise ValueError
    except ValueError:
        raise BadRequest(f"The parameter “{name}” is one positive number of {what}.") from None
    return min(number, MOST_ROWS)


def wants_page(asked: ProtocolRequest, accept: str | None) -> bool:
    """Whether the answer is to be shown to a person."""
    return asked.format.lower() == HTML.name if asked.format else _wanted(accept, "page") is HTML


def choose(asked: ProtocolRequest, form: str | None, accept: str | None) -> Format:
    """The format for an answer of this form; HTML where a client takes nothing else that there is.

    Raises :class:`~kvgraph.formats.UnknownFormat` (400) or ``NotAcceptable`` (406), both naming what there is.
    """
    offered = _OFFERED.get(form, GRAPHS)
    if asked.format:
        meant = _MEANT.get(asked.format.lower()) if offered is GRAPHS else None
        return meant or pick(asked.format, offered)
    chosen = _wanted(accept, form) or negotiate(accept, (HTML,))
    if chosen is None:
        raise NotAcceptable(f"The answer of {form} can be sent as {media_types((*offered, HTML))}.")
    return chosen


def _wanted(accept: str | None, form: str | None) -> Format | None:
    negotiated = _negotiated if len(accept or "") <= _LONG_HEADER else _negotiated.__wrapped__
    return negotiated(accept, form)


@lru_cache(maxsize=512)
def _negotiated(accept: str | None, form: str | None) -> Format | None:
    # Programs send the same header again and again.
    return negotiate(accept, _OFFERED.get(form, GRAPHS))
