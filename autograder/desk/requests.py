"""Regrade requests: a window in which students ask, the queue, and the decisions on it.

open_window -> (students: autograder ask) -> take_in -> queue -> accept, decline, escalate
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache, partial
from pathlib import Path
from typing import Any

from nbgrader.api import Grade, Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import update

from autograder.desk.bank import nbgrader_of, source_of
from autograder.desk.folders import exchange_folder, replace_file, stage_folder
from autograder.desk.outcomes import notebooks_in
from autograder.desk.trees import read_one
from autograder.errors import LessonError, UsageError, printable
from autograder.grading.collect import is_account
from autograder.grading.regrades import (
    CellMark,
    Key,
    Regrade,
    in_submissions,
    keep_regrade,
    read_cells,
)
from autograder.grading.regrades import create_table as create_regrades
from autograder.grading.requests import (
    ACCEPTED,
    DECLINED,
    FOLDER,
    MAX_BYTES,
    OPEN,
    WINDOW,
    Request,
    add_request,
    create_table,
    parse,
    read_requests,
    set_request,
)
from autograder.grading.verdict import VERDICT
from autograder.service.ask import open_until

MAX_FILES = 100  # of one student, in the folder that all may write to, that are read
MAX_PENDING = 20  # of one student: more are left where they are
MAX_REPLY = 1_000  # characters
MAX_LINES = 40  # of a cell or its output, on a terminal


@dataclass(frozen=True)
class Case:
    """A request with what it is about: the mark, the test, the answer above it, the output."""

    request: Request
    points: str
    outcome: str
    answer: list[str]
    test: list[str]
    output: list[str]


def requests_folder(course: CourseDirectory) -> Path:
    """Return the folder of the requests. Raise UsageError where the course has no exchange here."""
    exchange = exchange_folder(course)
    if exchange is None:
        raise UsageError("there is no exchange here: students cannot send requests")
    return exchange / FOLDER


def open_window(course: CourseDirectory, lesson: str, until: str) -> datetime:
    """Let students ask about a lesson until a day or a time (UTC); return it."""
    end = end_of(until)
    folder = requests_folder(course)
    try:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o1733)  # all may write; only the owner may list, or remove what is there
        known = {}
        with suppress(OSError, ValueError):
            known = dict(json.loads((folder / WINDOW).read_text()))
        known[lesson] = end.isoformat()
        replace_file(folder / WINDOW, json.dumps(known, indent=1).encode(), 0o644)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from None
    return end


def end_of(text: str) -> datetime:
    """Return a time; of a day, its end. Raise UsageError where it is neither."""
    try:
        if len(text) <= len("2026-12-05"):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
        end = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text!r} is not a day such as 2026-12-05, or a time") from None
    return end if end.tzinfo else end.replace(tzinfo=UTC)


def take_in(course: CourseDirectory, gradebook: Gradebook) -> list[str]:
    """Enter what students have sent in the gradebook; return what was left out, and why."""
    exchange = exchange_folder(course)
    folder = exchange / FOLDER if exchange else None
    create_table(gradebook)
    if folder is None or not folder.is_dir():
        return []
    known, cells_of = read_requests(gradebook), cache(partial(read_cells, gradebook))
    names, remarks = names_in(folder)
    for name in names:
        try:
            request = sent(folder, name)
            cells = cells_of(request.assignment).get(request.student, {})
            require_place(cells, request, known)
        except LessonError as error:
            remarks.append(f"{printable(name)[:80]}: {error}: left out")
            continue
        add_request(gradebook, request)
        known.append(request)
        gradebook.db.commit()
        with suppress(OSError):  # it is known from here on
            (folder / name).unlink()
    return remarks


def names_in(folder: Path) -> tuple[list[str], list[str]]:
    """Return the files that may be requests, and a remark on each sender of too many.

    All may write to the folder: what one leaves there keeps no other's from being read.
    """
    by_sender: dict[tuple[int, str], list[str]] = defaultdict(list)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and entry.name != WINDOW:
                with suppress(OSError):  # it has just gone
                    owner = entry.stat(follow_symlinks=False).st_uid
                    by_sender[sender(folder, owner, entry.name)].append(entry.name)
    remarks = [
        f"{printable(student)[:80] or f'the account {owner}'} has {len(names):,} files in {folder}:"
        f" the first {MAX_FILES} are read"
        for (owner, student), names in sorted(by_sender.items())
        if len(names) > MAX_FILES
    ]
    return sorted(
        name for names in by_sender.values() for name in sorted(names)[:MAX_FILES]
    ), remarks


def sender(folder: Path, owner: int, name: str) -> tuple[int, str]:
    """Return whose file it is: its account, and its student where they share one."""
    student, plus, _ = name.partition("+")
    return owner, student if plus and is_account(owner, folder, student) else ""


def sent(folder: Path, name: str) -> Request:
    """Return the request in a file. Raise LessonError where it is not one, or not its sender's."""
    data, status = read_one(folder, name, MAX_BYTES + 1)
    # Its time is the one at which the system last changed it: a student can set the other ones.
    asked = datetime.fromtimestamp(int(status.st_ctime), UTC)
    request = parse(name, data, asked)
    if not is_account(status.st_uid, folder, request.student):
        raise LessonError("it belongs to another account")
    until = open_until(folder, request.assignment)
    if until is None or asked > until:
        raise LessonError("it came when requests were not open")
    return request


