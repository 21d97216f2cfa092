"""Importers: files that are not quite as published, and those that are, with all that publishers put in. What cannot be taken is named, and nothing else is lost with it."""

import io
import json
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import openpyxl
import pytest

from kvgraph.errors import KvgraphError
from kvgraph.namespaces import DCTERMS, EURIO, FOAF, KV, RDF, RDFS, SCHEMA, SKOS
from kvgraph.sources import importing, source
from kvgraph.sources.imported import imports, only_importer
from kvgraph.sources.raw import UnreadableFile

from .serving import until
from .test_sources import A_ROW, PARTS, PROJECTS, ROR, imported, organisations, reasons, values, write, zipped

LIVLAB, OTHER = "https://cordis.europa.eu/project/id/101000001", "https://cordis.europa.eu/project/id/101000002"
ITEM, ENTITY = "http://www.wikidata.org/entity/", "https://linkedopendata.eu/entity/"
RDFXML = f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF xmlns:rdf="{RDF}" xmlns:skos="{SKOS}">\n'


def noted(report):
    return [note["reason"] for note in report["notes"]]


def another(**changed):
    """A record of ROR beside the one there is."""
    return {**ROR, "id": "https://ror.org/000000009", "relationships": [], **changed}


def named(*labels):
    return [{"value": label, "types": ["ror_display" if n == 0 else "alias"], "lang": "en"} for n, label in enumerate(labels)]


# ── Packages as they are published ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_package_of_cordis_has_tables_that_are_not_read(tmp_path):
    """Those of 2022 to 2026 have two tables and an archive more than the import reads."""
    package = zipped(
        project_csv=PROJECTS, webItem_csv="language;availableLanguages;uri;title\nen;en;x;y\n", policyPriorities_csv="projectID;ai\n1;2\n",
        **{"information.zip": "PK", "__MACOSX__._project_csv": "\0\5"},
    )  # fmt: skip
    report, _ = imported(tmp_path, "cordis", write(tmp_path, "cordis-HORIZONprojects-csv.zip", package), strict=True)
    assert (report["taken"], report["set_aside"]) == (1, 0)


def test_a_table_of_a_package_that_nobody_knows_is_set_aside_and_one_without_its_columns_refused(tmp_path):
    report, _ = imported(tmp_path, "cordis", write(tmp_path, "c.zip", zipped(project_csv=PROJECTS, new_csv="a;b\n1;2\n")))
    assert report["taken"] == 1 and reasons(report) == [(None, "is none of the tables of CORDIS that are known here")]
    with pytest.raises(UnreadableFile, match="organization.csv is none of the tables of CORDIS: it has no column organisationID, role"):
        importing.run(tmp_path, source("cordis"), [write(tmp_path, "d.zip", zipped(project_csv=PROJECTS, organization_csv="projectID;name\n1;A\n"))])


def test_a_dump_of_ror_has_everything_in_two_schemas(tmp_path):
    with zipfile.ZipFile(tmp_path / "v1.60-2025-01-01-ror-data.zip", "w") as archive:
        archive.writestr("v1.60-2025-01-01-ror-data.json", json.dumps([{"id": ROR["id"], "name": "KU Leuven", "status": "active"}]))
        archive.writestr("v1.60-2025-01-01-ror-data_schema_v2.json", json.dumps([ROR]))
    report, _ = imported(tmp_path, "ror", tmp_path / "v1.60-2025-01-01-ror-data.zip", strict=True)
    assert (report["read"], report["taken"]) == (1, 1)


# ── One thing is wrong, and only that is lost ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("list_", ["links", "locations", "external_ids", "relationships", "types", "admin", "established"])
def test_a_record_of_ror_may_say_nothing(tmp_path, list_):
    assert imported(tmp_path, "ror", write(tmp_path, "ror.json", json.dumps([another(**{list_: None})])), strict=True)[0]["taken"] == 1


