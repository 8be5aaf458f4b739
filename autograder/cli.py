"""The command `autograder`: exit status 0 all done, 1 something could not be, 2 usage."""

from __future__ import annotations

import gc
import signal
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

import autograder
from autograder import log
from autograder.desk.commands import desk
from autograder.desk.run_options import Confine, Examiner, Jobs, LimitOptions
from autograder.execution.workers import JOBS, warm_up, workers
from autograder.limits import parse_limits
from autograder.terminal import (
    console,
    one_line_errors,
    plain,
    progress,
    require_writable,
    say,
    write_json,
)

if TYPE_CHECKING:
    from autograder.grading.results import Result

# A command imports what it needs itself: nbgrader alone takes a second.
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(desk)


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        print(f"autograder {autograder.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Print the version."),
    ] = False,
    verbose: Annotated[bool, typer.Option(help="Show what happens, with tracebacks.")] = False,
    log_file: Annotated[
        Path | None, typer.Option(help="Write the log there; in a course: autograder.log.")
    ] = None,
) -> None:
    """Build the lessons of a course, grade submissions, report the marks."""
    gc.set_threshold(50_000)  # imports make no garbage, a third of their time would look for it
    log.configure(console, verbose, log_file or default_log())
    # nbgrader 0.9.6 adds submissions in an order that SQLAlchemy 2 warns about; the rows are right.
    warnings.filterwarnings("ignore", "Object of type .* not in session")


@app.command()
def build(
    lessons: Annotated[
        list[str] | None, typer.Argument(help="Lessons, such as 03_counting; all if none.")
    ] = None,
) -> None:
    """Make source/ and release/ from lessons/."""
    with one_line_errors():
        from autograder.authoring.build import build as build_lessons  # slow to import

        build_lessons(Path.cwd(), lessons or (), say)


@app.command()
def grade(
    assignments: Annotated[list[str], typer.Argument(help="Assignments, such as 03_counting.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the results to this file.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Grade again what was graded before.")] = False,
    student: Annotated[
        list[str] | None, typer.Option(help="Only this student; may be given again.")
    ] = None,
    notebook: Annotated[str | None, typer.Option(help="Only this notebook.")] = None,
    limit: LimitOptions = None,
    jobs: Jobs = JOBS,
    scheduler: Annotated[
        str | None, typer.Option(help="Run on the Dask cluster of this scheduler: tcp://...")
    ] = None,
    examiner: Examiner = "auto",
    run_all: Annotated[
        bool, typer.Option("--run-all", help="Run demonstrations, too, which earn no marks.")
    ] = False,
    confine: Confine = True,
) -> None:
    """Grade what is in submitted/ into nbgrader's gradebook."""
    if not scheduler:
        warm_up(*assignments)
    with one_line_errors():
        from autograder.desk.marks_table import scores_before, show_changes, show_marks  # the same
        from autograder.grading import coordinator  # slow to import
        from autograder.grading.course import imports_of, open_course, prepare  # slow to import
        from autograder.grading.results import summary  # slow to import

        limits = {**parse_limits(limit or ()), "confined": confine}
        require_writable(json_file)
        course, names = open_course(), [*dict.fromkeys(assignments)]
        total = sum(prepare(course, name, student or (), notebook, force) for name in names)
        before = scores_before(course, names)
        with workers(scheduler, jobs, imports_of(course, names), confine) as (pool, count):
            request = coordinator.GradingRequest(
                names, limits, examiner, force, student or (), notebook, 2 * count, run_all
            )
            with progress(", ".join(names), total) as step:
                results = coordinator.grade(course, request, pool, on_submission=lambda _: step())
        if json_file:
            write_json(json_file, [result.as_json() for result in results])
    show_marks(results)
    show_changes(before, results)
    counts = summary(results)
    say(f"{', '.join(names)}: " + ", ".join(f"{n} {what}" for what, n in counts.items() if n))
    if show_remarks(results):
        raise typer.Exit(1)


@app.command()
def check(
    assignment: Annotated[str, typer.Argument(help="The assignment, such as 03_counting.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the findings to this file.")
    ] = None,
    limit: LimitOptions = None,
    jobs: Jobs = JOBS,
    examiner: Examiner = "auto",
    confine: Confine = True,
) -> None:
    """Grade the instructor's own answers, and what students get, of any nbgrader assignment.

    Status 1 where a test fails on the instructor's answer or passes without one, or a cell is
    over its limits.
    """
    warm_up(assignment)
    with one_line_errors():
        from autograder.authoring.check import check_assignment  # slow to import
        from autograder.grading.course import imports_of, open_course  # slow to import

        limits = {**parse_limits(limit or ()), "confined": confine}
        course = open_course()
        with workers(None, jobs, imports_of(course, [assignment]), confine) as (pool, _):
            findings = check_assignment(course, assignment, limits, pool, examiner)
        if json_file:
            write_json(json_file, [finding.as_json() for finding in findings])
    table = Table("notebook", "cell", "finding")
    for finding in findings:
        table.add_row(*map(plain, (finding.notebook, finding.cell, finding.text)))
    if findings:
        Console().print(table)
    faults = sum(finding.is_fault for finding in findings)
    say(f"{assignment}: {faults} faults, {len(findings) - faults} remarks")
    if faults:
        raise typer.Exit(1)


