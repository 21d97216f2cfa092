"""Maps: where places are, how circles are laid out, and that the picture, the table, the data and the query say the same."""

import html
import io
import math
import re
import statistics
import time
import zipfile
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from kvgraph.graph import Graph
from kvgraph.namespaces import COUNTRY, NUTS
from kvgraph.server import mapping, maps
from kvgraph.server.display import Shown
from kvgraph.server.places import Place
from kvgraph.server.projection import Box, picture, point_of

from .conftest import Counting, client_of
from .test_pages import BROWSER, page

# What d3-geo 3.1.2 says: geoAzimuthalEqualArea().rotate([-10, -52]).translate([360, 456]).scale(6371.0088 / 5)
D3 = [
    ((10, 52), (360, 456)), ((2.154, 41.39), (228.7992, 684.7863)), ((-8.62, 41.15), (50.3743, 658.423)), ((24.94, 60.17), (524.2485, 257.0163)),
    ((33.2, 35.1), (779.5765, 766.569)), ((-21.9, 64.1), (61.1535, 117.3021)), ((28.98, 41.01), (676.1837, 659.9528)),
]  # fmt: skip
ADDRESSES = ("/map", "/map?nuts=3", "/map?at=ES", "/map?type=actor&at=ES51", "/map?q=harbour", "/map?q=zzzzqqq", "/map?type=policy&channel=spin-offs&view=228,684,9")


def bubbles(text: str) -> dict[str, int]:
    """Place and number of every circle."""
    found = re.findall(r'<a class="bubble"[^>]* aria-label="[^"]*: ([\d,]+) [^"]+" data-place="([^"]+)"', text)
    return {html.unescape(place): int(count.replace(",", "")) for count, place in found}


def width(text: str) -> float:
    """How much of the picture is seen."""
    return float(re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+)', text)[1])


def rows(text: str) -> list[tuple[str, int, str]]:
    """Name, number and link of every line of the table."""
    table = text[text.index('id="places"') :]
    found = re.findall(r'<tr><th scope="row"><a [^>]*>([^<]+)</a></th><td class="number"><a href="([^"]+)"[^>]*>([\d,]+)', table)
    return [(html.unescape(name), int(count.replace(",", "")), html.unescape(href)) for name, href, count in found]


# ── Where places are ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("degrees", "units"), D3)
def test_the_server_projects_as_the_outlines_were_drawn(degrees, units):
    assert picture().project(*degrees) == pytest.approx(units, abs=0.001)


@pytest.mark.parametrize(
    ("degrees", "inset"),
    [((-15.4, 28.1), "Canaries"), ((-16.9, 32.7), "Madeira"), ((-25.7, 37.7), "Azores"), ((-61.5, 16.2), "Guadeloupe"), ((55.5, -21.1), "Réunion"), ((15.6, 78.2), "Svalbard")],
)
def test_regions_overseas_are_in_a_box_of_their_own(degrees, inset):
    x, y = picture().project(*degrees)
    assert picture().inset_of(x, y).name == inset


@pytest.mark.parametrize("degrees", [(26.3, 65), (18.9, 69.6), (33.2, 35.1), (-21.9, 64.1), (43.3, 39), (14.4, 35.9)])
def test_everything_else_is_in_the_picture_itself(degrees):
    """Lapland, Tromsø, Cyprus, Iceland, eastern Türkiye, Malta."""
    x, y = picture().project(*degrees)
    assert picture().frame.holds(x, y) and picture().inset_of(x, y) is None


@pytest.mark.parametrize("degrees", [(-170, -52), (139.7, 35.7), (-74, 40.7), (180, 90)])
def test_the_other_side_of_the_earth_is_not_on_the_map(degrees):
    x, y = picture().project(*degrees)
    assert math.isfinite(x) and math.isfinite(y) and not Place("x", 3, x=x, y=y).placed or degrees == (-170, -52)


@pytest.mark.parametrize("wkt", [None, "", "POINT(1)", "POINT(1 2 3)", "POINT(NaN 1)", "POINT(1e9 1)", "POINT(1..2 3)", "<script>", "POINT(200 10)"])
def test_what_is_no_point_has_no_place(wkt):
    assert point_of(wkt) is None


def test_every_region_of_the_data_is_somewhere(bundled):
    """Those far away in their box, all others in the picture of Europe."""
    lost = []
    for row in bundled.run("pages/places"):
        x, y = picture().project(*point_of(row["point"]))
        if not picture().frame.holds(x, y):
            lost.append(row["region"].removeprefix(NUTS))
    assert lost == []


