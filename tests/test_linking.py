"""Linking: names compared, evidence added up, decisions of people, contradictions, and what is written."""

import os
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest
from click.testing import CliRunner

from kvgraph.build.read import source_files
from kvgraph.cli import main
from kvgraph.errors import KvgraphError
from kvgraph.link import engines, explanation, identifiers, reading, run
from kvgraph.link.conflicts import conflicts, settled
from kvgraph.link.decide import Evidence
from kvgraph.link.mappings import CLOSE, CURATION, EXACT, LOGICAL, MODEL, Mapping, evidence_text, read_table, reviewed, table
from kvgraph.link.model import COMPARISONS, fitted
from kvgraph.link.names import parse, script
from kvgraph.link.organisations import Organisation, domain
from kvgraph.link.statements import LINKS, quads
from kvgraph.resources import folder
from kvgraph.sources.organisations import SCHEMA

ROR = "https://ror.org/0"
DAY = "2026-11-28"


def known(number: int, *names: str, short: str = "", country: str = "AUT", place: str = "", homepage: str = "", identifiers: tuple = ()) -> Organisation:
    return Organisation(f"{ROR}{number:08d}", names, (short,) if short else (), country, place, homepage, "", identifiers)


def actor(name: str, country: str = "AUT", place: str = "", **more) -> Organisation:
    return Organisation(f"https://w3id.org/kvgraph/id/actor/{parse(name).folded.replace(' ', '-')}", (name,), (), country, place, **more)


# Enough of them that some words are common and others telling.
REGISTER = [
    known(1, "Universität Wien", "University of Vienna", place="Vienna", homepage="https://www.univie.ac.at/"),
    known(2, "Medizinische Universität Wien", "Medical University of Vienna", place="Vienna"),
    known(3, "Technische Universität Wien", "TU Wien", place="Vienna"),
    known(4, "Montanuniversität Leoben", place="Leoben"),
    known(5, "Universität für Bodenkultur", "University of Natural Resources and Life Sciences", short="BOKU", place="Vienna"),
    known(6, "Centre national de la recherche scientifique", short="CNRS", country="FRA", place="Paris", identifiers=("http://www.wikidata.org/entity/Q280413",)),
    known(7, "Aristotle University of Thessaloniki", "Αριστοτέλειο Πανεπιστήμιο Θεσσαλονίκης", country="GRC", place="Thessaloniki"),
    known(8, "University of Ljubljana", "Univerza v Ljubljani", country="SVN", place="Ljubljana"),
    *(known(100 + n, f"{word} Institute of Research", place=place) for n, (word, place) in enumerate(
        [("Graz", "Graz"), ("Linz", "Linz"), ("Salzburg", "Salzburg"), ("Alpine", "Innsbruck"), ("Danube", "Krems"), ("Carinthian", "Klagenfurt")] * 5)),
]  # fmt: skip


@pytest.fixture(scope="module")
def links() -> dict[str, Mapping]:
    """What becomes of names that people may write, by name: the best link, linked once for all tests."""
    asked = [
        actor("University of Vienna", place="Vienna"), actor("Universitaet Wien", place="Wien"), actor("BOKU", place="Vienna"), actor("Univeristy of Ljubljana d.o.o.", "SVN"),
        actor("Πανεπιστήμιο Αριστοτέλειο Θεσσαλονίκης", "GRC"), actor("Leoben Montanuniversität GmbH", place="Leoben"), actor("University of Vienna", "FRA", "Paris"),
        actor("Bakery Müller", place="Vienna"),
    ]  # fmt: skip
    asked[6] = replace(asked[6], iri="https://w3id.org/kvgraph/id/actor/elsewhere")
    with engines.engine("duckdb") as made:
        found = run.match(asked, REGISTER, "ror", made, day=DAY)
    best: dict[str, Mapping] = {}
    for link in sorted(found, key=lambda link: -link.confidence):
        best.setdefault(link.subject_id.rpartition("/")[2], link)
    return best


@pytest.mark.parametrize("slug, number", [
    ("university-of-vienna", 1), ("univeristy-of-ljubljana-doo", 8), ("leoben-montanuniversitat-gmbh", 4), ("universitaet-wien", 1),
    ("panepistimio-aristoteleio-thessalonikis", 7),
])  # fmt: skip
def test_names_are_found(links, slug, number):
    assert links[slug].object_id == f"{ROR}{number:08d}"


def test_an_acronym_is_never_accepted_whatever_its_place(links):
    assert links["boku"].object_id == f"{ROR}{5:08d}"
    assert not links["boku"].accepted


