"""The curated data: every file is well-formed for both parsers, says where its statements come from, and points at nothing missing."""

import re
from collections import Counter, defaultdict
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID

from kvgraph.namespaces import COUNTRY, DCTERMS, GRAPH, ID, KV, NUTS, PROV, RDF, RDFS, SKOS
from kvgraph.resources import folder

DATA = folder("data")
FILES = sorted(p for p in DATA.rglob("*") if p.suffix in {".trig", ".ttl"})
TYPES = {
    "practices": "practice",
    "learning-examples": "learning-example",
    "actors": "actor",
    "policies": "policy",
    "principles": "principle",
}
RECORDS = [p for p in FILES if p.parent.name in TYPES]
# A change of a number here is a change of what the release says: make it on purpose, and say it in the CHANGELOG.
COUNTS = {
    "Practice": 713,
    "LearningExample": 262,
    "Actor": 1441,
    "Policy": 228,
    "Principle": 76,
}
REGIONS = 1798
COUNTRIES = 40
TAG = re.compile(r"</?[A-Za-z!]|&(?:[a-z]+|#\d+);")


def read(path: Path) -> list[ox.Quad]:
    return list(ox.parse(path=str(path), format=ox.RdfFormat.TRIG if path.suffix == ".trig" else ox.RdfFormat.TURTLE))


@pytest.fixture(scope="module")
def quads() -> dict[Path, list[ox.Quad]]:
    return {path: read(path) for path in FILES}


@pytest.fixture(scope="module")
def merge(quads) -> list[ox.Quad]:
    return [q for found in quads.values() for q in found]


def literals(found: list[ox.Quad]) -> list[ox.Literal]:
    return [q.object for q in found if isinstance(q.object, ox.Literal)]


def named(found: list[ox.Quad]) -> set[str]:
    return {q.graph_name.value for q in found if isinstance(q.graph_name, ox.NamedNode)}


def objects(found: list[ox.Quad], predicate: str) -> dict[str, list]:
    """The objects of one property, by subject."""
    by_subject = defaultdict(list)
    for q in found:
        if q.predicate.value == predicate:
            by_subject[q.subject.value].append(q.object)
    return by_subject


def comparable(term) -> tuple:
    """A term of Oxigraph or rdflib as plain values that can be compared across the two."""
    if isinstance(term, ox.Literal):
        return term.value, term.language, None if term.language else term.datatype.value
    if isinstance(term, rdflib.Literal):
        datatype = term.datatype or rdflib.XSD.string
        return str(term), term.language, None if term.language else str(datatype)
    return (term.value if isinstance(term, ox.NamedNode) else str(term),)


def test_every_file_is_seen():
    assert len(FILES) == len(RECORDS) + 39 + 4  # 39 countries with regions; countries, mappings, region-names, sources
    assert {p.parent.name for p in RECORDS} == set(TYPES)