def test_the_outline_of_a_country_is_around_its_point():
    for code, country in picture().countries.items():
        assert country.box.around(1).holds(*picture().project(*country.point)), code
    assert {"GBR", "XKX", "CYP", "UKR", "TUR", "ISL", "MLT", "LIE"} <= picture().countries.keys()


# ── Circles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_area_of_a_circle_is_as_its_number():
    one, four, nine = maps.radii([1, 4, 9])
    assert four == pytest.approx(2 * one) and nine == pytest.approx(3 * one)


def test_a_very_large_number_does_not_cover_europe_and_a_small_one_can_be_seen():
    large, small = maps.radii([1_000_000, 1])
    assert large == maps.LARGEST and small == maps.SMALLEST
    assert maps.radii([]) == [] and max(maps.radii([500, 3], screen=360)) < maps.LARGEST


def overlap(points, sizes) -> float:
    """The most that two circles cover of each other."""
    pairs = [(i, j) for i in range(len(points)) for j in range(i)]
    return max((sizes[i] + sizes[j] - math.dist(points[i], points[j]) for i, j in pairs), default=0)


def test_circles_make_room_for_each_other_and_stay_near_their_place():
    points = [(100, 100), (104, 100), (100, 106), (108, 108), (400, 400), (100, 100)]
    sizes = [12.0, 10.0, 8.0, 14.0, 20.0, 8.0]
    moved = maps.spread(points, sizes)
    assert overlap(points, sizes) > 15 and overlap(moved, sizes) < 2
    assert moved[4] == pytest.approx((400, 400), abs=0.1), "what is alone stays"
    assert max(math.dist(a, b) for a, b in zip(points, moved)) < 40
    assert maps.spread(points, sizes) == moved, "the same picture for everybody"


def test_whatever_could_touch_is_looked_at():
    chance = np.random.default_rng(7)
    home, r = chance.uniform(0, 300, (200, 2)), chance.uniform(1, 30, 200)
    first, second = maps._near(home, r, 1.0)
    found = {frozenset(pair) for pair in zip(first.tolist(), second.tolist())}
    reach = 1.0 + 3 * float(np.median(r))
    assert len(found) == len(first) and found == {frozenset((i, j)) for i in range(200) for j in range(i) if math.dist(home[i], home[j]) < r[i] + r[j] + reach}


def test_a_thousand_circles_are_laid_out_in_time():
    points = [(300 + (i * 37) % 211, 400 + (i * 53) % 197) for i in range(1200)]
    began = time.process_time()
    moved = maps.spread(points, [4.0] * 1200)
    assert time.process_time() - began < 0.5 and all(map(math.isfinite, sum(moved, ())))


def test_a_circle_stays_inside_of_the_picture():
    place = Place("https://example.org/lisbon", 0, x=3.0, y=400.0)
    (bubble,) = maps.bubble_map([(place, Shown("Lisbon"), 900, "")]).bubbles
    assert bubble.x - bubble.r >= 0 and bubble.home == (3.0, 400.0)


def test_what_has_no_point_or_no_number_gets_no_circle():
    nowhere, empty, outside = Place("a:a", 1), Place("a:b", 1, x=5.0, y=5.0), Place("a:c", 1, x=-50.0, y=5.0)
    drawn = maps.bubble_map([(nowhere, Shown("a"), 3, ""), (empty, Shown("b"), 0, ""), (outside, Shown("c"), 3, "")])
    assert drawn.bubbles == () and drawn.legend == ()


def test_a_view_has_the_shape_asked_for_and_stays_in_the_picture():
    for box in (Box(470, 800, 5, 5), Box(0, 0, 10, 300), Box(100, 100, 900, 30), Box(940, 10, 10, 10)):
        view = maps.fitted(box, 4 / 3, 300)
        assert view == picture().frame or view.width / view.height == pytest.approx(4 / 3, rel=0.01)
        assert view.x >= 0 and view.y >= 0 and view.x + view.width <= 960.1 and view.y + view.height <= 832.1


# ── The small map of a page ──────────────────────────────────────────────────────────────────────────────────────────


def small(graph, *iris):
    app = client_of(graph).application
    with app.test_request_context("/"):
        return maps.small_map(Shown(iri.rpartition("/")[2], iri=iri) for iri in iris)


