"""A fault that is not the learner's is no mark: it is named, logged, and the next run goes on."""

from __future__ import annotations

import errno
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbclient
import pytest
from jupyter_client.session import Session
from sqlalchemy.exc import IntegrityError

from autograder.errors import GraderError
from autograder.execution import execute as execution
from autograder.execution.session import KernelSession
from autograder.grading import coordinator, pipeline, submissions
from autograder.grading.coordinator import Coordinator
from autograder.grading.gradebook import GradebookSession
from autograder.grading.results import NOT_GRADED
from autograder.sandbox import fork_client
from autograder.sandbox.fork_client import ForkServer, shared_server
from tests.support.in_process import graded
from tests.support.paths import ROOT
from tests.support.small_course import (
    LESSON,
    RIGHT,
    Course,
    make_course,
    wait_until,
    with_double,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Object of type .* not in session"),
]
Patch = pytest.MonkeyPatch
WRONG = with_double("def double(x):\n    return 0")


def raising(error: BaseException) -> Callable[..., Any]:
    """Return a function that raises `error`, whatever it is called with."""

    def fails(*_: Any, **__: Any) -> Any:
        raise error

    return fails


def a_hook_of_nbclient_is_gone(patch: Patch) -> None:
    gone = AttributeError("no attribute 'process_message'")
    patch.setattr(nbclient.NotebookClient, "process_message", raising(gone))


def jupyter_client_cannot_send(patch: Patch) -> None:
    patch.setattr(Session, "send", raising(TypeError("send() got an unexpected argument")))


def the_coordinator_has_no_memory(patch: Patch) -> None:
    patch.setattr(Coordinator, "submit", raising(MemoryError()))


def the_executor_has_no_memory(patch: Patch) -> None:
    patch.setattr(pipeline, "execute", raising(MemoryError()))


def judging_fails(patch: Patch) -> None:
    patch.setattr(pipeline, "judge", raising(KeyError("points")))


def sanitising_fails(patch: Patch) -> None:
    patch.setattr(pipeline, "sanitize_notebook", raising(RecursionError("too deep")))


def restoring_fails(patch: Patch) -> None:
    patch.setattr(submissions, "restore", raising(IndexError("list index out of range")))


def the_gradebook_refuses(patch: Patch) -> None:
    refusal = IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))
    patch.setattr(GradebookSession, "record", raising(refusal))


def no_kernel_can_be_forked(patch: Patch) -> None:
    patch.setattr(ForkServer, "start", raising(RuntimeError("no kernel can be started")))


def the_server_of_kernels_dies_again_and_again(patch: Patch) -> None:
    def dies(server: ForkServer, *_: Any, **__: Any) -> Any:
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not server.is_alive())
        raise RuntimeError("no kernel can be started: its server has died")

    patch.setattr(ForkServer, "start", dies)


def the_kernel_is_killed_from_outside(patch: Patch) -> None:
    run = KernelSession.run

    def kills(session: KernelSession, cell: Any, index: int) -> bool:
        session.manager.provisioner.process.kill()
        return run(session, cell, index)

    patch.setattr(KernelSession, "run", kills)


def the_codec_has_a_bug(patch: Patch) -> None:
    patch.setattr(fork_client, "SERVER_MODULE", "tests.support.faulty_server")
    shared_server.shutdown()
    here = Path.cwd()
    os.chdir(ROOT)  # where that module is
    execution.kernel_server(())
    os.chdir(here)


def the_copy_of_a_file_fails(patch: Patch) -> None:
    patch.setattr(execution, "write_files", raising(OSError(errno.EMFILE, "Too many open files")))


FAULTS = (
    a_hook_of_nbclient_is_gone, jupyter_client_cannot_send, the_coordinator_has_no_memory,
    the_executor_has_no_memory, judging_fails, sanitising_fails, restoring_fails,
    the_gradebook_refuses, no_kernel_can_be_forked, the_server_of_kernels_dies_again_and_again,
    the_kernel_is_killed_from_outside, the_codec_has_a_bug, the_copy_of_a_file_fails,
)  # fmt: skip


@pytest.fixture
def course(tmp_path: Path, monkeypatch: Patch) -> Course:
    """A class in which ada has marks, and has handed in again; emmy's work is new."""
    course = make_course(tmp_path)
    monkeypatch.chdir(course.folder)
    course.hand_in("ada", WRONG)
    (result,) = graded(LESSON)
    assert result.score == 4
    course.write(course.folder / "submitted" / "ada" / LESSON, RIGHT)
    course.hand_in("emmy", RIGHT)
    return course


@pytest.fixture(autouse=True)
def real_server() -> Iterator[None]:
    """Kernels come from the real server again, for the tests that follow."""
    yield
    shared_server.shutdown()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_writes_no_mark_and_the_next_run_grades(
    fault: Callable[[Patch], None], course: Course, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="autograder")
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        ada, emmy = graded(LESSON)
        shared_server.shutdown()
    assert ada.status.startswith(f"{NOT_GRADED}: ")
    assert emmy.status.startswith(f"{NOT_GRADED}: ")
    assert "\n" not in ada.status
    assert (ada.score, emmy.score) == (4, 0)  # as before
    assert not (course.folder / "autograded" / "emmy").exists()
    assert [record for record in caplog.records if record.exc_info]
    ada, emmy = graded(LESSON)
    assert [(ada.status, ada.score), (emmy.status, emmy.score)] == [("graded", 7), ("graded", 7)]


def test_a_full_disk_is_named_and_the_next_run_publishes(
    course: Course, monkeypatch: Patch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        full = raising(OSError(errno.ENOSPC, "No space left on device"))
        patch.setattr(coordinator, "write_submission", full)
        ada, emmy = graded(LESSON)
    assert ada.status.startswith(f"{NOT_GRADED}: No space left on device")
    assert "run the command again" in emmy.status
    assert [result.status for result in graded(LESSON)] == ["graded", "graded"]


def test_a_fault_under_the_source_stops_before_any_mark(course: Course) -> None:
    (course.folder / ".autograder" / f"{LESSON}.json").unlink()
    with pytest.MonkeyPatch.context() as patch:
        a_hook_of_nbclient_is_gone(patch)
        with pytest.raises(GraderError, match="process_message"):
            graded(LESSON)
    assert not (course.folder / "autograded" / "emmy").exists()


FAULTY_COMMAND = """
import nbclient
def gone(self, msg, cell, cell_index):
    raise AttributeError("no attribute 'process_message'")
nbclient.NotebookClient.process_message = gone
from autograder.cli import app
app(["grade", "00_doubling"])
"""


def test_the_command_says_it_in_a_line_keeps_the_traceback_and_has_status_1(course: Course) -> None:
    done = course.run("python", "-c", FAULTY_COMMAND)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "00_doubling: 2 not graded" in done.stderr
    assert "emmy: not graded: cell 2 could not be run: AttributeError" in done.stderr
    log = (course.folder / "autograder.log").read_text()
    assert "Traceback (most recent call last)" in log
    assert "no attribute 'process_message'" in log
    assert course.run("autograder", "grade", LESSON).returncode == 0
