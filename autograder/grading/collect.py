"""Collect what students hand in, as data: files are opened once, and no link is ever followed.

    inbound/ -> arrivals -> owned -> newest -> copy_submission -> submitted/<student>/<assignment>/

Students can write into the exchange, also while it is read. Stock `nbgrader collect` follows links
there: one to source/ or to the gradebook brings its content into the feedback of the student.
Collect takes its place: nbgrader_config.py names it, so that `nbgrader collect` and the formgrader
use it.
"""

from __future__ import annotations

import logging
import os
import pwd
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc

from autograder.errors import LessonError, printable
from autograder.grading.submissions import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FILES,
    TIMESTAMP,
    matches,
    submitted_at,
)
from autograder.limits import MEGABYTE

log = logging.getLogger(__name__)
CHUNK = 1 << 16
IN_ONE_GO = timedelta(minutes=10)  # from the name of a folder to the last of its files
KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, order=True)
class Arrival:
    """A submission in the exchange."""

    assignment: str
    student: str
    submitted: str
    path: Path = field(compare=False)

    @property
    def time(self) -> datetime | None:
        """When it was handed in, as the name of its folder says; None where that is no time."""
        with suppress(Exception):  # dateutil raises whatever it meets
            time: datetime = parse_utc(self.submitted)
            return time
        return None


def arrivals(inbound: Path) -> Iterator[Arrival]:
    """Yield the submissions in the exchange whose names are valid."""
    for path in inbound.iterdir():
        parts = path.name.rsplit("+", 3)
        if len(parts) == 4 and is_name(parts[0]):
            arrival = Arrival(parts[1], parts[0], parts[2], path)
            with suppress(OSError):  # it was there a moment ago
                if stat.S_ISDIR(path.lstat().st_mode) and arrival.time:
                    yield arrival


def is_name(student: str) -> bool:
    """Return whether this can be the name of a student, and of a folder, and is no pattern."""
    plain = printable(student) == student and not set(student) & set("*?[,")
    return bool(student) and not student.startswith(".") and plain


def newest(submissions: Iterable[Arrival]) -> Iterator[Arrival]:
    """Yield the last submission of each student to each assignment."""
    latest = {(each.assignment, each.student): each for each in sorted(submissions)}
    yield from latest.values()


def owned(arrival: Arrival) -> bool:
    """Whether the submission's folder belongs to the student whose name it has."""
    try:
        owner = arrival.path.lstat().st_uid
    except OSError:  # it was there a moment ago
        return False
    return is_account(owner, arrival.path.parent, arrival.student)


def is_account(owner: int, folder: Path, student: str) -> bool:
    """Whether what has this owner, in a folder of the exchange, is of the student.

    Where all servers run as one user, all files belong to that user, as the folder does.
    """
    try:
        return owner == folder.stat().st_uid or pwd.getpwuid(owner).pw_name == student
    except (OSError, KeyError):  # the folder has gone; no account has this uid
        return False


