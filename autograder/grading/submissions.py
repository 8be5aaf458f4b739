"""Submissions in submitted/<student>/<assignment>/: untrusted input.

find -> load: refuse_links -> choose -> digest_of -> parse -> restore
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from glob import escape, glob
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from autograder.errors import LessonError
from autograder.examiner.released import InstructorText
from autograder.grading.parse import parse
from autograder.grading.restore import Released, grade_id, recognise, restore
from autograder.limits import MEGABYTE

log = logging.getLogger(__name__)
MAX_BYTES = 300 * MEGABYTE  # of all files of a submission
MAX_FILES = 2_000
MAX_DEPTH = 20  # of folders in folders
MAX_OTHERS = 10  # notebooks of other names that are looked at, to find a renamed one or a copy
MAX_PATH_BYTES = 1_000  # of the path of a file in the submission's folder
TIMESTAMP = "timestamp.txt"  # says when it was handed in
SECRET = "submission_secret.txt"  # who has it can fetch the feedback
OF_NBGRADER = (TIMESTAMP, SECRET)  # no answer may write them
MAX_TIMESTAMP_BYTES = 100


@dataclass(frozen=True)
class SourceNotebook:
    """A notebook of an assignment: its released cells, and the notebook in source/."""

    name: str
    cells: list[Released]
    notebook: NotebookNode
    instructor: InstructorText

    @cached_property
    def ordinary(self) -> frozenset[str]:
        """The texts of the cells in source/ that nbgrader does not manage."""
        return frozenset(
            cell.source.strip() for cell in self.notebook.cells if grade_id(cell) is None
        )

    @property
    def metadata(self) -> NotebookNode:
        """The metadata of the notebook in source/."""
        return self.notebook.metadata


@dataclass(frozen=True)
class Assignment:
    """What all submissions of an assignment share.

    `files` are those beside the notebooks; learners may replace the ones named in `editable`.
    """

    name: str
    notebooks: dict[str, SourceNotebook]
    files: dict[str, bytes]
    editable: Sequence[str]
    digest: str


@dataclass
class Submission:
    """One student's work: restored notebooks by name, files, a digest of all that decides marks."""

    student: str
    assignment: str
    folder: str
    files: dict[str, bytes] = field(default_factory=dict)
    notebooks: dict[str, NotebookNode] = field(default_factory=dict)
    digest: str = ""


def find(
    course: CourseDirectory, assignment: str, students: Sequence[str] = ()
) -> list[Submission]:
    """Return the submissions of an assignment, sorted; only those of `students` if any are set."""
    pattern = course.format_path(
        course.submitted_directory, "(?P<student>[^/]+)", re.escape(assignment), escape=True
    )
    folders = sorted(glob(of_all_students(course, course.submitted_directory, assignment)))
    matches = [(re.fullmatch(pattern, folder), folder) for folder in folders]
    return [
        Submission(match["student"], assignment, folder)
        for match, folder in matches
        if match and (os.path.isdir(folder) or os.path.islink(folder))
        if not students or match["student"] in students
    ]


def of_all_students(course: CourseDirectory, directory: str, assignment: str) -> str:
    """Return the pattern of all students' folders of an assignment in one of nbgrader's folders."""
    # Only the place of the student is a pattern: folders may have brackets in their names.
    place = "any-student"
    return escape(course.format_path(directory, place, assignment)).replace(place, "*")


def load(submission: Submission, assignment: Assignment, ignore: list[str]) -> None:
    """Read a submission and restore its notebooks. Raise LessonError where it cannot be graded."""
    refuse_links(submission.folder)
    submitted = other_files(submission.folder, ignore)
    chosen = choose(submission.folder, assignment)
    for name, copy in worked_copies(submission.folder, assignment, chosen).items():
        log.warning(
            "%s: %s is graded: %s.ipynb is as it was released",
            submission.student, os.path.basename(copy), name,
        )  # fmt: skip
        chosen[name] = copy
    edited = {name: submitted[name] for name in assignment.editable if name in submitted}
    submission.files = {**beside(submitted, assignment.files), **assignment.files, **edited}
    texts = {}
    for name, path in chosen.items():
        try:
            texts[name] = Path(path).read_bytes()
        except IsADirectoryError:
            raise LessonError(f"{os.path.basename(path)} is a folder, not a notebook") from None
    submission.digest = digest_of({**submitted, **texts}, assignment.digest)
    for name, text in texts.items():
        source = assignment.notebooks[name]
        notebook = parse(text, os.path.basename(chosen[name]))
        restore(notebook, source.cells, source.metadata, source.ordinary)
        submission.notebooks[name] = notebook


def beside(submitted: dict[str, bytes], ours: dict[str, bytes]) -> dict[str, bytes]:
    """Return those submitted files that can lie beside `ours`, and beside each other.

    No file has the name of a folder; the first in order of names stays.
    """
    files = set(ours)
    folders = {above for name in ours for above in folders_above(name)}
    kept = {}
    for name, content in sorted(submitted.items()):
        above = folders_above(name)
        if name not in files and name not in folders and files.isdisjoint(above):
            kept[name] = content
            files.add(name)
            folders |= above
    return kept


def folders_above(name: str) -> set[str]:
    """Return the folders that a relative path leads through, and the one in which it begins."""
    return {str(above) for above in Path(name).parents}


