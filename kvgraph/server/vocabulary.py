"""``/def/kv`` and ``/def/<list>``: the ontology and the code lists, as a page or as RDF."""

from collections import defaultdict
from dataclasses import dataclass

import pyoxigraph as ox
from flask import Blueprint, Response, redirect, render_template, url_for
from flask_babel import gettext

from ..formats import HTML, JSONLD, NTRIPLES, RDFXML, TURTLE
from ..graph import Triples, UnknownThing, best_label
from ..model import LISTS
from ..namespaces import DCTERMS, DEF, OWL, RDF, RDFS, SKOS
from . import context, headers
from .display import Shown, show
from .language import N_

blueprint = Blueprint("vocabulary", __name__)

OFFERED = (HTML, TURTLE, JSONLD, NTRIPLES, RDFXML)
SUFFIXES = {f.suffix: f for f in OFFERED[1:]}
KINDS = (
    (OWL + "Class", N_("Classes")), (OWL + "ObjectProperty", N_("Properties between things")),
    (OWL + "DatatypeProperty", N_("Properties with text or numbers")), (SKOS + "Concept", N_("Terms")),
)  # fmt: skip


@dataclass(frozen=True)
class Term:
    iri: str
    name: str  # its anchor on the page
    label: Shown
    definition: Shown | None
    comments: list[Shown]
    examples: list[Shown]
    above: list[Shown]  # what it is a special case of
    names: list[Shown]  # in other languages


@dataclass(frozen=True)
class Vocabulary:
    iri: str
    name: str
    title: str
    description: str
    groups: list[tuple[str, list[Term]]]


@blueprint.get("/def")
def index() -> Response:
    """The ontology and every code list, to choose from."""
    return headers.page(lambda: render_template("vocabularies.html", lists=LISTS))


@blueprint.get("/def/<name>")
def vocabulary(name: str) -> Response:
    name, format = next(((name.removesuffix(s), f) for s, f in SUFFIXES.items() if name.endswith(s)), (name, None))
    if name not in (*LISTS, "kv"):
        raise UnknownThing(f"There is no vocabulary called “{name[:80]}”.", hint=f"There are: kv, {', '.join(LISTS)}.")
    format = format or context.wanted_format(OFFERED)
    if format is HTML:
        response = headers.page(lambda: render_template("vocabulary.html", vocabulary=_read(DEF + name, name, _triples(name))))
    else:
        response = headers.tagged(format.name, lambda: Response(_triples(name).serialize(format.name), content_type=format.content_type))
    for other in OFFERED[1:]:
        response.headers.add("Link", f'</def/{name}{other.suffix}>; rel="alternate"; type="{other.media_type}"')
    return response


@blueprint.get("/def/kv/<version>")
def version_of_ontology(version: str) -> Response:
    """The version of the ontology that this release has; others are in other releases."""
    if (OWL + "versionIRI", f"{DEF}kv/{version}") not in {(t.predicate.value, getattr(t.object, "value", "")) for t in _triples("kv")}:
        raise UnknownThing(f"This release has no version {version[:40]} of the ontology.", hint="See /def/kv for the one it has, /releases for others.")
    return redirect(url_for(".vocabulary", name="kv"), 303)


def _triples(name: str) -> Triples:
    return context.graph().run("pages/graph", graph=DEF + name)


def _read(iri: str, name: str, triples: Triples) -> Vocabulary:
    about: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for triple in triples:
        about[triple.subject.value][triple.predicate.value].append(triple.object)
    head = about.get(iri, {})
    titles = [v for p in (DCTERMS + "title", SKOS + "prefLabel", RDFS + "label") for v in head.get(p, [])]
    groups = []
    for kind, heading in KINDS:
        terms = [_term(i, about[i]) for i in list(about) if kind in {t.value for t in about[i].get(RDF + "type", [])}]
        if terms:
            groups.append((gettext(heading), sorted(terms, key=lambda t: t.label.text.casefold())))
    title, description = _english(titles), _english([v for p in (DCTERMS + "description", SKOS + "definition") for v in head.get(p, [])])
    return Vocabulary(iri, name, title.text if title else name, description.text if description else "", groups)


def _term(iri: str, said: dict[str, list]) -> Term:
    labels = said.get(SKOS + "prefLabel", []) + said.get(RDFS + "label", [])
    label = best_label([(SKOS + "prefLabel", v) for v in labels], "en")
    above = [show(v) for p in (RDFS + "subClassOf", RDFS + "subPropertyOf", SKOS + "broader") for v in said.get(p, [])]
    return Term(
        iri,
        iri.rpartition("#")[2] if "#" in iri else iri.rpartition("/")[2],
        show(ox.NamedNode(iri), label),
        _english(said.get(SKOS + "definition", [])),
        [show(v) for v in said.get(RDFS + "comment", []) + said.get(SKOS + "scopeNote", [])],
        [show(v) for v in said.get(SKOS + "example", [])],
        above,
        [show(v) for v in sorted(labels, key=lambda v: v.language or "") if v.language != "en"],
    )


def _english(literals: list) -> Shown | None:
    found = best_label([(SKOS + "prefLabel", v) for v in literals], "en")
    return show(found) if found else None