@pytest.mark.parametrize(
    "changed, note",
    [
        ({"names": named("Institute", "<b onclick=x>Other")}, "name contains HTML"),
        ({"established": "long ago"}, "established is no year: 'long ago'"),
        ({"established": 1e400}, "established is no year"),
        ({"links": [{"type": "website", "value": "javascript:alert(1)"}]}, "homepage is no web address"),
    ],
)
def test_what_an_organisation_can_do_without_is_left_out(tmp_path, changed, note):
    report, _ = imported(tmp_path, "ror", write(tmp_path, "ror.json", json.dumps([another(**changed)])))
    assert report["taken"] == 1 and note in noted(report)[0]


def test_an_organisation_is_one_however_many_files_have_it(tmp_path):
    report, _ = imported(tmp_path, "ror", *(write(tmp_path, name, json.dumps([ROR])) for name in ("a.json", "b.json")))
    assert (report["taken"], report["set_aside"]) == (1, 1) and len(organisations(tmp_path, "ror")) == 1


@pytest.mark.parametrize("changed", [
    {"links": [None]}, {"links": [{"type": "website", "value": 5}]}, {"locations": "Leuven"}, {"locations": [{"geonames_details": [1]}]}, {"external_ids": [{"type": "grid"}]},
    {"types": "education"}, {"types": [None]}, {"admin": {"last_modified": {"date": "lately"}}}, {"names": [{"value": "A", "types": None, "lang": 5}]},
    {"relationships": {"a": 1}},
])  # fmt: skip
def test_a_record_of_ror_is_taken_without_the_members_that_are_of_another_kind(tmp_path, changed):
    report, store = imported(tmp_path, "ror", write(tmp_path, "ror.json", json.dumps([another(**changed)])))
    assert (report["taken"], report["set_aside"]) == (1, 0)
    assert not {"e", "d"} & set(values(store, "https://ror.org/000000009", DCTERMS + "type"))


def test_names_turn_nothing_around(tmp_path):
    report, store = imported(tmp_path, "ror", write(tmp_path, "ror.json", json.dumps([another(names=named("\u202eKU\u200b Leuven\ufeff"))])))
    assert values(store, "https://ror.org/000000009", SKOS + "prefLabel") == ["KU Leuven"]


def test_a_dump_of_ror_in_the_first_schema_only_says_so(tmp_path):
    file = write(tmp_path, "v1.40-ror-data.json", json.dumps([{"id": ROR["id"], "name": "KU Leuven", "status": "active"}]))
    with pytest.raises(UnreadableFile, match="schema 1.*schema_v2"):
        importing.run(tmp_path, source("ror"), [file])


def test_half_characters_and_long_numbers_of_json(tmp_path):
    halves = json.dumps([another(names=named("Institute \ud800 of Water"))])
    _, store = imported(tmp_path, "ror", write(tmp_path, "ror.json", halves))
    assert values(store, another()["id"], SKOS + "prefLabel") == ["Institute of Water"]
    with pytest.raises(UnreadableFile, match="record 1 has a number that is too long"):
        importing.run(tmp_path, source("ror"), [write(tmp_path, "ror.json", json.dumps([ROR]).replace("1425", "1" * 5_000))])
    with pytest.raises(UnreadableFile, match="goes on after the end of its list"):
        importing.run(tmp_path, source("ror"), [write(tmp_path, "ror.json", json.dumps([ROR]) + json.dumps([ROR]))])


