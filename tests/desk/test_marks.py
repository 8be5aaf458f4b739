"""The table of marks after grading: who has how much, and what is remarkable."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from autograder.desk.marks import marks_table
from autograder.grading.results import CellResult, Result

OTHERS = "This is work for 'ada', and you are 'alan'."


def result(student: str, *cells: tuple[float, str, str], notebook: str = "a") -> Result:
    """Return a result with cells of 10 points: points, outcome, message."""
    graded = [CellResult(f"c{n}", got, 10, *rest) for n, (got, *rest) in enumerate(cells)]
    score = sum(cell.points or 0 for cell in graded)
    return Result(student, "10_work", notebook, "graded", score, 10 * len(cells), 1.0, graded)


def rows(*results: Result) -> dict[str, str]:
    """Return the table as printed, by student."""
    out = StringIO()
    Console(file=out, width=120).print(marks_table(results))
    cells = [[part.strip() for part in line.split("│")] for line in out.getvalue().splitlines()]
    return {row[1]: " | ".join(row[2:4]) for row in cells if len(row) > 3}


def test_points_of_all_notebooks_of_a_student_count() -> None:
    passed = (10.0, "passed", "")
    table = rows(result("ada", passed, passed), result("ada", passed, notebook="b"))
    assert table == {"ada": "30 / 30 | "}


def test_a_message_that_came_often_stands_beside_the_marks() -> None:
    table = rows(result("alan", *[(0.0, "failed", OTHERS)] * 3, (10.0, "passed", "")))
    assert table == {"alan": f"10 / 40 | 3 x {OTHERS}"}


def test_an_outcome_that_is_neither_pass_nor_failure_stands_beside_the_marks() -> None:
    unanswered = [(0.0, "failed", "There is no answer yet.")] * 5
    table = rows(result("emmy", (0.0, "timed out", "This took long."), *unanswered))
    assert table == {"emmy": "0 / 60 | timed out"}
