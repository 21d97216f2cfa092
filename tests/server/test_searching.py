"""Search without a script: words and facets, chips, exports, feeds, suggestions; whatever somebody types or links to."""

import csv
import io
import json
import re
import zipfile
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest

from kvgraph.graph import Graph
from kvgraph.model import TYPES
from kvgraph.namespaces import COUNTRY, DCTERMS, ID, KV, RDF, SKOS
from kvgraph.releases import Release
from kvgraph.search import FACETS, build_index
from kvgraph.server.facets import Selection
from kvgraph.store import Embedded

from .conftest import client_of
from .html import check

BROWSER = {"Accept": "text/html"}
LAB, UNIVERSITY = "/doc/practice/living-lab", "/doc/actor/harbour-university"
ATOM = "{http://www.w3.org/2005/Atom}"
MANY = 10_000


def page(client, address, language="en"):
    response = client.get(address, headers={**BROWSER, "Accept-Language": language})
    assert (response.status_code, response.mimetype) == (200, "text/html"), response.data[:500]
    text = response.data.decode()
    return text, check(text)


def choices(text):
    """The choices of the panel: what they say, how many they promise, where they lead, whether they are chosen."""
    pattern = r'<a class="choice" href="([^"]+)" rel="nofollow"( aria-current="true")?><span class="what"[^>]*>(.*?)</span> <span class="n">([\d,]+)</span>'
    return [(re.sub(r"<.*?>", "", what), int(n.replace(",", "")), href.replace("&amp;", "&"), bool(chosen)) for href, chosen, what, n in re.findall(pattern, text)]


def total(text):
    return int(re.search(r'<h2 id="count">([\d,]+) ', text)[1].replace(",", "")) if '<ol class="hits' in text else 0


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_words_are_found_and_marked_and_narrowed(client):
    text, parsed = page(client, "/search?q=harbour")
    assert {LAB, UNIVERSITY} <= set(parsed.links) and "<mark>" in text
    _, narrowed = page(client, "/search?q=harbour&type=actor")
    assert LAB not in narrowed.links and UNIVERSITY in narrowed.links


def test_a_result_says_what_where_who_and_when(client):
    text, _ = page(client, "/search?q=harbour&type=practice")
    line = re.sub(r"<.*?>", "", text[text.index('<ol class="hits') : text.index("</ol>", text.index('<ol class="hits'))])
    assert all(words in line for words in ("Living lab of the harbour", "Practice", "Cataluña, Spain", "since 2019", "led by Harbour University"))


def test_all_of_one_kind_is_a_page_of_its_own(client):
    text, parsed = page(client, "/search?type=practice")
    assert parsed.title.startswith("Practices") and "<h1>Practices</h1>" in text
    assert total(text) == 4, "one of ours and three hostile ones; a practice without a label is in no list"


def test_every_count_is_what_its_link_finds(client):
    for address in ("/search", "/search?q=harbour", "/search?type=practice&region=country/ESP"):
        text, _ = page(client, address)
        offered = [choice for choice in choices(text) if not choice[3]]
        assert offered
        before = {name: values for name, values in parse_qs(urlsplit(address).query).items() if name in FACETS}
        for what, count, href, _ in offered:
            more = {name: values for name, values in parse_qs(urlsplit(href).query).items() if name in FACETS and values != before.get(name)}
            if all(len(values) == 1 for values in more.values()):  # a second value of a facet adds to the first
                assert total(page(client, href)[0]) == count, (address, what)


