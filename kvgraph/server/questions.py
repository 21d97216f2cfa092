"""``/questions``: the gallery, and a page for each question with its form, its answer and its query."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, render_template, request

from .. import queries
from ..errors import KvgraphError
from ..formats import GRAPHS, HTML, RESULTS, Format
from ..graph import Rows, Triples
from ..params import Param, expand
from . import answers, context, errors, headers
from .display import short
from .tables import Table

blueprint = Blueprint("questions", __name__)

LIST = 60  # up to so many options a form shows a list to choose from, above that a field that completes
COMPLETE = 800  # above that the field only takes what is typed: the page would weigh more than it helps


@dataclass(frozen=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One field of a form: a list (``select``), a text with completions (``datalist``), or plain text."""

    param: Param
    value: str
    kind: str
    options: tuple[Option, ...] = ()


@blueprint.get("/questions")
def gallery() -> Response:
    """Every question, under the first of its tags."""

    def make() -> str:
        groups = defaultdict(list)
        for name in queries.names():
            question = queries.load(name)
            groups[question.tags[0] if question.tags else "other"].append(question)
        ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
        return render_template("questions.html", groups=ordered, total=len(queries.names()))

    return headers.page(make)


@blueprint.get("/questions/<name>")
def question(name: str) -> Response:
    found = queries.load(name)
    formats = RESULTS if found.form in ("SELECT", "ASK") else GRAPHS[:4]
    format = context.wanted_format((HTML, *formats))
    values = {p.name: request.args[p.name].strip() for p in found.params if request.args.get(p.name, "").strip()}
    if format is HTML:
        return _page(found, values, formats)
    for field in request.args:
        if field != "format":
            found.param(field)
    return headers.tagged(format.name, lambda: _download(found, values, format))


def _download(found: queries.Question, values: dict, format: Format) -> Response:
    response = answers.answer(found.bind(**values), format)
    response.headers["Content-Disposition"] = f'attachment; filename="{found.name}{format.suffix}"'
    return response


def _page(found: queries.Question, values: dict, formats: tuple[Format, ...]) -> Response:
    # At first the form holds the examples, and the page their answer: something to look at beats an empty form.
    example = not values and any(p.required for p in found.params)
    if example:
        values = {p.name: p.example for p in found.params if p.required and p.example is not None}
    shown = {
        "question": found, "values": values, "example": example, "table": None, "turtle": None, "yes": None,
        "problem": None, "query": "", "downloads": [],
    }  # fmt: skip

    def make() -> Response:
        query = found.bind(**values)
        downloads = [(f, f"/questions/{found.name}?{urlencode({**values, 'format': f.name})}") for f in formats]
        answer = _answer(found, query)
        body = render_template("question.html", **{**shown, **answer, "query": query, "downloads": downloads, "fields": _fields(found, values)})
        return Response(body, mimetype="text/html")

    try:
        return headers.tagged("html", make, context.language())
    except KvgraphError as error:
        shown["problem"] = errors.problem(error)
        body = render_template("question.html", **shown, fields=_fields(found, values))
        return errors.retry(Response(body, shown["problem"]["status"], mimetype="text/html"), error)


def _answer(found: queries.Question, query: str) -> dict:
    answer = context.graph().query(query)
    if isinstance(answer, Rows):
        return {"table": Table.of(answer, current_app.config["PAGE_ROWS"], found.columns)}
    return {"turtle": answer.serialize("turtle")} if isinstance(answer, Triples) else {"yes": answer}


def _fields(found: queries.Question, values: dict) -> list[Field]:
    return [_field(param, values.get(param.name, param.default or "")) for param in found.params]


def _field(param: Param, value: str) -> Field:
    if param.type == "choice":
        return Field(param, value, "select", tuple(Option(c, c) for c in param.choices))
    options = _options(context.graph().release.id, param.of, context.language()) if param.of else ()
    if param.type == "iri":
        value = short(expand(value)) if value else ""
    if not options or len(options) > COMPLETE:
        return Field(param, value, "text")
    if len(options) > LIST:
        return Field(param, value, "datalist", options)
    if value and value not in {o.value for o in options}:
        options = (*options, Option(value, value))
    return Field(param, value, "select", options)


@lru_cache(maxsize=128)
def _options(release: str, of: str, language: str) -> tuple[Option, ...]:
    """What can be chosen; a release never changes, so the answer is kept (``release`` is part of the key)."""
    rows = context.graph().run("pages/options", of=of, lang=language)
    found = {thing.value: label.value for thing, label, _ in rows.terms if isinstance(thing, ox.NamedNode)}
    return tuple(Option(short(iri), label) for iri, label in sorted(found.items(), key=lambda item: item[1].casefold()))
