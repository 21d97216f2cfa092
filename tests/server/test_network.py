"""/network and the small drawing: the picture, the list and the files are one network, and it keeps its places."""

import csv
import html
import re
import xml.etree.ElementTree as ET
from io import StringIO
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest
from flask import render_template_string

from kvgraph.graph import Graph
from kvgraph.namespaces import COUNTRY, ID
from kvgraph.server.network import small

from .conftest import Counting, client_of
from .test_pages import page

LAB, HARBOUR, FJORD = ID + "practice/living-lab", ID + "actor/harbour-university", ID + "actor/fjord-institute"
SVG, GRAPHML = "{http://www.w3.org/2000/svg}", "{http://graphml.graphdrawing.org/xmlns}"
MANY = {"of": ID + "principle/gp1", "most": 50}
SELECTION = {"q": "university", "type": "practice", "without": "country"}


def network(client, suffix="json", **fields):
    response = client.get(f"/network.{suffix}?" + urlencode(fields, doseq=True))
    assert response.status_code == 200, response.data
    return response.json if suffix == "json" else response.data


def ends(data):
    return {frozenset((tie["source"], tie["target"])) for tie in data["ties"]}


def rows(text, id_):
    section = text[text.index(f'<h2 id="{id_}">') :]
    return re.findall(r"<tr[^>]*>(<t[dh].*?)</tr>", section[section.index("<tbody>") : section.index("</tbody>")], re.DOTALL)


# ── One network ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_thing_is_shown_with_its_neighbours_and_their_ties(client):
    data = network(client, of="practice/living-lab")
    names = {thing["id"]: thing for thing in data["things"]}
    assert {LAB, HARBOUR, FJORD, COUNTRY + "ESP"} <= names.keys() and names[LAB]["part"] == "asked"
    assert {frozenset((LAB, HARBOUR)), frozenset((LAB, FJORD)), frozenset((HARBOUR, COUNTRY + "ESP"))} <= ends(data)
    assert names[HARBOUR]["href"] == "/doc/actor/harbour-university" and names[HARBOUR]["label"] == "Harbour University"


@pytest.mark.parametrize("fields", [{"of": ID + "actor/ku-leuven"}, MANY, SELECTION, {"of": [ID + "actor/ku-leuven", ID + "practice/gemma-frisius-fund"]}])
def test_the_picture_the_list_and_the_files_are_one_network(bundled_client, fields):
    data = network(bundled_client, **fields)
    things, ties = {thing["id"]: thing for thing in data["things"]}, data["ties"]
    assert len(things) == len(data["things"]) > 1 and len(ends(data)) == len(ties)
    text, _ = page(bundled_client, "/network?" + urlencode(fields, doseq=True))
    listed = [html.unescape(re.search(r'dir="auto">(.*?)</', row)[1]) for row in rows(text, "things")]
    assert len(listed) == len(things) and len(rows(text, "ties")) == len(ties)
    assert f"{len(things)} things, {len(ties)} tie" in text
    assert text.count('class="spot"') == len(things) and text.count('<line class="tie"') == len(ties)
    picture = ET.fromstring(network(bundled_client, "svg", **fields))
    assert len(picture.findall(f".//{SVG}line")) == len(ties)
    graph = ET.fromstring(network(bundled_client, "graphml", **fields))
    assert {node.get("id") for node in graph.iter(f"{GRAPHML}node")} == things.keys()
    assert {frozenset((edge.get("source"), edge.get("target"))) for edge in graph.iter(f"{GRAPHML}edge")} == ends(data)
    table = list(csv.DictReader(StringIO(network(bundled_client, "csv", **fields).decode())))
    assert {frozenset((row["from_iri"], row["to_iri"])) for row in table} == ends(data)
    table = list(csv.DictReader(StringIO(network(bundled_client, "things.csv", **fields).decode())))
    assert {row["iri"]: int(row["ties_shown"]) for row in table} == {iri: sum(iri in pair for pair in ends(data)) for iri in things}