def other_files(folder: str, ignore: list[str]) -> dict[str, bytes]:
    """Return the files of a folder that are not notebooks, by relative path.

    Those in a folder with the name of a notebook are left out: nbgrader would take it for one.
    """
    contents = {}
    for where, folders, names in os.walk(folder):
        kept = (name for name in folders if not name.lower().endswith(".ipynb"))
        folders[:] = sorted(name for name in kept if not matches(name, ignore))
        for name in sorted(names):
            if not matches(name, [*ignore, "*.ipynb"]):
                path = os.path.join(where, name)
                contents[os.path.relpath(path, folder)] = Path(path).read_bytes()
    return dict(sorted(contents.items()))


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a name matches a pattern of the shell."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def refuse_links(folder: str) -> None:
    """Raise LessonError for a link, a device or a pipe, or if the files are too many or large."""
    size = count = 0
    for where, folders, files in os.walk(folder):
        count += len(folders) + len(files)
        if count > MAX_FILES:
            raise LessonError(f"it has more than {MAX_FILES:,} files")
        if where.count(os.sep) - folder.count(os.sep) > MAX_DEPTH:
            raise LessonError(f"its folders are nested more than {MAX_DEPTH} deep")
        for name in (".", *folders, *files):
            path = os.path.normpath(os.path.join(where, name))
            status = os.lstat(path)
            relative = os.path.relpath(path, os.path.dirname(folder))
            if len(os.fsencode(relative)) > MAX_PATH_BYTES:
                raise LessonError(f"{relative[:60]}... is longer than {MAX_PATH_BYTES:,} bytes")
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode):
                kind = "symbolic link" if stat.S_ISLNK(status.st_mode) else "device or pipe"
                raise LessonError(f"{relative} is a {kind}, not a file")
            if status.st_nlink > 1:
                raise LessonError(f"{relative} is a hard link: the file has another path too")
            size += status.st_size
    if os.path.islink(folder):
        raise LessonError(f"{os.path.basename(folder)} is a symbolic link, not a folder")
    if size > MAX_BYTES:
        raise LessonError(
            f"its files have {size // MEGABYTE} MB, the limit is {MAX_BYTES // MEGABYTE} MB"
        )


def submitted_at(folder: str) -> datetime | None:
    """Return when a submission was handed in; None where its file is missing or empty.

    Raise LessonError where that holds no valid time.
    """
    path = Path(folder, TIMESTAMP)
    if not path.exists():
        return None
    if path.stat().st_size > MAX_TIMESTAMP_BYTES:
        raise LessonError(f"its {TIMESTAMP} holds no valid time: it is too long")
    try:
        text = path.read_text().strip()
        time: datetime | None = parse_utc(text) if text else None
    except Exception as error:  # dateutil raises whatever it meets
        raise LessonError(f"its {TIMESTAMP} holds no valid time") from error
    return time


def choose(folder: str, assignment: Assignment) -> dict[str, str]:
    """Return the path of each notebook of the assignment; recognise renamed ones by their cells."""
    paths = sorted(glob(f"{escape(folder)}/*.ipynb"))
    chosen = {Path(path).stem: path for path in paths if Path(path).stem in assignment.notebooks}
    others = [path for path in paths if path not in chosen.values()][:MAX_OTHERS]
    for name, source in assignment.notebooks.items():
        if name not in chosen and others:
            alike = {path: likeness(path, source) for path in others}
            best = max(others, key=lambda path: alike[path])
            if alike[best]:
                chosen[name] = best
                others.remove(best)
    if not chosen:
        names = ", ".join(Path(path).name for path in paths) or "no notebook"
        raise LessonError(f"{min(assignment.notebooks)}.ipynb is missing: it has {names}")
    return chosen


def worked_copies(folder: str, assignment: Assignment, chosen: dict[str, str]) -> dict[str, str]:
    """Return, by notebook, a copy of it with work in it, where the one of its name has none."""
    paths = sorted(glob(f"{escape(folder)}/*.ipynb"))
    others = [path for path in paths if path not in chosen.values()][:MAX_OTHERS]
    return {
        name: copy
        for name, path in chosen.items()
        if others and not has_answers(path, assignment.notebooks[name])
        for copy in others
        if has_answers(copy, assignment.notebooks[name])
    }


def has_answers(path: str, source: SourceNotebook) -> bool:
    """Return whether a cell of a notebook answers something."""
    stubs = {cell.grade_id: cell.source.strip() for cell in source.cells if not cell.locked}
    try:
        cells = parse(Path(path).read_bytes(), path).cells
        recognise(cells, source.cells)
        named = {grade_id(cell) or "": cell.source.strip() for cell in cells}
    except (LessonError, AttributeError, KeyError, TypeError):
        return False
    return any(named[name] != stubs[name] for name in named.keys() & stubs.keys())


def likeness(path: str, source: SourceNotebook) -> int:
    """Return the number of released cells that a notebook has."""
    try:
        cells = parse(Path(path).read_bytes(), path).cells
        recognise(cells, source.cells)
    except (LessonError, AttributeError, KeyError, TypeError):
        return 0
    return sum(grade_id(cell) is not None for cell in cells)


def digest_of(files: dict[str, bytes], *more: str) -> str:
    """Return a digest of files by name, and of the texts `more`."""
    total = hashlib.sha256()
    for part in (*more, *(part for item in sorted(files.items()) for part in item)):
        data = part if isinstance(part, bytes) else os.fsencode(part)
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()
