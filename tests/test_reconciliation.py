"""Names and identifiers are found: well, carefully, and in any spelling."""

import csv
import io
import sys
import zipfile

import openpyxl
import pyoxigraph as ox
import pytest
from click.testing import CliRunner

from kvgraph import identifiers, tables
from kvgraph import open as open_graph
from kvgraph.cli import main
from kvgraph.errors import KvgraphError
from kvgraph.link.names import parse
from kvgraph.namespaces import KV, ORG, SKOS
from kvgraph.reconciliation import PROPERTIES, TYPES, NameIndex, NoNameIndex, Reconciler, UnknownProperty, UnknownType, build_names

from .bench.reconciliation import judge, noisy


@pytest.fixture(scope="module")
def graph(bundled_home):
    return open_graph(bundled_home)


def first(graph, name, **options):
    return graph.reconcile(name, **options)[0]


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "meant"), [
    ("University of Ljubljana", "actor/university-of-ljubljana"),
    ("Ljubljana, University of", "actor/university-of-ljubljana"),
    ("UNIVERSITY OF LJUBLJANA", "actor/university-of-ljubljana"),
    ("Univeristy of Ljubljana", "actor/university-of-ljubljana"),
    ("KU Leuven vzw", "actor/ku-leuven"),
    ("Slovénie", "country/SVN"),
    ("spin-offs and start-ups", "channel/spin-offs"),
    ("Council Recommendation (EU) 2022/2415 on the guiding principles for knowledge valorisation", "eli/reco/2022/2415/oj"),
    ("ES51", "region/ES51"),
    ("https://ror.org/0181xnw06", "actor/xunta-de-galicia"),
    ("practice/demola", "practice/demola"),
])  # fmt: skip
def test_a_name_that_is_sure_is_matched(graph, name, meant):
    found = graph.reconcile(name)
    assert (found[0].id, found[0].match) == (meant, True)
    assert [c.match for c in found].count(True) == 1
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)


@pytest.mark.parametrize(("name", "options"), [
    ("AIZ", {}),  # an acronym alone
    ("Demola", {}),  # a practice and an organisation
    ("University of Ljubljana", {"where": {"country": "Spain"}}),  # another place
    ("University of Ljubljana, Department of Physics", {}),  # a part of it
    ("University of Nowhere in Particular", {}),
])  # fmt: skip
def test_what_is_not_sure_is_not_matched(graph, name, options):
    assert not any(c.match for c in graph.reconcile(name, **options))


def test_every_type_of_thing_is_found(graph):
    index = graph.reconciler.index
    seen = {}
    for number in range(len(index)):
        seen.setdefault(index.thing(number).type, index.thing(number))
    assert len(seen) >= 24 and {"practice", "learning-example", "actor", "policy", "principle", "region", "country", "channel", "source", "tool-kind"} <= seen.keys()
    for name, thing in seen.items():
        assert thing.iri in [c.iri for c in graph.reconcile(thing.label()[0], type=name, limit=20)], name


def test_types_narrow_or_count(graph):
    assert first(graph, "Demola", type="practice").id == "practice/demola" and first(graph, "Demola", type="practice").match
    assert first(graph, "Demola", type="organisation").id == "actor/demola"
    assert {c.type for c in graph.reconcile("Demola", type=["practice", "actor"])} == {"practice", "actor"}
    assert {c.type for c in graph.reconcile("Demola", type=["actor", "organisation"], strict="all")} == {"actor"}
    both = graph.reconcile("Demola", type="practice", strict="should")
    assert both[0].id == "practice/demola" and {c.id: c.score for c in both}["actor/demola"] == 50.0


@pytest.mark.parametrize("country", ["Slovenia", "Slovinsko", "SVN", "SI", "country/SVN", "http://publications.europa.eu/resource/authority/country/SVN"])
def test_a_country_in_any_spelling(graph, country):
    found = first(graph, "University of Ljubljana", where={"country": country})
    assert found.match and found.features["country"] == 1.0
    assert first(graph, "University of Maribor", where={"country": "Austria"}).features["country"] == 0.0


def test_properties_tell_namesakes_apart(graph):
    assert first(graph, "", where={"identifier": "0181xnw06"}).id == "actor/xunta-de-galicia"
    assert first(graph, "KU Leuven", where={"region": "BE24"}).features["region"] == 1.0
    assert first(graph, "KU Leuven", where={"identifier": "https://ror.org/05f950310"}).features["identifier"] == 1.0
    assert first(graph, "KU Leuven", where={"place": "Louvain"}).features["place"] < 1
    assert first(graph, "KU Leuven", where={"country": ["France", "Belgium"]}).features["country"] == 1.0


