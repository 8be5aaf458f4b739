"""What was handed in: submitted/<student>/<assignment>/, taken as hostile.

find() -> refuse_links() -> load(): the notebooks, what lies beside them, and a digest of all
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from glob import escape, glob
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files

from autograder.errors import LessonError, one_line
from autograder.grading.restore import Released, grade_id, recognise, restore
from autograder.limits import MEGABYTE

LARGEST = 300 * MEGABYTE  # of all the files of a submission


@dataclass(frozen=True)
class SourceNotebook:
    """A notebook of an assignment: how it was released, and its metadata in source/."""

    name: str
    cells: list[Released]
    metadata: NotebookNode


@dataclass(frozen=True)
class Assignment:
    """What all submissions of an assignment share.

    `files` lie beside the notebooks; those named in `editable` a learner may replace.
    """

    name: str
    notebooks: dict[str, SourceNotebook]
    files: dict[str, bytes]
    editable: Sequence[str]
    digest: str


@dataclass
class Submission:
    """One student's work: `notebooks` by name, restored; `digest` of all that decides its marks."""

    student: str
    assignment: str
    folder: str
    files: dict[str, bytes] = field(default_factory=dict)
    notebooks: dict[str, NotebookNode] = field(default_factory=dict)
    digest: str = ""


def find(
    course: CourseDirectory, assignment: str, students: Sequence[str] = ()
) -> list[Submission]:
    """All that was handed in of an assignment, by student; only of `students` if there are any."""
    pattern = course.format_path(
        course.submitted_directory, "(?P<student>[^/]+)", re.escape(assignment), escape=True
    )
    folders = sorted(glob(course.format_path(course.submitted_directory, "*", escape(assignment))))
    found = [(re.fullmatch(pattern, folder), folder) for folder in folders]
    return [
        Submission(match["student"], assignment, folder)
        for match, folder in found
        if match and (os.path.isdir(folder) or os.path.islink(folder))
        if not students or match["student"] in students
    ]


def load(submission: Submission, assignment: Assignment, ignore: list[str]) -> None:
    """Read a submission and restore its notebooks; LessonError where it cannot be graded."""
    refuse_links(submission.folder)
    own = other_files(submission.folder, ignore)
    chosen = choose(submission.folder, assignment)
    edited = {name: own[name] for name in assignment.editable if name in own}
    submission.files = {**own, **assignment.files, **edited}
    texts = {name: Path(path).read_bytes() for name, path in chosen.items()}
    submission.digest = digest_of({**own, **texts}, assignment.digest)
    for name, text in texts.items():
        source = assignment.notebooks[name]
        notebook = parse(text, os.path.basename(chosen[name]))
        restore(notebook, source.cells, source.metadata)
        submission.notebooks[name] = notebook


def other_files(folder: str, ignore: list[str]) -> dict[str, bytes]:
    """What lies in a folder beside notebooks, by its path there."""
    paths = sorted(find_all_files(folder, [*ignore, "*.ipynb"]))
    return {os.path.relpath(path, folder): Path(path).read_bytes() for path in paths}


def refuse_links(folder: str) -> None:
    """LessonError if a file is more than a file: a link elsewhere, a device, a pipe."""
    size = 0
    for where, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            path = os.path.normpath(os.path.join(where, name))
            status = os.lstat(path)
            shown = os.path.relpath(path, os.path.dirname(folder))
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode):
                kind = "symbolic link" if stat.S_ISLNK(status.st_mode) else "device or pipe"
                raise LessonError(f"{shown} is a {kind}, not a file")
            if status.st_nlink > 1:
                raise LessonError(f"{shown} is a hard link to a file that is elsewhere too")
            size += status.st_size
    if os.path.islink(folder):
        raise LessonError(f"{os.path.basename(folder)} is a symbolic link, not a folder")
    if size > LARGEST:
        raise LessonError(f"its files have {size // MEGABYTE} MB, {LARGEST // MEGABYTE} at most")


def choose(folder: str, assignment: Assignment) -> dict[str, str]:
    """The path of each notebook of the assignment; a renamed one is known by its cells."""
    paths = sorted(glob(f"{escape(folder)}/*.ipynb"))
    chosen = {Path(path).stem: path for path in paths if Path(path).stem in assignment.notebooks}
    others = [path for path in paths if path not in chosen.values()]
    for name, source in assignment.notebooks.items():
        if name not in chosen and others:
            alike = {path: likeness(path, source) for path in others}
            best = max(others, key=lambda path: alike[path])
            if alike[best]:
                chosen[name] = best
                others.remove(best)
    if not chosen:
        there = ", ".join(Path(path).name for path in paths) or "no notebook"
        raise LessonError(f"there is {there}, not {min(assignment.notebooks)}.ipynb")
    return chosen


def likeness(path: str, source: SourceNotebook) -> int:
    """How many of the released cells a notebook has."""
    try:
        cells = parse(Path(path).read_bytes(), path).cells
        recognise(cells, source.cells)
    except (LessonError, AttributeError, KeyError, TypeError):
        return 0
    return sum(grade_id(cell) is not None for cell in cells)


def parse(text: bytes, name: str) -> NotebookNode:
    """A notebook of any version; LessonError if it is none."""
    try:
        notebook = nbformat.reads(text.decode(), as_version=4)
        assert isinstance(notebook.cells, list)
    except Exception as error:  # a submission may hold anything
        raise LessonError(f"{name} is no notebook that can be read: {one_line(error)}") from None
    return notebook


def digest_of(files: dict[str, bytes], *more: str) -> str:
    """A digest of files by name, and of some words."""
    total = hashlib.sha256()
    for part in (*more, *(part for item in sorted(files.items()) for part in item)):
        data = part if isinstance(part, bytes) else part.encode()
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()
