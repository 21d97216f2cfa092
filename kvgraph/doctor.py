"""Doctor: what is wrong with this installation, and how to mend it."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from . import releases, resources
from .errors import KvgraphError

ENOUGH_SPACE = 500 * 2**20  # bytes: a few releases of the bundled data


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``state`` is ``fine``, ``note`` (works, with a limit) or ``wrong``; ``mend`` says what to do."""

    subject: str
    state: str
    message: str
    mend: str = ""


def examine(home: Path, port: int = 8000) -> list[Finding]:
    """Look at Python, packages, bundled files, home, release, port and isolation. Changes nothing."""
    checks: list[Callable[[], Finding]] = [
        _python, _packages, _bundled, lambda: _home(home), lambda: _release(home), lambda: _port(port), _network,
    ]  # fmt: skip
    return [check() for check in checks]


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):
        return Finding("Python", "wrong", f"{found} is too old", "Use Python 3.11 or newer.")
    return Finding("Python", "fine", found)


def _packages() -> Finding:
    missing = []
    for requirement in requires("kvgraph") or []:
        name = requirement.split(";")[0].split("[")[0].split("<")[0].split(">")[0].split("=")[0].split("~")[0].strip()
        if "extra ==" not in requirement:
            try:
                version(name)
            except PackageNotFoundError:
                missing.append(name)
    if missing:
        return Finding("packages", "wrong", f"missing: {', '.join(missing)}", "Install kvgraph again; in a checkout: make setup")
    return Finding("packages", "fine", "all installed")


def _bundled() -> Finding:
    empty = [n for n in ("ontology", "shapes", "queries", "data", "web") if not any(resources.folder(n).glob("*"))]
    if empty:
        return Finding("bundled files", "wrong", f"not found: {', '.join(empty)}", "Install kvgraph again.")
    return Finding("bundled files", "fine", str(resources.ROOT))


def _home(home: Path) -> Finding:
    nearest = next(p for p in (home, *home.parents) if p.exists())
    if not os.access(nearest, os.W_OK):
        return Finding("home", "wrong", f"{home} cannot be written", "Set KVGRAPH_HOME to a directory of yours.")
    free = shutil.disk_usage(nearest).free
    if free < ENOUGH_SPACE:
        return Finding("home", "wrong", f"only {free // 2**20} MB free in {home}", "Make room: kvgraph releases prune")
    return Finding("home", "fine", str(home))


def _release(home: Path) -> Finding:
    try:
        release = releases.readable(releases.current(home))
        damaged = [n for n, f in release.manifest["files"].items() if _sha256(release.path / n) != f["sha256"]]
    except KvgraphError as error:
        return Finding("release", "wrong", error.message, error.hint or "kvgraph build")
    except (OSError, ValueError, KeyError):
        return Finding("release", "wrong", "the manifest of the current release cannot be read", "kvgraph build --force")
    if damaged:
        return Finding("release", "wrong", f"damaged files in {release.id}: {', '.join(damaged)}", "kvgraph build --force")
    return Finding("release", "fine", f"{release.id}, every checksum right")


def _port(port: int) -> Finding:
    from .serve import PortTaken, require_port

    try:
        require_port("127.0.0.1", port)
    except PortTaken as error:
        return Finding("port", "note", error.message, error.hint or "")
    return Finding("port", "fine", f"{port} is free")


def _network() -> Finding:
    # Tried in a process of its own: it cannot be undone.
    code = "import ctypes,sys; sys.exit(ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0)"
    if subprocess.run([sys.executable, "-c", code], check=False).returncode:
        return Finding(
            "query isolation", "note", "query workers cannot be cut off from the network here",
            "SERVICE is refused all the same. Allow user namespaces (or run as root in a container) for the second lock.",
        )  # fmt: skip
    return Finding("query isolation", "fine", "query workers run without a network")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
