"""Answers kept as files: with the release, and by a server while it runs."""

import io
import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pyoxigraph as ox
import pytest

from kvgraph import open as open_graph
from kvgraph import gathering, queries
from kvgraph.build.answers import wanted
from kvgraph.formats import CSV, JSON, NTRIPLES
from kvgraph.graph import Graph
from kvgraph.store import Answers, Cached, Embedded, Outcome, QueryError, volatile
from kvgraph.store.cached import compressed, key

SELECT = "SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o"


class Engine(Embedded):
    """An engine that remembers what it is asked."""

    def answer_file(self, query, format, **options):
        self.queries.append(query)
        file = tempfile.TemporaryFile(buffering=0)
        options = {name: value for name, value in options.items() if name in ("max_rows", "default_graphs", "named_graphs")}
        try:
            outcome = self.write(query, format, file, **options)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return outcome, file


class Kept(Cached, Engine):
    def __init__(self, store):
        super().__init__(store)
        self.queries = []


@pytest.fixture
def answers(tmp_path):
    counts = {}
    kept = Answers(tmp_path / "answers", quick=0.0, count=lambda name, amount: counts.__setitem__(name, counts.get(name, 0) + amount))
    kept.counts = counts
    return kept


@pytest.fixture
def engine(answers, tmp_path):
    store = ox.Store()
    store.load(b"<urn:a> <urn:p> 1, 2, 3 . <urn:b> <urn:p> <urn:a> .", format=ox.RdfFormat.TURTLE)
    return Kept(store).keeping(answers, "r1", tmp_path / "none")


def content(engine, query=SELECT, format=JSON, **options):
    outcome, file = engine.answer_file(query, format, **options)
    with file:
        data = file.read()
    assert outcome.bytes == len(data)
    return outcome, data


def test_an_engine_is_asked_once(engine, answers):
    first, second = content(engine), content(engine)
    assert engine.queries == [SELECT] and first[1] == second[1]
    assert (second[0].form, second[0].format, second[0].complete) == ("SELECT", JSON, True)
    assert answers.counts == {"cache_hits": 1}


def test_every_way_to_ask_uses_what_is_kept(engine):
    for _ in range(2):
        assert len(list(engine.select(SELECT))) == 4
        assert engine.ask("ASK {}") is True
        assert len(list(engine.construct("CONSTRUCT WHERE { ?s ?p ?o }"))) == 4
    assert len(engine.queries) == 3
    with pytest.raises(QueryError, match="SELECT"):
        engine.select("ASK {}")


def test_all_that_decides_the_bytes_is_in_the_name(engine):
    asked = [{}, {"format": CSV}, {"max_rows": 2}, {"default_graphs": ["urn:g"]}, {"named_graphs": ["urn:g"]}, {"query": SELECT + " "}]
    contents = [content(engine, **options) for options in asked]
    assert len(engine.queries) == len(asked)
    assert [content(engine, **options)[1] for options in asked] == [data for _, data in contents]
    assert len(engine.queries) == len(asked)
    cut = content(engine, max_rows=2)[0]
    assert (cut.complete, content(engine, max_rows=9)[0].complete) == (False, True)
    engine.release = "r2"
    content(engine)
    assert len(engine.queries) == len(asked) + 2, "another release has other answers"


def test_compressed_answers_are_kept_too(engine, answers):
    import gzip

    (outcome, data), again = content(engine, coding="gzip"), content(engine, coding="gzip")
    assert gzip.decompress(data) == content(engine)[1] and again[1] == data and len(engine.queries) == 1


@pytest.mark.parametrize("query", ["SELECT (NOW() AS ?t) {}", "SELECT (rand() AS ?t) {}", "SELECT (UUID () AS ?t) {}", "CONSTRUCT { ?b <urn:p> 1 } WHERE { BIND(BNODE() AS ?b) }"])
def test_what_changes_is_never_kept(engine, query):
    assert volatile(query)
    format = JSON if query.startswith("SELECT") else NTRIPLES
    content(engine, query, format), content(engine, query, format)
    assert len(engine.queries) == 2 and not list(engine.answers.folder.glob("*/*"))


def test_errors_are_never_kept(engine):
    for _ in range(2):
        with pytest.raises(QueryError):
            content(engine, "SELECT ?s {")
    assert len(engine.queries) == 2 and not list(engine.answers.folder.glob("*/*"))


def test_only_an_engine_needs_leave(engine):
    class Refused(Exception):
        pass

    def refuse():
        raise Refused

    with pytest.raises(Refused):
        content(engine, admit=refuse)
    content(engine)
    content(engine, admit=refuse)


