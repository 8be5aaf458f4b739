"""My course: each lesson as its student sees it, with what is answered, handed in and marked.

    exchange -> released, submissions -> status of each lesson

Where there is no exchange, as on a learner's own machine, the lessons are the folders of notebooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from autograder.errors import LessonError
from autograder.grading.receipt import digest_of_folder
from autograder.grading.requests import CATEGORIES
from autograder.service.ask import asks_until
from autograder.service.exchange import NO_EXCHANGE, Deadline, StudentExchange, Submission
from autograder.service.outline import Outline, due_of, late_seconds, outlines
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
    """The feedback on one hand-in, and until when regrade requests of which kinds are taken."""

    lesson: str
    title: str
    submitted: str
    pages: list[Page]
    asks_until: str | None
    categories: dict[str, str]


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
    names, deadlines = {*released, *submissions}, exchange.deadlines()
    rows = [
        lesson(
            exchange,
            name,
            submissions.get(name, []),
            name in released and not remark,
            deadlines.get(name),
        )
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
    exchange: StudentExchange,
    name: str,
    submissions: Sequence[Submission],
    can_hand_in: bool,
    deadline: Deadline | None,
) -> Lesson:
    """Return the row of one lesson."""
    folder, released = exchange.folder_of(name), exchange.released_folder(name)
    work = work_in(exchange, name) if folder.is_dir() else None
    texts = texts_of(exchange, name)
    due, late_policy = due_and_policy(texts, deadline)
    latest = submissions[-1] if submissions else None
    marked = next((one for one in reversed(submissions) if one.has_feedback), None)
    feedback = (FETCHED if marked.is_fetched else NEW) if marked else NO_FEEDBACK
    pages = pages_of(folder, marked) if marked else {}
    score, max_score = score_of(pages.values())
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
        late_policy=late_policy,
        late_seconds=late_seconds(latest.time, due) if latest else 0,
        penalty=penalty_of(pages.values()),
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
    texts = texts_of(exchange, name)
    pages = [
        Page(stem, text, *(score_in(text) or (None, None)))
        for stem, text in pages_of(folder, marked).items()
    ]
    return Feedback(
        name,
        texts[0].title if texts else name,
        marked.time.isoformat(),
        pages,
        asks_until(exchange, name),
        CATEGORIES,
    )


def texts_of(exchange: StudentExchange, name: str) -> list[Outline]:
    """Return the outlines of a lesson's notebooks."""
    return outlines(notebooks_in(exchange.released_folder(name) or exchange.folder_of(name)))


def due_and_policy(
    texts: Iterable[Outline], deadline: Deadline | None
) -> tuple[datetime | None, str]:
    """Return when a lesson is due and what lateness costs: as published, else as notebooks say."""
    return (deadline.due, deadline.policy) if deadline else (due_of(texts), "")


def pages_of(folder: Path, marked: Submission) -> dict[str, str]:
    """Return the pages of fetched feedback on a hand-in, by the name of their notebook."""
    paths = sorted((folder / "feedback" / marked.timestamp).glob("*.html"))
    return {path.stem: path.read_text(errors="replace") for path in paths}


def score_of(pages: Iterable[str]) -> tuple[float | None, float | None]:
    """Return the points in pages of feedback, and the most that could be earned; else None."""
    scores = [score for page in pages if (score := score_in(page))]
    if not scores:
        return None, None
    return sum(score for score, _ in scores), sum(most for _, most in scores)


def penalty_of(pages: Iterable[str]) -> float | None:
    """Return the points that feedback deducts for lateness; None where it names none."""
    hits = [re.search(PENALTY, page) for page in pages]
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
