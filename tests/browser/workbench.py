"""What the tests of the workbench do in it."""

from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect


def link(query: str, **fields: str) -> str:
    return "/sparql?" + urlencode({"query": query, **fields})


def ready(page: Page) -> Page:
    expect(page.locator("html.has-workbench")).to_be_attached()
    expect(page.locator(".tabPanel.active .CodeMirror")).to_be_visible()
    return page


def editor(page: Page) -> Locator:
    return page.locator(".tabPanel.active .CodeMirror")


def query_in(page: Page) -> str:
    return page.evaluate("document.querySelector('.tabPanel.active .CodeMirror').CodeMirror.getValue()")


def write(page: Page, query: str) -> None:
    """Put a query into the editor, as pasting does."""
    page.evaluate("(text) => document.querySelector('.tabPanel.active .CodeMirror').CodeMirror.setValue(text)", query)


def type_in(page: Page, text: str) -> None:
    """Type after what is there, key by key."""
    page.evaluate("{const cm = document.querySelector('.tabPanel.active .CodeMirror').CodeMirror; cm.focus(); cm.execCommand('goDocEnd')}")
    page.keyboard.type(text)


def complete(page: Page, name: str, meaning: str) -> None:
    """Take the completion offered for what was typed. Until its list belongs to the last key, Enter only counts as wished for."""
    page.wait_for_function("""() => {
        const cm = document.querySelector('.tabPanel.active .CodeMirror').CodeMirror, offered = cm.state.completionActive;
        return offered?.widget && offered.data.to.ch === cm.getCursor().ch;
    }""")
    choice = page.locator(".CodeMirror-hint", has_text=name)
    expect(choice).to_be_visible()
    expect(choice).to_contain_text(meaning)
    page.keyboard.press("Enter")
    page.wait_for_function("(name) => document.querySelector('.tabPanel.active .CodeMirror').CodeMirror.getValue().endsWith(name)", arg=name)


def run(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()


def ask(page: Page, query: str) -> None:
    write(page, query)
    run(page)


def cells(page: Page) -> list[list[str]]:
    """The rows of the table that is shown."""
    expect(page.locator(".tabPanel.active .yasr_results tbody tr").first).to_be_visible()
    return [row.locator("td").all_inner_texts() for row in page.locator(".tabPanel.active .yasr_results tbody tr").all()]


def verdict(page: Page) -> Locator:
    return page.locator(".tabPanel.active .verdict")


def downloads(page: Page) -> Locator:
    return page.locator(".wb-head .downloads a")


def heads(page: Page) -> list[str]:
    expect(page.locator(".tabPanel.active .yasr_results thead th").first).to_be_visible()
    return page.locator(".tabPanel.active .yasr_results thead th").all_inner_texts()
