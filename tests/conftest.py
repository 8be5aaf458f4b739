"""Scenes and what they share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LESSONS = [path.stem for path in sorted((ROOT / "lessons").glob("[0-9]*.py"))]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


# Notebooks as scripts, whatever they are called: no tests of pytest's.
collect_ignore = ["answers", "lessons", "submissions"]
