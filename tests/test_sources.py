"""Importers: small files in the formats as published, and what comes of them; and files that are not as they should be."""

import gzip
import io
import json
import os
import zipfile

import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest

from kvgraph.errors import KvgraphError
from kvgraph.namespaces import DCTERMS, EURIO, ID, KV, NUTS, ORG, RDF, RDFS, SKOS
from kvgraph.sources import SOURCES, importing, source, table
from kvgraph.sources.imported import imports
from kvgraph.sources.importing import NothingCameIn, Options, SetAsideError
from kvgraph.sources.raw import UnreadableFile, raw_files

ROR = {
    "id": "https://ror.org/05f950310", "status": "active", "types": ["education"], "established": 1425,
    "names": [
        {"value": "KU Leuven", "types": ["label", "ror_display"], "lang": "nl"}, {"value": "KUL", "types": ["acronym"], "lang": None},
        {"value": "Katholieke Universiteit te Leuven", "types": ["alias"], "lang": "nl"},
    ],
    "locations": [{"geonames_details": {"country_code": "BE", "name": "Leuven"}}],
    "links": [{"type": "website", "value": "https://www.kuleuven.be"}],
    "external_ids": [{"type": "wikidata", "preferred": None, "all": ["Q833670"]}, {"type": "isni", "preferred": None, "all": ["0000 0001 0668 7884"]}],
    "relationships": [{"type": "parent", "id": "https://ror.org/000000009", "label": "Parent"}],
    "admin": {"last_modified": {"date": "2025-06-01"}},
}  # fmt: skip
PROJECTS = (
    '\ufeff"id";"acronym";"status";"title";"startDate";"endDate";"totalCost";"ecMaxContribution";"legalBasis";"topics";"frameworkProgramme";"fundingScheme";"objective";"grantDoi"\r\n'
    '"101000001";"LIVLAB";"SIGNED";"Living labs; rural water";"2022-01-01";"2025-12-31";"1234567,5";"1000000";"";"";"HORIZON";"HORIZON-RIA";"Water in ""rural""\r\nareas";"10.3030/101000001"\r\n'
)  # fmt: skip
PARTS = (
    "projectID;organisationID;vatNumber;name;shortName;activityType;city;country;nutsCode;organizationURL;order;role;ecContribution\n"
    "101000001;999991334;BE0419052173;KATHOLIEKE UNIVERSITEIT LEUVEN;KU Leuven;HES;Leuven;BE;BE242;www.kuleuven.be;1;coordinator;500000,25\n"
    "101000001;999909000;;ETHNIKO IDRYMA;EI;REC;Athina;EL;EL303;not an address;2;participant;10\n"
    "999;999909000;;ETHNIKO IDRYMA;EI;REC;Athina;EL;EL303;;3;participant;10\n"
    "101000001;999909000;;ETHNIKO IDRYMA;EI;REC;Athina;EL;EL303;;2;participant;10\n"
)
A_ROW = "101000002;;SIGNED;{};;;;;;;HORIZON;;;\n"


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def imported(home, name, *files, **options):
    """The report of an import, and its statements as a store."""
    outcome = importing.run(home, source(name), files, Options(**options))
    store = ox.Store()
    store.load(path=imports(home)[name].data, format=ox.RdfFormat.N_QUADS)
    return outcome.report, store


def values(store, subject, property_):
    """What the import says of a subject, as text."""
    return sorted(q.object.value for q in store.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(property_), None, None))


def organisations(home, name):
    return pq.read_table(imports(home)[name].organisations).to_pylist()


def reasons(report):
    return [(problem["line"], problem["reason"]) for problem in report["problems"]]


def test_there_is_an_importer_for_each_source_of_the_guide():
    assert list(SOURCES) == ["ror", "cordis", "cordis-h2020", "kohesio", "wikidata", "nuts", "authorities", "eurovoc", "euroscivoc", "table"]


