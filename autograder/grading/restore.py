"""Restore a submitted notebook: all that a learner may not change is as it was released.

    recognise -> deduplicate -> reorder -> put back -> overwrite

Whatever was done to the notebook by hand or by some program, nobody has to mend it: cells that
were deleted, copied, merged, moved, retyped or stripped of their metadata are graded as far as
the learner's answer can be told.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

MERGED = "# This answer stands in another cell."


@dataclass(frozen=True)
class Released:
    """A cell of the gradebook as nbgrader released it; `metadata` is nbgrader's."""

    grade_id: str
    source: str
    cell_type: str
    locked: bool
    metadata: dict[str, Any]


def restore(notebook: NotebookNode, released: Sequence[Released], metadata: NotebookNode) -> None:
    """Make `notebook` one that can be graded; `released` are its cells in order.

    `metadata` is that of the source's notebook: nothing else of the notebook's own stays.
    """
    kept = ("kernelspec", "language_info")
    notebook.metadata = NotebookNode({name: metadata[name] for name in kept if name in metadata})
    notebook.cells = [cell for cell in notebook.cells if cell.get("source") is not None]
    for cell in notebook.cells:
        clear(cell)
    recognise(notebook.cells, released)
    deduplicate(notebook.cells)
    reorder(notebook.cells, [cell.grade_id for cell in released])
    put_back(notebook.cells, released)
    by_id = {cell.grade_id: cell for cell in released}
    for cell in notebook.cells:
        if known := by_id.get(grade_id(cell) or ""):
            overwrite(cell, known)


def clear(cell: NotebookNode) -> None:
    """Drop what an earlier run left, and all metadata but nbgrader's."""
    given = cell.get("metadata", {}).get("nbgrader")
    # A tag "skip-execution" would spare a cell its test.
    cell.metadata = NotebookNode({"nbgrader": given} if isinstance(given, dict) else {})
    cell.pop("attachments", None)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None


def grade_id(cell: NotebookNode) -> str | None:
    """The grade_id of a cell, if it has one."""
    found = cell.metadata.get("nbgrader", {}).get("grade_id")
    return found if isinstance(found, str) else None


def recognise(cells: list[NotebookNode], released: Sequence[Released]) -> None:
    """Give each cell that was released the grade_id it had, and no other cell one.

    Where the metadata are gone a cell is known by its id, by its text, or, an answer, by what it
    defines.
    """
    known = {cell.grade_id for cell in released}
    for cell in cells:
        if grade_id(cell) not in known:
            cell.metadata.pop("nbgrader", None)
    there = {grade_id(cell) for cell in cells}
    for lost in (cell for cell in released if cell.grade_id not in there):
        plain = [cell for cell in cells if "nbgrader" not in cell.metadata]
        for is_same in (has_its_id, has_its_text, defines_the_same):
            if same := next((cell for cell in plain if is_same(cell, lost)), None):
                same.metadata["nbgrader"] = NotebookNode(grade_id=lost.grade_id)
                break


def has_its_id(cell: NotebookNode, lost: Released) -> bool:
    """Cell ids are made from grade_ids when a lesson is built."""
    return cell.get("id") == lost.grade_id


def has_its_text(cell: NotebookNode, lost: Released) -> bool:
    """Whether the text is what was released, but for space around it."""
    return bool(cell.source.strip() == lost.source.strip())


def defines_the_same(cell: NotebookNode, lost: Released) -> bool:
    """Whether this cell, where an answer is missing, defines a name that the answer has to."""
    is_answer = not lost.locked and is_code(lost) and is_code(cell)
    return is_answer and not {*defined(cell.source)}.isdisjoint(defined(lost.source))


def is_code(cell: NotebookNode | Released) -> bool:
    """Whether this is a code cell."""
    return bool(cell.cell_type == "code")


def defined(source: str) -> Iterator[str]:
    """The names that a cell defines."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def deduplicate(cells: list[NotebookNode]) -> None:
    """Of several cells with one grade_id the last counts, as in nbgrader; the others just run."""
    seen = set()
    for cell in reversed(cells):
        name = grade_id(cell)
        if name in seen:
            del cell.metadata["nbgrader"]
        elif name:
            seen.add(name)


def reorder(cells: list[NotebookNode], order: list[str]) -> None:
    """Bring the released cells into their order; the learner's own stay where they are."""
    places = [place for place, cell in enumerate(cells) if grade_id(cell)]
    in_order = sorted(
        (cells[place] for place in places), key=lambda c: order.index(str(grade_id(c)))
    )
    for place, cell in zip(places, in_order, strict=True):
        cells[place] = cell


def put_back(cells: list[NotebookNode], released: Sequence[Released]) -> None:
    """Add what is missing, each cell after the one it followed.

    An answer that was merged into another cell is not undone by its empty form.
    """
    elsewhere = {name for cell in cells if is_code(cell) for name in defined(cell.source)}
    after = 0
    for known in released:
        there = [place for place, cell in enumerate(cells) if grade_id(cell) == known.grade_id]
        if there:
            after = there[0] + 1
            continue
        new_cell = new_code_cell if is_code(known) else new_markdown_cell
        is_merged = not known.locked and is_code(known) and elsewhere >= {*defined(known.source)}
        source = MERGED if is_merged and any(defined(known.source)) else known.source
        metadata = {"nbgrader": {"grade_id": known.grade_id}}
        cells.insert(after, new_cell(source, id=known.grade_id, metadata=metadata))
        after += 1


def overwrite(cell: NotebookNode, known: Released) -> None:
    """Give a cell the type and metadata it was released with and, where locked, its text."""
    cell.metadata = NotebookNode(nbgrader=NotebookNode(known.metadata))
    if cell.cell_type != known.cell_type:
        cell.cell_type = known.cell_type
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
        if known.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if known.locked:
        cell.source = known.source
