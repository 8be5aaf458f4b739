"""What all commands print with: lines for the user, errors in one line, files of plain data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from autograder import log
from autograder.errors import GraderError, LessonError, UsageError, printable

console = Console(stderr=True, highlight=False, soft_wrap=True)
LINES = 40  # of a table on a terminal; the rest is counted


def say(text: str) -> None:
    """Print a line for the user, whatever names are in it."""
    console.print(printable(text), markup=False)


def require_writable(path: Path | None) -> None:
    """Raise UsageError where a file could not be written at the end."""
    if path and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise UsageError(f"{path} cannot be written: it is a folder, or its folder is missing")


def write_json(path: Path, data: object) -> None:
    """Write plain data to a file. Raise LessonError where there is no space for it."""
    try:
        path.write_text(json.dumps(data, indent=1) + "\n")
    except OSError as error:
        raise LessonError(f"{path} cannot be written: {error.strerror}") from None


def plain(text: str) -> Text:
    """Return a text for a table, without markup."""
    return Text(printable(text))


def show(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table, the first lines of it where it is long."""
    if not rows:
        return
    table = Table(*header)
    for row in rows[:LINES]:
        table.add_row(*map(plain, row))
    Console().print(table)
    if len(rows) > LINES:
        say(f"... and {len(rows) - LINES} more")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar with the time left; yield the function that advances it by one."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print an error as one line and leave, with status 2 where the request was not right."""
    try:
        yield
    except KeyboardInterrupt:
        console.print("\nautograder: stopped. What was graded stays graded: run it again to go on")
        os._exit(130)  # without waiting for kernels that may never end: they end with us
    except (UsageError, LessonError, GraderError) as error:
        log.trace(error)
        say(f"autograder: {error}")
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None
