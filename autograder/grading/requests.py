"""Regrade requests: the file that a student writes into the exchange, the table they end up in.

    student: requests/<login>+<lesson>+<time>+<random>.json -> table autograder_request -> decision

The folder is like nbgrader's inbound: all may write, only the instructor may list it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from autograder.errors import LessonError
from autograder.grading.attempts import has_table

FOLDER, WINDOW = "requests", "open.json"  # in the course's part of the exchange
MAX_BYTES, MAX_WORDS, MAX_NAME = 20_000, 2_000, 128
CATEGORIES = {
    "test": "the test is wrong, or asks for what was not asked",
    "answer": "my answer is right, or earns more",
    "message": "I do not understand why it failed",
    "other": "something else",
}
OPEN, ACCEPTED, DECLINED, ESCALATED = "open", "accepted", "declined", "escalated"
TABLE = Table(
    "autograder_request",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("student", String(128), nullable=False),
    Column("assignment", String(128), nullable=False),
    Column("cell", String(128), nullable=False),
    Column("asked", DateTime(), nullable=False),  # in UTC, as nbgrader's times
    Column("category", String(32), nullable=False),
    Column("words", Text, nullable=False),
    Column("status", String(32), nullable=False),
    Column("reply", Text, nullable=False),
)


@dataclass(frozen=True)
class Request:
    """A request of a student about one graded cell, and what came of it."""

    student: str
    assignment: str
    cell: str
    asked: datetime
    category: str
    words: str
    status: str = OPEN
    reply: str = ""
    number: int = 0

    @property
    def is_pending(self) -> bool:
        """Whether a person still decides."""
        return self.status in (OPEN, ESCALATED)


def checked(data: Any) -> tuple[str, str, str]:
    """Return cell, category and words of a request. Raise LessonError where it is not one."""
    if not isinstance(data, dict):
        raise LessonError("this is not a request")
    cell, category, words = (data.get(name) for name in ("cell", "category", "words"))
    if not isinstance(cell, str) or not 0 < len(cell) <= MAX_NAME:
        raise LessonError("name the cell, as the feedback does")
    if category not in CATEGORIES:
        raise LessonError(f"the category is one of {', '.join(CATEGORIES)}")
    if not isinstance(words, str) or not words.strip():
        raise LessonError("say in a few words why")
    if len(words) > MAX_WORDS:
        raise LessonError(f"say it in at most {MAX_WORDS:,} characters")
    return cell, str(category), words.strip()


def file_name(student: str, assignment: str, asked: datetime, secret: str) -> str:
    """Return the name of the file of a request."""
    return f"{student}+{assignment}+{asked:%Y%m%dT%H%M%S}+{secret}.json"


def parse(name: str, data: bytes, asked: datetime) -> Request:
    """Return the request in a file. Raise LessonError where it is not one."""
    student, *rest = name.removesuffix(".json").split("+")
    if len(rest) != 3 or not student or len(data) > MAX_BYTES:
        raise LessonError("this is not a request")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise LessonError("this is not a request") from None
    return Request(student, rest[0], *with_time(checked(content), asked))


def with_time(parts: tuple[str, str, str], asked: datetime) -> tuple[str, datetime, str, str]:
    """Return the fields of a request in their order."""
    cell, category, words = parts
    return cell, asked, category, words


def create_table(gradebook: Gradebook) -> None:
    """Make the table where the gradebook lacks it."""
    TABLE.create(gradebook.engine, checkfirst=True)


def read_requests(gradebook: Gradebook, **key: Any) -> list[Request]:
    """Return requests, the oldest first."""
    if not has_table(gradebook, TABLE):
        return []
    wanted = [TABLE.c[name] == value for name, value in key.items()]
    rows = gradebook.db.execute(select(TABLE).where(*wanted).order_by(TABLE.c.number)).mappings()
    return [Request(**{**row, "asked": row["asked"].replace(tzinfo=UTC)}) for row in rows]


def add_request(gradebook: Gradebook, request: Request) -> None:
    """Add a request; the caller commits."""
    last = gradebook.db.scalar(select(func.max(TABLE.c.number))) or 0
    values = {**vars(request), "asked": request.asked.astimezone(UTC).replace(tzinfo=None)}
    gradebook.db.execute(insert(TABLE).values(**{**values, "number": last + 1}))


def set_request(gradebook: Gradebook, number: int, **values: str) -> None:
    """Change a request; the caller commits."""
    gradebook.db.execute(update(TABLE).where(TABLE.c.number == number).values(**values))


def forget_requests(gradebook: Gradebook, student: str) -> None:
    """Delete the requests of a student; the caller commits."""
    if has_table(gradebook, TABLE):
        gradebook.db.execute(delete(TABLE).where(TABLE.c.student == student))


def replies_for(url: str, student: str, assignment: str) -> list[str]:
    """Return what feedback says of a student's requests, the oldest first."""
    with Gradebook(url) as gradebook:
        requests = read_requests(gradebook, student=student, assignment=assignment)
    gradebook.engine.dispose()
    return [
        f"Your request on {each.cell} of {each.asked:%d %b %Y}: {each.status}."
        + (f" {each.reply}" if each.reply else "")
        for each in requests
        if each.status != OPEN
    ]
