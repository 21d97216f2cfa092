"""Coverage: every cell is what the search it leads to finds, and what the query behind the table answers."""

import csv
import io
import re
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from kvgraph.server.coverage import DIMENSIONS, Asked, matrix
from kvgraph.server.facets import Selection
from kvgraph.spreadsheet import XLSX

from .html import check

TABLES = (
    "", "rows=country&columns=principle&count=policy", "rows=country&columns=principle", "rows=region-2&columns=channel", "rows=region-1&columns=actor-kind",
    "rows=actor-kind&columns=channel", "rows=channel&columns=region-3&in=ESP", "rows=region-2&columns=channel&in=AUT", "rows=channel&columns=country&in=ITA",
    "rows=challenge&columns=tool-kind", "rows=principle&columns=channel&count=learning-example", "rows=country&columns=actor-kind&count=actor",
)  # fmt: skip


def made(client, graph, query):
    with client.application.test_request_context("/coverage?" + query):
        asked = Asked.of_request(graph.facets)
        return asked, matrix(graph, asked, "en")


def found_by(graph, href) -> int:
    """How many things a search has, from its address alone."""
    selection = Selection.of(MultiDict(parse_qsl(urlsplit(href).query)), graph.facets)
    assert not selection.unknown
    return selection.search(graph, limit=1, snippets=False).total


@pytest.mark.parametrize("query", TABLES)
def test_a_cell_is_what_its_search_finds(bundled_client, bundled, query):
    _, table = made(bundled_client, bundled, query)
    cells = [cell for line, cells in table.rows for cell in (*cells, line.total)] + [line.total for line in table.columns] + [table.total]
    some = [cell for cell in cells if cell.count]
    assert len(some) > 5 and table.empty == sum(not cell.count for _, cells in table.rows for cell in cells)
    for cell in some[:: max(1, len(some) // 60)]:
        assert found_by(bundled, cell.href) == cell.count, cell.href
    assert all(not cell.href and not cell.shade for cell in cells if not cell.count)
    assert table.with_both <= min(table.with_row, table.with_column) <= table.total.count


@pytest.mark.parametrize("query", TABLES)
def test_the_query_behind_a_table_gives_its_cells(bundled_client, bundled, query):
    _, table = made(bundled_client, bundled, query)
    (text,) = parse_qs(urlsplit(table.query).query)["query"]
    answered = {(row["row"], row["column"]): row["things"] for row in bundled.query(text)}
    shown = {(line.shown.iri, column.shown.iri): cell.count for line, cells in table.rows for column, cell in zip(table.columns, cells) if cell.count}
    assert answered == shown


def test_empty_rows_and_cells_are_shown(bundled_client, bundled):
    _, table = made(bundled_client, bundled, "")
    assert {"Austria", "Bosnia and Herzegovina"} <= {line.shown.text for line, _ in table.rows}
    assert len(table.columns) == len(bundled.facets.members("channel")) and table.left_out == 0
    text = bundled_client.get("/coverage").text
    assert text.count('class="none">0<') >= table.empty


def test_rows_of_nothing_are_left_out_only_where_there_are_too_many(bundled_client, bundled):
    _, all_of_europe = made(bundled_client, bundled, "rows=region-3&columns=channel")
    assert all_of_europe.left_out > 1000 and "left out" in bundled_client.get("/coverage?rows=region-3&columns=channel").text
    _, austria = made(bundled_client, bundled, "rows=region-3&columns=channel&in=AUT")
    assert austria.left_out == 0 and len(austria.rows) == 35 and all(line.code.startswith("AT") for line, _ in austria.rows)


def test_downloads_hold_the_table(bundled_client, bundled):
    for query in TABLES[:4]:
        _, table = made(bundled_client, bundled, query)
        response = bundled_client.get("/coverage.csv?" + query)
        lines = list(csv.reader(io.StringIO(response.text)))
        assert lines[0][3:] == [column.shown.text for column in table.columns]
        assert [[int(n) for n in line[2:]] for line in lines[1:-1]] == [[line.total.count, *(cell.count for cell in cells)] for line, cells in table.rows]
        assert response.headers["Content-Disposition"].endswith('.csv"')
    sheet = bundled_client.get("/coverage.xlsx")
    assert sheet.content_type == XLSX.media_type and sheet.data[:2] == b"PK"


@pytest.mark.parametrize(
    "query",
    [
        {"rows": "<script>alert(1)</script>"}, {"rows": "channel", "columns": "channel"}, {"rows": "region-2", "columns": "country"}, {"columns": "principles"},
        {"count": "javascript:alert(1)"}, {"in": "Atlantis"}, {"in": "ES51"}, {"in": "\u202eevil" * 50}, {"rows": "x" * 5000}, {"in": "' OR 1=1 --", "rows": "\0"},
    ],
)  # fmt: skip
def test_an_absurd_address_gets_a_table_and_a_note(bundled_client, query):
    response = bundled_client.get("/coverage?" + urlencode(query))
    assert response.status_code == 200 and 'role="status"' in response.text
    check(response.text)
    assert bundled_client.get("/coverage.csv?" + urlencode(query)).status_code == 200


def test_every_pair_of_properties_makes_a_page(client):
    """Over a handful of invented and hostile facts, where most tables are empty."""
    for rows in DIMENSIONS:
        for columns in DIMENSIONS:
            response = client.get(f"/coverage?rows={rows}&columns={columns}")
            assert response.status_code == 200
            check(response.text)


def test_a_table_needs_few_queries_and_says_its_denominators(bundled_client, bundled):
    text = bundled_client.get("/coverage").text
    total = bundled.search("", types=["practice"], limit=1).total
    assert f">{total}</a> practices" in text and "cells are empty" in text and "have both" in text
    assert "classification" in text


def test_one_is_said_as_one(bundled_client):
    for address in ("/coverage?in=ESP", "/map"):
        text = bundled_client.get(address, headers={"Accept": "text/html"}).text
        assert re.search(r'>1<span class="hidden"> practice\b', text) and not re.search(r'>1<span class="hidden"> practices', text)
