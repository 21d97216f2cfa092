"""Each constraint in shapes/ has a case in tests/shapes/ that breaks it, and each case is reported exactly as its first lines say.

A case ``tests/shapes/<Shape>/invalid.<why>.ttl`` begins with one line per result:

    # expect: kvsh:Record-title MinCount Violation ex:untitled

(the constraint, the constraint component, the severity, the record; ``_:`` is any blank node). What the cases point to is in
background.ttl. Violations are exactly those expected; of Warnings and Infos a thin record has more than the case is about.
"""

from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
from rdflib import RDF, RDFS, SH, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.compare import isomorphic

from kvgraph.namespaces import DEF, PREFIXES, SHAPES
from kvgraph.resources import folder
from kvgraph.validate import graph_of, load_shapes, validate

KVSH = Namespace(SHAPES)
ROOT = Path(__file__).parent / "shapes"
CASES = sorted(ROOT.glob("*/*.ttl"))
VALID = [c for c in CASES if c.name.startswith("valid.")]
INVALID = [c for c in CASES if c.name.startswith("invalid.")]
BACKGROUND = list(ox.parse(path=ROOT / "background.ttl"))
SHAPES_GRAPH = load_shapes()


def name(case: Path) -> str:
    return f"{case.parent.name}/{case.stem}"


@cache
def expected(case: Path) -> frozenset[tuple[str, str, str, str]]:
    prefixes = {**PREFIXES, "ex": "http://example.org/", "kvsh": SHAPES}

    def full(prefixed: str) -> str:
        prefix, local = prefixed.split(":", 1)
        return prefixes[prefix] + local if prefix != "_" else "_:"

    lines = [line.split()[2:] for line in case.read_text().splitlines() if line.startswith("# expect: ")]
    return frozenset((full(shape), component, severity, full(focus)) for shape, component, severity, focus in lines)


@cache
def report(case: Path):
    return validate([*BACKGROUND, *ox.parse(path=case)], SHAPES_GRAPH)


def found(case: Path) -> set[tuple[str, str, str, str]]:
    short = str(SH), "ConstraintComponent"
    return {
        (r.shape, r.component.removeprefix(short[0]).removesuffix(short[1]), r.severity, r.focus if ":" in r.focus else "_:")
        for r in report(case).results
    }


def test_all_cases_are_collected():
    assert (len(VALID), len(INVALID)) == (22, 141)


def test_each_folder_is_named_after_a_shape():
    assert [c for c in CASES if (KVSH[c.parent.name], RDF.type, SH.NodeShape) not in SHAPES_GRAPH] == []


def test_the_background_is_right():
    assert validate(BACKGROUND, SHAPES_GRAPH).results == ()


@pytest.mark.parametrize("case", VALID, ids=name)
def test_valid(case):
    assert expected(case) == frozenset()
    assert report(case).violations == []
    if case.stem == "valid.full":
        assert report(case).results == ()


@pytest.mark.parametrize("case", INVALID, ids=name)
def test_invalid(case):
    assert expected(case), "say with # expect: what is wrong"
    assert {r for r in found(case) if r[2] == "Violation"} == {r for r in expected(case) if r[2] == "Violation"}
    assert expected(case) <= found(case)


PARAMETERS = {
    SH.minCount: "MinCount", SH.maxCount: "MaxCount", SH.datatype: "Datatype", SH.nodeKind: "NodeKind", SH["class"]: "Class",
    SH.pattern: "Pattern", SH.minLength: "MinLength", SH.maxLength: "MaxLength", SH.uniqueLang: "UniqueLang", SH.languageIn: "LanguageIn",
    SH["in"]: "In", SH.hasValue: "HasValue", SH.equals: "Equals", SH.disjoint: "Disjoint", SH["or"]: "Or",
    SH.qualifiedMinCount: "QualifiedMinCount", SH.qualifiedMaxCount: "QualifiedMaxCount", SH.closed: "Closed",
}  # fmt: skip
# Parameters of one of the above, and what is no constraint.
OTHERS = {
    SH.qualifiedValueShape, SH.ignoredProperties, SH.property, SH.sparql, SH.path, SH.name, SH.description, SH.order, SH.group,
    SH.severity, SH.message, SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, RDF.type, RDFS.label,
}  # fmt: skip
# These are never the source of a result: kvsh:Record-startDate and others ask them with sh:or.
ASKED_BY_OTHERS = {KVSH.Year, KVSH.YearMonth, KVSH.Day}


def named_shapes() -> list[URIRef]:
    kinds = (SH.NodeShape, SH.PropertyShape)
    shapes = {s for kind in kinds for s in SHAPES_GRAPH.subjects(RDF.type, kind) if isinstance(s, URIRef)}
    return sorted(shapes - ASKED_BY_OTHERS)


def test_each_constraint_has_a_case_that_breaks_it():
    declared = {(str(s), PARAMETERS[p]) for s in named_shapes() for p in SHAPES_GRAPH.predicates(s) if p in PARAMETERS}
    declared |= {(str(s), "SPARQL") for s in SHAPES_GRAPH.objects(None, SH.sparql)}
    broken = {(shape, component) for case in INVALID for shape, component, _, _ in expected(case)}
    assert len(declared) > 250
    assert declared - broken == set()
    assert broken - declared == set()


def test_no_parameter_of_a_shape_is_overlooked():
    used = {p for s in named_shapes() for p in SHAPES_GRAPH.predicates(s)}
    assert used - set(PARAMETERS) - OTHERS == set()


