"""Files of strangers: what is too much, too deep, elsewhere or somebody else's is refused in clear words, and nothing of it is kept."""

import io
import json
import time
import zipfile
from contextlib import suppress

import pytest

from kvgraph.contribute import parsing, reading
from kvgraph.errors import KvgraphError

PREFIXES = b"PREFIX kv: <https://w3id.org/kvgraph/def/kv#> PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX practice: <https://w3id.org/kvgraph/id/practice/> PREFIX actor: <https://w3id.org/kvgraph/id/actor/>\n"
MINE = b'practice:mine a kv:Practice ; dcterms:title "Mine"@en .\n'


def xlsx(sheet: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"<x/>")
        packed.writestr("xl/worksheets/sheet1.xml", sheet)
    return out.getvalue()


HOSTILE = {
    "a file of 10,000 records": ("turtle", PREFIXES + b"".join(b'practice:p%d a kv:Practice ; dcterms:title "P"@en .\n' % n for n in range(4000)), "records are more than can be reviewed"),
    "a table of 10,000 rows": ("csv", b"title@en\n" + b"A practice\n" * 10_000, "10,000 records are more"),
    "statements about somebody else's thing": ("turtle", PREFIXES + MINE + b'practice:living-lab dcterms:title "Not mine"@en .', "none of its records: <https://w3id.org/kvgraph/id/practice/living-lab>"),
    "somebody else's record": ("turtle", PREFIXES + b'practice:living-lab a kv:Practice ; dcterms:title "Taken over"@en .', "is described here already"),
    "an address of others": ("turtle", PREFIXES + b'<https://evil.example/p> a kv:Practice ; dcterms:title "P"@en .', "is none of ours"),
    "a way out of the folder": ("turtle", PREFIXES + b'<https://w3id.org/kvgraph/id/practice/../../x> a kv:Practice ; dcterms:title "P"@en .', "is none of ours"),
    "a flood of blank nodes": ("turtle", PREFIXES + MINE + b"".join(b"[] dcterms:relation [] .\n" for _ in range(400)), "blank nodes"),
    "a blank value": ("turtle", PREFIXES + b'practice:mine a kv:Practice ; dcterms:title "M"@en ; kv:lead [ a kv:Actor ] .', ""),
    "more statements than there may be": ("turtle", PREFIXES + MINE + b"".join(b'practice:mine dcterms:alternative "%d"@en .\n' % n for n in range(11_000)), "more than 10,000 statements"),
    "brackets in brackets": ("trig", b"<http://a/b> <http://c/d> " + b"[ <http://c/d> " * 60_000, "nested more than 32 deep"),
    "lists in lists": ("turtle", b"<http://a/b> <http://c/d> " + b"(" * 300_000, "nested"),
    "triples in triples": ("turtle", b"<< " * 100_000, "nested"),
    "brackets behind a quotation mark in a name": ("turtle", PREFIXES + rb"practice:a\' dcterms:relation " + b"<<( <a:b> <a:b> " * 60_000 + b"#'", "nested"),
    "brackets behind a quotation mark in an address": ("turtle", rb"<http://a/\u0041'> <a:b> " + b"<<( <a:b> <a:b> " * 60_000 + b"#'", "nested"),
    "a long prefix in many statements": ("turtle", b"PREFIX p: <http://" + b"x" * 300_000 + b"> " + b"p:a p:b p:c . " * 30_000, "too long"),
    "a long name with many values": ("jsonld", json.dumps({"@id": "a:a", "a:" + "x" * 300_000: [f"{n}" for n in range(9000)]}).encode(), "too long"),
    "a long address with many values": ("jsonld", json.dumps({"@id": "a:" + "x" * 300_000, "a:b": [f"{n}" for n in range(9000)]}).encode(), "too long"),
    "a context within a context": ("jsonld", json.dumps({"@context": {"p": {"@id": "a:p", "@context": {"t": "a:t"}}}, "p": [{}]}).encode(), "within another one"),
    "contexts in nodes": ("jsonld", json.dumps({"@context": {"p": "a:p"}, "p": [{"@context": {}}]}).encode(), "within a node"),
    "terms that hang on each other": ("jsonld", json.dumps({"@context": {**{f"t{n + 1}": f"t{n}:x" for n in range(30_000, 0, -1)}, "t1": "a:"}}).encode(), "terms in the context"),
    "a hidden context": ("jsonld", b'{"@context": {"p": "a:p"}, "@context": {}}', "twice in one object"),
    "more values than there may be": ("jsonld", json.dumps({"a:b": [{}] * 50_000}).encode(), "too many values"),
    "a remote context": ("jsonld", b'{"@context": "https://schema.org/", "@type": "Practice"}', "nothing is fetched"),
    "a context of a file": ("jsonld", b'{"@context": "file:///etc/passwd", "@type": "Practice"}', ""),
    "objects in objects": ("jsonld", b'{"http://x/y":' * 60_000 + b'"a"' + b"}" * 60_000, "nested too deeply"),
    "lists in lists of JSON": ("jsonld", b"[" * 300_000 + b"]" * 300_000, "nested too deeply"),
    "no JSON": ("jsonld", b"{", "not JSON"),
    "no UTF-8": ("turtle", b"\xff\xfe\x00", "not UTF-8"),
    "no Turtle": ("turtle", b"SELECT * { ?s ?p ?o }", "not well-formed"),
    "a column there is not": ("csv", b"title@en,password\nA,b\n", "no column 'password'"),
    "a column twice": ("csv", b"title@en,title@en\nA,b\n", "is there twice"),
    "XML entities": ("xlsx", xlsx(b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'), "declares entities"),
    "a bomb": ("xlsx", xlsx(b" " * 30_000_000), "too large"),
    "a spreadsheet of styles": ("xlsx", xlsx(b"<styleSheet><cellXfs>" + b"<xf/>" * 800_000 + b"</cellXfs></styleSheet>"), "too large"),
    "a row of a million cells": ("xlsx", xlsx(b"<worksheet><sheetData><row>" + b"<c/>" * 900_000 + b"</row></sheetData></worksheet>"), "too large"),
    "names without end": ("json", json.dumps([{"type": "practice", "values": {"lead": [f"Nobody {n} {m}" for m in range(300)]}} for n in range(3)]).encode(), "more than 500 names"),
    "no spreadsheet": ("xlsx", b"PK\x03\x04 nothing", "not a spreadsheet"),
    "an identifier of the curators": ("turtle", PREFIXES + b'practice:mine a kv:Practice ; dcterms:title "M"@en ; dcterms:identifier "KV0001" .', "given by the curators"),
    "nothing": ("turtle", b"", "no record"),
    "a field there is not": ("json", json.dumps({"type": "practice", "values": {"password": "x"}}).encode(), "no field 'password'"),
    "a kind there is not": ("json", json.dumps({"type": "policy", "values": {}}).encode(), "A record is an object"),
    "values in values": ("json", json.dumps({"type": "practice", "values": {"title": [[["x"]]]}}).encode(), "takes texts"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_clear_words(instance, what):
    format_, content, words = HOSTILE[what]
    with pytest.raises(KvgraphError) as refused:
        reading.read(content, format_, instance._graph(), "practice")
    assert words in str(refused.value) and len(str(refused.value)) < 1500


LONG, DOUBLE = b"'''", b'"' * 3
PATTERNS = (LONG + b"\n\\", LONG, DOUBLE, b'"\\', b"'\\", b'"', b"'", b"<", b"<a", b"<\\u0041", b"\\", b"#", b"[", b"]", DOUBLE + LONG, LONG + b"\\'", b'""\\', b"'\n", b"<a:a> ")


@pytest.mark.parametrize("before", [b"", b'"', DOUBLE, LONG])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_megabyte_of_anything_is_read_quickly(pattern, before):
    """The scanner never goes back far: at ten times the length it takes ten times as long, not a hundred."""
    begun = time.process_time()
    with suppress(KvgraphError):
        parsing.quads(before + pattern * (2**20 // len(pattern)), "turtle")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("name", ["ours.rdf", "ours.xml", "ours.exe", "ours"])
def test_other_formats_are_not_read(name):
    with pytest.raises(KvgraphError, match="not taken"):
        reading.format_of(name, "application/rdf+xml")


def test_a_description_of_ten_megabytes_is_refused(instance, person):
    reader = person()
    response = reader.client.post("/contribute/new/practice", data={"title": "T", "description": "x" * 10_000_000}, headers={"Accept": "text/html"})
    assert response.status_code == 413 and "at most" in response.get_data(as_text=True)
    draft = reader.contribute(title="Long", description="x" * 6000, different="yes")
    assert "Describe it in 10 to 5,000 characters" in reader.read(f"{draft}?check=1")


def test_brackets_in_texts_are_no_nesting(instance):
    content = PREFIXES + b'practice:mine a kv:Practice ; dcterms:title "' + b"((((" * 90 + b'"@en .'
    [record] = reading.read(content, "turtle", instance._graph())
    assert record.title.startswith("((((")