# ── What comes in ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ror(tmp_path):
    withdrawn = {**ROR, "id": "https://ror.org/000000009", "status": "withdrawn"}
    report, store = imported(tmp_path, "ror", write(tmp_path, "v1.60-ror.json", json.dumps([ROR, withdrawn, ROR, {"id": "https://ror.org/0aaaaaa00"}])))
    assert (report["read"], report["taken"], report["set_aside"], report["version"], report["issued"]) == (4, 1, 3, "v1.60", "2025-06-01")
    assert [line for line, _ in reasons(report)] == [2, 3, 4] and "withdrawn" in reasons(report)[0][1] and "line 1 already" in reasons(report)[1][1]
    assert values(store, ROR["id"], SKOS + "prefLabel") == ["KU Leuven"] and values(store, ROR["id"], RDF + "type") == [ORG + "Organization"]
    (row,) = organisations(tmp_path, "ror")
    assert row == {
        "iri": ROR["id"], "country": "BEL", "place": "Leuven", "nuts": "", "homepage": "https://www.kuleuven.be", "kind": "education",
        "names": [
            {"value": "KU Leuven", "lang": "nl", "kind": "label"}, {"value": "KUL", "lang": "", "kind": "acronym"},
            {"value": "Katholieke Universiteit te Leuven", "lang": "nl", "kind": "alias"},
        ],
        "identifiers": [ROR["id"], "http://www.wikidata.org/entity/Q833670", "https://isni.org/isni/0000000106687884"], "parents": ["https://ror.org/000000009"],
    }  # fmt: skip


def test_a_package_of_cordis(tmp_path):
    package = tmp_path / "cordis-HORIZONprojects-csv.zip"
    tables = {
        "project.csv": PROJECTS, "organization.csv": PARTS, "topics.csv": "projectID;topic;title\n101000001;HORIZON-CL6-2021-01;Rural areas\n",
        "euroSciVoc.csv": "projectID;euroSciVocCode;euroSciVocPath;euroSciVocTitle\n101000001;/25/65/1021;/engineering;water treatment\n101000001;oops;;\n",
        "legalBasis.csv": "projectID;legalBasis;title\n101000001;HORIZON.2.6;Food\n", "webLink.csv": "projectID;physUrl\n101000001;https://livlab.example.org\n",
        "readme.pdf": "no table",
    }  # fmt: skip
    with zipfile.ZipFile(package, "w") as archive:
        for name, content in tables.items():
            archive.writestr(name, content)
    report, store = imported(tmp_path, "cordis", package)
    project = "https://cordis.europa.eu/project/id/101000001"
    assert values(store, project, EURIO + "title") == ["Living labs; rural water"] and values(store, project, EURIO + "abstract") == ['Water in "rural" areas']
    assert values(store, project + "#total-cost", EURIO + "value") == ["1234567.5"]
    assert values(store, project, EURIO + "hasFundingSchemeTopic") == ["https://cordis.europa.eu/programme/id/HORIZON_HORIZON-CL6-2021-01"]
    assert values(store, project, EURIO + "hasEuroSciVocClassification") == [ID + "euroscivoc/1021"]
    (lead, partner) = values(store, project, EURIO + "hasInvolvedParty")
    assert values(store, lead, EURIO + "roleLabel") == ["coordinator"] and values(store, partner, EURIO + "isRoleOf")[0].endswith("/999909000")
    assert [(o["country"], o["nuts"], o["identifiers"][1:]) for o in organisations(tmp_path, "cordis")] == [
        ("BEL", "BE242", ["urn:pic:999991334", "urn:vat:BE0419052173"]), ("GRC", "EL303", ["urn:pic:999909000"]),
    ]  # fmt: skip
    assert report["set_aside"] == 3 and report["left_out"] == 1
    assert {line: reason for line, reason in reasons(report)} == {
        4: "project 999 is not among the projects", 5: "organisation 999909000 is participant of this project in an earlier line already",
        3: "'oops' is no code of EuroSciVoc",
    }  # fmt: skip
    assert report["notes"][0]["line"] == 3 and "not an address" in report["notes"][0]["reason"]


