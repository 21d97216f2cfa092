"""What every engine behind the store border must do. A further engine joins by one more parameter of ``backend``."""

import gzip
import io
import json
from xml.etree import ElementTree

import pyoxigraph
import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from kvgraph.errors import KvgraphError
from kvgraph.formats import ALL, CSV, GRAPHS, JSON, JSONLD, NTRIPLES, RDFXML, RESULTS, TSV, TURTLE, XML, UnknownFormat
from kvgraph.store import Backend, Embedded, NotWritable, Outcome, PoolClient, QueryError, QuerySyntaxError, QueryTooLarge, Remote, ServiceRefused, UnknownFunction, UpdateRefused, pool

from . import engines

EX = "http://example.org/"
DATA = """
@prefix ex: <http://example.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
ex:a ex:name "Lab"@en, "Labor"@de ; ex:founded "2014"^^xsd:gYear ; ex:budget 1.5 ; ex:partner ex:b, [ ex:name "nobody" ] .
ex:b ex:name "line\\nbreak, \\"quoted\\"\\ttab" ; ex:active true .
ex:g1 { ex:a ex:name "Lab"@en . ex:a ex:partner ex:b . }
ex:g2 { ex:b ex:active true . }
"""
PREFIX = f"PREFIX ex: <{EX}>\n"


@pytest.fixture(scope="module")
def graph_file(tmp_path_factory):
    quads = pyoxigraph.parse(DATA, format=pyoxigraph.RdfFormat.TRIG)
    path = tmp_path_factory.mktemp("graph") / "graph.nq.gz"
    with gzip.open(path, "wb") as file:
        pyoxigraph.serialize(quads, file, format=pyoxigraph.RdfFormat.N_QUADS)
    return path


@pytest.fixture(scope="module", params=["embedded", "pool", "oxigraph"])
def backend(request, graph_file, tmp_path_factory):
    if request.param == "embedded":
        yield Embedded.load(graph_file)
        return
    if request.param == "oxigraph":
        with engines.oxigraph() as engine:
            engines.load(engine, gzip.decompress(graph_file.read_bytes()))
            yield Remote(engine.query)
        return
    socket_path = tmp_path_factory.mktemp("pool") / "private" / "pool.sock"
    process = pool.start(graph_file, socket_path)
    client = PoolClient(socket_path)
    yield client
    client.close()
    process.terminate()
    assert process.wait(60) == 0


def test_is_a_backend(backend):
    assert isinstance(backend, Backend)


