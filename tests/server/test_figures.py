"""A figure on a page is what its query answers: every link to a query is followed, and the numbers beside it are compared."""

import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element, TreeBuilder

import pytest

from kvgraph import queries
from kvgraph.model import TYPES, iri_of

from .conftest import client_of
from .html import VOID

ENTITIES = {
    "practice": "/doc/practice/national-ip-protocol", "learning example": "/doc/learning-example/inno-infra-share", "actor": "/doc/actor/ku-leuven",
    "policy": "/doc/eli/reco/2022/2415/oj", "principle": "/doc/principle/gp1", "region": "/doc/region/ES51", "small region": "/doc/region/ES511",
    "country": "/doc/country/ESP", "channel": "/doc/channel/spin-offs", "source": "/doc/source/practices",
}  # fmt: skip
MAPS = ("/map", "/map?type=actor", "/map?nuts=2&channel=spin-offs", "/map?at=ES", "/map?principle=gp1", "/map?type=policy&nuts=1")
LISTS = ("/search", "/search?type=practice", "/search?type=actor&country=PRT", "/search?type=practice&channel=spin-offs&region=ES", "/search?type=policy")
TABLES = ("/coverage", "/coverage?rows=principle&columns=country&count=policy", "/coverage?rows=region-3&columns=channel&in=AUT")
PAGES = {
    "home": "/", "quality": "/quality", "policies": "/policies", "policies of a country": "/policies?country=PRT", "sources": "/docs/sources",
    "connections": "/connections?a=University+of+Ljubljana&b=KU+Leuven", "network": "/network?of=actor/ku-leuven", **ENTITIES,
    **{address: address for address in MAPS + LISTS + TABLES},
}  # fmt: skip


# ── Reading a page as a person does ──────────────────────────────────────────────────────────────────────────────────


