"""The catalogue of a release in DCAT-AP 3.0.1, as data portals harvest it.

Written once, by build, into ``catalogue.ttl`` of the release. What this instance offers at an address of its own (``sparql``, ``dumps/…``, the
catalogue itself) stands there under ``https://w3id.org/kvgraph/``; whoever serves it puts the host in that place
(:mod:`kvgraph.server.addresses`). No blank nodes. Everything referred to carries its class, as the shapes of the profile ask.
"""

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from ..namespaces import BASE, DCAT, DCTERMS, FOAF, PREFIXES, RDF, RDFS, SKOS
from . import authorities as eu
from .dumps import SOURCE
from .rdf import Value, describe, english, typed
from .void import DATASET, LICENCE, PUBLISHER, SUMMARY, TITLE

CATALOGUE = BASE + "catalog"
ADMS = "http://www.w3.org/ns/adms#"
SPDX = "http://spdx.org/rdf/terms#"
VCARD = "http://www.w3.org/2006/vcard/ns#"
DCATAP = "http://data.europa.eu/r5r/"
CATALOGUE_PREFIXES = {**PREFIXES, "adms": ADMS, "spdx": SPDX, "vcard": VCARD, "dcatap": DCATAP}

_TYPE = RDF + "type"
_CONTACT, _RIGHTS = CATALOGUE + "#contact", CATALOGUE + "#rights"
_HOME, _DUMPS, _API = BASE, BASE + "dumps/", BASE + "docs/api"
_KEYWORDS = ("knowledge valorisation", "research and innovation", "technology transfer", "innovation policy", "linked open data")
_THEMES = ("TECH", "GOVE", "REGI", "EDUC", "ECON")
_STANDARDS = {
    "sparql": "https://www.w3.org/TR/sparql11-protocol/",
    "data": "https://www.w3.org/TR/sparql11-http-rdf-update/",
    "reconcile": "https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/",
}


Said = dict[str, list]  # what the release says about a source: the values of each property


def catalogue(store: ox.Store, dumps: list[dict], release_id: str, built: str) -> list[ox.Triple]:
    """The catalogue of a release: ``dumps`` as :func:`~kvgraph.build.dumps.write_dumps` returns them, ``built`` in ISO 8601."""
    sources = _sources(store)
    date = built[:10]
    triples = [
        *_catalogue(sources, date),
        *_whole([d for d in dumps if d["source"] is None], sources, release_id, date),
        *(t for iri, said in sources.items() for t in _source(iri, said, [d for d in dumps if d["source"] == iri], release_id, date)),
        *_services(),
        *_agents(_names(store, sources)),
    ]
    return list(dict.fromkeys([*triples, *eu.described(triples)]))


def version(release_id: str, built: str) -> Iterator[ox.Triple]:
    """One release as a version of the data set (DCAT 3, section 11)."""
    address = f"{BASE}release/{release_id}"
    yield from _documents(_DUMPS)
    yield from describe(DATASET, (DCAT + "hasVersion", address))
    yield from describe(
        address,
        (_TYPE, DCAT + "Dataset"),
        (DCTERMS + "title", english(f"{TITLE}, release {release_id}")),
        (DCTERMS + "description", english(f"{SUMMARY} As it was on {built[:10]}; a release never changes.")),
        (DCAT + "version", ox.Literal(release_id)),
        (DCAT + "isVersionOf", DATASET),
        (DCTERMS + "issued", typed(built[:10], "date")),
        (DCTERMS + "publisher", PUBLISHER),
        (DCTERMS + "accessRights", eu.PUBLIC),
        (DCAT + "landingPage", _DUMPS),
    )


def _sources(store: ox.Store) -> dict[str, Said]:
    """Every source that the release describes, in the order of their addresses."""
    merge = ox.DefaultGraph()
    found: dict[str, Said] = {}
    for source in store.quads_for_pattern(None, ox.NamedNode(_TYPE), ox.NamedNode(DCAT + "Dataset"), merge):
        said = found.setdefault(source.subject.value, {})
        for quad in store.quads_for_pattern(source.subject, None, None, merge):
            said.setdefault(quad.predicate.value, []).append(quad.object)
    return {iri: {p: sorted(values, key=str) for p, values in said.items()} for iri, said in sorted(found.items())}


def _names(store: ox.Store, sources: dict[str, Said]) -> dict[str, str]:
    """The name of every publisher, by IRI; one that is stated by name only gets an address in the catalogue."""
    names = {PUBLISHER: "kvgraph curators"}
    for iri, said in sources.items():
        for publisher in said.get(DCTERMS + "publisher", []):
            if isinstance(publisher, ox.Literal):
                names[_own_publisher(iri)] = publisher.value
            else:
                labels = store.quads_for_pattern(publisher, ox.NamedNode(SKOS + "prefLabel"), None, ox.DefaultGraph())
                found = sorted((q.object.language != "en", q.object.value) for q in labels)
                names[publisher.value] = found[0][1] if found else names.get(publisher.value, publisher.value)
    return names