def test_a_project_that_is_set_aside_takes_nothing_with_it_and_nothing_refers_to_it(tmp_path):
    late = "101000002;;SIGNED;Ends first;2025-01-01;2024-01-01;;;;;HORIZON;;;\n"
    part = "101000002;999991334;;KATHOLIEKE UNIVERSITEIT LEUVEN;KU Leuven;HES;Leuven;BE;BE242;;1;coordinator;1\n"
    package = zipped(project_csv=PROJECTS + late, organization_csv=PARTS.partition("\n")[0] + "\n" + part)
    report, store = imported(tmp_path, "cordis", write(tmp_path, "c.zip", package))
    assert [reason for _, reason in reasons(report)] == ["ends on 2024-01-01, before it begins on 2025-01-01", "project 101000002 is not among the projects"]
    assert values(store, OTHER, EURIO + "hasInvolvedParty") == []
    reduced = "project_id;topic;topic_title;title;legal_basis;euroscivoc_notations\n1;T-1;Water;A;;none\n2;T-1;Water;B;;\n"
    report, store = imported(tmp_path, "cordis", write(tmp_path, "topics.csv", reduced))
    assert report["taken"] == 1 and values(store, "https://cordis.europa.eu/programme/id/HORIZON_T-1", SKOS + "prefLabel") == ["Water"]


def test_a_project_without_its_abstract_is_still_one(tmp_path):
    row = "101000002;=X(1);SIGNED;Tunnels;;;;;;;HORIZON;;<p>where T<Tc</p>;\n"
    report, store = imported(tmp_path, "cordis", write(tmp_path, "project.csv", PROJECTS + row))
    assert report["set_aside"] == 0 and [note.partition(":")[0] for note in noted(report)] == ["acronym looks like a formula of a spreadsheet", "objective contains HTML"]
    assert values(store, OTHER, RDFS + "label") == ["Tunnels"] and values(store, OTHER, EURIO + "abstract") == []


def test_numbers_are_those_of_the_western_digits(tmp_path):
    """Digits of other scripts are no numbers of XML Schema, and ² is none at all."""
    report, store = imported(tmp_path, "cordis", write(tmp_path, "project.csv", PROJECTS + "101000002;;SIGNED;A;;;٣٤;;;;HORIZON;;;\n１０１;;SIGNED;B;;;;;;;HORIZON;;;\n"))
    assert noted(report) == ["total-cost is no number: '٣٤'"] and reasons(report) == [(5, "'１０１' is no number of a project")]
    package = zipped(project_csv=PROJECTS, organization_csv=PARTS.replace(";1;coordinator", ";²;coordinator"))
    assert imported(tmp_path, "cordis", write(tmp_path, "c.zip", package))[0]["taken"] == 3


def test_of_kohesio_a_project_is_taken_without_a_beneficiary_who_is_withheld(tmp_path):
    projects = (
        "Operation_Unique_Identifier,Operation_Name_English,Beneficiary_Unique_Identifier,Beneficiary_Name,CountryCode\n"
        f"{ENTITY}Q1,Sewers,{ENTITY}Q2,***,SE\n{ENTITY}Q3,Bridges,{ENTITY}Q4,Firma,SE\n"
    )
    beneficiaries = f"Beneficiary_Unique_Identifier,Beneficiary_Name,CountryCode,Beneficiary_Website\n{ENTITY}Q4,Firma,SE,www.firma.example.org\n"
    report, store = imported(tmp_path, "kohesio", write(tmp_path, "a.csv", projects), write(tmp_path, "b.csv", beneficiaries))
    assert report["set_aside"] == 0 and noted(report) == ["the name of the beneficiary is withheld"]
    assert values(store, f"{ENTITY}Q1", RDFS + "label") == ["Sewers"] and values(store, f"{ENTITY}Q4", FOAF + "homepage") == ["http://www.firma.example.org"]


def claims(*of, property_="P856"):
    return {property_: [{"rank": rank, "mainsnak": {"snaktype": "value" if value else "novalue", **({"datavalue": {"value": value}} if value else {})}} for rank, value in of]}


def test_of_the_values_of_wikidata_the_preferred_count(tmp_path):
    homepages = claims(("normal", "http://old.example.org"), ("preferred", "http://new.example.org"), ("deprecated", "http://wrong.example.org"), ("normal", None))
    _, store = imported(tmp_path, "wikidata", write(tmp_path, "w.json", json.dumps([{"id": "Q1", "labels": {"en": {"value": "Institute"}}, "claims": homepages}])))
    assert values(store, ITEM + "Q1", FOAF + "homepage") == ["http://new.example.org"]


