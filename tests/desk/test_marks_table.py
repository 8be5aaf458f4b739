"""The table of marks after grading: who has how much, and what is remarkable."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from autograder.desk.marks_table import show_marks
from autograder.grading.results import CellResult, Result

OTHERS = "This is work for 'ada', and you are 'alan'."


def result(student: str, *cells: tuple[float, str, str], notebook: str = "a") -> Result:
    """Return a result with cells of 10 points: points, outcome, message."""
    graded = [CellResult(f"c{n}", got, 10, *rest) for n, (got, *rest) in enumerate(cells)]
    score = sum(cell.points or 0 for cell in graded)
    return Result(student, "10_work", notebook, "graded", score, 10 * len(cells), 1.0, graded)


@pytest.fixture
def rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, str]]:
    """What returns the table as printed, by student."""
    monkeypatch.setenv("COLUMNS", "120")

    def printed(*results: Result) -> dict[str, str]:
        show_marks(results)
        lines = capsys.readouterr().out.splitlines()
        cells = [[part.strip() for part in line.split("│")] for line in lines]
        return {row[1]: " | ".join(row[2:4]) for row in cells if len(row) > 3}

    return printed


def test_points_of_all_notebooks_of_a_student_count(rows: Callable[..., dict[str, str]]) -> None:
    passed = (10.0, "passed", "")
    table = rows(result("ada", passed, passed), result("ada", passed, notebook="b"))
    assert table == {"ada": "30 / 30 | "}


def test_a_message_that_came_often_stands_beside_the_marks(
    rows: Callable[..., dict[str, str]],
) -> None:
    table = rows(result("alan", *[(0.0, "failed", OTHERS)] * 3, (10.0, "passed", "")))
    assert table == {"alan": f"10 / 40 | 3 x {OTHERS}"}


def test_an_outcome_that_is_neither_pass_nor_failure_stands_beside_the_marks(
    rows: Callable[..., dict[str, str]],
) -> None:
    unanswered = [(0.0, "failed", "There is no answer yet.")] * 5
    table = rows(result("emmy", (0.0, "timed out", "This took long."), *unanswered))
    assert table == {"emmy": "0 / 60 | timed out"}