def _own_publisher(source: str) -> str:
    return f"{CATALOGUE}#publisher-{source.rpartition('/')[2]}"


def _catalogue(sources: Iterable[str], date: str) -> Iterator[ox.Triple]:
    yield from describe(
        CATALOGUE,
        (_TYPE, DCAT + "Catalog"),
        (DCTERMS + "title", english("Catalogue of kvgraph")),
        (DCTERMS + "description", english("The data sets of the knowledge valorisation graph, their sources, and the services that answer from them.")),
        (DCTERMS + "publisher", PUBLISHER),
        (DCTERMS + "license", LICENCE),
        (DCTERMS + "language", eu.language("en")),
        (DCTERMS + "modified", typed(date, "date")),
        (DCTERMS + "spatial", eu.EUROPE),
        (FOAF + "homepage", _HOME),
        (DCAT + "themeTaxonomy", eu.THEMES),
        (DCAT + "dataset", [DATASET, *sources]),
        (DCAT + "service", [BASE + name for name in ("sparql#service", "data#service", "reconcile#service")]),
    )
    yield from describe(_HOME, (_TYPE, FOAF + "Document"))
    yield from describe(
        _CONTACT, (_TYPE, [VCARD + "Organization", VCARD + "Kind"]), (VCARD + "fn", english("kvgraph curators")), (VCARD + "hasURL", BASE + "docs/about")
    )  # fmt: skip
    yield from describe(
        _RIGHTS, (_TYPE, DCTERMS + "RightsStatement"),
        (RDFS + "label", english("Our data: CC BY 4.0. Each source keeps its own licence, named in its description.")),
    )  # fmt: skip


def _dataset(iri: str, dumps: list[dict], date: str, *more: tuple[str, Value]) -> Iterator[ox.Triple]:
    """What all our data sets have in common."""
    languages = {tag for dump in dumps for tag in dump["languages"]}
    return describe(
        iri,
        (_TYPE, DCAT + "Dataset"),
        (DCTERMS + "modified", typed(date, "date")),
        (DCTERMS + "identifier", ox.Literal(iri)),
        (DCTERMS + "accessRights", eu.PUBLIC),
        (DCTERMS + "accrualPeriodicity", eu.IRREGULAR),
        (DCTERMS + "language", [eu.language(tag) for tag in sorted(languages)]),
        (DCTERMS + "spatial", eu.EUROPE),
        (DCAT + "theme", [eu.theme(code) for code in _THEMES]),
        (DCAT + "keyword", [english(word) for word in _KEYWORDS]),
        (DCAT + "contactPoint", _CONTACT),
        *more,
    )


def _whole(dumps: list[dict], sources: Iterable[str], release_id: str, date: str) -> Iterator[ox.Triple]:
    current = f"{BASE}release/{release_id}"
    distributions = [_distribution_iri(d) for d in dumps]
    yield from _dataset(
        DATASET, dumps, date,
        (DCTERMS + "title", english(TITLE)),
        (DCTERMS + "description", english(SUMMARY)),
        (DCTERMS + "publisher", PUBLISHER),
        (DCTERMS + "license", LICENCE),
        (DCTERMS + "source", list(sources)),
        (DCTERMS + "conformsTo", BASE + "def/kv"),
        (DCAT + "version", ox.Literal(release_id)),
        (DCAT + "hasCurrentVersion", current),
        (DCAT + "landingPage", _HOME),
        (FOAF + "page", BASE + "docs/about"),
        (DCAT + "distribution", [*distributions, CATALOGUE + "#endpoint"]),
    )  # fmt: skip
    yield from describe(BASE + "def/kv", (_TYPE, DCTERMS + "Standard"), (DCTERMS + "title", english("Ontology of knowledge valorisation")))
    yield from _documents(_HOME, BASE + "docs/about")
    yield from version(release_id, date)
    yield from describe(current, (DCAT + "distribution", distributions))
    for dump in dumps:
        yield from _distribution(dump, release_id, date, LICENCE, TITLE)
    yield from describe(
        CATALOGUE + "#endpoint",
        (_TYPE, DCAT + "Distribution"),
        (DCTERMS + "title", english(f"{TITLE}: SPARQL endpoint")),
        (DCTERMS + "description", english("The current release, to be asked in SPARQL 1.1.")),
        (DCAT + "accessURL", BASE + "sparql"),
        (DCAT + "accessService", BASE + "sparql#service"),
        (DCTERMS + "license", LICENCE),
        (DCTERMS + "rights", _RIGHTS),
        (DCATAP + "availability", eu.STABLE),
    )


