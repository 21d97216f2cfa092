"""The language of the interface: every string can be translated, and a catalogue is all that another language needs."""

import json
import os
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment

from kvgraph.model import ENTITY_TYPES, LISTS
from kvgraph.resources import folder
from kvgraph.server.language import NAMES

from .conftest import client_of
from .html import check

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((folder("web") / "static").glob("workbench*/**/*.js")) + [folder("web") / "static" / "workbench.js"]
TEMPLATES = sorted((folder("web") / "templates").glob("*.html"))
LAB = "/doc/practice/living-lab"


def write_catalogue(where: Path, language: str, messages: dict) -> None:
    catalogue = Catalog(locale=language)
    for id_, text in messages.items():
        catalogue.add(id_, text)
    file = where / language / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    with file.open("wb") as into:
        write_po(into, catalogue)


@pytest.fixture
def french(tmp_path, invented):
    """A client of the application with a small French catalogue."""
    write_catalogue(tmp_path, "fr", {
        "Skip to content": "Aller au contenu", "Where and when": "Où et quand", "practice": "pratique", "practices": "pratiques",
        "%(things)s through this channel": "%(things)s par ce canal",
        "%(n)s more": "%(n)s de plus",
        ("%(number)s page", "%(number)s pages"): ("%(number)s page lue", "%(number)s pages lues"),
    })  # fmt: skip
    return client_of(invented, {"BABEL_TRANSLATION_DIRECTORIES": str(tmp_path)})


def page(client, path: str, language: str) -> str:
    response = client.get(path, headers={"Accept": "text/html", "Accept-Language": language})
    check(response.data.decode())
    return response.data.decode()


def test_a_catalogue_is_all_that_another_language_needs(french):
    text = page(french, LAB, "fr-BE, en;q=0.5")
    assert '<html lang="fr">' in text and "Aller au contenu" in text and "<h2>Où et quand</h2>" in text
    assert "Pratique" in text and ">Pratiques</a>" in text
    assert re.search(r"</a> pages? lues?<", text), "plural forms are those of the language"
    assert "Pratiques par ce canal" in page(french, "/doc/channel/participatory-innovation", "fr")
    assert "Breadcrumb" in text, "what is not translated stays English"


@pytest.mark.parametrize("accepted", ["en", "de", "fr;q=0", "", "xx-YY", "\x00", "fr" * 500])
def test_who_reads_another_language_gets_english(french, accepted):
    assert '<html lang="en">' in page(french, LAB, accepted)


def test_no_cache_mixes_two_languages(french, client):
    """The catalogue may be in a language that labels are not in, so the tag follows both."""
    answers = {language: french.get(LAB, headers={"Accept": "text/html", "Accept-Language": language}) for language in ("fr", "en", "fr;q=0.1, en;q=0.9")}
    assert all("Accept-Language" in answer.headers["Vary"] for answer in answers.values())
    assert [answer.headers["Content-Language"] for answer in answers.values()] == ["fr", "en", "en"]
    assert answers["fr"].headers["ETag"] != answers["en"].headers["ETag"] == answers["fr;q=0.1, en;q=0.9"].headers["ETag"]
    again = french.get(LAB, headers={"Accept": "text/html", "Accept-Language": "fr", "If-None-Match": answers["en"].headers["ETag"]})
    assert again.status_code == 200 and b'<html lang="fr">' in again.data
    data = {french.get(LAB + ".ttl", headers={"Accept-Language": language}).headers["ETag"] for language in ("fr", "en")}
    assert len(data) == 1, "RDF is the same in every language"


def test_a_language_of_no_eu_country_has_its_own_tag(tmp_path, invented):
    write_catalogue(tmp_path, "uk", {"Skip to content": "До змісту"})
    client = client_of(invented, {"BABEL_TRANSLATION_DIRECTORIES": str(tmp_path)})
    ukrainian = client.get(LAB, headers={"Accept": "text/html", "Accept-Language": "uk"})
    assert "До змісту" in ukrainian.data.decode()
    assert ukrainian.headers["ETag"] != client.get(LAB, headers={"Accept": "text/html", "Accept-Language": "en"}).headers["ETag"]


def test_a_translation_with_a_wrong_placeholder_breaks_no_page(tmp_path, invented):
    write_catalogue(tmp_path, "fr", {"%(things)s through this channel": "%(choses)s par ce canal", "Skip to content": "Aller au contenu"})
    client = client_of(invented, {"BABEL_TRANSLATION_DIRECTORIES": str(tmp_path)})
    text = page(client, "/doc/channel/participatory-innovation", "fr")
    assert "Practices through this channel" in text and "Aller au contenu" in text


