"""What notebooks import first, and so is worth importing before their kernels are forked.

With the standard library alone: the command asks before it imports anything that takes time.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Where a notebook says one of these, torch may import the next one: 2 s, at the first step of an
# optimizer or at the first activation on the meta device.
WORDS, AT_FIRST_USE = ("torch.optim", "optimizer", '"meta"'), "torch._dynamo"


def setup_imports(paths: Iterable[str | Path]) -> set[str]:
    """The modules that notebooks need; none of what is no notebook."""
    return {module for path in paths for module in of_notebook(path)}


def of_notebook(path: str | Path) -> Iterator[str]:
    try:
        yield from needed(json.loads(Path(path).read_text())["cells"])
    except (OSError, ValueError, LookupError, TypeError):
        return


def needed(cells: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The modules that a notebook's set-up cells import, or else that it needs as it uses torch.

    Set-up cells are locked code cells without a mark.
    """
    for cell in cells:
        source = "".join(cell["source"])
        if any(word in source for word in WORDS):
            yield AT_FIRST_USE
        told = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and told.get("locked") and not told.get("grade"):
            yield from imports_in(source)


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
