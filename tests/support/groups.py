"""Answers of the bank in groups: those of a group are tried in one notebook, as students submit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from nbgrader.utils import is_solution

from autograder.authoring.answer_bank import Answer, exercise_of, judged_by
from autograder.execution.cells import is_test
from tests.support.lessons import bank, source


def rounds(lesson: str) -> Iterator[list[Answer]]:
    """Yield right answers, one to each exercise that has one left, until all were tried."""
    right: dict[str, list[Answer]] = {}
    for answer in bank(lesson):
        if answer.right:
            right.setdefault(answer.exercise, []).append(answer)
    for number in range(max(map(len, right.values()))):
        yield [answers[number] for answers in right.values() if number < len(answers)]


def apart(lesson: str) -> list[list[Answer]]:
    """Return the wrong answers in groups, where no answer can spoil the tests of another."""
    groups: list[list[Answer]] = []
    for answer in bank(lesson):
        if not answer.right:
            for group in groups:
                if spoils_none(lesson, [*group, answer]):
                    group.append(answer)
                    break
            else:
                groups.append([answer])
    return groups


def spoils_none(lesson: str, answers: list[Answer]) -> bool:
    """Return whether each answer is judged by tests that depend on no other of these answers."""
    answered = {answer.exercise for answer in answers}
    return len(answered) == len(answers) and all(
        set().union(*(depends_on(lesson, name) for name in judged_by(answer))) & answered
        == {answer.exercise}
        for answer in answers
    )


@cache
def depends_on(lesson: str, exercise: str) -> set[str]:
    """Return an exercise, and all whose answers decide with it what its tests see."""
    found, front = {exercise}, {exercise}
    while front:
        front = set().union(*(unreplaced(lesson, name) for name in front)) - found
        found |= front
    return found


@cache
def unreplaced(lesson: str, exercise: str) -> set[str]:
    """Return the exercises that one needs, without those that its tests only replace.

    A test of `control` says check.using(evaluate=accuracy), and does not call evaluate() itself.
    """
    notebook = source(lesson)
    needed = set().union(
        *(
            cell.metadata.get("needs", ())
            for cell in notebook.cells
            if is_solution(cell) and exercise_of(cell) == exercise
        )
    )
    tests = [cell for cell in notebook.cells if is_test(cell) and exercise_of(cell) == exercise]
    nodes = [node for test in tests for node in ast.walk(ast.parse(test.source))]
    read = {node.id for node in nodes if isinstance(node, ast.Name)}
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    used = [call for call in calls if getattr(call.func, "attr", "") == "using"]
    replaced = {word.arg for call in used for word in call.keywords}
    return needed - (replaced - read)
