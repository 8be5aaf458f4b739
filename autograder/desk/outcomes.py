"""What graded notebooks say beyond points: messages of failed tests, and what went wrong.

read_outcomes: autograded/ -> Outcomes by lesson, from a sample where the class is large
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from autograder.desk.folders import stage_folder
from autograder.desk.marks import ClassMarks, exercise
from autograder.errors import printable
from autograder.execution.cells import CRASHED, OUT_OF_MEMORY, TIMED_OUT
from autograder.grading.verdict import NO_ANSWER, NOT_RUN, PASSED, TO_MARK, VERDICT

SAMPLE = 150  # notebooks of a lesson: 10 lessons are read in seconds
TROUBLE = (TIMED_OUT, OUT_OF_MEMORY, CRASHED, NOT_RUN)
MESSAGE_CHARS = 200


@dataclass
class Outcomes:
    """Of a lesson: messages by exercise with their number, trouble by student."""

    read: int = 0
    of: int = 0
    messages: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    no_answer: Counter[str] = field(default_factory=Counter)
    trouble: list[tuple[str, str, str]] = field(default_factory=list)


def read_outcomes(course: CourseDirectory, marks: ClassMarks) -> dict[str, Outcomes]:
    """Return what the graded notebooks of each lesson say; those with full marks are not read."""
    root, outcomes = stage_folder(course, "autograded"), {}
    for lesson in marks.lessons:
        chosen = [
            root / person.id / lesson.name
            for person in marks.people
            if (mark := marks.mark(person, lesson)) and mark.earned < lesson.max_score
        ]
        result = outcomes[lesson.name] = Outcomes(of=len(chosen))
        step = max(1, -(-len(chosen) // SAMPLE))
        for folder in chosen[::step]:
            result.read += 1
            for stem, notebook in notebooks_in(folder):
                take(result, folder.parent.name, lesson.name, stem, notebook)
    return outcomes


def notebooks_in(folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the graded notebooks of a submission with their names; skip what cannot be read."""
    for path in sorted(folder.glob("*.ipynb")):
        try:
            notebook = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(notebook, dict) and isinstance(notebook.get("cells"), list):
            yield path.stem, notebook


def take(
    result: Outcomes, student: str, lesson: str, stem: str, notebook: Mapping[str, Any]
) -> None:
    """Add what the cells of a notebook say."""
    for cell in notebook["cells"]:
        verdict = cell.get("metadata", {}).get(VERDICT)
        if not isinstance(verdict, dict):
            continue
        grade_id = str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))
        outcome, message = str(verdict.get("outcome", "")), str(verdict.get("message", ""))
        name = exercise(lesson, stem, grade_id)
        if outcome in (PASSED, TO_MARK):
            continue
        if outcome in TROUBLE:
            result.trouble.append((student, grade_id, outcome))
        if message == NO_ANSWER:
            result.no_answer[name] += 1
        elif message:
            result.messages[name][printable(message)[:MESSAGE_CHARS]] += 1
