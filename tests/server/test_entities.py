"""Things and documents about them: redirects, representations, pages of every type."""

import html
import json
import re

import pyoxigraph as ox
import pytest

from kvgraph.build.read import source_files
from kvgraph.model import ENTITY_TYPES, path_of
from kvgraph.namespaces import DCTERMS, ID
from kvgraph.server.entity_view import view

from ..conftest import SMALL
from .conftest import Counting, client_of, graph_of
from .html import check

LAB = "/doc/practice/living-lab"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
RDF = {"ttl": "text/turtle", "jsonld": "application/ld+json", "nt": "application/n-triples", "rdf": "application/rdf+xml"}


def test_a_thing_redirects_to_the_document_about_it(client):
    for accept in ("text/html", "text/turtle", "*/*"):
        response = client.get("/id/practice/living-lab", headers={"Accept": accept})
        assert (response.status_code, response.headers["Location"]) == (303, LAB)
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/id/practice/living-lab?format=ttl").headers["Location"] == LAB + "?format=ttl"
    assert client.get("/id//evil.example/x", follow_redirects=False).headers["Location"].startswith(("/doc/", "http://localhost/id/"))


@pytest.mark.parametrize(("suffix", "media_type"), RDF.items())
def test_rdf_by_accept_by_suffix_and_by_format_is_the_same(client, suffix, media_type):
    by_accept = client.get(LAB, headers={"Accept": media_type})
    by_suffix = client.get(f"{LAB}.{suffix}", headers=BROWSER)
    by_format = client.get(LAB, query_string={"format": suffix})
    assert by_accept.mimetype == by_suffix.mimetype == by_format.mimetype == media_type
    assert by_accept.data == by_suffix.data == by_format.data
    triples = {quad.triple for quad in ox.parse(by_accept.data, format=ox.RdfFormat.from_media_type(media_type))}
    lab, title = ox.NamedNode(ID + "practice/living-lab"), ox.NamedNode(DCTERMS + "title")
    assert ox.Triple(lab, title, ox.Literal("Living lab of the harbour", language="en")) in triples


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/html"),
        ("text/html", "text/html"),
        ("text/turtle;q=0.9, text/html;q=0.8", "text/turtle"),
        ("application/json", "application/ld+json"),
        ("application/rdf+xml, */*;q=0.1", "application/rdf+xml"),
        ("text/x-unknown, application/n-triples;q=0.2", "application/n-triples"),
    ],
)
def test_accept_decides(client, accept, media_type):
    response = client.get(LAB, headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (200, media_type)
    assert "Accept" in response.headers["Vary"]
    assert sum('rel="alternate"' in link for link in response.headers.getlist("Link")) == 4


def test_what_cannot_be_sent_is_406(client):
    response = client.get(LAB, headers={"Accept": "image/png"})
    assert response.status_code == 406 and b"text/turtle" in response.data


@pytest.mark.parametrize("path", ["/doc/practice/no-such-thing", "/doc/nonsense", "/doc/practice/a b<c>", "/doc/practice/%22%7B%7D", "/doc/" + "x" * 3000])
@pytest.mark.parametrize("suffix", ["", ".ttl"])
def test_what_is_unknown_is_404(client, path, suffix):
    assert client.get(path + suffix).status_code == 404


def test_the_page_for_what_is_unknown_offers_a_search(client):
    response = client.get("/doc/practice/harbour-livinglab-that-is-not", headers=BROWSER)
    text = response.data.decode()
    check(text)
    assert response.status_code == 404
    assert 'value="harbour livinglab that is not"' in text
    near = client.get("/doc/practice/harbour-living-lab", headers=BROWSER).data.decode()
    assert LAB in near, "the nearest by name is offered"


def test_the_etag_belongs_to_one_representation(client):
    tags = {name: client.get(LAB, headers={"Accept": name}).headers["ETag"] for name in ("text/html", *RDF.values())}
    assert len(set(tags.values())) == 5
    for name, tag in tags.items():
        again = client.get(LAB, headers={"Accept": name, "If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.data) == (304, b"")
    assert client.get(LAB, headers={"Accept": "text/turtle", "If-None-Match": tags["text/html"]}).status_code == 200
    spanish = client.get("/doc/country/ESP", headers={"Accept-Language": "es"})
    assert spanish.headers["ETag"] != client.get("/doc/country/ESP").headers["ETag"]


def test_facts_stand_in_order_and_name_their_sources(client):
    text = client.get(LAB, headers=BROWSER).data.decode()
    places = [text.index(words) for words in ("Living lab of the harbour</h1>", "What it is about", "Who took part", "Where and when")]
    assert places == sorted(places)
    assert text.index("Harbour University</a>") < text.index("Fjord Institute</a>"), "the lead before the partner"
    assert 'href="https://example.org/living-lab"' in text and "November 2026" in text
    assert text.count('class="mark stated"') >= 4 and 'class="mark classified"' in text


def test_a_region_gathers_what_is_inside_and_an_actor_whom_it_worked_with(client):
    spain = client.get("/doc/region/ES", headers=BROWSER).data.decode()
    assert "Practices here and inside" in spain and LAB in spain
    assert LAB not in client.get("/doc/region/DK", headers=BROWSER).data.decode()
    actor = client.get("/doc/actor/harbour-university", headers=BROWSER).data.decode()
    assert "As lead" in actor and "Worked with" in actor and "/doc/actor/fjord-institute" in actor
    crumbs = client.get("/doc/region/ES51", headers=BROWSER).data.decode()
    assert crumbs.index('"/doc/region/ES"') < crumbs.index('"/doc/region/ES5"') < crumbs.index("<h1")


def test_labels_follow_the_reader_and_say_their_language(client):
    spanish = client.get("/doc/country/ESP", headers={"Accept-Language": "es-ES, en;q=0.5"}).data.decode()
    assert '<h1 lang="es" dir="auto">España</h1>' in spanish
    assert '<h1 dir="auto">Spain</h1>' in client.get("/doc/country/ESP", headers={"Accept-Language": "ga"}).data.decode()
    assert "Accept-Language" in client.get("/doc/country/ESP").headers["Vary"]


@pytest.mark.parametrize("name", [t.name for t in ENTITY_TYPES if t.name not in ("organisation", "project")])  # which are imported
def test_every_type_has_pages_that_hold_to_the_rules(bundled, bundled_home, name):
    type_ = next(t for t in ENTITY_TYPES if t.name == name)
    things = [row["thing"] for row in bundled.run("pages/options", of=type_.iri)]
    # The one with most said about it, which is where something breaks, and a few from all over the list.
    sample = [*things[:: max(1, len(things) // 12)], things[-1]]
    backend = Counting(bundled.backend.store)
    graph = type(bundled)(backend, bundled.release)
    client = client_of(graph)
    for iri in sample:
        before = backend.asked
        response = client.get(path_of(iri), headers=BROWSER)
        assert response.status_code == 200
        assert backend.asked - before <= 8, f"{backend.asked - before} queries for {iri}"
        check(response.data.decode())
        with client.application.test_request_context():
            assert view(graph, iri, "en", 50).type == type_
    assert len(sample) >= min(8, len(things))


@pytest.mark.parametrize("path", ["/doc/level/regional", "/doc/actor-kind/university", "/doc/tool-kind/network", "/doc/basis/stated", "/doc/eli/reco/2022/2415/oj"])
def test_terms_and_laws_have_pages_too(bundled_client, path):
    response = bundled_client.get(path, headers=BROWSER)
    assert response.status_code == 200
    check(response.data.decode())


def test_links_of_a_document_lead_to_its_other_forms_and_its_one_address(client):
    """RFC 8288: describedby, alternate per format, canonical (RFC 6596), and what the document is about."""
    for path in (LAB, LAB + ".ttl", LAB + "?format=nt"):
        links = client.get(path, headers=BROWSER).headers.getlist("Link")
        assert f'<http://localhost{LAB}>; rel="canonical"' in links and f'<{ID}practice/living-lab>; rel="describes"' in links
        assert f'<{LAB}.ttl>; rel="describedby"; type="text/turtle"' in links
        others = {re.match(r'<(.*)>; rel="alternate"; type="(.*)"', link).groups() for link in links if "alternate" in link}
        assert others == {(f"{LAB}.{suffix}", media_type) for suffix, media_type in RDF.items()}
    assert f'<{LAB}>; rel="describedby"' in client.get("/id/practice/living-lab").headers["Link"]
    assert f'<link rel="canonical" href="http://localhost{LAB}">' in client.get(LAB, headers=BROWSER).data.decode()


def test_a_page_that_somebody_shares_is_told_by_its_title_and_description(bundled_client):
    """https://ogp.me, which chats and social networks read for a preview. Quotation marks in a title stay inside the attribute."""
    quoted = 0
    for path in ("/", "/doc/practice/accelerate-at-cern-greece", "/question/practices-per-country", "/search?q=%22spin+off%22"):
        text = bundled_client.get(path, headers=BROWSER).text
        title, description = (html.unescape(re.search(pattern, text)[1]) for pattern in ("<title>(.*) · kvgraph</title>", '<meta name="description" content="([^"]+)">'))
        shown = dict(re.findall(r'<meta property="og:(title|description)" content="([^"]*)">', text))
        assert {name: html.unescape(value) for name, value in shown.items()} == {"title": title, "description": description}
        quoted += '"' in title or "“" in title
    assert quoted == 1


@pytest.mark.parametrize(("path", "type_", "said"), [
    ("/doc/practice/living-lab", "Project", {"name": "Living lab of the harbour", "@id": ID + "practice/living-lab"}),
    ("/doc/actor/harbour-university", "Organization", {"@id": ID + "actor/harbour-university"}),
    ("/doc/region/ES51", "AdministrativeArea", {"identifier": "ES51"}),
])  # fmt: skip
def test_search_engines_find_schema_org(client, path, type_, said):
    block = json.loads(check(client.get(path, headers=BROWSER).data.decode()).data)
    assert block["@context"] == "https://schema.org" and block["@type"] == type_ and block["mainEntityOfPage"] == "http://localhost" + path
    assert said.items() <= block.items()


def test_schema_org_of_hostile_data_stays_data(client):
    text = client.get("/doc/practice/hostile", headers=BROWSER).data.decode()
    page = check(text)
    block = json.loads(page.data)
    assert "<script>" in json.dumps(block) and text.count("</script>") == len(page.scripts)


# ── Hostile data ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_hostile_labels_are_text_and_hostile_iris_no_links(client):
    for path in ("/doc/practice/hostile", "/search?q=hostile+script", "/connections?a=practice/hostile&b=practice/living-lab", "/search?type=practice"):
        text = client.get(path, headers=BROWSER).data.decode()
        page = check(text)
        assert text.count("<script") == len(page.scripts) and "<img src=x" not in text and "<h1>fooled" not in text
        assert not any(href.startswith(("javascript:", "data:")) for href in page.links)
    page = client.get("/doc/practice/hostile", headers=BROWSER).data.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "{{ 7*7 }}" in page and "javascript:alert(3)" in page
    assert 'lang="ar" dir="auto"' in page


def test_a_thing_without_a_label_is_called_by_its_iri(client):
    text = client.get("/doc/actor/without-label", headers=BROWSER).data.decode()
    assert check(text) and "actor/without-label</h1>" in text


@pytest.mark.parametrize(("iri", "label"), [(ID + "practice/sp%20ace", "Percent"), (ID + "practice/ümlaut", "Ümlaut")])
def test_escapes_in_an_iri_survive_the_round_trip(client, iri, label):
    path = path_of(iri)
    assert label in client.get(path, headers=BROWSER).data.decode()
    assert client.get(path + ".ttl").status_code == 200
    assert label in client.get(path_of(iri, under="id"), headers=BROWSER, follow_redirects=True).data.decode()


def test_a_renamed_thing_leads_to_its_new_address(tmp_path):
    renamed = tmp_path / "renamed.trig"
    renamed.write_text(
        "PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX p: <https://w3id.org/kvgraph/id/practice/>"
        " <https://w3id.org/kvgraph/graph/practice/living-lab/about> { p:old-lab dcterms:isReplacedBy p:living-lab . p:lost dcterms:isReplacedBy <http://example.org/> }"
    )
    client = client_of(graph_of(tmp_path / "home", {**source_files(tmp_path / "none", SMALL), "renamed.trig": renamed}))
    for address, location in {"/doc/practice/old-lab": "/doc/practice/living-lab", "/doc/practice/old-lab.ttl": "/doc/practice/living-lab.ttl"}.items():
        response = client.get(address)
        assert (response.status_code, response.headers["Location"]) == (301, location)
    assert client.get("/id/practice/old-lab", follow_redirects=True).status_code == 200
    assert client.get("/doc/practice/lost").status_code == 404, "never to another site"
