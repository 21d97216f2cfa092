"""What the code knows of the vocabulary: kinds of entity, their addresses, their labels, the edges between them.

Everything else about the vocabulary is in ``ontology/`` and ``shapes/``.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from .namespaces import (
    COUNTRY, COUNTRY_SCHEME, DCAT, DCTERMS, DEF, ELI, ELI_RESOURCE, ID, KV, NUTS, NUTS_SCHEME, ORG, PROV, SKOS,
)  # fmt: skip


@dataclass(frozen=True)
class EntityType:
    """A kind of thing that has a page of its own."""

    name: str  # the <type> of /doc/<type>/<slug> for things under /id/
    iri: str  # the class, or the concept scheme for concepts
    label: str
    plural: str


# In the order in which a page names them. Where a thing has several types, the first one here is its kind.
ENTITY_TYPES = (
    EntityType("practice", KV + "Practice", "practice", "practices"),
    EntityType("learning-example", KV + "LearningExample", "learning example", "learning examples"),
    EntityType("actor", KV + "Actor", "actor", "actors"),
    EntityType("policy", KV + "Policy", "policy", "policies"),
    EntityType("principle", KV + "Principle", "principle", "principles"),
    EntityType("region", NUTS_SCHEME, "region", "regions"),
    EntityType("country", COUNTRY_SCHEME, "country", "countries"),
    EntityType("channel", DEF + "channel", "channel", "channels"),
    EntityType("source", DCAT + "Dataset", "source", "sources"),
)
TYPES = {t.name: t for t in ENTITY_TYPES}

# A thing's label is the first of these that it has.
LABEL_PROPERTIES = (SKOS + "prefLabel", DCTERMS + "title", "http://www.w3.org/2000/01/rdf-schema#label")

# Code lists: every concept id/<list>/<code> is in the scheme def/<list>.
LISTS = (
    "channel", "tool-kind", "challenge", "benefit", "asset", "capacity", "role",
    "actor-kind", "level", "policy-type", "basis", "source-kind", "urban-rural-type", "coast-type", "mountain-type", "criterion",
)  # fmt: skip

# Things that keep an IRI of the EU's own, and the path below /id/ and /doc/ under which we serve them.
_FOREIGN = ((NUTS, "region/"), (COUNTRY, "country/"), (ELI_RESOURCE, "eli/"))


@lru_cache(maxsize=2**14)
def path_of(iri: str, under: str = "doc") -> str | None:
    """The local address of a thing, or None for things that are not ours to describe.

    >>> path_of("https://w3id.org/kvgraph/id/practice/demola")
    '/doc/practice/demola'
    >>> path_of("http://data.europa.eu/nuts/code/ES51")
    '/doc/region/ES51'
    >>> path_of("http://data.europa.eu/eli/reco/2022/2415/oj", under="id")
    '/id/eli/reco/2022/2415/oj'
    >>> path_of("https://w3id.org/kvgraph/def/kv#Practice")
    '/def/kv#Practice'
    >>> path_of("http://example.org/") is None
    True
    """
    if iri.startswith(DEF):
        return "/def/" + quote(iri[len(DEF) :], safe="/#")
    for prefix, folder in ((ID, ""), *_FOREIGN):
        local = iri[len(prefix) :]
        if iri.startswith(prefix) and local:
            return f"/{under}/{folder}{quote(local, safe='/')}"
    return None


def iri_of(path: str) -> str:
    """The IRI of what ``/id/<path>`` names; the inverse of :func:`path_of`.

    >>> iri_of("region/ES51")
    'http://data.europa.eu/nuts/code/ES51'
    >>> iri_of("practice/demola")
    'https://w3id.org/kvgraph/id/practice/demola'
    """
    for prefix, folder in _FOREIGN:
        if path.startswith(folder):
            return prefix + unquote(path[len(folder) :])
    return ID + unquote(path)


@dataclass(frozen=True)
class EdgeKind:
    """A kind of connection between two entities that :mod:`kvgraph.connections` walks.

    ``sentence`` reads from subject to object. ``cost`` is the length of the hop before hubs are
    made expensive: 1 for a direct tie between people and their work, more for what is merely shared.
    """

    name: str
    predicate: str
    sentence: str
    cost: float


# Participation in a practice is one edge, practice → actor, named by its role; its predicate here is that of the
# participation's own triple, so that the source of the hop can be found. {s} and {o} become the two labels.
PARTICIPATION = "participation"
EDGE_KINDS = (
    EdgeKind(PARTICIPATION, PROV + "qualifiedAssociation", "{o} took part as {role} in {s}", 1.0),
    EdgeKind("draws-on", KV + "drawsOn", "{s} draws on {o}", 1.0),
    EdgeKind("part-of", DCTERMS + "isPartOf", "{s} is part of {o}", 1.0),
    EdgeKind("sub-organisation", ORG + "subOrganizationOf", "{s} belongs to {o}", 1.0),
    EdgeKind("issuer", DCTERMS + "creator", "{s} was issued by {o}", 1.2),
    EdgeKind("implements", KV + "implements", "{s} puts {o} into practice", 1.2),
    EdgeKind("replaces", DCTERMS + "replaces", "{s} replaces {o}", 1.2),
    EdgeKind("succeeds", KV + "succeeds", "{s} succeeds {o}", 1.2),
    EdgeKind("amends", ELI + "amends", "{s} amends {o}", 1.2),
    EdgeKind("based-on", ELI + "based_on", "{s} is based on {o}", 1.2),
    EdgeKind("cites", ELI + "cites", "{s} cites {o}", 1.4),
    EdgeKind("related", DCTERMS + "relation", "{s} is related to {o}", 1.4),
    EdgeKind("principle", KV + "takesUp", "{s} takes up the principle “{o}”", 2.0),
    EdgeKind("broader", SKOS + "broader", "{s} lies within {o}", 2.0),
    EdgeKind("region", DCTERMS + "spatial", "{s} is located in {o}", 2.0),
    EdgeKind("channel", KV + "channel", "{s} works through the channel “{o}”", 2.5),
    EdgeKind("country", KV + "country", "{s} is in {o}", 4.0),
)
EDGES = {e.name: e for e in EDGE_KINDS}
