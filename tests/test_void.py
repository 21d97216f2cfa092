"""VoID and the example queries: counted exactly, in the merge, found by the queries that editors send."""

import re

import pyoxigraph as ox
import pytest

from kvgraph import open as open_graph
from kvgraph import queries
from kvgraph.build.examples import EXAMPLES
from kvgraph.build.void import DATASET, GRAPH_OF_VOID, Tally, void
from kvgraph.namespaces import PREFIXES, VOID
from kvgraph.validate import validate

from .client import client_of

# What an editor such as that of the SIB wants to know of an endpoint: what may stand where, the examples, the prefixes.
COMPLETIONS = """
PREFIX void: <http://rdfs.org/ns/void#>
PREFIX void-ext: <http://ldf.fi/void-ext#>
SELECT ?class ?property ?range {
  ?ofClass void:class ?class ; void:propertyPartition ?ofProperty .
  ?ofProperty void:property ?property .
  OPTIONAL { ?ofProperty (void:classPartition/void:class)|(void-ext:datatypePartition/void-ext:datatype) ?range }
}"""
FORMS = """
PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?example ?comment ?text { ?example a sh:SPARQLExecutable ; rdfs:comment ?comment ; sh:select|sh:ask|sh:construct ?text }"""
DECLARED = """
PREFIX sh: <http://www.w3.org/ns/shacl#>
SELECT ?prefix ?namespace { ?declaration sh:prefix ?prefix ; sh:namespace ?namespace }"""


@pytest.fixture(scope="module")
def graph(small_home):
    return open_graph(small_home)


@pytest.fixture(scope="module")
def client(small_home):
    return client_of(small_home)


def number(graph, query):
    (row,) = graph.query(query)
    return next(iter(row.values()))


def values(graph, property_):
    return {row["v"] for row in graph.query(f"SELECT ?v {{ <{DATASET}> <{VOID}{property_}> ?v }}")}


# ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("property_", "query"),
    [
        ("triples", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"),
        ("distinctSubjects", "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }"),
        ("distinctObjects", "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }"),
        ("properties", "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }"),
        ("classes", "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c }"),
    ],
)
def test_numbers_are_those_of_the_merge_the_description_included(graph, property_, query):
    assert values(graph, property_) == {number(graph, query)}


