"""A backup of a course while it is in use, and back: one archive, checked when it is made.

backup:  files -> gradebook, as it is after them -> manifest of digests -> read it all again
restore: read it all -> a backup of what is there -> files, gradebook

The gradebook is stored as data, table by table: SQLite and PostgreSQL alike, and from one to the
other. Only regular files are stored: a link that a student made is left out and named.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from nbgrader.api import Base, Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import Connection, DateTime, Interval, Table, inspect, select

from autograder.authoring.answer_bank import BANK
from autograder.desk.folders import STAGES, arrivals_in, exchange_folder, stage_folder
from autograder.desk.trees import read_course_folder, read_hand_in, write_missing
from autograder.errors import LessonError, UsageError
from autograder.grading import attempts, regrades, requests
from autograder.grading.deadlines import FILE as DEADLINES
from autograder.service.watch import JOURNAL

MANIFEST, GRADEBOOK = "manifest.json", "gradebook.json"
FORMAT = 1
FILES = ("nbgrader_config.py", DEADLINES, JOURNAL)
FOLDERS = ("source", "release", BANK, *STAGES)
TABLES = (*Base.metadata.sorted_tables, attempts.TABLE, regrades.TABLE, requests.TABLE)


@dataclass
class Contents:
    """What an archive holds: digests by file, rows by table, and what was left out."""

    digests: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """The contents, in one line."""
        names = ("student", "assignment", "submitted_assignment", "grade")
        students, lessons, submissions, grades = (self.rows.get(name, 0) for name in names)
        return (
            f"{students} students, {lessons} lessons, {submissions} submissions, {grades} marks,"
            f" {len(self.digests)} files"
        )


def backup(course: CourseDirectory, gradebook: Gradebook, path: Path) -> Contents:
    """Write an archive of a course, read it again, and return what is in it.

    Raise UsageError where it exists or cannot be written, LessonError where it reads differently.
    """
    if path.exists():
        raise UsageError(f"{path} exists already: choose another name with --to")
    new = path.with_name(f".{path.name}.new")
    try:
        contents = write_archive(course, gradebook, new)
        if verify(new).digests != contents.digests:
            raise LessonError(f"{path} reads differently than it was written: is the disk sound?")
        new.rename(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            new.unlink()
    return contents


def write_archive(course: CourseDirectory, gradebook: Gradebook, path: Path) -> Contents:
    """Write files first and the gradebook last: marks without their file are graded again."""
    contents, descriptor = Contents(), os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in files_of(course):
            if data is None:
                contents.left_out.append(name)
                continue
            add(tar, name, data)
            contents.digests[name] = hashlib.sha256(data).hexdigest()
        data, contents.rows = dump(gradebook)
        add(tar, GRADEBOOK, data)
        contents.digests[GRADEBOOK] = hashlib.sha256(data).hexdigest()
        manifest = {
            "format": FORMAT,
            "made": datetime.now(UTC).isoformat(),
            "course": course.course_id,
            "digests": contents.digests,
            "rows": contents.rows,
        }
        add(tar, MANIFEST, json.dumps(manifest, indent=1).encode())
    return contents


def files_of(course: CourseDirectory) -> Iterator[tuple[str, bytes | None]]:
    """Yield the files of a course by their names in the archive; None for what is left out."""
    root = Path(course.root)
    for name in FILES:
        if (root / name).is_file():
            yield name, (root / name).read_bytes()
    for stage in FOLDERS:
        yield from named(stage, read_course_folder(stage_folder(course, stage)))
    if exchange := exchange_folder(course):
        for part in ("outbound", "feedback"):
            yield from named(f"exchange/{part}", read_course_folder(exchange / part))
        for arrival in arrivals_in(course):
            name = f"exchange/inbound/{arrival.path.name}"
            yield from named(name, read_hand_in(arrival.path))


def named(
    folder: str, files: Iterable[tuple[str, bytes | None]]
) -> Iterator[tuple[str, bytes | None]]:
    """Yield the files below a folder with their whole names."""
    for name, data in files:
        yield f"{folder}/{name}", data


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file to an archive."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    entry.mtime = int(datetime.now(UTC).timestamp())
    tar.addfile(entry, io.BytesIO(data))


def dump(gradebook: Gradebook) -> tuple[bytes, dict[str, int]]:
    """Return all tables as JSON, at one point in time, and the number of rows of each."""
    data: dict[str, list[dict[str, Any]]] = {}
    with snapshot(gradebook) as connection:
        known = set(inspect(connection).get_table_names())
        for table in TABLES:
            rows = connection.execute(select(table)).mappings() if table.name in known else ()
            data[table.name] = [{name: plain(value) for name, value in row.items()} for row in rows]
    return json.dumps(data).encode(), {name: len(rows) for name, rows in data.items()}


@contextmanager
def snapshot(gradebook: Gradebook) -> Iterator[Connection]:
    """Yield a connection that sees the gradebook at one point in time."""
    engine = gradebook.engine
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
    else:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            yield connection


def plain(value: Any) -> Any:
    """Return a value of the gradebook as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of JSON as the gradebook has it."""
    values = dict(row)
    for column in table.columns:
        value = values.get(column.name)
        if value is not None and isinstance(column.type, DateTime):
            values[column.name] = datetime.fromisoformat(value)
        elif value is not None and isinstance(column.type, Interval):
            values[column.name] = timedelta(seconds=value)
    return values


@dataclass(frozen=True)
class Archive:
    """An archive that was read once and is whole: its digests, its course."""

    path: Path
    digests: dict[str, str]
    course: str

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Yield its files, without the manifest."""
        yield from (each for each in members(self.path) if each[0] != MANIFEST)


