"""Several releases in one server: older ones loaded when asked for, damaged ones never served, and how it ends."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from kvgraph import releases
from kvgraph.build import build
from kvgraph.errors import KvgraphError
from kvgraph.serve import pools, trusted_proxies
from kvgraph.serve.pools import Pools
from kvgraph.serve.web import LOADING, Graphs
from kvgraph.server import create_app
from kvgraph.store import PoolBusy

from .conftest import SMALL
from .serving import free_port, get, served, until

TITLE = "SELECT ?title { <https://w3id.org/kvgraph/id/practice/living-lab> <http://purl.org/dc/terms/title> ?title }"
ORIGINAL = "Living lab of the harbour"


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A home with four releases, each with another title of the one practice; the last is current. To be copied."""
    home, data = tmp_path_factory.mktemp("four"), tmp_path_factory.mktemp("data") / "small"
    shutil.copytree(SMALL, data)
    lab = data / "living-lab.trig"
    text = lab.read_text(encoding="utf-8")
    for title in (ORIGINAL, "Lab 1", "Lab 2", "Lab 3"):
        lab.write_text(text.replace(ORIGINAL, title), encoding="utf-8")
        build(home, data=data)
    return home


@pytest.fixture
def home(built, tmp_path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "home", symlinks=True))


def ids(home: Path) -> list[str]:
    return [release.id for release in releases.list_releases(home)]


def title(base: str, prefix: str = "") -> tuple[int, str]:
    query = urllib.parse.urlencode({"query": TITLE, "format": "csv"})
    status, _, body = get(f"{base}{prefix}/sparql?{query}", "text/csv")
    return status, body.decode()


def state(base: str) -> dict:
    return json.loads(get(f"{base}/status", "application/json")[2])