@pytest.mark.parametrize("name", ["", " ", "!!!", "\ud800", "a" * 100_000, "=cmd|x", "\x00", "名前", "' OR 1=1", "Q" * 50])
def test_any_text_is_only_text(graph, name):
    assert isinstance(graph.reconcile(name), list) and isinstance(graph.resolve(name), list)


def test_mistakes_name_what_there_is(graph):
    with pytest.raises(UnknownType, match="acter") as error:
        graph.reconcile("x", type="acter")
    assert "Did you mean actor?" in error.value.hint
    with pytest.raises(UnknownProperty) as error:
        graph.reconcile("x", where={"contry": "x"})
    assert "country" in error.value.hint and "outcome" not in error.value.hint
    with pytest.raises(KvgraphError):
        graph.reconcile("x", strict="very")


def test_labels_come_in_the_readers_language(graph):
    assert (first(graph, "Spain", language="fr").name, first(graph, "Spain", language="fr").lang) == ("Espagne", "fr")
    assert first(graph, "KU Leuven", language="fr").description.endswith("Belgique")


def test_it_is_good_at_noisy_names(graph):
    """A sample; python -m tests.bench reconciliation gives all figures, which the guide quotes."""
    asked = [a for a in noisy(graph.backend.store, limit=60) if a.kind != "a word lost"]
    scores = judge(graph.reconciler, asked)
    assert scores["all"].asked > 250
    assert scores["all"].precision >= 0.99
    assert scores["all"].at_1 / scores["all"].meant >= 0.97 and scores["all"].at_5 / scores["all"].meant >= 0.99
    assert scores["unit added"].matched == 0
    assert scores["typing error"].matched / scores["typing error"].asked >= 0.5


# ── Identifiers ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("spelling", "meant"), [
    *((s, "actor/xunta-de-galicia") for s in ("https://ror.org/0181xnw06", "http://ror.org/0181XNW06/", "ror.org/0181xnw06", "0181xnw06", "ROR:0181xnw06", "ror 0181xnw06",
        "Q1779601", "wd:Q1779601", "http://www.wikidata.org/entity/Q1779601", "https://www.wikidata.org/wiki/Q1779601", "https://m.wikidata.org/wiki/Q1779601")),
    *((s, "region/ES51") for s in ("ES51", "es51", "nuts:ES51", "NUTS ES51", "region/ES51", "http://data.europa.eu/nuts/code/ES51", "https://data.europa.eu/nuts/code/ES51")),
    *((s, "country/ESP") for s in ("ESP", "ES", "country/ESP", "http://publications.europa.eu/resource/authority/country/ESP")),
    *((s, "eli/reco/2022/2415/oj") for s in ("32022H2415", "CELEX:32022H2415", "celex 32022h2415", "http://publications.europa.eu/resource/celex/32022H2415",
        "https://eur-lex.europa.eu/legal-content/EN/TXT/?uri=CELEX%3A32022H2415&qid=1", "http://data.europa.eu/eli/reco/2022/2415/oj",
        "https://data.europa.eu/eli/reco/2022/2415", "https://eur-lex.europa.eu/eli/reco/2022/2415/oj/eng", "eli/reco/2022/2415/oj", "reco/2022/2415/oj", "ELI:reco/2022/2415/oj")),
    *((s, "actor/aalborg-university") for s in ("0000 0001 0742 471X", "000000010742471x", "ISNI 0000 0001 0742 471X", "isni:000000010742471X", "http://www.isni.org/000000010742471X",
        "https://isni.org/isni/000000010742471X", "10.13039/501100002702", "doi:10.13039/501100002702", "http://dx.doi.org/10.13039/501100002702", "https://www.wikidata.org/wiki/q601956")),
    *((s, "country/GRC") for s in ("GRC", "EL", "GR", "country:GR")),
    *((s, "channel/spin-offs") for s in ("eurovoc:6755", "6755", "http://eurovoc.europa.eu/6755")),
    *((s, "practice/wtz-west") for s in ("http://wtz-west.at", "https://www.wtz-west.at/", "wtz-west.at", "http://wtz-west.at/en/")),
    *((s, "practice/2023-cluj-innovation-year") for s in ("KV0289", "kv0289", "practice/2023-cluj-innovation-year", "https://w3id.org/kvgraph/id/practice/2023-cluj-innovation-year")),
])  # fmt: skip
def test_an_identifier_in_any_usual_spelling(graph, spelling, meant):
    from kvgraph.reconciliation.candidates import short_id

    assert [short_id(found.thing.iri) for found in graph.resolve(spelling)] == [meant]


def test_an_identifier_that_nothing_has(graph):
    assert graph.resolve("https://ror.org/000000000") == graph.resolve("Q1") == graph.resolve("") == []