class Tree(HTMLParser):
    """A page as a tree of elements. Its tags close as they should: ``check`` of ``html.py`` sees to that."""

    def __init__(self, text: str):
        super().__init__()
        self.builder = TreeBuilder()
        self.feed(text)
        self.root: Element = self.builder.close()

    def handle_starttag(self, tag, attributes):
        self.builder.start(tag, {name: value or "" for name, value in attributes})
        if tag in VOID:
            self.builder.end(tag)

    def handle_startendtag(self, tag, attributes):
        self.builder.start(tag, {name: value or "" for name, value in attributes})
        self.builder.end(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.builder.end(tag)

    def handle_data(self, data):
        self.builder.data(data)


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def number(element_or_text: Element | str) -> float:
    """The first number that is read there."""
    text = element_or_text if isinstance(element_or_text, str) else words(element_or_text)
    return float(re.search(r"\d[\d,]*(?:\.\d+)?", text)[0].replace(",", ""))


def of_class(element: Element, *names: str) -> list[Element]:
    return [e for e in element.iter() if set(names) <= set(e.get("class", "").split())]


def query_links(element: Element) -> list[str]:
    """Addresses of queries among the links, those of examples to begin with aside."""
    links = [e.get("href", "") for e in element.iter("a") if "data-query" not in e.attrib]
    return [href for href in links if href.startswith("/sparql?query=")]


def behind(element: Element) -> str:
    """The one query behind what is shown there."""
    (href,) = set(query_links(element))
    return href


def named(link: Element) -> str:
    """The IRI of the thing that a link leads to."""
    return iri_of(link.get("href").removeprefix("/doc/"))


def by_id(element: Element, id: str) -> Element:
    (found,) = (e for e in element.iter() if e.get("id") == id)
    return found


class Reader:
    """Reads pages and follows their links."""

    def __init__(self, client):
        self.client = client
        self.answer = cache(self._answer)
        self.page = cache(self._page)

    def _page(self, address: str) -> Element:
        response = self.client.get(address, headers={"Accept": "text/html"})
        assert response.status_code == 200, address
        return next(Tree(response.text).root.iter("main"))

    def _answer(self, href: str) -> list[dict[str, str]]:
        """The rows that the query of a link gives."""
        response = self.client.get(href, headers={"Accept": "application/sparql-results+json"})
        assert response.status_code == 200, response.text[:500]
        return [{name: term["value"] for name, term in row.items()} for row in response.json["results"]["bindings"]]

    def found(self, address: str) -> float:
        """How many results a search says it has."""
        return number(by_id(self.page(address), "count"))


@pytest.fixture(scope="module")
def reader(bundled):
    return Reader(client_of(bundled))


# ── Every link, on every kind of page ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", PAGES)
def test_every_query_behind_a_page_has_an_answer(reader, kind):
    links = set(query_links(reader.page(PAGES[kind])))
    assert links, "every page of these kinds shows a query"
    for href in links:
        (text,) = parse_qs(urlsplit(href).query)["query"]
        if re.search(r"^CONSTRUCT\b", text, re.MULTILINE):
            response = reader.client.get(href, headers={"Accept": "application/n-triples"})
            assert response.status_code == 200 and len(response.text.splitlines()) > 1
        else:
            assert reader.answer(href) or kind == "quality", text  # only quality may rightly find nothing: no duplicates, say


@pytest.mark.parametrize("kind", ["policies", "sources", *ENTITIES])
def test_a_number_that_is_a_link_is_the_answer(reader, kind):
    """So many rows, or the one value of the one row."""
    shown = of_class(reader.page(PAGES[kind]), "figure")
    assert shown
    for figure in shown:
        rows = reader.answer(figure.get("href"))
        values = list(rows[0].values()) if len(rows) == 1 else []
        assert number(figure) in ([len(rows)] + [float(v) for v in values if v.isdigit()]), words(figure)


# ── Pages that show numbers in their own way ─────────────────────────────────────────────────────────────────────────


def test_home(reader):
    page = reader.page("/")
    (figures,) = of_class(page, "figures")
    counted = {row["type"]: float(row["count"]) for row in reader.answer(behind(figures))}
    for item in figures.iter("li"):
        figure, kind = item.iter("a")
        (name,) = parse_qs(urlsplit(kind.get("href")).query)["type"]
        assert number(figure) == counted[TYPES[name].iri] == reader.found(kind.get("href"))
    (ways,) = of_class(page, "ways")
    used = {row["channel"]: float(row["practices"]) for row in reader.answer(behind(ways))}
    shown = {parse_qs(urlsplit(a.get("href")).query)["channel"][0]: number(a) for a in ways.iter("a") if a.get("href").startswith("/search")}
    assert shown.items() <= used.items() and number(ways.find(".//h2")) == len(shown)


@pytest.mark.parametrize("address", LISTS)
def test_a_list_and_its_facets(reader, address):
    """A count beside a value is the number of results that it leads to, and the number of rows of the query behind those."""
    page = reader.page(address)
    assert len(reader.answer(behind(by_id(page, "count").find("../..") or page))) == reader.found(address)
    for facet in of_class(page, "facet"):
        choices = of_class(facet, "choice")
        if any("aria-current" in choice.attrib for choice in choices):
            continue  # one more value of the same facet widens the list: the count is what it would have alone
        for choice in choices[:2]:
            href, (count,) = choice.get("href"), of_class(choice, "n")
            (query,) = query_links(reader.page(href))
            assert number(count) == reader.found(href) == len(reader.answer(query)), (words(choice), href)


@pytest.mark.parametrize("address", MAPS)
def test_map(reader, address):
    page = reader.page(address)
    answered = {row["place"]: float(row["things"]) for row in reader.answer(behind(page))}
    rows = list(by_id(page, "places").find(".//tbody"))
    shown = {named(row.find("th/a")): number(row.find("td")) for row in rows}
    assert shown and shown.items() <= answered.items()
    said = words(by_id(page, "places").find("p"))
    elsewhere = re.search(r"([\d,]+) more places? (?:is|are) outside", said)
    assert len(shown) + (number(elsewhere[1]) if elsewhere else 0) == len(answered)
    for row in rows[:3]:
        assert number(row.find("td")) == reader.found(row.find("td/a").get("href"))


@pytest.mark.parametrize("address", TABLES)
def test_coverage(reader, address):
    page = reader.page(address)
    answered = {(row["row"], row["column"]): float(row["things"]) for row in reader.answer(behind(page))}
    columns = [named(th.find("a")) for th in list(page.find(".//thead/tr"))[2:]]
    shown = {}
    for line in page.find(".//tbody"):
        row = named(line.find("th/a"))
        shown |= {(row, column): number(cell) for column, cell in zip(columns, line.findall("td")[1:], strict=True) if number(cell)}
    assert shown == answered


def test_quality(reader):
    page = reader.page("/quality")
    complete = by_id(page, "complete")
    (kinds,) = of_class(page, "kinds")
    (section,) = (s for s in page.iter("section") if s.get("aria-labelledby") == "complete")
    rows = {row["kind"]: row for row in reader.answer(behind(section))}
    assert words(complete) and len(list(kinds)) == len(rows)
    for item in kinds:
        row, said = rows[words(item.find("h3")).lower()], words(item.find("p"))
        assert [float(n) for n in re.findall(r"[\d.]+", said)] == [float(row[name]) for name in ("share", "complete", "records")]
    for section in page.iter("section"):
        table = section.find(".//table")
        if table is not None and section.find(".//figure") is None:
            rows = reader.answer(behind(section))
            for line, row in zip(table.find("tbody"), rows):
                numbers = [number(cell) for cell in of_class(line, "number")]
                assert set(numbers) <= {float(v) for v in row.values() if re.fullmatch(r"[\d.]+", v)}, words(line)


def test_charts_of_quality(reader):
    """A bar has the name and the number of one row."""
    charts = of_class(reader.page("/quality"), "chart")
    assert len(charts) > 3
    for chart in charts:
        rows = [{v if not re.fullmatch(r"\d+(\.\d+)?", v) else float(v) for v in row.values()} for row in reader.answer(behind(chart))]
        for line in chart.find(".//tbody"):
            name, value = line
            assert any({words(name), number(value)} <= row for row in rows), words(line)


@pytest.mark.parametrize("kind", ["region", "small region", "country"])
def test_places(reader, kind):
    """What a place says it has is what the searches it leads to find, and the query behind each of them."""
    page = reader.page(PAGES[kind])
    (numbers,) = of_class(page, "numbers")
    links = [link for link in (*numbers.iter("a"), *of_class(page, "n")) if link.get("href") and number(link)]
    assert len(links) > 3
    for link in links[:30]:
        shown, (query,) = number(link), query_links(reader.page(link.get("href")))
        assert shown == reader.found(link.get("href")) == len(reader.answer(query)), link.get("href")
    (policies,) = (s for s in page.iter("section") if s.get("aria-labelledby") == "policies")
    listed = {row["policy"] for row in reader.answer(behind(policies))}
    shown = [named(a) for lines in of_class(policies, "lines") for a in lines.iter("a")]
    assert set(shown) == listed and sum(number(count) for count in of_class(policies, "count")) <= len(listed)


@pytest.mark.parametrize("name", queries.names())
def test_a_question_says_how_many_rows_its_query_gives(reader, name):
    page = reader.page(f"/questions/{name}")
    (query,) = set(query_links(page))
    said = words(of_class(page, "count")[0])
    if said.endswith(("row", "rows")):
        assert number(said) == len(reader.answer(query))
    else:
        assert reader.client.get(query).status_code == 200


def test_questions_and_search_agree_on_countries(bundled):
    """Also of what is placed in regions of several countries and names none of them, such as a cross-border project."""
    found = {kind: bundled.search("", types=[kind], count=["country"], limit=1).counts["country"] for kind in ("practice", "policy")}
    asked = {str(row["country"]): int(row["practices"]) for row in bundled.run("practices-per-country")}
    assert asked == found["practice"] and len(asked) > 30
    assert Counter(str(row["country"]) for row in bundled.run("pages/policy-countries")) == found["policy"]
    for country in found["policy"]:
        assert len({row["policy"] for row in bundled.run("policies-by-country", country=country)}) == found["policy"][country]
    shown = {(str(row["country"]), str(row["channel"])): int(row["practices"]) for row in bundled.run("channel-country-coverage")}
    for country in found["practice"]:
        channels = bundled.search("", types=["practice"], where={"country": [country]}, count=["channel"], limit=1).counts["channel"]
        assert channels == {channel: number for (where, channel), number in shown.items() if where == country and number}
