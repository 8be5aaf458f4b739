"""The pure step of grading: execute(notebook, resources, limits) -> notebook.

It knows no gradebook and no course folder, sends nothing and keeps nothing, and never raises for
what a student wrote: it can run in any thread, process or machine.

    scratch folder -> forked kernel -> cell by cell -> how each cell ended, in its metadata

A cell that loops is interrupted; a kernel that died is started again, and what the learner had
defined before is run again, so that a crash costs what the crashed cell defines and no more.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_solution
from traitlets import default

from autograder.errors import LessonError, one_line
from autograder.limits import OUTPUT_BYTES, Limits
from autograder.sandbox.fork_client import ForkServer, scratch
from autograder.sandbox.manager import ForkedKernelManager

ENDED = "ended"  # key in a cell's metadata: one of the next, or absent: not run
OK, ERROR, TIMED_OUT, CRASHED = "ok", "error", "timed out", "crashed"
OUT_OF_MEMORY = "out of memory"
TRIES = 3  # of a notebook whose server of kernels is lost


def execute(
    notebook: NotebookNode, resources: dict[str, Any], limits: Limits, one_kernel: bool = False
) -> NotebookNode:
    """Run all code cells of `notebook` in kernels of its own; returns the executed notebook.

    Its test cells run in a second kernel, which no line of a submission enters
    (autograder.execution.two_kernels), unless `one_kernel` is to run all, as in stock nbgrader.

    `resources["files"]` maps relative paths to the bytes of the files that lie beside it;
    `resources["student"]`, where it is given, says whose work it is: the kernel finds it in its
    environment as STUDENT, for tests that are about whose work it is. Each
    code cell that ran says in metadata["ended"] how; metadata["seconds"] of the notebook is the
    time it took. Raises LessonError where this machine cannot run it as `limits` demand.
    """
    from autograder.execution.two_kernels import ExecuteExamined  # which is built on this module

    one_kernel = one_kernel or not any(map(is_test, notebook.cells))
    kind = ExecuteBounded if one_kernel else ExecuteExamined
    for _ in range(TRIES):
        server = ForkServer.shared()
        if limits.confined and (why := server.unconfined()):
            raise LessonError(
                f"this machine cannot confine kernels ({why}): see `autograder doctor`"
            )
        began = time.monotonic()
        with tempfile.TemporaryDirectory(
            prefix="w-", dir=scratch(), ignore_cleanup_errors=True
        ) as folder:
            files = os.path.join(folder, "files")
            lay_out(resources.get("files", {}), Path(files))
            where = ResourcesDict(metadata=ResourcesDict(path=files))
            executed = copy.deepcopy(notebook)
            try:
                bounded = kind(limits, resources.get("student", ""))
                executed, _ = bounded.preprocess(executed, where)
            except RuntimeError as error:  # no kernel could be started
                if server.is_alive():
                    raise LessonError(one_line(error)) from None
        if server.is_alive():
            executed.metadata["seconds"] = round(time.monotonic() - began, 3)
            return executed
        # The server of kernels was killed: what happened to the notebook is not its own doing.
    raise LessonError("the server of kernels was lost again and again: is there enough memory?")


@contextmanager
def kernels(jobs: int, preload: Iterable[str]) -> Iterator[Executor]:
    """An executor of `jobs` threads for execute() on this machine; its server warms up at once."""
    ForkServer.shared(preload)
    pool = ThreadPoolExecutor(jobs)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def lay_out(files: dict[str, bytes], folder: Path) -> None:
    """Write the files that belong to a submission into its scratch folder."""
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class ExecuteBounded(Execute):
    """nbgrader's Execute with a limit on everything, that goes on when a kernel dies."""

    def __init__(self, limits: Limits, student: str = "") -> None:
        super().__init__(shutdown_kernel="immediate", store_widget_state=False)
        self.limits = limits
        self.student = student
        self.deadline: float | None = None
        self.put_out = 0
        # nbclient takes a timeout of zero for none at all.
        self.timeout_func = lambda cell: max(0.1, min(limits.cell_seconds, self.time_left()))

    @default("log")
    def _quiet_log(self) -> logging.Logger:
        # A cell that fails is the ordinary case here, and no news.
        log = logging.getLogger("autograder.execution.execute")
        log.setLevel(logging.CRITICAL)
        return log

    def on_notebook_start(self, **_: Any) -> None:
        """Called when a kernel is ready; the first one starts the clock."""
        if self.deadline is None:
            self.deadline = time.monotonic() + self.limits.notebook_seconds

    def time_left(self) -> float:
        assert self.deadline is not None, "no kernel was started"
        return self.deadline - time.monotonic()

    def create_kernel_manager(self) -> AsyncKernelManager:
        manager = ForkedKernelManager(log=self.log)
        manager.limits = self.limits
        manager.student = self.student
        self.km = manager
        return manager

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Run one cell and note how it ended; a kernel that is lost is started again."""
        cell.metadata.pop(ENDED, None)
        if cell.cell_type != "code" or self.time_left() <= 0:
            return cell, resources
        if not self.try_cell(cell, index):
            self.start_again(index)
        return cell, resources

    def try_cell(self, cell: NotebookNode, index: int) -> bool:
        """Whether the kernel is still to be used after the cell; notes how the cell ended."""
        try:
            self.execute_cell(cell, index, store_history=True)
        except DeadKernelError:
            cell.metadata[ENDED] = OUT_OF_MEMORY if self.km.took_too_much() else CRASHED
        except CellTimeoutError:  # even an interrupt did not help
            cell.metadata[ENDED] = TIMED_OUT
        except Exception:  # what a cell sends may be anything, and nbclient believes it
            cell.metadata[ENDED] = CRASHED
        else:
            return True
        return False

    def on_cell_executed(self, **kwargs: Any) -> None:
        super().on_cell_executed(**kwargs)
        reply = kwargs["execute_reply"]["content"]
        timed_out = reply.get("ename") == self.error_on_timeout["ename"]
        ended = OK if reply["status"] == "ok" else TIMED_OUT if timed_out else ERROR
        kwargs["cell"].metadata[ENDED] = ended

    async def _async_poll_kernel_alive(self) -> None:
        """Give up the cell when its kernel has ended; a last word on its way is waited for."""
        await self.km.ended()
        await asyncio.sleep(0.1)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    def on_comm_open_jupyter_widget(self, msg: dict[str, Any]) -> None:
        """No widget is shown: what one would capture is its cell's output.

        nbclient would capture it, and stumbles over it where the state of widgets is not kept.
        """

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take what a kernel says, as long as all of it together is not too much to keep."""
        if msg["msg_type"] not in ("status", "execute_input"):
            self.put_out += len(str(msg["content"])) + sum(map(len, msg["buffers"]))
            if self.put_out > OUTPUT_BYTES:
                return None
        return super().process_message(msg, cell, cell_index)

    def start_again(self, lost: int) -> None:
        """Replace the kernel and run again what the cells before number `lost` defined."""
        self._cleanup_kernel()
        if self.time_left() <= 0:
            return
        self.reset_execution_trackers()
        self.create_kernel_manager()
        self.start_new_kernel()
        self.start_new_kernel_client()
        for index, cell in enumerate(self.nb.cells[:lost]):
            if cell.metadata.get(ENDED) not in (OK, ERROR) or is_test(cell):
                continue
            again = copy.deepcopy(cell)
            usable = self.try_cell(again, index)
            self.nb.cells[index] = cell  # as it was: nbclient puts in what it ran
            if not usable:
                cell.metadata[ENDED] = again.metadata[ENDED]  # and passed over next time
                return self.start_again(lost)

    async def _async_cleanup_kernel(self) -> None:
        if self.km is not None:  # no kernel was started again: there was no time left
            await super()._async_cleanup_kernel()

    _cleanup_kernel = run_sync(_async_cleanup_kernel)


def is_test(cell: NotebookNode) -> bool:
    """Whether executing this cell earns marks."""
    return bool(is_grade(cell) and not is_solution(cell) and cell.cell_type == "code")
