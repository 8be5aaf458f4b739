"""The figures of a benchmark: ratios, bench.json, tables and remarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from benchmarks.plan import (
    CORES,
    GRADER,
    LOWER_BOUND,
    PARALLEL,
    RUN_ALL,
    SERIAL,
    SYSTEMS,
    Bench,
    Round,
    Run,
)


@dataclass(frozen=True)
class Spread:
    """The minimum, median and maximum of some rounds."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of `values`, of which there is at least one."""
        return cls(min(values), median(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.most:.2f})"


def ratios(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return what the seconds of one round say about the grader, by the keys of bench.json.

    vs_serial, vs_parallel  how many times faster it is than the two baselines
    of_limit                the lower bound over its time: the share that no grader could save
    overhead                how many times less it adds to the lower bound than stock on all cores
    vs_run_all              how many times faster it is than with all demonstrations
    """
    grader, bound = seconds[GRADER], seconds[LOWER_BOUND]
    return {
        "vs_serial": seconds[SERIAL] / grader,
        "vs_parallel": seconds[PARALLEL] / grader,
        "of_limit": bound / grader,
        "overhead": (seconds[PARALLEL] - bound) / (grader - bound),
        "vs_run_all": seconds[RUN_ALL] / grader,
    }


def spreads(rounds: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """Return the spread of each ratio over the rounds, given as seconds by system."""
    by_round = [ratios(seconds) for seconds in rounds]
    return {key: Spread.of([values[key] for values in by_round]) for key in by_round[0]}


def seconds_of(rounds: Sequence[Round]) -> list[dict[str, float]]:
    """Return the seconds by system, of each round."""
    return [{system: run.seconds for system, run in runs.items()} for runs in rounds]


def cost(growth: Mapping[int, Run]) -> dict[int, float]:
    """Return the seconds per submission, by class size."""
    return {size: run.seconds / size for size, run in growth.items()}


def as_json(bench: Bench) -> dict[str, object]:
    """Return the medians, as in bench.json; what was not measured is absent."""
    result: dict[str, object] = {
        name: {key: round(value.median, 4) for key, value in spreads(seconds_of(rounds)).items()}
        for name, rounds in bench.classes.items()
    }
    if bench.student:
        result["one_student"] = round(bench.student[GRADER] / bench.student[SERIAL], 4)
    if bench.growth:
        costs, least, most = cost(bench.growth), min(bench.growth), max(bench.growth)
        coordinator = bench.growth[most].peak_mb - bench.growth[least].peak_mb
        result["growth_1000"] = round(costs[most] / costs[least], 4)
        result["coordinator_mb"] = round(coordinator, 2)
    values = {
        "kernel_mb": bench.unique,
        "fork_s": bench.starts,
        "first_result_s": bench.first,
        "immediate_s": bench.immediate,
        **{f"examiner_{name}": ratios for name, ratios in bench.two_kernels.items()},
    }
    return result | {name: round(median(of), 4) for name, of in values.items() if of}


def remarks(bench: Bench) -> list[str]:
    """Return whether all systems gave the same marks, and what else qualifies the figures."""
    lines = []
    for name, rounds in bench.classes.items():
        wrong = set().union(*(differing(rounds, system) for system in (SERIAL, GRADER, RUN_ALL)))
        lines.append(
            f"{name}: same marks: " + (f"no: {', '.join(sorted(wrong))}" if wrong else "yes")
        )
        if lost := differing(rounds, PARALLEL):
            locked = any("database is locked" in runs[PARALLEL].log for runs in rounds)
            why = ": its gradebook was locked" if locked else ""
            lines.append(
                f"{name}: {PARALLEL}: no or other marks for {', '.join(sorted(lost))}{why}"
            )
        if other := {runs[LOWER_BOUND].log for runs in rounds} - {""}:
            lines.append(f"{name}: {LOWER_BOUND}: {'; '.join(sorted(other))}")
    if bench.unique and not any(bench.unique):
        lines.append("this user may not read the memory of a kernel: 0 stands for unknown")
    return lines


def differing(rounds: Sequence[Round], system: str) -> set[str]:
    """Return the students to whom a system did not always give the marks of stock's first run."""
    stock = rounds[0][SERIAL].marks
    return {
        student
        for runs in rounds
        for student in {*stock, *runs[system].marks}
        if runs[system].marks.get(student) != stock.get(student)
    }


def tables(bench: Bench) -> list[Table]:
    """Return the tables of ratios, seconds, class sizes and single figures."""
    return [ratio_table(bench), seconds_table(bench), growth_table(bench), single_table(bench)]


def size_of(bench: Bench, name: str) -> int:
    """Return how many submissions a class handed in."""
    return len(bench.classes[name][0][SERIAL].marks)


def ratio_table(bench: Bench) -> Table:
    """Return how the grader compares, by class."""
    columns = (
        *("faster than stock", "than stock, all cores", "of the bound"),
        *("overhead: times less", "than with --run-all"),
    )
    title = f"The grader on {CORES} cores: median (min to max)"
    table = Table("class", "submissions", *columns, title=title)
    for name, rounds in bench.classes.items():
        values = [str(value) for value in spreads(seconds_of(rounds)).values()]
        table.add_row(name, str(size_of(bench, name)), *values)
    return table


def seconds_table(bench: Bench) -> Table:
    """Return the time of each system in a round."""
    columns = ("seconds", "seconds per submission", "peak MB of the command")
    table = Table("class", "system", *columns, title="One round: median (min to max)")
    for name, rounds in bench.classes.items():
        for system in SYSTEMS:
            runs = [by_system[system] for by_system in rounds]
            seconds = Spread.of([run.seconds for run in runs])
            each = seconds.median / size_of(bench, name)
            peak = f"{median(run.peak_mb for run in runs):.0f}" if system == GRADER else ""
            table.add_row(name, system, str(seconds), f"{each:.2f}", peak)
    for system, value in bench.student.items():
        table.add_row("one student's course", system, f"{value:.1f}", "", "")
    return table


def growth_table(bench: Bench) -> Table:
    """Return the grader's cost of a light submission, by class size."""
    columns = ("seconds", "seconds per submission", "peak MB of the grader")
    table = Table("submissions", *columns, title="Light submissions")
    for size, each in cost(bench.growth).items():
        run = bench.growth[size]
        table.add_row(str(size), f"{run.seconds:.1f}", f"{each:.3f}", f"{run.peak_mb:.0f}")
    return table


def single_table(bench: Bench) -> Table:
    """Return what was measured of a kernel, of one submission and of one hand-in."""
    table = Table("", "median (min to max)", title="One kernel, one submission, one hand-in")
    rows = {
        "seconds from the request of a kernel until it is ready": bench.starts,
        "MB of memory shared with no process, when ready": bench.unique,
        "seconds of `autograder grade` for one submission of 03": bench.first,
        "seconds from a hand-in of 03 until its feedback, with `watch`": bench.immediate,
        **{f"{n}: time in two kernels over that in one": r for n, r in bench.two_kernels.items()},
    }
    for name, values in rows.items():
        if values:
            table.add_row(name, str(Spread.of(values)))
    return table
