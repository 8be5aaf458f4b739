"""Each lesson as its two readers run it: the instructor's version and the learner's.

The instructor's is run by nbval, which compares what comes out with what the notebook holds.
"""

from __future__ import annotations

import ast
import builtins
import copy
import re
from functools import cache

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from autograder.authoring.build import notebook_path
from autograder.execution.cells import is_test
from autograder.execution.execute import execute
from autograder.grading.verdict import PASSED, VERDICT, judge
from autograder.limits import Limits
from tests.support.lessons import NO_SOCKETS
from tests.support.paths import LESSONS, ROOT
from website.lessons import without_answers

FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)


def read(folder: str, lesson: str) -> NotebookNode:
    return nbformat.read(notebook_path(ROOT / folder, lesson), as_version=4)


def unanswered(lesson: str) -> NotebookNode:
    """Return the release as it is graded: with the tests that nbgrader restores."""
    tests = {cell["id"]: cell.source for cell in filter(is_test, read("source", lesson).cells)}
    notebook = read("release", lesson)
    for cell in notebook.cells:
        cell.source = tests.get(cell["id"], cell.source)
    return notebook


@cache
def ran(lesson: str) -> NotebookNode:
    """Return the release executed by the engine, with sockets forbidden."""
    notebook = unanswered(lesson)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NO_SOCKETS))
    return execute(notebook, {}, Limits())


def test_a_cell_that_opens_a_socket_is_caught() -> None:
    cells = [NO_SOCKETS, "import socket\nsocket.socket()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    ((_, ename, evalue),) = errors(execute(notebook, {}, Limits()))
    assert (ename, evalue) == ("RuntimeError", "a lesson opens a socket: socket.__new__")


@pytest.mark.parametrize("lesson", LESSONS)
class TestSource:
    def test_it_holds_the_outputs_of_tests_that_earn_every_point(self, lesson: str) -> None:
        tests = list(filter(is_test, read("source", lesson).cells))
        assert tests
        for cell in tests:
            points, possible = determine_grade(cell)
            assert points == possible, cell["id"]

    def test_it_holds_no_error_and_nothing_of_stderr(self, lesson: str) -> None:
        source = read("source", lesson)
        assert errors(source) == []
        assert on_stderr(source) == {}


@pytest.mark.slow
@pytest.mark.usefixtures("warm_kernels")
@pytest.mark.parametrize(
    "lesson", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in LESSONS]
)
class TestRelease:
    def test_it_earns_nothing(self, lesson: str) -> None:
        judged = copy.deepcopy(ran(lesson))
        judge(judged)
        tests = list(filter(is_test, judged.cells))
        assert tests
        for cell in tests:
            assert cell.metadata[VERDICT]["outcome"] != PASSED, cell["id"]

    def test_no_cell_writes_to_stderr(self, lesson: str) -> None:
        assert on_stderr(ran(lesson)) == {}

    def test_it_fails_only_where_an_answer_is_missing(self, lesson: str) -> None:
        missing: set[str] = set()
        assert errors(ran(lesson)), "nothing was missing"
        for cell, ename, evalue in errors(ran(lesson)):
            if ename == "NameError":
                assert evalue.split("'")[1] in missing, f"{cell['id']}: {evalue}"
            elif "The name is empty" not in evalue:  # the coursework's, which no name was put into
                assert ename == "NotImplementedError", f"{cell['id']}: {ename}: {evalue}"
            missing |= names_bound(cell.source)

    def test_outputs_on_the_site_are_those_without_answers(self, lesson: str) -> None:
        exported = without_answers(read("release", lesson).cells)
        assert exported, "a lesson whose page has no output"
        stored = {cell["id"]: cell.get("outputs", []) for cell in read("source", lesson).cells}
        assert [
            cell["id"]
            for cell in ran(lesson).cells
            if cell.get("id") in exported and texts_of(cell.outputs) != texts_of(stored[cell["id"]])
        ] == []


def texts_of(outputs: list[NotebookNode]) -> list[str]:
    """Return what outputs say: a figure by its text alternative, which has its numbers."""
    return [output.get("text") or output.get("data", output)["text/plain"] for output in outputs]


def errors(notebook: NotebookNode) -> list[tuple[NotebookNode, str, str]]:
    """Return (cell, name, message) of each error."""
    return [
        (cell, output.ename, output.evalue)
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


def on_stderr(notebook: NotebookNode) -> dict[str, str]:
    """Return what each cell wrote to stderr."""
    return {
        cell["id"]: output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    }


def names_bound(source: str) -> set[str]:
    """Return the names that a cell would have defined."""
    nodes = ast.walk(ast.parse(source))
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored - set(dir(builtins))


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_picture_has_alternative_text(lesson: str) -> None:
    pictures = [
        (cell["id"], output)
        for cell in read("source", lesson).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert pictures, "a lesson without a picture"
    for name, output in pictures:
        assert output.metadata.get("image/png", {}).get("alt"), f"{name}: no alt text"


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_visible_code_reveals_what_is_to_be_predicted(lesson: str) -> None:
    predicted = False
    cells = read("release", lesson).cells
    assert any("**Predict first" in cell.source for cell in cells)
    for cell in cells:
        if cell.cell_type == "markdown":
            predicted = "**Predict first" in cell.source
        elif predicted and "nbgrader" not in cell.metadata:
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            assert folded or not telling(cell.source), cell.source


def telling(source: str) -> list[str]:
    """Return descriptions of pictures and printed claims among the arguments of calls.

    The question of a kept prediction, predict.keep("..."), tells nothing.
    """
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and not ast.unparse(node.func).startswith("predict.")
    ]
    arguments = [
        value for call in calls for value in (*call.args, *(k.value for k in call.keywords))
    ]
    texts = [
        node.value
        for value in arguments
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [text for text in texts if len(text.split()) >= (4 if text.rstrip()[-1:] == ":" else 8)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_cell_that_nbval_excuses_says_why(lesson: str) -> None:
    for cell in read("source", lesson).cells:
        if any(tag.startswith("nbval") for tag in cell.metadata.get("tags", [])):
            assert cell.metadata.get("reason"), f"{cell['id']} is excused without a reason"


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_of_a_size_to_be_read(lesson: str) -> None:
    cells = read("release", lesson).cells
    texts = [FOLDED.sub("", cell.source) for cell in cells if cell.cell_type == "markdown"]
    lengths = [len(text.split()) for text in texts]
    assert 35 <= len(cells) <= 100
    assert max(lengths) <= 200, texts[lengths.index(max(lengths))]
    assert 1500 <= sum(lengths) <= 3100
