"""Logging by the standard library, under the logger "autograder".

A library configures no handler: the command does, by configure().
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler

from autograder.errors import printable

ROOT = "autograder"
# Their warnings repeat what the command itself says.
QUIET = ("distributed", "distributed.client", "autograder.nbclient", "autograder.nbgrader")
FILE_BYTES, FILES_KEPT = 5_000_000, 3
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(console: Console, verbose: bool, file: Path | None = None) -> None:
    """Show messages on the console: warnings, or with `verbose` all of them.

    What happened, with tracebacks, goes to `file` too, which is made when there is something to
    say, and rotated. Called by the command, once: it owns its process.
    """
    handler = RichHandler(console=console, markup=False) if verbose else LineHandler(console)
    handler.setLevel(logging.DEBUG if verbose else logging.WARNING)
    root = logging.getLogger(ROOT)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    root.addHandler(handler)
    if file:
        keep(root, file)
    if not verbose:
        for name in QUIET:  # by a filter, since distributed sets its levels when it is imported
            logging.getLogger(name).addFilter(lambda record: False)


class LineHandler(logging.Handler):
    """Prints each message on one line of a console."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message. Called by logging."""
        self.console.print(f"autograder: {printable(record.getMessage())}", markup=False)


class LineFormatter(logging.Formatter):
    """Writes each message on one line, whatever names are in it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # logging's name
        """Return a record as a line, without its traceback. Called by logging."""
        record.message = printable(record.message)
        return super().formatMessage(record)


class LogFile(RotatingFileHandler):
    """A log file that says nothing where it cannot be written: a full disk has other signs."""

    def handleError(self, record: logging.LogRecord) -> None:  # logging's name
        """Drop the message. Called by logging."""


def keep(logger: logging.Logger, file: Path) -> None:
    """Write the messages of a logger to a file, if it can be written."""
    try:
        handler = LogFile(
            file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=True
        )
        if file.is_dir() or not file.absolute().parent.is_dir():
            raise OSError("it is a folder, or its folder is missing")
    except OSError as error:
        logger.warning("no log is kept: %s: %s", file, error)
        return
    handler.setFormatter(LineFormatter(LINE))
    handler.setLevel(logging.INFO)
    logger.addHandler(handler)


def trace(error: BaseException) -> None:
    """Log an error that ends the command, with its traceback; the console has its line."""
    logging.getLogger(ROOT).info("%s", type(error).__name__, exc_info=error)
