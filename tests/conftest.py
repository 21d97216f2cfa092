"""Fixtures that several test files share."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from .serving import served

SMALL = Path(__file__).parent / "small"


class Translated(BytecodeCache):
    """Templates are translated once per process, not once for each of the many applications that tests make."""

    def __init__(self):
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {"bytecode_cache": Translated()}


@pytest.fixture
def small_data(tmp_path) -> Path:
    """A copy of three invented files, to be changed at will: two actors, one practice, five places."""
    return Path(shutil.copytree(SMALL, tmp_path / "data"))


def made_once(tmp_path_factory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder for all processes that share the tests among them: whoever needs it first makes it, the others wait."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, done = root / name, root / f"{name}.done"
    with open(root / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def small_home(tmp_path_factory) -> Path:
    """A home with a release of the invented files. Not to be changed."""
    from kvgraph.build import build

    return made_once(tmp_path_factory, "small-home", lambda home: build(home, data=SMALL))


@pytest.fixture(scope="session")
def bundled_home(tmp_path_factory) -> Path:
    """A home with a release of the bundled data. Not to be changed."""
    from kvgraph.build import build

    return made_once(tmp_path_factory, "bundled-home", build)


@pytest.fixture(scope="session")
def bundled_base(bundled_home):
    """The address of a server of the bundled data, one for all tests that only read."""
    with served(bundled_home) as address:
        yield address
