"""Queries that want the pool to call somebody: SERVICE in every spelling, and FROM. A listener must hear nothing (see ``stranger``)."""

import pyoxigraph
import pytest

from kvgraph.formats import TSV
from kvgraph.store import ServiceRefused, check

from .harm import Listener, listener, refused, served, stranger, wait_for  # noqa: F401

# Everything below must not reach the listener, by whatever reading of the text

BODY = "{ ?s ?p ?o }"
SERVICES = [
    "SELECT * { SERVICE <URL> BODY }",
    "SELECT * { service <URL> BODY }",
    "SELECT * { sErViCe <URL> BODY }",
    "SELECT * { SERVICE SILENT <URL> BODY }",
    "SELECT * { SERVICE # a comment { } \n <URL> BODY }",
    "SELECT * { SERVICE\n#\n#\n<URL>BODY}",
    "SELECT * { #\rSERVICE <URL> BODY }",
    "SELECT * { SERVICE ?x BODY VALUES ?x { <URL> } }",
    "SELECT * { VALUES ?x { <URL> } SERVICE?x{ ?s ?p ?o } }",
    "PREFIX ex: <URL> SELECT * { SERVICE ex:a BODY }",
    "ASK { { { FILTER EXISTS { SERVICE <URL> BODY } } } }",
    "CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <URL> BODY }",
    "SELECT * { { SELECT * { SERVICE <URL> BODY } } }",
    "SELECT * { ?s ?p ?o LATERAL { SERVICE <URL> BODY } }",
    # escaped, as the standard allows anywhere and Oxigraph only inside strings and IRIs
    r"SELECT * { \u0053ERVICE <URL> BODY }",
    r"SELECT * { S\u0045RV\U00000049CE <URL> BODY }",
    r"SELECT * { ?s ?p 'a\u0027 } #' . SERVICE <URL> BODY }",
    r'SELECT * { ?s ?p ?o FILTER(?o != "a\u0022") SERVICE <URL> BODY FILTER(?p != "") }',
    r"SELECT * { ?s <http://example.org/a#\u0061> ?o . SERVICE <URL> BODY }",
    # glued to its neighbours, as Oxigraph's parser allows
    "SELECT * { SERVICE<URL>BODY }",
    "SELECT * { SERVICESILENT<URL>BODY }",
    "PREFIX : <URL> SELECT * { SERVICE:BODY }",
    "PREFIX : <URL> SELECT * { SERVICESILENT:x BODY }",
    "PREFIX ex: <URL> SELECT * { SERVICEex:x BODY }",
    "SELECT * { ?s ?p trueSERVICE<URL> BODY }",
    "PREFIX ex: <URL> SELECT * { ?s ?p trueSERVICEex:x BODY }",
    "SELECT * { ?s ?p 1SERVICE <URL> BODY }",
    "SELECT * { ?s ?p ?o.SERVICE <URL> BODY }",
    # hidden in what the grammar reads as an IRI or a string, and Oxigraph as "less than"
    "SELECT * { ?s ?p ?o FILTER(1<2)SERVICE#>\n<URL> BODY }",
    "SELECT * { FILTER(1<'>')SERVICE <URL> BODY FILTER('x'='x') }",
    'SELECT * { VALUES ?x { """a" } SERVICE <URL> BODY #\\q"""\n }',
    'SELECT * { VALUES ?x { """a" } SERVICE <URL> BODY #\\uD800"""\n }',
]


def spelled(query, url):
    return query.replace("URL", url).replace("BODY", BODY)


@pytest.mark.parametrize("query", SERVICES)
def test_service(stranger, listener, query):
    error = refused(stranger, spelled(query, listener.url), ServiceRefused)
    assert "dumps" in str(error)


def test_the_spellings_are_real():
    """Without the guard most of these (25 of 32, measured) do open a connection: the list is no straw man."""
    store = pyoxigraph.Store()
    store.add(pyoxigraph.Quad(pyoxigraph.NamedNode("a:a"), pyoxigraph.NamedNode("a:p"), pyoxigraph.Literal(True)))
    heard = Listener()
    heard.start()
    try:
        for query in SERVICES:
            try:
                results = store.query(spelled(query, heard.url))
                bool(results) if isinstance(results, pyoxigraph.QueryBoolean) else list(results)
            except (SyntaxError, OSError, RuntimeError, ValueError):
                pass
        wait_for(lambda: heard.calls >= 20)
    finally:
        heard.stop.set()
        heard.join()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?service { ?service ?SERVICE $service }",
        "PREFIX service: <http://example.org/> SELECT * { ?s service:p service:o }",
        "PREFIX service: <http://example.org/> SELECT * { GRAPH service:g { ?s a service:Service } }",
        "PREFIX service: <http://example.org/> SELECT * FROM service:g { ?s ?p ?o }",
        "SELECT * { ?s a <http://example.org/service#SERVICE> FILTER(?s != <urn:service:1>) }",
        "SELECT * { ?s ?p 'SERVICE <http://example.org/> { }' } # SERVICE <http://example.org/> { }",
        "SELECT * { ?s ?p \"\"\"\nSERVICE \"x\" 'y'\n\"\"\" , '''it's SERVICE''' }",
        "SELECT * { ?s ?p 'service'@en , _:service , 'a'^^<http://example.org/service> }",
        "SELECT * { ?s ?p ?o FILTER(?o < 3 && ?s > 2 || STRLEN('services') >= 1) }",
        "PREFIX ex: <http://example.org/> SELECT * { ?s ex:my.service ex:a-service.b }",
    ],
)
def test_the_word_alone_is_no_crime(query):
    assert check(query) == "SELECT"
    pyoxigraph.Store().query(query)


@pytest.mark.parametrize("clause", ["FROM <URL>", "FROM NAMED <URL>", "FROM <file:///etc/passwd>", "FROM NAMED <file:///etc/passwd>"])
def test_from_fetches_nothing(stranger, listener, clause):
    query = f"SELECT * {clause.replace('URL', listener.url)} {{ {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} }}"
    outcome, file = stranger.answer_file(query, TSV)
    with file:
        assert outcome.rows == 0 and b"root" not in file.read()
    outcome, file = stranger.answer_file("SELECT * { ?s ?p ?o }", TSV, default_graphs=[listener.url, "file:///etc/passwd"])
    file.close()
    assert outcome.rows == 0
