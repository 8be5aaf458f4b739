"""The commands for regrade requests: the student's `ask`, the instructor's `requests`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from autograder.terminal import one_line_errors, say, show

asking = typer.Typer()
requests = typer.Typer(help="Regrade requests of students: list, decide.")
asking.add_typer(requests, name="requests")
Number = Annotated[int, typer.Argument(help="The number of the request.")]
Reply = Annotated[str, typer.Option(help="Why, in a sentence or two: the student reads it.")]


@asking.command()
def ask(
    lesson: Annotated[str, typer.Argument(help="The lesson, such as 03_counting.")],
    cell: Annotated[str, typer.Argument(help="The graded cell, as your feedback names it.")],
    words: Annotated[str, typer.Option(help="Why, in a few sentences.")] = "",
    category: Annotated[
        Literal["test", "answer", "message", "other"],
        typer.Option(help="The test is wrong, my answer is right, I do not understand, other."),
    ] = "answer",
) -> None:
    """For students: ask your instructor to look at the mark of a cell again."""
    with one_line_errors():
        from autograder.service.ask import ask as send  # slow to import
        from autograder.service.exchange import StudentExchange  # slow to import

        asked = send(StudentExchange(Path.cwd()), lesson, cell, category, words)
    say(f"Sent: {asked.lesson}, {asked.cell}. The answer will be in your feedback")


@requests.callback(invoke_without_command=True)
def list_requests(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
) -> None:
    """Take in what students have sent, and list what waits for a decision.

    Status 1 where a file was left out; it is named.
    """
    if context.invoked_subcommand:
        return
    with one_line_errors():
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.desk.requests import case_of, queue, take_in  # slow to import
        from autograder.grading.course import open_course  # slow to import

        course = open_course()
        with open_gradebook(course) as gradebook:
            remarks = take_in(course, gradebook)
            cases = [case_of(course, gradebook, each) for each in queue(gradebook, everything)]
    header = ("", "student", "lesson", "cell", "points", "outcome", "asks", "status")
    rows = [
        (
            *(str(case.request.number), case.request.student, case.request.assignment),
            *(case.request.cell, case.points, case.outcome[:80]),
            f"{case.request.category}: {' '.join(case.request.words.split())[:120]}",
            case.request.status,
        )
        for case in cases
    ]
    show(header, rows)
    say(f"{len(rows)} requests; `autograder requests show NUMBER` has the cell and the answer")
    for line in remarks:
        say(f"  {line}")
    if remarks:
        raise typer.Exit(1)


@requests.command("open")
def open_requests(
    lesson: Annotated[str, typer.Argument(help="The lesson, such as 03_counting.")],
    until: Annotated[str, typer.Option(help="The last day, or a time (UTC).")],
) -> None:
    """Let students ask about a lesson until a day."""
    with one_line_errors():
        from autograder.desk.requests import open_window  # slow to import
        from autograder.grading.course import open_course, require_assignment  # slow to import

        course = open_course()
        require_assignment(course, lesson)
        end = open_window(course, lesson, until)
    say(f"{lesson}: requests are taken until {end:%d %b %Y, %H:%M} UTC")


@requests.command("show")
def show_request(number: Number) -> None:
    """Show a request with the student's words, the answer, the test and its output."""
    with one_line_errors():
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.desk.requests import case_of, lines, request_numbered  # slow to import
        from autograder.grading.course import open_course  # slow to import

        course = open_course()
        with open_gradebook(course) as gradebook:
            case = case_of(course, gradebook, request_numbered(gradebook, number))
    request = case.request
    say(f"{request.number}: {request.student}, {request.assignment}, {request.cell}: {case.points}")
    say(f"  {request.status}, asked {request.asked:%d %b %Y, %H:%M} UTC, {request.category}")
    parts = {
        "The student's words": lines(request.words),
        "Answer": case.answer,
        "Test": case.test,
        "Outcome": [case.outcome],
        "Output": case.output,
        "Reply": [request.reply] if request.reply else [],
    }
    for title, text in parts.items():
        if text:
            say(f"{title}:")
            for line in text:
                say(f"    {line}")


@requests.command("accept")
def accept_request(
    number: Number,
    points: Annotated[float, typer.Option(help="The points that the cell gets.")],
    reply: Reply = "",
) -> None:
    """Change the mark; the old one and your reason are kept."""
    decide_request(number, "accepted", reply, points)


@requests.command("decline")
def decline_request(number: Number, reply: Reply = "") -> None:
    """Leave the mark as it is, with your words."""
    decide_request(number, "declined", reply)


@requests.command("escalate")
def escalate_request(number: Number, reply: Reply = "") -> None:
    """Leave it to another instructor, with your words; it stays in the queue."""
    decide_request(number, "escalated", reply)


def decide_request(number: int, status: str, reply: str, points: float | None = None) -> None:
    """Enter a decision on a request."""
    with one_line_errors():
        from autograder.desk import requests as queue  # slow to import
        from autograder.desk.marks import open_gradebook  # slow to import
        from autograder.grading.course import open_course  # slow to import

        text, course = queue.require_reply(reply), open_course()
        with open_gradebook(course) as gradebook:
            request = queue.request_numbered(gradebook, number)
            queue.require_pending(request)
            if points is None:
                queue.decide(course, gradebook, request, status, text)
            else:
                queue.accept(course, gradebook, request, points, text)
    say(f"{number}: {status}. `nbgrader generate_feedback {request.assignment}` tells the student")
