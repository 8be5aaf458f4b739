"""Hostile notebooks, from bytes to a sanitised page: errors of ours alone, within a budget.

    read -> restore -> judge and sanitise -> feedback

Hypothesis makes notebooks of what once broke a step. AUTOGRADER_FUZZ sets how many (default: 300).
"""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode

from autograder.errors import LessonError
from autograder.grading.parse import parse
from autograder.grading.restore import Released, restore
from autograder.grading.sanitize import sanitize_notebook
from autograder.grading.verdict import judge
from autograder.service.feedback import FeedbackExporter

DERANDOMIZE = "AUTOGRADER_FUZZ" not in os.environ  # the same in each run of the suite
EXAMPLES = int(os.environ.get("AUTOGRADER_FUZZ", "300"))
SECONDS, MEMORY = 20.0, 1_000_000_000  # a notebook, in all steps together


def released(name: str, source: str, locked: bool, **more: Any) -> Released:
    kind = "markdown" if more.pop("is_text", False) else "code"
    metadata = {"grade_id": name, "schema_version": 3, "locked": locked, "cell_type": kind}
    metadata |= {"grade": False, "solution": False, "task": False, **more}
    return Released(name, source, kind, locked, metadata)


RELEASED = [
    released("setup", "import numpy as np", True),
    released("double", "def double(x):\n    ...", False, solution=True),
    released("test-double", "assert double(2) == 4", True, grade=True, points=2),
    released("essay", "Why?", False, grade=True, solution=True, points=3, is_text=True),
]
NAMES = [cell.grade_id for cell in RELEASED]
METADATA = NotebookNode({"kernelspec": {"name": "python3", "display_name": "Python"}})

# What once broke a step, and its kin.
PIECES = [
    "\\begin{a}", "\\end{b}", "$", "$$", "`", "**a", "_a", "[", "[a](", "![", "<", "<a", "<!--",
    "&#", "> ", "- ", "1. ", "|a|b|\n|-|-|\n", "```\n", "<div>", "</div>", "\\(", "[^1]", "    a\n",
    "\x1b[31m", "\u202e", "\ud800", "\x00", "\u2028", "{{", "{%", "%%bash\n", "def f(", "(", "-",
    "1 + ",
    "a;", "\t",
    "lambda: ", "<script>", "style=position:fixed", "attachment:x", "\r", "\\href{javascript:1}{x}",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.tuples(st.sampled_from(PIECES), st.integers(1, 3000)).map(lambda each: each[0] * each[1]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


def often(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what is usually as it should be, and now and then anything."""
    return st.integers(0, 9).flatmap(lambda number: JSON if number == 0 else strategy)


NBGRADER = st.fixed_dictionaries(
    {},
    optional={
        "grade_id": often(st.sampled_from([*NAMES, "other"])),
        "locked": often(st.booleans()),
        "points": often(st.floats()),
        "schema_version": often(st.integers(0, 4)),
    },
)
OUTPUTS = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": often(st.just("stdout")), "text": often(TEXTS)}
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.just("display_data"),
            "metadata": often(st.just({})),
            "data": often(
                st.dictionaries(
                    st.sampled_from(["text/html", "text/markdown", "text/latex", "image/png"]),
                    often(TEXTS),
                    max_size=3,
                )
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.just("error"),
            "ename": often(TEXTS),
            "evalue": often(TEXTS),
            "traceback": often(st.lists(TEXTS, max_size=3)),
        }
    ),
)
CELLS = st.fixed_dictionaries(
    {
        "cell_type": often(st.sampled_from(["code", "markdown", "raw"])),
        "source": often(st.one_of(TEXTS, st.lists(TEXTS, max_size=3))),
        "metadata": often(st.fixed_dictionaries({}, optional={"nbgrader": often(NBGRADER)})),
    },
    optional={
        "id": often(st.sampled_from([*NAMES, "x y", "<b>"])),
        "outputs": often(st.lists(OUTPUTS, max_size=2)),
        "execution_count": often(st.integers()),
        "attachments": JSON,
    },
)
NOTEBOOKS = often(
    st.fixed_dictionaries(
        {
            "cells": often(st.lists(often(CELLS), max_size=6)),
            "metadata": often(st.just({})),
            "nbformat": often(st.sampled_from([3, 4])),
            "nbformat_minor": often(st.integers(0, 6)),
        }
    )
)


def page_of(data: bytes) -> str:
    """Return the feedback page of the bytes of a notebook, graded without running it."""
    notebook = parse(data, "ps1.ipynb")
    outputs = [cell.get("outputs", []) for cell in raw_cells(data)]
    restore(notebook, RELEASED, METADATA)
    assert [name for cell in notebook.cells if (name := graded_as(cell))] == NAMES
    for cell, made in zip(notebook.cells, outputs, strict=False):
        if cell.cell_type == "code":
            cell.outputs = valid_outputs(made)  # as if it had made them now
    judge(notebook)
    sanitize_notebook(notebook)
    return feedback_page(notebook)


def feedback_page(notebook: NotebookNode) -> str:
    """Return the page for a notebook whose marks are recorded."""
    for cell in notebook.cells:  # as nbgrader does
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata["nbgrader"] |= {"score": 0, "points": 1, "comment": ""}
    resources = {"nbgrader": {"score": 0, "max_score": 5, "notebook": "ps1", "late_penalty": 0}}
    page: str = FeedbackExporter().from_notebook_node(notebook, resources)[0]
    return page


def graded_as(cell: NotebookNode) -> str:
    name: str = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return name


def raw_cells(data: bytes) -> list[dict[str, Any]]:
    cells = json.loads(data)["cells"]
    return [cell for cell in cells if isinstance(cell, dict)]


def valid_outputs(outputs: Any) -> list[NotebookNode]:
    """Return those outputs that the check of a kernel's messages lets pass."""
    valid = []
    for output in outputs if isinstance(outputs, list) else []:
        try:
            node = nbformat.from_dict(output)
            nbformat.validate(node, ref="output", version=4)
            json.dumps(node).encode()
        except Exception:  # sandbox/messages.py refuses it
            continue
        valid.append(node)
    return valid


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=DERANDOMIZE,
)
@given(NOTEBOOKS)
def test_any_notebook_is_graded_or_refused_in_one_line(notebook: Any) -> None:
    data = json.dumps(notebook).encode()
    began = time.process_time()
    refusal = page = ""
    try:
        page = page_of(data)
    except LessonError as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert len(refusal) < 500
    assert "<script" not in page.partition("<body")[2]
    assert time.process_time() - began < SECONDS


@settings(max_examples=EXAMPLES, deadline=None, derandomize=DERANDOMIZE)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"{", b'{"cells": [', b"\xef\xbb\xbf", b"\xff\xfe"]),
)
def test_any_bytes_are_refused_in_one_line(data: bytes, start: bytes) -> None:
    with pytest.raises(LessonError) as refused:
        parse(start + data, "ps1.ipynb")
    assert "\n" not in str(refused.value)


