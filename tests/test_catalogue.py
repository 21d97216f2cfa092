"""The catalogue, the sitemap and robots.txt: what harvesters and crawlers read."""

import json
import re
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest

from kvgraph import open as open_graph
from kvgraph import releases
from kvgraph.build import build
from kvgraph.build.authorities import described, language
from kvgraph.build.rdf import describe
from kvgraph.build.void import DATASET
from kvgraph.namespaces import DCAT, DCTERMS, RDF
from kvgraph.server import robots
from kvgraph.server.addresses import here

from .client import client_of

HOST = "https://kv.example"
SOURCE = "https://w3id.org/kvgraph/id/source/examples"
FORMATS = {
    ".ttl": ("text/turtle", ox.RdfFormat.TURTLE),
    ".jsonld": ("application/ld+json", ox.RdfFormat.JSON_LD),
    ".rdf": ("application/rdf+xml", ox.RdfFormat.RDF_XML),
    ".nt": ("application/n-triples", ox.RdfFormat.N_TRIPLES),
}


@pytest.fixture(scope="module")
def release(small_home):
    return releases.current(small_home)


@pytest.fixture(scope="module")
def client(small_home):
    return client_of(small_home)


@pytest.fixture(scope="module")
def triples(client):
    return {q.triple for q in ox.parse(client.get("/catalog.ttl", base_url=HOST).data, format=ox.RdfFormat.TURTLE)}


@pytest.fixture(scope="module")
def values(triples):
    def of(subject, property_):
        return {t.object.value for t in triples if t.subject.value == subject and t.predicate.value == property_}

    return of


# ── The catalogue ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_by_suffix_and_by_accept(client, triples, suffix):
    media_type, format = FORMATS[suffix]
    by_suffix = client.get(f"/catalog{suffix}", base_url=HOST)
    by_accept = client.get("/catalog", base_url=HOST, headers={"Accept": media_type})
    assert by_suffix.mimetype == by_accept.mimetype == media_type and by_suffix.data == by_accept.data
    assert {q.triple for q in ox.parse(by_suffix.data, format=format)} == triples
    assert by_suffix.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get(f"/catalog{suffix}", base_url=HOST, headers={"If-None-Match": by_suffix.headers["ETag"]}).status_code == 304


def test_an_unknown_suffix_and_an_impossible_accept(client):
    assert client.get("/catalog.csv").status_code == 404
    assert client.get("/catalogue").status_code == 404
    assert client.get("/catalog", headers={"Accept": "image/png"}).status_code == 406


def test_the_whole_and_every_source_are_listed(values):
    assert values(f"{HOST}/catalog", DCAT + "dataset") == {DATASET, SOURCE}
    assert values(f"{HOST}/catalog", DCAT + "service") == {f"{HOST}/{name}#service" for name in ("sparql", "data", "reconcile")}


def test_every_dump_is_a_distribution_that_can_be_fetched(client, values, release):
    for dataset, source in ((DATASET, None), (SOURCE, SOURCE)):
        files = {d["file"]: d for d in release.manifest["dumps"] if d["source"] == source}
        found = values(dataset, DCAT + "distribution") - {f"{HOST}/catalog#endpoint"}
        assert found == {f"{HOST}/catalog#{file}" for file in files}
        for distribution in found:
            (url,) = values(distribution, DCAT + "downloadURL")
            (checksum,) = values(distribution, "http://spdx.org/rdf/terms#checksum")
            answer = client.get(url.removeprefix(HOST))
            assert {str(len(answer.data))} == values(distribution, DCAT + "byteSize")
            assert values(checksum, "http://spdx.org/rdf/terms#checksumValue") == {answer.headers["ETag"].strip('"')}
            (latest,) = values(distribution, DCAT + "accessURL")
            assert client.get(latest.removeprefix(HOST)).headers["Location"] == url.removeprefix(HOST)


def test_services_answer_at_their_addresses(client, values):
    for service in values(f"{HOST}/catalog", DCAT + "service"):
        (address,) = values(service, DCAT + "endpointURL")
        query = {"/sparql": {"query": "ASK {}"}, "/data": {"default": ""}}.get(address.removeprefix(HOST), {})
        assert client.get(address.removeprefix(HOST), query_string=query).status_code == 200


