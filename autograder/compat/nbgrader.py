"""What is relied on of nbgrader: how its autograding steps reach the gradebook."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.compat.check import Member, check_members

# The steps that open the gradebook by its URL, each by the name that its module imported.
OPENED_ANEW = (
    "nbgrader.preprocessors.saveautogrades",
    "nbgrader.preprocessors.latesubmissions",
)
MEMBERS = (
    *(
        Member(f"{module}:Gradebook", "to record a submission in one transaction")
        for module in OPENED_ANEW
    ),
    Member(
        "nbgrader.api:Gradebook.find_grade",
        "to read all grades of a notebook at once",
        ("self", "grade_cell", "notebook", "assignment", "student"),
    ),
    Member(
        "nbgrader.api:Gradebook.find_comment",
        "to read all comments of a notebook at once",
        ("self", "solution_cell", "notebook", "assignment", "student"),
    ),
    Member("nbgrader.api:Gradebook.close", "to keep the gradebook open", ("self",)),
    Member(
        "nbgrader.converters:Autograde.set_permissions",
        "to publish a graded submission",
        ("self", "assignment_id", "student_id"),
    ),
    Member("nbgrader.converters:Autograde.exclude_overwriting", "to find files a learner may edit"),
    Member("nbgrader.converters:Autograde.autograde_preprocessors", "to record marks"),
    Member("nbgrader.utils:determine_grade", "to read marks", ("cell",)),
)
check_members("nbgrader", MEMBERS)
log = logging.getLogger("autograder.nbgrader")


def autograding_steps(
    converter: Any, skipped: tuple[type[NbGraderPreprocessor], ...]
) -> list[NbGraderPreprocessor]:
    """Return nbgrader's autograding steps in their order, but for the classes `skipped`."""
    steps = [
        step(parent=converter)
        for step in converter.autograde_preprocessors
        if not issubclass(step, skipped)
    ]
    for step in steps:
        step.log = log
    return steps


@contextmanager
def replaced(owner: Any, **attributes: Any) -> Iterator[None]:
    """Give `owner` other attributes in this context."""
    before = {name: getattr(owner, name) for name in attributes}
    try:
        for name, value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


@contextmanager
def one_transaction(gradebook: Gradebook) -> Iterator[None]:
    """Commit all that is written in this context at its end, or nothing.

    Each of nbgrader's steps opens the gradebook by its URL and commits after each cell; here they
    are given the open one, and their commits have no effect.
    """
    session = gradebook.db
    with ExitStack() as stack:
        stack.enter_context(replaced(session, commit=lambda: None))
        stack.enter_context(replaced(gradebook, close=lambda: None))
        for module in OPENED_ANEW:
            stack.enter_context(replaced(import_module(module), Gradebook=lambda *_: gradebook))
        try:
            yield
        except BaseException:
            session.rollback()
            raise
    session.commit()


@contextmanager
def known_rows(
    gradebook: Gradebook, grades: dict[str, Any], comments: dict[str, Any]
) -> Iterator[None]:
    """Answer find_grade() and find_comment() from rows by cell name, without a query each."""
    with replaced(
        gradebook,
        find_grade=lambda name, *_: grades[name],
        find_comment=lambda name, *_: comments[name],
    ):
        yield
