"""Errors, each with one line for its reader: what is wrong, and what to do."""

from __future__ import annotations

import re

# Begins a note in an exception of the learner's: which call of a test raised it.
CALL = "In the call "


class UsageError(Exception):
    """A request that cannot be carried out until the user corrects something (exit status 2)."""


class CompatibilityError(UsageError):
    """A version of a library that lacks a member the grader relies on."""


class LessonError(Exception):
    """A lesson or submission that cannot be built or graded (exit status 1)."""


class GraderError(Exception):
    """A fault of the grader, of a library under it or of the machine: no mark follows from it.

    What it interrupts is not graded, keeps its marks, and is taken up by the next run (exit
    status 1).
    """


def one_line(error: BaseException) -> str:
    """Return an error as one line of at most 300 characters."""
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:300]


def reason_of(error: BaseException) -> str:
    """Return why something failed, in a line; of an error that is not ours, its class too."""
    known = isinstance(error, UsageError | LessonError | GraderError)
    return str(error) if known else one_line(error)


def printable(text: str) -> str:
    """Return a text of a submission on one line, with no character that controls a terminal.

    Control characters, marks of direction and halves of a pair are shown as escapes.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
