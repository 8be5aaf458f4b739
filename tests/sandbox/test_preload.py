"""What is imported before kernels are forked: what notebooks will need, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.sandbox.preload import setup_imports

LOADED = """
import sys
import nbformat
from autograder.execution.execute import execute, kernel_server
from autograder.limits import Limits

kernel_server({asked})
cell = nbformat.v4.new_code_cell("import sys; print(*sys.modules)")
done = execute(nbformat.v4.new_notebook(cells=[cell]), {{}}, Limits())
print(done.cells[0].outputs[0].text)
"""


def notebook(path: Path, **cells: str) -> Path:
    """A notebook of code cells: those called setup... are locked, those called test... graded."""
    made = [
        nbformat.v4.new_code_cell(
            source,
            metadata={"nbgrader": {"locked": name[0] in "st", "grade": name.startswith("test")}},
        )
        for name, source in cells.items()
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def test_set_up_cells_say_what_is_imported(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "a.ipynb",
        setup="import numpy as np\nfrom course import draw",
        setup2="%matplotlib inline",
        answer="import antigravity",
        test="import torch",
    )
    assert setup_imports([path]) == {"numpy", "course", "course.draw"}


@pytest.mark.parametrize(
    "answer",
    [
        "adam = torch.optim.Adam(weights)",
        "optimizer.step()",
        'x = torch.empty(1, device="meta")',
    ],
)
def test_the_use_of_torch_says_what_it_imports_then(tmp_path: Path, answer: str) -> None:
    path = notebook(tmp_path / "a.ipynb", setup="import torch", answer=answer)
    assert setup_imports([path]) == {"torch", "torch._dynamo"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{}]}'])
def test_what_is_no_notebook_imports_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    assert setup_imports([path, tmp_path / "none.ipynb"]) == set()


@pytest.mark.parametrize(
    ("asked", "there", "not_there"),
    [
        ("()", {"numpy", "stack_data"}, {"torch", "pandas", "matplotlib.pyplot"}),
        ("['torch']", {"torch"}, {"torch._dynamo", "pandas", "matplotlib.pyplot"}),
        ("", {"torch", "torch._dynamo", "pandas", "matplotlib.pyplot"}, set()),
    ],
)
def test_kernels_know_what_was_asked_for_and_all_that_is_usual_where_nobody_said(
    asked: str, there: set[str], not_there: set[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(asked=asked)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert there <= loaded
    assert not not_there & loaded
