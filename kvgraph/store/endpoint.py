"""One exchange with a remote endpoint: a query goes out through SPARQLWrapper, and every answer that is none becomes the error it stands for."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pyoxigraph
from pyoxigraph import QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat
from SPARQLWrapper import JSON, POST, TURTLE, SPARQLWrapper

from kvgraph.store import syntax
from kvgraph.store.errors import EngineCrashed, PoolBusy, QueryError, QuerySyntaxError, QueryTimeout, QueryTooLarge

_CHUNK = 1 << 20
_ERROR_BYTES = 64 * 1024  # of the body of an error that are read
_ACCEPT_RESULTS = "application/sparql-results+json, application/sparql-results+xml;q=0.8"
_ACCEPT_TRIPLES = "application/n-triples, text/turtle;q=0.8, application/rdf+xml;q=0.5"
Parameters = list[tuple[str, str]]


class EndpointError(QueryError):
    """The remote endpoint cannot be reached, wants something else, or answers with what is no answer."""

    code = "endpoint"
    status = 502


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Requests and passwords go to the address that was configured and nowhere else."""

    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(NoRedirect())


class _Request(SPARQLWrapper):
    """A query that knows its form. SPARQLWrapper would look for it with regular expressions that a query can make run for ever."""

    def __init__(self, endpoint: str, query: str, form: str, parameters: Parameters, timeout: float):
        self._form = form
        triples = form in ("CONSTRUCT", "DESCRIBE")
        super().__init__(endpoint, returnFormat=TURTLE if triples else JSON, agent="kvgraph")
        self.setQuery(query)
        self.setMethod(POST)
        self.setOnlyConneg(True)
        self.addCustomHttpHeader("Accept", _ACCEPT_TRIPLES if triples else _ACCEPT_RESULTS)
        self.timeout = timeout
        for name, value in parameters:
            self.addParameter(name, value)

    def _parseQueryType(self, query: str) -> str:
        return self._form

    def _query(self):
        return _OPENER.open(self._createRequest(), timeout=self.timeout), self.returnFormat


class Endpoint:
    """An address of the SPARQL 1.1 Protocol, with the credentials it may want.

    Raises:
        EndpointError: the address is not one of HTTP, or holds a password.
    """

    def __init__(self, url: str, user: str | None = None, password: str | None = None):
        self.url = address(url)
        self._credentials = (user, password) if user and password else None

    def ask(self, query: str, form: str, parameters: Parameters, timeout: float, max_bytes: int) -> tuple[bytes, bool]:
        """The answer to a query as SPARQL Results JSON or N-Triples, known to be well-formed, and whether it is complete.

        Raises:
            QueryError: of the kind that says what is wrong.
        """
        request = _Request(self.url, query, form, parameters, timeout)
        if self._credentials:
            request.setCredentials(*self._credentials)
        deadline = time.monotonic() + timeout
        try:
            with request.query().response as response:
                data = _read(response, max_bytes, deadline, timeout)
                headers = response.headers
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, self.url, query, timeout) from None
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
                raise QueryTimeout(timeout) from None
            raise _unreachable(self.url, error) from None
        convert = _results if form in ("SELECT", "ASK") else _triples
        return convert(data, headers.get_content_type(), form, self.url), not _cut(headers)


def address(endpoint: str) -> str:
    """The address itself, if requests can go there. Raises :class:`EndpointError`."""
    try:
        parts = urlsplit(endpoint)
        sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        sound = False
    if not sound:
        raise EndpointError(f"This is no address of an endpoint: {endpoint[:200]!r}.", "It looks like http://127.0.0.1:7878/query.")
    if parts.username or parts.password:
        raise EndpointError("The address of the endpoint holds a password; it would end in logs.", "Give user and password by themselves.")
    return endpoint


def _read(response: http.client.HTTPResponse, most: int, deadline: float, timeout: float) -> bytes:
    """The whole body, unless it is too long or too slow."""
    chunks, size = [], 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise QueryTooLarge(f"The answer is longer than {most:,} bytes.", "Ask for fewer rows (LIMIT) or fewer columns.", limit="bytes")
        if time.monotonic() > deadline:
            raise QueryTimeout(timeout)
    if response.length:  # read1 says nothing of a body that ends too early
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(chunks)


