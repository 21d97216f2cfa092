"""References: valid in every format, whatever a title holds, and pinned to the release."""

import json
import re
from datetime import date

import pytest

from kvgraph.namespaces import ID
from kvgraph.server.citation import Citation

from .html import check

LAB = "/cite/practice/living-lab"
RELEASE = "2026-11-22-invented"
TYPES = {".txt": "text/plain", ".bib": "application/x-bibtex", ".json": "application/vnd.citationstyles.csl+json", ".ris": "application/x-research-info-systems"}
WICKED = ["{", "}}", "50 % of R&D_#1 $x^2~ \\cite{x}", 'a "quoted" @misc{title,', "line\nbreak\r\ttab", "مختبر حي", "x" * 5000, "<script>alert(1)</script>", "\u202eevil\u202c"]


def bibtex(text: str) -> tuple[str, str, dict[str, str]]:
    """Type, key and fields of the one entry of a BibTeX file, read as BibTeX does: braces are counted, escaped or not."""
    head = re.match(r"@(\w+)\{([^\s,{}\"#%'()=~\\]+),\s*", text)
    assert head, text
    fields, at = {}, head.end()
    while text[at] != "}":
        name = re.compile(r"(\w+) = ").match(text, at)
        assert name, text[at : at + 40]
        at = start = name.end()
        if text[at] == "{":
            depth = 0
            while True:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
                if not depth:
                    break
            fields[name[1]] = text[start + 1 : at - 1]
        else:
            word = re.compile(r"[a-z]{3}").match(text, at)
            fields[name[1]], at = word[0], word.end()
        at = re.compile(r",\s*").match(text, at).end()
    assert text[at:].strip() == "}"
    return head[1], head[2], fields


def ris(text: str) -> dict[str, str]:
    lines = text.removesuffix("\r\n").split("\r\n")
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]  - .*", line) for line in lines) and lines[0] == "TY  - DATA" and lines[-1] == "ER  - "
    return {line[:2]: line[6:] for line in lines}


@pytest.mark.parametrize(("suffix", "media_type"), TYPES.items())
def test_each_form_by_suffix_by_format_and_by_accept(client, suffix, media_type):
    by_suffix = client.get(LAB + suffix)
    assert (by_suffix.status_code, by_suffix.mimetype) == (200, media_type) and by_suffix.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get(LAB, query_string={"format": suffix[1:]}).data == client.get(LAB, headers={"Accept": media_type}).data == by_suffix.data
    assert client.get(LAB + suffix, headers={"If-None-Match": by_suffix.headers["ETag"]}).status_code == 304


def test_all_forms_say_the_same(client):
    address = f"http://localhost/release/{RELEASE}/doc/practice/living-lab"
    text = client.get(LAB).data.decode().strip()
    assert text == (
        "kvgraph curators. (2026, November 22). Living lab of the harbour [Practice]. "
        f"In kvgraph: An open knowledge graph of knowledge valorisation (Release {RELEASE}) [Data set]. {address}"
    )
    kind, key, fields = bibtex(client.get(LAB + ".bib").data.decode())
    assert (kind, fields["title"], fields["url"], fields["year"], fields["month"]) == ("misc", "{Living lab of the harbour}", address, "2026", "nov")
    assert fields["author"] == "{kvgraph curators}" and fields["version"] == RELEASE
    [item] = json.loads(client.get(LAB + ".json").data)
    assert item["type"] == "dataset" and item["id"] == key and item["title"] == "Living lab of the harbour" and item["URL"] == address
    assert item["author"] == [{"literal": "kvgraph curators"}] and item["issued"] == {"date-parts": [[2026, 11, 22]]} and item["version"] == RELEASE
    # Fields of the schema csl-data.json 1.0.2 that are text there.
    assert set(item) <= {"id", "type", "title", "author", "issued", "version", "publisher", "URL", "container-title", "genre"}
    record = ris(client.get(LAB + ".ris").data.decode())
    assert (record["TI"], record["UR"], record["PY"], record["DA"]) == ("Living lab of the harbour", address, "2026", "2026/11/22")


def test_the_page_shows_them_and_links_to_them(client):
    text = client.get("/doc/practice/living-lab", headers={"Accept": "text/html"}).data.decode()
    page = check(text)
    assert client.get(LAB).data.decode().strip() in text
    assert {f"{LAB}{suffix}" for suffix in (".bib", ".json", ".ris")} <= set(page.links)


def test_a_reference_leads_to_the_release_that_was_read(bundled_client, bundled):
    [item] = json.loads(bundled_client.get("/cite/practice/national-ip-protocol.json").data)
    pinned = bundled_client.get(item["URL"].removeprefix("http://localhost"), headers={"Accept": "text/html"})
    assert pinned.status_code == 200 and item["title"] in pinned.data.decode() and bundled.release.id in item["URL"]
    assert item["URL"] in pinned.data.decode(), "the pinned page cites itself"


@pytest.mark.parametrize("title", WICKED)
def test_a_wicked_title_breaks_no_format(title):
    found = Citation(" ".join(title.split()), "practice", "2026-11-22-a_b", date(2026, 11, 22), "https://kv.example/release/2026-11-22-a_b/doc/practice/%7Bx%7D")
    _, key, fields = bibtex(found.bibtex)
    assert re.fullmatch(r"[A-Za-z0-9-]+", key)
    assert not re.search(r"(?<!\\)[&%$#_]", fields["title"]), "LaTeX would take it for a command"
    assert json.loads(found.csl_json)[0]["title"] == found.title and ris(found.ris)["TI"] == found.title


def test_hostile_titles_of_the_data_are_cited(client):
    for suffix, read in ((".bib", bibtex), (".json", json.loads), (".ris", ris)):
        assert read(client.get("/cite/practice/hostile" + suffix).data.decode())
    assert client.get("/cite/actor/without-label.txt").status_code == 200


@pytest.mark.parametrize("path", ["/cite/practice/nobody.bib", "/cite/x", "/cite/practice/a b<c>.json", "/cite/practice/%22%7B%7D.ris"])
def test_what_is_unknown_is_404(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("how", [{"headers": {"Accept": "text/html"}}, {"headers": {"Accept": "image/png"}}, {"query_string": {"format": "endnote"}}])
def test_what_is_unknown_is_404_in_whatever_form_it_is_wanted(client, how):
    assert client.get("/cite/practice/nope", **how).status_code == 404


@pytest.mark.parametrize("accept", ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9"])
def test_a_browser_gets_plain_text(client, accept):
    answer = client.get(LAB, headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (200, "text/plain") and answer.data == client.get(LAB).data


def test_the_citation_of_a_release_is_that_of_a_data_set(client, invented):
    found = Citation.of(invented.release, "https://kv.example/")
    assert found.url == f"https://kv.example/release/{RELEASE}/" and "[Data set]" in found.text and " In kvgraph" not in found.text
    assert bibtex(found.bibtex)[2]["title"].startswith("{kvgraph: ") and ID not in found.bibtex


def test_an_unknown_form_is_refused_with_those_there_are(client):
    refused = client.get(LAB + "?format=endnote")
    assert refused.status_code == 400 and b"bib" in refused.data
    assert client.get(LAB, headers={"Accept": "image/png"}).status_code == 406
