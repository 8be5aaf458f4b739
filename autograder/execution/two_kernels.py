"""Execution in two kernels: the answers run in one, the tests in the other (autograder.examiner).

    learner's cells, locked set-up cells -> the answers' kernel
    locked set-up cells, test cells      -> the examiner's kernel, in an empty folder of its own

While a test runs, the answers' kernel answers its calls. If either kernel is lost both are started
again: the wire between them was made with them.
"""

from __future__ import annotations

import asyncio
import copy
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbformat import NotebookNode
from nbgrader.utils import is_locked, is_solution

from autograder.examiner.kernels import ANSWERS, EXAMINER
from autograder.execution.execute import (
    CRASHED,
    ENDED,
    ERROR,
    OUT_OF_MEMORY,
    ExecuteBounded,
    is_test,
)
from autograder.limits import Limits
from autograder.sandbox.manager import ForkedKernelClient, ForkedKernelManager

PRINTED = "printed"  # key in a test cell's metadata: what the answers printed while it ran
GRACE = 1.0  # seconds for the answers' kernel to see that a test is over
AFTER_INTERRUPT = 3.0  # and, where a call still runs, after it was interrupted


class ExecuteExamined(ExecuteBounded):
    """Execute with an examiner. `km` and `kc` are of the kernel that runs the cell at hand."""

    kc: Any

    def __init__(self, limits: Limits, student: str = "") -> None:
        super().__init__(limits, student)
        self.other: tuple[Any, Any] = (None, None)  # manager and client of the examiner
        self.role = ANSWERS

    def create_kernel_manager(self) -> AsyncKernelManager:
        manager = super().create_kernel_manager()
        assert isinstance(manager, ForkedKernelManager)
        manager.role = self.role
        if self.role == ANSWERS:
            self.pair = secrets.token_hex(8)
        manager.pair = self.pair
        return manager

    @contextmanager
    def examiner(self) -> Iterator[None]:
        """Here the kernel at hand is the examiner's."""
        answers = self.km, self.kc
        self.km, self.kc = self.other
        self.role = EXAMINER
        try:
            yield
        finally:
            self.other, self.role = (self.km, self.kc), ANSWERS
            self.km, self.kc = answers

    def start_new_kernel(self, **kwargs: Any) -> None:
        """Start both kernels. Nothing that was handed in is in the examiner's folder."""
        super().start_new_kernel(**kwargs)
        beside = os.path.dirname(str(self.resources["metadata"]["path"]))  # removed in the end
        with self.examiner():
            self.create_kernel_manager()
            super().start_new_kernel(cwd=tempfile.mkdtemp(dir=beside))
            self.start_new_kernel_client()

    async def _async_cleanup_kernel(self) -> None:
        answers = self.km, self.kc
        self.km, self.kc = self.other
        self.other = (None, None)
        await super()._async_cleanup_kernel()
        self.km, self.kc = answers
        await super()._async_cleanup_kernel()

    _cleanup_kernel = run_sync(_async_cleanup_kernel)

    def try_cell(self, cell: NotebookNode, index: int) -> bool:
        """Run a cell where it belongs; whether both kernels are still to be used."""
        if is_test(cell):
            return self.try_test(cell, index)
        if not super().try_cell(cell, index):
            return False
        return self.try_setup(cell, index) if is_setup(cell) else True

    def try_setup(self, cell: NotebookNode, index: int) -> bool:
        """Run a set-up cell at the examiner too: what it shows is shown once."""
        again = copy.deepcopy(cell)
        with self.examiner():
            usable = super().try_cell(again, index)
        self.nb.cells[index] = cell
        return usable

    def try_test(self, cell: NotebookNode, index: int) -> bool:
        """Run a test at the examiner, the answers' kernel at its service."""
        assert isinstance(self.kc, ForkedKernelClient)
        number = self.kc.send("answer_request", {}, {})
        with self.examiner():
            assert isinstance(self.kc, ForkedKernelClient)
            self.kc.asks = True
            usable = super().try_cell(cell, index)
            if self.kc is not None:
                self.kc.asks = False
        printed = run_sync(self.answered)(number)
        if printed:
            cell.metadata[PRINTED] = printed
        if printed is None and self.has_ended() and cell.metadata.get(ENDED) == ERROR:
            cell.metadata[ENDED] = OUT_OF_MEMORY if self.km.took_too_much() else CRASHED
        return usable and printed is not None

    def has_ended(self) -> bool:
        """Whether the answers' kernel has ended."""
        assert isinstance(self.km, ForkedKernelManager)
        return self.km.has_ended()

    async def answered(self, number: str) -> str | None:
        """What the answers' kernel printed for a test that is over; None where it does not say."""
        for patience in (GRACE, AFTER_INTERRUPT):
            reply = await self.reply_to(number, patience)
            if reply is not None:
                printed = reply["content"].get(PRINTED)
                return printed if isinstance(printed, str) else None
            if self.has_ended():
                return None
            await self.km.interrupt_kernel()
        return None

    async def reply_to(self, number: str, patience: float) -> dict[str, Any] | None:
        """The reply to a message, or None where none comes in so many seconds."""
        assert isinstance(self.km, ForkedKernelManager)
        ended = asyncio.ensure_future(self.km.ended())
        deadline = asyncio.get_running_loop().time() + patience
        try:
            while (left := deadline - asyncio.get_running_loop().time()) > 0:
                reply = asyncio.ensure_future(self.kc.shell_channel.get_msg(timeout=left + 1))
                await asyncio.wait({reply, ended}, timeout=left, return_when="FIRST_COMPLETED")
                if not reply.done():
                    reply.cancel()
                    return None
                found: dict[str, Any] = reply.result()
                if found["parent_header"].get("msg_id") == number:
                    return found
            return None
        finally:
            ended.cancel()


def is_setup(cell: NotebookNode) -> bool:
    """Whether a cell is the lesson's own: locked, and no test."""
    return cell.cell_type == "code" and is_locked(cell) and not is_solution(cell)
