"""The report of a class, and the class of the demo."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.build import notebook_path
from autograder.desk.demo import COUNTING, LENET, SUBMISSIONS, make_class
from autograder.desk.report import earned_by_exercise, most_frequent_failures, write_report
from autograder.grading.results import CellResult, Result
from autograder.grading.verdict import NO_ANSWER
from tests.support.paths import ROOT
from tests.support.small_course import Course


def result(student: str, *cells: CellResult) -> Result:
    score = sum(cell.points or 0 for cell in cells)
    return Result(student, "03", "03", "graded", score, 4, 1.0, list(cells))


def cells(first: str, second: str) -> tuple[CellResult, CellResult]:
    """Return the results of both tests of `size`, with these messages; passed if empty."""
    return (
        CellResult("test-size", 0 if first else 1, 1, "failed" if first else "passed", first),
        CellResult("hidden-size", 0 if second else 3, 3, "failed" if second else "passed", second),
    )


SCRIPT = "<script>alert('marks')</script>"
CLASS = [
    result("ada", *cells("", "")),
    result("ben", *cells("", "no floor")),
    result("cyd", *cells("", "no floor")),
    result("dan", *cells(SCRIPT, "no bias")),
    result("eve", *cells(NO_ANSWER, NO_ANSWER)),
]


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page(tmp_path: Path) -> Page:
    write_report(CLASS, tmp_path / "report.html", "A class")
    return Page((tmp_path / "report.html").read_text())


def test_the_report_stands_alone(page: Page) -> None:
    sources = [value for name, value in page.attributes if name in ("src", "href")]
    assert len(sources) == 2
    assert all(source and source.startswith("data:image/png;base64,") for source in sources)


def test_each_picture_of_the_report_is_described(page: Page) -> None:
    alts = [value for name, value in page.attributes if name == "alt"]
    assert len(alts) == page.tags["img"] == 2
    assert "size 30 %" in str(alts)


def test_the_text_of_a_submission_stays_text(page: Page) -> None:
    assert page.tags["script"] == 0
    assert SCRIPT in page.text


def test_the_most_frequent_failure_comes_first_and_a_missing_answer_is_none() -> None:
    worst = most_frequent_failures(CLASS)
    assert [(c.test, c.learners, c.message) for c in worst] == [
        ("hidden-size", 3, "no floor"),
        ("test-size", 1, SCRIPT),
    ]


def test_marks_by_exercise_join_visible_and_hidden_tests() -> None:
    assert earned_by_exercise(CLASS) == {"size": pytest.approx((4 + 1 + 1) / 20)}


def test_the_demo_class_hands_in_32_notebooks_with_three_mishaps(tmp_path: Path) -> None:
    make_class(ROOT, tmp_path)
    handed_in = Counter(path.parent.name for path in tmp_path.glob("submitted/*/*/*.ipynb"))
    assert handed_in == {COUNTING: 24, LENET: 8}
    assert handed_in.total() == SUBMISSIONS
    text = "\n".join(p.read_text() for p in tmp_path.glob(f"submitted/*/{COUNTING}/*.ipynb"))
    for mishap in ("while 2 * p != f - 1", "signal.SIGKILL", "debug"):
        assert mishap in text


def test_the_demo_class_starts_from_the_release_and_differs(tmp_path: Path) -> None:
    make_class(ROOT, tmp_path)
    released = nbformat.read(notebook_path(ROOT / "release", COUNTING), as_version=4)
    locked = {c["id"]: c.source for c in released.cells if not c.metadata.get("editable", True)}
    sources = set()
    for path in tmp_path.glob(f"submitted/*/{COUNTING}/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert locked.items() <= {c["id"]: c.source for c in notebook.cells}.items()
        sources.add("".join(cell.source for cell in notebook.cells))
    assert len(sources) > 15


def test_the_demo_outside_of_the_repository_is_one_line_that_helps(tmp_path: Path) -> None:
    done = Course(tmp_path).run("autograder", "demo")
    assert done.returncode == 2
    assert "no answer bank" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "demo").exists()
