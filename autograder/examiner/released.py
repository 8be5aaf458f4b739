"""What the instructor's own text defines, by name: the test kernel may run it for its tests.

    ordinary cells, as they were released -> imports, functions and classes; assignments
    imports of the instructor's answers   -> used where the learner has them and cannot send them

Nothing that a learner added or changed is among it, and a name that a cell of the learner's binds
later is the learner's again. The texts are parsed here, in the grader; the test kernel runs what a
test needs, when it needs it (autograder.examiner.kernels).
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from autograder.examiner.free_names import compiled, inner_globals

# Key in the metadata of an ordinary cell of source/: it shows or trains, and earns no marks.
DEMONSTRATION = "demonstration"
ANYTHING = "*"  # what `from module import *` defines
# IPython reads a cell anew for each of its magics: a small cell of many would take minutes.
MAX_PARSED_CHARS = 300_000
MAX_MAGICS = 10
MAX_READ_CHARS = 200_000  # of a cell, times its magics
MAGIC = re.compile(r"^\s*(?:[^\s=]+\s*=\s*)?[%!?]|\?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class InstructorText:
    """What a notebook has of the instructor's: sources of ordinary code cells as they were
    released, those of them that are demonstrations, import statements of its answers, the global
    names that functions of its answers read, and the files beside it.
    """

    cells: frozenset[str] = frozenset()
    demonstrations: frozenset[str] = frozenset()
    imports: tuple[str, ...] = ()
    globals_read: frozenset[str] = frozenset()
    files: dict[str, bytes] = field(default_factory=dict)


class ReleasedNames:
    """The statements that define names, as far as the cells of a notebook have run."""

    def __init__(self, text: InstructorText) -> None:
        self.text = text
        self.definitions: dict[str, str] = {}
        self.assignments: dict[str, str] = {}
        self.of_answers: dict[str, str] = {
            name: statement for statement in text.imports for name in bound_by(parsed(statement))
        }

    def add(self, source: str) -> None:
        """Note a cell that has run: the instructor's, or else the learner's."""
        nodes = parsed(source)
        if source.strip() not in self.text.cells:
            self.forget(nodes)
            return
        setup = preamble(nodes)
        for node in nodes:
            imports = isinstance(node, ast.Import | ast.ImportFrom)
            defines = imports or isinstance(node, ast.FunctionDef | ast.ClassDef)
            text = setup if imports else ast.unparse(node)
            self.forget([node])
            for name in bound_by([node]):
                (self.definitions if defines else self.assignments)[name] = text

    def forget(self, nodes: Iterable[ast.stmt]) -> None:
        """Forget the names that statements bind: what defined them before no longer holds."""
        for name in bound_by(nodes):
            self.definitions.pop(name, None)
            self.assignments.pop(name, None)

    def as_data(self) -> dict[str, Any]:
        """Return all of it as plain data, for the test kernel."""
        return {
            "definitions": self.definitions,
            "fallbacks": self.assignments,
            "of_answers": self.of_answers,
            "globals_read": sorted(self.text.globals_read),
        }


def parsed(source: str) -> list[ast.stmt]:
    """Return the statements of a cell; none where it cannot be parsed."""
    try:
        return tree_of(source).body
    except Exception:  # IPython raises RuntimeError and others for text that is no code
        return []


def tree_of(source: str) -> ast.Module:
    """Return a cell parsed, its magics as the calls that IPython makes of them.

    Raise ValueError where that would take long, and what Python and IPython raise where it cannot
    be parsed.
    """
    if len(source) > MAX_PARSED_CHARS:
        raise ValueError("the cell is too long")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes
        with contextlib.suppress(SyntaxError):  # most cells have no magics
            return ast.parse(source)
        magics = len(MAGIC.findall(source))
        if magics > MAX_MAGICS or magics * len(source) > MAX_READ_CHARS:
            raise ValueError("the cell has too many magics")
        return ast.parse(TransformerManager().transform_cell(source))


def preamble(nodes: Iterable[ast.stmt]) -> str:
    """Return the imports of a cell, and the calls and settings of what they import: sys.path."""
    imported: set[str] = set()
    kept: list[ast.stmt] = []
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= set(bound_by([node]))
            kept.append(node)
        elif isinstance(node, ast.Expr | ast.Assign) and not set(bound_by([node])):
            read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            if read and read <= imported:
                kept.append(node)
    return "\n".join(map(ast.unparse, kept))


def bound_by(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that statements bind in their module."""
    pending = [*nodes][::-1]
    while pending:  # no recursion: a sum of a thousand terms is a tree as deep
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif not isinstance(node, ast.Lambda):
            pending += [*ast.iter_child_nodes(node)][::-1]


def instructor_text(cells: Iterable[Any], files: dict[str, bytes]) -> InstructorText:
    """Return what the code cells of a notebook in source/ have of the instructor's."""
    ordinary, needed, imports, read = set(), set(), [], set()
    for cell in cells:
        if cell.cell_type != "code":
            continue
        nbgrader = cell.metadata.get("nbgrader", {})
        if not any(nbgrader.get(name) for name in ("grade", "solution", "locked", "task")):
            ordinary.add(cell.source.strip())
            if cell.metadata.get(DEMONSTRATION) is not True:
                needed.add(cell.source.strip())
        elif nbgrader.get("solution"):
            nodes = parsed(cell.source)
            imports += [
                ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)
            ]
            with contextlib.suppress(SyntaxError):  # such as `return` outside of a function
                read |= inner_globals(compiled(nodes))
    return InstructorText(
        frozenset(ordinary),
        frozenset(ordinary - needed - {""}),
        tuple(imports),
        frozenset(read - vars(builtins).keys()),
        files,
    )