def test_readings_cover_kohesio_and_pic():
    assert "linkedopendata.eu/entity/q42" in identifiers.readings("Q42")
    assert identifiers.readings("https://kohesio.ec.europa.eu/en/beneficiaries/Q42")[0] == "linkedopendata.eu/entity/q42"
    assert identifiers.readings("PIC 999997930")[1:] == ["id:999997930", "id:pic 999997930"]


def test_a_release_without_the_index_says_what_to_do(tmp_path):
    with pytest.raises(NoNameIndex) as error:
        NameIndex(tmp_path)
    assert "kvgraph build" in error.value.hint


def test_the_index_of_nothing_is_empty(tmp_path):
    build_names(ox.Store(), tmp_path)
    index = NameIndex(tmp_path)
    assert len(index) == 0 and index.like(parse("x y z")) == [] and index.identified(["id:x"]) == {}


@pytest.mark.parametrize(("link", "matched"), [("exactMatch", True), ("closeMatch", False)])
def test_ours_is_taken_before_the_entry_of_a_register_that_it_certainly_is(graph, tmp_path, link, matched):
    """With ROR imported most of our actors are there twice. Where they are only perhaps the same, a person is asked."""
    ours, entry = "https://w3id.org/kvgraph/id/actor/mining-school", "https://ror.org/000000009"
    store = ox.Store()
    store.load(f"""PREFIX skos: <{SKOS}> <{ours}> a <{KV}Actor> ; skos:prefLabel "Mining School Leoben"@en ; skos:{link} <{entry}> .
        <{entry}> a <{ORG}Organization> ; skos:prefLabel "Mining School Leoben"@en .""".encode(), format=ox.RdfFormat.TURTLE)  # fmt: skip
    build_names(store, tmp_path)
    reconciler = Reconciler(NameIndex(tmp_path), graph.reconciler.facets)
    found = reconciler.reconcile("Mining School Leoben")
    assert [(c.iri, c.score, c.match) for c in found] == [(ours, 100.0, matched), (entry, 100.0, False)]
    first = reconciler.reconcile(entry)[0]  # by its identifier it is what certainly has it
    assert (first.iri, first.match) == (ours if matched else entry, True)
    assert [r.certain for r in reconciler.resolve(entry)] == [True, matched]


def test_types_and_properties_are_whole():
    assert all(not t.broader or t.broader in TYPES for t in TYPES.values())
    assert all(t in TYPES for p in PROPERTIES.values() for t in p.types)
    assert all(p.label and p.description for p in PROPERTIES.values())


