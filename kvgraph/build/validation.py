"""Validation as a step of build and as a command: which file says what breaks which shape."""

from pathlib import Path

import pyoxigraph as ox

from ..namespaces import PREFIXES
from .read import Sources, read, source_files


def check(home: Path, files: tuple[Path, ...] = (), data: Path | None = None) -> list[dict]:
    """Validate all sources, or only what ``files`` say, beside everything else that is known.

    Returns one dictionary per result: ``severity``, ``file``, ``subject``, ``path``, ``message``, ``value``, ``shape`` …
    Raises :class:`~kvgraph.build.read.MalformedSource` for files that do not parse.
    """
    known = source_files(home, data)
    by_path = {path.resolve(): name for name, path in known.items()}
    wanted = {by_path.get(path.resolve(), str(path)): path for path in files}
    sources = read({**known, **wanted})
    results = located(sources, results_of(sources))
    return [r for r in results if not wanted or set(r["file"].split(", ")) & set(wanted)]


def results_of(sources: Sources) -> list[dict]:
    """Validate the merge: a dictionary per result, as :class:`kvgraph.validate.Result` has them."""
    from ..validate import validate  # takes half a second to import, and most builds find the answer in the cache

    return validate(sources.store.quads_for_pattern(None, None, None, ox.DefaultGraph())).as_dicts()


def located(sources: Sources, results: list[dict]) -> list[dict]:
    """Results of a validation, each with its ``subject`` and the ``file`` that says it."""
    anywhere: dict[str, dict[str, None]] = {}
    for (subject, _), files in sources.files_of.items():
        anywhere.setdefault(subject, {}).update(files)
    found = []
    for result in results:
        subject = result["focus"]
        files = sources.files_of.get((subject, _property(result["path"] or ""))) or anywhere.get(subject, {})
        found.append({**result, "subject": subject, "file": ", ".join(sorted(files)) or "unknown file"})
    return found


def _property(path: str) -> str:
    """The IRI of a property path of one step, as SPARQL writes it."""
    prefix, _, local = path.partition(":")
    return path.strip("<>") if path.startswith("<") else PREFIXES.get(prefix, "") + local
