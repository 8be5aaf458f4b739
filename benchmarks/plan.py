"""What is measured, and the results: plain data."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

# The systems: two baselines, the grader, the grader with all demonstrations, and what no grader can
# be faster than.
SERIAL, PARALLEL, GRADER = "stock", "stock, all cores", "grader"
RUN_ALL, LOWER_BOUND = "grader --run-all", "lower bound"
SYSTEMS = (SERIAL, PARALLEL, GRADER, RUN_ALL, LOWER_BOUND)
CORES = os.cpu_count() or 1
COUNTING, LENET = "03_counting", "04_lenet"

Marks = dict[str, dict[str, float]]  # by student and lesson: points by graded cell


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    course     submissions of each lesson of the whole course; 0: it is not measured
    counting   submissions of lesson 03, a light one
    lenet      submissions of lesson 04, which trains; of both, `rounds` rounds
    sizes      classes of the smallest lesson; none: growth and kernels are not measured
    kernels    kernel starts
    immediate  hand-ins that `autograder watch` answers
    """

    course: int = 6
    counting: int = 48
    lenet: int = 16
    rounds: int = 1
    sizes: tuple[int, ...] = (50, 1000)
    kernels: int = 10
    immediate: int = 5

    @property
    def lessons(self) -> dict[str, tuple[str, int]]:
        """The lesson and its number of submissions, by its name in bench.json."""
        each = {"counting": (COUNTING, self.counting), "lenet": (LENET, self.lenet)}
        return {name: (lesson, size) for name, (lesson, size) in each.items() if size}


# `make bench-course`: the whole course alone.
COURSE = Plan(counting=0, lenet=0, sizes=(), kernels=0, immediate=0)
QUICK = Plan(course=1, counting=2, lenet=2, sizes=(2, 4), kernels=3, immediate=1)


def order(number: int) -> list[str]:
    """Return the systems in their order in a round: each is first in turn."""
    first = number % len(SYSTEMS)
    return [*SYSTEMS[first:], *SYSTEMS[:first]]


@dataclass(frozen=True)
class Run:
    """One run of a system.

    seconds  it took
    peak_mb  the most memory that the command's own process held
    cpu_s    processor time of that process
    marks    that it recorded
    log      its output; of the lower bound: a remark, or ""
    """

    seconds: float
    peak_mb: float = 0.0
    marks: Marks = field(default_factory=dict)
    log: str = ""
    cpu_s: float = 0.0


Round = dict[str, Run]  # by system


@dataclass(frozen=True)
class Bench:
    """All results of a benchmark; what the plan leaves out is empty.

    classes      the rounds, by class: counting, lenet and course
    student      seconds for one student's whole course, by system: stock, and the grader's one job
    growth       a run of the grader, by class size
    starts       seconds from the request of a kernel until it was ready
    unique       memory of a ready kernel that it shares with no other process, in MB
    two_kernels  time in two kernels over that in one, of each round, by lesson
    first        seconds of `autograder grade 03_counting` for one submission
    immediate    seconds from a hand-in until its feedback can be fetched, with `watch` running
    """

    plan: Plan
    classes: dict[str, list[Round]]
    student: dict[str, float]
    growth: dict[int, Run]
    starts: list[float]
    unique: list[float]
    two_kernels: dict[str, list[float]]
    first: list[float]
    immediate: list[float]
