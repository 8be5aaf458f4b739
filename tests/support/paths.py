"""Where things are in the repository."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
LESSONS = [path.stem for path in sorted((ROOT / "lessons").glob("[0-9]*.py"))]
OF_OTHERS = {"node_modules", "build"}  # installed, or left by a build


def python_files(folder: Path) -> list[Path]:
    """Return the Python files in a folder, sorted."""
    paths = sorted(folder.rglob("*.py"))
    return [path for path in paths if OF_OTHERS.isdisjoint(path.relative_to(folder).parts)]
