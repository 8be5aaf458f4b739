"""Feedback pages: marks and messages of each graded cell, and no line of a hidden test.

    sanitize_notebook -> hide_tests -> page (templates/marks)

FeedbackExporter is an nbconvert exporter. nbgrader_config.py names it as the exporter of nbgrader's
generate_feedback, which the command, the formgrader and `autograder watch` call. The page has no
script, and its content security policy forbids any; formulas are MathML, which browsers render.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, tostring

from jinja2 import pass_context
from latex2mathml.converter import convert_to_element
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade, is_solution
from traitlets import Integer
from traitlets.config import Config

from autograder.errors import one_line
from autograder.execution.cells import LEFT_OUT
from autograder.execution.execute import DEMONSTRATION
from autograder.grading.gradebook import marked_by_hand
from autograder.grading.pipeline import FROM_ONE
from autograder.grading.sanitize import sanitize_notebook
from autograder.grading.submissions import OF_NBGRADER
from autograder.grading.verdict import PASSED, REMARK, VERDICT, recorded
from autograder.service.notes import (
    MARKED_BY_HAND,
    MISCONCEPTION,
    left_note,
    name_mistakes,
    page_notes,
    root_of,
)

log = logging.getLogger(__name__)
TEMPLATES = Path(__file__).parent / "templates"
HIDDEN = "[a hidden test]"  # replaces each of its lines
NOT_PASSED = "Your answer did not pass this hidden test."
OMITTED = "[not shown here: a hidden test has run before this cell]\n"
REFUSAL = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>:root {{ color-scheme: light dark; font-family: sans-serif }} body {{ margin: 3rem }}</style>
</head><body><h1>{title} could not be graded</h1><p>{reason}.</p>
<p>No marks were changed. Open the notebook, run it once from the top, save it, and hand it in
again; if this page comes back, show it to your instructor.</p></body></html>
"""
MAX_CODE_CHARS = 80_000  # of all cells on one page
MIN_LINE_CHARS = 8  # shorter lines are too common to be replaced