def test_dates_are_those_of_the_language(french, client):
    assert "novembre 2026" in page(french, LAB, "fr") and "November 2026" in page(client, LAB, "fr")


# ── Every string of the interface ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def messages(tmp_path_factory) -> Catalog:
    """What `make messages` extracts."""
    pot = tmp_path_factory.mktemp("messages") / "messages.pot"
    command = re.search(r"\$\(BIN\)/pybabel (-q extract .*?) --output \S+ \.$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
    command = [sys.executable, "-m", "babel.messages.frontend", *command.split(), "--output", str(pot), "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, done.stderr
    with pot.open("rb") as file:
        return read_po(file)


def test_strings_of_templates_and_of_the_server_are_extracted(messages):
    for text in ("Skip to content", "Where and when", "%(things)s through this channel", "What it is about", "kind of tool", "There is no page at this address."):
        assert text in messages, text
    assert messages.get("%(number)s page").pluralizable


def test_strings_of_the_workbench_are_extracted_and_reach_its_script(messages, tmp_path, invented):
    for text in ("Run", "%(n)s rows in %(took)s.", "No rows: nothing in this release answers that."):
        assert text in messages, text
    write_catalogue(tmp_path, "fr", {"Run": "Lancer", "%(n)s rows in %(took)s.": "%(n)s lignes en %(took)s.", "Share": "Share"})
    client = client_of(invented, {"BABEL_TRANSLATION_DIRECTORIES": str(tmp_path)})
    for language, words in (("fr", {"Run": "Lancer", "%(n)s rows in %(took)s.": "%(n)s lignes en %(took)s."}), ("en", {})):
        assert json.loads(unescape(re.search('data-words="([^"]*)"', page(client, "/sparql", language))[1])) == words


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_of_the_workbench_holds_a_string_that_cannot_be_translated(script):
    """What is said, as scripts say it: a child of an element, or an attribute that is shown or read out."""
    source = re.sub(r"^\s*//.*|/\*.*?\*/", "", script.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    said = re.findall(r"""(?:\}, |title: |"aria-label": |placeholder: |textContent = |label: |detail: |[?:] )["`]([^"`]*)["`]""", source)
    assert "${_(" not in source, "not found by what extracts strings"
    assert [text for text in said if re.match(r"[A-Z][a-z]+[ .…]|[A-Z][a-z]+$|\S+ \S+ ", re.sub(r"\$\{[^}]*\}", "", text))] == []


def test_what_the_model_calls_things_can_be_translated(messages):
    for word in [w for t in ENTITY_TYPES for w in (t.label, t.plural)] + [name.replace("-", " ").capitalize() for name in LISTS]:
        assert word in NAMES and word in messages, word


class Words(HTMLParser):
    """Collects what a reader would read in a piece of HTML: texts, and the attributes that are read out or shown."""

    READ = ("alt", "aria-label", "placeholder", "title", "content")

    def __init__(self):
        super().__init__()
        self.found: list[str] = []
        self.code = 0

    def handle_starttag(self, tag, attributes):
        self.code += tag in ("code", "pre", "script")
        given = dict(attributes)
        if given.get("name") not in ("viewport", "color-scheme", "robots"):
            self.found += [value for name, value in attributes if name in self.READ and value]

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre", "script")

    def handle_data(self, data):
        if not self.code:
            self.found.append(data)


# Names, which are the same in every language.
NAMES_ALIKE = {
    "kv", "graph", "kvgraph", "SPARQL", "BibTeX", "CSL-JSON", "RIS", "Turtle", "TriG", "JSON-LD", "N-Triples", "RDF/XML", "SHA-256", "UTC", "CSV", "XLSX", "JSON", "Atom", "RDF",
    "SVG", "PNG", "GeoJSON", "NUTS", "https://",
}  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_a_string_that_cannot_be_translated(template):
    source = re.sub(r"{% block class %}.*?{% endblock %}", "", template.read_text(encoding="utf-8"))
    depth, text = 0, []
    for _, kind, value in Environment().lex(source):
        if kind == "name" and value in ("trans", "endtrans"):
            depth += 1 if value == "trans" else -1
        elif kind == "data" and not depth:
            text.append(value)
        elif kind in ("variable_end", "block_end"):
            text.append("")  # pieces of one attribute stay together
    words = Words()
    words.feed("".join(text))
    words.close()
    guilty = [w.strip() for w in words.found if any(t.strip(".,;:()×·") not in NAMES_ALIKE for t in w.split() if re.search(r"[A-Za-z]{2}", t))]
    assert guilty == []
