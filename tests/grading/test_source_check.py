"""Other courses: their own answers are graded first; honest work earns what it earns in stock."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder.errors import UsageError
from autograder.grading.results import Result
from tests.support.any_course import ASSIGNMENT, AnyCourse, answer, cell, graded_cell
from tests.support.in_process import graded
from tests.support.small_course import BIN, activated

pytestmark = pytest.mark.filterwarnings("ignore:Object of type .* not in session")
MOCK = """
from unittest import mock
with mock.patch("__main__.f", lambda x: 7):
    assert f(1) == 7
assert f(1) == 2
"""
DEL = """
kept = g
del g
try:
    f(1)
except NameError:
    pass
else:
    raise AssertionError
finally:
    g = kept
"""
PRINTED = """
import contextlib, io
out = io.StringIO()
with contextlib.redirect_stdout(out):
    f()
assert out.getvalue() == "hi\\n"
"""
DOUBLE = answer("def f(x):\n    return 2 * x")


@pytest.fixture(autouse=True)
def in_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder is the course's."""
    monkeypatch.chdir(tmp_path)


def only(results: list[Result]) -> Result:
    """Return the only result."""
    (result,) = results
    return result


@pytest.mark.parametrize(
    ("cells", "files"),
    [
        ([cell("import math as m"), DOUBLE, graded_cell("assert m.isclose(f(2), 4)")], {}),
        (
            [cell("import math\nROOT = math.sqrt(4)"), DOUBLE, graded_cell("assert f(1) == ROOT")],
            {},
        ),
        (
            [
                answer("import math\ndef f(x):\n    return math.pi"),
                graded_cell("assert f(0) == math.pi"),
            ],
            {},
        ),
        (
            [
                cell("def near(a, b):\n    return a == b"),
                DOUBLE,
                graded_cell("assert near(f(2), 4)"),
            ],
            {},
        ),
        ([cell("def of(x):\n    return f(x)"), DOUBLE, graded_cell("assert of(2) == 4")], {}),
        ([cell("class P:\n    x = 4"), DOUBLE, graded_cell("assert f(2) == P().x")], {}),
        (
            [DOUBLE, graded_cell("from helper import four\nassert f(2) == four")],
            {"helper_py": "four = 4"},
        ),
        (
            [cell("import helper"), DOUBLE, graded_cell("assert f(2) == helper.four")],
            {"helper_py": "four = 4"},
        ),
        ([DOUBLE, graded_cell("assert f(2) == int(open('data.txt').read())")], {"data_txt": "4"}),
        (
            [
                answer("def add(l):\n    l.append(9)"),
                graded_cell("l = [1]\nadd(l)\nassert l == [1, 9]"),
            ],
            {},
        ),
        ([answer("def f(x):\n    return n * x"), graded_cell("n = 3\nassert f(2) == 6")], {}),
        ([DOUBLE, graded_cell(MOCK)], {}),
        # del, as in nbgrader's quickstart
        (
            [
                answer("def g(x):\n    return x\n\ndef f(x):\n    return 2 * g(x)"),
                graded_cell(DEL),
            ],
            {},
        ),
        ([answer("def f():\n    print('hi')"), graded_cell(PRINTED)], {}),
        (
            [
                answer("class P:\n    pass\n\ndef f():\n    return P()"),
                graded_cell("assert isinstance(f(), P)"),
            ],
            {},
        ),
        (
            [
                cell("%matplotlib inline\nimport math"),
                DOUBLE,
                graded_cell("assert f(2) == math.sqrt(16)"),
            ],
            {},
        ),
    ],
)
def test_an_idiom_of_other_courses_is_graded_in_two_kernels(
    cells: list[NotebookNode], files: dict[str, str], tmp_path: Path
) -> None:
    AnyCourse(tmp_path, *cells).beside(**files).hand_in("ada")
    result = only(graded(ASSIGNMENT))
    assert (result.score, result.kernels) == (2, "two kernels"), result


