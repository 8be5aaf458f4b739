"""What submissions cost, measured for the simulation of a large term.

    python -m benchmarks.costs [--size 6]      writes benchmarks/costs.json

The class of the benchmark is graded by one job, then for one student alone, then by a Dask cluster
of one worker with one thread: seconds of each submission, and per submission what the coordinator
and the cluster add.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import dask
import typer
from distributed import LocalCluster

from benchmarks.classes import fresh_copy, make_class
from benchmarks.commands import grade
from benchmarks.measure import keep_source_checks
from benchmarks.plan import GRADER, Run
from benchmarks.term import COSTS

RESULTS = "results.json"


def measure(root: Path, size: int) -> dict[str, object]:
    """Return the costs of all lessons, as benchmarks.term reads them."""
    lessons = sorted(path.stem for path in (root / "lessons").glob("*.py"))
    with tempfile.TemporaryDirectory(prefix="costs-") as scratch:
        course = make_class(root, Path(scratch) / "course", lessons, size)
        with fresh_copy(course, 1) as copy:
            keep_source_checks(course, lessons, copy)
        one, _ = run(course, lessons, 1)
        all_of_them, seconds = run(course, lessons, size)
        with cluster() as address:
            remote, _ = run(course, lessons, size, "--scheduler", address)
            remote_start, _ = run(course, lessons, 1, "--scheduler", address)
    added = (size - 1) * len(lessons)
    local_s = (all_of_them.seconds - one.seconds) / added
    remote_s = (remote.seconds - remote_start.seconds) / added
    return {
        "lessons": {name: sorted(values) for name, values in sorted(seconds.items())},
        "coordinator_s": round((all_of_them.cpu_s - one.cpu_s) / added, 4),
        "cluster_s": round(max(0.0, remote_s - local_s), 3),
    }


def run(
    course: Path, lessons: Sequence[str], size: int, *options: str
) -> tuple[Run, dict[str, list[float]]]:
    """Return the grader's run on the first `size` students, and the seconds of each submission."""
    how = options or ("--jobs", "1")
    with fresh_copy(course, size) as folder:
        result = grade(GRADER, folder, lessons, *how, "--json", RESULTS)
        seconds = defaultdict(list)
        for entry in json.loads((folder / RESULTS).read_text()):
            seconds[entry["assignment"]].append(round(entry["seconds"], 2))
    return result, seconds


@contextmanager
def cluster() -> Iterator[str]:
    """A context with a cluster of one worker, which runs one notebook at a time: its address."""
    # Fork servers are children of the worker, which a daemonic process may not have.
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as workers,
    ):
        yield workers.scheduler_address


def main(
    size: Annotated[int, typer.Option(min=2, help="Submissions of each lesson.")] = 6,
) -> None:
    """Measure, and write benchmarks/costs.json."""
    costs = measure(Path.cwd(), size)
    COSTS.write_text(json.dumps(costs, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
