"""What a newcomer does: clone into an empty directory, `make serve`, and read a page within three minutes."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving import free_port

ROOT = Path(__file__).parents[2]
FIRST_START = 180  # seconds
SECOND_START = 5


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("newcomer") / "kvgraph"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


@contextmanager
def make_serve(folder: Path):
    """The seconds until the home page came, and the page."""
    port = free_port()
    env = {k: v for k, v in os.environ.items() if k not in ("KVGRAPH_HOME", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")}
    began = time.monotonic()
    process = subprocess.Popen(["make", "serve", f"PORT={port}"], cwd=folder, env=env, start_new_session=True)
    try:
        yield _wait_for(f"http://127.0.0.1:{port}/", process, began)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def _wait_for(url: str, process: subprocess.Popen, began: float) -> tuple[float, str]:
    while time.monotonic() - began < FIRST_START:
        assert process.poll() is None, "make serve ended"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return time.monotonic() - began, answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"no page within {FIRST_START} s")


def test_make_serve_shows_practices_within_three_minutes_and_again_within_five_seconds(clone):
    with make_serve(clone) as (seconds, page):
        print(f"first start: {seconds:.1f} s")
        assert "/doc/practice/" in page
    for _ in range(3):  # the quickest counts: the machine may have been busy with something else for a moment
        with make_serve(clone) as (seconds, page):
            print(f"second start: {seconds:.1f} s")
            assert "/doc/practice/" in page
        if seconds < SECOND_START:
            break
    assert seconds < SECOND_START
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert status.stdout == "", "what make serve writes is ignored by git"
