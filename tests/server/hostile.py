"""What ill will sends over HTTP, and an honest client to see whether anybody notices. Used by tests and by the long load of ``tests/interop``."""

import http.client
import json
import random
import socket
import threading
import time
from urllib.parse import urlencode, urlsplit

from ..harm import CROSS, Listener
from ..test_hostile_queries import DEEP, concat_chain

__all__ = ["Honest", "Listener", "QUERIES", "ask", "slow_reader"]

HERE = "127.0.0.1"  # all of 127.0.0.0/8 is this machine: clients with other addresses take turns with each other
SERVICES = ("SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}", "SELECT * {{ SERVICE#<x>\n<{url}> {{}} }}", "SELECT * {{ \\u0053ERVICE SILENT <{url}> {{}} }}")
FETCHES = ("SELECT * FROM <{url}> {{ ?s ?p ?o }}", "SELECT * FROM NAMED <file:///etc/passwd> {{ GRAPH ?g {{ ?s ?p ?o }} }}")
QUERIES = [
    *DEEP.values(), CROSS, concat_chain(40), "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f",
    "SELECT (GROUP_CONCAT(?c) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", "ASK { ?a ?b ?c FILTER(REGEX(?c, '(a{1,100}){1,100}{1,100}')) }",
    "CONSTRUCT { ?a ?b ?f } WHERE { ?a ?b ?c . ?d ?e ?f }", "DELETE WHERE { ?s ?p ?o }", "LOAD <file:///etc/passwd>", "", "\0", "SELECT",
    *SERVICES, *FETCHES,
]  # fmt: skip


def ask(host: str, query: str, accept: str = "application/sparql-results+json, text/turtle;q=0.9", timeout: float = 60.0, source: str = HERE, **fields) -> tuple[int, bytes]:
    """Status and body of a query sent in a form, from the address ``source``."""
    connection = http.client.HTTPConnection(host, timeout=timeout, source_address=(source, 0))
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": accept}
        connection.request("POST", "/sparql", body=urlencode({"query": query, **fields}).encode(errors="replace"), headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def slow_reader(host: str, query: str, source: str = HERE) -> socket.socket:
    """A client that asks for a long answer and does not read it."""
    name, _, port = host.partition(":")
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.bind((source, 0))
    reader.connect((name, int(port)))
    reader.sendall(f"GET /sparql?{urlencode({'query': query, 'format': 'csv'})} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return reader


class Honest(threading.Thread):
    """Reads pages, things and answers to light queries, over and over; what failed is in ``wrong``, how long each took in ``took``.

    An answer of 429 or 503 with ``Retry-After`` is obeyed, as honest programs do, and asked again; if it is not given in time, it has failed.
    """

    PATHS = ("/", "/search?q=university", "/questions/practices-per-country?format=csv", "/questions", "/sparql", "/data?graph=https%3A%2F%2Fw3id.org%2Fkvgraph%2Fdef%2Fchannel", "/def/kv.ttl", "/readyz")  # fmt: skip
    LIGHT = "SELECT (COUNT(*) AS ?n) { ?s a <https://w3id.org/kvgraph/def/kv#Practice> } # %s"

    def __init__(self, address: str, pause: float = 0.05, patience: float = 30.0, source: str = HERE):
        super().__init__()
        self.host, self.pause, self.patience, self.source = urlsplit(address).netloc, pause, patience, source
        self.took, self.wrong, self.told_later, self.stop = [], [], 0, threading.Event()

    def run(self) -> None:
        while not self.stop.wait(self.pause):
            began = time.monotonic()
            try:
                self._one(began)
            except Exception as error:
                self.wrong.append(repr(error))
            self.took.append(time.monotonic() - began)

    def _one(self, began: float) -> None:
        path = random.choice((*self.PATHS, "/sparql?" + urlencode({"query": self.LIGHT % random.random(), "format": "json"})))
        while True:
            connection = http.client.HTTPConnection(self.host, timeout=self.patience, source_address=(self.source, 0))
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
            finally:
                connection.close()
            if response.status == 200:
                if "query=" in path:
                    assert int(json.loads(body)["results"]["bindings"][0]["n"]["value"]) > 0
                return
            assert response.status in (429, 503), f"{path}: {response.status} {body[:200]!r}"
            self.told_later += 1
            wait = float(response.headers["Retry-After"])
            assert time.monotonic() - began + wait < self.patience, f"{path}: not answered within {self.patience:g} s"
            time.sleep(wait)
