"""A test is changed after collection: who changes, why, and that nothing typed by hand is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner, Result

from autograder.desk import backup, marks, person, regrade
from autograder.desk.regrade import Comparison, after, as_json, rows_by_exercise, rows_by_student
from autograder.errors import GraderError, UsageError
from autograder.execution.execute import kernel_server
from autograder.grading import rejudge
from autograder.grading.coordinator import GradingRequest
from autograder.grading.course import open_course, prepare
from autograder.grading.regrades import CellMark, notes_for, read_cells, read_regrades
from tests.support.any_course import graded_cell
from tests.support.in_process import InThisThread, graded
from tests.support.small_course import LESSON, RIGHT, make_course, with_double, with_greeting
from tests.support.term import app, make_term

pytestmark = [
    # The class is graded once, so its tests belong to one worker.
    pytest.mark.xdist_group("regrade"),
    # nbgrader 0.9.6 adds submissions in an order that SQLAlchemy 2 warns about; the rows are right.
    pytest.mark.filterwarnings("ignore:Object of type .* not in session"),
]
CLASS = {
    "ada": RIGHT,
    "ben": with_double("def double(x):\n    return x + 2"),
    "cyd": with_greeting("def greet():\n    return 'hi'"),
}
REASON = "hidden-double was <b>wrong</b>."


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'gradebook.db'}"


@contextmanager
def opened(folder: Path) -> Iterator[Gradebook]:
    with Gradebook(url(folder)) as gradebook:
        yield gradebook
    gradebook.engine.dispose()


def change(folder: Path) -> None:
    """Change the source: a hidden test takes the wrong answer, one is worth less, one is new,

    one that a person had marked is removed.
    """
    path = folder / "source" / LESSON / f"{LESSON}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    hidden = cells["hidden-double"]
    hidden.source = hidden.source.replace("double(3)", "double(2)").replace("== 6", "== 4")
    cells["test-greet"].metadata.nbgrader["points"] = 5
    greet = cells["test-greet"].source
    greet = greet.replace('"hi": 1.5', '"hi": 1').replace('"hello": 4', '"hello": 5')
    cells["test-greet"].source = greet
    new = graded_cell("assert double(5) == 10, '[bold]not\\x07 doubled'", "test-new")
    notebook.cells.insert(notebook.cells.index(hidden) + 1, new)
    notebook.cells.remove(cells["test-double"])
    nbformat.write(notebook, path)


def typed(folder: Path) -> None:
    """Type what persons type: points, extra credit, comments on an essay and on an answer."""
    with opened(folder) as gradebook:
        for cell, values in {
            "essay": {"manual_score": 2.5, "needs_manual_grade": False},
            "test-double": {"manual_score": 0.5, "needs_manual_grade": False},
            "hidden-double": {"extra_credit": 0.25},
        }.items():
            grade = gradebook.find_grade(cell, LESSON, LESSON, "ben")
            for name, value in values.items():
                setattr(grade, name, value)
        for cell in ("essay", "double"):
            comment = gradebook.find_comment(cell, LESSON, LESSON, "ben")
            comment.manual_comment = f"On {cell}: see me."
        gradebook.db.commit()


@pytest.fixture(scope="module")
def judged_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regrade")
    course = make_course(folder)
    for student, answers in CLASS.items():
        course.hand_in(student, answers)
    with chdir(folder):
        graded(LESSON)
        typed(folder)
        change(folder)
        (folder / "feedback" / "ben" / LESSON).mkdir(parents=True)
        compared(folder)
    return folder


@pytest.fixture
def folder(judged_once: Path, tmp_path: Path) -> Path:
    """A course that was graded, whose source was changed, and graded beside the marks."""
    shutil.copytree(judged_once, tmp_path, dirs_exist_ok=True)
    return tmp_path


def compared(folder: Path, **options: Any) -> Comparison:
    """Grade anew, beside the marks."""
    with chdir(folder):
        course = open_course()
        kernel_server(())
        with marks.open_gradebook(course) as gradebook:
            request = GradingRequest([LESSON])
            return regrade.regrade(course, gradebook, LESSON, request, InThisThread(), **options)


def applied(folder: Path, **options: Any) -> Comparison:
    comparison = compared(folder, **options)
    with chdir(folder):
        regrade.apply(open_course(), comparison, REASON)
    return comparison


def cells_of(folder: Path, student: str) -> dict[str, CellMark]:
    with opened(folder) as gradebook:
        return {name: mark for (_, name), mark in read_cells(gradebook, LESSON)[student].items()}


def state(folder: Path) -> dict[str, bytes]:
    """Return all files of the course but those of the scratch course."""
    return {
        str(path): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".autograder" not in path.parts
    }


def test_who_changes_and_why_is_shown_before_anything_is_written(folder: Path) -> None:
    before = state(folder)
    comparison = compared(folder)
    assert rows_by_exercise(comparison) == [
        ("hidden-double", "changed", "1", "0", "2"),
        ("test-double", "removed", "0", "3", "-2.5"),
        ("test-greet", "points 4 -> 5", "2", "1", "1.5"),
        ("test-new", "new", "2", "0", "4"),
    ]
    rows = {row[0]: row[1:] for row in rows_by_student(comparison)}
    assert {name: row[:2] for name, row in rows.items()} == {
        "ada": ("7 / 10", "9 / 12"),
        "ben": ("7.25 / 10", "9.75 / 12"),
        "cyd": ("4.5 / 10", "5 / 12"),
    }
    assert "test-new: new, failed: [bold]not\\x07 doubled" in rows["ben"][2]
    assert "hidden-double: passed" in rows["ben"][2]
    assert "points 4 -> 5" in rows["cyd"][2]
    assert comparison.changed == ["hidden-double", "test-double", "test-greet", "test-new"]
    assert len(as_json(comparison)) == len(comparison.changes)
    assert state(folder) == before


def test_it_writes_what_it_showed_and_keeps_what_persons_typed(folder: Path) -> None:
    comparison = applied(folder)
    for each in comparison.marks:
        expected = {name: new for (_, name), (_, new) in each.cells.items() if new}
        assert cells_of(folder, each.student) == expected
    ben = cells_of(folder, "ben")
    assert (ben["essay"].manual, ben["essay"].comment) == (2.5, "On essay: see me.")
    assert not ben["essay"].waiting
    assert (ben["hidden-double"].auto, ben["hidden-double"].extra) == (2, 0.25)
    assert ben["double"].comment == "On double: see me."
    assert "test-double" not in ben
    notebook = (folder / "autograded" / "ben" / LESSON / f"{LESSON}.ipynb").read_text()
    assert "test-new" in notebook
    assert not (folder / "feedback" / "ben" / LESSON).exists()
    with opened(folder) as gradebook:
        entry = gradebook.find_submission_notebook(LESSON, LESSON, "ben")
        assert (entry.score, entry.max_score) == (9.75, 12)


def test_old_marks_and_the_reason_are_kept_also_of_a_cell_that_is_gone(folder: Path) -> None:
    applied(folder)
    with opened(folder) as gradebook:
        ((kept,),) = read_regrades(gradebook, student="ben", assignment=LESSON).values()
    assert kept.reason == REASON
    gone, nothing = kept.cells[LESSON, "test-double"]
    assert gone is not None
    assert (gone.manual, gone.auto, nothing) == (0.5, 1, None)


def test_the_student_reads_it_in_feedback(folder: Path) -> None:
    applied(folder)
    (note,) = notes_for(url(folder), "ben", LESSON, LESSON)
    assert REASON in note
    assert "hidden-double 0.25 before, 2.25 now" in note
    assert "test-double no longer counts (it had 0.5)" in note
    assert "test-new is new: 0 of 2" in note
    assert "double: see me" not in note


def test_once_applied_nothing_changes_and_the_next_grade_keeps_it(folder: Path) -> None:
    applied(folder)
    with chdir(folder):
        assert {result.status for result in graded(LESSON)} == {"kept"}
    assert applied(folder).changes == []
    with opened(folder) as gradebook:
        assert {len(each) for each in read_regrades(gradebook).values()} == {1}


def test_never_lower_keeps_the_old_mark_as_one_given_by_hand(folder: Path) -> None:
    applied(folder, never_lower=True)
    greet = cells_of(folder, "cyd")["test-greet"]
    assert (greet.auto, greet.manual, greet.score) == (1, 1.5, 1.5)
    assert cells_of(folder, "ada")["test-greet"].manual is None


def test_grade_does_not_judge_by_a_changed_test_unless_it_is_asked_to(folder: Path) -> None:
    before = state(folder)
    with chdir(folder):
        with pytest.raises(
            UsageError, match=r"hidden-double, .* changed in source/ since"
        ) as error:
            prepare(open_course(), LESSON)
        assert f"`autograder regrade {LESSON}`" in str(error.value)
    assert state(folder) == before


def test_a_changed_test_is_noticed_in_a_folder_of_any_name(
    judged_once: Path, tmp_path: Path
) -> None:
    shutil.copytree(judged_once, tmp_path / "course [2026]")
    with chdir(tmp_path / "course [2026]"), pytest.raises(UsageError, match="hidden-double"):
        prepare(open_course(), LESSON)


def test_a_test_that_nbgrader_has_replaced_in_the_gradebook_counts_as_changed(
    folder: Path,
) -> None:
    with opened(folder) as gradebook:
        cell = gradebook.find_source_cell("hidden-double", LESSON, LESSON)
        cell.checksum = "of generate_assignment"
        gradebook.db.commit()
    with chdir(folder), pytest.raises(UsageError, match="hidden-double"):
        prepare(open_course(), LESSON)


def test_a_submission_that_cannot_be_graded_keeps_its_marks(folder: Path) -> None:
    (folder / "submitted" / "ben" / LESSON / f"{LESSON}.ipynb").write_text("{")
    comparison = applied(folder)
    assert [result.student for result in comparison.refused] == ["ben"]
    ben = cells_of(folder, "ben")
    assert ben["hidden-double"].auto == 0
    assert ben["essay"].manual == 2.5
    with opened(folder) as gradebook:
        ((kept,),) = read_regrades(gradebook, student="ben").values()
    assert {key[1] for key in kept.cells} == {"test-double"}  # what it has is kept as well


def test_who_has_no_marks_gets_none_and_who_has_no_files_keeps_them(folder: Path) -> None:
    submitted = folder / "submitted"
    shutil.copytree(submitted / "ada", submitted / "dropped")
    shutil.rmtree(submitted / "cyd")
    comparison = compared(folder)
    assert [each.student for each in comparison.marks] == ["ada", "ben"]
    assert comparison.absent == ["cyd"]


def test_marks_that_change_meanwhile_are_not_written_over(folder: Path) -> None:
    comparison = compared(folder)
    with opened(folder) as gradebook:
        gradebook.find_grade("essay", LESSON, LESSON, "ada").manual_score = 3
        gradebook.db.commit()
    with chdir(folder), pytest.raises(UsageError, match="ada's marks were changed meanwhile"):
        regrade.apply(open_course(), comparison, REASON)
    assert cells_of(folder, "ada")["essay"].manual == 3
    assert "test-double" in cells_of(folder, "ben")


def test_a_full_disk_is_one_line_and_the_next_run_finishes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(rejudge.shutil, "copytree", full)
        with pytest.raises(GraderError, match=r"No space left on device.*run the command again"):
            applied(folder)
    assert (folder / "autograded" / "ben" / LESSON / f"{LESSON}.ipynb").exists()
    applied(folder)
    assert "test-new" in (folder / "autograded/ben" / LESSON / f"{LESSON}.ipynb").read_text()


def test_a_locked_gradebook_is_one_line_and_nothing_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison, before = compared(folder), cells_of(folder, "ben")
    monkeypatch.setattr(regrade, "LOCK_SECONDS", 0.1)
    other = sqlite3.connect(folder / "gradebook.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    # SQLite waits five seconds by itself.
    monkeypatch.setattr(sqlite3.dbapi2, "connect", no_wait(sqlite3.connect))
    with pytest.raises(UsageError, match="the gradebook cannot be used, nothing was changed"):
        apply_in(folder, comparison)
    other.execute("ROLLBACK")
    other.close()
    assert cells_of(folder, "ben") == before


def apply_in(folder: Path, comparison: Comparison) -> None:
    """Apply as the command does."""
    with chdir(folder), marks.open_gradebook(open_course()):
        regrade.apply(open_course(), comparison, REASON)


def no_wait(connect: Any) -> Any:
    """Return sqlite3.connect without a timeout."""
    return lambda *args, **kwargs: connect(*args, **{**kwargs, "timeout": 0.01})


def test_a_backup_has_it_and_a_student_who_is_forgotten_has_not(folder: Path) -> None:
    applied(folder)
    with chdir(folder):
        course = open_course()
        with marks.open_gradebook(course) as gradebook:
            assert backup.dump(gradebook)[1]["autograder_regrade"] == 3
            records = person.records_of(course, gradebook, "ben")
            assert person.data_of(gradebook, records)["regrades"][LESSON][0]["reason"] == REASON
            (folder / ".autograder" / "regrade" / LESSON).mkdir(parents=True)
            person.forget(course, gradebook, records)
            assert ("ben", LESSON) not in read_regrades(gradebook)
    assert not (folder / ".autograder" / "regrade").exists()


def run(folder: Path, *command: str) -> Result:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(app, ["regrade", *command])
    finally:
        os.chdir(before)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["03_counting"], "no assignment '03_counting'; available: 01_filters"),
        (["../01_filters"], "available: 01_filters"),
        (["01_filters"], "nothing of 01_filters was graded yet"),
        (["01_filters", "--apply"], "--apply needs --reason"),
        (["01_filters", "--apply", "--reason", " \n"], "--apply needs --reason"),
    ],
)
def test_a_wrong_request_is_one_line(tmp_path: Path, command: list[str], says: str) -> None:
    make_term(tmp_path)
    done = run(tmp_path, *command)
    assert done.exit_code == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_line(folder: Path) -> None:
    shutil.rmtree(folder / ".autograder")
    (folder / ".autograder").write_text("a file")
    with pytest.raises(UsageError, match=r"regrade.* cannot be written: "):
        compared(folder)


class TestMark:
    """What becomes of the mark of one cell."""

    def test_a_test_decides_where_no_person_has(self) -> None:
        assert after(CellMark(2, 5), 3, 4, never_lower=False) == CellMark(3, 4)

    def test_what_was_typed_stays_and_waits_for_another_look(self) -> None:
        old = CellMark(0, 2, manual=1, extra=0.5, comment="well argued")
        assert after(old, 2, 2, never_lower=False) == CellMark(
            2, 2, manual=1, extra=0.5, waiting=True, comment="well argued"
        )
        assert not after(old, 0, 2, never_lower=False).waiting

    def test_an_essay_that_waits_goes_on_waiting_and_one_that_is_marked_does_not(self) -> None:
        assert after(CellMark(None, 3, waiting=True), None, 3, never_lower=False).waiting
        assert not after(CellMark(None, 3, manual=2), None, 3, never_lower=False).waiting

    @pytest.mark.parametrize(
        ("old", "points", "most", "manual"), [(2, 0, 5, 2), (5, 0, 3, 3), (2, 3, 5, None)]
    )
    def test_never_lower(self, old: float, points: float, most: float, manual: float) -> None:
        assert after(CellMark(old, 5), points, most, never_lower=True).manual == manual

    def test_a_test_that_cannot_be_run_any_more_goes_to_a_person(self) -> None:
        assert after(CellMark(2, 2), None, 2, never_lower=False).waiting