def _source(iri: str, said: Said, dumps: list[dict], release_id: str, date: str) -> Iterator[ox.Triple]:
    publishers = [p.value if isinstance(p, ox.NamedNode) else _own_publisher(iri) for p in said.get(DCTERMS + "publisher", [])]
    licences = [v.value for v in said.get(DCTERMS + "license", [])]
    page = f"{BASE}doc/source/{iri.removeprefix(SOURCE)}"
    pages = [page, *(v.value for v in said.get(DCAT + "landingPage", []))]
    titles = said.get(DCTERMS + "title", [english(iri)])
    yield from _dataset(
        iri, dumps, date,
        (DCTERMS + "title", titles),
        (DCTERMS + "description", said.get(DCTERMS + "description", titles)),
        (DCTERMS + "publisher", publishers[:1]),  # the profile knows one
        (DCTERMS + "license", licences),
        (DCTERMS + "issued", said.get(DCTERMS + "issued", [])[:1]),
        (DCAT + "version", said.get(DCAT + "version", [])[:1]),
        (DCAT + "landingPage", pages),
        (DCAT + "distribution", [_distribution_iri(d) for d in dumps]),
    )  # fmt: skip
    yield from _documents(*pages)
    for dump in dumps:
        yield from _distribution(dump, release_id, date, licences[0] if licences else None, titles[0].value)


def _distribution_iri(dump: dict) -> str:
    return f"{CATALOGUE}#{dump['file']}"


def _distribution(dump: dict, release_id: str, date: str, licence: str | None, title: str) -> Iterator[ox.Triple]:
    """One dump. The access address always leads to the newest edition, the download address to the one with this checksum."""
    iri = _distribution_iri(dump)
    name, media_type, file_type = eu.FILE_TYPES[dump["format"]]
    yield from describe(
        iri,
        (_TYPE, DCAT + "Distribution"),
        (DCTERMS + "title", english(f"{title}: {name}")),
        (DCTERMS + "description", english(f"{dump['triples']:,} triples as {name}, compressed with gzip.")),
        (DCAT + "accessURL", f"{_DUMPS}latest/{dump['file']}"),
        (DCAT + "downloadURL", f"{_DUMPS}{release_id}/{dump['file']}"),
        (DCAT + "mediaType", media_type),
        (DCAT + "compressFormat", eu.GZIP),
        (DCTERMS + "format", file_type),
        (DCAT + "byteSize", typed(str(dump["bytes"]), "nonNegativeInteger")),
        (SPDX + "checksum", iri + "-checksum"),
        (DCTERMS + "license", licence),
        (DCTERMS + "rights", _RIGHTS if dump["source"] is None else None),
        (DCTERMS + "issued", typed(date, "date")),
        (DCATAP + "availability", eu.STABLE),
    )
    yield from describe(
        iri + "-checksum",
        (_TYPE, SPDX + "Checksum"),
        (SPDX + "algorithm", SPDX + "checksumAlgorithm_sha256"),
        (SPDX + "checksumValue", typed(dump["sha256"], "hexBinary")),
    )
    yield from describe(SPDX + "checksumAlgorithm_sha256", (_TYPE, SPDX + "ChecksumAlgorithm"))


def _services() -> Iterator[ox.Triple]:
    """Only what exists."""
    yield from _service("sparql", "SPARQL endpoint", "SPARQL 1.1 queries by the SPARQL 1.1 Protocol; no key, open to scripts and to other sites.", BASE + "sparql")
    yield from _service("data", "Graph Store", "Whole graphs by the SPARQL 1.1 Graph Store HTTP Protocol, read only.", BASE + "docs/api")
    yield from _service("reconcile", "Reconciliation", "Which thing a name means, by the Reconciliation Service API 0.2 that OpenRefine speaks: candidates with scores, suggestions, previews, data extension.", BASE + "docs/reconciliation")
    yield from _documents(BASE + "docs/reconciliation")
    yield from _documents(_API)


def _service(path: str, title: str, description: str, endpoint_description: str) -> Iterator[ox.Triple]:
    address = BASE + path
    yield from describe(
        address + "#service",
        (_TYPE, DCAT + "DataService"),
        (DCTERMS + "title", english(f"{title} of kvgraph")),
        (DCTERMS + "description", english(description)),
        (DCAT + "endpointURL", address),
        (DCAT + "endpointDescription", endpoint_description),
        (DCAT + "servesDataset", DATASET),
        (DCTERMS + "conformsTo", _STANDARDS[path]),
        (DCTERMS + "publisher", PUBLISHER),
        (DCTERMS + "license", LICENCE),
        (DCTERMS + "accessRights", eu.PUBLIC),
        (DCAT + "contactPoint", _CONTACT),
        (DCAT + "theme", [eu.theme(code) for code in _THEMES]),
        (DCAT + "keyword", [english(word) for word in _KEYWORDS]),
        (DCAT + "landingPage", _API),
    )
    for resource in filter(None, (address, endpoint_description)):
        yield from describe(resource, (_TYPE, RDFS + "Resource"))
    yield from describe(_STANDARDS[path], (_TYPE, DCTERMS + "Standard"))


def _agents(names: dict[str, str]) -> Iterator[ox.Triple]:
    for iri, name in names.items():
        yield from describe(iri, (_TYPE, FOAF + "Agent"), (FOAF + "name", english(name)))


def _documents(*pages: str) -> Iterator[ox.Triple]:
    for page in pages:
        yield from describe(page, (_TYPE, FOAF + "Document"))
