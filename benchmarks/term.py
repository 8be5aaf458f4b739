"""A large term, simulated: how long students and instructors wait, by the number of cores.

    python -m benchmarks.term [COSTS.json]     tables, and docs/large-term.png

    hand-ins as they come -> a queue for the cores -> a queue for the coordinator -> feedback

Nothing is graded here: the time of each submission is drawn from those that `python -m
benchmarks.costs` measured. Cores serve first come, first served, as the grader's workers do; the
coordinator, which alone writes to the gradebook, serves one submission at a time. A cluster adds to
each submission the time to send it. Times are in seconds, from the release of a lesson.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

Seconds = NDArray[np.float64]

HOUR, WEEK = 3600.0, 7 * 24 * 3600.0
CORES = (1, 2, 4, 8, 16, 32, 64)
SOON = 300.0  # seconds within which feedback is wanted
MOST = 0.99  # of the hand-ins
SEED = 1998
CHART = Path("docs") / "large-term.png"
COSTS = Path(__file__).parent / "costs.json"


@dataclass(frozen=True)
class Costs:
    """What was measured: seconds of single submissions by lesson, and per submission besides.

    lessons      seconds that one core worked on each of some submissions
    coordinator  seconds of the coordinator per submission: read, sanitise, record, publish
    cluster      seconds that a Dask cluster adds to a submission
    """

    lessons: Mapping[str, Sequence[float]]
    coordinator: float
    cluster: float

    @classmethod
    def read(cls, path: Path) -> Costs:
        """Return the costs in a file that `python -m benchmarks.costs` wrote."""
        data = json.loads(path.read_text())
        return cls(data["lessons"], data["coordinator_s"], data["cluster_s"])


@dataclass(frozen=True)
class Class:
    """How students hand in.

    students  their number
    again     further hand-ins of each, on average (Poisson)
    late      share of hand-ins that come in the rush before the deadline
    rush      mean time between such a hand-in and the deadline (exponential), in seconds
    """

    students: int = 2000
    again: float = 0.6
    late: float = 0.7
    rush: float = 4 * HOUR


def hand_ins(group: Class, rng: np.random.Generator) -> Seconds:
    """Return when a lesson is handed in, in order: most of it shortly before its deadline."""
    count = group.students + int(rng.poisson(group.again * group.students))
    before = np.minimum(rng.exponential(group.rush, count), WEEK)
    spread = rng.uniform(0, WEEK, count)
    return np.sort(np.where(rng.random(count) < group.late, WEEK - before, spread))


def finish(arrivals: Seconds, work: Seconds, cores: int, coordinator: float = 0.0) -> Seconds:
    """Return when each hand-in is recorded: served by one of `cores`, then by the coordinator.

    Both queues are first come, first served; `arrivals` are in order.
    """
    free = [0.0] * cores
    done = np.empty(len(arrivals))
    for number, (arrival, seconds) in enumerate(zip(arrivals, work, strict=True)):
        done[number] = max(arrival, heapq.heappop(free)) + seconds
        heapq.heappush(free, done[number])
    recorded, ready = np.empty(len(arrivals)), 0.0
    for number in np.argsort(done, kind="stable"):
        ready = max(done[number], ready) + coordinator
        recorded[number] = ready
    return recorded


@dataclass(frozen=True)
class Waits:
    """What a number of cores means for one lesson, in seconds.

    last     from the deadline to the last mark, where all is graded after the deadline
    median   from a hand-in in the last six hours to its feedback, with `autograder watch`
    most     the same, for 99 of 100
    """

    last: float
    median: float
    most: float


def simulate(
    measured: Sequence[float], group: Class, cores: int, coordinator: float, extra: float = 0.0
) -> Waits:
    """Return the waits for a lesson whose submissions cost what was measured, and `extra`."""
    rng = np.random.default_rng(SEED)
    arrivals = hand_ins(group, rng)
    work = rng.choice(np.asarray(measured), len(arrivals)) + extra
    waits = finish(arrivals, work, cores, coordinator) - arrivals
    rushed = waits[arrivals > WEEK - 6 * HOUR]
    one_each = work[: group.students]
    last = finish(np.zeros(len(one_each)), one_each, cores, coordinator).max()
    return Waits(float(last), float(np.median(rushed)), float(np.quantile(rushed, MOST)))


def table_of(costs: Costs, group: Class, extra: float) -> dict[int, dict[str, Waits]]:
    """Return the waits of every lesson, by number of cores."""
    return {
        cores: {
            lesson: simulate(measured, group, cores, costs.coordinator, extra)
            for lesson, measured in costs.lessons.items()
        }
        for cores in CORES
    }


def cores_needed(waits: Mapping[int, Mapping[str, Waits]], lesson: str) -> int | None:
    """Return the fewest cores with which 99 of 100 have feedback soon enough; None if none do."""
    return next((n for n in sorted(waits) if waits[n][lesson].most <= SOON), None)


def show(title: str, waits: Mapping[int, Mapping[str, Waits]]) -> Table:
    """Return a table of one number of cores per row: the worst lesson, and the whole term."""
    columns = (
        "last mark, whole term",
        "last mark, longest lesson",
        "feedback, median",
        "99 of 100",
    )
    table = Table("cores", *columns, title=title)
    for cores, lessons in waits.items():
        each = list(lessons.values())
        last = [wait.last for wait in each]
        figures = (sum(last), max(last), max(w.median for w in each), max(w.most for w in each))
        table.add_row(str(cores), *map(readable, figures))
    return table


def readable(seconds: float) -> str:
    """Return a time in its fitting unit."""
    for unit, name in ((3600.0, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.2g} s"


def main(
    costs: Annotated[Path, typer.Argument(help="Made by benchmarks.costs.")] = COSTS,
    students: Annotated[int, typer.Option(min=1, help="Students of the class.")] = 2000,
    chart: Annotated[Path, typer.Option(help="Where the chart goes.")] = Path(
        "docs/large-term.png"
    ),
) -> None:
    """Simulate a term on one machine and on a cluster, and draw the waits."""
    from benchmarks.chart import draw_term  # slow to import

    measured, group = Costs.read(costs), Class(students)
    one = table_of(measured, group, 0.0)
    cluster = table_of(measured, group, measured.cluster)
    console = Console()
    console.print(show(f"{students} students, one machine", one))
    console.print(show(f"{students} students, a Dask cluster", cluster))
    needed = Table("lesson", "one machine", "cluster", title="Cores for feedback within 5 minutes")
    for lesson in measured.lessons:
        needed.add_row(
            *map(str, (lesson, cores_needed(one, lesson), cores_needed(cluster, lesson)))
        )
    console.print(needed)
    draw_term(one, cluster, chart)


if __name__ == "__main__":
    typer.run(main)
