"""Every command of the guides on reconciliation and on federation, against a served release."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kvgraph.resources import folder

from ..serving import free_port, served

DOCS = folder("web") / "docs"
RECONCILIATION, FEDERATION = ((DOCS / name).read_text(encoding="utf-8") for name in ("26-reconciliation.md", "27-federation.md"))
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", RECONCILIATION + FEDERATION, re.DOTALL | re.MULTILINE)
RUN = [(language, text) for language, text in BLOCKS if language in ("shell", "python")]

# What a command with these words in it must find.
FOUND = {
    "partners.csv --column": "actor/university-of-ljubljana", "graph.reconcile(": "actor/university-of-ljubljana", "q1": "country/SVN", "/resolve?id": "303 ", "id=CELEX": "Recommendation",
    "/crosswalk.csv": "https://ror.org/0", "oxigraph serve": "Xunta de Galicia", "SI041": "https://example.org/office/north",
}  # fmt: skip


@pytest.fixture(scope="module")
def base(bundled_home):
    with served(bundled_home) as address:
        yield address


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return tmp_path_factory.mktemp("desk")


def test_the_guides_hold_commands():
    assert len(RUN) == 7 and {language for language, _ in BLOCKS} == {"shell", "python", "comunica"}
    assert all(any(sign in text for _, text in RUN) for sign in FOUND)  # the commands of Comunica are in tests/interop


@pytest.mark.parametrize(("language", "text"), RUN, ids=[f"{n}-{language}" for n, (language, _) in enumerate(RUN)])
def test_a_command_works(base, desk, bundled_home, language, text):
    text = text.replace("http://127.0.0.1:8000", base).replace("127.0.0.1:7878", f"127.0.0.1:{free_port()}")
    command = ["bash", "-euo", "pipefail", "-c", text] if language == "shell" else [sys.executable, "-c", text]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"KVGRAPH_HOME": str(bundled_home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=desk, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() and '"status": 4' not in done.stdout
    assert [found for sign, found in FOUND.items() if sign in text and found not in done.stdout] == []


def test_every_feature_of_a_candidate_is_explained(bundled_home):
    from kvgraph import open as open_graph

    found = open_graph(bundled_home).reconcile("AIZ", type="actor", where={"country": "Greece"})
    explained = set(re.findall(r"^### Feature: (\w+)", RECONCILIATION, re.MULTILINE))
    assert explained == set(found[0].features)
