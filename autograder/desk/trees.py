"""Folders that students may change while they are read or written: no link is ever followed.

Each folder on the way is opened in the one above it, by descriptor. Students can write into the
exchange, and would otherwise choose which file of the instructor's is read, or written.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from autograder.errors import LessonError
from autograder.grading.collect import Budget, opened
from autograder.grading.submissions import MAX_BYTES, MAX_DEPTH


def read_course_folder(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    """Yield the files below a folder of the course, by relative path; None for what is no file."""
    yield from read_below(folder, None, None)


def read_hand_in(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    """Yield the files of a hand-in in the exchange, by relative path.

    None is in the place of what is no regular file of its owner, or larger than a submission may
    be; after too many files, or bytes, nothing more is read.
    """
    try:
        owner = os.lstat(folder).st_uid
    except OSError:  # it has just gone
        return
    yield from read_below(folder, owner, Budget())


def read_below(
    folder: Path, owner: int | None, budget: Budget | None
) -> Iterator[tuple[str, bytes | None]]:
    """Yield files by relative path; with `owner`, only those of this account, with one path."""
    try:
        with opened(str(folder), None) as descriptor:
            yield from read_folder(descriptor, "", owner, budget, 0)
    except FileNotFoundError:
        return
    except (OSError, LessonError):  # a link, or too much of it
        yield ".", None


def read_folder(
    folder: int, path: str, owner: int | None, budget: Budget | None, depth: int
) -> Iterator[tuple[str, bytes | None]]:
    """Yield the files below an open folder. Raise LessonError for more than the budget."""
    if budget and depth > MAX_DEPTH:
        raise LessonError("its folders are nested too deeply")
    for entry in sorted(os.listdir(folder)):
        if budget:
            budget.take_file()
        name = f"{path}{entry}"
        try:
            status = os.stat(entry, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                with opened(entry, folder) as inner:
                    yield from read_folder(inner, f"{name}/", owner, budget, depth + 1)
            elif stat.S_ISREG(status.st_mode):
                yield name, read_file(folder, entry, owner, budget)
            else:  # a device is not even opened
                yield name, None
        except OSError:  # it has just gone, or may not be read
            yield name, None


def read_one(folder: Path, name: str, most: int) -> tuple[bytes, os.stat_result]:
    """Return a file in a folder, at most so many bytes of it, and what the system says of it.

    Raise LessonError where it is no file.
    """
    try:
        with opened(str(folder), None) as above, opened(name, above, 0) as descriptor:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                return os.read(descriptor, most), status
    except OSError:
        pass
    raise LessonError("this is not a file")


def read_file(folder: int, entry: str, owner: int | None, budget: Budget | None) -> bytes | None:
    """Return what is in a file of an open folder; None where it is no file, or too large."""
    with opened(entry, folder, 0) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        if owner is not None and (status.st_uid != owner or status.st_nlink > 1):
            return None
        if budget and status.st_size > MAX_BYTES:
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            data = stream.read(status.st_size)
    if budget:
        budget.take_bytes(len(data))
    return data


def write_missing(folder: Path, name: str, content: bytes) -> None:
    """Write a file below a folder, and the folders above it, unless something is in its place."""
    *above, last = PurePosixPath(name).parts
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with opened(str(folder), None) as descriptor:
            write_in(descriptor, above, last, content)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ELOOP, errno.ENOTDIR):  # a file, or a link
            raise


def write_in(folder: int, above: list[str], last: str, content: bytes) -> None:
    """Write a new file into an open folder, below the folders `above`."""
    if above:
        with suppress(FileExistsError):  # a folder, or else opened() refuses it
            os.mkdir(above[0], 0o755, dir_fd=folder)
        with opened(above[0], folder) as inner:
            write_in(inner, above[1:], last, content)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(last, flags, 0o644, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