class Collect(ExchangeCollect):
    """nbgrader's collector, for files alone, with each submission on its own.

    What is no regular file of the student is left out and named; a submission that cannot be
    collected harms no other.
    """

    def init_src(self) -> None:
        """Choose the submission of each student. Called by nbgrader."""
        inbound = Path(self.root, self.coursedir.course_id, "inbound")
        if not self.coursedir.course_id or not inbound.is_dir():
            self.fail(f"Course not found: {inbound}")
        assignment, student = self.coursedir.assignment_id, self.coursedir.student_id
        mine = []
        for arrival in arrivals(inbound):
            if arrival.assignment != assignment or student not in ("", "*", arrival.student):
                continue
            if self.check_owner and not owned(arrival):
                name = printable(arrival.path.name)
                self.log.warning("%s belongs to another account: skipped", name)
            else:
                mine.append(arrival)
        due = self.due_date() if self.before_duedate else None
        on_time = [each for each in mine if due and each.time and each.time <= due]
        chosen = {each.student: each for each in newest(mine)}
        chosen |= {each.student: each for each in newest(on_time)}
        self.src_records = [chosen[name] for name in sorted(chosen)]

    def due_date(self) -> datetime | None:
        """Return when the assignment is due, if it is known."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                due: datetime | None = gradebook.find_assignment(
                    self.coursedir.assignment_id
                ).duedate
            except MissingEntry:
                return None
        return due

    def copy_files(self) -> None:
        """Copy what was chosen. Called by nbgrader."""
        if not self.src_records:
            self.log.warning("No submissions of '%s' to collect", self.coursedir.assignment_id)
        refused = 0
        for arrival in self.src_records:
            try:
                self.collect(arrival)
            except (OSError, LessonError) as error:
                refused += 1
                self.log.error("%s: not collected: %s", arrival.student, printable(str(error)))
        if refused:
            self.fail(f"{refused} could not be collected, the other submissions were")

    def collect(self, arrival: Arrival) -> None:
        """Copy one submission, unless a newer one is there."""
        target = Path(
            self.coursedir.format_path(
                self.coursedir.submitted_directory, arrival.student, arrival.assignment
            )
        )
        if target.is_dir() and not self.replaces(arrival, target):
            hint = "no newer one" if self.update else "there is one already: --update replaces it"
            self.log.info("%s: %s", arrival.student, hint)
            return
        for line in copy_submission(arrival, target, self.coursedir):
            self.log.warning("%s: %s", arrival.student, line)
        self.log.info("Collecting submission: %s %s", arrival.student, arrival.assignment)

    def replaces(self, arrival: Arrival, target: Path) -> bool:
        """Return whether a submission is to replace the one that was collected before."""
        before: datetime | None = None
        with suppress(LessonError):  # a learner wrote it
            before = submitted_at(str(target))
        if self.update:
            return before is None or (arrival.time is not None and arrival.time > before)
        return bool(self.before_duedate) and before != arrival.time


def collect_all(course: CourseDirectory, assignment: str, student: str, update: bool) -> None:
    """Collect the submissions to an assignment; what happens is logged.

    Raise LessonError where one could not be collected, or there is no exchange.
    """
    course.assignment_id, course.student_id = assignment, student
    collector = Collect(
        coursedir=course, authenticator=Authenticator(config=course.config), config=course.config
    )
    collector.update, collector.log = update, log
    try:
        collector.start()
    except ExchangeError as error:
        raise LessonError(f"{assignment}: {error}") from error


def copy_submission(arrival: Arrival, target: Path, course: CourseDirectory) -> list[str]:
    """Copy the files of a submission in the place of `target`; return what is remarkable.

    Its folder may change meanwhile. Its time is that of the folder's name: a file of the student's
    could say any other. (A student may also make a folder with an earlier name; only the system
    writes when files were last changed, and that is compared.) Raise LessonError, or OSError, where
    it cannot be copied: `target` is then as it was.
    """
    source = arrival.path
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".collect-", dir=target.parent) as scratch:
        copier = Copier(course, os.lstat(source).st_uid)
        fresh = Path(scratch, "files")
        with opened(str(source), None) as folder:
            copier.copy_folder(folder, fresh, "", 0)
        (fresh / TIMESTAMP).write_text(arrival.submitted)
        (fresh / TIMESTAMP).chmod(copier.file_mode)
        fresh.chmod(copier.folder_mode)
        if target.exists():
            target.rename(Path(scratch, "before"))
        fresh.rename(target)
    lines = [f"{line}: left out" for line in copier.left_out]
    changed = datetime.fromtimestamp(copier.changed, UTC).replace(tzinfo=None)
    if arrival.time and changed > arrival.time + IN_ONE_GO:
        lines.append(
            f"handed in at {arrival.time:%Y-%m-%d %H:%M} UTC by its name, but its files were last"
            f" changed at {changed:%Y-%m-%d %H:%M} UTC"
        )
    return lines


@contextmanager
def opened(name: str, folder: int | None, flags: int = os.O_DIRECTORY) -> Iterator[int]:
    """Open a file, or a folder, in an open folder; never what a link leads to, never waiting."""
    flags |= os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    descriptor = os.open(name, flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Budget:
    """How many files, and bytes, one submission may still have."""

    def __init__(self) -> None:
        self.files, self.bytes = MAX_FILES, MAX_BYTES

    def take_file(self) -> None:
        """Count a file or a folder. Raise LessonError where there are too many."""
        self.files -= 1
        if self.files < 0:
            raise LessonError(f"it has more than {MAX_FILES:,} files")

    def take_bytes(self, count: int) -> None:
        """Count bytes. Raise LessonError where there are too many."""
        self.bytes -= count
        if self.bytes < 0:
            raise LessonError(f"its files have more than {MAX_BYTES // MEGABYTE} MB")


class Copier:
    """Copies folders that may change while they are read, within a budget."""

    def __init__(self, course: CourseDirectory, owner: int) -> None:
        self.course, self.owner, self.budget = course, owner, Budget()
        self.left_out: list[str] = []
        self.changed = 0.0  # when the last of the files was changed: no user can set that time
        self.folder_mode, self.file_mode = (0o2770, 0o660) if course.groupshared else (0o755, 0o644)

    def copy_folder(self, folder: int, target: Path, path: str, depth: int) -> None:
        """Copy what is in an open folder."""
        if depth > MAX_DEPTH:
            raise LessonError(f"its folders are nested more than {MAX_DEPTH} deep")
        target.mkdir(self.folder_mode)
        with os.scandir(folder) as entries:
            for entry in entries:
                self.budget.take_file()
                name = f"{path}{entry.name}"
                if not matches(entry.name, self.course.ignore) and name != TIMESTAMP:
                    try:
                        self.copy(folder, entry.name, target / entry.name, name, depth)
                    except OSError as error:  # it has just gone, or may not be read
                        self.left_out.append(f"{printable(name)}: {error.strerror}")

    def copy(self, folder: int, entry: str, target: Path, name: str, depth: int) -> None:
        """Copy what has this name in an open folder; leave out what is no file of the student."""
        status = os.stat(entry, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            with opened(entry, folder) as inner:
                self.copy_folder(inner, target, f"{name}/", depth + 1)
        elif not stat.S_ISREG(status.st_mode):  # it is not even opened
            self.leave_out(name, status)
        elif self.is_wanted(entry, status.st_size):
            with opened(entry, folder, 0) as descriptor:
                status = os.fstat(descriptor)  # of the one that is open
                if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                    self.leave_out(name, status)
                elif status.st_uid != self.owner:
                    self.left_out.append(f"{printable(name)} belongs to another account")
                else:
                    self.changed = max(self.changed, status.st_ctime)
                    with open(descriptor, "rb", closefd=False) as file:
                        write(file, target, self.budget)
                    target.chmod(self.file_mode)

    def is_wanted(self, entry: str, size: int) -> bool:
        """Return whether the course asks for a file, as in stock nbgrader."""
        is_small = size <= 1000 * self.course.max_file_size
        return is_small and matches(entry, self.course.include)

    def leave_out(self, name: str, status: os.stat_result) -> None:
        """Note what is no file."""
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "a hard link: the file has another path too")
        self.left_out.append(f"{printable(name)} is {kind}")


def write(file: IO[bytes], target: Path, budget: Budget) -> None:
    """Write what is in an open file to a new one."""
    with target.open("xb") as copy:
        while data := file.read(CHUNK):
            budget.take_bytes(len(data))
            copy.write(data)
