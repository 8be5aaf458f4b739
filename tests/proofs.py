"""What the bank of answers proves of the tests: each mistake caught, everything right accepted.

    python tests/proofs.py answers [LESSON ...]    each answer once: table and answers.json
    python tests/proofs.py seeds [LESSON ...]      what is learnt, from five seeds, with margins
    python tests/proofs.py kernels [LESSON ...]    each answer's marks with the examiner and without

A test cell that trains sets all dice, `check.seed(12)`, and compares what was learnt by at_least()
or at_most() of course.check. For `seeds` all seeds in it are moved.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import nbformat
import typer
from conftest import LESSONS, ROOT, imported_by
from nbformat import NotebookNode
from nbgrader.utils import determine_grade
from rich.console import Console
from rich.table import Table

from autograder.authoring.answer_bank import Answer, notebook_for, read_answers
from autograder.authoring.build import notebook_path
from autograder.cli import progress
from autograder.execution.execute import execute, is_test, kernels
from autograder.grading.verdict import PASSED, VERDICT, judge
from autograder.limits import Limits

SEEDS = range(5)
FAR = 1000  # between the seeds of one run and those of the next
SEED = re.compile(r"((?:seed|default_rng|Random)\()(\d+)")
TRAINS = re.compile(r"^(?:check\.|torch\.manual_)seed\(\d+\)", re.MULTILINE)
# Executed after the tests, as one of them: what at_least() and at_most() compared, and how far it
# was off.
MARGINS = """
import json
from course import check
print(json.dumps(check.margins()))
"""

Found = TypeVar("Found")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


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
    """The tests that the answer of a trial lost, with their words; (what, room) of each margin."""

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


@cache
def source(lesson: str) -> NotebookNode:
    """A lesson with its solutions, as it was built: read once for all its answers."""
    return nbformat.read(notebook_path(ROOT / "source", lesson), as_version=4)


def bank(lesson: str) -> list[Answer]:
    """The answers of a lesson."""
    return read_answers(ROOT / "answers" / f"{lesson}.py")


def verdicts(notebook: NotebookNode) -> dict[str, dict[str, str]]:
    """Execute a notebook; the verdict on each of its tests."""
    return judged(execute(notebook, {}, Limits()))


def judged(notebook: NotebookNode) -> dict[str, dict[str, str]]:
    """The verdict on each test of an executed notebook."""
    judge(notebook)
    return {
        cell.metadata.nbgrader.grade_id: cell.metadata[VERDICT]
        for cell in filter(is_test, notebook.cells)
    }


def lost(verdicts: dict[str, dict[str, str]]) -> dict[str, str]:
    """Those tests that did not earn all their marks, and what was said."""
    return {
        name: f"{said['outcome']}: {said['message']}"
        for name, said in verdicts.items()
        if said["outcome"] != PASSED or said["message"]  # a part of the marks
    }


def run(trial: Trial) -> Outcome:
    """Execute a trial's notebook."""
    notebook = trial.notebook
    test = {"grade_id": "margins", "grade": True, "solution": False, "locked": True}
    metadata = {"nbgrader": test | {"points": 0, "schema_version": 3}}
    notebook.cells.append(nbformat.v4.new_code_cell(MARGINS, metadata=metadata))
    done = execute(notebook, {}, Limits())
    said = "".join(output.get("text", "") for output in done.cells.pop().outputs)
    found = judged(done)
    assert found, f"{trial.lesson}: no test is about {trial.answer.exercise}"
    return Outcome(trial, lost(found), json.loads(said or "[]"))


def trials(lesson: str) -> Iterator[Trial]:
    """Each answer of a lesson once."""
    notebook = source(lesson)
    for answer in bank(lesson):
        yield Trial(lesson, answer, notebook_for(notebook, answer), answer.loses)


def seeded_trials(lesson: str) -> Iterator[Trial]:
    """Each answer that concerns training, from every seed: right ones, and those caught by it."""
    notebook = source(lesson)
    for answer in bank(lesson):
        for seed in SEEDS:
            cut = reseeded(notebook_for(notebook, answer), seed)
            learnt = {c.metadata.nbgrader.grade_id for c in filter(is_test, cut.cells)}
            if learnt and (answer.right or learnt & answer.loses):
                yield Trial(lesson, answer, cut, answer.loses & learnt, seed)