def test_the_page_leads_to_services_and_to_no_error(client):
    text = client.get("/catalog", headers={"Accept": "text/html"}, base_url=HOST).text
    links = re.findall(r'<h3><a href="https://kv\.example([^"]+)"', text.partition("Services")[2])
    assert len(links) == 3 and {client.get(link, headers={"Accept": "text/html"}).status_code for link in links} == {200}


def test_search_engines_find_the_data_sets(client, triples):
    text = client.get("/catalog", headers={"Accept": "text/html"}, base_url=HOST).text
    said = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text)[1])
    assert (said["@context"], said["@type"], said["url"]) == ("https://schema.org", "DataCatalog", f"{HOST}/catalog")
    assert {d["@id"] for d in said["dataset"]} == {t.object.value for t in triples if t.predicate.value == DCAT + "dataset"}
    whole = said["dataset"][0]
    assert whole["@id"] == DATASET and whole["license"].startswith("https://creativecommons.org/") and len(whole["description"]) >= 50
    for file in whole["distribution"]:
        assert client.get(file["contentUrl"].removeprefix(HOST)).status_code == 302, file


def test_pages_of_ours_that_the_catalogue_leads_to_are_there(client, triples):
    pages = {t.object.value for t in triples if isinstance(t.object, ox.NamedNode) and t.object.value.startswith(HOST)}
    paths = {p.removeprefix(HOST).partition("#")[0] for p in pages if "/release/" not in p}
    assert len(paths) > 5
    for path in sorted(paths):
        assert client.get(path or "/").status_code in (200, 302, 400 if path == "/data" else 200), path


def test_no_blank_nodes_and_nothing_left_at_the_address_of_nobody(triples):
    terms = {term for t in triples for term in (t.subject, t.object)}
    assert not any(isinstance(term, ox.BlankNode) for term in terms)
    ours = {t.value.removeprefix("https://w3id.org/kvgraph/") for t in terms if isinstance(t, ox.NamedNode) and t.value.startswith("https://w3id.org/kvgraph/")}
    assert ours and all(name.startswith(("id/", "def/")) for name in ours)


def test_other_releases_are_versions_of_the_data_set(tmp_path, small_data):
    first = build(tmp_path, data=small_data).release
    second = build(tmp_path, data=small_data, force=True).release
    data = client_of(tmp_path).get("/catalog.nt", base_url=HOST).text
    assert f"<{DATASET}> <{DCAT}version> \"{second.id}\" ." in data
    for release in (first, second):
        assert f"<{DATASET}> <{DCAT}hasVersion> <{HOST}/release/{release.id}> ." in data
        assert f"<{HOST}/release/{release.id}> <{DCAT}isVersionOf> <{DATASET}> ." in data
    assert data.count(f"<{DCAT}hasCurrentVersion>") == 1 and f"<{DCAT}hasCurrentVersion> <{HOST}/release/{second.id}>" in data


def test_pinned_to_a_release_addresses_stay_in_it_but_for_releases_themselves():
    triple = ox.Triple(*(ox.NamedNode(f"https://w3id.org/kvgraph/{path}") for path in ("sparql", "def/kv#lead", "release/b")))
    (moved,) = here([triple], f"{HOST}/prefix/release/a/")
    assert [t.value for t in moved] == [f"{HOST}/prefix/release/a/sparql", "https://w3id.org/kvgraph/def/kv#lead", f"{HOST}/prefix/release/b"]


def test_a_source_keeps_its_own_licence_publisher_and_name(tmp_path, small_data):
    sources = small_data / "sources.ttl"
    text = sources.read_text(encoding="utf-8").replace("https://creativecommons.org/licenses/by/4.0/", "https://licence.example/")
    sources.write_text(text.replace("<https://w3id.org/kvgraph/id/actor/kvgraph-curators>", '"Office of Examples"@en'), encoding="utf-8")
    build(tmp_path, data=small_data)
    client = client_of(tmp_path)
    triples = {q.triple for q in ox.parse(client.get("/catalog.ttl").data, format=ox.RdfFormat.TURTLE)}
    licences = {t.object.value for t in triples if t.subject.value.endswith("#examples.nq.gz") and t.predicate.value == DCTERMS + "license"}
    assert licences == {"https://licence.example/"}
    assert "Office of Examples" in client.get("/catalog").text and "licence.example" in client.get("/catalog").text


