"""What helps a person to choose among candidates: suggestions while typing, flyouts, previews, proposals of properties (Reconciliation Service API 0.2, sections 5 to 7)."""

from collections.abc import Iterable

from flask import Blueprint, Response, abort, render_template, request
from flask_babel import gettext

from ..errors import KvgraphError
from ..graph import UnknownThing
from ..model import TYPES as ENTITY_TYPES
from ..model import path_of
from ..reconciliation import PROPERTIES, TYPES, Property, property_of, type_of
from ..reconciliation.candidates import short_id
from ..reconciliation.name_index import Thing
from ..search_index import fold
from . import context, headers
from .addresses import root
from .display import href_of
from .reconciling import BadBatch, answer, default_types, language, refused, type_object
from .reconciling_values import thing_of

blueprint = Blueprint("reconciling_aids", __name__)
blueprint.register_error_handler(KvgraphError, refused)

SUGGESTIONS = 10
LONGEST_PREFIX = 200  # characters of what somebody is typing
FURTHEST = 1000  # suggestions that may be skipped


def _route(path: str):
    """The address with and without a language in it."""

    def both(view):
        blueprint.add_url_rule(f"/reconcile/{path}", view.__name__, view, defaults={"lang": None})
        blueprint.add_url_rule(f"/reconcile/<string(length=2):lang>/{path}", view.__name__, view)
        return view

    return both


# ── Suggestions ──────────────────────────────────────────────────────────────────────────────────────────────────────


@_route("suggest/entity")
def suggest_entity(lang: str | None) -> Response:
    tongue, types = language(lang), default_types([name for given in request.args.getlist("type") for name in given.split(",")])
    return answer(lambda: {"result": [_entity(thing, tongue) for thing in _entities(_prefix(), types)]}, tongue)


def _entities(prefix: str, types: list[str]) -> Iterable[Thing]:
    """What has the identifier, then what begins so, then what is spelt nearly so."""
    if not prefix:
        return []
    graph, start = context.graph(), _cursor()
    index = graph.reconciler.index
    found = {r.thing.iri: r.thing for r in graph.resolve(prefix)}
    kinds = [t for t in ENTITY_TYPES if not types or any(w in type_lineage(t) for w in types)]
    hits = graph.suggest(prefix, types=kinds, limit=start + SUGGESTIONS) if kinds else []
    alike = graph.reconcile(prefix, type=types, limit=100) if len(found) + len(hits) < start + SUGGESTIONS else []
    for iri in (*(hit.iri for hit in hits), *(c.iri for c in alike)):
        if iri not in found and (thing := thing_of(graph, iri)):
            found[iri] = thing
    fitting = [t for t in found.values() if not types or any(w in type_lineage(t.type) for w in types)]
    return fitting[start : start + SUGGESTIONS] if len(index) else []


def type_lineage(name: str) -> tuple[str, ...]:
    broader = TYPES[name].broader
    return (name, broader) if broader else (name,)


def _entity(thing: Thing, tongue: str) -> dict:
    described = context.graph().reconciler.describe(thing, tongue)
    return {"id": short_id(thing.iri), "name": thing.label(tongue)[0], "description": described, "notable": [type_object(thing.type, broader=False)]}


@_route("suggest/type")
def suggest_type(lang: str | None) -> Response:
    tongue = language(lang)
    return answer(lambda: {"result": [type_object(t.name) for t in _beginning(TYPES.values(), lambda t: (t.name, gettext(t.label), t.iri))]}, tongue)


@_route("suggest/property")
def suggest_property(lang: str | None) -> Response:
    return answer(lambda: {"result": [_property(p) for p in _beginning(PROPERTIES.values(), lambda p: (p.name, p.label, *p.predicates))]}, language(lang))


def _beginning(every: Iterable, names) -> list:
    """Those of which a word, or an identifier, begins with what was typed."""
    typed, start = fold(_prefix()), _cursor()

    def fits(each) -> bool:
        texts = [fold(text) for text in names(each)]
        return any(text.startswith(typed) or any(word.startswith(typed) for word in text.replace("-", " ").split()) for text in texts)

    return [each for each in every if fits(each)][start : start + SUGGESTIONS]


def _prefix() -> str:
    return request.args.get("prefix", "").strip()[:LONGEST_PREFIX]


def _cursor() -> int:
    text = request.args.get("cursor", "").strip() or "0"
    if not (text.isascii() and text.isdigit()) or int(text[:6]) > FURTHEST:
        raise BadBatch("cursor is the number of suggestions to skip.", hint=f"A whole number from 0 to {FURTHEST}.")
    return int(text)


def _property(found: Property) -> dict:
    return {"id": found.name, "name": found.label, "description": found.description}


# ── Previews ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@_route("flyout/<what>")
def flyout(lang: str | None, what: str) -> Response:
    tongue, id_ = language(lang), request.args.get("id", "").strip()
    if what == "entity":
        thing = _known(id_)
        shown = {"name": thing.label(tongue)[0], "kind": context.graph().reconciler.describe(thing, tongue), "text": thing.text}
    elif what == "type":
        found = type_of(id_)
        shown = {"name": gettext(found.label), "kind": gettext("type"), "text": found.description}
    elif what == "property":
        asked = property_of(id_)
        shown = {"name": asked.label, "kind": gettext("property"), "text": asked.description}
    else:
        abort(404)
    return answer(lambda: {"id": id_, "html": render_template("flyout.html", **shown)}, tongue)


@_route("preview")
def preview(lang: str | None) -> Response:
    """A small page about a thing, to stand in a frame of any site."""
    tongue = language(lang)
    thing = _known(request.args.get("id", "").strip())
    request.environ[headers.FRAMED] = True
    graph = context.graph()
    name, tag = thing.label(tongue)
    other = [text for text in dict.fromkeys(thing.labels.values()) if text != name][:6]
    page = root().rstrip("/") + path_of(thing.iri) if path_of(thing.iri) else href_of(thing.iri)

    def make() -> Response:
        described = graph.reconciler.describe(thing, tongue).partition(": ")[0]
        elsewhere = [iri for found in thing.elsewhere.values() for iri in found][:4]
        html = render_template("preview.html", name=name, lang=tag, described=described, text=thing.text, other=other, page=page, id=short_id(thing.iri), elsewhere=elsewhere)
        return Response(html, mimetype="text/html")

    return headers.tagged("html", make, tongue)


def _known(id_: str) -> Thing:
    thing = thing_of(context.graph(), id_) if id_ else None
    if thing is None:
        raise UnknownThing(f"Nothing here has the id {id_[:80]!r}.", hint="An id is what /reconcile gave, such as actor/ku-leuven; /resolve?id= takes others.")
    return thing


# ── Proposals ────────────────────────────────────────────────────────────────────────────────────────────────────────


@_route("properties")
def properties(lang: str | None) -> Response:
    """The properties that things of a type may have."""
    language(lang)
    asked = request.args.get("type", "").strip()
    type_ = type_of(asked).name if asked else ""
    text = request.args.get("limit", "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text[:6])):
        raise BadBatch("limit is the number of properties wanted.", hint="A whole number from 1.")
    proposed = [p for p in PROPERTIES.values() if not type_ or any(p.fits(name) for name in type_lineage(type_))][: int(text[:6]) if text else None]
    told = {"properties": [_property(p) for p in proposed]} | ({"type": asked} if asked else {}) | ({"limit": int(text[:6])} if text else {})
    return answer(lambda: told)
