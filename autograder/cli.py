"""The command `autograder`: exit status 0 all done, 1 something could not be, 2 usage."""

from __future__ import annotations

import gc
import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from autograder.errors import LessonError, UsageError
from autograder.limits import NAMES, parse_limits

if TYPE_CHECKING:
    from autograder.grading.coordinator import Result

# Only what a command needs is imported by it: nbgrader alone takes a second.
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, highlight=False, soft_wrap=True)
# One more than there are cores: a kernel that starts, or is waited for, leaves its core idle.
JOBS = (os.cpu_count() or 1) + 1


@app.callback()
def main() -> None:
    """Build the lessons of a course, grade submissions, report the marks."""
    gc.set_threshold(50_000)  # imports make no garbage, a third of their time would look for it


@app.command()
def build(
    lessons: Annotated[
        list[str] | None, typer.Argument(help="Lessons, such as 03_counting; all if none.")
    ] = None,
) -> None:
    """Make source/ and release/ from lessons/."""
    from autograder.authoring.build import build as build_lessons

    with one_line_errors():
        build_lessons(Path.cwd(), lessons or (), console.print)


@app.command()
def grade(
    assignment: Annotated[str, typer.Argument(help="The assignment, such as 03_counting.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the results to this file.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Grade again what was graded before.")] = False,
    student: Annotated[
        list[str] | None, typer.Option(help="Only this student; may be given again.")
    ] = None,
    notebook: Annotated[str | None, typer.Option(help="Only this notebook.")] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help=f"NAME=VALUE, may be given again; there are {', '.join(NAMES)}."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = JOBS,
    scheduler: Annotated[
        str | None, typer.Option(help="Run on the Dask cluster of this scheduler: tcp://...")
    ] = None,
    unconfined: Annotated[
        bool, typer.Option(help="Grade even where this machine cannot confine submissions.")
    ] = False,
) -> None:
    """Grade what is in submitted/ into nbgrader's gradebook."""
    if not scheduler:
        warm_up(assignment)
    from autograder.grading import coordinator as engine
    from autograder.grading.course import imports_of, open_course, prepare

    with one_line_errors():
        limits = {**parse_limits(limit or ()), "confined": not unconfined}
        if json_file and (json_file.is_dir() or not json_file.absolute().parent.is_dir()):
            raise UsageError(f"{json_file} cannot be written: it is a folder, or is in none")
        course = open_course()
        total = prepare(course, assignment, student or (), notebook)
        imports = imports_of(course, [assignment])
        with workers(scheduler, jobs, imports, not unconfined) as (pool, count):
            order = engine.Order([assignment], limits, force, student or (), notebook, 2 * count)
            with progress(assignment, total) as step:
                results = engine.grade(course, order, pool, lambda _: step())
    if json_file:
        with one_line_errors():
            write_json(json_file, [r.as_json() for r in results])
    counts = engine.summary(results)
    console.print(f"{assignment}: " + ", ".join(f"{n} {what}" for what, n in counts.items() if n))
    for result in results:
        if result.status.startswith(engine.FAILED):
            console.print(f"  {result.student}: {result.status}", markup=False)
    if counts[engine.FAILED]:
        raise typer.Exit(1)


@app.command()
def watch(
    a_day: Annotated[
        int, typer.Option(min=1, help="Answers to a student a day, for each assignment.")
    ] = 5,
    jobs: Annotated[int, typer.Option(min=1, help="Kernels at a time.")] = JOBS,
    unconfined: Annotated[
        bool, typer.Option(help="Grade even where this machine cannot confine submissions.")
    ] = False,
) -> None:
    """Grade what arrives in the exchange, and give feedback at once, until Ctrl-C."""
    from autograder.grading.course import assignments, imports_of, open_course
    from autograder.service.watch import Desk

    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with one_line_errors():
        course = open_course()
        imports = imports_of(course, assignments(course))
        with workers(None, jobs, imports, not unconfined) as (pool, _):
            desk = Desk(course, a_day, pool, {"confined": not unconfined}, console.print)
            console.print(f"Watching {desk.inbound}", markup=False)
            desk.serve(stop)