def test_the_programme_of_a_project_decides_which_import_it_belongs_to(tmp_path):
    file = write(tmp_path, "project.csv", PROJECTS)
    with pytest.raises(NothingCameIn, match="belongs to HORIZON, not to H2020: kvgraph import cordis"):
        importing.run(tmp_path, source("cordis-h2020"), [file])


def test_the_reduced_table_of_cordis(tmp_path):
    text = "project_id,cordis_url,acronym,title,topic,topic_title,legal_basis,euroscivoc_notations\n101116741,x,,,ERC-2023-STG,ERC STARTING GRANTS,HORIZON.1.1,543|761\n"
    report, store = imported(tmp_path, "cordis", write(tmp_path, "topics.csv.gz", gzip.compress(text.encode())))
    project = "https://cordis.europa.eu/project/id/101116741"
    assert report["taken"] == 1 and values(store, project, RDFS + "label") == ["101116741"]
    assert len(values(store, project, EURIO + "hasEuroSciVocClassification")) == 2


def test_kohesio(tmp_path):
    projects = (
        "Operation_Unique_Identifier,Operation_Name_English,CountryCode,Operation_Start_Date,Project_EU_Budget,NUTS3_Code,Beneficiary_Unique_Identifier,Beneficiary_Name\n"
        "https://linkedopendata.eu/entity/Q1,Gottsunda grows,SE,04/09/2023,134991.36,SE121,https://linkedopendata.eu/entity/Q2,Uppsala kommun\n"
        "https://linkedopendata.eu/entity/Q3,Nobody's,SE,31/02/2023,,,,\nQ4,No address,SE,,,,,\n"
    )
    beneficiaries = "Beneficiary_Unique_Identifier,Beneficiary_Name,CountryCode\nhttps://linkedopendata.eu/entity/Q9,***,SE\nhttps://linkedopendata.eu/entity/Q8,Lunds kommun,SE\n"
    report, store = imported(tmp_path, "kohesio", write(tmp_path, "se.csv", projects), write(tmp_path, "ben.csv", beneficiaries))
    assert (report["taken"], report["set_aside"]) == (3, 2) and [n["reason"] for n in report["notes"]] == ["startDate is no date: '31/02/2023'"]
    assert values(store, "https://linkedopendata.eu/entity/Q1", "https://schema.org/startDate") == ["2023-09-04"]
    assert values(store, "https://linkedopendata.eu/entity/Q1", EURIO + "hasInvolvedParty") == ["https://linkedopendata.eu/entity/Q1#beneficiary"]
    assert {o["names"][0]["value"] for o in organisations(tmp_path, "kohesio")} == {"Uppsala kommun", "Lunds kommun"}


def test_wikidata_answers(tmp_path):
    def row(**cells):
        return {name: {"type": "literal", "value": value} for name, value in cells.items()}

    item = "http://www.wikidata.org/entity/Q833670"
    rows = [
        row(item=item, itemLabel="KU Leuven", alias="KUL", country="BE", ror="05f950310", homepage="https://www.kuleuven.be"),
        row(item=item, itemLabel="KU Leuven", alias="Leuven", pic="999991334"), row(item="Q1", itemLabel="Q1"),
    ]  # fmt: skip
    answer = write(tmp_path, "query.json", json.dumps({"head": {"vars": []}, "results": {"bindings": rows}}))
    report, _ = imported(tmp_path, "wikidata", answer)
    (row_,) = organisations(tmp_path, "wikidata")
    assert report["set_aside"] == 1 and [n["value"] for n in row_["names"]] == ["KU Leuven", "KUL", "Leuven"]
    assert row_["identifiers"][:2] == [item, "https://ror.org/05f950310"] and row_["identifiers"][2].endswith("/999991334")


