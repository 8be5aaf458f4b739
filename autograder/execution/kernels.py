"""The kernels of a notebook: one for all cells, or one for the submission and one for the tests.

    learner's cells, locked setup cells -> submission kernel
    locked setup cells, test cells      -> test kernel, in an empty folder of its own

While a test runs, the submission kernel answers its requests (autograder.examiner). If either
kernel is lost both are started again: the socket between them was made with them.
"""

from __future__ import annotations

import asyncio
import copy
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jupyter_core.utils import run_sync
from nbformat import NotebookNode

from autograder.errors import GraderError
from autograder.examiner.kernels import REPORT, SubmissionKernel, TestKernel
from autograder.examiner.released import InstructorText, ReleasedNames
from autograder.examiner.submission_side import MAX_PRINTED
from autograder.execution.cells import CRASHED, ENDED, ERROR, LIMIT, is_setup, is_test
from autograder.execution.session import Deadline, KernelSession
from autograder.limits import Limits
from autograder.sandbox.kernel import Kernel
from autograder.sandbox.manager import (
    ForkedKernelClient,
    ForkedKernelManager,
    TestKernelClient,
)
from autograder.sandbox.messages import InvalidMessage

PRINTED = "printed"  # key in a test cell's metadata: what the submission printed while it ran
END_SECONDS = 1.0  # for the submission kernel to notice that a test has ended
INTERRUPT_SECONDS = 3.0  # and, where a call still runs, after it was interrupted


@dataclass(frozen=True)
class Work:
    """A notebook to run in the folder `folder`, and what bounds it."""

    notebook: NotebookNode
    folder: str
    limits: Limits
    deadline: Deadline
    student: str = ""
    instructor: InstructorText = InstructorText()  # noqa: RUF009  # it is never changed


class Kernels(Protocol):
    """What runs the cells of a notebook."""

    def start(self) -> dict[str, Any]:
        """Start the kernels; return the language of the notebook.

        Raise RuntimeError where a kernel cannot be started.
        """

    def run(self, cell: NotebookNode, index: int) -> bool:
        """Run a cell and note how it ended; return whether the kernels can still be used."""

    def written_files(self) -> dict[str, bytes]:
        """Return the files that the answers wrote, by relative path."""

    def close(self) -> None:
        """End the kernels."""