@app.command()
def demo(
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = JOBS,
) -> None:
    """Make a class of 24 students in demo/, grade it, and show its marks."""
    warm_up()
    from autograder.desk import demo as show

    with one_line_errors(), progress("grading", show.SUBMISSIONS) as step:
        results = show.run_demo(Path.cwd(), jobs, lambda _: step())
    Console().print(marks_table(results))
    folder = Path("demo").absolute()
    console.print(f"The gradebook: {folder / 'gradebook.db'}, as a table: {folder / 'grades.csv'}")
    console.print(f"Open {(folder / 'report.html').as_uri()}")
    if any(not result.cells for result in results):
        raise typer.Exit(1)


@app.command()
def doctor(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write what was found to this file.")
    ] = None,
) -> None:
    """Try what a submission could do on this machine; status 1 where a protection is missing."""
    from autograder.execution.doctor import examine, what_to_do

    with one_line_errors():
        findings = examine()
        if json_file:
            write_json(json_file, [finding.as_json() for finding in findings])
    table = Table("protection", "holds", "how it was tried", "what was possible")
    for found in findings:
        table.add_row(found.protection, "yes" if found.holds else "NO", found.tried, found.found)
    Console().print(table)
    if missing := [f.protection for f in findings if f.required and not f.holds]:
        console.print(f"autograder: not given: {'; '.join(missing)}", markup=False)
        console.print(f"autograder: {what_to_do()}", markup=False)
        raise typer.Exit(1)


def warm_up(assignment: str | None = None) -> None:
    """Have the server of kernels import what they need while this process imports its own."""
    from autograder.sandbox.fork_client import ForkServer
    from autograder.sandbox.preload import setup_imports

    sources = Path("source").glob(f"{assignment}/*.ipynb")
    ForkServer.shared(setup_imports(sources) if assignment else None)


@contextmanager
def workers(
    scheduler: str | None, jobs: int, preload: Iterable[str], confined: bool
) -> Iterator[tuple[Executor, int]]:
    """What runs notebooks, and how many at a time: this machine's cores, or a cluster.

    Raises UsageError where they are to be confined and cannot be.
    """
    if scheduler:
        from autograder.execution.cluster import cluster

        with cluster(scheduler, preload, confined) as found:
            yield found
    else:
        from autograder.execution.execute import kernels

        with kernels(jobs, preload) as pool:
            if confined:
                refuse_unconfined()
            yield pool, jobs


def refuse_unconfined() -> None:
    """UsageError where this machine cannot confine kernels."""
    from autograder.sandbox.fork_client import ForkServer

    if why := ForkServer.shared().unconfined():
        raise UsageError(
            f"submissions cannot be confined on this machine ({why}): they could read and change"
            " all that you can. `autograder doctor` says more, --unconfined grades all the same"
        )


def write_json(path: Path, found: object) -> None:
    """Write plain data to a file; LessonError where there is no space for it."""
    try:
        path.write_text(json.dumps(found, indent=1) + "\n")
    except OSError as error:
        raise LessonError(f"{path} cannot be written: {error.strerror}") from None


def marks_table(results: Sequence[Result]) -> Table:
    """The marks of a class: a row a student, a column an assignment, and what is remarkable."""
    lessons = sorted({result.assignment for result in results})
    table = Table("student", *lessons, "remarks")
    for student in sorted({result.student for result in results}):
        own = {r.assignment: r for r in results if r.student == student}
        marks = [f"{own[n].score:g} / {own[n].max_score:g}" if n in own else "" for n in lessons]
        table.add_row(
            student, *marks, "; ".join(remark for r in own.values() if (remark := remarks(r)))
        )
    return table


def remarks(result: Result) -> str:
    """How tests came out that neither passed nor failed."""
    return ", ".join(sorted({c.outcome for c in result.cells} - {"passed", "failed"}))


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Say what is wrong in one line and leave, with status 2 where the call was not right."""
    try:
        yield
    except KeyboardInterrupt:
        console.print("\nautograder: stopped. What was graded stays graded: call again to go on")
        os._exit(130)  # without waiting for kernels that may never end: they end with us
    except (UsageError, LessonError) as error:
        console.print(f"autograder: {error}", markup=False)
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with the time left; gives the function that moves it on by one."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
