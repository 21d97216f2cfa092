"""A real browser on a real server. Whatever a page does that it should not is noticed here, for every test."""

import os
import shutil
import time

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from ..serving import served

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Each window draws pages of the browser's own over its address field, which nobody sees here: that costs more than all else of a window.
UNSEEN = ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup"]
# Chromium heeds the last list of features only: what Playwright leaves out must be said again.
LEFT_OUT = [
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding",
    "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
]  # fmt: skip
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    f"--disable-features={','.join(UNSEEN + LEFT_OUT)}",
]  # fmt: skip

PATIENCE = 60_000  # milliseconds: what is waited for comes at once, but not on a machine that does much else
expect.set_options(timeout=PATIENCE)

# Runs in every page before its own scripts. Payloads in the tests push to `harmed`.
WATCH = """
window.harmed = { push: (what) => trespass(`harmed: ${what}`) };
document.addEventListener('securitypolicyviolation', (event) =>
  trespass(`policy violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def find_chromium() -> str:
    """The Chromium to test with: ``KVGRAPH_CHROMIUM``, else the first known name on PATH."""
    named = os.environ.get("KVGRAPH_CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(
            f"The browser tests need Chromium; {named or ' or '.join(NAMES)} was not found. On Debian or Ubuntu: "
            "apt-get install --no-install-recommends chromium. Elsewhere set KVGRAPH_CHROMIUM to the path of a Chromium or Chrome.",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def browser():
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def base(small_home):
    with served(small_home) as address:
        yield address


class Watched:
    """A browser context in which every trespass is written down."""

    def __init__(self, browser: Browser, base: str, **options):
        self.base = base
        self.trespasses: list[str] = []
        self.context: BrowserContext = browser.new_context(base_url=base, **options)
        self.context.set_default_timeout(PATIENCE)
        self.context.expose_function("trespass", lambda what: self.trespasses.append(what))
        self.context.add_init_script(WATCH)
        self.context.on("request", self._request)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.trespasses.append(f"script error: {error.error}"))
        self.context.on("dialog", self._dialog)

    def _request(self, request) -> None:
        if not request.url.startswith((self.base + "/", "data:", "blob:")):
            self.trespasses.append(f"request to another host: {request.url}")

    def _console(self, message) -> None:
        # The browser itself reports every refused query so; the refusals are part of the tests.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.trespasses.append(f"console: {message.text}")

    def _dialog(self, dialog) -> None:
        self.trespasses.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def seen(self, *parts: str) -> None:
        """Wait until all of these were written down."""
        end = time.monotonic() + PATIENCE / 1000
        while missing := [part for part in parts if not any(part in trespass for trespass in self.trespasses)]:
            assert time.monotonic() < end, f"not noticed: {missing}"
            self.context.pages[0].wait_for_timeout(20)  # meanwhile the browser is listened to

    def close(self) -> None:
        for page in self.context.pages:
            page.evaluate("1")  # what the page has reported until now arrives before this answer
        self.context.close()
        assert self.trespasses == []


@pytest.fixture
def visit(browser, base):
    """Opens a fresh page: ``visit("/sparql", viewport=…)``. At the end nothing may have gone wrong in any of them."""
    opened = []

    def open_page(address: str, **options) -> Page:
        watched = Watched(browser, base, **options)
        opened.append(watched)
        page = watched.context.new_page()
        page.goto(address)
        return page

    yield open_page
    for watched in opened:
        watched.close()
