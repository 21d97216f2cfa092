"""The commands of the guide for operators are run as they stand; its settings and counters are those of the code."""

import configparser
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kvgraph import releases
from kvgraph.build import build
from kvgraph.contribute.accounts import account_named, sign_up
from kvgraph.contribute.book import book
from kvgraph.resources import ROOT, folder
from kvgraph.server import metrics

from .serving import served

GUIDE = (folder("web") / "docs" / "50-operating.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
COMMANDS = [text for language, text in BLOCKS if language == "sh"]


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """A home with two releases and an account."""
    from .conftest import SMALL

    home, data = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("data") / "small"
    shutil.copytree(SMALL, data)
    build(home, data=data)
    lab = data / "living-lab.trig"
    lab.write_text(lab.read_text(encoding="utf-8").replace("Living lab", "Lab"), encoding="utf-8")
    build(home, data=data)
    sign_up(book(home), "maria", "a long pass phrase", "curator")
    return home


def test_the_commands_of_the_guide_work_one_after_the_other(two, tmp_path):
    old, new = (release.id for release in releases.list_releases(two))
    with served(two) as base:
        script = "\n".join(COMMANDS).replace("http://127.0.0.1:8000", base).replace("2026-11-21-0f0f0f0f", old).replace("2026-11-22-1a2b3c4d", new)
        # A build of the bundled data is tested elsewhere and takes long; the doctor finds the port of the guide taken or free as it is.
        script = script.replace("kvgraph build\n", "kvgraph build --help\n").replace("kvgraph doctor\n", f"kvgraph doctor --port {base.rpartition(':')[2]} || true\n")
        env = {**os.environ, "KVGRAPH_HOME": str(two), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert releases.current(two).id == old, "the guide went back"
    restored = tmp_path / "restored"
    assert {r.id for r in releases.list_releases(restored)} == {old, new}
    assert account_named(book(restored), "maria").role == "curator"
    left = {path.name for path in two.iterdir()} - {path.name for path in restored.iterdir()}
    assert (restored / "stream" / "log.json").is_file() and {name for name in left if not name.endswith((".lock", "-wal", "-shm"))} <= {"cache"}
    assert stat.S_IMODE((tmp_path / "kvgraph-backup.tar.gz").stat().st_mode) == 0o600
    for told in (f"ready: release {old}", '"answering": true', "# TYPE kvgraph_pool_up gauge"):
        assert told in done.stdout


def test_there_are_commands():
    assert len(COMMANDS) == 6 and {language for language, _ in BLOCKS} == {"", "sh", "ini", "nginx"}


def test_the_unit_runs_what_there_is():
    [unit] = [text for language, text in BLOCKS if language == "ini"]
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str
    parsed.read_string(unit)
    words = parsed["Service"]["ExecStart"].split()
    assert {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= set(parsed["Service"]["SystemCallFilter"].split()), "systemd 252 does not count them to the calls of a service"
    assert words[1] == "serve" and subprocess.run([sys.executable, "-m", "kvgraph", *words[1:], "--help"], capture_output=True).returncode == 0


def test_braces_and_semicolons_of_the_nginx_example_are_right():
    [text] = [text for language, text in BLOCKS if language == "nginx"]
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    assert [line for line in lines if line and line[-1] not in "{};"] == []
    assert text.count("{") == text.count("}") == 5


def test_the_counters_to_watch_exist(monkeypatch):
    told = set(re.findall(r"`(kvgraph_\w+)", GUIDE))
    pool = {"workers": [], "restarts": 0, "waiting": 0}

    class Release:
        id, manifest = "r", {"built": "2026-11-22T10:00:00+00:00"}

    page = metrics.exposition(Release, pool, {"pool_restarts": 0, "troubles": {}}).decode()
    assert len(told) > 8 and told - set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE)) == set()


def test_every_setting_that_the_code_reads_is_documented():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "kvgraph").rglob("*.py"))
    read = set(re.findall(r"\"(KVGRAPH_[A-Z_]+)\"", source)) - {"KVGRAPH_RUN", "KVGRAPH_TIMEOUT"}  # these two kvgraph serve sets itself
    guides = {name for path in (folder("web") / "docs").glob("*.md") for name in re.findall(r"KVGRAPH_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert len(read) > 5 and read - guides == set()