@pytest.mark.parametrize("form", ["document", "array", "lines"])
def test_entities_that_are_none_are_set_aside_in_every_form(tmp_path, form):
    good = {"id": "Q1", "labels": {"en": {"value": "Institute"}, "fr": {"value": "<i onclick=x>"}}}
    odd = [{"id": "Q2", "labels": {"en": "Institute"}}, {"id": "Q5", "labels": {"en": {"value": 5}}}, {"id": "Q3", "labels": good["labels"], "claims": {"P31": [None]}}]
    content = {
        "document": "\ufeff" + json.dumps({"entities": {"Q1": good, "Q2": odd[0], "Q5": odd[1], "Q3": odd[2], "Q4": 5}}),
        "array": json.dumps([good, *odd, 5]), "lines": "\n".join(map(json.dumps, [good, *odd, 5])),
    }[form]  # fmt: skip
    report, _ = imported(tmp_path, "wikidata", write(tmp_path, "w.json", content))
    assert (report["taken"], report["set_aside"], report["left_out"]) == (1, 4, 1)


def test_a_region_that_is_no_feature_is_set_aside(tmp_path):
    region = {"properties": {"NUTS_ID": "BE2", "CNTR_CODE": "BE", "NAME_LATN": "Vlaams Gewest", "NUTS_NAME": "Flandre"}, "geometry": None}
    content = json.dumps({"features": [region, {"properties": "BE3", "geometry": [1]}]})
    assert reasons(imported(tmp_path, "nuts", write(tmp_path, "n.geojson", content))[0]) == [(2, "record 2 is no feature of GeoJSON")]


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["last", "before another with quotation marks"])
def test_a_quotation_mark_without_its_pair_costs_its_own_row_only(tmp_path, where):
    quoted = A_ROW.format('say "water" twice').replace("101000002", "101000004") if where != "last" else ""
    broken = A_ROW.format('"open').replace("101000002", "101000005")
    report, store = imported(tmp_path, "cordis", write(tmp_path, "project.csv", PROJECTS + broken + A_ROW.format("Another") + quoted))
    assert [line for line, _ in reasons(report)] == [4] and "a quotation mark may be missing" in reasons(report)[0][1]
    assert report["taken"] == (2 if where == "last" else 3) and values(store, OTHER, RDFS + "label") == ["Another"]


def test_a_table_whose_every_line_opens_a_row_is_not_read_once_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr("kvgraph.sources.tables.MOST_TWICE", 10_000)
    with pytest.raises(UnreadableFile, match="too many quotation marks are missing their pair"):
        importing.run(tmp_path, source("cordis"), [write(tmp_path, "project.csv", PROJECTS + 'x";"y\n' * 1_000)])
    monkeypatch.setattr("kvgraph.sources.tables.LONGEST_ROW", 400)
    report, _ = imported(tmp_path, "cordis", write(tmp_path, "project.csv", PROJECTS + 'x";"y\n' * 20 + A_ROW.format("Another")))
    assert report["taken"] == 2 and report["set_aside"] == 20


def test_encodings_can_be_said_whatever_they_are(tmp_path):
    text = PROJECTS[1:] + A_ROW.format("Università")
    for encoding, content in (("utf-16-le", text.encode("utf-16-le")), ("utf-16-be", f"\ufeff{text}".encode("utf-16-be")), ("utf-8", PROJECTS.encode()), (None, text.encode("utf-32")), ("utf-16", text.encode("utf-16"))):
        assert imported(tmp_path, "cordis", write(tmp_path, "project.csv", content), encoding=encoding)[0]["set_aside"] == 0
    for encoding in ("klingon", "base64", "a\0b"):
        with pytest.raises(UnreadableFile, match="There is no encoding"):
            importing.run(tmp_path, source("cordis"), [write(tmp_path, "project.csv", text)], importing.Options(encoding=encoding))


