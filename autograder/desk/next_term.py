"""The next term from this one: lessons and settings, and nothing that belongs to a student.

source/, release/, answers/, nbgrader_config.py, deadlines.toml (without extensions)
    -> a new course's folder
"""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from autograder.authoring.answer_bank import BANK
from autograder.desk.folders import stage_folder
from autograder.desk.trees import read_course_folder
from autograder.errors import UsageError
from autograder.grading.course import assignments
from autograder.grading.deadlines import FILE as DEADLINES

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
SETTINGS = "nbgrader_config.py"
DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
TABLE = re.compile(r"\s*\[+\s*(\w+)")
# The last lines of the new settings: what must not be shared with the term before.
OF_TERM = """
# Of this term alone, whatever stands above.
import os

c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
c.CourseDirectory.course_id = {name}
c.CourseDirectory.db_url = f"sqlite:///{{c.CourseDirectory.root}}/gradebook.db"
"""


def next_term(course: CourseDirectory, folder: Path, name: str, days: int | None) -> list[str]:
    """Write a course's folder for the next term; return remarks.

    With `days`, deadlines are so much later; without, they are comments to fill in. Raise
    UsageError where the folder is there, or cannot be written: then nothing is left of it.
    """
    require_name(course, name)
    root = Path(course.root)
    if not assignments(course):
        raise UsageError("no lessons in source/: run this in the course's folder")
    if folder.exists():
        raise UsageError(f"{folder} is there already: choose another name")
    remarks: list[str] = []
    try:
        folder.mkdir(parents=True)
        for stage in ("source", "release", BANK):
            for below, data in read_course_folder(stage_folder(course, stage)):
                if ".ipynb_checkpoints/" in below or data is None:
                    continue
                path = folder / stage / below
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        settings = root / SETTINGS
        text = settings.read_text() if settings.is_file() else "c = get_config()\n"
        of_term = OF_TERM.format(name=json.dumps(name))
        (folder / SETTINGS).write_text(f"{text.rstrip()}\n{of_term}")
        if "db_url" in text:
            remarks.append(f"its gradebook is {folder}/gradebook.db: this term's stays as it is")
        if (root / DEADLINES).is_file():
            dates = for_next_term((root / DEADLINES).read_text(), days)
            (folder / DEADLINES).write_text(dates)
            kept = "are so many days later" if days is not None else "are comments: fill them in"
            remarks.append(f"deadlines {kept}; no extension was taken over")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from None
    return remarks


def require_name(course: CourseDirectory, name: str) -> None:
    """Raise UsageError for a name that is no folder's, or that of this course."""
    if not NAME.fullmatch(name):
        raise UsageError(f"--course {name!r} must be letters, digits, dots and dashes: cnn-2027")
    if name == course.course_id:
        raise UsageError(
            f"--course must be another name than {name}: both would share what is handed in"
        )


def for_next_term(text: str, days: int | None) -> str:
    """Return the text of deadlines.toml for the next term, comments included.

    Extensions are left out: they are of students.
    """
    lines, table = list[str](), ""
    for line in text.splitlines():
        if match := TABLE.match(line):
            table = match[1]
        if table == "extensions":
            continue
        if table == "lessons" and days is None and line.strip() and not line.startswith("#"):
            line = f"# {line}"
        elif table == "lessons" and days is not None:
            line = DATE.sub(lambda match: later(match[0], days), line)
        lines.append(line)
    return "\n".join(lines).rstrip() + "\n"


def later(day: str, days: int) -> str:
    """Return a date so many days later; as it stands where it is not one."""
    try:
        return (date.fromisoformat(day) + timedelta(days)).isoformat()
    except (ValueError, OverflowError):
        return day
