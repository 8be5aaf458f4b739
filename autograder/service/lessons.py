"""My course: each lesson as its student sees it, with what is answered, handed in and marked.

    exchange -> released, submissions -> status of each lesson

Where there is no exchange, as on a learner's own machine, the lessons are the folders of notebooks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autograder.errors import LessonError
from autograder.grading.receipt import digest_of_folder
from autograder.service.exchange import NO_EXCHANGE, StudentExchange, Submission
from autograder.service.outline import due_of, late_seconds, outlines
from autograder.service.work import (
    Work,
    fingerprint,
    fingerprint_of,
    main_notebook,
    not_answered,
    notebooks_in,
    work_in,
)

NO_FEEDBACK_YET = "There is no feedback on this lesson yet."
NEW, FETCHED, NO_FEEDBACK = "new", "fetched", "none"
# As our pages have it in their head, and as nbgrader's own have it in their title.
SCORES = (
    r'<meta (?=[^>]*name="score")[^>]*content="([\d.]+) of ([\d.]+)"',
    r"\(Score: ([\d.]+) / ([\d.]+)\)",
)

PENALTY = r'<meta (?=[^>]*name="penalty")[^>]*content="([\d.]+)"'


@dataclass(frozen=True)
class Page:
    """A page of feedback, on one notebook."""

    name: str
    html: str
    score: float | None
    max_score: float | None


@dataclass(frozen=True)
class Feedback:
    """The feedback on one hand-in."""

    title: str
    submitted: str
    pages: list[Page]


@dataclass(frozen=True)
class Lesson:
    """A row of My course. Times are in UTC, in ISO 8601."""

    name: str
    title: str
    about: str
    points: float
    due: str | None
    folder: str
    notebook: str | None
    answered: int
    exercises: int
    submitted: str | None
    late_policy: str
    late_seconds: int
    penalty: float | None
    digest: str | None
    changed: bool
    feedback: str
    feedback_is_old: bool
    score: float | None
    max_score: float | None
    can_hand_in: bool
    next: str


def lessons(exchange: StudentExchange) -> tuple[list[Lesson], str]:
    """Return all lessons of a student, and a remark where they cannot be handed in."""
    try:
        released, submissions, remark = exchange.released(), exchange.submissions(), ""
    except LessonError as error:
        released, submissions, remark = local_lessons(exchange.assignment_dir), {}, str(error)
    names = {*released, *submissions}
    rows = [
        lesson(exchange, name, submissions.get(name, []), name in released and not remark)
        for name in sorted(names)
    ]
    return rows, "" if remark == NO_EXCHANGE and rows else remark


def local_lessons(root: Path) -> list[str]:
    """Return the folders below `root` that hold a notebook of nbgrader."""
    with suppress(OSError):
        return [
            path.name
            for path in root.iterdir()
            if path.is_dir() and any(outline.points for outline in outlines(notebooks_in(path)))
        ]
    return []


def lesson(
    exchange: StudentExchange, name: str, submissions: Sequence[Submission], can_hand_in: bool
) -> Lesson:
    """Return the row of one lesson."""
    folder, released = exchange.folder_of(name), exchange.released_folder(name)
    work = work_in(exchange, name) if folder.is_dir() else None
    texts = outlines(notebooks_in(released or folder))
    deadline = exchange.deadlines().get(name)
    due = deadline.due if deadline else due_of(texts)
    latest = submissions[-1] if submissions else None
    marked = next((one for one in reversed(submissions) if one.has_feedback), None)
    feedback = (FETCHED if marked.is_fetched else NEW) if marked else NO_FEEDBACK
    score, max_score = score_of(folder, marked) if marked else (None, None)
    answered, exercises = answers(work, released, folder)
    changed = bool(work and latest and fingerprint(work.files) != fingerprint_of(latest.folder))
    notebook = main_notebook(work) if work else None
    return Lesson(
        name=name,
        title=texts[0].title if texts else name,
        about=texts[0].about if texts else "",
        points=sum(text.points for text in texts),
        due=due.isoformat() if due else None,
        folder=relative(folder, exchange.root),
        notebook=relative(notebook, exchange.root) if notebook else None,
        answered=answered,
        exercises=exercises,
        submitted=latest.time.isoformat() if latest else None,
        late_policy=deadline.policy if deadline else "",
        late_seconds=late_seconds(latest.time, due) if latest else 0,
        penalty=penalty_of(folder, marked) if marked else None,
        digest=cached_digest(latest.folder) if latest else None,
        changed=changed,
        feedback=feedback,
        feedback_is_old=bool(marked and marked is not latest),
        score=score,
        max_score=max_score,
        can_hand_in=can_hand_in and notebook is not None,
        next=next_step(
            notebook is not None, can_hand_in, answered == exercises, latest, changed, marked
        ),
    )


def next_step(
    is_fetched: bool,
    can_hand_in: bool,
    is_complete: bool,
    latest: Submission | None,
    changed: bool,
    marked: Submission | None,
) -> str:
    """Return the one step that helps a student most: get, open, hand-in or feedback."""
    if marked and marked is latest and not changed:
        return "feedback"
    if not is_fetched:
        return "feedback" if marked else "get"
    pending = changed if latest else True
    return "hand-in" if can_hand_in and is_complete and pending else "open"


def answers(work: Work | None, released: Path | None, folder: Path) -> tuple[int, int]:
    """Return how many exercises of a lesson are answered, and how many it has."""
    stubs = {path.name: path for path in notebooks_in(released or folder)}
    total = sum(len(text.exercises) for text in outlines(stubs.values()))
    return total - len(not_answered(work, released) if work else range(total)), total


@lru_cache(maxsize=256)
def cached_digest(folder: Path) -> str:
    """Return the digest of a hand-in in nbgrader's cache, which never changes."""
    return digest_of_folder(folder)


