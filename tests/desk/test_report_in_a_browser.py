"""The report in Chromium: nothing for axe-core, nothing cut off on a phone, columns that sort."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from autograder.desk.marks import ClassMarks, LessonPoints, Mark, Person
from autograder.desk.outcomes import Outcomes
from autograder.desk.report import Trouble, page_of, render
from tests.support.classroom import chromium, violations

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report in which every section has something."""
    lessons = [LessonPoints(f"{n:02}_lesson", None, {"loops": 6.0, "shape": 4.0}) for n in range(9)]
    people = [Person(f"student{n}", "Séan", f"O'Connor-Müller {n}") for n in range(12)]
    marks = {
        (person.id, lesson.name): Mark(n / 2, 1.0, exercises={"loops": n / 2, "shape": -n / 2})
        for n, person in enumerate(people)
        for lesson in lessons
    }
    outcomes = Outcomes(read=1, of=2)
    outcomes.messages["loops"]["Your output has shape (3, 3), (5, 5) was expected"] = 3
    trouble = [Trouble("student3", "01_lesson", "collected, not graded")]
    page = page_of(ClassMarks(people, lessons, marks), {}, {"01_lesson": outcomes}, trouble, "cnn")
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(page))
    return path.as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (400, "dark")])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(address)
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert refused == []  # the policy refuses no style and not the script
    context.close()


def column(page: Page) -> list[float]:
    """Return the shares of points in the table of students."""
    texts = page.locator("#students tbody td:nth-child(3)").all_inner_texts()
    return [float(text.removesuffix(" %")) for text in texts]


def test_a_table_is_sorted_by_a_key(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    button = page.locator("#students th:nth-child(3) button")
    button.focus()
    for key, state in (("Enter", "ascending"), ("Space", "descending")):
        page.keyboard.press(key)
        shares = column(page)
        assert shares == sorted(shares, reverse=state == "descending")
        assert page.locator("#students th:nth-child(3)").get_attribute("aria-sort") == state
    assert len(set(column(page))) > 5
    page.close()
