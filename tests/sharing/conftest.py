"""One instance for the tests of a file, with people of every role."""

import itertools

import pytest

from .people import Instance


@pytest.fixture(scope="module")
def instance(tmp_path_factory) -> Instance:
    return Instance(tmp_path_factory.mktemp("sharing"))


@pytest.fixture(scope="module")
def numbers():
    return itertools.count(1)


@pytest.fixture
def person(instance, numbers):
    """Somebody new, signed in with a role: ``person("curator")``."""
    return lambda role="contributor": instance.somebody(f"{role}{next(numbers)}", role)


@pytest.fixture
def visitor(instance):
    return instance.somebody()
