"""Imports in a release: taken in, counted, described, checked; in memory and on the disk, with the same answers."""

import gzip
import json

import pyoxigraph as ox
import pytest

from kvgraph import open as open_graph
from kvgraph.build import BuildRefused, build
from kvgraph.build import imports as in_build
from kvgraph.build.read import source_files
from kvgraph.link import run as linking
from kvgraph.link.mappings import CLOSE, EXACT, MODEL, Mapping
from kvgraph.model import EDGES
from kvgraph.namespaces import DCAT, KV, RDF, VOID
from kvgraph.sources import importing, source
from kvgraph.sources.imported import imports

from .server.conftest import client_of
from .test_sources import ROR, write, zipped

INSTITUTE = {
    "id": "https://ror.org/000000009", "status": "active", "types": ["facility"], "links": [], "external_ids": [], "established": None, "admin": {},
    "names": [{"value": "Institute of <sub>Water</sub>", "types": ["label", "ror_display"], "lang": "en"}, {"value": "IW", "types": ["acronym"], "lang": None}],
    "locations": [{"geonames_details": {"country_code": "EL", "name": "Athens"}}], "relationships": [],
}  # fmt: skip
PROJECTS = "id;title;frameworkProgramme\n101000001;Living labs;HORIZON\n=1+1;Sum;HORIZON\n"
PARTS = "projectID;organisationID;name;country;role\n101000001;999991334;KU Leuven;;coordinator\n101000001;999909000;ETHNIKO IDRYMA;;participant\n"
PROJECT, LEUVEN = "https://cordis.europa.eu/project/id/101000001", "https://ec.europa.eu/info/funding-tenders/opportunities/portal/screen/how-to-participate/org-details/999991334"


def with_imports(home):
    leuven = {**ROR, "locations": []}
    importing.run(home, source("ror"), [write(home, "v1.60-ror.json", json.dumps([leuven, {**INSTITUTE, "locations": []}]))])
    importing.run(home, source("cordis"), [write(home, "cordis-2026.zip", zipped(project_csv=PROJECTS, organization_csv=PARTS))])


@pytest.fixture(scope="module", params=["small", "large", "on the disk"])
def home(request, tmp_path_factory):
    """A home with a release of the invented facts and two imports, taken in in each of the ways there are."""
    from .conftest import SMALL

    place = tmp_path_factory.mktemp("home")
    with_imports(place)
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "small":
            patch.setattr(in_build, "LARGE", 0)
        if request.param == "on the disk":
            patch.setenv("KVGRAPH_MEMORY_QUADS", "10")
        release = build(place, data=SMALL).release
    assert (release.path / "store").is_dir() == (request.param == "on the disk")
    return place


@pytest.fixture(scope="module")
def graph(home):
    return open_graph(home)


def triples(release):
    with gzip.open(release.nquads) as file:
        return list(ox.parse(file, format=ox.RdfFormat.N_QUADS))