class OneKernel:
    """One kernel runs all cells, as in stock nbgrader."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.session: KernelSession | None = None

    def start(self) -> dict[str, Any]:
        work = self.work
        manager = ForkedKernelManager(limits=work.limits, student=work.student)
        self.session = KernelSession(work.notebook, manager, work.limits, work.deadline)
        self.session.start(work.folder)
        return self.session.language_info()

    def run(self, cell: NotebookNode, index: int) -> bool:
        assert self.session is not None
        return self.session.run(cell, index)

    def written_files(self) -> dict[str, bytes]:
        return self.session.written_files() if self.session else {}

    def close(self) -> None:
        if self.session:
            self.session.close()
            self.session = None


class TwoKernels:
    """Two sessions side by side: `submission` and `test`."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.submission: KernelSession | None = None
        self.test: KernelSession | None = None
        self.released: ReleasedNames  # of the kernels that run

    def start(self) -> dict[str, Any]:
        pair = secrets.token_hex(8)
        self.released = ReleasedNames(self.work.instructor)
        self.submission = self.session(pair, SubmissionKernel, ForkedKernelClient)
        self.submission.start(self.work.folder)
        self.test = self.session(pair, TestKernel, TestKernelClient)
        # Nothing that was handed in is in its folder, which is removed with the other one.
        folder = tempfile.mkdtemp(dir=os.path.dirname(self.work.folder))
        write_files(self.work.instructor.files, Path(folder))
        self.test.start(folder)
        return self.submission.language_info()

    def session(
        self, pair: str, kernel: type[Kernel], client: type[ForkedKernelClient]
    ) -> KernelSession:
        """Return a new session for one of the two kernels."""
        manager = ForkedKernelManager(
            limits=self.work.limits,
            student=self.work.student,
            pair=pair,
            kernel_class=f"{kernel.__module__}.{kernel.__name__}",
            client_factory=client,
        )
        return KernelSession(self.work.notebook, manager, self.work.limits, self.work.deadline)

    def run(self, cell: NotebookNode, index: int) -> bool:
        assert self.submission is not None
        assert self.test is not None
        if is_test(cell):
            return self.run_test(self.submission, self.test, cell, index)
        if not self.submission.run(cell, index):
            return False
        if is_setup(cell):  # of a copy: what it shows is shown once
            return self.test.run(copy.deepcopy(cell), index)
        self.released.add(cell.source)
        return True

    def run_test(
        self, submission: KernelSession, test: KernelSession, cell: NotebookNode, index: int
    ) -> bool:
        """Run a test cell in the test kernel while the submission kernel answers its requests."""
        assert isinstance(submission.kc, ForkedKernelClient)
        assert isinstance(test.kc, TestKernelClient)
        request = submission.kc.send("answer_request", {}, {})
        test.kc.is_test, test.kc.released = True, self.released.as_data()
        usable = test.run(cell, index)
        test.kc.is_test = False
        try:
            printed = run_sync(reply_of)(submission, request)
        except InvalidMessage:
            cell.metadata[ENDED] = CRASHED
            return False
        if printed:
            cell.metadata[PRINTED] = printed
        failed = cell.metadata.get(ENDED) == ERROR
        if failed:
            note_report(cell, test.reply.get("metadata", {}).get(REPORT, {}))
        if failed and printed is None and submission.manager.has_ended():
            cell.metadata[ENDED] = submission.cause_of_end()
        return usable and printed is not None and cell.metadata.get(ENDED) != CRASHED

    def written_files(self) -> dict[str, bytes]:
        return self.submission.written_files() if self.submission else {}

    def close(self) -> None:
        sessions, self.submission, self.test = (self.submission, self.test), None, None
        for session in filter(None, sessions):
            session.close()


def note_report(cell: NotebookNode, report: dict[str, str]) -> None:
    """Note what a failed test says about the examiner (autograder.examiner.kernels.report_of).

    Raise GraderError where the examiner failed.
    """
    if fault := report.get("fault"):
        raise GraderError(f"a test could not be run: {fault}")
    if "invalid" in report:
        cell.metadata[ENDED] = CRASHED
    elif report:
        cell.metadata[LIMIT] = report


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files, by relative path, into a folder."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


async def reply_of(submission: KernelSession, request: str) -> str | None:
    """Return what a submission kernel printed for a test that has ended; None without a reply."""
    for seconds in (END_SECONDS, INTERRUPT_SECONDS):
        reply = await reply_within(submission, request, seconds)
        if reply is not None:
            printed = reply["content"].get(PRINTED)
            return printed[:MAX_PRINTED] if isinstance(printed, str) else None
        if submission.manager.has_ended():
            return None
        await submission.manager.interrupt_kernel()
    return None


async def reply_within(
    submission: KernelSession, request: str, seconds: float
) -> dict[str, Any] | None:
    """Return the reply to a message, or None where there is none after so many seconds."""
    clock = asyncio.get_running_loop().time
    ended = asyncio.ensure_future(submission.manager.ended())
    deadline = clock() + seconds
    try:
        while (left := deadline - clock()) > 0:
            reply = asyncio.ensure_future(submission.kc.shell_channel.get_msg(timeout=left + 1))
            await asyncio.wait({reply, ended}, timeout=left, return_when="FIRST_COMPLETED")
            if not reply.done():
                reply.cancel()
                return None
            message: dict[str, Any] = reply.result()
            if message["parent_header"].get("msg_id") == request:
                return message
        return None
    finally:
        ended.cancel()
