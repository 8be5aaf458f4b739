"""The bank of answers: right and wrong answers to every exercise, and notebooks made from them.

    # %% right output_size: integer division
    # %% wrong output_size: forgets the floor loses=["hidden-output_size"]

A cell is an answer; it stands in place of the exercise's solution cell. The title says whether it
is right, to which exercise it belongs and what it is; `loses` names exactly the test cells that
a wrong answer must fail. The tests prove it; the demo makes a class of it.
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
    """All answers of a lesson's bank; ValueError for a cell that cannot be understood."""
    cells = jupytext.read(path, fmt="py:percent").cells
    return [read_answer(cell, path) for cell in cells if cell.cell_type == "code" and cell.source]


def read_answer(cell: NotebookNode, path: Path) -> Answer:
    """The answer that a cell of the bank holds."""
    title = cell.metadata.get("title", "")
    found = TITLE.fullmatch(title)
    if not found:
        raise ValueError(f"{path.name}: {title!r} is not '(right|wrong) exercise: what it is'")
    right = found[1] == "right"
    loses = frozenset(cell.metadata.get("loses", ()))
    if right == bool(loses):
        raise ValueError(f"{path.name}: {title!r}: a wrong answer loses tests, a right one none")
    return Answer(right, found[2], found[3], cell.source, loses)


def exercise_of(cell: NotebookNode) -> str:
    """The exercise that a solution or test cell belongs to."""
    return exercise_named(cell.metadata["nbgrader"]["grade_id"])


def exercise_named(grade_id: str) -> str:
    """The exercise in a grade_id: that of test-split and hidden-split is split."""
    found = TEST_NAME.fullmatch(grade_id)
    return found[1] if found else grade_id


def notebook_for(source: NotebookNode, *answers: Answer) -> NotebookNode:
    """The lesson `source` cut down to what `answers`, each to another exercise, are judged by.

    Set-up cells, the reference solutions of what the exercises need, the answers, and the tests
    of their exercises and of those that their `loses` name; outputs are empty.
    """
    tested = set().union(*(judged_by(answer) for answer in answers))
    solved = tested | needs(source, tested)
    setup = {cell["id"] for cell in setup_cells(source)}
    notebook = copy.deepcopy(source)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell["id"] in setup
        or (is_solution(cell) and exercise_of(cell) in solved)
        or (is_grade(cell) and exercise_of(cell) in tested)
    ]
    return answered(notebook, {answer.exercise: answer.source for answer in answers})


def judged_by(answer: Answer) -> set[str]:
    """The exercises whose tests judge an answer: its own, and those that it spoils."""
    return {answer.exercise} | {exercise_named(grade_id) for grade_id in answer.loses}


def needs(source: NotebookNode, exercises: Iterable[str]) -> set[str]:
    """The exercises that `exercises` are built on, directly or not."""
    direct = {
        exercise_of(cell): set(cell.metadata.get("needs", ()))
        for cell in source.cells
        if is_solution(cell)
    }
    found: set[str] = set()
    front = set(exercises)
    while front:
        front = set().union(*(direct[name] for name in front)) - found
        found |= front
    return found


def answered(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy of `notebook` whose solution cells hold `answers`, by exercise; no outputs."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if is_solution(cell) and exercise_of(cell) in answers:
            cell.source = answers[exercise_of(cell)]
    return notebook
