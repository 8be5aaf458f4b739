"""The coursework: a table for each student, carried errors, and whose work it is."""

from __future__ import annotations

import itertools
import shutil
from functools import cache
from pathlib import Path
from typing import Any

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
    "test-filled_table": 4, "hidden-filled_table": 36,
    "test-coursework_net": 3, "hidden-coursework_net": 12,
    "test-last_pool": 2, "hidden-last_pool": 8,
    "test-small_net": 2, "hidden-small_net": 8,
    "test-papers": 3, "hidden-papers": 12,
}  # fmt: skip


EXERCISES = ("filled_table", "coursework_net", "last_pool", "small_net", "papers")


@cache
def cells() -> dict[str, str]:
    """Return the source of each cell of the lesson that has a grade_id."""
    return {cell["id"]: cell.source for cell in source(LESSON).cells if "nbgrader" in cell.metadata}


def solved_names(student: str) -> dict[str, Any]:
    """Return the names of a notebook in which `student` solved everything, before the tests."""
    names: dict[str, Any] = {"student": student}
    for cell in ("setup", *EXERCISES):
        exec(cells()[cell], names)
    return names


def mark(names: dict[str, Any], test: str) -> float:
    """Return the mark that a test gives, 0 if none; raise its AssertionError."""
    bound = dict(names)
    exec(cells()[test], bound)
    return float(bound.get("score", 0))


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
    for test in ("test-filled_table", "hidden-filled_table"):
        assert mark(names, test) == TESTS[test] * test.startswith("hidden")


def test_each_table_is_wrong_by_the_tests_of_any_other() -> None:
    for one, other in itertools.permutations(CLASS, 2):
        with pytest.raises(AssertionError, match="It is given"):
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


@pytest.mark.parametrize("student", ["", *CLASS[:4]])
def test_a_wrong_row_costs_once(student: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = solved(student).copy()
    table.loc["Conv2", "out"] += 6
    table.loc["Conv2", "neurons"] = (
        table.loc["Conv2", "out"] ** 2 * table.loc["Conv2", "channels_out"]
    )
    carried = carry(table, "Pool2")
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


@pytest.mark.parametrize("student", ["", "ada"])
def test_a_known_wrong_total_is_named(student: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = solved(student).copy()
    table.loc["Pool3", "out"] += 1
    table.loc["Pool3", "neurons"] = (
        table.loc["Pool3", "out"] ** 2 * table.loc["Pool3", "channels_out"]
    )
    table.loc["FC1", "n"] = table.loc["Pool3", "neurons"]
    table.loc["FC1", "filter_plus_1"] = table.loc["FC1", "n"] + 1
    table.loc["FC1", "parameters"] = table.loc["FC1", "neurons"] * table.loc["FC1", "filter_plus_1"]
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    if not student:
        assert table.loc["Total", ["neurons", "parameters"]].tolist() == [357_768, 9_105_704]
    assert mark(names_with_table(student, table), "hidden-filled_table") == 35.4
    assert "Did you round up in the last pool?" in capsys.readouterr().out


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
        assert points(results["ada"]) == TESTS | {"report": 0}
        assert results["ada"]["max_score"] == 100

    def test_another_s_work_loses_what_follows_the_variant(self, results: Any) -> None:
        assert points(results["ben"]) == dict.fromkeys(TESTS, 0) | {"report": 0}
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
