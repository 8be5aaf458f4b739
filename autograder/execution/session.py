"""A kernel with its manager, its client and its deadline: it runs cells, and notes how they ended.

Cells that loop are interrupted; a kernel that ends is noticed at once; all output is bounded.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterable
from queue import Empty
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.compat.nbclient import NotebookClient
from autograder.errors import GraderError, one_line, printable
from autograder.execution.cells import CRASHED, ENDED, ERROR, OK, OUT_OF_MEMORY, TIMED_OUT
from autograder.limits import MAX_WRITTEN_FILES, MESSAGE_BYTES, OUTPUT_BYTES, Limits
from autograder.sandbox.manager import ForkedKernelManager
from autograder.sandbox.messages import InvalidMessage

log = logging.getLogger(__name__)
# nbclient reports what a submission does: the ordinary case, and no news.
client_log = logging.getLogger("autograder.nbclient")
FILES_SECONDS = 5.0  # for a kernel to send its files
ITEM_BYTES = 450  # that nbformat takes for an empty dictionary, the largest of small things
MAX_NAME_BYTES = 200  # of the path of such a file
MAX_DEPTH = 10  # of its folders
TIMEOUT_ERROR = {
    "ename": "CellTimeoutError",
    "evalue": "",
    "traceback": ["CellTimeoutError: No reply from kernel before timeout"],
}


class Deadline:
    """When the time of a notebook is over: counted from its first kernel's start."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end: float | None = None

    def start(self) -> None:
        """Start the clock, unless it runs."""
        if self.end is None:
            self.end = time.monotonic() + self.seconds

    def left(self) -> float:
        """Return the seconds that are left; negative when the time is over."""
        assert self.end is not None, "no kernel was started"
        return self.end - time.monotonic()