def test_a_hostile_licence_is_never_a_link(tmp_path, small_data):
    sources = small_data / "sources.ttl"
    sources.write_text(sources.read_text(encoding="utf-8").replace("https://creativecommons.org/licenses/by/4.0/", "javascript:alert(1)"), encoding="utf-8")
    build(tmp_path, data=small_data)
    client = client_of(tmp_path)
    for page in ("/catalog", "/dumps/"):
        assert 'href="javascript' not in client.get(page).text


def test_the_page_shows_data_sets_files_and_services(client, release):
    page = client.get("/catalog", headers={"Accept": "text/html"}).text
    assert "Invented records for tests." in page and "CC BY 4.0" in page and "kvgraph curators" in page
    assert all(f"/dumps/latest/{d['file']}" in page for d in release.manifest["dumps"])
    assert "http://localhost/sparql" in page and "http://localhost/data" in page


def test_languages_are_those_of_the_texts(values):
    found = {iri.rpartition("/")[2] for iri in values(SOURCE, DCTERMS + "language")}
    assert found == {"ENG", "SPA"}


def test_entries_of_authority_tables_carry_class_and_name():
    triples = list(describe("x:a", (DCTERMS + "language", language("mt")), (DCTERMS + "license", "https://creativecommons.org/licenses/by/4.0/")))
    said = {(t.subject.value, t.object.value) for t in described(triples) if t.predicate.value in (RDF + "type", DCTERMS + "title")}
    assert said == {
        (language("mt"), DCTERMS + "LinguisticSystem"),
        ("https://creativecommons.org/licenses/by/4.0/", DCTERMS + "LicenseDocument"),
        ("https://creativecommons.org/licenses/by/4.0/", "CC BY 4.0"),
    }
    assert language("xx") is None


# ── Sitemap and robots.txt ───────────────────────────────────────────────────────────────────────────────────────────


def locations(answer):
    assert answer.status_code == 200 and answer.mimetype == "application/xml"
    return [node.text for node in ElementTree.fromstring(answer.data).iter(f"{{{robots.SITEMAP}}}loc")]


def test_scripts_are_let_in_and_shown_the_sitemap(client):
    answer = client.get("/robots.txt", base_url=HOST)
    assert answer.mimetype == "text/plain"
    assert answer.text.splitlines() == ["User-agent: *", "Disallow:", "", f"Sitemap: {HOST}/sitemap.xml"]


def test_the_sitemap_lists_every_page_once_and_each_is_there(client, small_home):
    (part,) = locations(client.get("/sitemap.xml", base_url=HOST))
    assert part == f"{HOST}/sitemap-1.xml"
    found = locations(client.get("/sitemap-1.xml", base_url=HOST))
    assert len(found) == len(set(found)) and all(address.startswith(f"{HOST}/") for address in found)
    graph = open_graph(small_home)
    assert f"{HOST}/doc/practice/living-lab" in found and f"{HOST}/doc/region/ES51" in found
    assert len([a for a in found if "/doc/" in a]) == sum(graph.release.manifest["counts"][t] for t in (
        "practice", "learning-example", "actor", "policy", "principle", "region", "country", "channel", "source"
    ))  # fmt: skip
    for address in found:
        answer = client.get(address.removeprefix(HOST), headers={"Accept": "text/html"})
        assert answer.status_code == 200 and answer.mimetype == "text/html", address


def test_parts_are_no_longer_than_the_protocol_allows(client, monkeypatch):
    monkeypatch.setattr(robots, "PART", 20)
    parts = locations(client.get("/sitemap.xml"))
    pages = [locations(client.get(part.removeprefix("http://localhost"))) for part in parts]
    assert len(parts) > 2 and all(len(page) == 20 for page in pages[:-1]) and 0 < len(pages[-1]) <= 20
    assert len({address for page in pages for address in page}) == sum(map(len, pages))
    assert client.get(f"/sitemap-{len(parts) + 1}.xml").status_code == client.get("/sitemap-0.xml").status_code == 404


def test_dates_are_those_of_the_release(client, release):
    assert f"<lastmod>{release.manifest['built'][:10]}</lastmod>" in client.get("/sitemap-1.xml").text


@pytest.mark.parametrize("address", ["/sitemap.xml", "/sitemap-1.xml", "/robots.txt"])
def test_unchanged_is_304(client, address):
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
