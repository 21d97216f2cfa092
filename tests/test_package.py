"""Installed from a wheel and run far from the checkout, kvgraph finds its ontology, shapes, queries, data and pages."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_wheel_works_outside_the_checkout(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, cwd=tmp_path, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    (wheel,) = tmp_path.glob("kvgraph-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = (
        "import kvgraph, kvgraph.queries, kvgraph.resources as r\n"
        "assert '_resources' in str(r.ROOT), r.ROOT\n"
        "print(len(kvgraph.queries.names()), *(sum(1 for _ in r.folder(f).rglob('*.*')) > 0 for f in ('ontology', 'shapes', 'data', 'web')))\n"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    # -P keeps the current directory off the path; the checkout must not be found by accident.
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split()[1:] == ["True"] * 4 and int(done.stdout.split()[0]) >= 25
    run = [sys.executable, "-P", "-m", "kvgraph", "build", "--home", str(tmp_path / "home"), "--data", str(ROOT / "tests" / "small")]
    subprocess.run(run, cwd=tmp_path, env=env, check=True, capture_output=True)
    assert (tmp_path / "home" / "current" / "manifest.json").is_file()


def test_the_lock_names_versions_and_no_addresses():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").split()
    assert lines and all(line.count("==") == 1 and "/" not in line and "@" not in line for line in lines)
