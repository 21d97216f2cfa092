"""/connections: the list, the drawing, the files and the query say the same; nothing odd in an address breaks it."""

import html
import random
import re
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, urlencode, urlsplit

import pyoxigraph as ox
import pytest

from kvgraph.namespaces import GRAPH, ID, PROV
from kvgraph.server import connecting

from .conftest import Counting, client_of
from .html import check
from .test_pages import page

A, B = "actor/harbour-university", "actor/fjord-institute"
PAIR = urlencode({"a": ID + A, "b": ID + B})
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def far_pairs(bundled):
    """Some pairs of actors that have connections, the same at every run."""
    iris = [hit.iri for hit in bundled.search("university", types=["actor"], limit=60).hits]
    ends = random.Random(7).sample(iris, 12)
    pairs = [pair for pair in zip(ends[::2], ends[1::2]) if bundled.connect(*pair).paths]
    assert len(pairs) >= 3
    return pairs


# ── The list ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_connections_are_ranked_sentences_with_their_sources(client):
    text, parsed = page(client, "/connections?a=harbour+university&b=fjord+institute")
    first = text[text.index('<ol class="paths">') : text.index('<details class="price">')]
    assert "took part as lead in" in first and "took part as partner in" in first and "Living lab of the harbour" in first
    assert first.count('class="basis stated"') == 2 and "https://example.org/living-lab" in first
    permanent = next(href for href in parsed.links if href.startswith("/connections?a=https"))
    assert page(client, permanent)[0].count('class="hops"') == text.count('class="hops"') > 0


def test_the_price_of_a_connection_is_the_sum_that_stands_below_it(bundled_client, far_pairs):
    for a, b in far_pairs:
        text, _ = page(bundled_client, "/connections?" + urlencode({"a": a, "b": b}))
        prices = re.findall(r'<details class="price"><summary>([\d.]+) points.*?<ul>(.*?)</ul>', text, re.DOTALL)
        assert len(prices) == 10
        for total, parts in prices:
            numbers = [float(n) for n in re.findall(r'class="number">([\d.]+)<', parts)]
            assert abs(sum(numbers) - float(total)) < 0.05 * len(numbers) + 0.05, "each is rounded to a tenth"


def test_connections_ask_which_one_is_meant(client):
    text, parsed = page(client, "/connections?a=harbour&b=fjord+institute")
    assert "Which “harbour”?" in text
    choice = next(href for href in parsed.links if "harbour-university" in href and href.startswith("/connections"))
    assert "best connection" in page(client, choice)[0] or "1 connection" in page(client, choice)[0]


def test_a_form_sent_again_keeps_what_was_chosen(client):
    """The field shows the name; the hidden one beside it says which thing of that name."""
    text, _ = page(client, f"/connections?{PAIR}")
    hidden = dict(re.findall(r'type="hidden" name="([ab]\.was)" value="([^"]+)"', text))
    again = urlencode({"a": "Harbour University", "b": "Fjord Institute", **hidden, "k": 10, "steps": 6})
    assert page(client, f"/connections?{again}")[0].count('class="hops"') == text.count('class="hops"')
    assert hidden == {"a.was": ID + A, "b.was": ID + B}


def test_folding_leaves_nothing_out(bundled, bundled_client, far_pairs):
    folded = 0
    for a, b in far_pairs:
        paths = bundled.connect(a, b, k=50).paths
        text, _ = page(bundled_client, "/connections?" + urlencode({"a": a, "b": b, "k": 50}))
        found = text[text.index('<ol class="paths">') : text.index('<details class="how">')]
        assert found.count('<details class="price">') == len(paths)
        prices = sorted(re.findall(r"<summary>([\d.]+) points", found))
        assert prices == sorted(f"{path.cost:.1f}" for path in paths)
        folded += found.count('class="alike"')
    assert folded


