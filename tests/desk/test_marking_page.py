"""The page to mark by hand, in Chromium, from the server extension of the class."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.classroom import SLOW, chromium, violations
from tests.support.essays import ANSWERS, LESSON, essays, works
from tests.support.processes import free_port
from tests.support.small_course import activated, wait_until
from tests.support.term import Term, make_term

pytestmark = pytest.mark.slow


@dataclass
class Desk:
    """A server with the page of the class, and a browser."""

    term: Term
    address: str
    browser: Browser

    def page(self, path: str = "", **options: object) -> Page:
        """Return a page of the lesson's marking in a new window."""
        page = self.browser.new_context(**options).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(SLOW)
        page.goto(f"{self.address}/class/mark/{LESSON}{path}?token=t")
        return page


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    term = essays(make_term(tmp_path_factory.mktemp("marking")))
    port = free_port()
    options = [
        "--ServerApp.jpserver_extensions={'autograder.desk.class_page': True}",
        *(f"--ServerApp.port={port}", "--ServerApp.open_browser=False", "--allow-root"),
        "--IdentityProvider.token=t",
    ]
    with (term.folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            cwd=term.folder,
            env={**activated(), "JUPYTER_CONFIG_DIR": str(term.folder)},
            stderr=log,
        )
    try:
        text = Path(log.name)
        assert wait_until(lambda: f":{port}/" in text.read_text(), 120), text.read_text()
        with chromium() as browser:
            yield Desk(term, f"http://127.0.0.1:{port}", browser)
    finally:
        server.terminate()
        server.wait()


def test_a_marker_goes_from_answer_to_answer_and_reuses_a_comment(desk: Desk) -> None:
    page = desk.page()
    assert not any(name in page.content() for name in ("Lovelace", "Noether", "oconnor"))
    page.get_by_role("link", name="Mark the next answer to essay").click()
    seen = []
    for points in ("7,5", "11", "4"):
        assert "True (4), reasons (3), clear (3)." in page.content()
        assert "BEGIN SOLUTION" not in page.content()
        seen.append(page.get_by_role("region", name="Answer").text_content())
        page.get_by_label("Points").fill(points)
        if points == "7,5":
            page.get_by_label("Comment:").fill("Where is the <b>reason</b>?")
        else:
            page.get_by_label("Where is the <b>reason</b>?").check()
        page.get_by_role("button", name="Save").click()
        if points == "11":
            assert "from 0 to 10 are possible" in page.get_by_role("alert").inner_text()
            assert page.get_by_label("Comment:").input_value() == "Where is the <b>reason</b>?"
            page.get_by_label("Points").fill("10")
            page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="essay: 0 of 3 to be marked").wait_for()
    assert sorted(seen) == sorted(ANSWERS.values())
    marks = works(desk.term)
    assert sorted(one.points for one in marks.values()) == [4, 7.5, 10]  # type: ignore[type-var]
    assert {one.comment for one in marks.values()} == {"Where is the <b>reason</b>?"}


def test_of_two_markers_the_second_is_shown_what_the_first_entered(desk: Desk) -> None:
    ada = works(desk.term)["ada"]
    mine, yours = (desk.page(f"/{ada.code}/essay") for _ in range(2))
    for page, points in ((mine, "3"), (yours, "2")):
        page.get_by_label("Points").fill(points)
        page.get_by_role("button", name="Save").click()
    alert = yours.get_by_role("alert").inner_text()
    assert "while you had it open: 3 points" in alert
    assert works(desk.term)["ada"].points == 3
    assert yours.get_by_label("Points").input_value() == "2"
    yours.get_by_role("button", name="Save").click()  # it was read: now it counts
    expect(yours.get_by_role("alert")).to_have_count(0)  # on the next answer, or among all
    assert works(desk.term)["ada"].points == 2


def test_names_are_shown_on_request(desk: Desk) -> None:
    page = desk.page()
    page.get_by_role("link", name="Show names").click()
    page.get_by_role("link", name="O'Connor, Jr., Séan").click()
    assert "O'Connor, Jr., Séan" in page.get_by_role("heading", level=1).inner_text()


def test_a_form_of_another_page_enters_nothing(desk: Desk) -> None:
    ada = works(desk.term)["ada"]
    page = desk.page(f"/{ada.code}/essay")
    page.locator("input[name=_xsrf]").evaluate("field => field.value = 'forged'")
    page.get_by_label("Points").fill("9")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("403").first.wait_for()
    assert works(desk.term)["ada"] == ada


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_axe_finds_nothing_and_nothing_is_cut_off(desk: Desk, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900}
    ada = works(desk.term)["ada"]
    for path in ("", f"/{ada.code}/essay"):
        page = desk.page(path, viewport=size, color_scheme=scheme, bypass_csp=True)
        assert violations(page, "html") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if pictures := os.environ.get("PICTURES"):
            page.screenshot(path=f"{pictures}/mark{len(path)}-{width}.png", full_page=True)