def test_a_small_map_shows_the_point_in_its_country(bundled):
    barcelona = small(bundled, NUTS + "ES511")
    assert barcelona.outlines == ("ESP",) and barcelona.names == ("ES511",)
    (dot,) = barcelona.dots
    assert dot.exact and barcelona.box.holds(dot.x, dot.y) and barcelona.box.width < 500
    (region,) = small(bundled, NUTS + "ES5").dots
    assert not region.exact and region.r > dot.r, "a region is an area, not a point"


def test_a_country_alone_is_filled_and_points_nowhere(bundled):
    assert (small(bundled, NUTS + "DE").outlines, small(bundled, COUNTRY + "DEU").dots) == (("DEU",), ())
    assert small(bundled, COUNTRY + "GBR").outlines == ("GBR",), "which NUTS 2024 leaves out"
    assert len(small(bundled, COUNTRY + "MLT").dots) == 1, "or nobody would see it"


def test_places_far_apart_and_overseas_are_on_one_map(bundled):
    far = small(bundled, NUTS + "IS001", NUTS + "CY000")
    assert all(far.box.holds(dot.x, dot.y) for dot in far.dots) and len(far.dots) == 2
    island = small(bundled, NUTS + "FRY40")
    assert island.box == picture().frame and [inset.name for inset in island.insets] == ["Réunion"] and island.outlines == ("FRA",)


@pytest.mark.parametrize("iris", [(), ("javascript:alert(1)",), ("https://example.org/nowhere",), (NUTS + "ZZ999",), ("",)])
def test_what_cannot_be_placed_has_no_map(bundled, iris):
    assert small(bundled, *iris) is None


# ── /map ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_map_is_a_sound_page_of_few_queries(bundled, address):
    backend = Counting(bundled.backend.store)
    client = client_of(Graph(backend, bundled.release))
    text, parsed = page(client, address)
    assert backend.asked <= 8
    assert "outlines" in text and 'href="/static/bundles/outlines' in text
    assert page(client, address)[0] == text


@pytest.mark.parametrize("address", ["/map", "/map?nuts=1", "/map?nuts=2&type=actor", "/map?nuts=3", "/map?nuts=2&type=policy", "/map?at=ES", "/map?nuts=2&channel=spin-offs&region=country/ESP"])
def test_circles_table_query_and_csv_say_the_same(bundled_client, address):
    text, parsed = page(bundled_client, address)
    drawn = bubbles(text)
    assert drawn and sorted(drawn.values()) == sorted(count for _, count, _ in rows(text))
    query = next(href for href in parsed.links if href.startswith("/sparql?query="))
    answer = bundled_client.get(query, headers={"Accept": "application/sparql-results+json"}).json
    asked = {row["place"]["value"]: int(row["things"]["value"]) for row in answer["results"]["bindings"]}
    assert {place: asked.get(place) for place in drawn} == drawn
    csv = bundled_client.get(next(href for href in parsed.links if "format=csv" in href)).data.decode().splitlines()
    whole = {line.split(",")[0]: int(line.rsplit(",", 1)[1]) for line in csv[1:]}
    assert csv[0] == "place,name,level,things" and drawn.items() <= whole.items()
    assert asked == whole, "places outside of the picture are in both"


def test_a_long_table_begins_with_the_places_with_most_and_leads_to_all(bundled_client, monkeypatch):
    monkeypatch.setattr(mapping, "LISTED", 50)
    text, parsed = page(bundled_client, "/map?nuts=3&type=actor")
    first, drawn = rows(text), bubbles(text)
    assert len(first) == mapping.LISTED < len(drawn)
    assert [count for _, count, _ in first] == sorted(drawn.values(), reverse=True)[: mapping.LISTED]
    assert f"The first {mapping.LISTED} of {len(drawn):,} places" in html.unescape(text)
    (whole,) = [href for href in parsed.links if href.endswith("#places") and "rows=all" in href]
    text, parsed = page(bundled_client, whole.removesuffix("#places"))
    assert len(rows(text)) == len(drawn) and rows(text)[: mapping.LISTED] == first and bubbles(text) == drawn
    assert not any("rows=all" in href and href.endswith("#places") for href in parsed.links)


def test_a_circle_leads_to_what_it_counts(bundled_client):
    for address in ("/map", "/map?nuts=2&type=actor&actor-kind=university"):
        for _, count, href in rows(page(bundled_client, address)[0])[:4]:
            found = page(bundled_client, href)[0]
            assert re.search(rf'<h2 id="count">{count:,} ', found), href


