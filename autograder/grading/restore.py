"""Restore a submitted notebook: all that a learner may not change is as it was released.

    recognise -> deduplicate -> reorder -> put back -> overwrite

No notebook needs to be repaired by hand: cells that were deleted, copied, merged, moved, retyped
or stripped of their metadata are graded as far as the learner's answer can be identified.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

# Key in the metadata of a cell that a person marks: its answer may stand below it.
ANSWERED_BELOW = "answered_below"
MAX_PARSED_CHARS = 30_000  # of one cell: what defines names is short
MAX_PARSED_TOTAL = 300_000  # of one notebook
MERGED = "# The answer is in another cell."


@dataclass(frozen=True)
class Released:
    """A cell as it was released, from the gradebook; `metadata` is nbgrader's."""

    grade_id: str
    source: str
    cell_type: str
    locked: bool
    metadata: dict[str, Any]


def restore(
    notebook: NotebookNode,
    released: Sequence[Released],
    metadata: NotebookNode,
    ordinary: Container[str] = (),
) -> None:
    """Restore `notebook` in place; `released` are its released cells in order.

    `metadata` is that of the notebook in source/: it replaces the submitted metadata. `ordinary`
    are the texts of its other cells.
    """
    kept = ("kernelspec", "language_info")
    notebook.metadata = NotebookNode({name: metadata[name] for name in kept if name in metadata})
    notebook.cells = [cell for cell in notebook.cells if cell.get("source") is not None]
    for cell in notebook.cells:
        clear(cell)
    recognise(notebook.cells, released)
    deduplicate(notebook.cells, released)
    reorder(notebook.cells, [cell.grade_id for cell in released])
    put_back(notebook.cells, released)
    by_id = {cell.grade_id: cell for cell in released}
    for cell in notebook.cells:
        if known := by_id.get(grade_id(cell) or ""):
            overwrite(cell, known)
    note_answers_below(notebook.cells, by_id, ordinary)


def clear(cell: NotebookNode) -> None:
    """Remove outputs, and all metadata except nbgrader's.

    Pictures that were pasted into text stay; sanitize_notebook() looks at them.
    """
    nbgrader = cell.get("metadata", {}).get("nbgrader")
    # With the tag "skip-execution", a test cell would not be executed.
    cell.metadata = NotebookNode({"nbgrader": nbgrader} if isinstance(nbgrader, dict) else {})
    if cell.cell_type != "markdown":
        cell.pop("attachments", None)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None


