"""Charts: geometry that is as the numbers, and pages that say the same in words and in a table."""

import re

import pytest

from kvgraph import queries
from kvgraph.server import charts
from kvgraph.server.display import Shown

from .test_pages import page

ODD = [(Shown("a" * 500), 3.0), (Shown("شارع"), 2.0), (Shown("<b>"), 1.0), (Shown(""), 0.0)]


def pairs(*numbers):
    return [(Shown(f"n{i}"), number) for i, number in enumerate(numbers)]


def test_bars_are_as_long_as_their_numbers():
    chart = charts.bars(pairs(10, 5, 0, 2.5), "practices")
    lengths = [bar.width for bar in chart.bars]
    assert lengths == pytest.approx([lengths[0], lengths[0] / 2, 0, lengths[0] / 4], abs=0.1)
    assert all(bar.x + bar.width <= chart.width for bar in chart.bars)
    assert [bar.number for bar in chart.bars] == ["10", "5", "0", "2.5"]
    below = [bar.y + bar.height for bar in chart.bars]
    assert all(end <= bar.y for end, bar in zip(below, chart.bars[1:])) and below[-1] <= chart.height


def test_what_has_no_bar_is_counted():
    chart = charts.bars(pairs(*range(60, 0, -1)), "practices")
    assert len(chart.bars) == charts.MOST_BARS and chart.more == 60 - charts.MOST_BARS


def test_columns_stand_on_one_line_and_reach_as_high_as_their_numbers():
    chart = charts.columns([(Shown("2019"), 4), (Shown("2020"), 8)], "practices")
    four, eight = chart.bars
    assert eight.height == pytest.approx(2 * four.height, abs=0.05)
    assert four.y + four.height == pytest.approx(eight.y + eight.height) == pytest.approx(chart.ticks[0].at)
    assert [tick.number for tick in chart.ticks][0] == "0" and int(chart.ticks[-1].number) >= 8


def test_years_without_a_number_keep_their_place():
    chart = charts.columns([(Shown("2015"), 1), (Shown("2018"), 2)], "practices")
    assert [(bar.name, bar.value) for bar in chart.bars] == [("2015", 1), ("2016", 0), ("2017", 0), ("2018", 2)]
    steps = {round(b.x - a.x, 2) for a, b in zip(chart.bars, chart.bars[1:])}
    assert len(steps) == 1


def test_a_year_of_long_ago_does_not_make_a_thousand_columns():
    chart = charts.columns([(Shown("0001"), 1), (Shown("2018"), 2)], "practices")
    assert len(chart.bars) == 120 and chart.more == 1 and chart.bars[-1].name == "2018"


def test_the_scale_has_round_numbers():
    for most, numbers in ((1, ["0", "1"]), (3, ["0", "1", "2", "3"]), (18, ["0", "5", "10", "15", "20"]), (1000, ["0", "250", "500", "750", "1,000"])):
        chart = charts.columns([(Shown("2020"), most)], "practices")
        assert [tick.number for tick in chart.ticks] == numbers


@pytest.mark.parametrize("make", [charts.bars, charts.columns])
def test_nothing_to_draw_is_no_chart_and_odd_names_are_only_long(make):
    assert make([], "practices") is None
    assert make(pairs(float("nan"), float("inf"), -3), "practices") is None
    assert len(make(ODD, "practices").bars) == 4
    assert all(len(bar.name) <= charts.LONG for bar in charts.bars(ODD, "practices").bars)
    assert make(pairs(0, 0), "practices").bars[0].width >= 0, "nothing is divided by zero"


DRAWN = [name for name in queries.names() if queries.load(name).chart]


@pytest.mark.parametrize("name", [name for name in DRAWN if queries.load(name).chart != "map"])
def test_a_question_is_drawn_as_its_header_says(bundled_client, name):
    text, _ = page(bundled_client, f"/questions/{name}")
    figure = text[text.index('<figure class="chart') : text.index("</figure>")]
    assert 'role="img"' in figure and "<title" in figure and "<desc" in figure and "style=" not in figure
    drawn = re.findall(r"<g><title>(.+): ([\d,.]+)</title>", figure)
    table = text[text.index("</figure>") :]
    numbers = re.findall(r'<td class="number">\s*<span[^>]*>([^<]+)</span>', table)
    assert drawn and {number.replace(",", "") for _, number in drawn} - {"0"} <= {number.replace(",", "") for number in numbers}
    most = re.search(r"The highest: (.+) with ([\d,.]+)\.</desc>", figure)
    assert float(most[2].replace(",", "")) == max(float(number.replace(",", "")) for _, number in drawn)


def test_a_question_is_a_map_where_that_suits_it(bundled_client):
    text, _ = page(bundled_client, "/questions/practices-on-the-map")
    figure = text[text.index('<figure class="map-frame') : text.index("</figure>")]
    circles = re.findall(r'<g class="bubble">\s*<g [^>]*><g class="size"><title>(.+): ([\d,]+)</title>', figure)
    assert len(circles) > 50 and 'role="img"' in figure and "<a " not in figure
    names = re.findall(r'<td><a href="/doc/region/[^>]+>([^<]+)</a>', text)
    assert {name for name, _ in circles} <= set(names)


def test_a_drawing_that_the_answer_does_not_suit_is_left_out(client):
    text, _ = page(client, "/questions/practices-per-principle")
    assert '<figure class="chart' not in text or "<desc" in text
