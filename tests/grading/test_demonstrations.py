"""Demonstrations are left out where the rest of the notebook cannot notice, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.grading.demonstrations import as_released, cells_to_leave_out, reason_to_run
from autograder.grading.results import Result
from tests.support.any_course import ASSIGNMENT, NOTEBOOK, AnyCourse, answer, cell, graded_cell
from tests.support.in_process import graded

pytestmark = pytest.mark.filterwarnings("ignore:Object of type .* not in session")
DOUBLE = answer("def f(x):\n    return 2 * x")
TEST = graded_cell("assert f(2) == 4")
SLOW = "open('trace.txt', 'w').write('it ran')\nprint('a picture')"


def demonstration(source: str) -> NotebookNode:
    """Return an ordinary cell with the mark that `autograder build` gives."""
    ordinary = cell(source)
    ordinary.metadata["demonstration"] = True
    return ordinary


def left_out(cells: list[NotebookNode]) -> frozenset[int]:
    """Return the positions of the cells that are not run."""
    marked = {c.source.strip() for c in cells if c.metadata.get("demonstration")}
    return cells_to_leave_out(cells, marked)


@pytest.mark.parametrize(
    "shows",
    [
        "import draw\ndraw.grid(f(3))",
        "picture = f(3)\npicture.show()",
        "for x in range(3):\n    print(f(x))",
        "def g(y):\n    total = y\n    return total\ng(1)",
        "losses = [f(k) for k in range(3)]",
    ],
)
@pytest.mark.parametrize(
    "rest",
    [
        "y = f(1)\nassert y",
        "picture = 3\nassert picture == 3",  # it binds the name before it reads it
        "for x in (1, 2):\n    assert f(x)",
        "assert all(f(losses) for losses in (1, 2))",
        "def check(picture, *total):\n    losses = picture\n    return losses, total\ncheck(1)",
        "with open('a') as picture:\n    picture.read()",
        "import math as losses\nlosses.pi",
        "%matplotlib inline",
        "import random\ndef g(x):\n    random.seed(1)\n    x.train()\n    x.requires_grad_(True)",
        "class A:\n    def g(self, x):\n        self.x = x\n        self.x[0] = 1",
        "def g(x):\n    y = x.copy()\n    y[0] = 1\n    y -= 1",
        "def g(x):\n    y = []\n    y.append(x)\n    y[0] = 1",
        "class A:\n    def __init__(self):\n        super().__init__()\n        self.x = []",
        "try:\n    f(1)\nexcept ValueError as total:\n    raise SystemError from total",
    ],
)
def test_what_only_shows_is_left_out(shows: str, rest: str) -> None:
    cells = [DOUBLE, demonstration(shows), TEST, cell(rest), graded_cell(rest, "another")]
    assert left_out(cells) == {1}


@pytest.mark.parametrize(
    ("shows", "rest"),
    [
        ("n = 3", "f(n)"),
        ("n = 3", "def g():\n    return f(n)"),
        ("n = 3", "g = lambda x: x + n"),
        ("n = 3", "def g(x=n):\n    return x"),
        ("n = 3", "class A:\n    m = n"),
        ("n = 3", "class A:\n    n = n"),
        ("n = 3", "class A:\n    n = 1\n    def g(self):\n        return n"),
        ("n = 3", "[n for n in n]"),
        ("n = 3", "[x for x in f if x > n]"),
        ("n = 3", "{x: [n for y in x] for x in f}"),
        ("n = 3", "sum(x for x in f for y in n)"),
        ("n = 3", "if f:\n    n = 1\nprint(n)"),
        ("n = 3", "for n in f:\n    pass\nprint(n)"),
        ("n = 3", "try:\n    n = f(1)\nexcept ValueError:\n    pass\nn"),
        ("n = 3", "n += 1"),
        ("n = 3", "del n"),
        ("n = 3", "f'{n:.2f}'"),
        ("n = 3", "def g():\n    print(n)\n    def h():\n        n = 1"),
        ("n = 3", "def g():\n    [n for n in f]\n    return n"),
        ("n: int = 3", "n"),
        ("n = m = 3", "m"),
        ("(n, *m) = f", "m"),
        ("for n in f:\n    pass", "n"),
        ("if (n := 3):\n    pass", "n"),
        ("with f as n:\n    pass", "n"),
        ("import math as n", "n.pi"),
        ("from math import pi", "pi"),
        ("import os.path", "os.getcwd()"),
        ("def n():\n    pass", "n()"),
        ("class n:\n    pass", "n()"),
        ("match f:\n    case {'a': n, **m}:\n        pass", "m"),
        ("match f:\n    case [n, *m]:\n        pass", "m"),
        ("match f:\n    case int() as n:\n        pass", "n"),
        ("sum = f", "sum([1])"),
        ("del n", "n = 1\ndef g():\n    return n"),
        # what the rest made is changed in place
        ("net.training = False", "net"),
        ("net.layers[0].weight[:] = 1", "net"),
        ("del net.layers", "net"),
        ("net.train()", "net"),
        ("setattr(net, 'p', 1)", "net"),
        ("for layer in f:\n    net.append(layer)", "net"),
        # what is read, or changed, is not in the text
        ("n = 3", "eval('n')"),
        ("n = 3", "globals()['n']"),
        ("n = 3", "exec('n')"),
        ("n = 3", "import __main__"),
        ("n = 3", "import sys\nsys.modules['__main__'].n"),
        ("n = 3", "%timeit f(n)"),
        ("n = 3", "%%time\nf(1)"),
        ("n = 3", "!echo {n}"),
        ("n = 3", "n?"),
        ("n = 3", "_"),
        ("n = 3", "_3"),
        ("n = 3", "Out[3]"),
        ("n = 3", "table.query('a > @n')"),
        ("n = 3", "f.__globals__"),
        ("n = 3", "this is no Python"),
        ("n = 3", "(" * 500 + ")" * 500),
        ("from math import *", "f(1)"),
        ("exec('n = 3')", "f(1)"),
        ("globals()['n'] = 3", "f(1)"),
        ("%store -r n", "f(1)"),
        ("def g():\n    global n\n    n = 1\ng()", "n"),
        # functions that a demonstration may have called keep something for the next call
        ("f(1)", "def g():\n    global m\n    m = 1"),
        ("f(1)", "m = []\ndef g(x):\n    m.append(x)"),
        ("f(1)", "m = {}\ndef g(x):\n    m[x] = 1"),
        ("f(1)", "def g(x):\n    g.calls = 1"),
        # or change what a demonstration may have called them with
        ("f(1)", "def g(x):\n    while x:\n        y = x.pop()"),
        ("f(1)", "def g(x):\n    x[0] = 1"),
        ("f(1)", "def g(x):\n    x -= 1"),
        ("f(1)", "def g(x):\n    del x[0]"),
        ("f(1)", "def g(x):\n    x.data.mul_(2)"),
        ("f(1)", "def g(x):\n    for y in x:\n        y.append(1)"),
        ("f(1)", "def g(x):\n    y = x[0]\n    y[0] = 1"),
        ("f(1)", "class A:\n    def g(self, x):\n        x.clear()"),
        ("f(1)", "def g(x, m=[]):\n    m.append(x)"),
        ("f(1)", "def g(x, *, m={}):\n    m[x] = 1"),
        ("f(1)", "class A:\n    m = []\n    def g(self):\n        self.m.append(1)"),
        ("f(1)", "def h():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1"),
    ],
)
def test_where_another_cell_may_notice_everything_runs(shows: str, rest: str) -> None:
    cells = [DOUBLE, demonstration("print(1)"), demonstration(shows), TEST, cell(rest)]
    assert left_out(cells) == frozenset()


def test_a_function_may_be_called_later_than_a_name_was_changed() -> None:
    cells = [answer("k = 2\ndef f(x):\n    return k * x"), demonstration("k = 3"), TEST]
    assert left_out(cells) == frozenset()


def test_a_name_that_is_changed_later_was_read_before() -> None:
    cells = [cell("for k in (1,):\n    pass\nprint(k)"), demonstration("k = 3"), DOUBLE]
    assert left_out(cells) == {1}


def test_the_functions_of_a_test_are_called_in_it_unless_another_cell_reads_them() -> None:
    test = graded_cell("k = 2\ndef twice(x):\n    return k * x\nassert twice(2) == f(2)")
    shows = demonstration("k = 3")
    assert left_out([DOUBLE, test, shows]) == {2}
    assert left_out([DOUBLE, test, shows, graded_cell("twice(2)", "another")]) == frozenset()


def test_a_module_is_not_changed_by_a_call_of_its_functions() -> None:
    cells = [cell("import draw", "setup", locked=True), demonstration("draw.grid(1)"), cell("draw")]
    assert left_out(cells) == {1}


def test_a_changed_demonstration_is_the_learner_s_and_runs() -> None:
    marked = {"print(1)", "n = 3"}
    cells = [DOUBLE, cell("print(2)"), cell("\nn = 3\n"), cell("n = 3", kind="markdown")]
    assert as_released(cells, marked) == {2}
    assert cells_to_leave_out([*cells, cell("print(n)")], marked) == frozenset()


def test_a_very_long_notebook_is_run_as_it_is() -> None:
    cells = [demonstration("print(1)"), cell("#" * 300_001)]
    assert "too long" in reason_to_run(cells, {0})


# Graded in a course.


@pytest.fixture(autouse=True)
def in_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder is the course's."""
    monkeypatch.chdir(tmp_path)


