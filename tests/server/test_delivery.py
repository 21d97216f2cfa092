"""How answers leave: what is kept in memory, and what a long one costs."""

from io import BytesIO
from types import SimpleNamespace

import pytest
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wsgi import FileWrapper

from kvgraph.server.answers import WHOLE
from kvgraph.server.delivery import LONGEST_KEPT, Delivery
from kvgraph.server.headers import KEEP


@pytest.mark.parametrize(
    "size, wrap, made",
    [(10, list, 1), (WHOLE + 1, list, 1), (LONGEST_KEPT + 1, list, 2), (WHOLE + 1, lambda body: FileWrapper(BytesIO(body[0])), 2)],
    ids=["short", "long", "too long", "in a file"],
)
def test_a_page_is_made_once_for_a_release_unless_it_is_too_long_or_lies_in_a_file(size, wrap, made):
    calls = []

    def app(environ, start_response):
        calls.append(environ["PATH_INFO"])
        environ[KEEP] = "map"
        start_response("200 OK", [("Content-Length", str(size))])
        return wrap([b"x" * size])

    delivery = Delivery(app, lambda: SimpleNamespace(release=SimpleNamespace(id="r")), 1000)
    for _ in range(2):
        body, status, _ = run_wsgi_app(delivery, create_environ("/map"), buffered=True)
        assert status == "200 OK" and b"".join(body) == b"x" * size
    assert len(calls) == made
    assert delivery.streams.inside.total() == 0  # whoever has read a long one to its end makes room
