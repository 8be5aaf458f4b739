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
from typing import Any, Protocol

from jupyter_core.utils import run_sync
from nbformat import NotebookNode

from autograder.examiner.kernels import SubmissionKernel, TestKernel
from autograder.execution.cells import ENDED, ERROR, is_setup, is_test
from autograder.execution.session import Deadline, KernelSession
from autograder.limits import Limits
from autograder.sandbox.kernel import Kernel
from autograder.sandbox.manager import (
    ForkedKernelClient,
    ForkedKernelManager,
    TestKernelClient,
)

PRINTED = "printed"  # key in a test cell's metadata: what the submission printed while it ran
END_SECONDS = 1.0  # for the submission kernel to notice that a test has ended
INTERRUPT_SECONDS = 3.0  # and, where a call still runs, after it was interrupted


class Kernels(Protocol):
    """What runs the cells of a notebook."""

    def start(self) -> dict[str, Any]:
        """Start the kernels; return the language of the notebook.

        Raise RuntimeError where a kernel cannot be started.
        """

    def run(self, cell: NotebookNode, index: int) -> bool:
        """Run a cell and note how it ended; return whether the kernels can still be used."""

    def close(self) -> None:
        """End the kernels."""


class OneKernel:
    """One kernel runs all cells, as in stock nbgrader."""

    def __init__(
        self, notebook: NotebookNode, folder: str, limits: Limits, deadline: Deadline, student: str
    ) -> None:
        self.notebook, self.folder = notebook, folder
        self.limits, self.deadline, self.student = limits, deadline, student
        self.session: KernelSession | None = None

    def start(self) -> dict[str, Any]:
        manager = ForkedKernelManager(limits=self.limits, student=self.student)
        self.session = KernelSession(self.notebook, manager, self.limits, self.deadline)
        self.session.start(self.folder)
        return self.session.language_info()

    def run(self, cell: NotebookNode, index: int) -> bool:
        assert self.session is not None
        return self.session.run(cell, index)

    def close(self) -> None:
        if self.session:
            self.session.close()
            self.session = None


class TwoKernels:
    """Two sessions side by side: `submission` and `test`."""

    def __init__(
        self, notebook: NotebookNode, folder: str, limits: Limits, deadline: Deadline, student: str
    ) -> None:
        self.notebook, self.folder = notebook, folder
        self.limits, self.deadline, self.student = limits, deadline, student
        self.submission: KernelSession | None = None
        self.test: KernelSession | None = None

    def start(self) -> dict[str, Any]:
        pair = secrets.token_hex(8)
        self.submission = self.session(pair, SubmissionKernel, ForkedKernelClient)
        self.submission.start(self.folder)
        self.test = self.session(pair, TestKernel, TestKernelClient)
        # Nothing that was handed in is in its folder, which is removed with the other one.
        self.test.start(tempfile.mkdtemp(dir=os.path.dirname(self.folder)))
        return self.submission.language_info()

    def session(
        self, pair: str, kernel: type[Kernel], client: type[ForkedKernelClient]
    ) -> KernelSession:
        """Return a new session for one of the two kernels."""
        manager = ForkedKernelManager(
            limits=self.limits,
            student=self.student,
            pair=pair,
            kernel_class=f"{kernel.__module__}.{kernel.__name__}",
            client_factory=client,
        )
        return KernelSession(self.notebook, manager, self.limits, self.deadline)

    def run(self, cell: NotebookNode, index: int) -> bool:
        assert self.submission is not None
        assert self.test is not None
        if is_test(cell):
            return self.run_test(self.submission, self.test, cell, index)
        if not self.submission.run(cell, index):
            return False
        # Of a copy: what a locked setup cell shows is shown once.
        return self.test.run(copy.deepcopy(cell), index) if is_setup(cell) else True

    def run_test(
        self, submission: KernelSession, test: KernelSession, cell: NotebookNode, index: int
    ) -> bool:
        """Run a test cell in the test kernel while the submission kernel answers its requests."""
        assert isinstance(submission.kc, ForkedKernelClient)
        assert isinstance(test.kc, TestKernelClient)
        request = submission.kc.send("answer_request", {}, {})
        test.kc.is_test = True
        usable = test.run(cell, index)
        test.kc.is_test = False
        printed = run_sync(reply_of)(submission, request)
        if printed:
            cell.metadata[PRINTED] = printed
        failed = cell.metadata.get(ENDED) == ERROR
        if failed and printed is None and submission.manager.has_ended():
            cell.metadata[ENDED] = submission.cause_of_end()
        return usable and printed is not None

    def close(self) -> None:
        sessions, self.submission, self.test = (self.submission, self.test), None, None
        for session in filter(None, sessions):
            session.close()


async def reply_of(submission: KernelSession, request: str) -> str | None:
    """Return what a submission kernel printed for a test that has ended; None without a reply."""
    for seconds in (END_SECONDS, INTERRUPT_SECONDS):
        reply = await reply_within(submission, request, seconds)
        if reply is not None:
            printed = reply["content"].get(PRINTED)
            return printed if isinstance(printed, str) else None
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
