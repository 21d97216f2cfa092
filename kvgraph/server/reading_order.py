"""In which order and words a page tells what is known: the one table to change when the vocabulary grows.

Labels of our own properties come from the ontology; only those we reuse from elsewhere are put into words here.
"""

from dataclasses import dataclass

from ..namespaces import DCAT, DCTERMS, ELI, FOAF, GEO, KV, LOCN, ORG, OWL, PROV, RDF, RDFS, SCHEMA, SKOS, VOID
from .language import N_


@dataclass(frozen=True)
class Section:
    heading: str
    properties: tuple[str, ...]

    def takes(self, property: str, type_name: str) -> bool:
        """Whether the property belongs here for things of this type: what a region lies within is a place, and the kind of an actor, which stands above its
        name, is not what it is about."""
        if property == ORG + "classification":
            return (self.heading == NAMES) == (type_name == "actor")
        return property != SKOS + "broader" or (self.heading == WHERE) == (type_name == "region")


WHERE = N_("Where and when")
NAMES = N_("Names, identifiers, links")
LEAD = (DCTERMS + "description", KV + "lesson", SKOS + "definition")  # the first of these stands under the title

SECTIONS = (
    Section(N_("What it is about"), (
        KV + "lesson", KV + "condition", KV + "challengeStatement", KV + "outcome", KV + "targetGroup", DCTERMS + "description",
        SKOS + "definition", SKOS + "scopeNote", SKOS + "note", SKOS + "example", KV + "toolKind", KV + "policyType", ORG + "classification", KV + "channel",
        KV + "challenge", KV + "asset", KV + "benefit", KV + "capacity", KV + "drawsOn", KV + "programme",
    )),
    Section(N_("Who"), (KV + "lead", DCTERMS + "creator", DCTERMS + "publisher", ORG + "subOrganizationOf")),
    Section(WHERE, (
        KV + "country", DCTERMS + "spatial", SKOS + "broader", SCHEMA + "addressLocality", KV + "level", KV + "nutsLevel",
        KV + "urbanRuralType", KV + "coastType", KV + "mountainType", GEO + "sfTouches", LOCN + "geometry",
        SCHEMA + "startDate", SCHEMA + "endDate", DCTERMS + "issued", DCAT + "version", KV + "period",
    )),
    Section(N_("Policy and principles"), (
        KV + "implements", KV + "takesUp", KV + "fundingProgramme", DCTERMS + "isPartOf", KV + "section", SKOS + "broader",
        ELI + "based_on", ELI + "cites", ELI + "amends", DCTERMS + "replaces", KV + "succeeds", DCTERMS + "relation",
    )),
    Section(NAMES, (
        ORG + "classification", SKOS + "prefLabel", DCTERMS + "title", SKOS + "altLabel", DCTERMS + "alternative", FOAF + "homepage",
        DCAT + "landingPage", DCTERMS + "identifier", SKOS + "notation", ELI + "id_local", SKOS + "exactMatch",
        SKOS + "closeMatch", SKOS + "broadMatch", SKOS + "narrowMatch", SKOS + "relatedMatch", RDFS + "seeAlso",
        DCTERMS + "license",
    )),
)  # fmt: skip
REST = N_("Also stated")

# Said elsewhere on the page: the type above the title, participations by role, the hierarchy as breadcrumb.
HIDDEN = {OWL + "deprecated", RDF + "type", SKOS + "inScheme", SKOS + "topConceptOf", PROV + "qualifiedAssociation", RDFS + "isDefinedBy", VOID + "triples"}

# What stands elsewhere on the page than among the facts, where a source says that it says it.
UNSAID = {
    RDF + "type": N_("what it is"), SKOS + "inScheme": N_("what it is"), SKOS + "topConceptOf": N_("its place in the list"),
    OWL + "deprecated": N_("that it should no longer be used"), PROV + "qualifiedAssociation": N_("who took part"), RDFS + "isDefinedBy": N_("where it is defined"),
    VOID + "triples": N_("how many statements"),
    SKOS + "prefLabel": N_("name"), DCTERMS + "title": N_("title"),
}  # fmt: skip

