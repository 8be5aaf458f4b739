"""Where things are in the repository."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
LESSONS = [path.stem for path in sorted((ROOT / "lessons").glob("[0-9]*.py"))]
