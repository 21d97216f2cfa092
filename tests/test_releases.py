"""Releases: listed, switched, compared, pruned."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import kvgraph
from kvgraph import releases
from kvgraph.build import build
from kvgraph.cli import main
from kvgraph.doctor import examine
from kvgraph.errors import KvgraphError
from kvgraph.serve import Settings, serve

from .conftest import SMALL


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home with two releases, and the data of the second one, which calls the practice otherwise. Not to be changed."""
    folder = tmp_path_factory.mktemp("two")
    data = Path(shutil.copytree(SMALL, folder / "data"))
    first = build(folder / "home", data=data).release.id
    lab = data / "living-lab.trig"
    lab.write_text(lab.read_text(encoding="utf-8").replace("Living lab of the harbour", "Harbour lab"), encoding="utf-8")
    return folder, first, build(folder / "home", data=data).release.id


@pytest.fixture
def two(built, tmp_path):
    """A copy of that home, and its releases."""
    folder, first, second = built
    home = Path(shutil.copytree(folder / "home", tmp_path / "home", symlinks=True))
    return home, releases.find(home, first), releases.find(home, second)


def test_no_release_says_which_command_makes_one(tmp_path):
    with pytest.raises(releases.NoRelease, match="kvgraph build"):
        releases.current(tmp_path)


def test_switching_back_and_forth(two):
    home, first, second = two
    assert releases.current(home).id == second.id
    releases.switch(home, first.id)
    assert releases.current(home).id == first.id
    assert {r.id for r in releases.list_releases(home)} == {first.id, second.id}


@pytest.mark.parametrize("release_id", ["nope", "../releases", "", ".hidden", "a/b", "x" * 200, "a\0b"])
def test_an_unknown_release_is_refused_with_those_that_exist(two, release_id):
    home, first, second = two
    with pytest.raises(releases.NoRelease, match=first.id):
        releases.switch(home, release_id)
    assert releases.current(home).id == second.id


@pytest.mark.parametrize("damage", [lambda dump: dump.unlink(), lambda dump: dump.write_bytes(dump.read_bytes()[:500]), lambda dump: dump.write_bytes(b"no gzip")])
def test_a_damaged_release_says_so_when_it_is_opened(two, damage):
    home, _, second = two
    damage(second.nquads)
    with pytest.raises(KvgraphError, match=f"{second.id} is damaged") as caught:
        kvgraph.open(home)
    assert "kvgraph build" in caught.value.hint and str(home) not in caught.value.message


def reformat(release, format):
    """Make a release one of another kvgraph; None is from before formats had numbers."""
    path = release.path / "manifest.json"
    manifest = {**json.loads(path.read_text(encoding="utf-8")), "format": format}
    path.write_text(json.dumps({name: value for name, value in manifest.items() if value is not None}), encoding="utf-8")


@pytest.mark.parametrize("format, said", [(None, "an older kvgraph"), (releases.FORMAT - 1, "an older kvgraph"), (releases.FORMAT + 1, "a newer kvgraph")])
def test_a_release_of_another_kvgraph_is_not_read_and_says_what_to_do(two, format, said):
    home, first, second = two
    reformat(first, format)
    reformat(second, format)
    for attempt in (lambda: kvgraph.open(home), lambda: kvgraph.open(home, first.id), lambda: releases.switch(home, first.id), lambda: serve(Settings(home))):
        with pytest.raises(releases.OtherFormat, match=f"was built by {said}") as caught:
            attempt()
        assert "uild again with: kvgraph build" in caught.value.hint
    assert [f.state for f in examine(home) if f.subject == "release"] == ["wrong"]
    done = CliRunner().invoke(main, ["search", "lab", "--home", str(home)])
    assert done.exit_code == 1 or done.exit_code == 3
    assert f"was built by {said}" in done.output and "kvgraph build" in done.output
    assert releases.diff(home, first.id, second.id).added, "what is in the dumps can be compared all the same"


def test_what_another_kvgraph_built_is_built_again(two, built):
    home, first, second = two
    reformat(second, None)
    again = build(home, data=built[0] / "data")
    assert again.fresh and again.release.id not in (first.id, second.id)
    assert len(list(kvgraph.open(home, again.release.id).search("lab").hits)) > 0


def test_releases_built_within_one_second_are_listed_in_their_order(two):
    home, *before = two
    for release, millisecond in zip(before, ("100", "099")):
        manifest = json.loads((release.path / "manifest.json").read_text(encoding="utf-8"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", manifest["built"])
        manifest["built"] = f"2026-11-28T12:00:00.{millisecond}+00:00"
        (release.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert [r.id for r in releases.list_releases(home)] == [r.id for r in reversed(before)]


def test_diff_shows_what_was_removed_and_added(two):
    home, first, second = two
    found = releases.diff(home, first.id, second.id)
    assert [line for line in found.removed if "Living lab of the harbour" in line]
    assert [line for line in found.added if "Harbour lab" in line]
    assert len(found.removed) == len(found.added) == 1


def test_prune_keeps_the_newest_and_the_current(two, built):
    home, first, second = two
    releases.switch(home, first.id)
    third = build(home, data=built[0] / "data", force=True).release
    releases.switch(home, first.id)
    assert releases.prune(home, keep=1) == [second.id]
    assert {r.id for r in releases.list_releases(home)} == {first.id, third.id}


def test_prune_never_deletes_everything(two):
    with pytest.raises(KvgraphError, match="At least one"):
        releases.prune(two[0], keep=0)


def test_a_rolled_back_home_builds_forward_again(two, built):
    home, first, second = two
    releases.switch(home, first.id)
    again = build(home, data=built[0] / "data")
    assert not again.fresh and releases.current(home).id == second.id
