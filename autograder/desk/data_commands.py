"""The commands of the desk about people and data: roster, backup, restore, person."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from autograder.errors import UsageError
from autograder.terminal import one_line_errors, say, show

data = typer.Typer()
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")]


@data.command()
def roster(
    file: Annotated[Path, typer.Argument(help="A class list of Canvas, Moodle, or plain CSV.")],
    id_column: Annotated[
        str, typer.Option("--id", help="The column of the logins, where its title does not say so.")
    ] = "",
    dry_run: DryRun = False,
) -> None:
    """Enter a class list in the gradebook, after a table of who is new, gone, changed.

    No one is removed. Status 1 where a row was left out; it is named.
    """
    with one_line_errors():
        from autograder.desk.folders import arrivals_in, stage_folder, students_in  # slow to import
        from autograder.desk.marks import open_gradebook, read_people  # slow to import
        from autograder.desk.roster import enter, read_roster  # slow to import
        from autograder.desk.tables import read_table  # with the others
        from autograder.grading.course import open_course  # slow to import

        table, course = read_table(file), open_course()
        with open_gradebook(course, create=not dry_run) as gradebook:
            result = read_roster(table, read_people(gradebook), id_column)
            if not dry_run:
                enter(gradebook, result)
        submitters = students_in(stage_folder(course, "submitted"))
        submitters |= {arrival.student for arrival in arrivals_in(course)}
    rows = [(p.id, "new", p.sortable_name, p.email) for p in result.new]
    rows += [(p.id, "gone", p.sortable_name, p.email) for p in result.gone]
    for old, new in result.changed:
        pairs = zip(vars(old).values(), vars(new).values(), strict=True)
        differences = "; ".join(f"{a or '-'} -> {b}" for a, b in pairs if a != b)
        rows.append((new.id, "changed", new.sortable_name, differences))
    show(("student", "", "name", ""), rows)
    counts = f"{len(result.new)} new, {len(result.changed)} changed, {len(result.gone)} gone"
    note = "; nothing was written" if dry_run else ""
    say(f"{file.name}: {counts}, {result.unchanged} as before{note}")
    if result.gone:
        say("  gone: kept with their marks; `autograder person NAME --forget` deletes one")
    if strangers := sorted(submitters - result.listed):
        say(f"  handed in, but not in the list: {', '.join(strangers)}")
    for line in result.remarks:
        say(f"  {line}")
    if result.remarks:
        raise typer.Exit(1)


@data.command()
def backup(
    to: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
) -> None:
    """Write the gradebook, the submissions and all else of the course into one archive.

    It may be in use meanwhile. The archive is read again and compared before it counts. Status 1
    where something was left out; it is named.
    """
    with one_line_errors():
        from autograder.desk.backup import backup as make_backup  # slow to import
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.grading.course import open_course  # slow to import

        course, path = open_course(), to or dated("backup")
        with open_gradebook(course) as gradebook:
            contents = make_backup(course, gradebook, path)
    say(f"{path}, checked: {contents.summary}")
    for name in contents.left_out:
        say(f"  {name}: no regular file: left out")
    if contents.left_out:
        raise typer.Exit(1)


@data.command()
def restore(
    file: Annotated[Path, typer.Argument(help="An archive that `autograder backup` made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is there, after a backup of it.")
    ] = False,
) -> None:
    """Put a backup back into the course's folder: gradebook, submissions, feedback, settings."""
    with one_line_errors():
        from autograder.desk.backup import restore as put_back  # slow to import
        from autograder.desk.backup import verify  # slow to import
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.grading.course import open_course  # slow to import

        archive, before = verify(file), dated("before-restore") if replace else None
        course = open_course()
        with open_gradebook(course, create=True) as gradebook:
            remarks = put_back(course, gradebook, archive, before)
    say(f"{file}: {len(archive.digests)} files are back")
    if before and before.exists():
        say(f"  what was here before is in {before}")
    for line in remarks:
        say(f"  {line}")


@data.command()
def person(
    name: Annotated[str, typer.Argument(help="The student, as the gradebook names them.")],
    export: Annotated[
        bool, typer.Option("--export", help="Write all that is kept about them to NAME.zip.")
    ] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Delete it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without a question.")] = False,
    to: Annotated[Path | None, typer.Option(help="Write the export to this file.")] = None,
) -> None:
    """Show, export or delete all that the course keeps about one student."""
    with one_line_errors():
        from autograder.desk import person as records  # slow to import
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.grading.course import open_course  # slow to import

        course, left = open_course(), list[str]()
        with open_gradebook(course) as gradebook:
            kept = records.records_of(course, gradebook, name)
            for line in kept.summary:
                say(f"  {line}")
            if export:
                path = to or Path(f"{name}.zip")
                files = records.export_person(gradebook, kept, path)
                say(f"{path}: {files} files")
            if forget:
                if not yes and not typer.confirm(f"Delete all of this about {name}?", err=True):
                    raise UsageError("nothing was deleted")
                left = records.forget(course, gradebook, kept)
                say(f"{name} is deleted here. Backups, logs and the hub's users are not touched")
    for line in left:
        say(f"  delete by hand: {line}")
    if left:
        raise typer.Exit(1)


def dated(what: str) -> Path:
    """Return the name of an archive of now, which is not there yet."""
    name = f"{what}-{datetime.now():%Y-%m-%d-%H%M%S}"
    names = (f"{name}-{number}.tar.gz" if number > 1 else f"{name}.tar.gz" for number in count(1))
    return next(path for path in map(Path, names) if not path.exists())


@data.command("next-term")
def next_term(
    folder: Annotated[Path, typer.Argument(help="The folder of the new course, such as ../2027.")],
    course_name: Annotated[
        str, typer.Option("--course", help="nbgrader's name of the new course, such as cnn-2027.")
    ],
    days: Annotated[
        int | None, typer.Option("--later", help="Set deadlines so many days later, such as 364.")
    ] = None,
) -> None:
    """Write a new course's folder from this one: lessons and settings, nothing of a student."""
    with one_line_errors():
        from autograder.desk.next_term import next_term as write  # slow to import
        from autograder.grading.course import assignments, open_course  # slow to import

        course = open_course()
        remarks = write(course, folder, course_name, days)
        count = len(assignments(course))
    say(f"{folder}: {count} lessons of the course {course_name}, with no students")
    for line in remarks:
        say(f"  {line}")
    say("  next: `autograder roster FILE` there, then release its lessons")
