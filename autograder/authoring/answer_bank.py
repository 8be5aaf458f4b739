"""The answer bank: right and wrong answers to every exercise, and notebooks made from them.

    # %% right output_size: integer division
    # %% wrong output_size: forgets the floor loses=["hidden-output_size"]

Each cell is one answer; it replaces the solution cell of its exercise. The title says whether the
answer is right, names its exercise and describes it; `loses` lists exactly the test cells that a
wrong answer must fail. The tests verify this; the demo builds a class from it.

    # %% [markdown] says=["output_size(7, 3, 0, 2): 3.5"]
    # **It looks as if** the window may stand half outside the image. With `n = 5`, `f = 2` ...

A text cell with `says` after a wrong answer is what feedback says to a learner who made the same
mistake: whose work fails the same test cells, with messages that contain these texts.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import jupytext
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.authoring.build import setup_cells

BANK = "answers"  # its folder, in the course's folder
TITLE = re.compile(r"(right|wrong) ([\w-]+): (.+)")
TEST_NAME = re.compile(r"(?:test|hidden)-(.+)")
SAYS = "says"  # key in the metadata of a text cell that names a misconception
MIN_LINE_CHARS = 15  # shorter lines of right answers say too little to give one away
SIGNATURE = ("def ", "import ", "from ", "class ", "#", '"')  # what a released notebook has, too


@dataclass(frozen=True)
class Misconception:
    """What feedback says of a mistake, and texts of the messages by which it is recognised."""

    says: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Answer:
    """An answer to `exercise`; `loses` is empty where it is right."""

    right: bool
    exercise: str
    title: str
    source: str
    loses: frozenset[str]
    misconception: Misconception | None = None

    def __str__(self) -> str:
        return f"{'right' if self.right else 'wrong'} {self.exercise}: {self.title}"


def read_answers(path: Path) -> list[Answer]:
    """Return all answers in a lesson's file of the bank. Raise ValueError for an invalid cell."""
    return parse_answers(path.read_text(), path)


def parse_answers(text: str, path: Path) -> list[Answer]:
    """Return the answers in the text of a file of the bank. Raise ValueError as above."""
    answers: list[Answer] = []
    for cell in jupytext.reads(text, fmt="py:percent").cells:
        if cell.cell_type == "code" and cell.source:
            answers.append(read_answer(cell, path))
        elif SAYS in cell.metadata:
            answers[-1:] = [with_misconception(answers[-1:], cell, path)]
    for answer in answers:
        require_no_solution(answer, answers, path)
    return answers


def with_misconception(last: list[Answer], cell: NotebookNode, path: Path) -> Answer:
    """Return the answer before a text cell, with what the cell says of it."""
    says = cell.metadata[SAYS]
    if not last or last[0].right or last[0].misconception:
        raise ValueError(f"{path.name}: `says` belongs to the wrong answer before it: {says!r}")
    if not isinstance(says, list) or not says or not all(isinstance(s, str) and s for s in says):
        raise ValueError(f"{path.name}: {last[0]}: `says` is not a list of parts of messages")
    return replace(last[0], misconception=Misconception(tuple(says), cell.source.strip()))


def require_no_solution(answer: Answer, answers: Iterable[Answer], path: Path) -> None:
    """Raise ValueError where the text on a misconception has a line of a right answer."""
    for right in answers if answer.misconception else ():
        if right.right and right.exercise == answer.exercise:
            for line in map(str.strip, right.source.splitlines()):
                is_telling = len(line) >= MIN_LINE_CHARS and not line.startswith(SIGNATURE)
                if is_telling and line in answer.misconception.text:  # type: ignore[union-attr]
                    raise ValueError(f"{path.name}: {answer}: its text gives away {line!r}")


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


def recognise(answers: Iterable[Answer], lost: Mapping[str, str]) -> dict[str, str]:
    """Return what the bank says of the mistakes in a submission, by exercise.

    `lost` are the test cells that it fails, with messages. A mistake is named where the submission
    fails exactly the cells that an answer fails, of all exercises that judge that answer, with such
    messages; where two different texts fit, neither is true enough to be said.
    """
    texts: dict[str, set[str]] = {}
    for answer in answers:
        what = answer.misconception
        same = {name for name in lost if exercise_named(name) in judged_by(answer)}
        if what and same == answer.loses:
            messages = [lost[name] for name in same]
            if all(any(part in message for message in messages) for part in what.says):
                texts.setdefault(answer.exercise, set()).add(what.text)
    return {exercise: min(named) for exercise, named in texts.items() if len(named) == 1}


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