def test_a_homepage_finds_what_shares_no_word():
    asked = [actor("Life Sciences Campus", homepage="boku.example/"), actor("Rector's Office", homepage="https://shared.example/")]
    register = [*REGISTER, known(50, "Universität für Bodenkultur Wien", homepage="https://www.boku.example"), known(51, "Clinic", homepage="shared.example"),
                known(52, "Archive", homepage="shared.example")]  # fmt: skip
    with engines.engine("duckdb") as made:
        found = run.match(asked, register, "ror", made, day=DAY)
    assert {(link.subject_id[-6:], link.object_id[-2:]) for link in found if link.accepted} <= {("campus", "50")}
    assert ("campus", "50") in {(link.subject_id[-6:], link.object_id[-2:]) for link in found}


def test_what_speaks_for_others_speaks_against_each():
    asked = [actor("Research Institute", place="")]
    with engines.engine("duckdb") as made:
        found = run.match(asked, REGISTER, "ror", made, day=DAY)
    assert not any(link.accepted for link in found)


def test_another_country_and_what_is_not_there_find_nothing(links):
    assert "elsewhere" not in links
    assert "bakery-muller" not in links or not links["bakery-muller"].accepted


def test_evidence_adds_up_to_the_confidence(links):
    link = links["university-of-vienna"]
    assert [line.feature for line in link.evidence][:2] == ["before", "name"]
    assert list(explanation.waterfall(link))[-1].after == pytest.approx(link.confidence, abs=0.002)
    shown = explanation.text(link)
    assert "same country" in shown and "│" in shown and f"confidence {link.confidence:.2%}" in shown


def test_the_same_input_gives_the_same_links():
    asked = [actor("University of Vienna", place="Vienna"), actor("Danube Institute")]
    answers = []
    for _ in range(2):
        with engines.engine("duckdb") as made:
            answers.append(run.match(asked, REGISTER, "ror", made, day=DAY))
    assert answers[0] == answers[1] != []


def test_identifiers_come_before_names():
    ours = [actor("Something else altogether", identifiers=(f"{ROR}{4:08d}",))]
    assert [(a, REGISTER[b].names[0], e.feature) for a, b, e in identifiers.by_identifier(ours, REGISTER)] == [(0, "Montanuniversität Leoben", "identifier")]


def test_two_of_ours_with_one_identifier_are_shown_as_a_contradiction(home):
    ours = [replace(actor(name), identifiers=(f"{ROR}{4:08d}",)) for name in ("Mining School", "Academy of Mines")]
    with engines.engine("duckdb") as made:
        linked = run.link(ours, run.sources(home, ["ror"]), made)
    assert [(link.object_id, link.accepted) for link in linked.links] == [(f"{ROR}{4:08d}", False)] * 2
    assert {conflict.link.subject_label for conflict in linked.conflicts} == {"Mining School", "Academy of Mines"}
    assert all("Another thing of ours is linked to the same entry" in link.comment for link in linked.links)


def test_a_homepage_in_common_needs_names_that_could_be_one():
    ours = [actor("Uni Wien", homepage="http://univie.ac.at"), actor("Bakery", homepage="http://www.univie.ac.at/")]
    assert [a for a, _, _ in identifiers.by_homepage(ours[:1], REGISTER)] == [0]
    assert list(identifiers.by_homepage(ours[1:], REGISTER)) == []
    assert list(identifiers.by_homepage(ours, REGISTER)) == [], "two of ours have it"


def test_what_others_say_of_their_own_entries_follows():
    link = Mapping("ours", "A", EXACT, f"{ROR}{6:08d}", "CNRS", MODEL, 0.99, object_source="ror")
    followed = list(identifiers.following([link, replace(link, predicate_id=CLOSE)], {o.iri: o.identifiers for o in REGISTER}, run.FOLLOWED))
    assert [(f.object_id, f.object_source, f.mapping_justification) for f in followed] == [("http://www.wikidata.org/entity/Q280413", "wikidata", LOGICAL)]


# ── Decisions and contradictions ─────────────────────────────────────────────────────────────────────────────────────


def a_link(ours: str = "a", theirs: int = 1) -> Mapping:
    evidence = evidence_text([Evidence("place", "same place", 2.0)])
    iri = f"https://w3id.org/kvgraph/id/actor/{ours}"
    return Mapping(iri, ours, EXACT, f"{ROR}{theirs:08d}", "B", MODEL, 0.97, object_source="ror", mapping_date=DAY, other=evidence)