def _results(data: bytes, media_type: str, form: str, endpoint: str) -> bytes:
    """An answer to SELECT or ASK as JSON. Parsed to its end: some engines break off in the middle of a status 200."""
    given = QueryResultsFormat.from_media_type(media_type)
    if given is None:
        raise _no_answer(endpoint, f"{media_type or 'no media type'} where SPARQL results were expected")
    try:
        results = pyoxigraph.parse_query_results(data, format=given)
        if form == "ASK" and isinstance(results, QuerySolutions):
            return _boolean(results)
        if isinstance(results, QueryBoolean) != (form == "ASK"):
            raise _no_answer(endpoint, "an answer of another form")
        return results.serialize(format=QueryResultsFormat.JSON)
    except (SyntaxError, ValueError, OSError) as error:
        raise _no_answer(endpoint, f"broken results ({str(error)[:100]}); perhaps it ran out of time or memory") from None


def _boolean(results: QuerySolutions) -> bytes:
    # Virtuoso 7.2 answers ASK with one row that holds 1 or 0 in a column of this name.
    rows = list(results)
    if [v.value for v in results.variables] != ["__ASK_RETVAL"]:
        raise ValueError("rows instead of yes or no")
    return json.dumps({"head": {}, "boolean": any(row[0].value in ("1", "true") for row in rows)}).encode()


def _triples(data: bytes, media_type: str, form: str, endpoint: str) -> bytes:
    """An answer to CONSTRUCT or DESCRIBE as N-Triples."""
    given = RdfFormat.from_media_type(media_type)
    if given is None:
        raise _no_answer(endpoint, f"{media_type or 'no media type'} where RDF was expected")
    try:
        return pyoxigraph.serialize((quad.triple for quad in pyoxigraph.parse(data, format=given)), format=RdfFormat.N_TRIPLES)
    except (SyntaxError, ValueError, OSError) as error:
        raise _no_answer(endpoint, f"broken RDF ({str(error)[:100]})") from None


def _cut(headers: http.client.HTTPMessage) -> bool:
    """Whether the endpoint says that it left something out: Virtuoso does, with the rows it allows or the state of its clock."""
    return "X-SPARQL-MaxRows" in headers or headers.get("X-SQL-State") == "S1TAT"


def _no_answer(endpoint: str, what: str) -> EndpointError:
    return EndpointError(f"{endpoint} sent {what}.", "Is this the address of its SPARQL endpoint?")


def _unreachable(endpoint: str, error: Exception) -> EndpointError:
    reason = getattr(error, "reason", error)
    return EndpointError(f"Nobody answers at {endpoint}: {str(reason) or type(reason).__name__}.", "Is the engine running, and is the address right?")


def _refusal(error: urllib.error.HTTPError, endpoint: str, query: str, timeout: float) -> QueryError:
    """An HTTP status as the error it stands for."""
    body = error.read(_ERROR_BYTES).decode(errors="replace").strip()
    problem = _problem(body)
    says = problem.get("detail") or body.partition("\n")[0][:300] or error.reason
    match error.code, problem.get("code"):
        case 400, _:
            return _bad_query(query, says, problem)
        case (401 | 403), _:
            return EndpointError(f"{endpoint} wants other credentials ({error.code}).", "Check user and password.")
        case (413 | 414), _:
            return QueryTooLarge("The endpoint does not take a query this long.", "Split it.", limit="text")
        case (408 | 504, _) | (_, "timeout"):
            return QueryTimeout(timeout, f"The endpoint stopped the query: {says}")
        case _, "too-large":
            return QueryTooLarge(f"The endpoint gave up: {says}", "Ask for less.", limit="memory")
        case (429 | 503), _:
            wait = error.headers.get("Retry-After", "")
            return PoolBusy(min(int(wait), 3600) if wait.isascii() and wait.isdecimal() else 5, f"The endpoint is busy: {says}")
        case code, _ if 300 <= code < 400:
            return EndpointError(f"{endpoint} sends elsewhere ({code}), and that is not followed.", "Configure the address it names, if you trust it.")
        case code, _ if code < 500:
            return EndpointError(f"There is no SPARQL endpoint at {endpoint} ({code}).", "Check the address.")
    return EngineCrashed(f"The endpoint failed ({error.code}): {says}")


def _problem(body: str) -> dict:
    """The members of a problem document (RFC 9457), if it is one; another kvgraph sends one."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("detail", ""), str) else {}


def _bad_query(query: str, says: str, problem: dict) -> QuerySyntaxError:
    line, column = problem.get("line"), problem.get("column")
    if isinstance(line, int) and isinstance(column, int):
        reason = says.removeprefix(f"Line {line}, column {column}: ")
        return QuerySyntaxError(reason, line, column, str(problem.get("source", ""))[:1000], problem.get("hint"))
    return syntax.explain(query, says)