@pytest.mark.parametrize(
    "cells",
    [
        # source code
        [DOUBLE, graded_cell("import inspect\nassert 'return' in inspect.getsource(f)")],
        [DOUBLE, graded_cell("assert 'f' in globals()")],
        [answer("class P(int):\n    pass\n\nx = [P(1)]"), graded_cell("assert type(x[0]) is P")],
        # files of the answer
        [
            answer("open('o.txt', 'w').write('4')"),
            graded_cell("assert open('o.txt').read() == '4'"),
        ],
    ],
)
def test_what_two_kernels_cannot_run_is_graded_in_one_and_said(
    cells: list[NotebookNode], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    AnyCourse(tmp_path, *cells).hand_in("ada")
    result = only(graded(ASSIGNMENT))
    assert (result.score, result.kernels) == (2, "one kernel"), result
    assert [message for message in caplog.messages if "graded in one kernel" in message]


OWN_CLASS = """
class Number:
    def __init__(self, n):
        self.n = n
    def __eq__(self, other):
        return self.n == other

def f(x):
    return Number(2 * x)
"""


def test_what_only_a_submission_brings_is_run_again_in_one_kernel(tmp_path: Path) -> None:
    AnyCourse(tmp_path, DOUBLE, graded_cell("assert f(2) == 4")).hand_in("ada", answer=OWN_CLASS)
    result = only(graded(ASSIGNMENT))
    assert (result.score, result.kernels) == (2, "two kernels")
    assert "in one kernel" in result.cells[0].remark
    assert "kernel" not in result.cells[0].message


@pytest.mark.parametrize("how", [{"examiner": "always"}, {}])
def test_or_goes_to_a_person_where_two_kernels_are_demanded(
    how: dict[str, str], tmp_path: Path
) -> None:
    metadata = {} if how else {"examiner": "required"}
    course = AnyCourse(tmp_path, DOUBLE, graded_cell("assert f(2) == 4"), **metadata)
    course.hand_in("ada", answer=OWN_CLASS)
    (cell_result,) = only(graded(ASSIGNMENT, **how)).cells
    assert (cell_result.outcome, cell_result.points) == ("to be marked", None)
    assert "mark it by hand" in cell_result.remark
    assert "kernel" not in cell_result.message
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        (grade,) = gradebook.find_submission_notebook("problem1", ASSIGNMENT, "ada").grades
        assert grade.auto_score is None
        assert grade.needs_manual_grade


def test_the_metadata_of_a_notebook_may_ask_for_one_kernel(tmp_path: Path) -> None:
    AnyCourse(tmp_path, DOUBLE, graded_cell("assert f(2) == 4"), examiner="never").hand_in("ada")
    assert only(graded(ASSIGNMENT)).kernels == "one kernel"


def test_a_demand_that_is_none_is_named(tmp_path: Path) -> None:
    AnyCourse(tmp_path, DOUBLE, graded_cell("assert f(2) == 4"), examiner="perhaps").hand_in("ada")
    with pytest.raises(UsageError, match="perhaps"):
        graded(ASSIGNMENT)


def test_what_a_learner_changed_never_runs_beside_the_tests(tmp_path: Path) -> None:
    cells = cell("def near(a, b):\n    return a == b"), DOUBLE, graded_cell("assert near(f(2), 4)")
    AnyCourse(tmp_path, *cells).hand_in(
        "eve", ordinary="class T:\n    def __bool__(self):\n        return True\n\n"
        "def near(a, b):\n    return T()", answer="def f(x):\n    return 0",
    )  # fmt: skip
    result = only(graded(ASSIGNMENT, examiner="always"))
    assert result.score == 0


def test_a_file_of_the_learner_s_does_not_replace_the_instructor_s(tmp_path: Path) -> None:
    course = AnyCourse(
        tmp_path, DOUBLE, graded_cell("from helper import four\nassert f(2) == four")
    )
    course.beside(helper_py="four = 4")
    folder = course.hand_in("eve", answer="def f(x):\n    return 0")
    (folder / "helper.py").write_text("four = 0")
    (folder / "os.py").write_text("raise SystemExit")
    assert only(graded(ASSIGNMENT)).score == 0


WRITES = """
import os
os.mkdir("out")
open("out/predictions.csv", "w").write("1,2")
open("given.txt", "a").write(" and more")
open(".hidden", "w").write("x")
open("problem1.ipynb", "w").write("x")
open("large.bin", "wb").write(bytes(11 * 2**20))
os.symlink("/etc/passwd", "link.txt")
x = 1
"""


@pytest.mark.parametrize("examiner", ["auto", "never"])
def test_what_an_answer_wrote_is_kept_beside_its_graded_notebook(
    examiner: str, tmp_path: Path
) -> None:
    AnyCourse(tmp_path, answer("x = 1"), graded_cell("assert x == 1")).beside(
        given_txt="as given", other_txt="untouched"
    ).hand_in("ada", answer=WRITES)
    assert only(graded(ASSIGNMENT, examiner=examiner)).score == 2
    folder = tmp_path / "autograded" / "ada" / ASSIGNMENT
    found = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    assert found.keys() == {"problem1.ipynb", "out/predictions.csv", "given.txt", "other.txt"}
    assert found["out/predictions.csv"].read_text() == "1,2"
    assert found["given.txt"].read_text() == "as given and more"
    assert found["problem1.ipynb"].read_text().startswith("{")


def test_the_source_is_graded_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    course = AnyCourse(tmp_path, DOUBLE, graded_cell("assert f(2) == 4"))
    course.hand_in("ada")
    graded(ASSIGNMENT)
    kept = tmp_path / ".autograder" / f"{ASSIGNMENT}.json"
    before = kept.stat().st_mtime_ns
    graded(ASSIGNMENT, force=True)
    assert kept.stat().st_mtime_ns == before
    course.beside(data_txt="new")
    graded(ASSIGNMENT)
    assert kept.stat().st_mtime_ns > before


def test_what_the_instructor_s_answer_loses_is_said_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    AnyCourse(tmp_path, DOUBLE, graded_cell("assert f(2) == 5, 'it is five'")).hand_in("ada")
    graded(ASSIGNMENT)
    assert [
        m for m in caplog.messages if "gives the instructor's own answer 0 of 2: it is five" in m
    ]


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"kernelspec": {"name": "ir", "language": "R", "display_name": "R 4"}}, "R 4"),
        (
            {"kernelspec": {"name": "julia-1.9", "language": "julia", "display_name": "Julia"}},
            "Julia",
        ),
        ({"limits": [60]}, "no table of names and numbers"),
    ],
)
def test_a_notebook_that_cannot_be_graded_here_is_refused_by_name(
    metadata: dict[str, Any], says: str, tmp_path: Path
) -> None:
    AnyCourse(tmp_path, DOUBLE, graded_cell("assert f(2) == 4"), **metadata).hand_in("ada")
    with pytest.raises(UsageError, match=says):
        graded(ASSIGNMENT)


