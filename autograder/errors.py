"""Errors with one line for their reader: what is wrong, and what to do."""

from __future__ import annotations

import re


class UsageError(Exception):
    """What was asked for cannot be done until the user mends something (exit status 2)."""


class LessonError(Exception):
    """A lesson that cannot be built or graded; names the lesson and the reason (exit status 1)."""


def one_line(error: BaseException) -> str:
    """An error in one line, not longer than a reader cares for."""
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:300]
