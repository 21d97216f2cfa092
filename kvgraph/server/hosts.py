"""What is looked at first in a request: whom it is for, before anything writes addresses with that (RFC 9112, section 3.2); and that no list of what
a client likes is longer than anybody needs, before it is read and remembered."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv6Address

import flask
from flask import Flask, json
from werkzeug.routing import MapAdapter
from werkzeug.wsgi import get_host

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?))(?::([0-9]{0,5}))?")
_LONGEST = 260  # characters: what is remembered is short
_LISTS, _LONGEST_LIST = ("HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING"), 1000
_WORDS = {"detail": "The header field Host must name one host.", "hint": "Send it once, for example as Host: example.org."}
_BODY = json.dumps({"type": "about:blank", "title": "Bad Request", "status": 400, **_WORDS}).encode()
_FIELDS = {"Content-Type": "application/problem+json", "Content-Length": str(len(_BODY)), "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}


def register(app: Flask) -> None:
    app.wsgi_app = Hosts(app.wsgi_app)
    app.request_class = Request
    bind = app.create_url_adapter

    def bound(request: flask.Request | None) -> MapAdapter | None:
        adapter = bind(request)
        if adapter and request:
            adapter.server_name = host_of(request.environ)  # to which it redirects
        return adapter

    app.create_url_adapter = bound


class Request(flask.Request):
    """A request for a host that was looked at here."""

    @property
    def host(self) -> str:
        return host_of(self.environ)

    @host.setter
    def host(self, read: str) -> None:
        """Flask sets it to what Werkzeug reads."""


def host_of(environ: dict) -> str:
    """The host of a request that was looked at here. Werkzeug takes some for none, such as one with an underscore, as containers and upstreams are called.

    >>> host_of({"wsgi.url_scheme": "http", "HTTP_HOST": "kv_graph:81", "SERVER_NAME": "0.0.0.0", "SERVER_PORT": "81"})
    'kv_graph:81'
    """
    return get_host(environ) or environ.get("HTTP_HOST", "")


class Hosts:
    """WSGI middleware: 400 for a Host that is missing, named twice, or no host. Of long lists of languages and codings the beginning is passed on."""

    def __init__(self, app: Callable):
        self.app = app

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST")
        if not host:  # granian says that it is empty where there is none
            environ.pop("HTTP_HOST", None)
        for name in _LISTS:
            if len(liked := environ.get(name, "")) > _LONGEST_LIST:
                environ[name] = liked[:_LONGEST_LIST].rpartition(",")[0]
        if len(host) < _LONGEST and _names_one(host) if host else environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
            return self.app(environ, start_response)
        start_response("400 BAD REQUEST", list(_FIELDS.items()))
        return [_BODY]


@lru_cache(maxsize=1024)
def _names_one(host: str) -> bool:
    """Whether that is a host, perhaps with a port.

    >>> [_names_one(host) for host in ("example.org:8000", "[::1]", "kv_graph", "a,b", "a..b", "[::::]", "a:65536", "XN--")]
    [True, True, True, False, False, False, False, False]
    """
    if not (found := _HOST.fullmatch(host)) or int(found[3] or 0) > 65535:
        return False
    try:
        if found[1]:
            IPv6Address(found[1])
        else:
            found[2].lower().encode("ascii").decode("idna")  # as whoever shows an address reads it
    except ValueError:
        return False
    return True
