"""The vocabulary, the code lists, the worked examples and the JSON-LD context."""

import json
import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import OWL, RDF, RDFS, SKOS, Dataset, Graph, Namespace, URIRef
from rdflib.compare import isomorphic

from kvgraph.namespaces import DEF, ID, KV, PREFIXES
from kvgraph.resources import folder
from kvgraph.validate import graph_of, load_shapes, validate

ONTOLOGY = folder("ontology")
LISTS = sorted((ONTOLOGY / "lists").glob("*.ttl"))
EXAMPLES = sorted((ONTOLOGY / "examples").glob("*.trig"))
CONTEXT = json.loads((ONTOLOGY / "context.jsonld").read_text(encoding="utf-8"))["@context"]
BACKGROUND = Path(__file__).parent / "shapes" / "background.ttl"
VANN = Namespace("http://purl.org/vocab/vann/")
HEADER = URIRef(DEF + "kv")
KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty)

kv = Graph().parse(ONTOLOGY / "kv.ttl")
SHAPES_GRAPH = load_shapes()
TERMS = sorted({term for kind in KINDS for term in kv.subjects(RDF.type, kind)})


def local(term: URIRef) -> str:
    return str(term).removeprefix(KV)


# ── kv.ttl ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_terms_are_those_of_the_namespace():
    assert len(TERMS) == 41
    assert {s for s in kv.subjects() if s != HEADER} == set(TERMS)
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", local(t)) for t in kv.subjects(RDF.type, OWL.Class))
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", local(t)) for t in set(TERMS) - set(kv.subjects(RDF.type, OWL.Class)))


@pytest.mark.parametrize("term", TERMS, ids=local)
def test_term_is_labelled_and_defined_once(term):
    assert {label.language for label in kv.objects(term, RDFS.label)} >= {"en", "fr"}
    (definition,) = kv.objects(term, SKOS.definition)
    assert definition.language == "en"
    label = next(str(o) for o in kv.objects(term, RDFS.label) if o.language == "en")
    assert not definition.lower().startswith((f"{label.lower()} ", f"a {label.lower()} ", f"the {label.lower()} ")), "circular"
    assert definition.count(". ") == 0, "one sentence"
    assert list(kv.objects(term, RDFS.isDefinedBy)) == [HEADER]
    assert len([k for k in KINDS if (term, RDF.type, k) in kv]) == 1


def test_the_ontology_is_light():
    assert not list(kv.triples((None, RDFS.domain, None))) and not list(kv.triples((None, RDFS.range, None)))


def test_the_header_is_complete():
    assert str(kv.value(HEADER, VANN.preferredNamespaceUri)) == KV
    assert str(kv.value(HEADER, VANN.preferredNamespacePrefix)) == "kv"
    assert str(kv.value(HEADER, OWL.versionIRI)) == f"{DEF}kv/{kv.value(HEADER, OWL.versionInfo)}"
    assert {str(o) for o in kv.objects(HEADER, RDFS.seeAlso)} >= {DEF + f.stem for f in LISTS}


@pytest.mark.parametrize("term", TERMS, ids=local)
def test_term_is_used_by_a_question_or_a_shape(term):
    use = re.compile(rf"\bkv:{local(term)}\b")
    asked = [f for f in folder("queries").rglob("*.rq") if use.search(f.read_text(encoding="utf-8"))]
    assert asked or (None, None, term) in SHAPES_GRAPH


def test_terms_that_are_used_exist():
    """A misspelt kv: term in a question, a shape or an example finds nothing and nobody notices."""
    files = [*folder("queries").rglob("*.rq"), *folder("shapes").glob("*.ttl"), *(ONTOLOGY / "examples").glob("*.trig"), *LISTS]
    used = {name for f in files for name in re.findall(r"(?<![\w-])kv:([A-Za-z]\w*)", f.read_text(encoding="utf-8"))}
    assert len(used) >= 34
    assert used - {local(t) for t in TERMS} == set()


# ── Code lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_lists_are_there():
    assert [f.stem for f in LISTS] == [
        "actor-kind", "asset", "basis", "benefit", "capacity", "challenge", "channel", "coast-type", "criterion", "level", "mountain-type", "policy-type", "role", "source-kind", "tool-kind",
        "urban-rural-type",
    ]  # fmt: skip


@pytest.mark.parametrize("file", LISTS, ids=lambda f: f.stem)
def test_list_is_complete(file):
    g = Graph().parse(file)
    scheme = URIRef(DEF + file.stem)
    concepts = set(g.subjects(RDF.type, SKOS.Concept))
    assert (scheme, RDF.type, SKOS.ConceptScheme) in g
    assert {o.language for o in g.objects(scheme, URIRef(PREFIXES["dcterms"] + "title"))} == {"en", "fr", "de", "es", "it"}
    assert concepts and concepts == set(g.objects(scheme, SKOS.hasTopConcept)) == set(g.subjects(SKOS.inScheme, scheme))
    for concept in concepts:
        assert str(concept) == f"{ID}{file.stem}/{g.value(concept, SKOS.notation)}"
        assert sorted(o.language for o in g.objects(concept, SKOS.prefLabel)) == ["de", "en", "es", "fr", "it"]
        assert sorted(o.language for o in g.objects(concept, SKOS.definition)) in (["en"], ["de", "en", "es", "fr", "it"])
    english = [str(o) for c in concepts for o in g.objects(c, SKOS.prefLabel) if o.language == "en"]
    assert len(set(english)) == len(english), "two codes with one name"