WORDS = {
    DCTERMS + "description": N_("what it does"),
    DCTERMS + "title": N_("title"),
    DCTERMS + "alternative": N_("also titled"),
    DCTERMS + "creator": N_("issued by"),
    DCTERMS + "publisher": N_("published by"),
    DCTERMS + "issued": N_("issued"),
    DCTERMS + "identifier": N_("record"),
    DCTERMS + "isPartOf": N_("part of"),
    DCTERMS + "license": N_("licence"),
    DCTERMS + "relation": N_("related to"),
    DCTERMS + "replaces": N_("replaces"),
    DCTERMS + "spatial": N_("located in"),
    DCAT + "landingPage": N_("page"),
    DCAT + "version": N_("version"),
    ELI + "amends": N_("amends"),
    ELI + "based_on": N_("based on"),
    ELI + "cites": N_("cites"),
    ELI + "id_local": N_("CELEX number"),
    FOAF + "homepage": N_("website"),
    GEO + "sfTouches": N_("borders on"),
    LOCN + "geometry": N_("a point inside"),
    ORG + "classification": N_("kind"),
    ORG + "subOrganizationOf": N_("belongs to"),
    PROV + "agent": N_("actor"),
    PROV + "hadRole": N_("role"),
    RDFS + "comment": N_("remark"),
    RDFS + "label": N_("label"),
    RDFS + "seeAlso": N_("see also"),
    SCHEMA + "addressLocality": N_("town"),
    SCHEMA + "startDate": N_("began"),
    SCHEMA + "endDate": N_("ended"),
    SKOS + "altLabel": N_("also called"),
    SKOS + "broader": N_("within"),
    SKOS + "broadMatch": N_("narrower than"),
    SKOS + "closeMatch": N_("probably the same as"),
    DCTERMS + "source": N_("drawn from"),
    SKOS + "definition": N_("definition"),
    SKOS + "editorialNote": N_("editors' note"),
    SKOS + "exactMatch": N_("the same as"),
    SKOS + "example": N_("example"),
    SKOS + "narrowMatch": N_("wider than"),
    SKOS + "note": N_("note"),
    SKOS + "notation": N_("code"),
    SKOS + "prefLabel": N_("name"),
    SKOS + "relatedMatch": N_("related to"),
    SKOS + "scopeNote": N_("note"),
}

# How links that lead here are headed: %(things)s becomes the plural of the subjects' type.
INCOMING = {
    KV + "channel": N_("%(things)s through this channel"),
    KV + "toolKind": N_("%(things)s of this kind"),
    KV + "policyType": N_("%(things)s of this type"),
    ORG + "classification": N_("%(things)s of this kind"),
    KV + "challenge": N_("%(things)s that answer this challenge"),
    KV + "benefit": N_("%(things)s that bring this benefit"),
    KV + "asset": N_("%(things)s that bring this into use"),
    KV + "capacity": N_("%(things)s that build this capacity"),
    KV + "level": N_("%(things)s of this level"),
    KV + "country": N_("%(things)s of this country"),
    DCTERMS + "spatial": N_("%(things)s here"),
    KV + "implements": N_("%(things)s that put this into practice"),
    KV + "takesUp": N_("%(things)s that take this up"),
    KV + "drawsOn": N_("%(things)s that draw on this"),
    KV + "lead": N_("%(things)s led"),
    KV + "succeeds": N_("%(things)s that succeeded this"),
    DCTERMS + "isPartOf": N_("%(things)s that are part of this"),
    DCTERMS + "creator": N_("%(things)s by this actor"),
    DCTERMS + "publisher": N_("%(things)s published by this actor"),
    DCTERMS + "relation": N_("%(things)s related to this"),
    DCTERMS + "replaces": N_("%(things)s that replaced this"),
    ORG + "subOrganizationOf": N_("%(things)s that belong to this"),
    SKOS + "broader": N_("%(things)s within"),
    KV + "urbanRuralType": N_("%(things)s of this type"),
    KV + "coastType": N_("%(things)s of this type"),
    KV + "mountainType": N_("%(things)s of this type"),
    ELI + "cites": N_("%(things)s that cite this"),
    ELI + "based_on": N_("%(things)s based on this"),
    ELI + "amends": N_("%(things)s that amend this"),
}
# Said by the participations already, or of no interest to a reader.
INCOMING_HIDDEN = {KV + "lead", SKOS + "example", SKOS + "topConceptOf", SKOS + "hasTopConcept", GEO + "sfTouches", PROV + "agent", PROV + "hadRole", VOID + "exampleResource"}