class KernelSession(NotebookClient):
    """One kernel, and what runs cells of a notebook in it; the notebook itself is not changed."""

    km: AsyncKernelManager
    kc: Any

    def __init__(
        self,
        notebook: NotebookNode,
        manager: ForkedKernelManager,
        limits: Limits,
        deadline: Deadline,
    ) -> None:
        super().__init__(
            nb=NotebookNode({**notebook, "cells": [*notebook.cells]}),
            km=manager,
            allow_errors=True,
            interrupt_on_timeout=True,
            raise_on_iopub_timeout=True,
            error_on_timeout=TIMEOUT_ERROR,
            store_widget_state=False,
            extra_arguments=[],
            log=client_log,
        )
        self.manager = manager
        self.deadline = deadline
        self.output_bytes = 0
        self.has_fault = False  # what was running may still wait for its end
        self.kills_before = kills_for_memory()
        self.reply: dict[str, Any] = {}  # to the last cell
        # nbclient takes a timeout of zero as none.
        seconds: Any = lambda cell: max(0.1, min(limits.cell_seconds, deadline.left()))  # noqa: E731
        self.timeout_func = seconds

    async def async_start(self, cwd: str) -> None:
        """Start the kernel in the folder `cwd`. Raise RuntimeError where it cannot be started."""
        self.reset_execution_trackers()
        await self.manager.start_kernel(cwd=cwd)
        self.kc = self.manager.client()
        self.kc.start_channels()
        await self.kc.wait_for_ready(timeout=self.startup_timeout)
        self.deadline.start()

    start = run_sync(async_start)

    async def async_close(self) -> None:
        """End the kernel, and close its sockets; end what a fault left undone."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()} if self.has_fault else set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.manager.has_kernel:
            await self.manager.shutdown_kernel(now=True)
        await self.manager.cleanup_resources()

    close = run_sync(async_close)

    def language_info(self) -> dict[str, Any]:
        """Return what the kernel says of its language."""
        reply = self.wait_for_reply(self.kc.kernel_info())
        return dict(reply["content"].get("language_info", {})) if reply else {}

    def written_files(self) -> dict[str, bytes]:
        """Return the files that were written beside the notebook, by relative path.

        What the kernel sends is a submission's: names and number are checked. None of it is there
        where the kernel has ended, or does not reply.
        """
        try:
            return run_sync(self.async_written_files)()
        except (InvalidMessage, TimeoutError, Empty):
            return {}

    async def async_written_files(self) -> dict[str, bytes]:
        """Ask the kernel, and return what it says, as far as it is valid."""
        if self.kc is None or self.manager.has_ended():
            return {}
        request = self.kc.send("files_request", {}, {})
        end = time.monotonic() + FILES_SECONDS
        while (left := end - time.monotonic()) > 0:
            reply = await self.kc.shell_channel.get_msg(timeout=left)
            if reply["parent_header"].get("msg_id") != request:
                continue
            names = reply["content"].get("names", [])
            if left_out := reply["content"].get("left_out"):
                log.info("files that are too large to be kept: %s", ", ".join(left_out)[:500])
            return valid_files(names, reply["buffers"])
        return {}

    def run(self, cell: NotebookNode, index: int) -> bool:
        """Run a cell and note how it ended; return whether the kernel can still be used.

        Raise GraderError for what is not the learner's doing.
        """
        self.nb.cells[index] = cell  # nbclient looks there for displays that are updated
        try:
            self.execute_cell(cell, index, store_history=True)
        except DeadKernelError:
            cell.metadata[ENDED] = self.cause_of_end()
        except CellTimeoutError:  # even an interrupt did not help
            cell.metadata[ENDED] = TIMED_OUT
        except InvalidMessage as error:
            log.debug("cell %s: %s", index, error)
            cell.metadata[ENDED] = CRASHED
        except Exception as error:
            self.has_fault = True
            raise GraderError(f"cell {index + 1} could not be run: {one_line(error)}") from error
        else:
            return True
        return False

    def cause_of_end(self) -> str:
        """Return why the kernel has ended. Raise GraderError where the machine ended it."""
        if self.manager.was_killed():
            raise GraderError("its kernel was killed from outside")
        if kills_for_memory() > self.kills_before:
            raise GraderError(
                "this machine ran out of memory: use fewer --jobs, or a lower limit of memory_mb"
            )
        return OUT_OF_MEMORY if self.manager.is_out_of_memory() else CRASHED

    def on_cell_executed(
        self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]
    ) -> None:
        """Note how a cell ended, and keep an error that it did not print. Called by nbclient."""
        self.reply = execute_reply
        reply = execute_reply["content"]
        if "status" not in reply:
            raise InvalidMessage("the reply to a cell is invalid")
        if reply["status"] != "error":
            cell.metadata[ENDED] = OK
            return
        timed_out = reply["ename"] == TIMEOUT_ERROR["ename"]
        cell.metadata[ENDED] = TIMED_OUT if timed_out else ERROR
        printed = [o.ename for o in cell.outputs if o.output_type == "error"]
        if reply["ename"] not in printed:
            traceback = reply["traceback"] or ["ERROR: showtraceback was disabled"]
            cell.outputs.append(
                new_output(
                    "error", ename=reply["ename"], evalue=reply["evalue"], traceback=traceback
                )
            )

    async def kernel_ended(self) -> None:
        """Wait until the kernel has ended."""
        await self.manager.ended()

    def on_comm_open_jupyter_widget(self, msg: dict[str, Any]) -> None:
        """Show no widget: what one would capture stays its cell's output.

        nbclient would capture it, and fails where the state of widgets is not kept.
        """

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take a message of the kernel, unless all of them together are too large to keep."""
        if msg["msg_type"] not in ("status", "execute_input"):
            self.output_bytes += len(str(msg["content"])) + sum(map(len, msg["buffers"]))
            self.output_bytes += ITEM_BYTES * number_of_items(msg["content"])
            if self.output_bytes > OUTPUT_BYTES:
                return None
        return super().process_message(msg, cell, cell_index)


def number_of_items(content: dict[str, Any]) -> int:
    """Return how many items the dictionaries and lists in the content of a message have."""
    count, waiting = 0, list(content.values())
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            each = list(each.values())
        if isinstance(each, list):
            count += len(each)
            waiting += each
    return count


def valid_files(names: Iterable[str], contents: Iterable[Any]) -> dict[str, bytes]:
    """Return the files that a kernel sent and that may be kept: as many as an honest one sends."""
    files: dict[str, bytes] = {}
    room = MESSAGE_BYTES
    for name, content in zip(names, contents, strict=False):
        room -= len(content)
        if room >= 0 and len(files) < MAX_WRITTEN_FILES and is_plain_name(name):
            files[name] = bytes(content)
    return files


def is_plain_name(name: str) -> bool:
    """Return whether a file of this path may be kept: within its folder, and no notebook."""
    if printable(name) != name or "\\" in name or len(os.fsencode(name)) > MAX_NAME_BYTES:
        return False
    parts = name.split("/")
    return (
        len(parts) <= MAX_DEPTH
        and not any(part.startswith(".") or not part for part in parts)
        and not any(part.lower().endswith(".ipynb") for part in parts)  # nbgrader globs them
    )


def kills_for_memory() -> int:
    """Return how many processes the machine ended since its start because memory ran out."""
    try:
        with open("/proc/vmstat") as counts:
            return next(int(line.split()[1]) for line in counts if line.startswith("oom_kill "))
    except (OSError, StopIteration):  # not Linux, or an old one
        return 0
