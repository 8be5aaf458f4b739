"""A class of whom three answered a question that a person marks."""

from __future__ import annotations

import json

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.desk.marking import Work, read_works
from tests.support.term import Term

LESSON = "02_convolution"
SCHEME = "**Mark scheme.** True (4), reasons (3), clear (3)."
RUBRIC = f"### BEGIN SOLUTION\n{SCHEME}\n### END SOLUTION"
ANSWERS = {"ada": "=SUM(A1), said Ada", "emmy": "Noether's answer,\nin two lines", "oconnor": "?"}


def essays(term: Term) -> Term:
    """Enter the essay's place for comments, three hand-ins, source/ and autograded/."""
    cell = new_markdown_cell(RUBRIC)
    names = {"grade_id": "essay", "grade": True, "solution": True, "points": 10, "locked": False}
    cell.metadata["nbgrader"] = names | {"schema_version": 3, "task": False}
    nbformat.write(new_notebook(cells=[cell]), term.folder / "source" / LESSON / f"{LESSON}.ipynb")
    with term.gradebook() as gradebook:
        gradebook.add_solution_cell("essay", LESSON, LESSON)
        gradebook.db.commit()
    for student, text in ANSWERS.items():
        term.mark(student, LESSON, {"test-loops": 4, "hidden-loops": 6})
        folder = term.folder / "autograded" / student / LESSON
        folder.mkdir(parents=True)
        answer = {"cell_type": "markdown", "source": text, "metadata": {"nbgrader": names}}
        (folder / f"{LESSON}.ipynb").write_text(json.dumps({"cells": [answer]}))
    return term


def works(term: Term) -> dict[str, Work]:
    """Return the answers that a person marks, by student."""
    with term.gradebook() as gradebook:
        return {one.student: one for one in read_works(gradebook, LESSON)}
