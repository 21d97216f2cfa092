"""The README's commands are run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```(sh|python)\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def base(bundled_base):
    return bundled_base


def test_the_readme_has_five_things_to_try():
    assert len(BLOCKS) == 5


@pytest.mark.parametrize(("language", "text"), BLOCKS, ids=[str(n) for n in range(1, len(BLOCKS) + 1)])
def test_a_thing_to_try_gives_an_answer(language, text, base, bundled_home):
    lines = text.splitlines()
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    script = "\n".join(line[indent:] for line in lines).replace("http://127.0.0.1:8000", base)
    # A reader has the commands in .venv/bin; here they are wherever the tests' own Python is.
    script = script.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    command = [sys.executable, "-c", script] if language == "python" else ["bash", "-euo", "pipefail", "-c", script]
    env = {**os.environ, "KVGRAPH_HOME": str(bundled_home)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 3, done.stdout + done.stderr


def test_links_to_files_lead_somewhere():
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets and [t for t in targets if not (ROOT / t).exists()] == []


def test_every_folder_is_on_the_map():
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and p.name[0] != "." and p.name not in ("var", "dist", "__pycache__")}
    assert folders == set(re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE))
