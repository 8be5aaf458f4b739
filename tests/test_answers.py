"""The bank of answers: every test tells right from wrong, and is about its own mistake alone."""

from __future__ import annotations

from collections import Counter

import pytest
from conftest import LESSONS
from proofs import bank, lost, source, verdicts

from autograder.bank import Answer, answered, exercise_of, notebook_for
from autograder.execute import is_test

BANK = {name: bank(name) for name in LESSONS}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lesson", "answer"),
    [
        pytest.param(lesson, answer, id=f"{lesson}-{answer}")
        for lesson, answers in BANK.items()
        for answer in answers
    ],
)
def test_an_answer_loses_the_tests_about_its_mistake_and_only_those(
    lesson: str, answer: Answer
) -> None:
    found = verdicts(notebook_for(source(lesson), answer))
    assert found, "no test cell was run"
    assert lost(found).keys() == answer.loses, lost(found)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))  # each was tried alone; so many are tried together
@pytest.mark.parametrize("lesson", LESSONS)
def test_right_answers_stay_right_together(lesson: str, number: int) -> None:
    right: dict[str, list[str]] = {}
    for answer in BANK[lesson]:
        if answer.right:
            right.setdefault(answer.exercise, []).append(answer.source)
    chosen = {name: sources[number % len(sources)] for name, sources in right.items()}
    assert lost(verdicts(answered(source(lesson), chosen))) == {}


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_has_two_right_and_four_wrong_answers(lesson: str) -> None:
    counts = Counter((answer.exercise, answer.right) for answer in BANK[lesson])
    exercises = {exercise_of(cell) for cell in filter(is_test, source(lesson).cells)}
    few = {
        name: (counts[name, True], counts[name, False])
        for name in exercises
        if counts[name, True] < 2 or counts[name, False] < 4
    }
    assert not few, f"right and wrong answers by exercise: {few}"
    assert {exercise for exercise, _ in counts} <= exercises


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_test_cell_is_lost_by_some_wrong_answer(lesson: str) -> None:
    tests = {cell.metadata.nbgrader.grade_id for cell in filter(is_test, source(lesson).cells)}
    proven = set().union(*(answer.loses for answer in BANK[lesson]))
    assert tests == proven
