"""What an importer gives for each row it reads: statements and perhaps an organisation, or the reason why the row is set aside.

An importer is a function from opened files to an iterator of :class:`Taken` and :class:`SetAside`. It reads values with the functions here,
which raise :class:`BadRow` for what must not enter the graph.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import urlsplit

import pyoxigraph as ox

from ..namespaces import RDF, XSD

_INLINE = re.compile(r"</?(?:sub|sup|i|b|em|strong|u|p|br)\s*/?>", re.IGNORECASE)  # mark-up that titles come with, and that changes no word
_MARKUP = re.compile(r"<[A-Za-z/!]")
# What a spreadsheet would calculate: = or @ and a name with brackets or a pipe.
_FORMULA = re.compile(r"\s*(=|[@+-]\s*[A-Za-z.]+[(|!])")
# And half characters, which JSON can write, and what turns the text behind it around, or is nothing to see.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
LONGEST = 300  # characters of a name; what the shapes allow
LONGEST_TEXT = 20_000


class BadRow(ValueError):
    """A row that is set aside; says why in words for the person who has to mend it."""


@dataclass(frozen=True)
class SetAside:
    """A row that did not come in: file, line (of the file, from 1; None where there are no lines) and reason."""

    file: str
    line: int | None
    reason: str


@dataclass(frozen=True)
class Name:
    """A name of an organisation. ``kind`` is label, alias, acronym or native; ``lang`` a language tag, empty where it is not known."""

    value: str
    lang: str = ""
    kind: str = "label"


@dataclass(frozen=True)
class Organisation:
    """An organisation as linking and reconciliation read it (``organisations.parquet``).

    ``country`` is the code of the EU authority table (ISO 3166 alpha-3), ``nuts`` a code, ``identifiers`` full IRIs or URNs, ``parents`` IRIs.
    """

    iri: str
    names: tuple[Name, ...]
    country: str = ""
    place: str = ""
    nuts: str = ""
    homepage: str = ""
    kind: str = ""
    identifiers: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """A row that came in. ``notes`` say what of it was left out, and ``day`` when it was last changed (ISO 8601), if the row says so."""

    triples: list[ox.Triple]
    organisation: Organisation | None = None
    file: str = ""
    line: int | None = None
    notes: tuple[str, ...] = ()
    day: str = ""


@dataclass
class Statements:
    """Statements about one subject, as they are collected; ``notes`` are the values left out.

    >>> said = Statements("http://example.org/a")
    >>> said.link("http://example.org/homepage", "www.example.org/x y")
    ''
    >>> said.triples, said.notes
    ([], ["homepage is no web address: 'www.example.org/x y'"])
    """

    subject: str
    triples: list[ox.Triple] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self):
        self._node = node(self.subject)

    def a(self, *classes: str) -> None:
        for class_ in classes:
            self.triples.append(ox.Triple(self._node, _TYPE, node(class_)))

    def to(self, property_: str, *iris: str) -> None:
        """Say that the subject has these things as values; empty ones are left out."""
        self.triples += [ox.Triple(self._node, node(property_), node(iri)) for iri in iris if iri]

    def say(self, property_: str, value: str, lang: str = "", datatype: str = "") -> None:
        """Say a literal, unless it is empty; ``datatype`` is a name of XML Schema."""
        if value:
            self.triples.append(ox.Triple(self._node, node(property_), literal(value, lang, datatype)))

    def link(self, property_: str, value: str) -> str:
        """Say a web address and return it; what is none is noted and left out."""
        address = self._or_note(web_address, value, property_)
        self.to(property_, address)
        return address

    def text(self, value: str | None, what: str, most: int = LONGEST) -> str:
        """Text that its row can do without: what may not be shown is noted and left out, where :func:`text` sets the row aside."""
        try:
            return text(value, what, most)
        except BadRow as problem:
            self.notes.append(str(problem))
            return ""

    def day(self, property_: str, value: str) -> str:
        """Say a date and return it in ISO 8601; what is none is noted and left out."""
        found = self._or_note(day, value, property_)
        self.say(property_, found, datatype="date")
        return found

    def amount(self, property_: str, value: str) -> None:
        """Say an amount of money; what is no number is noted and left out."""
        self.say(property_, self._or_note(number, value, property_), datatype="decimal")

    def _or_note(self, read, value: str, property_: str) -> str:
        try:
            return read(value)
        except BadRow as problem:
            self.notes.append(f"{re.split('[#/]', property_)[-1]} {problem}")
            return ""


_nodes: dict[str, ox.NamedNode] = {}  # properties and classes are few and repeat; subjects do not stay


def node(iri: str) -> ox.NamedNode:
    """The IRI as a term. Raises :class:`BadRow` for what is no IRI."""
    if (known := _nodes.get(iri)) is not None:
        return known
    try:
        made = ox.NamedNode(iri)
    except ValueError:
        raise BadRow(f"{iri[:100]!r} is no IRI") from None
    if len(_nodes) < 5_000:
        _nodes[iri] = made
    return made


_TYPE = ox.NamedNode(RDF + "type")


def literal(value: str, lang: str = "", datatype: str = "") -> ox.Literal:
    """A literal; a language tag that is none is left out. Raises :class:`BadRow` for what is no text."""
    try:
        plain = ox.Literal(value, datatype=node(XSD + datatype)) if datatype else ox.Literal(value)
    except ValueError:
        raise BadRow(f"{value[:80]!r} is no text") from None
    try:
        return ox.Literal(value, language=lang) if lang else plain
    except ValueError:
        return plain


def text(value: str | None, what: str, most: int = LONGEST) -> str:
    """Text as it may be shown: white space made single, entities read, harmless mark-up taken off; empty where there is none.

    Raises :class:`BadRow` for other HTML, for formulas, and for what is too long.

    >>> text(" CO<sub>2</sub> &amp;\\n climate ", "title")
    'CO2 & climate'
    """
    if not value:
        return ""
    if "<" in value or "&" in value:
        value = _INLINE.sub("", html.unescape(_INLINE.sub("", value)))
    value = " ".join(_CONTROL.sub("", value).split())
    if _MARKUP.search(value):
        raise BadRow(f"{what} contains HTML: {value[:80]!r}")
    if _FORMULA.match(value):
        raise BadRow(f"{what} looks like a formula of a spreadsheet: {value[:80]!r}")
    if len(value) > most:
        raise BadRow(f"{what} has {len(value):,} characters; {most:,} are the most")
    return value


def needed(value: str, what: str) -> str:
    """The value. Raises :class:`BadRow` where it is empty."""
    if not value:
        raise BadRow(f"has no {what}")
    return value


def web_address(value: str) -> str:
    """An http(s) address, with the scheme that people leave out; empty where there is none. Raises :class:`BadRow`.

    >>> web_address("www.kuleuven.be")
    'http://www.kuleuven.be'
    """
    value = (value or "").strip()
    if not value:
        return ""
    address = value if re.match(r"https?://", value, re.IGNORECASE) else f"http://{value}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        ox.NamedNode(address)
        if "." not in host or parts.username is not None or ":" in value.partition("://")[0].partition("/")[0] and "://" not in value and not parts.port:
            raise ValueError
    except ValueError:
        raise BadRow(f"is no web address: {value[:100]!r}") from None
    return address


def day(value: str) -> str:
    """A date in ISO 8601, read as it stands in ISO or as day/month/year; empty where there is none. Raises :class:`BadRow`.

    >>> day("2024-02-29 00:00:00"), day("29/02/2024")
    ('2024-02-29', '2024-02-29')
    """
    value = (value or "").strip()
    if not value:
        return ""
    try:
        if "/" in value:
            return datetime.strptime(value[:10], "%d/%m/%Y").date().isoformat()
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        raise BadRow(f"is no date: {value[:40]!r}") from None


def number(value: str) -> str:
    """A decimal number with a point, read with either decimal sign; empty where there is none. Raises :class:`BadRow`.

    >>> number("1234567,5"), number("1.234.567,50"), number("2 000")
    ('1234567.5', '1234567.50', '2000')
    """
    value = (value or "").replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
    if not value:
        return ""
    if "," in value:
        value = value.replace(".", "").replace(",", ".") if value.rfind(",") > value.rfind(".") else value.replace(",", "")
    if not _NUMBER.fullmatch(value):
        raise BadRow(f"is no number: {value[:40]!r}")
    return value


class Once:
    """Identifiers seen so far: the second row with one of them is set aside."""

    def __init__(self, what: str):
        self.what, self._seen = what, {}

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._seen

    def check(self, identifier: str) -> None:
        """Raises :class:`BadRow` for an identifier that an earlier row had."""
        if identifier in self._seen:
            raise BadRow(f"{self.what} {identifier} is in line {self._seen[identifier]} already")

    def add(self, identifier: str, line: int | None) -> None:
        """Remember the identifier of a row that came in. Raises like :meth:`check`."""
        self.check(identifier)
        self._seen[identifier] = line


def names_of(names: Iterable[Name]) -> tuple[Name, ...]:
    """Each name once, the first of its kind."""
    found: dict[tuple[str, str], Name] = {}
    for name in names:
        if name.value:
            found.setdefault((name.value, name.lang), name)
    return tuple(found.values())