def practices(path, *rows, heading=("title", "country", "partners")):
    book = openpyxl.Workbook()
    for row in (heading, *rows):
        book.active.append(row)
    book.save(path)
    return path


def test_cells_of_a_spreadsheet_that_could_not_be_calculated(tmp_path):
    report, _ = imported(tmp_path, "table", practices(tmp_path / "mine.xlsm", ["#N/A", "ES"], ["Fund", "ES"]))
    assert report["taken"] == 1 and reasons(report) == [(2, "has a cell that could not be calculated: '#N/A'")]


def test_columns_of_ones_own_table_that_mean_nothing_are_named(tmp_path):
    report, _ = imported(tmp_path, "table", practices(tmp_path / "mine.xlsx", ["Fund", "ES", "x"], ["Office", "ES", "y"], heading=("title", "country", "homepge")))
    assert noted(report) == ["column 'homepge' is none of the template"]


def test_an_organisation_of_a_row_that_is_set_aside_is_described_by_the_next(tmp_path):
    first, second = (practices(tmp_path / f"{n}.xlsx", *rows) for n, rows in enumerate(([["Fund", "ES", "New Firm | <b x>"], ["Fund", "ES", "New Firm"]], [["Fund", "FR", ""]])))
    report, store = imported(tmp_path, "table", first, second)
    assert (report["taken"], report["set_aside"]) == (1, 2) and "is in line 3 already" in reasons(report)[1][1]
    assert values(store, "https://w3id.org/kvgraph/id/actor/table-new-firm", SKOS + "prefLabel") == ["New Firm"]
    assert len(values(store, "https://w3id.org/kvgraph/id/practice/table-fund", KV + "country")) == 1


@pytest.mark.parametrize("name", ["mine.xls", "mine.ods", "mine.pdf"])
def test_what_is_no_table_says_how_to_save_it(tmp_path, name):
    with pytest.raises(UnreadableFile, match="Save it as .xlsx or as CSV"):
        importing.run(tmp_path, source("table"), [write(tmp_path, name, b"\xd0\xcf\x11\xe0")])


# ── Concepts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def concept(number, label, lang="en"):
    return f'<skos:Concept rdf:about="http://eurovoc.europa.eu/{number}"><skos:prefLabel xml:lang="{lang}">{label}</skos:prefLabel></skos:Concept>\n'


def test_a_list_of_others_says_nothing_of_what_is_ours(tmp_path):
    turtle = f"""PREFIX skos: <{SKOS}> PREFIX owl: <http://www.w3.org/2002/07/owl#>
        <http://eurovoc.europa.eu/1> a skos:Concept ; skos:prefLabel "one"@en . <http://eurovoc.europa.eu/2> a skos:Concept ; skos:prefLabel "two"@en ; owl:deprecated 1 .
        <https://w3id.org/kvgraph/id/actor/ku-leuven> a skos:Concept ; skos:prefLabel "Mine"@en . <javascript:alert> a skos:Concept ; skos:prefLabel "Click"@en ."""
    report, _ = imported(tmp_path, "eurovoc", write(tmp_path, "eurovoc.ttl", turtle))
    assert (report["taken"], report["set_aside"]) == (1, 3)


@pytest.mark.parametrize("missing", ["</rdf:RDF>", "</skos:Concept>\n</rdf:RDF>"])
def test_rdf_that_is_cut_off_between_two_elements_is_refused(tmp_path, missing):
    whole = RDFXML + concept(1, "law") + concept(2, "water") + "</rdf:RDF>"
    with pytest.raises(UnreadableFile, match=r"e.rdf:5: no element found. It may be cut off"):
        importing.run(tmp_path, source("eurovoc"), [write(tmp_path, "e.rdf", whole.removesuffix(missing) + "\n" * (missing.count("\n") == 1))])
    assert imports(tmp_path) == {}


