"""Build: from sources to a release, or to a clear refusal that leaves everything as it was."""

import gc
import gzip
import json
import os
import signal
import sys
import time

import pyoxigraph as ox
import pytest

from kvgraph import releases, resources
from kvgraph.build import BuildRefused, build
from kvgraph.build.apart import apart, program
from kvgraph.build.read import MalformedSource, inputs_digest, source_files
from kvgraph.build.write import write_indexes_on_disk
from kvgraph.errors import KvgraphError

PRACTICE = "https://w3id.org/kvgraph/id/practice/living-lab"


def change(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_release_holds_what_the_design_says(tmp_path, small_data):
    built = build(tmp_path, data=small_data)
    assert built.fresh and releases.current(tmp_path) == built.release
    present = {p.name for p in built.release.path.iterdir()}
    assert present == {"dumps", "catalogue.ttl", "documents.txt", "search", "connections", "similarity", "regions", "answers", "report.json", "manifest.json", "names"}
    manifest = built.release.manifest
    assert manifest["counts"]["practice"] == 1 and manifest["counts"]["actor"] == 3
    assert manifest["files"]["dumps/kvgraph.nq.gz"]["bytes"] == built.release.nquads.stat().st_size
    assert built.release.report["conforms"] is True


def test_the_default_graph_is_the_merge_without_duplicates(tmp_path, small_data):
    release = build(tmp_path, data=small_data).release
    with gzip.open(release.nquads) as file:
        quads = list(ox.parse(file, format=ox.RdfFormat.N_QUADS))
    merge = [q.triple for q in quads if isinstance(q.graph_name, ox.DefaultGraph)]
    assert len(merge) == len(set(merge))
    assert set(merge) == {q.triple for q in quads if isinstance(q.graph_name, ox.NamedNode)}


def test_nothing_changed_means_no_new_release_and_under_a_second(tmp_path, small_data):
    first = build(tmp_path, data=small_data).release
    began = time.process_time()
    again = build(tmp_path, data=small_data)
    assert not again.fresh and again.release.id == first.id
    assert time.process_time() - began < 1


def test_the_same_content_gives_the_same_bytes(tmp_path, small_data):
    one = build(tmp_path / "a", data=small_data).release
    two = build(tmp_path / "b", data=small_data).release
    assert one.manifest["digest"] == two.manifest["digest"]
    assert one.nquads.read_bytes() == two.nquads.read_bytes()


def test_a_question_that_changed_means_a_new_release(tmp_path, small_data):
    """The examples in the graph are made from the questions."""
    files = source_files(tmp_path, small_data)
    before = inputs_digest(files)
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "new.rq").write_text("#+ summary: Is there anything?\nASK { ?s ?p ?o }\n", encoding="utf-8")
    found = resources.folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kvgraph.resources.folder", lambda name: folder if name == "queries" else found(name))
        assert inputs_digest(files) != before
    assert inputs_digest(files) == before


def test_a_malformed_file_is_named_with_its_line_and_no_release_appears(tmp_path, small_data):
    before = build(tmp_path, data=small_data).release
    change(small_data, "places.trig", "kv:nutsLevel 0 ;", "kv:nutsLevel 0 ; ; oops")
    (small_data / "broken.ttl").write_text("<http://example.org/a> <http://example.org/b> .", encoding="utf-8")
    with pytest.raises(MalformedSource) as caught:
        build(tmp_path, data=small_data)
    assert [(p.file, p.line) for p in caught.value.problems] == [("data/broken.ttl", 1), ("data/places.trig", 15)]
    assert "data/places.trig:15: " in str(caught.value)
    assert releases.current(tmp_path) == before and len(releases.list_releases(tmp_path)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"<http://example.org/g> { <http://example.org/a> <http://example.org/b> [] }", "blank node"),
        (b"<http://example.org/a> <http://example.org/b> 1 .", "outside a named graph"),
    ],
)
def test_what_a_source_file_may_not_hold(tmp_path, small_data, content, message):
    (small_data / "zz.trig").write_bytes(content)
    with pytest.raises(MalformedSource, match=message) as caught:
        build(tmp_path, data=small_data)
    assert caught.value.problems[0].file == "data/zz.trig"


def test_a_byte_order_mark_before_a_record_does_no_harm(tmp_path, small_data):
    path = small_data / "places.trig"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert build(tmp_path, data=small_data).fresh


def test_a_violation_names_file_subject_path_message_and_value(tmp_path, small_data):
    change(small_data, "living-lab.trig", 'schema:startDate "2019"^^xsd:gYear', 'schema:startDate "yesterday"@en')
    with pytest.raises(BuildRefused) as caught:
        build(tmp_path, data=small_data)
    violation = caught.value.violations[0]
    assert violation["file"] == "data/living-lab.trig"
    assert violation["subject"] == PRACTICE
    assert violation["path"].endswith("startDate")
    assert violation["message"] and "yesterday" in violation["value"]
    assert all(part in str(caught.value) for part in ("data/living-lab.trig", PRACTICE, "startDate", "yesterday"))
    with pytest.raises(releases.NoRelease):
        releases.current(tmp_path)


def test_validation_of_a_merge_seen_before_is_not_repeated(tmp_path, small_data, monkeypatch):
    build(tmp_path, data=small_data)
    monkeypatch.setattr("kvgraph.validate.fast", None)
    assert build(tmp_path, data=small_data, force=True).fresh


def test_a_full_disk_leaves_the_current_release(tmp_path, small_data, monkeypatch):
    before = build(tmp_path, data=small_data).release

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kvgraph.build.write.build_index", full)
    with pytest.raises(OSError):
        build(tmp_path, data=small_data, force=True)
    assert releases.current(tmp_path) == before
    assert {p.name for p in (tmp_path / "releases").iterdir()} == {before.id}


