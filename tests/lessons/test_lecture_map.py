"""docs/lecture-map.md: each slide of the lecture is there, and so is each cell that it names."""

from __future__ import annotations

import re

import jupytext
import pytest

from tests.support.paths import ROOT

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
MAP = (ROOT / "docs" / "lecture-map.md").read_text()
SLIDES = {int(number): taught for number, _, taught in ROW.findall(MAP)}


def named(taught: str) -> list[tuple[str, str]]:
    """Return (lesson, cell) of each cell in a row: a grade_id, or a heading in quotes."""
    pairs = []
    for part in taught.split(";"):
        lesson, _, cells = part.strip().partition(": ")
        assert re.fullmatch(r"\d\d_\w+", lesson), f"{part!r} names no lesson"
        cells = re.findall(r'`(\w+)`|"(.+?)"', cells)
        assert cells, f"{part!r} names no cell"
        pairs += [(lesson, grade_id or heading) for grade_id, heading in cells]
    return pairs


CELLS = {pair for taught in SLIDES.values() for pair in named(taught)}


def cells_of(lesson: str) -> set[str]:
    """Return the grade_ids and the headings of a lesson."""
    cells = jupytext.read(ROOT / "lessons" / f"{lesson}.py", fmt="py:percent").cells
    texts = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = set(re.findall(r"^#+ (.+)$", texts, re.MULTILINE))
    return headings | {
        c.metadata["nbgrader"]["grade_id"] for c in cells if "nbgrader" in c.metadata
    }


def test_each_slide_is_taught_somewhere() -> None:
    assert sorted(SLIDES) == list(range(1, 52))
    assert [int(number) for number, *_ in ROW.findall(MAP)] == list(range(1, 52))


@pytest.mark.parametrize("lesson", sorted({lesson for lesson, _ in CELLS}))
def test_the_cells_are_there(lesson: str) -> None:
    missing = {cell for name, cell in CELLS if name == lesson} - cells_of(lesson)
    assert not missing, f"{lesson} has no cell or heading {', '.join(sorted(missing))}"


def test_each_lesson_is_on_the_map() -> None:
    lessons = {path.stem for path in (ROOT / "lessons").glob("[0-9]*.py")}
    assert lessons <= {lesson for lesson, _ in CELLS}
