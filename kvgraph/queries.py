"""Questions: SPARQL files with a YAML header, typed parameters, and safe binding.

A question is one file, ``queries/<name>.rq``; queries that only pages need are
``queries/pages/<name>.rq``, called ``pages/<name>``. A file looks like this::

    #+ summary: Which practices use a channel?
    #+ description: Optionally only those of one country.
    #+ tags: [practice, channel]
    #+ params:
    #+   channel: {type: iri, label: Channel, of: "https://w3id.org/kvgraph/def/channel", example: "channel/spin-offs"}
    #+   country: {type: iri, label: Country, optional: true}
    #+ columns: {title: Practice}
    PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
    SELECT ?practice WHERE {
      ?practice kv:channel $channel .
      ?practice kv:country $country .   #? country
    }

* ``$channel`` is replaced by the value, written as a SPARQL term, wherever it is a token
  of its own (never inside a string, an IRI or a comment).
* A line that ends in ``#? country`` stays only when ``country`` is given.
* ``chart: bar``, ``line`` (columns over time) or ``map`` in the header says how the answer is drawn on its page: the first column
  of names, years or places against the last column of numbers.

>>> question = load("practices-by-channel")
>>> "id/channel/spin-offs>" in question.bind(channel="channel/spin-offs")
True
"""

import functools
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from .errors import KvgraphError
from .params import TYPES, BadParameter, Param, expand
from .resources import folder

__all__ = [
    "BadParameter", "BadQuestion", "MissingParameter", "Param", "Question", "UnknownParameter", "UnknownQuestion",
    "load", "names", "parse",
]  # fmt: skip

CHARTS = ("bar", "line", "map")

# Strings, IRIs and comments first, so that a "$name" or "#" inside them is never taken for a token.
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | \"{3}(?:\\.|(?!\"{3})[^\\])*\"{3} | '{3}(?:\\.|(?!'{3})[^\\])*'{3}
      | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
      | <[^<>"{}|^`\\\x00-\x20]*>
      | (?<![\w\\$])\$(?P<param>[A-Za-z_]\w*)
      | (?P<word>[A-Za-z]+:?)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_SECTION = re.compile(r"#\?\s*(\w+)\s*")
_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")


class UnknownQuestion(KvgraphError):
    """No question has this name."""


class UnknownParameter(KvgraphError):
    """The question has no parameter of this name."""


class MissingParameter(KvgraphError):
    """A parameter without a default was left out."""


class BadQuestion(KvgraphError):
    """A ``.rq`` file is malformed: the mistake of whoever wrote the file."""


@dataclass(frozen=True)
class Question:
    """One question of the gallery, or one query of a page.

    ``text`` is the SPARQL without its header, parameters still open. ``columns`` gives
    result variables a heading, ``chart`` the drawing that suits the answer.
    """

    name: str
    summary: str
    description: str
    tags: tuple[str, ...]
    params: tuple[Param, ...]
    text: str
    form: str
    columns: Mapping[str, str]
    chart: str | None = None

    def param(self, name: str) -> Param:
        """The parameter of that name. Raises ``UnknownParameter``, naming the nearest."""
        for param in self.params:
            if param.name == name:
                return param
        known = [p.name for p in self.params]
        raise UnknownParameter(
            f"The question {self.name!r} has no parameter {name[:80]!r}.",
            hint=_nearest(name, known, "parameters") if known else "It takes none.",
        )

    @property
    def examples(self) -> dict[str, str]:
        """Example values that give an answer: what a form is filled with at first."""
        return {p.name: p.example for p in self.params if p.example is not None}

    def bind(self, **values: Any) -> str:
        """SPARQL text with every parameter replaced by its value.

        ``None`` and empty text count as left out: that is what an empty field of a form
        sends. Raises ``UnknownParameter``, ``MissingParameter`` or ``BadParameter``.

        >>> "<http://data.europa.eu/nuts/code/ES51>" in load("practices-by-region").bind(region="nuts:ES51")
        True
        """
        return "".join(self.pieces(**values))

    def pieces(self, **values: Any) -> list[str]:
        """What :meth:`bind` joins: the text between parameters, which is the same each time, and their values in turn. Raises as it does.

        >>> load("practices-by-region").pieces(region="nuts:ES51")[1]
        '<http://data.europa.eu/nuts/code/ES51>'
        """
        for name in values:
            self.param(name)
        terms = {}
        for param in self.params:
            value = values.get(param.name)
            if value is None or (isinstance(value, str) and not value.strip()):
                value = param.default
            if value is not None:
                terms[param.name] = param.term(value)
            elif param.required:
                raise MissingParameter(
                    f"The question {self.name!r} needs the parameter {param.name!r} ({param.label}).",
                    hint=f"For example: {param.name}={param.example}" if param.example else None,
                )
        pieces = list(_pieces(self.text, frozenset(terms)))
        pieces[1::2] = [terms[name] for name in pieces[1::2]]
        return pieces


@functools.lru_cache(maxsize=1024)
def _pieces(text: str, given: frozenset[str]) -> tuple[str, ...]:
    """The text that is kept, cut at its parameters: every second piece is the name of one."""
    text, pieces, at = _keep(text, given), [], 0
    for token in _TOKEN.finditer(text):
        if token["param"]:
            pieces += (text[at : token.start()], token["param"])
            at = token.end()
    return (*pieces, text[at:])


def _keep(text: str, given: Container[str]) -> str:
    """The text without the lines whose parameter is not given."""
    dropped = {line for line, name in _sections(text) if name not in given}
    return "\n".join(l for number, l in enumerate(text.split("\n")) if number not in dropped)


def _sections(text: str) -> list[tuple[int, str]]:
    """(line number, parameter) of every ``#? parameter`` comment."""
    found = []
    for token in _TOKEN.finditer(text):
        mark = token["comment"] and _SECTION.fullmatch(token["comment"])
        if mark:
            found.append((text.count("\n", 0, token.start()), mark[1]))
    return found


def names(kind: str = "questions") -> list[str]:
    """Sorted names of the questions, or of the queries of pages with ``kind="pages"``.

    >>> "practices-by-region" in names()
    True
    >>> "pages/statements" in names(kind="pages")
    True
    """
    if kind not in ("questions", "pages"):
        raise ValueError(f"kind is 'questions' or 'pages', not {kind!r}")
    return [name for name in _files() if name.startswith("pages/") == (kind == "pages")]


@functools.cache
def load(name: str) -> Question:
    """The question of that name. Raises ``UnknownQuestion``, naming the nearest.

    >>> load("practices-by-region").params[0].label
    'Region'
    """
    # A name comes from users: it is looked up in the listing and never becomes part of a path.
    path = _files().get(name)
    if path is None:
        raise UnknownQuestion(
            f"There is no question {str(name)[:80]!r}.",
            hint=_nearest(str(name), names(), "questions"),
        )
    return parse(name, path.read_text(encoding="utf-8"))


@functools.cache
def _files() -> dict[str, Path]:
    root = folder("queries")
    found = [*root.glob("*.rq"), *root.glob("pages/*.rq")]
    return dict(sorted((path.relative_to(root).with_suffix("").as_posix(), path) for path in found))


def _nearest(name: str, known: list[str], what: str) -> str:
    near = get_close_matches(name[:80], known, n=3, cutoff=0.4)
    return f"Did you mean: {', '.join(near)}?" if near else f"Known {what}: {', '.join(known)}."


def parse(name: str, source: str) -> Question:
    """A question from the content of a ``.rq`` file. Raises ``BadQuestion``.

    >>> parse("ok", "#+ summary: Is there anything?\\nASK { ?s ?p ?o }").form
    'ASK'
    """
    lines = source.splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("#+")), len(lines))
    try:
        header = yaml.safe_load("\n".join(line[2:] for line in lines[:end])) or {}
        params = tuple(_param(key, value) for key, value in (header.pop("params", None) or {}).items())
        question = Question(
            name=name,
            summary=header.pop("summary"),
            description=header.pop("description", ""),
            tags=tuple(header.pop("tags", ())),
            columns=header.pop("columns", {}),
            chart=header.pop("chart", None),
            params=params,
            text="\n".join(lines[end:]).strip() + "\n",
            form=_form("\n".join(lines[end:])),
        )
        if header:
            raise ValueError(f"unknown header keys: {', '.join(header)}")
        _check(question)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, BadParameter) as error:
        raise BadQuestion(f"The question file {name}.rq is malformed: {error}") from error
    return question


