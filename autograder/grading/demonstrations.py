"""Demonstrations: ordinary cells that show or train for the learner, and earn no marks.

    source/ says which -> those of a submission that are as released -> which of them are not run

They are left out together or not at all. The whole notebook is run where a cell that runs reads a
name that one of them changes, where its functions keep something from call to call or change what
they are called with (demonstrations may have called them), and where that is unclear.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nbformat import NotebookNode

from autograder.execution.cells import is_test
from autograder.grading.cell_names import CellNames, names_of
from autograder.grading.restore import MAX_PARSED_TOTAL, grade_id


def cells_to_leave_out(
    cells: Sequence[NotebookNode], demonstrations: Collection[str]
) -> frozenset[int]:
    """Return the positions of the cells of a restored notebook that are not run when graded.

    `demonstrations` are the texts of those in source/.
    """
    positions = as_released(cells, demonstrations)
    return frozenset() if reason_to_run(cells, positions) else positions


def as_released(cells: Sequence[NotebookNode], demonstrations: Collection[str]) -> frozenset[int]:
    """Return the positions of demonstrations that the learner left as they were released."""
    return frozenset(
        position
        for position, cell in enumerate(cells)
        if cell.cell_type == "code"
        and grade_id(cell) is None
        and cell.source.strip() in demonstrations
    )


def reason_to_run(cells: Sequence[NotebookNode], positions: Collection[int]) -> str:
    """Return why the cells at `positions` cannot be left out; an empty text where they can."""
    if not positions:
        return ""
    code = {n: cell.source for n, cell in enumerate(cells) if cell.cell_type == "code"}
    if sum(map(len, code.values())) > MAX_PARSED_TOTAL:
        return "the notebook is too long to be looked through"
    names: dict[int, CellNames] = {}
    for position, source in code.items():
        names[position] = of_cell = names_of(source)
        if of_cell.unclear:
            return f"{described(cells, position)} {of_cell.unclear}"
    imported = {name for of_cell in names.values() for name in of_cell.imported}
    run = {position: names[position] for position in names.keys() - positions}
    for position, of_cell in run.items():
        if not is_test(cells[position]) and (kept := of_cell.kept - imported):
            return f"{described(cells, position)} has functions that change {min(kept)}"
    closed = {position for position in run if is_closed(position, cells, run)}
    for left_out in sorted(positions):
        changed = names[left_out].changed | (names[left_out].called - imported)
        for position in sorted(run):
            later = position > left_out
            of_cell = run[position]
            read = of_cell.read if later else set()
            if later or position not in closed:
                read = read | of_cell.read_later
            if common := read & changed:
                return (
                    f"{described(cells, position)} reads {min(common)}, which"
                    f" {described(cells, left_out)} changes"
                )
    return ""


def is_closed(position: int, cells: Sequence[NotebookNode], run: Mapping[int, CellNames]) -> bool:
    """Return whether a cell is a test that defines nothing for others: its functions run in it."""
    others = [of_cell for other, of_cell in run.items() if other != position]
    return is_test(cells[position]) and not any(
        run[position].defined & (other.read | other.read_later) for other in others
    )


def described(cells: Sequence[NotebookNode], position: int) -> str:
    """Return how to name a cell: by its grade_id, or its position."""
    return grade_id(cells[position]) or f"cell {position + 1}"