@pytest.mark.parametrize("name", ["channel", "challenge", "actor-kind", "role"])
def test_definitions_of_the_lists_that_readers_meet_most_are_in_five_languages(name):
    g = Graph().parse(ONTOLOGY / "lists" / f"{name}.ttl")
    assert all(len(set(g.objects(c, SKOS.definition))) == 5 for c in g.subjects(RDF.type, SKOS.Concept))


def test_additions_to_the_official_channels_are_marked():
    g = Graph().parse(ONTOLOGY / "lists" / "channel.ttl")
    notes = {str(c).rsplit("/", 1)[1] for c, note in g.subject_objects(SKOS.editorialNote) if "Addition of the curators" in note}
    assert notes == {"skills-mobility", "arts-culture"}


def test_ontology_and_lists_keep_to_their_shapes():
    files = [ONTOLOGY / "kv.ttl", *LISTS]
    assert validate([t for f in files for t in ox.parse(path=f)]).results == ()


@pytest.mark.parametrize("file", [ONTOLOGY / "kv.ttl", *LISTS, BACKGROUND], ids=lambda f: f.stem)
def test_turtle_parses_alike_in_rdflib_and_oxigraph(file):
    by_rdflib, by_oxigraph = Graph().parse(file), graph_of(ox.parse(path=file))
    assert len(by_rdflib) == len(by_oxigraph) and isomorphic(by_rdflib, by_oxigraph)


# ── Examples and context ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_examples_are_right():
    assert [f.stem for f in EXAMPLES] == ["learning-example", "policy", "practice"]
    surroundings = [t for t in ox.parse(path=BACKGROUND) if "/policy/" not in str(t.subject) and "/principle/" not in str(t.subject)]
    report = validate([*surroundings, *(q for f in EXAMPLES for q in ox.parse(path=f))])
    assert [r for r in report.results if r.severity != "Info"] == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.stem)
def test_example_describes_each_of_its_graphs(file):
    quads = list(ox.parse(path=file))
    about = next(q.graph_name for q in quads if q.graph_name.value.endswith("/about"))
    assert {q.subject for q in quads if q.graph_name == about} == {q.graph_name for q in quads} - {about}


@pytest.mark.filterwarnings("ignore:Dataset.default_context is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.stem)
def test_example_parses_alike_in_rdflib_and_oxigraph(file):
    by_rdflib = {(str(g.identifier), *t) for g in Dataset().parse(file, format="trig").graphs() for t in g}
    by_oxigraph = {(q.graph_name.value, *next(iter(graph_of([q])))) for q in ox.parse(path=file)}
    assert by_rdflib == by_oxigraph


def test_the_examples_show_every_term():
    used = {str(n) for f in EXAMPLES for q in ox.parse(path=f) for n in (getattr(q.predicate, "value", ""), getattr(q.object, "value", ""))}
    elsewhere = {"Actor", "KnowledgeGenerator", "nutsLevel", "succeeds"}  # in background.ttl; needs a third policy
    elsewhere |= {"urbanRuralType", "coastType", "mountainType"}  # of regions, which are no records
    elsewhere |= {"ofClass", "requiresOneOf", "inLanguage", "exempts"}  # of criteria, in lists/criterion.ttl
    assert {local(t) for t in TERMS if str(t) not in used} == elsewhere


def expand(definition) -> str:
    """The IRI of a context entry."""
    prefixed = definition if isinstance(definition, str) else definition["@id"]
    prefix, _, rest = prefixed.partition(":")
    return PREFIXES[prefix] + rest if prefix in PREFIXES else prefixed


def test_the_context_covers_every_term():
    covered = {expand(d): name for name, d in CONTEXT.items() if not name.startswith("@")}
    for term in TERMS:
        assert covered[str(term)] == local(term)
        entry = CONTEXT[local(term)]
        if (term, RDF.type, OWL.ObjectProperty) in kv:
            assert entry == {"@id": f"kv:{local(term)}", "@type": "@id"}


def test_the_context_covers_what_the_shapes_speak_of():
    path = URIRef("http://www.w3.org/ns/shacl#path")
    own_namespaces = (str(OWL), str(VANN), str(RDFS), str(RDF))  # of the vocabulary about itself, and rdf:type, which is "type"
    paths = {p for p in SHAPES_GRAPH.objects(None, path) if isinstance(p, URIRef) and not str(p).startswith(own_namespaces)}
    assert len(paths) > 50
    assert paths - {URIRef(expand(d)) for d in CONTEXT.values() if not isinstance(d, float)} == set()


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("parser", ["rdflib", "oxigraph"])
def test_json_ld_example_expands_to_the_stated_graph(parser):
    """Offline: the context is put where the document points to it."""
    document = json.loads((ONTOLOGY / "examples" / "practice.jsonld").read_text(encoding="utf-8"))
    assert document["@context"] == "../context.jsonld"
    text = json.dumps({**document, "@context": CONTEXT})
    if parser == "rdflib":
        expanded = set(Graph().parse(data=text, format="json-ld"))
    else:
        expanded = set(graph_of(ox.parse(text, format=ox.RdfFormat.JSON_LD)))
    stated = [q for q in ox.parse(path=ONTOLOGY / "examples" / "practice.trig") if q.graph_name.value.endswith("/stated-1")]
    assert expanded == set(graph_of(stated))


def test_the_prefixes_of_the_context_are_ours():
    prefixes = {name: iri for name, iri in CONTEXT.items() if isinstance(iri, str) and iri.endswith(("/", "#"))}
    assert prefixes == {name: PREFIXES[name] for name in prefixes}
    used = {(d if isinstance(d, str) else d["@id"]).split(":")[0] for n, d in CONTEXT.items() if not n.startswith("@") and n not in prefixes}
    assert used - {"@id", "@type", "@graph"} <= set(prefixes)
