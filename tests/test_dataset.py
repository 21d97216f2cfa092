"""Datasets as SPARQL 1.1 has them (query language, section 13), where engines often do otherwise."""

import io

import pytest
from pyoxigraph import RdfFormat, Store

from kvgraph.formats import CSV, JSON
from kvgraph.store import Embedded, QuerySyntaxError, volatile
from kvgraph.store.dataset import require_named, several

DATA = b"<urn:g1> { <urn:a> <urn:p> 1, 2 } <urn:g2> { <urn:a> <urn:p> 1 . <urn:b> <urn:p> 3 ; <urn:q> 4 }"
COUNT = "SELECT (COUNT(*) AS ?n) "


@pytest.fixture(params=[False, True], ids=["whole", "divided"])
def engine(request) -> Embedded:
    store = Store()
    store.load(DATA, format=RdfFormat.TRIG)
    return Embedded(store).divided() if request.param else Embedded(store)


def rows(engine, query, **graphs) -> list[str]:
    output = io.BytesIO()
    engine.write(query, CSV, output, **graphs)
    return sorted(output.getvalue().decode().split()[1:])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (COUNT + "FROM <urn:g1> FROM <urn:g2> { ?s ?p ?o }", 4),
        (COUNT + "FROM <urn:g1> FROM <urn:g1> { ?s ?p ?o }", 2),
        (COUNT + "FROM <urn:g1> { ?s ?p ?o }", 2),
        ("PREFIX u: <urn:>\nPREFIX : <urn:g>\n" + COUNT + "from u:g1\nfrom :2 # from u:g3\n{ ?s ?p ?o }", 4),
        (COUNT + r"FROM <urn:g1> FROM <urn:g\u0032> { ?s ?p ?o }", 4),
        (COUNT + "FROM <urn:g1> FROM <urn:g2> FROM NAMED <urn:g1> FROM NAMED <urn:g1> { GRAPH ?g { ?s ?p ?o } }", 2),
        (COUNT + "FROM <urn:g1> FROM <urn:g2> { GRAPH ?g { ?s ?p ?o } }", 0),
        (COUNT + "FROM <urn:g1> FROM <urn:none> { ?s ?p ?o }", 2),
        ("SELECT (EXISTS { ?s <urn:q> ?o } AS ?n) FROM <urn:g1> FROM <urn:g2> {}", "true"),
    ],
)
def test_13_2_default_graphs_are_merged(engine, query, expected):
    """13.2: the default graph is the RDF merge of the graphs referred to in FROM: each triple is there once."""
    assert rows(engine, query) == [str(expected)]


def test_13_2_in_every_form(engine):
    output = io.BytesIO()
    engine.write("ASK FROM <urn:g1> FROM <urn:g2> { <urn:b> ?p 3 }", JSON, output)
    assert b"true" in output.getvalue()
    merged = "FROM <urn:g1> FROM <urn:g2>"
    assert len(list(engine.construct(f"CONSTRUCT {{ ?s ?p ?o }} {merged} WHERE {{ ?s ?p ?o }}"))) == 4
    assert len(list(engine.construct(f"DESCRIBE <urn:a> {merged}"))) == 2


@pytest.mark.parametrize(("default", "named", "expected"), [
    (["urn:g1", "urn:g1"], [], ("2", "0")), (["urn:g1", "urn:g2"], [], ("4", "0")), (["urn:g1", "urn:g2"], ["urn:g2", "urn:g2"], ("4", "3")), ([], ["urn:g1"], ("0", "2")),
])  # fmt: skip
def test_protocol_2_1_4_default_graphs_are_merged(engine, default, named, expected):
    for pattern, number in zip(("{ ?s ?p ?o }", "{ GRAPH ?g { ?s ?p ?o } }"), expected):
        query = COUNT + "FROM <urn:none> FROM <urn:g2> " + pattern  # which counts for nothing
        assert rows(engine, query, default_graphs=default, named_graphs=named) == [number]


