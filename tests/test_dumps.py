"""Dumps: what build writes, and how it is served. Clauses are of RFC 9110 (HTTP semantics)."""

import gzip
import hashlib
import shutil

import pyoxigraph as ox
import pytest

from kvgraph import open as open_graph
from kvgraph import releases
from kvgraph.build import build
from kvgraph.build.dumps import by_source, write_dumps

from .client import client_of

SOURCE = "https://w3id.org/kvgraph/id/source/examples"
FORMATS = {"nq": ox.RdfFormat.N_QUADS, "trig": ox.RdfFormat.TRIG, "ttl": ox.RdfFormat.TURTLE}


@pytest.fixture(scope="module")
def release(small_home):
    return releases.current(small_home)


@pytest.fixture(scope="module")
def client(small_home):
    return client_of(small_home)


def quads(release, file):
    content = gzip.decompress((release.dumps / file).read_bytes())
    return set(ox.parse(content, format=FORMATS[file.split(".")[1]]))


def merge(found):
    return {q.triple for q in found if isinstance(q.graph_name, ox.DefaultGraph)}


# ── What build writes ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_and_each_source_in_three_formats(release):
    files = {d["file"] for d in release.manifest["dumps"]}
    assert files == {f"{name}.{suffix}.gz" for name in ("kvgraph", "examples") for suffix in FORMATS}
    assert {p.name for p in release.dumps.iterdir()} == files | {"SHA256SUMS"}


@pytest.mark.parametrize("name", ["kvgraph", "examples"])
def test_every_format_says_the_same(release, name):
    nquads, trig, turtle = (quads(release, f"{name}.{suffix}.gz") for suffix in FORMATS)
    assert nquads == trig
    assert {q.triple for q in turtle} == merge(nquads) == {q.triple for q in nquads if isinstance(q.graph_name, ox.NamedNode)}


def test_the_dump_is_what_the_endpoint_answers_from(release, small_home):
    assert quads(release, "kvgraph.nq.gz") == set(open_graph(small_home).backend.store)


def test_a_source_has_its_graphs_and_what_is_said_about_them(release):
    found = {q for q in quads(release, "examples.nq.gz") if isinstance(q.graph_name, ox.NamedNode)}
    graphs = {q.graph_name.value.removeprefix("https://w3id.org/kvgraph/graph/") for q in found}
    practice = {f"practice/living-lab/{part}" for part in ("stated-1", "classified", "about")}
    assert graphs == practice | {"places", "places/about", "sources"}


def test_a_graph_of_two_sources_is_in_both():
    lines = b"""
    <x:g> { <x:s> <x:p> 1 }
    <x:about> { <x:g> <http://purl.org/dc/terms/isPartOf> <x:one> , <x:two> . <x:one> a <http://www.w3.org/ns/dcat#Dataset> . <x:two> a <http://www.w3.org/ns/dcat#Dataset> }
    """
    found = by_source(ox.serialize(ox.parse(lines, format=ox.RdfFormat.TRIG), format=ox.RdfFormat.N_QUADS).splitlines(keepends=True))
    assert set(found) == {"x:one", "x:two"}
    assert all(any(line.startswith(b"<x:s> ") for line in part) for part in found.values())


def test_sources_whose_names_look_alike_or_hostile_get_files_of_their_own(tmp_path):
    sources = ["https://w3id.org/kvgraph/id/source/kvgraph", "x:../../a", "x:/a", "x:a b"]
    lines = [f"<{s.replace(' ', '%20')}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> <x:g> .\n".encode() for s in sources]
    dumps = write_dumps(sorted(lines), tmp_path / "dumps")
    assert len({d["file"] for d in dumps}) == 3 * (1 + len(sources))
    assert {p.name for p in (tmp_path / "dumps").iterdir()} == {d["file"] for d in dumps} | {"SHA256SUMS"}
    assert [p.name for p in tmp_path.iterdir()] == ["dumps"]