def grade_one(**request: Any) -> tuple[Result, NotebookNode]:
    """Return the only result, and the notebook in autograded/."""
    (result,) = graded(ASSIGNMENT, **request)
    path = Path("autograded") / result.student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    return result, nbformat.read(path, as_version=4)


def has_run() -> bool:
    """Return whether the demonstration SLOW was run, by the file that it leaves."""
    return Path("autograded", "ada", ASSIGNMENT, "trace.txt").exists()


def printed(notebook: NotebookNode) -> list[str]:
    """Return the text that each cell put out."""
    return ["".join(o.get("text", "") for o in c.get("outputs", ())) for c in notebook.cells]


def test_a_demonstration_is_not_run_and_its_cell_says_so(tmp_path: Path) -> None:
    AnyCourse(tmp_path, DOUBLE, demonstration(SLOW), TEST).hand_in("ada")
    result, notebook = grade_one()
    assert (result.score, has_run()) == (2, False)
    assert printed(notebook)[1] == "[not run when graded: a demonstration, as it was released]\n"
    assert notebook.metadata["failures"] == []


def test_a_course_that_marks_nothing_is_graded_as_before(tmp_path: Path) -> None:
    AnyCourse(tmp_path, DOUBLE, cell(SLOW), TEST).hand_in("ada")
    result, notebook = grade_one()
    assert (result.score, has_run(), printed(notebook)[1]) == (2, True, "a picture\n")


