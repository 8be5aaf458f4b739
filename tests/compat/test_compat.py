"""A library that lacks what is relied on: one line, status 2, and no mark is written."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.compat.check import Member, check_members, mismatch
from autograder.errors import CompatibilityError
from tests.support.small_course import LESSON, RIGHT, Course, activated, make_course

LIBRARIES = ("ipykernel", "jupyter_client", "nbclient", "nbgrader", "torch")
# What a release of the library might change, and the member that is named then.
CHANGED_IN_THE_COMMAND = {
    "nbclient": (
        "import nbclient\ndel nbclient.NotebookClient._async_poll_kernel_alive",
        "_async_poll_kernel_alive",
    ),
    "jupyter_client": (
        "from jupyter_client.manager import KernelManager\n"
        "KernelManager._async_wait = lambda self, seconds: None",
        "_async_wait",
    ),
    "nbgrader": (
        "from nbgrader.api import Gradebook\n"
        "Gradebook.find_grade = lambda self, assignment, notebook, student: None",
        "find_grade",
    ),
    "ipykernel": (
        "from ipykernel.ipkernel import IPythonKernel\ndel IPythonKernel._forward_input",
        "_forward_input",
    ),
    "ipython": (
        "from IPython.core.interactiveshell import InteractiveShell\ndel InteractiveShell._tee",
        "_tee",
    ),
}
COMMAND = "from autograder.cli import app\napp()"
# torch is imported by the server that forks kernels, not by the command.
WITH_ANOTHER_SERVER = """
from autograder.sandbox import fork_client
fork_client.SERVER_MODULE = "server_with_another_torch"
"""
SERVER_WITH_ANOTHER_TORCH = """
import runpy
from autograder.compat import torch
from autograder.compat.check import Member
torch.MEMBERS = (Member("torch.nn:Module.register_buffer", "to see it", ("self", "other_name")),)
runpy.run_module("autograder.sandbox.fork_server", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course whose only submission would earn full marks."""
    course = make_course(tmp_path, checked=True)  # its lesson imports torch
    course.hand_in("ada", RIGHT)
    return course


def grade(course: Course, code: str) -> subprocess.CompletedProcess[str]:
    """Run `autograder grade` in a process that runs `code` first."""
    return subprocess.run(
        [sys.executable, "-c", f"{code}\n{COMMAND}", "grade", LESSON, "--json", "out.json"],
        cwd=course.folder,
        env=activated(),
        capture_output=True,
        text=True,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], course: Course, *names: str) -> None:
    """The command named what is wrong in one line, with status 2, and recorded nothing."""
    assert done.returncode == 2, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("autograder:"))
    assert all(name in line for name in names), line
    assert "Traceback" not in done.stderr
    assert not (course.folder / "out.json").exists()
    assert not (course.folder / "autograded").exists()
    with Gradebook(f"sqlite:///{course.folder}/gradebook.db", "cnn") as gradebook:
        assert [s for a in gradebook.assignments for s in a.submissions] == []


@pytest.mark.slow
@pytest.mark.parametrize("library", CHANGED_IN_THE_COMMAND)
def test_a_changed_library_is_named_before_anything_is_graded(course: Course, library: str) -> None:
    code, member = CHANGED_IN_THE_COMMAND[library]
    assert_refused(grade(course, code), course, f"{library} {version(library)}", member)


@pytest.mark.slow
def test_a_changed_library_under_the_kernels_is_named_before_anything_is_graded(
    course: Course,
) -> None:
    server = course.folder / "server_with_another_torch.py"
    server.write_text(SERVER_WITH_ANOTHER_TORCH)
    done = grade(course, WITH_ANOTHER_SERVER)
    assert_refused(done, course, f"torch {version('torch')}", "register_buffer")
    server.write_text(SERVER_WITH_ANOTHER_TORCH.replace("other_name", "name"))
    assert grade(course, WITH_ANOTHER_SERVER).returncode == 0, "the scene is not the reason"


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_member_says_what_for_and_is_as_it_is_relied_on(library: str) -> None:
    members = import_module(f"autograder.compat.{library}").MEMBERS
    assert members
    for member in members:
        assert member.purpose.startswith("to ")
        assert not mismatch(member)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (Member("no_such_module:name", "to test"), "is missing"),
        (Member("json:JSONDecoder.no_such_method", "to test"), "is missing"),
        (Member("json:dumps", "to test", ("data",)), "has the parameters (obj, skipkeys"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(member: Member, reason: str) -> None:
    with pytest.raises(CompatibilityError) as error:
        check_members("nbgrader", [member])
    text = str(error.value)
    assert text.startswith(f"nbgrader {version('nbgrader')}: {member.path} {reason}")
    assert "\n" not in text


def test_a_member_that_is_as_it_should_be_is_no_reason() -> None:
    check_members("nbgrader", [Member("json:dumps", "to test", ("obj",))])
