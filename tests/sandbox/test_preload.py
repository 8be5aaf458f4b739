"""The modules imported before kernels are forked: those that notebooks need, and no more."""

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

kernel_server({requested})
cell = nbformat.v4.new_code_cell("import sys; print(*sys.modules)")
done = execute(nbformat.v4.new_notebook(cells=[cell]), {{}}, Limits())
print(done.cells[0].outputs[0].text)
"""


def notebook(path: Path, **cells: str) -> Path:
    """Write a notebook of code cells: setup... are locked, test... graded; return its path."""
    cells_made = [
        nbformat.v4.new_code_cell(
            source,
            metadata={"nbgrader": {"locked": name[0] in "st", "grade": name.startswith("test")}},
        )
        for name, source in cells.items()
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells_made), path)
    return path


def test_setup_cells_say_what_is_imported(tmp_path: Path) -> None:
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
def test_an_invalid_notebook_imports_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    assert setup_imports([path, tmp_path / "none.ipynb"]) == set()


@pytest.mark.parametrize(
    ("requested", "expected", "unexpected"),
    [
        ("()", {"numpy", "stack_data"}, {"torch", "pandas", "matplotlib.pyplot"}),
        ("['torch']", {"torch"}, {"torch._dynamo", "pandas", "matplotlib.pyplot"}),
        ("", {"torch", "torch._dynamo", "pandas", "matplotlib.pyplot"}, set()),
    ],
)
def test_kernels_have_the_modules_requested_or_else_the_usual_ones(
    requested: str, expected: set[str], unexpected: set[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(requested=requested)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert expected <= loaded
    assert not unexpected & loaded


LATE_TORCH = """
import nbformat
from autograder.execution.execute import execute, kernel_server
from autograder.limits import Limits

def cell(source, **nbgrader):
    flags = {"grade": False, "solution": False, "locked": False, **nbgrader}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": flags})

kernel_server(["numpy"])  # what another assignment imports
answer = cell("import torch\\n\\ndef model():\\n    return torch.nn.Linear(3, 2)", solution=True)
test = cell(
    "assert sum(p.numel() for p in model().parameters()) == 8",
    grade=True, locked=True, points=1, grade_id="test",
)
print(execute(nbformat.v4.new_notebook(cells=[answer, test]), {}, Limits()).cells[1].outputs)
"""


def test_a_model_can_be_tested_where_torch_was_not_imported_before() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATE_TORCH], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
