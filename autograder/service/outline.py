"""What the text of a notebook says without being run: title, points, which exercises are answered.

read_outline (cached while the file does not change) -> unanswered
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_solution, is_task

from autograder.errors import LessonError
from autograder.grading.parse import parse
from autograder.grading.restore import grade_id

ABOUT_CHARS = 180  # of the line that says what a lesson is about
MARKUP = (  # of Markdown, each with what is left of it
    (r"!?\[([^\]]*)\]\([^)]*\)", r"\1"),
    (r"(\*\*|__|`|\$)", ""),
    (r"(?<!\w)[*_](\S.*?)[*_](?!\w)", r"\1"),
    (r"\s+", " "),
)


@dataclass(frozen=True)
class Exercise:
    """A cell that learners answer: its type, its text, and whether it is as it was released."""

    cell_type: str
    source: str
    is_released: bool


@dataclass(frozen=True)
class Outline:
    """The text of one notebook."""

    title: str
    about: str
    points: float
    due: datetime | None
    exercises: Mapping[str, Exercise]
    sources: tuple[str, ...]


def read_outline(path: Path) -> Outline:
    """Return the outline of a notebook. Raise LessonError where it cannot be read."""
    try:
        status = path.stat()
        return outline_of(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise LessonError(f"{path.name} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=256)
def outline_of(path: Path, modified: int, size: int) -> Outline:
    """Return the outline of a notebook that has this time and size. Called by read_outline."""
    data = path.read_bytes()
    notebook, metadata = parse(data, path.name), metadata_of(data)
    heading, about = introduction(notebook)
    title = metadata.get("title")
    return Outline(
        title=title if isinstance(title, str) else heading or path.stem,
        about=about,
        points=sum(map(points_of, notebook.cells)),
        due=time_of(metadata.get("due")),
        exercises={
            grade_id(cell) or "": Exercise(cell.cell_type, cell.source, is_as_released(cell))
            for cell in notebook.cells
            if is_solution(cell)
        },
        sources=tuple(cell.source for cell in notebook.cells),
    )


def metadata_of(data: bytes) -> dict[str, Any]:
    """Return the metadata of a notebook; nothing where its JSON is loose."""
    with suppress(ValueError, AttributeError, RecursionError):
        return dict(json.loads(data).get("metadata") or {})
    return {}


def introduction(notebook: NotebookNode) -> tuple[str, str]:
    """Return the first heading of a notebook, and the sentences below it, without markup."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (
            heading := re.search(r"^#+[ \t]+(.+)$", cell.source, re.MULTILINE)
        ):
            below = cell.source[heading.end() :].strip().split("\n\n")[0]
            return plain(heading[1]), sentences(plain(below))
    return "", ""


def plain(markdown: str) -> str:
    """Return a line of Markdown without its markup."""
    for pattern, kept in MARKUP:
        markdown = re.sub(pattern, kept, markdown)
    return markdown.strip(" #")


def sentences(text: str) -> str:
    """Return the first whole sentences of a text, up to ABOUT_CHARS."""
    if len(text) <= ABOUT_CHARS:
        return text
    end = max((m.end() for m in re.finditer(r"[.!?](?= )", text[:ABOUT_CHARS])), default=0)
    return text[:end] if end else text[:ABOUT_CHARS].rsplit(" ", 1)[0] + " …"


def points_of(cell: NotebookNode) -> float:
    """Return the points that a cell is worth."""
    points = cell.metadata.get("nbgrader", {}).get("points", 0)
    graded = is_grade(cell) or is_task(cell)
    return float(points) if graded and isinstance(points, int | float) else 0.0


def time_of(value: object) -> datetime | None:
    """Return a time in ISO 8601, in UTC where it names no time zone; None where it is invalid."""
    with suppress(TypeError, ValueError):
        time = datetime.fromisoformat(value)  # type: ignore[arg-type]
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    return None


def is_as_released(cell: NotebookNode) -> bool:
    """Whether a cell still has the checksum of its release."""
    known = cell.metadata.get("nbgrader", {}).get("checksum")
    return bool(known) and known == compute_checksum(cell)


def unanswered(mine: Outline | None, released: Outline | None) -> list[str]:
    """Return the exercises that a learner has not answered yet.

    Without a release, the learner's own notebook says by its checksums what was released.
    """
    exercises = released or mine
    return [
        name
        for name, stub in (exercises.exercises if exercises else {}).items()
        if not mine
        or name not in mine.exercises
        or not is_answer(mine.exercises[name], stub if released else None)
    ]


def is_answer(exercise: Exercise, stub: Exercise | None) -> bool:
    """Whether a cell is more than its stub; comments and docstrings alone are no answer."""
    if not exercise.source.strip():
        return False
    if stub is None:
        return not exercise.is_released
    if exercise.cell_type == "code":
        return structure(exercise.source) not in (structure(stub.source), structure(""))
    return exercise.source.split() != stub.source.split()


def structure(source: str) -> str:
    """Return what Python makes of a cell without comments and docstrings; else its words."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # of IPython, or unfinished
        return " ".join(source.split())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            node.body = [line for line in node.body if not is_text(line)]
    return ast.dump(tree)


def is_text(statement: ast.stmt) -> bool:
    """Whether a statement is nothing but a string, as a docstring is."""
    return isinstance(statement, ast.Expr) and isinstance(
        getattr(statement.value, "value", None), str
    )


def readable_outline(path: Path | None) -> Outline | None:
    """Return the outline of a notebook, None where it is missing or cannot be read."""
    with suppress(LessonError):
        return read_outline(path) if path else None
    return None


def outlines(paths: Iterable[Path]) -> list[Outline]:
    """Return the outlines of the notebooks that can be read."""
    return [outline for path in paths if (outline := readable_outline(path))]


def due_of(texts: Iterable[Outline]) -> datetime | None:
    """Return when a lesson is due: the earliest time that its notebooks name."""
    return min((text.due for text in texts if text.due), default=None)


def late_seconds(time: datetime, due: datetime | None) -> int:
    """Return by how many seconds a time is later than it should be; 0 where it is not."""
    return max(0, int((time - due).total_seconds())) if due else 0


def now() -> datetime:
    """Return the time of now, in UTC."""
    return datetime.now(UTC)
