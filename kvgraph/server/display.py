"""How terms of RDF are shown: text, language and a link that is safe to follow."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, urlsplit

import pyoxigraph as ox
from babel.dates import format_date
from flask import Flask, request

from .. import queries
from ..model import TYPES, path_of
from ..namespaces import BASE, ID, XSD, compact
from ..search import Hit
from . import context, language, marks

_RUNS = "/sparql?query="
LONG = 300  # characters of a literal in a table before it is folded


@dataclass(frozen=True)
class Shown:
    """A term ready for a template. ``href`` is None where following a link would be useless or unsafe."""

    text: str
    href: str | None = None
    lang: str | None = None
    iri: str | None = None

    @property
    def external(self) -> bool:
        return self.href is not None and not self.href.startswith("/")


@lru_cache(maxsize=2**14)
def href_of(iri: str, known: bool = True) -> str | None:
    """Where a link to a thing leads: our page, else the thing itself if it is on the web, else nowhere.

    ``known`` says whether the release describes it, which matters for what may have been imported.

    >>> href_of("https://w3id.org/kvgraph/id/practice/demola"), href_of("http://example.org/"), href_of("javascript:alert(1)")
    ('/doc/practice/demola', 'http://example.org/', None)
    """
    local = path_of(iri, imported=known)
    if local or iri.startswith(BASE):
        return local
    try:
        parts = urlsplit(iri)
    except ValueError:
        return None
    return iri if parts.scheme in ("http", "https") and parts.netloc else None


def short(iri: str) -> str:
    """An IRI in the fewest characters that still say what it is.

    >>> short("https://w3id.org/kvgraph/id/practice/demola"), short("http://www.w3.org/2004/02/skos/core#broader")
    ('practice/demola', 'skos:broader')
    """
    return iri[len(ID) :] if iri.startswith(ID) and len(iri) > len(ID) else compact(iri)


def show(term, label: ox.Literal | None = None) -> Shown:
    """A term of an answer, under its label if one is known.

    >>> show(ox.Literal("chat", language="fr"))
    Shown(text='chat', href=None, lang='fr', iri=None)
    """
    if term is None:
        return Shown("")
    if isinstance(term, ox.Literal):
        text = {"true": "yes", "false": "no"}.get(term.value, term.value) if term.datatype.value == XSD + "boolean" else term.value
        return Shown(text, lang=term.language if term.language != "und" else None)  # of no known language, as acronyms are
    if isinstance(term, ox.NamedNode):
        iri = term.value
        return Shown(label.value if label else short(iri), href_of(iri, label is not None), label.language if label else None, iri)
    return Shown(str(term))


@dataclass(frozen=True)
class Found:
    """A line of a list of results. ``snippet`` is text in pieces, each with whether it matched."""

    shown: Shown
    kind: str
    snippet: list[tuple[str, bool]]


def found(hit: Hit) -> Found:
    """A hit of the search index as a line of a list."""
    return Found(Shown(hit.label, href_of(hit.iri), hit.lang or None, hit.iri), TYPES[hit.type].label, hit.snippet.parts)


def query_link(text: str) -> str:
    """The address that runs a query and shows it."""
    return _RUNS + quote_plus(text)


def question_query(name: str, **params) -> str:
    """The address that runs the query of a question, its parameters bound."""
    return _RUNS + "".join(map(_quoted, queries.load(name).pieces(**params)))


@lru_cache(maxsize=4096)  # a page has a dozen such links, and most of each is the same as before
def _quoted(piece: str) -> str:
    return quote_plus(piece)


def sentence(text: str) -> str:
    """Text that begins with a capital, and is otherwise as it was.

    >>> sentence("a page of the EU")
    'A page of the EU'
    """
    return text[:1].upper() + text[1:]


def host(iri: str) -> str:
    """The part of a web address a reader recognises.

    >>> host("https://www.youris.com/energy/story.kl")
    'youris.com'
    """
    try:
        return (urlsplit(iri).hostname or iri).removeprefix("www.")
    except ValueError:
        return iri


def page_name(iri: str) -> str:
    """A web address short enough to be read: its host and the beginning of its path.

    >>> page_name("https://www.youris.com/energy/story.kl?id=7"), page_name("https://ror.org/")
    ('youris.com/energy/story.kl', 'ror.org')
    """
    try:
        path = unquote(urlsplit(iri).path).rstrip("/")
    except ValueError:
        return iri
    return host(iri) + (path if len(path) <= 36 else path[:35] + "…")


def when(text: str) -> str:
    """A year, a month or a day as the language of the page writes it; anything else as it is."""
    try:
        locale = "en_GB" if language.interface() == "en" else language.interface()
        if len(text) == 7:
            return format_date(date.fromisoformat(f"{text}-01"), "LLLL y", locale=locale)
        return format_date(date.fromisoformat(text[:10]), "long", locale=locale) if len(text) > 7 else text
    except ValueError:
        return text


def static(name: str) -> str:
    return f"{request.script_root}/static/{quote(name)}?v={context.serving().edition}"


def register(app: Flask) -> None:
    app.jinja_env.globals.update(colour_of=marks.COLOURS.get, points_of=marks.points, price_of=marks.price, static=static, question_query=question_query, query_link=query_link, types=TYPES)
    app.jinja_env.filters.update(fit=marks.fit, lines=marks.lines, show=show, href=href_of, short=short, host=host, page_name=page_name, sentence=sentence, when=when)
    app.jinja_env.globals["m"] = app.jinja_env.get_template("macros.html").module
    app.context_processor(_release)


def _release() -> dict:
    """The release a page is made from, for its footer; pages about having none are shown without."""
    try:
        return {"release": context.graph().release}
    except Exception:  # noqa: BLE001  a page that reports trouble must not fail for the same reason again
        return {"release": None}
