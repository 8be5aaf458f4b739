"""The commands of the desk that run notebooks: regrade."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.desk.run_options import Confine, Examiner, Jobs, LimitOptions
from autograder.execution.workers import JOBS, warm_up, workers
from autograder.limits import parse_limits
from autograder.terminal import one_line_errors, progress, require_writable, say, show, write_json

if TYPE_CHECKING:
    from autograder.desk.regrade import Comparison

grading = typer.Typer()
Apply = Annotated[bool, typer.Option("--apply", help="Write the marks, and keep the old ones.")]
Reason = Annotated[
    str, typer.Option(help="Why, in a sentence: students read it in their feedback.")
]
NeverLower = Annotated[
    bool, typer.Option("--never-lower", help="Where a cell would lose points, it keeps them.")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write all changes to this file.")]


@grading.command()
def regrade(
    assignment: Annotated[str, typer.Argument(help="The assignment, such as 03_counting.")],
    apply: Apply = False,
    reason: Reason = "",
    never_lower: NeverLower = False,
    json_file: JsonFile = None,
    limit: LimitOptions = None,
    jobs: Jobs = JOBS,
    examiner: Examiner = "auto",
    confine: Confine = True,
) -> None:
    """Grade anew with the tests that source/ has now: first show who changes, and why.

    Nothing is written without --apply. Points and comments that a person typed stay. Status 1
    where a submission could not be graded; it keeps its marks.
    """
    warm_up(assignment)
    with one_line_errors():
        from autograder.desk import regrade as new  # slow to import
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.grading.coordinator import GradingRequest  # slow to import
        from autograder.grading.course import imports_of, open_course  # slow to import

        text = new.require_reason(reason) if apply else ""
        limits = {**parse_limits(limit or ()), "confined": confine}
        require_writable(json_file)
        course = open_course()
        with (
            open_gradebook(course) as gradebook,
            workers(None, jobs, imports_of(course, [assignment]), confine) as (pool, count),
            progress(assignment, len(new.old_marks(course, gradebook, assignment))) as step,
        ):
            request = GradingRequest([assignment], limits, examiner, in_flight=2 * count)
            comparison = new.regrade(
                course, gradebook, assignment, request, pool, never_lower, lambda _: step()
            )
        if json_file:
            write_json(json_file, new.as_json(comparison))
        rows = show_comparison(comparison)
        if apply:
            with open_gradebook(course):  # what it cannot write is one line
                new.apply(course, comparison, text)
    done = f"changed; `nbgrader generate_feedback {assignment}` makes their pages anew"
    what = done if apply else "would change; --apply --reason '...' writes it"
    say(f"{assignment}: {rows} of {len(comparison.marks)} students {what}")
    if show_left_out(comparison):
        raise typer.Exit(1)


def show_comparison(comparison: Comparison) -> int:
    """Print who changes, by cell and by student; return the number of students."""
    from autograder.desk.regrade import rows_by_exercise, rows_by_student  # slow to import

    header = ("cell", "in source/", "gain", "lose", "points in all")
    show(header, rows_by_exercise(comparison))
    rows = rows_by_student(comparison)
    show(("student", "before", "now", "why"), rows)
    return len(rows)


def show_left_out(comparison: Comparison) -> bool:
    """Print who keeps the marks in any case; return whether work could not be graded."""
    for result in comparison.refused:
        say(f"  {result.student}: {result.status}: keeps the marks")
    if comparison.absent:
        say(f"  no files in submitted/, keep the marks: {', '.join(comparison.absent)}")
    return bool(comparison.refused)