def test_select_keeps_every_kind_of_term(backend):
    rows = backend.select(PREFIX + "SELECT ?o WHERE { ex:a ?p ?o } ORDER BY ?p ?o")
    assert [variable.value for variable in rows.variables] == ["o"]
    terms = {row["o"] for row in rows}
    blank = {term for term in terms if isinstance(term, BlankNode)}
    assert len(blank) == 1
    assert terms - blank == {
        Literal("Lab", language="en"),
        Literal("Labor", language="de"),
        Literal("2014", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#gYear")),
        Literal("1.5", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#decimal")),
        NamedNode(EX + "b"),
    }


def test_select_leaves_unbound_variables_unbound(backend):
    rows = list(backend.select(PREFIX + "SELECT ?s ?y WHERE { ?s ex:name ?n OPTIONAL { ?s ex:founded ?y } } ORDER BY ?s ?n"))
    assert sorted(row["y"] is None for row in rows) == [False, False, True, True]


def test_select_without_rows(backend):
    assert list(backend.select("SELECT * WHERE { ?s <http://example.org/none> ?o }")) == []


@pytest.mark.parametrize("pattern, expected", [("ex:b ex:active true", True), ("ex:b ex:active false", False)])
def test_ask(backend, pattern, expected):
    assert backend.ask(PREFIX + f"ASK {{ {pattern} }}") is expected


@pytest.mark.parametrize("query", ["CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(?s = ex:b) }", "DESCRIBE ex:b"])
def test_construct(backend, query):
    assert set(backend.construct(PREFIX + query)) == {
        Triple(NamedNode(EX + "b"), NamedNode(EX + "active"), Literal(True)),
        Triple(NamedNode(EX + "b"), NamedNode(EX + "name"), Literal('line\nbreak, "quoted"\ttab')),
    }


def test_the_default_graph_is_not_the_union(backend):
    count = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
    assert [row["n"].value for row in backend.select(count)] == ["9"]
    named = "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }"
    assert [row["n"].value for row in backend.select(named)] == ["3"]


def test_from_chooses_the_graph(backend):
    rows = backend.select(PREFIX + "SELECT (COUNT(*) AS ?n) FROM ex:g1 WHERE { ?s ?p ?o }")
    assert [row["n"].value for row in rows] == ["2"]


def test_a_prefix_or_variable_called_service_is_fine(backend):
    assert backend.ask(f"PREFIX service: <{EX}> ASK {{ service:b service:active ?service }}")


@pytest.mark.parametrize("format", RESULTS, ids=lambda f: f.name)
def test_answer_to_select(backend, format, tmp_path):
    into = tmp_path / "answer"
    outcome = backend.answer(PREFIX + "SELECT ?s ?n WHERE { ?s ex:name ?n } ORDER BY ?s ?n", format, into)
    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.form, outcome.format, outcome.complete) == ("ok", "SELECT", format, True)
    assert outcome.bytes == into.stat().st_size > 0
    assert outcome.rows == (4 if format == TSV else None)
    assert 0 <= outcome.seconds < 10
    if format == CSV:
        assert into.read_bytes().decode().count('"line\nbreak, ""quoted""\ttab"') == 1
    else:
        rows = pyoxigraph.parse_query_results(into.read_bytes(), format=format.engine)
        assert Literal("Labor", language="de") in [row["n"] for row in rows]


@pytest.mark.parametrize("format", RESULTS, ids=lambda f: f.name)
def test_answer_to_ask(backend, format, tmp_path):
    outcome = backend.answer("ASK { }", format, tmp_path / "answer")
    assert outcome.form == "ASK"
    if format in (CSV, TSV):
        assert (tmp_path / "answer").read_text() == "true"
    else:
        assert bool(pyoxigraph.parse_query_results((tmp_path / "answer").read_bytes(), format=format.engine)) is True


@pytest.mark.parametrize("form", ["CONSTRUCT", "DESCRIBE"])
@pytest.mark.parametrize("format", GRAPHS, ids=lambda f: f.name)
def test_answer_with_triples(backend, format, form, tmp_path):
    query = PREFIX + ("DESCRIBE ex:b" if form == "DESCRIBE" else "CONSTRUCT WHERE { ex:b ?p ?o }")
    outcome = backend.answer(query, format, tmp_path / "answer")
    assert (outcome.form, outcome.triples) == (form, 2)
    triples = {quad.triple for quad in pyoxigraph.parse((tmp_path / "answer").read_bytes(), format=format.engine)}
    assert triples == set(backend.construct(query))


def test_turtle_is_written_with_the_prefixes_of_the_graph(backend, tmp_path):
    backend.answer("CONSTRUCT { <http://example.org/x> a <https://w3id.org/kvgraph/def/kv#Practice> } WHERE { }", TURTLE, tmp_path / "answer")
    assert "kv:Practice" in (tmp_path / "answer").read_text()


def test_jsonld_has_no_remote_context(backend, tmp_path):
    backend.answer(PREFIX + "DESCRIBE ex:b", JSONLD, tmp_path / "answer")
    assert "@context" not in json.dumps(json.loads((tmp_path / "answer").read_bytes()))


XML_CANNOT = {
    "a control character": ('"a\\u0001"', "<urn:p:x>"),
    "a character that is none": ('"\\uFFFE"', "<urn:p:x>"),
}


@pytest.mark.parametrize("value, property_", [*XML_CANNOT.values(), ("1", "<urn:p:1>"), ("1", "<http://example.org/>"), ("1", "<https://w3id.org/kvgraph/def/kv#>")], ids=[*XML_CANNOT, "no name", "no end", "a prefix alone"])
def test_xml_1_0_is_well_formed_or_refused(backend, value, property_, tmp_path):
    """XML 1.0, sections 2.1 and 2.2; RDF 1.1 XML Syntax, section 2.14: some graphs cannot be written in RDF/XML."""
    with pytest.raises(NotWritable, match="XML") as refused:
        backend.answer(f"CONSTRUCT {{ <urn:s:s> {property_} {value} }} WHERE {{ }}", RDFXML, tmp_path / "answer")
    assert refused.value.status == 406 and "N-Triples" in refused.value.hint and not (tmp_path / "answer").exists()
    if value != "1":
        with pytest.raises(NotWritable):
            backend.answer(f"SELECT ({value} AS ?x) {{ }}", XML, tmp_path / "answer")
    assert backend.answer(f"CONSTRUCT {{ <urn:s:s> {property_} {value} }} WHERE {{ }}", NTRIPLES, tmp_path / "answer").triples == 1


@pytest.mark.parametrize("query, format", [('SELECT ("a\\r\\nb<" AS ?x) {}', XML), ('CONSTRUCT { <urn:s:s> <urn:p:p> "a\\r\\nb<" } WHERE {}', RDFXML)])
def test_a_carriage_return_stays_one_in_xml(backend, query, format, tmp_path):
    """XML 1.0, section 2.11: a parser takes a bare one for a line feed."""
    backend.answer(query, format, tmp_path / "answer")
    assert "a\r\nb<" in ["".join(element.itertext()) for element in ElementTree.parse(tmp_path / "answer").iter()]


def test_a_relative_iri_without_a_base(backend):
    """SPARQL 1.1 Query, section 4.1.1.1: an endpoint may take its own address as the base; ours is no part of a release."""
    if not isinstance(backend, Remote):
        with pytest.raises(QuerySyntaxError, match="Line 2, column 2: this is not an absolute IRI") as refused:
            backend.ask("ASK {\n <name> ?p ?o }")
        assert refused.value.pointed()


def test_a_function_nobody_knows(backend):
    """SPARQL 1.1 Query, section 17.6: an extension; to ask for it is a mistake in the query and no fault of the engine."""
    with pytest.raises(QueryError, match="urn:f:f") as refused:
        backend.ask("ASK { FILTER(<urn:f:f>(1)) }")
    if not isinstance(backend, Remote):  # what is behind an endpoint says it in its own words
        assert (type(refused.value), refused.value.status) == (UnknownFunction, 400)


def test_json_ld_1_1_holds_no_triple_within_a_triple(backend, tmp_path):
    query = "CONSTRUCT { <urn:s:s> <urn:p:p> ?t } WHERE { BIND(TRIPLE(<urn:s:s>, <urn:p:p>, 1) AS ?t) }"
    with pytest.raises(NotWritable, match="JSON-LD") as refused:
        backend.answer(query, JSONLD, tmp_path / "answer")
    assert refused.value.status == 406


@pytest.mark.parametrize("triple, word", [("a <http://example.org/1>", "class"), ("<http://www.w3.org/1999/02/22-rdf-syntax-ns#li> 1", "own words"), ("<http://www.w3.org/2000/xmlns/foo> 1", "xmlns")])
def test_what_rdf_xml_cannot_hold_is_named(backend, triple, word, tmp_path):
    """RDF 1.1 XML Syntax, sections 2.13, 6.1.4 and 7.2.5: a class is written as a name as well, and some names are taken."""
    with pytest.raises(NotWritable, match=word) as refused:
        backend.answer(f"CONSTRUCT {{ <urn:s:s> {triple} }} {{}}", RDFXML, tmp_path / "answer")
    assert refused.value.status == 406


@pytest.mark.parametrize(
    "query, format", [("SELECT * {}", TURTLE), ("ASK {}", RDFXML), ("DESCRIBE <http://example.org/b>", JSON), ("CONSTRUCT {} {}", CSV)]
)
def test_a_format_that_does_not_fit_the_form(backend, query, format, tmp_path):
    with pytest.raises(UnknownFormat, match=query.split()[0]):
        backend.answer(query, format, tmp_path / "answer")
    assert not (tmp_path / "answer").exists()


@pytest.mark.parametrize(
    "method, query", [("select", "ASK {}"), ("select", "DESCRIBE <http://example.org/b>"), ("ask", "SELECT * {}"), ("construct", "ASK {}")]
)
def test_a_query_of_another_form(backend, method, query):
    with pytest.raises(QueryError, match="takes a"):
        getattr(backend, method)(query)


@pytest.mark.parametrize(
    "query, line, column, message",
    [
        ("SELECT * WHERE { ?s ?p ?o", 1, 16, "this { is never closed"),
        ("SELECT * WHERE {\n  ?s ?p (1 }\n}", 2, 12, r"expected \) \(for line 2\), found }"),
        ("ASK { } }", 1, 9, "this } closes nothing"),
        ("ASK {\n ?s ex:p ?o }", 2, 5, "the prefix ex: is not declared"),
        ("SELECT ?s (COUNT(*) AS ?n) WHERE { ?s ?p ?o }", 1, 46, "contains a variable that is unbound"),
        ("SELECT (COUNT(*) AS ?n) (?n + 1 AS ?m) WHERE { ?s ?p ?o }", 1, 58, "write the aggregate again"),
        ("ASK {\n ?s ?p 'ééé' } x", 2, 16, "does not fit what stands before it"),
        ("SELECT * WHERE { ?s ?p }", 1, 18, "or what follows it, does not fit here"),
        ("PREFIX ex: <http://example.org/>\n SELEC * WHERE { }", 2, 2, "starts with SELECT"),
        ("SELEC * WHERE { }", 1, 1, "starts with SELECT"),
        ("", 1, 1, "starts with SELECT"),
        ("ASK { ?s ?p 'caf\ud800' }", 1, 17, "UTF-8|Unicode"),
        ("SELECT ?a, ?b WHERE { ?a ?p ?b }", 1, 10, "without commas"),
        ("SELECT * { ?a ?p ?b FILTER(?a<3&&?b>4) ", 1, 10, "never closed"),
        ("SELECT COUNT(?a) WHERE { ?a ?p ?b }", 1, 8, r"Write: \(COUNT\(…\) AS \?name\)"),
        ("SELECT ?a (COUNT(?b) AS ?n) MAX(?b) { ?a ?p ?b }", 1, 29, "gets a name"),
        ("ASK { ?a ?p “x” }", 1, 13, "straight quotation marks"),
        ("SELECT * { ?s ?p ?o }\nLIMIT 5;", 2, 8, "without a semicolon"),
        ("ASK {} ; DROP ALL", 1, 8, "one query"),
        ("SELECT * {\n\u00a0\u00a0?s ?p '\u00a0' }", 2, 1, "ordinary space"),
        ("ASK { ?s ?p ?o } # a\u00a0b\nLIMIT\u200b 1", 2, 6, "ordinary space"),
        ("SELECT * { ?s ?p } # a\u00a0b", 1, 12, "does not fit"),
        ("ASK { ?s ?p 'x'@notatagatall }", 1, 16, "language tag"),
        ("ASK { ?s ?p ?o } GROUP BY ?s HAVING (COUNT(*) > 1)", 1, 38, "SELECT only"),
        ("ASK { ?a ?p ?b FILTER(?b == 1) }", 1, 26, "one equals sign"),
        ("ASK { ?a ?p ?b FILTER ?b > 1 }", 1, 23, "in brackets"),
        ("ASK { ?a http://example.org/p ?b }", 1, 10, "angle brackets"),
        ("PREFIX ex: http://example.org/ ASK {}", 1, 12, "angle brackets"),
        ("PREFIX ex <http://example.org/> ASK {}", 1, 8, "ends in a colon"),
        ("@prefix ex: <http://example.org/> . ASK {}", 1, 1, "without @"),
        ("ASK { ?s ?p <http://example.org/\\u0020> }", 1, 13, "a character that IRIs cannot hold"),
    ],
)
def test_syntax_errors_have_a_place(backend, query, line, column, message):
    with pytest.raises(QuerySyntaxError, match=message) as caught:
        backend.select(query)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    if error.source.isascii():
        assert error.source == query.split("\n")[line - 1]
    assert error.pointed().endswith("^")


@pytest.mark.parametrize(
    "query", ["INSERT DATA { <a:a> <a:b> 1 }", "PREFIX ex: <a:> delete where { ?s ?p ?o }", "LOAD <http://127.0.0.1/>", "CLEAR ALL", "# x\nDROP ALL"]
)
def test_updates_are_refused(backend, query):
    with pytest.raises(UpdateRefused, match="update"):
        backend.select(query)


@pytest.mark.parametrize(
    "call", [lambda b, q, p: b.select(q), lambda b, q, p: b.ask(q), lambda b, q, p: b.construct(q), lambda b, q, p: b.answer(q, JSON, p / "answer")]
)
def test_service_is_refused_everywhere(backend, call, tmp_path):
    with pytest.raises(ServiceRefused, match="dumps"):
        call(backend, "SELECT * WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", tmp_path)
    assert not (tmp_path / "answer").exists()


def test_a_query_too_long(backend):
    with pytest.raises(QueryTooLarge) as caught:
        backend.ask("ASK { } #" + "x" * 200_000)
    assert caught.value.limit == "text"


def test_many_values_are_no_complexity(backend):
    values = " ".join(f"<{EX}{i}>" for i in range(4000))
    assert not backend.ask(f"ASK {{ VALUES ?s {{ {values} }} ?s <{EX}name> ?n }}")


def test_every_error_is_for_users(backend):
    with pytest.raises(KvgraphError):
        backend.select("nonsense")


# What the embedded engine has beside the border


@pytest.mark.parametrize(
    "name, format",
    [("g.nq", "N_QUADS"), ("g.trig", "TRIG"), ("g.nt", "N_TRIPLES"), ("g.ttl", "TURTLE"), ("g.nq.gz", "N_QUADS"), ("g.2026.ttl.gz", "TURTLE")],
)
def test_load_by_suffix(tmp_path, name, format):
    data = pyoxigraph.serialize([Triple(NamedNode(EX + "a"), NamedNode(EX + "p"), Literal(1))], format=getattr(pyoxigraph.RdfFormat, format))
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert Embedded.load(tmp_path / name).ask("ASK { ?s ?p 1 }")


def test_load_of_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        Embedded.load(tmp_path / "none.nq")
    (tmp_path / "bad.nq").write_text("<a:a> <a:b> .\n")
    with pytest.raises(SyntaxError):
        Embedded.load(tmp_path / "bad.nq")


def test_a_failed_answer_leaves_no_file(graph_file, tmp_path, monkeypatch):
    engine = Embedded.load(graph_file)
    monkeypatch.setattr(Embedded, "write", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError):
        engine.answer("ASK {}", JSON, tmp_path / "answer")
    assert not (tmp_path / "answer").exists()


def test_the_limit_of_bytes_is_exact(graph_file):
    engine, query = Embedded.load(graph_file), "SELECT * { ?s ?p ?o }"
    size = engine.write(query, JSON, io.BytesIO()).bytes
    assert engine.write(query, JSON, io.BytesIO(), max_bytes=size).bytes == size
    with pytest.raises(QueryTooLarge) as caught:
        engine.write(query, JSON, io.BytesIO(), max_bytes=size - 1)
    assert caught.value.limit == "bytes"


def test_protocol_datasets(graph_file):
    engine, count = Embedded.load(graph_file), "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"

    def answer(query, **dataset):
        output = io.BytesIO()
        engine.write(query, CSV, output, **dataset)
        return output.getvalue().split()[1]

    assert answer(count, default_graphs=[EX + "g1"]) == b"2"
    assert answer(count, named_graphs=[EX + "g1"]) == b"0"  # then the default graph is empty
    assert answer(count.replace("WHERE", f"FROM <{EX}g2> WHERE"), default_graphs=[EX + "g1"]) == b"2"
    assert answer("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }", named_graphs=[EX + "g2"]) == b"1"
    with pytest.raises(QueryError, match="not an IRI"):
        answer(count, default_graphs=["no iri"])


@pytest.mark.parametrize("query", [
    "SELECT ?g ?s { GRAPH ?g { ?s ?p ?o } }", "SELECT?g?s{graph?g{?s?p?o}}", f"SELECT * FROM <{EX}g1> {{ ?s ?p ?o }}",
    f"ASKFROM <{EX}g1> {{ ?s ?p ?o }}", f"SELECT * {{ ?s ?p ?o FILTER EXISTS {{GRAPH <{EX}g1> {{ ?s ?q ?r }} }} }}", "SELECT * { ?s ?p ?o }",
    f"DESCRIBE <{EX}a> FROM <{EX}g1>", "ASK { { ?s ?p true } UNION { GRAPH?g{?s ?p ?o} } }",
])  # fmt: skip
def test_a_divided_engine_answers_as_a_whole_one(graph_file, query):
    engine = Embedded.load(graph_file)

    def lines():
        output = io.BytesIO()
        engine.write(query, NTRIPLES if query.startswith("DESCRIBE") else TSV, output)
        return sorted(output.getvalue().splitlines())

    whole = lines()
    engine.divided()
    assert lines() == whole != []


def test_formats_are_all_tried():
    assert len(ALL) == len(RESULTS) + len(GRAPHS) and NTRIPLES in GRAPHS