def _param(name: str, header: dict) -> Param:
    text = {key: str(header[key]) for key in ("default", "example") if key in header}
    choices = tuple(str(c) for c in header.get("choices", ()))
    of = {"of": expand(header["of"])} if "of" in header else {}
    return Param(name=name, **{**header, **text, **of, "choices": choices})


def _form(text: str) -> str:
    for token in _TOKEN.finditer(text):
        if token["word"] and token["word"].upper() in _FORMS:
            return token["word"].upper()
    raise ValueError("no SELECT, ASK, CONSTRUCT or DESCRIBE in it")


def _check(question: Question) -> None:
    """Find what could only fail later, at some combination of parameters."""
    params = {p.name: p for p in question.params}
    for param in question.params:
        if param.type not in TYPES:
            raise ValueError(f"parameter {param.name}: unknown type {param.type!r}")
        for value in (param.default, param.example):
            if value is not None:
                param.term(value)
    if question.chart not in (None, *CHARTS):
        raise ValueError(f"unknown chart {question.chart!r}")
    for _, name in _sections(question.text):
        if name not in params or params[name].required or params[name].default is not None:
            raise ValueError(f"#? {name}: not an optional parameter without default")
    used = {t["param"] for t in _TOKEN.finditer(question.text)} - {None}
    if used != set(params):
        raise ValueError(f"declared and used parameters differ: {', '.join(used ^ set(params))}")
    always = {name for name, p in params.items() if p.required or p.default is not None}
    unkept = {t["param"] for t in _TOKEN.finditer(_keep(question.text, dict.fromkeys(always, "")))}
    if unkept - {None} - always:
        raise ValueError(f"used outside their #? lines: {', '.join(unkept - {None} - always)}")