def test_the_numbers_hold_for_the_bundled_data_too(bundled_home):
    graph = open_graph(bundled_home)
    assert values(graph, "triples") == {number(graph, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")} == {graph.release.manifest["counts"]["triples"]}
    assert values(graph, "distinctObjects") == {number(graph, "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }")}


def test_every_class_has_a_partition_with_exact_numbers(graph):
    said = {(r["class"], r["entities"], r["triples"]) for r in graph.query(
        f"PREFIX void: <{VOID}> SELECT * {{ <{DATASET}> void:classPartition ?p . ?p void:class ?class ; void:entities ?entities ; void:triples ?triples }}"
    )}  # fmt: skip
    counted = {(r["class"], r["entities"], r["triples"]) for r in graph.query(
        "SELECT ?class (COUNT(DISTINCT ?s) AS ?entities) (COUNT(*) AS ?triples) { ?s a ?class ; ?p ?o } GROUP BY ?class"
    )}  # fmt: skip
    assert said == counted and len(said) > 10


def test_every_property_has_a_partition_with_exact_numbers(graph):
    said = graph.query(
        f"PREFIX void: <{VOID}> SELECT ?property ?triples ?subjects ?objects {{ <{DATASET}> void:propertyPartition ?p . ?p void:property ?property ; "
        "void:triples ?triples ; void:distinctSubjects ?subjects . OPTIONAL { ?p void:distinctObjects ?objects } }"
    )
    counted = graph.query(
        "SELECT ?property (COUNT(*) AS ?triples) (COUNT(DISTINCT ?s) AS ?subjects) (COUNT(DISTINCT ?o) AS ?objects) "
        "{ ?s ?property ?o } GROUP BY ?property"
    )
    # Of its own properties the description does not say how many values they have.
    assert {tuple(r.values()) for r in said} == {
        (r["property"], r["triples"], r["subjects"], None if r["property"].startswith(VOID) else r["objects"]) for r in counted
    }


def test_every_property_of_every_class_has_a_partition_with_exact_numbers(graph):
    said = graph.query(
        f"PREFIX void: <{VOID}> SELECT ?class ?property ?triples ?subjects {{ <{DATASET}> void:classPartition ?c . ?c void:class ?class ; "
        "void:propertyPartition ?p . ?p void:property ?property ; void:triples ?triples ; void:distinctSubjects ?subjects }"
    )
    counted = graph.query(
        "SELECT ?class ?property (COUNT(*) AS ?triples) (COUNT(DISTINCT ?s) AS ?subjects) { ?s a ?class ; ?property ?o } GROUP BY ?class ?property"
    )
    assert {tuple(r.values()) for r in said} == {tuple(r.values()) for r in counted}


def test_the_ranges_of_a_property_are_counted(graph):
    ranges = graph.query(
        f"PREFIX void: <{VOID}> PREFIX kv: <{PREFIXES['kv']}> SELECT ?range ?triples {{ <{DATASET}> void:classPartition ?c . ?c void:class kv:Practice ; "
        "void:propertyPartition ?p . ?p void:property kv:lead ; void:classPartition ?r . ?r void:class ?range ; void:triples ?triples }"
    )
    assert {(r["range"].rpartition("#")[2], r["triples"]) for r in ranges} == {("Actor", 1), ("KnowledgeGenerator", 1)}


def test_whatever_is_stated_is_true_of_any_data_once_it_is_stated():
    unsaid = 0
    for size in range(60, 80, 2):
        triples = [ox.Triple(ox.NamedNode(f"x:{n % 7}"), ox.NamedNode("x:p"), ox.Literal(n * 3)) for n in range(size)]
        description = void(ox.Store(), triples)
        said = {t.predicate.value.removeprefix(VOID): int(t.object.value) for t in description if t.subject.value == DATASET and t.object.value.isdecimal()}
        merge = set(triples) | set(description)
        assert said["triples"] == len(merge)
        assert said.get("distinctObjects", len({t.object for t in merge})) == len({t.object for t in merge})
        unsaid += "distinctObjects" not in said
    assert 0 < unsaid < 10, "both cases were met"


def test_links_to_other_data_sets_are_counted_once_and_not_within_these():
    data = b"""
    @prefix s: <http://www.w3.org/2004/02/skos/core#> .
    <x:a> s:closeMatch <https://ror.org/012345678> , <http://www.wikidata.org/entity/Q1> ; a <http://data.europa.eu/eli/ontology#LegalResource> .
    <http://data.europa.eu/nuts/code/ES51> s:broader <http://data.europa.eu/nuts/code/ES5> ; s:inScheme <http://data.europa.eu/nuts> .
    """
    tally = Tally.of([q.triple for q in ox.parse(data, format=ox.RdfFormat.TURTLE)])
    assert {target: n for (target, _), n in tally.links.items()} == {"ror": 1, "wikidata": 1}


# ── Where it is found ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_editor_finds_classes_properties_and_what_their_values_are(graph):
    found = {tuple(r.values()) for r in graph.query(COMPLETIONS)}
    kv, xsd = PREFIXES["kv"], PREFIXES["xsd"]
    assert (kv + "Practice", kv + "lead", kv + "Actor") in found
    assert (kv + "Practice", PREFIXES["schema"] + "startDate", xsd + "gYear") in found


def test_an_editor_finds_the_examples_and_each_is_a_query_of_its_form(graph):
    rows = list(graph.query(FORMS))
    assert {r["example"] for r in rows} == {f"{EXAMPLES}#{name}" for name in queries.names()}
    for row in rows:
        name = row["example"].partition("#")[2]
        assert row["comment"] == queries.load(name).summary
        assert row["text"] == queries.load(name).bind(**queries.load(name).examples)
        graph.query(row["text"])


def test_an_editor_finds_the_prefixes(graph):
    assert {r["prefix"]: r["namespace"] for r in graph.query(DECLARED)} == PREFIXES


def test_examples_say_their_form_words_and_endpoint(graph):
    rows = list(graph.query(
        "PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX schema: <https://schema.org/> SELECT ?sq ?kind (COUNT(?word) AS ?words) ?target "
        "{ ?sq a sh:SPARQLExecutable , ?kind ; schema:target ?target ; schema:keywords ?word ; sh:prefixes ?p FILTER(?kind != sh:SPARQLExecutable) } "
        "GROUP BY ?sq ?kind ?target"
    ))  # fmt: skip
    assert len(rows) == len(queries.names())
    forms = {r["sq"].partition("#")[2]: re.fullmatch(r".*#SPARQL(\w+)Executable", r["kind"])[1].upper() for r in rows}
    assert forms == {name: queries.load(name).form for name in queries.names()}
    assert all(r["words"] == len(queries.load(r["sq"].partition("#")[2]).tags) for r in rows)


def test_no_blank_nodes_and_no_shape_is_troubled(graph):
    for name in (GRAPH_OF_VOID, EXAMPLES):
        described = list(graph.backend.store.quads_for_pattern(None, None, None, ox.NamedNode(name)))
        assert described and not any(isinstance(t, ox.BlankNode) for q in described for t in (q.subject, q.object))
        assert list(validate(ox.Quad(*q.triple) for q in described).as_dicts()) == []


# ── As it is served ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", ["/.well-known/void", "/.well-known/sparql-examples"])
@pytest.mark.parametrize(
    ("media_type", "format"),
    [
        ("text/turtle", ox.RdfFormat.TURTLE), ("application/ld+json", ox.RdfFormat.JSON_LD),
        ("application/n-triples", ox.RdfFormat.N_TRIPLES), ("application/rdf+xml", ox.RdfFormat.RDF_XML),
    ],
)  # fmt: skip
def test_every_format_says_the_same(client, address, media_type, format):
    answer = client.get(address, headers={"Accept": media_type})
    assert answer.mimetype == media_type and answer.headers["Access-Control-Allow-Origin"] == "*"
    triples = {q.triple for q in ox.parse(answer.data, format=format)}
    assert triples == {q.triple for q in ox.parse(client.get(address).data, format=ox.RdfFormat.TURTLE)}
    assert client.get(address, headers={"Accept": media_type, "If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_an_instance_names_its_own_addresses_and_keeps_names(client, small_home):
    triples = {q.triple for q in ox.parse(client.get("/.well-known/void", base_url="https://kv.example/").data, format=ox.RdfFormat.TURTLE)}
    said = {(t.subject.value, t.predicate.value.removeprefix(VOID), t.object.value) for t in triples}
    assert (DATASET, "sparqlEndpoint", "https://kv.example/sparql") in said
    assert (DATASET, "dataDump", "https://kv.example/dumps/latest/kvgraph.nq.gz") in said
    assert (DATASET, "class", PREFIXES["kv"] + "Practice") not in said and any(o == PREFIXES["kv"] + "Practice" for _, p, o in said if p == "class")
    assert any(s == "https://kv.example/.well-known/void" and p.endswith("modified") for s, p, _ in said)
    for address in {o for s, p, o in said if p in ("dataDump", "sparqlEndpoint")}:
        assert client.get(address.removeprefix("https://kv.example"), headers={"Accept": "text/turtle"}).status_code in (200, 302), address
    examples = client.get("/.well-known/sparql-examples", base_url="https://kv.example/").text
    assert "<https://kv.example/sparql>" in examples and "<https://w3id.org/kvgraph/sparql>" not in examples


# ── Service description ──────────────────────────────────────────────────────────────────────────────────────────────

SD = "http://www.w3.org/ns/sparql-service-description#"


@pytest.fixture(scope="module")
def description(client):
    answer = client.get("/sparql", headers={"Accept": "text/turtle"}, base_url="https://kv.example/")
    assert answer.status_code == 200 and answer.mimetype == "text/turtle"
    return [q.triple for q in ox.parse(answer.data, format=ox.RdfFormat.TURTLE)]


def objects(description, subject, property_):
    return {t.object.value for t in description if t.subject.value == subject and t.predicate.value == property_}


def test_the_service_is_described_3_1(description):
    endpoint = "https://kv.example/sparql"
    assert {t.subject.value for t in description if t.object == ox.NamedNode(SD + "Service")} == {endpoint}
    assert objects(description, endpoint, SD + "endpoint") == {endpoint}
    assert objects(description, endpoint, SD + "supportedLanguage") == {SD + "SPARQL11Query"}
    formats = {iri.rpartition("/")[2] for iri in objects(description, endpoint, SD + "resultFormat")}
    results = {f"SPARQL_Results_{name}" for name in ("JSON", "XML", "CSV", "TSV")}
    assert formats == results | {"Turtle", "N-Triples", "JSON-LD", "RDF_XML", "N-Quads", "TriG"}
    assert not [t for t in description if t.predicate.value == SD + "feature"], "neither a union nor federation"


def test_the_default_dataset_and_its_graphs_are_described_with_their_sizes_3_2(description, graph):
    (dataset,) = objects(description, "https://kv.example/sparql", SD + "defaultDataset")
    assert objects(description, dataset, SD + "defaultGraph") == {DATASET}
    assert objects(description, DATASET, VOID + "triples") == {str(number(graph, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"))}
    named = objects(description, dataset, SD + "namedGraph")
    said = set()
    for node in named:
        (name,) = objects(description, node, SD + "name")
        (content,) = objects(description, node, SD + "graph")
        said |= {(name, int(n)) for n in objects(description, content, VOID + "triples")}
    counted = {(r["g"], r["n"]) for r in graph.query("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")}
    assert said == counted and len(counted) > 10


def test_the_description_leads_to_void_and_holds_what_plans_are_made_from(description, graph):
    assert "https://kv.example/.well-known/void" in objects(description, DATASET, "http://www.w3.org/2000/01/rdf-schema#seeAlso")
    parts = objects(description, DATASET, VOID + "propertyPartition")
    assert {p for part in parts for p in objects(description, part, VOID + "property")} == {r["p"] for r in graph.query("SELECT DISTINCT ?p { ?s ?p ?o }")}
    parts = objects(description, DATASET, VOID + "classPartition")
    assert {p for part in parts for p in objects(description, part, VOID + "class")} == {r["c"] for r in graph.query("SELECT DISTINCT ?c { ?s a ?c }")}


def test_a_client_that_goes_by_the_pattern_of_iris_loses_nothing(graph):
    (pattern,) = values(graph, "uriRegexPattern")
    assert not re.search(r"\\[^.?*+^$()\[\]{}|]", pattern), "escapes that JavaScript refuses"
    subjects = [r["s"] for r in graph.query("SELECT DISTINCT ?s { ?s ?p ?o }")]
    assert all(re.match(pattern, subject) for subject in subjects)
    assert not re.match(pattern, "http://example.org/")


@pytest.mark.parametrize("media_type", ["text/turtle", "application/ld+json", "application/n-triples", "application/rdf+xml"])
def test_the_description_comes_in_every_rdf_format(client, media_type):
    answer = client.get("/sparql", headers={"Accept": media_type})
    assert answer.status_code == 200 and answer.mimetype == media_type
