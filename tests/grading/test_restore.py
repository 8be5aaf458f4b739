"""A notebook is restored cell by cell: what is the instructor's, and what stays the learner's."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.grading.restore import (
    ANSWERED_BELOW,
    MAX_PARSED_CHARS,
    MERGED,
    Released,
    defined,
    restore,
)


def released(
    name: str, source: str, kind: str = "code", locked: bool = False, grade: bool = False
) -> Released:
    """Return a cell as it was released; one that is not locked is an answer."""
    metadata = {"grade_id": name, "locked": locked, "cell_type": kind, "grade": grade}
    return Released(name, source, kind, locked, {**metadata, "solution": not locked, "task": False})


SETUP = released("setup", "import math", locked=True)
DOUBLE = released("double", "def double(x):\n    raise NotImplementedError")
TRIPLE = released("triple", "def triple(x):\n    raise NotImplementedError")
TEST = released("test-double", "assert double(2) == 4", locked=True, grade=True)
ESSAY = released("essay", "Your answer", kind="markdown", grade=True)
ALL = (SETUP, DOUBLE, TRIPLE, TEST, ESSAY)
WORK = "def double(x):\n    return 2 * x"


def handed_in(cell: Released, source: str | None = None, **fields: Any) -> NotebookNode:
    """Return a released cell as it comes back, by default unchanged."""
    make = new_code_cell if cell.cell_type == "code" else new_markdown_cell
    metadata = {"nbgrader": {"grade_id": cell.grade_id}}
    return make(cell.source if source is None else source, metadata=metadata, **fields)


def restored(*cells: NotebookNode, ordinary: tuple[str, ...] = ()) -> list[NotebookNode]:
    """Return the cells of a restored notebook."""
    notebook = new_notebook(cells=[*cells])
    restore(notebook, ALL, NotebookNode(), ordinary)
    return notebook.cells


def named(cells: list[NotebookNode]) -> list[tuple[str | None, str]]:
    """Return grade_id and text of each cell."""
    return [(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source) for cell in cells]


AS_RELEASED = [(cell.grade_id, cell.source) for cell in ALL]


def test_what_is_locked_is_as_it_was_released_and_an_answer_stays() -> None:
    setup = handed_in(SETUP, "import os")
    setup.metadata["tags"] = ["skip-execution"]
    cells = restored(
        setup, handed_in(DOUBLE, WORK), handed_in(TRIPLE), handed_in(TEST, ""), handed_in(ESSAY)
    )
    assert named(cells) == [AS_RELEASED[0], ("double", WORK), *AS_RELEASED[2:]]
    assert [cell.metadata for cell in cells] == [{"nbgrader": cell.metadata} for cell in ALL]


def test_outputs_that_were_handed_in_are_removed() -> None:
    added = new_code_cell("1", execution_count=7, outputs=[new_output("stream", text="passed")])
    cells = restored(*map(handed_in, ALL), added)
    assert (cells[-1].outputs, cells[-1].execution_count) == ([], None)


def test_cells_that_are_missing_are_put_back_in_their_order() -> None:
    cells = restored(handed_in(TEST), new_code_cell("1"))
    assert named(cells) == [*AS_RELEASED, (None, "1")]
    assert [cell.id for cell in cells[:3]] == ["setup", "double", "triple"]


def test_a_name_that_another_cell_has_is_not_its_id_too() -> None:
    taken = handed_in(TEST, id="double")
    cells = restored(taken)
    assert named(cells) == AS_RELEASED
    assert taken.id == "double"
    assert len({cell.id for cell in cells}) == len(ALL)


def test_an_answer_without_metadata_is_recognised_by_what_it_defines() -> None:
    helper, work = new_code_cell("import os"), new_code_cell(WORK)
    cells = restored(handed_in(SETUP), helper, work, handed_in(TRIPLE), handed_in(TEST))
    assert named(cells)[:3] == [AS_RELEASED[0], (None, "import os"), ("double", WORK)]


def test_an_answer_that_was_merged_into_another_is_not_overwritten() -> None:
    both = f"{WORK}\n\ndef triple(x):\n    return 3 * x"
    cells = restored(handed_in(SETUP), handed_in(TRIPLE, both), handed_in(TEST))
    assert named(cells)[1:3] == [("double", MERGED), ("triple", both)]


def test_an_untouched_answer_stays_beside_another_cell_that_defines_its_name() -> None:
    untouched = handed_in(DOUBLE, id="mine")
    cells = restored(handed_in(SETUP), untouched, new_code_cell(WORK))
    assert (named(cells)[1], cells[1].id) == (AS_RELEASED[1], "mine")
    assert (None, WORK) in named(cells)


@pytest.mark.parametrize(
    ("copies", "left"),
    [
        ([WORK, DOUBLE.source], [("double", WORK)]),
        ([DOUBLE.source, WORK], [("double", WORK)]),
        ([WORK, "double = abs"], [(None, WORK), ("double", "double = abs")]),
        ([DOUBLE.source, DOUBLE.source], [(None, DOUBLE.source), ("double", DOUBLE.source)]),
    ],
)
def test_of_copies_the_last_one_with_work_in_it_is_the_answer(
    copies: list[str], left: list[tuple[str | None, str]]
) -> None:
    cells = restored(handed_in(SETUP), *(handed_in(DOUBLE, source) for source in copies))
    assert named(cells)[1:-3] == left


@pytest.mark.parametrize(
    ("essay", "below", "noted"),
    [
        (ESSAY.source, new_markdown_cell("It is the third."), True),
        ("The second.", new_markdown_cell("It is the third."), False),
        (ESSAY.source, new_markdown_cell(" \n"), False),
        (ESSAY.source, new_markdown_cell("## The end"), False),
        (ESSAY.source, new_code_cell("third = 3"), False),
    ],
)
def test_work_below_an_untouched_answer_is_noted(
    essay: str, below: NotebookNode, noted: bool
) -> None:
    above = new_markdown_cell("My notes")  # below no answer
    cells = restored(
        above, *map(handed_in, ALL[:-1]), handed_in(ESSAY, essay), below, ordinary=("## The end",)
    )
    assert [cell.metadata.get(ANSWERED_BELOW, False) for cell in cells[-2:]] == [noted, False]


def test_only_for_an_answer_that_a_person_marks_work_below_is_noted() -> None:
    done = new_markdown_cell("Done."), new_markdown_cell("Done.")
    cells = restored(handed_in(DOUBLE), done[0], handed_in(TEST), done[1], handed_in(ESSAY))
    assert not any(ANSWERED_BELOW in cell.metadata for cell in cells)


def test_a_cell_that_is_too_long_to_read_defines_nothing() -> None:
    longest = "a = 1\n".ljust(MAX_PARSED_CHARS, "#")
    assert [*defined(longest)] == ["a"]
    assert [*defined(longest + "#")] == []
