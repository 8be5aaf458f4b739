"""A student's work on a lesson: its files as they would be handed in, and what they answer.

A renamed notebook counts under the name of the lesson's, where it is plain which one it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nbgrader.utils import ignore_patterns

from autograder.grading.receipt import NOT_HANDED_IN, digest_of_files, files_in, handed_in
from autograder.service.exchange import StudentExchange
from autograder.service.outline import readable_outline, unanswered


@dataclass(frozen=True)
class Renamed:
    """A notebook that goes in under the name of the lesson's."""

    file: str
    name: str


@dataclass(frozen=True)
class Work:
    """What a student would hand in of a lesson: files by the path that they have there."""

    lesson: str
    files: Mapping[str, Path]
    missing: tuple[str, ...] = ()
    renamed: Renamed | None = None


def work_in(exchange: StudentExchange, lesson: str) -> Work:
    """Return the student's work on a lesson."""
    released = exchange.released_folder(lesson)
    names = {name for name in files_in(released) if name.endswith(".ipynb")} if released else set()
    return matched(lesson, wanted_files(exchange, exchange.folder_of(lesson)), names)


def wanted_files(exchange: StudentExchange, folder: Path) -> dict[str, Path]:
    """Return the files that nbgrader would submit, by relative path."""
    ignored = ignore_patterns(exchange.ignore, exchange.include, exchange.max_file_bytes // 1000)
    files = {}
    for where, folders, names in os.walk(folder):
        left_out = set(ignored(where, [*folders, *names]))
        folders[:] = sorted(set(folders) - left_out)
        for name in sorted(set(names) - left_out):
            path = Path(where, name)
            if path.is_file():
                files[path.relative_to(folder).as_posix()] = path
    return {name: path for name, path in files.items() if name not in NOT_HANDED_IN}


def matched(lesson: str, files: Mapping[str, Path], released: set[str]) -> Work:
    """Return a student's files as work: one renamed notebook gets its name back."""
    notebooks = {name for name in files if name.endswith(".ipynb")}
    missing, extra = sorted(released - notebooks), sorted(notebooks - released)
    if len(missing) == len(extra) == 1:
        (name,), (file,) = missing, extra
        named = {name if path == file else path: files[path] for path in files}
        return Work(lesson, named, renamed=Renamed(file, name))
    return Work(lesson, files, tuple(missing))


def not_answered(work: Work, released: Path | None) -> list[str]:
    """Return the exercises of a lesson that are not answered yet."""
    stubs = {path.name: readable_outline(path) for path in notebooks_in(released)}
    names = sorted(stubs) if released else [name for name in work.files if is_notebook(name)]
    return [
        exercise
        for name in names
        for exercise in unanswered(readable_outline(work.files.get(name)), stubs.get(name))
    ]


def main_notebook(work: Work) -> Path | None:
    """Return the notebook that Open opens: that of the lesson's name, else the first."""
    notebooks = sorted(filter(is_notebook, work.files))
    named = [name for name in notebooks if Path(name).stem == work.lesson]
    return next((work.files[name] for name in (*named, *notebooks)), None)


def notebooks_in(folder: Path | None) -> list[Path]:
    """Return the notebooks of a folder, not of those below it; none where there is no folder."""
    return sorted(path for path in folder.glob("*.ipynb") if path.is_file()) if folder else []


def is_notebook(name: str) -> bool:
    """Whether a path is that of a notebook."""
    return name.endswith(".ipynb")


def fingerprint(files: Mapping[str, Path]) -> tuple[object, ...]:
    """Return what a student would call their work: texts of notebooks, and all other files.

    To run a notebook changes its outputs, but is no other answer.
    """
    texts = {name: readable_outline(path) for name, path in files.items() if is_notebook(name)}
    others = {name: path for name, path in files.items() if name not in texts}
    return (
        sorted((name, text.sources if text else ()) for name, text in texts.items()),
        digest_of_files(others),
    )


@lru_cache(maxsize=256)
def fingerprint_of(folder: Path) -> tuple[object, ...]:
    """Return the fingerprint of a hand-in in nbgrader's cache, which never changes."""
    return fingerprint(handed_in(folder))
