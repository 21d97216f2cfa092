"""Every kind of page, in both colour schemes: axe finds nothing that gets in a reader's way, and nothing is wider than a small phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import Watched

DESK = {"width": 1280, "height": 720}
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
    "policy with many like it": "/doc/policy/com-2007-182",
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
    "contribute": "/contribute",
    "report an error": "/contribute/report",
    "sign in": "/account/sign-in",
    "find by identifier": "/resolve",
}


# What these show is fetched by their scripts when everything else is there; this is what comes last.
LAST = {"map": "svg.measured", "network": ".tools", "workbench": "html.has-workbench", "workbench with an answer": ".yasr_results tbody tr"}
AXE = Axe().axe_script


@pytest.fixture(scope="module")
def watched(browser, bundled_base):
    """One browser window for all pages, so that what they share is loaded once."""
    watched = Watched(browser, bundled_base, color_scheme="light", reduced_motion="reduce")
    yield watched
    watched.close()


@pytest.fixture(scope="module", params=PAGES)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def window(watched):
    return watched.context.new_page()


@pytest.fixture(scope="module")
def page(kind, watched, window):
    """A page of each kind, visited once for all tests."""
    window.set_viewport_size(DESK)
    window.emulate_media(color_scheme="light")
    window.goto(PAGES[kind])
    whole(window, kind)
    yield window
    window.evaluate("1")  # what the page has reported until now arrives before this answer
    assert watched.trespasses == []


def whole(page, kind: str) -> None:
    """Wait until everything is there that a page of this kind shows."""
    if kind in LAST:
        page.locator(LAST[kind]).first.wait_for()


def violations(page, rules: list[str]) -> list[tuple]:
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", rules)["violations"]
    return [(v["id"], v["impact"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found]


def test_nothing_gets_in_a_readers_way(page):
    page.evaluate(AXE)
    assert violations(page, RULES) == []
    page.emulate_media(color_scheme="dark")  # which changes colours and nothing else
    assert violations(page, ["color-contrast", "link-in-text-block"]) == []


def test_nothing_is_wider_than_a_small_phone(page, kind):
    page.set_viewport_size(SMALL)
    page.reload()  # scripts look at the width when they begin
    whole(page, kind)
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    assert page.locator("h1").count() == 1
    page.evaluate(AXE)
    assert violations(page, ["target-size"]) == []


TORN = """() => {
    const torn = [], walker = document.createTreeWalker(document.querySelector('.guide'), NodeFilter.SHOW_TEXT)
    let seen = 0
    while (walker.nextNode()) {
        const node = walker.currentNode
        if (!node.parentElement.closest('td')) continue
        for (const word of node.data.matchAll(/\\p{L}+/gu)) {
            const range = document.createRange()
            range.setStart(node, word.index)
            range.setEnd(node, word.index + word[0].length)
            seen += 1
            if (new Set([...range.getClientRects()].map(box => box.top)).size > 1) torn.push(word[0])
        }
    }
    return { seen, torn }
}"""


@pytest.mark.parametrize("size", [DESK, SMALL], ids=["desk", "phone"])
def test_tables_of_guides_scroll_and_tear_no_word(watched, size):
    page = watched.context.new_page()
    page.set_viewport_size(size)
    page.goto("/docs/speed")
    found = page.evaluate(TORN)
    assert found["seen"] > 50 and found["torn"] == []
    page.close()


def test_the_arrows_of_the_tree_of_places_are_wide_enough_and_clear_of_their_links(watched):
    page = watched.context.new_page()
    page.set_viewport_size(DESK)
    page.goto("/search?q=living+lab&type=practice&channel=spin-offs")
    arrow, link = (page.locator(f".facet li:has(> .branch) > {part}").first.bounding_box() for part in (".branch > summary", "a"))
    assert min(arrow["width"], arrow["height"]) >= 24 and arrow["x"] + arrow["width"] <= link["x"]
    page.close()


# What WCAG 1.4.12 lets readers set.
SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }"


def test_wider_spaced_text_fits_a_small_phone(browser, bundled_base):
    with browser.new_context(base_url=bundled_base, bypass_csp=True, viewport=SMALL) as context:
        page = context.new_page()
        page.goto("/map?nuts=2")
        page.locator(LAST["map"]).wait_for()
        page.add_style_tag(content=SPACED)
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]


# Of the links and fields of a page that another one covers when it has the focus: a head that stays in sight above all.
COVERED = """async (selector) => [...document.querySelectorAll(`${selector} a[href]`)].filter((link, number) => {
  if (number % 7 || !link.checkVisibility()) return false;
  link.focus();
  const box = link.getClientRects()[0], on = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return on && !link.contains(on) && !on.contains(link);
}).map((link) => link.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("kind, table", [("coverage", ".matrix"), ("map", ".map-table"), ("network", "#lists")])
@pytest.mark.parametrize("viewport", [{"width": 1000, "height": 500}, SMALL], ids=["desk", "phone"])
def test_what_has_the_focus_is_not_under_the_heads_of_its_table(watched, kind, table, viewport):
    page = watched.context.new_page()
    page.set_viewport_size(viewport)
    page.goto(PAGES[kind])
    whole(page, kind)
    assert page.locator(f"{table} a").count() > 5
    for _ in range(2):  # forwards, and once more from the end
        assert page.evaluate(COVERED, table) == []
    page.close()


@pytest.mark.parametrize("address", ["/coverage", "/map", PAGES["network"]])
def test_whole_tables_are_printed_and_no_form(watched, address):
    page = watched.context.new_page()
    page.goto(address)
    page.emulate_media(media="print")
    cut = "[...document.querySelectorAll('main .scroll')].filter((e) => e.checkVisibility() && getComputedStyle(e).overflowY !== 'visible').length"
    assert page.locator("main .scroll:visible").count() and page.evaluate(cut) == 0
    assert page.locator("main form:visible").count() == 0
    page.emulate_media(media="screen")
    page.close()


def test_the_pages_are_of_every_kind():
    from kvgraph.model import TYPES

    assert len(PAGES) > 30
    assert {kind.replace("-", " ") for kind in TYPES} - {"organisation", "project"} <= set(PAGES)  # these two only imports have
