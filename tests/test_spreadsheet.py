"""Spreadsheets: every cell is what it is, no text becomes a formula, and what does not fit is refused."""

import io
import re
import zipfile
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest

from kvgraph import spreadsheet

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = ("=HYPERLINK(\"http://evil.example\";\"x\")", "+1+1", "-1+1", "@SUM(1)", "\tx", "\rx", "=cmd|' /C calc'!A0", "＝1+1")


def written(query: str) -> bytes:
    into = io.BytesIO()
    spreadsheet.write(ox.Store().query(query), into)
    return into.getvalue()


def unescaped(text: str) -> str:
    """Text as a spreadsheet reads it."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def cells(query: str) -> list[list]:
    with zipfile.ZipFile(io.BytesIO(written(query))) as package:
        assert package.testzip() is None
        for name in package.namelist():
            ElementTree.fromstring(package.read(name))
        sheet = ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
    return [[(c.get("t"), unescaped(c.findtext(f".//{MAIN}t") or c.findtext(f".//{MAIN}v") or "")) for c in row] for row in sheet.iter(f"{MAIN}row")]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_is_never_a_formula(text):
    heading, row = cells(f"SELECT ({ox.Literal(text)} AS ?label) {{}}")
    assert heading == [("inlineStr", "label")] and row == [("inlineStr", text)]
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(written(f"SELECT ({ox.Literal(text)} AS ?label) {{}}"))).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("42", (None, "42")),
        ("-4.25", (None, "-4.25")),
        ("1.5e3", (None, "1500")),
        ('"+7"^^<http://www.w3.org/2001/XMLSchema#integer>', (None, "7")),
        ('"-5"', ("inlineStr", "-5")),
        ('"INF"^^<http://www.w3.org/2001/XMLSchema#double>', ("inlineStr", "INF")),
        ('"=1"^^<http://www.w3.org/2001/XMLSchema#integer>', ("inlineStr", "=1")),
        ("12345678901234567890", ("inlineStr", "12345678901234567890")),
        ("true", ("b", "1")),
        ('"2015"^^<http://www.w3.org/2001/XMLSchema#gYear>', ("inlineStr", "2015")),
        ('"à <b> & \\"c\\""@fr', ("inlineStr", 'à <b> & "c"')),
        ("<http://example.org/a>", ("inlineStr", "http://example.org/a")),
        ('"a\\u0001b _x0041_ 🏛"', ("inlineStr", "a\x01b _x0041_ 🏛")),
    ],
)
def test_a_cell_is_what_the_term_is(term, expected):
    assert cells(f"SELECT ?x {{ VALUES ?x {{ {term} }} }}")[1] == [expected]


def test_an_unbound_value_leaves_its_cell_out_and_the_next_in_its_place():
    data = written('SELECT ?a ?b { VALUES (?a ?b) { (UNDEF "b") } }')
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert b'<row r="2"><c r="B2"' in package.read("xl/worksheets/sheet1.xml")


def test_yes_or_no():
    assert cells("ASK {}") == [[("inlineStr", "answer")], [("b", "1")]]


def test_text_longer_than_a_cell_is_cut_visibly():
    ((_, text),) = cells(f'SELECT ?x {{ VALUES ?x {{ "{"a" * 40_000}" }} }}')[1]
    assert len(text) == spreadsheet.CHARACTERS and text.endswith("a…")


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch):
    monkeypatch.setattr(spreadsheet, "ROWS", 3)
    assert len(cells("SELECT ?x { VALUES ?x { 1 2 } }")) == 3
    with pytest.raises(spreadsheet.TooManyRows, match="holds 2 rows"):
        written("SELECT ?x { VALUES ?x { 1 2 3 } }")


def test_the_same_answer_is_the_same_file():
    query = 'SELECT ?x { VALUES ?x { 1 "a" } }'
    assert written(query) == written(query)