def test_languages_that_there_are_not_cost_their_label_only(tmp_path):
    rdf = RDFXML + concept(1, "law") + concept(2, "water", "") + concept(3, "sun", "en_GB") + concept(4, "&lt;script&gt;") + "</rdf:RDF>"
    report, store = imported(tmp_path, "eurovoc", write(tmp_path, "e.rdf", rdf))
    assert report["taken"] == 2 and values(store, "http://eurovoc.europa.eu/2", SKOS + "prefLabel") == ["water"]
    (tag, html) = (reason for _, reason in reasons(report))
    assert "is in no language that there is: 'en_gb'" in tag and "has no label that can be taken: label contains HTML" in html


@pytest.mark.parametrize("encoding", ["klingon", "shift_jis"])
def test_rdf_in_an_encoding_that_cannot_be_read_is_refused(tmp_path, encoding):
    with pytest.raises(UnreadableFile, match="in an encoding that is not taken"):
        importing.run(tmp_path, source("eurovoc"), [write(tmp_path, "e.rdf", RDFXML.replace("UTF-8", encoding) + "</rdf:RDF>")])


def test_elements_in_one_another_without_end_are_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="nested more than 100 deep"):
        importing.run(tmp_path, source("eurovoc"), [write(tmp_path, "e.rdf", RDFXML + "<skos:Concept>" * 100_000)])


# ── Archives, versions ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_of_another_method(tmp_path, method):
    path = tmp_path / "ror.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("ror.json", json.dumps([another(id=f"https://ror.org/0{n:06}01") for n in range(100)]))
    broken = bytearray(path.read_bytes())
    broken[60:90] = bytes(30)
    with pytest.raises(UnreadableFile, match="damaged or cut off"):
        importing.run(tmp_path, source("ror"), [write(tmp_path, "broken.zip", bytes(broken))])


@pytest.mark.parametrize("version", ["a b", "<x>", "../../up", "v" * 100, "\udcff"])
def test_a_version_that_can_be_in_no_address_is_refused(tmp_path, version):
    with pytest.raises(KvgraphError, match="is no version"):
        importing.run(tmp_path, source("ror"), [write(tmp_path, "ror.json", json.dumps([ROR]))], importing.Options(version=version))


def test_what_killed_importers_left_is_cleared_away(tmp_path):
    imported(tmp_path, "ror", write(tmp_path, "ror.json", json.dumps([ROR])))
    left = imports(tmp_path)["ror"].path.with_name(".cordis.4711")
    left.mkdir()
    (left / "unsorted").write_text("half")
    imported(tmp_path, "ror", tmp_path / "ror.json", force=True)
    assert sorted(path.name for path in left.parent.iterdir()) == [".lock", "ror"]


def test_a_smaller_file_later_takes_away_what_it_does_not_have(tmp_path):
    imported(tmp_path, "ror", write(tmp_path, "v1.ror.json", json.dumps([ROR, another()])))
    _, store = imported(tmp_path, "ror", write(tmp_path, "v2.ror.json", json.dumps([ROR])))
    assert values(store, another()["id"], SKOS + "prefLabel") == [] and len(organisations(tmp_path, "ror")) == 1
    assert values(store, ROR["id"], SCHEMA + "addressLocality") == ["Leuven"]


def test_who_has_to_wait_for_another_import_is_told(tmp_path, monkeypatch):
    said = io.StringIO()  # not what pytest captures: that may lose a letter when it is read while another thread writes
    monkeypatch.setattr(sys, "stderr", said)
    with ThreadPoolExecutor(1) as other:
        with only_importer(tmp_path):
            waiting = other.submit(importing.remove, tmp_path, "ror")
            until(lambda: said.getvalue().endswith("\n"))
            assert not waiting.done()
        assert waiting.result() is False
    assert said.getvalue() == "Another import is running; waiting for it to end.\n"