# All regions are written by one rule: those of two countries stand for all, and keep this test short.
# rdflib 7.6 warns about what its own TriG parser uses.
@pytest.mark.filterwarnings("ignore:Dataset.default_context is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("kind", [*TYPES, "regions", "data"])
def test_rdflib_and_oxigraph_read_the_same(kind, quads):
    files = [p for p in FILES if p.parent.name == kind and (kind != "regions" or p.stem in {"EL", "MT"})]
    assert files
    for path in files:
        theirs = rdflib.Dataset()
        theirs.parse(data=path.read_text(encoding="utf-8"), format="trig" if path.suffix == ".trig" else "turtle")
        read_by_rdflib = {
            (*(comparable(term) for term in (s, p, o)), None if g in (None, DATASET_DEFAULT_GRAPH_ID) else str(g))
            for s, p, o, g in theirs.quads()
        }
        read_by_oxigraph = {
            (
                *(comparable(term) for term in (q.subject, q.predicate, q.object)),
                q.graph_name.value if isinstance(q.graph_name, ox.NamedNode) else None,
            )
            for q in quads[path]
        }
        assert read_by_rdflib == read_by_oxigraph, path.name


def test_no_blank_nodes(merge):
    assert not [q for q in merge if isinstance(q.subject, ox.BlankNode) or isinstance(q.object, ox.BlankNode)]


@pytest.mark.parametrize("path", RECORDS[:: len(RECORDS) // 40], ids=lambda p: p.stem)
def test_a_record_begins_with_what_pages_state(path):
    order = re.findall(r"^g:(\S+) \{$", path.read_text(encoding="utf-8"), re.MULTILINE)
    stated = [name for name in order if name.startswith("stated-")]
    assert order[: len(stated)] == stated == [f"stated-{n}" for n in range(1, len(stated) + 1)]
    assert order[len(stated)] == "classified" and order[-1] == "about"


def test_files_are_named_after_their_record(quads):
    for path in RECORDS:
        kind = TYPES[path.parent.name]
        prefix = f"{GRAPH}{kind}/{path.stem}/"
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", path.stem), path
        assert all(name.startswith(prefix) for name in named(quads[path])), path
        types = {q.subject.value for q in quads[path] if q.predicate.value == RDF + "type" and q.object.value.startswith(KV)}
        if kind in {"practice", "learning-example", "actor"}:
            assert f"{ID}{kind}/{path.stem}" in types, path
        if kind == "policy":
            identifiers = [q.object.value for q in quads[path] if q.predicate.value == DCTERMS + "identifier"]
            assert [re.sub(r"[^a-z0-9]+", "-", i.lower()) for i in identifiers] == [path.stem]


def test_counts(merge):
    typed = Counter(q.object.value for q in {(q.subject, q.object): q for q in merge if q.predicate.value == RDF + "type"}.values())
    assert all(typed[KV + name] >= least for name, least in COUNTS.items()), {name: typed[KV + name] for name in COUNTS}
    assert len({q.subject for q in merge if q.subject.value.startswith(NUTS)}) == REGIONS
    assert len({q.subject for q in merge if q.subject.value.startswith(COUNTRY)}) == COUNTRIES


def test_every_graph_says_who_says_so(quads, merge):
    must = [KV + "basis", DCTERMS + "source", KV + "seenOn", PROV + "wasAttributedTo", DCTERMS + "isPartOf"]
    values = {predicate: objects(merge, predicate) for predicate in must}
    for path, found in quads.items():
        graphs = named(found)
        statements = {name for name in graphs if not name.endswith("/about")}
        for name in statements:
            lacking = [predicate for predicate in must if not values[predicate].get(name)]
            assert not lacking, (path, name, lacking)
        if path in RECORDS:  # what is described is there, and in the record's own graph about
            about = {q.subject.value for q in found if q.graph_name.value.endswith("/about") and q.predicate.value != DCTERMS + "isReplacedBy"}
            assert about == statements, path


def test_stated_and_classified_graphs_have_their_basis(merge):
    for name, (basis,) in objects(merge, KV + "basis").items():
        last = name.rsplit("/", 1)[-1]
        assert basis.value == ID + "basis/" + ("stated" if last.startswith("stated-") or last in {"nuts-2024", "countries"} else last)


def test_a_page_has_one_graph_in_a_record(quads):
    for path in RECORDS:
        pages = Counter(
            q.object.value for q in quads[path] if q.predicate.value == DCTERMS + "source" and "/stated-" in q.subject.value
        )
        assert all(n == 1 for n in pages.values()), path


def test_the_readings_of_curators_are_not_stated(quads):
    reading = {KV + name for name in ("channel", "toolKind", "challenge", "benefit", "asset", "capacity", "takesUp", "level")} | {SKOS + "closeMatch"}
    wrong = [
        (path.name, q.predicate.value)
        for path in RECORDS
        for q in quads[path]
        if q.predicate.value in reading and not q.graph_name.value.endswith("/classified")
    ]
    assert not wrong


def test_nothing_points_into_the_void(merge):
    described = {q.subject.value for q in merge}
    for path in sorted((folder("ontology") / "lists").glob("*.ttl")):
        described |= {q.subject.value for q in read(path)}
    ours = (ID, NUTS, COUNTRY)
    dangling = {q.object.value for q in merge if isinstance(q.object, ox.NamedNode) and q.object.value.startswith(ours)} - described
    assert not dangling


def test_every_policy_that_is_referred_to_is_described(merge):
    policies = {q.subject.value for q in merge if q.predicate.value == RDF + "type" and q.object.value == KV + "Policy"}
    pointing = {KV + "implements", KV + "succeeds", DCTERMS + "replaces"}
    assert {q.object.value for q in merge if q.predicate.value in pointing} <= policies


def test_one_practice_is_listed_on_the_platform(quads):
    kvp = ox.NamedNode(ID + "source-kind/kvp")
    assert [path.name for path, found in quads.items() if any(q.object == kvp for q in found)] == ["national-ip-protocol.trig"]


def test_texts_are_plain_and_tidy(merge):
    for literal in literals(merge):
        assert not TAG.search(literal.value), literal
        assert literal.value == literal.value.strip() and "  " not in literal.value, literal


def test_texts_have_a_language(merge):
    text = {DCTERMS + "title", DCTERMS + "description", KV + "lesson", KV + "outcome", KV + "challengeStatement", KV + "condition", SKOS + "prefLabel", SKOS + "altLabel", RDFS + "comment"}  # fmt: skip
    assert all(q.object.language for q in merge if q.predicate.value in text)


def test_regions_form_one_tree_per_country(merge):
    broader = objects(merge, SKOS + "broader")
    level = {s: int(o[0].value) for s, o in objects(merge, KV + "nutsLevel").items()}
    assert len(level) == REGIONS
    for region, depth in level.items():
        code = region.removeprefix(NUTS)
        assert len(code) == depth + 2
        assert [parent.value for parent in broader.get(region, [])] == ([NUTS + code[:-1]] if depth else [])
