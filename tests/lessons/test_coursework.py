"""The coursework: a table for each student, carried errors, and whose work it is."""

from __future__ import annotations

import itertools
import shutil
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import nbformat
import pandas as pd
import pytest

from autograder.authoring.answer_bank import answered
from course.coursework import COLUMNS, ROWS, belongs, coursework_table
from tests.support.lessons import source
from tests.support.paths import ROOT
from tests.support.small_course import Course, points

LESSON = "10_coursework"
CLASS = [f"student-{k:02}" for k in range(50)]
TESTS = {  # those that depend on the variant, with their points
    "hidden-retrieval": 1,
    "test-filled_table": 2, "hidden-filled_table": 36,
    "test-coursework_net": 3, "hidden-coursework_net": 12,
    "test-last_pool": 2, "hidden-last_pool": 8,
    "test-small_net": 2, "hidden-small_net": 8,
    "test-papers": 3, "hidden-papers": 12,
}  # fmt: skip


EXERCISES = ("retrieval", "filled_table", "coursework_net", "last_pool", "small_net", "papers")


@cache
def cells() -> dict[str, str]:
    """Return the source of each cell of the lesson that has a grade_id."""
    return {cell["id"]: cell.source for cell in source(LESSON).cells if "nbgrader" in cell.metadata}


def solved_names(student: str) -> dict[str, Any]:
    """Return the names of a notebook in which `student` solved everything, before the tests."""
    names: dict[str, Any] = {"student": student}
    for cell in ("setup", "setup-retrieval", *EXERCISES):
        exec(cells()[cell], names)
    return names


def mark(names: dict[str, Any], test: str) -> float:
    """Return the mark that a test gives, 0 if none; raise its AssertionError.

    The names are those of a notebook, `__main__`: references stand for them there. A hidden test
    follows the visible one that makes them.
    """
    notebook = ModuleType("__main__")
    notebook.__dict__.update(names)
    for name, function in names.items():
        if hasattr(function, "__globals__") and function.__globals__.get("student") is not None:
            notebook.__dict__[name] = type(function)(function.__code__, notebook.__dict__, name)
    visible = test.replace("hidden-", "test-")
    with patch.dict(sys.modules, {"__main__": notebook}):
        if visible != test and "references = owner" in cells().get(visible, ""):
            exec(cells()[visible], notebook.__dict__)
        exec(cells()[test], notebook.__dict__)
    return float(notebook.__dict__.get("score", 0)) * test.startswith("hidden-")


@cache
def solved(student: str) -> pd.DataFrame:
    """Return the table of a student, filled in correctly."""
    table: pd.DataFrame = solved_names(student)["filled_table"]()
    return table


def out_sizes(table: pd.DataFrame) -> list[float]:
    """Return the output size of each layer before it is rounded down; each layer must fit."""
    n, raw = table.loc["Conv1", "n"], []
    for f, p, s in table.loc[ROWS[:8], ["f", "p", "s"]].itertuples(index=False):
        assert min(f, s) >= 1
        assert 0 <= p < f <= n + 2 * p
        raw.append((n + 2 * p - f) / s + 1)
        n = int(raw[-1])
    return raw


def test_a_class_of_fifty_has_fifty_tables() -> None:
    tables = [coursework_table(student) for student in ["", *CLASS]]
    assert len({table.to_json() for table in tables}) == 51


@pytest.mark.parametrize("student", ["", *CLASS])
def test_all_layers_of_a_table_fit_and_the_last_pool_alone_has_a_rest(student: str) -> None:
    table = coursework_table(student)
    raw = out_sizes(table)
    assert [row for row, size in zip(ROWS, raw, strict=False) if size % 1] == ["Pool3"]
    assert 3 <= raw[-1] < 6
    for pool, conv in (("Pool1", "Conv1"), ("Pool2", "Conv2"), ("Pool3", "Conv5")):
        assert table.loc[pool, "channels_out"] == table.loc[conv, "channels_out"]


