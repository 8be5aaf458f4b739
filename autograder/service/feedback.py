"""What a learner gets back: marks and messages for each graded cell, and no line of a hidden test.

    sanitize_notebook -> hide_tests -> page (templates/marks)

FeedbackExporter is nbconvert's, named in nbgrader_config.py as the exporter of nbgrader's
generate_feedback, whoever calls that: the command, the formgrader, `autograder watch`. The page
holds no script and may run none; formulas are MathML, which a browser draws by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade, is_solution
from traitlets.config import Config

from autograder.grading.sanitize import sanitize_notebook
from autograder.grading.verdict import VERDICT, recorded

TEMPLATES = Path(__file__).parent / "templates"
HIDDEN = "[a hidden test]"  # stands for a line of one
SHORTEST = 8  # characters of a line that is told from any other


class HideTests(Preprocessor):
    """Takes all of a hidden test out of a graded notebook; its outcome and message stay."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Called by the exporter, before nbgrader adds the marks."""
        sanitize_notebook(nb)  # what stock nbgrader graded was not made so yet
        clear = ClearHiddenTests(config=Config(ClearHiddenTests=self.config.ClearHiddenTests))
        whole = lines(nb)
        nb, resources = clear.preprocess(nb, resources)
        secret = {line for line in whole - lines(nb) if len(line) >= SHORTEST}
        for cell in nb.cells:
            if is_grade(cell):
                cell.metadata[VERDICT] = without(secret, recorded(cell))
            if is_grade(cell) and not is_solution(cell):
                cell.outputs = []
            elif cell.cell_type == "code":
                cell.outputs = without(secret, cell.outputs)
        return nb, resources


class FeedbackExporter(HTMLExporter):
    """nbconvert's HTML with our page, our steps, and formulas that need no script."""

    @property
    def default_config(self) -> Config:
        # Under the name of this class, for nbgrader sets those of HTMLExporter to its own.
        own = {"template_name": "marks", "extra_template_basedirs": [str(TEMPLATES)]}
        config = Config({"FeedbackExporter": own})
        config.merge(super().default_config)
        return config

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.register_preprocessor(HideTests, enabled=True)

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as HTML, with its formulas as MathML."""
        renderer = MathRenderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            exclude_anchor_links=True,
        )
        return str(MarkdownWithMath(renderer=renderer).render(source))


class MathRenderer(IPythonRenderer):
    """nbconvert's renderer of markdown that writes MathML."""

    def block_math(self, body: str) -> str:
        return mathml(body, "block")

    def inline_math(self, body: str) -> str:
        return mathml(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


def mathml(formula: str, display: str) -> str:
    """A formula as MathML; as it was written where it cannot be read."""
    try:
        return convert(formula, display=display)
    except Exception:  # a learner may write anything between two dollars
        return f"<code>{escape(formula)}</code>"


def lines(notebook: NotebookNode) -> set[str]:
    """The lines of all cells."""
    return {line.strip() for cell in notebook.cells for line in cell.source.splitlines()}


def without(secret: set[str], value: Any) -> Any:
    """Texts, or what holds texts, with every line of `secret` in them replaced."""
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
