"""What is measured, and the results: plain data."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

# The systems: two baselines, the engine, and what no grader can be faster than.
SERIAL, PARALLEL, ENGINE, LOWER_BOUND = "stock", "stock, all cores", "engine", "lower bound"
SYSTEMS = (SERIAL, PARALLEL, ENGINE, LOWER_BOUND)
CORES = os.cpu_count() or 1
COUNTING, LENET = "03_counting", "04_lenet"

Marks = dict[str, dict[str, float]]  # by student: points by graded cell


@dataclass(frozen=True)
class Plan:
    """How much is measured: submissions per lesson, rounds, class sizes, kernel starts."""

    counting: int = 48
    lenet: int = 16
    rounds: int = 3
    sizes: tuple[int, ...] = (50, 200, 1000)
    kernels: int = 10

    @property
    def lessons(self) -> dict[str, tuple[str, int]]:
        """The lesson and its number of submissions, by its name in bench.json."""
        return {"lenet": (LENET, self.lenet), "counting": (COUNTING, self.counting)}

    @property
    def steps(self) -> int:
        """How often run_bench() calls `step`."""
        return len(self.lessons) * (2 + self.rounds * len(SYSTEMS)) + len(self.sizes) + 1


def order(number: int) -> list[str]:
    """Return the systems in their order in a round: each is first in turn."""
    first = number % len(SYSTEMS)
    return [*SYSTEMS[first:], *SYSTEMS[:first]]


QUICK = Plan(counting=2, lenet=2, rounds=1, sizes=(2, 4), kernels=3)


@dataclass(frozen=True)
class Run:
    """One run of a system.

    seconds  it took
    peak_mb  the most memory that the command's own process held
    marks    that it recorded
    log      its output; of the lower bound: a remark, or ""
    """

    seconds: float
    peak_mb: float = 0.0
    marks: Marks = field(default_factory=dict)
    log: str = ""


Round = dict[str, Run]  # by system


@dataclass(frozen=True)
class Bench:
    """All results of a benchmark.

    lessons      the rounds, by lesson
    growth       a run of the engine, by class size
    starts       seconds from the request of a kernel until it was ready
    unique       memory of a ready kernel that it shares with no other process, in MB
    two_kernels  time in two kernels over that in one, of each round, by lesson
    """

    plan: Plan
    lessons: dict[str, list[Round]]
    growth: dict[int, Run]
    starts: list[float]
    unique: list[float]
    two_kernels: dict[str, list[float]]