def test_wikidata_entities_without_people(tmp_path):
    def claim(value):
        return [{"mainsnak": {"datavalue": {"value": value}}, "rank": "normal"}]

    entities = {
        "Q833670": {"id": "Q833670", "labels": {"en": {"value": "KU Leuven"}}, "claims": {"P17": claim({"id": "Q31"}), "P6782": claim("05f950310")}},
        "Q42": {"id": "Q42", "labels": {"en": {"value": "Somebody"}}, "claims": {"P31": claim({"id": "Q5"})}},
    }
    report, _ = imported(tmp_path, "wikidata", write(tmp_path, "entities.json", json.dumps({"entities": entities})))
    assert reasons(report) == [(2, "Q42: is a person; people are not in the data")]
    assert organisations(tmp_path, "wikidata")[0]["country"] == "BEL"


def test_nuts_as_table_and_as_points(tmp_path):
    csv = "CNTR_CODE,NUTS_ID,NAME_LATN,NUTS_NAME,MOUNT_TYPE,URBN_TYPE,COAST_TYPE\nEL,EL30,Attiki,Αττική,,,\nUK,UKI,London,London,,,\nFR,DE1,Wrong,Wrong,,,\n"
    feature = {"type": "Feature", "properties": {"NUTS_ID": "UKI", "LEVL_CODE": 1, "CNTR_CODE": "UK", "NAME_LATN": "London", "NUTS_NAME": "London"}}
    points = json.dumps({"type": "FeatureCollection", "features": [{**feature, "geometry": {"type": "Point", "coordinates": [-0.1, 51.5]}}]})
    report, store = imported(tmp_path, "nuts", write(tmp_path, "NUTS_AT_2024.csv", csv), write(tmp_path, "NUTS_LB_2024_4326.geojson", points))
    assert report["taken"] == 3 and reasons(report) == [(4, "region DE1 is said to be of country 'FR'")]
    assert values(store, NUTS + "EL30", SKOS + "altLabel") == ["Αττική"] and values(store, NUTS + "EL30", SKOS + "prefLabel") == []
    assert values(store, NUTS + "UKI", SKOS + "broader") == [NUTS + "UK"] and values(store, NUTS + "UKI", "http://www.w3.org/ns/locn#geometry") == ["POINT(-0.1 51.5)"]


