"""The home page: figures that are true, a map that says what /map says, and ways on for everybody."""

import re
import statistics
import time

import pytest

from kvgraph.graph import Graph

from .conftest import Counting, client_of
from .test_maps import bubbles
from .test_pages import BROWSER, page


def test_the_home_page_needs_few_queries_and_no_script(bundled):
    backend = Counting(bundled.backend.store)
    text, parsed = page(client_of(Graph(backend, bundled.release)), "/")
    assert backend.asked <= 4
    assert len(text) < 60_000, "the outlines are a file of their own"


def test_its_map_has_the_numbers_of_the_map(bundled_client):
    text, _ = page(bundled_client, "/")
    picture = re.findall(r'<g class="size"><title>[^<]*?: ([\d,]+) practices?</title>', text)
    assert sorted(int(n.replace(",", "")) for n in picture) == sorted(bubbles(page(bundled_client, "/map")[0]).values())


def test_the_figures_of_the_channels_are_those_of_their_query(bundled_client):
    text, parsed = page(bundled_client, "/")
    figures = {int(n.replace(",", "")) for n in re.findall(r'<li><a href="/search\?type=practice&amp;channel=[^"]+"><span class="n">([\d,]+)</span>', text)}
    assert len(figures) > 5
    query = re.search(r'href="(/sparql\?query=[^"]+)">The query behind these figures', text)[1].replace("&amp;", "&")
    answer = bundled_client.get(query, headers={"Accept": "application/sparql-results+json"}).json
    assert figures <= {int(row["practices"]["value"]) for row in answer["results"]["bindings"]}
    channel = next(href for href in parsed.links if href.startswith("/search?type=practice&channel="))
    count = int(re.search(r'<h2 id="count">([\d,]+) ', page(bundled_client, channel)[0])[1].replace(",", ""))
    assert count in figures


def test_the_latest_begin_with_the_last_year(bundled_client):
    text, _ = page(bundled_client, "/")
    years = [int(year) for year in re.findall(r'<span class="year">(\d{4})</span>', text)]
    assert years and years == sorted(years, reverse=True)


def test_every_kind_of_reader_finds_a_way_on(bundled_client):
    _, parsed = page(bundled_client, "/")
    assert {"/map", "/coverage", "/connections", "/sparql", "/releases", "/docs/about", "/search?type=practice"} <= set(parsed.links)


def test_a_release_without_practices_has_a_home_page_too(client):
    text, parsed = page(client, "/")
    assert "How Europe turns research into solutions" in text and "onerror" not in text


def test_the_home_page_is_fast(bundled_client):
    """In processor time, with a generous bound: tests share a machine."""
    took = []
    for number in range(12):
        began = time.process_time()
        bundled_client.get(f"/?unread={number}", headers=BROWSER)
        took.append(time.process_time() - began)
    assert statistics.median(took) < 0.15


YOURS = "/search?type=region&type=country&go=1&q="


@pytest.mark.parametrize(("name", "page_of"), [
    ("Catalonia", "region/ES51"), ("cataluña ", "region/ES51"), ("Spain", "country/ESP"), ("ES51", "region/ES51"), ("Cyprus", "country/CYP"), ("Shqipëria", "country/ALB"), ("Limburg (NL)", "region/NL42"), ("Comunidad de Madrid", "region/ES3"),
])  # fmt: skip
def test_the_name_of_ones_region_leads_to_its_page(bundled_client, name, page_of):
    assert all(f'name="{field}" value="{value}"' in page(bundled_client, "/")[0] for field, value in (("type", "region"), ("type", "country"), ("go", "1")))
    answer = bundled_client.get(YOURS + name)
    assert answer.status_code == 303 and answer.location == f"/doc/{page_of}"


def test_a_name_that_several_have_and_one_that_is_none_lead_to_a_list(bundled_client):
    for name in ("Limburg", "Luxembourg"):  # the latter is a province of Belgium too
        assert "Did you mean" not in page(bundled_client, YOURS + name)[0]
    text, _ = page(bundled_client, YOURS + "Scotland")
    assert "No place is called “Scotland”. Did you mean one of these?" in text and "no regions of the United Kingdom" in text
    assert "no regions of the United Kingdom" in page(bundled_client, YOURS + "Zzzzqqqq")[0]
    assert page(bundled_client, YOURS)[1].title.startswith("Regions, Countries")
