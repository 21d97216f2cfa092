"""What curators do with records that are there: merge two, rename or deprecate one, make a candidate for a link a link.

Each is a record like any contribution: what it says now as ``base``, what it is to say as ``values``.
"""

import re

from ..errors import KvgraphError
from ..graph import Graph
from ..namespaces import DCTERMS, ID, KV, SCHEMA, SKOS
from . import known
from .files import CURATORS
from .record import LABEL, TITLE, Record, Values, is_ours

# What a record has once: of two that are merged the one that stays keeps its own.
_ONCE = (DCTERMS + "identifier", DCTERMS + "description", SCHEMA + "startDate", SCHEMA + "endDate", KV + "level", "http://www.w3.org/ns/org#classification")
_NAMES = {TITLE: DCTERMS + "alternative", LABEL: SKOS + "altLabel"}


def merged(graph: Graph, thing: str, into: str) -> Record:
    """One record becomes another: its address leads there, what it says is said of the other, in its own graphs and with its own sources."""
    record, other = _now(graph, thing), _now(graph, into)
    if thing == into or record.type != other.type:
        raise KvgraphError("Only two different records of one kind can be merged.", hint="Look whether the second address is right.")
    values: Values = {}
    for path, said in record.values.items():
        kept = [] if path in _ONCE and path in other.values else said
        target = _NAMES.get(path, path)
        taken = other.values.get(path, []) if path in _NAMES else []
        values.setdefault(target, []).extend(v for v in kept if v not in taken and v not in values.get(target, []))
    record.values, record.replaced_by = {p: v for p, v in values.items() if v}, into
    return record


def renamed(graph: Graph, thing: str, name: str) -> Record:
    """A record gets another address; the old one leads there."""
    record = _now(graph, thing)
    new = f"{ID}{record.type}/{name.strip()}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,99}", name.strip()) or not is_ours(new):
        raise KvgraphError("An address has small letters, digits and hyphens.", hint="For example: national-ip-protocol")
    if known.exists(graph, new):
        raise KvgraphError("There is such a record already.", hint="If the two are the same, merge them.")
    record.replaced_by = new
    return record


def deprecated(graph: Graph, thing: str) -> Record:
    """A record that should no longer be used, and stays because others have cited it."""
    record = _now(graph, thing)
    record.deprecated = True
    return record


def linked(graph: Graph, actor: str, others: list[str]) -> Record:
    """Candidates of an actor become its identifiers elsewhere."""
    record = _now(graph, actor)
    close, exact = record.values.get(SKOS + "closeMatch", []), record.values.get(SKOS + "exactMatch", [])
    accepted = [v for v in close if v.get("iri") in others]
    if not accepted:
        raise KvgraphError("None of these waits to be accepted.", hint="Somebody else may have accepted them already: look at the list again.")
    record.values = {**record.values, SKOS + "closeMatch": [v for v in close if v not in accepted], SKOS + "exactMatch": exact + accepted}
    record.page = accepted[0]["iri"]
    return record


def candidates(graph: Graph) -> list[dict]:
    """Actors with what may be their identifier elsewhere: ``actor``, ``name``, ``other``."""
    return [{"actor": a.value, "name": n.value if n else "", "other": o.value} for a, n, o in graph.run("pages/link-candidates").terms]


def _now(graph: Graph, thing: str) -> Record:
    """What is said of a record now, on which page, for a curator to change."""
    type_ = known.type_of(graph, thing)
    values, own = known.as_it_is(graph, thing)
    if not type_ or not own:
        raise KvgraphError("This record does not stand in a file of its own, so that it cannot be changed here.", hint="Change the source it comes from.")
    page = next((row["page"] for row in graph.run("pages/pages-read", iri=thing)), "")
    return Record(type_, thing=thing, values=dict(values), base={p: list(v) for p, v in values.items()}, page=page, relation="none", credit_actor=CURATORS)