@pytest.mark.parametrize("fields", [{"of": ID + "actor/ku-leuven"}, MANY, {**MANY, "without": "principle"}])
def test_the_rdf_is_the_statements_behind_the_ties(bundled, bundled_client, fields):
    quads = list(ox.parse(network(bundled_client, "trig", **fields), format=ox.RdfFormat.TRIG))
    store = bundled.backend.store
    assert quads and all(ox.Quad(q.subject, q.predicate, q.object, q.graph_name) in store for q in quads)
    # Every tie is there: directly, or through a participation that has both ends.
    stated = {frozenset((q.subject.value, q.object.value)) for q in quads}
    for pair in ends(network(bundled_client, **fields)):
        assert pair in stated or any({frozenset((a, part)) for a in pair} <= stated for part in {q.subject.value for q in quads})
    turtle = list(ox.parse(network(bundled_client, "ttl", **fields), format=ox.RdfFormat.TURTLE))
    assert set(turtle) == {ox.Quad(q.subject, q.predicate, q.object) for q in quads} and len(turtle) == len(set(turtle))


def test_the_query_of_the_link_returns_the_ties(bundled_client):
    fields = {"of": ID + "actor/ku-leuven"}
    _, parsed = page(bundled_client, "/network?" + urlencode(fields))
    (link,) = [href for href in parsed.links if href.startswith("/sparql?query=")]
    answered = bundled_client.get(link, headers={"Accept": "application/sparql-results+json"}).json["results"]["bindings"]
    assert {frozenset((row["subject"]["value"], row["object"]["value"])) for row in answered} == ends(network(bundled_client, **fields))


def test_numbers_of_ties_are_those_of_the_graph(bundled, bundled_client):
    for thing in network(bundled_client, **MANY)["things"][:20]:
        assert thing["ties"] == bundled.connections.neighbours(thing["id"], 1).total
        assert thing["shown"] <= thing["ties"]


# ── Places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def places(data):
    return {thing["id"]: (thing["x"], thing["y"]) for thing in data["things"]}


def test_opening_a_thing_moves_nothing(bundled_client):
    before = network(bundled_client, **MANY)
    opened = max(before["things"][1:], key=lambda thing: thing["ties"] - thing["shown"])["id"]
    after = network(bundled_client, **MANY, open=opened)
    assert len(before["things"]) < len(after["things"]) <= len(before["things"]) + 40
    assert places(before).items() <= places(after).items()
    assert next(t for t in after["things"] if t["id"] == opened)["part"] == "opened"


@pytest.mark.parametrize("change", [{"hide": "policy"}, {"without": "principle"}, {"without": ["principle", "broader"], "hide": "learning-example"}])
def test_leaving_out_moves_nothing_and_adds_nothing(bundled_client, change):
    before, after = network(bundled_client, **MANY), network(bundled_client, **MANY, **change)
    assert places(after).items() <= places(before).items() and ends(after) < ends(before)
    assert after["hidden"] == len(before["things"]) - len(after["things"]) > 0
    assert all(thing["type"] != change.get("hide") or thing["part"] for thing in after["things"])
    assert not {tie["kind"] for tie in after["ties"]} & set(change.get("without", ()))


def test_so_many_and_no_more(bundled_client):
    data = network(bundled_client, of=COUNTRY + "DEU", most=50)
    assert len(data["things"]) == 50 and data["left_out"] > 0
    assert len({thing["type"] for thing in data["things"]}) >= 4, "the most telling of every type"
    whole = network(bundled_client, of=COUNTRY + "DEU", most=3000)
    assert whole["left_out"] == 0 and len(whole["things"]) == 50 + data["left_out"]