def damage(home: Path, release_id: str) -> None:
    """Text that is no N-Quads, of the size the manifest tells: only loading it can show what is wrong."""
    release = releases.find(home, release_id)
    broken = gzip.compress(b"this is no statement\n")
    release.nquads.write_bytes(broken)
    manifest = json.loads((release.path / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["dumps/kvgraph.nq.gz"]["bytes"] = len(broken)
    (release.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_older_releases_are_loaded_when_asked_for_and_at_most_two_stay(home):
    first, second, third, current = ids(home)
    with served(home, "--timeout", "1") as base:
        assert state(base)["older_releases_loaded"] == []
        assert ORIGINAL in title(base, f"/release/{first}")[1] and "Lab 3" in title(base)[1]
        assert "Lab 1" in title(base, f"/release/{second}")[1]
        until(lambda: state(base)["older_releases_loaded"] == sorted([first, second]))
        # A third one waits until the query of another must have ended (limit and grace), and then takes the place of the one asked longest ago.
        until(lambda: title(base, f"/release/{third}")[0] == 200)
        assert "Lab 2" in title(base, f"/release/{third}")[1]
        until(lambda: len(state(base)["older_releases_loaded"]) == 2)
        assert third in state(base)["older_releases_loaded"] and first not in state(base)["older_releases_loaded"]


def test_what_needs_no_query_does_not_load_an_older_release(home):
    first = ids(home)[0]
    with served(home) as base:
        assert get(f"{base}/release/{first}/dumps/{first}/kvgraph.nq.gz")[0] == 200
        assert get(f"{base}/release/{first}/search?q=lab", "text/html")[0] == 200 and get(f"{base}/release/{first}/", "text/html")[0] == 200
        assert state(base)["older_releases_loaded"] == []


def test_waiting_for_an_older_release_keeps_nobody_else_waiting(home):
    first = ids(home)[0]
    damage(home, first)
    with served(home, "--web-workers", "1") as base, ThreadPoolExecutor(24) as many:
        waiting = [many.submit(title, base, f"/release/{first}") for _ in range(24)]
        began = time.monotonic()
        assert title(base)[0] == 200 and get(f"{base}/healthz")[0] == 200
        assert time.monotonic() - began < LOADING / 2
        assert {answer.result()[0] for answer in waiting} == {503}


@pytest.mark.parametrize("how", ["content", "size", "missing", "manifest"])
def test_a_damaged_new_release_is_not_served_and_the_old_one_stays(home, how):
    *_, old, new = ids(home)
    releases.switch(home, old)
    release = releases.find(home, new)
    with served_with_log(home) as (base, log, _):
        if how == "content":
            damage(home, new)
        elif how == "size":
            release.nquads.write_bytes(release.nquads.read_bytes()[:-100])
        elif how == "missing":
            (release.search / "meta.json").unlink()
        else:
            (release.path / "manifest.json").write_text("{", encoding="utf-8")
        before = (release.path / "manifest.json").read_text(encoding="utf-8")
        os.replace(*_link(home, new))
        until(lambda: f"Release {old} is served on." in log.read_text(encoding="utf-8"))
        assert "Lab 2" in title(base)[1] and get(f"{base}/readyz")[0] == 200
        entry = next(json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if "served on" in line)
        assert entry["level"] == "error" and new in entry["message"] and "Trying again" in entry["message"]
        if how == "manifest":
            return
        assert state(base)["failed_releases"] == [new]
        # Mended, it is served, however often that had to be tried.
        assert (release.path / "manifest.json").read_text(encoding="utf-8") == before
        releases.switch(home, ids(home)[0])
        until(lambda: ORIGINAL in title(base)[1])
        assert state(base)["failed_releases"] == []


def _link(home: Path, release_id: str) -> tuple[Path, Path]:
    draft = home / ".draft"
    draft.symlink_to(Path("releases") / release_id)
    return draft, home / "current"


@contextmanager
def served_with_log(home: Path):
    """A running server: its address, the file with its standard error, its process."""
    log, port = home / "log", free_port()
    with open(log, "w", encoding="utf-8") as file:
        command = [sys.executable, "-m", "kvgraph", "serve", "--home", str(home), "--port", str(port)]
        process = subprocess.Popen(command, stderr=file, start_new_session=True)
    try:
        until(lambda: "kvgraph serves release" in log.read_text(encoding="utf-8"))
        yield f"http://127.0.0.1:{port}", log, process
    finally:
        process.terminate()
        process.wait(60)


def test_a_damaged_first_release_is_said_and_nothing_is_served(home):
    damage(home, ids(home)[-1])
    command = [sys.executable, "-m", "kvgraph", "serve", "--home", str(home), "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and ids(home)[-1] in done.stderr and "kvgraph releases switch" in done.stderr and "Traceback" not in done.stderr


def test_a_failing_release_is_tried_ever_more_rarely(tmp_path, home, monkeypatch):
    damage(home, ids(home)[-1])
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    tried = Pools(run, home, 1, 30.0, 2048)
    (run / "wanted").mkdir()
    delays = []
    for _ in range(8):
        tried._failed("x", "It is broken.")
        delays.append(round(tried.troubles["x"].not_before - time.monotonic()))
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]
    launched = []
    monkeypatch.setattr(pools, "launch", lambda *args: launched.append(args) or pytest.fail("it is too early"))
    tried._start("x", 1)
    assert launched == []


def test_back_to_a_release_that_is_still_loaded(home):
    *_, old, new = ids(home)
    with served(home) as base:
        for _ in range(3):
            releases.switch(home, old)
            until(lambda: "Lab 2" in title(base)[1])
            releases.switch(home, new)
            until(lambda: "Lab 3" in title(base)[1])


def test_no_request_fails_while_releases_are_switched(home):
    *_, old, new = ids(home)
    answers = []
    with served(home) as base:
        for target in (old, new, old):
            releases.switch(home, target)
            for _ in range(40):
                answers.append(title(base)[0])
    assert set(answers) == {200}


def test_when_the_web_server_dies_the_whole_ends_and_says_so(home):
    with served_with_log(home) as (base, log, process):
        children = [child for child in _children(process.pid) if "kvgraph.serve.wsgi" in _command(child)]
        os.kill(children[0], signal.SIGKILL)
        assert process.wait(60) == 1
        assert "The web server ended" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quickly_and_cleanly_also_with_a_query_running(home, signum):
    crowded = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?a != ?l) }"
    with served_with_log(home) as (base, log, process), ThreadPoolExecutor(1) as other:
        title(base, f"/release/{ids(home)[0]}")
        slow = other.submit(_ask, base, crowded)
        until(lambda: state(base)["workers"]["busy"])
        children = _all_children(process.pid)
        began = time.monotonic()
        os.killpg(process.pid, signum)  # as a terminal does
        assert process.wait(60) == 0
        assert time.monotonic() - began < 8
        slow.result()
        assert len(children) > 6 and [_command(child) for child in children if _command(child)] == []
        assert "Traceback" not in log.read_text(encoding="utf-8")


def _ask(base: str, query: str) -> int | None:
    try:
        return get(f"{base}/sparql?{urllib.parse.urlencode({'query': query})}")[0]
    except OSError:
        return None


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "99"])
def test_a_wrong_number_of_trusted_proxies_is_said(monkeypatch, given):
    monkeypatch.setenv("KVGRAPH_TRUSTED_PROXIES", given)
    with pytest.raises(KvgraphError, match="KVGRAPH_TRUSTED_PROXIES"):
        trusted_proxies()


