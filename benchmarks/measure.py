"""The measurement: rounds of all systems on each class, then the engine by itself."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from autograder.errors import UsageError
from benchmarks.classes import LIGHT, fresh_copy, make_class, make_light_class
from benchmarks.commands import grade
from benchmarks.engine import modules, start_kernels, two_kernels
from benchmarks.lower_bound import lower_bound
from benchmarks.plan import COUNTING, ENGINE, LOWER_BOUND, Bench, Plan, Round, Run, order


def run_bench(root: Path, plan: Plan, step: Callable[[], None]) -> Bench:
    """Return all results, measured in a scratch folder; `step` is called `plan.steps` times.

    Raise UsageError outside the repository, LessonError where a system could not grade.
    """
    if not (root / "answers").is_dir():
        raise UsageError(f"no answer bank in {root}: run this in the repository of the course")
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        lessons, ratios = {}, {}
        for name, (lesson, size) in plan.lessons.items():
            make_class(root, folder / name, lesson, size)
            lessons[name] = compare(folder / name, lesson, plan.rounds, step)
            ratios[name] = two_kernels(folder / name, lesson, plan.rounds)
            step()
        make_light_class(root, folder / "light", max(plan.sizes))
        growth = grow(folder / "light", plan.sizes, step)
        starts, unique = start_kernels(modules(folder / "counting", COUNTING), plan.kernels)
        step()
    return Bench(plan, lessons, growth, starts, unique, ratios)


def compare(course: Path, lesson: str, rounds: int, step: Callable[[], None]) -> list[Round]:
    """Return the rounds in which all systems grade the class of `course`, each in another order.

    The engine grades it once before anything is measured: then all files are in memory, and its
    notebooks hold the cells for the lower bound.
    """
    results: list[Round] = []
    with fresh_copy(course) as graded:
        grade(ENGINE, graded, lesson)
        notebooks = sorted((graded / "autograded").glob(f"*/{lesson}/*.ipynb"))
        step()
        for number in range(rounds):
            runs: Round = {}
            for system in order(number):
                if system == LOWER_BOUND:
                    runs[system] = lower_bound(notebooks, modules(course, lesson))
                else:
                    runs[system] = grade_copy(system, course, lesson)
                step()
            results.append(runs)
    return results


def grade_copy(system: str, course: Path, lesson: str, size: int | None = None) -> Run:
    """Return the run of a system on a fresh copy of `course`, or of its first `size` students."""
    with fresh_copy(course, size) as folder:
        return grade(system, folder, lesson)


def grow(course: Path, sizes: Sequence[int], step: Callable[[], None]) -> dict[int, Run]:
    """Return the engine's run for each class size, on the first students of `course`."""
    runs = {}
    for size in sizes:
        runs[size] = grade_copy(ENGINE, course, LIGHT, size)
        step()
    return runs
