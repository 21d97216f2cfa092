"""The gallery of questions: found by words and by tag; answers as files."""

import io
import zipfile

import pytest

from kvgraph import queries

from .test_pages import page


def listed(client, address):
    return {href.removeprefix("/questions/") for href in page(client, address)[1].links if href.startswith("/questions/")}


def test_words_narrow_the_gallery(client):
    found = listed(client, "/questions?q=region")
    assert "practices-by-region" in found and "practices-per-year" not in found
    assert listed(client, "/questions?q=REGION+practices") < found, "all words must be there"
    assert listed(client, "/questions?q=") == set(queries.names())


def test_a_tag_narrows_the_gallery(client):
    found = listed(client, "/questions?tag=funding")
    assert found == {name for name in queries.names() if "funding" in queries.load(name).tags} and found
    assert listed(client, "/questions?tag=funding&q=programmes") <= found


@pytest.mark.parametrize("query", ["q=zzzzqqq", "tag=nonsense", "tag=%3Cscript%3E", "q=" + "x" * 5000, "q=%00", "tag=funding&q=zzzz"])
def test_nothing_fits_is_said_with_ways_on(client, query):
    text, parsed = page(client, f"/questions?{query}")
    assert "No question fits" in text and {"/questions", "/search", "/sparql"} <= set(parsed.links)


def test_questions_that_are_drawn_say_so(client):
    text, _ = page(client, "/questions")
    assert text.count('<span class="drawn">') == sum(bool(queries.load(name).chart) for name in queries.names())


def test_an_answer_is_a_spreadsheet_too(client):
    response = client.get("/questions/practices-per-channel?format=xlsx")
    assert response.status_code == 200 and response.headers["Content-Disposition"] == 'attachment; filename="practices-per-channel.xlsx"'
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert "xl/worksheets/sheet1.xml" in archive.namelist()
    assert any("format=xlsx" in href for href in page(client, "/questions/practices-per-channel")[1].links)
    assert client.get("/questions/practice-neighbourhood?practice=practice/living-lab&format=xlsx").status_code == 400, "triples are no table"


@pytest.mark.parametrize("format", ["csv", "html"])
def test_of_two_values_for_one_parameter_none_is_dropped_in_silence(client, format):
    asked = f"/questions/practices-by-region?format={format}&region=nuts:ES51"
    assert client.get(asked + "&region=nuts:ES51").status_code == 200
    refused = client.get(asked + "&region=nuts:PT11", headers={"Accept": "application/json"})
    assert refused.status_code == 400 and "more than one value" in refused.json["detail"]
