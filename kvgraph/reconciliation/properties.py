"""The properties of things: what a name can be reconciled with besides, and what can be fetched of a thing that was found.

A property is a facet of the search (its values can be counted and are named in every language), an identifier, or said by properties of the vocabulary.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from ..errors import KvgraphError
from ..namespaces import DCAT, DCTERMS, ELI, FOAF, KV, ORG, PROV, RDFS, SCHEMA, SKOS
from ..params import expand

_WORKS = ("practice", "learning-example", "policy")
_RECORDS = (*_WORKS, "actor", "organisation")
_EVERYTHING = ()


@dataclass(frozen=True)
class Property:
    """``facet`` is the facet of the search that holds its values, for constraints; ``predicates`` say them, for data extension.

    ``types`` are the names of the types that have it, none for all. ``weight`` is how much a value that differs speaks against a candidate, from 0 to 1;
    0 for what can be fetched and is no constraint.
    """

    name: str
    label: str
    description: str
    predicates: tuple[str, ...] = ()
    facet: str = ""
    types: tuple[str, ...] = _EVERYTHING
    weight: float = 0.0

    @property
    def constrains(self) -> bool:
        return self.weight > 0

    def fits(self, type_name: str) -> bool:
        return not self.types or type_name in self.types


_LISTED = (
    Property("country", "Country", "By name in any EU language, code of two or three letters, or identifier.", (KV + "country",), "country", (*_RECORDS, "region"), 0.35),
    Property("region", "Region", "NUTS region or country by name, code or identifier; what lies inside it fits.", (DCTERMS + "spatial",), "region", _RECORDS, 0.25),
    Property("place", "Town", "The town as the source gives it.", (SCHEMA + "addressLocality",), "", ("actor", "organisation"), 0.1),
    Property("identifier", "Identifier", "An identifier here or elsewhere (ROR, PIC, Wikidata, CELEX …), in any usual spelling.",
        (DCTERMS + "identifier", SKOS + "notation", ELI + "id_local", ORG + "identifier"), "", _EVERYTHING, 0.5),
    Property("homepage", "Home page", "The address of the home page; its host is enough.", (FOAF + "homepage", DCAT + "landingPage"), "", (*_RECORDS, "source"), 0.2),
    Property("actor-kind", "Kind of organisation", "University, firm, public authority …", (ORG + "classification",), "actor-kind", ("actor",), 0.15),
    Property("channel", "Channel", "The channel through which it works.", (KV + "channel",), "channel", _WORKS, 0.1),
    Property("challenge", "Challenge", "The societal challenge it answers to.", (KV + "challenge",), "challenge", ("practice",), 0.1),
    Property("tool-kind", "Kind of tool", "Programme, office, network, award …", (KV + "toolKind",), "tool-kind", ("practice",), 0.1),
    Property("policy-type", "Kind of policy", "Regulation, recommendation, strategy …", (KV + "policyType",), "policy-type", ("policy",), 0.15),
    Property("level", "Level", "European, national, regional or local.", (KV + "level",), "level", _WORKS, 0.1),
    Property("principle", "Principle", "The guiding principle it takes up.", (KV + "takesUp",), "principle", _WORKS, 0.1),
    Property("year", "Year", "In which it began or was issued, four digits.", (SCHEMA + "startDate", DCTERMS + "issued"), "year", _WORKS, 0.15),
    Property("name", "Names", "Its names, in every language.", (SKOS + "prefLabel", DCTERMS + "title", RDFS + "label")),
    Property("other-name", "Other names", "Abbreviations, former and other names.", (SKOS + "altLabel", DCTERMS + "alternative")),
    Property("description", "Description", "What it is and does.", (DCTERMS + "description", SKOS + "definition", KV + "lesson")),
    Property("exact-match", "Same as", "The same thing elsewhere, certain: ROR, Wikidata, EuroVoc …", (SKOS + "exactMatch",)),
    Property("close-match", "Probably the same as", "A candidate for the same thing elsewhere.", (SKOS + "closeMatch",)),
    Property("lead", "Leading organisation", "Who leads it.", (KV + "lead",), types=("practice",)),
    Property("participant", "Who took part", "The organisations that took part.", (PROV + "qualifiedAssociation",), types=("practice", "learning-example")),
    Property("issuer", "Issued by", "Who issued or wrote it.", (DCTERMS + "creator",), types=("policy", "learning-example")),
    Property("implements", "Puts into practice", "The policy it puts into practice.", (KV + "implements",), types=_WORKS),
    Property("draws-on", "Draws on", "The practices that a lesson was learned from.", (KV + "drawsOn",), types=("learning-example",)),
    Property("part-of", "Part of", "The organisation, practice or policy it is part of.", (ORG + "subOrganizationOf", DCTERMS + "isPartOf"), types=_RECORDS),
    Property("broader", "Lies in", "The broader term or the place around it.", (SKOS + "broader",), types=("region", "principle", "concept")),
    Property("outcome", "Outcome", "What came of it.", (KV + "outcome",), types=("practice",)),
    Property("target-group", "Target group", "Whom it is for.", (KV + "targetGroup",), types=("practice",)),
    Property("funding", "Funding programme", "What paid for it.", (KV + "fundingProgramme",), types=("practice",)),
    Property("end", "Ended", "When it ended.", (SCHEMA + "endDate",), types=("practice",)),
)  # fmt: skip
PROPERTIES = {p.name: p for p in _LISTED}
_BY_PREDICATE = {predicate: p for p in _LISTED for predicate in p.predicates}


class UnknownProperty(KvgraphError):
    """No property has this name."""

    def __init__(self, name: str, constraint: bool = False):
        names = [p.name for p in _LISTED if p.constrains or not constraint]
        near = get_close_matches(str(name)[:80].lower(), names, n=1, cutoff=0.6)
        words = f"Did you mean {near[0]}? " if near else ""
        super().__init__(f"There is no property {str(name)[:80]!r}.", hint=f"{words}The properties are: {', '.join(names)}.")


def property_of(text: str, constraint: bool = False) -> Property:
    """The property that somebody means by its name, label or IRI; with ``constraint`` only those a name can be reconciled with. Raises :class:`UnknownProperty`.

    >>> property_of("Country").name, property_of("kv:country").name
    ('country', 'country')
    """
    name = text.strip()
    found = PROPERTIES.get(name.lower().replace(" ", "-").replace("_", "-")) or _BY_PREDICATE.get(expand(name))
    if found is None:
        found = next((p for p in _LISTED if p.label.casefold() == name.casefold()), None)
    if found is None or constraint and not found.constrains:
        raise UnknownProperty(text, constraint)
    return found