def notebook_with(*cells: dict[str, Any]) -> bytes:
    whole = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(whole).encode()


def cell(source: str, kind: str = "markdown") -> dict[str, Any]:
    more = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


HEAVY = {
    **{piece: notebook_with(*[cell(piece * (49_000 // len(piece)))] * 20) for piece in (
        "\\begin{a}", "\\begin{a}\\end{b}", "<div>", "\\(", "[[", "[a](", "![a](", "_a", "<", "`",
        "> ", "- ", "*a*", "|a|b|\n|-|-|\n", "&#", "$$", "~~a", "https://a.b ",
    )},
    "statements": notebook_with(*[cell("a;" * 14_000, "code")] * 20),
    "signs": notebook_with(*[cell("x = " + "-" * 90_000, "code")] * 20),
    "brackets": notebook_with(*[cell("[" * 90_000, "code")] * 20),
    "cells": notebook_with(*[cell("a = 1", "code")] * 1_900),
    "long names": notebook_with(*[cell(f"{'x' * 1000}{i} = 1", "code") for i in range(1_900)]),
    "numbers": b'{"cells": [], "metadata": {"x": [' + b"1.5," * 2_900_000 + b"1]}}",
    "objects": b'{"cells": [], "metadata": {"x": [' + b"{}," * 190_000 + b"1]}}",
    "depth": b'{"cells": ' + b"[" * 190_000,
    "text": notebook_with(cell("x" * 1_900_000, "code")),
    "pictures": json.dumps({
        "cells": [{**cell("1", "code"), "outputs": [{"output_type": "stream", "name": "stdout",
                                                    "text": "\U0001f600" + "x" * 100_000_000}]}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 4,
    }).encode(),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", HEAVY)
def test_the_heaviest_notebooks_stay_within_the_budget(kind: str) -> None:
    began = time.process_time()
    try:
        notebook = parse(HEAVY[kind], "ps1.ipynb")
        restore(notebook, RELEASED, METADATA)
        judge(notebook)
        sanitize_notebook(notebook)
        feedback_page(notebook)
    except LessonError:
        pass
    assert time.process_time() - began < SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["objects", "cells", "pictures"])
def test_reading_takes_a_bounded_memory(kind: str) -> None:
    tracemalloc.start()
    try:
        notebook = parse(HEAVY[kind], "ps1.ipynb")
        restore(notebook, RELEASED, METADATA)
    except LessonError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < MEMORY