def test_the_bounds_hold_and_the_least_used_goes(tmp_path):
    counts = []
    answers = Answers(tmp_path, max_bytes=40_000, max_files=10, quick=0.0, count=lambda name, amount: counts.append((name, amount)))
    for number in range(30):
        answers.keep("r", f"n{number}", Outcome("SELECT", JSON, 1000, 0.0), io.BytesIO(b"x" * 1000))
        os.utime(tmp_path / "r" / f"n{number}", ns=(number, number))
        if found := answers.find("r", "n0"):  # used all the time
            found[1].close()
    left = {path.name for path in (tmp_path / "r").iterdir()}
    assert len(left) <= 10 and "n0" in left and "n29" in left and ("cache_evictions", 1) in counts
    answers.keep("r", "large", Outcome("SELECT", JSON, 10_000, 0.0), io.BytesIO(b"x" * 10_000))
    assert answers.find("r", "large") is None, "one answer must not push all others out"
    assert not [path for path in tmp_path.iterdir() if path.is_file()], "no draft is left"


def test_quick_answers_stay_in_memory_within_a_bound(engine, answers):
    answers.quick, answers.recent.max_bytes = 60.0, 20_000
    assert content(engine)[1] == content(engine)[1] and engine.queries == [SELECT]
    assert content(engine, coding="gzip")[1] == content(engine, coding="gzip")[1] and not list(answers.folder.glob("*/*"))
    for number in range(30):
        content(engine, f"SELECT ({number} AS ?n) {{}}")
    asked = len(engine.queries)
    content(engine, "SELECT (29 AS ?n) {}"), content(engine)
    assert len(engine.queries) == asked + 1, "the one used last is still there, the first is not"
    answers.quick = 0.0
    content(engine, SELECT + "#")
    assert len(list(answers.folder.glob("*/*"))) == 1


def test_what_another_process_kept_is_found_and_what_nobody_kept_is_not_looked_for(tmp_path, monkeypatch):
    one, other = Answers(tmp_path / "answers", quick=0.0), Answers(tmp_path / "answers", quick=0.0)
    one.keep("r", "name", Outcome("SELECT", JSON, 3, 0.0), io.BytesIO(b"abc"))
    with other.find("r", "name")[1] as file:
        assert file.read() == b"abc"
    monkeypatch.setattr(os, "access", lambda *_: pytest.fail("the system was asked"))
    assert other.find("r", "another") is None


def test_without_place_nothing_is_kept_and_nothing_fails(engine):
    engine.answers.folder.parent.joinpath("answers").write_text("a file where a folder should be")
    assert content(engine)[1] == content(engine)[1] and len(engine.queries) == 2


def test_a_damaged_answer_is_asked_again(engine):
    content(engine)
    [path] = engine.answers.folder.glob("*/*")
    path.write_bytes(b"not an answer")
    assert content(engine)[1].startswith(b'{"head"') and len(engine.queries) == 2


def test_many_share_a_folder(engine):
    stop = threading.Event()

    def tidy():
        while not stop.wait(0.001):
            for path in engine.answers.folder.glob("*/*"):
                path.unlink(missing_ok=True)

    expected = content(engine)[1]
    thread = threading.Thread(target=tidy)
    thread.start()
    with ThreadPoolExecutor(8) as executor:
        assert set(executor.map(lambda _: content(engine)[1], range(300))) == {expected}
    stop.set()
    thread.join()


def test_compression_gives_the_same_bytes_each_time():
    with tempfile.TemporaryFile() as file:
        file.write(b"abc" * 10_000)
        sizes = []
        for _ in range(2):
            file.seek(0)
            size, coded = compressed(file)
            with coded:
                sizes.append((size, coded.read()))
    assert sizes[0] == sizes[1] and sizes[0][0] == len(sizes[0][1]) < 500


def test_a_release_brings_what_its_pages_ask(small_home, tmp_path):
    release = open_graph(small_home).release
    engine = Kept(Embedded.load(release.nquads).store).keeping(Answers(tmp_path / "run"), release.id, release.path / "answers")
    graph = Graph(engine, release)
    graph.run("pages/counts"), graph.run("pages/featured", limit=gathering.FEATURED), graph.run("pages/places")
    gathering.examples(graph.run, gathering.most_known(graph.search))
    for name in queries.names():
        graph.run(name, **queries.load(name).examples)
    assert engine.queries == []
    files = {path.name for path in (release.path / "answers").iterdir()}
    assert len(files) == len(set(wanted(open_graph(small_home).run))) + 1 and files <= {name.removeprefix("answers/") for name in release.manifest["files"]}
    assert key(queries.load("pages/counts").bind(), JSON.name) in files