def test_metadata_without_a_grade_id_are_those_of_an_ordinary_cell(tmp_path: Path) -> None:
    updated = cell("import math")  # as `nbgrader update` leaves a cell of schema 1
    updated.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade": False,
        "solution": False,
        "locked": False,
    }
    AnyCourse(tmp_path, updated, DOUBLE, graded_cell("assert f(2) == math.sqrt(16)")).hand_in("ada")
    assert only(graded(ASSIGNMENT)).score == 2


def test_names_of_files_and_folders_may_be_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "course [2026] *?"
    folder.mkdir()
    monkeypatch.chdir(folder)
    course = AnyCourse(folder, DOUBLE, graded_cell("assert f(2) == 4"))
    (course.source / "data").mkdir()
    (course.source / "data" / "points.txt").write_text("4")
    submitted = course.hand_in("ada")
    Path(f"{submitted}/\udcff.txt").write_text("not UTF-8")
    (submitted / "data").write_text("a file where the assignment has a folder")
    assert only(graded(ASSIGNMENT)).score == 2


PLANTED = {
    "wrong answer": [
        answer("def f1(x):\n    return x", "a1"),
        graded_cell("assert f1(2) == 4", "t1"),
    ],
    "never fails": [
        answer("def f2():\n    return 1", "a2"),
        graded_cell("pass  # to be written", "t2"),
    ],
    "fails for all": [answer("def f3():\n    return 1", "a3"), graded_cell("f3 = undefined", "t3")],
    "passes without": [
        cell("x4 = 0\n### BEGIN SOLUTION\nx4 = 1\n### END SOLUTION", "a4", solution=True),
        graded_cell("assert x4 >= 0", "t4"),
    ],
    "too slow": [
        answer("def f5():\n    while True:\n        pass", "a5"),
        graded_cell("f5()", "t5"),
    ],
    "network": [answer("x6 = 1", "a6"), graded_cell("import urllib.request\nassert x6 == 1", "t6")],
    "writes": [answer("x7 = 1", "a7"), graded_cell("open('o', 'w').write(str(x7))", "t7")],
    "looks in": [answer("x8 = 1", "a8"), graded_cell("assert globals()['x8'] == 1", "t8")],
    "a cell fails": [cell("1 / 0"), answer("x9 = 1", "a9"), graded_cell("assert x9 == 1", "t9")],
    "an answer fails": [
        answer("x10 = 1\nx10.missing", "a10"),
        graded_cell("assert x10 == 1", "t10"),
    ],
}
FOUND = {
    "wrong answer": ("t1", "gives the instructor's own answer 0 of 2"),
    "never fails": ("t2", "gives 2 points to what students get"),
    "fails for all": ("t3", "NameError: name 'undefined' is not defined"),
    "passes without": ("t4", "gives 2 points to what students get"),
    "too slow": ("t5", "took longer than the time limit"),
    "network": ("t6", "uses the network"),
    "writes": ("t7", "writes a file"),
    "looks in": ("t8", "cannot be run in a kernel of its own"),
    "a cell fails": ("", "fails in the source: cell 17: error: '1 / 0'"),
    "an answer fails": ("", "fails in the source: cell 20: error"),
}


