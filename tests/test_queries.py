"""Reading question files, and binding values that people and strangers give."""

import pyoxigraph as ox
import pytest
import rdflib
from pyparsing import ParseException
from rdflib.plugins.sparql import prepareQuery

from kvgraph import queries
from kvgraph.errors import KvgraphError
from kvgraph.params import Param, expand

HEADER = """\
#+ summary: Test?
#+ params:
#+   iri: {type: iri, label: Thing, optional: true}
#+   text: {type: literal, label: Text, optional: true}
#+   limit: {type: integer, label: At most, default: 10, min: 1, max: 50}
"""

BODY = """\
PREFIX ex: <http://example.org/$text#>   # an IRI holding $text
SELECT ?s ("in \\"a\\" string: $text, $iri" AS ?note) ('''also $text
on two lines: #? iri''' AS ?long) WHERE {
  ?s ?p ?o .
  FILTER(?s = $iri)              #? iri
  FILTER(STR(?o) = $text)        #? text
  FILTER(STR(?o) != CONCAT($text, "x")) #? text
}
LIMIT $limit
"""


def question(body=BODY, header=HEADER):
    return queries.parse("test", header + body)


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_names_are_sorted_and_kinds_apart():
    assert queries.names() == sorted(queries.names())
    assert all("/" not in name for name in queries.names())
    assert all(name.startswith("pages/") for name in queries.names(kind="pages"))
    with pytest.raises(ValueError):
        queries.names(kind="other")


@pytest.mark.parametrize("kind", ["questions", "pages"])
def test_every_file_is_well_formed_sparql_with_and_without_its_optional_parameters(kind):
    for name in queries.names(kind):
        question = queries.load(name)
        required = {p.name: p.example for p in question.params if p.required}
        made_up = {p.name: {"years": "2020", "integer": "7"}.get(p.type, f"{p.name.replace('_', '-')}/x") for p in question.params}
        everything = {p.name: p.example or p.default or made_up[p.name] for p in question.params}
        for values in (required, question.examples, everything):
            text = question.bind(**values)
            ox.Store().query(text)
            assert not any(token["param"] for token in queries._TOKEN.finditer(text)), name  # a string may hold a "$1"
        prepareQuery(text)  # rdflib's parser is slow: the fullest form is enough


def test_unknown_question_names_the_nearest():
    with pytest.raises(queries.UnknownQuestion, match="practices-by-region"):
        queries.load("practice-by-regions")
    assert issubclass(queries.UnknownQuestion, KvgraphError)


def test_question_like_no_other_lists_what_there_is():
    with pytest.raises(queries.UnknownQuestion, match="Known questions: .*practices-by-region"):
        queries.load("zzzzzzzz" * 1000)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../pyproject", "../queries/practices-by-region", "pages/../practices-by-region", "/etc/passwd",
     "practices-by-region.rq", "practices-by-region\0", "PRACTICES-BY-REGION", "pages\\statements", "p*"],
)  # fmt: skip
def test_a_name_is_no_path(name):
    with pytest.raises(queries.UnknownQuestion):
        queries.load(name)


# ── Tokens and sections ──────────────────────────────────────────────────────────────────────────────────────────────


def test_only_tokens_are_replaced():
    text = question().bind(iri="http://example.org/a", text="b")
    assert "<http://example.org/$text#>" in text
    assert '"in \\"a\\" string: $text, $iri"' in text
    assert "'''also $text\non two lines: #? iri'''" in text
    assert "FILTER(?s = <http://example.org/a>)" in text
    assert 'FILTER(STR(?o) = "b")' in text
    assert "# an IRI holding $text" in text
    assert text.endswith("LIMIT 10\n")


def test_lines_of_a_parameter_left_out_drop_out():
    text = question().bind(text="b")
    assert "FILTER(?s" not in text and text.count("FILTER(STR(?o)") == 2
    bare = question().bind()
    assert "FILTER" not in bare and "on two lines: #? iri'''" in bare
    ox.Store().query(bare)


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_empty_counts_as_left_out(nothing):
    assert question().bind(iri=nothing, limit=nothing) == question().bind()