@pytest.mark.parametrize("kind", ["participation", "region", "country", "channel"])
def test_a_kind_of_tie_that_is_switched_off_is_in_no_connection(bundled, bundled_client, far_pairs, kind):
    a, b = far_pairs[0]
    text, _ = page(bundled_client, "/connections?" + urlencode({"a": a, "b": b, "without": kind}))
    assert re.search(rf'value="{kind}" checked', text)
    words = {"participation": "took part as", "region": "is located in", "country": "</a> is in <a", "channel": "works through the channel"}[kind]
    # A region "is in" a country, too: only the sentence of this kind has these very words.
    assert words not in text[text.index("<h2") :].replace("&#34;", '"')
    assert all(hop.kind != kind for path in bundled.connect(a, b, exclude=[kind]).paths for hop in path.hops)


def test_number_and_length_are_kept(bundled, bundled_client, far_pairs):
    a, b = far_pairs[0]
    most = max(2, len(bundled.connect(a, b, k=1).paths[0].hops))
    text, _ = page(bundled_client, "/connections?" + urlencode({"a": a, "b": b, "k": 3, "steps": most}))
    assert 1 <= text.count('<details class="price">') <= 3
    assert all(int(n) <= most for n in re.findall(r"points, (\d+) step", text))
    assert "k=3" + (f"&amp;steps={most}" if most != 6 else "") in text, "the permanent link says so too"


# ── The drawing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_drawing_has_what_the_list_has(bundled, bundled_client, far_pairs):
    for a, b in far_pairs:
        paths = bundled.connect(a, b).paths
        steps = {frozenset((hop.source.iri, hop.target.iri)) for path in paths for hop in path.hops}
        things = {node.iri for path in paths for node in path.nodes}
        address = urlencode({"a": a, "b": b})
        picture = ET.fromstring(bundled_client.get(f"/connections.svg?{address}").data)
        assert len(picture.findall(f".//{SVG}path")) == len(steps) and len(picture.findall(f".//{SVG}polygon")) == len(things)
        text, _ = page(bundled_client, f"/connections?{address}")
        opened = {parse_qs(urlsplit(html.unescape(href)).query)["open"][0] for href in re.findall(r'class="spot[^"]*" href="([^"]+)"', text)}
        assert opened == things, "everything in it can be expanded"


def test_a_thing_in_the_drawing_expands_to_its_neighbours(bundled, bundled_client, far_pairs):
    a, b = far_pairs[0]
    text, parsed = page(bundled_client, "/connections?" + urlencode({"a": a, "b": b, "open": a}))
    panel = text[text.index('id="around"') : text.index('<figure class="drawing">')]
    around = bundled.connections.neighbours(a, 12)
    assert panel.count("<li>") == len(around.hops) and "/network?" + urlencode({"of": a}) in parsed.links
    assert 'id="around"' not in page(bundled_client, "/connections?" + urlencode({"a": a, "b": b, "open": "https://example.org/none"}))[0]


# ── What checks it ───────────────────────────────────────────────────────────────────────────────────────────────────


def facts_of(paths):
    """(subject, object, role) of every fact on the page, and how many graphs are said to hold it."""
    found = {}
    for path in paths:
        for hop in path.hops:
            for fact in hop.facts:
                subject, _, object_ = fact.triples[0]
                found[subject, object_, fact.role, fact.kind] = 1 + fact.more
    return found


@pytest.mark.parametrize("options", [{}, {"k": 50}, {"without": "participation"}, {"steps": 3}])
def test_the_query_of_the_link_returns_exactly_the_hops(bundled, bundled_client, far_pairs, options):
    for a, b in far_pairs:
        text, parsed = page(bundled_client, "/connections?" + urlencode({"a": a, "b": b, **options}))
        paths = bundled.connect(a, b, k=options.get("k", 10), max_hops=options.get("steps", 6), exclude=[options["without"]] if "without" in options else ()).paths
        if not paths:
            continue
        (link,) = [href for href in parsed.links if href.startswith("/sparql?query=")]
        rows = bundled_client.get(link, headers={"Accept": "application/sparql-results+json"}).json["results"]["bindings"]
        answered: dict = {}
        for row in rows:
            key = (row["subject"]["value"], row["object"]["value"], row.get("role", {}).get("value", ""))
            answered.setdefault(key, []).append(row["graph"]["value"])
        expected: dict = {}
        for (subject, object_, role, _), graphs in facts_of(paths).items():
            expected[subject, object_, role] = expected.get((subject, object_, role), 0) + graphs
        assert {key: len(graphs) for key, graphs in answered.items()} == expected


