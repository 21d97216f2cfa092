"""Starts the real thing for tests: `kvgraph serve` in a process of its own, on a free port of 127.0.0.1."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """One below those that the system gives to whoever calls: nobody takes it before the server does."""
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass  # taken: another one


@contextmanager
def served(home: Path, *options: str):
    """The base address of a running server; it is interrupted at the end and must leave no process behind."""
    port = free_port()
    command = [sys.executable, "-m", "kvgraph", "serve", "--home", str(home), "--port", str(port), *options]
    said = tempfile.NamedTemporaryFile("w+", prefix="kvgraph-serve-", suffix=".log")  # not a pipe: whoever says much must not have to wait for a reader
    process = subprocess.Popen(command, stderr=said, env={**os.environ, "PYTHONUNBUFFERED": "1"}, start_new_session=True)
    try:
        until(lambda: process.poll() is not None or "kvgraph serves release" in Path(said.name).read_text())
        assert process.poll() is None, Path(said.name).read_text()
        yield f"http://127.0.0.1:{port}"
    except BaseException:
        print(Path(said.name).read_text()[-10_000:], file=sys.stderr)  # pytest shows it with the failure
        raise
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            said.close()


def get(url: str, accept: str = "*/*") -> tuple[int, str, bytes]:
    """Status, media type and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=60) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get_content_type(), error.read()


def until(condition, seconds: float = 90.0):
    """Wait for a condition; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)
    return value
