"""What notebooks import first, and so is worth importing before their kernels are forked.

With the standard library alone: the command asks before it imports anything that takes time.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from pathlib import Path


def setup_imports(paths: Iterable[str | Path]) -> set[str]:
    """The modules that the set-up cells of notebooks import: locked code cells without a mark."""
    return {module for path in paths for cell in setup_sources(path) for module in imports_in(cell)}


def setup_sources(path: str | Path) -> Iterator[str]:
    """The sources of the set-up cells of a notebook; none of what is no notebook."""
    try:
        cells = json.loads(Path(path).read_text())["cells"]
        for cell in cells:
            told = cell["metadata"].get("nbgrader", {})
            if cell["cell_type"] == "code" and told.get("locked") and not told.get("grade"):
                yield "".join(cell["source"])
    except (OSError, ValueError, LookupError, TypeError):
        return


def imports_in(source: str) -> Iterator[str]:
    """The modules that a cell imports, and names that may be some."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic: then it is imported when it is needed
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from course import draw` names a module, `from math import pi` does not: the
            # server passes over what cannot be imported.
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
