"""The measurement: rounds of all systems on each class, then the grader by itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from autograder.errors import UsageError
from autograder.grading.source_check import FOLDER
from benchmarks.classes import LIGHT, fresh_copy, make_class, make_light_class
from benchmarks.commands import grade
from benchmarks.engine import modules, start_kernels, two_kernels
from benchmarks.immediate import answer_hand_ins
from benchmarks.lower_bound import lower_bound
from benchmarks.plan import (
    COUNTING,
    GRADER,
    LOWER_BOUND,
    SERIAL,
    SYSTEMS,
    Bench,
    Plan,
    Round,
    Run,
    order,
)

PARTS = 3  # of the course: in each, the systems follow one another


def run_bench(root: Path, plan: Plan, report: Callable[[str], None]) -> Bench:
    """Return all results, measured in a scratch folder; `report` is called with what comes next.

    Raise UsageError outside the repository, LessonError where a system could not grade.
    """
    if not (root / "answers").is_dir():
        raise UsageError(f"no answer bank in {root}: run this in the repository of the course")
    bench = Bench(plan, {}, {}, {}, [], [], {}, [], [])
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        for name, (lesson, size) in plan.lessons.items():
            course = make_class(root, folder / name, [lesson], size)
            bench.classes[name] = compare(course, [lesson], plan.rounds, report)
            report(f"{name}: one kernel and two")
            bench.two_kernels[name] = two_kernels(course, lesson, plan.rounds)
        if plan.course:
            measure_course(root, folder / "course", bench, report)
        if plan.sizes:
            make_light_class(root, folder / "light", max(plan.sizes))
            bench.growth.update(grow(folder / "light", plan.sizes, report))
        if plan.kernels:
            report("kernels")
            starts, unique = start_kernels(modules(folder / "counting", [COUNTING]), plan.kernels)
            bench.starts.extend(starts)
            bench.unique.extend(unique)
        if plan.immediate:
            report("one submission")
            for _ in range(plan.immediate):
                bench.first.append(grade_copy(GRADER, folder / "counting", [COUNTING], 1).seconds)
            report("hand-ins that watch answers")
            with fresh_copy(folder / "counting") as watched:
                bench.immediate.extend(answer_hand_ins(watched, COUNTING, plan.immediate))
    return bench


def measure_course(root: Path, folder: Path, bench: Bench, report: Callable[[str], None]) -> None:
    """Measure the whole course: a class in parts of some lessons each, then one student alone."""
    lessons = sorted(path.stem for path in (root / "lessons").glob("*.py"))
    course = make_class(root, folder, lessons, bench.plan.course)
    parts = [
        compare(course, lessons[number::PARTS], 1, report, first=number)[0]
        for number in range(PARTS)
    ]
    bench.classes["course"] = [total(parts)]
    for system, options in ((SERIAL, ()), (GRADER, ("--jobs", "1"))):
        report(f"one student, all lessons: {system}")
        bench.student[system] = grade_copy(system, course, lessons, 1, *options).seconds


def total(parts: Sequence[Round]) -> Round:
    """Return the sums of some rounds, of other lessons each."""
    return {
        system: Run(
            sum(part[system].seconds for part in parts),
            max(part[system].peak_mb for part in parts),
            {key: marks for part in parts for key, marks in part[system].marks.items()},
            "; ".join(sorted({part[system].log for part in parts} - {""})),
        )
        for system in SYSTEMS
    }


def compare(
    course: Path, lessons: Sequence[str], rounds: int, report: Callable[[str], None], first: int = 0
) -> list[Round]:
    """Return the rounds in which all systems grade a class, each in another order.

    The grader grades it once before anything is measured: then all files are in memory, its
    notebooks hold the cells for the lower bound, and the instructor's answers, which it grades once
    per assignment, are graded.
    """
    results: list[Round] = []
    label = ", ".join(name[:2] for name in lessons)
    with fresh_copy(course) as graded:
        report(f"{label}: a first run")
        grade(GRADER, graded, lessons)
        shutil.copytree(graded / FOLDER, course / FOLDER, dirs_exist_ok=True)
        notebooks = sorted(
            path for name in lessons for path in graded.glob(f"autograded/*/{name}/*.ipynb")
        )
        for number in range(rounds):
            runs: Round = {}
            for system in order(first + number):
                report(f"{label}: {system}")
                if system == LOWER_BOUND:
                    runs[system] = lower_bound(notebooks, modules(course, lessons))
                else:
                    runs[system] = grade_copy(system, course, lessons)
            results.append(runs)
    return results


def keep_source_checks(course: Path, lessons: Sequence[str], copy: Path) -> None:
    """Grade a copy of `course`, and keep in it what was learnt of the instructor's answers."""
    grade(GRADER, copy, lessons)
    shutil.copytree(copy / FOLDER, course / FOLDER, dirs_exist_ok=True)


def grade_copy(
    system: str, course: Path, lessons: Sequence[str], size: int | None = None, *options: str
) -> Run:
    """Return the run of a system on a fresh copy of `course`, or of its first `size` students."""
    with fresh_copy(course, size) as folder:
        return grade(system, folder, lessons, *options)


def grow(course: Path, sizes: Sequence[int], report: Callable[[str], None]) -> dict[int, Run]:
    """Return the grader's run for each class size, on the first students of `course`."""
    runs = {}
    for size in sizes:
        report(f"{size} light submissions")
        runs[size] = grade_copy(GRADER, course, [LIGHT], size)
    return runs
