"""The answer bank: every test tells right from wrong, and judges only its own mistake.

Several answers are tried in one notebook, as a student submits them. `make answers` tries each
one alone.
"""

from __future__ import annotations

from collections import Counter

import pytest
from nbformat import NotebookNode

from autograder.authoring.answer_bank import Answer, exercise_named, notebook_for, recognise
from autograder.execution.cells import is_test
from tests.support.groups import apart, rounds
from tests.support.lessons import bank, released, source
from tests.support.paths import LESSONS
from tests.support.trials import lost, verdicts

pytestmark = pytest.mark.usefixtures("warm_kernels")

BANK = {name: bank(name) for name in LESSONS}


def names_of_tests(lesson: str) -> set[str]:
    """Return the names of the test cells of a lesson."""
    return {cell.metadata.nbgrader.grade_id for cell in filter(is_test, source(lesson).cells)}


def tested(lesson: str) -> set[str]:
    """Return the exercises of a lesson that have a test."""
    return {exercise_named(name) for name in names_of_tests(lesson)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lesson", "answers"),
    [pytest.param(name, group, id=name) for name in LESSONS for group in apart(name)],
)
def test_wrong_answers_lose_the_tests_about_their_mistakes_and_only_those(
    lesson: str, answers: list[Answer]
) -> None:
    results = lost(verdicts(notebook_for(source(lesson), *answers)))
    assert results.keys() == set().union(*(answer.loses for answer in answers)), (answers, results)
    named = recognise(BANK[lesson], results)
    assert named == {a.exercise: a.misconception.text for a in answers if a.misconception}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lesson", "answers"),
    [pytest.param(name, group, id=name) for name in LESSONS for group in rounds(name)],
)
def test_right_answers_lose_nothing(lesson: str, answers: list[Answer]) -> None:
    results = verdicts(notebook_for(source(lesson), *answers))
    assert results, "no test cell was run"
    assert lost(results) == {}


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_has_right_and_wrong_answers(lesson: str) -> None:
    right, wrong = (2, 4) if lesson[:2] == "08" else (3, 8)
    counts = Counter((answer.exercise, answer.right) for answer in BANK[lesson])
    few = {
        name: (counts[name, True], counts[name, False])
        for name in tested(lesson)
        if counts[name, True] < right or counts[name, False] < wrong
    }
    assert not few, f"right and wrong answers by exercise: {few}"
    assert {exercise for exercise, _ in counts} <= tested(lesson)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_test_cell_is_lost_by_some_wrong_answer(lesson: str) -> None:
    proven = set().union(*(answer.loses for answer in BANK[lesson]))
    assert names_of_tests(lesson) == proven


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_said_of_a_mistake_shows_no_line_of_a_solution_or_hidden_test(lesson: str) -> None:
    text = "\n".join(a.misconception.text for a in BANK[lesson] if a.misconception)
    secret = lines_of(source(lesson)) - lines_of(released(lesson))
    assert secret
    assert [line for line in secret if len(line) >= 8 and line in text] == []


def lines_of(notebook: NotebookNode) -> set[str]:
    """Return the lines of the code cells of a notebook."""
    code = (cell.source for cell in notebook.cells if cell.cell_type == "code")
    return {line.strip() for source in code for line in source.splitlines()}
