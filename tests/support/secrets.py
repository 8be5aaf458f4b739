"""What a learner must not read: solutions and hidden tests, from the lessons' notebooks."""

from __future__ import annotations

import re
from functools import cache

import nbformat
from nbformat import NotebookNode

from autograder.authoring.build import notebook_path
from tests.support.paths import LESSONS, ROOT

MARKED = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)\n\s*### END", flags=re.DOTALL)
# Least characters of an answer, and of one of its lines: a shorter one stands in many texts.
LEAST, LEAST_OF_LINE = 25, 40


def secrets(cell: NotebookNode) -> list[str]:
    """Return the text between the markers of a cell."""
    return [text.strip() for text in MARKED.findall(cell.source)]


@cache
def secret_pieces(lesson: str) -> list[str]:
    """Return what of a lesson's secrets no learner has: each as a whole, and its lines.

    A later lesson may release what was an answer in an earlier one.
    """
    texts = [text for cell in cells_of("source", lesson) for text in secrets(cell)]
    lines = [without_layout(line) for text in texts for line in text.splitlines()]
    pieces = {text for text in map(without_layout, texts) if len(text) >= LEAST}
    pieces |= {line for line in lines if len(line) >= LEAST_OF_LINE}
    return sorted(pieces - {text for text in pieces if text in released()})


@cache
def released() -> str:
    """Return the text of all released notebooks in one line, with and without its code marks."""
    cells = [cell.source for lesson in LESSONS for cell in cells_of("release", lesson)]
    text = without_layout("\n".join(cells))
    return text + text.replace("`", "")


def cells_of(folder: str, lesson: str) -> list[NotebookNode]:
    """Return the cells of a notebook of the course."""
    path = notebook_path(ROOT / folder, lesson)
    cells: list[NotebookNode] = nbformat.read(path, as_version=4).cells
    return cells


def without_layout(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.split())
