"""What is relied on of nbclient."""

from __future__ import annotations

import asyncio

import nbclient

from autograder.compat.check import Member, check_members

CLIENT = "nbclient:NotebookClient"
MEMBERS = (
    Member(f"{CLIENT}._async_poll_kernel_alive", "to be told when a kernel ends", ("self",)),
    Member(
        f"{CLIENT}.async_execute_cell",
        "to run a cell",
        ("self", "cell", "cell_index", "execution_count", "store_history"),
    ),
    Member(
        f"{CLIENT}.process_message", "to bound all output", ("self", "msg", "cell", "cell_index")
    ),
    Member(f"{CLIENT}.on_comm_open_jupyter_widget", "to ignore widgets", ("self", "msg")),
    Member(f"{CLIENT}.on_cell_executed", "to note how a cell ended"),
    Member(f"{CLIENT}.timeout_func", "to limit the time of each cell"),
    Member(f"{CLIENT}.error_on_timeout", "to go on after a time-out"),
)
check_members("nbclient", MEMBERS)
LAST_MESSAGES = 0.1  # seconds for messages that a kernel sent before it ended


class NotebookClient(nbclient.NotebookClient):
    """A notebook client that is told when its kernel ends, instead of asking each second."""

    async def kernel_ended(self) -> None:
        """Wait until the kernel has ended."""
        raise NotImplementedError

    async def _async_poll_kernel_alive(self) -> None:
        await self.kernel_ended()
        await asyncio.sleep(LAST_MESSAGES)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()