def test_a_mark_in_a_submission_has_no_effect(tmp_path: Path) -> None:
    course = AnyCourse(tmp_path, DOUBLE, cell(SLOW), TEST)
    path = course.hand_in("ada") / f"{NOTEBOOK}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for each in notebook.cells:
        each.metadata |= {"demonstration": True, "left_out": True}
    nbformat.write(notebook, path)
    result, notebook = grade_one()
    assert (result.score, has_run()) == (2, True)
    assert not any("left_out" in each.metadata for each in notebook.cells)


@pytest.mark.parametrize(
    ("request_", "metadata"), [({"run_all": True}, {}), ({}, {"run_all": True})]
)
def test_the_command_and_metadata_have_everything_run(
    request_: dict[str, Any], metadata: dict[str, Any], tmp_path: Path
) -> None:
    AnyCourse(tmp_path, DOUBLE, demonstration(SLOW), TEST, **metadata).hand_in("ada")
    result, _ = grade_one(**request_)
    assert (result.score, has_run()) == (2, True)


def test_work_is_graded_again_where_demonstrations_are_run_now(tmp_path: Path) -> None:
    AnyCourse(tmp_path, DOUBLE, demonstration(SLOW), TEST).hand_in("ada")
    statuses = [grade_one(run_all=run_all)[0].status for run_all in (False, False, True, True)]
    assert statuses == ["graded", "kept", "graded", "kept"]


def test_an_answer_that_reads_what_a_demonstration_makes_has_everything_run(
    tmp_path: Path,
) -> None:
    course = AnyCourse(tmp_path, demonstration(f"two = 2\n{SLOW}"), DOUBLE, TEST)
    course.hand_in("ada", answer="def f(x):\n    return two * x")
    result, _ = grade_one()
    assert (result.score, has_run()) == (2, True)


def test_a_source_that_earns_less_without_its_demonstrations_is_run_with_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    setup = cell("table = {}", "setup", locked=True)
    fills = demonstration("def fill(t):\n    t['x'] = 4\nfill(table)")
    reads = answer("def f(x):\n    return table['x']")
    AnyCourse(tmp_path, setup, fills, reads, TEST).hand_in("ada")
    result, _ = grade_one()
    assert result.score == 2
    assert "demonstrations are run, too: without them, test earns less" in caplog.text


def test_a_source_whose_test_reads_what_a_demonstration_makes_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cells = [DOUBLE, demonstration("four = 4"), graded_cell("assert f(2) == four")]
    AnyCourse(tmp_path, *cells).hand_in("ada")
    assert grade_one()[0].score == 2
    assert "run, too: test reads four, which cell 2 changes" in caplog.text


def test_in_one_kernel_demonstrations_are_left_out_too(tmp_path: Path) -> None:
    AnyCourse(tmp_path, DOUBLE, demonstration(SLOW), TEST).hand_in("ada")
    result, _ = grade_one(examiner="never")
    assert (result.score, result.kernels, has_run()) == (2, "one kernel", False)


def test_cells_before_a_crash_are_run_again_without_demonstrations(tmp_path: Path) -> None:
    course = AnyCourse(tmp_path, DOUBLE, demonstration(SLOW), TEST)
    path = course.hand_in("ada") / f"{NOTEBOOK}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(2, cell("import os\nos._exit(1)"))
    nbformat.write(notebook, path)
    result, notebook = grade_one()
    assert (result.score, has_run()) == (2, False)
    assert [failure.split(":")[1] for failure in notebook.metadata["failures"]] == [" crashed"]
