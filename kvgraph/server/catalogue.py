"""``/catalog``: the catalogue of DCAT-AP 3.0.1, for portals that harvest and for people."""

from collections import defaultdict
from dataclasses import dataclass

import pyoxigraph as ox
from flask import Blueprint, Response, render_template

from .. import releases
from ..build.catalogue import CATALOGUE, CATALOGUE_PREFIXES, version
from ..build.void import DATASET
from ..formats import HTML, JSONLD, NTRIPLES, RDFXML, TURTLE, Format
from ..graph import UnknownThing, best_label
from ..namespaces import DCAT, DCTERMS, FOAF
from ..releases import Release
from . import context, headers, schema_org
from .addresses import here, root
from .display import Shown, host, href_of

blueprint = Blueprint("catalogue", __name__)

OFFERED = (HTML, TURTLE, JSONLD, RDFXML, NTRIPLES)
SUFFIXES = {f.suffix: f for f in OFFERED[1:]}


@dataclass(frozen=True)
class Entry:
    """A data set of the catalogue, for a page: ``files`` are its dumps as the manifest lists them."""

    iri: str
    title: str
    description: str
    publisher: str
    licence: Shown | None
    issued: str
    files: list[dict]
    version: str = ""
    imported: dict | None = None  # what the manifest says of an import: rows read, taken, set aside …


@dataclass(frozen=True)
class Service:
    """A service of the catalogue, for a page: ``href`` leads to what tells of it, for its address alone may answer nothing."""

    title: str
    description: str
    href: str
    address: str
    standard: str


@blueprint.get("/catalog", defaults={"suffix": ""})
@blueprint.get("/catalog<suffix>")
def catalogue(suffix: str) -> Response:
    """The catalogue of the release, with the other releases that are here as further versions."""
    if suffix and suffix not in SUFFIXES:
        raise UnknownThing(f"The catalogue is not offered as “{suffix[:20]}”.", hint=f"There are: {', '.join(SUFFIXES)}.")
    format = SUFFIXES.get(suffix) or context.wanted_format(OFFERED)
    release = context.graph().release
    others = [r for r in releases.list_releases(release.home) if r.id != release.id]
    make = (lambda: _page(release)) if format is HTML else (lambda: _rdf(release, others, format))
    response = headers.tagged(format.name, make, *(r.id for r in others))
    for other in OFFERED[1:]:
        response.headers.add("Link", f'</catalog{other.suffix}>; rel="alternate"; type="{other.media_type}"')
    return response


def _page(release: Release) -> Response:
    found = entries(release)
    block = schema_org.catalogue(found, root(), release.id)
    html = render_template("catalogue.html", entries=found, services=_services(release), suffixes=SUFFIXES, schema_org=block)
    return Response(html, mimetype="text/html")


def _rdf(release: Release, others: list[Release], format: Format) -> Response:
    triples = _read(release)
    for other in others:
        triples += version(other.id, other.manifest["built"])
    data = ox.serialize(here(dict.fromkeys(triples), root()), format=format.engine, prefixes=CATALOGUE_PREFIXES)
    return Response(data, content_type=format.content_type)


def _read(release: Release) -> list[ox.Triple]:
    return [quad.triple for quad in ox.parse(release.catalogue.read_bytes(), format=TURTLE.engine)]


def entries(release: Release) -> list[Entry]:
    """The data sets of a release: the whole first, then each source."""
    said = _by_subject(_read(release))
    imported = {item["iri"]: item for item in release.manifest.get("imports", {}).values()}
    return [_entry(iri, said, release.manifest["dumps"], imported) for iri in said[CATALOGUE][DCAT + "dataset"]]


def _entry(iri: str, said: dict, dumps: list[dict], imported: dict[str, dict]) -> Entry:
    about = said[iri]
    publisher = next(iter(about[DCTERMS + "publisher"]), "")
    return Entry(
        iri,
        _english(about[DCTERMS + "title"]),
        _english(about[DCTERMS + "description"]),
        _english(said[publisher][FOAF + "name"]),
        _licence(about[DCTERMS + "license"], said),
        next((v.value for v in about[DCTERMS + "issued"]), ""),
        [d for d in dumps if d["source"] == (None if iri == DATASET else iri)],
        next((v.value for v in about[DCAT + "version"]), "") if iri != DATASET else "",
        imported.get(iri),
    )


def _licence(iris: list[str], said: dict) -> Shown | None:
    if not iris:
        return None
    return Shown(_english(said[iris[0]][DCTERMS + "title"]) or host(iris[0]), href_of(iris[0]), iri=iris[0])


def _services(release: Release) -> list[Service]:
    said = _by_subject(here(_read(release), root()))
    found = [said[iri] for about in list(said.values()) for iri in about.get(DCAT + "service", ())]
    return [
        Service(
            _english(s[DCTERMS + "title"]), _english(s[DCTERMS + "description"]), next(iter(s[DCAT + "endpointDescription"] + s[DCAT + "endpointURL"])),
            s[DCAT + "endpointURL"][0], s[DCTERMS + "conformsTo"][0],
        )
        for s in found
    ]  # fmt: skip


def _by_subject(triples) -> dict[str, dict[str, list]]:
    """Per subject and property the values: IRIs as text, literals as they are."""
    said: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for t in triples:
        said[t.subject.value][t.predicate.value].append(t.object.value if isinstance(t.object, ox.NamedNode) else t.object)
    return said


def _english(literals: list) -> str:
    found = best_label([(DCTERMS + "title", v) for v in literals])
    return found.value if found else ""
