"""The figures of a benchmark: ratios, bench.json, tables and remarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from benchmarks.plan import CORES, ENGINE, LOWER_BOUND, PARALLEL, SERIAL, SYSTEMS, Bench, Round, Run


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
    """Return what the seconds of one round say about the engine, by the keys of bench.json.

    vs_serial, vs_parallel  how many times faster it is than the two baselines
    of_limit                the lower bound over its time: the share that no grader could save
    overhead                how many times less it adds to the lower bound than stock on all cores
    """
    engine, bound = seconds[ENGINE], seconds[LOWER_BOUND]
    return {
        "vs_serial": seconds[SERIAL] / engine,
        "vs_parallel": seconds[PARALLEL] / engine,
        "of_limit": bound / engine,
        "overhead": (seconds[PARALLEL] - bound) / (engine - bound),
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
    """Return the medians, as in bench.json."""
    costs, least, most = cost(bench.growth), min(bench.growth), max(bench.growth)
    result: dict[str, object] = {
        name: {key: round(value.median, 4) for key, value in spreads(seconds_of(rounds)).items()}
        for name, rounds in bench.lessons.items()
    }
    coordinator = bench.growth[most].peak_mb - bench.growth[least].peak_mb
    return result | {
        "growth_1000": round(costs[most] / costs[least], 4),
        "kernel_mb": round(median(bench.unique), 2),
        "coordinator_mb": round(coordinator, 2),
        "fork_s": round(median(bench.starts), 4),
        **{f"examiner_{name}": round(median(r), 4) for name, r in bench.two_kernels.items()},
    }


def remarks(bench: Bench) -> list[str]:
    """Return whether all systems gave the same marks, and what else qualifies the figures."""
    lines = []
    for name, rounds in bench.lessons.items():
        wrong = differing(rounds, SERIAL) | differing(rounds, ENGINE)
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
    if not any(bench.unique):
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
    """Return the tables of ratios, seconds, class sizes and kernels."""
    return [ratio_table(bench), seconds_table(bench), growth_table(bench), kernel_table(bench)]


def ratio_table(bench: Bench) -> Table:
    """Return how the engine compares, by lesson."""
    columns = ("faster than stock", "than stock, all cores", "of the bound", "overhead: times less")
    title = f"The engine, {bench.plan.rounds} rounds on {CORES} cores: median (min to max)"
    table = Table("lesson", "submissions", *columns, title=title)
    for name, rounds in bench.lessons.items():
        values = [str(value) for value in spreads(seconds_of(rounds)).values()]
        table.add_row(name, str(bench.plan.lessons[name][1]), *values)
    return table


def seconds_table(bench: Bench) -> Table:
    """Return the time of each system in a round."""
    columns = ("seconds", "seconds per submission", "peak MB of the command")
    table = Table("lesson", "system", *columns, title="One round: median (min to max)")
    for name, rounds in bench.lessons.items():
        for system in SYSTEMS:
            runs = [by_system[system] for by_system in rounds]
            seconds = Spread.of([run.seconds for run in runs])
            each = seconds.median / bench.plan.lessons[name][1]
            peak = f"{median(run.peak_mb for run in runs):.0f}" if system == ENGINE else ""
            table.add_row(name, system, str(seconds), f"{each:.2f}", peak)
    return table


def growth_table(bench: Bench) -> Table:
    """Return the engine's cost of a light submission, by class size."""
    columns = ("seconds", "seconds per submission", "peak MB of the engine")
    table = Table("submissions", *columns, title="Light submissions")
    for size, each in cost(bench.growth).items():
        run = bench.growth[size]
        table.add_row(str(size), f"{run.seconds:.1f}", f"{each:.3f}", f"{run.peak_mb:.0f}")
    return table


def kernel_table(bench: Bench) -> Table:
    """Return the cost of a kernel, from a warm server."""
    table = Table("", "median (min to max)", title=f"A kernel, {len(bench.starts)} times")
    table.add_row("seconds from the request until it is ready", str(Spread.of(bench.starts)))
    table.add_row("MB of memory shared with no process, when ready", str(Spread.of(bench.unique)))
    for name, values in bench.two_kernels.items():
        table.add_row(f"{name}: time in two kernels over that in one", str(Spread.of(values)))
    return table