def test_a_selection_is_drawn_with_what_its_things_share(bundled, bundled_client):
    data = network(bundled_client, **SELECTION)
    asked = {thing["id"] for thing in data["things"] if thing["part"] == "asked"}
    few = network(bundled_client, **SELECTION | {"q": "", "most": 50})
    assert few["left_out"] > bundled.search("", types=["practice"]).total - 50, "results that there is no room for are counted"
    found = {hit.iri for hit in bundled.search("university", types=["practice"], limit=150).hits}
    assert asked and asked <= found
    for thing in data["things"]:
        if thing["part"] != "asked":
            around = {hop.target.iri for hop in bundled.connections.neighbours(thing["id"], 5000).hops}
            assert len(around & asked) >= 2


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Or begin here"), ("of=zzzzqqq", "Nothing is called “zzzzqqq”"), ("of=javascript:nothing(1)", "“javascript:nothing(1)”"), ("of=https://example.org/none", "Nothing is called"),
        ("of=" + "x" * 10_000, "Nothing is called"), ("of=actor/harbour-university&most=99999999", "no size of a network"),
        ("of=actor/harbour-university&without=friendship", "There is no kind of tie called “friendship”"),
        ("of=actor/harbour-university&hide=%3Cb%3E", "There is no kind of thing called “&lt;b&gt;”"),
        ("of=actor/harbour-university&open=https://example.org/none", "Around"), ("of=harbour+university", "Around <span dir"),
        ("of=actor/harbour-university&of=actor/harbour-university", "Around"), ("q=zzzzqqq", "Nothing was found"), ("q=harbour", "What ties these results together"),
        ("of=actor/harbour-university&of=actor/fjord-institute", "What ties these together"), ("of=%00&open=%FF", "Nothing is called"),
    ],
)  # fmt: skip
def test_the_page_bears_everything_and_says_what_is_wrong(client, query, words):
    assert words in page(client, f"/network?{query}")[0].replace(' lang="en"', "")


@pytest.mark.parametrize("name", ["network.json", "network.json?of=https://example.org/none", "network.exe?of=actor/fjord-institute", "network.svg?of=actor/fjord-institute&most=many"])
def test_files_are_refused_with_a_reason(client, name):
    response = client.get(f"/{name}")
    assert response.status_code == 400 and response.json["detail"]


def test_an_expansion_needs_no_script(bundled_client):
    text, parsed = page(bundled_client, "/network?" + urlencode(MANY))
    link = next(href for href in parsed.links if "open=" in href)
    assert page(bundled_client, link)[0].count("<tr>") > text.count("<tr>")


@pytest.mark.parametrize("fields", [{"of": ID + "actor/ku-leuven"}, SELECTION, {"of": COUNTRY + "DEU", "most": 500}])
def test_a_page_needs_few_queries(bundled, fields):
    backend = Counting(bundled.backend.store)
    client = client_of(Graph(backend, bundled.release))
    response = client.get("/network?" + urlencode(fields), headers={"Accept": "text/html", "Accept-Language": "de"})
    assert response.status_code == 200 and backend.asked <= 3


# ── The small drawing ────────────────────────────────────────────────────────────────────────────────────────────────

TEMPLATE = '{% import "networks.html" as networks %}{{ networks.small(network) }}'


def drawn_small(client, graph, iri, language="en"):
    with client.application.test_request_context("/"):
        return ET.fromstring(render_template_string(TEMPLATE, network=small(graph, iri, language)).replace("&nbsp;", " "))


def test_the_small_drawing_links_the_most_telling_neighbours(bundled, bundled_client):
    for iri in (ID + "actor/ku-leuven", ID + "principle/gp1", COUNTRY + "DEU"):
        network_ = small(bundled, iri, "en")
        figure = drawn_small(bundled_client, bundled, iri)
        links = figure.findall(".//svg//a")
        around = bundled.connections.neighbours(iri, 10_000)
        sentences = {hop.target.label: hop.sentence for hop in around.hops}
        assert len(links) == min(around.total, 10) and network_.total == around.total
        for link in links:
            name, _, sentence = link.get("aria-label").partition(": ")
            assert any(link.get("aria-label") == f"{label}: {said}" for label, said in sentences.items()), name
        assert figure.find("./figcaption/a").get("href") == "/network?" + urlencode({"of": iri})
        assert str(around.total) in figure.find("./svg").get("aria-label")


def test_the_small_drawing_speaks_the_language_of_the_reader(bundled, bundled_client):
    texts = [text.text for text in drawn_small(bundled_client, bundled, ID + "actor/ku-leuven", "fr").iter("text")]
    assert "Belgique" in texts


def test_what_nothing_ties_has_no_small_drawing(bundled, bundled_client):
    assert small(bundled, "https://example.org/none", "en") is None
    with bundled_client.application.test_request_context("/"):
        assert render_template_string(TEMPLATE, network=None).strip() == ""
