"""Releases you can cite: the pages about them, any address pinned to one, what changed from one to the next."""

import json
import re
import shutil
from urllib.parse import urlsplit

import pyoxigraph as ox
import pytest

from kvgraph import changes, releases
from kvgraph import open as open_graph
from kvgraph.build import build
from kvgraph.namespaces import BASE, ID
from kvgraph.server import create_app
from kvgraph.server.changes import Comparison

from .conftest import SMALL
from .server.html import Page, check

HTML = {"Accept": "text/html"}
LAB = ID + "practice/living-lab"
SECOND_TITLE = "Harbour lab"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with two releases: the second calls the practice otherwise and saw its page at another time."""
    home, data = tmp_path_factory.mktemp("two"), tmp_path_factory.mktemp("data") / "small"
    shutil.copytree(SMALL, data)
    build(home, data=data)
    lab = data / "living-lab.trig"
    text = lab.read_text(encoding="utf-8").replace("Living lab of the harbour", SECOND_TITLE)
    lab.write_text(text.replace('"2026-11"', '"2026-10"'), encoding="utf-8")
    build(home, data=data)
    return home


@pytest.fixture(scope="module")
def ids(home):
    return [release.id for release in releases.list_releases(home)]


@pytest.fixture(scope="module")
def client(home, ids):
    loaded = {release_id: open_graph(home, release_id) for release_id in ids}

    def graphs(release_id=None):
        return loaded[releases.readable(releases.find(home, release_id)).id if release_id else ids[-1]]

    return create_app(graphs, {"CHANGED_THINGS": 2}).test_client()


# Pages


def test_an_address_in_a_release_of_an_older_kvgraph_says_so(client, ids, monkeypatch):
    monkeypatch.setattr(releases, "FORMAT", releases.FORMAT + 1)
    for address in (f"/release/{ids[0]}/search?q=lab", f"/release/{ids[0]}/sparql?query=ASK%7B%7D"):
        answer = client.get(address, headers=HTML)
        assert answer.status_code == 404 and "was built by an older kvgraph" in answer.text and "kvgraph build" in answer.text
    assert client.get(f"/release/{ids[0]}/", headers=HTML).status_code == 200, "its own page and its dumps stay"


def test_releases_are_listed_newest_first(client, ids):
    page = check(client.get("/releases", headers=HTML).text)
    assert [link for link in page.links if re.fullmatch(r"/release/[^.]+/", link)][: len(ids)] == [f"/release/{i}/" for i in reversed(ids)]
    assert f"/release/{ids[0]}..{ids[1]}" in page.links


def test_a_release_says_what_it_is_and_how_to_cite_it(client, home, ids):
    release = releases.find(home, ids[0])
    text = client.get(f"/release/{ids[0]}/", headers=HTML).text
    check(text)
    built = release.manifest["built"]
    for expected in (ids[0], built[:10], release.manifest["digest"], f"(Release {ids[0]}) [Data set]. http://localhost/release/{ids[0]}/", "@misc{kvgraph-"):
        assert expected in text
    assert f"/dumps/{ids[0]}/kvgraph.nq.gz" in text and f"/release/{ids[0]}..{ids[1]}" in text


def test_a_release_is_described_as_json_too(client, home, ids):
    answer = client.get(f"/release/{ids[0]}/", headers={"Accept": "application/json"})
    assert answer.json == releases.find(home, ids[0]).manifest and answer.headers["Access-Control-Allow-Origin"] == "*"


def test_what_rdf_says_of_a_release_is_in_its_catalogue(client, ids):
    """The catalogue calls the release a dataset: its address leads programs there."""
    answer = client.get(f"/release/{ids[0]}/", headers={"Accept": "text/turtle"}, follow_redirects=True)
    assert answer.history[0].status_code == 303 and answer.request.path == f"/release/{ids[0]}/catalog.ttl"
    dataset = ox.NamedNode(f"http://localhost/release/{ids[0]}")
    assert any(q.subject == dataset for q in ox.parse(answer.data, format=ox.RdfFormat.TURTLE))


def test_the_address_of_a_release_ends_in_a_slash(client, ids):
    answer = client.get(f"/release/{ids[0]}")
    assert (answer.status_code, answer.location) == (308, f"/release/{ids[0]}/")


@pytest.mark.parametrize("address", ["/release/nope/", "/release/nope/search", "/release/nope..{0}", "/release/{0}..nope", "/release/nope/doc/practice/living-lab"])
def test_an_unknown_release_is_not_found_and_the_known_ones_are_named(client, ids, address):
    answer = client.get(address.format(*ids))
    assert answer.status_code == 404 and all(i in answer.json["hint"] for i in ids)
    page = check(client.get(address.format(*ids), headers=HTML).text)
    assert "/search" in page.links or "/" in page.links


@pytest.mark.parametrize("name", ["..", "...", "%2e%2e%2fapp.db..x", "x" * 300 + "..y", "a..b..c", "{0}..", "..{0}"])
def test_no_hostile_pair_leads_anywhere(client, ids, name):
    assert client.get(f"/release/{name.format(*ids)}").status_code == 404


# Pinned addresses


@pytest.mark.parametrize(
    "path", ["search?q=lab", "doc/practice/living-lab", "questions", "questions/practices-per-country", "sparql", "connections", "def/kv", "docs", "catalog", "dumps/"]
)
def test_every_link_in_a_pinned_page_stays_pinned(client, ids, path):
    prefix = f"/release/{ids[0]}/"
    answer = client.get(prefix + path, headers=HTML)
    page = Page(answer.text)
    local = [link for link in page.links if link.startswith("/")]
    left = {link for link in local if not link.startswith(prefix)}
    assert len(local) > 10 and {link for link in left if not link.startswith(("/releases", "/status", "/changes", "/account", "/contribute"))} == set()
    assert set(re.findall(r'action="([^"]*)"', answer.text)) <= {prefix + name for name in ("search", "sparql", "connections", *[path.partition("?")[0]])}
    assert f'<http://localhost/{path}>; rel="canonical"' in answer.headers.getlist("Link")


def test_a_crawl_from_a_pinned_page_never_leaves_the_release(client, ids):
    prefix = f"/release/{ids[0]}/"
    waiting, seen = [prefix + "doc/practice/living-lab"], set()
    while waiting and len(seen) < 60:
        address = waiting.pop(0)
        answer = client.get(address, headers=HTML, follow_redirects=True)
        seen.add(address)
        assert answer.status_code == 200, address
        if answer.mimetype == "text/html":
            found = {link.partition("#")[0] for link in Page(answer.text).links if link.startswith(prefix) and "/dumps/" not in link}
            waiting += sorted(found - seen - set(waiting))
    assert len(seen) > 30


def test_pinned_answers_come_from_that_release(client, ids):
    def title(prefix):
        return client.get(f"{prefix}/doc/practice/living-lab", headers=HTML).text

    assert SECOND_TITLE in title("") and SECOND_TITLE in title(f"/release/{ids[1]}")
    assert SECOND_TITLE not in title(f"/release/{ids[0]}") and "Living lab of the harbour" in title(f"/release/{ids[0]}")
    query = {"query": f'ASK {{ <{LAB}> ?p "{SECOND_TITLE}"@en }}', "format": "json"}
    assert [client.get(f"/release/{i}/sparql", query_string=query).get_json(force=True)["boolean"] for i in ids] == [False, True]


def test_pinned_data_may_be_kept_for_good_and_pages_for_a_day(client, ids):
    data = client.get(f"/release/{ids[0]}/doc/practice/living-lab.ttl")
    assert data.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = client.get(f"/release/{ids[0]}/doc/practice/living-lab.ttl", headers={"If-None-Match": data.headers["ETag"]})
    assert again.status_code == 304
    page = client.get(f"/release/{ids[0]}/doc/practice/living-lab", headers=HTML)
    assert page.headers["Cache-Control"] == "public, max-age=86400"
    assert client.get("/doc/practice/living-lab.ttl").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["doc/practice/nothing", "sparql?query=SELECT"])
def test_a_pinned_error_is_not_kept(client, ids, path):
    answer = client.get(f"/release/{ids[0]}/{path}")
    assert answer.status_code >= 400 and answer.headers["Cache-Control"] == "no-store"


def test_an_answer_that_changes_with_time_is_not_kept(client, ids):
    answer = client.get(f"/release/{ids[0]}/sparql", query_string={"query": "SELECT (NOW() AS ?now) {}", "format": "csv"})
    assert answer.status_code == 200 and "immutable" not in answer.headers["Cache-Control"]


def test_links_and_redirects_of_pinned_answers_stay_pinned(client, ids):
    prefix = f"/release/{ids[0]}"
    see_other = client.get(f"{prefix}/id/practice/living-lab")
    assert (see_other.status_code, urlsplit(see_other.location).path) == (303, f"{prefix}/doc/practice/living-lab")
    links = client.get(f"{prefix}/doc/practice/living-lab.ttl").headers.getlist("Link")
    assert f'<{prefix}/doc/practice/living-lab.jsonld>; rel="alternate"; type="application/ld+json"' in links
    assert not [link for link in links if link.startswith(("</doc", f"<{prefix}{prefix}"))]


@pytest.mark.parametrize("path", ["status", "metrics", "healthz", "releases", "release/{1}/search"])
def test_what_is_about_the_server_is_not_pinned(client, ids, path):
    assert client.get(f"/release/{ids[0]}/{path.format(*ids)}").status_code == 404


def test_a_post_to_a_pinned_endpoint_is_answered(client, ids):
    answer = client.post(f"/release/{ids[0]}/sparql", data="ASK {}", content_type="application/sparql-query")
    assert answer.status_code == 200 and "immutable" not in answer.headers["Cache-Control"]


# What changed


def test_changes_are_told_thing_by_thing(home, ids):
    old, new = (releases.find(home, i) for i in ids)
    found = changes.changes(old.nquads, new.nquads)
    [lab] = [change for change in found if change.iri == LAB]
    assert (lab.kind, lab.label) == ("changed", SECOND_TITLE)
    assert [line for line in lab.added if f'"{SECOND_TITLE}"' in line] and [line for line in lab.removed if '"Living lab of the harbour"' in line]
    assert [line for line in lab.added if "/graph/practice/living-lab/" in line and '"2026-10"' in line], "what is said about its graphs is listed with it"


def test_there_and_back_is_the_same_turned_round(home, ids):
    old, new = (releases.find(home, i).nquads for i in ids)
    there, back = changes.changes(old, new), changes.changes(new, old)
    assert {(c.iri, *c.added) for c in there} == {(c.iri, *c.removed) for c in back}
    assert changes.changes(old, old) == []


def write_dump(path, *lines):
    import gzip

    path.write_bytes(gzip.compress("".join(sorted(f"{line} .\n" for line in lines)).encode()))
    return path


def test_added_removed_and_changed_things(tmp_path):
    """A participation goes with its practice, the graph about a law with the law; an object is never taken for a graph."""
    label = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
    practice, part = f"<{ID}practice/a>", f"<{ID}participation/a--x--lead>"
    law, graph = "<http://data.europa.eu/eli/reco/2022/2415/oj>", f"<{BASE}graph/policy/32022h2415/stated-1>"
    old = write_dump(tmp_path / "old", f'{practice} {label} "A"@en', f'<{ID}actor/gone> {label} "Gone"', f'{law} {label} "L" {graph}', f'{law} {label} "L"')
    new = write_dump(
        tmp_path / "new", f'{practice} {label} "A"@en', f'<{ID}actor/new> {label} "New"@en', f"{part} <http://e/p> {practice}",
        f"{part} <http://e/p> {practice} {graph}", f'{law} {label} "L" {graph}', f'{law} {label} "L"', f"{graph} <http://e/p> {law}",
    )  # fmt: skip
    found = [(c.kind, c.iri, c.label, len(c.removed), len(c.added)) for c in changes.changes(old, new)]
    assert found == [
        ("added", f"{ID}actor/new", "New", 0, 1),
        ("removed", f"{ID}actor/gone", "Gone", 1, 0),
        ("changed", f"{ID}practice/a", "A", 0, 1),
        ("changed", law[1:-1], "L", 0, 1),
    ]


@pytest.mark.parametrize("format", [ox.RdfFormat.N_QUADS, ox.RdfFormat.TRIG, ox.RdfFormat.JSON_LD])
def test_the_command_line_and_the_page_agree(home, ids, client, format):
    difference = releases.diff(home, *ids)
    answer = client.get(f"/release/{ids[0]}..{ids[1]}.{format.file_extension}")
    assert answer.mimetype == format.media_type
    graphs = {"added": set(), "removed": set()}
    for quad in ox.parse(answer.data, format=format):
        if isinstance(quad.graph_name, ox.NamedNode):
            graphs[quad.graph_name.value.rpartition("#")[2]].add(f"{quad.triple} .")
    assert graphs == {"added": set(difference.added), "removed": set(difference.removed)} and difference.added


@pytest.mark.parametrize(("accept", "media_type"), [("application/trig", "application/trig"), ("application/n-quads", "application/n-quads"), ("application/ld+json", "application/ld+json"), ("text/html", "text/html")])
def test_changes_by_accept(client, ids, accept, media_type):
    answer = client.get(f"/release/{ids[0]}..{ids[1]}", headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (200, media_type) and answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_version_of_the_ontology_leads_to_it(client):
    [version] = re.findall(r"owl:versionIRI <https://w3id.org/kvgraph(/[^>]*)>", client.get("/def/kv.ttl").text)
    assert client.get(version).status_code == 303 and client.get(version).location == "/def/kv"
    assert client.get("/def/kv/0.0.0").status_code == 404


def test_a_format_that_cannot_hold_two_graphs_is_not_acceptable(client, ids):
    answer = client.get(f"/release/{ids[0]}..{ids[1]}", headers={"Accept": "text/turtle"})
    assert answer.status_code == 406 and "application/trig" in answer.json["detail"]


def test_the_pages_of_changes_hold_everything_once(client, home, ids):
    total = len(changes.changes(*(releases.find(home, i).nquads for i in ids)))
    assert total > 2
    names = []
    for page in range(1, -(-total // 2) + 1):
        text = client.get(f"/release/{ids[0]}..{ids[1]}?page={page}", headers=HTML).text
        check(text)
        names += re.findall(r'<p class="name">(.*?)</p>', text)
    assert len(names) == len(set(names)) == total
    shown = sum(client.get(f"/release/{ids[0]}..{ids[1]}?show={kind}", headers=HTML).text.count('<p class="name">') for kind in ("added", "removed"))
    assert shown <= total


@pytest.mark.parametrize("asked", ["page=0", "page=-1", "page=x", "page=99999999", "page=1e9", "show=nothing", "show=%00&page=２"])
def test_odd_pages_of_changes(client, ids, asked):
    check(client.get(f"/release/{ids[0]}..{ids[1]}?{asked}", headers=HTML).text)


def test_a_comparison_is_made_once(client, home, ids):
    address = f"/release/{ids[0]}..{ids[1]}"
    first = client.get(address, headers=HTML).data
    [kept] = (home / "cache" / "changes").glob(f"{ids[0]}..{ids[1]}.*.jsonl")
    head, *things = kept.read_text(encoding="utf-8").splitlines()
    assert sum(json.loads(head)["counts"].values()) == len(things)
    kept.touch()
    made = kept.stat().st_mtime_ns
    assert client.get(address, headers=HTML).data == first and kept.stat().st_mtime_ns == made


def test_thousands_of_changes_are_paged_quickly(tmp_path, home, ids):
    """A page reads what it shows: the last of 20,000 things costs no more than a look through the file."""
    import time

    path = tmp_path / "many.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        file.write("{}\n")
        for n in range(20_000):
            line = f'<{ID}actor/a{n}> <http://e/p> "{n}" .'
            file.write(json.dumps({"iri": f"{ID}actor/a{n}", "kind": "added", "removed": [], "added": [line], "label": f"A{n}", "lang": "en"}) + "\n")
    found = Comparison({"added": 20_000, "removed": 0, "changed": 0}, {"added": 20_000, "removed": 0}, path)
    began = time.process_time()
    assert [thing.shown.text for thing in found.shown("", 19_990, 50)] == [f"A{n}" for n in range(19_990, 20_000)]
    assert time.process_time() - began < 2


def test_what_was_removed_is_read_where_it_still_is(tmp_path):
    path = tmp_path / "2026-01-01-aaaaaaaa..2026-01-02-bbbbbbbb.1.jsonl"
    line = f"<{ID}actor/gone> <http://www.w3.org/ns/org#subOrganizationOf> <{ID}actor/gone-too> ."
    change = {"iri": f"{ID}actor/gone", "kind": "removed", "removed": [line], "added": [], "label": "Gone", "lang": "en"}
    path.write_text("{}\n" + json.dumps(change) + "\n", encoding="utf-8")
    [thing] = Comparison({"added": 0, "removed": 1, "changed": 0}, {"added": 0, "removed": 1}, path).shown("", 0, 5)
    assert thing.shown.href == "/release/2026-01-01-aaaaaaaa/doc/actor/gone"
    assert thing.statements[0].value.href == "/release/2026-01-01-aaaaaaaa/doc/actor/gone-too"
