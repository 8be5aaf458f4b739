"""The commands of the desk: what an instructor does around marks. Parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from autograder.desk.data_commands import DryRun, data
from autograder.desk.grading_commands import grading
from autograder.desk.lesson_commands import lessons
from autograder.desk.marking_commands import marking
from autograder.desk.request_commands import asking
from autograder.desk.work_commands import work
from autograder.errors import UsageError
from autograder.terminal import one_line_errors, say, show

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from nbgrader.coursedir import CourseDirectory

# A command imports what it needs itself: nbgrader alone takes a second.
desk = typer.Typer()
desk.add_typer(data)
desk.add_typer(grading)
desk.add_typer(work)
desk.add_typer(asking)
desk.add_typer(lessons)
desk.add_typer(marking, name="marking", no_args_is_help=True)

Lessons = Annotated[
    list[str] | None, typer.Option("--lesson", help="Only this lesson; may be given again.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", help="LESSON=TITLE, the lesson's column (or its id); may be given again."
    ),
]


deadlines = typer.Typer(help="When lessons are due, and what lateness costs.")
desk.add_typer(deadlines, name="deadlines", no_args_is_help=True)


@deadlines.command("init")
def deadlines_init() -> None:
    """Write a commented deadlines.toml to fill in."""
    with one_line_errors():
        from autograder.desk.deadlines import write_example  # slow to import
        from autograder.grading.course import open_course  # slow to import

        path = write_example(open_course())
    say(f"{path.name} is written: remove the # before the lessons, and set when they are due")


@deadlines.command("apply")
def deadlines_apply(dry_run: DryRun = False) -> None:
    """Recompute late penalties from deadlines.toml, after a table of who changes.

    No notebook is run. Due dates and extensions get into nbgrader's gradebook too.
    """
    with one_line_errors():
        from autograder.desk.deadlines import apply, load, make_plan, rows_of  # slow to import
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.grading.course import open_course  # slow to import

        course, published = open_course(), True
        with open_gradebook(course, create=True) as gradebook:
            dates = load(course, gradebook)
            plan = make_plan(gradebook, dates)
            show(("student", "lesson", "late by", "before", "now", "why"), rows_of(plan.changes))
            if not dry_run:
                published = apply(course, gradebook, dates, plan)
    changed = f"{len(plan.changes)} of {len(plan.settled)} submissions"
    say(f"{changed} would change" if dry_run else f"{changed} changed; feedback shows it anew")
    if not published:
        say("  students cannot read the deadlines in My course: there is no exchange here")


@desk.command()
def report(
    assignment: Annotated[
        str | None, typer.Argument(help="Only this lesson; all if none is named.")
    ] = None,
    to: Annotated[Path, typer.Option(help="Write to this file.")] = Path("report.html"),
) -> None:
    """Write a report on the class: one HTML file with marks, exercises, students and trouble."""
    with one_line_errors():
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.desk.report import write_report  # slow to import
        from autograder.grading.course import open_course  # slow to import

        course = open_course()
        with open_gradebook(course) as gradebook:
            names = [assignment] if assignment else []
            write_report(course, gradebook, to, names)
            warn_of_old_penalties(course, gradebook)
    say(f"Open {to.absolute().as_uri()}")


@desk.command()
def export(
    kind: Annotated[
        Literal["canvas", "moodle", "csv", "xlsx"] | None,
        typer.Argument(help="Make a new file for this platform or program."),
    ] = None,
    fill: Annotated[
        Path | None,
        typer.Option(help="Fill this file, which Canvas, Moodle, Blackboard or Brightspace wrote."),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    lesson: Lessons = None,
    column: Columns = None,
    by: Annotated[
        Literal["lesson", "exercise", "total"], typer.Option(help="What has a column.")
    ] = "lesson",
    missing_as_zero: Annotated[
        bool, typer.Option("--missing-as-zero", help="Write 0 where nothing was graded.")
    ] = False,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="Write 1,5 and ; between fields.")
    ] = False,
    scale: Annotated[
        bool, typer.Option("--scale", help="Convert points to the maximum of the file's column.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Write the marks for a learning platform: a new file, or into the platform's own.

    Status 1 where something was left out; it is named.
    """
    with one_line_errors():
        if (kind is None) == (fill is None):
            raise UsageError("name a format (canvas, moodle, csv, xlsx), or --fill FILE")
        titles = pairs(column or ())
        if fill:
            remarks = export_into(fill, to, lesson or (), titles, scale, dry_run)
        else:
            layout = (by, missing_as_zero, decimal_comma, titles)
            remarks = export_new(kind or "", to, lesson or (), layout, dry_run)
    for line in remarks:
        say(f"  {line}")
    if remarks:
        raise typer.Exit(1)


