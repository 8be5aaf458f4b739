"""A student's answer put into the answer bank: its text and what it loses, without the name.

read graded work -> one cell of the exercise -> the bank's file, which must read back as it was
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.coursedir import CourseDirectory

from autograder.authoring.answer_bank import (
    TITLE,
    Answer,
    exercise_named,
    parse_answers,
    read_answers,
)
from autograder.desk.folders import replace_file, stage_folder, students_in
from autograder.desk.outcomes import notebooks_in
from autograder.errors import UsageError, printable
from autograder.grading.verdict import PASSED, VERDICT

MAX_TITLE_CHARS = 120


@dataclass(frozen=True)
class Added:
    """What was added for a submission: the answer; None where the bank has the same text."""

    student: str
    answer: Answer | None
    known: str = ""  # the title of the same text


def answer_of(
    course: CourseDirectory,
    lesson: str,
    exercise: str,
    student: str,
    title: str,
    right: bool | None,
) -> Answer:
    """Return a student's graded answer. `right` decides in place of the tests, if not None.

    Raise UsageError where there is none, or the decision and the tests contradict each other.
    """
    folder = stage_folder(course, "autograded", student) / lesson
    if student not in students_in(stage_folder(course, "autograded")) or not folder.is_dir():
        raise UsageError(f"no graded work of {student!r} in {lesson}: `autograder grade {lesson}`")
    cells = [cell for _, notebook in notebooks_in(folder) for cell in notebook["cells"]]
    named = {str(nbgrader_of(cell).get("grade_id", "")): cell for cell in cells}
    solutions = {
        exercise_named(name): cell
        for name, cell in named.items()
        if nbgrader_of(cell).get("solution") and cell.get("cell_type") == "code"
    }
    if exercise not in solutions:
        known = ", ".join(sorted(solutions))
        raise UsageError(f"{lesson} has no exercise {exercise!r}; available: {known}")
    lost = frozenset(
        name
        for name, cell in named.items()
        if nbgrader_of(cell).get("grade") and not nbgrader_of(cell).get("solution")
        if exercise_named(name) == exercise and not earned_all(cell)
    )
    is_right = not lost if right is None else right
    lost = frozenset() if is_right else lost
    if not is_right and not lost:
        raise UsageError(
            f"{student}'s {exercise} passes all tests: make one fail it first, then"
            f" `autograder regrade {lesson}`"
        )
    return Answer(is_right, exercise, title, source_of(solutions[exercise]), lost)


def nbgrader_of(cell: Any) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell."""
    names = cell.get("metadata", {}).get("nbgrader")
    return names if isinstance(names, dict) else {}


def earned_all(cell: Any) -> bool:
    """Whether a test passed, with no partial mark, whose message has a text."""
    verdict = cell.get("metadata", {}).get(VERDICT, {})
    return verdict.get("outcome") == PASSED and not verdict.get("message")


def source_of(cell: Any) -> str:
    """Return the text of a cell."""
    source = cell.get("source", "")
    return ("".join(source) if isinstance(source, list) else str(source)).strip()


def add_answers(path: Path, answers: Sequence[tuple[str, Answer]]) -> list[Added]:
    """Add answers of students to a file of the bank, whole or not at all; return what was added.

    Raise UsageError where the file cannot be read or written, or an answer would not read back.
    """
    try:
        known = read_answers(path)
        text = path.read_text()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be read: {printable(str(reason))}") from None
    added, new = list[Added](), list[Answer]()
    for student, answer in answers:
        same = same_text(answer, [*known, *new])
        added.append(Added(student, None, str(same)) if same else Added(student, answer))
        if not same:
            new.append(answer)
            text = f"{text.rstrip()}\n\n\n{cell_text(answer)}"
    if new and parsed(text, path) != [*known, *new]:
        raise UsageError(
            f"{path}: the answer would not read back as one cell: has it a line that begins with"
            " # %% ? Add it by hand"
        )
    try:
        if new:
            replace_file(path, text.encode())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return added


def parsed(text: str, path: Path) -> list[Answer] | None:
    """Return the answers in the text of a file of the bank; None where it is not valid."""
    try:
        text.encode()
        return parse_answers(text, path)
    except ValueError:
        return None


def same_text(answer: Answer, known: Iterable[Answer]) -> Answer | None:
    """Return the answer of the bank that has the same text, spaces at line ends aside."""

    def plain(source: str) -> list[str]:
        return [line.rstrip() for line in source.strip().splitlines() if line.strip()]

    return next(
        (
            each
            for each in known
            if each.exercise == answer.exercise and plain(each.source) == plain(answer.source)
        ),
        None,
    )


def cell_text(answer: Answer) -> str:
    """Return an answer as a cell of the bank's file."""
    loses = {"loses": sorted(answer.loses)} if answer.loses else {}
    cell = new_code_cell(answer.source, metadata={"title": str(answer), **loses})
    text = jupytext.writes(new_notebook(cells=[cell]), fmt="py:percent")
    return str(text[text.index("# %%") :])


def require_title(title: str) -> str:
    """Return a title on one line. Raise UsageError where the bank cannot hold it."""
    text = " ".join(title.split())
    is_plain = TITLE.fullmatch(f"right x: {text}") and not set(text) & set("={}[]")
    if not is_plain or len(text) > MAX_TITLE_CHARS:
        raise UsageError(
            f"--title must say in at most {MAX_TITLE_CHARS} characters what the answer does,"
            " without = and brackets"
        )
    return text
