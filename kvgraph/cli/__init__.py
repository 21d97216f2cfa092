"""The command line. A command parses, calls the function or method of the same name, and prints."""

from . import asking, checking, contributing, importing, linking, reconciling, releasing
from .root import main

__all__ = ["asking", "checking", "contributing", "importing", "linking", "main", "reconciling", "releasing"]
