"""The fast SHACL engine is trusted for large imports because it finds what pyshacl finds, on every case of every shape."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from kvgraph.namespaces import RDF
from kvgraph.validate import Result, ShapesError, fast, shapes_about

from .test_shapes import BACKGROUND, CASES, name, report


def found_by_fast(case: Path, folder: Path) -> set[tuple]:
    data = folder / "data.nt"
    data.write_bytes(ox.serialize([*BACKGROUND, *ox.parse(path=case)], format=ox.RdfFormat.N_TRIPLES))
    return {key(result) for result in fast(data).results}


def key(result: Result) -> tuple:
    """What identifies a result; blank nodes have other names in each engine."""
    focus = result.focus if ":" in result.focus and not result.focus.startswith("_:") else "_:"
    value = result.value if result.value and not result.value.startswith("_:") else None
    return result.severity, result.shape, focus, result.path, value, result.component


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_engines_agree(case, tmp_path):
    assert found_by_fast(case, tmp_path) == {key(result) for result in report(case).results}


@pytest.mark.parametrize("case", [case for case in CASES if case.parent.name in ("Organisation", "Project", "Role")], ids=name)
def test_shapes_about_an_import_find_in_it_what_all_shapes_find(case, tmp_path):
    own = list(ox.parse(path=case))
    data = tmp_path / "data.nt"
    data.write_bytes(ox.serialize([*BACKGROUND, *own], format=ox.RdfFormat.N_TRIPLES))
    classes = {quad.object.value for quad in own if quad.predicate.value == RDF + "type"}
    some = fast(data, shapes_about(classes, {quad.predicate.value for quad in own}))
    things = {quad.subject.value for quad in own}
    assert [key(result) for result in some.results if result.focus in things] == [key(result) for result in fast(data).results if result.focus in things]
    assert shapes_about(classes, set()).count("targetClass") < 6


def test_shapes_that_are_no_turtle_are_an_error_with_a_message(tmp_path):
    (tmp_path / "data.nt").write_bytes(b"")
    with pytest.raises(ShapesError, match="cannot be used"):
        fast(tmp_path / "data.nt", "oops")
