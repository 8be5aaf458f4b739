"""The command: python -m benchmarks [--rounds N] [--quick]."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.errors import LessonError, UsageError
from autograder.terminal import progress
from benchmarks.chart import draw
from benchmarks.figures import as_json, remarks, tables
from benchmarks.measure import run_bench
from benchmarks.plan import QUICK, Plan

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def main(
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Runs of each system on each lesson.")
    ] = None,
    quick: Annotated[
        bool, typer.Option(help="A few submissions, as a trial: the figures mean nothing.")
    ] = False,
) -> None:
    """Measure the engine beside stock nbgrader; write bench.json and bench.png."""
    plan = QUICK if quick else Plan()
    plan = replace(plan, rounds=rounds) if rounds else plan
    try:
        with progress("measuring", plan.steps) as step:
            bench = run_bench(Path.cwd(), plan, step)
    except (UsageError, LessonError) as error:
        console.print(f"benchmarks: {error}", markup=False)
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None
    Path("bench.json").write_text(json.dumps(as_json(bench), indent=1) + "\n")
    draw(bench, Path("bench.png"))
    for table in tables(bench):
        Console().print(table)
    for line in remarks(bench):
        console.print(line, markup=False)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
