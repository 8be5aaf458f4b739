"""Find what notebooks import first: it is worth importing before their kernels are forked.

With the standard library alone: the command calls this before it imports anything slow.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autograder.compat.torch import LAZY_MODULE

# Where a notebook has one of these, torch may import LAZY_MODULE at the first step of an optimizer
# or at the first activation on the meta device.
SIGNS = ("torch.optim", "optimizer", '"meta"')


def setup_imports(paths: Iterable[str | Path]) -> set[str]:
    """Return the modules that notebooks need first; files that are not notebooks are ignored."""
    return {module for path in paths for module in of_notebook(path)}


def of_notebook(path: str | Path) -> Iterator[str]:
    """Yield the modules that one notebook needs first."""
    try:
        yield from needed(json.loads(Path(path).read_text())["cells"])
    except (OSError, ValueError, LookupError, TypeError):
        return


def needed(cells: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the modules that locked setup cells import, and what torch will import later."""
    for cell in cells:
        source = "".join(cell["source"])
        if any(word in source for word in SIGNS):
            yield LAZY_MODULE
        nbgrader = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and nbgrader.get("locked") and not nbgrader.get("grade"):
            yield from imports_in(source)


def imports_in(source: str) -> Iterator[str]:
    """Yield the modules that a cell imports, and names that may be modules."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic: then it is imported when it is needed
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from course import draw` names a module, `from math import pi` does not: the
            # server skips what cannot be imported.
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
