"""The built site in Chromium: nothing for axe-core, nothing cut off, nothing from elsewhere.

`make site-test` builds it and runs these tests, which are skipped where it has not been built.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

from tests.support.classroom import chromium, violations
from tests.support.paths import LESSONS, ROOT
from tests.support.secrets import secret_pieces, without_layout

SITE = ROOT / "build" / "site" / "html"
PAGES = sorted(
    name
    for path in SITE.rglob("*.html")
    if not (name := path.relative_to(SITE).as_posix()).startswith("_static/")  # of the theme
)
TAGS = re.compile(r"<(?:script|style).*?</(?:script|style)>|<[^>]+>", re.DOTALL)
LOADED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*(?:src|href)=\"(?:https?:)?//[^\"]*\"")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PAGES, reason="make site builds what is tested here"),
    pytest.mark.xdist_group("site"),
]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The site, served on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def text_of(path: Path) -> str:
    """Return the text of a page in one line."""
    return without_layout(html.unescape(TAGS.sub("", path.read_text())))


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_page_has_a_solution_or_a_hidden_test(lesson: str) -> None:
    texts = {name: text_of(SITE / name) for name in PAGES}
    assert [(name, s) for s in secret_pieces(lesson) for name in PAGES if s in texts[name]] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_loads_from_elsewhere(name: str) -> None:
    assert LOADED.findall((SITE / name).read_text()) == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: Browser, address: str, name: str, width: int, scheme: str
) -> None:
    page = opened(browser, f"{address}/{name}", width, scheme)
    if page.locator("pre.mermaid").count():
        page.wait_for_selector("pre.mermaid svg")
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def opened(browser: Browser, address: str, width: int, scheme: str) -> Page:
    """Return a page in a window of its own, in which a request to elsewhere fails the test."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",  # a colour on its way to another has no contrast yet
    )
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    origin = "/".join(address.split("/")[:3])
    assert [url for url in requests if not url.startswith((f"{origin}/", "data:"))] == []
    return page


def test_a_term_leads_to_the_glossary_and_back(browser: Browser, address: str) -> None:
    page = opened(browser, f"{address}/lessons/01_filters.html", 1280, "light")
    page.click("a[href$='#term-locality']")
    page.wait_for_url("**/docs/glossary-course.html#term-locality")
    page.click("a[href$='#lesson-01-locality']")
    page.wait_for_url("**/lessons/01_filters.html#lesson-01-locality")
    assert page.locator("#lesson-01-locality").is_visible()
    page.context.close()


def test_search_finds_a_term_and_a_function(browser: Browser, address: str) -> None:
    for word, hit in (("locality", "01_filters.html"), ("at_least", "api-course.html")):
        page = opened(browser, f"{address}/search.html?q={word}", 1280, "light")
        page.wait_for_selector(f"#search-results a[href*='{hit}']")
        page.context.close()
