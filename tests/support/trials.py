"""Answers of the bank, each tried in a notebook of its own: the tests it lost, and the margins."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import determine_grade, is_solution

from autograder.authoring.answer_bank import (
    Answer,
    answered,
    exercise_named,
    exercise_of,
    notebook_for,
)
from autograder.examiner.released import instructor_text
from autograder.execution.cells import is_test
from autograder.execution.execute import execute
from autograder.grading.pipeline import NotebookJob, Plan, grade_notebook
from autograder.grading.verdict import PASSED, VERDICT, judge
from autograder.limits import Limits, limits_of
from tests.support.groups import apart, rounds
from tests.support.lessons import bank, source

SEEDS = range(5)
SEED_STEP = 1000  # between the seeds of one run and those of the next
SEED = re.compile(r"((?:seed|default_rng|Random)\()(\d+)")
TRAINS = re.compile(r"^\s*(?:check\.|torch\.manual_)seed\(\d+\)", re.MULTILINE)
# Executed after the tests, as one of them: prints what at_least() and at_most() compared, with
# the margins.
MARGINS = """
import json
from course import check
print(json.dumps(check.margins()))
"""


@dataclass(frozen=True)
class Trial:
    """An answer, the notebook that judges it, and the tests of it that must be lost."""

    lesson: str
    answer: Answer
    notebook: NotebookNode
    expected: frozenset[str]
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """The tests that the answer of a trial lost, with messages; (what, margin) of each bound."""

    trial: Trial
    lost: dict[str, str]
    margins: list[list[Any]]

    @property
    def holds(self) -> bool:
        return self.lost.keys() == self.trial.expected

    def __str__(self) -> str:
        trial, lost = self.trial, self.lost or "nothing"
        wanted = ", ".join(sorted(trial.expected)) or "nothing"
        return (
            f"{trial.lesson}: {trial.answer}: should lose {wanted}, seed {trial.seed} lost {lost}"
        )


@dataclass(frozen=True)
class Group:
    """Answers that are handed in together; the lesson's own ones to the other exercises."""

    lesson: str
    answers: list[Answer]


def verdicts(notebook: NotebookNode) -> dict[str, dict[str, str]]:
    """Execute a notebook, and return the verdict on each of its tests."""
    return judged(execute(notebook, {}, Limits()))


def judged(notebook: NotebookNode) -> dict[str, dict[str, str]]:
    """Return the verdict on each test of an executed notebook."""
    judge(notebook)
    return {
        cell.metadata.nbgrader.grade_id: cell.metadata[VERDICT]
        for cell in filter(is_test, notebook.cells)
    }