def verify(path: Path) -> Archive:
    """Return an archive. Raise UsageError where it is not one, or is damaged."""
    read: dict[str, str] = {}
    manifest: dict[str, Any] = {}
    try:
        for name, data in members(path):
            if name == MANIFEST:
                manifest = json.loads(data)
            else:
                read[name] = hashlib.sha256(data).hexdigest()
        digests, version = dict(manifest["digests"]), manifest["format"]
    except (tarfile.TarError, EOFError, OSError, KeyError, ValueError, TypeError) as error:
        raise UsageError(f"{path} is not a whole backup of a course: {error}") from None
    if version != FORMAT:
        raise UsageError(f"{path} was made by another version of autograder")
    if wrong := sorted(dict(digests.items() ^ read.items())):
        raise UsageError(f"{path} is damaged: {wrong[0]} is not what was stored")
    return Archive(path, digests, str(manifest["course"]))


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an archive, one at a time in memory."""
    with tarfile.open(path, "r:gz") as tar:
        for entry in tar:
            stream = tar.extractfile(entry) if entry.isreg() else None
            name = PurePosixPath(entry.name)
            if stream is None or name.is_absolute() or ".." in name.parts:
                raise UsageError(f"{path} is not a backup of a course: {entry.name!r}")
            yield entry.name, stream.read()


def restore(
    course: CourseDirectory, gradebook: Gradebook, archive: Archive, before: Path | None
) -> list[str]:
    """Put an archive back; what is there is backed up to `before` first. Return remarks.

    Raise UsageError where something is there and `before` is None. Whatever fails, the course is
    as it was.
    """
    if archive.course != course.course_id:
        raise UsageError(f"this is a backup of the course {archive.course!r}")
    if is_used(course, gradebook):
        if before is None:
            raise UsageError(
                "this course has students or submissions: --replace puts the backup in their place,"
                " after a backup of them"
            )
        backup(course, gradebook, before)
    attempts.create_table(gradebook)
    regrades.create_table(gradebook)
    requests.create_table(gradebook)
    new = {stage: beside(stage_folder(course, stage), "new") for stage in FOLDERS}
    try:
        data, kept = unpack(course, archive, new)
        folders = {folder: stage_folder(course, stage) for stage, folder in new.items()}
        with swapped(folders), gradebook.engine.begin() as connection:
            load(connection, data)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from None
    finally:
        for folder in new.values():
            shutil.rmtree(folder, ignore_errors=True)
    return [f"{name} is another now: it was kept" for name in kept]


def beside(folder: Path, what: str) -> Path:
    """Return a folder beside another, for its contents before or after."""
    return folder.with_name(f".{folder.name}.{what}")


@contextmanager
def swapped(folders: Mapping[Path, Path]) -> Iterator[None]:
    """Put new folders in the place of others; put these back where this context fails."""
    done: list[Path] = []
    try:
        for new, folder in folders.items():
            if new.is_dir():
                shutil.rmtree(beside(folder, "old"), ignore_errors=True)
                if folder.exists():
                    folder.rename(beside(folder, "old"))
                done.append(folder)
                new.rename(folder)
        yield
    except BaseException:
        for folder in done:
            shutil.rmtree(folder, ignore_errors=True)
            if beside(folder, "old").exists():
                beside(folder, "old").rename(folder)
        raise
    for folder in done:
        shutil.rmtree(beside(folder, "old"), ignore_errors=True)


def is_used(course: CourseDirectory, gradebook: Gradebook) -> bool:
    """Whether a course has students or submissions."""
    students = gradebook.db.execute(select(Base.metadata.tables["student"]).limit(1)).first()
    gradebook.db.rollback()
    return bool(students) or any(any(stage_folder(course, stage).glob("*/*")) for stage in STAGES)


def unpack(
    course: CourseDirectory, archive: Archive, new: Mapping[str, Path]
) -> tuple[dict[str, Any], list[str]]:
    """Write the files of an archive: folders into new ones, of all else what is missing.

    Return the rows of the gradebook, and the files that differ and were kept.
    """
    exchange, data, kept = exchange_folder(course), dict[str, Any](), list[str]()
    for folder in new.values():
        shutil.rmtree(folder, ignore_errors=True)
    for name, content in archive.members():
        first, _, rest = name.partition("/")
        if name == GRADEBOOK:
            data = json.loads(content)
        elif first in new and rest:
            put(new[first] / rest, content)
        elif first == "exchange" and exchange:
            write_missing(exchange, rest, content)
        elif name in FILES:
            path = Path(course.root) / name
            if not path.exists():
                put(path, content)
            elif path.read_bytes() != content:
                kept.append(name)
    return data, kept


def put(path: Path, content: bytes) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def load(connection: Connection, data: Mapping[str, list[dict[str, Any]]]) -> None:
    """Replace all rows of the gradebook."""
    for table in reversed(TABLES):
        connection.execute(table.delete())
    for table in TABLES:
        if rows := [typed(table, row) for row in data.get(table.name, ())]:
            connection.execute(table.insert(), rows)
