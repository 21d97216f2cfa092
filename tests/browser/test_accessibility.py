"""Every kind of page, in both colour schemes: axe finds nothing that gets in a reader's way, and nothing is wider than a small phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import Watched

SMALL = {"width": 320, "height": 640}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = {
    "home": "/",
    "search": "/search?q=technology+transfer",
    "search without a hit": "/search?q=zzzzqqq",
    "facets": "/search?type=practice&channel=spin-offs",
    "map": "/map",
    "connections": "/connections",
    "connections found": "/connections?a=University+of+Ljubljana&b=KU+Leuven",
    "network": "/network?of=https%3A%2F%2Fw3id.org%2Fkvgraph%2Fid%2Factor%2Fku-leuven",
    "coverage": "/coverage",
    "policies": "/policies",
    "quality": "/quality",
    "practice": "/doc/practice/national-ip-protocol",
    "learning example": "/doc/learning-example/inno-infra-share",
    "actor": "/doc/actor/ku-leuven",
    "policy": "/doc/eli/reco/2022/2415/oj",
    "principle": "/doc/principle/gp1",
    "region": "/doc/region/ES51",
    "country": "/doc/country/ESP",
    "channel": "/doc/channel/spin-offs",
    "source": "/doc/source/practices",
    "questions": "/questions",
    "question with a table": "/questions/practices-by-region?region=nuts:ES51",
    "question with a chart": "/questions/practices-per-country",
    "question with a mistake": "/questions/practices-by-region?region=Atlantis",
    "workbench": "/sparql",
    "workbench with an answer": "/sparql?query=SELECT+*+%7B+%3Fs+a+%3Fc+%7D+LIMIT+3",
    "vocabulary": "/def/kv",
    "code list": "/def/channel",
    "guides": "/docs",
    "guide": "/docs/engineers",
    "about": "/docs/about",
    "catalogue": "/catalog",
    "dumps": "/dumps/",
    "releases": "/releases",
    "event stream": "/changes",
    "status": "/status",
    "no such page": "/nowhere",
}


# What these show is fetched by their scripts when everything else is there.
FETCHING = ("map", "network", "connections found", "workbench", "workbench with an answer")
AXE = Axe().axe_script


@pytest.fixture(scope="module")
def watched(browser, bundled_base):
    """One browser window for all pages, so that what they share is loaded once."""
    watched = Watched(browser, bundled_base, color_scheme="light", reduced_motion="reduce")
    yield watched
    watched.close()


@pytest.fixture(scope="module", params=PAGES)
def page(request, watched):
    """A page of each kind, visited once for all tests."""
    page = watched.context.new_page()
    page.goto(PAGES[request.param], wait_until="networkidle" if request.param in FETCHING else "load")
    yield page
    page.evaluate("1")  # what the page has reported until now arrives before this answer
    page.close()
    assert watched.trespasses == []


def violations(page, rules: list[str]) -> list[tuple]:
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", rules)["violations"]
    return [(v["id"], v["impact"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found]


def test_nothing_gets_in_a_readers_way(page):
    page.evaluate(AXE)
    assert violations(page, RULES) == []
    page.emulate_media(color_scheme="dark")  # which changes colours and nothing else
    assert violations(page, ["color-contrast", "link-in-text-block"]) == []


def test_nothing_is_wider_than_a_small_phone(page):
    page.set_viewport_size(SMALL)
    page.reload()  # scripts look at the width when they begin
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    assert page.locator("h1").count() == 1


def test_the_pages_are_of_every_kind():
    from kvgraph.model import TYPES

    assert len(PAGES) > 30
    assert {kind.replace("-", " ") for kind in TYPES} - {"organisation", "project"} <= set(PAGES)  # these two only imports have
