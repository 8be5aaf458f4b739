"""Where a course keeps what belongs to students: its own folders, and its part of the exchange."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory

from autograder.authoring.answer_bank import BANK
from autograder.grading.collect import Arrival, arrivals

PROBLEMS = "not-graded.json"  # in the course's folder: {lesson: {student: reason}}
STAGES = ("submitted", "autograded", "feedback")


def stage_folder(course: CourseDirectory, stage: str, student: str = ".") -> Path:
    """Return the folder of a stage or of the answer bank, or of one student in a stage."""
    if stage == BANK:
        return Path(course.root) / BANK
    return Path(course.format_path(getattr(course, f"{stage}_directory"), student, "."))


def replace_file(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file in the place of what is there, whole or not at all; with `mode`, if not None.

    Its folder may be one in which students write: the new file has a name that they cannot know, so
    that it is written through no link of theirs.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        with new.open("xb") as stream:  # which follows no link
            stream.write(data)
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
        new.replace(path)
    finally:
        with suppress(OSError):
            new.unlink()


def students_in(folder: Path) -> set[str]:
    """Return the students who have a folder in that of a stage."""
    if not folder.is_dir():
        return set()
    return {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."}


def exchange_folder(course: CourseDirectory) -> Path | None:
    """Return the folder of a course in the exchange; None where it has none here."""
    lister = ExchangeFactory(config=course.config).List(coursedir=course, config=course.config)
    folder = Path(getattr(lister, "root", ""), course.course_id or "")
    return folder if course.course_id and (folder / "outbound").is_dir() else None


def arrivals_in(course: CourseDirectory) -> Iterator[Arrival]:
    """Yield what was handed in, in the exchange."""
    folder = exchange_folder(course)
    if folder and (folder / "inbound").is_dir():
        yield from sorted(arrivals(folder / "inbound"))


def read_problems(course: CourseDirectory) -> dict[str, dict[str, str]]:
    """Return why work could not be graded or answered, by lesson and student."""
    try:
        data = json.loads((Path(course.root) / PROBLEMS).read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write_problems(course: CourseDirectory, problems: Mapping[str, Mapping[str, str]]) -> None:
    """Write why work could not be graded or answered; lessons without a problem are left out."""
    kept = {lesson: dict(each) for lesson, each in problems.items() if each}
    data = json.dumps(kept, indent=1, sort_keys=True).encode()
    replace_file(Path(course.root) / PROBLEMS, data, 0o600)
