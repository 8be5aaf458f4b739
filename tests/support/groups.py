"""Answers of the bank in groups: those of a group are tried in one notebook, as students submit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from autograder.authoring.answer_bank import Answer, judged_by, needs
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
    """Return an exercise and all that it depends on."""
    return {exercise} | needs(source(lesson), {exercise})
