"""The grader in the process of a test: faults can be put into it, and it starts at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from autograder.execution.execute import kernel_server
from autograder.grading.coordinator import GradingRequest, grade
from autograder.grading.course import open_course, prepare
from autograder.grading.results import Result


class InThisThread(Executor):
    """An executor that calls at once: threads would leave their event loops behind."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def graded(assignment: str, **request: Any) -> list[Result]:
    """Grade an assignment of the course in the working folder."""
    course = open_course()
    prepare(course, assignment)
    kernel_server(())
    return grade(course, GradingRequest([assignment], **request), InThisThread())