SKOS_XL = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:skos="http://www.w3.org/2004/02/skos/core#" xmlns:xl="http://www.w3.org/2008/05/skos-xl#">
<skos:Concept rdf:about="http://data.europa.eu/8mn/euroscivoc/aaaa"><skos:notation>1021</skos:notation><xl:prefLabel rdf:resource="http://example.org/l"/></skos:Concept>
<xl:Label rdf:about="http://example.org/l"><xl:literalForm xml:lang="fr">traitement de l'eau</xl:literalForm></xl:Label>
<skos:Concept rdf:about="http://data.europa.eu/8mn/euroscivoc/bbbb"/></rdf:RDF>"""


def test_concepts_with_plain_labels_or_those_of_skos_xl(tmp_path):
    report, store = imported(tmp_path, "euroscivoc", write(tmp_path, "EuroSciVoc-skos-ap-eu.rdf", SKOS_XL))
    assert values(store, "http://data.europa.eu/8mn/euroscivoc/aaaa", SKOS + "prefLabel") == ["traitement de l'eau"]
    assert values(store, ID + "euroscivoc/1021", SKOS + "exactMatch") == ["http://data.europa.eu/8mn/euroscivoc/aaaa"]
    assert reasons(report) == [(None, "http://data.europa.eu/8mn/euroscivoc/bbbb: has no label")]
    turtle = '<http://eurovoc.europa.eu/594> a <http://www.w3.org/2004/02/skos/core#Concept> ; <http://www.w3.org/2004/02/skos/core#prefLabel> "AAMS countries"@en .'
    assert imported(tmp_path, "eurovoc", write(tmp_path, "eurovoc.ttl", turtle))[0]["taken"] == 1


def test_a_country_that_is_described_gets_no_second_name(tmp_path):
    spain = "http://publications.europa.eu/resource/authority/country/ESP"
    turtle = f'<{spain}> a <{SKOS}Concept> ; <{SKOS}prefLabel> "Kingdom of Spain"@en ; <{DCTERMS}identifier> "ESP" .'
    _, store = imported(tmp_path, "authorities", write(tmp_path, "countries-skos.ttl", turtle))
    assert values(store, spain, SKOS + "prefLabel") == [] and values(store, spain, DCTERMS + "identifier") == ["ESP"]


@pytest.mark.parametrize("name", ["practices.xlsx", "practices.csv"])
def test_the_template_of_ones_own_table_can_be_imported_as_it_is(tmp_path, name):
    table.write_template(tmp_path / name)
    report, store = imported(tmp_path, "table", tmp_path / name)
    practice = ID + "practice/table-regional-proof-of-concept-fund"
    assert (report["taken"], report["set_aside"]) == (1, 0) and values(store, practice, RDF + "type") == [KV + "Practice"]
    assert len(values(store, practice, KV + "channel")) == 2 and values(store, practice, KV + "lead") == [ID + "actor/table-agency-for-knowledge-transfer"]
    assert values(store, ID + "participation/table-regional-proof-of-concept-fund--ku-leuven--partner", "http://www.w3.org/ns/prov#agent") == [ID + "actor/ku-leuven"]


def test_rows_of_ones_own_table_that_cannot_be_taken(tmp_path):
    rows = ["title,country,region,level,start,end,channels", "A,ES,,,,,", "A,ES,,,,,", "B,Spain,,,,,", "C,ES,ES99X,,,,", "D,ES,,cosmic,,,", "E,ES,,,2020,2010,", "F,ES,,,,,magic"]
    report, _ = imported(tmp_path, "table", write(tmp_path, "mine.csv", "\n".join(rows)))
    assert report["taken"] == 1 and [line for line, _ in reasons(report)] == [3, 4, 5, 6, 7, 8]


# ── How an import is done ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_files_again_are_nothing_to_do(tmp_path):
    file = write(tmp_path, "ror.json", json.dumps([ROR]))
    first = importing.run(tmp_path, source("ror"), [file])
    again = importing.run(tmp_path, source("ror"), [file])
    assert first.fresh and not again.fresh and again.report == json.loads((imports(tmp_path)["ror"].path / "report.json").read_text())
    file.write_text(json.dumps([{**ROR, "types": []}]))
    assert importing.run(tmp_path, source("ror"), [file]).fresh


def test_a_failed_import_leaves_the_one_before(tmp_path):
    file = write(tmp_path, "ror.json", json.dumps([ROR]))
    before = importing.run(tmp_path, source("ror"), [file]).report
    file.write_text(json.dumps([ROR, ROR])[:-20])
    with pytest.raises(UnreadableFile, match="record 2 is no JSON"):
        importing.run(tmp_path, source("ror"), [file])
    assert imports(tmp_path)["ror"].report == before
    assert {p.name for p in imports(tmp_path)["ror"].path.parent.iterdir()} == {"ror", ".lock"}


def test_a_disk_that_is_full_while_statements_are_sorted_is_a_message(tmp_path, monkeypatch):
    """`sort` is a program of its own, which says in its own words what is wrong."""
    file = write(tmp_path, "ror.json", json.dumps([ROR]))
    write(tmp_path, "sort", "#!/bin/sh\necho 'sort: write failed: data.nq: No space left on device' >&2\nexit 2\n").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(KvgraphError, match="No space left on device.*room on the disk"):
        importing.run(tmp_path, source("ror"), [file])
    assert not imports(tmp_path)


def test_strict_and_dry_run(tmp_path):
    file = write(tmp_path, "project.csv", PROJECTS + A_ROW.format(""))
    with pytest.raises(SetAsideError, match=r"project.csv:4: has no title"):
        importing.run(tmp_path, source("cordis"), [file], Options(strict=True))
    assert importing.run(tmp_path, source("cordis"), [file], Options(dry_run=True)).report["set_aside"] == 1
    assert imports(tmp_path) == {}


def test_an_importer_killed_between_two_renames_loses_nothing(tmp_path):
    importing.run(tmp_path, source("ror"), [write(tmp_path, "ror.json", json.dumps([ROR]))])
    place = imports(tmp_path)["ror"].path
    place.rename(place.with_name(".ror.previous"))
    assert list(imports(tmp_path)) == ["ror"]


def test_an_import_can_be_taken_away(tmp_path):
    importing.run(tmp_path, source("ror"), [write(tmp_path, "ror.json", json.dumps([ROR]))])
    assert importing.remove(tmp_path, "ror") and imports(tmp_path) == {} and not importing.remove(tmp_path, "ror")


# ── Files that are not as they should be ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("row", "line", "reason"),
    [
        (A_ROW.format("=cmd|' /C calc'!A0"), 4, "looks like a formula"),
        (A_ROW.format("<script>alert(1)</script>"), 4, "contains HTML"),
        (A_ROW.format("<img src=x>"), 4, "contains HTML"),
        ("101000002;too;few\n", 4, "has 3 cells, and the heading has 14"),
        ("101000001;;SIGNED;Twice;;;;;;;HORIZON;;;\n", 4, "is in line 2 already"),
        ("x;;SIGNED;No number;;;;;;;HORIZON;;;\n", 4, "is no number of a project"),
        (A_ROW.format("x" * 2_000), 4, "has 2,000 characters"),
        (A_ROW.format('"' + "x" * 1_100_000), 4, "is no row of a table"),
        (A_ROW.format("x" * 5_000_000), 4, "is longer than"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_line(tmp_path, row, line, reason):
    report, _ = imported(tmp_path, "cordis", write(tmp_path, "project.csv", PROJECTS + row))
    assert report["taken"] == 1 and report["problems"][0]["line"] == line and reason in report["problems"][0]["reason"]


def test_a_wrong_encoding_is_named_with_the_byte_and_can_be_said(tmp_path):
    file = write(tmp_path, "project.csv", (PROJECTS[1:] + A_ROW.format("Universität")).encode("cp1252"))
    report, _ = imported(tmp_path, "cordis", file)
    assert reasons(report)[0][0] == 4 and "0xe4" in reasons(report)[0][1] and "--encoding" in reasons(report)[0][1]
    assert imported(tmp_path, "cordis", file, encoding="cp1252")[0]["set_aside"] == 0


def test_utf_16_is_read_by_its_mark(tmp_path):
    assert imported(tmp_path, "cordis", write(tmp_path, "project.csv", PROJECTS[1:].encode("utf-16")))[0]["taken"] == 1


def test_columns_may_stand_in_another_order_but_not_be_missing(tmp_path):
    assert imported(tmp_path, "cordis", write(tmp_path, "project.csv", "title,frameworkProgramme,id\nA title,HORIZON,101000009\n"))[0]["taken"] == 1
    with pytest.raises(UnreadableFile, match="none of the tables of CORDIS"):
        importing.run(tmp_path, source("cordis"), [write(tmp_path, "project.csv", "title;id\nA;1\n")])
    with pytest.raises(UnreadableFile, match="has no column country"):
        importing.run(tmp_path, source("table"), [write(tmp_path, "mine.csv", "title\nA\n")])
    with pytest.raises(UnreadableFile, match="two columns of the same name: country"):
        importing.run(tmp_path, source("table"), [write(tmp_path, "mine.csv", "title,country,Country\nA,ES,ES\n")])


def zipped(**members) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), content)
    return into.getvalue()


def test_a_zip_that_is_cut_off_or_damaged(tmp_path):
    whole = zipped(project_csv=PROJECTS + "".join(f"{101000100 + n};;SIGNED;Project {n};;;;;;;HORIZON;;;\n" for n in range(500)))
    with pytest.raises(UnreadableFile, match="no complete zip archive"):
        importing.run(tmp_path, source("cordis"), [write(tmp_path, "c.zip", whole[:-100])])
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 0xFF
    with pytest.raises(UnreadableFile, match="damaged or cut off"):
        importing.run(tmp_path, source("cordis"), [write(tmp_path, "c.zip", bytes(broken))])
    with pytest.raises(UnreadableFile, match="damaged or cut off"):
        importing.run(tmp_path, source("ror"), [write(tmp_path, "ror.json.gz", gzip.compress(json.dumps([ROR] * 50).encode())[:-20])])
    assert imports(tmp_path) == {}


@pytest.mark.parametrize("offset, value, message", [(8, 97, "packed in a way"), (0, 0, "damaged")])
def test_a_zip_whose_files_cannot_be_opened(tmp_path, offset, value, message):
    """A method of packing that Python does not know; a beginning that is none."""
    broken = bytearray(zipped(project_csv=PROJECTS))
    broken[offset : offset + 2] = value.to_bytes(2, "little")
    central = broken.find(b"PK\x01\x02")
    if offset == 8:
        broken[central + 10 : central + 12] = value.to_bytes(2, "little")
    with pytest.raises(UnreadableFile, match=message):
        importing.run(tmp_path, source("cordis"), [write(tmp_path, "c.zip", bytes(broken))])


def test_a_zip_that_wants_to_lie_elsewhere(tmp_path):
    with pytest.raises(UnreadableFile, match="wants to lie elsewhere"):
        list(raw_files(write(tmp_path, "c.zip", zipped(**{"..__..__project_csv": PROJECTS}))))


def test_a_bomb_in_an_archive(tmp_path, monkeypatch):
    monkeypatch.setattr("kvgraph.sources.raw.FREE", 1 << 20)
    for name, content in (("c.zip", zipped(project_csv=PROJECTS + "x" * 20_000_000)), ("project.csv.gz", gzip.compress(PROJECTS.encode() + b"x" * 20_000_000))):
        with pytest.raises(UnreadableFile, match="far more than its size explains"):
            importing.run(tmp_path, source("cordis"), [write(tmp_path, name, content)])


@pytest.mark.parametrize("start", ["", "<!-- " + "x" * 3_000_000 + " -->"])
def test_an_xml_bomb_is_refused(tmp_path, start):
    bomb = f'<?xml version="1.0"?>{start}<!DOCTYPE a [<!ENTITY b "{"ha" * 100}">]><rdf:RDF xmlns:rdf="{RDF}"/>'
    with pytest.raises(UnreadableFile, match="DOCTYPE"):
        importing.run(tmp_path, source("eurovoc"), [write(tmp_path, "e.rdf", bomb)])
    with pytest.raises(UnreadableFile, match="UTF-8"):
        importing.run(tmp_path, source("eurovoc"), [write(tmp_path, "e.rdf", bomb.encode("utf-16"))])


def test_a_spreadsheet_with_formulas_or_none_at_all(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["title", "country"], ["=HYPERLINK(1)", "ES"], ["Fund", "ES"]):
        book.active.append(row)
    book.save(tmp_path / "mine.xlsx")
    report, _ = imported(tmp_path, "table", tmp_path / "mine.xlsx")
    assert report["taken"] == 1 and reasons(report)[0][0] == 2 and "has a formula" in reasons(report)[0][1]
    with pytest.raises(UnreadableFile, match="no spreadsheet"):
        importing.run(tmp_path, source("table"), [write(tmp_path, "bad.xlsx", b"PK oops")])


@pytest.mark.parametrize("content", ["", "null", "[1, 2]", '{"a": 1}', "[" * 100_000, '[{"id": ' + "[" * 100_000])
def test_what_is_no_dump_of_ror(tmp_path, content):
    with pytest.raises((UnreadableFile, NothingCameIn)):
        importing.run(tmp_path, source("ror"), [write(tmp_path, "ror.json", content)])
