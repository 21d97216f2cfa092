"""Every command of the data engineer's guide, against a served release."""

import os
import re
import subprocess
import sys

import pytest

from kvgraph.resources import folder


TEXT = (folder("web") / "docs" / "25-engineers.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
RUN = [(language, text) for language, text in BLOCKS if language in ("shell", "python")]


@pytest.fixture(scope="module")
def base(bundled_base):
    return bundled_base


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """One folder for all of them: later commands use the files of earlier ones."""
    return tmp_path_factory.mktemp("desk")


def test_the_guide_holds_commands():
    assert len(RUN) >= 14 and {language for language, _ in BLOCKS} == {"shell", "python", "r"}
    assert not re.search(r"^    \S", TEXT, re.MULTILINE) or all(b in "".join(t for _, t in BLOCKS) for b in re.findall(r"^    \S.*", TEXT, re.MULTILINE))


@pytest.mark.parametrize(("language", "text"), RUN, ids=[f"{n}-{language}" for n, (language, _) in enumerate(RUN)])
def test_a_command_works(base, desk, language, text):
    text = text.replace("http://127.0.0.1:8000", base)
    assert base in text or "kvgraph.nq.gz" in text, "a command that does not use the server"
    command = ["bash", "-euo", "pipefail", "-c", text] if language == "shell" else [sys.executable, "-c", text]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, cwd=desk, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() or "-o " in text, "it prints what it found"
    assert '"status": 4' not in done.stdout and "False" not in done.stdout
