"""Hand in: a look at what goes in, then nbgrader's submit, and a receipt.

    work -> preview -> (the student agrees) -> copy -> submit -> receipt

The copy is made once: what is in the exchange, in nbgrader's cache and in the receipt is the same,
whatever is saved meanwhile.
"""

from __future__ import annotations

import ast
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.errors import LessonError
from autograder.grading.receipt import digest_of_folder, handed_in
from autograder.service.exchange import StudentExchange
from autograder.service.lessons import due_and_policy, texts_of
from autograder.service.outline import Exercise, late_seconds, now, readable_outline
from autograder.service.validate import Checked, last_check
from autograder.service.work import (
    Renamed,
    Work,
    main_notebook,
    not_answered,
    work_in,
)

OWNER_CELL = "student"  # the exercise in which learners write their login
NO_NAME = "The cell student is empty: write {!r} there first, or its tests earn nothing."
OTHER_NAME = "The cell student says {!r}, but you are {!r}: handed in so, its tests earn nothing."
NOT_HERE = "Your folder has no lesson {}: get it first."
MISSING = (
    "Nothing was handed in: {} is missing in the folder {}. Give your notebook this name again."
)
TOO_LARGE = (
    "Nothing was handed in: the folder {} holds {:.0f} MB, and at most {:.0f} MB can be handed in. "
    "Remove what the lesson does not need."
)


@dataclass(frozen=True)
class Preview:
    """What would be handed in now."""

    answered: int
    exercises: int
    unanswered: list[str]
    checked: Checked | None
    due: str | None
    late_policy: str
    late_seconds: int
    remarks: list[str]
    renamed: Renamed | None
    files: list[str]


@dataclass(frozen=True)
class Receipt:
    """What was handed in, and when (UTC); the digest is that of autograder.grading.receipt."""

    course: str
    lesson: str
    title: str
    student: str
    submitted: str
    late_seconds: int
    digest: str
    files: list[str]


def preview(exchange: StudentExchange, lesson: str) -> Preview:
    """Return what would be handed in. Raise LessonError where that is impossible."""
    work, released = complete_work(exchange, lesson), exchange.released_folder(lesson)
    texts = texts_of(exchange, lesson)
    missing = not_answered(work, released)
    exercises = sum(len(text.exercises) for text in texts)
    notebook = main_notebook(work)
    due, late_policy = due_and_policy(texts, exchange.deadlines().get(lesson))
    return Preview(
        answered=exercises - len(missing),
        exercises=exercises,
        unanswered=missing,
        checked=last_check(notebook) if notebook else None,
        due=due.isoformat() if due else None,
        late_policy=late_policy,
        late_seconds=late_seconds(now(), due),
        remarks=names_of_others(work, exchange.student),
        renamed=work.renamed,
        files=sorted(work.files),
    )


def names_of_others(work: Work, student: str) -> list[str]:
    """Return a remark on each notebook whose cell `student` is empty, or has the name of another.

    Such a cell says from whose login the numbers of an exercise are drawn.
    """
    remarks = []
    for path in work.files.values():
        outline = readable_outline(path) if path.suffix == ".ipynb" else None
        name = assigned_text(outline.exercises.get(OWNER_CELL)) if outline else None
        if name is None:
            continue
        if not name.strip():
            remarks.append(NO_NAME.format(student))
        elif name.strip().casefold() != student.casefold():
            remarks.append(OTHER_NAME.format(name, student))
    return remarks


def assigned_text(cell: Exercise | None) -> str | None:
    """Return the text that a cell `student = "..."` assigns to its name; None if there is none."""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.parse(cell.source if cell else "").body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                if names == [OWNER_CELL] and isinstance(node.value.value, str):
                    return node.value.value
    return None


def hand_in(exchange: StudentExchange, lesson: str) -> Receipt:
    """Hand in a lesson. Raise LessonError where that is impossible: then nothing was sent."""
    work = complete_work(exchange, lesson)
    with tempfile.TemporaryDirectory(prefix="hand-in-") as scratch:
        folder = Path(scratch, exchange.course if exchange.includes_course else "", lesson)
        copy_files(work, folder)
        digest = digest_of_folder(folder)
        submitted = exchange.submit(lesson, Path(scratch))
    return receipt_of(exchange, lesson, submitted, digest, sorted(work.files))


def last_receipt(exchange: StudentExchange, lesson: str) -> Receipt:
    """Return the receipt of the newest hand-in, from nbgrader's cache."""
    submissions = exchange.submissions().get(lesson)
    if not submissions:
        raise LessonError("This lesson was not handed in yet.")
    latest = submissions[-1]
    digest = digest_of_folder(latest.folder)
    return receipt_of(exchange, lesson, latest.time, digest, sorted(handed_in(latest.folder)))


def receipt_of(
    exchange: StudentExchange, lesson: str, time: datetime, digest: str, files: list[str]
) -> Receipt:
    """Return a receipt."""
    texts = texts_of(exchange, lesson)
    due, _ = due_and_policy(texts, exchange.deadlines().get(lesson))
    return Receipt(
        course=exchange.course,
        lesson=lesson,
        title=texts[0].title if texts else lesson,
        student=exchange.student,
        submitted=time.isoformat(),
        late_seconds=late_seconds(time, due),
        digest=digest,
        files=files,
    )


def complete_work(exchange: StudentExchange, lesson: str) -> Work:
    """Return the student's work on a lesson. Raise LessonError where it cannot be handed in."""
    if not exchange.folder_of(lesson).is_dir():
        raise LessonError(NOT_HERE.format(lesson))
    work = work_in(exchange, lesson)
    if work.missing:
        raise LessonError(MISSING.format(" and ".join(work.missing), lesson))
    size = sum(path.stat().st_size for path in work.files.values())
    if size > exchange.max_bytes:
        raise LessonError(TOO_LARGE.format(lesson, size / 1e6, exchange.max_bytes / 1e6))
    return work


def copy_files(work: Work, folder: Path) -> None:
    """Copy work into a new folder."""
    folder.mkdir(parents=True)
    for name, path in work.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