def test_each_property_shape_can_be_shown_in_a_form():
    shapes = [s for s in named_shapes() if (s, RDF.type, SH.PropertyShape) in SHAPES_GRAPH]
    assert len(shapes) > 100
    for shape in shapes:
        for needed in (SH.name, SH.description, SH.order, SH.group, SH.message, SH.severity):
            assert len(list(SHAPES_GRAPH.objects(shape, needed))) == 1, (shape, needed)
        assert (SHAPES_GRAPH.value(shape, SH.group), RDF.type, SH.PropertyGroup) in SHAPES_GRAPH
        hangs_on = list(SHAPES_GRAPH.subjects(SH.property, shape))
        assert hangs_on, f"{shape} is used by no node shape"


def test_each_rule_has_a_message_and_a_severity():
    rules = [s for s in named_shapes() if any((s, p, None) in SHAPES_GRAPH for p in PARAMETERS)]
    for rule in rules:
        message = SHAPES_GRAPH.value(rule, SH.message)
        assert message.language == "en" and message.endswith("."), rule
        assert SHAPES_GRAPH.value(rule, SH.severity) in (SH.Violation, SH.Warning, SH.Info)
    for constraint in SHAPES_GRAPH.objects(None, SH.sparql):
        assert SHAPES_GRAPH.value(constraint, SH.message).endswith(".")
        carrier = SHAPES_GRAPH.value(None, SH.sparql, constraint)
        assert SHAPES_GRAPH.value(carrier, SH.severity) == (SH.Warning if carrier == KVSH.AgreeingMapping else SH.Violation)  # a link may be doubted


def test_messages_of_sparql_constraints_name_the_values():
    (result,) = [r for r in report(ROOT / "EndedRecord" / "invalid.end-before-start.ttl").violations if r.focus.endswith("/years")]
    assert result.message == "This ends (2013) before it starts (2014): correct one of the two."


def test_the_shapes_are_shacl():
    _, _, text = pyshacl.validate(Graph(), shacl_graph=SHAPES_GRAPH, meta_shacl=True)
    assert "Conforms: True" in text


def test_codes_in_shapes_are_those_of_the_lists():
    lists = {}
    for file in (folder("ontology") / "lists").glob("*.ttl"):
        g = Graph().parse(file)
        scheme = URIRef(DEF + file.stem)
        lists[file.stem] = set(g.objects(scheme, URIRef(PREFIXES["skos"] + "hasTopConcept")))
    seen = set()
    for shape, codes in SHAPES_GRAPH.subject_objects(SH["in"]):
        codes = set(Collection(SHAPES_GRAPH, codes))
        if shape in (KVSH["Region-nutsLevel"], KVSH["KnowledgeGenerator-kind"], KVSH["Mapping-predicate"]):  # numbers; two kinds of one list on purpose; SKOS
            continue
        (of,) = [name for name, concepts in lists.items() if concepts & codes]
        assert codes == lists[of], shape
        seen.add(of)
    assert seen == set(lists) - {"criterion"}  # which no record points to


def test_sparql_constraints_mean_the_same_to_oxigraph():
    """``$this`` is put into the text where pyshacl binds it; the records found are the same, case by case."""
    constraints = {s: str(SHAPES_GRAPH.value(s, SH.select)) for s in SHAPES_GRAPH.objects(None, SH.sparql)}
    prefixes = "".join(f"PREFIX {p}: <{iri}>\n" for p, iri in {**PREFIXES, "role": "https://w3id.org/kvgraph/id/role/"}.items())
    compared = 0
    for case in CASES:
        store = ox.Store()
        store.extend(ox.Quad(t.subject, t.predicate, t.object) for t in [*BACKGROUND, *ox.parse(path=case)])
        subjects = {q.subject for q in store if isinstance(q.subject, ox.NamedNode)}
        for constraint, text in constraints.items():
            by_oxigraph = set()
            for subject in subjects:
                bound = text.replace("DISTINCT ", "").replace("SELECT $this", "SELECT").replace("$this", str(subject))
                by_oxigraph |= {(subject.value, str(row["value"])) for row in store.query(prefixes + bound)}
            by_pyshacl = {(r.focus, r.value) for r in report(case).results if r.shape == str(constraint)}
            assert by_oxigraph == by_pyshacl, (case, constraint)
            compared += len(by_pyshacl)
    assert compared > 10


def test_batching_changes_no_result():
    """validate() moves targets onto property shapes to be quick; pyshacl alone says the same about all cases thrown together."""
    everything = graph_of([*BACKGROUND, *(t for case in CASES for t in ox.parse(path=case))])
    quick = {(r.focus, r.shape, r.component, r.severity) for r in validate(everything, SHAPES_GRAPH).results}
    _, slow, _ = pyshacl.validate(everything, shacl_graph=SHAPES_GRAPH)
    plain = set()
    for result in slow.objects(None, SH.result):
        rule = slow.value(result, SH.sourceConstraint)
        source = rule if isinstance(rule, URIRef) else slow.value(result, SH.sourceShape)
        severity = str(slow.value(result, SH.resultSeverity)).removeprefix(str(SH))
        plain.add((str(slow.value(result, SH.focusNode)), str(source), str(slow.value(result, SH.sourceConstraintComponent)), severity))
    assert len(plain) > 500
    assert quick == plain


@pytest.mark.parametrize("file", sorted(folder("shapes").glob("*.ttl")), ids=lambda f: f.stem)
def test_shapes_parse_alike(file):
    assert isomorphic(Graph().parse(file), graph_of(ox.parse(path=file)))


def test_nothing_in_the_shapes_is_anonymous_that_a_report_would_name():
    for shape in set(SHAPES_GRAPH.subjects(SH.severity)) | set(SHAPES_GRAPH.objects(None, SH.sparql)):
        assert not isinstance(shape, BNode)
    assert (None, SH.deactivated, Literal(True)) not in SHAPES_GRAPH
