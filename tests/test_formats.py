"""Formats: names, suffixes, and content negotiation case by case (RFC 9110 section 12.5.1)."""

import json
import socket

import pyoxigraph
import pytest

from kvgraph.formats import ALL, CSV, GRAPHS, HTML, JSON, JSONLD, NTRIPLES, RDFXML, RESULTS, TSV, TURTLE, XML, UnknownFormat, by_name, fit, negotiate


@pytest.mark.parametrize(
    "name, format",
    [("json", JSON), ("JSON", JSON), ("xml", XML), ("csv", CSV), (".tsv", TSV), ("ttl", TURTLE), ("turtle", TURTLE), ("nt", NTRIPLES)]
    + [("jsonld", JSONLD), ("rdf", RDFXML), ("rdfxml", RDFXML), ("text/csv", CSV), ("text/csv; charset=utf-8", CSV)]
    + [("n3", TURTLE), ("rdf+xml", RDFXML), ("json-ld", JSONLD), ("application/ld+json,application/x-json+ld", JSONLD)],
)
def test_by_name(name, format):
    assert by_name(name) is format


@pytest.mark.parametrize("name", ["", "tutle", "html", "application/json5", "x" * 10_000])
def test_unknown_name(name):
    with pytest.raises(UnknownFormat) as caught:
        by_name(name)
    assert caught.value.hint and len(str(caught.value)) < 300


def test_nearest_name():
    with pytest.raises(UnknownFormat, match="Did you mean turtle"):
        by_name("tutle")


def test_each_name_suffix_and_media_type_is_one_format():
    assert len({f.name for f in ALL}) == len({f.suffix for f in ALL}) == len({f.media_type for f in ALL}) == len(ALL) == 10
    for format in ALL:
        assert by_name(format.suffix) is format
        assert ";" not in format.media_type  # the engine's own CSV media type has a parameter, which would never match an Accept
        assert format.engine.media_type.partition(";")[0] == format.media_type


@pytest.mark.parametrize(
    "accept, offered, expected",
    [
        (None, RESULTS, JSON),
        ("", RESULTS, JSON),
        ("  ", GRAPHS, TURTLE),
        ("*/*", RESULTS, JSON),
        ("text/csv", RESULTS, CSV),
        ("TEXT/CSV", RESULTS, CSV),
        ("text/csv; charset=utf-8", RESULTS, CSV),
        ("text/csv;q=0.5, text/tab-separated-values;q=0.6", RESULTS, TSV),
        ("text/csv;q=0.5,application/sparql-results+xml;q=0.5", RESULTS, XML),  # equal: the server's order
        ("text/*", RESULTS, CSV),
        ("application/*;q=0.1, text/*", GRAPHS, TURTLE),
        ("application/json", RESULTS, JSON),
        ("application/json", GRAPHS, JSONLD),
        ("application/xml", RESULTS, XML),
        ("text/xml;q=0.2, text/csv;q=0.1", RESULTS, XML),
        ("application/sparql-results+json,application/json,text/javascript,application/javascript", RESULTS, JSON),  # SPARQLWrapper
        ("image/png", RESULTS, None),
        ("image/*, video/*", RESULTS, None),
        ("text/turtle;q=0", GRAPHS, None),
        ("*/*, text/turtle;q=0", GRAPHS, NTRIPLES),
        ("text/*;q=0, */*;q=0.1", GRAPHS, NTRIPLES),
        ("*/*;q=0", RESULTS, None),
        ("text/turtle;q=0.3, */*;q=0.8", GRAPHS, NTRIPLES),  # the specific range decides for Turtle, even downwards
        ("application/json, application/sparql-results+json;q=0, text/csv;q=0.1", RESULTS, CSV),
        ("*/*;q=0.1, application/json", RESULTS, JSON),
        ("text/turtle;profile=x;q=0.1, application/n-triples;q=0.2", GRAPHS, NTRIPLES),
        ('text/turtle;p="a,b;q=0", application/n-triples;q=0.2', GRAPHS, TURTLE),
        ("text/turtle;q=1.5, application/n-triples", GRAPHS, NTRIPLES),  # a malformed q: the range is left out
        ("text/turtle;q=, application/n-triples;q=0.001", GRAPHS, NTRIPLES),
        ("garbage", RESULTS, None),
        ("*/json, text/csv", RESULTS, CSV),
        (",, text/csv ,,", RESULTS, CSV),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", (TURTLE, HTML, RDFXML), HTML),  # a browser
        ("*/*", (), None),
        (None, (), None),
    ],
)
def test_negotiate(accept, offered, expected):
    assert negotiate(accept, offered) is expected


def test_a_long_header_is_cheap():
    assert negotiate("text/x;q=0.5," * 50_000 + "text/csv", RESULTS) is CSV
    assert negotiate('"' * 100_000, RESULTS) is None


@pytest.mark.parametrize("form, formats", [("SELECT", RESULTS), ("ASK", RESULTS), ("CONSTRUCT", GRAPHS), ("DESCRIBE", GRAPHS)])
def test_fit(form, formats):
    for format in ALL:
        if format in formats:
            assert fit(format, form) is format
        else:
            with pytest.raises(UnknownFormat, match=form):
                fit(format, form)


def test_jsonld_is_written_by_the_engine_without_a_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("JSON-LD opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    triple = pyoxigraph.Triple(
        pyoxigraph.NamedNode("http://example.org/a"), pyoxigraph.NamedNode("http://example.org/p"), pyoxigraph.Literal("é", language="fr")
    )
    written = json.loads(pyoxigraph.serialize([triple], format=JSONLD.engine))
    assert written == [{"@id": "http://example.org/a", "http://example.org/p": [{"@language": "fr", "@value": "é"}]}]
