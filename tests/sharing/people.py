"""People at the pages for those who share, as an application sees them: they read pages, and send the forms that are on them."""

import re
from html.parser import HTMLParser
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from kvgraph import open as open_graph
from kvgraph.contribute import accounts
from kvgraph.contribute.book import book
from kvgraph.contribute.publish import publish
from kvgraph.server import create_app

from ..conftest import SMALL
from ..server.html import check

HTML = {"Accept": "text/html"}
PASSWORD = "correct horse battery"
SPAIN = "http://publications.europa.eu/resource/authority/country/ESP"
CATALONIA = "http://data.europa.eu/nuts/code/ES51"
UNIVERSITY = "https://w3id.org/kvgraph/id/actor/harbour-university"
LAB = "https://w3id.org/kvgraph/id/practice/living-lab"
# What makes a practice whole, as the form sends it.
PRACTICE = {
    "title": "Fish market data club", "title.lang": "en", "description": "Fishers and researchers share the data of the market.", "description.lang": "en",
    "country": SPAIN, "spatial": CATALONIA, "lead": UNIVERSITY, "startDate": "2021", "channel": "https://w3id.org/kvgraph/id/channel/participatory-innovation",
    "page": "https://example.org/fish", "seen": "2026-11", "source_kind": "https://w3id.org/kvgraph/id/source-kind/official", "relation": "part",
    "credit": "Harbour data office", "licence": "yes",
}  # fmt: skip


class Instance:
    """A home with a release of the invented facts, and the application over it."""

    def __init__(self, home: Path):
        self.home = home
        self.publish()
        self.graphs: dict[str, object] = {}
        self.app: Flask = create_app(self._graph, {"HOME": home})
        self.app.testing = True

    def _graph(self, release: str | None = None):
        from kvgraph import releases

        current = release or releases.current(self.home).id
        if current not in self.graphs:
            self.graphs[current] = open_graph(self.home, current)
        return self.graphs[current]

    def publish(self):
        return publish(self.home, data=SMALL)

    @property
    def book(self):
        return book(self.home)

    def somebody(self, name: str = "", role: str = "contributor") -> "Person":
        """Somebody who has signed in; without a name a visitor."""
        person = Person(self.app.test_client())
        if name:
            accounts.sign_up(self.book, name, PASSWORD, role)
            person.sign_in(name)
        return person


class Form(HTMLParser):
    """The fields of the form on a page that is sent to an address, as they are filled in."""

    def __init__(self, text: str, action: str = ""):
        super().__init__()
        self.wanted, self.inside, self.fields, self.select, self.area = action, False, [], None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.inside = given.get("method") == "post" and given.get("action", "").endswith(self.wanted)
        if not self.inside or "name" not in given and tag != "option":
            return
        if tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in given) and given.get("type") != "file":
            self.fields.append((given["name"], given.get("value", "")))
        elif tag == "select":
            self.select = given["name"]
        elif tag == "textarea":
            self.area = (given["name"], "")
        elif tag == "option" and self.select and "selected" in given:
            self.fields.append((self.select, given.get("value", "")))

    def handle_data(self, data):
        if self.area:
            self.area = (self.area[0], self.area[1] + data)

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        if tag == "textarea" and self.area:
            self.fields.append(self.area)
            self.area = None
        if tag == "select":
            self.select = None


class Person:
    def __init__(self, client: FlaskClient):
        self.client = client

    def read(self, address: str, status: int = 200) -> str:
        response = self.client.get(address.partition("#")[0], headers=HTML)
        text = response.get_data(as_text=True)
        assert response.status_code == status, (address, response.status_code, _words(text))
        if status != 303 and response.mimetype == "text/html":
            check(text)
        return text

    def send(self, page: str, status: int = 303, /, to: str | None = None, **fields) -> str:
        """Fill in the form of a page and send it; gives where it leads, or the page that came back. A list is a field with several values."""
        target = to or page.partition("?")[0]
        found = Form(self.read(page), target)
        assert found.fields, f"{page} has no form for {target}"
        data = [(name, value) for name, value in found.fields if name not in fields]
        data += [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
        return self.post(target, data, status)

    def post(self, address: str, data, status: int = 303, **options) -> str:
        from werkzeug.datastructures import MultiDict

        response = self.client.post(address, data=data if isinstance(data, dict) else MultiDict(data), headers={**HTML, **options.pop("headers", {})}, **options)
        text = response.get_data(as_text=True)
        assert response.status_code == status, (address, response.status_code, _words(text))
        if status not in (303, 302) and response.mimetype == "text/html":
            check(text)
        return response.headers.get("Location", "") or text

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.send("/account/sign-in", name=name, password=password)

    def sign_up(self, name: str) -> None:
        self.send("/account/sign-up", name=name, password=PASSWORD)

    def contribute(self, kind: str = "practice", **changes) -> str:
        """Send a whole record, with changes (None: without that field); gives its address."""
        fields = {**PRACTICE, "action": "submit", **changes}
        page = f"/contribute/new/{kind}"
        found = dict(Form(self.read(page), page).fields)
        return self.post(page, {"proof": found["proof"], "form": found["form"], **{k: v for k, v in fields.items() if v is not None}}).partition("?")[0]

    def decide(self, submission: str, action: str, text: str = "Seen.", status: int = 303, version: str | None = None) -> str:
        """Decide on what the page of a submission shows."""
        page = f"/curate/{submission.rpartition('/')[2]}"
        found = dict(Form(self.read(page), page).fields)
        return self.post(page, {"proof": found["proof"], "version": version or found["version"], "text": text, "action": action}, status)


def version_of(page: str) -> str:
    return re.search(r'name="version" value="(\d+)"', page)[1]


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))[-800:]
