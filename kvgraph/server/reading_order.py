"""In which order and words a page tells what is known: the one table to change when the vocabulary grows.

Labels of our own properties come from the ontology; only those we reuse from elsewhere are put into words here.
"""

from dataclasses import dataclass

from ..namespaces import DCAT, DCTERMS, ELI, FOAF, KV, LOCN, ORG, PROV, RDF, RDFS, SCHEMA, SKOS


@dataclass(frozen=True)
class Section:
    heading: str
    properties: tuple[str, ...]

    def takes(self, property: str, type_name: str) -> bool:
        """Whether the property belongs here for things of this type: what a region lies within is a place."""
        return property != SKOS + "broader" or (self.heading == WHERE) == (type_name == "region")


WHERE = "Where and when"
LEAD = (DCTERMS + "description", KV + "lesson", SKOS + "definition")  # the first of these stands under the title

SECTIONS = (
    Section("What it is about", (
        KV + "lesson", KV + "condition", KV + "challengeStatement", KV + "outcome", KV + "targetGroup", DCTERMS + "description",
        SKOS + "definition", SKOS + "scopeNote", SKOS + "note", SKOS + "example", KV + "toolKind", KV + "policyType", ORG + "classification", KV + "channel",
        KV + "challenge", KV + "asset", KV + "benefit", KV + "capacity", KV + "drawsOn", KV + "programme",
    )),
    Section("Who", (KV + "lead", DCTERMS + "creator", DCTERMS + "publisher", ORG + "subOrganizationOf")),
    Section(WHERE, (
        KV + "country", DCTERMS + "spatial", SKOS + "broader", SCHEMA + "addressLocality", KV + "level", KV + "nutsLevel", LOCN + "geometry",
        SCHEMA + "startDate", SCHEMA + "endDate", DCTERMS + "issued", KV + "period",
    )),
    Section("Policy and principles", (
        KV + "implements", KV + "takesUp", KV + "fundingProgramme", DCTERMS + "isPartOf", KV + "section", SKOS + "broader",
        ELI + "based_on", ELI + "cites", ELI + "amends", DCTERMS + "replaces", KV + "succeeds", DCTERMS + "relation",
    )),
    Section("Names, identifiers, links", (
        SKOS + "prefLabel", DCTERMS + "title", SKOS + "altLabel", DCTERMS + "alternative", FOAF + "homepage",
        DCAT + "landingPage", DCTERMS + "identifier", SKOS + "notation", ELI + "id_local", SKOS + "exactMatch",
        SKOS + "closeMatch", RDFS + "seeAlso", DCTERMS + "license",
    )),
)  # fmt: skip
REST = "Also stated"

# Said elsewhere on the page: the type above the title, participations by role, the hierarchy as breadcrumb.
HIDDEN = {RDF + "type", SKOS + "inScheme", SKOS + "topConceptOf", PROV + "qualifiedAssociation", RDFS + "isDefinedBy"}

WORDS = {
    DCTERMS + "description": "what it does",
    DCTERMS + "title": "title",
    DCTERMS + "alternative": "also titled",
    DCTERMS + "creator": "issued by",
    DCTERMS + "publisher": "published by",
    DCTERMS + "issued": "issued",
    DCTERMS + "identifier": "record",
    DCTERMS + "isPartOf": "part of",
    DCTERMS + "license": "licence",
    DCTERMS + "relation": "related to",
    DCTERMS + "replaces": "replaces",
    DCTERMS + "spatial": "located in",
    DCAT + "landingPage": "page",
    ELI + "amends": "amends",
    ELI + "based_on": "based on",
    ELI + "cites": "cites",
    ELI + "id_local": "CELEX number",
    FOAF + "homepage": "website",
    LOCN + "geometry": "a point inside",
    ORG + "classification": "kind",
    ORG + "subOrganizationOf": "belongs to",
    PROV + "agent": "actor",
    PROV + "hadRole": "role",
    RDFS + "comment": "remark",
    RDFS + "label": "label",
    RDFS + "seeAlso": "see also",
    SCHEMA + "addressLocality": "town",
    SCHEMA + "startDate": "began",
    SCHEMA + "endDate": "ended",
    SKOS + "altLabel": "also called",
    SKOS + "broader": "within",
    SKOS + "closeMatch": "probably the same as",
    SKOS + "definition": "definition",
    SKOS + "exactMatch": "the same as",
    SKOS + "example": "example",
    SKOS + "note": "note",
    SKOS + "notation": "code",
    SKOS + "prefLabel": "name",
    SKOS + "scopeNote": "note",
}

# How links that lead here are headed: {things} becomes the plural of the subjects' type.
INCOMING = {
    KV + "channel": "{things} through this channel",
    KV + "toolKind": "{things} of this kind",
    KV + "policyType": "{things} of this type",
    ORG + "classification": "{things} of this kind",
    KV + "challenge": "{things} that answer this challenge",
    KV + "benefit": "{things} that bring this benefit",
    KV + "asset": "{things} that bring this into use",
    KV + "capacity": "{things} that build this capacity",
    KV + "level": "{things} of this level",
    KV + "country": "{things} of this country",
    DCTERMS + "spatial": "{things} here",
    KV + "implements": "{things} that put this into practice",
    KV + "takesUp": "{things} that take this up",
    KV + "drawsOn": "{things} that draw on this",
    KV + "lead": "{things} led",
    KV + "succeeds": "{things} that succeeded this",
    DCTERMS + "isPartOf": "{things} that are part of this",
    DCTERMS + "creator": "{things} by this actor",
    DCTERMS + "publisher": "{things} published by this actor",
    DCTERMS + "relation": "{things} related to this",
    DCTERMS + "replaces": "{things} that replaced this",
    ORG + "subOrganizationOf": "{things} that belong to this",
    SKOS + "broader": "{things} within",
    ELI + "cites": "{things} that cite this",
    ELI + "based_on": "{things} based on this",
    ELI + "amends": "{things} that amend this",
}
# Said by the participations already, or of no interest to a reader.
INCOMING_HIDDEN = {KV + "lead", SKOS + "example", SKOS + "topConceptOf", SKOS + "hasTopConcept", PROV + "agent", PROV + "hadRole"}
