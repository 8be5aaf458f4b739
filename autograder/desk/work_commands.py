"""The commands of the desk about students' work: bank, similar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.errors import UsageError
from autograder.terminal import one_line_errors, say

work = typer.Typer()
bank = typer.Typer(help="The answer bank: right and wrong answers to every exercise.")
work.add_typer(bank, name="bank", no_args_is_help=True)
Bank = Annotated[Path, typer.Option("--bank", help="The folder of the answer bank.")]


@bank.command("add")
def bank_add(
    lesson: Annotated[str, typer.Argument(help="The lesson, such as 03_counting.")],
    exercise: Annotated[str, typer.Argument(help="The exercise, such as output_size.")],
    students: Annotated[list[str], typer.Argument(help="Whose graded answers.")],
    title: Annotated[str, typer.Option(help="What the answer does, or gets wrong.")] = "",
    right: Annotated[
        bool | None,
        typer.Option("--right/--wrong", help="Decide it yourself; otherwise its tests do."),
    ] = None,
    folder: Bank = Path("answers"),
) -> None:
    """Put students' graded answers into the answer bank, without their names.

    The tests that such an answer fails are listed with it.
    """
    with one_line_errors():
        from autograder.desk.bank import add_answers, answer_of, require_title  # slow to import
        from autograder.grading.course import open_course, require_assignment  # slow to import

        text, path, course = require_title(title), folder / f"{lesson}.py", open_course()
        require_assignment(course, lesson)
        if not path.is_file():
            raise UsageError(f"there is no {path}: --bank names the folder of the answer bank")
        several = len(students) > 1
        answers = [
            (student, answer_of(course, lesson, exercise, student, titled, right))
            for number, student in enumerate(students, start=1)
            for titled in [f"{text} ({number})" if several else text]
        ]
        added = add_answers(path, answers)
    for each in added:
        if each.answer is None:
            say(f"  {each.student}: the bank has this text: {each.known}")
        else:
            lost = f", loses {', '.join(sorted(each.answer.loses))}" if each.answer.loses else ""
            say(f"  {each.student}: {each.answer}{lost}")
    count = sum(each.answer is not None for each in added)
    say(f"{path}: {count} added. Look for names in it, then `make answers` proves it")


@work.command()
def similar(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Only these lessons; all that are graded if none.")
    ] = None,
    to: Annotated[Path, typer.Option(help="Write to this file.")] = Path("similar.html"),
    folder: Bank = Path("answers"),
) -> None:
    """Write a page of pairs whose answers share what is rare in the class, side by side.

    Over all lessons named, from graded work. The order says where to look; there is no verdict.
    """
    with one_line_errors():
        from autograder.desk.marks import open_gradebook, read_people  # slow to import
        from autograder.desk.similar import bank_works, pairs_of, read_works  # slow to import
        from autograder.desk.similar_page import write_page  # with the others
        from autograder.grading.course import open_course  # slow to import

        course = open_course()
        with open_gradebook(course) as gradebook:
            works = read_works(course, gradebook, assignments or ())
            people = {person.id: person.sortable_name for person in read_people(gradebook)}
        try:
            known = bank_works(folder, (lesson for lesson, _ in works))
        except ValueError as error:
            raise UsageError(f"the answer bank cannot be read: {error}") from None
        pairs = pairs_of(works, known)
        write_page(to, f"{course.course_id}: answers that are alike", pairs, people)
    students = {work.student for of_class in works.values() for work in of_class}
    say(
        f"{len(students)} students, {len(works)} exercises, {len(pairs)} pairs share something rare"
    )
    say(f"Open {to.absolute().as_uri()}")
