"""Guides lead where they say: every link from one to another, its section included, and those of pages to guides."""

import re

import pytest

from kvgraph.resources import folder
from kvgraph.server.docs import guides

from .client import client_of

LONGEST = 300  # characters of the first paragraph, which the list of guides shows
PAGES = "\n".join(path.read_text(encoding="utf-8") for path in (folder("web") / "templates").glob("*.html"))


def leads_somewhere(name: str, section: str) -> bool:
    return name in guides() and (not section or f'id="{section}"' in guides()[name].html)


@pytest.mark.parametrize("name", list(guides()))
def test_links_between_guides_lead_somewhere(name):
    links = re.findall(r'href="(?:/docs/([a-z-]+))?(?:#([^"]+))?"', guides()[name].html)
    assert [link for link in links if not leads_somewhere(link[0] or name, link[1])] == []


def test_links_of_pages_to_guides_lead_somewhere():
    links = re.findall(r'href="/docs/([a-z-]+)(?:#([a-z0-9-]+))?"', PAGES)
    assert len(links) > 10 and [link for link in links if not leads_somewhere(*link)] == []


def test_the_list_of_guides_has_each_once_and_the_vocabulary_with_what_is_for_programs(small_home):
    page = client_of(small_home).get("/docs").text
    assert sorted(re.findall(r'<h3><a href="/docs/([a-z-]+)"', page)) == sorted(guides())
    using = page.split("Using the data</h2>")[1].split("</section>")[0]
    assert 'href="/docs/api"' in using and 'href="/def/kv"' in using and 'href="/catalog"' in using


@pytest.mark.parametrize("name", list(guides()))
def test_a_guide_begins_with_a_short_summary(name):
    assert 40 < len(guides()[name].summary) <= LONGEST