def test_what_a_person_decided_wins():
    refused = replace(a_link(), predicate_modifier="Not")
    chosen = a_link("b", 3)
    found = run.decided([a_link(), a_link("b", 2), a_link("c", 4)], {refused.pair: refused, chosen.pair: chosen})
    assert [(link.subject_label, link.object_id[-1], link.accepted, link.mapping_justification) for link in found] == [
        ("a", "1", False, CURATION), ("b", "3", True, CURATION), ("c", "4", True, MODEL)]  # fmt: skip


def test_contradictions_are_found_and_no_longer_accepted():
    links = [a_link("a", 1), a_link("a", 2), a_link("b", 3), a_link("c", 3), a_link("d", 4)]
    countries = [replace(actor("d", "FRA"), iri=a_link("d").subject_id), known(4, "D", country="AUT")]
    found = list(conflicts(links, countries))
    assert {(c.link.subject_label, c.link.object_id[-1]) for c in found} == {("a", "1"), ("a", "2"), ("b", "3"), ("c", "3"), ("d", "4")}
    assert [link.accepted for link in settled(links, found)] == [False] * 5
    assert [link.comment != "" for link in settled(links, found)] == [True] * 5


def test_agreeing_links_are_no_conflict():
    assert list(conflicts([a_link("a", 1), a_link("b", 2), replace(a_link("a", 3), object_source="cordis")])) == []


# ── SSSOM and RDF ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_table_can_be_read_back(tmp_path):
    path = tmp_path / "links.tsv"
    links = [a_link(), replace(a_link("b", 2), subject_label="ü | x", comment="tabs\tand\nlines")]
    path.write_text(table(links, "Test", DAY), encoding="utf-8")
    back = list(read_table(path))
    assert back[0] == links[0]
    assert back[1].comment == "tabs and lines"
    assert path.read_text().startswith("#mapping_set_id: ")


@pytest.mark.parametrize("line, problem", [
    ("a\tskos:exactMatch\thttps://ror.org/0\tsemapv:X\t\t2026-11-28", "subject_id is no address"),
    ("nuts:ES51\towl:sameAs\thttps://ror.org/0\tsemapv:X\t\t2026-11-28", "predicate_id"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\tsemapv:X\t7\t2026-11-28", "confidence"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\tsemapv:X\thigh\t2026-11-28", "high"),
    ("nuts:ES51\tskos:exactMatch\tjavascript:alert(1)\tsemapv:X\t\t2026-11-28", "object_id is no address"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\tsemapv:X\t\tyesterday", "mapping_date"),
])  # fmt: skip
def test_a_bad_line_is_named(tmp_path, line, problem):
    path = tmp_path / "bad.tsv"
    path.write_text("# a comment\nsubject_id\tpredicate_id\tobject_id\tmapping_justification\tconfidence\tmapping_date\n" + line + "\n", encoding="utf-8")
    with pytest.raises(KvgraphError, match=problem) as error:
        list(read_table(path))
    assert error.value.message.startswith("bad.tsv:3: ")


def test_a_table_without_its_columns_is_refused(tmp_path):
    (tmp_path / "bad.tsv").write_text("one\ttwo\n1\t2\n", encoding="utf-8")
    with pytest.raises(KvgraphError, match="subject_id is missing"):
        list(read_table(tmp_path / "bad.tsv"))


def test_the_decisions_that_come_with_kvgraph_are_right():
    decided = reviewed(folder("data") / "links")
    assert len(decided) > 100
    assert {link.mapping_justification for link in decided.values()} == {CURATION}
    assert list(conflicts(list(decided.values()))) == []


def test_links_are_in_graphs_by_basis():
    found = list(quads([a_link(), replace(a_link("b", 2), mapping_justification=CURATION), replace(a_link("c", 3), predicate_modifier="Not", mapping_justification=CURATION)], DAY))
    links = [(q.subject.value[-1], q.graph_name.value.removeprefix(LINKS)) for q in found if q.predicate.value.endswith("exactMatch")]
    assert links == [("a", "/derived"), ("b", "/classified")]
    assert not any(isinstance(q.subject, ox.BlankNode) or isinstance(q.object, ox.BlankNode) for q in found)


def test_links_replace_the_old_ones_whole(tmp_path):
    run.write(tmp_path, run.Linked([a_link()]))
    target = run.write(tmp_path, run.Linked([a_link("b", 2)]))
    assert sorted(p.name for p in target.iterdir()) == ["links.sssom.tsv", "links.trig"]
    assert sorted(p.name for p in (tmp_path / "sources").iterdir()) == ["imports", "links"]  # the lock of all that writes there is among the imports
    store = ox.Store()
    store.load(path=target / "links.trig", format=ox.RdfFormat.TRIG)
    assert {q.object.value for q in store.quads_for_pattern(None, ox.NamedNode("http://www.w3.org/2004/02/skos/core#exactMatch"), None)} == {f"{ROR}{2:08d}"}


def test_who_is_killed_while_writing_links_leaves_the_old_ones_or_the_new_ones(tmp_path, monkeypatch):
    folder = run.write(tmp_path, run.Linked([a_link()]))

    def killed(source, target, rename=os.replace):
        if "previous" not in str(target):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        run.write(tmp_path, run.Linked([a_link("b", 2)]))
    monkeypatch.undo()
    assert not folder.exists()
    assert {"sources/links/links.trig"} < source_files(tmp_path).keys()
    assert [link.subject_id[-1] for link in read_table(folder / "links.sssom.tsv")] == ["a"]


# ── The model ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_model_knows_every_level_and_no_other():
    model = fitted()
    assert {c.name: {level.label for level in c.levels} for c in COMPARISONS} == {name: set(levels) for name, levels in model.levels.items()}
    assert all(0 < m < 1 and 0 < u <= 1 for levels in model.levels.values() for m, u in levels.values())


def test_what_agrees_more_says_more():
    levels = fitted().levels
    ratio = {name: {label: m / u for label, (m, u) in of.items()} for name, of in levels.items()}
    assert ratio["name"]["equal name"] > 50 * ratio["name"]["few words in a name"]
    assert ratio["place"]["same place, with few organisations"] > ratio["place"]["same place, with many organisations"] > ratio["place"]["another place"]


# ── Reading, and the command line ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path) -> Path:
    """A home with a small import of ROR."""
    import pyarrow as pa

    place = tmp_path / "sources" / "imports" / "ror"
    place.mkdir(parents=True)
    (place / "report.json").write_text("{}")
    rows = [
        {"iri": o.iri, "names": [{"value": n, "lang": "", "kind": "label"} for n in o.names] + [{"value": n, "lang": "", "kind": "acronym"} for n in o.short],
         "country": o.country, "place": o.place, "nuts": "", "homepage": o.homepage, "kind": "education", "identifiers": list(o.identifiers), "parents": []}
        for o in REGISTER
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), place / "organisations.parquet")
    return tmp_path


