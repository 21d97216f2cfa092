"""Fixtures that several test files share."""

import shutil
from pathlib import Path

import pytest

from .serving import served

SMALL = Path(__file__).parent / "small"


@pytest.fixture
def small_data(tmp_path) -> Path:
    """A copy of three invented files, to be changed at will: two actors, one practice, five places."""
    return Path(shutil.copytree(SMALL, tmp_path / "data"))


@pytest.fixture(scope="session")
def small_home(tmp_path_factory) -> Path:
    """A home with a release of the invented files. Not to be changed."""
    from kvgraph.build import build

    home = tmp_path_factory.mktemp("home")
    build(home, data=SMALL)
    return home


@pytest.fixture(scope="session")
def bundled_home(tmp_path_factory) -> Path:
    """A home with a release of the bundled data. Not to be changed."""
    from kvgraph.build import build

    home = tmp_path_factory.mktemp("bundled")
    build(home)
    return home


@pytest.fixture(scope="session")
def bundled_base(bundled_home):
    """The address of a server of the bundled data, one for all tests that only read."""
    with served(bundled_home) as address:
        yield address
