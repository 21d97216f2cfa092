"""``/questions``: the gallery, and a page for each question with its form, its answer (drawn where that suits it) and its query."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import gettext

from .. import queries
from ..errors import KvgraphError
from ..formats import GRAPHS, HTML, RESULTS, Format
from ..graph import Rows, Triples
from ..model import ENTITY_TYPES, TYPES
from ..params import BadParameter, Param, expand
from ..search_index import fold
from ..spreadsheet import XLSX
from . import answers, charts, context, errors, headers, limits, maps
from .display import sentence, short
from .tables import Table

blueprint = Blueprint("questions", __name__)

LIST = 60  # up to so many options a form shows a list to choose from, above that a field that completes
COMPLETE = 1000  # above that the field only takes what is typed: the page would weigh more than it helps

HEADINGS = {"learning": "learning examples", "count": "figures", "vocabulary": "terms"}  # of groups that are no type


@dataclass(frozen=True)
class Option:
    """Something to choose. ``name`` is its label, with its code or id where another option is called the same."""

    value: str
    name: str


@dataclass(frozen=True)
class Field:
    """One field of a form: a list (``select``), a text with completions (``datalist``), or plain text.

    ``suggest`` is the kind of thing that a script may suggest while somebody types (``suggest.js``).
    """

    param: Param
    value: str
    kind: str
    options: tuple[Option, ...] = ()
    help: str = ""
    suggest: str = ""


@blueprint.get("/questions")
def gallery() -> Response:
    """Every question, under the first of its tags; with ``?q=`` and ``?tag=`` those that have the words and the tag."""
    text, tag = request.args.get("q", "").strip()[:200], request.args.get("tag", "").strip()[:80]

    def make() -> str:
        every = [queries.load(name) for name in queries.names()]
        tags = Counter(tag for question in every for tag in question.tags)
        fitting = [question for question in every if _fits(question, text, tag)]
        groups = defaultdict(list)
        for question in fitting:
            first = question.tags[0] if question.tags else "other"
            groups[_heading(first)].append(question)
        ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
        choices = sorted(((name, _heading(name), count) for name, count in tags.items()), key=lambda choice: choice[1])
        return render_template("questions.html", groups=ordered, found=len(fitting), total=len(every), text=text, tag=tag, tags=choices)

    return headers.page(make)


def _heading(tag: str) -> str:
    return TYPES[tag].plural if tag in TYPES else HEADINGS.get(tag, tag)


def _fits(question: queries.Question, text: str, tag: str) -> bool:
    """Whether a question has the tag, and all the words somewhere in what is said about it."""
    said = fold(" ".join((question.name, question.summary, question.description, *question.tags, *(p.label for p in question.params))))
    return (not tag or tag in question.tags) and all(word in said for word in fold(text).split())


@blueprint.get("/questions/<name>")
def question(name: str) -> Response:
    found = queries.load(name)
    formats = (*RESULTS, XLSX) if found.form in ("SELECT", "ASK") else GRAPHS[:4]
    format = context.wanted_format((HTML, *formats))
    for param in found.params:
        if len(set(request.args.getlist(param.name))) > 1:
            raise BadParameter(f"The parameter {param.name!r} has more than one value.", "Ask once for each.")
    typed = {p.name: request.args[p.name].strip() for p in found.params if request.args.get(p.name, "").strip()}
    if format is HTML:
        return _page(found, typed, formats)
    values = _meanings(found, typed)
    for field in request.args:
        if field != "format":
            found.param(field)
    return headers.tagged(format.name, lambda: _download(found, values, format), keep=True)


def _download(found: queries.Question, values: dict, format: Format) -> Response:
    response = answers.answer(found.bind(**values), format, limits.client())
    response.headers["Content-Disposition"] = f'attachment; filename="{found.name}{format.suffix}"'
    return response


def _meanings(found: queries.Question, typed: dict) -> dict:
    return {name: _meant(found.param(name), value) for name, value in typed.items()}


def _page(found: queries.Question, typed: dict, formats: tuple[Format, ...]) -> Response:
    # At first the form holds the examples, and the page their answer: something to look at beats an empty form.
    example = not typed and any(p.required for p in found.params)
    if example:
        typed = {p.name: p.example for p in found.params if p.required and p.example is not None}
    shown = {
        "question": found, "example": example, "table": None, "turtle": None, "yes": None, "chart": None, "map": None,
        "problem": None, "query": "", "downloads": [], "remarks": [],
    }  # fmt: skip

    def make() -> Response:
        values = _meanings(found, typed)
        query = found.bind(**values)
        downloads = [(f, f"/questions/{found.name}?{urlencode({**values, 'format': f.name})}") for f in formats]
        answer = _answer(found, query)
        if (table := answer.get("table")) and not table.rows:
            answer["remarks"] = _remarks(found, values)
        body = render_template("question.html", **{**shown, **answer, "query": query, "downloads": downloads, "fields": _fields(found, values)})
        return Response(body, mimetype="text/html")

    try:
        return headers.page(make)
    except KvgraphError as error:
        shown["problem"] = errors.problem(error)
        body = render_template("question.html", **shown, fields=_fields(found, typed))
        return errors.retry(Response(body, shown["problem"]["status"], mimetype="text/html"), error)


def _remarks(found: queries.Question, values: dict) -> list[str]:
    """Why nothing can answer a question asked so: a thing that is not in the graph, years that go backwards."""
    remarks = []
    for param in found.params:
        value = values.get(param.name)
        if value and param.type == "iri" and not context.graph().run("pages/entity", iri=expand(value)).terms:
            remarks.append(gettext("%(value)s is not in the graph. Choose another value for “%(label)s”.", value=short(expand(value))[:80], label=param.label))
    since, until = (int(values.get(name) or 0) for name in ("since", "until"))
    if since > until > 0:
        remarks.append(gettext("The years go backwards: nothing begins in %(since)s or later and in %(until)s or earlier.", since=since, until=until))
    return remarks


def _answer(found: queries.Question, query: str) -> dict:
    answer = context.graph().query(query)
    if isinstance(answer, Rows):
        table = Table.of(answer, current_app.config["PAGE_ROWS"], found.columns)
        if found.chart == "map":
            return {"table": table, "map": maps.of_answer(table)}
        return {"table": table, "chart": charts.of_answer(found.chart, table) if found.chart else None}
    return {"turtle": answer.serialize("turtle")} if isinstance(answer, Triples) else {"yes": answer}


def _fields(found: queries.Question, values: dict) -> list[Field]:
    return [_field(param, values.get(param.name, param.default or "")) for param in found.params]


def _field(param: Param, value: str) -> Field:
    help_ = param.help or sentence(param.expects)
    if param.type == "choice":
        return Field(param, value, "select", tuple(Option(c, c) for c in param.choices))
    if not param.of:
        return Field(param, value, "text", help=help_)
    options = _options(context.graph().release.id, param.of, context.language())
    value = short(expand(value)) if value else ""
    chosen = next((o for o in options if o.value == value), None)
    if options and len(options) <= LIST:
        extra = (Option(value, value),) if value and not chosen else ()
        return Field(param, value, "select", options + extra)
    example = next((o.name for o in options if o.value == short(expand(param.example or ""))), "")
    help_ = param.help or "A name" + (f", such as {example}" if example else "") + ", or an IRI."
    kind = "datalist" if len(options) <= COMPLETE else "text"
    suggest = next((t.name for t in ENTITY_TYPES if t.iri == expand(param.of)), "") if kind == "text" else ""
    return Field(param, chosen.name if chosen else value, kind, options, help_, suggest)


def _meant(param: Param, value: str) -> str:
    """The value itself, or what is called so among the things the parameter is about.

    Raises :class:`~kvgraph.params.BadParameter` for a name that nothing has, with the nearest.
    """
    if not param.of or ":" in value or _is_short_id(value):
        return value
    options = _options(context.graph().release.id, param.of, context.language())
    names = {o.name.casefold(): o for o in options}
    if found := names.get(value.casefold()):
        return found.value
    # First what the search index finds, which knows other names and other languages, then what is spelt alike.
    type_ = next((t for t in ENTITY_TYPES if t.iri == expand(param.of)), None)
    near = [hit.label for hit in context.graph().search(value, types=[type_.name], limit=3).hits] if type_ else []
    near = near or [names[n].name for n in get_close_matches(value.casefold()[:80], names, n=3, cutoff=0.5)]
    hint = f"Did you mean: {', '.join(near)}?" if near else "Search for its name first, and use the one found there."
    raise BadParameter(f"Nothing to choose for “{param.label}” is called “{value[:80]}”.", hint=hint)


def _is_short_id(value: str) -> bool:
    """Whether a value is a short id such as ``channel/spin-offs``."""
    return expand(value) != value


@lru_cache(maxsize=128)
def _options(release: str, of: str, language: str) -> tuple[Option, ...]:
    """What can be chosen, by name; a release never changes, so the answer is kept (``release`` is part of the key)."""
    rows = context.graph().run("pages/options", of=of, lang=language)
    found = {thing.value: (label.value, code) for thing, label, code in rows.terms if isinstance(thing, ox.NamedNode)}
    shared = Counter(label.casefold() for label, _ in found.values())
    options = []
    for iri, (label, code) in found.items():
        name = label if shared[label.casefold()] == 1 else f"{label} ({code.value if code else short(iri)})"
        options.append(Option(short(iri), name))
    return tuple(sorted(options, key=lambda o: (o.name.casefold(), o.value)))
