"""The event stream: who replays it from the beginning has the current release, exactly; nothing that was said there is ever changed."""

import gzip
import re
import shutil
from types import SimpleNamespace

import pyoxigraph as ox
import pytest

from kvgraph import event_stream, releases
from kvgraph import open as open_graph
from kvgraph.build import build
from kvgraph.namespaces import BASE, DCTERMS, ID, PROV, RDF
from kvgraph.server import create_app
from kvgraph.server.event_stream import LDES, TREE

from .conftest import SMALL
from .server.html import check

LAB = ID + "practice/living-lab"


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A home in which three releases became current and then the first one again, and what each event left on the disk."""
    home, data = tmp_path_factory.mktemp("streamed"), tmp_path_factory.mktemp("data") / "small"
    shutil.copytree(SMALL, data)
    ids, kept = [build(home, data=data).release.id], []
    kept.append({page: event_stream.page_path(home, page).read_bytes() for page in event_stream.read_log(home).pages})
    lab = data / "living-lab.trig"
    text = lab.read_text(encoding="utf-8")
    lab.write_text(text.replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
    ids.append(build(home, data=data).release.id)
    lab.unlink()
    ids.append(build(home, data=data).release.id)
    releases.switch(home, ids[0])
    event_stream.append(home)
    return SimpleNamespace(home=home, ids=[*ids, ids[0]], first=kept[0])


@pytest.fixture(scope="module")
def client(followed):
    graph = open_graph(followed.home)
    return create_app(lambda release_id=None: graph).test_client()


def quads(client, address):
    return list(ox.parse(client.get(address, headers={"Accept": "application/n-quads"}).data, format=ox.RdfFormat.N_QUADS))


def pages_of(client):
    """The pages that the root names, with the two bounds of their times."""
    root = ox.Store()
    root.extend(quads(client, "/changes"))
    found = {}
    for quad in root.quads_for_pattern(None, ox.NamedNode(TREE + "node"), None):
        [value] = root.quads_for_pattern(quad.subject, ox.NamedNode(TREE + "value"), None)
        found.setdefault(quad.object.value, set()).add(value.object.value)
    return found


def replay(client, events=None):
    """What a follower holds that has read the first ``events`` of the stream."""
    times = pages_of(client)
    moments = sorted({min(bounds) for bounds in times.values()})[:events]
    copy = {}
    for page in sorted(times, key=lambda page: int(page.rpartition("/")[2])):
        if min(times[page]) not in moments:
            continue
        versions, things, deleted = {}, {}, set()
        for quad in quads(client, page):
            if quad.graph_name != ox.DefaultGraph():
                versions.setdefault(quad.graph_name, []).append(quad.triple)
            elif quad.predicate.value == DCTERMS + "isVersionOf":
                versions.setdefault(quad.subject, [])
                things[quad.subject] = quad.object
            elif quad.object == ox.NamedNode(event_stream.DELETE):
                deleted.add(quad.subject)
        assert {member for member, triples in versions.items() if not triples} == deleted
        copy |= {things[member]: triples for member, triples in versions.items()}
    triples = [triple for held in copy.values() for triple in held]
    assert len(triples) == len(set(triples)), "a statement belongs to one thing"
    return set(triples)


def merge_of(home, release_id):
    with gzip.open(releases.find(home, release_id).nquads) as file:
        return {q.triple for q in ox.parse(file, format=ox.RdfFormat.N_QUADS) if q.graph_name == ox.DefaultGraph()}


@pytest.mark.parametrize("events", [1, 2, 3, 4])
def test_a_follower_has_the_release_of_each_event(client, followed, events):
    # No blank nodes in the data: isomorphic is equal.
    assert replay(client, events) == merge_of(followed.home, followed.ids[events - 1])


def test_a_follower_of_the_bundled_data_has_the_release(bundled_home):
    graph = open_graph(bundled_home)
    client = create_app(lambda release_id=None: graph).test_client()
    assert len(pages_of(client)) > 10
    assert replay(client) == merge_of(bundled_home, graph.release.id)


def test_what_changed_and_nothing_else_has_a_new_version(followed):
    created, updated, deleted, again = event_stream.read_log(followed.home).events
    assert created.created > 5 and (created.updated, created.deleted) == (0, 0) and created.before is None
    assert updated.updated == 1 and updated.before == created.release
    page = list(event_stream.read_page(followed.home, deleted.first))
    gone = {q.subject for q in page if q.object == ox.NamedNode(event_stream.DELETE)}
    names = {q.object.value for q in page if q.subject in gone and q.predicate.value == DCTERMS + "isVersionOf"}
    assert names == {LAB, *(f"{ID}actor/{slug}" for slug in ("fjord-institute", "harbour-university", "kvgraph-curators"))}  # the file held them all
    assert again.created == 4 and again.release == created.release
    assert created.at < updated.at < deleted.at < again.at


def test_pages_never_change(followed):
    assert followed.first and all(event_stream.page_path(followed.home, page).read_bytes() == content for page, content in followed.first.items())


def test_nothing_new_adds_nothing(followed):
    before = event_stream.read_log(followed.home)
    assert event_stream.append(followed.home) == 0
    assert event_stream.read_log(followed.home) == before


@pytest.mark.parametrize("when", ["_write", "_replace", "_publish"])
def test_killed_at_any_moment_the_next_append_adds_what_is_missing(followed, tmp_path, monkeypatch, when):
    home = shutil.copytree(followed.home, tmp_path / "home", symlinks=True)
    releases.switch(home, followed.ids[1])
    before, count = event_stream.read_log(home), 0
    original = getattr(event_stream, when)
    for stop in range(4):
        count = 0

        def killed(*args, stop=stop):
            nonlocal count
            count += 1
            if count > stop:
                raise KeyboardInterrupt
            return original(*args)

        with monkeypatch.context() as patch:
            patch.setattr(event_stream, when, killed)
            try:
                event_stream.append(home)
            except KeyboardInterrupt:
                assert event_stream.read_log(home) == before
    event_stream.append(home)
    graph = open_graph(home)
    assert replay(create_app(lambda release_id=None: graph).test_client()) == merge_of(home, followed.ids[1])


def test_the_root_says_what_a_client_needs(client):
    said = {(q.predicate.value, q.object.value) for q in quads(client, "/changes") if q.subject == ox.NamedNode("http://localhost/changes")}
    for expected in (
        (RDF + "type", LDES + "EventStream"),
        (LDES + "timestampPath", PROV + "generatedAtTime"),
        (LDES + "versionOfPath", DCTERMS + "isVersionOf"),
        (LDES + "versionDeletePath", RDF + "type"),
        (LDES + "versionDeleteObject", "https://www.w3.org/ns/activitystreams#Delete"),
        (TREE + "view", "http://localhost/changes"),
        (LDES + "retentionPolicy", "http://localhost/changes#retention"),
    ):
        assert expected in said
    assert not any(q.subject.value.startswith(BASE) for q in quads(client, "/changes"))


def test_members_lie_within_the_bounds_of_their_page(client):
    for page, bounds in pages_of(client).items():
        times = {q.object.value for q in quads(client, page) if q.predicate.value == PROV + "generatedAtTime" and q.graph_name == ox.DefaultGraph()}
        assert times == bounds and len(times) == 1


@pytest.mark.parametrize("accept, type_", [("application/trig", "application/trig"), ("application/ld+json", "application/ld+json"), ("*/*", "application/trig")])
def test_a_page_comes_in_every_format_that_holds_graphs(client, accept, type_):
    response = client.get("/changes/1", headers={"Accept": accept})
    assert response.mimetype == type_ and "immutable" in response.headers["Cache-Control"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    format = {"application/trig": ox.RdfFormat.TRIG, "application/ld+json": ox.RdfFormat.JSON_LD}[type_]
    assert set(ox.parse(response.data, format=format)) == set(quads(client, "/changes/1"))


def test_a_page_that_cannot_hold_graphs_is_refused(client):
    assert client.get("/changes/1", headers={"Accept": "text/turtle"}).status_code == 406


@pytest.mark.parametrize("address", ["/changes", "/changes/1", "/changes?format=turtle"])
def test_nothing_new_is_304(client, address):
    first = client.get(address)
    assert first.status_code == 200 and first.get_etag()[0] and not first.get_etag()[1]
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""


@pytest.mark.parametrize("address", ["/changes/0", "/changes/99999999999999999999", "/changes/x", "/changes/../../log.json", "/changes/1/"])
def test_what_is_no_page_is_not_found(client, address):
    response = client.get(address, headers={"Accept": "application/json"})
    assert response.status_code == 404 and "Traceback" not in response.text


def test_people_see_what_changed_when(client, followed):
    text = client.get("/changes", headers={"Accept": "text/html"}).text
    page = check(text)
    rows = re.findall(r"<tr>.*?</tr>", text, re.DOTALL)
    assert len(rows) == 1 + 4 and "<h2>4 events</h2>" in text
    assert f"/release/{followed.ids[0]}..{followed.ids[1]}" in page.links


def test_a_home_without_a_stream_says_so(followed, tmp_path):
    home = shutil.copytree(followed.home, tmp_path / "home", symlinks=True)
    shutil.rmtree(home / "stream")
    graph = open_graph(home)
    client = create_app(lambda release_id=None: graph).test_client()
    assert "begins the stream" in client.get("/changes", headers={"Accept": "text/html"}).text
    assert client.get("/changes/1").status_code == 404
    assert pages_of(client) == {}


def test_what_an_earlier_release_had_is_gone_and_what_nobody_had_was_never_there(followed, tmp_path):
    """RFC 9110, section 15.5.11. Who follows an old link learns that it was right once, and where it still leads."""
    home = shutil.copytree(followed.home, tmp_path / "home", symlinks=True)
    first, _, without, _ = followed.ids
    releases.switch(home, without)
    event_stream.append(home)
    client = create_app(lambda release_id=None: open_graph(home, release_id or without)).test_client()
    for path in ("/doc/practice/living-lab", "/doc/practice/living-lab.ttl"):
        answer = client.get(path)
        assert answer.status_code == 410 and f"until release {first}" in answer.json["detail"]
        assert client.get(path.replace("living-lab", "dying-lab")).status_code == 404
    [there] = answer.json["instead"]
    assert there["href"] == f"/release/{first}/doc/practice/living-lab"
    assert client.get(there["href"], headers={"Accept": "text/html"}).status_code == 200
    page = client.get("/doc/practice/living-lab", headers={"Accept": "text/html"}).text
    assert check(page).links and there["href"] in page and "No longer here" in page
    releases.prune(home, 1)
    answer = client.get("/doc/practice/living-lab")
    assert answer.status_code == 410 and "not kept any more" in answer.json["hint"] and "instead" not in answer.json