def export_new(
    kind: str,
    to: Path | None,
    lessons: list[str] | tuple[()],
    layout: tuple[str, bool, bool, dict[str, str]],
    dry_run: bool,
) -> list[str]:
    """Write a new file of marks; return remarks on it."""
    from autograder.desk.export import FORMATS, Layout, default_name  # slow to import
    from autograder.desk.marks import open_gradebook, read_class, require_known  # slow to import
    from autograder.desk.tables import write_new  # with the others
    from autograder.grading.course import open_course  # slow to import

    course = open_course()
    with open_gradebook(course) as gradebook:
        marks = read_class(gradebook, lessons)
        warn_of_old_penalties(course, gradebook)
    require_known(layout[3], [*(each.name for each in marks.lessons), "total"])
    result = FORMATS[kind](marks, Layout(*layout))
    path = to or Path(default_name(kind))
    if not dry_run:
        write_new(path, result.data)
    waiting = sum(mark.to_mark for mark in marks.marks.values())
    what = f"{len(marks.people)} students, {len(marks.lessons)} lessons"
    say(f"{'would write ' if dry_run else ''}{path}: {what}")
    if waiting:
        say(f"  {waiting} submissions have cells that wait for a person to mark them")
    return result.remarks


def export_into(
    path: Path,
    to: Path | None,
    lessons: list[str] | tuple[()],
    columns: dict[str, str],
    scale: bool,
    dry_run: bool,
) -> list[str]:
    """Fill a platform's file into a new one; return remarks on it."""
    from autograder.desk.fill import fill, lesson_titles  # slow to import
    from autograder.desk.marks import open_gradebook, read_class, require_known  # slow to import
    from autograder.desk.tables import read_table, write_new  # with the others
    from autograder.grading.course import open_course  # slow to import

    table = read_table(path)
    course = open_course()
    with open_gradebook(course) as gradebook:
        marks = read_class(gradebook, lessons)
        warn_of_old_penalties(course, gradebook)
    require_known(columns, [lesson.name for lesson in marks.lessons])
    titles = lesson_titles(course, [lesson.name for lesson in marks.lessons])
    filling = fill(table, marks, columns, titles, scale)
    rows = [(c.student, c.lesson, c.old or "-", c.new) for c in filling.changes]
    show(("student", "lesson", "old", "new"), rows)
    target = to or path.with_name(f"{path.stem}-filled{path.suffix}")
    if not dry_run and filling.changes:
        write_new(target, table.encode())
    wrote = f"written to {target}" if filling.changes and not dry_run else "nothing was written"
    say(
        f"{filling.sheet.platform}: {len(filling.changes)} marks filled,"
        f" {filling.unchanged} already there; {wrote}"
    )
    for line in filling.notes:
        say(f"  {line}")
    return filling.remarks


def warn_of_old_penalties(course: CourseDirectory, gradebook: Gradebook) -> None:
    """Say where late penalties are not what deadlines.toml says, as after marking by hand."""
    from autograder.desk.deadlines import out_of_date  # slow to import

    if old := out_of_date(course, gradebook):
        say(f"  {len(old)} late penalties are out of date: `autograder deadlines apply` first")


def pairs(texts: list[str] | tuple[()]) -> dict[str, str]:
    """Return the titles of `LESSON=TITLE`, by lesson."""
    for text in texts:
        if not all(text.partition("=")[::2]):
            raise UsageError(f"{text!r} is not LESSON=TITLE")
    return {name: title for name, _, title in (text.partition("=") for text in texts)}
