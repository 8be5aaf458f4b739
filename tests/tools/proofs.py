"""What the answer bank proves of the tests: each mistake is caught, every right answer accepted.

    python -m tests.tools.proofs answers [LESSON ...]   each answer once: table and answers.json
    python -m tests.tools.proofs seeds [LESSON ...]     what is learnt, from five seeds
    python -m tests.tools.proofs kernels [LESSON ...]   the marks in two kernels and in one
    python -m tests.tools.proofs carried [LESSON ...]   what a mistake costs other exercises
    python -m tests.tools.proofs demonstrations [LESSON ...]  the marks with them and without

`answers` reduces a lesson to what tests an answer; with --run-all, all else runs, too. `kernels`
tries several answers in one notebook.

A test cell that trains seeds all generators, `check.seed(12)`, and compares what was learnt by
at_least() or at_most() of course.check. For `seeds` all seeds in it are moved.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from autograder.authoring.answer_bank import exercise_named
from autograder.execution.cells import LEFT_OUT
from autograder.execution.execute import local_executor
from autograder.terminal import progress
from tests.support.lessons import imported_by
from tests.support.paths import LESSONS
from tests.support.trials import (
    Group,
    Trial,
    both_ways,
    carried,
    carried_trials,
    groups,
    points_of,
    run,
    seeded_trials,
    submissions,
    trials,
    with_and_without,
)

Tried = TypeVar("Tried", Trial, Group)
Result = TypeVar("Result")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def run_all(
    lessons: Iterable[str], kind: Callable[[str], Iterator[Tried]], run: Callable[[Tried], Result]
) -> list[Result]:
    """Run the trials of lessons on all cores, and return the results."""
    chosen = [trial for lesson in lessons for trial in kind(lesson)]
    jobs, imports = os.cpu_count() or 1, imported_by({trial.lesson for trial in chosen})
    with local_executor(jobs, imports) as pool, progress("", len(chosen)) as step:
        waiting = [pool.submit(run, trial) for trial in chosen]
        outcomes = []
        for future in as_completed(waiting):
            outcomes.append(future.result())
            step()
    return outcomes


def report_failures(broken: Sequence[str]) -> None:
    """Print what does not hold, and exit with status 1 if anything does not."""
    for line in broken:
        Console(stderr=True).print(line, markup=False)
    if broken:
        raise typer.Exit(1)


Lessons = Annotated[list[str] | None, typer.Argument(help="Lessons; all if none.")]
RunAll = Annotated[bool, typer.Option("--run-all", help="Run the ordinary cells, too.")]


@app.command()
def answers(lessons: Lessons = None, everything: RunAll = False) -> None:
    """Wrong answers that are caught, and right ones that pass; writes answers.json."""
    outcomes = run_all(lessons or LESSONS, partial(trials, run_all=everything), run)
    counts: dict[str, dict[str, int]] = {}
    for name in sorted({outcome.trial.lesson for outcome in outcomes}):
        of_lesson = [o for o in outcomes if o.trial.lesson == name]
        wrong, right = (
            [o for o in of_lesson if o.trial.answer.right is kind] for kind in (False, True)
        )
        counts[name] = {
            "wrong": len(wrong),
            "caught": sum(o.holds for o in wrong),
            "right": len(right),
            "passed": sum(o.holds for o in right),
        }
    Path("answers.json").write_text(json.dumps(counts, indent=1) + "\n")
    table = Table("lesson", "wrong answers caught", "right answers passed")
    for name, n in counts.items():
        table.add_row(name, f"{n['caught']} of {n['wrong']}", f"{n['passed']} of {n['right']}")
    Console().print(table)
    report_failures([str(outcome) for outcome in outcomes if not outcome.holds])


@app.command()
def seeds(lessons: Lessons = None) -> None:
    """Answers to exercises that train, from five seeds; the smallest margins of right ones."""
    outcomes = run_all(lessons or LESSONS, seeded_trials, run)
    as_expected: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    room: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for outcome in outcomes:
        answer = outcome.trial.answer
        key = (outcome.trial.lesson, answer.exercise, str(answer))
        as_expected[key].append(outcome.holds)
        for what, left in outcome.margins if answer.right else ():
            room[key][what] = min(left, room[key].get(what, left))
    table = Table("lesson", "answer", "as expected", "smallest margins")
    for key in sorted(as_expected):
        margins = "; ".join(f"{what}: {left:+.3g}" for what, left in room[key].items())
        table.add_row(
            key[0], key[2], f"{sum(as_expected[key])} of {len(as_expected[key])}", margins
        )
    Console().print(table)
    report_failures([str(outcome) for outcome in outcomes if not outcome.holds])


@app.command(name="kernels")
def one_kernel_and_two(lessons: Lessons = None) -> None:
    """Answers, in groups that spoil no test of each other, that earn the same both ways."""
    outcomes = run_all(lessons or LESSONS, groups, both_ways)
    tried, equal = Counter[str](), Counter[str]()
    for group, one, two in outcomes:
        tried[group.lesson] += len(group.answers)
        different = {exercise_named(test) for test in one if one[test] != two[test]}
        equal[group.lesson] += sum(each.exercise not in different for each in group.answers)
    table = Table("lesson", "answers with equal marks")
    for name in sorted(tried):
        table.add_row(name, f"{equal[name]} of {tried[name]}")
    Console().print(table)
    report_failures(
        [
            f"{group.lesson}: {test} earns {one[test]} in one kernel, {two[test]} in two:"
            f" {[*map(str, group.answers)]}"
            for group, one, two in outcomes
            for test in one
            if one[test] != two[test]
        ]
    )


@app.command(name="carried")
def carried_marks(lessons: Lessons = None, every: bool = False) -> None:
    """Tests of other exercises that are lost where one exercise alone is answered wrongly.

    By the most typical wrong answer, or by --every one of the bank.
    """
    outcomes = run_all(lessons or LESSONS, partial(carried_trials, every=every), run)
    table = Table("lesson", "wrong answers to", "tried", "tests of others lost")
    others: dict[tuple[str, str], list[set[str]]] = defaultdict(list)
    for outcome in outcomes:
        key = (outcome.trial.lesson, outcome.trial.answer.exercise)
        others[key].append({*carried(outcome)})
    for key, lost in sorted(others.items()):
        table.add_row(*key, str(len(lost)), ", ".join(sorted(set().union(*lost))) or "none")
    Console().print(table)
    report_failures(
        [f"{o.trial.lesson}: {o.trial.answer}: {carried(o)}" for o in outcomes if carried(o)]
    )


@app.command()
def demonstrations(lessons: Lessons = None) -> None:
    """Whole notebooks that earn the same with demonstrations and without."""
    outcomes = run_all(lessons or LESSONS, submissions, with_and_without)
    table = Table("lesson", "notebooks with equal marks", "without any", "seconds with", "without")
    broken = []
    for name in sorted({group.lesson for group, _, _ in outcomes}):
        of_lesson = [each for each in outcomes if each[0].lesson == name]
        equal = [points_of(a) == points_of(b) for _, a, b in of_lesson]
        skips = sum(any(LEFT_OUT in c.metadata for c in b.cells) for _, _, b in of_lesson)
        seconds = [[n.metadata["seconds"] for n in notebooks] for _, *notebooks in of_lesson]
        times = [f"{sum(column) / len(column):.1f}" for column in zip(*seconds, strict=True)]
        table.add_row(name, f"{sum(equal)} of {len(equal)}", str(skips), *times)
        broken += [
            f"{name}: {[*map(str, group.answers)]}: {points_of(a)}, {points_of(b)}"
            for group, a, b in of_lesson
            if points_of(a) != points_of(b)
        ]
    Console().print(table)
    report_failures(broken)


if __name__ == "__main__":
    app()