class HideTests(Preprocessor):
    """Removes hidden tests from a graded notebook; their outcomes and messages stay.

    `daily_limit` and `left_today` count immediate feedback; without a limit, nothing is said of it.
    """

    daily_limit = Integer(0).tag(config=True)
    left_today = Integer(0).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Return the notebook without hidden tests. Called by the exporter, before the marks."""
        sanitize_notebook(nb)  # it may have been graded by stock nbgrader
        names = resources.setdefault("nbgrader", {})
        names["notes"] = page_notes(names, root_of(self.config))
        if self.daily_limit:
            names["notes"].append(left_note(self.left_today, self.daily_limit))
        clear = ClearHiddenTests(config=Config(ClearHiddenTests=self.config.ClearHiddenTests))
        all_lines, sources = lines(nb), [cell.source for cell in nb.cells]
        nb, resources = clear.preprocess(nb, resources)
        hides = [cell.source != source for cell, source in zip(nb.cells, sources, strict=True)]
        first_hidden = hides.index(True) if any(hides) else len(hides)
        cut_code(nb)
        by_hand = hand_marked(names)
        secret = {line for line in all_lines - lines(nb) if len(line) >= MIN_LINE_CHARS}
        for number, cell in enumerate(nb.cells):
            if is_grade(cell):
                entry = recorded(cell)
                if hides[number] and entry.get(REMARK, "").startswith(FROM_ONE):
                    # It ran beside the answer, which could read it: the words may be the answer's.
                    entry["message"] = "" if entry["outcome"] == PASSED else NOT_PASSED
                if cell.metadata.nbgrader["grade_id"] in by_hand:
                    entry["outcome"] = MARKED_BY_HAND
                cell.metadata[VERDICT] = without(secret, entry)
        name_mistakes(nb.cells, root_of(self.config), names.get("assignment", ""))
        for number, cell in enumerate(nb.cells):
            if MISCONCEPTION in cell.metadata:
                cell.metadata[MISCONCEPTION] = without(secret, cell.metadata[MISCONCEPTION])
            if is_grade(cell) and not is_solution(cell):
                cell.outputs = []
            elif cell.cell_type == "code" and LEFT_OUT in cell.metadata:
                cell.outputs = [new_output("stream", text=DEMONSTRATION)]
            elif cell.cell_type == "code" and number > first_hidden:
                # The answer may have kept what a hidden test passed to it.
                cell.outputs = [new_output("stream", text=OMITTED)] if cell.outputs else []
            elif cell.cell_type == "code":
                cell.outputs = without(secret, cell.outputs)
        return nb, resources


def hand_marked(names: Any) -> set[str]:
    """Return the cells that a person has marked; nothing where no gradebook is known."""
    if not names.get("db_url"):
        return set()
    keys = ("db_url", "student", "assignment", "notebook")
    return marked_by_hand(*(names[key] for key in keys))


def cut_code(notebook: NotebookNode) -> None:
    """Cut, in place, code beyond MAX_CODE_CHARS: its colours take seconds per 100,000 characters.

    No course has so much; what was handed in stays in autograded/.
    """
    left = MAX_CODE_CHARS
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if len(cell.source) > left:
                cell.source = f"{cell.source[:left]}\n# [cut: {len(cell.source):,} characters]"
            left = max(0, left - len(cell.source))


class FeedbackExporter(HTMLExporter):
    """nbconvert's HTML exporter with our template, without hidden tests, with MathML formulas."""

    @property
    def default_config(self) -> Config:
        """The exporter's configuration, with the template `marks`."""
        # Under the name of this class: nbgrader sets its own template for HTMLExporter.
        template = {"template_name": "marks", "extra_template_basedirs": [str(TEMPLATES)]}
        config = Config({"FeedbackExporter": template})
        config.merge(super().default_config)
        return config

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.register_preprocessor(HideTests, enabled=True)

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Return markdown as HTML, with its formulas as MathML."""
        renderer = MathRenderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            exclude_anchor_links=True,
        )
        return str(MarkdownWithMath(renderer=renderer).render(source))


def write_refusal(course: CourseDirectory, assignment: str, student: str, reason: str) -> None:
    """Write a feedback page that says why a submission could not be graded.

    As generate_feedback would, into feedback/; the marks stay as they are.
    """
    submitted, feedback = (
        Path(course.format_path(folder, student, assignment))
        for folder in (course.submitted_directory, course.feedback_directory)
    )
    feedback.mkdir(parents=True, exist_ok=True)
    for name in OF_NBGRADER:
        if (submitted / name).is_file():
            shutil.copyfile(submitted / name, feedback / name)
    source = Path(course.format_path(course.source_directory, ".", assignment))
    for notebook in source.glob("*.ipynb"):
        page = REFUSAL.format(title=escape(notebook.stem), reason=escape(reason))
        (feedback / f"{notebook.stem}.html").write_text(page)


class MathRenderer(IPythonRenderer):
    """nbconvert's markdown renderer, with formulas as MathML."""

    def block_math(self, body: str) -> str:
        """Return a displayed formula as MathML."""
        return mathml(body, "block")

    def inline_math(self, body: str) -> str:
        """Return an inline formula as MathML."""
        return mathml(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        """Return a LaTeX environment as MathML."""
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


def mathml(formula: str, display: str) -> str:
    """Return a formula as MathML; as its source where it cannot be converted."""
    try:
        return markup_of(convert_to_element(formula, display=display))
    except Exception as error:  # the learner's text may be anything: the converter fails in any way
        log.debug("a formula is shown as its source: %s", one_line(error))
        return f"<code>{escape(formula)}</code>"


def markup_of(formula: Element) -> str:
    """Return MathML as text.

    latex2mathml's own convert() would unescape what the learner wrote into it.
    """
    for element in formula.iter():
        element.text = unescape(element.text) if element.text else None  # its entities
        element.tail = None
    return tostring(formula, encoding="unicode", method="html")


def lines(notebook: NotebookNode) -> set[str]:
    """Return the lines of all cells."""
    return {line.strip() for cell in notebook.cells for line in cell.source.splitlines()}


def without(secret: set[str], value: Any) -> Any:
    """Return texts, in any nesting, with each line of `secret` in them replaced."""
    if isinstance(value, str):
        for line in secret:
            if line in value:
                value = value.replace(line, HIDDEN)
        return value
    if isinstance(value, Mapping):
        return NotebookNode({key: without(secret, each) for key, each in value.items()})
    if isinstance(value, list):
        return [without(secret, each) for each in value]
    return value
