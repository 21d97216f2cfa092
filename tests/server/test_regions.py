"""Pages of regions and countries."""

import re
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from kvgraph.model import path_of
from kvgraph.namespaces import NUTS
from kvgraph.server.facets import Selection

from .html import check

PLACES = ("region/ES51", "region/ES511", "region/AT", "region/TR100", "region/MT001", "country/AUT", "country/GBR", "country/ALB")


def text_of(client, path) -> str:
    response = client.get("/doc/" + path)
    assert response.status_code == 200
    return response.text


@pytest.mark.parametrize("path", PLACES)
def test_a_place_has_a_sound_page(bundled_client, path):
    check(text_of(bundled_client, path))


@pytest.mark.parametrize("path", PLACES)
def test_a_number_is_what_the_search_it_leads_to_finds(bundled_client, bundled, path):
    """Every link of the page to a search whose text is a number."""
    text = text_of(bundled_client, path)
    found = re.findall(r'<a[^>]* href="(/search\?[^"]+)"[^>]*>(?:<span class="hidden">[^<]*</span>)?([\d,]+)</a>', text)
    assert found
    for href, number in found:
        selection = Selection.of(MultiDict(parse_qsl(urlsplit(href.replace("&amp;", "&")).query)), bundled.facets)
        assert not selection.unknown
        assert selection.search(bundled, limit=1).total == int(number.replace(",", "")), href


@pytest.mark.parametrize("path", PLACES[:4])
def test_the_query_behind_the_practices_lists_them(bundled_client, bundled, path):
    text = text_of(bundled_client, path)
    section = text.split('id="practices"')[1].split("</section>")[0]
    links = re.findall(r'<a class="why" href="([^"]+)"', section)
    if "no practice here" in section:
        assert not links
        return
    (query,) = parse_qs(urlsplit(links[0].replace("&amp;", "&")).query)["query"]
    number = int(re.search(r'class="numbers">.*?>([\d,]+)<', text, re.DOTALL)[1].replace(",", ""))
    assert len(bundled.query(query)) == number


def test_similar_regions_come_with_reasons_and_practices(bundled_client, bundled):
    text = text_of(bundled_client, "region/ES51")
    section = text.split('id="alike"')[1].split("</section>")[0]
    for one in bundled.regions.similar(NUTS + "ES51"):
        assert f'/doc/region/{one.region.code}"' in section
    assert section.count('class="reasons"') == 6 and "of 100 points alike" in section and "How likeness is counted" in section
    assert all(str(points) in section for points in (30, 15, 10, 20))
    assert "/doc/practice/" in section


def test_a_place_that_cannot_be_compared_says_so(bundled_client):
    assert "nothing to compare it by" in text_of(bundled_client, "country/GBR")
    empty = next(code for code in ("IS001", "AL011", "MK001", "TR211") if 'class="alike"' not in text_of(bundled_client, f"region/{code}"))
    assert "has a practice here yet" in text_of(bundled_client, f"region/{empty}")


def test_policies_of_all_levels_said_apart(bundled_client):
    section = text_of(bundled_client, "region/ES511").split('id="policies"')[1].split("</section>")[0]
    assert section.index("Of the regions around it") < section.index("Of the whole country") < section.index("of the European Union")
    assert "Its own" not in section and "RIS3CAT" in section


def test_the_tree_leads_up_beside_and_down(bundled_client):
    text = text_of(bundled_client, "region/ES51")
    tree = text.split('aria-label="Regions around and inside"')[1].split("</nav>")[0]
    for path in ("country/ESP", "region/ES5", "region/ES511", "region/ES52", "region/FRJ1"):
        assert f'"/doc/{path}"' in tree


def test_a_country_is_compared_with_countries(bundled_client):
    section = text_of(bundled_client, "country/AUT").split('id="alike"')[1].split("</section>")[0]
    assert '"/doc/country/' in section and '"/doc/region/' not in section


@pytest.mark.parametrize("path", ["region/ES51", "country/ESP", "region/ES"])
def test_pages_over_hostile_facts_are_sound(client, path):
    check(text_of(client, path))


def test_at_most_eight_queries(bundled_client, bundled):
    asked = []
    select = bundled.backend.select
    bundled.backend.select = lambda *args, **kwargs: asked.append(args) or select(*args, **kwargs)
    try:
        for path in PLACES:
            asked.clear()
            bundled_client.get(f"/doc/{path}?uncached=1")
            assert 0 < len(asked) <= 8, path
    finally:
        bundled.backend.select = select


@pytest.mark.parametrize("path", ["region/ATLANTIS", "country/XXX", "region/%3Cscript%3E", "region/ES51'--"])
def test_an_unknown_place_is_not_found(bundled_client, path):
    assert bundled_client.get(f"/doc/{path}").status_code == 404


@pytest.mark.parametrize("path", PLACES)
def test_the_policies_listed_are_those_of_the_query_behind_them(bundled_client, bundled, path):
    """They come from one answer for all places; the query asks for this one."""
    section = text_of(bundled_client, path).split('id="policies"')[1].split("</section>")[0]
    listed = [re.findall(r'<a href="(/doc/[^"]+)"', part) for part in section.split("<h3>")[1:]]
    query = next(q for href in re.findall(r'href="(/sparql[^"]+)"', section) for q in parse_qs(urlsplit(href.replace("&amp;", "&")).query)["query"] if "?scope" in q)
    wanted: dict[str, dict] = {}
    for row in bundled.query(query):
        wanted.setdefault(row["scope"], {})[path_of(row["policy"])] = None
    assert listed == [list(policies) for _, policies in sorted(wanted.items())]


def test_the_description_of_a_place_says_what_is_there(bundled_client):
    text = bundled_client.get("/doc/region/ES51", headers={"Accept": "text/html"}).text
    said = re.search(r'<meta name="description" content="([^"]+)">', text)[1]
    assert re.fullmatch(r"Catalonia: region, Spain, [\d,]+ practices, [\d,]+ organisations?, [\d,]+ polic(y|ies), [\d,]+ learning examples?", said)