def test_sizes_and_checksums_are_true(release):
    sums = dict(reversed(line.split("  ")) for line in (release.dumps / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {d["file"] for d in release.manifest["dumps"]}
    for dump in release.manifest["dumps"]:
        content = (release.dumps / dump["file"]).read_bytes()
        assert dump["sha256"] == sums[dump["file"]] == hashlib.sha256(content).hexdigest()
        assert dump["bytes"] == len(content)
        assert dump["triples"] == len(merge(quads(release, dump["file"])))


def test_the_same_content_is_the_same_file(release, tmp_path, small_data):
    again = build(tmp_path, data=small_data).release
    assert again.manifest["dumps"] == release.manifest["dumps"]
    header = (again.dumps / "kvgraph.ttl.gz").read_bytes()[:10]
    assert header[3] == 0 and header[4:8] == b"\0\0\0\0", "no file name and no time (RFC 1952, section 2.3.1)"


# ── How it is served ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def address(release):
    return f"/dumps/{release.id}/kvgraph.nq.gz"


@pytest.fixture(scope="module")
def content(release):
    return release.nquads.read_bytes()


def test_a_file_is_sent_as_it_lies_there(client, address, content, release):
    answer = client.get(address)
    assert answer.status_code == 200 and answer.data == content
    assert answer.headers["Content-Type"] == "application/gzip" and "Content-Encoding" not in answer.headers
    assert answer.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert {"public", "immutable", "max-age=31536000"} <= set(answer.headers["Cache-Control"].split(", "))
    assert answer.headers["Accept-Ranges"] == "bytes" and answer.headers["Access-Control-Allow-Origin"] == "*"


def test_head_says_what_get_would(client, address, content):
    get, head = client.get(address), client.head(address)
    assert head.data == b"" and head.headers["Content-Length"] == str(len(content))
    assert {**head.headers, "Date": ""} == {**get.headers, "Date": ""}


@pytest.mark.parametrize(("asked", "first", "last"), [("bytes=0-99", 0, 99), ("bytes=100-", 100, None), ("bytes=-50", -50, None), ("Bytes=0-0", 0, 0)])
def test_a_part_14_2(client, address, content, asked, first, last):
    answer = client.get(address, headers={"Range": asked})
    wanted = content[first : None if last is None else last + 1]
    assert answer.status_code == 206 and answer.data == wanted
    start = first % len(content)
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(content)}"


def test_parts_make_the_whole(client, address, content):
    got = b""
    while len(got) < len(content):
        got += client.get(address, headers={"Range": f"bytes={len(got)}-{len(got) + 999}"}).data
    assert got == content


@pytest.mark.parametrize("asked", ["items=0-5", "bytes=a-b", "bytes=5-1x", "bytes=0-1,3-4", "0-5", ""])
def test_a_range_that_is_not_understood_is_ignored_14_2(client, address, content, asked):
    answer = client.get(address, headers={"Range": asked})
    assert answer.status_code == 200 and answer.data == content


def test_a_range_beyond_the_end_15_5_17(client, address, content):
    answer = client.get(address, headers={"Range": f"bytes={len(content)}-"})
    assert answer.status_code == 416 and answer.headers["Content-Range"] == f"bytes */{len(content)}"


def test_head_has_no_ranges_14_2(client, address, content):
    answer = client.head(address, headers={"Range": "bytes=0-9"})
    assert answer.status_code == 200 and answer.headers["Content-Length"] == str(len(content))


def test_if_range_13_1_5(client, address, content):
    tag = client.head(address).headers["ETag"]
    same = client.get(address, headers={"Range": "bytes=0-9", "If-Range": tag})
    other = client.get(address, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (same.status_code, same.data) == (206, content[:10])
    assert (other.status_code, other.data) == (200, content)
    date = client.head(address).headers["Last-Modified"]
    said = {f"W/{tag}": 200, date: 206, "Mon, 01 Jan 1990 00:00:00 GMT": 200, "Fri, 01 Jan 2100 00:00:00 GMT": 200}
    assert {s: client.get(address, headers={"Range": "bytes=0-9", "If-Range": s}).status_code for s in said} == said


def test_an_end_longer_than_the_file_is_all_of_it_14_1_2(client, address, content):
    answer = client.get(address, headers={"Range": f"bytes=-{len(content) + 1}"})
    assert (answer.status_code, answer.data) == (206, content)
    assert client.get(address, headers={"Range": "bytes=-" + "9" * 5000}).data == content


def test_conditions_go_before_parts_13_2_2(client, address, content):
    tag = client.head(address).headers["ETag"]

    def status(**fields):
        return client.get(address, headers={"Range": "bytes=0-9", **{name.replace("_", "-"): value for name, value in fields.items()}}).status_code

    assert status(If_None_Match=tag) == 304 and status(If_None_Match='"other"') == 206
    assert status(If_Match=tag) == status(If_Match="*") == 206 and status(If_Match='"other"') == 412
    assert status(If_Unmodified_Since="Mon, 01 Jan 1990 00:00:00 GMT") == 412 and status(If_Unmodified_Since="Fri, 01 Jan 2100 00:00:00 GMT") == 206
    assert status(If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT") == 304 and status(If_Modified_Since="no date") == 206
    endless = "Mon, 01 Jan 99999999999 00:00:00 GMT"
    assert status(If_Modified_Since=endless) == status(If_Unmodified_Since=endless) == 206 and status(If_Range=endless) == 200


def test_if_none_match_13_1_2(client, address):
    tag = client.head(address).headers["ETag"]
    for known in (tag, f"W/{tag}", "*"):
        answer = client.get(address, headers={"If-None-Match": known})
        assert answer.status_code == 304 and answer.headers["Cache-Control"] == client.get(address).headers["Cache-Control"]
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_latest_leads_to_the_release(client, address, release):
    answer = client.get("/dumps/latest/kvgraph.nq.gz")
    assert (answer.status_code, answer.headers["Location"]) == (302, address)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/dumps/latest/").headers["Location"] == "/dumps/"


def test_sums_are_text(client, release):
    answer = client.get(f"/dumps/{release.id}/SHA256SUMS")
    assert answer.mimetype == "text/plain" and answer.data == (release.dumps / "SHA256SUMS").read_bytes()


@pytest.mark.parametrize("file", ["nope.nq.gz", "..%2fmanifest.json", "%2e%2e/manifest.json", "manifest.json", "KVGRAPH.nq.gz", "%00", "x" * 300])
@pytest.mark.parametrize("of", ["latest", None])
def test_what_is_not_listed_is_not_there(client, release, file, of):
    answer = client.get(f"/dumps/{of or release.id}/{file}")
    assert answer.status_code == 404 and b"Traceback" not in answer.data


@pytest.mark.parametrize("release_id", ["nope", "..", "%2e%2e", ".hidden", "current", "x" * 300])
def test_an_unknown_release_is_not_there(client, release_id):
    assert client.get(f"/dumps/{release_id}/kvgraph.nq.gz").status_code == 404


def test_an_older_release_is_served_as_long_as_it_is_here(tmp_path, small_data):
    first = build(tmp_path, data=small_data).release
    path = small_data / "living-lab.trig"
    path.write_text(path.read_text(encoding="utf-8").replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
    second = build(tmp_path, data=small_data).release
    client = client_of(tmp_path)
    assert client.get(f"/dumps/{first.id}/kvgraph.nq.gz").data == first.nquads.read_bytes()
    page = client.get("/dumps/").text
    assert first.id in page and second.id in page
    assert first.nquads.name in client.get(f"/dumps/{first.id}/").text
    shutil.rmtree(first.path)
    assert client.get(f"/dumps/{first.id}/kvgraph.nq.gz").status_code == 404


def test_the_page_shows_every_file_with_size_triples_checksum_and_licence(client, release):
    page = client.get("/dumps/").text
    for dump in release.manifest["dumps"]:
        assert f"/dumps/{release.id}/{dump['file']}" in page and dump["sha256"] in page and f"{dump['triples']:,}" in page
    assert "CC BY 4.0" in page and release.manifest["built"][:10] in page
