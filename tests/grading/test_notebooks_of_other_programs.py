"""Notebooks as other programs, and hasty hands, leave them: read, graded, shown as pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring.build import notebook_path
from tests.support.small_course import (
    FULL_MARKS,
    LESSON,
    RIGHT,
    Course,
    make_course,
    outcomes,
    points,
)

PICTURE = (  # one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
Raw = dict[str, Any]


def text(raw: Raw) -> str:
    """Return a notebook as it is written."""
    return json.dumps(raw, ensure_ascii=False)


def markdown(source: str, **more: Any) -> Raw:
    """Return a markdown cell without an id."""
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def code(source: str, **more: Any) -> Raw:
    """Return a code cell without an id."""
    return {
        "cell_type": "code", "metadata": {}, "source": source, "outputs": [],
        "execution_count": None, **more,
    }  # fmt: skip


def changed(change: Callable[[Raw], Any]) -> Callable[[Raw], bytes]:
    """Return what writes a notebook after a change."""

    def write(raw: Raw) -> bytes:
        change(raw)
        return text(raw).encode()

    return write


def named(raw: Raw, grade_id: str) -> Raw:
    """Return a cell of nbgrader's by name."""
    return next(
        cell for cell in raw["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )  # fmt: skip


def on_all_cells(**values: Any) -> Callable[[Raw], None]:
    """Return a change of all code cells."""
    return lambda raw: [
        cell.update(values) for cell in raw["cells"] if cell["cell_type"] == "code"
    ] and None  # fmt: skip


SHOWS_A_PICTURE = "from IPython.display import Markdown, display\n"
SHOWS_A_PICTURE += "display(Markdown('![x](attachment:x.png)'))"
WRITTEN: dict[str, Callable[[Raw], bytes]] = {
    "byte-order-mark": lambda raw: b"\xef\xbb\xbf" + text(raw).encode(),
    "utf-16": lambda raw: text(raw).encode("utf-16"),
    "latin-1": lambda raw: text(
        {**raw, "cells": [markdown("voilà"), *raw["cells"]]}
    ).encode("latin-1"),
    "half-a-character": lambda raw: json.dumps(
        {**raw, "cells": [markdown("\ud83d"), code("x = '\ud83d'"), *raw["cells"]]}
    ).encode(),
    "trailing-junk": lambda raw: text(raw).encode() + b"\n}}",
    "no-minor-version": changed(lambda raw: raw.pop("nbformat_minor")),
    "no-metadata": changed(lambda raw: raw.pop("metadata")),
    "no-outputs": changed(on_all_cells(outputs=None)),
    "a-heading": changed(
        lambda raw: raw["cells"].insert(
            1, {"cell_type": "heading", "level": 2, "metadata": {}, "source": "Old"}
        )
    ),
    "an-unknown-cell": changed(
        lambda raw: raw["cells"].insert(
            1, {"cell_type": "sql", "metadata": None, "source": "select 1"}
        )
    ),
    "a-pasted-picture": changed(
        lambda raw: raw["cells"].insert(
            1, markdown("![p](attachment:p.png)", attachments={"p.png": {"image/png": PICTURE}})
        )
    ),
    "a-missing-picture": changed(
        lambda raw: raw["cells"].insert(1, markdown("![p](attachment:p.png)", attachments=None))
    ),
    "a-picture-in-an-output": changed(lambda raw: raw["cells"].insert(1, code(SHOWS_A_PICTURE))),
    "one-id-for-all": changed(on_all_cells(id="same")),
    "an-exit": changed(lambda raw: raw["cells"].insert(3, code("exit()"))),
}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class of notebooks with all answers right, each written by another program."""
    course = make_course(tmp_path_factory.mktemp("programs"))
    for student, write in WRITTEN.items():
        course.hand_in(student, RIGHT)
        path = handed_in(course, student)
        path.write_bytes(write(json.loads(path.read_text())))
    course.hand_in("a-copy-of-the-stub", RIGHT)
    path = handed_in(course, "a-copy-of-the-stub")
    raw = json.loads(path.read_text())
    released = json.loads(notebook_path(course.folder / "release", LESSON).read_text())
    place = raw["cells"].index(named(raw, "double")) + 1
    raw["cells"].insert(place, named(released, "double"))
    path.write_text(text(raw))
    course.hand_in("essay-below", RIGHT)
    path = handed_in(course, "essay-below")
    raw = json.loads(path.read_text())
    raw["cells"].append(markdown("My answer, in a cell of my own."))
    path.write_text(text(raw))
    course.hand_in("work-in-a-copy")
    course.write(course.folder / "submitted" / "work-in-a-copy" / LESSON, {})
    original = handed_in(course, "work-in-a-copy")
    untouched = original.read_bytes()
    course.write(original.parent, RIGHT)
    original.rename(original.with_name(f"{LESSON}-Copy1.ipynb"))
    original.write_bytes(untouched)
    return course


def handed_in(course: Course, student: str) -> Path:
    """Return the notebook of a student."""
    return course.folder / "submitted" / student / LESSON / f"{LESSON}.ipynb"


@pytest.fixture(scope="module")
def results(course: Course) -> dict[str, dict[str, Any]]:
    """The results of the class."""
    return course.grade()


@pytest.mark.parametrize("student", [*WRITTEN, "a-copy-of-the-stub"])
def test_a_notebook_of_another_program_loses_nothing(
    student: str, results: dict[str, dict[str, Any]]
) -> None:
    assert points(results[student]) == FULL_MARKS, results[student]


def test_an_answer_below_an_untouched_one_goes_to_a_person(
    results: dict[str, dict[str, Any]],
) -> None:
    assert outcomes(results["essay-below"])["essay"] == "to be marked"
    assert outcomes(results["a-heading"])["essay"] == "no response"


def test_work_in_a_copy_counts_and_is_said(course: Course) -> None:
    done = course.run("autograder", "grade", LESSON, "--force", "--student", "work-in-a-copy")
    assert "work-in-a-copy: 00_doubling-Copy1.ipynb is graded" in done.stderr
    (result,) = course.grade("--student", "work-in-a-copy").values()
    assert points(result) == FULL_MARKS


def test_all_of_them_become_pages(course: Course, results: dict[str, dict[str, Any]]) -> None:
    done = course.run("nbgrader", "generate_feedback", LESSON)
    assert done.returncode == 0, done.stderr
    page = course.folder / "feedback" / "a-pasted-picture" / LESSON / f"{LESSON}.html"
    assert PICTURE in page.read_text()
