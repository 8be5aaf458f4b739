"""The answer bank: right and wrong answers to every exercise, and notebooks made from them.

    # %% right output_size: integer division
    # %% wrong output_size: forgets the floor loses=["hidden-output_size"]

Each cell is one answer; it replaces the solution cell of its exercise. The title says whether the
answer is right, names its exercise and describes it; `loses` lists exactly the test cells that a
wrong answer must fail. The tests verify this; the demo builds a class from it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.authoring.build import setup_cells

TITLE = re.compile(r"(right|wrong) ([\w-]+): (.+)")
TEST_NAME = re.compile(r"(?:test|hidden)-(.+)")


@dataclass(frozen=True)
class Answer:
    """An answer to `exercise`; `loses` is empty where it is right."""

    right: bool
    exercise: str
    title: str
    source: str
    loses: frozenset[str]

    def __str__(self) -> str:
        return f"{'right' if self.right else 'wrong'} {self.exercise}: {self.title}"


def read_answers(path: Path) -> list[Answer]:
    """Return all answers in a lesson's file of the bank. Raise ValueError for an invalid cell."""
    cells = jupytext.read(path, fmt="py:percent").cells
    return [read_answer(cell, path) for cell in cells if cell.cell_type == "code" and cell.source]


def read_answer(cell: NotebookNode, path: Path) -> Answer:
    """Return the answer in a cell of the bank."""
    title = cell.metadata.get("title", "")
    match = TITLE.fullmatch(title)
    if not match:
        raise ValueError(f"{path.name}: {title!r} is not '(right|wrong) exercise: description'")
    right = match[1] == "right"
    loses = frozenset(cell.metadata.get("loses", ()))
    if right == bool(loses):
        raise ValueError(f"{path.name}: {title!r}: only wrong answers have `loses`")
    return Answer(right, match[2], match[3], cell.source, loses)


def exercise_of(cell: NotebookNode) -> str:
    """Return the exercise of a solution or test cell."""
    return exercise_named(cell.metadata["nbgrader"]["grade_id"])


def exercise_named(grade_id: str) -> str:
    """Return the exercise in a grade_id: "split" for test-split and hidden-split."""
    match = TEST_NAME.fullmatch(grade_id)
    return match[1] if match else grade_id


def notebook_for(source: NotebookNode, *answers: Answer, run_all: bool = False) -> NotebookNode:
    """Return the lesson `source`, reduced to the cells that test `answers` (one per exercise).

    These are the locked setup cells, reference solutions that the exercises depend on, the answers,
    and the tests of their exercises and of those named in `loses`; with `run_all`, also all other
    solutions and the ordinary cells. Outputs are empty.
    """
    tested = set().union(*(judged_by(answer) for answer in answers))
    solved = tested | needs(source, tested)
    setup = {cell["id"] for cell in setup_cells(source)}
    notebook = copy.deepcopy(source)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell["id"] in setup
        or (run_all and not is_grade(cell))
        or (is_solution(cell) and exercise_of(cell) in solved)
        or (is_grade(cell) and exercise_of(cell) in tested)
    ]
    return answered(notebook, {answer.exercise: answer.source for answer in answers})


def judged_by(answer: Answer) -> set[str]:
    """Return the exercises whose tests judge an answer: its own, and those named in `loses`."""
    return {answer.exercise} | {exercise_named(grade_id) for grade_id in answer.loses}


def needs(source: NotebookNode, exercises: Iterable[str]) -> set[str]:
    """Return the exercises that `exercises` depend on, directly or indirectly."""
    direct = {
        exercise_of(cell): set(cell.metadata.get("needs", ()))
        for cell in source.cells
        if is_solution(cell)
    }
    needed: set[str] = set()
    front = set(exercises)
    while front:
        front = set().union(*(direct[name] for name in front)) - needed
        needed |= front
    return needed


def answered(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """Return a copy of `notebook` with `answers` (by exercise) filled in, and without outputs."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if is_solution(cell) and exercise_of(cell) in answers:
            cell.source = answers[exercise_of(cell)]
    return notebook