@pytest.mark.parametrize("query", [
    "SELECT * { ?from ?p 'FROM <urn:g1> FROM <urn:g2>' }", "SELECT * FROM <a> FROM <b> { }", "SELECT * FROM x:a FROM x:b { }",
    "SELECT * FROM <urn:g1> { ?s ?from ?o }", "SELECT * { { SELECT * FROM <urn:a> FROM <urn:b> { } } }",
])  # fmt: skip
def test_what_is_no_dataset_is_left_to_the_engine(query):
    assert several(query) is None


def test_18_6_a_select_in_each_graph(engine):
    """18.6: within GRAPH ?g a pattern is evaluated graph by graph. What the engine would answer wrongly is refused, with what to write instead."""
    with pytest.raises(QuerySyntaxError, match="not in each [?]g") as told:
        engine.select("SELECT ?g ?n\n{ GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }")
    assert (told.value.line, told.value.column) == (2, 14) and "GROUP BY ?g" in told.value.hint
    assert rows(engine, "SELECT ?g ?n { GRAPH ?g { SELECT ?g (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?g } }") == ["urn:g1,2", "urn:g2,3"]


@pytest.mark.parametrize("query", [
    "SELECT * { GRAPH ?g { SELECT DISTINCT ?p { ?s ?p ?o } } }", "SELECT * { GRAPH $g { ?s ?p ?o { select * { ?s ?p ?o } } } }",
    "SELECT * { GRAPH ?g { ?s ?p ?o . OPTIONAL { SELECT ?s { ?s ?p ?g } } } }", "ASK { GRAPH ?g { SELECT (MAX(?g) AS ?m) { ?s ?p ?o } } } # SELECT",
])  # fmt: skip
def test_18_6_what_is_refused(query):
    with pytest.raises(QuerySyntaxError):
        require_named(query if query.startswith("SELECT") else "SELECT * {" + query.removeprefix("ASK {"))


@pytest.mark.parametrize("query", [
    "SELECT * { GRAPH <urn:g> { SELECT ?s { ?s ?p ?o } } }", "SELECT * { { SELECT ?s { GRAPH ?g { ?s ?p ?o } } } }", "SELECT * { GRAPH ?g { SELECT ?s $g { ?s ?p ?o } } }",
    "SELECT * { GRAPH ?g { ?s ?p ?o } { SELECT ?s { ?s ?p ?o } } }", "SELECT * { GRAPH ?g { SELECT (SAMPLE(?h) AS ?g) { GRAPH ?h { } } } }", "SELECT * { ?select ?p ?g { SELECT ?s { ?s ?p ?o",
])  # fmt: skip
def test_18_6_what_the_engine_does_right(query):
    require_named(query)


@pytest.mark.parametrize("query", [r"SEL\u0045CT (COUNT(*) \U00000041S ?\u006E) { ?s <urn:q> ?o }", r"PREFIX u: <urn:> SELECT (COUNT(*) AS ?n) { ?\u0073 u:\u0071 ?o }"])
def test_19_2_codepoint_escapes_everywhere(engine, query):
    """19.2: escapes of codepoints are resolved before the query is parsed, in names, variables and keywords too."""
    found = engine.select(query)
    assert [v.value for v in found.variables] == ["n"] and [row["n"].value for row in found] == ["0"], "nothing is in the default graph"


@pytest.mark.parametrize("query", [r"SELECT ?x\u0020y { }", r"ASK { ?s ?p '\u00zz' }", r"ASK { \uD800 }", r"ASK \u007B }"])
def test_19_2_characters_that_are_not_legal_at_their_place(engine, query):
    with pytest.raises(QuerySyntaxError):
        engine.ask(query)


@pytest.mark.parametrize(("query", "changes"), [
    ("CONSTRUCT { [] ?p ?o } { ?s ?p ?o }", True), ("CONSTRUCT { _:b ?p ?o } { ?s ?p ?o }", True), ("PREFIX construct: <urn:> construct # {\n{ ?s ?p (1 2) } where {}", True),
    ("CONSTRUCT { ?s ?p ?o } { ?s ?p [] }", False), ("CONSTRUCT {} { ?s ?p (1) }", False), ("CONSTRUCT { ?s ?p '[' } { ?s ?p _:b }", False), ("SELECT * { ?construct ?p [] }", False),
])  # fmt: skip
def test_blank_nodes_of_a_template_are_others_each_time(query, changes):
    assert volatile(query) is changes