def read_feedback(exchange: StudentExchange, name: str) -> Feedback:
    """Return the newest feedback on a lesson, which is fetched where that is not done yet."""
    submissions = exchange.submissions().get(name, [])
    marked = next((one for one in reversed(submissions) if one.has_feedback), None)
    if marked is None:
        raise LessonError(NO_FEEDBACK_YET)
    if not marked.is_fetched:
        exchange.fetch_feedback(name)
    folder = exchange.folder_of(name)
    texts = outlines(notebooks_in(exchange.released_folder(name) or folder))
    pages = [
        Page(path.stem, text, *(score_in(text) or (None, None)))
        for path in sorted((folder / "feedback" / marked.timestamp).glob("*.html"))
        for text in [path.read_text(errors="replace")]
    ]
    return Feedback(texts[0].title if texts else name, marked.time.isoformat(), pages)


def score_of(folder: Path, marked: Submission) -> tuple[float | None, float | None]:
    """Return the points in fetched feedback, and the most that could be earned; else None."""
    scores = [
        score
        for path in sorted((folder / "feedback" / marked.timestamp).glob("*.html"))
        if (score := score_in(path.read_text(errors="replace")))
    ]
    if not scores:
        return None, None
    return sum(score for score, _ in scores), sum(most for _, most in scores)


def penalty_of(folder: Path, marked: Submission) -> float | None:
    """Return the points that fetched feedback deducts for lateness; None where it names none."""
    pages = (folder / "feedback" / marked.timestamp).glob("*.html")
    hits = [re.search(PENALTY, page.read_text(errors="replace")) for page in pages]
    return sum(float(match[1]) for match in hits if match) or None


def score_in(page: str) -> tuple[float, float] | None:
    """Return the points that a page of feedback names, and the most that could be earned."""
    for pattern in SCORES:
        if match := re.search(pattern, page):
            return float(match[1]), float(match[2])
    return None


def relative(path: Path, root: Path) -> str:
    """Return a path as JupyterLab names it: from the root of its server."""
    return path.relative_to(root).as_posix()