def test_names_that_begin_alike_are_told_apart():
    header = "#+ summary: T?\n#+ params:\n#+   a: {type: literal, label: A}\n#+   ab: {type: literal, label: AB}\n"
    text = question("SELECT ?x { BIND(CONCAT($ab,$a) AS ?x) }", header).bind(a="1", ab="2")
    assert 'CONCAT("2","1")' in text


def test_a_value_is_not_read_again():
    text = question().bind(text="$iri $limit #? text", iri="http://example.org/a")
    assert '"$iri $limit #? text"' in text


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given, iri",
    [
        ("http://example.org/a", "http://example.org/a"),
        ("  http://example.org/a ", "http://example.org/a"),
        ("nuts:ES51", "http://data.europa.eu/nuts/code/ES51"),
        ("country:ESP", "http://publications.europa.eu/resource/authority/country/ESP"),
        ("kv:Practice", "https://w3id.org/kvgraph/def/kv#Practice"),
        ("practice/demola", "https://w3id.org/kvgraph/id/practice/demola"),
        ("eli/reco/2022/2415/oj", "http://data.europa.eu/eli/reco/2022/2415/oj"),
        ("urn:isbn:123", "urn:isbn:123"),
        (ox.NamedNode("http://example.org/a"), "http://example.org/a"),
        (rdflib.URIRef("http://example.org/a"), "http://example.org/a"),
    ],
)
def test_iri_in_every_form(given, iri):
    assert Param("p", "iri", "P").term(given) == f"<{iri}>"


@pytest.mark.parametrize(
    "bad",
    ["ES51", "Catalonia", "http://a b", "http://a/>", "http://a/> ?p ?o . <http://b", "practice/a>b", "practice/%3E%20",
     "kv:a}b", 'kv:a"b', "http://a/\\u003e", "http://a/\nb", "http://a/{", "javascript", "\ud800:x", "http://a/\ud800"],
)  # fmt: skip
def test_what_is_no_iri(bad):
    with pytest.raises(queries.BadParameter, match="expected an IRI"):
        Param("p", "iri", "P").term(bad)