@app.command()
def collect(
    assignment: Annotated[str, typer.Argument(help="The assignment, such as 03_counting.")],
    student: Annotated[str, typer.Option(help="Only this student.")] = "*",
    update: Annotated[
        bool, typer.Option(help="Replace what was collected before by what is newer.")
    ] = True,
) -> None:
    """Copy what was handed in from the exchange to submitted/: files alone, no link is followed.

    Status 1 where a submission could not be collected; the others are.
    """
    with one_line_errors():
        from autograder.grading.collect import collect_all  # slow to import
        from autograder.grading.course import open_course  # slow to import

        collect_all(open_course(), assignment, student, update)


@app.command()
def watch(
    daily_limit: Annotated[
        int, typer.Option(min=1, help="Feedback per student, assignment and day.")
    ] = 5,
    only: Annotated[
        list[str] | None,
        typer.Option(help="This assignment; may be given again. Else all but examinations."),
    ] = None,
    jobs: Jobs = JOBS,
    confine: Confine = True,
) -> None:
    """Grade what arrives in the exchange, and give immediate feedback, until Ctrl-C.

    An examination has {"immediate_feedback": false} in the metadata of its source notebook.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with one_line_errors():
        from autograder.grading.course import assignments, imports_of, open_course  # slow to import
        from autograder.service.watch import FeedbackService  # slow to import

        course = open_course()
        imports = imports_of(course, assignments(course))
        with workers(None, jobs, imports, confine) as (pool, _):
            service = FeedbackService(
                course, daily_limit, pool, {"confined": confine}, say, only or ()
            )
            say(f"Watching {service.inbound}")
            service.serve(stop)


@app.command()
def demo(
    jobs: Jobs = JOBS,
) -> None:
    """Make a class of 24 students in demo/, grade it, and show its marks."""
    warm_up()
    with one_line_errors():
        from autograder.desk.demo import SUBMISSIONS, run_demo  # slow to import
        from autograder.desk.marks_table import show_marks  # slow to import

        with progress("grading", SUBMISSIONS) as step:
            results = run_demo(Path.cwd(), jobs, lambda _: step())
    show_marks(results)
    folder = Path("demo").absolute()
    say(f"The gradebook: {folder / 'gradebook.db'}, as a table: {folder / 'grades.csv'}")
    say(f"Open {(folder / 'report.html').as_uri()}")
    if any(not result.cells for result in results):
        raise typer.Exit(1)


@app.command()
def doctor(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the findings to this file.")
    ] = None,
) -> None:
    """Try what a submission could do on this machine; status 1 where a protection is missing."""
    with one_line_errors():
        from autograder.execution.doctor import examine_machine, remedy  # slow to import

        findings = examine_machine()
        if json_file:
            write_json(json_file, [finding.as_json() for finding in findings])
    table = Table("protection", "holds", "how it was tried", "what was possible")
    for finding in findings:
        holds = "yes" if finding.holds else "NO"
        table.add_row(*map(plain, (finding.protection, holds, finding.tried, finding.possible)))
    Console().print(table)
    if missing := [f.protection for f in findings if f.required and not f.holds]:
        say(f"autograder: missing: {'; '.join(missing)}")
        say(f"autograder: {remedy()}")
        raise typer.Exit(1)


def default_log() -> Path | None:
    """Return where the log of this course goes; None outside of a course."""
    return Path("autograder.log") if Path("source").is_dir() else None


def show_remarks(results: Sequence[Result]) -> bool:
    """Print what an instructor should know of results; return whether one has no marks."""
    refused = [result for result in results if result.was_refused()]
    for result in refused:
        say(f"  {result.student}: {result.status}")
    for line in remarks_of(results):
        say(f"  {line}")
    return bool(refused)


def remarks_of(results: Iterable[Result]) -> Iterator[str]:
    """Yield what an instructor should know of single cells, a line each."""
    for result in results:
        for cell in result.cells:
            if cell.remark:
                yield f"{result.student}: {result.notebook}: {cell.grade_id}: {cell.remark}"