def lost(verdicts: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the tests that did not earn all their marks, each with its outcome and message."""
    return {
        name: f"{verdict['outcome']}: {verdict['message']}"
        for name, verdict in verdicts.items()
        if verdict["outcome"] != PASSED or verdict["message"]  # a part of the marks
    }


def run(trial: Trial) -> Outcome:
    """Execute the notebook of a trial."""
    notebook = trial.notebook
    test = {"grade_id": "margins", "grade": True, "solution": False, "locked": True}
    metadata = {"nbgrader": test | {"points": 0, "schema_version": 3}}
    notebook.cells.append(nbformat.v4.new_code_cell(MARGINS, metadata=metadata))
    done = execute(notebook, {}, Limits())
    printed = "".join(output.get("text", "") for output in done.cells.pop().outputs)
    verdicts_by_test = judged(done)
    assert verdicts_by_test, f"{trial.lesson}: no test is about {trial.answer.exercise}"
    return Outcome(trial, lost(verdicts_by_test), json.loads(printed or "[]"))


def trials(lesson: str, run_all: bool = False) -> Iterator[Trial]:
    """Yield a trial of each answer of a lesson; with `run_all`, among all its ordinary cells."""
    notebook = source(lesson)
    for answer in bank(lesson):
        yield Trial(lesson, answer, notebook_for(notebook, answer, run_all=run_all), answer.loses)


def seeded_trials(lesson: str) -> Iterator[Trial]:
    """Yield a trial from every seed of each answer that is right, or caught by training."""
    notebook = source(lesson)
    for answer in bank(lesson):
        for seed in SEEDS:
            cut = reseeded(notebook_for(notebook, answer), seed)
            learnt = {c.metadata.nbgrader.grade_id for c in filter(is_test, cut.cells)}
            if learnt and (answer.right or learnt & answer.loses):
                yield Trial(lesson, answer, cut, answer.loses & learnt, seed)


def carried_trials(lesson: str, every: bool = False) -> Iterator[Trial]:
    """Yield the whole lesson, right but for one exercise, for each exercise.

    Its answer is the first wrong one of the bank, the most typical; or `every` one in turn.
    """
    notebook = source(lesson)
    tests = {exercise_of(cell) for cell in filter(is_test, notebook.cells)}
    right = {
        exercise_of(cell): Answer(
            True, exercise_of(cell), "of the lesson", cell.source, frozenset()
        )
        for cell in filter(is_solution, notebook.cells)
        if exercise_of(cell) in tests
    }
    tried: set[str] = set()
    for answer in bank(lesson):
        if not answer.right and (every or answer.exercise not in tried):
            tried.add(answer.exercise)
            answers = {**right, answer.exercise: answer}
            yield Trial(lesson, answer, notebook_for(notebook, *answers.values()), answer.loses)


def carried(outcome: Outcome) -> dict[str, str]:
    """Return the tests of other exercises that an answer lost, with messages."""
    exercise = outcome.trial.answer.exercise
    return {test: text for test, text in outcome.lost.items() if exercise_named(test) != exercise}


def reseeded(notebook: NotebookNode, seed: int) -> NotebookNode:
    """Return `notebook` with only the tests that train, their seeds moved by `seed` * SEED_STEP."""
    tests = [cell for cell in filter(is_test, notebook.cells) if TRAINS.search(cell.source)]
    for cell in tests:
        cell.source = SEED.sub(lambda m: f"{m[1]}{int(m[2]) + seed * SEED_STEP}", cell.source)
    notebook.cells = [cell for cell in notebook.cells if cell in tests or not is_test(cell)]
    return notebook


def both_ways(group: Group) -> tuple[Group, dict[str, float], dict[str, float]]:
    """Return a group, and the points of each test in one kernel and in two."""
    notebook = notebook_for(source(group.lesson), *group.answers)
    return group, points(notebook, one_kernel=True), points(notebook, one_kernel=False)


def points(notebook: NotebookNode, one_kernel: bool) -> dict[str, float]:
    """Return the points of each test of a notebook, executed in one kernel or two."""
    done = execute(copy.deepcopy(notebook), {}, Limits(), one_kernel)
    judge(done)
    return points_of(done)


def points_of(notebook: NotebookNode) -> dict[str, float]:
    """Return the points of each test of a judged notebook."""
    tests = filter(is_test, notebook.cells)
    return {cell.metadata.nbgrader.grade_id: determine_grade(cell)[0] for cell in tests}


def groups(lesson: str) -> Iterator[Group]:
    """Yield all answers of a lesson's bank, in groups."""
    for answers in (*apart(lesson), *rounds(lesson)):
        yield Group(lesson, answers)


def submissions(lesson: str) -> Iterator[Group]:
    """Yield the lesson's own answers, then all answers of its bank in groups."""
    yield Group(lesson, [])
    yield from groups(lesson)


def with_and_without(group: Group) -> tuple[Group, NotebookNode, NotebookNode]:
    """Return a group, and its whole notebook graded with demonstrations and without."""
    notebook = source(group.lesson)
    answers = {answer.exercise: answer.source for answer in group.answers}
    limits = limits_of(group.lesson, notebook.metadata, {})
    text = instructor_text(notebook.cells, {})
    with_all, without = (
        grade_notebook(
            NotebookJob(answered(notebook, answers), limits, Plan(run_all=run_all), text), {}
        )
        for run_all in (True, False)
    )
    return group, with_all, without
