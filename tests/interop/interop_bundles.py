"""The npm parts are built where there is no Node: with the one that PyPI has."""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
import hatch_build  # noqa: E402  the build hook is no part of the package


def test_the_bundles_are_the_same_with_node_from_pypi(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sh").symlink_to(shutil.which("sh"))
    monkeypatch.setenv("PATH", str(tools))
    made = hatch_build.BUNDLES
    monkeypatch.setattr(hatch_build, "BUNDLES", tmp_path / "bundles")
    assert shutil.which("node") is None and not hatch_build.fresh()
    hatch_build.build()
    assert hatch_build.fresh()
    for name in ("yasgui.js", "yasgui.css", "LICENSES.txt"):
        assert (tmp_path / "bundles" / name).read_bytes() == (made / name).read_bytes()
