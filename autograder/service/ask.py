"""Ask for a regrade: a student's request, written as a file into the exchange.

It goes the way of a hand-in: into a folder that all may write and only the instructor may list.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbgrader.utils import is_grade, is_task

from autograder.errors import LessonError
from autograder.grading.requests import FOLDER, WINDOW, checked, file_name
from autograder.service.exchange import StudentExchange


@dataclass(frozen=True)
class Asked:
    """A request that was sent, and until when others may be (UTC, ISO 8601)."""

    lesson: str
    cell: str
    until: str


def ask(exchange: StudentExchange, lesson: str, cell: str, category: str, words: str) -> Asked:
    """Send a request about a graded cell of a lesson.

    Raise LessonError, in a line for the student, where that is not possible.
    """
    folder = exchange.exchange_root / exchange.course / FOLDER
    until = open_until(folder, lesson)
    now = datetime.now(UTC)
    if until is None or now > until:
        ended = f" The time for it ended on {until:%d %b %Y, %H:%M} UTC." if until else ""
        raise LessonError(f"Regrade requests on {lesson} are not open.{ended}")
    cell, category, words = checked({"cell": cell, "category": category, "words": words})
    known = graded_cells(exchange.released_folder(lesson))
    if known and cell not in known:
        raise LessonError(f"{lesson} has no cell {cell!r}; it has {', '.join(sorted(known))}")
    name = file_name(exchange.student, lesson, now, secrets.token_hex(16))
    data = json.dumps({"cell": cell, "category": category, "words": words}).encode()
    try:
        # Others may not list the folder; the instructor must be able to read the file.
        descriptor = os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(data)
    except OSError as error:
        raise LessonError(f"The request could not be sent: {error.strerror}.") from None
    return Asked(lesson, cell, until.isoformat())


def asks_until(exchange: StudentExchange, lesson: str) -> str | None:
    """Return until when requests on a lesson are taken (UTC, ISO 8601); None where they are not."""
    until = open_until(exchange.exchange_root / exchange.course / FOLDER, lesson)
    return until.isoformat() if until and datetime.now(UTC) <= until else None


def open_until(folder: Path, lesson: str) -> datetime | None:
    """Return until when requests on a lesson are taken; None where they are not."""
    try:
        until = datetime.fromisoformat(json.loads((folder / WINDOW).read_text())[lesson])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return until if until.tzinfo else until.replace(tzinfo=UTC)


def graded_cells(folder: Path | None) -> set[str]:
    """Return the names of the graded cells of a released lesson; none where it is not there."""
    return {
        cell.metadata.nbgrader["grade_id"]
        for path in (folder.glob("*.ipynb") if folder else ())
        for cell in nbformat.read(path, as_version=4).cells
        if is_grade(cell) or is_task(cell)
    }
