"""The catalogue of the bundled data against the published SHACL shapes of DCAT-AP 3.0.1.

The shapes are no part of the project: ``KVGRAPH_SPECS`` names the folder that holds ``dcat-ap-3.0.1/``.
"""

import os
from pathlib import Path

import pytest
import rdflib
from pyshacl import validate

from tests.client import client_of

SH = rdflib.Namespace("http://www.w3.org/ns/shacl#")
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
DCTERMS = rdflib.Namespace("http://purl.org/dc/terms/")
# The published files refer to five property shapes that neither of them defines; pyshacl refuses such a graph.
UNDEFINED = 5


@pytest.fixture(scope="module")
def shapes() -> rdflib.Graph:
    folder = os.environ.get("KVGRAPH_SPECS")
    assert folder, "Set KVGRAPH_SPECS to the folder that holds dcat-ap-3.0.1/."
    graph = rdflib.Graph()
    for name in ("dcat-ap-SHACL.ttl", "ranges.ttl"):
        graph.parse(Path(folder) / "dcat-ap-3.0.1" / name)
    undefined = [(s, o) for s, o in graph.subject_objects(SH.property) if (o, SH.path, None) not in graph]
    assert len(undefined) == UNDEFINED
    for subject, shape in undefined:
        graph.remove((subject, SH.property, shape))
    assert len(set(graph.objects(None, SH.property))) > 250
    return graph


@pytest.fixture(scope="module")
def catalogue(bundled_home) -> rdflib.Graph:
    graph = rdflib.Graph()
    graph.parse(data=client_of(bundled_home).get("/catalog.ttl", base_url="https://kv.example/").data, format="turtle")
    return graph


def test_the_catalogue_conforms(catalogue, shapes):
    conforms, _, text = validate(catalogue, shacl_graph=shapes)
    assert conforms, text


def test_every_class_of_the_profile_that_we_use_was_checked(catalogue, shapes):
    targets = set(shapes.objects(None, SH.targetClass))
    for class_ in (DCAT.Catalog, DCAT.Dataset, DCAT.Distribution, DCAT.DataService):
        assert class_ in targets and list(catalogue.subjects(rdflib.RDF.type, class_))


@pytest.mark.parametrize(
    ("class_", "property_"),
    [(DCAT.Catalog, DCTERMS.publisher), (DCAT.Dataset, DCTERMS.title), (DCAT.Distribution, DCAT.accessURL), (DCAT.DataService, DCAT.endpointURL)],
)
def test_the_check_finds_what_is_missing(catalogue, shapes, class_, property_):
    broken = rdflib.Graph()
    broken += catalogue
    for subject in list(broken.subjects(rdflib.RDF.type, class_)):
        broken.remove((subject, property_, None))
    assert not validate(broken, shacl_graph=shapes)[0]
