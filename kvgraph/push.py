"""Push: publish a release to another engine, through the SPARQL 1.1 Graph Store HTTP Protocol.

Under the names of :mod:`kvgraph.store.published` a new release is written beside the old one, graph by graph and in bounded requests. Only when all of
it is there is one small graph replaced, which says that it is current: a reader finds the old release or the new one. A push
that breaks off changes nothing for readers and is repeated as it was.
"""

import gzip
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pyoxigraph as ox
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple

from .errors import KvgraphError
from .namespaces import BASE, DCTERMS, RDF, XSD
from .releases import Release
from .store.endpoint import NoRedirect, address
from .store.published import AVAILABLE, CURRENT, HAS_CURRENT, HAS_VERSION, NAMED_GRAPH, RELEASE, SD, Names

BATCH = 500_000  # bytes of a request at most: proxies often refuse more than a megabyte
_ADDRESSES = (
    "It is not the address of queries: for Oxigraph it ends in /store, for Fuseki in /data, for Virtuoso in /sparql-graph-crud-auth."
)


class PushRefused(KvgraphError):
    """The graph store cannot be reached or does not take what it is sent."""


class GraphStore:
    """A client of the Graph Store HTTP Protocol: whole graphs, addressed as ``<url>?graph=<name>`` (indirect identification, section 4.2).

    Credentials are sent only when the store asks for them, by Basic or Digest as it likes. Redirects are not followed.

    Raises, from every method:
        PushRefused: with what to do.
    """

    def __init__(self, url: str, user: str | None = None, password: str | None = None, timeout: float = 120.0):
        self.url, self.timeout = address(url), timeout
        handlers: list[urllib.request.BaseHandler] = [NoRedirect()]
        if user and password:
            known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            known.add_password(None, url, user, password)
            handlers += [urllib.request.HTTPDigestAuthHandler(known), urllib.request.HTTPBasicAuthHandler(known)]
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, graph: str) -> list[Triple]:
        """The triples of a graph; none where there is no such graph."""
        answer = self._send("GET", graph, accept="text/turtle, application/n-triples;q=0.8")
        try:
            return [quad.triple for quad in ox.parse(answer, format=RdfFormat.TURTLE)]  # N-Triples is Turtle
        except SyntaxError:
            raise PushRefused(f"What {self.url} sent is no Turtle.", _ADDRESSES) from None

    def put(self, graph: str, triples: Iterator[Triple] | list[Triple]) -> None:
        """Replaces a graph. One request is atomic in any store; what is longer than :data:`BATCH` is added in further ones."""
        method = "PUT"
        for body in _batches(triples):
            self._send(method, graph, body)
            method = "POST"

    def delete(self, graph: str) -> None:
        """Deletes a graph, if it is there."""
        self._send("DELETE", graph)

    def _send(self, method: str, graph: str, body: bytes | None = None, accept: str = "*/*") -> bytes:
        address = f"{self.url}{'&' if '?' in self.url else '?'}{urllib.parse.urlencode({'graph': graph})}"
        headers = {"Accept": accept, **({"Content-Type": "text/turtle; charset=utf-8"} if body is not None else {})}
        try:
            with self._opener.open(urllib.request.Request(address, body, headers, method=method), timeout=self.timeout) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404 and method in ("GET", "DELETE"):
                    return b""
                raise _refusal(error, self.url) from None
        except ValueError as error:  # urllib knows Basic and Digest only
            raise PushRefused(f"{self.url} wants another kind of sign-in: {error}.") from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise PushRefused(f"Nobody answers at {self.url}: {reason}.", "Is the engine running, and is the address right?") from None


