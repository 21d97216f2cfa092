"""kvgraph.validate: reading shapes, the report, and what it must not do."""

import logging
import socket

import pyoxigraph as ox
import pyshacl
import pytest
from rdflib import RDF, SH, Dataset, Graph, Literal, URIRef

from kvgraph.validate import Report, Result, ShapesError, graph_of, load_shapes, validate

SHAPES = """
@prefix ex: <http://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

ex:Thing a sh:NodeShape ; sh:targetClass ex:Thing ; sh:property ex:Thing-name , ex:Thing-day , ex:Thing-friend .
ex:Thing-name sh:path ex:name ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "Name it."@en .
ex:Thing-day sh:path ex:day ; sh:datatype xsd:date ; sh:message "Give a day."@en .
ex:Thing-friend sh:path ( [ sh:alternativePath ( ex:friend ex:foe ) ] [ sh:inversePath ex:friend ] ) ; sh:maxCount 1 ;
    sh:severity sh:Info ; sh:message "Too many."@en .
"""
DATA = """
@prefix ex: <http://example.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

ex:b a ex:Thing ; ex:day "2014-02-31"^^xsd:date ; ex:friend ex:c .
ex:a a ex:Thing ; ex:day "soon" ; ex:friend ex:c .
"""


def turtle(text: str) -> Graph:
    return graph_of(ox.parse(text, format=ox.RdfFormat.TURTLE))


@pytest.fixture(scope="module")
def report() -> Report:
    return validate(turtle(DATA), turtle(SHAPES))


def test_results_come_worst_first_and_in_a_fixed_order(report):
    short = [(r.severity, r.shape.removeprefix("http://example.org/Thing-"), r.focus[-1]) for r in report.results]
    expected = (("Violation", "day"), ("Warning", "name"), ("Info", "friend"))
    assert short == [(severity, shape, focus) for severity, shape in expected for focus in "ab"]
    *prefixes, b, a = DATA.strip().splitlines()
    turned_round = validate(turtle("\n".join([*prefixes, a, b])), turtle(SHAPES))
    assert turned_round == report


def test_a_result_says_all_there_is_to_say(report):
    assert report.violations[0] == Result(
        severity="Violation",
        shape="http://example.org/Thing-day",
        focus="http://example.org/a",
        path="<http://example.org/day>",
        value='"soon"',
        message="Give a day.",
        component="http://www.w3.org/ns/shacl#DatatypeConstraintComponent",
    )
    friend = "(<http://example.org/friend>|<http://example.org/foe>)/^<http://example.org/friend>"
    assert [(r.path, r.value) for r in report.infos] == [(friend, None)] * 2
    assert report.as_dicts()[0]["focus"] == "http://example.org/a"


def test_only_violations_stop_a_release(report):
    assert not report.conforms
    assert len(report.violations) == len(report.warnings) == len(report.infos) == 2
    mended = validate(turtle(DATA.replace('"soon"', '"2014-02-27"^^xsd:date').replace("-31", "-28")), turtle(SHAPES))
    assert mended.conforms and mended.warnings


def test_the_report_as_turtle_is_a_shacl_report(report):
    g = Graph().parse(data=report.to_turtle(), format="turtle")
    (node,) = g.subjects(RDF.type, SH.ValidationReport)
    assert g.value(node, SH.conforms) == Literal(False)
    results = list(g.objects(node, SH.result))
    assert len(results) == 6
    assert {g.value(r, SH.value) for r in results} >= {Literal("soon")}
    assert {g.value(r, SH.resultPath) for r in results} == {URIRef("http://example.org/day"), URIRef("http://example.org/name"), None}
    _, _, text = pyshacl.validate(g, shacl_graph=turtle(REPORT_SHAPE))
    assert "Conforms: True" in text


REPORT_SHAPE = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

[] a sh:NodeShape ; sh:targetClass sh:ValidationResult ;
    sh:property [ sh:path sh:focusNode ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path sh:resultPath ; sh:maxCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] ,
        [ sh:path sh:value ; sh:maxCount 1 ] ,
        [ sh:path sh:resultSeverity ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ,
        [ sh:path sh:sourceConstraintComponent ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] .
"""


def test_statements_of_several_graphs_count_once():
    a = ox.NamedNode("http://example.org/a")
    assert set(graph_of([ox.Quad(a, a, ox.Literal("x"), a), ox.Quad(a, a, ox.Literal("x"))])) == {(URIRef(a.value), URIRef(a.value), Literal("x"))}


def test_data_is_not_changed():
    data, shapes = turtle(DATA), turtle(SHAPES)
    before = set(data), set(shapes)
    validate(data, shapes)
    assert (set(data), set(shapes)) == before


def test_a_broken_file_of_shapes_is_named_with_its_line(tmp_path):
    (tmp_path / "broken.ttl").write_text("@prefix ex: <http://example.org/> .\nex:a ex:b\n")
    with pytest.raises(ShapesError, match=r"broken\.ttl.*line [23]"):
        load_shapes(tmp_path)


def test_shapes_that_cannot_be_used_are_an_error():
    unusable = SHAPES + 'ex:Thing-name sh:pattern "(" .'
    with pytest.raises(ShapesError, match="cannot be used"):
        validate(turtle(DATA + 'ex:a ex:name "a" .'), turtle(unusable))


def test_an_impossible_date_is_reported_and_not_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        values = [r.value for r in validate(turtle(DATA), turtle(SHAPES)).violations]
    assert any("2014-02-31" in value for value in values)
    assert "Traceback" not in caplog.text


@pytest.fixture
def asked(monkeypatch) -> list:
    """The addresses that somebody tried to connect to."""
    addresses = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: addresses.append(address))
    return addresses


def test_imports_are_not_fetched(asked):
    imports = "ex:o a <http://www.w3.org/2002/07/owl#Ontology> ; <http://www.w3.org/2002/07/owl#imports> <http://127.0.0.1:9/more> ."
    assert len(validate(turtle(DATA + imports), turtle(SHAPES + imports)).results) == 6
    assert asked == []


def test_a_shape_cannot_ask_another_server(asked):
    asking = """
ex:Thing sh:sparql ex:asking .
ex:asking sh:message "Asked." ; sh:select "SELECT $this WHERE { SERVICE <http://127.0.0.1:9/sparql> { $this a ?kind } }" .
"""
    with pytest.raises(ShapesError, match="SERVICE"):
        validate(turtle(DATA), turtle(SHAPES + asking))
    assert asked == []


@pytest.mark.filterwarnings("ignore:Dataset.default_context is deprecated:DeprecationWarning")  # rdflib about itself
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_rdflib_fetches_no_graph_for_a_query(asked):
    assert list(Dataset().query("SELECT ?s FROM <http://127.0.0.1:9/data> WHERE { ?s ?p ?o }")) == []
    assert asked == []


def test_threads_may_validate_at_once():
    """As the processes of a web server do: rdflib's parser of SPARQL is for one thread at a time."""
    import threading

    from kvgraph import validate as module

    practice, country = ox.NamedNode("https://w3id.org/kvgraph/id/practice/ended"), ox.NamedNode("https://schema.org/endDate")
    triples = [ox.Triple(practice, country, ox.Literal("2001")), ox.Triple(practice, ox.NamedNode("https://schema.org/startDate"), ox.Literal("2010"))]
    begun, found = threading.Barrier(8), []

    def check():
        begun.wait()
        found.append(module.validate(triples))

    module._prepared.cache_clear()
    threads = [threading.Thread(target=check) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1 and any("before it starts" in r.message for r in found[0].results)
