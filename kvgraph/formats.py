"""The formats an answer can leave in, and how a client's ``Accept`` header chooses one.

A SELECT or ASK answer is written in a *results* format (SPARQL 1.1 Results JSON, XML, CSV and TSV), a CONSTRUCT or DESCRIBE answer in a
*graph* format (Turtle, N-Triples, JSON-LD, RDF/XML, N-Quads, TriG). All of them are written by Oxigraph; JSON-LD in expanded form,
without a context, so nothing is fetched to write an answer or to read it.

CSV and TSV are not defined for ASK (SPARQL 1.1 Query Results CSV and TSV Formats, section 1); as in Oxigraph it is the one
word ``true`` or ``false``, which spreadsheets and scripts understand alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from pyoxigraph import QueryResultsFormat, RdfFormat

from kvgraph.errors import KvgraphError


class UnknownFormat(KvgraphError):
    """A format name nobody knows, or one that does not fit the form of the query."""


@dataclass(frozen=True)
class Format:
    """One format: the name people type, its media type (without parameters) and file suffix, and the engine's name for it.

    >>> JSON.media_type, JSON.suffix, JSON.kind
    ('application/sparql-results+json', '.srj', 'results')
    >>> CSV.content_type
    'text/csv; charset=utf-8'
    """

    name: str
    media_type: str
    suffix: str
    kind: Literal["results", "graph", "page"]
    engine: QueryResultsFormat | RdfFormat | None = field(repr=False, compare=False)
    aliases: tuple[str, ...] = field(default=(), repr=False)
    """Other media types a client may mean it by (Turtle is also N3)."""
    names: tuple[str, ...] = field(default=(), repr=False)
    """Other names a person may type."""

    @property
    def content_type(self) -> str:
        """The value of a ``Content-Type`` header: RFC 6657 wants the charset of a ``text/*`` type said."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type


JSON = Format("json", "application/sparql-results+json", ".srj", "results", QueryResultsFormat.JSON, ("application/json",), ("srj",))
XML = Format("xml", "application/sparql-results+xml", ".srx", "results", QueryResultsFormat.XML, ("application/xml", "text/xml"), ("srx",))
CSV = Format("csv", "text/csv", ".csv", "results", QueryResultsFormat.CSV)
TSV = Format("tsv", "text/tab-separated-values", ".tsv", "results", QueryResultsFormat.TSV)

TURTLE = Format(
    "turtle",
    "text/turtle",
    ".ttl",
    "graph",
    RdfFormat.TURTLE,
    ("application/x-turtle", "application/turtle", "text/n3", "text/rdf+n3"),
    ("ttl", "n3"),
)
NTRIPLES = Format("ntriples", "application/n-triples", ".nt", "graph", RdfFormat.N_TRIPLES, ("text/plain",), ("nt",))
JSONLD = Format("jsonld", "application/ld+json", ".jsonld", "graph", RdfFormat.JSON_LD, ("application/json",), ("json-ld",))
RDFXML = Format("rdfxml", "application/rdf+xml", ".rdf", "graph", RdfFormat.RDF_XML, ("application/xml", "text/xml"), ("rdf", "rdf+xml"))
NQUADS = Format("nquads", "application/n-quads", ".nq", "graph", RdfFormat.N_QUADS, (), ("nq",))
TRIG = Format("trig", "application/trig", ".trig", "graph", RdfFormat.TRIG)

HTML = Format("html", "text/html", ".html", "page", None, ("application/xhtml+xml",))
"""A page: no engine writes it and :func:`by_name` does not know it, but a server offers it in :func:`negotiate`."""

RESULTS: tuple[Format, ...] = (JSON, XML, CSV, TSV)
GRAPHS: tuple[Format, ...] = (TURTLE, NTRIPLES, JSONLD, RDFXML, NQUADS, TRIG)
ALL: tuple[Format, ...] = RESULTS + GRAPHS

_BY_NAME = {name: f for f in ALL for name in (f.name, *f.names)}


def by_name(name: str) -> Format:
    """The format of that name, file suffix or media type.

    Raises:
        UnknownFormat: with the nearest names.

    >>> by_name("ttl") is by_name("turtle") is by_name(".ttl") is by_name("text/turtle")
    True
    >>> by_name("jsn")
    Traceback (most recent call last):
    ...
    kvgraph.formats.UnknownFormat: No format is called 'jsn'. Did you mean json, jsonld?
    """
    if found := _BY_NAME.get(name):
        return found
    wanted = name.strip().lower()
    found = _BY_NAME.get(wanted.removeprefix("."))
    if found is None:
        media_type = re.split("[;,]", wanted)[0].strip()  # of a list, as SPARQLWrapper writes one, the first
        found = next((f for f in ALL if media_type == f.media_type), None)
    if found is None:
        near = get_close_matches(wanted, [f.name for f in ALL], n=2)
        hint = f"Did you mean {', '.join(near)}?" if near else f"Known: {', '.join(f.name for f in ALL)}."
        raise UnknownFormat(f"No format is called {name[:40]!r}.", hint)
    return found


def fit(format: Format, form: str) -> Format:
    """The format itself, if it can hold the answer of a query of that form (SELECT, ASK, CONSTRUCT or DESCRIBE).

    Raises:
        UnknownFormat: rows do not fit a graph format, nor triples a results format.

    >>> fit(JSON, "ASK").name
    'json'
    >>> fit(TURTLE, "SELECT")
    Traceback (most recent call last):
    ...
    kvgraph.formats.UnknownFormat: A SELECT answer cannot be written as turtle. Ask for one of json, xml, csv, tsv.
    """
    fitting = RESULTS if form in ("SELECT", "ASK") else GRAPHS
    if format not in fitting:
        raise UnknownFormat(
            f"{'An' if form == 'ASK' else 'A'} {form} answer cannot be written as {format.name}.",
            f"Ask for one of {', '.join(f.name for f in fitting)}.",
        )
    return format


_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_RANGE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*(.*)", re.DOTALL)
_QVALUE = re.compile(r"0?\.\d{1,3}|0\.?|1(\.0{0,3})?")  # without the nought too, as Java writes it by itself
# A quotation mark without a partner takes in the rest: to look for one from each of thousands would take seconds.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?')


def _ranges(accept: str) -> list[tuple[str, str, float]]:
    """Type, subtype and q of each media range; a malformed range is left out (RFC 9110 section 12.5.1)."""
    ranges = []
    for part in _QUOTED.sub("", accept).split(","):  # a quoted parameter value may hold a comma and never matters here
        found = _RANGE.fullmatch(part)
        if not found or (found[1] == "*" and found[2] != "*"):
            continue
        q = 1.0
        for parameter in found[3].split(";"):
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                value = value.strip()
                q = float(value) if _QVALUE.fullmatch(value) else -1.0
                break  # what follows q is an extension of Accept
        if q >= 0:
            ranges.append((found[1].lower(), found[2].lower(), q))
    return ranges


def _quality(media_type: str, ranges: list[tuple[str, str, float]]) -> float | None:
    """The q that the most specific matching range gives a media type; None when no range matches."""
    main, sub = media_type.split("/")
    for wanted in ((main, sub), (main, "*"), ("*", "*")):
        matching = [q for *media_range, q in ranges if tuple(media_range) == wanted]
        if matching:
            return max(matching)
    return None


def negotiate(accept: str | None, offered: Iterable[Format]) -> Format | None:
    """The offered format a client likes best, None when it takes none of them (406).

    Proactive negotiation of RFC 9110 section 12.5.1: the most specific range decides a format's q, the highest q wins, q=0 refuses,
    and among equals the order of ``offered`` is the server's choice. No header, or an empty one, takes the first. A format's own
    media type counts before its aliases (``application/json`` for SPARQL results), so an explicit refusal of it holds.

    >>> negotiate("text/csv;q=0.8, application/json", RESULTS).name
    'json'
    >>> negotiate("*/*, text/turtle;q=0", GRAPHS).name
    'ntriples'
    >>> negotiate("image/png", RESULTS) is None
    True
    """
    offered = tuple(offered)
    if accept is None or not accept.strip():
        return offered[0] if offered else None
    ranges = _ranges(accept)
    named = {f"{main}/{sub}" for main, sub, _ in ranges}
    best, best_q = None, 0.0
    for candidate in offered:
        qualities = [_quality(candidate.media_type, ranges)]
        if candidate.media_type not in named:
            # Only an alias the client names: `*/*` and `text/*` speak of the media type that will be sent.
            qualities += [_quality(alias, ranges) for alias in candidate.aliases if alias in named]
        q = max((q for q in qualities if q is not None), default=0.0)
        if q > best_q:
            best, best_q = candidate, q
    return best


def pick(name: str, offered: tuple[Format, ...]) -> Format:
    """The offered format of that name, or that a client means by that media type.

    Raises:
        UnknownFormat: nothing is called so, or it is not on offer.

    >>> pick("TTL", GRAPHS).name, pick("application/json", RESULTS).name
    ('turtle', 'json')
    """
    for format in offered:
        if name.lower() in (format.name, *format.aliases):
            return format
    chosen = by_name(name)
    if chosen not in offered:
        known = ", ".join(f.name for f in offered)
        raise UnknownFormat(f"This cannot be written as {chosen.name}.", f"Ask for one of {known}.")
    return chosen


def media_types(offered: Iterable[Format]) -> str:
    """The media types of formats, for a sentence."""
    return ", ".join(f.media_type for f in offered)