def test_without_a_script_every_step_is_a_link(bundled_client):
    text, parsed = page(bundled_client, "/map")
    assert len(bubbles(text)) > 20 and "By country" in text
    spain = next(href for href in parsed.links if href.endswith("at=country%2FESP"))
    text, parsed = page(bundled_client, spain)
    assert "By region (NUTS 2)" in text and 'aria-current="location"' in text
    closer = html.unescape(re.search(r'<a href="(/map[^"]+)"[^>]* data-step="in"', text)[1])
    assert width(page(bundled_client, closer)[0]) == pytest.approx(width(text) / 2, rel=0.02)
    inside = next(href for href in parsed.links if href.endswith("at=ES51"))
    text, parsed = page(bundled_client, inside)
    assert "By small region (NUTS 3)" in text and NUTS + "ES511" in bubbles(text)
    out = html.unescape(re.search(r'<a href="(/map[^"]*)"[^>]* data-step="out"', page(bundled_client, "/map?view=300,400,2")[0])[1])
    assert dict(parse_qsl(urlsplit(out).query)) == {"type": "practice"}, "all of Europe needs no address of its own"


def test_the_level_follows_the_zoom_unless_it_is_fixed(bundled_client):
    levels = [re.search(r"By (country|major region|region|small region)\b", page(bundled_client, f"/map?view=400,520,{close}")[0])[1] for close in (1, 2, 4, 9)]
    assert levels == ["country", "major region", "region", "small region"]
    assert "By country" in page(bundled_client, "/map?view=400,520,9&nuts=0")[0]


def test_what_has_no_place_is_said(bundled_client):
    text, _ = page(bundled_client, "/map?nuts=3")
    total = int(re.search(r"([\d,]+) practices in all", text)[1].replace(",", ""))
    unplaced = int(re.search(r"Of ([\d,]+) only a larger area is known", text)[1].replace(",", ""))
    places = [row["thing"]["value"] for row in _things(bundled_client, "/map?nuts=3")]
    assert 0 < unplaced < total and total - unplaced == len(set(places))


def _things(client, address):
    """The things of the search that have a place of this level, one by one, by the query of the search itself."""
    found = []
    for _, _, href in rows(page(client, address)[0]):
        query = next(link for link in page(client, href)[1].links if link.startswith("/sparql?query="))
        found += client.get(query, headers={"Accept": "application/sparql-results+json"}).json["results"]["bindings"]
    return found


@pytest.mark.parametrize(
    "query",
    ["nuts=9", "nuts=-1", "nuts=%00", "at=Atlantis", "at=%3Cscript%3E", "at=" + "x" * 5000, "view=nan,nan,nan", "view=1,2", "view=-5,1e9,3", "view=1,1,1e308", "view=%C2%B2,1,1",
     "screen=nan", "screen=-1", "screen=1e400", "type=nonsense", "type=region", "region=Nowhere", "q=%22%28%5B*", "q=%FF%00", "format=html", "type=actor&type=practice&type=actor"],
)  # fmt: skip
def test_absurd_addresses_bear_a_map(bundled_client, query):
    text, _ = page(bundled_client, f"/map?{query}")
    assert "<script>" not in text.split("</head>")[1] and "nan" not in re.search(r'viewBox="([^"]+)"[^>]*preserveAspectRatio', text)[1]


def test_an_unknown_place_is_named_in_a_note(client):
    assert "There is no place called “Atlantis” to zoom in to." in page(client, "/map?at=Atlantis")[0]


def test_an_empty_map_says_what_to_do(client):
    text, parsed = page(client, "/map?q=zzzzqqq")
    assert "Nothing fits all of this." in text and "/map" in parsed.links and bubbles(text) == {}


def test_other_formats_are_tables_too(bundled_client):
    sheet = bundled_client.get("/map?format=xlsx")
    with zipfile.ZipFile(io.BytesIO(sheet.data)) as archive:
        assert any("sheet1" in name for name in archive.namelist())
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="map-practice-0.xlsx"'
    data = bundled_client.get("/map?nuts=2&type=actor&format=json").json
    assert data["head"]["vars"] == ["place", "name", "level", "things"] and {row["level"]["value"] for row in data["results"]["bindings"]} == {"2"}
    assert bundled_client.get("/map?format=turtle").status_code == 400


def test_hostile_labels_are_text_on_the_map(client):
    text, _ = page(client, "/map?nuts=2")
    assert "Cataluña" in text and "onerror" not in text


def test_the_map_is_fast(bundled_client):
    """In processor time, with a generous bound: tests share a machine."""
    took = []
    for number in range(12):
        began = time.process_time()
        bundled_client.get(f"/map?nuts=3&unread={number}", headers=BROWSER)
        took.append(time.process_time() - began)
    assert statistics.median(took) < 0.1
