"""What submissions do to an engine, and the outcome.

Each script of tests/submissions/ and answers/mishaps/ is one behaviour: a submission to the small
lesson that really does it. All are submitted as one class and graded once; the script claims the
outcome.

    # %% double, greet     answers to these exercises; a missing one is right
    # %% hand in           run when it is handed in: may change `notebook`, and files in `folder`
    # %% must              run when it is graded: claims about `points`, `messages`, `graded`, ...

Attacks aim at what is there: COURSE, HOME, PORT and PID in an answer stand for a course, a home,
a listener and a process of an instructor. greet() returns "hello" where an attack succeeds. One
that fails by its own fault would prove nothing: where `must` has works_unconfined=true, it must
succeed when the same class is graded by an engine that does not confine; where it has
works_in_one_kernel=true, double() must earn the hidden test's marks when one kernel runs both
answers and tests, as in stock nbgrader.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode

from autograder.authoring.answer_bank import answered
from autograder.authoring.build import notebook_path
from autograder.execution.execute import execute
from autograder.grading.verdict import PASSED, VERDICT, judge
from autograder.limits import Limits
from tests.support.paths import ROOT
from tests.support.small_course import (
    FULL_MARKS,
    LESSON,
    RIGHT,
    Course,
    make_course,
    outcomes,
    points,
)

# The class is graded once, so its tests belong to one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("submissions")]

LIMITS = {
    "cell_seconds": 5,
    "notebook_seconds": 20,
    "memory_mb": 1000,
    "file_mb": 20,
    "disk_mb": 50,
    "processes": 100,
}
SECRET = "a-secret-of-the-instructor"
# The command, with kernels that are not confined though this machine could.
UNCONFINED = """
from autograder.sandbox.fork_client import ForkServer, shared_server
shared_server.use(ForkServer(confine=False))
from autograder.cli import app
app()
"""


@dataclass(frozen=True)
class Behaviour:
    """A script of tests/submissions/ or answers/mishaps/."""

    name: str
    cells: dict[str, str]
    works_unconfined: bool = False
    works_in_one_kernel: bool = False

    @property
    def answers(self) -> dict[str, str]:
        return RIGHT | {name: self.cells[name] for name in RIGHT if name in self.cells}


def read(path: Path) -> Behaviour:
    cells = {
        cell.metadata["title"]: cell
        for cell in jupytext.read(path, fmt="py:percent").cells
        if cell.cell_type == "code"
    }
    more = cells["must"].metadata
    sources = {title: cell.source for title, cell in cells.items()}
    attacks = (more.get(f"works_{where}", False) for where in ("unconfined", "in_one_kernel"))
    return Behaviour(path.stem, sources, *attacks)


FOLDERS = (ROOT / "tests" / "submissions", ROOT / "answers" / "mishaps")
PATHS = sorted(path for folder in FOLDERS for path in folder.glob("*.py"))
BEHAVIOURS = [read(path) for path in PATHS]
ATTACKS = [behaviour for behaviour in BEHAVIOURS if behaviour.works_unconfined]
FRAUDS = [behaviour for behaviour in BEHAVIOURS if behaviour.works_in_one_kernel]


@dataclass
class Instructor:
    """The target of attacks: `names` replaces words of an answer."""

    course: Course
    names: dict[str, str] = field(default_factory=dict)

    def aim(self, source: str) -> str:
        """Return an answer that aims at this instructor."""
        return re.sub(r"\b(COURSE|HOME|PORT|PID)\b", lambda word: self.names[word[0]], source)

    def receive(self, behaviour: Behaviour) -> None:
        """Write a submission, as the exchange or its author would."""
        student = behaviour.name
        answers = {name: self.aim(source) for name, source in behaviour.answers.items()}
        self.course.hand_in(student, answers)
        folder = self.course.folder / "submitted" / student / LESSON
        path = folder / f"{LESSON}.ipynb"
        notebook: NotebookNode | None = nbformat.read(path, as_version=4)
        if "hand in" in behaviour.cells:
            scope: dict[str, Any] = {
                "notebook": notebook,
                "cells": {cell["id"]: cell for cell in notebook.cells},
                "folder": folder,
                "path": path,
                "course": self.course.folder,
                "lesson": LESSON,
            }
            exec(behaviour.cells["hand in"], scope)
            notebook = scope["notebook"]
        if notebook is not None:
            path.write_text(nbformat.v4.writes(notebook), encoding="utf-8")


@contextlib.contextmanager
def instructor(folder: Path) -> Iterator[Instructor]:
    """A course, a home with a key, a secret in the environment, a process, and listeners."""
    key = folder / "home" / ".ssh" / "id_ed25519"
    key.parent.mkdir(parents=True)
    key.write_text(SECRET)
    course = make_course(folder / "c", checked=True)
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("JUPYTERHUB_API_TOKEN", SECRET)
        kernel = stack.enter_context(tempfile.TemporaryDirectory(prefix="k-", dir="/tmp"))
        port = listen(stack, socket.AF_INET, ("127.0.0.1", 0))[1]
        for address in (f"{course.folder}/socket", f"{kernel}/k-1", f"\0{course.folder}"):
            listen(stack, socket.AF_UNIX, address)
        wait = [sys.executable, "-c", "import signal; signal.pause()", str(course.folder)]
        process = stack.enter_context(subprocess.Popen(wait))
        stack.callback(process.kill)
        names = {"COURSE": course.folder, "HOME": key.parents[1], "PORT": port, "PID": process.pid}
        yield Instructor(course, {name: str(value) for name, value in names.items()})


def listen(stack: contextlib.ExitStack, family: int, address: Any) -> Any:
    """Return the address of a new listener, which `stack` closes."""
    listener = stack.enter_context(socket.socket(family))
    listener.bind(address)
    listener.listen(100)
    return listener.getsockname()


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    with instructor(tmp_path_factory.mktemp("confined")) as teacher:
        for behaviour in BEHAVIOURS:
            teacher.receive(behaviour)
        yield teacher.course


@pytest.fixture(scope="module")
def results(confined: Course) -> dict[str, dict[str, Any]]:
    return confined.grade(*(f"--limit={name}={value}" for name, value in LIMITS.items()))


@pytest.fixture(scope="module")
def unconfined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    with instructor(tmp_path_factory.mktemp("unconfined")) as teacher:
        for behaviour in ATTACKS:
            teacher.receive(behaviour)
        course = teacher.course
        (course.folder / "grade.py").write_text(UNCONFINED)
        options = ("--no-confine", "--jobs", "1")  # in order: one reads what the other left
        course.command = ("python", "grade.py")
        yield course.grade(*options)


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_each_behaviour_has_its_outcome(
    behaviour: Behaviour, results: dict[str, dict[str, Any]], confined: Course
) -> None:
    result = results[behaviour.name]
    scope: dict[str, Any] = {
        "result": result,
        "results": results,
        "points": points(result),
        "outcomes": outcomes(result),
        "messages": {
            cell["grade_id"]: cell["message"].split(" (in the call ")[0] for cell in result["cells"]
        },
        "graded": confined.folder / "autograded" / behaviour.name / LESSON,
        "course": confined,
        "lesson": LESSON,
        "limits": LIMITS,
        "full_marks": FULL_MARKS,
    }
    try:
        exec(behaviour.cells["must"], scope)
    except AssertionError as error:
        error.add_note(json.dumps(result, indent=1))
        raise


@pytest.mark.parametrize("behaviour", ATTACKS, ids=lambda behaviour: behaviour.name)
def test_an_attack_succeeds_where_nothing_confines_it(
    behaviour: Behaviour, unconfined: dict[str, dict[str, Any]]
) -> None:
    result = unconfined[behaviour.name]
    assert points(result)["test-greet"] == 4, json.dumps(result, indent=1)


@pytest.mark.parametrize("behaviour", FRAUDS, ids=lambda behaviour: behaviour.name)
def test_a_fraud_succeeds_where_one_kernel_runs_answers_and_tests(
    behaviour: Behaviour, confined: Course
) -> None:
    released = nbformat.read(notebook_path(confined.folder / "source", LESSON), as_version=4)
    notebook = answered(released, behaviour.answers)
    done = execute(notebook, {}, Limits(cell_seconds=5), one_kernel=True)
    judge(done)
    verdicts = {cell["id"]: cell.metadata.get(VERDICT) for cell in done.cells}
    assert verdicts["hidden-double"]["outcome"] == PASSED, verdicts