def test_what_a_killed_build_left_behind_is_swept(tmp_path, small_data):
    (tmp_path / "releases" / ".2026-01-01-dead.draft").mkdir(parents=True)
    os.symlink("nowhere", tmp_path / ".current-1")
    build(tmp_path, data=small_data)
    assert not list(tmp_path.glob(".current-*")) and not list((tmp_path / "releases").glob(".*"))


def test_sources_of_the_home_are_part_of_the_release(tmp_path, small_data):
    folder = tmp_path / "sources" / "contributions"
    folder.mkdir(parents=True)
    text = (small_data / "living-lab.trig").read_text(encoding="utf-8")
    (small_data / "living-lab.trig").rename(folder / "living-lab.trig")
    assert text and build(tmp_path, data=small_data).release.manifest["counts"]["practice"] == 1


def test_progress_is_told(tmp_path, small_data):
    steps, counts = [], []
    build(tmp_path, data=small_data, step=steps.append, progress=lambda done, total: counts.append((done, total)))
    assert steps == ["read sources", "describe", "validate", "dumps", "indexes", "answers", "publish", "event stream"]
    assert counts[-1][0] == counts[-1][1] > 3


def test_the_report_is_json_of_named_results(small_home):
    report = json.loads((releases.current(small_home).path / "report.json").read_text(encoding="utf-8"))
    assert {"severity", "file", "subject", "path", "message", "value", "shape"} <= report["results"][0].keys()


def test_a_release_built_upon_another_is_the_one_built_from_scratch(tmp_path, small_data):
    """Whatever is taken over from the release before: the same statements, report, dumps and answers as without one."""
    grown, fresh, lab = tmp_path / "grown", tmp_path / "fresh", small_data / "living-lab.trig"
    text = lab.read_text(encoding="utf-8")
    lab.write_text(text.replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
    before = build(grown, data=small_data).release
    (small_data / "sources.ttl").write_text((small_data / "sources.ttl").read_text(encoding="utf-8") + OTHER_SOURCE, encoding="utf-8")
    between = build(grown, data=small_data).release
    lab.write_text(text, encoding="utf-8")
    after, scratch = build(grown, data=small_data).release, build(fresh, data=small_data).release
    assert before.manifest["digest"] != after.manifest["digest"] == scratch.manifest["digest"]
    assert after.report == scratch.report and after.manifest["dumps"] == scratch.manifest["dumps"] and after.manifest["counts"] == scratch.manifest["counts"]
    same = {name: file["sha256"] for name, file in after.manifest["files"].items() if name.startswith(("dumps/", "answers/", "names/", "connections/", "documents"))}
    assert same.items() <= {name: file["sha256"] for name, file in scratch.manifest["files"].items()}.items() and len(same) > 50
    taken = [d["file"] for d in after.manifest["dumps"] if (after.dumps / d["file"]).samefile(between.dumps / d["file"])]
    assert sorted(taken) == ["other.nq.gz", "other.trig.gz", "other.ttl.gz"], "what did not change is not written again, what did is"


OTHER_SOURCE = """
<https://w3id.org/kvgraph/id/source/other> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> "Other"@en ;
    <http://purl.org/dc/terms/publisher> <https://w3id.org/kvgraph/id/actor/harbour-university> ; <http://purl.org/dc/terms/license> <https://creativecommons.org/licenses/by/4.0/> ;
    <http://www.w3.org/ns/dcat#landingPage> <https://example.org/other> .
"""


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_what_ends_a_line_elsewhere_ends_none_here(tmp_path, small_data, separator):
    """Pasted texts hold such characters. In N-Quads only a line feed ends a statement."""
    text = f"The{separator}lab .{separator}"
    change(small_data, "living-lab.trig", "Living lab of the harbour", text)
    release = build(tmp_path, data=small_data).release
    said = [quad.object.value for quad in ox.parse(gzip.open(release.nquads), format=ox.RdfFormat.N_QUADS) if isinstance(quad.object, ox.Literal)]
    assert text in said


def test_work_apart_does_not_tidy_what_was_here_before(capfd):
    class Connection:
        def __del__(self):
            print("closed", os.getpid(), file=sys.stderr, flush=True)

    left = Connection()
    left.itself = left  # only the collector of garbage finds it
    gc.disable()
    del left
    try:
        with apart(gc.collect) as result:
            result()
        assert capfd.readouterr().err == ""
    finally:
        gc.enable()
        gc.collect()
    assert capfd.readouterr().err == f"closed {os.getpid()}\n"


def test_what_work_apart_refuses_is_refused_here(capfd):
    def refuse():
        raise KvgraphError("Not like this.", hint="Otherwise.")

    with apart(refuse) as result, pytest.raises(KvgraphError) as caught:
        result()
    assert (caught.value.message, caught.value.hint) == ("Not like this.", "Otherwise.")
    with apart(lambda: os.stat("/nowhere")) as result, pytest.raises(FileNotFoundError, match="nowhere"):
        result()
    with apart(lambda: os.kill(os.getpid(), signal.SIGKILL)) as result, pytest.raises(KvgraphError, match=r"\(SIGKILL\)"):
        result()
    with apart(lambda: os._exit(3)) as result, pytest.raises(KvgraphError, match=r"\(status 3\)"):
        result()
    assert capfd.readouterr().err == ""


def test_a_program_of_the_build_that_fails_says_so(tmp_path, capfd):
    with program(write_indexes_on_disk, tmp_path / "nothing here", tmp_path) as done, pytest.raises(KvgraphError, match=r"\(status 1\)"):
        done()
    assert "nothing here" in capfd.readouterr().err
