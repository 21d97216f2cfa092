"""Validation as contributors meet it: of some files beside everything else, and again whenever they are saved."""

import os
import random
import re

import pytest

from kvgraph import resources
from kvgraph.build.read import source_files
from kvgraph.build.validation import changed, check


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """What the shapes find in the bundled data, and the files."""
    home = tmp_path_factory.mktemp("home")
    return home, source_files(home), check(home)


@pytest.mark.parametrize("folder", ["practices", "learning-examples", "actors", "policies", "principles", "regions"])
def test_what_is_found_in_a_file_is_what_is_found_in_all(everything, folder):
    home, files, results = everything
    remarked = {name for result in results for name in result["file"].split(", ")}
    of_folder = sorted(name for name in files if name.startswith(f"data/{folder}/"))
    name = random.Random(folder).choice([n for n in of_folder if n in remarked] or of_folder)
    assert check(home, (files[name],)) == [r for r in results if name in r["file"].split(", ")]


def test_a_second_record_of_the_same_number_is_found(everything, tmp_path):
    home, files, _ = everything
    twin = tmp_path / "twin.trig"
    twin.write_text(files["data/practices/demola.trig"].read_text(encoding="utf-8").replace("demola", "twin"), encoding="utf-8")
    assert "Another record bears the same identifier: merge the two, or give each its own." in {r["message"] for r in check(home, (twin,))}


def test_files_are_given_when_they_are_saved(tmp_path):
    one, other = tmp_path / "one.trig", tmp_path / "other.trig"
    one.write_text("")
    rounds = changed(lambda: sorted(tmp_path.glob("*.trig")), pause=0.01)
    assert next(rounds) == (one,), "first those there are"
    other.write_text("")
    assert next(rounds) == (other,)
    os.utime(one, ns=(1, 1))
    assert next(rounds) == (one,)
    other.unlink()
    one.write_text("again")
    assert next(rounds) == (one,), "a file that is gone is no news"


def test_the_template_of_the_contributing_guide_breaks_nothing(everything, tmp_path):
    home, _, _ = everything
    guide = (resources.folder("data") / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (template,) = re.findall(r"```trig\n(.*?)```", guide, re.S)
    file = tmp_path / "my-practice.trig"
    file.write_text(template, encoding="utf-8")
    assert check(home, (file,)) == [], "complete, and a model for others"
