"""Every kind of page, in both colour schemes: axe finds nothing that gets in a reader's way, and nothing is wider than a small phone."""

from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe

from ..serving import served
from .conftest import Watched

SMALL = {"width": 320, "height": 640}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
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


@pytest.fixture(scope="module")
def bundled(bundled_home):
    with served(bundled_home) as address:
        yield address


@contextmanager
def opened(browser, base, address, **options):
    watched = Watched(browser, base, **options)
    page = watched.context.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    yield page
    watched.close()


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_gets_in_a_readers_way(browser, bundled, kind):
    with opened(browser, bundled, PAGES[kind], color_scheme="light", reduced_motion="reduce") as page:
        found = Axe().run(page, options=RULES).response["violations"]
        page.emulate_media(color_scheme="dark")  # which changes colours and nothing else
        found += Axe().run(page, options={"runOnly": ["color-contrast", "link-in-text-block"]}).response["violations"]
    assert [(v["id"], v["impact"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found] == []


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_is_wider_than_a_small_phone(browser, bundled, kind):
    with opened(browser, bundled, PAGES[kind], viewport=SMALL) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
        assert page.locator("h1").count() == 1


def test_the_pages_are_of_every_kind():
    from kvgraph.model import TYPES

    assert len(PAGES) > 30
    assert {kind.replace("-", " ") for kind in TYPES} <= set(PAGES)
