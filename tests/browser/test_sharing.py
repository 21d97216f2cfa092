"""The whole way of a contribution in a browser, on a real server that publishes by itself: with scripts, without, and with the keyboard's Enter."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from kvgraph.contribute import accounts
from kvgraph.contribute.book import book
from kvgraph.contribute.publish import publish

from ..conftest import SMALL
from ..serving import served, until
from .conftest import Watched

PASSWORD = "correct horse battery"
LIVE_WITHIN = 90  # seconds, on a machine that does much else
CREDIT = """
PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX kv: <https://w3id.org/kvgraph/def/kv#>
SELECT DISTINCT ?name { GRAPH ?graph { <%s> a kv:Practice } ?graph prov:wasAttributedTo/skos:prefLabel ?name }
"""


@pytest.fixture(scope="module")
def sharing(tmp_path_factory):
    """A server of its own with somebody who curates it."""
    home = tmp_path_factory.mktemp("sharing")
    publish(home, data=SMALL)
    accounts.sign_up(book(home), "curator", PASSWORD, "curator")
    with served(home, "--data", str(SMALL)) as base:
        yield base


@pytest.fixture
def arrive(browser, sharing):
    """Somebody with a browser of their own. At the end nothing may have gone wrong: no request elsewhere, no error, no breach of the policy."""
    opened = []

    def open_page(**options) -> Page:
        watched = Watched(browser, sharing, reduced_motion="reduce", **options)
        opened.append(watched)
        return watched.context.new_page()

    yield open_page
    for watched in opened:
        watched.close()


def press(page: Page, name: str) -> None:
    """Press what sends a form, and wait for the page that comes."""
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def sign_in(page: Page, then: str = "") -> None:
    """As the curator."""
    page.goto(f"/account/sign-in{then}")
    page.get_by_label("Name to sign in with").fill("curator")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")


def followed(reader: Page) -> dict[str, str]:
    """What the newest page of the event stream says of each thing, as a program reads it: the kind of the last change."""
    root = reader.request.get("/changes", headers={"Accept": "application/n-quads"}).text()
    last = max(re.findall(r"/changes/(\d+)>", root), key=int)
    lines = reader.request.get(f"/changes/{last}", headers={"Accept": "application/n-quads"}).text().splitlines()
    kinds = dict(re.findall(r"<(\S+)> <\S+#type> <https://www.w3.org/ns/activitystreams#(\w+)>", "\n".join(lines)))
    versions = re.findall(r"<(\S+)> <\S+isVersionOf> <(\S+)>", "\n".join(lines))
    return {thing: kinds[member] for member, thing in versions}


def name_the_lead(page: Page, scripts: bool) -> None:
    """With scripts the field suggests; without, the form comes back with what the name may mean."""
    field = page.locator("#i-lead-0")
    if scripts:
        field.press_sequentially("harbour uni")
        page.get_by_role("option", name=re.compile("Harbour University")).click()
        expect(field).to_have_value("Harbour University")
    else:
        field.fill("harbour uni")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_whole_way(arrive, sharing, scripts):
    title = f"Fish market data club {'one' if scripts else 'two'}"
    reader, curator = arrive(java_script_enabled=scripts), arrive(java_script_enabled=scripts)

    # Sign up, on the way to the form.
    reader.goto("/")
    reader.get_by_role("contentinfo").get_by_role("link", name="Contribute").click()
    assert reader.context.cookies() == [], "no cookie before somebody signs in"
    reader.get_by_role("main").get_by_role("link", name="A practice", exact=True).click()
    reader.get_by_role("link", name="Make one").click()
    reader.get_by_label("Name to sign in with").fill("with-scripts" if scripts else "without-scripts")
    reader.get_by_label("Password").fill(PASSWORD)
    press(reader, "Make an account")
    expect(reader.get_by_role("heading", level=1)).to_have_text("A practice")

    # Contribute with an error: no country, and without scripts an organisation that is not clear.
    reader.locator("#i-title-0").fill(title)
    reader.locator("#i-description-0").fill("Fishers and researchers share the data of the market.")
    name_the_lead(reader, scripts)
    reader.locator("#i-spatial-0").fill("Cataluña")
    reader.get_by_label("Page that says so").fill("https://example.org/fish")
    reader.get_by_label("I take part in it").check()
    reader.get_by_label("Who is to be credited").fill("Harbour data office")
    reader.get_by_label("I wrote this myself").check()
    press(reader, "Send for review")

    # Mend it: the message leads to the field.
    reader.get_by_role("alert").get_by_role("link", name=re.compile("to which country")).click()
    expect(reader.locator("#i-country-0")).to_be_focused()
    reader.locator("#i-country-0").select_option(label="Spain")
    if not scripts:
        reader.get_by_role("group", name="Which one do you mean?").get_by_label("Harbour University").check()
        reader.locator("#i-lead-0").fill("")
    press(reader, "Preview")
    expect(reader.get_by_role("heading", level=1)).to_have_text(title)
    expect(reader.get_by_role("main")).to_contain_text("Harbour University")
    reader.get_by_role("link", name="Back", exact=True).click()
    press(reader, "Send for review")
    if reader.get_by_text("Is it this one?").count():  # the second time there is one of nearly the same name
        reader.get_by_label("It is another one").check()
        press(reader, "Send for review")
    expect(reader.get_by_role("status")).to_contain_text("It waits for a curator")
    address = reader.url

    # A curator asks for a change; it is made.
    curator.goto("/account/sign-in")
    curator.get_by_label("Name to sign in with").fill("curator")
    curator.get_by_label("Password").fill(PASSWORD)
    curator.get_by_label("Password").press("Enter")
    curator.get_by_role("main").get_by_role("link", name="Review", exact=True).click()
    curator.get_by_role("link", name=title).click()
    expect(curator.get_by_role("table")).to_contain_text("Harbour University")
    curator.get_by_label("What the contributor should know").fill("When did it begin?")
    press(curator, "Ask for changes")
    reader.goto("/account")
    reader.get_by_role("link", name=title).click()
    expect(reader.get_by_role("main")).to_contain_text("When did it begin?")
    reader.locator("#i-startDate-0").fill("2021")
    press(reader, "Send for review")
    if reader.get_by_text("Is it this one?").count():
        reader.get_by_label("It is another one").check()
        press(reader, "Send for review")

    # Accepted, and live by itself.
    curator.reload()
    press(curator, "Accept")
    expect(curator.get_by_role("main")).to_contain_text("Accepted")
    page = f"/doc/practice/{title.lower().replace(' ', '-')}"
    thing = f"https://w3id.org/kvgraph/id{page.removeprefix('/doc')}"
    until(lambda: reader.request.get(page).status == 200, LIVE_WITHIN)
    reader.goto(page)
    expect(reader.get_by_role("main")).to_contain_text("Harbour data office")
    reader.goto(f"/search?q={quote(title)}")
    expect(reader.get_by_role("main").get_by_role("link", name=title).first).to_be_visible()
    reader.goto("/map")
    expect(reader.get_by_role("main")).to_contain_text(re.compile("España|Spain"))
    feed = reader.request.get(f"/search.atom?q={quote(title)}").text()
    assert title in feed and "<author><name>Harbour data office</name></author>" in feed
    reader.goto("/changes")
    expect(reader.get_by_role("main").get_by_role("table")).to_be_visible()
    until(lambda: thing in followed(reader), LIVE_WITHIN)  # followers are told when the release is there already
    asked = reader.request.get("/sparql", params={"query": CREDIT % thing}, headers={"Accept": "text/csv"})
    assert asked.text().split() == ["name", "Harbour", "data", "office"]
    reader.goto(address)
    expect(reader.get_by_role("main")).to_contain_text("Published")

    # Undone.
    curator.reload()
    curator.get_by_label("What the contributor should know").fill("It never took place.")
    press(curator, "Undo: take it back")
    until(lambda: reader.request.get(page).status == 410, LIVE_WITHIN)
    reader.reload()
    expect(reader.get_by_role("main")).to_contain_text("It never took place.")
    until(lambda: followed(reader)[thing] == "Delete", LIVE_WITHIN)  # followers are told when the release is there already


def test_a_correction_from_a_page(arrive):
    """From a page to the form with what is known, and an error in words without an account."""
    reader = arrive()
    reader.goto("/doc/practice/living-lab")
    reader.get_by_role("link", name="Report an error").click()
    expect(reader.get_by_role("main")).to_contain_text("Living lab of the harbour")
    reader.get_by_label("What is wrong, and what is right?").fill("It ended in 2022, says its page.")
    press(reader, "Send")
    expect(reader.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert reader.context.cookies() == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_form_that_outlives_its_session(arrive, sharing, scripts):
    """Signed out in another tab: what was written is not lost, and is sent after signing in again."""
    reader = arrive(java_script_enabled=scripts)
    name = f"patient-{'one' if scripts else 'two'}"
    reader.goto("/account/sign-up?next=/contribute/new/practice")
    reader.get_by_label("Name to sign in with").fill(name)
    reader.get_by_label("Password").fill(PASSWORD)
    press(reader, "Make an account")
    reader.locator("#i-description-0").fill("Twenty minutes of work.")
    other = reader.context.new_page()
    other.goto("/account")
    press(other, "Sign out")
    reader.locator("form.record p.actions").get_by_role("button", name="Keep as a draft").click()
    expect(reader.get_by_role("heading", level=1)).to_contain_text("Nothing is lost")
    with reader.context.expect_page() as opened:
        reader.get_by_role("link", name="Sign in (in a new tab)").click()
    opened.value.get_by_label("Name to sign in with").fill(name)
    opened.value.get_by_label("Password").fill(PASSWORD)
    press(opened.value, "Sign in")
    press(reader, "I have signed in")
    press(reader, "Send it")
    expect(reader.get_by_role("status")).to_contain_text("Kept")
    expect(reader.locator("#i-description-0")).to_have_value("Twenty minutes of work.")


PHONE = {"width": 320, "height": 700}


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def phone(browser, sharing, scheme):
    """The window of a curator who has signed in, one for all pages."""
    watched = Watched(browser, sharing, reduced_motion="reduce", color_scheme=scheme, viewport=PHONE)
    page = watched.context.new_page()
    sign_in(page)
    yield page
    watched.close()


@pytest.mark.parametrize("address", ["/contribute", "/contribute/report", "/account/password", "/account/delete", "/account/sign-up", "/account", "/contribute/new/practice", "/contribute/correct?thing=practice", "/contribute/upload", "/account/tokens", "/curate", "/curate/tools", "/curate/links"])
def test_pages_are_accessible_and_fit_a_phone(arrive, phone, scheme, address):
    from axe_playwright_python.sync_playwright import Axe

    page = arrive(color_scheme=scheme, viewport=PHONE) if "sign-up" in address else phone
    page.goto(address.replace("=practice", "=https://w3id.org/kvgraph/id/practice/living-lab"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


HOSTILE = ("<img src=x onerror=harmed.push(1)>" + "A" * 200, "javascript:harmed.push(2)", '"><svg/onload=harmed.push(3)>', "\u202emoor evil\u202c " + "W" * 150, "{{ 7*7 }}")


def test_a_form_full_of_mistakes_says_all_of_them_and_fits_a_phone(arrive):
    """Each is led to its field; nothing of it runs, and nothing of it is wider than the screen."""
    page = arrive(viewport=PHONE)
    sign_in(page, "?next=/contribute/new/practice")
    fields = page.locator("form.record input:not([type]), form.record textarea, #seen, #credit")
    for number in range(fields.count()):
        fields.nth(number).fill(HOSTILE[number % len(HOSTILE)])
    page.keyboard.press("Escape")  # of the suggestions
    press(page, "Send for review")
    mistakes = page.get_by_role("alert").get_by_role("link")
    expect(page.get_by_role("alert")).to_contain_text("Lead: which one do you mean?")
    expect(page.get_by_role("alert")).to_contain_text("Give a title of 2 to 400 characters")
    assert mistakes.count() > 10
    for href in mistakes.evaluate_all("(links) => links.map((a) => a.getAttribute('href'))"):
        expect(page.locator(href)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.goto("/account")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320 and "\u202e" not in page.content()
