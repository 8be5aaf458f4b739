"""What a feedback page says beside the marks."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder.service.notes import MISCONCEPTION, left_note, name_mistakes, progress
from tests.support.any_course import graded_cell

BANK = """\
# %% right size: with a floor
def size(n, s):
    return (n - 1) // s + 1

# %% wrong size: forgets the floor loses=["hidden-size"]
def size(n, s):
    return (n - 1) / s + 1

# %% [markdown] says=["is 3.5"]
# The window would stand half outside.

# %% wrong size: forgets the start loses=["test-size", "hidden-size"]
def size(n, s):
    return (n - 1) // s

# %% [markdown] says=["is 2,", "is 3,"]
# The start is a place, too.
"""


def judged(**failed: str) -> list[NotebookNode]:
    """Return the test cells of a page; those that failed have messages."""
    cells = []
    for kind in ("test", "hidden"):
        cell = graded_cell("assert size(6, 2) == 3")
        cell.metadata.nbgrader.grade_id = f"{kind}-size"
        message = failed.get(kind)
        outcome = "passed" if message is None else "failed"
        cell.metadata["verdict"] = {"outcome": outcome, "message": message or ""}
        cells.append(cell)
    return cells


def named(folder: Path, cells: list[NotebookNode]) -> list[str]:
    """Return what is said at each test cell."""
    name_mistakes(cells, folder, "03_sizes")
    return [cell.metadata.get(MISCONCEPTION, "") for cell in cells]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "03_sizes.py").write_text(BANK)
    return tmp_path


def test_a_mistake_is_named_where_the_same_tests_fail_with_such_messages(folder: Path) -> None:
    assert named(folder, judged(hidden="it is 3.5, 3 was expected")) == [
        "",
        "The window would stand half outside.",
    ]
    both = judged(test="it is 2, 3 was expected", hidden="it is 3, 4 was expected")
    assert named(folder, both) == ["The start is a place, too.", ""]


@pytest.mark.parametrize(
    "failed",
    [
        {},
        {"hidden": "it is 4, 3 was expected"},
        {"test": "it is 3.5, 3 was expected"},
        {"test": "it is 3.5, 3 was expected", "hidden": "it is 3.5, 3 was expected"},
        {"test": "There is no answer yet.", "hidden": "There is no answer yet."},
    ],
)
def test_no_mistake_is_named_where_other_tests_fail_or_with_other_messages(
    folder: Path, failed: dict[str, str]
) -> None:
    assert named(folder, judged(**failed)) == ["", ""]


def test_where_two_texts_fit_neither_is_said(folder: Path) -> None:
    twin = BANK.split("# %% wrong size: forgets the start")[0].split("with a floor")[1]
    twin = twin[twin.index("# %% wrong") :].replace("forgets", "leaves out")
    path = folder / "answers" / "03_sizes.py"
    path.write_text(BANK + "\n" + twin)  # the same words of the same mistake
    assert named(folder, judged(hidden="it is 3.5, 3 was expected"))[1]
    path.write_text(BANK + "\n" + twin.replace("half outside", "outside"))
    assert named(folder, judged(hidden="it is 3.5, 3 was expected")) == ["", ""]


def test_what_a_learner_wrote_into_a_cell_is_not_shown(folder: Path) -> None:
    cells = judged()
    cells[0].metadata[MISCONCEPTION] = "full marks"
    assert named(folder, cells) == ["", ""]


def test_without_a_bank_or_with_an_invalid_one_there_are_marks_alone(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder / "answers" / "03_sizes.py"
    solution = "return (n - 1) // s + 1"
    for text in (
        BANK.replace("The window", f"`{solution}` is right. The window"),
        BANK.replace('says=["is 3.5"]', "says=[]"),
        BANK.replace("# %% wrong size: forgets the floor", "# %% wrong size forgets the floor"),
    ):
        path.write_text(text)
        with caplog.at_level(logging.WARNING):
            assert named(folder, judged(hidden="it is 3.5, 3 was expected")) == ["", ""]
        assert "03_sizes.py cannot be read" in caplog.text
        caplog.clear()
    path.unlink()
    assert named(folder, judged(hidden="it is 3.5, 3 was expected")) == ["", ""]
    assert not caplog.text


def test_progress_names_the_cells_whose_points_changed() -> None:
    before = {"test-size": 0.0, "hidden-size": 2.0, "test-depth": 1.0}
    now = {"test-size": 1.5, "hidden-size": 0.0, "test-depth": 1.0}
    text = progress(before, now, "02 Nov 2026")
    assert text == (
        "Since your hand-in of 02 Nov 2026: more points in test-size (0 to 1.5);"
        " fewer points in hidden-size (2 to 0)."
    )
    assert progress(now, now, "02 Nov 2026").endswith(": no points have changed.")


def test_the_attempts_that_are_left_today() -> None:
    assert "2 of 5 left for this lesson" in left_note(2, 5)
    assert "none left of 5; more tomorrow" in left_note(0, 5)