def test_the_empty_id_has_the_table_of_slide_50() -> None:
    table = coursework_table("")
    sizes = table.loc[ROWS[:8], ["f", "p", "s", "channels_out"]].to_numpy().tolist()
    assert sizes == [
        [11, 0, 4, 48], [3, 0, 2, 48], [6, 2, 1, 128], [4, 0, 2, 128],
        [5, 2, 1, 192], [4, 1, 1, 192], [3, 1, 1, 128], [4, 0, 3, 128],
    ]  # fmt: skip
    assert table.loc["Conv1", ["n", "channels_in"]].tolist() == [227, 3]
    assert solved("").loc["Total", ["neurons", "parameters"]].tolist() == [356_872, 7_672_104]


def test_nothing_is_filled_in_but_what_the_slide_gives() -> None:
    table = coursework_table("ada")
    assert (list(table.index), list(table.columns)) == (ROWS, COLUMNS)
    assert int(table.notna().sum().sum()) == 2 + 8 * 4 + 3
    assert table.loc["Total"].isna().all()


def test_a_table_follows_from_the_id_alone() -> None:
    assert coursework_table(" Ada").equals(coursework_table("ada"))
    # On every machine and in every year: a student who returns gets the same table.
    assert coursework_table("ada").loc["Conv1", COLUMNS[:5]].tolist() == [256, 3, 11, 2, 3]