def test_an_import_gives_its_organisations(home):
    found = list(reading.of_import(home / "sources" / "imports" / "ror" / "organisations.parquet"))
    assert len(found) == len(REGISTER)
    assert found[4] == replace(REGISTER[4], kind="university")


def test_a_table_of_ones_own_is_linked(home, tmp_path):
    csv, into = tmp_path / "partners.csv", tmp_path / "partners.sssom.tsv"
    csv.write_text("\ufeffName;Country;City\nUniversity of Vienna;AT;Wien\nBOKU;AT;\n<b>Nobody</b>;;\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["link", "table", str(csv), "ror", "--home", str(home), "--output", str(into)])
    assert done.exit_code == 0, done.output
    assert "3 names: 1 accepted, 1 to review, 1 not found." in done.output
    assert [(m.subject_id[-6:], m.accepted) for m in map_lines(into)][0] == ("line:2", True)


def map_lines(path: Path) -> list[Mapping]:
    import csv

    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [Mapping(**{**row, "confidence": float(row["confidence"])}) for row in csv.DictReader(lines, delimiter="\t")]


def test_a_source_that_was_not_imported_is_named(home):
    done = CliRunner().invoke(main, ["link", "cordis", "--home", str(home)])
    assert done.exit_code == 1
    assert "No organisations of 'cordis' are here. There are: ror." in " ".join(done.output.split())


def test_a_table_without_names_says_what_it_needs(home, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    done = CliRunner().invoke(main, ["link", "table", str(tmp_path / "bad.csv"), "ror", "--home", str(home)])
    assert done.exit_code == 1 and 'Call it "name"' in " ".join(done.output.split())


def test_spark_says_how_to_get_it(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("pyspark"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(KvgraphError, match=r"kvgraph\[spark\]"), engines.engine("spark"):
        pass


def test_domains_and_scripts():
    assert domain("https://www.example.ac.uk/en/") == "example.ac.uk"
    assert script("Универзитет") == "cyrillic"
