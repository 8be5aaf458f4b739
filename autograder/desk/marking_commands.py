"""The commands for marking by hand: a table to mark in, and the tables of markers read back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.desk.data_commands import DryRun
from autograder.errors import UsageError
from autograder.terminal import one_line_errors, say, show

marking = typer.Typer(help="Mark by hand in a table: write it, read it back from several markers.")


@marking.command("sheet")
def sheet(
    lesson: Annotated[str, typer.Argument(help="The lesson, such as 10_coursework.")],
    to: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    cell: Annotated[str, typer.Option(help="Only this cell.")] = "",
    share: Annotated[str, typer.Option(help="A marker's share, such as 1/2.")] = "1/1",
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Without names.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what is marked already.")] = False,
) -> None:
    """Write the answers that wait for a person into a CSV, in random order, with the mark scheme.

    Fill in points and comment, and read it back: `autograder marking enter FILE ...`.
    """
    with one_line_errors():
        part, parts = parts_of(share)
        from autograder.desk.marking import in_order, read_rubrics, read_works, share_of  # slow
        from autograder.desk.marking_sheet import write_sheet  # with the others
        from autograder.desk.marks import open_gradebook, read_people  # slow to import
        from autograder.grading.course import open_course, require_assignment  # slow to import

        course = open_course()
        require_assignment(course, lesson)
        rubrics = read_rubrics(course, lesson)
        with open_gradebook(course) as gradebook:
            works = read_works(gradebook, lesson, cell)
            names = {person.id: person.sortable_name for person in read_people(gradebook)}
        mine = [work for work in share_of(works, part, parts) if everything or work.waiting]
        if not mine:
            raise UsageError(
                f"{lesson}: no answer waits for a person (--all: those that are marked)"
            )
        path = to or Path(f"marking-{lesson}{f'-{part}' if parts > 1 else ''}.csv")
        mixed = in_order(mine, share)
        write_sheet(course, lesson, mixed, rubrics, path, None if anonymous else names)
    say(
        f"{path.name}: {len(mine)} answers to mark; {path.with_suffix('.md').name}: the mark scheme"
    )


@marking.command("enter")
def enter_sheets(
    lesson: Annotated[str, typer.Argument(help="The lesson, such as 10_coursework.")],
    files: Annotated[list[Path], typer.Argument(help="The tables, filled in.")],
    dry_run: DryRun = False,
) -> None:
    """Enter the marks and comments of tables. Conflicts are named, and left as they are.

    Status 1 where something was left out.
    """
    with one_line_errors():
        from autograder.desk.marking import read_works  # slow to import
        from autograder.desk.marking_sheet import enter, read_sheets  # with the others
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.grading.course import open_course, require_assignment  # slow to import

        course = open_course()
        require_assignment(course, lesson)
        with open_gradebook(course) as gradebook:
            works = read_works(gradebook, lesson)
            entries = read_sheets(files, works)
            count = len(entries.marks) if dry_run else enter(gradebook, entries)
    rows = [
        (
            *(mark.work.student, mark.work.cell),
            "-" if mark.work.points is None else f"{mark.work.points:g}",
            f"{mark.points:g} / {mark.work.max_score:g}",
            " ".join(mark.comment.split())[:60],
        )
        for mark in entries.marks
    ]
    show(("student", "cell", "before", "to enter", "comment"), rows)
    done = "would be entered" if dry_run else "entered"
    say(f"{count} marks {done}, {entries.known} as before, {entries.blank} without points")
    for line in entries.left_out:
        say(f"  {line}")
    if count and not dry_run:
        say(f"`autograder close {lesson}` recomputes penalties and makes feedback")
    if entries.left_out:
        raise typer.Exit(1)


def parts_of(share: str) -> tuple[int, int]:
    """Return which part of how many a share is. Raise UsageError where it is invalid."""
    part, _, parts = share.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts) <= 100):
        raise UsageError(f"--share {share!r} is not a part such as 1/2")
    return int(part), int(parts)
