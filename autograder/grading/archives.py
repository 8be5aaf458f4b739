"""Extract the archives that students handed in on a learning platform.

    archive -> members -> regular files, within the budget of a submission

Stock `nbgrader zip_collect` follows what an archive says. Extractor takes its place:
nbgrader_config.py names it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import logging
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.plugins.zipcollect import ExtractorPlugin

from autograder.errors import LessonError, printable, reason_of
from autograder.grading.collect import CHUNK, Budget, write
from autograder.grading.submissions import MAX_BYTES, MAX_DEPTH
from autograder.limits import MEGABYTE

QUIET = logging.getLogger(f"{__name__}.names")
QUIET.setLevel(logging.CRITICAL)
NOTEBOOK = ".ipynb"
MAX_HEADERS = 10_000  # of a tar archive
COMPRESSED: dict[bytes, Any] = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ\0": lzma}


class Extractor(ExtractorPlugin):
    """nbgrader's extractor of archives, for regular files, in the folder of the archive alone.

    Links, paths that lead outside and archives in archives are left out and named; one that is too
    large is refused.
    """

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Extract the archives of a folder, and copy its other files. Called by nbgrader."""
        for where, _, names in os.walk(archive_path):
            place = Path(extracted_path, os.path.relpath(where, archive_path))
            for name in sorted(names):
                path = Path(where, name)
                place.mkdir(parents=True, exist_ok=True)
                try:
                    self.extract_one(path, place)
                except Exception as error:  # of a library that reads what may be anything
                    reason = printable(reason_of(error))
                    self.log.error("%s: not extracted: %s", printable(name), reason)

    def extract_one(self, path: Path, place: Path) -> None:
        """Extract one archive into a folder of its name, or copy any other file."""
        if path.is_symlink() or not path.is_file():
            raise LessonError("it is no file")
        if path.suffix not in self.zip_ext:
            shutil.copyfile(path, place / path.name)
            return
        target = place / path.name.removesuffix(path.suffix).removesuffix(".tar")
        budget = Budget()
        with tempfile.TemporaryDirectory(prefix=".extract-", dir=place) as scratch:
            for name, file in members(path):
                inside = Path(scratch, "files", name)
                if file is None or not is_inside(name):
                    self.log.warning("%s: %s: left out", printable(path.name), printable(name))
                    continue
                budget.take_file()
                inside.parent.mkdir(parents=True, exist_ok=True)
                with file:
                    write(file, inside, budget)
            Path(scratch, "files").mkdir(exist_ok=True)
            Path(scratch, "files").rename(target)
        self.leave_out_others(target)

    def leave_out_others(self, folder: Path) -> None:
        """Remove what nbgrader would take for the work of another, or for one of another time.

        It reads student and time from the whole path of a file, and the names within an archive
        are its student's: the name of the archive itself decides, where that says who it is. Of
        several files that would be the same one, the first stays, since nbgrader stops at these.
        """
        if not isinstance(self.parent, ZipCollectApp):
            return
        collector = self.parent.collector_plugin(parent=self.parent)
        collector.log = QUIET  # what it makes of names that were not looked at yet
        whose = collector.collect(f"{folder}{NOTEBOOK}")
        seen = set[str]()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = collector.collect(str(path)) if whose else None
            if not whose or not info:
                continue
            file = f"{info.get('file_id')}{path.suffix}"
            if {**info, "file_id": ""} != {**whose, "file_id": ""} or file in seen:
                self.log.warning("%s: %s: left out", folder.name, printable(path.name))
                path.unlink()
            seen.add(file)


def members(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield name and open file of each member of an archive; None for what is no regular file."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if not info.is_dir():
                    regular = kind in (0, stat.S_IFREG)
                    yield info.filename, archive.open(info) if regular else None
    else:
        with unpacked(path) as file, as_tar(file) as tar:
            for member in tar:
                if not member.isdir():
                    yield member.name, tar.extractfile(member) if member.isreg() else None


def unpacked(path: Path) -> IO[bytes]:
    """Return the open content of a tar archive, whatever compressed it."""
    with path.open("rb") as file:
        start = file.read(6)
    for mark, library in COMPRESSED.items():
        if start.startswith(mark):
            opened_file: IO[bytes] = library.open(path)
            return opened_file
    return path.open("rb")


def as_tar(file: IO[bytes]) -> tarfile.TarFile:
    """Return an open tar archive of which tarfile reads no more than Bounded allows."""
    return tarfile.open(fileobj=cast(IO[bytes], Bounded(file)), mode="r:")


class Bounded(io.RawIOBase):
    """An open archive of which tarfile reads no large header, and no more than a submission has."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.headers = file, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Raise LessonError where there are too many of them."""
        self.headers += size == tarfile.BLOCKSIZE
        if not 0 <= size <= max(CHUNK, io.DEFAULT_BUFFER_SIZE) or self.headers > MAX_HEADERS:
            raise LessonError("its headers are too large")
        return self.file.read(size)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; return it. Raise LessonError where that is too far."""
        if place > 2 * MAX_BYTES:
            raise LessonError(f"its files have more than {MAX_BYTES // MEGABYTE} MB")
        return self.file.seek(place, whence)


def is_inside(name: str) -> bool:
    """Return whether a member of an archive lies in the folder of the archive, not too deep."""
    parts = Path(name.replace("\\", "/")).parts
    return not name.startswith(("/", "\\")) and ".." not in parts and len(parts) <= MAX_DEPTH + 1
