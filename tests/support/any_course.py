"""A small nbgrader course of any kind, from the texts of its cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "any"\n'
ASSIGNMENT, NOTEBOOK = "ps1", "problem1"
SOLUTION = "### BEGIN SOLUTION\n{}\n### END SOLUTION"


def cell(source: str, grade_id: str = "", kind: str = "code", **flags: Any) -> NotebookNode:
    """Return a cell; without a grade_id an ordinary one."""
    make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
    if not grade_id:
        return make(source)
    defaults = {"grade": False, "solution": False, "locked": False, "task": False}
    nbgrader = {"grade_id": grade_id, "schema_version": 3, **defaults, **flags}
    return make(source, metadata={"nbgrader": nbgrader})


def answer(source: str, grade_id: str = "answer") -> NotebookNode:
    """Return a cell that learners answer, with the instructor's own answer."""
    return cell(SOLUTION.format(source), grade_id, solution=True)


def graded_cell(source: str, grade_id: str = "test", points: float = 2) -> NotebookNode:
    """Return a test of what came before."""
    return cell(source, grade_id, grade=True, locked=True, points=points)


class AnyCourse:
    """A course folder with one assignment of one notebook."""

    def __init__(self, folder: Path, *cells: NotebookNode, **metadata: Any) -> None:
        self.folder = folder
        self.source = folder / "source" / ASSIGNMENT
        self.source.mkdir(parents=True)
        (folder / "nbgrader_config.py").write_text(CONFIG)
        spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
        notebook = nbformat.v4.new_notebook(
            cells=[*cells], metadata={"kernelspec": spec, **metadata}
        )
        nbformat.write(notebook, self.source / f"{NOTEBOOK}.ipynb")
        self.notebook = notebook

    def beside(self, **files: str) -> AnyCourse:
        """Put files beside the notebook: name_py is name.py."""
        for name, text in files.items():
            (self.source / name.replace("_", ".")).write_text(text)
        return self

    def hand_in(self, student: str, **sources: str) -> Path:
        """Submit the notebook with other sources by grade_id, or by the text of ordinary cells."""
        folder = self.folder / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        notebook = nbformat.from_dict(json.loads(json.dumps(self.notebook)))
        for one in notebook.cells:
            grade_id = one.metadata.get("nbgrader", {}).get("grade_id", "ordinary")
            one.source = sources.get(grade_id, one.source)
        nbformat.write(notebook, folder / f"{NOTEBOOK}.ipynb")
        return folder