def push(
    release: Release,
    store: GraphStore,
    *,
    prune: bool = False,
    step: Callable[[str], None] = lambda name: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Publishes a release and makes it current there; returns the ids of the releases deleted.

    With ``prune`` every other release goes, but for the one that was current until now: readers may still be in the middle of it.
    A release that is whole there already is not sent again, only made current: that is how to go back. Push to a store one
    release at a time: two at once would overwrite each other's news.

    Raises:
        PushRefused: nothing has changed for readers; push again.
    """
    names = Names(release.id)
    before = _Releases.read(store)
    if release.id not in before.available:
        _upload(release, store, names, before, step, progress)
    step("switch")
    after = before.switched(release.id)
    store.put(CURRENT, after.triples())
    gone = sorted(after.known - {release.id, before.current}) if prune else []
    for id in gone:
        step("prune")
        _delete(store, Names(id), progress)
        after = after.without(id)
        store.put(CURRENT, after.triples())
    return gone


def _upload(release, store, names, before, step, progress) -> None:
    graphs = _graphs(release, names)
    step("announce")
    store.put(CURRENT, before.triples(announced=release.id))  # so that a broken push can be found and deleted
    store.put(names.release, _description(release, names, graphs))
    step("upload")
    total, done = sum(map(len, graphs.values())), 0
    for name, triples in graphs.items():
        store.put(name, triples)
        done += len(triples)
        progress(done, total)


class _Releases:
    """What the graph ``release/current`` says: the releases that may have graphs in the store, since when each is whole, and the current one."""

    def __init__(self, current: str | None, known: set[str], available: dict[str, Literal]):
        self.current, self.known, self.available = current, known, available

    @classmethod
    def read(cls, store: GraphStore) -> "_Releases":
        triples = store.get(CURRENT)
        known = {t.object.value.removeprefix(RELEASE) for t in triples if t.predicate == HAS_VERSION}
        current = next((t.object.value.removeprefix(RELEASE) for t in triples if t.predicate == HAS_CURRENT), None)
        return cls(current, known, {t.subject.value.removeprefix(RELEASE): t.object for t in triples if t.predicate == AVAILABLE})

    def switched(self, id: str) -> "_Releases":
        now = Literal(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), datatype=NamedNode(XSD + "dateTime"))
        return _Releases(id, self.known | {id}, {**self.available, id: now})

    def without(self, id: str) -> "_Releases":
        return _Releases(self.current, self.known - {id}, {i: a for i, a in self.available.items() if i != id})

    def triples(self, announced: str | None = None) -> list[Triple]:
        here = NamedNode(CURRENT)
        found = [Triple(here, HAS_VERSION, NamedNode(RELEASE + id)) for id in sorted(self.known | ({announced} if announced else set()))]
        found += [Triple(NamedNode(RELEASE + id), AVAILABLE, since) for id, since in sorted(self.available.items())]
        return found + ([Triple(here, HAS_CURRENT, NamedNode(RELEASE + self.current))] if self.current else [])


def _graphs(release: Release, names: Names) -> dict[str, list[Triple]]:
    """Every graph of a release under its name in the store, the merge last."""

    def term(node):
        if isinstance(node, NamedNode):
            return NamedNode(names.term(node.value))
        # A blank node would be another one in every request; ours have none, what is imported may.
        return NamedNode(f"{names.release}/genid/{node.value}") if isinstance(node, ox.BlankNode) else node

    graphs: dict[str, list[Triple]] = {}
    with gzip.open(release.nquads) as file:
        for quad in ox.parse(file, format=RdfFormat.N_QUADS):
            name = names.default if isinstance(quad.graph_name, ox.DefaultGraph) else names.graph(quad.graph_name.value)
            graphs.setdefault(name, []).append(Triple(term(quad.subject), quad.predicate, term(quad.object)))
    graphs[names.default] = graphs.pop(names.default, [])
    return graphs


def _description(release: Release, names: Names, graphs: dict[str, list[Triple]]) -> list[Triple]:
    this = NamedNode(names.release)
    built = Literal(release.manifest["built"], datatype=NamedNode(XSD + "dateTime"))
    return [
        Triple(this, NamedNode(RDF + "type"), NamedNode(SD + "Dataset")),
        Triple(this, NamedNode(DCTERMS + "identifier"), Literal(release.id)),
        Triple(this, NamedNode(DCTERMS + "issued"), built),
        Triple(this, NamedNode(DCTERMS + "isVersionOf"), NamedNode(BASE)),
        Triple(this, NamedNode(SD + "defaultGraph"), NamedNode(names.default)),
        *(Triple(this, NAMED_GRAPH, NamedNode(name)) for name in graphs if name != names.default),
    ]


def _delete(store: GraphStore, names: Names, progress: Callable[[int, int], None]) -> None:
    """Deletes a release. Its description goes last: until then it says what is left to delete."""
    doomed = [names.default, *(t.object.value for t in store.get(names.release) if t.predicate == NAMED_GRAPH), names.release]
    for done, name in enumerate(doomed, 1):
        store.delete(name)
        progress(done, len(doomed))


def _batches(triples: Iterator[Triple] | list[Triple]) -> Iterator[bytes]:
    """N-Triples in pieces of at most :data:`BATCH` bytes (a single longer triple is a piece of its own); one piece if there are none."""
    lines, size = [], 0
    for line in ox.serialize(triples, format=RdfFormat.N_TRIPLES).splitlines(keepends=True):
        if lines and size + len(line) > BATCH:
            yield b"".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    yield b"".join(lines)


def _refusal(error: urllib.error.HTTPError, url: str) -> PushRefused:
    says = error.read(2000).decode(errors="replace").strip().partition("\n")[0][:200]
    match error.code:
        case 401 | 403:
            return PushRefused(f"{url} does not let us write ({error.code}).", "Give --user and --password-file of somebody who may.")
        case 404 | 405 | 501:
            return PushRefused(f"There is no writable graph store at {url} ({error.code}).", _ADDRESSES)
        case 413:
            return PushRefused(
                f"{url} does not take {BATCH:,} bytes in one request (413).", "Raise the limit of the engine or proxy (nginx: client_max_body_size)."
            )
        case code if 300 <= code < 400:
            return PushRefused(f"{url} sends elsewhere ({code}), and that is not followed.", "Give the address it names, if you trust it.")
    return PushRefused(f"{url} failed ({error.code}): {says or error.reason}", "Nothing has changed for readers; push again when it is mended.")
