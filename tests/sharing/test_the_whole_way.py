"""From signing up to being published and undone; by form, by file and by program."""

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from xml.etree import ElementTree

import pytest

from kvgraph import open as open_graph
from kvgraph import releases
from kvgraph.contribute.publish import publish
from kvgraph.namespaces import ID

from ..conftest import SMALL
from .people import CATALONIA, LAB, PRACTICE, SPAIN, UNIVERSITY, Form

ATOM = "{http://www.w3.org/2005/Atom}"
CLUB = "https://w3id.org/kvgraph/id/practice/fish-market-data-club"


def test_by_form(instance, visitor, person):
    """An error and mending it, changes wanted and made, accepted, live with credit, undone."""
    before = releases.current(instance.home).id
    visitor.sign_up("maria")
    draft = visitor.contribute(title="", country="")
    wrong = visitor.read(f"{draft}?check=1")
    assert 'href="#i-title-0"' in wrong and 'href="#i-country-0"' in wrong and "Say to which country this belongs" in wrong
    sent = visitor.send(draft, action="submit", **{"title": PRACTICE["title"], "title.lang": "en", "country": SPAIN})
    assert "It waits for a curator" in visitor.read(sent)

    curator = person("curator")
    assert "Fish market data club" in curator.read("/curate")
    review = curator.read(f"/curate/{draft.rpartition('/')[2]}")
    assert "Harbour data office" in review and "example.org/fish" in review and "I take part in it" in review
    curator.decide(draft, "changes", "When did it begin? The page says 2020.")
    assert "The page says 2020." in visitor.read(draft)
    visitor.send(draft, action="submit", startDate="2020")
    curator.decide(draft, "accept")
    assert releases.current(instance.home).id == before, "nothing is published before it is built"
    instance.publish()

    release = releases.current(instance.home).id
    assert release != before
    assert "Harbour data office" in visitor.read("/doc/practice/fish-market-data-club")
    assert "Fish market data club" in visitor.read("/search?q=fish")
    feed = ElementTree.fromstring(visitor.client.get("/search.atom?q=fish").data)
    [entry] = [e for e in feed.iter(f"{ATOM}entry") if e.findtext(f"{ATOM}id") == CLUB]
    assert [a.text for a in entry.findall(f"{ATOM}author/{ATOM}name")] == ["Harbour data office"], "RFC 4287, section 4.2.1"
    assert "Fish market data club" in visitor.read("/search?source-kind=contribution") and "Living lab" not in visitor.read("/search?source-kind=contribution&type=practice")
    rows = open_graph(instance.home).query(
        "PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> SELECT ?name "
        f"{{ GRAPH ?g {{ <{CLUB}> a ?type }} ?g prov:wasAttributedTo/skos:prefLabel ?name }}"
    )
    assert [row["name"] for row in rows] == ["Harbour data office"]
    assert "Published" in visitor.read("/account") and f"/release/{release}/" in visitor.read(draft)

    curator.decide(draft, "undo", "It never took place.")
    instance.publish()
    assert "It never took place." in visitor.read(draft)
    visitor.read("/doc/practice/fish-market-data-club", 410)
    assert open_graph(instance.home).release.manifest["digest"] == releases.find(instance.home, before).manifest["digest"], "as if it had never been"
    assert releases.current(instance.home).id == releases.list_releases(instance.home)[-1].id not in (before, release), "undone is a new release"


def test_a_correction_changes_the_record_and_says_on_which_page(instance, person):
    before = releases.current(instance.home).manifest["digest"]
    reader, curator = person(), person("curator")
    assert "/contribute/report?thing=" in reader.read("/doc/practice/living-lab")
    page = f"/contribute/correct?thing={LAB}"
    sent = reader.send(page, to="/contribute/correct", action="submit", startDate="2018", page="https://example.org/history", seen="2026-11-20", relation="observer", credit="A local historian", licence="yes")
    review = curator.read(f"/curate/{sent.rpartition('/')[2]}")
    assert re.search(r'class="removed">.*?2019', review, re.DOTALL) and re.search(r'class="added">.*?2018', review, re.DOTALL)
    curator.decide(sent, "accept")
    instance.publish()
    shown = reader.read("/doc/practice/living-lab")
    assert ">2018<" in shown and ">2019<" not in shown and "A local historian" in shown and "example.org/history" in shown
    text = (instance.home / "sources/contributions/living-lab.trig").read_text(encoding="utf-8")
    assert "g:stated-2 {" in text and "submission:" in text
    curator.decide(sent, "undo", "The page was about another lab.")
    instance.publish()
    assert not (instance.home / "sources/contributions/living-lab.trig").exists()
    assert releases.current(instance.home).manifest["digest"] == before


def test_a_report_in_words_without_an_account(visitor, person):
    page = f"/contribute/report?thing={LAB}"
    assert visitor.client.get(page).headers.getlist("Set-Cookie") == []
    visitor.send(page, to="/contribute/report", words="It ended in 2022, the site says.")
    curator = person("curator")
    found = re.search(r'href="(/curate/[0-9a-f-]+)"[^>]*>practice/living-lab', curator.read("/curate"))[1]
    assert "It ended in 2022" in curator.read(found)
    curator.decide(found, "accept", "Corrected.")
    assert "It ended in 2022" in curator.read(found)


