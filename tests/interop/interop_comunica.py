"""Comunica, from npm, as a client: alone, and federating our endpoint with another one, which is what we tell people to do instead of SERVICE.

Needs node and npm with access to a registry, and fails without.
"""

import json
import re
import subprocess

import pytest

from kvgraph.resources import folder

from ..serving import served

PACKAGE = "@comunica/query-sparql@4"
PRACTICES = "SELECT ?p ?t { ?p a <https://w3id.org/kvgraph/def/kv#Practice> ; <http://purl.org/dc/terms/title> ?t } ORDER BY ?p"


@pytest.fixture(scope="module")
def comunica(tmp_path_factory):
    """Runs a query over sources; the bindings it gives."""
    folder = tmp_path_factory.mktemp("comunica")
    install = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error", PACKAGE]
    done = subprocess.run(install, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr

    def query(text: str, *sources: str):
        command = [str(folder / "node_modules" / ".bin" / "comunica-sparql"), *sources, "-q", text, "-t", "application/sparql-results+json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return query


@pytest.fixture(scope="module")
def base(bundled_home):
    with served(bundled_home) as address:
        yield address


def test_rows_from_the_endpoint(comunica, base, bundled_home):
    from kvgraph import open as open_graph

    expected = [row["p"] for row in open_graph(bundled_home).query(PRACTICES)]
    found = comunica(PRACTICES, f"sparql@{base}/sparql")["results"]["bindings"]
    assert [row["p"]["value"] for row in found] == expected and len(expected) > 300


def test_asking_yes_or_no(comunica, base):
    assert comunica("ASK { ?s a <https://w3id.org/kvgraph/def/kv#Practice> }", f"sparql@{base}/sparql")["boolean"] is True


def test_the_endpoint_is_recognised_by_its_description(comunica, base):
    """Without being told that it is an endpoint, Comunica finds the service description at its address."""
    found = comunica("SELECT (COUNT(*) AS ?n) { ?s a <https://w3id.org/kvgraph/def/kv#Actor> }", f"{base}/sparql")
    assert int(found["results"]["bindings"][0]["n"]["value"]) > 100


def test_federation_from_the_clients_side(comunica, base, small_home):
    """A join between two endpoints that neither of them has to make."""
    with served(small_home) as other:
        text = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
        SELECT DISTINCT ?c ?code { ?p a kv:Practice ; kv:country ?c . ?c skos:notation ?code } ORDER BY ?c LIMIT 500"""
        found = comunica(text, f"sparql@{base}/sparql", f"sparql@{other}/sparql")["results"]["bindings"]
        assert len({row["c"]["value"] for row in found}) > 10


def test_a_document_is_a_source(comunica, base):
    """Linked data: the document about a thing, negotiated and read."""
    found = comunica("SELECT ?o { <https://w3id.org/kvgraph/id/practice/national-ip-protocol> <http://purl.org/dc/terms/title> ?o }", f"{base}/doc/practice/national-ip-protocol")
    assert len(found["results"]["bindings"]) >= 1


def test_the_commands_of_the_guide(comunica, base, small_home):
    """Those of the guide on federation, as they stand, but for where Comunica is installed."""
    text = (folder("web") / "docs" / "27-federation.md").read_text(encoding="utf-8")
    commands = re.findall(r"^```comunica\nnpx @comunica/query-sparql@4 ([^\n]*) -q '(.*?)'\n```$", text, re.DOTALL | re.MULTILINE)
    assert len(commands) == 2
    with served(small_home) as other:
        for sources, query in commands:
            addresses = [source.replace("http://127.0.0.1:8000", base).replace("http://127.0.0.1:8001", other) for source in sources.split()]
            assert comunica(query, *addresses)["results"]["bindings"]