def require_place(
    cells: Mapping[Key, CellMark], request: Request, known: Sequence[Request]
) -> None:
    """Raise LessonError for a request about no mark, about one that is decided, or too many.

    `cells` are the marks of its student in its lesson.
    """
    if key_in(cells, request) is None:
        raise LessonError(f"{request.student} has no mark of {printable(request.cell)}")
    mine = [each for each in known if each.student == request.student]
    if any((each.assignment, each.cell) == (request.assignment, request.cell) for each in mine):
        raise LessonError("this cell was asked about before")
    if sum(each.is_pending for each in mine) >= MAX_PENDING:
        raise LessonError(f"{MAX_PENDING} requests of {request.student} are pending")


def key_in(cells: Mapping[Key, CellMark], request: Request) -> Key | None:
    """Return which of a student's marks a request is about, or None."""
    return next(
        (key for key, mark in cells.items() if key[1] == request.cell and mark.max_score), None
    )


def request_numbered(gradebook: Gradebook, number: int) -> Request:
    """Return a request. Raise UsageError where there is none of this number."""
    for request in read_requests(gradebook, number=number):
        return request
    raise UsageError(f"there is no request {number}: `autograder requests` lists them")


def case_of(course: CourseDirectory, gradebook: Gradebook, request: Request) -> Case:
    """Return a request with the cell, its output and the answer."""
    cells = read_cells(gradebook, request.assignment).get(request.student, {})
    key = key_in(cells, request)
    mark = cells[key] if key else None
    points = f"{mark.score:g} / {mark.max_score:g}" if mark else "no mark"
    folder = stage_folder(course, "autograded", request.student) / request.assignment
    answer: Any = {}
    for _, notebook in notebooks_in(folder):
        for cell in notebook["cells"]:
            names = nbgrader_of(cell)
            if names.get("solution"):
                answer = cell
            if names.get("grade_id") == request.cell:
                verdict = cell.get("metadata", {}).get(VERDICT, {})
                outcome = ": ".join(
                    filter(None, map(str, map(verdict.get, ("outcome", "message"))))
                )
                test = [] if names.get("solution") else lines(source_of(cell))
                output = lines("\n".join(texts_of(cell)))
                return Case(request, points, outcome, lines(source_of(answer)), test, output)
    return Case(request, points, "", [], [], [])


def texts_of(cell: Any) -> list[str]:
    """Return what a cell printed or displayed as text."""
    texts = []
    for output in cell.get("outputs") or ():
        data = output.get("data") or {}
        text = output.get("text") or data.get("text/plain") or output.get("evalue") or ""
        texts.append("".join(text) if isinstance(text, list) else str(text))
    return texts


def lines(text: str) -> list[str]:
    """Return the first lines of a text, each without characters that control a terminal."""
    everything = text.splitlines()
    more = [f"... and {len(everything) - MAX_LINES} more lines"]
    return [printable(line) for line in everything[:MAX_LINES]] + more * (
        len(everything) > MAX_LINES
    )


def require_reply(text: str) -> str:
    """Return a reply on one line. Raise UsageError where it is missing or too long."""
    reply = " ".join(text.split())
    if not reply or len(reply) > MAX_REPLY:
        raise UsageError(
            f"--reply must say why, in at most {MAX_REPLY:,} characters: the student reads it"
        )
    return reply


def accept(
    course: CourseDirectory, gradebook: Gradebook, request: Request, points: float, reply: str
) -> None:
    """Give a cell other points, as a mark given by hand; the old one and the reason are kept.

    Raise UsageError where the points are impossible or the mark is gone.
    """
    cells = read_cells(gradebook, request.assignment).get(request.student, {})
    key = key_in(cells, request)
    if key is None:
        raise UsageError(f"{request.student} has no mark of {printable(request.cell)} any more")
    old = cells[key]
    if not 0 <= points <= old.max_score:
        raise UsageError(f"--points must be from 0 to {old.max_score:g}")
    create_regrades(gradebook)
    query = in_submissions(Grade, request.assignment, Grade.id)
    rows = {(s, n, c): identity for s, n, c, identity in gradebook.db.execute(query)}
    identity = rows[request.student, *key]
    values = {"manual_score": points, "needs_manual_grade": False}
    gradebook.db.execute(update(Grade).where(Grade.id == identity).values(**values))
    new = read_cells(gradebook, request.assignment)[request.student][key]
    regrade = Regrade(datetime.now(UTC), f"on your request: {reply}", {key: (old, new)})
    keep_regrade(gradebook, request.student, request.assignment, regrade)
    decide(course, gradebook, request, ACCEPTED, reply)


def decide(
    course: CourseDirectory, gradebook: Gradebook, request: Request, status: str, reply: str
) -> None:
    """Enter a decision, and remove the page of feedback that does not have it."""
    set_request(gradebook, request.number, status=status, reply=reply)
    gradebook.db.commit()
    page = course.format_path(course.feedback_directory, request.student, request.assignment)
    shutil.rmtree(page, ignore_errors=True)


def require_pending(request: Request) -> None:
    """Raise UsageError for a request that was decided."""
    if request.status in (ACCEPTED, DECLINED):
        raise UsageError(
            f"request {request.number} was {request.status}: {printable(request.reply)}"
        )


def queue(gradebook: Gradebook, everything: bool) -> list[Request]:
    """Return the requests that wait, escalated ones last; with `everything`, all."""
    waiting = [each for each in read_requests(gradebook) if everything or each.is_pending]
    return sorted(waiting, key=lambda each: (each.status != OPEN, each.number))