def test_what_is_chosen_is_a_chip_that_can_be_dropped(client):
    text, parsed = page(client, "/search?q=harbour&type=practice&region=ES51&channel=participatory-innovation&sort=title")
    assert "Cataluña" in text and "Living lab of the harbour" in text
    assert "/search?q=harbour&type=practice&region=ES51&sort=title" in parsed.links, "without the channel, all else as it was"
    assert "/search?q=harbour&region=ES51&channel=participatory-innovation&sort=title" in parsed.links
    assert "/search?q=harbour" in parsed.links, "without any of them"
    fields = {(field.get("name"), field.get("value")) for field in re.findall(r"<input[^>]*>", text) and parsed.fields}
    assert ("q", "harbour") in fields
    for name, value in (("type", "practice"), ("region", "ES51"), ("channel", "participatory-innovation"), ("sort", "title")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in text, "new words keep what was chosen"


def test_places_are_a_tree_in_which_the_chosen_branch_is_open(client):
    text, _ = page(client, "/search?type=practice&region=ES51")
    tree = text[text.index(">Place <") :]
    assert tree.index("Spain") < tree.index("Este") < tree.index("Cataluña") and '<details class="branch" open>' in tree
    (inner,) = [choice for choice in choices(text) if choice[0] == "Este"]
    assert parse_qs(urlsplit(inner[2]).query)["region"] == ["ES5"], "what is around a chosen place takes its place"
    country = page(client, "/search?country=ESP&type=practice")[0]
    assert total(country) == total(page(client, "/search?region=country/ESP&type=practice")[0]) == 1


def test_the_query_behind_facets_gives_the_same_things(client):
    for address in ("/search", "/search?type=practice&region=ES5&year=2019&year=2020&actor-kind=university", "/search?type=actor&country=DNK"):
        text, parsed = page(client, address)
        link = next(href for href in parsed.links if href.startswith("/sparql?query="))
        rows = client.get(link, headers={"Accept": "application/sparql-results+json"}).json["results"]["bindings"]
        assert len(rows) == total(text) > 0
        table = csv.DictReader(io.StringIO(client.get(address.replace("/search", "/search.csv")).data.decode()))
        assert {row["thing"]["value"] for row in rows} == {row["thing"] for row in table}


def test_words_have_no_query_and_the_page_says_so(client):
    text, parsed = page(client, "/search?q=harbour")
    assert "not part of SPARQL" in text and not any(href.startswith("/sparql?query=") for href in parsed.links)


def test_labels_of_facets_are_in_the_language_of_the_reader(client):
    assert "España" in page(client, "/search?type=practice", "es")[0]
    assert 'lang="es" dir="auto">España' in page(client, "/search?type=practice&region=country/ESP", "es")[0]
    assert "Spain" in page(client, "/search?type=practice", "mt")[0]


def test_unknown_values_are_named_and_left_out(client):
    text, _ = page(client, "/search?q=harbour&country=Spian&channel=<script>&type=nonsense&year=20&colour=red")
    assert "Nothing here is called “Spian”" in text and "ESP (Spain)" in text
    assert "“&lt;script&gt;”" in text and "<script>" not in text.split("<main")[1]
    assert total(text) == total(page(client, "/search?q=harbour")[0])


def test_an_empty_result_offers_to_drop_what_empties_it(client):
    text, parsed = page(client, "/search?q=harbour&type=policy&region=ES51")
    assert "Nothing found for “harbour” with what you chose" in text
    assert "/search?q=harbour&region=ES51" in parsed.links and "Without “Kind: policies”" in text
    offered = int(re.search(r"Without “Kind: policies”</a>: (\d+) result", text)[1])
    assert offered == total(page(client, "/search?q=harbour&region=ES51")[0])
    assert "Nothing found for “zzzzqqq”" in page(client, "/search?q=zzzzqqq")[0]


@pytest.mark.parametrize(
    "query",
    ["q=zzzzqqq", "q=%00", "q=%FF", "q=" + "x" * 5000, "q=%22%28%5B*", "q=%E2%80%AEdlrow&type=practice", "page=-1", "page=0", "page=9999999999", "page=99999",
     "q=harbour&page=%C2%B2", "sort=best&type=practice", "region=%00&country=%EF%BF%BF", "year=19999&year=-1", "&".join(f"channel={n}" for n in range(400)),
     "channel=" + "y" * 7000, "type=practice&type=actor&type=practice", "q=a&q=b&&&==&q", "principle=..%2F..%2Fetc", "region=javascript:alert(1)",
     "source-kind=http://[", "q=" + "%F0%9F%92%A5" * 300, "region=country/ESP&country=ESP"],
)  # fmt: skip
def test_absurd_addresses_get_a_page(client, query):
    page(client, f"/search?{query}")
    for suffix in ("csv", "atom", "ttl", "xlsx"):
        assert client.get(f"/search.{suffix}?{query}").status_code in (200, 400)
    assert client.get(f"/suggest?{query}").status_code == 200


def test_a_hostile_label_is_text_everywhere(client):
    _, parsed = page(client, "/search?type=practice")
    assert parsed.counts["h1"] == 1 and parsed.counts.get("img", 0) == 2, "the two marks of the page, no other picture"
    feed = ElementTree.fromstring(client.get("/search.atom?type=practice").data)
    assert any("<script>alert(1)</script>" in title.text for title in feed.iter(f"{ATOM}title"))
    rows = list(csv.reader(io.StringIO(client.get("/search.csv?type=practice").data.decode())))
    assert {len(row) for row in rows} == {len(rows[0])}


def test_every_combination_is_in_the_address():
    """What an address says is read and written without loss, whatever is in it."""

    class Any:
        def find(self, facet, text):
            return FACETS[facet].value(text)

    where = {"type": ("practice",), "region": ("http://data.europa.eu/nuts/code/ES51", COUNTRY + "PRT"), "channel": (ID + "channel/a&b=c d",), "year": ("2019", "2020")}
    selection = Selection("a&b=c \"é\" +%", where, "title", 3)
    address = selection.address("/search", page=3)
    from werkzeug.datastructures import MultiDict

    again = Selection.of(MultiDict([(n, v) for n, vs in parse_qs(urlsplit(address).query).items() for v in vs]), Any())
    assert again == selection
    for facet in ("region", "level"):
        for value in (COUNTRY + "PRT", COUNTRY + "ESP"):
            chosen = where.get(facet, ())
            expected = [v for v in chosen if v != value] if value in chosen else [*chosen, value]
            assert selection.toggle("/search", facet)(value) == selection.address("/search", **{facet: expected})


# ── Many results ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A release of ten thousand practices that have hardly anything but a name."""
    release = Release(tmp_path_factory.mktemp("many") / "2026-11-22-many")
    store, english = ox.Store(), {"language": "en"}
    kind, type_, title, channel = ox.NamedNode(RDF + "type"), ox.NamedNode(KV + "Practice"), ox.NamedNode(DCTERMS + "title"), ox.NamedNode(KV + "channel")
    label, scheme = ox.NamedNode(SKOS + "prefLabel"), ox.NamedNode(SKOS + "inScheme")
    quads = []
    for n in range(MANY):
        thing = ox.NamedNode(f"{ID}practice/p{n}")
        quads += [ox.Quad(thing, kind, type_), ox.Quad(thing, title, ox.Literal(f"Pilot {n:05}", **english)), ox.Quad(thing, channel, ox.NamedNode(f"{ID}channel/c{n % 300}"))]
    for n in range(300):
        concept = ox.NamedNode(f"{ID}channel/c{n}")
        quads += [ox.Quad(concept, scheme, ox.NamedNode(TYPES["channel"].iri)), ox.Quad(concept, label, ox.Literal("Long " * 40 + str(n), **english))]
    store.extend(quads)
    build_index(store, release.path / "search")
    (release.path / "manifest.json").write_text(json.dumps({"id": release.id, "built": "2026-11-22T10:00:00+00:00", "counts": {}, "dumps": {}}))
    return client_of(Graph(Embedded(store), release))


def test_ten_thousand_results_have_five_hundred_pages(many):
    first, parsed = page(many, "/search?q=pilot&type=practice&sort=title")
    assert total(first) == MANY and "page 1 of 500" in first and "/search?q=pilot&type=practice&sort=title&page=2" in parsed.links
    last, parsed = page(many, "/search?q=pilot&type=practice&sort=title&page=500")
    assert '<ol class="hits lines" start="9981">' in last and 'rel="next"' not in last and "Pilot 09999" in last
    beyond, parsed = page(many, "/search?q=pilot&type=practice&sort=title&page=501")
    assert "There is no page 501" in beyond and "/search?q=pilot&type=practice&sort=title&page=500" in parsed.links
    assert len(choices(first)) > 300, "values of a facet are folded, not left out"


def test_ten_thousand_results_as_files(many):
    rows = many.get("/search.csv?type=practice").data.decode().splitlines()
    assert len(rows) == MANY + 1
    refused = many.get("/search.ttl?type=practice")
    assert refused.status_code == 400 and "5,000" in refused.json["detail"] and "dumps" in refused.json["hint"]
    assert len(ElementTree.fromstring(many.get("/search.atom?type=practice").data).findall(f"{ATOM}entry")) == 50


# ── Files, feeds, suggestions ────────────────────────────────────────────────────────────────────────────────────────


def test_a_table_has_everything_that_the_pages_show(client):
    response = client.get("/search.csv?q=harbour&type=practice", headers={"Accept-Language": "es"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="kvgraph-search.csv"'
    (row,) = csv.DictReader(io.StringIO(response.data.decode()))
    assert row == {
        "thing": ID + "practice/living-lab", "title": "Living lab of the harbour", "kind": "practice", "regions": "Cataluña", "countries": "España",
        "by": "Harbour University", "year": "2019", "description": row["description"], "page": "http://localhost/doc/practice/living-lab",
    }  # fmt: skip
    assert "Residents and researchers" in row["description"]


def test_a_spreadsheet_holds_the_same_and_no_formula(client):
    response = client.get("/search.xlsx?type=practice")
    assert response.mimetype.endswith("spreadsheetml.sheet") and response.data == client.get("/search.xlsx?type=practice").data
    sheet = zipfile.ZipFile(io.BytesIO(response.data)).read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row") == 5 and "<f>" not in sheet and "<v>2019</v>" in sheet


@pytest.mark.parametrize("suffix", ["ttl", "nt", "jsonld", "rdf"])
def test_a_search_as_rdf_describes_what_was_found(client, suffix):
    response = client.get(f"/search.{suffix}?q=harbour&type=practice")
    triples = {(t.subject.value, t.predicate.value) for t in ox.parse(response.data, format=ox.RdfFormat.from_media_type(response.mimetype))}
    assert {(ID + "practice/living-lab", DCTERMS + "title"), (ID + "actor/harbour-university", SKOS + "prefLabel")} <= triples
    assert (ID + "actor/fjord-institute", SKOS + "prefLabel") in triples, "partners have their names"


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "ttl", "atom"])
def test_data_is_never_about_something_else_than_was_asked(client, suffix):
    response = client.get(f"/search.{suffix}?type=practice&country=Spian")
    assert response.status_code == 400 and "Spian" in response.json["detail"] and "ESP" in response.json["hint"]


def test_a_feed_is_atom(client):
    """RFC 4287, sections 4.1.1 and 4.1.2: what a feed and an entry must have."""
    response = client.get("/search.atom?q=harbour&sort=title&page=7")
    assert response.mimetype == "application/atom+xml"
    feed = ElementTree.fromstring(response.data)
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        assert [len(element.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)", element.findtext(f"{ATOM}updated"))
    assert len(feed.findall(f"{ATOM}author")) == 1 and feed.findtext(f"{ATOM}author/{ATOM}name")
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links["self"] == feed.findtext(f"{ATOM}id") == "http://localhost/search.atom?q=harbour"
    lab = next(entry for entry in feed.iter(f"{ATOM}entry") if entry.findtext(f"{ATOM}id") == ID + "practice/living-lab")
    assert lab.findtext(f"{ATOM}updated") == "2026-11-01T00:00:00Z", "when its page was seen: a new release alone changes nothing"
    assert lab.find(f"{ATOM}link").get("href") == "http://localhost/doc/practice/living-lab"
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert len(ids) == len(set(ids)) > 1


def test_the_page_names_its_feed(client):
    text, _ = page(client, "/search?q=harbour&type=practice&sort=title&page=1")
    assert '<link rel="alternate" type="application/atom+xml" title="What is new in this search" href="/search.atom?q=harbour&amp;type=practice">' in text


def test_suggestions_are_json(client):
    (one, *others) = client.get("/suggest?q=harb&type=actor,policy").json
    assert one == {
        "iri": ID + "actor/harbour-university", "label": "Harbour University", "lang": "en", "type": "actor", "kind": "university",
        "place": "Spain", "href": UNIVERSITY,
    }  # fmt: skip
    assert {other["type"] for other in others} <= {"actor", "policy"}
    assert client.get("/suggest?q=").json == client.get("/suggest").json == client.get("/suggest?q=zzzzqqq").json == []
    assert client.get("/suggest?q=catal&type=nonsense").json[0]["label"] == "Cataluña"
    assert client.get("/suggest?q=spai", headers={"Accept-Language": "es"}).json[0]["label"] == "España"


def test_a_page_of_a_release_for_good_stays_in_it(invented, client):
    prefix = f"/release/{invented.release.id}"
    text, parsed = page(client, f"{prefix}/search?q=harbour&type=practice")
    assert f"{prefix}/search?q=harbour" in parsed.links and choices(text)[0][2].startswith(prefix)
    feed = ElementTree.fromstring(client.get(f"{prefix}/search.atom?q=harbour").data)
    assert feed.findtext(f"{ATOM}id") == f"http://localhost{prefix}/search.atom?q=harbour"


# ── What tabs and bookmarks say ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("address", "title"), [
    ("/search", "Search"),
    ("/search?type=practice", "Practices"),
    ("/search?type=practice&channel=spin-offs", "Practices, Spin-offs"),
    ("/search?q=living+lab&type=practice&channel=spin-offs", "“living lab”, Practices"),
    ("/search?type=actor&sort=title", "Actors"),
    ("/map?channel=spin-offs&region=ES51", "Map of practices: Cata"),
    ("/map?at=ES5", "Map of practices: Este"),
    ("/map", "Map of practices"),
    ("/coverage", "Coverage: Practices by country and channel"),
    ("/coverage?rows=principle&columns=country&count=policy&in=ESP", "Coverage: Policies by principle and country, Spain"),
    ("/network?type=practice&region=ES51", "Practices, Cata"),
    ("/network?of=actor/ku-leuven&of=actor/university-of-ljubljana", "KU Leuven"),
    ("/network?of=actor/ku-leuven&open=country/BEL", "KU Leuven: network"),
])  # fmt: skip
def test_a_title_says_what_was_chosen(bundled_client, address, title):
    found = page(bundled_client, address)[1].title
    assert found.startswith(title) and found.endswith(" · kvgraph") and len(found) < 160


def test_the_order_of_years_is_offered_where_there_are_years(bundled_client):
    assert "sort=newest" in page(bundled_client, "/search?type=practice")[0]
    text, _ = page(bundled_client, "/search?type=actor&sort=title")
    assert "sort=newest" not in text and 'aria-current="true">title' in text


@pytest.mark.parametrize("address", ["/release/a..b", "/x/a.b", "/release/practices/"])
def test_letters_that_say_nothing_are_not_searched_for(bundled_client, address):
    answer = bundled_client.get(address, headers=BROWSER)
    assert answer.status_code == 404 and "Did you mean" not in answer.text


def test_an_address_with_a_short_word_is_searched_for(bundled_client):
    text = bundled_client.get("/doc/actor/ku-leuvn", headers=BROWSER).text
    assert "Did you mean" in text and "KU Leuven" in text


def test_a_country_that_there_is_not_is_told_in_plain_words(bundled_client):
    text, _ = page(bundled_client, "/policies?country=QQQQQ")
    assert "There is no country called “QQQQQ” here. Try its English name" in text and "facet" not in text[text.index("QQQQQ") :][:300]
