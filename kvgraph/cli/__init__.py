"""The command line. A command parses, calls the function or method of the same name, and prints."""

from . import asking, checking, importing, linking, releasing
from .root import main

__all__ = ["asking", "checking", "importing", "linking", "main", "releasing"]