@pytest.mark.parametrize(("proxies", "host"), [(None, "127.0.0.1"), ("1", "kv.example.org")])
def test_a_proxy_is_believed_only_where_it_is_trusted(home, monkeypatch, proxies, host):
    if proxies:
        monkeypatch.setenv("KVGRAPH_TRUSTED_PROXIES", proxies)
    else:
        monkeypatch.delenv("KVGRAPH_TRUSTED_PROXIES", raising=False)
    with served(home) as base:
        headers = {"X-Forwarded-Host": "kv.example.org", "X-Forwarded-Proto": "https", "Accept": "text/html"}
        with urllib.request.urlopen(urllib.request.Request(f"{base}/release/{ids(home)[0]}/", headers=headers)) as answer:
            page = answer.read().decode()
    assert (f"https://{host}/release/" in page) == bool(proxies) and ("kv.example.org" in page) == bool(proxies)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _all_children(pid: int) -> list[int]:
    return [found for child in _children(pid) for found in (child, *_all_children(child))]


def test_each_web_process_has_a_processor_of_its_own(tmp_path):
    """With all its threads, as long as there are enough; of one that ended the next can have it."""
    script = """if True:
        import os, sys, threading
        from pathlib import Path
        from kvgraph.serve.web import stay_on_one_processor
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        processor = stay_on_one_processor(Path(sys.argv[1]))
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        print(processor, *sorted({p for t in os.listdir("/proc/self/task") for p in os.sched_getaffinity(int(t))}), flush=True)
        sys.stdin.read()
    """

    def start():
        return subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def said(process):
        return process.stdout.readline().split()

    there = [str(n) for n in sorted(os.sched_getaffinity(0))]
    processes = [start() for _ in there]
    assert sorted(said(one) for one in processes) == sorted([n, n] for n in there)
    processes.append(start())
    assert said(processes[-1]) == ["None", *there]
    processes[0].communicate()
    processes.append(start())
    assert said(processes[-1])[0] in there
    for one in processes[1:]:
        one.communicate()


def test_before_a_release_is_loaded_the_server_says_that_it_starts(tmp_path):
    with pytest.raises(PoolBusy, match="starting") as caught:
        Graphs(tmp_path, tmp_path)()
    assert (caught.value.status, caught.value.retry_after) == (503, 1)


def test_while_a_release_is_loaded_the_home_page_is_there_and_queries_wait(bundled_home, tmp_path, monkeypatch):
    """With its pool at most asked to load: nothing listens until the end."""
    monkeypatch.setenv("KVGRAPH_HOME", str(bundled_home))
    release = releases.current(bundled_home)
    (tmp_path / "serving").symlink_to(release.id)
    (tmp_path / "wanted").mkdir()
    (tmp_path / "state.json").write_text(json.dumps({"troubles": {}}), encoding="utf-8")
    client = create_app(Graphs(tmp_path, bundled_home)).test_client()
    home = client.get("/")
    assert home.status_code == 200 and "/doc/practice/" in home.text
    with ThreadPoolExecutor() as others:
        asked = others.submit(client.get, "/sparql", query_string={"query": "ASK { ?s ?p 54321 }"})
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.3)
        (tmp_path / "state.json").write_text(json.dumps({"troubles": {release.id: "It is damaged."}}), encoding="utf-8")
        answer = asked.result(timeout=60)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5") and b"not loaded yet" in answer.data
