"""The values of properties of things, as data extension gives them (Reconciliation Service API 0.2, section 7)."""

from collections import defaultdict

import pyoxigraph as ox

from ..errors import KvgraphError
from ..graph import Graph
from ..identifiers import key
from ..namespaces import XSD
from ..params import expand
from ..reconciliation import Property, property_of
from ..reconciliation.candidates import short_id
from ..reconciliation.name_index import Thing
from ..results import to_python

CONTENTS = {"thing": "things, to be reconciled on", "name": "names", "iri": "addresses (IRIs)"}
SETTINGS = [
    {"name": "limit", "label": "At most", "type": "number", "default": 0, "help_text": "How many values of each thing; 0 for all."},
    {"name": "content", "label": "Give things as", "type": "select", "default": "thing", "help_text": "What stands for a thing that is a value.",
     "choices": [{"value": value, "name": name} for value, name in CONTENTS.items()]},
]  # fmt: skip


def extension(graph: Graph, ids: list[str], properties: list[tuple[str, dict]], language: str) -> dict:
    """``meta`` and ``rows``: for every id and property the values, an empty list where there are none or the id is not known.

    Raises :class:`~kvgraph.reconciliation.UnknownProperty`, and :class:`~kvgraph.errors.KvgraphError` for a setting that is none.
    """
    wanted = {name: (property_of(name), *_settings(name, settings)) for name, settings in properties}
    things = {id_: thing for id_ in ids if (thing := thing_of(graph, id_))}
    said = _said(graph, list(things.values()), [p for p, _, _ in wanted.values()])
    rows = {}
    for id_ in ids:
        thing, row = things.get(id_), {}
        for name, (property_, limit, content) in wanted.items():
            values = said.get((thing.iri, property_.name), []) if thing else []
            row[name] = [_value(graph, value, content, language) for value in sorted(values, key=lambda v: _order(v, language))][: limit or None]
        rows[id_] = row
    return {"meta": [_meta(name, property_) for name, (property_, _, _) in wanted.items()], "rows": rows}


def thing_of(graph: Graph, id_: str) -> Thing | None:
    """The thing that an id of the service names; None if there is none."""
    iri, index = expand(id_), graph.reconciler.index
    return next((thing for number in index.identified([key(iri)]) if (thing := index.thing(number)).iri == iri), None)


def _meta(name: str, property_: Property) -> dict:
    kinds = {"lead": "actor", "participant": "actor", "issuer": "actor", "implements": "policy", "draws-on": "practice"}
    type_ = property_.facet if property_.facet in ("country", "region", "channel", "principle", "challenge", "tool-kind", "actor-kind", "policy-type", "level") else kinds.get(property_.name)
    return {"id": name, "name": property_.label, **({"type": {"id": type_, "name": type_.replace("-", " ")}} if type_ else {})}


def _settings(name: str, settings: dict) -> tuple[int, str]:
    content = settings.get("content") or "thing"
    try:
        limit = int(settings.get("limit") or 0)
    except (TypeError, ValueError, OverflowError):
        limit = -1
    if limit < 0 or not isinstance(content, str) or content not in CONTENTS:
        raise KvgraphError(f"The settings of {name[:60]!r} are not understood.", hint=f"limit is a number from 0; content is one of {', '.join(CONTENTS)}.")
    return limit, content


def _said(graph: Graph, things: list[Thing], properties: list[Property]) -> dict[tuple[str, str], list]:
    found: dict[tuple[str, str], dict] = defaultdict(dict)
    of = {predicate: p.name for p in properties for predicate in p.predicates}
    if things and of:
        for thing, predicate, value in graph.run("pages/extension", things=[t.iri for t in things], properties=list(of)).terms:
            found[thing.value, of[predicate.value]][value] = None
    for thing in things:  # where a thing is follows from its region too
        if "country" in of.values():
            found[thing.iri, "country"] |= {ox.NamedNode(iri): None for iri in thing.values.get("country", ())}
    return {name: list(values) for name, values in found.items()}


def _order(value, language: str) -> tuple:
    """The reader's language first, then English, then the others by tag."""
    if isinstance(value, ox.Literal):
        tag = value.language or ""
        return ({language: 0, "en": 1, "": 1}.get(tag, 2), tag, value.value)
    return (0, "", value.value)


def _value(graph: Graph, value, content: str, language: str) -> dict:
    """One of the shapes of data-extension-response.json."""
    if isinstance(value, ox.NamedNode):
        thing = thing_of(graph, value.value) if content != "iri" else None
        if thing is None:
            return {"str": value.value}
        name = thing.label(language)[0]
        return {"str": name} if content == "name" else {"id": short_id(thing.iri), "name": name}
    if isinstance(value, ox.Literal):
        python = to_python(value)
        if isinstance(python, bool) or value.datatype.value in (XSD + "string",):
            return {"str": value.value}
        if isinstance(python, int):
            return {"int": python}
        if value.datatype.value in (XSD + "decimal", XSD + "double", XSD + "float") and abs(float(python)) < 1e308:
            return {"float": float(python)}
        if value.datatype.value == XSD + "date" and len(value.value) == 10:
            return {"date": f"{value.value}T00:00:00"}
        return {"str": value.value}
    return {"str": str(value)}
