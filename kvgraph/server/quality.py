"""``/quality``: how complete the records are, where the gaps are, and what the shapes remark on. Every figure is a question's answer."""

from collections import Counter

from flask import Blueprint, Response, render_template

from .. import queries
from ..graph import Rows
from . import charts, context, headers
from .display import Shown, show
from .remarks import remaining
from .tables import Table

blueprint = Blueprint("quality", __name__)

MOST = 12  # rows of a list here; the question has them all
EVERY = 100  # more rows than a count by kind has


@blueprint.get("/quality")
def quality() -> Response:
    """Complete records by kind, each criterion, languages, evidence, links, pages, suspected duplicates, what nothing connects to, what shapes say."""

    def make() -> str:
        graph = context.graph()
        kinds = list(graph.run("complete-records"))
        criteria = graph.run("completeness")
        return render_template(
            "quality.html",
            kinds=kinds,
            charts={row["kind"]: _criteria(criteria, row["kind"]) for row in kinds},
            languages=_bars(graph.run("labels-by-language"), "language", "things", "Things named"),
            names=Table.of(graph.run("names-by-language"), EVERY, queries.load("names-by-language").columns),
            evidence=Table.of(graph.run("evidence-of-policies"), EVERY, queries.load("evidence-of-policies").columns),
            links=Table.of(graph.run("links-elsewhere"), MOST, queries.load("links-elsewhere").columns),
            months=Table.of(graph.run("pages-by-month-seen"), MOST, queries.load("pages-by-month-seen").columns),
            countries=_bars(graph.run("practices-per-country"), "name", "practices", "Practices"),
            duplicates=Table.of(graph.run("suspected-duplicates"), MOST, queries.load("suspected-duplicates").columns),
            unconnected=Table.of(graph.run("unconnected-records"), MOST, queries.load("unconnected-records").columns),
            remarks=Counter(r["severity"] for r in graph.release.report["results"]),
            remaining=remaining(graph.release.report["results"]),
        )

    return headers.page(make)


def _criteria(rows: Rows, kind: str):
    """The criteria of one kind of record, in per cent of its records."""
    return charts.bars([(show(row["criterion"], row["label"]), float(row["share"].value)) for row in _terms(rows) if row["kind"].value == kind], "Per cent")


def _bars(rows: Rows, name: str, number: str, label: str):
    return charts.bars([(Shown(row[name].value), float(row[number].value)) for row in _terms(rows)], label)


def _terms(rows: Rows):
    """The rows as dictionaries of RDF terms."""
    return (dict(zip(rows.columns, row)) for row in rows.terms)
