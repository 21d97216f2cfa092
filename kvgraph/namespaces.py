"""The namespaces of the graph, in one place.

    >>> KV + "Practice"
    'https://w3id.org/kvgraph/def/kv#Practice'
"""

BASE = "https://w3id.org/kvgraph/"
ID = BASE + "id/"  # things
DEF = BASE + "def/"  # ontology and code lists
GRAPH = BASE + "graph/"  # named graphs
KV = DEF + "kv#"
SHAPES = BASE + "shapes#"

NUTS = "http://data.europa.eu/nuts/code/"
NUTS_SCHEME = "http://data.europa.eu/nuts"
COUNTRY_SCHEME = "http://publications.europa.eu/resource/authority/country"
COUNTRY = COUNTRY_SCHEME + "/"
ELI_RESOURCE = "http://data.europa.eu/eli/"

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
OWL = "http://www.w3.org/2002/07/owl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCTERMS = "http://purl.org/dc/terms/"
DCAT = "http://www.w3.org/ns/dcat#"
PROV = "http://www.w3.org/ns/prov#"
ORG = "http://www.w3.org/ns/org#"
FOAF = "http://xmlns.com/foaf/0.1/"
ELI = "http://data.europa.eu/eli/ontology#"
LOCN = "http://www.w3.org/ns/locn#"
GEO = "http://www.opengis.net/ont/geosparql#"
SCHEMA = "https://schema.org/"
SH = "http://www.w3.org/ns/shacl#"
EURIO = "http://data.europa.eu/s66#"
SSSOM = "https://w3id.org/sssom/"
DQV = "http://www.w3.org/ns/dqv#"
VOID = "http://rdfs.org/ns/void#"
VOID_EXT = "http://ldf.fi/void-ext#"

PREFIXES = {
    "kv": KV,
    "rdf": RDF,
    "rdfs": RDFS,
    "xsd": XSD,
    "owl": OWL,
    "skos": SKOS,
    "dcterms": DCTERMS,
    "dcat": DCAT,
    "prov": PROV,
    "org": ORG,
    "foaf": FOAF,
    "eli": ELI,
    "locn": LOCN,
    "geo": GEO,
    "schema": SCHEMA,
    "dqv": DQV,
    "eurio": EURIO,
    "sssom": SSSOM,
    "nuts": NUTS,
    "country": COUNTRY,
}


def compact(iri: str) -> str:
    """The prefixed name of an IRI, or the IRI itself if no prefix fits.

    >>> compact("https://w3id.org/kvgraph/def/kv#Practice")
    'kv:Practice'
    >>> compact("http://example.org/a")
    'http://example.org/a'
    """
    best = max(
        (p for p in PREFIXES if iri.startswith(PREFIXES[p])),
        key=lambda p: len(PREFIXES[p]),
        default=None,
    )
    if best is None:
        return iri
    local = iri[len(PREFIXES[best]) :]
    return f"{best}:{local}" if local and "/" not in local else iri


def prologue() -> str:
    """All known prefixes as SPARQL declarations, on one line.

    >>> prologue().startswith("PREFIX kv: <https://w3id.org/kvgraph/def/kv#> ")
    True
    """
    return " ".join(f"PREFIX {name}: <{iri}>" for name, iri in PREFIXES.items())