def grade_id(cell: NotebookNode) -> str | None:
    """Return the grade_id of a cell, None where it has none that is a string."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    return name if isinstance(name, str) else None


def recognise(cells: list[NotebookNode], released: Sequence[Released]) -> None:
    """Set the grade_id of each released cell, and remove any other.

    Where the metadata is lost, a cell is recognised by its id or its text, and an answer also by
    the names that it defines.
    """
    known = {cell.grade_id for cell in released}
    for cell in cells:
        if grade_id(cell) not in known:
            cell.metadata.pop("nbgrader", None)
    present = {grade_id(cell) for cell in cells}
    names = names_within_budget()

    def defines_the_same(cell: NotebookNode, lost: Released) -> bool:
        """Whether `lost` is an answer, and this cell defines a name that it must define."""
        is_answer = not lost.locked and is_code(lost) and is_code(cell)
        return is_answer and not names(cell.source).isdisjoint(names(lost.source))

    for lost in (cell for cell in released if cell.grade_id not in present):
        plain = [cell for cell in cells if "nbgrader" not in cell.metadata]
        for is_same in (has_its_id, has_its_text, defines_the_same):
            if same := next((cell for cell in plain if is_same(cell, lost)), None):
                same.metadata["nbgrader"] = NotebookNode(grade_id=lost.grade_id)
                break


def has_its_id(cell: NotebookNode, lost: Released) -> bool:
    """Whether the cell id is the grade_id: cell ids are made from them when a lesson is built."""
    return cell.get("id") == lost.grade_id


def has_its_text(cell: NotebookNode, lost: Released) -> bool:
    """Whether the text is the released one, apart from surrounding whitespace."""
    return bool(cell.source.strip() == lost.source.strip())


def is_code(cell: NotebookNode | Released) -> bool:
    """Whether this is a code cell."""
    return bool(cell.cell_type == "code")


def defined(source: str) -> Iterator[str]:
    """Yield the names that a cell defines."""
    if len(source) > MAX_PARSED_CHARS:
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # deeply nested, the last two
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def names_within_budget() -> Callable[[str], frozenset[str]]:
    """Return defined() for the cells of one notebook: each is parsed once, MAX_PARSED_TOTAL in all.

    A cell beyond that defines nothing.
    """
    left = MAX_PARSED_TOTAL

    @functools.cache
    def names(source: str) -> frozenset[str]:
        nonlocal left
        left -= len(source)
        return frozenset(defined(source)) if left >= 0 else frozenset()

    return names


def deduplicate(cells: list[NotebookNode], released: Sequence[Released]) -> None:
    """Keep each grade_id on its last cell only, as nbgrader does; the other cells still run.

    A copy of an answer that is still as it was released goes, where another one has work in it.
    """
    stubs = {cell.grade_id: cell.source.strip() for cell in released if not cell.locked}
    worked_on = {
        grade_id(cell) for cell in cells if cell.source.strip() != stubs.get(grade_id(cell) or "")
    }
    cells[:] = [
        cell
        for cell in cells
        if grade_id(cell) not in worked_on or cell.source.strip() != stubs.get(grade_id(cell) or "")
    ]
    seen = set()
    for cell in reversed(cells):
        name = grade_id(cell)
        if name in seen:
            del cell.metadata["nbgrader"]
        elif name:
            seen.add(name)


def note_answers_below(
    cells: list[NotebookNode], released: dict[str, Released], ordinary: Container[str]
) -> None:
    """Note an untouched answer for a person to mark, where the learner wrote cells below it."""
    asked: NotebookNode | None = None
    for cell in cells:
        known = released.get(grade_id(cell) or "")
        if known is not None:
            by_person = known.metadata.get("grade") and known.metadata.get("solution")
            untouched = cell.source.strip() == known.source.strip()
            asked = cell if (by_person or known.metadata.get("task")) and untouched else None
        elif asked is not None and cell.cell_type == "markdown" and is_work(cell, ordinary):
            asked.metadata[ANSWERED_BELOW] = True


def is_work(cell: NotebookNode, ordinary: Container[str]) -> bool:
    """Return whether a cell has text that the source does not have."""
    text = cell.source.strip()
    return bool(text) and text not in ordinary


def reorder(cells: list[NotebookNode], order: list[str]) -> None:
    """Bring the released cells into their order; cells that the learner added keep their place."""
    places = [place for place, cell in enumerate(cells) if grade_id(cell)]
    in_order = sorted(
        (cells[place] for place in places), key=lambda c: order.index(str(grade_id(c)))
    )
    for place, cell in zip(places, in_order, strict=True):
        cells[place] = cell


def put_back(cells: list[NotebookNode], released: Sequence[Released]) -> None:
    """Insert the missing cells, each after the one it followed.

    An answer that was merged into another cell is not overwritten by its stub.
    """
    names = names_within_budget()
    elsewhere = {name for cell in cells if is_code(cell) for name in names(cell.source)}
    after = 0
    for known in released:
        places = [place for place, cell in enumerate(cells) if grade_id(cell) == known.grade_id]
        if places:
            after = places[0] + 1
            continue
        new_cell = new_code_cell if is_code(known) else new_markdown_cell
        is_merged = not known.locked and is_code(known) and elsewhere >= {*defined(known.source)}
        source = MERGED if is_merged and any(defined(known.source)) else known.source
        metadata = {"nbgrader": {"grade_id": known.grade_id}}
        taken = any(cell.get("id") == known.grade_id for cell in cells)
        name = uuid4().hex[:8] if taken else known.grade_id
        cells.insert(after, new_cell(source, id=name, metadata=metadata))
        after += 1


def overwrite(cell: NotebookNode, known: Released) -> None:
    """Reset a cell to its released type and metadata and, where locked, its released text."""
    cell.metadata = NotebookNode(nbgrader=NotebookNode(known.metadata))
    if cell.cell_type != known.cell_type:
        cell.cell_type = known.cell_type
        for name in ("outputs", "execution_count", "attachments"):
            cell.pop(name, None)
        if known.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if known.locked:
        cell.source = known.source
