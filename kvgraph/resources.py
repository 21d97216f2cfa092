"""Where the files beside the Python code are: in a checkout, or inside the installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_resources"
ROOT = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent


def folder(name: str) -> Path:
    """The path of a top-level folder: ontology, shapes, queries, data or web.

    >>> folder("queries").name
    'queries'
    """
    return ROOT / name
