"""The commands of the guide "Sharing what you know", as they stand there, against a server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kvgraph.contribute import accounts, submissions
from kvgraph.contribute.book import book
from kvgraph.contribute.publish import publish
from kvgraph.resources import folder

from ..conftest import SMALL
from ..serving import served
from .people import PASSWORD

TEXT = (folder("web") / "docs" / "16-contributing.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("guide")
    publish(home, data=SMALL)
    return home


def test_the_requests_of_the_guide(home, tmp_path):
    """In their order, with the organisation of the example as one of those in the invented data."""
    reader = accounts.sign_up(book(home), "maria", PASSWORD)
    token = accounts.make_token(book(home), reader, "guide", ["submit", "read"], 1)
    environment = {**{n: v for n, v in os.environ.items() if not n.lower().endswith("_proxy")}, "TOKEN": token}
    assert len(SHELL) == 3 and "University of Barcelona" in TEXT
    with served(home, "--data", str(SMALL)) as base:
        answers = []
        for command in SHELL:
            text = command.replace("https://kvgraph.example", base).replace("University of Barcelona", "Harbour University")
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", text.replace("curl ", "curl -sS ")], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            answers.append(json.loads(done.stdout))
    [sent], listed, [tabled] = answers
    assert (sent["state"], sent["thing"].rpartition("/")[2]) == ("submitted", "shipyard-fab-lab")
    assert [one["id"] for one in listed] == [sent["id"]]
    assert tabled["state"] == "draft" and tabled["title"] == "Net menders"
    assert {s.title for s in submissions.of_account(book(home), reader)} == {"Shipyard fab lab", "Net menders"}


def test_the_commands_of_the_guide(home):
    """Every `kvgraph users …` and `kvgraph submissions …` of its table is a command."""
    made = kvgraph(home, "users", "add", "rosa", "--role", "curator")
    assert "users add maria --role curator" in TEXT and re.search(r"\S{12,}", made), "it prints a password"
    table = dict(re.findall(r"^\| (`kvgraph (?:users|submissions).*?) \| (.*?) \|$", TEXT, re.MULTILINE))
    words = re.findall(r"`(?:kvgraph )?((?:users|submissions)?\s?[a-z]*)[^`]*`", " ".join(table))
    assert {"users add", "users", "users role", "users reset", "users disable", "submissions", "submissions show"} <= {w.strip() for w in words}
    for command in (["users"], ["submissions"]):
        assert kvgraph(home, *command)
    for command in (["users", "role"], ["users", "reset"], ["users", "disable"], ["submissions", "show"], ["submissions", "accept"], ["submissions", "reject"], ["submissions", "undo"]):
        assert "Usage" in kvgraph(home, *command, "--help")


def kvgraph(home: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "kvgraph", *words], env={**os.environ, "KVGRAPH_HOME": str(home)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout
