"""source/ and release/ are built from the lessons, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

from autograder.authoring.build import (
    build,
    generate_assignment,
    make_source,
    name_cells,
    notebook_path,
    without_outputs,
)
from autograder.errors import LessonError, UsageError
from tests.support.paths import LESSONS, ROOT
from tests.support.secrets import secrets
from tests.support.small_course import LESSON, make_course

ANSWER_MARKS = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")


def read(folder: str, lesson: str) -> NotebookNode:
    return nbformat.read(notebook_path(ROOT / folder, lesson), as_version=4)


@pytest.mark.parametrize("lesson", LESSONS)
def test_source_is_built_from_the_lesson(lesson: str) -> None:
    committed = without_outputs(read("source", lesson))
    fresh = without_outputs(make_source(ROOT / "lessons" / f"{lesson}.py"))
    assert committed["cells"] == fresh["cells"], "run `make build`"


@pytest.mark.parametrize("lesson", LESSONS)
def test_release_is_built_from_source_to_the_byte(lesson: str, tmp_path: Path) -> None:
    generate_assignment(ROOT, lesson, str(tmp_path), database=None)
    fresh = tmp_path / lesson / f"{lesson}.ipynb"
    assert notebook_path(ROOT / "release", lesson).read_bytes() == fresh.read_bytes(), (
        "run `make build`"
    )


def test_source_and_release_hold_the_lessons_and_no_other_file() -> None:
    for folder in ("source", "release"):
        files = {
            path.relative_to(ROOT / folder).as_posix()
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and ".ipynb_checkpoints" not in path.parts
        }
        assert files == {f"{lesson}/{lesson}.ipynb" for lesson in LESSONS}


@pytest.mark.parametrize("lesson", LESSONS)
def test_release_carries_no_solution_no_hidden_test_and_no_output(lesson: str) -> None:
    release = read("release", lesson)
    assert not any(ANSWER_MARKS.search(cell.source) for cell in release.cells)
    assert not any(cell.get("outputs") for cell in release.cells)
    assert "course" not in release.metadata
    released = {cell["id"]: cell.source for cell in release.cells}
    secret_texts = [
        (cell["id"], text) for cell in read("source", lesson).cells for text in secrets(cell)
    ]
    assert secret_texts, "a lesson without a solution"
    assert [text for name, text in secret_texts if text in released[name]] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_hidden_test_says_that_more_is_checked(lesson: str) -> None:
    graded = list(filter(is_grade, read("release", lesson).cells))
    assert graded
    for cell in graded:
        assert cell.source.strip(), f"{cell['id']} reaches the learner empty"


COURSEWORK = "10_coursework"  # an examination: its hundred points are distributed otherwise


@pytest.mark.parametrize("lesson", [name for name in LESSONS if name != COURSEWORK])
def test_points_follow_the_syllabus(lesson: str) -> None:
    tests = [c for c in read("source", lesson).cells if is_grade(c) and not is_solution(c)]
    assert tests
    for cell in tests:
        name, points = cell.metadata.nbgrader.grade_id, cell.metadata.nbgrader.points
        assert (name.startswith("test-") and points in (1, 2)) or (
            name.startswith("hidden-") and points in (1, 2, 3)
        ), f"{name} has {points} points"


def test_the_coursework_has_a_hundred_points() -> None:
    cells = filter(is_grade, read("source", COURSEWORK).cells)
    assert sum(cell.metadata.nbgrader.points for cell in cells) == 100


@pytest.mark.parametrize("lesson", LESSONS)
def test_set_up_comes_before_the_exercises(lesson: str) -> None:
    assert any(is_locked(c) and not is_grade(c) for c in read("source", lesson).cells)


def test_a_second_build_changes_nothing(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    files = [notebook_path(course.folder / folder, LESSON) for folder in ("source", "release")]
    before = [path.read_bytes() for path in files]
    messages: list[str] = []
    build(course.folder, report=messages.append)
    assert [path.read_bytes() for path in files] == before
    assert messages == [f"{LESSON}: unchanged"]


def test_a_changed_lesson_is_executed_and_keeps_its_other_cells(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    path = notebook_path(course.folder / "source", LESSON)
    before = [cell["id"] for cell in nbformat.read(path, as_version=4).cells]
    lesson = course.folder / "lessons" / f"{LESSON}.py"
    lesson.write_text(lesson.read_text() + "\n# %%\nprint('and more')\n")
    build(course.folder, [LESSON], report=lambda line: None)
    cells = nbformat.read(path, as_version=4).cells
    assert [cell["id"] for cell in cells] == [*before, "essay-1"]
    assert cells[-1].outputs[0].text == "and more\n"


def test_widgets_leave_no_trace_that_differs_from_build_to_build(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    lesson = course.folder / "lessons" / f"{LESSON}.py"
    lesson.write_text(
        lesson.read_text() + "\n# %%\nimport ipywidgets\nipywidgets.HTML('<b>bold</b>')\n"
    )
    build(course.folder, report=lambda line: None)
    text = notebook_path(course.folder / "source", LESSON).read_text()
    assert "widget-view" not in text
    assert "widget-state" not in text


@pytest.mark.parametrize(
    ("addition", "says"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("print('oh', file=sys.stderr)", "writes to stderr"),
    ],
)
def test_a_lesson_that_fails_is_named_and_its_source_kept(
    tmp_path: Path, addition: str, says: str
) -> None:
    course = make_course(tmp_path)
    path = notebook_path(course.folder / "source", LESSON)
    before = path.read_bytes()
    lesson = course.folder / "lessons" / f"{LESSON}.py"
    lesson.write_text(f"{lesson.read_text()}\n# %%\n{addition}\n")
    with pytest.raises(LessonError, match=f"(?s){LESSON}.*{says}"):
        build(course.folder, report=lambda line: None)
    assert path.read_bytes() == before


SETUP = """

# %% nbgrader={"grade_id": "more", "locked": true}
table = {}

# %%
SHOWS

# %% nbgrader={"grade_id": "look", "solution": true}
def look():
    ### BEGIN SOLUTION
    return READS
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-look", "grade": true, "locked": true, "points": 1}
assert look() == 3
"""


@pytest.mark.parametrize(
    ("shows", "reads", "says"),
    [
        ("three = 3", "three", "look reads three, which cell \\d+ changes, a demonstration"),
        (
            "others = [table]\nothers[0][0] = 3",
            "table[0]",
            "test-look passes .* without the demonstrations",
        ),
    ],
)
def test_a_demonstration_that_a_test_needs_stops_the_build_unless_its_head_says_so(
    tmp_path: Path, shows: str, reads: str, says: str
) -> None:
    course = make_course(tmp_path)
    path = notebook_path(course.folder / "source", LESSON)
    before = path.read_bytes()
    lesson = course.folder / "lessons" / f"{LESSON}.py"
    text = lesson.read_text() + SETUP.replace("READS", reads)
    lesson.write_text(text.replace("SHOWS", shows))
    with pytest.raises(LessonError, match=f"{LESSON}: .*{says}"):
        build(course.folder, report=lambda line: None)
    assert path.read_bytes() == before
    head = "# %% demonstration=false\n"
    lesson.write_text(text.replace("# %%\nSHOWS", head + shows))
    build(course.folder, report=lambda line: None)
    marked = [c.source for c in nbformat.read(path, as_version=4).cells if is_demonstration(c)]
    assert marked == ["# A cell that asks for nothing.\nanswer = double(21)"]


def is_demonstration(cell: NotebookNode) -> bool:
    """Return whether a cell of source/ is marked as a demonstration."""
    return bool(cell.metadata.get("demonstration"))


@pytest.mark.parametrize("lesson", LESSONS)
def test_ordinary_code_is_marked_as_demonstrations(lesson: str) -> None:
    for cell in read("source", lesson).cells:
        assert not is_demonstration(cell) or "nbgrader" not in cell.metadata
    assert any(map(is_demonstration, read("source", lesson).cells))


def test_the_header_of_a_lesson_may_have_its_demonstrations_run(tmp_path: Path) -> None:
    lesson = tmp_path / "lesson.py"
    lesson.write_text("# ---\n# jupyter:\n#   run_all: true\n# ---\n\n# %%\nx = 1\n")
    assert make_source(lesson).metadata["run_all"] is True


def test_only_ordinary_code_has_a_head_about_demonstrations(tmp_path: Path) -> None:
    lesson = tmp_path / "lesson.py"
    for head in ("[markdown] demonstration=true", 'nbgrader={"grade_id": "a"} demonstration=false'):
        lesson.write_text(f"# %% {head}\n# text\n")
        with pytest.raises(LessonError, match="lesson: only ordinary code is a demonstration"):
            make_source(lesson)


def test_a_lesson_that_nbgrader_refuses_is_named_with_the_reason(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    lesson = course.folder / "lessons" / f"{LESSON}.py"
    lesson.write_text(lesson.read_text().replace("### END HIDDEN TESTS", ""))
    with pytest.raises(LessonError, match=f"{LESSON}.*No end hidden tests statement"):
        build(course.folder, report=lambda line: None)


def test_an_unknown_lesson_is_named(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    with pytest.raises(UsageError, match="no lesson '11_quantum'; available: 00_doubling"):
        build(course.folder, ["11_quantum"])
    with pytest.raises(UsageError, match="no lessons in"):
        build(tmp_path / "lessons")


def test_a_grade_id_used_twice_is_refused() -> None:
    twins = nbformat.v4.new_notebook()
    for _ in range(2):
        metadata = {"nbgrader": {"grade_id": "twin"}}
        twins.cells.append(nbformat.v4.new_code_cell(metadata=metadata))
    with pytest.raises(LessonError, match="twin is used twice"):
        name_cells(twins)
