"""The commands of one lesson in a term: release, close. Parse, call, print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.desk.data_commands import DryRun
from autograder.desk.run_options import Confine, Jobs
from autograder.execution.workers import JOBS, warm_up, workers
from autograder.terminal import console, one_line_errors, progress, say

if TYPE_CHECKING:
    from autograder.grading.results import Result

lessons = typer.Typer()
Lesson = Annotated[str, typer.Argument(help="The lesson, such as 03_counting.")]


@lessons.command()
def release(lesson: Lesson, dry_run: DryRun = False) -> None:
    """Give a lesson to students, after a look at what they get."""
    with one_line_errors():
        from autograder.desk import publish  # slow to import
        from autograder.grading.course import open_course  # slow to import

        course = open_course()
        plan = publish.plan_release(course, lesson)
        for line in (*plan.lines, *plan.remarks):
            say(f"  {line}")
        if not dry_run:
            publish.release(course, lesson)
    say(f"{lesson}: {'nothing was released' if dry_run else 'released'}")


@lessons.command()
def close(
    lesson: Lesson,
    jobs: Jobs = JOBS,
    confine: Confine = True,
    dry_run: DryRun = False,
) -> None:
    """Collect what came in, grade it, make feedback and release it; run it again to go on.

    Feedback waits for cells that a person marks. Status 1 where a submission could not be
    collected, graded or answered; it is named.
    """
    if not dry_run:
        warm_up(lesson)
    with one_line_errors():
        from autograder.desk import close as closing  # slow to import
        from autograder.desk.marks_table import show_marks  # slow to import
        from autograder.grading.course import imports_of, open_course  # slow to import

        course = open_course()
        plan = closing.plan_close(course, lesson)
        for line in (*plan.lines, *plan.remarks):
            say(f"  {line}")
        if dry_run:
            say(f"{lesson}: nothing was done")
            return
        total = len(plan.grade) + len(plan.keep)
        with (
            closing.one_at_a_time(course),
            workers(None, jobs, imports_of(course, [lesson]), confine) as (pool, _),
            steps(lesson, total) as on_submission,
        ):
            done = closing.close(course, lesson, pool, {"confined": confine}, say, on_submission)
        if console.is_terminal:
            show_marks(done.results)
    for line in closing.summary(done):
        say(f"  {line}")
    say(f"{lesson}: closed")
    if done.problems:
        raise typer.Exit(1)


@contextmanager
def steps(lesson: str, total: int) -> Iterator[Callable[[list[Result]], None]]:
    """Yield what shows the results of a submission: a bar on a terminal, else a line."""
    if console.is_terminal:
        with progress(lesson, total) as step:
            yield lambda results: step()
        return
    number = count(1)

    def line(results: list[Result]) -> None:
        marks = "; ".join(result.description() for result in results)
        say(f"{next(number)} of {total}: {results[0].student}: {marks}")

    yield line
