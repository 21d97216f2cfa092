"""What a page says about its own record: the trust strip, the source of every statement, and what is like it."""

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from kvgraph.model import ENTITY_TYPES, path_of
from kvgraph.namespaces import ID, KV, PROV
from kvgraph.server.entity_view import view

from .conftest import client_of
from .html import check

BROWSER = {"Accept": "text/html"}
NAMES = ("practice", "learning-example", "actor", "policy", "principle", "channel", "source")


@pytest.fixture(scope="module")
def sample(bundled) -> list[str]:
    """A few things of every type, among them those of which the report says most."""
    found = []
    for name in NAMES:
        type_ = next(t for t in ENTITY_TYPES if t.name == name)
        things = [row["thing"] for row in bundled.run("pages/options", of=type_.iri)]
        found += things[:: max(1, len(things) // 6)]
    return found


@pytest.fixture(scope="module")
def pages(bundled, sample) -> dict[str, str]:
    client = client_of(bundled)
    return {iri: client.get(path_of(iri), headers=BROWSER).data.decode() for iri in sample}


def shown(bundled, iri):
    with client_of(bundled).application.test_request_context():
        return view(bundled, iri, "en", 100)


def test_the_strip_equals_the_validation_report(bundled, sample, pages):
    report = json.loads((bundled.release.path / "report.json").read_text(encoding="utf-8"))["results"]
    seen = 0
    for iri in sample:
        parts = {s.value.value for s in bundled.describe(iri).statements if s.property == PROV + "qualifiedAssociation"}
        about = [r for r in report if r["focus"] in {iri, *parts}]
        trust = shown(bundled, iri).trust
        for severity, messages in (("Violation", trust.violations), ("Warning", trust.warnings), ("Info", trust.infos)):
            assert sorted(messages) == sorted(r["message"] for r in about if r["severity"] == severity), iri
        text = unescape(pages[iri])
        strip = text[text.index('<section class="trust') : text.index('<div class="beside">')]
        assert all(r["message"] in strip for r in about)
        warnings = sum(r["severity"] == "Warning" for r in about)
        assert ("Conforms" in strip) and (f"{warnings} warning" in strip) == (warnings > 0)
        seen += len(about)
    assert seen > 10, "the sample has something to say"


def test_the_strip_says_what_the_statements_say(bundled, sample):
    for iri in sample:
        statements, trust = bundled.describe(iri).statements, shown(bundled, iri).trust
        for basis in ("stated", "classified", "derived"):
            said = {(s.property, s.value) for s in statements if s.basis == f"{ID}basis/{basis}"}
            assert next((c.number for c in trust.counts if c.basis == basis), 0) == len(said)
        assert trust.pages == len({s.page for s in statements if s.page})
        assert trust.seen == max((s.seen for s in statements if s.seen), default="")


def test_every_figure_is_what_its_query_gives(bundled, pages):
    """So many rows, or the one value of its answer."""
    followed = {}
    for text in pages.values():
        for href, number in re.findall(r'<a class="figure" href="([^"]+)"[^>]*>([\d,]+)</a>', text):
            followed[parse_qs(urlsplit(unescape(href)).query)["query"][0]] = int(number.replace(",", ""))
    assert len(followed) > 60
    for query, number in followed.items():
        assert len(bundled.query(query)) == number, query


def test_every_statement_has_a_source_that_the_page_describes(bundled, sample, pages):
    """Without a script and by keyboard: each mark is a link to its source, each source links back, and every graph is there."""
    for iri in sample:
        text, found = pages[iri], shown(bundled, iri)
        ids = set(re.findall(r'\sid="([^"]+)"', text))
        inside = re.findall(r'href="#([^"]*)"', text)
        assert set(inside) <= ids, set(inside) - ids
        graphs = {s.graph for s in bundled.describe(iri).statements}
        assert graphs <= {s.graph for s in found.sources}
        said = {f.iri for _, facts in found.sections for f in facts}
        assert all(v.sources for _, facts in found.sections for f in facts for v in f.values) and said
        assert all(v.sources for part in found.parts for v in part.things), "who took part is said by somebody, too"
        assert all(source.says for source in found.sources)
        for source in found.sources:
            assert f'id="source-{source.number}"' in text
        for source in (s for s in found.sources if s.basis == "classified" and s.people):
            assert "Classified by" in text and source.people[0].text in unescape(text)


def test_similar_things_are_shown_with_their_reasons(bundled, sample, pages):
    with_some = 0
    for iri in sample:
        alike = bundled.similar(iri)
        text = unescape(pages[iri])
        assert ('id="similar"' in text) == bool(alike)
        for other in alike:
            with_some += 1
            block = text[text.index('class="likenesses"') :]
            assert other.node.label in block and other.reasons[0].label in block
            assert path_of(other.node.iri) in pages[iri]
    assert with_some > 50


def test_a_record_that_breaks_a_must_says_so(client, invented, monkeypatch, tmp_path):
    """Such a record is never published; if one were, its page would not hide it."""
    from kvgraph.server import trust

    lab = ID + "practice/living-lab"
    report = [
        {"severity": "Violation", "focus": lab, "message": "It has no <title>."},
        {"severity": "Warning", "focus": ID + "participation/living-lab--fjord-institute--partner", "message": "No role."},
        {"severity": "Info", "focus": ID + "practice/other", "message": "Somebody else's."},
    ]
    (tmp_path / "report.json").write_text(json.dumps({"conforms": False, "results": report}), encoding="utf-8")
    monkeypatch.setattr(trust, "_report", lambda path, read=trust._report.__wrapped__: read(tmp_path / "report.json"))
    text = client_of(invented).get("/doc/practice/living-lab", headers=BROWSER).data.decode()
    check(text)
    assert "Breaks a must" in text and "It has no &lt;title&gt;." in text and "No role." in text and "Somebody else" not in text


def test_without_a_report_the_strip_says_so(invented, monkeypatch, tmp_path):
    from kvgraph.server import trust

    monkeypatch.setattr(trust, "_report", lambda path, read=trust._report.__wrapped__: read(tmp_path / "nothing.json"))
    text = client_of(invented).get("/doc/practice/living-lab", headers=BROWSER).data.decode()
    assert "No report was kept" in text and "Conforms" not in text


def test_a_release_without_the_index_has_pages_without_similar_things(bundled, monkeypatch):
    monkeypatch.setattr(type(bundled), "similar", lambda self, iri, limit=6: [])
    text = client_of(bundled).get("/doc/practice/national-ip-protocol", headers=BROWSER).data.decode()
    assert 'id="similar"' not in text and check(text)


def test_a_group_leads_to_the_search_for_its_things(bundled, bundled_client):
    found = shown(bundled, ID + "channel/spin-offs")
    group = next(g for g in found.groups if g.search and g.others)
    answer = bundled_client.get(group.search, headers=BROWSER)
    assert answer.status_code == 200 and f"{group.total:,}" in answer.data.decode()
    assert any(s.shown.iri.startswith(ID + "channel/") for s in found.similar) and KV


def test_the_records_of_a_source_are_on_its_page(bundled):
    [group] = [g for g in shown(bundled, ID + "source/practices").groups if "Records" in g.heading]
    assert group.total == next(iter(bundled.run("pages/count-of-source", source="source/practices")))["things"] > len(group.things)