# ── The command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def run(bundled_home, graph, monkeypatch, tmp_path):
    """Reconcile a table that holds this text; gives the outcome, and rows of what was printed."""
    monkeypatch.setattr("kvgraph.cli.reconciling.open_graph", lambda home: graph)

    def reconcile(text: str, *args: str, name: str = "table.csv", encoding: str = "utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        done = CliRunner().invoke(main, ["reconcile", str(path), *args])
        return done, list(csv.DictReader(io.StringIO(done.stdout)))

    return reconcile


def test_a_table_gets_columns(run):
    done, rows = run("Name;Land\nUniversity of Ljubljana;Slovenija\nzzz qqq;\n;\n", "--column", "name", "--type", "actor", "--property", "country=Land")
    assert done.exit_code == 0, done.stderr
    assert rows[0] == {"Name": "University of Ljubljana", "Land": "Slovenija", "id": "actor/university-of-ljubljana", "label": "University of Ljubljana", "type": "actor", "score": "100.0", "match": "yes"}
    assert rows[1]["id"] == "" and len(rows) == 2
    assert "2 names: 1 matched, 0 with candidates to look at, 1 with none." in done.stderr


def test_a_spreadsheet_in_and_out(run, tmp_path):
    book = openpyxl.Workbook()
    for row in (["id", "Organisation"], [7, "KU Leuven"], [8, "=SUM(1)"], [9, None]):
        book.active.append(row)
    book.active["B3"].data_type = "s"
    book.save(tmp_path / "in.xlsx")
    done = CliRunner().invoke(main, ["reconcile", str(tmp_path / "in.xlsx"), "-c", "Organisation", "-o", str(tmp_path / "out.xlsx")])
    assert done.exit_code == 0, done.stderr
    rows = list(openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows())
    assert [c.value for c in rows[0]] == ["id", "Organisation", "kvgraph_id", "label", "type", "score", "match"]
    assert [c.value for c in rows[1]] == ["7", "KU Leuven", "actor/ku-leuven", "KU Leuven", "actor", 100, "yes"]
    assert (rows[2][1].value, rows[2][1].data_type) == ("=SUM(1)", "s") and not list(tmp_path.glob(".*"))


def test_nothing_that_is_written_is_a_formula(run, tmp_path):
    run('Name,Note\nKU Leuven,"=HYPERLINK(""http://x"")"\n', "-c", "Name", "-o", str(tmp_path / "out.csv"))
    assert "'=HYPERLINK" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_recognised(run, encoding):
    done, rows = run("Name\nUniversität für Bodenkultur\n", "-c", "Name", encoding=encoding)
    assert rows[0]["Name"] == "Universität für Bodenkultur"


@pytest.mark.parametrize(("text", "args", "says"), [
    ("Name,Land\nx,y\n", ["-c", "Nam"], "Its columns are: Name, Land"),
    ("Name,Name\nx,y\n", ["-c", "Name"], "more than one column"),
    ("", ["-c", "Name"], "is empty"),
    ("Name\nx\n", ["-c", "Name", "--type", "acter"], "Did you mean actor?"),
    ("Name\nx\n", ["-c", "Name", "--property", "country"], "is no NAME=COLUMN"),
    ("Name\nx\n", ["-c", "Name", "--property", "colour=Name"], "There is no property 'colour'"),
    ('Name,Note\nKU Leuven,"open\nLund University,b\n', ["-c", "Name"], "line 2: a quotation mark has no partner"),
    ("Name,Note\nKU Leuven,a\nLund University,b,c\n", ["-c", "Name"], "Row 2 below the heading has 3 cells, and the heading has 2"),
    ("Name\nx\n", ["-c", "Name", "--encoding", "nope"], "There is no encoding 'nope'"),
    ("Name\nx\n", ["-c", "Name", "--encoding", "utf-16"], "--encoding"),
])  # fmt: skip
def test_mistakes_are_explained(run, text, args, says):
    done, _ = run(text, *args)
    assert done.exit_code in (1, 2) and says in done.stderr and "Traceback" not in done.stderr


def test_a_file_that_is_no_spreadsheet(run):
    done, _ = run("Name\n", "-c", "Name", name="table.xlsx")
    assert done.exit_code == 1 and "no spreadsheet" in done.stderr
    assert "Save it as XLSX or CSV" in run("Name\n", "-c", "Name", name="table.ods")[0].stderr


@pytest.mark.parametrize("harm", ["cut off", "a number that is none", "a sheet of charts"])
def test_a_spreadsheet_that_is_not_as_it_should_be(run, tmp_path, harm):
    book = openpyxl.Workbook()
    book.active.append(["Name"])
    book.active.append(["KU Leuven"])
    if harm == "a sheet of charts":
        book.create_chartsheet("charts", 0)
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "bad.xlsm", "w") as bad:
        for name in whole.namelist():
            content = whole.read(name)
            if name.endswith("sheet1.xml") and harm != "a sheet of charts":
                content = content[:-40] if harm == "cut off" else content.replace(b"</sheetData>", b'<row r="3"><c r="A3"><v>abc</v></c></row></sheetData>')
            bad.writestr(name, content)
    done = CliRunner().invoke(main, ["reconcile", str(tmp_path / "bad.xlsm"), "-c", "Name"])
    assert done.exit_code == 1 and "no spreadsheet that can be read" in done.stderr and "Traceback" not in done.output


def test_candidates_and_thresholds(run):
    _, rows = run("Name\nDemola\n", "-c", "Name", "--candidates", "2")
    assert [row["id"] for row in rows] == ["actor/demola", "practice/demola"]
    _, rows = run("Name\nDemola\n", "-c", "Name", "--only-matches")
    assert rows[0]["id"] == ""
    _, rows = run("Name\nDemola\n", "-c", "Name", "--where", "identifier=practice/demola", "--only-matches")
    assert rows[0]["id"] == "practice/demola"


def test_a_cell_is_made_safe():
    assert [tables.safe(cell) for cell in ("@x", "+1", "-x", 3.5)] == ["'@x", "+1", "'-x", 3.5]


def test_empty_lines_before_the_heading_do_not_decide_on_the_separator(tmp_path):
    (tmp_path / "names.csv").write_text("\n\nname;country\nKU Leuven;BEL\n")
    with tables.reading(tmp_path / "names.csv") as table:
        assert (table.columns, list(table)) == (["name", "country"], [["KU Leuven", "BEL"]])


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_table_that_cannot_be_written_is_a_message(tmp_path, suffix):
    with pytest.raises(KvgraphError, match="found.* cannot be written: No such file or directory"):
        with tables.writing(tmp_path / "none" / f"found{suffix}", sys.stdout, ["name"]):
            pass


def test_a_table_is_not_written_as_another_kind_of_file(tmp_path):
    with pytest.raises(KvgraphError, match="not written as .pdf") as refused, tables.writing(tmp_path / "found.pdf", sys.stdout, ["name"]):
        pass
    assert ".xlsx" in refused.value.hint and not list(tmp_path.iterdir())
