"""Typed parameters of questions, and the SPARQL text of their values."""

import re
from dataclasses import dataclass
from typing import Any

from pyoxigraph import Literal, NamedNode

from .errors import KvgraphError
from .model import iri_of
from .namespaces import PREFIXES

TYPES = {
    "iri": "an IRI, a prefixed name (nuts:ES51) or a short id (practice/national-ip-protocol)",
    "iris": "IRIs, one or more, with spaces between them",
    "triples": "subject, property and object, one triple or more, with spaces between the IRIs",
    "years": "years of four digits, one or more, with spaces between them",
    "literal": "a text",
    "lang": "a language tag (en, pt-BR)",
    "integer": "a whole number",
    "year": "a year of four digits",
    "choice": "one of the choices",
}
"""What each parameter type expects, in words."""

_LANG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_SHORT_ID = re.compile(r"[a-z][a-z-]*/\S+")


class BadParameter(KvgraphError):
    """A value does not fit the type of its parameter."""


@dataclass(frozen=True)
class Param:
    """A typed parameter of a question.

    ``of`` names the class or SKOS concept scheme whose members are sensible values, for
    forms (query ``pages/options``). ``min`` and ``max`` bound an integer or a year.
    """

    name: str
    type: str
    label: str
    help: str = ""
    optional: bool = False
    default: str | None = None
    example: str | None = None
    of: str | None = None
    choices: tuple[str, ...] = ()
    min: int | None = None
    max: int | None = None

    @property
    def required(self) -> bool:
        """True when a value must be given."""
        return not self.optional and self.default is None

    def term(self, value: Any) -> str:
        """The value as SPARQL text.

        Raises ``BadParameter`` when the value does not fit the type.

        >>> Param("region", "iri", "Region").term("nuts:ES51")
        '<http://data.europa.eu/nuts/code/ES51>'
        >>> Param("word", "literal", "Word").term('say "no" }')
        '"say \\\\"no\\\\" }"'
        """
        try:
            return _WRITERS[self.type](self, value)
        except (ValueError, TypeError) as error:
            shown = repr(value)
            shown = shown if len(shown) <= 80 else shown[:77] + "..."
            raise BadParameter(
                f"{shown} does not fit the parameter {self.name!r}: expected {self.expects}.",
                hint=f"For example: {self.example}" if self.example else None,
            ) from error

    @property
    def expects(self) -> str:
        """What a value must be, in words.

        >>> Param("limit", "integer", "At most", min=1, max=100).expects
        'a whole number from 1 to 100'
        """
        if self.type == "choice":
            return "one of " + ", ".join(self.choices)
        words = TYPES[self.type]
        if self.min is not None:
            words += f" from {self.min}"
        if self.max is not None:
            words += f" to {self.max}" if self.min is not None else f", at most {self.max}"
        return words


def _write_iri(param: Param, value: Any) -> str:
    return str(value) if isinstance(value, NamedNode) else str(NamedNode(expand(str(value))))


def _write_iris(param: Param, value: Any) -> str:
    iris = value.split() if isinstance(value, str) else list(value)
    if not iris:
        raise ValueError(value)
    return " ".join(_write_iri(param, iri) for iri in iris)


def _write_years(param: Param, value: Any) -> str:
    """As text, which is how a year is taken from dates of any precision."""
    years = value.split() if isinstance(value, str) else [str(year) for year in value]
    if not years or not all(map(_YEAR.fullmatch, years)):
        raise ValueError(value)
    return " ".join(str(Literal(year)) for year in years)


def _write_triples(param: Param, value: Any) -> str:
    """For ``VALUES (?subject ?property ?object) { $triples }``."""
    if isinstance(value, str):
        iris = value.split()
        value = list(zip(iris[::3], iris[1::3], iris[2::3], strict=True))
    if not value:
        raise ValueError(value)
    return "\n    ".join("(" + " ".join(_write_iri(param, iri) for iri in triple) + ")" for triple in value)


def _write_text(param: Param, value: Any) -> str:
    return str(Literal(value.value if isinstance(value, Literal) else str(value)))


def _write_lang(param: Param, value: Any) -> str:
    if not _LANG.fullmatch(str(value)):
        raise ValueError(value)
    return str(Literal(str(value).lower()))


def _write_number(param: Param, value: Any) -> str:
    text = str(value).strip() if not isinstance(value, bool) else ""
    if not (_YEAR if param.type == "year" else _INTEGER).fullmatch(text):
        raise ValueError(value)
    number = int(text)
    low = 0 if param.min is None else param.min
    if number < low or (param.max is not None and number > param.max):
        raise ValueError(value)
    # Bare digits: LIMIT and OFFSET take nothing else, and everywhere else they are an xsd:integer.
    return str(number)


def _write_choice(param: Param, value: Any) -> str:
    if str(value) not in param.choices:
        raise ValueError(value)
    return str(Literal(str(value)))


_WRITERS = {
    "iri": _write_iri,
    "iris": _write_iris,
    "triples": _write_triples,
    "years": _write_years,
    "literal": _write_text,
    "lang": _write_lang,
    "integer": _write_number,
    "year": _write_number,
    "choice": _write_choice,
}


def expand(text: str) -> str:
    """A full IRI from an IRI, a prefixed name or a short id. Anything else stays as it is.

    >>> expand("kv:Practice")
    'https://w3id.org/kvgraph/def/kv#Practice'
    >>> expand("practice/national-ip-protocol")
    'https://w3id.org/kvgraph/id/practice/national-ip-protocol'
    >>> expand("region/ES51")
    'http://data.europa.eu/nuts/code/ES51'
    >>> expand("http://example.org/a")
    'http://example.org/a'
    """
    text = text.strip()
    prefix, colon, local = text.partition(":")
    if colon and prefix in PREFIXES and not local.startswith("//"):
        return PREFIXES[prefix] + local
    return iri_of(text) if _SHORT_ID.fullmatch(text) else text