def reseeded(notebook: NotebookNode, seed: int) -> NotebookNode:
    """`notebook` with those of its tests alone that train, their seeds moved by `seed` * FAR."""
    tests = [cell for cell in filter(is_test, notebook.cells) if TRAINS.search(cell.source)]
    for cell in tests:
        cell.source = SEED.sub(lambda m: f"{m[1]}{int(m[2]) + seed * FAR}", cell.source)
    notebook.cells = [cell for cell in notebook.cells if cell in tests or not is_test(cell)]
    return notebook


def both_ways(trial: Trial) -> tuple[Trial, dict[str, float], dict[str, float]]:
    """A trial, and the points of each test where one kernel runs all and where two do."""
    return trial, points(trial, one_kernel=True), points(trial, one_kernel=False)


def points(trial: Trial, one_kernel: bool) -> dict[str, float]:
    """What each test of an executed trial earns."""
    done = execute(copy.deepcopy(trial.notebook), {}, Limits(), one_kernel)
    judge(done)
    tests = filter(is_test, done.cells)
    return {cell.metadata.nbgrader.grade_id: determine_grade(cell)[0] for cell in tests}


def run_all(
    lessons: Iterable[str], kind: Callable[[str], Iterator[Trial]], run: Callable[[Trial], Found]
) -> list[Found]:
    """Run the trials of lessons, on all cores."""
    chosen = [trial for lesson in lessons for trial in kind(lesson)]
    jobs, imports = os.cpu_count() or 1, imported_by({trial.lesson for trial in chosen})
    with kernels(jobs, imports) as pool, progress("", len(chosen)) as step:
        waiting = [pool.submit(run, trial) for trial in chosen]
        outcomes = []
        for future in as_completed(waiting):
            outcomes.append(future.result())
            step()
    return outcomes


def tell(broken: Sequence[str]) -> None:
    """Name what does not hold, and leave with status 1 if anything does not."""
    for line in broken:
        Console(stderr=True).print(line, markup=False)
    if broken:
        raise typer.Exit(1)


Lessons = Annotated[list[str] | None, typer.Argument(help="Lessons; all if none.")]


@app.command()
def answers(lessons: Lessons = None) -> None:
    """Wrong answers that are caught, and right ones that pass; writes answers.json."""
    outcomes = run_all(lessons or LESSONS, trials, run)
    counts: dict[str, dict[str, int]] = {}
    for name in sorted({outcome.trial.lesson for outcome in outcomes}):
        own = [o for o in outcomes if o.trial.lesson == name]
        wrong, right = ([o for o in own if o.trial.answer.right is kind] for kind in (False, True))
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
    tell([str(outcome) for outcome in outcomes if not outcome.holds])


@app.command()
def seeds(lessons: Lessons = None) -> None:
    """Answers to exercises that train, from five seeds; the least room of right ones to a bound."""
    outcomes = run_all(lessons or LESSONS, seeded_trials, run)
    held: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    room: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for outcome in outcomes:
        answer = outcome.trial.answer
        key = (outcome.trial.lesson, answer.exercise, str(answer))
        held[key].append(outcome.holds)
        for what, left in outcome.margins if answer.right else ():
            room[key][what] = min(left, room[key].get(what, left))
    table = Table("lesson", "answer", "as it should", "least room to a bound")
    for key in sorted(held):
        words = "; ".join(f"{what}: {left:+.3g}" for what, left in room[key].items())
        table.add_row(key[0], key[2], f"{sum(held[key])} of {len(held[key])}", words)
    Console().print(table)
    tell([str(outcome) for outcome in outcomes if not outcome.holds])


@app.command(name="kernels")
def with_and_without_the_examiner(lessons: Lessons = None) -> None:
    """Answers whose tests earn the same in one kernel as with the examiner's."""
    found = run_all(lessons or LESSONS, trials, both_ways)
    tried = Counter(trial.lesson for trial, _, _ in found)
    equal = Counter(trial.lesson for trial, one, two in found if one == two)
    table = Table("lesson", "answers with equal marks")
    for name in sorted(tried):
        table.add_row(name, f"{equal[name]} of {tried[name]}")
    Console().print(table)
    tell([f"{t.lesson}: {t.answer}: {one}, {two}" for t, one, two in found if one != two])


if __name__ == "__main__":
    app()