def test_the_dump_is_the_graph_sorted_and_its_default_graph_the_merge(graph):
    with gzip.open(graph.release.nquads) as file:
        lines = file.read().splitlines()
    assert lines == sorted(set(lines))
    quads = triples(graph.release)
    merge = {q.triple for q in quads if isinstance(q.graph_name, ox.DefaultGraph)}
    assert merge == {q.triple for q in quads if not isinstance(q.graph_name, ox.DefaultGraph)}
    counts = graph.release.manifest["counts"]
    assert counts["triples"] == len(merge) and counts["quads"] == len(quads) - len(merge)
    assert (counts["organisation"], counts["project"], counts["actor"]) == (4, 1, 3)
    assert [(r["n"]) for r in graph.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")] == [len(merge)]


def test_void_counts_what_was_imported(graph):
    (row,) = graph.query(f"SELECT ?n {{ <https://w3id.org/kvgraph/id/dataset/kvgraph> <{VOID}triples> ?n }}")
    assert row["n"] == graph.release.manifest["counts"]["triples"]


def test_a_dump_of_the_source_has_its_graph_its_merge_and_its_description(graph):
    dump = next(d for d in graph.release.manifest["dumps"] if d["file"] == "import-cordis.nq.gz")
    with gzip.open(graph.release.dumps / dump["file"]) as file:
        quads = list(ox.parse(file, format=ox.RdfFormat.N_QUADS))
    assert {q.graph_name.value for q in quads if isinstance(q.graph_name, ox.NamedNode)} == {
        "https://w3id.org/kvgraph/graph/cordis/2026", "https://w3id.org/kvgraph/graph/import/cordis",
    }  # fmt: skip
    assert dump["triples"] == sum(isinstance(q.graph_name, ox.DefaultGraph) for q in quads) and dump["quads"] == len(quads) - dump["triples"]


def test_imported_things_are_found_and_connected(graph):
    assert [hit.iri for hit in graph.search("living labs", where={"type": ["project"]}).hits] == [PROJECT]
    result = graph.connect(LEUVEN, PROJECT)
    assert [hop.sentence for hop in result.paths[0].hops] == ["KU Leuven took part as coordinator in Living labs"]
    assert result.paths[0].hops[0].kind == "cordis"
    assert graph.connect(ROR["id"], INSTITUTE["id"]).paths[0].hops[0].kind == "ror"


def test_ties_of_a_source_can_be_switched_off(graph):
    assert graph.connect(ROR["id"], INSTITUTE["id"], kinds=[name for name in EDGES if name != "ror"]).paths == []


def test_the_page_of_a_source_says_what_came_in_and_what_was_set_aside(graph):
    page = client_of(graph).get("/doc/source/import-cordis").text
    assert "What came in" in page and "is no number of a project" in page and "cordis-2026.zip" in page
    catalogue = client_of(graph).get("/catalog").text
    assert "3 of 4 rows, 1 set aside" in catalogue and "v1.60" in catalogue
    turtle = client_of(graph).get("/catalog.ttl").text
    assert turtle.count("import-ror>") > 1 and f"{DCAT}version" not in turtle and 'dcat:version "v1.60"' in turtle


def test_imported_things_have_pages_and_rdf(graph):
    client = client_of(graph)
    page = client.get("/doc/organisation/ror/000000009")
    assert page.status_code == 200 and "Institute of Water" in page.text and "<sub>" not in page.text
    assert client.get("/doc/project/cordis/101000001", headers={"Accept": "text/turtle"}).status_code == 200
    assert "/doc/project/cordis/101000001" in client.get("/search?q=living+labs").text
    elsewhere = client.get("/doc/organisation/ror/05aaaaa05")
    assert elsewhere.status_code == 303 and elsewhere.headers["Location"] == "https://ror.org/05aaaaa05"
    assert client.get("/doc/practice/unknown").status_code == 404


def test_nothing_half_imported_is_in_a_release(tmp_path, small_data):
    with_imports(tmp_path)
    half = imports(tmp_path)["ror"].path
    half.rename(half.with_name(".ror.123"))
    assert [name for name in source_files(tmp_path, small_data) if name.startswith("sources/")] == ["sources/imports/cordis/source.trig"]


@pytest.mark.parametrize("large", [0, 50_000])
def test_an_import_that_breaks_a_must_is_refused_and_named(tmp_path, small_data, monkeypatch, large):
    monkeypatch.setattr(in_build, "LARGE", large)
    with_imports(tmp_path)
    data = imports(tmp_path)["cordis"].data
    lines = [line for line in data.read_text().splitlines(keepends=True) if "rdf-schema#label" not in line]
    data.write_text("".join(lines))
    with pytest.raises(BuildRefused) as caught:
        build(tmp_path, data=small_data)
    (violation,) = caught.value.violations
    assert violation["subject"] == PROJECT and "needs a title" in violation["message"] and "sources/imports/cordis" in violation["file"]


def test_a_new_import_means_a_new_release_and_the_same_none(tmp_path, small_data):
    first = build(tmp_path, data=small_data)
    with_imports(tmp_path)
    second = build(tmp_path, data=small_data)
    assert second.fresh and second.release.id != first.release.id and not build(tmp_path, data=small_data).fresh
    kinds = [q.object.value for q in triples(second.release) if q.predicate.value == RDF + "type" and q.subject.value == LEUVEN]
    assert KV + "Actor" not in kinds


def test_an_identifier_leads_to_what_certainly_has_it_and_not_to_a_candidate(tmp_path, small_data):
    """Of an entry that is imported and perhaps one of ours; then of one that certainly is."""
    with_imports(tmp_path)
    describe_links(small_data)
    for predicate, page in ((CLOSE, "/doc/organisation/ror/05f950310"), (EXACT, "/doc/actor/harbour-university")):
        ours = "https://w3id.org/kvgraph/id/actor/harbour-university"
        linking.write(tmp_path, linking.Linked([Mapping(ours, "Harbour University", predicate, ROR["id"], "KU Leuven", MODEL, 0.9, object_source="ror", mapping_date="2026-11-28")]))
        build(tmp_path, data=small_data)
        response = client_of(open_graph(tmp_path)).get("/resolve", query_string={"id": ROR["id"]}, headers={"Accept": "text/html"})
        assert (response.status_code, response.headers.get("Location")) == (303, page)


def test_links_to_every_register_are_taken_into_a_release(tmp_path, small_data):
    """Accepted ones and candidates, to what any importer of organisations gives them as their address."""
    with_imports(tmp_path)
    describe_links(small_data)
    entries = {"ror": ROR["id"], "cordis": LEUVEN, "kohesio": "https://linkedopendata.eu/entity/Q5", "wikidata": "http://www.wikidata.org/entity/Q833670"}
    links = [
        Mapping(f"https://w3id.org/kvgraph/id/actor/{ours}", ours, predicate, entry, "", MODEL, 0.9, object_source=name, mapping_date="2026-11-28")
        for name, entry in entries.items() for ours, predicate in (("harbour-university", EXACT), ("fjord-institute", CLOSE))
    ]  # fmt: skip
    linking.write(tmp_path, linking.Linked(links))
    build(tmp_path, data=small_data)
    linked = open_graph(tmp_path).resolve(entries["cordis"])
    assert {r.thing.iri.rpartition("/")[2] for r in linked} >= {"harbour-university", "fjord-institute"}


def describe_links(data):
    """Small data have no source of links yet."""
    described = (data / "sources.ttl").read_text(encoding="utf-8")
    (data / "sources.ttl").write_text(described + described[described.index("\n<https") :].replace("source/examples", "source/links"), encoding="utf-8")
