"""Policies in time, and who takes up a principle."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from kvgraph.namespaces import COUNTRY, ID
from kvgraph.server.policies import Link, Policy, near, policies_of
from kvgraph.server.timeline import drawing
from kvgraph.server.uptake import uptake
from kvgraph.server.display import Shown

from .html import check

LANES = [("eu", "EU"), ("national", "National"), ("regional", "Regional")]


def policy(name, lane, year, until=None):
    return Policy(Shown(name, f"/doc/policy/{name}", None, name), lane, str(year), year, until)


def placed(picture):
    return {mark.policy.shown.text: (mark.x, mark.y) for mark in picture.marks}


def test_time_runs_from_left_to_right_and_lanes_from_the_union_down():
    some = {p.shown.text: p for p in (policy("act", "eu", 2008.5), policy("law", "national", 2014.5), policy("plan", "regional", 2014.5), policy("older", "national", 1999.5))}
    links = [Link("law", "act", "rests", "is based on")]
    for rows in (False, True):
        at = placed(picture := drawing(some, links, LANES, rows))
        assert at["older"][0] < at["act"][0] < at["law"][0] == at["plan"][0]
        assert at["act"][1] < at["law"][1] < at["plan"][1]
        assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in at.values())
        (arrow,) = picture.arrows
        assert (arrow.kind, arrow.title) == ("rests", "law is based on act")
        assert [mark.name for mark in picture.marks if mark.name] == (["act", "older", "law", "plan"] if rows else [])


def test_what_has_no_date_is_not_drawn():
    some = {"a": policy("a", "eu", None), "b": policy("b", "eu", 2020.5)}
    picture = drawing(some, [Link("b", "a", "cites", "cites")], LANES, False)
    assert list(placed(picture)) == ["b"] and picture.arrows == []
    assert drawing({"a": some["a"]}, [], LANES, True) is None


def test_two_of_one_year_lie_apart():
    some = {str(n): policy(str(n), "eu", 2014.5) for n in range(20)}
    for rows in (False, True):
        assert len(set(placed(drawing(some, [], LANES, rows)).values())) == 20


def test_a_country_brings_along_what_it_leads_to():
    spain = Shown("Spain", None, None, COUNTRY + "ESP")
    some = {n: policy(n, lane, 2014.5) for n, lane in (("ris", "regional"), ("act", "eu"), ("treaty", "eu"), ("other", "eu"), ("foreign", "national"))}
    some["ris"].countries.append(spain)
    links = [Link("ris", "act", "rests", ""), Link("act", "treaty", "rests", ""), Link("ris", "foreign", "cites", ""), Link("other", "act", "cites", "")]
    assert list(near(some, links, COUNTRY + "ESP")) == ["ris", "act", "treaty"]


def test_the_list_says_what_the_picture_shows(bundled_client, bundled):
    with bundled_client.application.test_request_context():
        found, links = policies_of(bundled, "en")
    text = bundled_client.get("/policies").text
    assert check(text).counts["svg"] >= 1
    assert text.count("<circle") == sum(p.year is not None for p in found.values()) and text.count('<li>\n  <p>') == len(found)
    undated = sum(p.year is None for p in found.values())
    assert f">{undated} without a date<" in text
    rows = {(row["policy"], row["object"]) for row in bundled.run("policy-relations")}
    assert {(link.source, link.target) for link in links} == {(a, b) for a, b in rows if a != b}


def test_figures_are_what_their_queries_answer(bundled_client, bundled):
    for address in ("/policies", "/doc/principle/gp1", "/doc/principle/gp5"):
        text = bundled_client.get(address).text
        figures = re.findall(r'<a class="figure" href="([^"]+)"[^>]*>([\d,]+)</a>', text)
        assert figures
        for href, number in figures:
            (query,) = parse_qs(urlsplit(href.replace("&amp;", "&")).query)["query"]
            rows = bundled.query(query)
            things = {row[0] for row in rows.terms}
            values = {str(term.value) for row in rows.terms for term in row if term is not None}
            assert len(things) == int(number.replace(",", "")) or len(rows) == int(number.replace(",", "")) or values == {number}, (address, number)


@pytest.mark.parametrize("country", ["ESP", "Austria", "country/FRA", "ALB"])
def test_one_country_at_a_time(bundled_client, country):
    response = bundled_client.get("/policies?" + urlencode({"country": country}))
    assert response.status_code == 200 and 'role="status"' not in response.text
    check(response.text)


@pytest.mark.parametrize("country", ["Atlantis", "<script>", "javascript:alert(1)", "x" * 3000, "\u202e", "region/ES51"])
def test_an_unknown_country_gets_all_and_a_note(bundled_client, country):
    response = bundled_client.get("/policies?" + urlencode({"country": country}))
    assert response.status_code == 200 and 'role="status"' in response.text and "<script>alert" not in response.text
    check(response.text)


def test_hostile_policies_do_no_harm(client):
    response = client.get("/policies")
    assert response.status_code == 200
    check(response.text)


def test_uptake_counts_as_the_search_does(bundled, bundled_client):
    principle = ID + "principle/gp2"
    with bundled_client.application.test_request_context():
        found = uptake(bundled, principle, "en")
    by_kind = {listing.kind: listing.total for listing in found.listings}
    assert by_kind["practice"] == len({row["practice"] for row in bundled.run("practices-by-principle", principle=principle)}) > 0
    assert by_kind["policy"] and by_kind["learning-example"] == len({row["example"] for row in bundled.run("learning-examples-by-principle", principle=principle)})
    assert found.points and all(point.code.startswith("GP2.") for point in found.points)
    text = bundled_client.get("/doc/principle/gp2").text
    assert "Uptake" in text and text.count("Learning examples that take this up") == 0, "said once"