# ── By file ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TRIG = f"""
PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
<https://w3id.org/kvgraph/graph/practice/net-menders/stated-1> {{
  <https://w3id.org/kvgraph/id/practice/net-menders> a kv:Practice ; dcterms:title "Net menders"@en ; kv:country <{SPAIN}> ; kv:lead <{UNIVERSITY}> .
}}
<https://w3id.org/kvgraph/graph/practice/net-menders/about> {{
  <https://w3id.org/kvgraph/graph/practice/net-menders/stated-1> a prov:Entity ; kv:basis <https://w3id.org/kvgraph/id/basis/stated> ;
    dcterms:source <https://example.org/nets> ; kv:seenOn "2026-10"^^xsd:gYearMonth .
}}
"""
JSONLD = json.dumps({
    "@context": {"kv": "https://w3id.org/kvgraph/def/kv#", "title": {"@id": "http://purl.org/dc/terms/title", "@language": "en"}},
    "@type": "kv:Practice", "title": "Salt works school", "kv:country": {"@id": SPAIN},
})  # fmt: skip


def table(suffix: str, reader) -> bytes:
    """The template with a row filled in."""
    body = reader.client.get(f"/contribute/template/practice.{suffix}").data
    row = {"title@en": "Tide mill network", "country": "Spain", "lead": "Harbour University", "startDate": "2017", "spatial": "ES51", "page": "https://example.org/mills"}
    if suffix == "csv":
        header = next(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
        out = io.StringIO(newline="")
        csv.writer(out).writerows([header, [row.get(name, "") for name in header]])
        return out.getvalue().encode()
    from openpyxl import load_workbook

    workbook = load_workbook(io.BytesIO(body))
    sheet = workbook.worksheets[0]
    for cell in list(sheet[1]):
        sheet.cell(2, cell.column, row.get(cell.value))
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["ours.trig", "ours.jsonld", "ours.csv", "ours.xlsx"])
def test_by_file(person, name):
    reader = person()
    suffix = name.partition(".")[2]
    content = {"trig": TRIG.encode(), "jsonld": JSONLD.encode()}.get(suffix) or table(suffix, reader)
    found = dict(Form(reader.read("/contribute/upload"), "/contribute/upload").fields)
    made = reader.post("/contribute/upload", {"proof": found["proof"], "form": found["form"], "type": "practice", "file": (io.BytesIO(content), name)}, 200, content_type="multipart/form-data")
    [draft] = re.findall(r'href="(/contribute/[0-9]+-[0-9a-f]+)\?check=1"', made)
    assert "1 draft was made of it" in made
    whole = {"page": "https://example.org/x", "relation": "part", "credit": "Port office", "licence": "yes", "action": "submit"}
    assert "It waits for a curator" in reader.read(reader.send(draft, **whole))


# ── By program ───────────────────────────────────────────────────────────────────────────────────────────────────────

PLAIN = {
    "type": "practice", "values": {"title": {"en": "Shipyard fab lab"}, "country": "Spain", "spatial": "nuts:ES51", "channel": "spin-offs", "lead": "Harbour University",
                                   "qualifiedAssociation": [{"agent": "Fjord Institute", "role": "partner"}]},
    "page": "https://example.org/fab", "relation": "part", "credit": "Harbour University", "licence": True,
}  # fmt: skip


def token_of(reader, *scopes: str) -> str:
    page = reader.send("/account/tokens", 200, name="script", scope=list(scopes), days="30")
    return re.search(r"kvg_[\w-]+", page)[0]


def test_by_program(instance, person):
    reader, curator = person(), person("curator")
    asked = {"headers": {"Authorization": f"Bearer {token_of(reader, 'submit', 'read')}", "Idempotency-Key": "one"}}
    program = instance.app.test_client()
    first, again = (program.post("/contribute/api/submissions", json=PLAIN, **asked) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201) and first.json == again.json, "sent twice it is there once"
    [told] = first.json
    assert told["state"] == "submitted" and told["thing"].endswith("/practice/shipyard-fab-lab")
    curator.decide(told["id"], "accept")
    instance.publish()
    now = program.get(f"/contribute/api/submissions/{told['id']}", **asked).json
    assert now["state"] == "published" and now["release"] == releases.current(instance.home).id
    assert [event["action"] for event in now["events"]] == ["begun", "submitted", "accepted", "published"]
    page = reader.read("/doc/practice/shipyard-fab-lab")
    assert "Fjord Institute" in page and 'href="/doc/actor/harbour-university"' in page, "an organisation that is here is credited as itself"


def test_what_must_be_mended_is_told_to_a_program(instance, person):
    asked = {"headers": {"Authorization": f"Bearer {token_of(person(), 'submit')}"}}
    answer = instance.app.test_client().post("/contribute/api/submissions", json={"type": "practice", "values": {"title": {"en": "X y"}, "lead": "Nobody at all"}}, **asked)
    assert answer.status_code == 422
    assert {f["field"] for f in answer.json["findings"]} >= {"lead", "country", "page", "licence", "relation", "credit"}


def test_curators_tools(instance, person):
    """Rename: the old address leads to the new one, and what pointed to it does too. Undone, all is as it was."""
    curator, before = person("curator"), releases.current(instance.home).manifest["digest"]
    renamed = curator.send("/curate/tools", thing="practice/living-lab", tool="rename", name="old-harbour-lab", reason="There is another living lab.")
    instance.publish()
    assert curator.client.get("/doc/practice/living-lab").headers["Location"].endswith("/doc/practice/old-harbour-lab")
    assert "Living lab of the harbour" in curator.read("/doc/practice/old-harbour-lab") and "old-harbour-lab" in curator.read("/doc/actor/harbour-university")
    curator.decide(renamed, "undo", "The other one is gone.")
    instance.publish()
    assert releases.current(instance.home).manifest["digest"] == before
    deprecated = curator.send("/curate/tools", thing="practice/living-lab", tool="deprecation", reason="It is closed.")
    instance.publish()
    assert "no longer be used" in curator.read("/doc/practice/living-lab")
    curator.decide(deprecated, "undo", "It is open again.")
    instance.publish()


def test_merging_keeps_what_both_say_and_who_says_it(instance, person):
    reader, curator = person(), person("curator")
    twin = reader.contribute(title="Harbour living laboratory", different="yes", **{"targetGroup": "fishers", "targetGroup.lang": "en"})
    curator.decide(twin, "accept")
    instance.publish()
    merged = curator.send("/curate/tools", thing="practice/harbour-living-laboratory", tool="merge", into="practice/living-lab", reason="They are the same lab.")
    instance.publish()
    assert curator.client.get("/doc/practice/harbour-living-laboratory").headers["Location"].endswith("/doc/practice/living-lab")
    page = curator.read("/doc/practice/living-lab")
    assert "fishers" in page and "Harbour living laboratory" in page and "Harbour data office" in page and CATALONIA.rpartition("/")[2] in page
    curator.decide(merged, "undo", "They are two.")
    curator.decide(twin, "undo", "Not wanted.")
    instance.publish()


def test_after_a_correction_a_merge_and_an_undo_a_release_is_the_one_built_from_scratch(instance, person, tmp_path):
    """Whatever a release takes over from those before it: another home with the same book, and nothing else, comes to the same."""
    reader, curator = person(), person("curator")
    sent = [reader.contribute(title=title, different="yes") for title in ("Oyster bank exchange", "Seaweed growers' school", "Lighthouse data trust")]
    for one in sent:
        curator.decide(one, "accept")
    instance.publish()
    page = f"/contribute/correct?thing={LAB}"
    corrected = reader.send(page, to="/contribute/correct", action="submit", startDate="2017", page="https://example.org/history", seen="2026-11-20", relation="observer", credit="A local historian", licence="yes")
    curator.decide(corrected, "accept")
    merged = curator.send("/curate/tools", thing="practice/oyster-bank-exchange", tool="merge", into="practice/living-lab", reason="They are the same lab.")
    curator.decide(sent[1], "undo", "It never opened.")
    grown = instance.publish().release
    with closing(sqlite3.connect(instance.home / "app.db")) as book, closing(sqlite3.connect(tmp_path / "app.db")) as copy:
        book.backup(copy)
    scratch = publish(tmp_path, data=SMALL).release
    same = ("digest", "counts", "replaced", "dumps")
    assert {name: grown.manifest[name] for name in same} == {name: scratch.manifest[name] for name in same} and grown.report == scratch.report
    found = [{name: file["sha256"] for name, file in r.manifest["files"].items() if not name.startswith(("search/", "catalogue"))} for r in (grown, scratch)]
    assert found[0] == found[1] and len(found[0]) > 100
    assert grown.manifest["replaced"][ID + "practice/oyster-bank-exchange"] == LAB
    documents = grown.documents.read_text(encoding="utf-8")
    assert "lighthouse-data-trust" in documents and "seaweed" not in documents
    for one in (merged, corrected, sent[0], sent[2]):
        curator.decide(one, "undo", "Only an example.")
    instance.publish()


def test_a_second_reviewer_where_that_is_the_rule(instance, person):
    from kvgraph.contribute import settings

    reader, one, two = person(), person("curator"), person("curator")
    person("administrator").send("/curate/settings", **{"second-reviewer": "yes"})
    try:
        sent = reader.contribute(title="Ropewalk museum lab")
        one.decide(sent, "accept")
        assert "Waiting for review" in reader.read("/account")
        one.decide(sent, "accept", status=403)
        two.decide(sent, "accept")
        assert "being published" in reader.read(sent)
    finally:
        settings.choose(instance.book, "second-reviewer", "no")


def test_is_it_this_one(person):
    reader = person()
    draft = reader.contribute(title="The living lab of the harbour")
    page = reader.read(f"{draft}?check=1")
    assert "Is it this one?" in page and 'href="/doc/practice/living-lab"' in page
    assert "It waits for a curator" in reader.read(reader.send(draft, different="yes", action="submit")) if "different" in page else False