def test_the_rdf_is_the_statements_of_the_hops_in_their_graphs(client):
    """Two took part in one practice: three statements each, all in the graph of its page."""
    response = client.get(f"/connections.trig?{PAIR}&k=1")
    assert response.mimetype == "application/trig" and "connections.trig" in response.headers["Content-Disposition"]
    p, lab = ID + "participation/living-lab--", ID + "practice/living-lab"
    expected = set()
    for actor, role in ((A, "lead"), (B, "partner")):
        part = f"{p}{actor.removeprefix('actor/')}--{role}"
        expected |= {(lab, PROV + "qualifiedAssociation", part), (part, PROV + "agent", ID + actor), (part, PROV + "hadRole", ID + f"role/{role}")}
    quads = list(ox.parse(response.data, format=ox.RdfFormat.TRIG))
    assert {(q.subject.value, q.predicate.value, q.object.value) for q in quads} == expected
    assert {q.graph_name.value for q in quads} == {GRAPH + "practice/living-lab/stated-1"}
    turtle = list(ox.parse(client.get(f"/connections.ttl?{PAIR}&k=1").data, format=ox.RdfFormat.TURTLE))
    assert {(q.subject.value, q.predicate.value, q.object.value) for q in turtle} == expected and len(turtle) == len(expected)


@pytest.mark.parametrize("suffix", connecting.RDF)
def test_every_format_of_rdf_parses_and_holds_only_what_the_graph_holds(bundled, bundled_client, far_pairs, suffix):
    a, b = far_pairs[0]
    data = bundled_client.get(f"/connections.{suffix}?" + urlencode({"a": a, "b": b})).data
    quads = list(ox.parse(data, format=connecting.RDF[suffix].engine))
    assert len(quads) >= len({hop for path in bundled.connect(a, b).paths for hop in path.hops})
    store = bundled.backend.store
    assert all(ox.Quad(q.subject, q.predicate, q.object, q.graph_name) in store for q in quads)


# ── Bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("a=zzzzqqq&b=fjord+institute", "Nothing is called “zzzzqqq”"),
        ("a=https://example.org/none&b=fjord+institute", "Nothing is called “https://example.org/none”"),
        ("a=http://bad iri<>&b=fjord+institute", "Nothing is called"),
        ("a=javascript:nothing(1)&b=fjord+institute", "“javascript:nothing(1)”"),
        ("a=actor/fjord-institute&b=actor/fjord-institute", "one and the same"),
        ("a=level/regional&b=actor/fjord-institute", "Connections are between"),
        ("a=%3Czzzqqq%3E&b=%22%3E", "Nothing is called “&lt;zzzqqq&gt;”"),
        ("a=actor/harbour-university&b=actor/fjord-institute&k=1000000000000", "no number of connections from 1 to 50"),
        ("a=actor/harbour-university&b=actor/fjord-institute&k=-1", "no number of connections"),
        ("a=actor/harbour-university&b=actor/fjord-institute&k=%C2%B2&steps=1.5", "no number of steps from 1 to 8"),
        ("a=actor/harbour-university&b=actor/fjord-institute&without=friendship", "There is no kind of tie called “friendship”"),
        ("a=actor/harbour-university&b=actor/fjord-institute&steps=1", "There is no connection within 1 step"),
        ("a=" + "x" * 10_000 + "&b=" + "y" * 10_000, "Nothing is called"),
    ],
)  # fmt: skip
def test_connections_say_what_is_wrong(bundled_client, client, query, words):
    chosen = bundled_client if "level/" in query else client
    query = query.replace("fjord-institute", "aalto-university") if chosen is bundled_client else query
    assert words in page(chosen, f"/connections?{query}")[0]