def test_check_finds_each_of_ten_planted_faults(tmp_path: Path) -> None:
    cells = [one for group in PLANTED.values() for one in group]
    AnyCourse(tmp_path, *cells, limits={"cell_seconds": 2})
    done = run_command("check", ASSIGNMENT, "--json", "found.json")
    assert done == 1
    findings = json.loads((tmp_path / "found.json").read_text())
    for name, (cell_name, text) in FOUND.items():
        assert [f for f in findings if f["cell"] == cell_name and text in f["text"]], (
            name,
            findings,
        )
    assert not (tmp_path / "autograded").exists()


def test_check_has_nothing_against_a_good_assignment(tmp_path: Path) -> None:
    AnyCourse(tmp_path, cell("import math"), DOUBLE, graded_cell("assert f(2) == math.sqrt(16)"))
    assert run_command("check", ASSIGNMENT, "--json", "found.json") == 0
    assert json.loads((tmp_path / "found.json").read_text()) == []


@pytest.mark.parametrize(
    ("shows", "answers", "status", "text"),
    [
        ("1 / 0", "def f(x):\n    return 2 * x", 1, "fails in the source: cell 1: error: '1 / 0'"),
        (
            "two = 2",
            "def f(x):\n    return two * x",
            0,
            "runs demonstrations, too: answer reads two",
        ),
    ],
)
def test_check_looks_at_demonstrations(
    shows: str, answers: str, status: int, text: str, tmp_path: Path
) -> None:
    ordinary = cell(shows)
    ordinary.metadata["demonstration"] = True
    AnyCourse(tmp_path, ordinary, answer(answers), graded_cell("assert f(2) == 4"))
    assert run_command("check", ASSIGNMENT, "--json", "found.json") == status
    (finding,) = json.loads((tmp_path / "found.json").read_text())
    assert finding["text"].startswith(text)


def run_command(*arguments: str) -> int:
    """Return the exit status of the command."""
    command = [str(BIN / "autograder"), *arguments]
    return subprocess.run(command, env=activated(), capture_output=True, check=False).returncode