HOSTILE = [
    '"', '\\"', "\\", "'''", '"""', "a\nb", "a\r\nb", "a\0b", "a\u2028b", '" } SELECT * { ?s ?p ?o } #', "# comment", "$iri", "?o",
    '")) } ; DROP ALL #', "\\u0022", "\\\\u0022", "\\u005C\\u0022 . ?x ?y ?z", "<http://a>", '"@en', '"^^<http://a>', "}" * 5000, "é😀",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_text_stays_text(value):
    """The query asks for exactly this text, and finds nothing else, whatever the text looks like."""
    store = ox.Store()
    s, p = ox.NamedNode("http://example.org/s"), ox.NamedNode("http://example.org/p")
    store.add(ox.Quad(s, p, ox.Literal(value)))
    store.add(ox.Quad(s, p, ox.Literal("another")))
    header = "#+ summary: T?\n#+ params:\n#+   text: {type: literal, label: Text}\n"
    text = question("SELECT ?o WHERE { ?s ?p ?o . FILTER(?o = $text) }", header).bind(text=value)
    assert [row["o"].value for row in store.query(text)] == [value]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_text_does_not_break_out_in_rdflib_either(value):
    """rdflib undoes \\u escapes before it parses, so a value may come out changed, but it stays one string."""
    header = "#+ summary: T?\n#+ params:\n#+   text: {type: literal, label: Text}\n"
    text = question("SELECT ?x WHERE { BIND($text AS ?x) }", header).bind(text=value)
    try:
        rows = list(rdflib.Graph().query(text))
    except ParseException:  # a syntax error is a refusal too
        pass
    else:
        assert len(rows) == 1 and isinstance(rows[0].x, rdflib.Literal)


@pytest.mark.parametrize("bad", ["", "x", "1.5", "1e3", "0", "51", "-1", "1 OFFSET 5", "1;", "٣", "1_0", "0x10", "9" * 30, True, 2.5, [], b"1"])
def test_what_is_no_integer_within_bounds(bad):
    with pytest.raises(queries.BadParameter, match="a whole number from 1 to 50"):
        Param("limit", "integer", "At most", min=1, max=50).term(bad)


def test_integers_and_years_are_bare_digits():
    assert Param("n", "integer", "N").term(" +007 ") == "7"
    assert Param("n", "integer", "N", min=-5).term("-5") == "-5"
    assert Param("y", "year", "Y").term(2015) == "2015"


@pytest.mark.parametrize("bad", ["15", "20155", "MMXV", "2015-01", "-2015"])
def test_what_is_no_year(bad):
    with pytest.raises(queries.BadParameter, match="a year of four digits"):
        Param("y", "year", "Y").term(bad)


def test_languages():
    assert Param("l", "lang", "L").term("pt-BR") == '"pt-br"'
    for bad in ("e", "english language", 'en"', "en@", "en-", "*"):
        with pytest.raises(queries.BadParameter, match="a language tag"):
            Param("l", "lang", "L").term(bad)


def test_choices():
    param = Param("m", "choice", "M", choices=("certain", "candidate"))
    assert param.term("certain") == '"certain"'
    with pytest.raises(queries.BadParameter, match="one of certain, candidate"):
        param.term("both")


def test_a_bad_value_is_shown_but_not_at_length():
    with pytest.raises(queries.BadParameter) as caught:
        Param("r", "iri", "R", example="nuts:ES51").term("x " * 1000)
    assert len(str(caught.value)) < 300 and caught.value.hint == "For example: nuts:ES51"


def test_missing_parameter_gives_an_example():
    with pytest.raises(queries.MissingParameter, match="region=http://data.europa.eu/nuts/code/ES51"):
        queries.load("practices-by-region").bind()


def test_unknown_parameter_names_the_nearest():
    with pytest.raises(queries.UnknownParameter, match="Did you mean: region"):
        queries.load("practices-by-region").bind(regoin="nuts:ES51")
    with pytest.raises(queries.UnknownParameter, match="It takes none"):
        queries.load("entities-per-type").bind(region="nuts:ES51")


def test_expand_leaves_what_it_does_not_know():
    assert expand("Barcelona") == "Barcelona"
    assert expand("foo:bar") == "foo:bar"


# ── Malformed files ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "source, why",
    [
        ("ASK { ?s ?p ?o }", "summary"),
        ("#+ summary: [\nASK {}", "malformed"),
        ("#+ just text\nASK {}", "malformed"),
        ("#+ summary: T?\n#+ sumary: T?\nASK {}", "unknown header keys: sumary"),
        ("#+ summary: T?\n# SELECT in a comment", "no SELECT"),
        ("#+ summary: T?\nASK { ?s ?p $o }", "declared and used parameters differ: o"),
        ("#+ summary: T?\n#+ params: {o: {type: iri, label: O}}\nASK {}", "declared and used parameters differ: o"),
        ("#+ summary: T?\n#+ params: {o: {type: uri, label: O}}\nASK { ?s ?p $o }", "unknown type 'uri'"),
        ("#+ summary: T?\n#+ params: {o: {type: iri, lable: O}}\nASK { ?s ?p $o }", "lable"),
        ("#+ summary: T?\n#+ params: {o: {type: iri, label: O, example: x}}\nASK { ?s ?p $o }", "does not fit"),
        ("#+ summary: T?\n#+ params: {o: {type: iri, label: O, optional: true}}\nASK { ?s ?p $o }", "outside their #\\? lines: o"),
        ("#+ summary: T?\n#+ params: {o: {type: iri, label: O}}\nASK {\n ?s ?p $o #? o\n}", "not an optional parameter"),
        ("#+ summary: T?\nASK {\n ?s ?p ?o #? nothing\n}", "#\\? nothing"),
        ("#+ summary: T?\n#+ chart: pie\nASK {}", "unknown chart 'pie'"),
    ],
)
def test_malformed_file_says_what_is_wrong(source, why):
    with pytest.raises(queries.BadQuestion, match=why):
        queries.parse("broken", source)


def test_header_is_read():
    found = queries.load("practices-by-region")
    assert (found.form, found.tags) == ("SELECT", ("practice", "region"))
    assert found.columns["title"] == "Practice"
    assert [p.name for p in found.params if p.required] == ["region"]
    assert not found.text.startswith("#+") and found.description.startswith("A region counts")