@pytest.mark.parametrize(
    "address",
    [
        "/connections.svg?a=x&b=y", "/connections.trig?a=https://example.org/none&b=javascript:alert(1)", f"/connections.svg?{PAIR}&k=nine",
        f"/connections.exe?{PAIR}", f"/connections.svg?{PAIR}&steps=1", f"/connections.ttl?{PAIR}&without=nothing", "/connections.svg",
    ],
)  # fmt: skip
def test_files_are_refused_with_a_reason(client, address):
    response = client.get(address)
    assert response.status_code == 400 and response.mimetype == "application/problem+json" and response.json["detail"]


HOSTILE = """
PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX id: <https://w3id.org/kvgraph/id/>
<https://example.org/g> {
  id:a a kv:Actor ; skos:prefLabel "<script>alert(1)</script> شارع\\u202Eevil\\u0001"@ar .
  <javascript:alert(2)> a kv:Practice ; dcterms:title "%s"@en ; dcterms:isPartOf id:a ; dcterms:relation id:b .
  id:b a kv:Actor ; dcterms:isPartOf id:a .
}
<https://example.org/about> { <https://example.org/g> dcterms:source <javascript:alert(3)> ; kv:basis <javascript:alert(4)> . }
""" % ("very" * 2500)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    from .conftest import graph_of

    home = tmp_path_factory.mktemp("hostile")
    (home / "hostile.trig").write_text(HOSTILE, encoding="utf-8")
    return graph_of(home, {"data/hostile.trig": home / "hostile.trig"})


@pytest.mark.parametrize("path", ["/connections?a={a}&b={b}&open={bad}", "/connections?a={a}&b={bad}", "/network?of={a}&open={b}", "/network?of={bad}"])
def test_hostile_names_are_text(hostile, path):
    client = client_of(hostile)
    text, parsed = page(client, path.format(a=ID + "a", b=ID + "b", bad="javascript:alert(2)"))
    assert "<script>alert" not in text and not any(href.startswith("javascript:") for href in parsed.links)
    assert "Nothing is called" in text or "very" * 300 not in re.sub(r'value="[^"]*"', "", text), "a name of 10,000 letters is cut"


@pytest.mark.parametrize("name", ["connections.svg?a={a}&b={b}", "network.svg?of={a}&open={b}", "network.graphml?of={a}", "network.trig?of={a}", "network.json?of={a}"])
def test_files_with_hostile_names_are_well_formed(hostile, name):
    response = client_of(hostile).get("/" + name.format(a=ID + "a", b=ID + "b"))
    assert response.status_code == 200
    if "svg" in name or "graphml" in name:
        assert "alert(1)" in "".join(ET.fromstring(response.data).itertext())
    if "trig" in name:
        assert list(ox.parse(response.data, format=ox.RdfFormat.TRIG))


# ── What it costs ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_page_needs_few_queries_and_never_loads_a_script_of_another(bundled, far_pairs, language):
    backend = Counting(bundled.backend.store)
    a, b = far_pairs[0]
    graph = type(bundled)(backend, bundled.release)
    response = client_of(graph).get("/connections?" + urlencode({"a": a, "b": b, "open": a}), headers={"Accept": "text/html", "Accept-Language": language})
    assert response.status_code == 200 and backend.asked <= 5
    assert check(response.data.decode())


def test_names_are_in_the_language_of_the_reader(bundled, bundled_client):
    spain, france = ("http://publications.europa.eu/resource/authority/country/" + code for code in ("ESP", "FRA"))
    text = bundled_client.get("/connections?" + urlencode({"a": spain, "b": france}), headers={"Accept": "text/html", "Accept-Language": "fr"}).data.decode()
    assert "Espagne" in text and 'lang="fr"' in text
