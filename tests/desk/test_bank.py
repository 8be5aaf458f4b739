"""Students' answers in the answer bank."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring.answer_bank import read_answers
from tests.support.term import Term, make_term

LESSON = "01_filters"
BANK = """\
# %% right slide: a loop
def slide(x):
    return [v for v in x]
"""


def disk_full(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def cell(source: str, grade_id: str, **more: Any) -> dict[str, Any]:
    verdict = {"verdict": more.pop("verdict")} if "verdict" in more else {}
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {"nbgrader": {"grade_id": grade_id, **more}, **verdict},
    }


def graded(term: Term, student: str, source: str, **outcomes: str) -> None:
    """Write graded work: an answer, and the outcomes of its tests."""
    folder = term.folder / "autograded" / student / LESSON
    folder.mkdir(parents=True)
    tests = [
        cell("assert", f"{kind}-slide", grade=True, verdict={"outcome": outcome, "message": ""})
        for kind, outcome in outcomes.items()
    ]
    other = cell("assert", "test-edge", grade=True, verdict={"outcome": "failed", "message": "no"})
    cells = [cell(source, "slide", solution=True), *tests, other]
    (folder / f"{LESSON}.ipynb").write_text(json.dumps({"cells": cells}))


@pytest.fixture
def term(tmp_path: Path) -> Term:
    term = make_term(tmp_path)
    (tmp_path / "answers").mkdir()
    term.write(f"answers/{LESSON}.py", BANK)
    graded(term, "ada", "def slide(x):\n    return list(x)", test="passed", hidden="passed")
    graded(term, "emmy", "def slide(x):\n    return x[1:]", test="passed", hidden="failed")
    return term


def add(term: Term, *command: str) -> Any:
    return term.run("bank", "add", LESSON, *command)


def test_a_right_and_a_wrong_answer_with_what_it_loses(term: Term) -> None:
    done = add(term, "slide", "emmy", "--title", "forgets the first, of all")
    assert done.exit_code == 0, done.stderr
    add(term, "slide", "ada", "--title", "a list")
    answers = read_answers(term.folder / "answers" / f"{LESSON}.py")
    assert [str(answer) for answer in answers] == [
        "right slide: a loop",
        "wrong slide: forgets the first, of all",
        "right slide: a list",
    ]
    assert answers[1].loses == {"hidden-slide"}
    assert answers[1].source == "def slide(x):\n    return x[1:]"
    assert "emmy" not in (term.folder / "answers" / f"{LESSON}.py").read_text()


def test_several_at_once_and_the_same_text_only_once(term: Term) -> None:
    graded(term, "shafi", "def slide(x):\n    return list(x)  ", test="passed", hidden="passed")
    done = add(term, "slide", "ada", "shafi", "--title", "a list")
    assert "shafi: the bank has this text: right slide: a list (1)" in done.stderr
    assert "1 added" in done.stderr


def test_an_answer_that_turned_out_right_before_it_is_graded_anew(term: Term) -> None:
    assert add(term, "slide", "emmy", "--right", "--title", "drops one").exit_code == 0
    answer = read_answers(term.folder / "answers" / f"{LESSON}.py")[1]
    assert (answer.right, answer.loses) == (True, frozenset())


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["slide", "ada"], "--title must say"),
        (["slide", "ada", "--title", 'x loses=["a"]'], "--title must say"),
        (["slid", "ada", "--title", "x"], "no exercise 'slid'; available: slide"),
        (["slide", "bob", "--title", "x"], "no graded work of 'bob'"),
        (["slide", "../ada", "--title", "x"], "no graded work of '../ada'"),
        (["slide", "ada", "--wrong", "--title", "x"], "passes all tests"),
        (["slide", "ada", "--bank", "none", "--title", "x"], "there is no none/01_filters.py"),
    ],
)
def test_a_wrong_request_is_one_line_and_changes_nothing(
    term: Term, command: list[str], says: str
) -> None:
    done = add(term, *command)
    assert done.exit_code == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (term.folder / "answers" / f"{LESSON}.py").read_text() == BANK


@pytest.mark.parametrize(
    "source", ["def slide(x):\n    return x\n\n# %% right slide: mine\nx = 1", "half = '\ud800'"]
)
def test_a_text_that_would_be_other_cells_is_refused(term: Term, source: str) -> None:
    graded(term, "eve", source, test="passed", hidden="passed")
    done = add(term, "slide", "eve", "--title", "x")
    assert done.exit_code == 2
    assert "would not read back as one cell" in done.stderr
    assert (term.folder / "answers" / f"{LESSON}.py").read_text() == BANK


def test_a_bank_that_is_broken_or_cannot_be_written_is_one_line(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = term.write(f"answers/{LESSON}.py", "# %% rihgt slide: x\nx = 1\n")
    done = add(term, "slide", "ada", "--title", "x")
    assert done.exit_code == 2
    assert "cannot be read: 01_filters.py: 'rihgt slide: x' is not" in done.stderr
    path.write_text(BANK)
    monkeypatch.setattr(Path, "replace", disk_full)
    done = add(term, "slide", "ada", "--title", "x")
    assert done.exit_code == 2
    assert "cannot be written: " in done.stderr
    assert path.read_text() == BANK
