"""What a stranger writes is read in a time that grows with its length, not with the square of it: a web process answers nobody else meanwhile."""

import time

import pytest

from kvgraph.formats import RESULTS, negotiate
from kvgraph.server import headers, hosts, protocol
from kvgraph.store import QueryTooLarge, check, volatile

LONGEST = 128 * 1024  # bytes of a query; a web server takes more of a header field


def filled(unit: str, before: str = "", after: str = "") -> str:
    return before + unit * ((LONGEST - len(before) - len(after)) // len(unit)) + after


def quick(read, *texts):
    """What it makes of the last one, having read all in a fraction of the many seconds that it took once."""
    began = time.process_time()
    for text in texts:
        found = read(text)
    assert time.process_time() - began < 1.5
    return found


@pytest.mark.parametrize("accept", [filled('\\"', '"'), filled('"'), filled('x/y;a="', after="text/csv"), filled("text/csv ;", after='"')])
def test_accept_with_quotation_marks_that_are_never_closed(accept):
    """RFC 9110, section 12.5.1: what is malformed counts for nothing."""
    quick(lambda text: negotiate(text, RESULTS), accept)


UNCLOSED = {
    "one after the other": filled('\\"""a\n', 'SELECT * {} """a\n', "service"),
    "with short strings between": filled('\\"""a" ', 'SELECT * { """a" '),
    "with the other mark": filled("\\'''a' ", "ASK { '''a' "),
    "before any keyword": filled('\\"""a\n', '"""a\n'),
}


@pytest.mark.parametrize("query", UNCLOSED.values(), ids=UNCLOSED)
def test_long_strings_that_are_never_closed(query):
    def refused(text):
        with pytest.raises(QueryTooLarge, match="never closed"):
            check(text)

    quick(refused, query)


def test_long_strings_that_are_closed_are_as_many_as_one_likes():
    assert quick(check, filled('"""a"b\n\\""" """@en ', "SELECT * { VALUES ?x { ", "} }")) == "SELECT"


def test_names_of_functions_that_are_none():
    assert quick(volatile, filled("now ", "ASK { ?s ?p '"), filled("now#", "ASK { ?s ?p '")), "what a comment hides may be anything"


def test_long_header_fields_are_not_remembered():
    """Hundreds of them would be hundreds of megabytes."""
    before = protocol._negotiated.cache_info().currsize
    for n in range(5):
        asked = protocol.ProtocolRequest("ASK {}")
        assert protocol.choose(asked, "ASK", filled("text/x, ", after=f"text/csv;a={n}")).name == "csv"
    assert protocol._negotiated.cache_info().currsize == before


def test_of_long_lists_of_languages_and_codings_the_beginning_is_read():
    """RFC 9110, sections 12.5.3 and 12.5.4: a server may disregard them."""
    passed = []
    entrance = hosts.Hosts(lambda environ, start: passed.append(environ) or [])
    entrance({"HTTP_HOST": "x", "HTTP_ACCEPT_LANGUAGE": filled("fr,"), "HTTP_ACCEPT_ENCODING": filled("gzip, ")}, None)
    assert {len(passed[0][name]) // 100 for name in ("HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING")} == {9}
    assert passed[0]["HTTP_ACCEPT_LANGUAGE"].endswith("fr") and headers.coding_of(passed[0]["HTTP_ACCEPT_ENCODING"]) == "gzip"
