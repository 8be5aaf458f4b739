"""Release a lesson to students: a look at what goes out, then nbgrader's own step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from autograder.desk.folders import exchange_folder
from autograder.errors import LessonError, UsageError
from autograder.grading.course import require_assignment, sources
from autograder.grading.deadlines import read_deadlines
from autograder.grading.receipt import files_in
from autograder.service.outline import due_of, outlines
from autograder.service.release import course_api
from autograder.service.watch import require_success

SECRETS = ("### BEGIN SOLUTION", "### BEGIN HIDDEN TESTS")
RELEASED = "{} is released already: students have it. docs/authors.md says how to correct a lesson"
SHOWS = "{}: it holds {!r}, so it would show solutions or hidden tests: generate it again"
OLD = "source/{0} was changed after release/{0}: `nbgrader generate_assignment {0} --force` first"


@dataclass(frozen=True)
class ReleasePlan:
    """What students would get."""

    lesson: str
    title: str
    points: float
    exercises: int
    due: datetime | None
    files: list[str]
    remarks: list[str]

    @property
    def lines(self) -> list[str]:
        """The plan, a line each."""
        due = f"due {self.due:%d %b %Y, %H:%M} UTC" if self.due else "no deadline"
        what = f"{self.title}: {self.exercises} exercises, {self.points:g} points, {due}"
        return [what, f"files: {', '.join(self.files) or 'made from source/'}"]


def plan_release(course: CourseDirectory, lesson: str) -> ReleasePlan:
    """Return what releasing a lesson gives to students. Nothing is written.

    Raise UsageError where it is released already, LessonError where it would show solutions.
    """
    require_assignment(course, lesson)
    exchange = exchange_folder(course)
    if exchange and (exchange / "outbound" / lesson).exists():
        raise UsageError(RELEASED.format(lesson))
    folder = release_folder(course, lesson)
    notebooks = sorted(folder.glob("*.ipynb"))
    for path in notebooks:
        text = path.read_text(errors="replace")
        if mark := next((each for each in SECRETS if each in text), ""):
            raise LessonError(SHOWS.format(path, mark))
    texts = outlines(map(Path, notebooks or sources(course, lesson)))
    dates = read_deadlines(Path(course.root))
    due = dates.due.get(lesson) if dates else None
    return ReleasePlan(
        lesson,
        texts[0].title if texts else lesson,
        sum(text.points for text in texts),
        sum(len(text.exercises) for text in texts),
        due or due_of(texts),
        sorted(files_in(folder)) if notebooks else [],
        [OLD.format(lesson)] if notebooks and is_old(course, lesson, notebooks) else [],
    )


def release_folder(course: CourseDirectory, lesson: str) -> Path:
    """Return the folder of a lesson as students get it."""
    return Path(course.format_path(course.release_directory, ".", lesson))


def is_old(course: CourseDirectory, lesson: str, notebooks: list[Path]) -> bool:
    """Whether a notebook in source/ is newer than those for students, by more than a check-out."""
    newest = max(Path(path).stat().st_mtime for path in sources(course, lesson))
    return newest > min(path.stat().st_mtime for path in notebooks) + 60


def release(course: CourseDirectory, lesson: str) -> None:
    """Give a lesson to students. Raise LessonError where nbgrader cannot."""
    api = course_api(course)
    if not list(release_folder(course, lesson).glob("*.ipynb")):
        require_success("make the version for students", api.generate_assignment(lesson))
    plan_release(course, lesson)  # again: it may have just been made
    require_success("release it", api.release_assignment(lesson))