def test_an_id_is_a_text() -> None:
    with pytest.raises(ValueError, match="a text"):
        coursework_table(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("student", CLASS)
def test_each_table_is_right_by_its_own_tests(student: str) -> None:
    names = solved_names(student)
    for test in ("hidden-filled_table", "hidden-last_pool", "hidden-papers"):
        assert mark(names, test) == TESTS[test]


@pytest.mark.parametrize(
    ("student", "mistake"), zip(CLASS, itertools.cycle(["slip", "ceil", "biases"]), strict=False)
)
def test_what_follows_from_a_wrong_table_is_right_in_parts_c_and_e(
    student: str, mistake: str
) -> None:
    table = WRONG_TABLES[mistake](solved(student))
    names = by_hand(student, table)
    assert not table.equals(solved(student))
    assert mark(names, "hidden-last_pool") == 8
    assert mark(names, "hidden-papers") == 12


@pytest.mark.parametrize(("one", "other"), itertools.pairwise(CLASS))
def test_numbers_of_another_table_are_wrong_in_parts_c_and_e(one: str, other: str) -> None:
    names = by_hand(other, solved(other)) | {"student": one, "filled_table": solved(one).copy}
    for name in ("last_pool", "papers"):
        names[name] = by_hand(other, solved(other))[name]
    assert mark(names, "hidden-last_pool") < 8
    assert mark(names, "hidden-papers") < 12


def test_each_table_is_wrong_by_the_tests_of_any_other() -> None:
    for one, other in itertools.permutations(CLASS, 2):
        with pytest.raises(AssertionError, match="It was there"):
            mark(names_with_table(one, solved(other)), "test-filled_table")


@pytest.mark.slow
def test_no_table_earns_much_by_the_tests_of_another() -> None:
    pairs = list(itertools.pairwise(CLASS))
    marks = [mark(names_with_table(a, solved(b)), "hidden-filled_table") for a, b in pairs]
    assert max(marks) < 36


@pytest.mark.parametrize("student", CLASS[:5])
def test_all_parts_follow_the_table(student: str) -> None:
    names = solved_names(student)
    for test, most in TESTS.items():
        assert mark(names, test) == most * test.startswith("hidden")


def names_with_table(student: str, table: pd.DataFrame) -> dict[str, Any]:
    """Return the names of a notebook in which `student` has this table."""
    return shared() | {"student": student, "filled_table": table.copy}


@cache
def shared() -> dict[str, Any]:
    return solved_names("")


def carry(table: pd.DataFrame, first: str) -> pd.DataFrame:
    """Recompute all rows of `table` from `first` on, from the sizes that are there."""
    table = table.copy()
    start = ROWS.index(first)
    for above, row in itertools.pairwise(ROWS[start - 1 : 8]):
        f, p, s, filters = table.loc[row, ["f", "p", "s", "channels_out"]]
        n = table.loc[above, "out"]
        out = (n + 2 * p - f) // s + 1
        table.loc[row, ["n", "out", "neurons"]] = n, out, out * out * filters
    n = table.loc["Pool3", "neurons"]
    table.loc["FC1", ["n", "filter_plus_1"]] = n, n + 1
    table.loc["FC1", "parameters"] = (n + 1) * table.loc["FC1", "neurons"]
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


def with_slip(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a wrong size in Conv2, and all that follows from it."""
    table = table.copy()
    table.loc["Conv2", "out"] += 6
    table.loc["Conv2", "neurons"] = (
        table.loc["Conv2", "out"] ** 2 * table.loc["Conv2", "channels_out"]
    )
    return carry(table, "Pool2")


def rounded_up(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose last pool rounds up, and all that follows from it."""
    table = table.copy()
    table.loc["Pool3", "out"] += 1
    table.loc["Pool3", "neurons"] = (
        table.loc["Pool3", "out"] ** 2 * table.loc["Pool3", "channels_out"]
    )
    return carry(table, "FC1")


def without_biases(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that forgets every bias."""
    table = table.copy()
    for row in ROWS[:11]:
        if not row.startswith("Pool"):
            table.loc[row, "filter_plus_1"] -= 1
            outputs = table.loc[row, "channels_out" if row.startswith("Conv") else "neurons"]
            table.loc[row, "parameters"] = outputs * table.loc[row, "filter_plus_1"]
    table.loc["Total", "parameters"] = table["parameters"].iloc[:11].sum()
    return table


WRONG_TABLES = {"slip": with_slip, "ceil": rounded_up, "biases": without_biases}


def by_hand(student: str, table: pd.DataFrame) -> dict[str, Any]:
    """Return the names of a notebook with this table, and with what follows from it as numbers."""
    names = names_with_table(student, table)
    for name in ("last_pool", "papers"):
        follows: Any = names[name]
        result = type(follows)(follows.__code__, names, name)()
        names[name] = lambda result=result: result
    return names


@pytest.mark.parametrize("student", ["", *CLASS[:4]])
def test_a_wrong_row_costs_once(student: str, capsys: pytest.CaptureFixture[str]) -> None:
    table, carried = solved(student), with_slip(solved(student))
    assert carried.loc["Total", "parameters"] != table.loc["Total", "parameters"]
    assert mark(names_with_table(student, carried), "hidden-filled_table") == 35.5
    assert capsys.readouterr().out == "Conv2: out.\n"


def test_a_whole_wrong_row_costs_its_three_points(capsys: pytest.CaptureFixture[str]) -> None:
    table = solved("").copy()
    columns = ["n", "channels_in", "out", "neurons", "filter_plus_1", "parameters"]
    # One too many each, so that none follows from the one before.
    table.loc["Conv3", columns] = [20, 7, 99, 5, 11, 13]
    assert mark(names_with_table("", carry(table, "Conv4")), "hidden-filled_table") == 33
    assert capsys.readouterr().out == f"Conv3: {', '.join(columns)}.\n"


def test_an_empty_cell_costs_itself_alone() -> None:
    table = solved("").copy()
    table.loc["Pool2", "out"] = None
    assert mark(names_with_table("", table), "hidden-filled_table") == pytest.approx(36 - 0.6)


RULES = {
    "ceil": (32, "Rounding: which way"),
    "biases": (32, "Biases: has each filter"),
}


@pytest.mark.parametrize("student", ["", "ada"])
@pytest.mark.parametrize("mistake", RULES)
def test_a_wrong_rule_costs_four_points_and_is_named_without_a_number(
    student: str, mistake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = WRONG_TABLES[mistake](solved(student))
    points_left, words = RULES[mistake]
    assert mark(names_with_table(student, table), "hidden-filled_table") == points_left
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(words)


def test_wrong_rules_cost_at_most_half_and_a_made_up_table_all() -> None:
    student = "ada"
    made_up = solved(student).copy()
    for row in ROWS:
        for column in COLUMNS:
            if pd.isna(coursework_table(student).loc[row, column]) and pd.notna(
                made_up.loc[row, column]
            ):
                made_up.loc[row, column] = 7.5 + len(row) + COLUMNS.index(column)
    assert mark(names_with_table(student, made_up), "hidden-filled_table") <= 3
    two = without_biases(rounded_up(solved(student)))
    assert mark(names_with_table(student, two), "hidden-filled_table") == 28


FAULTS = [
    ("", {}, "is empty"),
    ("ada@example.org", {}, "an e-mail address"),
    ("Ada Lovelace", {"JUPYTERHUB_USER": "ada"}, "your account is 'ada'"),
    ("ben", {"JUPYTERHUB_USER": "ada"}, "your account is 'ada'"),
    ("ben", {"STUDENT": "Ada", "JUPYTERHUB_USER": "lea"}, "your account is 'Ada'"),
    (7, {}, "a text between quotes"),
    (" Ada ", {"JUPYTERHUB_USER": "ada"}, ""),
    ("ada", {"NBGRADER_EXECUTION": "autograde", "JUPYTERHUB_USER": "lea"}, ""),
    ("ada@example.org", {"STUDENT": "ada@example.org"}, ""),
    ("ben", {}, ""),
]


@pytest.mark.parametrize(("name", "environment", "words"), FAULTS)
def test_a_name_that_earns_nothing_is_reported_before_it_is_handed_in(
    name: object, environment: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("STUDENT", "JUPYTERHUB_USER", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(key, raising=False)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    fault = shared()["name_fault"](name)
    assert words in fault
    assert bool(fault) == bool(words)


def test_a_name_without_quotes_is_reported_by_the_tests_themselves() -> None:
    names = {key: value for key, value in shared().items() if key != "student"}
    with pytest.raises(AssertionError, match="Are both quotes around it"):
        mark(names, "test-papers")


def test_work_made_for_another_student_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    belongs("ben")  # unknown who submitted it
    monkeypatch.setenv("STUDENT", "Ada")
    belongs("ada ")
    with pytest.raises(
        AssertionError, match="coursework of 'ben', but 'Ada' handed it in"
    ) as error:
        belongs("ben")
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """A class of three: ada's own work, ada's handed in by ben, and cyd with one slip."""
    folder = tmp_path_factory.mktemp("coursework")
    for stage in ("source", "release"):
        shutil.copytree(ROOT / stage / LESSON, folder / stage / LESSON)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    for student, name in (("ada", "ada"), ("ben", "ada"), ("cyd", "cyd")):
        answers = {name: cells()[name] for name in EXERCISES}
        answers["student"] = f"student = {name!r}"
        if student == "cyd":
            slip = "    table.loc['Conv2', 'filter_plus_1'] += 1\n    return table"
            answers["filled_table"] = answers["filled_table"].replace("    return table", slip)
        hand_in(folder, student, answers)
    return Course(folder).grade(assignment=LESSON)


def hand_in(folder: Path, student: str, answers: dict[str, str]) -> None:
    released = nbformat.read(folder / "release" / LESSON / f"{LESSON}.ipynb", as_version=4)
    path = folder / "submitted" / student / LESSON / f"{LESSON}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(answered(released, answers), path)


@pytest.mark.slow
@pytest.mark.xdist_group("coursework")
class TestGraded:
    def test_own_work_earns_all_but_the_report(self, results: Any) -> None:
        assert points(results["ada"]) == TESTS | {"test-student": 1, "report": 0}
        assert results["ada"]["max_score"] == 100

    def test_another_s_work_loses_what_follows_the_variant(self, results: Any) -> None:
        assert points(results["ben"]) == dict.fromkeys([*TESTS, "test-student"], 0) | {"report": 0}
        messages = {cell["message"] for cell in results["ben"]["cells"][:-1]}
        assert messages == {
            "This is the coursework of 'ada', but 'ben' handed it in: each student has a table of "
            "their own, so this part earns nothing."
        }

    def test_a_part_of_the_marks_says_what_the_rest_was_lost_for(self, results: Any) -> None:
        assert points(results["cyd"])["hidden-filled_table"] < 36
        (cell,) = [c for c in results["cyd"]["cells"] if c["grade_id"] == "hidden-filled_table"]
        assert cell["outcome"] == "passed"
        assert cell["message"].startswith("35 of 36 points. Conv2: filter_plus_1, parameters.")
