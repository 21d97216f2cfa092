"""The types of things that a name can be reconciled with: every kind of entity, organisations that were imported, the terms of every code list."""

from dataclasses import dataclass
from difflib import get_close_matches

from ..errors import KvgraphError
from ..model import ENTITY_TYPES, LISTS
from ..namespaces import DCAT, DEF, ORG
from ..params import expand

ORGANISATION, CONCEPT, PLACE = "organisation", "concept", "place"


@dataclass(frozen=True)
class Type:
    """``iri`` is the class or the scheme, empty for what only gathers other types; ``broader`` is the name of the type it is part of, or empty."""

    name: str
    iri: str
    label: str
    description: str
    broader: str = ""


_SAYS = {
    "practice": "A programme, office, network, fund, award … that turns research results into use.",
    "learning-example": "What an evaluation or mutual learning found.",
    "actor": "An organisation that takes part in practices or issues policies.",
    "policy": "A law, strategy or programme of the EU, a country or a region.",
    "principle": "A guiding principle of Recommendation (EU) 2022/2415 or a heading of a code of practice.",
    "region": "A region of NUTS 2024.",
    "country": "A country of the EU authority table.",
    "channel": "A channel through which knowledge is turned into use.",
    "source": "A body of facts that the graph was made from.",
    "organisation": "An actor, or an organisation of an imported register such as ROR.",
    "project": "A project funded by the EU, from CORDIS or Kohesio.",
}
_LABELS = {ORGANISATION: "organisation"}  # it gathers actors too
_BROADER = {"actor": ORGANISATION, "region": PLACE, "country": PLACE, "channel": CONCEPT, "principle": CONCEPT}


def _types() -> dict[str, Type]:
    found = {t.name: Type(t.name, t.iri, _LABELS.get(t.name, t.label), _SAYS.get(t.name, ""), _BROADER.get(t.name, "")) for t in ENTITY_TYPES}
    found.setdefault(ORGANISATION, Type(ORGANISATION, ORG + "Organization", "organisation", _SAYS[ORGANISATION]))
    found[PLACE] = Type(PLACE, "", "place", "A region or a country.")
    found[CONCEPT] = Type(CONCEPT, "", "concept", "A term of a code list.")
    for name in LISTS:
        found.setdefault(name, Type(name, DEF + name, name.replace("-", " "), f"A term of the code list “{name.replace('-', ' ')}”.", CONCEPT))
    return found


TYPES = _types()
NUMBER = {name: number for number, name in enumerate(TYPES)}
_BY_IRI = {t.iri: t for t in TYPES.values() if t.iri and t.iri != DCAT + "Dataset"}


class UnknownType(KvgraphError):
    """No type has this name."""

    def __init__(self, name: str):
        near = get_close_matches(str(name)[:80].lower(), TYPES, n=1, cutoff=0.6)
        words = f"Did you mean {near[0]}? " if near else ""
        super().__init__(f"There is no type {str(name)[:80]!r}.", hint=f"{words}The types are: {', '.join(TYPES)}.")


def type_of(text: str) -> Type:
    """The type that somebody means by its name, label or IRI. Raises :class:`UnknownType`.

    >>> type_of("actor").name, type_of("kv:Actor").name, type_of("learning example").name
    ('actor', 'actor', 'learning-example')
    """
    name = text.strip()
    found = TYPES.get(name) or TYPES.get(name.lower().replace(" ", "-").replace("_", "-")) or _BY_IRI.get(expand(name))
    if found is None:
        raise UnknownType(text)
    return found


def lineage(name: str) -> tuple[str, ...]:
    """A type and the broader ones.

    >>> lineage("actor"), lineage("practice")
    (('actor', 'organisation'), ('practice',))
    """
    broader = TYPES[name].broader
    return (name, *lineage(broader)) if broader else (name,)
